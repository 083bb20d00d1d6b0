"""What Fitbit recorded: series by the minute and the second, days, sleep, exercise and weights.

From: Fitbit's or Google's export (takeout.google.com, Fitbit): the zip, one of its JSON files or tables; and the older
CSV of fitbit.com, Settings, Data Export, which begins with the name of a table.
To: Sample, Workout, SleepSession, SleepStage.

Steps, distances and heart rates are stamped in UTC, energy, sleep and days in the person's own time. Days have an origin
of their own, "Fitbit daily", whose samples span a day. Google exports much of it a second time, in folders whose names
end in `_GoogleData`; those are left out and told by folder, like everything else that is not read.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import islice

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.part import Part, base_name
from twinning_pipelines.original import Member, Original, as_text
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.record import Record
from twinning_pipelines.records.sessions import SLEEP_SESSION, SLEEP_STAGE, WORKOUT
from twinning_pipelines.source import Item, Notice, Rejection, Row, Source, gather
from twinning_pipelines.sources.health.fitbit.logs import (
    exercise_rows,
    is_exercise,
    is_weight,
    weighed,
    weight_rows,
)
from twinning_pipelines.sources.health.fitbit.selection import is_selection, selection_rows
from twinning_pipelines.sources.health.fitbit.series import is_series, series_rows
from twinning_pipelines.sources.health.fitbit.sleep import is_sleep, sleep_rows
from twinning_pipelines.sources.health.fitbit.tables import table_of, table_rows
from twinning_pipelines.sources.health.places import Desk, Opening, head_of, part_of

_RECORDS = (SAMPLE, WORKOUT, SLEEP_SESSION, SLEEP_STAGE)
_ENDINGS = (".json", ".csv")
_FOLDERS = ("fitbit", "google health", "global export data", "user-site-export", "physical activity")
_REPEATED = "_googledata/"
_SNIFFED_MEMBERS = 60
_LISTED = 30

_SERIES, _SLEEP, _EXERCISE, _WEIGHT, _SELECTION, _TABLE = "series", "sleep", "exercise", "weight", "selection", "table"
_RECORD_OF: dict[str, Record] = {_SLEEP: SLEEP_SESSION, _EXERCISE: WORKOUT}
Rows = Iterator[Row | Rejection | Notice]


def _kind_of(head: bytes, original: Original, name: str) -> str | None:
    """What a file or a member is, by its head; None for what this source does not read."""
    for kind, is_kind in ((_SERIES, is_series), (_SLEEP, is_sleep), (_EXERCISE, is_exercise), (_WEIGHT, is_weight)):
        if is_kind(head):
            return kind
    if is_selection(as_text(head)):
        return _SELECTION
    return _TABLE if table_of(Part(original.path, name, original.modified_at, head)) else None


def recognises(original: Original) -> bool:
    """By the head of the file; of a zip, by that of its members, those in Fitbit's folders first."""
    if not original.is_zip:
        return _kind_of(original.head, original, original.name) is not None
    named = [member for member in original.members if _may_be_read(member)]
    likely = sorted(named, key=lambda member: not any(folder in member.name.lower() for folder in _FOLDERS))
    sniffed = islice(likely, _SNIFFED_MEMBERS)
    with original.opener() as opened:
        return any(_kind_of(head_of(partial(opened, member.name)), original, base_name(member)) for member in sniffed)


def _may_be_read(member: Member) -> bool:
    name = member.name.lower()
    return name.endswith(_ENDINGS) and _REPEATED not in name


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
    if kind is None:
        raise UnreadableFile("no JSON and no table of Fitbit")
    mass = weighed([original.open]) if kind == _WEIGHT else None
    yield from _rows_of(kind, original.open, original, (desk, mass))


def _rows_of(kind: str, opening: Opening, whole: Original, given: tuple[Desk, str | None]) -> Rows:
    """The rows of one document. whole: its name, and its bytes where it is a table. given: the desk, the unit of weights."""
    desk, mass = given
    if kind == _SERIES:
        yield from series_rows(opening, whole.name, whole.modified_at, desk)
    elif kind == _SLEEP:
        yield from sleep_rows(opening, desk)
    elif kind == _EXERCISE:
        yield from exercise_rows(opening, desk)
    elif kind == _WEIGHT:
        yield from weight_rows(opening, mass, desk)
    elif kind == _SELECTION:
        yield from selection_rows(whole, desk)
    else:
        yield from table_rows(whole, desk)


def _zip_rows(original: Original, desk: Desk) -> Rows:
    others: Counter[str] = Counter()
    kinds: dict[Member, str] = {}
    with original.opener() as opened:
        for member in original.members:
            head = head_of(partial(opened, member.name)) if _may_be_read(member) else b""
            kind = _kind_of(head, original, base_name(member)) if head else None
            if kind is None:
                others[member.name.rpartition("/")[0] or member.name] += 1
            else:
                kinds[member] = kind
        mass = weighed(partial(opened, member.name) for member, kind in kinds.items() if kind == _WEIGHT)
        for member, kind in _once(kinds, desk):
            rows = _member_rows(kind, partial(opened, member.name), (original, member), (desk, mass))
            yield from desk.places.part(base_name(member), rows, _RECORD_OF.get(kind, SAMPLE))
    if others:
        folders = [f"{folder} ({count})" for folder, count in others.most_common(_LISTED)]
        more = [f"and {len(others) - _LISTED} more folders"] if len(others) > _LISTED else []
        yield Notice(f"files in the zip that are not read, by folder: {', '.join(folders + more)}")


def _once(kinds: dict[Member, str], desk: Desk) -> Iterator[tuple[Member, str]]:
    """The members but for those of one name and size: some exports hold one file in two folders."""
    seen: set[tuple[str, int]] = set()
    for member, kind in kinds.items():
        if (base_name(member), member.size) in seen:
            desk.oddities.left_out["files that stand in the zip twice"] += 1
            continue
        seen.add((base_name(member), member.size))
        yield member, kind


def _member_rows(kind: str, opening: Opening, of: tuple[Original, Member], given: tuple[Desk, str | None]) -> Rows:
    original, member = of
    if kind in (_SELECTION, _TABLE):
        whole = part_of(opening, original, member)
    else:
        whole = Part(original.path, base_name(member), original.modified_at)
    yield from _rows_of(kind, opening, whole, given)


SOURCE = Source(
    name="health.fitbit",
    title="Fitbit export",
    recognition="a JSON list as Fitbit writes it, one of its tables, a CSV that begins with Body, Foods, Activities or "
    "Sleep alone on a line; or a zip with one of them",
    records=_RECORDS,
    recognises=recognises,
    parse=parse,
    unit="record",
    expect_every=timedelta(days=90),
)
