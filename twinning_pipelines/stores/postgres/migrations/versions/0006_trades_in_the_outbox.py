"""Trades in the outbox of Firefly III: a row may be of a trade instead of bookings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Adds the column."""
    op.add_column(
        "firefly_outbox",
        sa.Column("trade_ids", postgresql.ARRAY(sa.BigInteger()), server_default="{}", nullable=False),
    )
