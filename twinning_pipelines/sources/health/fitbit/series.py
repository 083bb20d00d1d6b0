"""Fitbit's series: lists of `dateTime` and `value`, one kind in each file, named after it: `steps-2024-03-01.json`.

A stamp is `MM/DD/YY HH:MM:SS` and carries no offset. Steps, distances, heights climbed and heart rates are in UTC; energy
and whatever is told of a day is in the person's own time. Distances are centimetres; heights climbed have no stated
unit and are kept as printed. Facts: public parsers of real exports, which agree on these but for nothing else.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import Enum

from msgspec import Struct

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.json_stream import values
from twinning_pipelines.formats.json_values import detail_of, number_of, object_of, shown, text_of
from twinning_pipelines.formats.quantities import canonical, whole_day
from twinning_pipelines.original import as_text
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.places import Desk, Opening, Place

ORIGIN, DAYS_ORIGIN = "Fitbit", "Fitbit daily"
PREFIX = "fitbit:"

_STAMP = re.compile(r"(\d{2})/(\d{2})/(\d{2})(?: (\d{2}):(\d{2}):(\d{2}))?", re.ASCII)
_MARK = re.compile(rf'\s*\[\s*\{{\s*"dateTime"\s*:\s*"{_STAMP.pattern}"\s*,\s*"value"\s*:', re.ASCII)
_KIND = re.compile(r"([a-z][a-z0-9_]*?)(?:_data)?-\d", re.IGNORECASE)
_FULL_DAY = 1_440


class Span(Enum):
    """How long a stretch a value stands for: a moment, the minute that begins there, or the person's day."""

    MOMENT = 0
    MINUTE = 1
    DAY = 2


class Series(Struct, frozen=True):
    """How a kind of series is read. field: where the figure stands when the value is an object; an earlier one is better."""

    metric: str
    unit: str
    span: Span
    is_local: bool = False
    fields: tuple[str, ...] = ()


_SERIES: Mapping[str, Series] = {
    "steps": Series("steps", "count", Span.MINUTE),
    "distance": Series("distance", "cm", Span.MINUTE),
    "calories": Series("total_energy", "kcal", Span.MINUTE, is_local=True),
    "altitude": Series(f"{PREFIX}altitude", "", Span.MINUTE),
    "heart_rate": Series("heart_rate", "bpm", Span.MOMENT, fields=("bpm",)),
    "resting_heart_rate": Series("resting_heart_rate", "bpm", Span.DAY, is_local=True, fields=("value",)),
    "sedentary_minutes": Series("sedentary_time", "min", Span.DAY, is_local=True),
    "lightly_active_minutes": Series("light_activity_time", "min", Span.DAY, is_local=True),
    "moderately_active_minutes": Series("moderate_activity_time", "min", Span.DAY, is_local=True),
    "very_active_minutes": Series("vigorous_activity_time", "min", Span.DAY, is_local=True),
    "demographic_vo2_max": Series(
        "vo2_max", "mL/kg·min", Span.DAY, is_local=True, fields=("filteredDemographicVO2Max", "demographicVO2Max")
    ),
    "run_vo2_max": Series("vo2_max", "mL/kg·min", Span.MOMENT, fields=("filteredRunVO2Max", "runVO2Max")),
    "swim_lengths": Series(f"{PREFIX}swim_length", "s", Span.MOMENT, fields=("lapDurationSec",)),
    "height": Series(f"{PREFIX}height", "", Span.DAY, is_local=True),
}
_ZONES = "valuesInZones"
_ZONES_METRIC = f"{PREFIX}minutes_in_zone_"


class WallClock:
    """Local stamps in the order of their file to instants; the hour that autumn repeats is told apart by that order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = datetime.min  # noqa: DTZ901  (wall times know no zone)
        self._is_second = False

    def instant(self, wall: datetime) -> datetime:
        """The UTC instant. Raises OverflowError at the calendar's end."""
        first, second = (self._clock.instant(wall.replace(fold=fold)) for fold in (0, 1))
        if second <= first:
            self._is_second = False
        elif wall <= self._last and self._last - wall < timedelta(hours=2):
            self._is_second = True
        self._last = wall
        return second if self._is_second else first


def is_series(head: bytes) -> bool:
    """By the first entry of the list."""
    return _MARK.match(as_text(head)) is not None


