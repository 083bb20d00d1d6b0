"""Budgets of a month that are used up."""

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.marts.books.budgets import budget_use

_LATER = """
    select exists (select 1 from booking where person_id = :person and gone_since is null and booked_on > :day
        and date_trunc('month', booked_on) = date_trunc('month', cast(:day as date)))"""


class UsedUp(Struct, frozen=True):
    """A budget of which more was spent than there was. rows: the bookings in it."""

    name: str
    currency: str
    spent: Decimal
    budgeted: Decimal
    rows: int


def used_up(connection: sa.Connection, person_id: int, day: date) -> list[UsedUp]:
    """The budgets that were used up on a day. Nothing where later bookings of its month are known: they count as well."""
    if connection.execute(sa.text(_LATER), {"person": person_id, "day": day}).scalar_one():
        return []
    return [
        UsedUp(each.budget, each.currency, each.spent, each.budgeted, sum(part.n for part in each.categories))
        for each in budget_use(connection, person_id, day, today=day)
        if each.spent > each.budgeted
    ]
