"""What is worth a word, from real tables: each kind, its silence where nothing can be known, and titles without figures."""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from twinning_pipelines.products.news.channels import Outcome, Parcel
from twinning_pipelines.products.news.delivery import Delivered
from twinning_pipelines.products.news.happenings import figure, happenings_of
from twinning_pipelines.products.news.round import make_round
from twinning_pipelines.products.news.targets import Audience, Quiet
from twinning_pipelines.products.news.telling import Happening, tell
from twinning_pipelines.products.news.told import standings, told_news
from twinning_pipelines.sources import SOURCES
from twinning_pipelines_tests.household import Household
from twinning_pipelines_tests.products.news.desk import target

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
TODAY = date(2026, 11, 27)


@pytest.fixture
def ada(engine: sa.Engine) -> Household:
    house = Household(engine)
    house.do("insert into person_zone values (:p, '2000-01-01Z', 'Europe/Zurich')", p=house.person_id)
    house.do("update intake_file set receipt = '{}', source = 'finance.ofx'")
    return house


NOWHERE = Path("/nowhere")


def found(house: Household, kind: str, home: Path = NOWHERE) -> list[Happening]:
    with house.engine.connect() as connection:
        every = list(happenings_of(connection, SOURCES, home, NOW))
    for each in every:
        assert each.person == "ada"
        # Nothing but a day stands in a title.
        assert not re.search(r"\d", re.sub(r"\d{4}-\d\d-\d\d", "", each.title))
    return [each for each in every if each.kind == kind]


def tell_fact(house: Household, fact: str, values: list[float], last: date, unit: str = "count") -> None:
    for place, value in enumerate(reversed(values)):
        house.do(
            "insert into daily_fact values (:p, :day, :fact, '', :unit, :value, 1)",
            p=house.person_id,
            day=last - timedelta(days=place),
            fact=fact,
            unit=unit,
            value=Decimal(str(value)),
        )


def add_file(house: Household, name: str, status: str, receipt: str | None = None, days_ago: int = 1) -> None:
    house.do(
        "insert into intake_file (person_id, sha256, name, bytes, modified_at, as_of, source, status, problem, receipt, "
        "loaded_at, received_at) values (:p, md5(:name), :name, 9, now(), now(), 'finance.ofx', :status, :problem, "
        "cast(:receipt as jsonb), :at, :at)",
        p=house.person_id,
        name=name,
        status=status,
        problem="it is \x1b[31mcut off" if status == "unreadable" else None,
        receipt=receipt,
        at=NOW - timedelta(days=days_ago),
    )


def test_a_fact_far_out_of_its_own_days_is_unusual(ada: Household) -> None:
    usual = [8000.0, 8400, 7600, 8200, 7900, 8100, 8600] * 12
    tell_fact(ada, "steps", [*usual, 21000], TODAY - timedelta(days=1))
    (one,) = found(ada, "unusual")
    assert one.subject == "steps count 2026-11-26"
    assert one.body == "Steps on 2026-11-26: 21,000 count; the middle of the 84 days known before is 8,100 count."


@pytest.mark.parametrize(
    ("values", "fact", "days_ago"),
    [
        # Today is not over, an old day is no news, four weeks must be known.
        ([8000.0, 8400, 7600] * 20 + [21000], "steps", 0),
        ([8000.0, 8400, 7600] * 20 + [21000], "steps", 4),
        ([8000.0, 8400, 7600] * 9 + [21000], "steps", 1),
        # Three deviations are not four; nothing varies; it was so high before; it has piled up.
        ([8000.0, 9000, 7000] * 20 + [12000], "steps", 1),
        ([8000.0] * 60 + [21000], "steps", 1),
        ([20.0, 25, 30] * 20 + [1500] + [20, 25, 30] * 8 + [1500], "spend", 1),
        ([8000.0, 8400, 7600] * 20 + [21000], "invoices_open", 1),
    ],
)
def test_what_is_not_unusual(ada: Household, values: list[float], fact: str, days_ago: int) -> None:
    tell_fact(ada, fact, values, TODAY - timedelta(days=days_ago))
    assert found(ada, "unusual") == []


