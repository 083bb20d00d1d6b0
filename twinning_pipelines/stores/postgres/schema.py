"""Every table. Those of records follow from `records`; the others are the books that the road keeps.

Alembic's migrations are the history of this module; a test holds the two equal.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from twinning_pipelines.records import RECORDS
from twinning_pipelines.records.record import Kind, Record

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
_INSTANT = sa.DateTime(timezone=True)


def _key(kind: type[sa.types.TypeEngine[int]] = sa.Integer) -> "sa.Column[int]":
    return sa.Column("id", kind, sa.Identity(always=True), primary_key=True)


def _person(*, primary: bool = False) -> "sa.Column[int]":
    return sa.Column("person_id", sa.SmallInteger, sa.ForeignKey("person.id"), primary_key=primary, nullable=False)


def _file(*, cascade: bool = False) -> "sa.Column[int]":
    key = sa.ForeignKey("intake_file.id", ondelete="CASCADE" if cascade else None)
    return sa.Column("file_id", sa.Integer, key, nullable=False)


PERSON = sa.Table("person", METADATA, _key(sa.SmallInteger), sa.Column("name", sa.Text, nullable=False, unique=True))

PERSON_ZONE = sa.Table(
    "person_zone",
    METADATA,
    _person(primary=True),
    sa.Column("since", _INSTANT, primary_key=True),
    sa.Column("zone", sa.Text, nullable=False),
)

INTAKE_FILE = sa.Table(
    "intake_file",
    METADATA,
    _key(),
    _person(),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("modified_at", _INSTANT, nullable=False),
    sa.Column("received_at", _INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Column("as_of", _INSTANT, nullable=False),
    sa.Column("source", sa.Text),
    sa.Column("source_version", sa.Integer),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("problem", sa.Text),
    sa.Column("receipt", pg.JSONB),
    sa.Column("loaded_at", _INSTANT),
    sa.UniqueConstraint("person_id", "sha256"),
    sa.CheckConstraint("status in ('pending', 'loaded', 'unreadable', 'unrouted')", name="status"),
    sa.Index(None, "source", "status"),
)

REJECTION = sa.Table(
    "rejection",
    METADATA,
    _key(sa.BigInteger),
    _file(cascade=True),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("raw", sa.Text, nullable=False),
    sa.Index(None, "file_id"),
)

CLAIM = sa.Table(
    "claim",
    METADATA,
    _key(sa.BigInteger),
    _file(cascade=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("value", sa.Numeric, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Index(None, "file_id"),
)

COVERAGE = sa.Table(
    "coverage",
    METADATA,
    sa.Column("file_id", sa.Integer, sa.ForeignKey("intake_file.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("record", sa.Text, primary_key=True),
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("first", _INSTANT, nullable=False),
    sa.Column("last", _INSTANT, nullable=False),
)

TELLING = sa.Table(
    "telling",
    METADATA,
    sa.Column("file_id", sa.Integer, sa.ForeignKey("intake_file.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("record", sa.Text, primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.BigInteger, nullable=False),
)

METRIC = sa.Table(
    "metric",
    METADATA,
    _key(sa.SmallInteger),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("total", sa.Text, nullable=False),
    sa.Column("registered", sa.Boolean, nullable=False),
)

ORIGIN = sa.Table(
    "origin",
    METADATA,
    _key(),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("device", sa.Text, nullable=False, server_default="other"),
    sa.UniqueConstraint("source", "name"),
    sa.CheckConstraint("device in ('watch', 'phone', 'other')", name="device"),
)


def _stretch() -> "list[sa.Column[Any]]":
    """Days of one metric, from the first to the last."""
    return [
        _person(),
        sa.Column("metric_id", sa.SmallInteger, sa.ForeignKey("metric.id"), nullable=False),
        sa.Column("first", sa.Date, nullable=False),
        sa.Column("last", sa.Date, nullable=False),
    ]


# One row holds a UTC day; see `chunks`. The arrays are kept as they are: compressing numbers costs more than it saves.
# No foreign keys here and in the rollups: thousands of rows at a time would pay for each, and ids were just looked up.
SAMPLE_CHUNK = sa.Table(
    "sample_chunk",
    METADATA,
    sa.Column("person_id", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("metric_id", sa.SmallInteger, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("origin_id", sa.Integer, primary_key=True),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("digest", sa.BigInteger, nullable=False),
    sa.Column("file_id", sa.Integer, nullable=False),
    sa.Column("started_at", pg.ARRAY(_INSTANT), nullable=False),
    sa.Column("ended_at", pg.ARRAY(_INSTANT), nullable=False),
    sa.Column("value", pg.ARRAY(pg.DOUBLE_PRECISION), nullable=False),
    sa.Column("label", pg.ARRAY(sa.Text)),
    sa.Column("detail", pg.ARRAY(sa.Text)),
    sa.Column("at", pg.ARRAY(sa.BigInteger), nullable=False),
    sa.Column("file_ids", pg.ARRAY(sa.BigInteger)),
)

SERIES_COVERAGE = sa.Table(
    "series_coverage",
    METADATA,
    sa.Column("file_id", sa.Integer, sa.ForeignKey("intake_file.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("metric_id", sa.SmallInteger, sa.ForeignKey("metric.id"), primary_key=True),
    sa.Column("origin_id", sa.Integer, sa.ForeignKey("origin.id"), primary_key=True),
    sa.Column("first", sa.Date, nullable=False),
    sa.Column("last", sa.Date, nullable=False),
)

DAILY_ROLLUP = sa.Table(
    "daily_rollup",
    METADATA,
    sa.Column("person_id", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("metric_id", sa.SmallInteger, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("value", pg.DOUBLE_PRECISION, nullable=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("low", pg.DOUBLE_PRECISION, nullable=False),
    sa.Column("high", pg.DOUBLE_PRECISION, nullable=False),
    sa.Column("origin_id", sa.Integer),
)

STALE_ROLLUP = sa.Table("stale_rollup", METADATA, *_stretch())

DAILY_FACT = sa.Table(
    "daily_fact",
    METADATA,
    sa.Column("person_id", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("fact", sa.Text, primary_key=True),
    sa.Column("part", sa.Text, primary_key=True),
    sa.Column("unit", sa.Text, primary_key=True),
    sa.Column("value", sa.Numeric, nullable=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("computed_at", _INSTANT, nullable=False, server_default=sa.func.now()),
)

# One row for each sleep; see `marts.sleeps`. Minutes are null where nobody told of them.
NIGHT = sa.Table(
    "night",
    METADATA,
    sa.Column("person_id", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True, comment="the local day on which one wakes"),
    sa.Column("number", sa.SmallInteger, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("started_at", _INSTANT, nullable=False),
    sa.Column("ended_at", _INSTANT, nullable=False),
    *(sa.Column(f"{each}_min", pg.DOUBLE_PRECISION) for each in ("in_bed", "asleep", "core", "deep", "rem", "awake")),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.CheckConstraint("kind in ('night', 'nap')", name="kind"),
)

# A person's own order of devices and apps, where it differs from watch, phone, others.
ORIGIN_PREFERENCE = sa.Table(
    "origin_preference",
    METADATA,
    _person(primary=True),
    sa.Column("place", sa.SmallInteger, primary_key=True),
    sa.Column("origin", sa.Text, nullable=False),
)

STALE_DAY = sa.Table("stale_day", METADATA, _person(primary=True), sa.Column("day", sa.Date, primary_key=True))

INFLUX_OUTBOX = sa.Table(
    "influx_outbox", METADATA, _key(sa.BigInteger), *_stretch(), sa.Column("purge", sa.Boolean, nullable=False)
)

INFLUX_DEAD_LETTER = sa.Table(
    "influx_dead_letter",
    METADATA,
    _key(sa.BigInteger),
    _person(),
    sa.Column("metric_id", sa.SmallInteger, sa.ForeignKey("metric.id"), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("line", sa.Text, nullable=False),
    sa.Column("status", sa.SmallInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("first_seen", _INSTANT, nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("person_id", "metric_id", "day", "line"),
)


def sql_type(kind: Kind) -> sa.types.TypeEngine[Any]:
    """The column type of a kind of value."""
    return _SQL_TYPES[kind.sql]


def _table(record: Record) -> sa.Table:
    return sa.Table(
        record.name,
        METADATA,
        _key(sa.BigInteger),
        _person(),
        sa.Column("source", sa.Text, nullable=False),
        _file(),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("occurrence", sa.Integer, nullable=False),
        sa.Column("absent_since", _INSTANT),
        *(
            sa.Column(each.name, sql_type(each.kind), nullable=not each.required, comment=each.meaning)
            for each in record.fields
        ),
        sa.UniqueConstraint("person_id", "source", *record.identity, "occurrence", name=f"{record.name}_identity_key"),
        *([sa.Index(None, "person_id", record.window)] if record.window else []),
        sa.Index(None, "file_id"),
        comment=record.meaning,
    )


RECORD_TABLES: dict[str, sa.Table] = {record.name: _table(record) for record in RECORDS if not record.series}
