"""What was told to whom, what waits, what is dead: as lists for people."""

from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct


class ToldNews(Struct, frozen=True):
    """One piece of news and how it fared with one target; target is empty where nobody wanted it.

    state: delivered, pending, dead; empty without a target.
    """

    news_id: int
    person: str
    kind: str
    title: str
    body: str
    made_at: datetime
    target: str
    state: str
    attempts: int
    next_at: datetime | None
    delivered_at: datetime | None
    problem: str


class Standing(Struct, frozen=True):
    """How the queue of one target stands."""

    target: str
    delivered: int
    pending: int
    dead: int


_TOLD = """
    select n.id, coalesce(p.name, ''), n.kind, n.title, n.body, n.made_at, coalesce(d.target, ''), coalesce(d.state, ''),
        coalesce(d.attempts, 0), d.next_at, d.delivered_at, coalesce(d.problem, '')
    from (
        select * from news
        where cast(:person as text) is null or person_id = (select id from person where name = :person)
        order by id desc limit :most
    ) n
    left join person p on p.id = n.person_id left join news_delivery d on d.news_id = n.id
    order by n.id desc, d.target"""
_STANDINGS = """
    select target, count(*) filter (where state = 'delivered'), count(*) filter (where state = 'pending'),
        count(*) filter (where state = 'dead')
    from news_delivery group by target order by target"""


def told_news(connection: sa.Connection, person: str | None = None, most: int = 50) -> list[ToldNews]:
    """The newest pieces of news, of one person or of all, each once for every target."""
    values = {"person": person, "most": most}
    return [ToldNews(*row) for row in connection.execute(sa.text(_TOLD), values)]


def standings(connection: sa.Connection) -> list[Standing]:
    """The queues, by target."""
    return [Standing(*row) for row in connection.execute(sa.text(_STANDINGS))]
