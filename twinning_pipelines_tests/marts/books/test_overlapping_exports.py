"""Exports of one account that overlap, in several formats and in any order: nothing is lost, nothing counts twice."""

import os
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa

from twinning_pipelines.ingest.road import receive, take
from twinning_pipelines.marts.books.accounts import OwnAccount
from twinning_pipelines.marts.books.balances import balance_gaps
from twinning_pipelines.marts.books.kept_rulebook import keep_rulebook
from twinning_pipelines.marts.books.settling import refresh_books
from twinning_pipelines.sources import SOURCES
from twinning_pipelines.stores.postgres.store import PostgresStore
from twinning_pipelines_tests.marts.books import statements
from twinning_pipelines_tests.marts.books.conftest import rulebook
from twinning_pipelines_tests.marts.books.statements import Movement

GIRO = OwnAccount("Giro", "checking", statements.NAMES)


class Household:
    """Takes exports of one account and settles the books."""

    def __init__(self, store: PostgresStore, engine: sa.Engine, folder: Path) -> None:
        self.store, self.engine, self.folder = store, engine, folder
        self.files = 0

    def write(self, kind: str, some: list[Movement], closing: Decimal | None) -> Path:
        """An export as a bank would make it on the evening of its last day."""
        self.files += 1
        path = self.folder / f"{self.files:03}.{kind}"
        statements.WRITERS[kind](path, some, closing)
        moment = datetime.combine(some[-1].day, datetime.min.time(), UTC) + timedelta(hours=21, seconds=self.files)
        os.utime(path, (moment.timestamp(), moment.timestamp()))
        return path

    def take(self, paths: list[Path]) -> None:
        for path in paths:
            receipt = take(
                receive(path, "ada", self.store, self.folder / "archive"), self.store, self.folder / "archive", SOURCES
            )
            assert receipt.problem is None, receipt
            assert receipt.rejected == 0, receipt.rejections

    def settle(self) -> None:
        with self.engine.begin() as connection:
            person = connection.execute(sa.text("select id from person where name = 'ada'")).scalar_one()
            keep_rulebook(connection, person, rulebook([GIRO]))
            refresh_books(connection, person)

    def booked(self) -> Counter[tuple[date, Decimal]]:
        with self.engine.connect() as connection:
            rows = connection.execute(sa.text("select booked_on, amount from booking where gone_since is null"))
            return Counter((day, amount) for day, amount in rows)


@pytest.fixture
def household(store: PostgresStore, engine: sa.Engine, tmp_path: Path) -> Household:
    return Household(store, engine, tmp_path)


def truth(movements: list[Movement]) -> Counter[tuple[date, Decimal]]:
    return Counter((each.day, each.amount) for each in movements)


@pytest.mark.parametrize("seed", range(3))
def test_three_thousand_rows_in_four_formats(household: Household, seed: int) -> None:
    chance = random.Random(seed)
    movements = statements.history(seed, 3000, days=900, twins=0.25)
    paths = [
        household.write(kind, movements[begin:end], None)
        for kind in ("ofx", "qif", "csv", "sta")
        for begin, end in statements.stretches(chance, movements, mid_day=False)
    ]
    chance.shuffle(paths)
    household.take(paths)
    household.settle()
    booked = household.booked()
    assert booked - truth(movements) == Counter(), "counted twice"
    assert truth(movements) - booked == Counter(), "lost"


@pytest.mark.parametrize("seed", range(2))
def test_exports_cut_in_mid_day_lose_nothing_where_the_bank_gives_ids(household: Household, seed: int) -> None:
    chance = random.Random(seed)
    movements = statements.history(seed, 1500, days=200, twins=0.3)
    cuts = list(statements.stretches(chance, movements, mid_day=True))
    paths = [household.write("ofx", movements[begin:end], None) for begin, end in cuts]
    chance.shuffle(paths)
    household.take(paths)
    household.settle()
    assert household.booked() == truth(movements)


@pytest.mark.parametrize("seed", range(3))
def test_a_twin_lost_where_an_export_was_cut_is_named_by_the_balance_check(household: Household, seed: int) -> None:
    """A QIF has no ids: two equal coffees, one before the cut and one behind it, look like one told twice."""
    chance = random.Random(seed)
    movements = statements.history(seed, 3000, days=200, twins=0.5)
    between_twins = [place for place in range(1, len(movements)) if _are_twins(movements, place)]
    cuts = [0, *sorted(chance.sample(between_twins, 12)), len(movements)]
    paths = [household.write("qif", movements[begin:end], None) for begin, end in pairwise(cuts)]
    paths += [_statement(household, movements, movements[place].day) for place in (0, -1)]
    chance.shuffle(paths)
    household.take(paths)
    household.settle()
    lost = truth(movements) - household.booked()
    assert sum(lost.values()) >= 10
    assert not household.booked() - truth(movements)
    with household.engine.connect() as connection:
        gaps = balance_gaps(connection)
    missing = sum((amount * n for (_, amount), n in lost.items()), Decimal(0))
    assert sum((gap.missing for gap in gaps), Decimal(0)) == missing


def _are_twins(movements: list[Movement], place: int) -> bool:
    one, two = movements[place - 1], movements[place]
    return (one.day, one.amount, one.payee) == (two.day, two.amount, two.payee)


def _statement(household: Household, movements: list[Movement], day: object) -> Path:
    """The bank's own statement of one day."""
    some = [each for each in movements if each.day == day]
    return household.write("ofx", some, statements.balance(movements, some[0].day))
