"""A round: what is new is written down and queued, then the queue is worked off. Safe at any time, from any process."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.marts.calendar import clock_of
from twinning_pipelines.products.news.delivery import Delivered, bury_the_nameless, deliver
from twinning_pipelines.products.news.happenings import happenings_of
from twinning_pipelines.products.news.targets import Audience, Target
from twinning_pipelines.products.news.telling import Happening, tell
from twinning_pipelines.source import Source


class Told(Struct, frozen=True):
    """What a round did. new: how much was news. quiet: targets that sleep."""

    new: int
    quiet: int
    tries: Delivered


def make_round(
    engine: sa.Engine,
    audience: Audience,
    sources: Sequence[Source],
    home: Path,
    zone: ZoneInfo,
    *,
    also: Sequence[Happening] = (),
    seconds: float = 60.0,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Told:
    """Tells everybody what is new. home: where goals stand. zone: of the house.

    also: happenings that no table knows of, such as a failed run.
    """
    moment = now()
    with engine.connect() as connection:
        found = [*also, *happenings_of(connection, sources, home, moment)]
    with engine.begin() as connection:
        told = tell(connection, found, audience.targets, moment)
        if not audience.problem:
            bury_the_nameless(connection, audience.targets)
    with engine.connect() as connection:
        awake = [target for target in audience.targets if not _is_quiet(connection, target, zone, moment)]
    tries = deliver(engine, awake, now, link=audience.link, seconds=seconds)
    return Told(len(told), len(audience.targets) - len(awake), tries)


def _is_quiet(connection: sa.Connection, target: Target, zone: ZoneInfo, moment: datetime) -> bool:
    if target.quiet is None:
        return False
    statement = sa.text("select id from person where name = :name")
    person = connection.execute(statement, {"name": target.person}).scalar() if target.person else None
    here = clock_of(connection, person).zone_at(moment) if person is not None else zone
    return target.quiet.holds(moment.astimezone(here).time())
