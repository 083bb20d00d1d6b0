"""What a person held on each day and what it was worth: the newest statement on or before the day, and the trades after it.

Units: a statement says what an account held at the end of its day, and what it leaves out was not held; without any
statement the trades alone are added up. Trades that two sources tell of one account, day and security count once. Splits
multiply units. Futures and contracts for difference have no worth of their own, and currencies are cash.

Prices: the newest on or before the day from anywhere: price lists, statements, trades. Among those of the newest ten days
a list or statement goes before a trade, and the currency of the holding before another. A price from before a split is
divided by it.
"""

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.marts.books.securities import KNOWN_SECURITIES

# Prices that differ by so many days are as fresh: no exchange has one on holidays.
FRESH_DAYS = 10

_NO_WORTH = "coalesce(extra ->> 'assetCategory', '') in ('CASH', 'FUT', 'CFD')"

# OFX and QIF write units as each bank likes; the action says what happened to them. Elsewhere units are signed.
_CHANGE = """
    case source
        when 'finance.ofx' then case
            when action like 'BUY%' or action = 'REINVEST' then abs(units)
            when action like 'SELL%' then -abs(units)
            when action = 'TRANSFER' and upper(extra ->> 'TFERACTION') = 'OUT' then -abs(units)
            when action in ('TRANSFER', 'CLOSUREOPT') then units
        end
        when 'finance.qif' then case when lower(action) ~ '^(buy|sell|shrs|reinv|cvrshrt|shtsell)' then units end
        else units
    end"""

# By how much each unit is more afterwards: OFX names both counts, QIF ten times their ratio.
_SPLIT = r"""
    case
        when source = 'finance.ofx' and action = 'SPLIT' then
            (select n::numeric / d::numeric from (values
                (extra ->> 'NUMERATOR', extra ->> 'DENOMINATOR'), (extra ->> 'NEWUNITS', extra ->> 'OLDUNITS')) as v (n, d)
            where n ~ '^\d{1,9}(\.\d{1,9})?$' and d ~ '^\d{1,9}(\.\d{1,9})?$' and n ~ '[1-9]' and d ~ '[1-9]' limit 1)
        when source = 'finance.qif' and lower(action) = 'stksplit' and units > 0 then units / 10
    end"""

# The same of a broker who books the units that a split adds: only prices have to know it. Whether the ratio stands in
# `description` or in `actionDescription` alone follows from the fields that a query has.
_SPLIT_TOLD = r"""
    case when source = 'finance.ibkr_flex' and action in ('FS', 'RS') then (
        select m[1]::numeric / m[2]::numeric
        from regexp_match(
            concat_ws(' ', memo, extra ->> 'actionDescription'), 'SPLIT ([1-9]\d{0,5}) FOR ([1-9]\d{0,5})') as m
    ) end"""

# What statements say that `:person` held. Where several sources state an account's day, `told_by` is the one that counts.
PLACED_HOLDINGS = """
    select h.*, n.account_id, coalesce(n.account_id::text, h.account) as place,
        min(h.source) over (partition by coalesce(n.account_id::text, h.account), h.held_on) as told_by
    from holding h
    left join account_name n on n.person_id = h.person_id and n.told = h.account
    where h.person_id = :person and h.absent_since is null"""

_EVENTS = f"""
    stated as materialized (
        select h.place, coalesce(a.name, h.account) as account,
            coalesce(k.security, h.security) as security, h.held_on as day, h.source, h.id, h.currency, h.units,
            coalesce(h.unit_price, round(h.market_value / nullif(h.units * coalesce(m.multiplier, 1), 0), 10)) as unit_price,
            h.file_id, h.at,
            {_NO_WORTH} as has_no_worth, h.told_by
        from ({PLACED_HOLDINGS}) as h
        left join account a on a.id = h.account_id
        left join known k on k.told = h.security
        left join multiplied m on m.security = coalesce(k.security, h.security)
        where h.held_on <= cast(:last as date)
    ),
    statement as (
        select place, day from stated group by 1, 2
    ),
    since as (
        select place, max(day) as day from statement where day <= cast(:first as date) group by 1
    ),
    moved as materialized (
        select coalesce(n.account_id::text, t.account) as place, coalesce(a.name, t.account) as account,
            coalesce(k.security, t.security) as security, t.traded_on as day, t.source, t.id, t.currency, t.unit_price,
            round({_CHANGE}, 8) as change, {_SPLIT} as split, {_SPLIT_TOLD} as split_told, t.file_id, t.at
        from trade t
        left join account_name n on n.person_id = t.person_id and n.told = t.account
        left join account a on a.id = n.account_id
        left join known k on k.told = t.security
        where t.person_id = :person and t.absent_since is null and t.security <> '' and not {_NO_WORTH}
            and t.traded_on <= cast(:last as date)
    ),
    traded as materialized (
        -- The n-th of one source and the n-th of another are one trade.
        select distinct on (place, security, day, round(change, 3), split, nth) *
        from (
            select moved.*, row_number() over (
                partition by place, security, moved.day, source, round(change, 3), split order by id) as nth
            from moved left join since using (place)
            where (change <> 0 or split is not null) and (since.day is null or moved.day > since.day)
        ) as numbered
        order by place, security, day, round(change, 3), split, nth, source
    )"""

