"""Which names are one security: its ISIN, ticker, name and the broker's number, where a file lists them together.

What stands beside two ISINs, or beside two other ids in the files of one source, says nothing and joins nobody: a name such
as "Common stock", a broker's number that outlived its ISIN. A security is called by its ISIN where one is known, else
by the first of the ids by which rows name it.
"""

# CTEs over the trades and holdings of `:person`: `listed` (ids as rows list them, with the contract's multiplier and what
# the rows come to, as so many times units and price), `known` (told -> security), `named` (security -> its newest name) and
# `multiplied` (security -> its multiplier). `recursive` has to stand before them.
KNOWN_SECURITIES = r"""
    listed as materialized (
        select security, ticker, security_name as name, extra ->> 'isin' as isin, extra ->> 'conid' as conid,
            extra ->> 'cusip' as cusip, coalesce(extra ->> 'multiplier', extra ->> 'SHPERCTRCT') as multiplier, source,
            max(traded_on) as day, null::numeric as worth,
            percentile_disc(0.5) within group (
                order by round(abs((total + coalesce(fees, 0)) / nullif(units * unit_price, 0)), 6))
                -- Another account pays for these, or takes what they bring: the total is what is left.
                filter (where not (source = 'finance.qif' and lower(action) like '%x')) as paid
        from trade where person_id = :person and absent_since is null and security <> '' group by 1, 2, 3, 4, 5, 6, 7, 8
        union all
        select security, ticker, security_name, extra ->> 'isin', extra ->> 'conid', extra ->> 'cusip',
            extra ->> 'multiplier', source, max(held_on),
            max(round(market_value / nullif(units * unit_price, 0), 6)), null
        from holding where person_id = :person and absent_since is null group by 1, 2, 3, 4, 5, 6, 7, 8
        union all
        select entry, (regexp_match(fields ->> 'raw', '(?:^|\n)S([^\n\r]+)'))[1], entry, null, null, null, null,
            source, null::date, null, null
        from register_entry where person_id = :person and absent_since is null and register = 'security'
    ),
    beside as materialized (
        select distinct l.security as one, v.other, l.source, l.security ~ '^[A-Z]{2}[A-Z0-9]{9}\d$' as is_isin
        from listed l, lateral (values (ticker), (name), (isin), (conid), (cusip)) as v (other)
        where coalesce(v.other, '') <> '' and v.other <> l.security
        -- The number of an American security stands inside its ISIN.
        union select security, substr(security, 3, 9), '', true from listed where security ~ '^(US|CA)[A-Z0-9]{9}\d$'
        union select isin, substr(isin, 3, 9), '', true from listed where isin ~ '^(US|CA)[A-Z0-9]{9}\d$'
    ),
    vague as (
        select other from beside where is_isin group by other having count(distinct one) > 1
        union select other from beside where not is_isin group by other, source having count(distinct one) > 1
    ),
    link as materialized (
        select one, other from beside where other not in (select other from vague)
        union select other, one from beside where other not in (select other from vague)
    ),
    reached (told, other) as (
        select one, one from link
        union
        select r.told, l.other from reached r join link l on l.one = r.other
    ),
    known as materialized (
        select distinct on (told) told, other as security
        from reached
        order by told, other !~ '^[A-Z]{2}[A-Z0-9]{9}\d$', other not in (select security from listed), other
    ),
    named as materialized (
        select distinct on (coalesce(k.security, l.security)) coalesce(k.security, l.security) as security, l.name
        from listed l left join known k on k.told = l.security
        where coalesce(l.name, '') <> ''
        order by 1, l.day desc nulls last, l.name
    ),
    -- What a price is a price of: a bond's is a hundredth of its face value, an option's contract is for a hundred shares.
    -- What rows come to says it best, for IBKR lists 1 for a bond; accrued interest makes that of a trade inexact.
    multiplied as materialized (
        select coalesce(k.security, l.security) as security, coalesce(
            mode() within group (
                order by (select t from unnest(s.steps) t where l.worth between t * 0.98 and t * 1.02)),
            mode() within group (
                order by (select t from unnest(s.steps) t where l.paid between t * 0.9 and t * 1.1)),
            max(case when l.multiplier ~ '^\d{1,9}(\.\d{1,9})?$' then nullif(l.multiplier::numeric, 0) end)
        ) as multiplier
        from (select array[0.01, 0.1, 1, 10, 100, 1000] as steps) s
        cross join listed l
        left join known k on k.told = l.security
        group by 1
    )"""