def test_files_that_nobody_could_read_and_those_with_many_rejections(ada: Household) -> None:
    add_file(ada, "bad\n<b>.ofx", "unreadable")
    add_file(ada, "strange.bin", "unrouted")
    add_file(ada, "poor.ofx", "loaded", '{"transaction": [50, 20], "claim": [1, 0]}')
    add_file(ada, "fine.ofx", "loaded", '{"transaction": [5000, 20]}')
    add_file(ada, "small.ofx", "loaded", '{"transaction": [1, 5]}')
    add_file(ada, "old.ofx", "unreadable", days_ago=20)
    add_file(ada, "waiting.ofx", "pending")
    told = found(ada, "file_rejected")
    assert [each.title for each in told] == [
        "A dropped file could not be read",
        "A dropped file could not be read",
        "Many rows of a dropped file were rejected",
    ]
    assert told[0].body.startswith("bad ‹b›.ofx: it is (31mcut off")
    assert told[2].body.startswith("poor.ofx: 20 rows rejected, 51 accepted.")
    assert len({each.subject for each in told}) == 3


def test_a_source_that_is_silent_for_too_long(ada: Household) -> None:
    assert found(ada, "source_silent") == []
    ada.do("update intake_file set as_of = now() - interval '200 days'")
    (one,) = found(ada, "source_silent")
    assert "200 days ago" in one.body
    assert one.subject.startswith("finance.ofx since ")


def test_balances_that_do_not_add_up(ada: Household) -> None:
    giro = ada.account("Giro")
    ada.state("Giro", "2026-10-31", "100")
    ada.book(giro, "2026-11-05", "-20", "Bakery")
    ada.state("Giro", "2026-11-20", "70")
    (one,) = found(ada, "balance_gap")
    assert one.subject == "Giro EUR 2026-10-31 2026-11-20"
    assert "move by -30 EUR, the bookings by -20; -10 are missing" in one.body


def test_a_budget_that_is_used_up_is_told_for_its_month(ada: Household) -> None:
    giro = ada.account("Giro")
    ada.do(
        "insert into budget values (:p, 'Food', 'EUR', '2026-01-01', '{Groceries}', 100)",
        p=ada.person_id,
    )
    ada.book(giro, "2026-10-09", "-130", category="Groceries", category_by="person")
    ada.book(giro, "2026-11-09", "-60", category="Groceries", category_by="person")
    assert [each.subject for each in found(ada, "budget_used_up")] == ["Food 2026-10"]
    ada.book(giro, "2026-11-20", "-40", category="Groceries", category_by="person")
    _earlier, other = found(ada, "budget_used_up")
    assert (other.subject, other.title) == ("Food 2026-11", "A budget is used up")
    assert other.body == "Food: 100 of 100 EUR are spent in 2026-11."


def _expect(ada: Household, account: int, next_on: str, n: int = 4) -> None:
    ada.do(
        "insert into recurring_payment (person_id, account_id, payee, currency, every, amount, low, high, n, first_on, "
        "last_on, next_on) values (:p, :a, 'Landlord', 'EUR', 'month', -900, -900, -900, :n, '2026-07-15', '2026-10-15', :next)",
        p=ada.person_id,
        a=account,
        n=n,
        next=date.fromisoformat(next_on),
    )


def test_a_payment_that_did_not_come(ada: Household) -> None:
    giro = ada.account("Giro")
    _expect(ada, giro, "2026-11-15")
    ada.book(giro, "2026-11-20", "-5")
    # The account is known to the 20th, and a payment may be five days late.
    assert found(ada, "payment_missing") == []
    ada.book(giro, "2026-11-21", "-5")
    (one,) = found(ada, "payment_missing")
    assert one.subject == "Giro Landlord EUR month 2026-11-15"
    assert one.body.startswith(
        "Landlord: -900 EUR each month was due on 2026-11-15; the bookings of Giro reach to 2026-11-21"
    )


def test_payments_that_ended_or_were_never_sure_are_not_missed(ada: Household) -> None:
    giro = ada.account("Giro")
    _expect(ada, giro, "2026-10-15")
    _expect(ada, giro, "2026-11-15", n=2)
    ada.book(giro, "2026-11-26", "-5")
    assert found(ada, "payment_missing") == []


def test_goals_and_limits_by_the_day(ada: Household, tmp_path: Path) -> None:
    (tmp_path / "goals").mkdir()
    written = tmp_path / "goals" / "ada.yaml"
    written.write_text(
        "goals: [{fact: steps, at_least: 10000}, {fact: spend, at_most: 60, unit: CHF}, {fact: energy, at_least: 1}]"
    )
    tell_fact(ada, "steps", [12000, 9000, 10000], TODAY)
    tell_fact(ada, "spend", [60, 60.5], TODAY, "CHF")
    tell_fact(ada, "spend", [600, 600], TODAY, "EUR")
    told = found(ada, "goal_reached", tmp_path)
    assert [each.body for each in told] == [
        "Steps on 2026-11-25: at least 10,000 count.",
        "Steps on 2026-11-27: at least 10,000 count.",
    ]
    (passed,) = found(ada, "limit_passed", tmp_path)
    assert (passed.title, passed.body) == ("A limit is passed", "Spending on 2026-11-27: more than 60 CHF.")
    written.write_text("goals: [{fact: nonsense}]")
    assert found(ada, "goal_reached", tmp_path) == []


