"""What tables are made of."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from twinning_pipelines.records.record import Kind

METADATA = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

_SQL_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "timestamptz": sa.DateTime(timezone=True),
    "date": sa.Date(),
    "numeric": sa.Numeric(),
    "double precision": pg.DOUBLE_PRECISION(),
    "bigint": sa.BigInteger(),
    "boolean": sa.Boolean(),
    "jsonb": pg.JSONB(),
}
INSTANT = sa.DateTime(timezone=True)


def key(kind: type[sa.types.TypeEngine[int]] = sa.Integer) -> "sa.Column[int]":
    """The number that a row is known by."""
    return sa.Column("id", kind, sa.Identity(always=True), primary_key=True)


def person(*, primary: bool = False) -> "sa.Column[int]":
    """Whose row it is."""
    return sa.Column("person_id", sa.SmallInteger, sa.ForeignKey("person.id"), primary_key=primary, nullable=False)


def file(*, cascade: bool = False) -> "sa.Column[int]":
    """The dropped file that tells it; with `cascade` the row goes with its file."""
    ledger = sa.ForeignKey("intake_file.id", ondelete="CASCADE" if cascade else None)
    return sa.Column("file_id", sa.Integer, ledger, nullable=False)


def sql_type(kind: Kind) -> sa.types.TypeEngine[Any]:
    """The column type of a kind of value."""
    return _SQL_TYPES[kind.sql]
