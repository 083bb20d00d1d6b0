"""WHOOP's export: nights, cycles, workouts and the journal.

From: the WHOOP app, More, App settings, Data export: a zip with `sleeps.csv`, `physiological_cycles.csv`, `workouts.csv`
and `journal_entries.csv`, or any of them alone.
To: SleepSession, Workout, Sample.

Times are local; `Cycle timezone` says how far they are from UTC, and the person's clock holds where it says nothing.
A cycle lasts from one falling asleep to the next: its strain and energy are samples of that span, its recovery values
samples of the night. Nights are read from `sleeps.csv` only, because the cycles repeat them with the times of a nap now
and then. `Energy burned (cal)` is in kilocalories. Each question of the journal is a metric of its own, 1 for yes.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone

from msgspec import Struct

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.delimited import MAX_BYTES, Line, Sheet, has_columns, normalised, open_sheet
from twinning_pipelines.formats.json_values import detail_of
from twinning_pipelines.formats.numbers import NumberStyle
from twinning_pipelines.formats.part import Part, head_part, part_of, told_in
from twinning_pipelines.formats.text import decode
from twinning_pipelines.formats.times import instant_of
from twinning_pipelines.original import Member, Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.metrics import METRIC_BY_NAME
from twinning_pipelines.records.record import Record
from twinning_pipelines.records.sessions import SLEEP_SESSION, WORKOUT
from twinning_pipelines.source import Item, Notice, Rejection, Row, Source, gather
from twinning_pipelines.sources.health.exercise import activity_of

ORIGIN = "WHOOP"
_PREFIX = "whoop:"
_ZONE = re.compile(r"(?:UTC|GMT)?\s*(?:Z|([+-])(\d{1,2}):?(\d{2}))?", re.ASCII | re.IGNORECASE)
_NUMBERS = NumberStyle()
_SNIFFED_MEMBERS = 40

_CYCLE = ("Cycle start time", "Cycle end time", "Cycle timezone")
_NIGHT = ("Sleep onset", "Wake onset")


class _Measure(Struct, frozen=True):
    """A column that is a metric: its name and what its figure is multiplied with. night: it holds for the sleep."""

    metric: str
    factor: float = 1.0
    night: bool = False
    unit: str | None = None


_CYCLES = {
    "Recovery score %": _Measure(f"{_PREFIX}recovery_score", night=True, unit="%"),
    "Resting heart rate (bpm)": _Measure("resting_heart_rate", night=True),
    "Heart rate variability (ms)": _Measure("heart_rate_variability_rmssd", night=True),
    "Skin temp (celsius)": _Measure("sleeping_wrist_temperature", night=True),
    "Blood oxygen %": _Measure("oxygen_saturation", 0.01, night=True),
    "Day Strain": _Measure(f"{_PREFIX}day_strain"),
    "Energy burned (cal)": _Measure(f"{_PREFIX}energy_burned", unit="kcal"),
    "Max HR (bpm)": _Measure(f"{_PREFIX}max_heart_rate", unit="count/min"),
    "Average HR (bpm)": _Measure(f"{_PREFIX}average_heart_rate", unit="count/min"),
}
_SLEEP_MINUTES = {
    "asleep_min": "Asleep duration (min)",
    "in_bed_min": "In bed duration (min)",
    "core_min": "Light sleep duration (min)",
    "deep_min": "Deep (SWS) duration (min)",
    "rem_min": "REM duration (min)",
    "awake_min": "Awake duration (min)",
}
_SLEEP_DETAIL = ("Sleep need (min)", "Sleep debt (min)", "Sleep efficiency %", "Sleep consistency %")
_WORKOUT_FIELDS = {
    "duration_min": "Duration (min)",
    "distance_m": "Distance (meters)",
    "energy_kcal": "Energy burned (cal)",
    "ascent_m": "Altitude gain (meters)",
    "heart_rate_max": "Max HR (bpm)",
    "heart_rate_mean": "Average HR (bpm)",
}
_WORKOUT_DETAIL = ("Activity Strain", "Altitude change (meters)", *(f"HR Zone {zone} %" for zone in range(1, 6)))


class _Kind(Struct, frozen=True):
    """One of the files. known: every heading that its rows use, or that another file says better."""

    marks: tuple[str, ...]
    record: Record
    rows: Callable[["_Entry"], Iterator[Row]]
    known: tuple[str, ...]

    def recognises(self, original: Original) -> bool:
        """By its header."""
        return has_columns(*self.marks)(original)


class _Entry(Struct, frozen=True):
    """One line of a file, with the clock that its times are read by."""

    line: Line
    clock: Clock

    def text(self, heading: str) -> str:
        """The cell under a heading."""
        return self.line.get(normalised(heading))

    def number(self, heading: str) -> float | None:
        """The number under a heading. Raises ValueError."""
        cell = self.text(heading)
        if not cell:
            return None
        try:
            return float(_NUMBERS.read(cell))
        except ValueError as fault:
            raise ValueError(f"{heading}: {fault}") from None

    def moment(self, heading: str) -> datetime | None:
        """The UTC instant of the local time under a heading. Raises ValueError."""
        cell = self.text(heading)
        if not cell:
            return None
        try:
            wall = datetime.fromisoformat(cell)
            zone = _offset(self.text("Cycle timezone"))
            return instant_of(wall if zone is None or wall.tzinfo else wall.replace(tzinfo=zone), self.clock)
        except (ValueError, OverflowError):
            raise ValueError(f"{heading}: not a time by {self.text('Cycle timezone')!r}: {cell[:40]!r}") from None

    def required(self, heading: str) -> datetime:
        """The same where it has to be there. Raises ValueError."""
        moment = self.moment(heading)
        if moment is None:
            raise ValueError(f"{heading}: empty")
        return moment

    def row(self, record: Record, values: Mapping[str, object]) -> Row:
        """A row of this line."""
        return Row(record, self.line.at, self.line.raw, {"origin": ORIGIN, **values})

    def sample(self, measure: _Measure, value: float, span: tuple[datetime, datetime], **others: object) -> Row:
        """A sample of this line; the detail keeps the unit of what is not registered."""
        values = {
            "metric": measure.metric,
            "started_at": span[0],
            "ended_at": span[1],
            "value": round(value * measure.factor, 6),
            "detail": detail_of({"unit": measure.unit}),
            **others,
        }
        return self.row(SAMPLE, values)

    def span(self) -> tuple[datetime, datetime]:
        """The cycle; a moment while it lasts."""
        started = self.required("Cycle start time")
        return started, self.moment("Cycle end time") or started


def _offset(text: str) -> timezone | None:
    """`UTC-04:00` as a zone; None for nothing. Raises ValueError."""
    if not text:
        return None
    match = _ZONE.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    sign, hours, minutes = match.groups()
    return timezone(timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1))


def _night(entry: _Entry) -> Iterator[Row]:
    performance = entry.number("Sleep performance %")
    started, ended = (entry.required(heading) for heading in _NIGHT)
    nap = entry.text("Nap").lower()
    values = {
        "started_at": started,
        "ended_at": ended,
        "nap": {"true": "nap", "false": "night"}.get(nap),
        "quality": None if performance is None else performance / 100,
        "detail": detail_of({heading: entry.number(heading) for heading in _SLEEP_DETAIL}),
        **{field: entry.number(heading) for field, heading in _SLEEP_MINUTES.items()},
    }
    rate = entry.number("Respiratory rate (rpm)")
    yield entry.row(SLEEP_SESSION, values)
    if rate is not None:
        yield entry.sample(_Measure("respiratory_rate"), rate, (started, ended))


def _cycle(entry: _Entry) -> Iterator[Row]:
    cycle = entry.span()
    onset, woke = (entry.moment(heading) for heading in _NIGHT)
    night = (onset, woke) if onset and woke else (cycle[0], cycle[0])
    values = [(measure, entry.number(heading)) for heading, measure in _CYCLES.items()]
    for measure, value in values:
        if value is not None:
            yield entry.sample(measure, value, night if measure.night else cycle)


def _workout(entry: _Entry) -> Iterator[Row]:
    gps = entry.text("GPS enabled")
    values = {
        "activity": activity_of(entry.text("Activity name")) or "other",
        "started_at": entry.required("Workout start time"),
        "ended_at": entry.required("Workout end time"),
        "detail": detail_of({heading: entry.number(heading) for heading in _WORKOUT_DETAIL} | {"GPS enabled": gps}),
        **{field: entry.number(heading) for field, heading in _WORKOUT_FIELDS.items()},
    }
    yield entry.row(WORKOUT, values)


def _journal(entry: _Entry) -> Iterator[Row]:
    question, answer = entry.text("Question text"), entry.text("Answered yes").lower()
    if not question:
        raise ValueError("Question text: empty")
    if answer not in {"true", "false"}:
        raise ValueError(f"Answered yes: neither true nor false: {answer[:40]!r}")
    yes = answer == "true"
    yield entry.sample(
        _Measure(f"{_PREFIX}{question}"),
        float(yes),
        entry.span(),
        label="yes" if yes else "no",
        detail=detail_of({"notes": entry.text("Notes")}),
    )


_OF_SLEEP = (*_NIGHT, "Sleep performance %", "Respiratory rate (rpm)", *_SLEEP_MINUTES.values(), *_SLEEP_DETAIL)
_OF_WORKOUT = ("Workout start time", "Workout end time", "Activity name", "GPS enabled", *_WORKOUT_FIELDS.values())
_KINDS = (
    _Kind(("Cycle start time", "Sleep onset", "Nap"), SLEEP_SESSION, _night, (*_CYCLE, *_OF_SLEEP, "Nap")),
    _Kind(("Cycle start time", "Recovery score %", "Day Strain"), SAMPLE, _cycle, (*_CYCLE, *_OF_SLEEP, *_CYCLES)),
    _Kind(
        ("Cycle start time", "Workout start time", "Activity name"),
        WORKOUT,
        _workout,
        (*_CYCLE, *_OF_WORKOUT, *_WORKOUT_DETAIL),
    ),
    _Kind(
        ("Cycle start time", "Question text", "Answered yes"),
        SAMPLE,
        _journal,
        (*_CYCLE, "Question text", "Answered yes", "Notes"),
    ),
)


def _kind_of(original: Original) -> _Kind | None:
    return next((kind for kind in _KINDS if kind.recognises(original)), None)


def _members(original: Original) -> list[Member]:
    named = [member for member in original.members if member.name.lower().endswith(".csv")][:_SNIFFED_MEMBERS]
    return [member for member in named if _kind_of(head_part(original, member)) is not None]


def recognises(original: Original) -> bool:
    """By the header of one of its files."""
    return bool(_members(original)) if original.is_zip else _kind_of(original) is not None


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Nights, workouts and samples, file by file. Raises UnreadableFile."""
    return gather(_rows(original, clock), (SLEEP_SESSION, WORKOUT, SAMPLE))


