"""The queue: each delivery is tried up to five times over about a day, and is a dead letter after that.

A try is counted before it is made, with the time of the next one: a process that dies half-way has lost nothing, and
two that deliver at the same moment never take the same parcel. So a word comes at least once, with one delivery id.
A target that fails gets nothing more in that round, and those that failed before come last: a dead one costs the
others nothing.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from twinning_pipelines.products.news.channels import Outcome, Parcel
from twinning_pipelines.products.news.targets import Target
from twinning_pipelines.products.news.telling import GONE

TRIES = 5
# 5 minutes, half an hour, 3 and 18 hours: a host that is off for a night still hears of it.
_FIRST_WAIT, _TIMES = 300, 6
_MOST_PER_TARGET = 20

_CLAIM = """
    update news_delivery set attempts = attempts + 1,
        next_at = cast(:now as timestamptz) + make_interval(secs => :wait * power(:times, attempts))
    where (news_id, target) = (
        select news_id, target from news_delivery
        where target = :target and state = 'pending' and attempts < :tries and next_at <= :now
        order by news_id limit 1 for update skip locked)
    returning news_id, delivery, attempts"""
_PARCEL = """
    select n.id, n.kind, p.name, n.title, n.body, n.made_at from news n left join person p on p.id = n.person_id
    where n.id = :news"""
_SETTLE = """
    update news_delivery set state = :state, problem = :problem, next_at = case when :state = 'pending' then next_at end,
        delivered_at = case when :state = 'delivered' then cast(:now as timestamptz) end
    where news_id = :news and target = :target and state = 'pending'"""
_LATER = """
    update news_delivery set next_at = greatest(next_at, :later)
    where news_id = :news and target = :target and state = 'pending'"""
_BURY = """
    update news_delivery set state = 'dead', problem = :problem, next_at = null
    where target = :target and state = 'pending'"""
_BROKEN_OFF = """
    update news_delivery set state = 'dead', problem = 'the last try broke off', next_at = null
    where state = 'pending' and attempts >= :tries and next_at <= :now"""
_NOBODY = """
    update news_delivery set state = 'dead', problem = 'nobody is called so any more', next_at = null
    where state = 'pending' and not target = any(:known)"""
_STRUGGLING = "select target, max(attempts) as tried from news_delivery where state = 'pending' group by target"
_RETRY = """
    update news_delivery set state = 'pending', attempts = 0, next_at = :now, problem = null
    where state = 'dead' and (cast(:target as text) is null or target = :target)"""

_FORGET = "delete from news_delivery where state = 'dead' and (cast(:target as text) is null or target = :target)"


class Delivered(Struct, frozen=True):
    """What became of a round's tries. out_of_time: some still wait because the time was up."""

    delivered: int = 0
    failed: int = 0
    dead: int = 0
    out_of_time: bool = False


class _Claimed(Struct, frozen=True):
    parcel: Parcel
    attempts: int


def deliver(
    engine: sa.Engine,
    targets: Sequence[Target],
    now: Callable[[], datetime],
    *,
    link: str = "",
    seconds: float = 60.0,
    clock: Callable[[], float] = time.monotonic,
) -> Delivered:
    """Tries what is due for each target; answers how it went. A try that has begun may go ten seconds over `seconds`."""
    deadline = clock() + seconds
    with engine.begin() as connection:
        connection.execute(sa.text(_BROKEN_OFF), {"tries": TRIES, "now": now()})
        struggling = {row.target: int(row.tried) for row in connection.execute(sa.text(_STRUGGLING))}
    done = Delivered()
    for target in sorted(targets, key=lambda each: struggling.get(each.name, 0)):
        if target.name not in struggling:
            continue
        for _ in range(_MOST_PER_TARGET):
            if clock() >= deadline:
                return replace(done, out_of_time=True)
            claimed = _claim(engine, target, link, now())
            if claimed is None:
                break
            outcome = target.channel.send(claimed.parcel)
            state = _settle(engine, target, claimed, outcome, now())
            done = replace(
                done,
                delivered=done.delivered + (state == "delivered"),
                failed=done.failed + (state == "pending"),
                dead=done.dead + (state == "dead"),
            )
            if outcome.state in ("retry", "gone"):
                break
    return done


def bury_the_nameless(connection: sa.Connection, targets: Sequence[Target]) -> int:
    """What waits for targets that are configured no more becomes a dead letter; answers how much."""
    return connection.execute(sa.text(_NOBODY), {"known": [target.name for target in targets]}).rowcount


def retry_dead(connection: sa.Connection, target: str | None, now: datetime) -> int:
    """Puts dead letters back into the queue, of one target or of all; answers how many."""
    return connection.execute(sa.text(_RETRY), {"target": target, "now": now}).rowcount


def forget_dead(connection: sa.Connection, target: str | None) -> int:
    """Drops dead letters, of one target or of all; answers how many. What they told stays in the list of news."""
    return connection.execute(sa.text(_FORGET), {"target": target}).rowcount


def _claim(engine: sa.Engine, target: Target, link: str, now: datetime) -> _Claimed | None:
    values = {"target": target.name, "now": now, "tries": TRIES, "wait": _FIRST_WAIT, "times": _TIMES}
    with engine.begin() as connection:
        claimed = connection.execute(sa.text(_CLAIM), values).one_or_none()
        if claimed is None:
            return None
        news = connection.execute(sa.text(_PARCEL), {"news": claimed.news_id}).one()
    body = news.body if target.details else None
    parcel = Parcel(claimed.delivery, news.id, news.kind, news.name, news.title, body, news.made_at, link)
    return _Claimed(parcel, claimed.attempts)


def _settle(engine: sa.Engine, target: Target, claimed: _Claimed, outcome: Outcome, now: datetime) -> str:
    """Writes down what became of a try; answers the delivery's state."""
    state = {"delivered": "delivered", "retry": "pending", "refused": "dead", "gone": "dead"}[outcome.state]
    if state == "pending" and claimed.attempts >= TRIES:
        state = "dead"
    problem = f"{outcome.problem}: {GONE}" if outcome.state == "gone" else outcome.problem or None
    about = {"news": claimed.parcel.news_id, "target": target.name}
    with engine.begin() as connection:
        connection.execute(sa.text(_SETTLE), about | {"state": state, "problem": problem, "now": now})
        if outcome.wait_seconds:
            connection.execute(sa.text(_LATER), about | {"later": now + timedelta(seconds=outcome.wait_seconds)})
        if outcome.state == "gone":
            connection.execute(sa.text(_BURY), {"target": target.name, "problem": problem})
    return state
