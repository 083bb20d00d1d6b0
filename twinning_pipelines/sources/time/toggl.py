"""Toggl Track's detailed report.

From: Toggl Track, Reports, Detailed, Export, CSV; the older columns (`End date`) and those picked by hand (`Stop date`).
To: TimeEntry. Wall times are read by the person's clock; where they are not clear, `Duration` decides. It is also what
counts where it differs from start and end, for Toggl keeps it apart. The currency stands in a column or in `Amount (EUR)`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from msgspec import Struct

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.cells import CURRENCY, DAY, DURATION, FLAG, MONEY, TAGS, TIME
from twinning_pipelines.formats.columns import Cells, Column, Table, bracketed
from twinning_pipelines.formats.times import TOLERANCE, stretch
from twinning_pipelines.original import Original
from twinning_pipelines.records.time import TIME_ENTRY
from twinning_pipelines.source import Item, Notice, Rejection, Row, Source, gather

_CODE = re.compile(r"[A-Z]{3}")
# ISO 4217's code for "no currency".
_UNKNOWN = "XXX"

TABLE = Table(
    record=TIME_ENTRY,
    columns=(
        Column("worker", ("Email",)),
        Column("name", ("User", "Member")),
        Column("client", ("Client",)),
        Column("project", ("Project",)),
        Column("task", ("Task",)),
        Column("description", ("Description",)),
        Column("billable", ("Billable",), FLAG),
        Column("start_day", ("Start date",), DAY, required=True),
        Column("start_time", ("Start time",), TIME, required=True),
        Column("end_day", ("End date", "Stop date"), DAY),
        Column("end_time", ("End time", "Stop time"), TIME),
        Column("seconds", ("Duration",), DURATION),
        Column("tags", ("Tags",), TAGS),
        Column("amount", ("Amount", "Amount ()"), MONEY),
        Column("currency", ("Currency",), CURRENCY),
    ),
    marks=("Description", "Start date", "Start time"),
    # Clockify's report and Google's calendar have the same three.
    without=("Duration (h)", "Duration (decimal)", "Group", "Subject", "All Day Event"),
    any_of=("Duration", "Project", "Billable", "Tags"),
    # In an export of picked columns a dash stands for nothing.
    nothing=frozenset({"-"}),
)


class _Shaper(Struct):
    """Turns rows into entries.

    currency: the one in the heading, else the person's. odd: how many rows have a duration that is not start to end.
    """

    currency: str | None
    odd: int = 0

    def entry(self, cells: Cells) -> Mapping[str, object]:
        """One time entry. Raises ValueError."""
        start, end = _wall_times(cells)
        seconds = cells.get("seconds", int)
        started, ended = stretch(start, end, seconds, cells.styles.clock)
        if ended is None:
            seconds = None
        elif seconds is None:
            seconds = int((ended - started).total_seconds())
        elif abs(ended - started - timedelta(seconds=seconds)) > TOLERANCE:
            self.odd += 1
        amount = cells.get("amount", Decimal)
        return dict(cells.values) | {
            "worker": cells.text("worker").lower() or cells.text("name"),
            "started_at": started,
            "ended_at": ended,
            "seconds": seconds,
            "day": start.date(),
            "currency": (cells.text("currency") or self.currency) if amount is not None else None,
            "zone": cells.styles.clock.zone_at(started).key,
        }


def _wall_times(cells: Cells) -> tuple[datetime, datetime | None]:
    day, clock = cells.get("start_day", date), cells.get("start_time", time)
    if day is None or clock is None:
        raise ValueError("started_at: empty")
    end_clock = cells.get("end_time", time)
    end_day = cells.get("end_day", date) or day
    return datetime.combine(day, clock), datetime.combine(end_day, end_clock) if end_clock else None


def _rows(original: Original, clock: Clock) -> Iterator[Row | Rejection | Notice]:
    filled = TABLE.open(original, clock)
    suffix = bracketed(filled.heading("amount")).upper()
    own = clock.currency if clock.currency != _UNKNOWN else None
    shaper = _Shaper(suffix if _CODE.fullmatch(suffix) else own)
    yield from filled.rows(shaper.entry)
    if shaper.odd:
        yield Notice(f"Duration was taken where it is not start to end: {shaper.odd} of the entries")


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Time entries, line by line. Raises UnreadableFile."""
    return gather(_rows(original, clock), (TIME_ENTRY,))


SOURCE = Source(
    name="time.toggl",
    title="Toggl Track, detailed report",
    recognition="a CSV with the columns Description, Start date and Start time, and one of Duration, Project, Billable",
    records=(TIME_ENTRY,),
    recognises=TABLE.recognises,
    parse=parse,
    expect_every=timedelta(days=14),
)
