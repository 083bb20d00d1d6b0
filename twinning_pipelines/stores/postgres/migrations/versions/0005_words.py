"""Words: voice notes and what was heard in them, summaries with what led to them, insights, news and its deliveries."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "insight",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("first_fact", sa.Text(), nullable=False),
        sa.Column("second_fact", sa.Text(), nullable=False),
        sa.Column(
            "lag_days", sa.SmallInteger(), nullable=False, comment="how many days the second comes after the first"
        ),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("n_effective", sa.DOUBLE_PRECISION(), nullable=False),
        sa.Column("r", sa.DOUBLE_PRECISION(), nullable=False),
        sa.Column("low", sa.DOUBLE_PRECISION(), nullable=False),
        sa.Column("high", sa.DOUBLE_PRECISION(), nullable=False),
        sa.Column("p", sa.DOUBLE_PRECISION(), nullable=False),
        sa.Column(
            "q", sa.DOUBLE_PRECISION(), nullable=False, comment="the false discovery rate at which it would hold"
        ),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("insight_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("insight_pkey")),
        sa.UniqueConstraint(
            "person_id",
            "made_on",
            "first_fact",
            "second_fact",
            "lag_days",
            name=op.f("insight_person_id_made_on_first_fact_second_fact_lag_days_key"),
        ),
    )
    op.create_table(
        "news",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=True, comment="null for what concerns the house"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="what it is about: the same is told once"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("news_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("news_pkey")),
        sa.UniqueConstraint(
            "person_id",
            "kind",
            "subject",
            name=op.f("news_person_id_kind_subject_key"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "summary",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "sentences",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="each with its slots, the facts in them and its rendering",
        ),
        sa.Column(
            "facts",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="the facts that were chosen, with values as they were that moment",
        ),
        sa.Column("engine", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("model_digest", sa.Text(), nullable=True),
        sa.Column("prompt", sa.Text(), nullable=True),
        sa.Column(
            "replies",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="what the model answered, word for word",
        ),
        sa.Column(
            "faults",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="what was wrong with each answer",
        ),
        sa.Column("seconds", sa.DOUBLE_PRECISION(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind in ('day', 'week', 'month')", name=op.f("summary_kind_check")),
        sa.CheckConstraint("path in ('model', 'retry', 'template')", name=op.f("summary_path_check")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("summary_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("summary_pkey")),
        sa.UniqueConstraint("person_id", "kind", "day", name=op.f("summary_person_id_kind_day_key")),
    )
    op.create_table(
        "transcript",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False, comment="of the recording"),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column(
            "segments",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="what was heard when, with what was left out and why",
        ),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("seconds", sa.DOUBLE_PRECISION(), nullable=True, comment="how long the engine took"),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state in ('done', 'silent', 'retry', 'refused')", name=op.f("transcript_state_check")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("transcript_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("transcript_pkey")),
        sa.UniqueConstraint(
            "person_id", "sha256", "engine", "model", name=op.f("transcript_person_id_sha256_engine_model_key")
        ),
    )
    op.create_table(
        "journal_entry",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="the person's local day"),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("transcript_id", sa.Integer(), nullable=True),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("journal_entry_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("journal_entry_person_id_fkey")),
        sa.ForeignKeyConstraint(
            ["transcript_id"], ["transcript.id"], name=op.f("journal_entry_transcript_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("journal_entry_pkey")),
        sa.UniqueConstraint("transcript_id", name=op.f("journal_entry_transcript_id_key")),
    )
    op.create_index(op.f("journal_entry_person_id_day_idx"), "journal_entry", ["person_id", "day"], unique=False)
    op.create_index(
        "journal_entry_words_idx",
        "journal_entry",
        [sa.literal_column("to_tsvector('simple', text)")],
        unique=False,
        postgresql_using="gin",
    )
    op.create_table(
        "news_delivery",
        sa.Column("news_id", sa.BigInteger(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False, comment="the name that its owner gave it, never its address"),
        sa.Column(
            "delivery", sa.Uuid(), nullable=False, comment="the same at every try, so that a receiver knows it again"
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('pending', 'delivered', 'dead')", name=op.f("news_delivery_state_check")),
        sa.ForeignKeyConstraint(["news_id"], ["news.id"], name=op.f("news_delivery_news_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("news_id", "target", name=op.f("news_delivery_pkey")),
    )
    op.create_table(
        "voice_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "sha256", sa.Text(), nullable=False, comment="of the recording: the same one is never transcribed twice"
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="when it was recorded, UTC"),
        sa.Column(
            "dated_by",
            sa.Text(),
            nullable=False,
            comment="what says when: the recording's own tag, its file name, or the time of the file",
        ),
        sa.Column("seconds", sa.DOUBLE_PRECISION(), nullable=True, comment="how long it is"),
        sa.Column("container", sa.Text(), nullable=False, comment="mp4, mp3, wav, ogg or webm"),
        sa.Column("title", sa.Text(), nullable=True, comment="what the recorder calls it"),
        sa.Column(
            "detail",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="what else the file says of itself",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("voice_note_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("voice_note_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("voice_note_pkey")),
        sa.UniqueConstraint("person_id", "source", "sha256", "occurrence", name="voice_note_identity_key"),
        comment="one recording of a person's voice",
    )
    op.create_index(op.f("voice_note_file_id_idx"), "voice_note", ["file_id"], unique=False)
    op.create_index(
        op.f("voice_note_person_id_recorded_at_idx"), "voice_note", ["person_id", "recorded_at"], unique=False
    )
