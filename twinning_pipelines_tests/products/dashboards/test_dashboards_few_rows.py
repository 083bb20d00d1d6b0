"""What panels make of a few rows, each put in by hand: what two sources tell, what has ended, what nobody names."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from twinning_pipelines.marts.books.balances import balance_gaps
from twinning_pipelines.marts.books.budgets import budget_use, keep_budgets
from twinning_pipelines.marts.books.recurring import STEPS, find_recurring, recurring_of
from twinning_pipelines.marts.books.rulebook import read_rulebook
from twinning_pipelines.marts.daily_facts import refresh_facts
from twinning_pipelines.products.metrics import ledger as metrics
from twinning_pipelines.stores.postgres.schema import METADATA
from twinning_pipelines_tests.marts.books.ledger import Ledger
from twinning_pipelines_tests.marts.books.worth import Told
from twinning_pipelines_tests.products.dashboards.asked import asked, panel_of
from twinning_pipelines_tests.products.dashboards.grafana import Looked

DAY = date(2026, 11, 27)
EVENING = datetime(2026, 11, 27, 20, tzinfo=UTC)
QIF, FLEX, OFX = "finance.qif", "finance.ibkr_flex", "finance.ofx"


@pytest.fixture
def told(engine: sa.Engine) -> Iterator[Told]:
    """Rows of Ada, who lives in Zürich."""
    with engine.connect() as connection:
        made = Told(connection)
        zone = "insert into person_zone (person_id, since, zone) values (:p, '1900-01-01', 'Europe/Zurich')"
        connection.execute(sa.text(zone), {"p": made.person_id})
        yield made


@pytest.fixture
def books(told: Told) -> Ledger:
    """Her books."""
    return Ledger(told.connection, told.person_id, told.file_id)


def answer(told: Told, name: str, question: str, since: str = "now-30d") -> list[dict[str, Any]]:
    """The rows of a panel on the evening of the day, by the names of its columns."""
    names, rows = asked(
        told.connection, panel_of(name, question).queries[0], Looked("ada", EVENING, EVENING).since(since)
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def values(told: Told, name: str, question: str) -> dict[str, Any]:
    """What the series of a panel come to, by their names."""
    return {row["metric"]: row["value"] for row in answer(told, name, question)}


def put(told: Told, table: str, *rows: Mapping[str, Any]) -> None:
    """Rows of a table of which `Told` knows nothing."""
    shared = {"person_id": told.person_id, "source": "told", "file_id": told.file_id}
    for place, row in enumerate(rows, start=1):
        told.connection.execute(
            sa.insert(METADATA.tables[table]), shared | {"at": place, "occurrence": place} | dict(row)
        )


# ------------------------------------------------------------------------------ securities


def test_a_purchase_that_two_sources_tell_is_bought_once_and_a_sale_is_where_money_comes_in(
    told: Told, books: Ledger
) -> None:
    books.account("Broker", "IB", "U1")
    books.account("Bank", "Depot")
    for source, account in ((QIF, "IB"), (FLEX, "U1")):
        bought = {"account": account, "traded_on": DAY, "security": "A", "units": Decimal(2), "total": Decimal(-100)}
        told.rows("trade", bought | {"fees": Decimal("1.5")}, source=source)
    sold = {"traded_on": DAY, "action": "SELLSTOCK", "security": "B", "units": Decimal(5), "total": Decimal(50)}
    told.rows("trade", sold, source=OFX)
    paid_out = {"traded_on": DAY, "action": "INCOME", "security": "B", "total": Decimal(7)}
    told.rows("trade", paid_out, source=OFX)
    assert values(told, "portfolio", "How much do I buy and sell?") == {
        "Bought, CHF": 100, "Fees, CHF": 1.5, "Sold, CHF": -50,
    }  # fmt: skip


def test_a_trade_without_a_currency_is_in_that_of_its_account(told: Told, books: Ledger) -> None:
    books.account("Broker", "IB", currency="USD")
    told.rows(
        "trade",
        {
            "account": "IB", "traded_on": DAY, "security": "A", "units": Decimal(2), "total": Decimal(-100),
            "currency": "XXX",
        },
        source=QIF,
    )  # fmt: skip
    assert values(told, "portfolio", "How much do I buy and sell?") == {"Bought, USD": 100}


def test_holdings_that_two_sources_state_count_once(told: Told, books: Ledger) -> None:
    books.account("Broker", "IB", "U1")
    for source, account in ((FLEX, "U1"), (OFX, "IB")):
        stated = {"account": account, "held_on": DAY, "security": "A", "units": Decimal(10)}
        told.rows("holding", stated | {"cost": Decimal(100), "market_value": Decimal(150)}, source=source)
    assert values(told, "portfolio", "What have I gained?") == {"Gain, CHF": 50}
    assert values(told, "portfolio", "What is that of what I paid?") == {"Gain, CHF": 0.5}
    assert values(told, "portfolio", "Is it worth more than it cost?") == {"Paid, CHF": 100, "Worth, CHF": 150}
    assert [row["Units"] for row in answer(told, "portfolio", "What do I hold?")] == [10]


def test_an_older_statement_under_another_name_of_the_account_is_not_the_newest(told: Told, books: Ledger) -> None:
    books.account("Broker", "IB", "U1")
    told.hold(date(2026, 11, 20), 4, account="U1", cost=Decimal(40), market_value=Decimal(44))
    told.hold(DAY, 5, account="IB", cost=Decimal(50), market_value=Decimal(56))
    assert values(told, "portfolio", "What have I gained?") == {"Gain, CHF": 6}


def test_what_was_sold_short_and_is_worth_less_now_is_a_gain(told: Told) -> None:
    told.hold(DAY, -1, cost=Decimal(-140), market_value=Decimal(-126))
    assert values(told, "portfolio", "What have I gained?") == {"Gain, CHF": 14}
    assert values(told, "portfolio", "What is that of what I paid?") == {"Gain, CHF": 0.1}
    assert [row["Gain in %"] for row in answer(told, "portfolio", "What do I hold?")] == [0.1]


def test_an_exchange_of_currencies_is_no_sale(told: Told, books: Ledger) -> None:
    books.account("Broker", "Depot")
    exchanged = {
        "traded_on": DAY,
        "security": "CHF.USD",
        "units": Decimal(-1000),
        "total": Decimal(1250),
        "currency": "USD",
    }
    told.rows("trade", exchanged | {"extra": {"assetCategory": "CASH"}}, source=FLEX)
    fee = {"traded_on": DAY, "security": "CHF.USD", "total": Decimal("-1.5"), "fees": Decimal("1.5")}
    told.rows("trade", fee | {"extra": {"assetCategory": "CASH"}}, source=FLEX)
    assert values(told, "portfolio", "How much do I buy and sell?") == {"Fees, CHF": 1.5}


# ------------------------------------------------------------------------------ money


def test_what_has_ended_comes_no_more(told: Told, books: Ledger) -> None:
    books.account("Household")
    for month in range(6, 12):
        books.book("Household", date(2025, month, 5), "-80", "Gym")
        books.book("Household", date(2026, month, 1), "-1000", "Rent")
    find_recurring(told.connection, told.person_id)
    series = {each.payee: each for each in recurring_of(told.connection, told.person_id)}
    assert {name: each.has_ended(DAY) for name, each in series.items()} == {"Gym": True, "Rent": False}
    assert values(told, "money", "What comes and goes every month by itself?") == {"Out, CHF": 1000}
    listed = [
        (row["Who"], row["Next on"], row["Days until"]) for row in answer(told, "money", "What comes again, and when?")
    ]
    assert listed == [("Rent", "2026-12-01", 4), ("Gym", "ended", None)]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
@pytest.mark.parametrize("late", [0, 1])
def test_the_panel_and_the_command_end_a_series_on_the_same_day(
    told: Told, books: Ledger, step: Any, late: int
) -> None:
    account = books.account("Household")
    overdue = int(step.about / 2) + late
    due = date.fromordinal(DAY.toordinal() - overdue)
    row = {
        "person_id": told.person_id, "account_id": account, "payee": "Gym", "currency": "CHF", "every": step.name,
        "amount": -12, "low": -12, "high": -12, "n": 4, "first_on": date(2020, 1, 1), "next_on": due,
        "last_on": date.fromordinal(due.toordinal() - int(step.about)),
    }  # fmt: skip
    told.connection.execute(sa.insert(METADATA.tables["recurring_payment"]), row)
    (series,) = recurring_of(told.connection, told.person_id)
    assert series.has_ended(DAY) == bool(late)
    monthly = values(told, "money", "What comes and goes every month by itself?")
    assert monthly == ({} if late else {"Out, CHF": pytest.approx(12 * 30.437 / step.about)})


def test_who_is_not_named_is_called_by_the_words_of_the_booking(told: Told, books: Ledger) -> None:
    books.account("Household")
    books.book("Household", DAY, "-30", memo="Cash machine")
    books.book("Household", DAY, "-20", "Corner Cafe", memo="Lunch")
    books.book("Household", DAY, "-10")
    assert [tuple(row.values()) for row in answer(told, "money", "Who gets most?")] == [
        ("Cash machine, CHF", 30), ("Corner Cafe, CHF", 20), ("nobody named, CHF", 10),
    ]  # fmt: skip
    named = {row["Who"] for row in answer(told, "money", "What was booked last?")}
    assert named == {"Cash machine", "Corner Cafe", "nobody named"}


def test_own_transfers_are_nobody_paid_and_want_no_category(told: Told, books: Ledger) -> None:
    books.account("Household")
    books.account("Savings")
    books.book("Household", DAY, "-20", "Corner Cafe", category="Restaurants")
    books.book("Household", DAY, "-300", "Ada", transfer_to="Savings")
    out, into = books.book("Household", DAY, "-500", "Ada"), books.book("Savings", DAY, "500", "Ada")
    pair = (
        "insert into transfer (person_id, out_id, in_id, state, by, why) values (:p, :o, :i, 'confirmed', 'rule', '')"
    )
    told.connection.execute(sa.text(pair), {"p": told.person_id, "o": out, "i": into})
    assert [row["Payee"] for row in answer(told, "money", "Who gets most?")] == ["Corner Cafe, CHF"]
    assert answer(told, "money", "How many bookings have no category?") == [{"Without a category": 0}]


def test_a_budgets_own_currency_stays_exact(told: Told, books: Ledger) -> None:
    rules = "budgets: [{name: Food, categories: [Groceries], monthly: 100 CHF}]"
    keep_budgets(told.connection, told.person_id, read_rulebook(rules))
    books.account("Household")
    books.book("Household", DAY, "-2.005", category="Groceries")
    for _ in range(3):
        books.book("Household", DAY, "-1.55", currency="EUR", category="Groceries")
    books.rate("EUR", "CHF", DAY.isoformat(), "0.9333")
    refresh_facts(told.connection, [DAY])
    (row,) = answer(told, "money", "How much of each budget is used?")
    # The euros of the day are 4.65, hence 4.34; each by itself is 1.45.
    assert row["Spent"] == pytest.approx(6.345)
    (used,) = budget_use(told.connection, told.person_id, DAY, DAY)
    assert used.spent == Decimal("6.355")


# ------------------------------------------------------------------------------ time


def test_nothing_billable_and_nothing_long_are_none_of_it(told: Told) -> None:
    began = datetime(2026, 11, 27, 9, tzinfo=UTC)
    entry = {"worker": "", "started_at": began, "seconds": 600, "client": "Acme", "billable": False}
    put(told, "time_entry", entry)
    assert answer(told, "time", "How much of it is billable?") == [{"Billable": 0}]
    assert [row["In long stretches"] for row in answer(told, "time", "How much of it is in long stretches?")] == [0]
    assert [row["Billable"] for row in answer(told, "time", "For whom do I work?")] == [0]


def test_hours_by_weekday_are_the_mean_of_the_days(told: Told) -> None:
    for at, (day, hours) in enumerate(((16, 2), (23, 3), (23, 3), (27, 5)), start=8):
        began = datetime(2026, 11, day, at, tzinfo=UTC)
        put(told, "time_entry", {"worker": "", "started_at": began, "seconds": hours * 3600})
    refresh_facts(told.connection, [date(2026, 11, day) for day in (16, 23, 27)])
    rows = answer(told, "time", "On which weekdays do I work longest?")
    assert [tuple(row.values()) for row in rows] == [("Mon", 4), ("Fri", 5)]


# ------------------------------------------------------------------------------ business


def test_invoices_due_today_are_those_of_the_facts(told: Told) -> None:
    usual = {"client": "Acme", "gross": 100, "currency": "CHF", "status": "sent", "issued_on": date(2026, 10, 1)}
    due = {"due_on": date(2026, 11, 1)}
    put(
        told, "invoice",
        usual | due | {"number": "1"},
        # Paid later (number 6, too), so open on the day; paid before; sent later, though due before.
        usual | due | {"number": "2", "status": "paid", "paid_on": date(2026, 12, 4)},
        usual | due | {"number": "3", "status": "paid", "paid_on": date(2026, 11, 4)},
        usual | due | {"number": "4", "issued_on": date(2026, 12, 1)},
        usual | {"number": "5", "due_on": date(2026, 12, 24)},
        usual | due | {"number": "6", "paid_on": date(2026, 12, 9)},
    )  # fmt: skip
    waits = {row["What"]: row["How many"] for row in answer(told, "today", "What wants a look?")}
    assert waits["invoices due"] == 3
    owed = values(told, "business", "What do clients owe me?")
    assert owed == {"Open, CHF": 400, "Due, CHF": 300}
    refresh_facts(told.connection, [DAY])
    counted = told.connection.execute(
        sa.text("select value from daily_fact where fact = 'invoices_due' and day = :day"), {"day": DAY}
    ).scalar_one()
    assert counted == 300


# ------------------------------------------------------------------------------ quality


def test_what_a_file_told_counts_though_a_later_reading_failed(told: Told) -> None:
    refused = "update intake_file set receipt = '{\"booking\": [3, 1]}', status = 'unreadable', problem = 'torn' where id = :id"
    told.connection.execute(sa.text(refused), {"id": told.file_id})
    (row,) = answer(told, "quality", "How many rows were accepted and rejected?")
    assert row == {"Accepted": 3, "Rejected": 1, "Rejected of all": 0.25}
    assert [(row["Told"], row["Rows"]) for row in answer(told, "quality", "Which file told what?")] == [("booking", 3)]
    assert [row["Rows"] for row in answer(told, "quality", "Which source fills which table?")] == [3]
    assert {each.labels[3]: each.value for each in metrics.rows(told.connection)} == {"accepted": 3, "rejected": 1}


def test_gaps_are_those_of_the_books(told: Told, books: Ledger) -> None:
    other = Ledger.of(told.connection, "bob")
    for owner, missing in ((books, 5), (other, 7)):
        owner.account("Household", "Giro")
        owner.book("Household", date(2026, 11, 10), "20")
        for day, value in (("2026-11-01", 100), ("2026-11-20", 120), ("2026-11-25", 120 + missing)):
            claim = (
                "insert into claim (file_id, kind, subject, day, value, unit, at) "
                "values (:file, 'closing_balance', 'Giro', cast(:day as date), :value, 'CHF', 1)"
            )
            told.connection.execute(sa.text(claim), {"file": owner.file_id, "day": day, "value": value})
    rows = answer(told, "quality", "Where do they not?")
    assert [tuple(row.values()) for row in rows] == [
        ("Household", "2026-11-20", "2026-11-25", 5, 0, 5, "CHF"), ("Household", "2026-11-01", "2026-11-20", 20, 20, 0, "CHF"),
    ]  # fmt: skip
    assert answer(told, "quality", "Do the statements add up?") == [{"Statements that add up": 0.5, "Gaps": 1}]
    assert {(each.person, each.missing) for each in balance_gaps(told.connection)} == {
        ("ada", Decimal(5)),
        ("bob", Decimal(7)),
    }