def wall_of(name: str, value: object) -> datetime:
    """A stamp without its zone; years are of this century, which is Fitbit's. Raises ValueError."""
    text = text_of(value)
    match = _STAMP.fullmatch(text)
    if match is None:
        raise ValueError(f"{name}: {f'not a stamp like 03/31/24 21:30:00: {shown(text)}' if text else 'missing'}")
    month, day, year, hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        return datetime(2000 + year, month, day, hour, minute, second)  # noqa: DTZ001  (the zone is found later)
    except ValueError:
        raise ValueError(f"{name}: no such day or time: {shown(text)}") from None


def series_rows(opening: Opening, name: str, made_at: datetime, desk: Desk) -> Iterator[Row | Rejection]:
    """The samples of a file of that name, made by then. Raises UnreadableFile, also where the name tells no kind."""
    found = _KIND.match(name)
    if found is None:
        raise UnreadableFile("what is measured stands in this file's name alone, steps-2024-03-01.json; give it back")
    kind = found[1].lower()
    reader = _Reader(kind, _SERIES.get(kind, Series(PREFIX + kind, "", Span.MOMENT)), made_at, desk)
    with opening() as stream:
        for each in values(stream, lambda path: not path):
            place = desk.places.next(each.raw)
            try:
                yield from reader.rows(object_of("entry", each.value), place)
            except (ValueError, OverflowError) as fault:
                yield place.rejection(SAMPLE, fault)


class _Reader:
    """Entries of one file to samples."""

    def __init__(self, kind: str, series: Series, made_at: datetime, desk: Desk) -> None:
        self._kind = kind
        self._series = series
        self._desk = desk
        self._walls = WallClock(desk.clock)
        self._made_on: date = desk.clock.day(made_at)
        self._is_registered = not series.metric.startswith(PREFIX)

    def rows(self, entry: Mapping[str, object], place: Place) -> Iterator[Row]:
        """The samples of an entry: one, or one for each zone. Raises ValueError."""
        wall, value = wall_of("dateTime", entry.get("dateTime")), entry.get("value")
        started, ended = self._span(wall)
        if isinstance(value, dict) and _ZONES in value:
            for zone, minutes in object_of(_ZONES, value[_ZONES]).items():
                metric = f"{_ZONES_METRIC}{zone.lower()}"
                self._desk.oddities.unregistered[metric] += 1
                yield _row(place, (metric, DAYS_ORIGIN, started, ended), number_of(zone, minutes), '{"unit":"min"}')
            return
        number, rest = self._figure(value)
        if self._is_filler(wall, number):
            return
        if self._is_registered:
            number = canonical(self._series.metric, number, self._series.unit)
        else:
            self._desk.oddities.unregistered[self._series.metric] += 1
            rest["unit"] = self._series.unit
        origin = DAYS_ORIGIN if self._series.span is Span.DAY else ORIGIN
        yield _row(place, (self._series.metric, origin, started, ended), number, detail_of(rest) if rest else None)

    def _span(self, wall: datetime) -> tuple[datetime, datetime]:
        if self._series.span is Span.DAY or self._kind == "time_in_heart_rate_zones":
            return whole_day(wall.date(), self._desk.clock)
        started = self._walls.instant(wall) if self._series.is_local else wall.replace(tzinfo=UTC)
        return started, started + timedelta(minutes=1) if self._series.span is Span.MINUTE else started

    def _figure(self, value: object) -> tuple[float, dict[str, object]]:
        """The figure of a value, and whatever else it says."""
        if not isinstance(value, dict):
            return number_of("value", value), {}
        field = next((name for name in self._series.fields if value.get(name) is not None), None)
        if field is None:
            numbers = [name for name, each in value.items() if isinstance(each, (int, float))]
            field = numbers[0] if numbers and not self._series.fields else "value"
        rest = {name: each for name, each in value.items() if name != field}
        return number_of(field, value.get(field)), rest

    def _is_filler(self, wall: datetime, number: float) -> bool:
        """Noughts for days whose heart rate Fitbit could not tell, and sedentary days that are still to come."""
        if self._kind == "resting_heart_rate" and number == 0:
            self._desk.oddities.left_out["days without a resting heart rate"] += 1
            return True
        if self._kind == "sedentary_minutes" and number == _FULL_DAY and wall.date() > self._made_on:
            self._desk.oddities.left_out["sedentary minutes of days to come"] += 1
            return True
        return False


def _row(place: Place, what: tuple[str, str, datetime, datetime], value: float, detail: str | None) -> Row:
    metric, origin, started, ended = what
    fields = {"metric": metric, "origin": origin, "started_at": started, "ended_at": ended}
    return Row(SAMPLE, place.at, place.raw, fields | {"value": value, "detail": detail})
