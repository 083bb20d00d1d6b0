"""Time entries from a table kept by hand.

From: our own template, `time_entries.csv`; Solidtime's import template reads as well.
To: TimeEntry. Times without an offset are wall times, by the `zone` of their row or else the person's clock.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.cells import CURRENCY, DURATION, FLAG, MONEY, STAMP, TAGS, ZONE
from twinning_pipelines.formats.columns import Cells, Column, Table
from twinning_pipelines.formats.times import stretch
from twinning_pipelines.original import Original
from twinning_pipelines.records.time import TIME_ENTRY
from twinning_pipelines.source import Item, Source, gather

_UTC = timedelta(0)

TABLE = Table(
    record=TIME_ENTRY,
    columns=(
        Column("start", ("start",), STAMP, required=True, meaning="when it began"),
        Column("end", ("end",), STAMP, meaning="when it ended; may be left out beside `hours`, or while it runs"),
        Column("seconds", ("hours",), DURATION, meaning="how long; may be left out beside `end`"),
        Column("worker", ("worker", "user_email", "email"), default=""),
        Column("name", ("user_name",), meaning="who, where there is no `worker`"),
        Column("client", ("client",)),
        Column("project", ("project",)),
        Column("task", ("task",)),
        Column("description", ("description",)),
        Column("billable", ("billable",), FLAG),
        Column("amount", ("amount",), MONEY),
        Column("currency", ("currency",), CURRENCY),
        Column("tags", ("tags",), TAGS, meaning="words to find it by"),
        Column("zone", ("zone",), ZONE, meaning="where the times hold, if not where you live"),
    ),
    marks=("start", "project", "billable"),
)


def _entry(cells: Cells) -> Mapping[str, object]:
    start, end, seconds = cells.get("start", datetime), cells.get("end", datetime), cells.get("seconds", int)
    if start is None:
        raise ValueError("start: empty")
    zone = cells.get("zone", ZoneInfo)
    clock = Clock.fixed(zone) if zone else cells.styles.clock
    if end is None:
        started, ended = stretch(start, None, seconds, clock)
        ended = started + timedelta(seconds=seconds) if seconds is not None else None
    else:
        started, ended = stretch(start, end, seconds, clock)
    if seconds is None and ended is not None:
        seconds = int((ended - started).total_seconds())
    return dict(cells.values) | {
        "worker": cells.text("worker").lower() or cells.text("name"),
        "started_at": started,
        "ended_at": ended,
        "seconds": seconds,
        # A stamp in UTC says when, not on which day of its person.
        "day": None if start.utcoffset() == _UTC else start.date(),
        "zone": clock.zone_at(started).key if start.tzinfo is None else None,
    }


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Time entries, line by line. Raises UnreadableFile."""
    return gather(TABLE.rows(original, clock, _entry), (TIME_ENTRY,))


SOURCE = Source(
    name="time.template",
    title="Time entries, our template",
    recognition="a CSV with the columns start, project and billable",
    records=(TIME_ENTRY,),
    recognises=TABLE.recognises,
    parse=parse,
    expect_every=timedelta(days=14),
    template="time_entries.csv",
)
