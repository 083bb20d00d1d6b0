"""Fitbit's older export of a selection: one CSV of several tables, each under a line with its name.

`Body`, `Foods`, `Activities`, `Sleep`, and food logs day by day. Weights and distances are in the account's units, which
the file does not name: weights show theirs by the body mass index beside them, distances stay as printed.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import Struct

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import dates, numbers
from twinning_pipelines.formats.dates import DateStyle
from twinning_pipelines.formats.delimited import MAX_BYTES
from twinning_pipelines.formats.json_values import detail_of
from twinning_pipelines.formats.numbers import NumberStyle
from twinning_pipelines.formats.quantities import canonical, whole_day
from twinning_pipelines.formats.text import decode
from twinning_pipelines.formats.times import stamp_of, stretch
from twinning_pipelines.original import Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.sessions import SLEEP_SESSION
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.fitbit.logs import mass_values, unit_by_index
from twinning_pipelines.sources.health.fitbit.series import DAYS_ORIGIN, ORIGIN, PREFIX
from twinning_pipelines.sources.health.places import Desk, Place

_TABLES = ("Body", "Foods", "Activities", "Sleep")
_MARK = re.compile(
    r"\ufeff?\s*(?:Body|Foods|Activities|Sleep|Food Log \d{8}),*\r?\n\"?(?:Date|Start Time|Meal|Daily)\b"
)
_NAME = re.compile(r"(?:Body|Foods|Activities|Sleep|Food Log \d{8})", re.ASCII)
_NOTHING = ("", "N/A")

_ACTIVITIES: Mapping[str, tuple[str, str]] = {
    "Calories Burned": ("total_energy", "kcal"),
    "Steps": ("steps", "count"),
    "Distance": (f"{PREFIX}distance", ""),
    "Floors": ("flights_climbed", "count"),
    "Minutes Sedentary": ("sedentary_time", "min"),
    "Minutes Lightly Active": ("light_activity_time", "min"),
    "Minutes Fairly Active": ("moderate_activity_time", "min"),
    "Minutes Very Active": ("vigorous_activity_time", "min"),
    "Activity Calories": ("active_energy", "kcal"),
}
_FOODS: Mapping[str, tuple[str, str]] = {"Calories In": ("dietary_energy", "kcal")}
_NIGHT = {
    "in_bed_min": "Time in Bed",
    "asleep_min": "Minutes Asleep",
    "awake_min": "Minutes Awake",
    "core_min": "Minutes Light Sleep",
    "deep_min": "Minutes Deep Sleep",
    "rem_min": "Minutes REM Sleep",
}


_AWAKENINGS = "Number of Awakenings"
_KNOWN: Mapping[str, frozenset[str]] = {
    "Body": frozenset({"Date", "Weight", "BMI", "Fat"}),
    "Foods": frozenset({"Date", *_FOODS}),
    "Activities": frozenset({"Date", *_ACTIVITIES}),
    "Sleep": frozenset({"Start Time", "End Time", _AWAKENINGS, *_NIGHT.values()}),
}


class _Line(Struct, frozen=True):
    table: str
    place: Place
    cells: Mapping[str, str]


class _Styles(Struct):
    """How the file writes numbers and dates, and the unit of its weights."""

    numbers: NumberStyle
    dates: DateStyle
    mass: str | None
    clock: Clock

    def number(self, line: _Line, heading: str) -> float | None:
        """A cell as a number; None where it says nothing. Raises ValueError."""
        cell = line.cells.get(heading, "")
        if cell in _NOTHING:
            return None
        try:
            return float(self.numbers.read(cell))
        except ValueError as fault:
            raise ValueError(f"{heading}: {fault}") from None


def is_selection(text: str) -> bool:
    """By the name of the first table and the beginning of its headings."""
    return _MARK.match(text) is not None


def selection_rows(original: Original, desk: Desk) -> Iterator[Row | Rejection]:
    """The rows of every table. Raises UnreadableFile."""
    if original.size > MAX_BYTES:
        raise UnreadableFile(f"a table of more than {MAX_BYTES // 1024**2} MiB")
    with original.open() as stream:
        decoded = decode(stream.read())
    if decoded.is_binary:
        raise UnreadableFile("not a text file")
    lines = list(_lines(decoded.text, desk))
    styles = _styles(lines, desk.clock)
    for line in lines:
        try:
            yield from _rows(line, styles, desk)
        except (ValueError, OverflowError) as fault:
            yield line.place.rejection(SLEEP_SESSION if line.table == "Sleep" else SAMPLE, fault)


def _lines(text: str, desk: Desk) -> Iterator[_Line]:
    table, headings = "", list[str]()
    for line in text.lstrip("\ufeff").splitlines():
        cells = [cell.strip() for cell in _cells(line)]
        if not any(cells):
            continue
        if _NAME.fullmatch(cells[0]) and not any(cells[1:]):
            table, headings = cells[0], []
        elif table not in _TABLES:
            desk.oddities.left_out["lines of food logs"] += 1
        elif not headings:
            headings = cells
            desk.oddities.left_out.update(f"column {heading}" for heading in cells if heading not in _KNOWN[table])
        else:
            yield _Line(table, desk.places.next(line), dict(zip(headings, cells, strict=False)))


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return [line]


def _styles(lines: list[_Line], clock: Clock) -> _Styles:
    days = [line.cells.get("Date") or line.cells.get("Start Time", "") for line in lines]
    style = dates.decide_as(clock.date_order, lambda: days)
    figures = [cell for line in lines for heading, cell in line.cells.items() if heading not in ("Date", "Start Time")]
    styles = _Styles(numbers.decide(figures), style, None, clock)
    votes: list[str] = []
    for line in lines:
        if line.table == "Body":
            try:
                votes += unit_by_index(styles.number(line, "Weight"), styles.number(line, "BMI"))
            except ValueError:
                continue
    styles.mass = max(set(votes), key=votes.count) if votes else None
    return styles


def _rows(line: _Line, styles: _Styles, desk: Desk) -> Iterator[Row | Rejection]:
    if line.table == "Sleep":
        yield Row(SLEEP_SESSION, line.place.at, line.place.raw, _night(line, styles))
        return
    started, ended = whole_day(styles.dates.read(line.cells.get("Date", "")), desk.clock)
    shared = {"origin": DAYS_ORIGIN, "started_at": started, "ended_at": ended}
    if line.table == "Body":
        weight, index, fat = (styles.number(line, heading) for heading in ("Weight", "BMI", "Fat"))
        for each in list(mass_values(weight, index, fat, styles.mass)):
            yield Row(SAMPLE, line.place.at, line.place.raw, shared | each)
        return
    for heading, (metric, unit) in (_FOODS if line.table == "Foods" else _ACTIVITIES).items():
        try:
            value = styles.number(line, heading)
        except ValueError as fault:
            yield line.place.rejection(SAMPLE, fault)
            continue
        if value is None:
            continue
        if not unit:
            desk.oddities.unregistered[metric] += 1
        told = canonical(metric, value, unit) if unit else value
        yield Row(SAMPLE, line.place.at, line.place.raw, shared | {"metric": metric, "value": told})


def _night(line: _Line, styles: _Styles) -> dict[str, object]:
    minutes = {name: styles.number(line, heading) for name, heading in _NIGHT.items()}
    in_bed = minutes["in_bed_min"]
    start, end = _stamp(line, "Start Time", styles), _stamp(line, "End Time", styles)
    started, ended = stretch(start, end, None if in_bed is None else round(in_bed * 60), styles.clock)
    detail = detail_of({"awakenings": styles.number(line, _AWAKENINGS)})
    return {"origin": ORIGIN, "started_at": started, "ended_at": ended, **minutes, "detail": detail}


def _stamp(line: _Line, heading: str, styles: _Styles) -> datetime:
    try:
        return stamp_of(line.cells.get(heading, ""), styles.dates.read)
    except ValueError as fault:
        raise ValueError(f"{heading}: {fault}") from None
