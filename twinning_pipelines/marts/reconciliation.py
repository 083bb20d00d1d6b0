"""Our sums against what the files claim: a statement's closing balance against the bookings since the one before."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class BalanceGap:
    """Between two statements of an account the bookings don't add up: `missing` is what is not there."""

    person: str
    account: str
    since: date
    until: date
    stated: Decimal
    booked: Decimal
    missing: Decimal
    currency: str


# Trades move cash too, so accounts that have any are left out; the newest file's word counts where two claim a day.
_GAPS = """
    with balance as (
        select distinct on (f.person_id, f.source, c.subject, c.unit, c.day)
            f.person_id, f.source, c.subject as account, c.unit as currency, c.day, c.value
        from claim c join intake_file f on f.id = c.file_id
        where c.kind = 'closing_balance' and f.status = 'loaded'
        order by f.person_id, f.source, c.subject, c.unit, c.day, f.as_of desc, f.sha256
    ),
    step as (
        select *, lag(day) over account_history as since, lag(value) over account_history as before
        from balance window account_history as (partition by person_id, source, account, currency order by day)
    ),
    summed as (
        select s.*, coalesce((
            select sum(t.amount) from transaction t
            where t.person_id = s.person_id and t.source = s.source and t.account = s.account
                and t.currency = s.currency and t.absent_since is null and t.booked_on > s.since and t.booked_on <= s.day
        ), 0) as booked
        from step s
        where s.since is not null
            and not exists (select 1 from trade d where d.person_id = s.person_id and d.account = s.account)
    )
    select p.name, account, since, day, value - before, booked, value - before - booked, currency
    from summed join person p on p.id = person_id"""


def balance_steps(connection: sa.Connection) -> int:
    """How many pairs of consecutive balances can be proved at all."""
    return int(connection.execute(sa.text(f"select count(*) from ({_GAPS}) as step")).scalar_one())  # noqa: S608


def balance_gaps(connection: sa.Connection) -> list[BalanceGap]:
    """Every stretch between two stated balances whose bookings don't add up, the oldest first."""
    statement = sa.text(f"select * from ({_GAPS}) as step (a, b, c, d, e, f, g, h) where g <> 0 order by a, b, c")  # noqa: S608
    return [BalanceGap(*row) for row in connection.execute(statement)]
