"""What a person has by day: balances of all accounts and what the holdings are worth, told in the person's own currency.

Money in another currency is converted by the dated rate; where no rate is known it is told apart in its own currency.
"""

import sqlalchemy as sa

from twinning_pipelines.marts.books.balances import TRADED
from twinning_pipelines.marts.books.holdings import PORTFOLIO_VALUE
from twinning_pipelines.marts.books.rates import rates_of
from twinning_pipelines.marts.books.rows import BALANCE_TOTALS

# Which currency a person reckons in: what the rulebook says, else that of most of their accounts.
_HOME = """
    select coalesce(p.currency, (
        select a.currency from account a join account_name n on n.account_id = a.id
        where a.person_id = p.id and a.currency <> 'XXX'
        group by 1 order by count(distinct a.id) desc, 1 limit 1), 'XXX') as currency
    from person p where p.id = :person"""


def own_currency(connection: sa.Connection, person_id: int) -> str:
    """The currency in which a person reckons."""
    return str(connection.execute(sa.text(_HOME), {"person": person_id}).scalar_one())


_ASKED = "select o.day, o.unit as base, h.currency as quote from owned o, home h"


def _converted(owned: str, columns: str) -> str:
    """Each row of `owned` in the person's currency, or in its own where no rate is known."""
    return f"""
        with home as materialized ({_HOME}),
        owned as materialized ({owned}),
        rate as materialized ({rates_of(_ASKED)})
        select {columns}
        from owned o cross join home h
        left join rate r on r.day = o.day and r.base = o.unit and r.quote = h.currency"""


_UNIT = "case when r.rate is null then o.unit else h.currency end"
_AMOUNT = "round(o.amount * coalesce(r.rate, 1), 6)"

NET_WORTH_TOTALS = f"""
    select day, '' as part, unit, sum(amount) as value, count(*) as n
    from ({
    _converted(
        f'''
            select day::date as day, unit, value as amount from ({BALANCE_TOTALS}) as balances
            union all
            select day, unit, amount from ({PORTFOLIO_VALUE}) as holdings where amount <> 0''',
        f"o.day, {_UNIT} as unit, {_AMOUNT} as amount",
    )
}) as worth
    group by day, unit"""

# The newest booking or trade of an account stands for its balance: `twinning explain balance:<account>` tells the rest.
NET_WORTH_ROWS = _converted(
    f"""
        select b.day::date as day, b.unit, b.value as amount, n.record, n.file_id, n.at,
            format('%s: balance of %s %s', b.part, trim_scale(b.value), b.unit) as label
        from ({BALANCE_TOTALS}) as b
        join account a on a.person_id = :person and a.name = b.part
        cross join lateral (
            select record, file_id, at from (
                select 1 as choice, 'transaction' as record, file_id, at, booked_on as day, id from booking
                    where account_id = a.id and booked_on <= b.day and gone_since is null
                union all
                select 1, 'trade', t.file_id, t.at, t.day, t.trade_id from ({TRADED}) t
                    where t.account_id = a.id and t.day <= b.day and t.moves_cash
                union all
                select 2, 'claim', c.file_id, c.at, c.day, c.id from claim c
                    join account_name m on m.person_id = :person and m.told = c.subject
                    where m.account_id = a.id and c.kind in ('closing_balance', 'stated_balance')
            ) as told order by choice, day desc, id desc limit 1
        ) n
        union all
        select day, unit, amount, record, file_id, at, label from ({PORTFOLIO_VALUE}) as holdings where amount <> 0""",
    f"o.day, '' as part, {_UNIT} as unit, {_AMOUNT} as amount, 1::numeric as base, o.record, o.file_id, o.at, o.label",
)
