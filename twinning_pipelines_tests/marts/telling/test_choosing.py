"""What is chosen of a person's day, week and month, from a real database."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.marts.telling.choosing import MOST_FACTS, Whose, worth_telling
from twinning_pipelines.marts.telling.goals import Goal, goals_of
from twinning_pipelines.marts.telling.told import Aim, Kind, Told
from twinning_pipelines.sources import SOURCES
from twinning_pipelines_tests.products.summary.person_days import PersonDays, every_day

DAY = date(2026, 11, 26)
SUNDAY = date(2026, 11, 22)


@pytest.fixture
def ada(engine: sa.Engine) -> PersonDays:
    return PersonDays(engine)


def _told(ada: PersonDays, kind: Kind = "day", day: date = DAY, **more: object) -> dict[str, Told]:
    with ada.engine.connect() as connection:
        found = worth_telling(connection, Whose(ada.id, kind, day, **more))  # type: ignore[arg-type]
    return {each.id: each for each in found}


def test_no_data_gives_no_fact(ada: PersonDays) -> None:
    ada.tell("steps", every_day(DAY - timedelta(days=1), [9_000] * 40), "count")
    assert _told(ada) == {}


def test_the_biggest_news_comes_first(ada: PersonDays) -> None:
    ada.tell("sleep", every_day(DAY, [7.0, 7.3, 7.6] * 30 + [4.2]), "h")
    ada.tell("steps", every_day(DAY, [8_000, 9_000, 10_000] * 30 + [9_100]), "count")
    ada.tell("spend_by_category", every_day(DAY, [12, 50, 20] * 30 + [49]), "CHF", "Food & Drink 2026")
    told = _told(ada)
    assert next(iter(told)) == "sleep"
    assert set(told) == {"sleep", "spend_by_category.food_drink", "steps"}
    assert told["sleep"].record is not None
    assert told["sleep"].yardstick is not None
    assert told["sleep"].yardstick.middle == Decimal("7.3")
    assert told["steps"].why == "usual"
    assert told["spend_by_category.food_drink"].handle == (
        "twinning explain 'spend_by_category:Food & Drink 2026' --day 2026-11-26"
    )


def test_at_most_forty_are_told_and_required_ones_always(ada: PersonDays) -> None:
    for number in range(60):
        ada.tell("hours_by_project", {DAY: 1, DAY - timedelta(days=1): 2}, "h", f"Project {number}")
    ada.tell("steps", {DAY: 9_000}, "count")
    told = _told(ada, goals=[Goal("steps", "", "", Decimal(8_000), None)])
    assert len(told) == MOST_FACTS
    assert told["steps"].required
    assert all(each.replace(".", "").replace("_", "").isalpha() for each in told)


def test_a_day_that_is_not_over_is_compared_with_nothing(ada: PersonDays) -> None:
    ada.tell("steps", every_day(DAY, [9_000] * 60 + [120]), "count")
    ada.tell("weight", every_day(DAY, [80, 80.2, 80.4] * 20 + [84]), "kg")
    told = _told(ada, is_over=False)
    assert told["steps"].yardstick is None
    assert told["weight"].yardstick is not None


def test_money_of_two_currencies_is_told_apart(ada: PersonDays) -> None:
    ada.tell("income", {DAY: 1_450, DAY - timedelta(days=31): 900}, "EUR")
    ada.tell("income", {DAY - timedelta(days=n): 10 for n in range(1, 5)}, "CHF")
    told = _told(ada)["income"]
    assert (told.mixed, told.gap) == (True, 31)


def test_a_week_totals_means_and_weighs(ada: PersonDays) -> None:
    ada.tell("steps", every_day(SUNDAY, [5_000] * 7 + [10_000, 8_000] * 3 + [9_000]), "count")
    ada.tell("spend", {SUNDAY: 30, SUNDAY - timedelta(days=3): 12.5, SUNDAY - timedelta(days=9): 5}, "CHF")
    ada.tell("weight", {SUNDAY - timedelta(days=1): 80}, "kg")
    ada.tell("invoices_open", every_day(SUNDAY, [100] * 7 + [250] * 7), "EUR")
    told = _told(ada, "week", SUNDAY)
    assert (told["steps"].how, told["steps"].value, told["steps"].rows) == ("mean", Decimal(9_000), 7)
    assert told["steps"].yardstick is not None
    assert (told["steps"].yardstick.against, told["steps"].yardstick.middle) == ("before", Decimal(5_000))
    assert (told["spend"].how, told["spend"].value, told["spend"].delta) == ("total", Decimal("42.5"), Decimal("37.5"))
    assert "weight" not in told  # one day is no week
    assert (told["invoices_open"].how, told["invoices_open"].value) == ("last", Decimal(250))


def test_a_share_of_a_week_is_weighted_by_its_hours(ada: PersonDays) -> None:
    file_id = ada.file("time.toggl", datetime(2026, 11, 22, tzinfo=UTC))
    for at, (back, hours, billable) in enumerate([(0, 8, True), (1, 1, False)]):
        day = SUNDAY - timedelta(days=back)
        ada.do(
            "insert into time_entry (person_id, source, file_id, at, occurrence, worker, started_at, day, seconds, billable) "
            "values (:id, 'time.toggl', :file, :at, 0, '', :start, :day, :seconds, :billable)",
            id=ada.id, file=file_id, at=at, start=datetime(day.year, day.month, day.day, 8, tzinfo=UTC), day=day,
            seconds=hours * 3600, billable=billable,
        )  # fmt: skip
    ada.tell("billable_share", {SUNDAY: 1, SUNDAY - timedelta(days=1): 0}, "fraction")
    told = _told(ada, "week", SUNDAY)["billable_share"]
    assert round(told.value, 4) == round(Decimal(8) / 9, 4)


def test_what_is_due_is_told_and_required(ada: PersonDays) -> None:
    account = ada.do(
        "insert into account (person_id, name, kind, currency) values (:id, 'Household', 'checking', 'CHF') returning id",
        id=ada.id,
    )
    for payee, on in (
        ("Rent", DAY + timedelta(days=1)),
        ("Gym", DAY + timedelta(days=9)),
        ("Old", DAY - timedelta(days=1)),
    ):
        ada.do(
            "insert into recurring_payment (person_id, account_id, payee, currency, every, amount, low, high, n, first_on, "
            "last_on, next_on) values (:id, :account, :payee, 'CHF', 'month', -1850, -1850, -1850, 9, '2026-01-28', "
            "'2026-10-28', :on)",
            id=ada.id, account=account, payee=payee, on=on,
        )  # fmt: skip
    file_id = ada.file("business.invoices", datetime(2026, 11, 26, tzinfo=UTC))
    ada.do(
        "insert into invoice (person_id, source, file_id, at, occurrence, number, client, issued_on, due_on, gross, currency, "
        "status) values (:id, 'business.invoices', :file, 1, 0, '2026-12', 'Acme', '2026-11-01', :due, 900, 'EUR', 'sent')",
        id=ada.id, file=file_id, due=DAY + timedelta(days=2),
    )  # fmt: skip
    told = _told(ada)
    assert set(told) == {"due.rent", "due.acme"}
    assert (told["due.rent"].value, told["due.rent"].on, told["due.rent"].required) == (
        Decimal(1850),
        DAY + timedelta(days=1),
        True,
    )
    assert (told["due.acme"].label, told["due.acme"].value) == ("Invoice due", Decimal(900))


def test_a_budget_that_is_used_up_is_told(ada: PersonDays) -> None:
    account = ada.do(
        "insert into account (person_id, name, kind, currency) values (:id, 'Household', 'checking', 'CHF') returning id",
        id=ada.id,
    )
    file_id = ada.file("finance.ofx", datetime(2026, 11, 26, tzinfo=UTC))
    ada.do(
        "insert into budget (person_id, name, currency, since, categories, amount) "
        "values (:id, 'Food', 'CHF', '2026-01-01', '{Groceries}', 100) returning person_id",
        id=ada.id,
    )

    def book(key: str, on: date, amount: int) -> None:
        ada.do(
            "insert into booking (person_id, account_id, key, booked_on, amount, currency, payee, memo, pending, told_payee, "
            "category, source, file_id, at) values (:id, :account, :key, :on, :amount, 'CHF', 'Migros', '', false, '', "
            "'Groceries', 'finance.ofx', :file, 1)",
            id=ada.id, account=account, key=key, on=on, amount=-amount, file=file_id,
        )  # fmt: skip

    book("a", date(2026, 11, 3), 90)
    assert "budget.food" not in _told(ada)
    book("b", date(2026, 11, 25), 30)
    told = _told(ada)["budget.food"]
    assert (told.value, told.aim, told.required) == (Decimal(120), Aim("low", Decimal(100), met=False, row=0), True)
    assert told.handle == "twinning budgets --month 2026-11"
    # Of an earlier day it is not known how much was left.
    assert "budget.food" not in _told(ada, day=date(2026, 11, 10))


def test_a_source_is_silent_as_of_the_day_that_is_told(ada: PersonDays) -> None:
    toggl = next(source for source in SOURCES if source.name == "time.toggl")
    assert toggl.expect_every is not None
    seen = datetime(2026, 11, 26, tzinfo=UTC) - toggl.expect_every - timedelta(days=3)
    ada.file("time.toggl", seen)
    told = _told(ada, sources=SOURCES)
    (silent,) = told.values()
    assert (silent.why, silent.words, silent.on, silent.required) == ("silent", toggl.title, seen.date(), True)
    assert _told(ada, day=seen.date(), sources=SOURCES) == {}


def test_goals_are_read_and_judged(ada: PersonDays, tmp_path: Path) -> None:
    (tmp_path / "goals").mkdir()
    path = tmp_path / "goals" / "ada.yaml"
    path.write_text(
        "goals:\n  - {fact: steps, at_least: 8000}\n  - {fact: spend, at_most: 60, unit: CHF}\n", encoding="utf-8"
    )
    ada.tell("steps", every_day(DAY, [7_000, 9_000, 8_000, 8_100]), "count")
    ada.tell("spend", {DAY: 70}, "CHF")
    goals = goals_of(tmp_path, "ada")
    told = _told(ada, goals=goals)
    assert told["steps"].aim == Aim("high", Decimal(8_000), met=True, row=3)
    assert told["spend"].aim == Aim("low", Decimal(60), met=False, row=0)
    assert (told["spend"].why, told["spend"].required) == ("goal", True)
    assert goals_of(tmp_path, "ben") == goals_of(tmp_path, "../ada") == []
    # A day that is not over has neither reached nor kept anything for good.
    assert _told(ada, goals=goals, is_over=False)["steps"].aim is not None
    ada.tell("exercise", {DAY: 3}, "min")
    assert _told(ada, goals=[Goal("exercise", "", "", Decimal(30), None)], is_over=False)["exercise"].aim is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("goals: [{fact: stepps, at_least: 1}]", "no fact is called 'stepps'"),
        ("goals: [{fact: steps}]", "say either at_least or at_most"),
        ("goals: [{fact: steps, at_least: many}]", "at_least"),
        ("goals: [", "goals/ada.yaml"),
        ("aims: []", "aims"),
        ("[1]", "goals/ada.yaml"),
        ("\xff\xfe", "goals/ada.yaml"),
    ],
)
def test_goals_that_make_no_sense_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "goals").mkdir()
    (tmp_path / "goals" / "ada.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(WrongUsage, match=r"goals/ada\.yaml") as wrong:
        goals_of(tmp_path, "ada")
    assert said in str(wrong.value)
