"""The rate of two currencies on a day: how old it may be, in which direction it stands, and over what it is crossed."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from twinning_pipelines.marts.books.rates import OLDEST_DAYS, rate_of, rates_of
from twinning_pipelines_tests.marts.books.worth import Told

FRIDAY = date(2026, 3, 27)


@pytest.fixture
def told(engine: sa.Engine) -> Iterator[Told]:
    with engine.begin() as connection:
        yield Told(connection)


def asked(told: Told, base: str, quote: str, day: date = FRIDAY) -> tuple[Decimal, str] | None:
    found = rate_of(told.connection, told.person_id, base, quote, day)
    return None if found is None else (round(found.rate, 10), found.via)


def test_the_newest_rate_of_the_last_ten_days_counts(told: Told) -> None:
    told.rate(FRIDAY - timedelta(1), "EUR", "CHF", "0.93")
    told.rate(FRIDAY, "EUR", "CHF", "0.94")
    told.rate(FRIDAY + timedelta(3), "EUR", "CHF", "0.95")
    assert asked(told, "EUR", "CHF") == (Decimal("0.94"), "")
    assert asked(told, "EUR", "CHF", FRIDAY + timedelta(2)) == (Decimal("0.94"), "")
    assert asked(told, "EUR", "CHF", FRIDAY + timedelta(3 + OLDEST_DAYS)) == (Decimal("0.95"), "")
    assert asked(told, "EUR", "CHF", FRIDAY + timedelta(4 + OLDEST_DAYS)) is None
    assert asked(told, "EUR", "CHF", FRIDAY - timedelta(2)) is None


def test_the_other_direction_is_turned_and_the_pair_itself_goes_first(told: Told) -> None:
    told.rate(FRIDAY, "EUR", "CHF", "0.8")
    assert asked(told, "CHF", "EUR") == (Decimal("1.25"), "")
    told.rate(FRIDAY, "CHF", "EUR", "1.26")
    assert asked(told, "CHF", "EUR") == (Decimal("1.26"), "")
    assert asked(told, "EUR", "CHF") == (Decimal("0.8"), "")


def test_a_rate_is_crossed_over_the_euro_first(told: Told) -> None:
    told.rate(FRIDAY, "USD", "AUD", "1.5")
    told.rate(FRIDAY, "AUD", "CHF", "0.6")
    assert asked(told, "USD", "CHF") == (Decimal("0.9"), "AUD")
    told.rate(FRIDAY - timedelta(9), "EUR", "USD", "1.25")
    told.rate(FRIDAY, "EUR", "CHF", "0.9")
    assert asked(told, "USD", "CHF") == (Decimal("0.72"), "EUR")
    told.rate(FRIDAY - timedelta(10), "USD", "CHF", "0.73")
    assert asked(told, "USD", "CHF") == (Decimal("0.73"), "")


def test_a_currency_in_itself_is_one_and_nothing_is_guessed(told: Told) -> None:
    assert asked(told, "CHF", "CHF") == (Decimal(1), "")
    assert asked(told, "XXX", "CHF") is None
    told.rate(FRIDAY, "EUR", "CHF", "0")
    assert asked(told, "EUR", "CHF") is None


def test_rates_of_somebody_else_are_not_mine(told: Told) -> None:
    told.rate(FRIDAY, "EUR", "CHF", "0.94")
    assert rate_of(told.connection, told.person_id + 1, "EUR", "CHF", FRIDAY) is None


def test_many_days_are_answered_as_one_by_one(told: Told) -> None:
    for place in range(0, 40, 3):
        told.rate(FRIDAY + timedelta(place), "EUR", "USD", f"1.{place:02d}")
        told.rate(FRIDAY + timedelta(place * 2), "EUR", "CHF", f"0.{place + 10}")
    days = "generate_series(cast(:first as date), cast(:last as date), interval '1 day') d"
    pairs = "(values ('USD', 'CHF'), ('CHF', 'EUR'), ('EUR', 'EUR')) as p (base, quote)"
    wanted = rates_of(f"select d::date as day, base, quote from {days}, {pairs}")
    statement = f"select day, base, quote, rate, via, file_id, at from ({wanted}) r"
    values = {"person": told.person_id, "first": FRIDAY - timedelta(5), "last": FRIDAY + timedelta(95)}
    rows = told.connection.execute(sa.text(statement), values).all()
    assert len(rows) > 200
    together = {(base, quote, day): (rate, via, at) for day, base, quote, rate, via, _, at in rows}
    for place in range(-5, 96, 7):
        day = FRIDAY + timedelta(place)
        for base, quote in (("USD", "CHF"), ("CHF", "EUR"), ("EUR", "EUR")):
            alone = rate_of(told.connection, told.person_id, base, quote, day)
            assert together.get((base, quote, day)) == (None if alone is None else (alone.rate, alone.via, alone.at))
