"""Series by the day, what is counted of each day, and what waits to be counted or sent to InfluxDB."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from twinning_pipelines.stores.postgres.schema.pieces import INSTANT, METADATA, key, person

METRIC = sa.Table(
    "metric",
    METADATA,
    key(sa.SmallInteger),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("total", sa.Text, nullable=False),
    sa.Column("registered", sa.Boolean, nullable=False),
)

ORIGIN = sa.Table(
    "origin",
    METADATA,
    key(),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("device", sa.Text, nullable=False, server_default="other"),
    sa.UniqueConstraint("source", "name"),
    sa.CheckConstraint("device in ('watch', 'phone', 'other')", name="device"),
)


def stretch() -> "list[sa.Column[Any]]":
    """Days of one metric, from the first to the last."""
    return [
        person(),
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
    sa.Column("started_at", pg.ARRAY(INSTANT), nullable=False),
    sa.Column("ended_at", pg.ARRAY(INSTANT), nullable=False),
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

STALE_ROLLUP = sa.Table("stale_rollup", METADATA, *stretch())

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
    sa.Column("computed_at", INSTANT, nullable=False, server_default=sa.func.now()),
)

# One row for each sleep; see `marts.sleeps`. Minutes are null where nobody told of them.
NIGHT = sa.Table(
    "night",
    METADATA,
    sa.Column("person_id", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True, comment="the local day on which one wakes"),
    sa.Column("number", sa.SmallInteger, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("started_at", INSTANT, nullable=False),
    sa.Column("ended_at", INSTANT, nullable=False),
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
    person(primary=True),
    sa.Column("place", sa.SmallInteger, primary_key=True),
    sa.Column("origin", sa.Text, nullable=False),
)

STALE_DAY = sa.Table("stale_day", METADATA, person(primary=True), sa.Column("day", sa.Date, primary_key=True))

INFLUX_OUTBOX = sa.Table(
    "influx_outbox", METADATA, key(sa.BigInteger), *stretch(), sa.Column("purge", sa.Boolean, nullable=False)
)

INFLUX_DEAD_LETTER = sa.Table(
    "influx_dead_letter",
    METADATA,
    key(sa.BigInteger),
    person(),
    sa.Column("metric_id", sa.SmallInteger, sa.ForeignKey("metric.id"), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("line", sa.Text, nullable=False),
    sa.Column("status", sa.SmallInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("first_seen", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("person_id", "metric_id", "day", "line"),
)
