"""What a person's bookings mean, settled as a whole: categories, transfers, budgets, recurring payments."""

import sqlalchemy as sa

from twinning_pipelines.marts.books.budgets import keep_budgets
from twinning_pipelines.marts.books.categories import categorise
from twinning_pipelines.marts.books.kept_rulebook import rulebook_of
from twinning_pipelines.marts.books.recurring import find_recurring
from twinning_pipelines.marts.books.transfers import pair_transfers


def settle_meaning(connection: sa.Connection, person_id: int) -> None:
    """Settles what the bookings of a person mean, by the rulebook that is kept. Marks the days that this changes.

    Categories come first, for rules name transfers; transfers before payments, for a transfer is none.
    Two processes that settle the same books wait for each other.
    """
    connection.execute(sa.text("select pg_advisory_xact_lock(3, :person)"), {"person": person_id})
    rulebook = rulebook_of(connection, person_id)
    categorise(connection, person_id, rulebook)
    pair_transfers(connection, person_id)
    keep_budgets(connection, person_id, rulebook)
    find_recurring(connection, person_id)
