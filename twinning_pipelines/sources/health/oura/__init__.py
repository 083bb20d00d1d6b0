"""Oura's exports: nights with their stages, days, readiness, heart rates, workouts.

From: Oura on the Web, Trends, Download data (a CSV of one line a day); Membership Hub, Export data (JSON, or a zip of
CSV files); or pages of its API v2 as they were answered (JSON).
To: SleepSession, SleepStage, Workout, Sample.

What is told of a day holds from local midnight to midnight under the origin "Oura daily", although Oura itself counts
days from four in the morning on. Scores and whatever has no metric keep their own names, `oura:readiness_score`. The
lowest heart rate of a night is what Oura shows as resting heart rate. Tags, ring settings and the personal profile are
announced and left out.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.delimited import MAX_BYTES, header_of, normalised, open_sheet
from twinning_pipelines.formats.json_stream import Path, values
from twinning_pipelines.formats.json_values import shown
from twinning_pipelines.formats.part import Part, head_part, part_of, told_in
from twinning_pipelines.formats.text import decode
from twinning_pipelines.original import Member, Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.metrics import METRIC_BY_NAME
from twinning_pipelines.records.sessions import SLEEP_SESSION, SLEEP_STAGE, WORKOUT
from twinning_pipelines.source import Item, Notice, Rejection, Row, Source, gather
from twinning_pipelines.sources.health.oura import trends
from twinning_pipelines.sources.health.oura.documents import KINDS, Entry, Kind, Met, kind_of

_RAW = 2_000
_SNIFFED_MEMBERS = 60
_SUFFIXES = (".csv", ".json")
# A document's own fields, near the beginning of a page of them.
_OBJECT = re.compile(r"\s*[\[{]")
_KEY = re.compile(r'"([A-Za-z0-9_]{2,40})"\s*:')
_NAMES = frozenset(name for kind in KINDS for name in kind.names)
_SURE = frozenset({"daily_activity", "daily_readiness", "daily_sleep"})
_PAGE = "data"


def recognises(original: Original) -> bool:
    """By the headings or the names of fields, of the file or of a member of the zip."""
    return bool(_members(original)) if original.is_zip else _is_ours(original)


def _members(original: Original) -> list[Member]:
    named = [member for member in original.members if member.name.lower().endswith(_SUFFIXES)][:_SNIFFED_MEMBERS]
    return [member for member in named if _is_ours(head_part(original, member))]


def _is_ours(original: Original) -> bool:
    text = original.text_head.lstrip("\ufeff")
    if _OBJECT.match(text):
        keys = frozenset(_KEY.findall(text))
        return _are_marks(keys) or len(keys & _SURE) > 1
    return trends.recognises(original) or _header(text) is not None


def _are_marks(keys: frozenset[str]) -> bool:
    """Are these the fields of Oura and of nobody else? A bedtime or a heart rate alone is not enough."""
    return any(
        marks <= keys
        for marks in (
            {"bedtime_start", "bedtime_end", "time_in_bed"},
            {"bedtime_start", "bedtime_end", "hypnogram_5min"},
            {"equivalent_walking_distance", "steps"},
            {"temperature_deviation", "contributors"},
            {"contributors", "score", "day"},
            {"bpm", "source", "timestamp"},
            {"spo2_percentage", "day"},
            {"stress_high", "recovery_high"},
            {"start_datetime", "end_datetime", "intensity", "activity"},
            {"start_datetime", "end_datetime", "mood", "type"},
        )
    )


def _header(text: str) -> tuple[str, ...] | None:
    """The headings of a CSV of documents by which it is known."""
    for kind in KINDS:
        for marks in kind.marks:
            if header_of(text, tuple(marks)) is not None:
                return tuple(marks)
    return None


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Nights, workouts and samples, document by document. Raises UnreadableFile."""
    return gather(_rows(original, clock), (SLEEP_SESSION, SLEEP_STAGE, WORKOUT, SAMPLE))


def _rows(original: Original, clock: Clock) -> Iterator[Row | Rejection | Notice]:
    met, unregistered = Met(), Counter[str]()
    for item in _all(original, clock, met):
        metric = str(item.values.get("metric", "")) if isinstance(item, Row) else ""
        unregistered[metric] += bool(metric) and metric not in METRIC_BY_NAME
        yield item
    for counts, says in (
        (unregistered, "measures that Twinning has no metric for, kept under their own names"),
        (met.lost, "left out"),
    ):
        told = [f"{name} ({count})" for name, count in sorted(counts.items()) if count]
        if told:
            yield Notice(f"{says}: {', '.join(told)}")


