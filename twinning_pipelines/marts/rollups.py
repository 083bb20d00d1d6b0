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
    with placed as materialized (
        select s.metric_id, (s.started_at at time zone z.zone)::date as day, s.origin_id, s.value,
            s.started_at, s.ended_at, s.occurrence
        from sample s
        join person_clock z on z.person_id = s.person_id and s.started_at >= z.since and s.started_at < z.until
        where s.person_id = :person and s.metric_id = any(:metrics)
            and s.started_at >= cast(:first as date)::timestamptz - interval '1 day'
            and s.started_at < cast(:last as date)::timestamptz + interval '2 days'
    ),
    by_origin as (
        select s.metric_id, s.day, s.origin_id, count(*) as n, sum(s.value) as total, min(s.value) as low,
            max(s.value) as high, max(s.started_at) as last_at,
            (array_agg(s.value order by s.started_at desc, s.ended_at desc, s.occurrence desc))[1] as last
        from placed s
        join stale_rollup w on w.person_id = :person and w.metric_id = s.metric_id and w.day = s.day
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


# The days are found by one pass over the samples between the first and the last of them: joins by equality only, so
# that a fresh load without statistics can't lead the planner into comparing every sample with every day.
_SPAN = """
    select array_agg(distinct metric_id) as metrics, min(day) as first, max(day) as last
    from stale_rollup where person_id = :person"""


def refresh_rollups(connection: sa.Connection, person_id: int) -> None:
    """Counts the stale days of a person's metrics afresh, in the caller's transaction."""
    values = {"person": person_id}
    span = connection.execute(sa.text(_SPAN), values).one()
    if span.metrics is None:
        return
    connection.execute(sa.text(_CLEAR), values)
    connection.execute(sa.text(_FILL), values | dict(span._mapping))  # noqa: SLF001  (SQLAlchemy's public name for it)
    connection.execute(sa.text("delete from stale_rollup where person_id = :person"), values)
