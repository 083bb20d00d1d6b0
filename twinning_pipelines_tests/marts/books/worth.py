"""Trades, holdings, prices and rates put straight into their tables, for tests of what they come to."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from twinning_pipelines.stores.postgres.schema import METADATA

DEPOT = "Depot"
_USUAL: dict[str, dict[str, Any]] = {
    "trade": {"account": DEPOT, "action": "BUY", "key": "", "bank_id": "", "currency": "CHF"},
    "holding": {"account": DEPOT, "currency": "CHF"},
    "price": {"currency": "CHF"},
    "exchange_rate": {},
    "register_entry": {"register": "security"},
}


class Told:
    """The rows of one person, each table's in the order of its telling. A row's `at` is its number among all."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.person_id = int(
            connection.execute(sa.text("insert into person (name) values ('ada') returning id")).scalar_one()
        )
        statement = """
            insert into intake_file (person_id, sha256, name, bytes, modified_at, as_of, source, status)
            values (:person, 'x', 'told', 1, now(), now(), 'finance.told', 'loaded') returning id"""
        self.file_id = int(connection.execute(sa.text(statement), {"person": self.person_id}).scalar_one())
        self._count = 0

    def rows(self, table: str, *rows: Mapping[str, Any], source: str = "finance.told") -> None:
        """Rows of one table; what they leave out is usual."""
        if not rows:
            return
        shared = {"person_id": self.person_id, "source": source, "file_id": self.file_id}
        columns = {column.name for column in METADATA.tables[table].columns}
        filled = []
        for row in rows:
            self._count += 1
            # Every row is a fact of its own, whatever it is like.
            usual = _USUAL[table] | shared | {"at": self._count, "occurrence": self._count} | dict(row)
            filled.append({name: usual.get(name) for name in columns - {"id"}})
        self.connection.execute(sa.insert(METADATA.tables[table]), filled)

    def buy(self, day: date, units: Decimal | int | str, security: str = "A", **more: Any) -> None:
        """A trade by its change of units."""
        self.rows("trade", {"traded_on": day, "units": Decimal(units), "security": security} | more)

    def hold(self, day: date, units: Decimal | int | str, security: str = "A", **more: Any) -> None:
        """A line of a statement."""
        self.rows("holding", {"held_on": day, "units": Decimal(units), "security": security} | more)

    def price(self, day: date, price: Decimal | int | str, security: str = "A", **more: Any) -> None:
        """A price of a list."""
        self.rows("price", {"priced_on": day, "unit_price": Decimal(price), "security": security} | more)

    def rate(self, day: date, base: str, quote: str, rate: str) -> None:
        """A rate."""
        self.rows("exchange_rate", {"rated_on": day, "base": base, "quote": quote, "rate": Decimal(rate)})
