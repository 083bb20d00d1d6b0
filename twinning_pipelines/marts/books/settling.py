"""Settling a person's books after files, or the person, said something new."""

import sqlalchemy as sa

from twinning_pipelines.marts.books.accounts import drop_empty_accounts, settle_accounts
from twinning_pipelines.marts.books.balances import keep_balances
from twinning_pipelines.marts.books.bookings import Settled, settle_bookings
from twinning_pipelines.marts.books.kept_rulebook import rulebook_of
from twinning_pipelines.marts.books.meaning import settle_meaning
from twinning_pipelines.marts.books.net_worth import own_currency
from twinning_pipelines.marts.books.retold_rows import leave_retold_rows


def refresh_books(connection: sa.Connection, person_id: int) -> Settled | None:
    """Settles a person's books if anything about them is new; answers what changed, None where nothing was to do.

    Runs in the caller's transaction.
    """
    stale = sa.text("select exists (select 1 from stale_books where person_id = :person)")
    if not connection.execute(stale, {"person": person_id}).scalar_one():
        return None
    # Two processes that settle the same books wait for each other.
    connection.execute(sa.text("select pg_advisory_xact_lock(3, :person)"), {"person": person_id})
    connection.execute(sa.text("delete from stale_books where person_id = :person"), {"person": person_id})
    rulebook = rulebook_of(connection, person_id)
    before = own_currency(connection, person_id)
    currency = "update person set currency = :currency where id = :person and currency is distinct from :currency"
    connection.execute(sa.text(currency), {"person": person_id, "currency": rulebook.currency})
    leave_retold_rows(connection, person_id)
    settle_accounts(connection, person_id, rulebook.accounts)
    settled = settle_bookings(connection, person_id)
    keep_balances(connection, person_id)
    drop_empty_accounts(connection, person_id)
    settle_meaning(connection, person_id)
    if own_currency(connection, person_id) != before:
        connection.execute(sa.text(_TELL_AGAIN), {"person": person_id})
    return settled


# What is told in the person's currency has to be told anew in another.
_TELL_AGAIN = """
    insert into stale_day (person_id, day)
    select distinct person_id, day from daily_fact where person_id = :person and fact = 'net_worth'
    on conflict do nothing"""
