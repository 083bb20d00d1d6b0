"""What is said: voice notes in writing, summaries, insights, news."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from twinning_pipelines.stores.postgres.schema.pieces import INSTANT, METADATA, key, person

# What a speech engine heard in a voice note; another engine or model makes another row.
TRANSCRIPT = sa.Table(
    "transcript",
    METADATA,
    key(),
    person(),
    sa.Column("sha256", sa.Text, nullable=False, comment="of the recording"),
    sa.Column("engine", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("language", sa.Text),
    sa.Column("segments", pg.JSONB, comment="what was heard when, with what was left out and why"),
    sa.Column("text", sa.Text),
    sa.Column("seconds", pg.DOUBLE_PRECISION, comment="how long the engine took"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_at", INSTANT),
    sa.Column("problem", sa.Text),
    sa.Column("made_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("person_id", "sha256", "engine", "model"),
    sa.CheckConstraint("state in ('done', 'silent', 'retry', 'refused')", name="state"),
)

# What a person said or wrote on a day. Content, never instructions.
JOURNAL_ENTRY = sa.Table(
    "journal_entry",
    METADATA,
    key(),
    person(),
    sa.Column("day", sa.Date, nullable=False, comment="the person's local day"),
    sa.Column("said_at", INSTANT, nullable=False),
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
    key(),
    person(),
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
    sa.Column("made_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("person_id", "kind", "day"),
    sa.CheckConstraint("kind in ('day', 'week', 'month')", name="kind"),
    sa.CheckConstraint("path in ('model', 'retry', 'template')", name="path"),
)

# What goes together with what, as far as a person's own days can say; those that did not hold up are kept as well.
INSIGHT = sa.Table(
    "insight",
    METADATA,
    key(),
    person(),
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
    key(sa.BigInteger),
    sa.Column("person_id", sa.SmallInteger, sa.ForeignKey("person.id"), comment="null for what concerns the house"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False, comment="what it is about: the same is told once"),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("made_at", INSTANT, nullable=False, server_default=sa.func.now()),
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
    sa.Column("next_at", INSTANT),
    sa.Column("problem", sa.Text),
    sa.Column("delivered_at", INSTANT),
    sa.CheckConstraint("state in ('pending', 'delivered', 'dead')", name="state"),
)
