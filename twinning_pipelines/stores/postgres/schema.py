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


PERSON = sa.Table(
    "person",
    METADATA,
    _key(sa.SmallInteger),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("currency", sa.Text, comment="in which the person reckons; null for that of most of their accounts"),
)

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


# The household's books: what a person's money is, whatever files tell of it; see `marts.books`.
ACCOUNT = sa.Table(
    "account",
    METADATA,
    _key(),
    _person(),
    sa.Column("name", sa.Text, nullable=False, comment="how it is called in lists and in the person's own rules"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False, comment="of most of its bookings"),
    sa.Column("iban", sa.Text),
    sa.Column("number", sa.Text, comment="the account number, digits and letters only"),
    sa.UniqueConstraint("person_id", "name"),
    sa.CheckConstraint("kind in ('checking', 'savings', 'card', 'cash', 'loan', 'brokerage', 'other')", name="kind"),
)

# Under which names files tell of an account. by: how it was found to be this one.
ACCOUNT_NAME = sa.Table(
    "account_name",
    METADATA,
    _person(primary=True),
    sa.Column("told", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Index(None, "account_id"),
    sa.CheckConstraint("by in ('name', 'number', 'person')", name="by"),
)

# One row for each real booking, however many files and formats tell it. It shows the best telling; `key` names it outside.
BOOKING = sa.Table(
    "booking",
    METADATA,
    _key(sa.BigInteger),
    _person(),
    sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id"), nullable=False),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("booked_on", sa.Date, nullable=False),
    sa.Column("amount", sa.Numeric, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("payee", sa.Text, nullable=False),
    sa.Column("memo", sa.Text, nullable=False),
    sa.Column("pending", sa.Boolean, nullable=False),
    sa.Column(
        "told_payee", sa.Text, nullable=False, comment="as the files say, where a rule or the person says otherwise"
    ),
    sa.Column("told_category", sa.Text),
    sa.Column("category", sa.Text, comment="what the person says, else a rule, else a file"),
    sa.Column("category_by", sa.Text),
    sa.Column("transfer_to", sa.Text, comment="the own account on the other side, where a file or a rule names it"),
    sa.Column("told_transfer_to", sa.Text),
    sa.Column("tags", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("note", sa.Text),
    sa.Column("transaction_id", sa.BigInteger, sa.ForeignKey("transaction.id", ondelete="SET NULL")),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("file_id", sa.Integer, sa.ForeignKey("intake_file.id"), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("gone_since", _INSTANT, comment="since when no file tells it any more, or it is told by another booking"),
    sa.Column("joined_to", sa.BigInteger, sa.ForeignKey("booking.id"), comment="the booking that it turned out to be"),
    sa.CheckConstraint("category_by in ('file', 'rule', 'person')", name="category_by"),
    sa.Index(None, "person_id", "booked_on"),
    sa.Index(None, "account_id", "booked_on"),
)

BOOKING_TELLING = sa.Table(
    "booking_telling",
    METADATA,
    sa.Column("transaction_id", sa.BigInteger, sa.ForeignKey("transaction.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("booking_id", sa.BigInteger, sa.ForeignKey("booking.id", ondelete="CASCADE"), nullable=False),
    sa.Column(
        "key", sa.Text, nullable=False, comment="what a booking known by this telling alone would be called outside"
    ),
    sa.Index(None, "booking_id"),
    sa.Index(None, "key"),
)

# What was in an account at the end of each day on which something was booked or a balance was stated.
ACCOUNT_BALANCE = sa.Table(
    "account_balance",
    METADATA,
    sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("currency", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("balance", sa.Numeric, nullable=False),
    sa.Column("stated", sa.Boolean, nullable=False, comment="whether a statement says so, else the bookings around it"),
    sa.Column("n", sa.BigInteger, nullable=False, comment="how many rows it is made of: a stated balance and bookings"),
)

# What a person has set by hand; no file and no rule ever overwrites it.
BOOKING_EDIT = sa.Table(
    "booking_edit",
    METADATA,
    sa.Column("booking_id", sa.BigInteger, sa.ForeignKey("booking.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("set_at", _INSTANT, nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("field in ('category', 'payee', 'note', 'tags')", name="field"),
)

# Two bookings of own accounts that are one movement of money.
TRANSFER = sa.Table(
    "transfer",
    METADATA,
    _person(),
    sa.Column("out_id", sa.BigInteger, sa.ForeignKey("booking.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("in_id", sa.BigInteger, sa.ForeignKey("booking.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.CheckConstraint("state in ('proposed', 'confirmed', 'rejected')", name="state"),
    sa.CheckConstraint("by in ('rule', 'person')", name="by"),
    sa.Index(None, "in_id"),
)

# A person's own words about money (accounts, rules, budgets), as their file says them.
RULEBOOK = sa.Table(
    "rulebook",
    METADATA,
    _person(primary=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column(
        "problem", sa.Text, comment="why the newest version of the file can't be used; the text is the one before"
    ),
    sa.Column("read_at", _INSTANT, nullable=False, server_default=sa.func.now()),
)

BUDGET = sa.Table(
    "budget",
    METADATA,
    _person(primary=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("currency", sa.Text, primary_key=True),
    sa.Column("since", sa.Date, primary_key=True, comment="first of the month from which the amount holds"),
    sa.Column("categories", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("amount", sa.Numeric, nullable=False, comment="for each month"),
)

RECURRING_PAYMENT = sa.Table(
    "recurring_payment",
    METADATA,
    _person(),
    sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    sa.Column("payee", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("every", sa.Text, nullable=False),
    sa.Column("amount", sa.Numeric, nullable=False, comment="of the newest payment"),
    sa.Column("low", sa.Numeric, nullable=False),
    sa.Column("high", sa.Numeric, nullable=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("first_on", sa.Date, nullable=False),
    sa.Column("last_on", sa.Date, nullable=False),
    sa.Column("next_on", sa.Date, nullable=False),
    sa.CheckConstraint("every in ('week', 'two weeks', 'month', 'quarter', 'half year', 'year')", name="every"),
    sa.Index(None, "person_id"),
)

# A person's books have to be settled again: a file told something new, or the person did.
STALE_BOOKS = sa.Table("stale_books", METADATA, _person(primary=True))

FIREFLY_ACCOUNT = sa.Table(
    "firefly_account",
    METADATA,
    sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("server", sa.Text, primary_key=True, comment="the server's address without secrets"),
    sa.Column("remote_id", sa.Text, nullable=False),
    sa.Column("found_by", sa.Text, nullable=False),
)

# What is to be, or has been, done in Firefly III for each booking or pair of bookings. external_id: ours, sent along.
FIREFLY_OUTBOX = sa.Table(
    "firefly_outbox",
    METADATA,
    _key(sa.BigInteger),
    _person(),
    sa.Column("server", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("booking_ids", pg.ARRAY(sa.BigInteger), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("wanted", pg.JSONB, comment="what the far side should hold; null where it should hold nothing"),
    sa.Column("written", pg.JSONB, comment="what it held after our last write"),
    sa.Column("remote_id", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_at", _INSTANT),
    sa.Column("problem", sa.Text),
    sa.Column("changed_at", _INSTANT, nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("server", "external_id"),
    sa.Index(None, "state"),
    sa.CheckConstraint(
        "state in ('pending', 'sending', 'done', 'retry', 'refused', 'deleted_there', 'rule_deleted', 'withdrawn')",
        name="state",
    ),
)


# What a speech engine heard in a voice note; another engine or model makes another row.
TRANSCRIPT = sa.Table(
    "transcript",
    METADATA,
    _key(),
    _person(),
    sa.Column("sha256", sa.Text, nullable=False, comment="of the recording"),
    sa.Column("engine", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("language", sa.Text),
    sa.Column("segments", pg.JSONB, comment="what was heard when, with what was left out and why"),
    sa.Column("text", sa.Text),
    sa.Column("seconds", pg.DOUBLE_PRECISION, comment="how long the engine took"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_at", _INSTANT),
    sa.Column("problem", sa.Text),
    sa.Column("made_at", _INSTANT, nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("person_id", "sha256", "engine", "model"),
    sa.CheckConstraint("state in ('done', 'silent', 'retry', 'refused')", name="state"),
)

# What a person said or wrote on a day. Content, never instructions.
JOURNAL_ENTRY = sa.Table(
    "journal_entry",
    METADATA,
    _key(),
    _person(),
    sa.Column("day", sa.Date, nullable=False, comment="the person's local day"),
    sa.Column("said_at", _INSTANT, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("transcript_id", sa.Integer, sa.ForeignKey("transcript.id", ondelete="CASCADE"), unique=True),
    sa.Column("file_id", sa.Integer, sa.ForeignKey("intake_file.id"), nullable=False),
    sa.Index(None, "person_id", "day"),
    sa.Index("journal_entry_words_idx", sa.text("to_tsvector('simple', text)"), postgresql_using="gin"),
)

# A day, a week or a month of a person in words, with everything that led to them. day: its last one.
SUMMARY = sa.Table(
    "summary",
    METADATA,
    _key(),
    _person(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("headline", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column(
        "sentences", pg.JSONB, nullable=False, comment="each with its slots, the facts in them and its rendering"
    ),
    sa.Column(
        "facts", pg.JSONB, nullable=False, comment="the facts that were chosen, with values as they were that moment"
    ),
    sa.Column("engine", sa.Text),
    sa.Column("model", sa.Text),
    sa.Column("model_digest", sa.Text),
    sa.Column("prompt", sa.Text),
    sa.Column(
        "replies", pg.JSONB, nullable=False, server_default="[]", comment="what the model answered, word for word"
    ),
    sa.Column("faults", pg.JSONB, nullable=False, server_default="[]", comment="what was wrong with each answer"),
    sa.Column("seconds", pg.DOUBLE_PRECISION, nullable=False),
    sa.Column("made_at", _INSTANT, nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("person_id", "kind", "day"),
    sa.CheckConstraint("kind in ('day', 'week', 'month')", name="kind"),
    sa.CheckConstraint("path in ('model', 'retry', 'template')", name="path"),
)

# What goes together with what, as far as a person's own days can say; those that did not hold up are kept as well.
INSIGHT = sa.Table(
    "insight",
    METADATA,
    _key(),
    _person(),
    sa.Column("made_on", sa.Date, nullable=False),
    sa.Column("first_fact", sa.Text, nullable=False),
    sa.Column("second_fact", sa.Text, nullable=False),
    sa.Column("lag_days", sa.SmallInteger, nullable=False, comment="how many days the second comes after the first"),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("n_effective", pg.DOUBLE_PRECISION, nullable=False),
    sa.Column("r", pg.DOUBLE_PRECISION, nullable=False),
    sa.Column("low", pg.DOUBLE_PRECISION, nullable=False),
    sa.Column("high", pg.DOUBLE_PRECISION, nullable=False),
    sa.Column("p", pg.DOUBLE_PRECISION, nullable=False),
    sa.Column("q", pg.DOUBLE_PRECISION, nullable=False, comment="the false discovery rate at which it would hold"),
    sa.Column("holds", sa.Boolean, nullable=False),
    sa.UniqueConstraint("person_id", "made_on", "first_fact", "second_fact", "lag_days"),
)

# What is worth a word to a person, once; and how it fared with each of their targets.
NEWS = sa.Table(
    "news",
    METADATA,
    _key(sa.BigInteger),
    sa.Column("person_id", sa.SmallInteger, sa.ForeignKey("person.id"), comment="null for what concerns the house"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False, comment="what it is about: the same is told once"),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("made_at", _INSTANT, nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("person_id", "kind", "subject", postgresql_nulls_not_distinct=True),
)

NEWS_DELIVERY = sa.Table(
    "news_delivery",
    METADATA,
    sa.Column("news_id", sa.BigInteger, sa.ForeignKey("news.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("target", sa.Text, primary_key=True, comment="the name that its owner gave it, never its address"),
    sa.Column("delivery", sa.Uuid, nullable=False, comment="the same at every try, so that a receiver knows it again"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_at", _INSTANT),
    sa.Column("problem", sa.Text),
    sa.Column("delivered_at", _INSTANT),
    sa.CheckConstraint("state in ('pending', 'delivered', 'dead')", name="state"),
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


def _sightings(record: Record) -> sa.Table:
    """Which files tell each fact, and where."""
    told = sa.ForeignKey(f"{record.name}.id", ondelete="CASCADE")
    return sa.Table(
        f"{record.name}_sighting",
        METADATA,
        sa.Column("file_id", sa.Integer, sa.ForeignKey("intake_file.id", ondelete="CASCADE"), primary_key=True),
        sa.Column(f"{record.name}_id", sa.BigInteger, told, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Index(None, f"{record.name}_id"),
    )


RECORD_TABLES: dict[str, sa.Table] = {record.name: _table(record) for record in RECORDS if not record.series}
SIGHTING_TABLES: dict[str, sa.Table] = {record.name: _sightings(record) for record in RECORDS if record.sighted}
