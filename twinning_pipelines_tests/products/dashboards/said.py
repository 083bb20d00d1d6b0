"""What is said of the five people: summaries, news, insights and journal entries, put straight into their tables."""

from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa

_DAYS = 365

_SUMMARIES = """
    insert into summary (person_id, kind, day, path, headline, text, sentences, facts, seconds, made_at)
    select p.id, 'day', d::date, (array['model', 'retry', 'template'])[1 + extract(doy from d)::integer % 3],
        'Longest night in a month', 'You slept longer than usual and walked as you mostly do.', '[]', '[]', 2.5,
        d + interval '30 hours'
    from person p, generate_series(cast(:first as date), cast(:last as date), interval '1 day') d where p.name = any(:people)"""
_NEWS = """
    insert into news (person_id, kind, subject, title, body, made_at)
    select p.id, 'budget', 'food ' || d::date, 'A budget is used up', 'Food: 1,512.40 of 1,500 CHF', d + interval '20 hours'
    from person p, generate_series(cast(:first as date), cast(:last as date), interval '3 days') d where p.name = any(:people)"""
_DELIVERIES = """
    insert into news_delivery (news_id, target, delivery, state, attempts, problem)
    select id, 'phone', cast(:delivery as uuid), case when id % 40 = 0 then 'dead' else 'delivered' end, 1,
        case when id % 40 = 0 then '404: no such device' end
    from news"""
_INSIGHTS = """
    insert into insight (person_id, made_on, first_fact, second_fact, lag_days, n, n_effective, r, low, high, p, q, holds)
    select p.id, cast(:last as date) - 20, v.one, v.other, v.lag, 340, 210, v.r, v.r - 0.1, v.r + 0.1, v.p, v.p * 12, v.p < 0.001
    from person p, (values ('steps', 'sleep', 0, 0.31, 0.00001), ('workouts', 'resting_heart_rate', 1, -0.22, 0.0004),
        ('spend', 'sleep', 0, 0.04, 0.6)) as v (one, other, lag, r, p)
    where p.name = any(:people)"""
_JOURNAL = """
    insert into journal_entry (person_id, day, said_at, text, file_id)
    select p.id, d::date, d + interval '19 hours', 'A good day, mostly outside.',
        (select min(id) from intake_file f where f.person_id = p.id)
    from person p, generate_series(cast(:first as date), cast(:last as date), interval '2 days') d where p.name = any(:people)"""


def say(connection: sa.Connection, people: tuple[str, ...], last: date) -> None:
    """A year of words about everybody, up to the last day."""
    values = {"people": list(people), "first": last - timedelta(days=_DAYS), "last": last, "delivery": str(UUID(int=7))}
    for statement in (_SUMMARIES, _NEWS, _DELIVERIES, _INSIGHTS, _JOURNAL):
        connection.execute(sa.text(statement), values)
