"""One record of Sleep as Android: its header, its values and its noise, told into rows."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.cells import ZONE, Styles
from twinning_pipelines.formats.dates import DateStyle
from twinning_pipelines.formats.numbers import NumberStyle
from twinning_pipelines.formats.times import stamp_of
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.record import Record
from twinning_pipelines.records.sessions import SLEEP_SESSION, SLEEP_STAGE

HEADER = ("Id", "Tz", "From", "To", "Sched", "Hours")

_ORIGIN = "Sleep as Android"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = re.compile(r"\d{1,2}:\d{2}", re.ASCII)
_FLOAT = re.compile(r"[-+]?\d{1,20}(?:[.,]\d{1,20})?(?:[eE][-+]?\d{1,2})?", re.ASCII)
_EVENT = re.compile(r"([A-Za-z][A-Za-z0-9_]{0,60})-(\d{1,13})(?:-(.*))?", re.ASCII)
_STAGES = {"LIGHT": "core", "DEEP": "deep", "REM": "rem", "AWAKE": "awake"}
# What an event's value measures, and the factor to our unit.
_MEASURED = {"HR": ("heart_rate", 1.0), "SPO2": ("oxygen_saturation", 0.01)}
_KEPT = ("Sched", "Rating", "Comment", "Snore", "Noise", "Cycles", "DeepSleep", "LenAdjust", "Geo")
# The app's words for "not measured"; a rating of zero was never given.
_NOTHING: Mapping[str, frozenset[str]] = {
    "Rating": frozenset({"0.0", "0"}),
    "Snore": frozenset({"-1"}),
    "Noise": frozenset({"-1.0", "-1"}),
    "Cycles": frozenset({"-1"}),
    "DeepSleep": frozenset({"-1.0", "-2.0", "-1", "-2"}),
    "LenAdjust": frozenset({"0", "-1.0"}),
}
_ADDED_BY_HAND = "-1.0"
_CLOSE = timedelta(minutes=2)
_DAY_FIRST = DateStyle("DMY")
_DIGITS = 3


class Event(Struct, frozen=True):
    """A label, an instant and what is written behind it."""

    label: str
    at: datetime
    value: str


class Told(Struct, frozen=True):
    """What one record says; loose: stage events without their other end; moved: Id contradicts From."""

    session: Mapping[str, object]
    stages: tuple[Mapping[str, object], ...]
    samples: tuple[Mapping[str, object], ...]
    loose: Counter[str]
    moved: bool
    unknown_zone: set[str]


def as_cells(line: str) -> list[str]:
    """The cells of one line; none where its quotes do not match."""
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return []


def is_header(cells: list[str]) -> bool:
    """Does a line begin with the headings of every record?"""
    return tuple(cells[: len(HEADER)]) == HEADER


def record_of(lines: list[str], clock: Clock) -> Told:
    """A record from its lines. Raises ValueError with what is wrong, OverflowError for a time beyond the calendar."""
    headings, values, noise = _three(lines)
    named = {heading: value.strip() for heading, value in zip(headings, values, strict=True)}
    zone = _zone(named["Tz"])
    started = _instant("Id", named["Id"])
    ended = _end(named, started, Clock.fixed(zone) if zone else clock)
    texts = [value.strip() for heading, value in zip(headings, values, strict=True) if heading == "Event"]
    events = _events(texts)
    stages, loose = _stages(events, started, ended)
    moved = _is_moved(named["From"], started, Clock.fixed(zone) if zone else clock)
    detail = _detail(named, headings, values, noise) | _other_events(events, loose, texts)
    if moved:
        detail["From"] = named["From"]
    session = {
        "origin": _ORIGIN,
        "started_at": started,
        "ended_at": ended,
        "in_bed_min": _minutes(ended - started),
        "asleep_min": min(_asleep(named), _minutes(ended - started)),
        **{f"{stage}_min": _total(stages, stage) for stage in _STAGES.values()},
        "zone": zone.key if zone else None,
        "detail": json.dumps(detail, sort_keys=True, ensure_ascii=False, separators=(",", ":")) if detail else None,
    }
    return Told(
        session,
        tuple(stage | {"zone": session["zone"]} for stage in stages),
        tuple(_samples(events)),
        loose,
        moved,
        {named["Tz"][:40]} if named["Tz"] and not zone else set(),
    )


def rows_of(told: Told) -> Iterator[tuple[Record, Mapping[str, object]]]:
    """The rows of a record, each with its table."""
    yield SLEEP_SESSION, told.session
    yield from ((SLEEP_STAGE, stage) for stage in told.stages)
    yield from ((SAMPLE, sample) for sample in told.samples)


def _three(lines: list[str]) -> tuple[list[str], list[str], list[str]]:
    headings = as_cells(lines[0])
    if not is_header(headings):
        raise ValueError("values without a header line before them")
    if len(lines) < 2:
        raise ValueError("a header line without values")
    values = as_cells(lines[1])
    if not values:
        raise ValueError("a quoted cell does not end")
    if len(values) != len(headings):
        raise ValueError(f"{len(values)} values under {len(headings)} headings")
    if len(lines) > 3:
        raise ValueError(f"{len(lines)} lines in one record; a header, values and noise make three")
    noise = as_cells(lines[2]) if len(lines) > 2 else []
    if any(noise[: len(HEADER)]) or len(noise) > len(headings) or (len(lines) > 2 and not noise):
        raise ValueError("the third line of the record is no line of noise")
    return headings, values, noise


def _instant(name: str, text: str) -> datetime:
    if not re.fullmatch(r"\d{1,13}", text, re.ASCII):
        raise ValueError(f"{name}: no milliseconds since 1970: {text[:40]!r}")
    return _EPOCH + timedelta(milliseconds=int(text))


def _float(text: str) -> float | None:
    """A number as Java prints it, `1.2E-4` included; some locales print a comma."""
    return float(text.replace(",", ".")) if _FLOAT.fullmatch(text) else None


def _number(name: str, text: str) -> float:
    found = _float(text)
    if found is None:
        raise ValueError(f"{name}: not a number: {text[:40]!r}")
    return found


def _zone(name: str) -> ZoneInfo | None:
    try:
        found = ZONE.read(name, Styles(NumberStyle(), _DAY_FIRST, Clock.fixed(ZoneInfo("UTC"))))
    except ValueError:
        return None
    return found if isinstance(found, ZoneInfo) else None


def _walls(text: str, clock: Clock) -> list[datetime]:
    """The instants that a wall time may mean: two when the clocks went back."""
    wall = stamp_of(text, _DAY_FIRST.read)
    return [clock.instant(wall.replace(fold=fold)) for fold in (0, 1)]


def _end(named: Mapping[str, str], started: datetime, clock: Clock) -> datetime:
    """`Id` plus `Hours`, to the second; where `To` says otherwise a person has corrected it, and it counts."""
    hours = _number("Hours", named["Hours"])
    counted = started + timedelta(hours=hours)
    if hours < 0:
        raise ValueError(f"Hours: negative: {named['Hours']!r}")
    if not named["To"]:
        return counted
    try:
        told = min(_walls(named["To"], clock), key=lambda each: abs(each - counted))
    except ValueError as fault:
        raise ValueError(f"To: {fault}") from None
    return counted if abs(told - counted) <= _CLOSE else told


def _is_moved(text: str, started: datetime, clock: Clock) -> bool:
    try:
        return bool(text) and all(abs(each - started) > _CLOSE for each in _walls(text, clock))
    except ValueError as fault:
        raise ValueError(f"From: {fault}") from None


def _asleep(named: Mapping[str, str]) -> float:
    minutes = _number("Hours", named["Hours"]) * 60
    adjusted = named.get("LenAdjust", "")
    if adjusted and adjusted != _ADDED_BY_HAND:
        minutes += _number("LenAdjust", adjusted)
    return max(0.0, round(minutes, _DIGITS))


def _events(texts: list[str]) -> list[Event]:
    matches = [match for text in texts if (match := _EVENT.fullmatch(text))]
    found = [
        Event(match[1].upper(), _EPOCH + timedelta(milliseconds=int(match[2])), (match[3] or "").strip())
        for match in matches
    ]
    return sorted(found, key=lambda event: event.at)


def _stages(events: list[Event], started: datetime, ended: datetime) -> tuple[list[dict[str, object]], Counter[str]]:
    """Each START with the next END of its label, within the record; the others are counted by label."""
    stages: list[dict[str, object]] = []
    loose: Counter[str] = Counter()
    opened: dict[str, datetime] = {}
    for event in events:
        word, _, edge = event.label.rpartition("_")
        if word not in _STAGES or edge not in ("START", "END"):
            continue
        since = opened.pop(word, None)
        if edge == "START":
            loose[f"{word}_START"] += since is not None
            opened[word] = event.at
        elif since is None:
            loose[event.label] += 1
        else:
            first, last = max(since, started), min(event.at, ended)
            if first < last:
                stages.append({"stage": _STAGES[word], "origin": _ORIGIN, "started_at": first, "ended_at": last})
    loose.update(f"{word}_START" for word in opened)
    return sorted(stages, key=lambda stage: str(stage["started_at"])), +loose


def _total(stages: list[dict[str, object]], stage: str) -> float | None:
    """Minutes of one stage; null where the record has no hypnogram at all."""
    spans = [(each["started_at"], each["ended_at"]) for each in stages if each["stage"] == stage]
    lengths = [last - first for first, last in spans if isinstance(first, datetime) and isinstance(last, datetime)]
    return _minutes(sum(lengths, timedelta())) if stages else None


def _minutes(span: timedelta) -> float:
    return round(span.total_seconds() / 60, _DIGITS)


def _measured(event: Event) -> float | None:
    """The value of an event that measures something; nothing measured is written as zero or less."""
    value = _float(event.value) if event.label in _MEASURED else None
    return value if value is not None and value > 0 else None


def _samples(events: list[Event]) -> Iterator[Mapping[str, object]]:
    for event in events:
        value = _measured(event)
        if value is not None:
            metric, factor = _MEASURED[event.label]
            yield {
                "metric": metric,
                "origin": _ORIGIN,
                "started_at": event.at,
                "ended_at": event.at,
                "value": round(value * factor, 6),
            }


def _other_events(events: list[Event], loose: Counter[str], texts: list[str]) -> dict[str, object]:
    """Events that became no row, as [label, instant, value], in order; behind them what is no event, as printed."""
    used = {f"{word}_{edge}" for word in _STAGES for edge in ("START", "END")} - set(loose)
    kept = [
        [event.label, event.at.isoformat(timespec="seconds").replace("+00:00", "Z"), event.value]
        for event in events
        if event.label not in used and _measured(event) is None
    ]
    kept += [[text] for text in texts if text and not _EVENT.fullmatch(text)]
    return {"Events": kept} if kept else {}


def _detail(named: Mapping[str, str], headings: list[str], values: list[str], noise: list[str]) -> dict[str, object]:
    """Cells as printed, under their headings; the curves as lists beside the times that head them."""
    detail: dict[str, object] = {
        name: named[name].replace(" \\n ", "\n")
        for name in _KEPT
        if named.get(name) and named[name] not in _NOTHING.get(name, frozenset())
    }
    places = [place for place, heading in enumerate(headings) if _TIMES.fullmatch(heading)]
    if len(places) > 1:
        detail["Times"] = [headings[place] for place in places]
        detail["Movement"] = [_curve(values[place]) for place in places]
        if noise:
            detail["NoiseCurve"] = [_curve(noise[place]) if place < len(noise) else None for place in places]
    return detail


def _curve(text: str) -> float | str | None:
    found = _float(text)
    return (text or None) if found is None else found
