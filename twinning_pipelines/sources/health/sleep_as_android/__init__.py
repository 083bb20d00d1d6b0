"""Sleep as Android's nights, with their stages, pulse and everything it writes beside them.

From: Sleep as Android, Backup, Export data: a zip with `sleep-export.csv`, or that file alone.
To: SleepSession; SleepStage where a record has a hypnogram; Sample for pulse and blood oxygen.

Each record brings its own header line, one line of values, and for tracked nights a third line with the noise. `Id` is
the beginning in milliseconds of the epoch, `Tz` its zone; `From` and `To` are wall times to the minute, so the end is `Id`
plus `Hours` unless `To` contradicts it. `LenAdjust` takes off the minutes awake. Headings like `22:41` hold the movement,
`Event` a label, an instant and perhaps a value: stages are pairs of DEEP_START and DEEP_END. The movement, the noise and
all other events are kept in `detail`, as are Snore, Noise, Cycles, DeepSleep and the person's own Rating.
Facts: docs.sleep.urbandroid.org/devs/csv.html and the notes of the sleepdiary project.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from msgspec import Struct, field

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.delimited import MAX_BYTES
from twinning_pipelines.formats.part import base_name, head_part, part_of
from twinning_pipelines.formats.text import decode
from twinning_pipelines.original import Member, Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.sessions import SLEEP_SESSION, SLEEP_STAGE
from twinning_pipelines.source import Item, Notice, Rejection, Row, Source, gather
from twinning_pipelines.sources.health.sleep_as_android.record import (
    HEADER,
    Told,
    as_cells,
    is_header,
    record_of,
    rows_of,
)

_LISTED = 10


def _export_in(original: Original) -> Member | None:
    """The member of a zip that holds the nights."""
    for member in original.members:
        name = base_name(member).lower()
        if name.startswith("sleep-export") and name.endswith(".csv"):
            return member
    return None


def _recognises(original: Original) -> bool:
    if not original.is_zip:
        return _begins(original)
    member = _export_in(original)
    return member is not None and _begins(head_part(original, member))


def _begins(original: Original) -> bool:
    first = original.text_head.lstrip("\ufeff \t\r\n").split("\n", 1)[0]
    return is_header(as_cells(first))


def _text(original: Original) -> str:
    if original.size > MAX_BYTES:
        raise UnreadableFile(f"more than {MAX_BYTES // 1024**2} MiB")
    with original.open() as stream:
        decoded = decode(stream.read())
    if decoded.is_binary:
        raise UnreadableFile("not a text file")
    return decoded.text


class _Met(Struct):
    """What a person is told at the end."""

    loose: Counter[str] = field(default_factory=Counter)
    moved: int = 0
    zones: set[str] = field(default_factory=set)

    def take(self, told: Told) -> None:
        self.loose.update(told.loose)
        self.moved += told.moved
        self.zones |= told.unknown_zone

    def notices(self) -> Iterator[Notice]:
        if self.loose:
            labels = ", ".join(f"{label} ({count})" for label, count in sorted(self.loose.items())[:_LISTED])
            yield Notice(f"events of stages without their other end, kept in detail only: {labels}")
        if self.moved:
            yield Notice(f"Id and From are more than two minutes apart, Id was taken: {self.moved} records")
        if self.zones:
            yield Notice(f"zones that nobody knows: {', '.join(sorted(self.zones)[:_LISTED])}")


def _rows(original: Original, clock: Clock) -> Iterator[Row | Rejection | Notice]:
    if original.is_zip:
        member = _export_in(original)
        if member is None:
            raise UnreadableFile("no sleep-export.csv in the zip")
        others = sorted(base_name(each) for each in original.members if each is not member)
        if others:
            yield Notice(f"left out, because they hold settings or sound: {', '.join(others[:_LISTED])}")
        original = part_of(original, member)
    text = _text(original)
    if not is_header(as_cells(text.lstrip().split("\n", 1)[0].rstrip())):
        raise UnreadableFile(f"no header line with the columns {', '.join(HEADER)}")
    met = _Met()
    for at, lines in _records(text):
        yield from _record_rows(at, lines, clock, met)
    yield from met.notices()


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines of each record, from its header on, with the line its values stand on."""
    lines: list[str] = []
    began = 1
    # Only the line feed ends a line here: the app escapes those of a comment, and leaves Unicode's other separators.
    for at, line in enumerate(text.split("\n"), 1):
        bare = line.rstrip("\r")
        if not bare:
            continue
        if is_header(as_cells(bare)) and lines:
            yield began + (len(lines) > 1), lines
            lines = []
        if not lines:
            began = at
        lines.append(bare)
    if lines:
        yield began + (len(lines) > 1), lines


def _record_rows(at: int, lines: list[str], clock: Clock, met: _Met) -> Iterator[Row | Rejection]:
    raw = "\n".join(lines)
    try:
        told = record_of(lines, clock)
    except (ValueError, OverflowError) as fault:
        yield Rejection(at, SLEEP_SESSION.name, str(fault), raw)
        return
    met.take(told)
    for record, values in rows_of(told):
        yield Row(record, at, raw if record is SLEEP_SESSION else lines[1], values)


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Nights, record by record. Raises UnreadableFile."""
    return gather(_rows(original, clock), (SLEEP_SESSION, SLEEP_STAGE, SAMPLE))


SOURCE = Source(
    name="health.sleep_as_android",
    title="Sleep as Android",
    recognition="a CSV that begins with Id, Tz, From, To, Sched and Hours, or a zip with such a sleep-export.csv",
    records=(SLEEP_SESSION, SLEEP_STAGE, SAMPLE),
    recognises=_recognises,
    parse=parse,
    expect_every=timedelta(days=31),
)
