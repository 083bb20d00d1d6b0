"""Sources that had been silent for longer than is normal at the end of a day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.source import Source

_NEWEST = """
    select source, max(as_of), count(*) from intake_file
    where person_id = :person and status = 'loaded' group by 1 order by 1"""


class Silence(Struct, frozen=True):
    """A source from which nothing has come since a day, although it usually does."""

    source: str
    title: str
    since: date
    days: int
    files: int


def silences_of(connection: sa.Connection, person_id: int, day: date, sources: Sequence[Source]) -> list[Silence]:
    """The sources of a person that were overdue at the end of the day, whatever has come since for later days.

    A source whose newest file speaks of a later time was not silent about the day.
    """
    known = {source.name: source for source in sources}
    end = datetime.combine(day + timedelta(days=1), time(), UTC)
    found = []
    for name, as_of, files in connection.execute(sa.text(_NEWEST), {"person": person_id}):
        source = known.get(name)
        if source is None or source.expect_every is None:
            continue
        if end - as_of > source.expect_every:
            found.append(Silence(name, source.title, as_of.date(), (end - as_of).days, files))
    return found
