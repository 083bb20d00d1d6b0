"""Each happening is written down once, and queued for every target that wants it; of a burst the rest is summed up."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.products.news.targets import KINDS, Target

# How many pieces of news a target gets of one round; the others are one more.
MOST_AT_ONCE = 5
MORE = "more"
GONE = "gone for good"
LONGEST_TITLE, LONGEST_BODY = 120, 1500


class Happening(Struct, frozen=True):
    """Something worth a word. person: None for what concerns the house. subject: the same is told once.

    title: without anybody's names, amounts or figures, for it goes to public relays as well; these are in the body.
    """

    person: str | None
    kind: str
    subject: str
    title: str
    body: str


_KEEP = """
    insert into news (person_id, kind, subject, title, body, made_at)
    values ((select id from person where name = :person), :kind, :subject, :title, :body, :now)
    on conflict (person_id, kind, subject) do nothing returning id"""
_QUEUE = """
    insert into news_delivery (news_id, target, delivery, state, next_at)
    values (:news, :target, :delivery, 'pending', :now) on conflict do nothing"""
_GONE = "select distinct target from news_delivery where state = 'dead' and problem like :gone"


def tell(
    connection: sa.Connection, happenings: Iterable[Happening], targets: Sequence[Target], now: datetime
) -> list[Happening]:
    """Writes down what is new and queues it; answers what was new. Runs in the caller's transaction."""
    gone = gone_targets(connection)
    hearing = [target for target in targets if target.name not in gone]
    told: list[Happening] = []
    queued, left_out = Counter[str](), dict[str, Counter[str]]()
    for each in sorted(happenings, key=lambda one: KINDS.index(one.kind)):
        news_id = _keep(connection, each, now)
        if news_id is None:
            continue
        told.append(each)
        for target in hearing:
            if not target.wants(each.kind, each.person):
                continue
            if queued[target.name] < MOST_AT_ONCE:
                queued[target.name] += 1
                _queue(connection, news_id, target.name, now)
            else:
                left_out.setdefault(target.name, Counter())[each.kind] += 1
    for target in hearing:
        if target.name in left_out:
            _sum_up(connection, target, left_out[target.name], now)
    return told


def gone_targets(connection: sa.Connection) -> set[str]:
    """Targets that said they are gone for good, until somebody has their dead letters tried again."""
    return set(connection.execute(sa.text(_GONE), {"gone": f"%{GONE}%"}).scalars())


def _sum_up(connection: sa.Connection, target: Target, kinds: Counter[str], now: datetime) -> None:
    counts = ", ".join(f"{kind} {n:,}" for kind, n in sorted(kinds.items()))
    more = Happening(
        target.person,
        MORE,
        f"{target.name} {now.isoformat()}",
        f"And {kinds.total():,} more",
        f"{counts}. `twinning news` lists them all.",
    )
    news_id = _keep(connection, more, now)
    if news_id is not None:
        _queue(connection, news_id, target.name, now)


def _keep(connection: sa.Connection, happening: Happening, now: datetime) -> int | None:
    values = {
        "person": happening.person,
        "kind": happening.kind,
        "subject": happening.subject,
        "title": happening.title[:LONGEST_TITLE],
        "body": happening.body[:LONGEST_BODY],
        "now": now,
    }
    return connection.execute(sa.text(_KEEP), values).scalar_one_or_none()


def _queue(connection: sa.Connection, news_id: int, target: str, now: datetime) -> None:
    connection.execute(sa.text(_QUEUE), {"news": news_id, "target": target, "delivery": uuid4(), "now": now})
