"""Cash that its owner notes in Ghostfolio, which knows no deposits: what is noted counts, not the sum of the activities."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from twinning_pipelines.ingest.road import receive, take
from twinning_pipelines.marts.books.balances import TRADED, balance_gaps
from twinning_pipelines.marts.books.settling import refresh_books
from twinning_pipelines.marts.facts import FACT_BY_NAME
from twinning_pipelines.products.firefly.accounts import own_accounts
from twinning_pipelines.products.firefly.wanted import wanted_books
from twinning_pipelines.sources.finance import ghostfolio
from twinning_pipelines.stores.postgres.store import PostgresStore

EXPORT = Path(__file__).parents[2] / "sources" / "finance" / "ghostfolio" / "export.json"


@pytest.fixture
def books(store: PostgresStore, engine: sa.Engine, tmp_path: Path) -> Iterator[sa.Connection]:
    path = tmp_path / EXPORT.name
    path.write_bytes(EXPORT.read_bytes())
    receipt = take(receive(path, "ada", store, tmp_path / "archive"), store, tmp_path / "archive", [ghostfolio.SOURCE])
    assert receipt.problem is None
    with engine.begin() as connection:
        refresh_books(connection, 1)
        yield connection


def fact(books: sa.Connection, name: str, day: date) -> dict[tuple[str, str], Decimal]:
    rows = f"select part, unit, sum(amount) from ({FACT_BY_NAME[name].rows}) r where day = :last group by 1, 2"
    found = books.execute(sa.text(rows), {"person": 1, "first": day, "last": day})
    return {(part, unit): value for part, unit, value in found}


def test_the_noted_cash_is_the_balance(books: sa.Connection) -> None:
    assert fact(books, "balance", date(2026, 3, 30)) == {}
    assert fact(books, "balance", date(2026, 4, 2)) == {("Depot", "CHF"): Decimal("1204.55")}


def test_interest_is_income_all_the_same(books: sa.Connection) -> None:
    assert fact(books, "income", date(2026, 3, 31)) == {("", "GBP"): Decimal("12.4")}


def test_noted_cash_proves_no_bookings(books: sa.Connection) -> None:
    assert balance_gaps(books) == []


def test_trades_stay_what_was_invested_but_move_no_cash(books: sa.Connection) -> None:
    told = books.execute(sa.text(f"select is_told, moves_cash from ({TRADED}) t"), {"person": 1}).all()
    assert len(told) == 6
    assert set(told) == {(True, False)}


def test_what_moves_no_cash_is_not_for_firefly(books: sa.Connection) -> None:
    assert own_accounts(books, 1) == []
    wanted = wanted_books(books, 1, {}, {})
    assert (wanted.groups, wanted.left_out) == ({}, {})
