"""What is in an account by day, and whether the bookings between two stated balances make up the difference.

A stated closing balance is the end of its day and counts before our sums: later days are it and the bookings since,
earlier days it less the bookings until then. An account of which nobody states a balance begins at nothing.
"""

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from msgspec import Struct

# Ghostfolio knows no deposits, and its activities move the cash of an account only if asked to: its owner notes the cash.
_NOTED = "'finance.ghostfolio'"

# The newest file's word counts where two state the balance of a day, and the last of several in one file. What a file
# states of the very day on which it was made is of that moment: bookings of the day that it does not tell came later.
# What an owner notes counts where no statement closes.
STATED = """
    with told as (
        select distinct on (n.account_id, currency, c.day)
            n.account_id, case c.unit when 'XXX' then a.currency else c.unit end as currency, c.day, c.value, c.file_id,
            c.at, c.kind, local_day(f.person_id, f.as_of) = c.day as is_of_the_moment
        from claim c
        join intake_file f on f.id = c.file_id and f.status = 'loaded'
        join account_name n on n.person_id = f.person_id and n.told = c.subject
        join account a on a.id = n.account_id
        where c.kind = 'closing_balance' or c.kind = 'stated_balance' and not exists (
            select 1 from claim k join account_name m on m.person_id = f.person_id and m.told = k.subject
            where k.kind = 'closing_balance' and m.account_id = n.account_id)
        order by n.account_id, currency, c.day, f.as_of desc, f.sha256, c.id desc
    )
    select s.account_id, s.currency, s.day, s.file_id, s.at, s.kind, s.value + case when is_of_the_moment then coalesce((
            select sum(b.amount) from booking b
            where b.account_id = s.account_id and b.currency = s.currency and b.booked_on = s.day
                and b.gone_since is null and not b.pending and not exists (
                    select 1 from booking_telling t join transaction_sighting g on g.transaction_id = t.transaction_id
                    where t.booking_id = b.id and g.file_id = s.file_id)
                and exists (
                    select 1 from transaction_sighting g join transaction t on t.id = g.transaction_id
                    where g.file_id = s.file_id and t.booked_on >= s.day - 7)
        ), 0) else 0 end as value
    from told s"""

# What trades cost or bring `:person`. Where several sources tell of one account, `is_told` is true of one source's trades
# alone. `moves_cash` is not of those that another source, such as a finance program, books on the same day as the same sum.
TRADED = f"""
    select m.*, is_told and source <> {_NOTED} and nth > (
            select count(*) from booking b
            where b.account_id = m.account_id and b.booked_on = m.day and b.currency = m.currency and b.amount = m.total
                and b.gone_since is null and not b.pending and not exists (
                    select 1 from booking_telling g join transaction r on r.id = g.transaction_id
                    where g.booking_id = b.id and r.source = m.source)
        ) as moves_cash
    from (
        select t.id as trade_id, n.account_id, case t.currency when 'XXX' then a.currency else t.currency end as currency,
            t.traded_on as day, t.total, t.file_id, t.at, t.source,
            t.action || ' ' || coalesce(nullif(t.security_name, ''), t.security) as label,
            t.source = first_value(t.source) over (
                partition by n.account_id order by t.source = {_NOTED}, t.source) as is_told,
            row_number() over (partition by n.account_id, t.source, t.currency, t.traded_on, t.total order by t.id) as nth
        from trade t
        join account_name n on n.person_id = t.person_id and n.told = t.account
        join account a on a.id = n.account_id
        where t.person_id = :person and t.absent_since is null and t.total <> 0
    ) m"""

# Bookings of `:person` that nobody but Ghostfolio tells.
ONLY_NOTED = f"""
    select g.booking_id from booking_telling g join transaction r on r.id = g.transaction_id
    where r.person_id = :person and r.source = {_NOTED} and not exists (
        select 1 from booking_telling h join transaction o on o.id = h.transaction_id
        where h.booking_id = g.booking_id and o.source <> {_NOTED})"""

# Everything that moves the money of `:person`'s accounts: bookings, and what trades cost or bring, by one source of each account.
MOVEMENTS = f"""
    select b.account_id, b.currency, b.booked_on as day, b.amount, 'transaction' as record, b.file_id, b.at,
        coalesce(nullif(b.payee, ''), b.memo) as label
    from booking b
    where b.person_id = :person and b.gone_since is null and not b.pending and b.id not in ({ONLY_NOTED})
    union all
    select account_id, currency, day, total, 'trade', file_id, at, label
    from ({TRADED}) as traded where moves_cash"""

