"""Net worth is what the rows behind it add up to, whatever tells of an account: bookings, statements, or trades alone."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from twinning_pipelines.ingest.road import receive, take
from twinning_pipelines.marts.books.settling import refresh_books
from twinning_pipelines.marts.facts import FACT_BY_NAME
from twinning_pipelines.sources.finance import ghostfolio, ibkr_flex, ofx_statement, portfolio_performance, qif_register
from twinning_pipelines.stores.postgres.store import PostgresStore

SAMPLES = Path(__file__).parents[2] / "sources" / "finance"
SOURCES = [each.SOURCE for each in (ghostfolio, ibkr_flex, ofx_statement, portfolio_performance, qif_register)]
FILES = (
    "ghostfolio/export.json",
    "ibkr_flex/activity.xml",
    "ofx_statement/brokerage.ofx",
    "portfolio_performance/household.xml",
    "qif_register/register.qif",
)
DAYS = (date(2026, 2, 25), date(2026, 3, 31), date(2026, 4, 2))


@pytest.fixture(params=FILES)
def household(
    request: pytest.FixtureRequest, store: PostgresStore, engine: sa.Engine, tmp_path: Path
) -> Iterator[sa.Connection]:
    path = tmp_path / Path(request.param).name
    path.write_bytes((SAMPLES / request.param).read_bytes())
    receipt = take(receive(path, "ada", store, tmp_path / "archive"), store, tmp_path / "archive", SOURCES)
    assert receipt.problem is None, receipt
    with engine.begin() as connection:
        refresh_books(connection, 1)
        yield connection


@pytest.mark.parametrize("name", ["balance", "portfolio_value", "net_worth"])
def test_a_fact_is_what_its_rows_come_to(household: sa.Connection, name: str) -> None:
    fact = FACT_BY_NAME[name]
    rows = f"select part, unit, round(sum(amount), 6) from ({fact.rows}) r where day = :last group by 1, 2"
    totals = f"select part, unit, round(value, 6) from ({fact.totals}) r where day = :last"
    for day in DAYS:
        values = {"person": 1, "first": day, "last": day}
        stated, explained = (_by_part(household.execute(sa.text(each), values).all()) for each in (totals, rows))
        assert explained == stated


def _by_part(rows: Sequence[sa.Row[Any]]) -> dict[tuple[str, str], Decimal]:
    return {(part, unit): value for part, unit, value in rows if value}
