"""What comes again every four weeks."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Allows the step, and has the books settled anew that may hold it."""
    name = op.f("recurring_payment_every_check")
    op.drop_constraint(name, "recurring_payment", type_="check")
    op.create_check_constraint(
        name,
        "recurring_payment",
        "every in ('week', 'two weeks', 'four weeks', 'month', 'quarter', 'half year', 'year')",
    )
    op.execute("insert into stale_books (person_id) select distinct person_id from booking on conflict do nothing")