def _all(original: Original, clock: Clock, met: Met) -> Iterator[Row | Rejection | Notice]:
    if original.is_zip:
        members = _members(original)
        for member in members:
            yield from told_in(member.name, _file(part_of(original, member), clock, met))
        others = [member.name for member in original.members if member not in members]
        if others:
            yield Notice(f"other files of the zip, left out: {', '.join(others[:_SNIFFED_MEMBERS])}")
    else:
        yield from _file(original, clock, met)


def _file(original: Original | Part, clock: Clock, met: Met) -> Iterator[Row | Rejection | Notice]:
    if _OBJECT.match(original.text_head.lstrip("\ufeff")):
        yield from _json(original, clock, met)
        return
    if original.size > MAX_BYTES:
        raise UnreadableFile(f"a delimited file of more than {MAX_BYTES // 1024**2} MiB")
    with original.open() as stream:
        text = decode(stream.read()).text
    if trends.recognises(original):
        yield from trends.rows(text, clock, met)
    else:
        yield from _csv(text, clock, met)


def _is_opened(path: Path) -> bool:
    """The root, and the lists in it by whatever names; the list `data` of a page below a name as well."""
    if any(isinstance(part, int) for part in path):
        return False
    return len(path) < 2 or (len(path) == 2 and path[1] == _PAGE)


def _json(original: Original, clock: Clock, met: Met) -> Iterator[Row | Rejection]:
    listed = False
    with original.open() as stream:
        for at, value in enumerate(values(stream, _is_opened), 1):
            names = [str(part) for part in value.path if isinstance(part, str) and part != _PAGE]
            named, raw = names[0] if names else "", value.raw[:_RAW]
            if not value.path or not isinstance(value.path[-1], int):
                # Objects that are no lists: the personal profile. Tokens of the next page say nothing.
                if len(names) > 1 and names[-1] != "next_token":
                    met.lost[f"fields of {named}"] += 1
                continue
            listed = True
            if isinstance(value.value, dict):
                yield from _document(Entry(value.value, at, raw, clock, met), named)
            else:
                yield Rejection(at, SAMPLE.name, f"not a document: {shown(value.value)}", raw)
    if not listed:
        raise UnreadableFile("no list of documents in it")


def _document(entry: Entry, named: str) -> Iterator[Row | Rejection]:
    kind = kind_of(frozenset(entry.document), named)
    if kind is None:
        entry.met.lost[f"documents of {named or 'an unknown kind'}"] += 1
        return
    yield from _read(kind, entry)


def _read(kind: Kind, entry: Entry) -> Iterator[Row | Rejection]:
    try:
        # All rows or none: half a night would look whole.
        yield from list(kind.rows(entry))
    except (ValueError, OverflowError) as fault:
        yield Rejection(entry.at, kind.record.name, str(fault), entry.raw)


def _csv(text: str, clock: Clock, met: Met) -> Iterator[Row | Rejection]:
    """A CSV of documents: nested values stand in its cells as JSON."""
    marks = _header(text)
    if marks is None:
        raise UnreadableFile("none of the headers of Oura's files")
    sheet = open_sheet(text, marks)
    fields = {heading: normalised(heading) for heading in sheet.headings if heading}
    kind = kind_of(frozenset(fields))
    assert kind is not None
    for line in sheet:
        if line.damage:
            yield Rejection(line.at, kind.record.name, line.damage, line.raw)
            continue
        document = {heading: _cell(heading, line.get(name)) for heading, name in fields.items()}
        filled = {heading: value for heading, value in document.items() if value != ""}
        # The headings name the kind of every line, whichever cells are filled.
        yield from _read(kind, Entry(filled, line.at, line.raw, clock, met))


# Strings of digits: one figure for each stretch of time.
_STRINGS = ("_min", "_sec", "5min", "id")
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?", re.ASCII)


def _cell(heading: str, text: str) -> object:
    if _NUMBER.fullmatch(text) and not heading.endswith(_STRINGS):
        return float(text)
    if text[:1] in {"{", "["}:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


SOURCE = Source(
    name="health.oura",
    title="Oura",
    recognition="a CSV with Oura's headings, JSON whose documents have the fields of Oura's API v2, or a zip with such files",
    records=(SLEEP_SESSION, SLEEP_STAGE, WORKOUT, SAMPLE),
    recognises=recognises,
    parse=parse,
    unit="record",
    expect_every=timedelta(days=30),
)
