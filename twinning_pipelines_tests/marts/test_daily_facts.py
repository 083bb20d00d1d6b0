"""Daily facts: each is the total of the very rows that explain it, and counts what it says it counts."""

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from twinning_pipelines.demo import finance, household, nutrition, work
from twinning_pipelines.demo.apple_health import write_export
from twinning_pipelines.ingest.road import receive, take
from twinning_pipelines.marts.books.balances import balance_gaps, balance_steps
from twinning_pipelines.marts.daily_facts import evidence_of, facts_of, find_fact, refresh_facts
from twinning_pipelines.marts.facts import FACTS
from twinning_pipelines.sources import SOURCES
from twinning_pipelines.stores.postgres.store import PostgresStore

ZURICH = ZoneInfo("Europe/Zurich")
FIRST, LAST = date(2026, 3, 1), date(2026, 4, 30)


def _ingest(store: PostgresStore, path: Path, person: str = "ada") -> None:
    entry = receive(path, person, store, path.parent / "archive")
    receipt = take(entry, store, path.parent / "archive", SOURCES)
    assert receipt.problem is None, receipt


@pytest.fixture
def two_months(store: PostgresStore, engine: sa.Engine, tmp_path: Path) -> sa.Engine:
    made = datetime(2026, 4, 30, 22, tzinfo=ZURICH)
    write_export(
        tmp_path / "export.zip", seed=3, first=FIRST, last=LAST, zone=ZURICH, records=15_000, broken=2, exported_at=made
    )
    finance.write_statement(tmp_path / "a.ofx", seed=3, first=FIRST, last=date(2026, 3, 31), broken=2)
    finance.write_statement(tmp_path / "b.ofx", seed=3, first=date(2026, 4, 1), last=LAST)
    household.write_shares(tmp_path / "activity.xml", first=FIRST, last=LAST)
    household.write_euros(tmp_path / "euros.csv", first=FIRST, last=LAST)
    household.write_rates(tmp_path / "rates.csv", first=FIRST, last=LAST)
    nutrition.write_cronometer(tmp_path / "servings.csv", seed=3, first=FIRST, last=LAST)
    work.write_toggl(tmp_path / "toggl.csv", seed=3, first=FIRST, last=LAST)
    work.write_deals(tmp_path / "deals.csv", seed=3, first=FIRST, last=LAST)
    work.write_invoices(tmp_path / "invoices.csv", seed=3, first=FIRST, last=LAST)
    work.write_expenses(tmp_path / "expenses.csv", seed=3, first=FIRST, last=LAST)
    for path in sorted(tmp_path.glob("*.*")):
        _ingest(store, path)
    with engine.begin() as connection:
        assert refresh_facts(connection) >= 61
    return engine


def test_every_fact_is_told_and_is_the_total_of_its_evidence(two_months: sa.Engine) -> None:
    told: set[str] = set()
    with two_months.connect() as connection:
        days = connection.execute(
            sa.text("select distinct day from daily_fact where day between :a and :b"), {"a": FIRST, "b": LAST}
        )
        for day in sorted(days.scalars())[::6]:
            for fact in facts_of(connection, "ada", day):
                told.add(fact.fact)
                rows = evidence_of(connection, find_fact(fact.fact)[0], fact.part, "ada", day)
                assert len(rows) == fact.n, fact
                if find_fact(fact.fact)[0].total == "sum":
                    assert sum(row.amount for row in rows) == fact.value, fact
    everything = {fact.name for fact in FACTS}
    assert everything - told <= {
        "invoiced",
        "invoices_due",
        "expenses",
        "income",
        "income_by_category",
        "weight",
        "naps",
    }


def test_a_rollup_totals_the_rows_that_explain_it(two_months: sa.Engine) -> None:
    with two_months.connect() as connection:
        for name, total in (("steps", "sum"), ("heart_rate", "mean"), ("active_energy", "sum")):
            (fact,) = [each for each in facts_of(connection, "ada", date(2026, 3, 29)) if each.fact == name]
            amounts = [row.amount for row in evidence_of(connection, find_fact(name)[0], "", "ada", date(2026, 3, 29))]
            wanted = sum(amounts) if total == "sum" else sum(amounts) / len(amounts)
            assert float(fact.value) == pytest.approx(float(wanted), rel=1e-9)


