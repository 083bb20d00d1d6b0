"""Google Fit's tables: one row for each day, and for each day a table of quarters of an hour.

Columns are those that the person has data for. A heading is `Step count` or `Average weight (kg)`, the latter beside
its `Max` and `Min`. Quarters carry times with an offset and no day, which stands in the file's name alone.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from msgspec import Struct

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.dates import DateStyle
from twinning_pipelines.formats.delimited import MAX_BYTES, Line, Recognition, open_sheet
from twinning_pipelines.formats.json_values import detail_of, number_of, shown
from twinning_pipelines.formats.quantities import canonical, whole_day
from twinning_pipelines.formats.text import decode
from twinning_pipelines.formats.times import instant_of, stamp_of
from twinning_pipelines.original import Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.exercise import Oddities
from twinning_pipelines.sources.health.places import Desk

PREFIX = "google_fit:"
DAYS_ORIGIN, QUARTERS_ORIGIN = "Google Fit daily", "Google Fit 15 minutes"
_DAY, _START, _END = "Date", "Start time", "End time"

_MEASURES = (
    "Step count", "Move Minutes count", "Heart Points", "Heart Minutes", "Low latitude (deg)", "Average weight (kg)",
    "Walking duration (ms)", "Average heart rate (bpm)",
)  # fmt: skip
IS_DAYS = Recognition((_DAY,), without=("Food Name", _START, "Time", "Meal"), any_of=_MEASURES)
IS_QUARTERS = Recognition((_START, _END), any_of=(*_MEASURES, "Calories (kcal)", "Distance (m)"))

_HEADING = re.compile(r"(?:(average|max|min) )?(.+?)(?: \(([^()]+)\))?", re.IGNORECASE)
_DAY_IN_NAME = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)", re.ASCII)
_ISO = DateStyle("YMD")

# The metric of a column, and its unit where the heading states none.
_METRIC_OF: Mapping[str, tuple[str, str]] = {
    "step count": ("steps", "count"),
    "move minutes count": ("move_time", "min"),
    "calories": ("total_energy", "kcal"),
    "distance": ("distance", "m"),
    "heart points": ("heart_points", "count"),
    "heart rate": ("heart_rate", "bpm"),
    "weight": ("body_mass", "kg"),
    "height": ("height", "m"),
    "body fat percentage": ("body_fat", "%"),
    "oxygen saturation": ("oxygen_saturation", "%"),
    "body temperature": ("body_temperature", "°C"),
    "systolic blood pressure": ("blood_pressure_systolic", "mmHg"),
    "diastolic blood pressure": ("blood_pressure_diastolic", "mmHg"),
    "blood glucose": ("blood_glucose", "mmol/L"),
}
_PLACES = ("latitude", "longitude")


class _Column(Struct, frozen=True):
    """A measure of the table: its heading, and the headings of its largest and smallest value."""

    heading: str
    metric: str
    unit: str
    extremes: Mapping[str, str]


def day_rows(original: Original, desk: Desk) -> Iterator[Row | Rejection]:
    """The samples of each day, which span it from midnight to midnight. Raises UnreadableFile."""
    for line, columns in _lines(original, (_DAY,), desk.oddities):
        place = desk.places.next(line.raw)
        try:
            span = whole_day(_ISO.read(_required(line, _DAY)), desk.clock)
        except (ValueError, OverflowError) as fault:
            yield place.rejection(SAMPLE, fault)
            continue
        for column in columns:
            yield from _cell(line, column, span, DAYS_ORIGIN, desk)


def quarter_rows(original: Original, desk: Desk) -> Iterator[Row | Rejection]:
    """The samples of each quarter of an hour. Raises UnreadableFile, also where the file's name has no day."""
    found = _DAY_IN_NAME.search(original.name)
    if found is None:
        raise UnreadableFile("the day stands in this file's name alone, 2024-03-01.csv; give the name back to it")
    try:
        day = date.fromisoformat(found[1])
    except ValueError:
        raise UnreadableFile(f"no day in the file's name: {shown(original.name)}") from None
    for line, columns in _lines(original, (_START, _END), desk.oddities):
        place = desk.places.next(line.raw)
        try:
            span = _quarter(line, day, desk.clock)
        except (ValueError, OverflowError) as fault:
            yield place.rejection(SAMPLE, fault)
            continue
        for column in columns:
            yield from _cell(line, column, span, QUARTERS_ORIGIN, desk)


