"""One row per person, metric and local day: what dashboards and facts read instead of millions of samples.

A day of a summed metric is the day of its fullest origin: a phone and a watch count the same steps, and adding them
would double the day. Other metrics take all origins together.
"""

import sqlalchemy as sa

_CLEAR = """
    delete from daily_rollup r using stale_rollup w
    where w.person_id = :person and (r.person_id, r.metric_id, r.day) = (w.person_id, w.metric_id, w.day)"""

_FILL = """
    insert into daily_rollup (person_id, metric_id, day, value, n, low, high, origin_id)
    with by_origin as (
        select w.metric_id, w.day, s.origin_id, count(*) as n, sum(s.value) as total, min(s.value) as low,
            max(s.value) as high, max(s.started_at) as last_at,
            (array_agg(s.value order by s.started_at desc, s.ended_at desc, s.occurrence desc))[1] as last
        from stale_rollup w
        cross join lateral day_span(w.person_id, w.day) d
        join sample s on s.person_id = w.person_id and s.metric_id = w.metric_id
            and s.started_at >= d.starts and s.started_at < d.ends
        where w.person_id = :person
        group by 1, 2, 3
    ),
    fullest as (
        select distinct on (metric_id, day) * from by_origin order by metric_id, day, total desc, origin_id
    )
    select :person, b.metric_id, b.day, b.total, b.n, b.low, b.high, b.origin_id
    from fullest b join metric m on m.id = b.metric_id where m.total = 'sum'
    union all
    select :person, b.metric_id, b.day,
        case m.total
            when 'min' then min(b.low)
            when 'max' then max(b.high)
            when 'last' then (array_agg(b.last order by b.last_at desc, b.origin_id))[1]
            else sum(b.total) / sum(b.n)
        end,
        sum(b.n), min(b.low), max(b.high), null
    from by_origin b join metric m on m.id = b.metric_id where m.total <> 'sum'
    group by b.metric_id, b.day, m.total"""


def refresh_rollups(connection: sa.Connection, person_id: int) -> None:
    """Counts the stale days of a person's metrics afresh, in the caller's transaction."""
    for statement in (_CLEAR, _FILL, "delete from stale_rollup where person_id = :person"):
        connection.execute(sa.text(statement), {"person": person_id})
