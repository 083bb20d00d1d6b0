"""The books that the road keeps: people, files, what was rejected, claimed and told."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from twinning_pipelines.stores.postgres.schema.pieces import INSTANT, METADATA, file, key, person

PERSON = sa.Table(
    "person",
    METADATA,
    key(sa.SmallInteger),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("currency", sa.Text, comment="in which the person reckons; null for that of most of their accounts"),
)

PERSON_ZONE = sa.Table(
    "person_zone",
    METADATA,
    person(primary=True),
    sa.Column("since", INSTANT, primary_key=True),
    sa.Column("zone", sa.Text, nullable=False),
)

INTAKE_FILE = sa.Table(
    "intake_file",
    METADATA,
    key(),
    person(),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("modified_at", INSTANT, nullable=False),
    sa.Column("received_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Column("as_of", INSTANT, nullable=False),
    sa.Column("source", sa.Text),
    sa.Column("source_version", sa.Integer),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("problem", sa.Text),
    sa.Column("receipt", pg.JSONB),
    sa.Column("loaded_at", INSTANT),
    sa.UniqueConstraint("person_id", "sha256"),
    sa.CheckConstraint("status in ('pending', 'loaded', 'unreadable', 'unrouted')", name="status"),
    sa.Index(None, "source", "status"),
)

REJECTION = sa.Table(
    "rejection",
    METADATA,
    key(sa.BigInteger),
    file(cascade=True),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("raw", sa.Text, nullable=False),
    sa.Index(None, "file_id"),
)

CLAIM = sa.Table(
    "claim",
    METADATA,
    key(sa.BigInteger),
    file(cascade=True),
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
    sa.Column("first", INSTANT, nullable=False),
    sa.Column("last", INSTANT, nullable=False),
)

TELLING = sa.Table(
    "telling",
    METADATA,
    sa.Column("file_id", sa.Integer, sa.ForeignKey("intake_file.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("record", sa.Text, primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.BigInteger, nullable=False),
)