# For each day with bookings or a stated balance: the sum of all bookings up to it, and from which stated balance, taken
# with the sum of its own day, the rest follows: the last one before, else the first one after.
_BALANCES = f"""
    with stated as materialized ({STATED}),
    moved as (
        select account_id, currency, day, sum(amount) as moved, count(*) as n from ({MOVEMENTS}) as movement
        group by 1, 2, 3
    ),
    days as (
        select coalesce(m.account_id, s.account_id) as account_id, coalesce(m.currency, s.currency) as currency,
            coalesce(m.day, s.day) as day, coalesce(m.moved, 0) as moved, coalesce(m.n, 0) as n, s.value as stated
        from moved m full join stated s using (account_id, currency, day)
        where coalesce(m.account_id, s.account_id) in (select id from account where person_id = :person)
    ),
    summed as (
        select *, sum(moved) over so_far as total, sum(n) over so_far as rows, count(stated) over so_far as anchors
        from days window so_far as (partition by account_id, currency order by day)
    ),
    anchored as (
        select *,
            first_value(stated - total) over stretch as since, first_value(rows) over stretch as rows_before,
            first_value(stated - total) over whole as earliest, first_value(rows) over whole as rows_until
        from summed
        window stretch as (partition by account_id, currency, anchors order by day),
            whole as (
                partition by account_id, currency order by (stated is null), day
                rows between unbounded preceding and unbounded following)
    )
    select account_id, currency, day,
        total + case when anchors > 0 then since else coalesce(earliest, 0) end, stated is not null,
        case when anchors > 0 then 1 + rows - rows_before when earliest is not null then 1 + rows_until - rows else rows end
    from anchored"""

_KEEP = f"""
    with told as ({_BALANCES}),
    fresh (account_id, currency, day, balance, stated, n) as (select * from told),
    old as (
        select b.* from account_balance b join account a on a.id = b.account_id where a.person_id = :person
    ),
    differing as (
        select min(coalesce(f.day, o.day)) as first
        from fresh f full join old o using (account_id, currency, day)
        where (f.balance, f.stated, f.n) is distinct from (o.balance, o.stated, o.n)
    ),
    gone as (
        delete from account_balance b using old o, differing d
        where b.account_id = o.account_id and b.currency = o.currency and b.day = o.day and b.day >= d.first
            and not exists (
                select 1 from fresh f where (f.account_id, f.currency, f.day) = (o.account_id, o.currency, o.day))
    ),
    kept as (
        insert into account_balance select f.* from fresh f, differing d where f.day >= d.first
        on conflict (account_id, currency, day) do update
            set balance = excluded.balance, stated = excluded.stated, n = excluded.n
    )
    insert into stale_day (person_id, day)
    select cast(:person as smallint), day::date
    from differing, generate_series(first, current_date + 1, interval '1 day') as day
    on conflict do nothing"""


class BalanceGap(Struct, frozen=True):
    """Between two statements of an account the bookings don't add up: `missing` is what is not there."""

    person: str
    account: str
    since: date
    until: date
    stated: Decimal
    booked: Decimal
    missing: Decimal
    currency: str


# Every stretch between two stated balances, as `BalanceGap`. What an account begins with is checked by itself, if its file
# holds one statement that says where it begins: by the rows of the file, for banks date the beginning by the day before, or
# by the first day. Trades move cash too, so accounts that have any are left out.
GAPS = f"""
    with step as (
        select *, lag(day) over account_history as since, lag(value) over account_history as before
        from ({STATED}) balance where kind = 'closing_balance'
        window account_history as (partition by account_id, currency order by day)
    ),
    between_two as (
        select account_id, currency, since, day, value - before as moved, coalesce((
            select sum(b.amount) from booking b
            where b.account_id = s.account_id and b.currency = s.currency and b.gone_since is null and not b.pending
                and b.booked_on > s.since and b.booked_on <= s.day
        ), 0) as booked
        from step s where since is not null
    ),
    statement as (
        select c.file_id, n.account_id, c.subject, c.unit, min(c.day) filter (where c.kind = 'opening_balance') as since,
            sum(case c.kind when 'closing_balance' then c.value else -c.value end) as moved
        from claim c join intake_file f on f.id = c.file_id
        join account_name n on n.person_id = f.person_id and n.told = c.subject
        where c.kind in ('opening_balance', 'closing_balance')
        group by 1, 2, 3, 4
        having count(*) = 2 and count(distinct c.kind) = 2
    ),
    within_the_first as (
        select s.account_id, s.currency, t.since, s.day, t.moved, coalesce((
            select sum(r.amount) from transaction_sighting g join transaction r on r.id = g.transaction_id
            where g.file_id = s.file_id and r.account = t.subject and r.currency in (s.currency, 'XXX')
                and r.absent_since is null and not coalesce(r.pending, false)
        ), 0)
        from step s join statement t on t.file_id = s.file_id and t.account_id = s.account_id and t.unit in (s.currency, 'XXX')
        where s.since is null
    )
    select p.name, a.name, s.since, s.day, s.moved, s.booked, s.moved - s.booked, s.currency
    from (select * from between_two union all select * from within_the_first) s
    join account a on a.id = s.account_id join person p on p.id = a.person_id
    where not exists (
        select 1 from trade d join account_name n on n.person_id = d.person_id and n.told = d.account
        where n.account_id = s.account_id and d.absent_since is null)"""


def keep_balances(connection: sa.Connection, person_id: int) -> None:
    """Brings the balances of a person's accounts up to date; from the first that differs all days are stale."""
    connection.execute(sa.text(_KEEP), {"person": person_id})


def balance_steps(connection: sa.Connection) -> int:
    """How many pairs of consecutive balances can be proved at all."""
    return int(connection.execute(sa.text(f"select count(*) from ({GAPS}) as step")).scalar_one())


def balance_gaps(connection: sa.Connection) -> list[BalanceGap]:
    """Every stretch between two stated balances whose bookings don't add up, the oldest first."""
    statement = sa.text(f"select * from ({GAPS}) as step (a, b, c, d, e, f, g, h) where g <> 0 order by a, b, c")
    return [BalanceGap(*row) for row in connection.execute(statement)]
