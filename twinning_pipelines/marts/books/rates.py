"""What a currency cost in another on a day.

The newest rate on or before the day counts, if it is not older than ten days: no bank rates on holidays. A rate of the pair
itself goes first, then the inverse of the other direction, then one crossed over a third currency: the euro, else the
first by its letters. Everything is exact arithmetic on what the files say, so an answer never depends on what was asked
beside it.
"""

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from msgspec import Struct

OLDEST_DAYS = 10

_RATES = """
    with asked as materialized (select distinct day, base, quote from ({asked}) as asked),
    span as (select min(day) as first, max(day) as last from asked),
    coin as (select base as code from asked union select quote from asked),
    told as (
        select e.base, e.quote, e.rated_on, e.rate, false as is_inverse, e.source, e.occurrence, e.file_id, e.at
        from exchange_rate e, span
        where e.person_id = :person and e.absent_since is null and e.rate > 0 and e.base <> e.quote
            and e.rated_on between span.first - {oldest} and span.last
            and (e.base in (select code from coin) or e.quote in (select code from coin))
    ),
    both_ways as (
        select distinct on (base, quote, rated_on) *
        from (
            select * from told
            union all select quote, base, rated_on, 1 / rate, true, source, occurrence, file_id, at from told
        ) as each_way
        order by base, quote, rated_on, is_inverse, source, occurrence
    ),
    lasting as (
        select *, lead(rated_on) over (partition by base, quote order by rated_on) - 1 as until from both_ways
    ),
    daily as materialized (
        select l.base, l.quote, d::date as day, l.rate, l.file_id, l.at
        from lasting l, span, generate_series(
            greatest(l.rated_on, span.first), least(l.until, l.rated_on + {oldest}, span.last), interval '1 day') d
    ),
    plain as (
        select a.day, a.base, a.quote, case when a.base = a.quote then 1 else d.rate end as rate, d.file_id, d.at
        from asked a left join daily d using (day, base, quote)
    ),
    crossed as (
        select distinct on (p.day, p.base, p.quote) p.day, p.base, p.quote, x.rate * y.rate as rate, x.quote as via,
            x.file_id, x.at
        from plain p
        join daily x on x.day = p.day and x.base = p.base
        join daily y on y.day = p.day and y.base = x.quote and y.quote = p.quote
        where p.rate is null
        order by p.day, p.base, p.quote, x.quote <> 'EUR', x.quote
    )
    select day, base, quote, rate, '' as via, file_id, at from plain where rate is not null
    union all select day, base, quote, rate, via, file_id, at from crossed"""


class Rate(Struct, frozen=True):
    """What one unit of a currency cost. via: the currency over which two rates were crossed, empty for one rate.

    file_id, at: where the rate stands, the first of two; None for a currency in itself.
    """

    rate: Decimal
    via: str
    file_id: int | None
    at: int | None


def rates_of(asked: str) -> str:
    """SQL for the rates that a query asks for: its columns are day, base and quote, and `:person` is whose files tell.

    Answers `day, base, quote, rate, via, file_id, at`, and no row where no rate is known. To be joined as a subquery:
    `left join ({rates_of(...)}) r using (day, base, quote)`.
    """
    return _RATES.format(asked=asked, oldest=OLDEST_DAYS)


def rate_of(connection: sa.Connection, person_id: int, base: str, quote: str, day: date) -> Rate | None:
    """One rate; None where no file of the person tells it within ten days."""
    asked = "select cast(:day as date) as day, cast(:base as text) as base, cast(:quote as text) as quote"
    statement = f"select rate, via, file_id, at from ({rates_of(asked)}) as r"
    values = {"person": person_id, "base": base, "quote": quote, "day": day}
    found = connection.execute(sa.text(statement), values).first()
    return None if found is None else Rate(*found)
