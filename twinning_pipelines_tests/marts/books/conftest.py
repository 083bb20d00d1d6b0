"""What the books are tested with: any statements at all, told by sources that read them as they stand."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml

from twinning_pipelines.clock import Clock
from twinning_pipelines.ingest.road import receive, take
from twinning_pipelines.marts.books.accounts import OwnAccount
from twinning_pipelines.marts.books.kept_rulebook import keep_rulebook
from twinning_pipelines.marts.books.settling import refresh_books
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import TRANSACTION, key_of
from twinning_pipelines.source import Claim, Item, Row, Source, gather
from twinning_pipelines.stores.postgres.store import PostgresStore

Line = Mapping[str, object]


class Bank:
    """Drops statements of `ada` and settles her books after each."""

    def __init__(self, store: PostgresStore, engine: sa.Engine, folder: Path) -> None:
        self.store, self.engine, self.folder = store, engine, folder
        self.described: list[OwnAccount] = []
        self._number = count(1)

    def tell(
        self,
        source: str,
        lines: Sequence[Line],
        *,
        on: str = "2026-03-31",
        balances: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        opening: tuple[str, str] | None = None,
        settled: bool = True,
    ) -> None:
        """A file made on the evening of a day. A line has day, amount and what else `transaction` has; balances by day."""
        path = self.folder / f"{next(self._number)}.json"
        stated = list(balances.items() if isinstance(balances, Mapping) else balances)
        path.write_text(json.dumps({"name": path.name, "lines": lines, "balances": stated, "opening": opening}))
        moment = datetime.fromisoformat(f"{on}T20:00:00").replace(tzinfo=UTC).timestamp()
        os.utime(path, (moment, moment))
        archive = self.folder / "archive"
        receipt = take(receive(path, "ada", self.store, archive), self.store, archive, [_source(source)])
        assert receipt.problem is None, receipt
        assert receipt.rejected == 0, receipt.rejections
        if settled:
            self.settle()

    def settle(self) -> None:
        """What the night would do after the person said something."""
        with self.engine.begin() as connection:
            connection.execute(sa.text("insert into stale_books select id from person on conflict do nothing"))
            for person_id in connection.execute(sa.text("select id from person")).scalars().all():
                keep_rulebook(connection, person_id, rulebook(self.described))
                refresh_books(connection, person_id)

    def rows(self, query: str, **values: object) -> list[tuple[object, ...]]:
        """What the database answers."""
        with self.engine.begin() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query), values)]

    def do(self, statement: str, **values: object) -> None:
        """Changes something behind everybody's back."""
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    def bookings(self) -> list[tuple[object, ...]]:
        """Day, amount, payee and the sources that tell it, of every booking that holds."""
        return self.rows(
            "select b.booked_on::text, b.amount::text, b.payee, (select string_agg(r.source, ' ' order by r.source) "
            "from booking_telling t join transaction r on r.id = t.transaction_id where t.booking_id = b.id) "
            "from booking b where gone_since is null order by b.booked_on, b.amount, b.payee"
        )


@pytest.fixture
def bank(store: PostgresStore, engine: sa.Engine, tmp_path: Path) -> Bank:
    return Bank(store, engine, tmp_path)


def rulebook(described: Sequence[OwnAccount]) -> str:
    """A rulebook that describes accounts."""
    accounts = [{"name": each.name, "kind": each.kind, "same_as": list(each.same_as)} for each in described]
    return yaml.safe_dump({"accounts": accounts}, allow_unicode=True) if accounts else ""


def line(day: str, amount: str, payee: str = "Corner Cafe", **more: object) -> Line:
    """One line of a statement."""
    return {"day": day, "amount": amount, "payee": payee, **more}


def _source(name: str) -> Source:
    def parse(original: Original, clock: Clock) -> Iterator[Item]:
        with original.open() as stream:
            document = json.load(stream)
        yield from gather((_row(at, each) for at, each in enumerate(document["lines"], 1)), (TRANSACTION,))
        account = document["lines"][0].get("account", "Giro") if document["lines"] else "Giro"
        if document["opening"]:
            day, value = document["opening"]
            yield Claim("opening_balance", account, date.fromisoformat(day), Decimal(value), "EUR", 1)
        for day, value in document["balances"]:
            yield Claim("closing_balance", account, date.fromisoformat(day), Decimal(value), "EUR", 99)

    return Source(name, name, "anything", (TRANSACTION,), lambda original: True, parse)


def _row(at: int, told: Line) -> Row:
    bank_id, payee, memo = (str(told.get(name, "")) for name in ("bank_id", "payee", "memo"))
    values = {
        "account": "Giro", "currency": "EUR", "memo": "", "bank_id": "", "key": key_of(bank_id, payee, memo),
        **told, "booked_on": date.fromisoformat(str(told["day"])), "amount": Decimal(str(told["amount"])),
    }  # fmt: skip
    del values["day"]
    return Row(TRANSACTION, at, json.dumps(told), values)