def _quarter(line: Line, day: date, clock: Clock) -> tuple[datetime, datetime]:
    first, last = (
        instant_of(stamp_of(f"{day} {_required(line, heading)}", _ISO.read), clock) for heading in (_START, _END)
    )
    # The last quarter ends at midnight, which is written as the beginning of the day.
    return first, last + timedelta(days=1) if last <= first else last


def _required(line: Line, heading: str) -> str:
    if line.damage:
        raise ValueError(line.damage)
    cell = line.get(heading.lower())
    if not cell:
        raise ValueError(f"{heading}: empty")
    return cell


def _lines(original: Original, marks: tuple[str, ...], oddities: Oddities) -> Iterator[tuple[Line, list[_Column]]]:
    if original.size > MAX_BYTES:
        raise UnreadableFile(f"a table of more than {MAX_BYTES // 1024**2} MiB")
    with original.open() as stream:
        decoded = decode(stream.read())
    if decoded.is_binary:
        raise UnreadableFile("not a text file")
    sheet = open_sheet(decoded.text, marks)
    columns = _columns([heading for heading in sheet.headings if heading and heading not in marks], oddities)
    for line in sheet:
        yield line, columns


def _columns(headings: list[str], oddities: Oddities) -> list[_Column]:
    """The measures among the headings; those of positions are told as left out."""
    by_name: dict[str, dict[str, tuple[str, str]]] = {}
    for heading in headings:
        match = _HEADING.fullmatch(heading)
        assert match is not None
        kind, name, unit = match.groups()
        if name.lower().endswith(_PLACES):
            oddities.left_out[f"column {heading}"] += 1
        else:
            by_name.setdefault(name.lower(), {})[(kind or "").lower()] = (heading, unit or "")
    columns = []
    for name, kinds in by_name.items():
        main = next((kind for kind in ("", "average") if kind in kinds), None)
        if main is None:
            columns += [_column(heading.lower(), heading, unit, {}) for heading, unit in kinds.values()]
            continue
        extremes = {kind: heading for kind, (heading, _) in kinds.items() if kind in ("max", "min")}
        columns.append(_column(name, *kinds[main], extremes))
    return columns


def _column(name: str, heading: str, unit: str, extremes: Mapping[str, str]) -> _Column:
    metric, usual = _METRIC_OF.get(name, (PREFIX + re.sub(r"[^a-z0-9]+", "_", name).strip("_"), ""))
    return _Column(heading, metric, unit or usual, extremes)


def _cell(
    line: Line, column: _Column, span: tuple[datetime, datetime], origin: str, desk: Desk
) -> Iterator[Row | Rejection]:
    """The sample of one cell; none where it is empty."""
    cell = line.get(" ".join(column.heading.lower().split()))
    if not cell:
        return
    unregistered = column.metric.startswith(PREFIX)
    try:
        value = number_of(column.heading, cell)
        extremes = {kind: number_of(heading, line.get(heading.lower())) for kind, heading in _filled(line, column)}
        value = value if unregistered else canonical(column.metric, value, column.unit)
    except ValueError as fault:
        yield Rejection(desk.places.at, SAMPLE.name, str(fault), line.raw)
        return
    if unregistered:
        desk.oddities.unregistered[column.metric] += 1
    detail = extremes | ({"unit": column.unit} if unregistered or extremes else {})
    values = {
        "metric": column.metric,
        "origin": origin,
        "started_at": span[0],
        "ended_at": span[1],
        "value": value,
        "detail": detail_of(detail),
    }
    yield Row(SAMPLE, desk.places.at, line.raw, values)


def _filled(line: Line, column: _Column) -> list[tuple[str, str]]:
    return [(kind, heading) for kind, heading in column.extremes.items() if line.get(heading.lower())]
