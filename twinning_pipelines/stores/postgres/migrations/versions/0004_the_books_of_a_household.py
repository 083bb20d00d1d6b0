"""The household's books: accounts, bookings, transfers, budgets; holdings, prices, rates; what goes to Firefly III."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Makes the tables, and has the books of everybody settled from what files have told so far."""
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="how it is called in lists and in the person's own rules"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False, comment="of most of its bookings"),
        sa.Column("iban", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True, comment="the account number, digits and letters only"),
        sa.CheckConstraint(
            "kind in ('checking', 'savings', 'card', 'cash', 'loan', 'brokerage', 'other')",
            name=op.f("account_kind_check"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("account_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("account_pkey")),
        sa.UniqueConstraint("person_id", "name", name=op.f("account_person_id_name_key")),
    )
    op.create_table(
        "budget",
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False, comment="first of the month from which the amount holds"),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False, comment="for each month"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("budget_person_id_fkey")),
        sa.PrimaryKeyConstraint("person_id", "name", "currency", "since", name=op.f("budget_pkey")),
    )
    op.create_table(
        "firefly_outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("booking_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "wanted",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="what the far side should hold; null where it should hold nothing",
        ),
        sa.Column(
            "written",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="what it held after our last write",
        ),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state in ('pending', 'sending', 'done', 'retry', 'refused', 'deleted_there', 'rule_deleted', 'withdrawn')",
            name=op.f("firefly_outbox_state_check"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("firefly_outbox_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("firefly_outbox_pkey")),
        sa.UniqueConstraint("server", "external_id", name=op.f("firefly_outbox_server_external_id_key")),
    )
    op.create_index(op.f("firefly_outbox_state_idx"), "firefly_outbox", ["state"], unique=False)
    op.create_table(
        "rulebook",
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "problem",
            sa.Text(),
            nullable=True,
            comment="why the newest version of the file can't be used; the text is the one before",
        ),
        sa.Column("read_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("rulebook_person_id_fkey")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("rulebook_pkey")),
    )
    op.create_table(
        "stale_books",
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("stale_books_person_id_fkey")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("stale_books_pkey")),
    )
    op.create_table(
        "account_balance",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("balance", sa.Numeric(), nullable=False),
        sa.Column(
            "stated", sa.Boolean(), nullable=False, comment="whether a statement says so, else the bookings around it"
        ),
        sa.Column(
            "n", sa.BigInteger(), nullable=False, comment="how many rows it is made of: a stated balance and bookings"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("account_balance_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "currency", "day", name=op.f("account_balance_pkey")),
    )
    op.create_table(
        "account_name",
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.CheckConstraint("by in ('name', 'number', 'person')", name=op.f("account_name_by_check")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("account_name_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("account_name_person_id_fkey")),
        sa.PrimaryKeyConstraint("person_id", "told", name=op.f("account_name_pkey")),
    )
    op.create_index(op.f("account_name_account_id_idx"), "account_name", ["account_id"], unique=False)
    op.create_table(
        "exchange_rate",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("base", sa.Text(), nullable=False, comment="ISO 4217 code of the currency that is priced"),
        sa.Column("quote", sa.Text(), nullable=False, comment="ISO 4217 code of the currency it is priced in"),
        sa.Column("rated_on", sa.Date(), nullable=False, comment="the day"),
        sa.Column("rate", sa.Numeric(), nullable=False, comment="how many units of `quote` one unit of `base` costs"),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("exchange_rate_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("exchange_rate_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("exchange_rate_pkey")),
        sa.UniqueConstraint(
            "person_id", "source", "base", "quote", "rated_on", "occurrence", name="exchange_rate_identity_key"
        ),
        comment="what one unit of a currency cost in another on a day",
    )
    op.create_index(op.f("exchange_rate_file_id_idx"), "exchange_rate", ["file_id"], unique=False)
    op.create_index(
        op.f("exchange_rate_person_id_rated_on_idx"), "exchange_rate", ["person_id", "rated_on"], unique=False
    )
    op.create_table(
        "firefly_account",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False, comment="the server's address without secrets"),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("found_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("firefly_account_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "server", name=op.f("firefly_account_pkey")),
    )
    op.create_table(
        "holding",
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
        sa.Column("held_on", sa.Date(), nullable=False, comment="the day of the statement"),
        sa.Column("security", sa.Text(), nullable=False, comment="the security's id or name"),
        sa.Column("currency", sa.Text(), nullable=False, comment="ISO 4217 code of price, value and cost"),
        sa.Column("units", sa.Numeric(), nullable=False, comment="units held; negative where they are owed"),
        sa.Column("unit_price", sa.Numeric(), nullable=True, comment="price of one unit that day"),
        sa.Column("market_value", sa.Numeric(), nullable=True, comment="what they were worth that day"),
        sa.Column("cost", sa.Numeric(), nullable=True, comment="what was paid for them"),
        sa.Column("ticker", sa.Text(), nullable=True, comment="ticker symbol, where the file lists it"),
        sa.Column("security_name", sa.Text(), nullable=True, comment="name of the security, where the file lists it"),
        sa.Column(
            "extra",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="every other field that the file gives, by its own name",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("holding_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("holding_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("holding_pkey")),
        sa.UniqueConstraint(
            "person_id",
            "source",
            "account",
            "held_on",
            "security",
            "currency",
            "occurrence",
            name="holding_identity_key",
        ),
        comment="what an account held of one security on a day, as a statement says",
    )
    op.create_index(op.f("holding_file_id_idx"), "holding", ["file_id"], unique=False)
    op.create_index(op.f("holding_person_id_held_on_idx"), "holding", ["person_id", "held_on"], unique=False)
    op.create_table(
        "price",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("security", sa.Text(), nullable=False, comment="the security's id or name"),
        sa.Column("priced_on", sa.Date(), nullable=False, comment="the day"),
        sa.Column("currency", sa.Text(), nullable=False, comment="ISO 4217 code of the price"),
        sa.Column("unit_price", sa.Numeric(), nullable=False, comment="price of one unit at the end of the day"),
        sa.Column(
            "extra",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="every other field that the file gives, by its own name",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("price_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("price_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("price_pkey")),
        sa.UniqueConstraint(
            "person_id", "source", "security", "priced_on", "currency", "occurrence", name="price_identity_key"
        ),
        comment="what one unit of a security cost on a day",
    )
    op.create_index(op.f("price_file_id_idx"), "price", ["file_id"], unique=False)
    op.create_index(op.f("price_person_id_priced_on_idx"), "price", ["person_id", "priced_on"], unique=False)
    op.create_table(
        "recurring_payment",
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("every", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False, comment="of the newest payment"),
        sa.Column("low", sa.Numeric(), nullable=False),
        sa.Column("high", sa.Numeric(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "every in ('week', 'two weeks', 'month', 'quarter', 'half year', 'year')",
            name=op.f("recurring_payment_every_check"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("recurring_payment_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("recurring_payment_person_id_fkey")),
    )
    op.create_index(op.f("recurring_payment_person_id_idx"), "recurring_payment", ["person_id"], unique=False)
    op.create_table(
        "booking",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("memo", sa.Text(), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column(
            "told_payee",
            sa.Text(),
            nullable=False,
            comment="as the files say, where a rule or the person says otherwise",
        ),
        sa.Column("told_category", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True, comment="what the person says, else a rule, else a file"),
        sa.Column("category_by", sa.Text(), nullable=True),
        sa.Column(
            "transfer_to",
            sa.Text(),
            nullable=True,
            comment="the own account on the other side, where a file or a rule names it",
        ),
        sa.Column("told_transfer_to", sa.Text(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column(
            "perhaps",
            sa.Text(),
            nullable=True,
            comment="the key of another booking that this may be: nothing decides",
        ),
        sa.Column("transaction_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column(
            "gone_since",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="since when no file tells it any more, or it is told by another booking",
        ),
        sa.Column("joined_to", sa.BigInteger(), nullable=True, comment="the booking that it turned out to be"),
        sa.CheckConstraint("category_by in ('file', 'rule', 'person')", name=op.f("booking_category_by_check")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("booking_account_id_fkey")),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("booking_file_id_fkey")),
        sa.ForeignKeyConstraint(["joined_to"], ["booking.id"], name=op.f("booking_joined_to_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("booking_person_id_fkey")),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["transaction.id"], name=op.f("booking_transaction_id_fkey"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("booking_pkey")),
        sa.UniqueConstraint("key", name=op.f("booking_key_key")),
    )
    op.create_index(op.f("booking_account_id_booked_on_idx"), "booking", ["account_id", "booked_on"], unique=False)
    op.create_index(op.f("booking_person_id_booked_on_idx"), "booking", ["person_id", "booked_on"], unique=False)
    op.create_table(
        "transaction_sighting",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["intake_file.id"], name=op.f("transaction_sighting_file_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["transaction.id"],
            name=op.f("transaction_sighting_transaction_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("file_id", "transaction_id", name=op.f("transaction_sighting_pkey")),
    )
    op.create_index(
        op.f("transaction_sighting_transaction_id_idx"), "transaction_sighting", ["transaction_id"], unique=False
    )
    op.create_table(
        "booking_edit",
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("field in ('category', 'payee', 'note', 'tags')", name=op.f("booking_edit_field_check")),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["booking.id"], name=op.f("booking_edit_booking_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("booking_id", "field", name=op.f("booking_edit_pkey")),
    )
    op.create_table(
        "booking_telling",
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "key",
            sa.Text(),
            nullable=False,
            comment="what a booking known by this telling alone would be called outside",
        ),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["booking.id"], name=op.f("booking_telling_booking_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["transaction.id"], name=op.f("booking_telling_transaction_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("transaction_id", name=op.f("booking_telling_pkey")),
    )
    op.create_index(op.f("booking_telling_booking_id_idx"), "booking_telling", ["booking_id"], unique=False)
    op.create_index(op.f("booking_telling_key_idx"), "booking_telling", ["key"], unique=False)
    op.create_table(
        "transfer",
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("out_id", sa.BigInteger(), nullable=False),
        sa.Column("in_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.CheckConstraint("by in ('rule', 'person')", name=op.f("transfer_by_check")),
        sa.CheckConstraint("state in ('proposed', 'confirmed', 'rejected')", name=op.f("transfer_state_check")),
        sa.ForeignKeyConstraint(["in_id"], ["booking.id"], name=op.f("transfer_in_id_fkey"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["out_id"], ["booking.id"], name=op.f("transfer_out_id_fkey"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("transfer_person_id_fkey")),
        sa.PrimaryKeyConstraint("out_id", "in_id", name=op.f("transfer_pkey")),
    )
    op.create_index(op.f("transfer_in_id_idx"), "transfer", ["in_id"], unique=False)
    op.add_column(
        "person",
        sa.Column(
            "currency",
            sa.Text(),
            nullable=True,
            comment="in which the person reckons; null for that of most of their accounts",
        ),
    )
    op.add_column(
        "transaction",
        sa.Column(
            "pending", sa.Boolean(), nullable=True, comment="true while the bank has announced it and not yet booked it"
        ),
    )
    op.execute("insert into transaction_sighting (file_id, transaction_id, at) select file_id, id, at from transaction")
    # Only the newest file that tells a row was known so far: all of them are read again.
    op.execute("update intake_file set source_version = 0 where status = 'loaded' and source like 'finance.%'")
    op.execute(
        "insert into stale_books (person_id) select person_id from transaction union select person_id from trade "
        "union select f.person_id from claim c join intake_file f on f.id = c.file_id where c.kind = 'closing_balance'"
    )
