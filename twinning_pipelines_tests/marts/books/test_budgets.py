"""Budgets: what is spent of them by the month, whatever splits, refunds, transfers and currencies do."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from twinning_pipelines.marts.books.budgets import BudgetUse, Spent, budget_use, keep_budgets
from twinning_pipelines.marts.books.categories import edit_booking
from twinning_pipelines.marts.books.rows import money, money_by_category
from twinning_pipelines.marts.books.rulebook import read_rulebook
from twinning_pipelines_tests.marts.books.ledger import Ledger

BUDGETS = """
currency: CHF
budgets:
  - name: Food
    categories: [Groceries, Restaurants]
    monthly: 900
    since: 2026-02
  - name: Food
    categories: [groceries]
    monthly: 600 CHF
    since: 2025-01
  - {name: Trips, categories: Travel, monthly: 200.50 EUR}
"""
TODAY = date(2026, 2, 7)


@pytest.fixture
def ledger(engine: sa.Engine) -> Iterator[Ledger]:
    with engine.connect() as connection:
        made = Ledger.of(connection)
        made.account("Household")
        made.account("Savings")
        keep_budgets(connection, made.person_id, read_rulebook(BUDGETS))
        yield made


def _use(ledger: Ledger, month: str = "2026-02-15") -> dict[str, BudgetUse]:
    used = budget_use(ledger.connection, ledger.person_id, date.fromisoformat(month), TODAY)
    return {each.budget: each for each in used}


def test_what_is_spent_of_a_month_by_category(ledger: Ledger) -> None:
    ledger.book("Household", "2026-02-01", "-100.05", category="Groceries")
    ledger.book("Household", "2026-02-28", "-30", category="Groceries:Snacks")
    ledger.book("Household", "2026-02-14", "-50", category="restaurants")
    ledger.book("Household", "2026-02-15", "20.05", "refund", category="Groceries")
    ledger.book("Household", "2026-01-31", "-1", category="Groceries")
    ledger.book("Household", "2026-03-01", "-1", category="Groceries")
    ledger.book("Household", "2026-02-14", "-9", category="Groceriesque")
    ledger.book("Household", "2026-02-14", "-9")
    gone = ledger.book("Household", "2026-02-14", "-9", category="Groceries")
    ledger.gone(gone)
    food = _use(ledger)["Food"]
    assert (food.budgeted, food.spent, food.left, food.currency) == (Decimal(900), Decimal(160), Decimal(740), "CHF")
    assert food.categories == (Spent("Groceries", Decimal(110), 3), Spent("Restaurants", Decimal(50), 1))
    assert food.gone == Decimal(7) / 28
    assert _use(ledger, "2026-01-01")["Food"].budgeted == 600
    assert _use(ledger, "2026-01-01")["Food"].gone == 1
    assert _use(ledger, "2026-03-01")["Food"].gone == 0
    assert "Food" not in _use(ledger, "2024-12-01")


def test_parts_of_a_booking_count_by_their_own_categories_until_the_person_says_otherwise(ledger: Ledger) -> None:
    splits = [
        {"category": "Groceries", "amount": "-60"}, {"category": "Restaurants", "amount": "-50"},
        {"category": "Groceries", "memo": "bottles", "amount": "10"},
    ]  # fmt: skip
    booking = ledger.book("Household", "2026-02-03", "-100", category="Groceries", splits=splits)
    assert _use(ledger)["Food"].categories == (Spent("Groceries", Decimal(50), 2), Spent("Restaurants", Decimal(50), 1))
    edit_booking(ledger.connection, booking, "category", "Restaurants")
    assert _use(ledger)["Food"].categories == (Spent("Restaurants", Decimal(100), 1),)


def test_a_part_that_goes_to_an_own_account_is_a_transfer(ledger: Ledger) -> None:
    splits = [{"category": "[Mortgage]", "amount": "-253.64"}, {"category": "Groceries", "amount": "-746.36"}]
    ledger.book("Household", "2026-02-03", "-1000", "House Bank", splits=splits)
    pay = [{"category": "Pay", "amount": "1500"}, {"category": "[Stock]", "amount": "-200"}]
    ledger.book("Household", "2026-02-03", "1300", "Employer", splits=pay)
    ledger.book("Household", "2026-02-03", "-80", "Savings", splits=[{"category": "[Savings]", "amount": "-80"}])
    assert _use(ledger)["Food"].spent == Decimal("746.36")
    values = {"person": ledger.person_id, "first": date(2026, 2, 1), "last": date(2026, 2, 28)}
    for sign, amount, part in (("<", Decimal("746.36"), "Groceries"), (">", Decimal(1500), "Pay")):
        (whole,) = ledger.connection.execute(sa.text(money(sign)), values)
        (divided,) = ledger.connection.execute(sa.text(money_by_category(sign)), values)
        assert (whole.amount, divided.amount, divided.part) == (amount, amount, part)


def test_transfers_are_no_spending(ledger: Ledger) -> None:
    ledger.book("Household", "2026-02-03", "-100", category="Groceries", transfer_to="Savings", source="finance.qif")
    out = ledger.book("Household", "2026-02-04", "-100", category="Groceries")
    into = ledger.book("Savings", "2026-02-04", "100")
    assert _use(ledger)["Food"].spent == 100
    ledger.connection.execute(
        sa.text(
            "insert into transfer (person_id, out_id, in_id, state, by, why) values (:p, :o, :i, 'confirmed', 'rule', '')"
        ),
        {"p": ledger.person_id, "o": out, "i": into},
    )
    assert _use(ledger)["Food"].spent == 0


def test_other_currencies_count_at_the_rate_of_their_day_or_are_told_apart(ledger: Ledger) -> None:
    ledger.rate("EUR", "CHF", "2026-02-01", "0.95")
    ledger.book("Household", "2026-02-03", "-10.01", category="Groceries", currency="EUR")
    ledger.book("Household", "2026-02-03", "-1000", category="Groceries", currency="JPY")
    ledger.book("Household", "2026-02-03", "100", category="Groceries", currency="JPY")
    ledger.book("Household", "2026-02-03", "-19", category="Travel")
    food, trips = _use(ledger).values()
    assert food.spent == Decimal("9.51")
    assert food.apart == (Spent("JPY", Decimal(900), 2),)
    assert (trips.currency, trips.spent, trips.left) == ("EUR", Decimal(20), Decimal("180.50"))


def test_budgets_follow_the_rulebook_and_nothing_is_written_twice(ledger: Ledger) -> None:
    connection, person = ledger.connection, ledger.person_id
    assert keep_budgets(connection, person, read_rulebook(BUDGETS)) == 0
    assert keep_budgets(connection, person, read_rulebook(BUDGETS.replace("600 CHF", "650"))) == 1
    assert _use(ledger, "2026-01-01")["Food"].budgeted == 650
    assert keep_budgets(connection, person, read_rulebook("")) == 3
    assert _use(ledger) == {}


def test_without_a_day_given_it_is_the_persons_own_today(ledger: Ledger) -> None:
    (food, _) = budget_use(ledger.connection, ledger.person_id, date(2026, 2, 1))
    today = ledger.connection.execute(sa.text("select local_day(:p, now())"), {"p": ledger.person_id}).scalar_one()
    assert food.gone == min(Decimal(max((today - date(2026, 1, 31)).days, 0)), Decimal(28)) / 28
