"""Timewarrior's intervals.

From: `timew export` (JSON), or one of its own monthly files, `~/.timewarrior/data/2026-03.data`.
To: TimeEntry. Stamps are UTC. Tags `client:…` and `project:…` say for whom and on what, `billable` that it is; the
annotation is the description. Its `id` counts from the newest interval and so names another one tomorrow: not kept.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.cells import as_json
from twinning_pipelines.formats.delimited import MAX_BYTES
from twinning_pipelines.formats.text import decode
from twinning_pipelines.original import Original
from twinning_pipelines.records.time import TIME_ENTRY
from twinning_pipelines.source import Item, Rejection, Row, Source, gather

_STAMP = r"\d{8}T\d{6}Z"
_EXPORT = re.compile(rf'\s*\[\s*\{{\s*(?:"id"\s*:\s*\d+\s*,\s*)?"start"\s*:\s*"{_STAMP}"')
_DATA = re.compile(rf"\s*inc {_STAMP}(?:\s|$)")
_INTERVAL = re.compile(r"inc (\S+)(?: - (\S+))?(?:\s+#(?:\s(.*))?)?")
_WORD = re.compile(r'"((?:\\.|[^"\\])*)"|(\S+)')
_SHOWN = 60

_PREFIXES = ("client", "project")
_BILLABLE = {"billable": True, "non-billable": False, "nonbillable": False, "unbillable": False}


def recognises(original: Original) -> bool:
    """By the first interval."""
    head = original.text_head
    return bool(_EXPORT.match(head) or _DATA.match(head))


def parse(original: Original, _clock: Clock) -> Iterator[Item]:
    """Time entries, record by record. Raises UnreadableFile."""
    return gather(_rows(original), (TIME_ENTRY,))


def _rows(original: Original) -> Iterator[Row | Rejection]:
    if original.size > MAX_BYTES:
        raise UnreadableFile(f"an export of more than {MAX_BYTES // 1024**2} MiB")
    with original.open() as stream:
        text = decode(stream.read()).text
    records = _of_data(text) if _DATA.match(text) else _of_export(text)
    for at, raw, interval in records:
        try:
            yield Row(TIME_ENTRY, at, raw, _entry(interval))
        except ValueError as fault:
            yield Rejection(at, TIME_ENTRY.name, str(fault), raw)


def _of_export(text: str) -> Iterable[tuple[int, str, object]]:
    """The intervals of an export. One that is cut off is read line by line, as timew writes an interval on each."""
    try:
        intervals = json.loads(text)
    except (ValueError, RecursionError):
        lines = [line.strip().removesuffix(",") for line in text.split("\n")]
        pieces = [line for line in lines if line.strip("[] ")]
        found = [(at, piece, _json(piece)) for at, piece in enumerate(pieces, 1)]
        if not any(isinstance(interval, dict) for _, _, interval in found):
            raise UnreadableFile("not JSON, or cut off within the first interval") from None
        return found
    if not isinstance(intervals, list):
        raise UnreadableFile("not a list of intervals")
    # An escape may stand for half a character, which no text column takes.
    raws = (as_json(interval).encode(errors="replace").decode() for interval in intervals)
    return [(at, raw, interval) for at, (raw, interval) in enumerate(zip(raws, intervals, strict=True), 1)]


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _of_data(text: str) -> Iterable[tuple[int, str, object]]:
    for at, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield at, line, _of_line(line.strip())


def _of_line(line: str) -> object:
    """`inc START - END # tag "a tag" # "annotation"` as `timew export` would say it; None when it is not that."""
    match = _INTERVAL.fullmatch(line)
    if match is None:
        return None
    start, end, words = match.groups()
    tags: list[str] = []
    notes: list[str] = []
    into = tags
    for quoted, bare in _WORD.findall(words or ""):
        if bare == "#":
            into = notes
        else:
            into.append(bare or re.sub(r"\\(.)", r"\1", quoted))
    found: dict[str, object] = {"start": start, "tags": tags, "annotation": " ".join(notes)}
    return found | ({"end": end} if end else {})


def _entry(interval: object) -> Mapping[str, object]:
    if not isinstance(interval, dict):
        raise ValueError("not an interval")
    if "start" not in interval:
        raise ValueError("started_at: missing")
    started = _instant("started_at", interval["start"])
    ended = _instant("ended_at", interval["end"]) if "end" in interval else None
    if ended is not None and ended < started:
        raise ValueError(f"ended_at: {ended} is before the start, {started}")
    tags = interval.get("tags", [])
    note = interval.get("annotation") or None
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise ValueError("tags: not a list of words")
    if note is not None and not isinstance(note, str):
        raise ValueError("description: not a text")
    return {
        "worker": "",
        "started_at": started,
        "ended_at": ended,
        "seconds": int((ended - started).total_seconds()) if ended else None,
        "description": note,
        **_by_tag(tags),
    }


def _by_tag(tags: Sequence[str]) -> dict[str, object]:
    """What the tags say; the first of several clients or projects counts, and every other tag stays a tag."""
    said: dict[str, object] = {}
    plain: list[str] = []
    for tag in tags:
        prefix, _, name = tag.partition(":")
        word = prefix.strip().lower()
        if word in _PREFIXES and name.strip() and word not in said:
            said[word] = name.strip()
        elif tag.lower() in _BILLABLE and "billable" not in said:
            said["billable"] = _BILLABLE[tag.lower()]
        else:
            plain.append(tag)
    return said | ({"tags": as_json(plain)} if plain else {})


def _instant(field: str, stamp: object) -> datetime:
    try:
        return datetime.strptime(str(stamp), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{field}: not a stamp like 20260327T213000Z: {str(stamp)[:_SHOWN]!r}") from None


SOURCE = Source(
    name="time.timewarrior",
    title="Timewarrior",
    recognition="a JSON list whose first interval has a start like 20260327T213000Z, or lines of `inc 20260327T213000Z`",
    records=(TIME_ENTRY,),
    recognises=recognises,
    parse=parse,
    unit="record",
    whole=True,
    expect_every=timedelta(days=14),
)
