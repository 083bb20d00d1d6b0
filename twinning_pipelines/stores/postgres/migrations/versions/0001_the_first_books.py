"""The first books: people, files, records, series and the facts of each day."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes every table, and the three views of a person's time that the queries share."""
    op.create_table(
        "metric",
        sa.Column("id", sa.SmallInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("total", sa.Text(), nullable=False),
        sa.Column("registered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("metric_pkey")),
        sa.UniqueConstraint("name", name=op.f("metric_name_key")),
    )
    op.create_table(
        "origin",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("origin_pkey")),
        sa.UniqueConstraint("source", "name", name=op.f("origin_source_name_key")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.SmallInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("person_pkey")),
        sa.UniqueConstraint("name", name=op.f("person_name_key")),
    )
    op.create_table(
        "sample",
        sa.Column("person_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("metric_id", sa.SmallInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin_id", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occurrence", sa.SmallInteger(), nullable=False),
        sa.Column("value", sa.DOUBLE_PRECISION(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "person_id", "metric_id", "started_at", "origin_id", "ended_at", "occurrence", name=op.f("sample_pkey")
        ),
    )
    op.create_table(
        "daily_fact",
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("daily_fact_person_id_fkey")),
        sa.PrimaryKeyConstraint("person_id", "day", "fact", "part", "unit", name=op.f("daily_fact_pkey")),
    )
    op.create_table(
        "daily_rollup",
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("metric_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("value", sa.DOUBLE_PRECISION(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("low", sa.DOUBLE_PRECISION(), nullable=False),
        sa.Column("high", sa.DOUBLE_PRECISION(), nullable=False),
        sa.Column("origin_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["metric_id"], ["metric.id"], name=op.f("daily_rollup_metric_id_fkey")),
        sa.ForeignKeyConstraint(["origin_id"], ["origin.id"], name=op.f("daily_rollup_origin_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("daily_rollup_person_id_fkey")),
        sa.PrimaryKeyConstraint("person_id", "metric_id", "day", name=op.f("daily_rollup_pkey")),
    )
    op.create_index(op.f("daily_rollup_metric_id_day_idx"), "daily_rollup", ["metric_id", "day"], unique=False)
    op.create_table(
        "influx_dead_letter",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("metric_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["metric_id"], ["metric.id"], name=op.f("influx_dead_letter_metric_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("influx_dead_letter_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("influx_dead_letter_pkey")),
        sa.UniqueConstraint(
            "person_id", "metric_id", "day", "line", name=op.f("influx_dead_letter_person_id_metric_id_day_line_key")
        ),
    )
    op.create_table(
        "influx_outbox",
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("metric_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("purge", sa.Boolean(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(["metric_id"], ["metric.id"], name=op.f("influx_outbox_metric_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("influx_outbox_person_id_fkey")),
        sa.PrimaryKeyConstraint("person_id", "metric_id", "day", name=op.f("influx_outbox_pkey")),
    )
    op.create_table(
        "intake_file",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("source_version", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("receipt", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status in ('pending', 'loaded', 'unreadable', 'unrouted')", name=op.f("intake_file_status_check")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("intake_file_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("intake_file_pkey")),
        sa.UniqueConstraint("person_id", "sha256", name=op.f("intake_file_person_id_sha256_key")),
    )
    op.create_index(op.f("intake_file_source_status_idx"), "intake_file", ["source", "status"], unique=False)
    op.create_table(
        "person_zone",
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("person_zone_person_id_fkey")),
        sa.PrimaryKeyConstraint("person_id", "since", name=op.f("person_zone_pkey")),
    )
    op.create_table(
        "stale_day",
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("stale_day_person_id_fkey")),
        sa.PrimaryKeyConstraint("person_id", "day", name=op.f("stale_day_pkey")),
    )
    op.create_table(
        "stale_rollup",
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("metric_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["metric_id"], ["metric.id"], name=op.f("stale_rollup_metric_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("stale_rollup_person_id_fkey")),
        sa.PrimaryKeyConstraint("person_id", "metric_id", "day", name=op.f("stale_rollup_pkey")),
    )
    op.create_table(
        "activity_ring",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("day", sa.Date(), nullable=False, comment="the person's local day"),
        sa.Column("move_kcal", sa.DOUBLE_PRECISION(), nullable=True, comment="active energy, kilocalories"),
        sa.Column("move_goal_kcal", sa.DOUBLE_PRECISION(), nullable=True, comment="the goal for it"),
        sa.Column(
            "move_min", sa.DOUBLE_PRECISION(), nullable=True, comment="move minutes, for people who count minutes"
        ),
        sa.Column("move_goal_min", sa.DOUBLE_PRECISION(), nullable=True, comment="the goal for them"),
        sa.Column("exercise_min", sa.DOUBLE_PRECISION(), nullable=True, comment="exercise minutes"),
        sa.Column("exercise_goal_min", sa.DOUBLE_PRECISION(), nullable=True, comment="the goal for them"),
        sa.Column("stand_hours", sa.BigInteger(), nullable=True, comment="hours with some standing"),
        sa.Column("stand_goal_hours", sa.BigInteger(), nullable=True, comment="the goal for them"),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("activity_ring_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("activity_ring_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("activity_ring_pkey")),
        sa.UniqueConstraint("person_id", "source", "day", "occurrence", name="activity_ring_identity_key"),
        comment="one day as Apple's activity rings state it: the source's own total, to prove ours against",
    )
    op.create_index(op.f("activity_ring_file_id_idx"), "activity_ring", ["file_id"], unique=False)
    op.create_index(op.f("activity_ring_person_id_day_idx"), "activity_ring", ["person_id", "day"], unique=False)
    op.create_table(
        "claim",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("claim_file_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("claim_pkey")),
    )
    op.create_index(op.f("claim_file_id_idx"), "claim", ["file_id"], unique=False)
    op.create_table(
        "coverage",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("first", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["intake_file.id"], name=op.f("coverage_file_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", "record", "scope", name=op.f("coverage_pkey")),
    )
    op.create_table(
        "deal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deal_id", sa.Text(), nullable=False, comment="the source's own id"),
        sa.Column("title", sa.Text(), nullable=False, comment="what the deal is called"),
        sa.Column("client", sa.Text(), nullable=True, comment="for whom"),
        sa.Column("owner", sa.Text(), nullable=True, comment="who works on it"),
        sa.Column("stage", sa.Text(), nullable=False, comment="where it stands, as the source calls it"),
        sa.Column("status", sa.Text(), nullable=False, comment="open, won or lost"),
        sa.Column("amount", sa.Numeric(), nullable=True, comment="what it is worth, net"),
        sa.Column("currency", sa.Text(), nullable=False, comment="ISO 4217 code of the amounts"),
        sa.Column("probability", sa.DOUBLE_PRECISION(), nullable=True, comment="chance of winning, 0 to 1"),
        sa.Column("channel", sa.Text(), nullable=True, comment="where the lead came from"),
        sa.Column("created_on", sa.Date(), nullable=False, comment="when it was created"),
        sa.Column("expected_on", sa.Date(), nullable=True, comment="when it is expected to close"),
        sa.Column("closed_on", sa.Date(), nullable=True, comment="when it was won or lost"),
        sa.Column(
            "extra",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="every other column, by its heading",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("deal_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("deal_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("deal_pkey")),
        sa.UniqueConstraint("person_id", "source", "deal_id", "occurrence", name="deal_identity_key"),
        comment="one piece of business that may be won, as the newest export tells it",
    )
    op.create_index(op.f("deal_file_id_idx"), "deal", ["file_id"], unique=False)
    op.create_index(op.f("deal_person_id_created_on_idx"), "deal", ["person_id", "created_on"], unique=False)
    op.create_table(
        "expense",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("spent_on", sa.Date(), nullable=False, comment="when it was spent"),
        sa.Column("vendor", sa.Text(), nullable=False, comment="to whom it was paid"),
        sa.Column("reference", sa.Text(), nullable=False, comment="receipt number, empty when there is none"),
        sa.Column("amount", sa.Numeric(), nullable=False, comment="what was paid, tax included"),
        sa.Column("currency", sa.Text(), nullable=False, comment="ISO 4217 code of the amounts"),
        sa.Column("tax", sa.Numeric(), nullable=True, comment="tax in it"),
        sa.Column("category", sa.Text(), nullable=True, comment="what kind of expense"),
        sa.Column("client", sa.Text(), nullable=True, comment="for which client"),
        sa.Column("project", sa.Text(), nullable=True, comment="for which project"),
        sa.Column("note", sa.Text(), nullable=True, comment="free text"),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("expense_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("expense_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("expense_pkey")),
        sa.UniqueConstraint(
            "person_id",
            "source",
            "spent_on",
            "vendor",
            "reference",
            "amount",
            "currency",
            "occurrence",
            name="expense_identity_key",
        ),
        comment="one expense of the business",
    )
    op.create_index(op.f("expense_file_id_idx"), "expense", ["file_id"], unique=False)
    op.create_index(op.f("expense_person_id_spent_on_idx"), "expense", ["person_id", "spent_on"], unique=False)
    op.create_table(
        "invoice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("number", sa.Text(), nullable=False, comment="the invoice's number"),
        sa.Column("client", sa.Text(), nullable=False, comment="to whom"),
        sa.Column("project", sa.Text(), nullable=True, comment="for what"),
        sa.Column("issued_on", sa.Date(), nullable=False, comment="when it was sent"),
        sa.Column("due_on", sa.Date(), nullable=True, comment="when it has to be paid"),
        sa.Column("paid_on", sa.Date(), nullable=True, comment="when it was paid in full"),
        sa.Column("net", sa.Numeric(), nullable=True, comment="amount before tax"),
        sa.Column("tax", sa.Numeric(), nullable=True, comment="tax on it"),
        sa.Column("gross", sa.Numeric(), nullable=False, comment="amount to pay"),
        sa.Column("paid", sa.Numeric(), nullable=True, comment="what has been paid so far"),
        sa.Column("currency", sa.Text(), nullable=False, comment="ISO 4217 code of the amounts"),
        sa.Column("status", sa.Text(), nullable=False, comment="draft, sent, partial, paid or void"),
        sa.Column("note", sa.Text(), nullable=True, comment="free text"),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("invoice_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("invoice_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("invoice_pkey")),
        sa.UniqueConstraint("person_id", "source", "number", "occurrence", name="invoice_identity_key"),
        comment="one invoice sent to a client",
    )
    op.create_index(op.f("invoice_file_id_idx"), "invoice", ["file_id"], unique=False)
    op.create_index(op.f("invoice_person_id_issued_on_idx"), "invoice", ["person_id", "issued_on"], unique=False)
    op.create_table(
        "register_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "register",
            sa.Text(),
            nullable=False,
            comment="which list: account, category, class, memorized, security, price, budget",
        ),
        sa.Column("entry", sa.Text(), nullable=False, comment="the entry's name; a price's security and day"),
        sa.Column(
            "fields", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="what the entry says, by field"
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("register_entry_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("register_entry_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("register_entry_pkey")),
        sa.UniqueConstraint(
            "person_id", "source", "register", "entry", "occurrence", name="register_entry_identity_key"
        ),
        comment="one entry of a list that a finance program exports beside its bookings",
    )
    op.create_index(op.f("register_entry_file_id_idx"), "register_entry", ["file_id"], unique=False)
    op.create_table(
        "rejection",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["intake_file.id"], name=op.f("rejection_file_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("rejection_pkey")),
    )
    op.create_index(op.f("rejection_file_id_idx"), "rejection", ["file_id"], unique=False)
    op.create_table(
        "sample_block",
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("metric_id", sa.SmallInteger(), nullable=False),
        sa.Column("origin_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("sample_block_file_id_fkey")),
        sa.ForeignKeyConstraint(["metric_id"], ["metric.id"], name=op.f("sample_block_metric_id_fkey")),
        sa.ForeignKeyConstraint(["origin_id"], ["origin.id"], name=op.f("sample_block_origin_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("sample_block_person_id_fkey")),
        sa.PrimaryKeyConstraint("person_id", "metric_id", "origin_id", "day", name=op.f("sample_block_pkey")),
    )
    op.create_table(
        "serving",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("day", sa.Date(), nullable=False, comment="the person's local day"),
        sa.Column(
            "meal",
            sa.Text(),
            nullable=False,
            comment="breakfast, lunch, … as the diary names it; empty when it does not",
        ),
        sa.Column("food", sa.Text(), nullable=False, comment="what it was"),
        sa.Column("amount", sa.Text(), nullable=False, comment="how much, as written: '100 g', '1 cup'"),
        sa.Column(
            "eaten_at", sa.DateTime(timezone=True), nullable=True, comment="when, UTC, if the diary keeps a time"
        ),
        sa.Column("grams", sa.DOUBLE_PRECISION(), nullable=True, comment="mass, grams"),
        sa.Column("energy_kcal", sa.DOUBLE_PRECISION(), nullable=True, comment="energy, kilocalories"),
        sa.Column("protein_g", sa.DOUBLE_PRECISION(), nullable=True, comment="protein, grams"),
        sa.Column("carbs_g", sa.DOUBLE_PRECISION(), nullable=True, comment="carbohydrates, grams"),
        sa.Column("fat_g", sa.DOUBLE_PRECISION(), nullable=True, comment="fat, grams"),
        sa.Column("fiber_g", sa.DOUBLE_PRECISION(), nullable=True, comment="fibre, grams"),
        sa.Column("sugar_g", sa.DOUBLE_PRECISION(), nullable=True, comment="sugars, grams"),
        sa.Column("water_ml", sa.DOUBLE_PRECISION(), nullable=True, comment="water, millilitres"),
        sa.Column("alcohol_g", sa.DOUBLE_PRECISION(), nullable=True, comment="alcohol, grams"),
        sa.Column("caffeine_mg", sa.DOUBLE_PRECISION(), nullable=True, comment="caffeine, milligrams"),
        sa.Column(
            "nutrients",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment='every other nutrient column, by its heading: {"Zinc (mg)": 1.2}',
        ),
        sa.Column("note", sa.Text(), nullable=True, comment="free text"),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("serving_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("serving_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("serving_pkey")),
        sa.UniqueConstraint(
            "person_id", "source", "day", "meal", "food", "amount", "occurrence", name="serving_identity_key"
        ),
        comment="one food or drink, as one line of a food diary",
    )
    op.create_index(op.f("serving_file_id_idx"), "serving", ["file_id"], unique=False)
    op.create_index(op.f("serving_person_id_day_idx"), "serving", ["person_id", "day"], unique=False)
    op.create_table(
        "sleep_stage",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "stage", sa.Text(), nullable=False, comment="in_bed, awake, asleep (not told apart), core, deep or rem"
        ),
        sa.Column(
            "origin", sa.Text(), nullable=False, comment="the device or app that recorded it, as it calls itself"
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="when it began, UTC"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False, comment="when it ended, UTC"),
        sa.Column("zone", sa.Text(), nullable=True, comment="the IANA zone where it happened, when the source says so"),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("sleep_stage_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("sleep_stage_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("sleep_stage_pkey")),
        sa.UniqueConstraint(
            "person_id", "source", "stage", "origin", "started_at", "occurrence", name="sleep_stage_identity_key"
        ),
        comment="one stretch of one sleep stage, from one device",
    )
    op.create_index(op.f("sleep_stage_file_id_idx"), "sleep_stage", ["file_id"], unique=False)
    op.create_index(
        op.f("sleep_stage_person_id_started_at_idx"), "sleep_stage", ["person_id", "started_at"], unique=False
    )
    op.create_table(
        "time_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "worker",
            sa.Text(),
            nullable=False,
            comment="whose time it is: e-mail or name; empty for a personal tracker",
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="when it began, UTC"),
        sa.Column(
            "ended_at", sa.DateTime(timezone=True), nullable=True, comment="when it ended, UTC; null while it runs"
        ),
        sa.Column("day", sa.Date(), nullable=True, comment="the local day it began on, where the source kept it"),
        sa.Column("seconds", sa.BigInteger(), nullable=True, comment="how long, seconds; null while it runs"),
        sa.Column("client", sa.Text(), nullable=True, comment="for whom, as written"),
        sa.Column("project", sa.Text(), nullable=True, comment="on what, as written"),
        sa.Column("task", sa.Text(), nullable=True, comment="which task, as written"),
        sa.Column("description", sa.Text(), nullable=True, comment="what was done"),
        sa.Column("tags", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="list of tags"),
        sa.Column("billable", sa.Boolean(), nullable=True, comment="true, false, or null when the source does not say"),
        sa.Column(
            "amount",
            sa.Numeric(),
            nullable=True,
            comment="billed amount, where the source states it",
        ),
        sa.Column("currency", sa.Text(), nullable=True, comment="ISO 4217 code of the amount"),
        sa.Column("zone", sa.Text(), nullable=True, comment="the IANA zone by which the wall time was read"),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("time_entry_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("time_entry_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("time_entry_pkey")),
        sa.UniqueConstraint(
            "person_id", "source", "worker", "started_at", "occurrence", name="time_entry_identity_key"
        ),
        comment="one stretch of tracked time",
    )
    op.create_index(op.f("time_entry_file_id_idx"), "time_entry", ["file_id"], unique=False)
    op.create_index(
        op.f("time_entry_person_id_started_at_idx"), "time_entry", ["person_id", "started_at"], unique=False
    )
    op.create_table(
        "trade",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "account",
            sa.Text(),
            nullable=False,
            comment="bank and account number as the file states them, or the account's name",
        ),
        sa.Column("traded_on", sa.Date(), nullable=False, comment="the day of the trade"),
        sa.Column(
            "action",
            sa.Text(),
            nullable=False,
            comment="what happened, as the file calls it: BUYSTOCK, INCOME, ReinvDiv, …",
        ),
        sa.Column(
            "key", sa.Text(), nullable=False, comment="what tells it from others of that day and amount: see `key_of`"
        ),
        sa.Column(
            "bank_id",
            sa.Text(),
            nullable=False,
            comment="the bank's own id of the row (OFX FITID), empty when it gives none",
        ),
        sa.Column("security", sa.Text(), nullable=False, comment="the security's id or name, empty for cash events"),
        sa.Column(
            "total",
            sa.Numeric(),
            nullable=True,
            comment="what the event adds to the cash of the account; negative when money leaves",
        ),
        sa.Column("currency", sa.Text(), nullable=False, comment="ISO 4217 code of the amount"),
        sa.Column(
            "units",
            sa.Numeric(),
            nullable=True,
            comment="units bought (positive) or sold (negative)",
        ),
        sa.Column("unit_price", sa.Numeric(), nullable=True, comment="price of one unit"),
        sa.Column("fees", sa.Numeric(), nullable=True, comment="commission, fees and load together"),
        sa.Column("settled_on", sa.Date(), nullable=True, comment="the day of settlement"),
        sa.Column("ticker", sa.Text(), nullable=True, comment="ticker symbol, where the file lists it"),
        sa.Column("security_name", sa.Text(), nullable=True, comment="name of the security, where the file lists it"),
        sa.Column("memo", sa.Text(), nullable=True, comment="what the broker writes about it"),
        sa.Column(
            "extra",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="every other field that the file gives, by its own name",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("trade_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("trade_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("trade_pkey")),
        sa.UniqueConstraint(
            "person_id", "source", "account", "traded_on", "action", "key", "occurrence", name="trade_identity_key"
        ),
        comment="one event on an investment account: a purchase, a sale, a dividend, a split, …",
    )
    op.create_index(op.f("trade_file_id_idx"), "trade", ["file_id"], unique=False)
    op.create_index(op.f("trade_person_id_traded_on_idx"), "trade", ["person_id", "traded_on"], unique=False)
    op.create_table(
        "transaction",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "account",
            sa.Text(),
            nullable=False,
            comment="bank and account number as the file states them, or the account's name",
        ),
        sa.Column("booked_on", sa.Date(), nullable=False, comment="the bank's booking day"),
        sa.Column(
            "amount",
            sa.Numeric(),
            nullable=False,
            comment="what the booking adds to the account; negative when money leaves",
        ),
        sa.Column("currency", sa.Text(), nullable=False, comment="ISO 4217 code of the amount"),
        sa.Column(
            "key", sa.Text(), nullable=False, comment="what tells it from others of that day and amount: see `key_of`"
        ),
        sa.Column(
            "bank_id",
            sa.Text(),
            nullable=False,
            comment="the bank's own id of the row (OFX FITID), empty when it gives none",
        ),
        sa.Column("payee", sa.Text(), nullable=False, comment="who is on the other side"),
        sa.Column("memo", sa.Text(), nullable=False, comment="what the bank writes about it"),
        sa.Column("kind", sa.Text(), nullable=True, comment="the bank's type: DEBIT, ATM, INT, …"),
        sa.Column("valued_on", sa.Date(), nullable=True, comment="the day the money counts from"),
        sa.Column("check_number", sa.Text(), nullable=True, comment="number of the cheque"),
        sa.Column("reference", sa.Text(), nullable=True, comment="the bank's reference"),
        sa.Column("category", sa.Text(), nullable=True, comment="the category the file gives, as written"),
        sa.Column(
            "transfer_account",
            sa.Text(),
            nullable=True,
            comment="the own account on the other side, where the file names it",
        ),
        sa.Column(
            "original_amount",
            sa.Numeric(),
            nullable=True,
            comment="the amount in the currency it was spent in",
        ),
        sa.Column("original_currency", sa.Text(), nullable=True, comment="ISO 4217 code of that currency"),
        sa.Column(
            "splits",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment='parts of the amount: [{"category": …, "memo": …, "amount": "-3.50"}]',
        ),
        sa.Column(
            "extra",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="every other field that the file gives, by its own name",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("transaction_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("transaction_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("transaction_pkey")),
        sa.UniqueConstraint(
            "person_id",
            "source",
            "account",
            "booked_on",
            "amount",
            "key",
            "occurrence",
            name="transaction_identity_key",
        ),
        comment="one booking on one account",
    )
    op.create_index(op.f("transaction_file_id_idx"), "transaction", ["file_id"], unique=False)
    op.create_index(
        op.f("transaction_person_id_booked_on_idx"), "transaction", ["person_id", "booked_on"], unique=False
    )
    op.create_table(
        "workout",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("activity", sa.Text(), nullable=False, comment="what was done: running, cycling, …"),
        sa.Column(
            "origin", sa.Text(), nullable=False, comment="the device or app that recorded it, as it calls itself"
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="when it began, UTC"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False, comment="when it ended, UTC"),
        sa.Column("duration_min", sa.DOUBLE_PRECISION(), nullable=True, comment="active minutes, pauses left out"),
        sa.Column("distance_m", sa.DOUBLE_PRECISION(), nullable=True, comment="metres covered"),
        sa.Column("energy_kcal", sa.DOUBLE_PRECISION(), nullable=True, comment="active energy, kilocalories"),
        sa.Column("zone", sa.Text(), nullable=True, comment="the IANA zone where it happened, when the source says so"),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("workout_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("workout_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("workout_pkey")),
        sa.UniqueConstraint(
            "person_id", "source", "activity", "origin", "started_at", "occurrence", name="workout_identity_key"
        ),
        comment="one session of exercise",
    )
    op.create_index(op.f("workout_file_id_idx"), "workout", ["file_id"], unique=False)
    op.create_index(op.f("workout_person_id_started_at_idx"), "workout", ["person_id", "started_at"], unique=False)
    for statement in (_PERSON_CLOCK, _LOCAL_DAY, _DAY_SPAN):
        op.execute(statement)


# A zone history as ranges: the first zone also holds for all time before it.
_PERSON_CLOCK = """
    create view person_clock as
    select person_id, zone,
        case when row_number() over history = 1 then '-infinity' else since end as since,
        coalesce(lead(since) over history, 'infinity') as until
    from person_zone window history as (partition by person_id order by since)"""

_LOCAL_DAY = """
    create function local_day(person integer, moment timestamptz) returns date language sql stable as $$
        select (moment at time zone z.zone)::date from person_clock z
        where z.person_id = person and moment >= z.since and moment < z.until
    $$"""

# The instants of a local day; on a day of moving there are several stretches.
_DAY_SPAN = """
    create function day_span(person integer, local date) returns table (starts timestamptz, ends timestamptz)
    language sql stable as $$
        select * from (
            select greatest(local::timestamp at time zone z.zone, z.since),
                least((local + 1)::timestamp at time zone z.zone, z.until)
            from person_clock z where z.person_id = person
        ) as stretch (starts, ends)
        where starts < ends
    $$"""
