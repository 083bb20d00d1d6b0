"""Payments that come again: planted ones are found in a history full of noise, and nothing else is claimed."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from twinning_pipelines.marts.books.months import later
from twinning_pipelines.marts.books.payees import payee_key
from twinning_pipelines.marts.books.recurring import STEPS, Payment, find_recurring, recurring_of, series_of
from twinning_pipelines_tests.marts.books.ledger import Ledger

FIRST = date(2024, 1, 3)
DAYS = 760


@pytest.fixture
def ledger(engine: sa.Engine) -> Iterator[Ledger]:
    with engine.connect() as connection:
        made = Ledger.of(connection)
        made.account("Household")
        yield made


def _off_weekends(day: date) -> date:
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


# payee as the bank writes it, step, amount, share by which it varies
PLANTED = [
    ("Spotify P{n:05x} Stockholm", "month", "-12.95", 0), ("NETFLIX.COM {n}/{day:%m}", "month", "-18.90", 0),
    ("Hausverwaltung Miete {day:%B %Y}", "month", "-1850", 0), ("Stadtwerke Strom Mandat M{n}7", "month", "-80", 0.35),
    ("Employer AG Lohn {day:%m.%Y}", "month", "6400", 0.02), ("Cleaner", "week", "-60", 0), ("Piano", "two weeks", "-90", 0),
    ("Pension", "four weeks", "410.20", 0),
    ("Insurance {n}", "quarter", "-245.60", 0), ("Road tax", "half year", "-190", 0), ("Domain name", "year", "-15.50", 0),
    ("Gym {day:%Y}", "month", "-49", 0),
]  # fmt: skip
STEP = {step.name: step for step in STEPS}


def _history(seed: int) -> list[tuple[date, Decimal, str]]:
    chance = Random(seed)
    rows = []
    for payee, every, amount, varies in PLANTED:
        begin = FIRST + timedelta(days=chance.randrange(27))
        for n in range(200):
            day = STEP[every].after(begin, n)
            if (day - FIRST).days >= DAYS:
                break
            factor = Decimal(str(round(1 + chance.uniform(-varies, varies), 4)))
            spelled = payee.format(n=n * 7919, day=day)
            rows.append((_off_weekends(day), (Decimal(amount) * factor).quantize(Decimal("0.01")), spelled))
    noise = {
        "Migros": 160,
        "Coop Pronto": 120,
        "Bakery": 200,
        "Kiosk": 90,
        "Amazon EU": 60,
        "Pharmacy": 14,
        "Cinema": 12,
        "Barber": 9,
    }
    noise |= {f"Restaurant {chr(65 + n)}eta {chr(97 + n)}lpha": chance.randrange(1, 7) for n in range(20)}
    for payee, times in noise.items():
        for _ in range(times):
            cents = chance.choice((450, 390, 980)) if payee in ("Bakery", "Kiosk") else chance.randrange(350, 14_000)
            rows.append((FIRST + timedelta(days=chance.randrange(DAYS)), -Decimal(cents) / 100, payee))
    # Among many other things that are bought there, a subscription, dearer in its second year.
    rows += [
        (_off_weekends(later(FIRST, months=n)), Decimal("-8.99" if n < 12 else "-10.99"), f"Amazon EU {n}")
        for n in range(25)
    ]
    chance.shuffle(rows)
    return rows


@pytest.mark.parametrize("seed", range(4))
def test_every_planted_payment_is_found_and_no_shopping_is_claimed(ledger: Ledger, seed: int) -> None:
    for day, amount, payee in _history(seed):
        ledger.book("Household", day, amount, payee)
    find_recurring(ledger.connection, ledger.person_id)
    found = {payee_key(each.payee, ""): each for each in recurring_of(ledger.connection, ledger.person_id)}
    planted = {payee_key(payee.format(n=1, day=FIRST), ""): every for payee, every, _, _ in PLANTED}
    assert {payee: each.series.every for payee, each in found.items()} == planted | {"amazon eu": "month"}
    amazon = found["amazon eu"].series
    assert (amazon.amount, amazon.low, amazon.high, amazon.n) == (
        Decimal("-10.99"),
        Decimal("-10.99"),
        Decimal("-8.99"),
        25,
    )
    power = found[payee_key("Stadtwerke Strom Mandat", "")].series
    assert power.low < power.amount <= power.high or power.low <= power.amount < power.high
    assert power.n >= 24
    assert find_recurring(ledger.connection, ledger.person_id) == 0


def _payments(days: list[str], *amounts: str) -> list[Payment]:
    told = amounts * len(days) if len(amounts) == 1 else amounts
    return [Payment(date.fromisoformat(day), Decimal(amount)) for day, amount in zip(days, told, strict=True)]


def test_the_next_is_due_on_the_usual_day_though_a_weekend_shifted_the_last() -> None:
    (rent,) = series_of(_payments(["2026-01-01", "2026-02-02", "2026-03-02", "2026-04-01"], "-1000"))
    assert (rent.every, rent.next_on, rent.n) == ("month", date(2026, 5, 1), 4)
    (last_day,) = series_of(_payments(["2026-01-30", "2026-02-27", "2026-03-31", "2026-04-30"], "-10"))
    assert last_day.next_on == date(2026, 5, 30)
    (new_year,) = series_of(_payments(["2025-10-29", "2025-11-30", "2025-12-31"], "-10"))
    assert new_year.next_on == date(2026, 1, 29)


def test_twice_is_enough_for_a_year_only_and_only_of_one_amount() -> None:
    (yearly,) = series_of(_payments(["2025-03-01", "2026-03-03"], "-99"))
    assert (yearly.every, yearly.n, yearly.next_on) == ("year", 2, date(2027, 3, 1))
    assert series_of(_payments(["2025-03-01", "2026-03-03"], "-99", "-98")) == []
    assert series_of(_payments(["2026-01-01", "2026-02-01"], "-99")) == []
    assert series_of(_payments(["2026-01-01", "2026-01-08"], "-99")) == []


def test_one_may_be_left_out_and_two_lines_of_one_price_are_one_payment() -> None:
    days = ["2026-01-05", "2026-02-05", "2026-03-05", "2026-05-05", "2026-06-05", "2026-07-06"]
    assert [each.every for each in series_of(_payments(days, "-9"))] == ["month"]
    assert [(each.amount, each.n) for each in series_of(_payments(days + days, "-9"))] == [(Decimal(-18), 6)]


def test_two_subscriptions_of_one_price_are_told_by_their_due_days() -> None:
    for first, second in ((5, 20), (30, 12), (1, 9)):
        days = [_off_weekends(later(date(2025, 1, due), months=n)) for due in (first, second) for n in range(12)]
        for n, some in ((2, 0), (4, 2), (12, 2)):
            payments = [Payment(day, Decimal(-10)) for day in (*days[:n], *days[12 : 12 + n])]
            found = series_of(payments)
            assert [(each.every, each.n) for each in found] == [("month", n)] * some
            assert {each.next_on.day for each in found} == ({first, second} if some else set())


@pytest.mark.parametrize("begin", [date(2025, 1, 31), date(2025, 4, 7), date(2024, 2, 29)])
def test_every_four_weeks_is_not_every_month(begin: date) -> None:
    days = [begin + timedelta(days=28 * n) for n in range(14)]
    monthly = [_off_weekends(later(begin, months=n)) for n in range(14)]
    for n in range(3, 14):
        (one,) = series_of([Payment(day, Decimal(410)) for day in days[:n]])
        assert (one.every, one.next_on) == ("four weeks", days[n])
        (other,) = series_of([Payment(day, Decimal(410)) for day in monthly[:n]])
        assert other.every == "month"


def test_what_has_ended_is_still_told(ledger: Ledger) -> None:
    for month in range(1, 6):
        ledger.book("Household", f"2025-{month:02}-10", "-20", f"Old gym {month}")
        ledger.book("Household", f"2025-{month:02}-11", "-300", f"Saving {month}", transfer_to="Savings")
    find_recurring(ledger.connection, ledger.person_id)
    (gym,) = recurring_of(ledger.connection, ledger.person_id)
    assert (gym.payee, gym.series.next_on) == ("Old gym 1", date(2025, 6, 10))
    assert [gym.has_ended(date(2025, 6, day)) for day in (9, 25, 26)] == [False, False, True]
    assert ledger.stale_days() == []


def test_amounts_that_vary_come_again_by_the_month_and_not_by_the_week() -> None:
    monthly = [f"2026-{month:02}-15" for month in range(1, 8)]
    weekly = [(date(2026, 1, 3) + timedelta(days=7 * n)).isoformat() for n in range(7)]
    amounts = ("-60", "-75", "-110", "-62", "-88", "-95", "-70")
    assert [(each.every, each.low, each.high) for each in series_of(_payments(monthly, *amounts))] == [
        ("month", Decimal(-110), Decimal(-60))
    ]
    assert series_of(_payments(weekly, *amounts)) == []


@pytest.mark.parametrize(
    ("payee", "memo", "key"),
    [
        ("SPOTIFY P1A2B3 Stockholm", "", "spotify stockholm"), ("Spotify   stockholm", "x", "spotify stockholm"),
        ("Miete März 2026", "", "miete"), ("Café Rösti 12.03.26", "", "cafe rosti"), ("", "Mandat 123 Fitness", "mandat fitness"),
        ("0123456", "Landlord", "landlord"), ("12/2026", "4711", ""), ("Marks's", "", "marks's"),
    ],
)  # fmt: skip
def test_a_payee_is_told_without_numbers_dates_and_ids(payee: str, memo: str, key: str) -> None:
    assert payee_key(payee, memo) == key


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from((-5, -9, -9, -20))), min_size=2, max_size=25), st.randoms()
)
def test_laws_of_series(rows: list[tuple[int, int]], chance: Random) -> None:
    """The order of the bookings is nothing; a series is made of payments that there are."""
    payments = [Payment(FIRST + timedelta(days=day), Decimal(amount)) for day, amount in rows]
    found = series_of(payments)
    shuffled = list(payments)
    chance.shuffle(shuffled)
    assert series_of(shuffled) == found
    days = {each.day for each in payments}
    for each in found:
        assert {each.first_on, each.last_on} <= days
        assert each.low <= each.amount <= each.high < 0
        assert each.next_on > each.last_on
        assert each.n >= 2
    assert sum(each.n for each in found) <= len(payments)
