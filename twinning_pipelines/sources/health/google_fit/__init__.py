"""What Google Fit recorded: days, quarters of an hour, data points, sessions and tracks.

From: takeout.google.com, Fit: the zip, or any one of its tables and JSON files.
To: Sample, Workout, WorkoutPart, Route, SleepStage, SleepSession, Correlation.

The export tells the same steps up to five times. Each telling has an origin of its own: "Google Fit daily" for the
table of days, whose samples span a day, "Google Fit 15 minutes" for the tables of quarters, "Google Fit" for the data
points that Google has merged, "Google Fit tracks" for the TCX files; a day's total is that of one of them and never
their sum. Of the data points only the merged stream of a type is read, and the others, which it repeats, are left out
and counted; the stages of a sleep come from their stream where the zip has one, else from the sessions.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import BinaryIO

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.part import Part, base_name
from twinning_pipelines.formats.xml_feed import root_of
from twinning_pipelines.original import Member, Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.medical import CORRELATION
from twinning_pipelines.records.record import Record
from twinning_pipelines.records.sessions import ROUTE, SLEEP_SESSION, SLEEP_STAGE, WORKOUT, WORKOUT_PART
from twinning_pipelines.source import Item, Notice, Rejection, Row, Source, gather
from twinning_pipelines.sources.health.google_fit.points import (
    SLEEP_TYPE,
    Stream,
    chosen,
    count_points,
    is_points,
    point_rows,
    stream_of,
)
from twinning_pipelines.sources.health.google_fit.sessions import is_session, session_rows, track_rows
from twinning_pipelines.sources.health.google_fit.tables import IS_DAYS, IS_QUARTERS, day_rows, quarter_rows
from twinning_pipelines.sources.health.places import Desk, head_of, part_of

_RECORDS = (SAMPLE, WORKOUT, WORKOUT_PART, ROUTE, SLEEP_STAGE, SLEEP_SESSION, CORRELATION)
_ENDINGS = (".csv", ".json", ".tcx")
_SNIFFED_MEMBERS = 60
_LISTED = 30

_DAYS, _QUARTERS, _POINTS, _SESSION, _TRACK = "days", "quarters", "points", "session", "track"
Rows = Iterator[Row | Rejection | Notice]
Opened = Callable[[str], AbstractContextManager[BinaryIO]]


def _kind_of(head: bytes, original: Original, name: str) -> str | None:
    """What a file or a member is, by its head; None for what this source does not read."""
    if is_points(head):
        return _POINTS
    if is_session(head):
        return _SESSION
    part = Part(original.path, name, original.modified_at, head)
    if IS_QUARTERS(part):
        return _QUARTERS
    return _DAYS if IS_DAYS(part) else None


def recognises(original: Original) -> bool:
    """By the head of the file; of a zip, by that of its members, those in a folder called Fit first."""
    if not original.is_zip:
        return _kind_of(original.head, original, original.name) is not None
    named = [member for member in original.members if member.name.lower().endswith((".csv", ".json"))]
    likely = sorted(named, key=lambda member: "/fit/" not in f"/{member.name.lower()}")
    sniffed = islice(likely, _SNIFFED_MEMBERS)
    with original.opener() as opened:
        return any(_kind_of(head_of(partial(opened, member.name)), original, base_name(member)) for member in sniffed)


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """What an export says, member by member. Raises UnreadableFile."""
    desk = Desk(clock)
    rows = _zip_rows(original, desk) if original.is_zip else _file_rows(original, desk)
    return gather(_with_notices(rows, desk), _RECORDS)


def _with_notices(rows: Rows, desk: Desk) -> Rows:
    yield from rows
    yield from desk.oddities.notices()


def _file_rows(original: Original, desk: Desk) -> Rows:
    kind = _kind_of(original.head, original, original.name)
    if kind == _POINTS:
        return point_rows(original.open, stream_of(original.head), desk)
    if kind == _SESSION:
        return session_rows(original.open, desk, with_stages=True)
    if kind == _QUARTERS:
        return quarter_rows(original, desk)
    if kind == _DAYS:
        return day_rows(original, desk)
    raise UnreadableFile("no table and no JSON of Google Fit")


class _Inventory:
    """The members of a zip by their kinds, and the streams among them."""

    def __init__(self, original: Original, opened: Opened) -> None:
        self.by_kind: dict[str, list[Member]] = {kind: [] for kind in (_DAYS, _QUARTERS, _POINTS, _SESSION, _TRACK)}
        self.streams: dict[str, Stream] = {}
        self.others: Counter[str] = Counter()
        for member in original.members:
            head = head_of(partial(opened, member.name)) if member.name.lower().endswith(_ENDINGS) else b""
            is_track = member.name.lower().endswith(".tcx") and root_of(head) == "TrainingCenterDatabase"
            kind = _TRACK if is_track else _kind_of(head, original, base_name(member)) if head else None
            if kind is None:
                self.others[_folder(member)] += 1
            else:
                self.by_kind[kind].append(member)
            if kind == _POINTS:
                self.streams[member.name] = stream_of(head)
        self.chosen = chosen(self.streams.values())

    @property
    def has_stages(self) -> bool:
        """Is there a stream of sleep stages?"""
        return any(stream.type == SLEEP_TYPE for stream in self.chosen)


def _folder(member: Member) -> str:
    return member.name.rpartition("/")[0] or member.name


def _zip_rows(original: Original, desk: Desk) -> Rows:
    with original.opener() as opened:
        inventory = _Inventory(original, opened)
        yield from _tables(original, inventory, opened, desk)
        yield from _points(inventory, opened, desk)
        yield from _sessions(inventory, opened, desk)
    if inventory.others:
        folders = [f"{folder} ({count})" for folder, count in inventory.others.most_common(_LISTED)]
        more = [f"and {len(inventory.others) - _LISTED} more folders"] if len(inventory.others) > _LISTED else []
        yield Notice(f"files in the zip that are not read, by folder: {', '.join(folders + more)}")


def _tables(original: Original, inventory: _Inventory, opened: Opened, desk: Desk) -> Rows:
    for kind, rows_of in ((_DAYS, day_rows), (_QUARTERS, quarter_rows)):
        for member in inventory.by_kind[kind]:
            rows = _whole(rows_of, partial(part_of, partial(opened, member.name), original, member), desk)
            yield from desk.places.part(base_name(member), rows, SAMPLE)


def _whole(
    rows_of: Callable[[Original, Desk], Iterator[Row | Rejection]], read: Callable[[], Part], desk: Desk
) -> Rows:
    yield from rows_of(read(), desk)


def _points(inventory: _Inventory, opened: Opened, desk: Desk) -> Rows:
    repeated: Counter[str] = Counter()
    for member in inventory.by_kind[_POINTS]:
        stream, opening = inventory.streams[member.name], partial(opened, member.name)
        if stream in inventory.chosen:
            yield from desk.places.part(base_name(member), point_rows(opening, stream, desk), _record_of(stream))
        else:
            repeated[stream.type] += count_points(opening)
    if repeated:
        told = ", ".join(f"{kind} ({count})" for kind, count in sorted(repeated.items()))
        yield Notice(f"data points that a stream merged by Google repeats, left out: {told}")


def _sessions(inventory: _Inventory, opened: Opened, desk: Desk) -> Rows:
    began: list[datetime] = []
    for member in inventory.by_kind[_SESSION]:
        rows = session_rows(partial(opened, member.name), desk, with_stages=not inventory.has_stages)
        yield from _noting(desk.places.part(base_name(member), rows, WORKOUT), began)
    for member in inventory.by_kind[_TRACK]:
        rows = track_rows(partial(opened, member.name), began, desk)
        yield from desk.places.part(base_name(member), rows, WORKOUT)
    if inventory.has_stages and inventory.by_kind[_SESSION]:
        yield Notice("stages of sleep are read from the data points, and not again from the sessions")


def _record_of(stream: Stream) -> Record:
    return SLEEP_STAGE if stream.type == SLEEP_TYPE else SAMPLE


def _noting(rows: Rows, began: list[datetime]) -> Rows:
    """The rows as they are; when their workouts began is noted."""
    for row in rows:
        if isinstance(row, Row) and row.record is WORKOUT:
            started = row.values["started_at"]
            assert isinstance(started, datetime)
            began.append(started)
        yield row


SOURCE = Source(
    name="health.google_fit",
    title="Google Fit (Takeout)",
    recognition="a CSV of days or quarters of an hour, a JSON of data points or of a session; or a zip with one of them",
    records=_RECORDS,
    recognises=recognises,
    parse=parse,
    unit="record",
    expect_every=timedelta(days=90),
)
