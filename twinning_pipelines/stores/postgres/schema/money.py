"""The household's books: accounts, bookings, transfers, budgets; what goes to Firefly III."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from twinning_pipelines.stores.postgres.schema.pieces import INSTANT, METADATA, key, person

# The household's books: what a person's money is, whatever files tell of it; see `marts.books`.
ACCOUNT = sa.Table(
    "account",
    METADATA,
    key(),
    person(),
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
    person(primary=True),
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
    key(sa.BigInteger),
    person(),
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
    sa.Column("perhaps", sa.Text, comment="the key of another booking that this may be: nothing decides"),
    sa.Column("transaction_id", sa.BigInteger, sa.ForeignKey("transaction.id", ondelete="SET NULL")),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("file_id", sa.Integer, sa.ForeignKey("intake_file.id"), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("gone_since", INSTANT, comment="since when no file tells it any more, or it is told by another booking"),
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
    sa.Column("set_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("field in ('category', 'payee', 'note', 'tags')", name="field"),
)

# Two bookings of own accounts that are one movement of money.
TRANSFER = sa.Table(
    "transfer",
    METADATA,
    person(),
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
    person(primary=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column(
        "problem", sa.Text, comment="why the newest version of the file can't be used; the text is the one before"
    ),
    sa.Column("read_at", INSTANT, nullable=False, server_default=sa.func.now()),
)

BUDGET = sa.Table(
    "budget",
    METADATA,
    person(primary=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("currency", sa.Text, primary_key=True),
    sa.Column("since", sa.Date, primary_key=True, comment="first of the month from which the amount holds"),
    sa.Column("categories", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("amount", sa.Numeric, nullable=False, comment="for each month"),
)

RECURRING_PAYMENT = sa.Table(
    "recurring_payment",
    METADATA,
    person(),
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
    sa.CheckConstraint(
        "every in ('week', 'two weeks', 'four weeks', 'month', 'quarter', 'half year', 'year')", name="every"
    ),
    sa.Index(None, "person_id"),
)

# A person's books have to be settled again: a file told something new, or the person did.
STALE_BOOKS = sa.Table("stale_books", METADATA, person(primary=True))

FIREFLY_ACCOUNT = sa.Table(
    "firefly_account",
    METADATA,
    sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("server", sa.Text, primary_key=True, comment="the server's address without secrets"),
    sa.Column("remote_id", sa.Text, nullable=False),
    sa.Column("found_by", sa.Text, nullable=False),
)

# What is to be, or has been, done in Firefly III for each booking, pair of bookings, or trade. external_id: ours, sent along.
FIREFLY_OUTBOX = sa.Table(
    "firefly_outbox",
    METADATA,
    key(sa.BigInteger),
    person(),
    sa.Column("server", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("booking_ids", pg.ARRAY(sa.BigInteger), nullable=False),
    sa.Column("trade_ids", pg.ARRAY(sa.BigInteger), nullable=False, server_default="{}"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("wanted", pg.JSONB, comment="what the far side should hold; null where it should hold nothing"),
    sa.Column("written", pg.JSONB, comment="what it held after our last write"),
    sa.Column("remote_id", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_at", INSTANT),
    sa.Column("problem", sa.Text),
    sa.Column("changed_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("server", "external_id"),
    sa.Index(None, "state"),
    sa.CheckConstraint(
        "state in ('pending', 'sending', 'done', 'retry', 'refused', 'deleted_there', 'rule_deleted', 'withdrawn')",
        name="state",
    ),
)
