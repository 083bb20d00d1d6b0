"""Ada's money for some months, as her banks and her broker export it, taken down the whole road into a home."""

import os
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from twinning_pipelines.demo import finance, household
from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.products.firefly.drift import AccountDrift, drift
from twinning_pipelines.products.firefly.push import Manner, Pushed, push
from twinning_pipelines.stores.firefly.client import Firefly
from twinning_pipelines_tests.far_sides.firefly import FakeFirefly

SEED = 4
# Exported by an older program under other names, which the rulebook knows.
OLD_NAMES = {"094000000/CH-4410-2231": "Giro (old bank)", household.SAVINGS: "Savings (old bank)"}


def _plain(write: Callable[..., int]) -> Callable[..., int]:
    return lambda path, *, first, last: write(path, seed=SEED, first=first, last=last)


WRITERS: dict[str, Callable[..., int]] = {
    "giro.ofx": _plain(finance.write_statement),
    "savings.xml": household.write_savings,
    "euros.csv": household.write_euros,
    "shares.xml": household.write_shares,
    "rates.csv": household.write_rates,
}


@dataclass
class Ada:
    """Her home, and a Firefly III for it."""

    home: Home
    fake: FakeFirefly
    folder: Path

    def drop(self, opened: OpenHome, first: date, last: date, names: Iterable[str] = WRITERS) -> None:
        """Exports of these days, made on the last of them, taken in."""
        for name in names:
            path = self.folder / f"{last}-{name}"
            WRITERS[name](path, first=first, last=last)
            self.take(opened, path, last)

    def take(self, opened: OpenHome, path: Path, made: date) -> None:
        """One file down the road."""
        at = datetime(made.year, made.month, made.day, 23, tzinfo=UTC).timestamp()
        os.utime(path, (at, at))
        receipt = opened.ingest(path, "ada", called=path.name)
        assert receipt.problem is None, receipt

    def write_rules(self) -> None:
        """Her rulebook, which also knows the old names."""
        text = files("twinning_pipelines.demo").joinpath("rules/ada.yaml").read_text(encoding="utf-8")
        for told, old in OLD_NAMES.items():
            text = text.replace(f'["{told}"]', f'["{told}", "{old}"]')
        rules = self.home.settings.home / "rules" / "ada.yaml"
        rules.parent.mkdir(parents=True, exist_ok=True)
        rules.write_text(text, encoding="utf-8")

    def push(self, opened: OpenHome, **manner: Any) -> Pushed:
        """Settles the books and pushes them."""
        opened.count_facts()
        units = {source.name: source.unit for source in self.home.sources}
        with Firefly(self.fake.url, self.fake.token) as firefly:
            return push(opened.engine, firefly, self.who(opened), units, Manner(**manner))

    def drift(self, opened: OpenHome) -> dict[tuple[str, str], AccountDrift]:
        """Both sides, by account and currency."""
        with Firefly(self.fake.url, self.fake.token) as firefly:
            return {(each.account, each.currency): each for each in drift(opened.engine, firefly, self.who(opened))}

    def who(self, opened: OpenHome) -> tuple[int, str]:
        """Id and name."""
        (row,) = rows(opened, "select id, name from person where name = 'ada'")
        return row.id, row.name

    @contextmanager
    def opened(self) -> Any:
        """The home, with her rulebook."""
        self.write_rules()
        with self.home.opened() as opened:
            yield opened

    def lose_the_database(self, opened: OpenHome) -> None:
        """Drops all our tables."""
        with opened.engine.begin() as connection:
            connection.execute(sa.text("drop schema public cascade"))
            connection.execute(sa.text("create schema public"))


def rows(opened: OpenHome, statement: str, **values: object) -> list[sa.Row[Any]]:
    """What a query finds."""
    with opened.engine.connect() as connection:
        return list(connection.execute(sa.text(statement), values))


def write_old(path: Path, *, first: date, last: date) -> None:
    """Giro and savings as another program tells them: a CSV without the bank's ids."""
    giro, savings = OLD_NAMES.values()
    lines = [(giro, each.day, each.payee, each.memo, each.amount) for each in finance.bookings(SEED, first, last)]
    lines += [(savings, each.day, each.payee, each.memo, each.amount) for each in household.savings(first, last)]
    told = "".join(f"{account},{day},{payee},{memo},{amount},CHF\n" for account, day, payee, memo, amount in lines)
    path.write_text(f"Account,Booking date,Payee,Details,Amount,Currency\n{told}", encoding="utf-8")
