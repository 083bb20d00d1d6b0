"""From dropped files to what is held and what it is worth in francs: every source of holdings, prices and rates together."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from twinning_pipelines.ingest.road import receive, take
from twinning_pipelines.marts.books.holdings import PORTFOLIO_VALUE, Held, held_between
from twinning_pipelines.marts.books.rates import rate_of, rates_of
from twinning_pipelines.sources.finance import (
    ecb_rates,
    exchange_rates,
    ghostfolio,
    ibkr_flex,
    portfolio_performance,
    prices,
)
from twinning_pipelines.stores.postgres.store import PostgresStore

SAMPLES = Path(__file__).parents[2] / "sources" / "finance"
SOURCES = [each.SOURCE for each in (ibkr_flex, portfolio_performance, ghostfolio, ecb_rates, exchange_rates, prices)]
LAST = date(2026, 3, 31)
FILES = (
    "ibkr_flex/activity.xml",
    "portfolio_performance/household.xml",
    "ghostfolio/export.json",
    "ecb_rates/history.csv",
    "exchange_rates/own.csv",
    "prices/own.csv",
)


@pytest.fixture
def household(store: PostgresStore, engine: sa.Engine, tmp_path: Path) -> sa.Engine:
    for name in FILES:
        path = tmp_path / Path(name).name
        path.write_bytes((SAMPLES / name).read_bytes())
        receipt = take(receive(path, "ada", store, tmp_path / "archive"), store, tmp_path / "archive", SOURCES)
        assert receipt.problem is None, receipt
    return engine


def held(engine: sa.Engine, day: date) -> dict[tuple[str, str], Held]:
    with engine.connect() as connection:
        return {(each.account, each.security): each for each in held_between(connection, 1, day, day)}


def test_positions_of_a_broker_are_held(household: sa.Engine) -> None:
    found = held(household, LAST)
    apfel = found["U7000001", "CH0009000014"]
    assert (apfel.units, apfel.value, apfel.currency) == (Decimal(36), Decimal(1_800), "USD")
    assert found["U7000001", "900010"].value == -125
    # Contracts for difference and exchanged currencies are no holdings.
    assert {security for account, security in found if account.startswith("U7")} == {
        "CH0009000014", "900010", "900003", "900004",
    }  # fmt: skip


def test_a_portfolio_is_held_by_its_accounts_and_priced_in_its_own_currency(household: sa.Engine) -> None:
    found = held(household, date(2026, 1, 13))["Depot", "CH0009000014"]
    # The depot has one name in two programs, and its purchases are two.
    assert (found.units, found.unit_price, found.currency) == (Decimal(6), Decimal("202.125"), "USD")
    brothaus = held(household, LAST)["Depot of the children", "Brothaus"]
    assert (brothaus.units, brothaus.value, brothaus.currency) == (Decimal(2), Decimal("19.5"), "CHF")


def test_what_a_person_keeps_by_hand_has_its_own_prices(household: sa.Engine) -> None:
    found = held(household, LAST)
    assert found["unnamed account", "Cabin in the woods"].value == Decimal("212500.5")
    assert found["unnamed account", "Mortgage"].value == -90_000


def test_values_come_to_one_currency_by_the_rate_of_the_day(household: sa.Engine) -> None:
    values = {"person": 1, "first": LAST, "last": LAST}
    asked = "select distinct day, unit as base, 'CHF' as quote from worth"
    statement = f"""
        with worth as materialized ({PORTFOLIO_VALUE})
        select sum(w.amount * r.rate) from worth w join ({rates_of(asked)}) r on r.day = w.day and r.base = w.unit"""
    with household.connect() as connection:
        total = connection.execute(sa.text(statement), values).scalar_one()
        rates = {unit: rate_of(connection, 1, unit, "CHF", LAST) for unit in ("USD", "EUR", "GBP", "CHF")}
    expected = Decimal(0)
    for each in held(household, LAST).values():
        rate = rates[each.currency]
        assert rate is not None
        assert rate.via == ("EUR" if each.currency == "GBP" else "")
        expected += (each.value or Decimal(0)) * rate.rate
    assert round(total, 6) == round(expected, 6)


def test_dropping_everything_again_changes_nothing(household: sa.Engine, store: PostgresStore, tmp_path: Path) -> None:
    before = held(household, LAST)
    for name in reversed(FILES):
        path = tmp_path / f"again-{Path(name).name}"
        path.write_bytes((SAMPLES / name).read_bytes() + b"\n")
        receipt = take(receive(path, "ada", store, tmp_path / "archive"), store, tmp_path / "archive", SOURCES)
        assert receipt.problem is None, receipt
        assert receipt.changes, receipt
        assert all(not each.new and not each.edited for each in receipt.changes.values()), receipt
    after = held(household, LAST)
    assert {key: (each.units, each.value) for key, each in after.items()} == {
        key: (each.units, each.value) for key, each in before.items()
    }
