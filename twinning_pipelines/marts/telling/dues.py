"""What is due in the two days behind a day: payments that come again, and invoices that are not paid."""

from datetime import date, timedelta
from decimal import Decimal

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.marts.books.recurring import recurring_of

_AHEAD = 2

# As it was on the day, like the fact `invoices_open`: what was paid later was open then.
_INVOICES = """
    select number || ' ' || client, currency, sum(gross - case when paid_on is null then coalesce(paid, 0) else 0 end),
        due_on, count(*)
    from invoice
    where person_id = :person and absent_since is null and status not in ('draft', 'void') and issued_on <= :day
        and due_on between :day + 1 and :day + :ahead and (paid_on > :day or (paid_on is null and status <> 'paid'))
    group by 1, 2, 4 order by 4, 1"""


class Due(Struct, frozen=True):
    """Money that is expected on a day. amount: negative goes out. handle: the command that shows it."""

    what: str
    words: str
    amount: Decimal
    currency: str
    on: date
    rows: int
    handle: str


def dues_of(connection: sa.Connection, person_id: int, day: date) -> list[Due]:
    """What is due after the day, soonest first."""
    last = day + timedelta(days=_AHEAD)
    found = [
        Due("payment", each.payee, each.series.amount, each.currency, each.series.next_on, each.series.n, "twinning recurring")
        for each in recurring_of(connection, person_id)
        # What was found later than the day is no news of that day.
        if day < each.series.next_on <= last and each.series.last_on <= day and not each.has_ended(day)
    ]  # fmt: skip
    values = {"person": person_id, "day": day, "ahead": _AHEAD}
    for words, currency, amount, on, rows in connection.execute(sa.text(_INVOICES), values):
        handle = f"twinning explain invoices_open --day {day}"
        found.append(Due("invoice", words, amount, currency, on, rows, handle))
    return sorted(found, key=lambda each: (each.on, -abs(each.amount), each.words))