def _rows(original: Original, clock: Clock) -> Iterator[Row | Rejection | Notice]:
    unregistered: Counter[str] = Counter()
    if original.is_zip:
        members = _members(original)
        for member in members:
            yield from told_in(member.name, _file(part_of(original, member), clock, unregistered))
        others = [member.name for member in original.members if member not in members]
        if others:
            yield Notice(f"other files of the zip, left out: {', '.join(others[:_SNIFFED_MEMBERS])}")
    else:
        yield from _file(original, clock, unregistered)
    if unregistered:
        told = ", ".join(f"{name} ({count})" for name, count in sorted(unregistered.items()))
        yield Notice(f"measures that Twinning has no metric for, kept under their own names: {told}")


def _file(original: Original | Part, clock: Clock, unregistered: Counter[str]) -> Iterator[Row | Rejection | Notice]:
    kind = _kind_of(original)
    if kind is None:
        raise UnreadableFile("none of the headers of WHOOP's files")
    if original.size > MAX_BYTES:
        raise UnreadableFile(f"a delimited file of more than {MAX_BYTES // 1024**2} MiB")
    with original.open() as stream:
        sheet = open_sheet(decode(stream.read()).text, kind.marks)
    yield from _unread(sheet, kind)
    for line in sheet:
        try:
            if line.damage:
                raise ValueError(line.damage)
            rows = list(kind.rows(_Entry(line, clock)))
        except ValueError as fault:
            yield Rejection(line.at, kind.record.name, str(fault), line.raw)
            continue
        for row in rows:
            metric = str(row.values.get("metric", ""))
            if metric and metric not in METRIC_BY_NAME:
                unregistered[metric] += 1
            yield row


def _unread(sheet: Sheet, kind: _Kind) -> Iterator[Notice]:
    known = set(map(normalised, kind.known))
    lost = [heading for heading in sheet.headings if heading and normalised(heading) not in known]
    if lost:
        yield Notice(f"columns that are not kept: {', '.join(lost)}")
    if kind.rows is _cycle:
        yield Notice("nights are read from sleeps.csv, not from the cycles that repeat them")


SOURCE = Source(
    name="health.whoop",
    title="WHOOP",
    recognition="a CSV with `Cycle start time` and the other columns of WHOOP's four files, or a zip with such files",
    records=(SLEEP_SESSION, WORKOUT, SAMPLE),
    recognises=recognises,
    parse=parse,
    unit="line",
    expect_every=timedelta(days=30),
)