def test_balances_add_up_and_a_missing_booking_is_named(two_months: sa.Engine) -> None:
    with two_months.begin() as connection:
        assert balance_steps(connection) == 1
        assert balance_gaps(connection) == []
        gone = connection.execute(
            sa.text(
                "delete from transaction where id = (select id from transaction where booked_on > '2026-04-02' "
                "and source = 'finance.ofx' order by id limit 1) returning amount"
            )
        ).scalar_one()
        connection.execute(sa.text("insert into stale_books select id from person"))
        refresh_facts(connection)
        (gap,) = balance_gaps(connection)
        assert (gap.missing, gap.currency, gap.until) == (gone, "CHF", LAST)


def test_a_day_whose_rows_are_gone_loses_its_facts(store: PostgresStore, engine: sa.Engine, tmp_path: Path) -> None:
    log = tmp_path / "timew.json"
    first, middle, last = (
        {"id": day, "start": f"2026030{day}T090000Z", "end": f"2026030{day}T100000Z"} for day in (1, 2, 3)
    )
    for content, wanted in (([first, middle, last], Decimal(1)), ([first, last], None)):
        log.write_text(json.dumps(content))
        _ingest(store, log)
        with engine.begin() as connection:
            refresh_facts(connection)
            told = [fact.value for fact in facts_of(connection, "ada", date(2026, 3, 2)) if fact.fact == "hours"]
        assert told == ([wanted] if wanted is not None else [])


def test_an_invoice_is_open_until_it_is_paid(store: PostgresStore, engine: sa.Engine, tmp_path: Path) -> None:
    table = tmp_path / "invoices.csv"
    table.write_text(
        "number,client,issued_on,due_on,paid_on,gross,paid,currency,status\n"
        "R-1,Acme,2026-03-01,2026-03-31,2026-04-05,1000.00,1000.00,EUR,paid\n"
        "R-2,Acme,2026-03-10,2026-04-10,,500.00,100.00,EUR,partial\n"
        "R-3,Acme,2026-03-10,,,70.00,,EUR,draft\n"
    )
    _ingest(store, table)
    with engine.begin() as connection:
        refresh_facts(connection)
        for day, opened, due in ((9, "1000", None), (10, "1400", None), (31, "1400", "1000")):
            told = {fact.fact: fact.value for fact in facts_of(connection, "ada", date(2026, 3, day))}
            assert told["invoices_open"] == Decimal(opened)
            assert told.get("invoices_due") == (Decimal(due) if due else None)
        april = {fact.fact: fact.value for fact in facts_of(connection, "ada", date(2026, 4, 10))}
        assert (april["invoices_open"], april["invoices_due"]) == (Decimal(400), Decimal(400))


def test_a_night_belongs_to_the_day_one_wakes_on(store: PostgresStore, engine: sa.Engine, tmp_path: Path) -> None:
    stages = [("22:30", "23:30", 7, "Deep"), ("23:30", "06:30", 7, "Core"), ("14:00", "14:40", 8, "Core")]
    lines = []
    for begins, ends, day, stage in stages:
        until = day + (1 if ends < begins else 0)
        lines.append(
            f' <Record type="HKCategoryTypeIdentifierSleepAnalysis" sourceName="Watch" '
            f'creationDate="2026-03-08 15:00:00 +0100" startDate="2026-03-{day:02} {begins}:00 +0100" '
            f'endDate="2026-03-{until:02} {ends}:00 +0100" value="HKCategoryValueSleepAnalysisAsleep{stage}"/>'
        )
    body = "\n".join(lines)
    (tmp_path / "export.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<HealthData locale="en_CH">\n'
        f' <ExportDate value="2026-03-09 08:00:00 +0100"/>\n{body}\n</HealthData>\n'
    )
    _ingest(store, tmp_path / "export.xml")
    with engine.begin() as connection:
        refresh_facts(connection)
        (sleep,) = [fact for fact in facts_of(connection, "ada", date(2026, 3, 8)) if fact.fact == "sleep"]
        assert sleep.n == 3
        assert float(sleep.value) == pytest.approx(8 + 40 / 60)
        assert not facts_of(connection, "ada", date(2026, 3, 7))