_UNITS = """
    subject as (
        select place, security from traded
        union select place, security from stated where not has_no_worth
    ),
    dated as (
        select t.place, t.security, t.day, null::numeric as reset, sum(t.change) as change,
            round(exp(sum(ln(t.split))), 12) as split, (array_agg(t.id order by t.source desc, t.id desc))[1] as trade_id,
            null::bigint as holding_id
        from traded t
        where not exists (select 1 from statement d where d.place = t.place and d.day = t.day)
        group by 1, 2, 3
        union all
        -- What a statement leaves out was not held.
        select s.place, s.security, d.day, coalesce(sum(h.units), 0), null, null, null,
            (array_agg(h.id order by h.id))[1]
        from subject s
        join statement d on d.place = s.place
        left join since on since.place = s.place
        left join stated h on h.place = s.place and h.security = s.security and h.day = d.day
            and h.source = h.told_by and not h.has_no_worth
        where since.day is null or d.day >= since.day
        group by 1, 2, 3
    ),
    scaled as (
        select *, sum(ln(split)) over in_order as scale, count(reset) over in_order as era
        from dated window in_order as (partition by place, security order by day)
    ),
    summed as (
        select place, security, day, trade_id, holding_id,
            lead(day) over (partition by place, security order by day) as until,
            -- Sums stay exact where nothing was split.
            round(case when count(split) over (partition by place, security) = 0
                then sum(coalesce(reset, change, 0)) over in_era
                else exp(coalesce(scale, 0)) * sum(coalesce(reset, change, 0) * exp(-coalesce(scale, 0))) over in_era
            end, 8) as units
        from scaled window in_era as (partition by place, security, era order by day)
    ),
    held as materialized (
        select s.place, s.security, s.units, greatest(s.day, cast(:first as date)) as first,
            least(s.until - 1, cast(:last as date)) as last, coalesce(t.account, h.account) as account,
            coalesce(t.currency, h.currency) as currency, case when t.id is null then 'holding' else 'trade' end as record,
            coalesce(t.file_id, h.file_id) as file_id, coalesce(t.at, h.at) as at
        from summed s
        left join moved t on t.id = s.trade_id
        left join stated h on h.id = s.holding_id
        where s.units <> 0 and s.day <= cast(:last as date) and (s.until is null or s.until > cast(:first as date))
    )"""

_PRICES = f"""
    called as materialized (
        select told, k.security from known k where k.security in (select security from held)
        union select security, security from held
    ),
    teller (source) as (
        (select source from price where person_id = :person order by source limit 1)
        union all
        select (select p.source from price p where p.person_id = :person and p.source > t.source order by source limit 1)
        from teller t where t.source is not null
    ),
    newest_listed as materialized (
        select c.security, c.told, s.source, (
            select p.priced_on from price p
            where p.person_id = :person and p.source = s.source and p.security = c.told and p.absent_since is null
                and p.priced_on <= cast(:first as date)
            order by p.priced_on desc limit 1) as day
        from called c cross join teller s
        where s.source is not null
    ),
    listed_price as (
        -- By the index (`offset` keeps it so): the newest of each name on or before the first day, with those as fresh.
        select n.security, p.priced_on as day, p.currency, p.unit_price, p.file_id, p.at, p.source, p.occurrence
        from newest_listed n
        cross join lateral (
            select * from price p
            where p.person_id = :person and p.source = n.source and p.security = n.told and p.absent_since is null
                and p.priced_on between n.day - {FRESH_DAYS} and cast(:first as date)
            offset 0
        ) p
        union all
        select c.security, p.priced_on, p.currency, p.unit_price, p.file_id, p.at, p.source, p.occurrence
        from price p join called c on c.told = p.security
        where p.person_id = :person and p.absent_since is null
            and p.priced_on > cast(:first as date) and p.priced_on <= cast(:last as date)
    ),
    told_price as materialized (
        select security, day, currency, unit_price, 2 as rank, 'holding' as record, file_id, at, source, id
        from stated where unit_price > 0 and not has_no_worth and security in (select security from held)
        union all
        select security, day, currency, unit_price, 3, 'trade', file_id, at, source, id
        from moved where unit_price > 0 and change <> 0 and security in (select security from held)
    ),
    standing as (
        select security, currency, rank, max(day) as day from told_price where day <= cast(:first as date) group by 1, 2, 3
    ),
    quote as (
        select security, day, currency, unit_price, 1 as rank, 'price' as record, file_id, at, source, occurrence
        from listed_price where unit_price is not null
        union all
        select t.* from told_price t left join standing s using (security, currency, rank)
        where t.day > cast(:first as date) or t.day = s.day
    ),
    series as (
        select *, lead(day) over (partition by security, currency, rank = 3 order by day) - 1 as until
        from (
            select distinct on (security, currency, rank = 3, day) * from quote
            order by security, currency, rank = 3, day, rank, source, occurrence
        ) as quote_of_a_day
    ),
    daily_quote as materialized (
        select s.security, s.currency, s.rank, s.day as quoted_on, s.unit_price, s.record, s.file_id, s.at, d::date as day
        from series s, generate_series(
            greatest(s.day, cast(:first as date)), least(s.until, cast(:last as date)), interval '1 day') d
    ),
    split_of as materialized (
        select distinct security, day, coalesce(split, split_told) as factor
        from moved where coalesce(split, split_told) is not null
    )"""