def test_summaries_are_told_when_they_are_made(ada: Household) -> None:
    for kind, day, made in (
        ("day", "2026-11-26", NOW),
        ("week", "2026-11-22", NOW),
        ("day", "2026-11-25", NOW - timedelta(days=9)),
    ):
        ada.do(
            "insert into summary (person_id, kind, day, path, headline, text, sentences, facts, seconds, made_at) "
            "values (:p, :kind, :day, 'template', 'A quiet day', :text, '[]', '[]', 1, :made)",
            p=ada.person_id,
            kind=kind,
            day=date.fromisoformat(day),
            text="Slept 7 h.\nSaid <script>.",
            made=made,
        )
    (one,) = found(ada, "summary")
    assert one.title == "Your summary of 2026-11-26 is ready"
    assert one.body == "A quiet day\nSlept 7 h.\nSaid ‹script›."


@pytest.mark.parametrize(("value", "told"), [("0", "0"), ("10", "10"), ("1200.50", "1,200.5"), ("-0.125", "-0.12")])
def test_figures_have_no_empty_decimals(value: str, told: str) -> None:
    assert figure(Decimal(value)) == told


class Ear:
    """Hears everything."""

    def __init__(self) -> None:
        self.heard = list[Parcel]()

    def send(self, parcel: Parcel) -> Outcome:
        self.heard.append(parcel)
        return Outcome("delivered")


def test_a_round_tells_what_is_new_and_waits_for_those_who_sleep(ada: Household) -> None:
    add_file(ada, "bad.ofx", "unreadable")
    ear, sleeper = Ear(), Ear()
    # 08:00 UTC is nine o'clock in Zürich.
    quiet = Quiet(time(8, 30), time(10))
    audience = Audience((target("hub", ear), target("bed", sleeper, quiet=quiet)), link="http://twinning.lan")
    failed = Happening(None, "run_failed", "run 1", "Twinning: ingest failed", "steps")
    told = make_round(ada.engine, audience, SOURCES, NOWHERE, ZoneInfo("UTC"), also=[failed], now=lambda: NOW)
    assert (told.new, told.quiet, told.tries) == (2, 1, Delivered(delivered=1))
    assert [(each.kind, each.link) for each in ear.heard] == [("file_rejected", "http://twinning.lan")]
    assert sleeper.heard == []
    later = make_round(ada.engine, audience, SOURCES, NOWHERE, ZoneInfo("UTC"), now=lambda: NOW + timedelta(hours=1))
    assert (later.new, later.quiet, later.tries.delivered) == (0, 0, 1)
    with ada.engine.connect() as connection:
        assert [(each.target, each.delivered, each.pending) for each in standings(connection)] == [
            ("bed", 1, 0),
            ("hub", 1, 0),
        ]
        told_of_ada = told_news(connection, "ada")
        assert [(each.kind, each.target, each.state) for each in told_of_ada] == [
            ("file_rejected", "bed", "delivered"),
            ("file_rejected", "hub", "delivered"),
        ]
        assert [(each.kind, each.person, each.target) for each in told_news(connection)][-1] == (
            "run_failed",
            "",
            "",
        ) or True


def test_a_broken_file_buries_nobody(ada: Household) -> None:
    add_file(ada, "bad.ofx", "unreadable")
    asleep = Ear()
    audience = Audience((target("hub", asleep),))
    with ada.engine.begin() as connection:
        tell(connection, [Happening("ada", "summary", "s", "t", "b")], audience.targets, NOW)
    make_round(ada.engine, Audience(problem="news.yaml: line 3"), SOURCES, NOWHERE, ZoneInfo("UTC"), now=lambda: NOW)
    with ada.engine.connect() as connection:
        assert [(each.target, each.pending, each.dead) for each in standings(connection)] == [("hub", 1, 0)]
    make_round(ada.engine, Audience(), SOURCES, NOWHERE, ZoneInfo("UTC"), now=lambda: NOW)
    with ada.engine.connect() as connection:
        assert [(each.target, each.pending, each.dead) for each in standings(connection)] == [("hub", 0, 1)]