# The newest quote tells what is fresh; of what is as fresh, the best of its kind counts.
_VALUED = f"""
    newest_quote as (select security, day, max(quoted_on) as quoted_on from daily_quote group by 1, 2),
    held_day as materialized (
        select h.*, d::date as day
        from held h, generate_series(h.first, coalesce(h.last, cast(:last as date)), interval '1 day') d
    ),
    chosen as (
        select distinct on (h.place, h.security, h.day) h.*, q.quoted_on, q.unit_price as quoted, q.record as price_record,
            q.file_id as price_file, q.at as price_at,
            coalesce(nullif(q.currency, 'XXX'), h.currency) as unit
        from held_day h
        left join newest_quote n on n.security = h.security and n.day = h.day
        left join daily_quote q on q.security = h.security and q.day = h.day
        order by h.place, h.security, h.day, q.quoted_on < n.quoted_on - {FRESH_DAYS}, q.rank = 3,
            h.currency <> 'XXX' and q.currency not in (h.currency, 'XXX'), q.quoted_on desc, q.currency
    ),
    valued as materialized (
        select c.*, coalesce(n.name, c.security) as name, coalesce(m.multiplier, 1) as multiplier,
            c.quoted / coalesce((
                select round(exp(sum(ln(s.factor))), 12) from split_of s
                where s.security = c.security and s.day > c.quoted_on and s.day <= c.day), 1) as unit_price
        from chosen c
        left join named n on n.security = c.security
        left join multiplied m on m.security = c.security
    )"""

_ALL = f"with recursive {KNOWN_SECURITIES}, {_EVENTS}, {_UNITS}, {_PRICES}, {_VALUED}"

# The rows of the fact: what tells the units carries the value, and what tells the price stands beside it with nothing.
PORTFOLIO_VALUE = f"""
    {_ALL}
    select day, security as part, unit, round(units * unit_price * multiplier, 6) as amount, 1::numeric as base, record,
        file_id, at, format('%s: %s at %s of %s, %s', name, trim_scale(units), trim_scale(round(unit_price, 6)), quoted_on,
            account) as label
    from valued where unit_price is not null
    union all
    select day, security, unit, 0, 1, price_record, price_file, price_at,
        format('%s: price of %s', name, quoted_on)
    from valued
    where unit_price is not null and (price_record, price_file, price_at) is distinct from (record, file_id, at)"""

# The same by day, security and currency, without looking at where each row stands.
PORTFOLIO_TOTALS = f"""
    {_ALL}
    select day, security as part, unit, sum(round(units * unit_price * multiplier, 6)) as value,
        (count(*) + count(*) filter (
            where (price_record, price_file, price_at) is distinct from (record, file_id, at))) as n
    from valued where unit_price is not null group by 1, 2, 3"""

_HELD = f"""
    {_ALL}
    select day, account, security, name, units, unit, unit_price, quoted_on, round(units * unit_price * multiplier, 6),
        record, file_id, at, price_record, price_file, price_at
    from valued order by day, account, name, security"""


class Held(Struct, frozen=True):
    """What an account held of a security at the end of a day; without price and value where nobody tells a price.

    value: in `currency`, with the multiplier of bonds and options. record, file_id, at: what tells the units, and
    likewise for the price.
    """

    day: date
    account: str
    security: str
    name: str
    units: Decimal
    currency: str
    unit_price: Decimal | None
    quoted_on: date | None
    value: Decimal | None
    record: str
    file_id: int
    at: int
    price_record: str | None
    price_file: int | None
    price_at: int | None


def held_between(connection: sa.Connection, person_id: int, first: date, last: date) -> list[Held]:
    """Everything a person held on each day from the first to the last, by day, account and name."""
    values = {"person": person_id, "first": first, "last": last}
    return [Held(*row) for row in connection.execute(sa.text(_HELD), values)]
