"""Health Auto Export's workouts, in both of its versions: the workout, its route and the series recorded with it.

Version 1 has `activeEnergy` as one quantity and `route` with `lat` and `lon`; version 2 has `activeEnergyBurned`,
`activeEnergy` as a series, and routes with accuracies. The series have an origin of their own, for the app prints the
same steps and heart rates again among the metrics.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.json_values import (
    detail_of,
    json_of,
    list_of,
    number_of,
    object_of,
    optional_number,
    text_of,
)
from twinning_pipelines.formats.quantities import unit_of
from twinning_pipelines.formats.track import Point, is_position, row_values
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.metrics import conversion
from twinning_pipelines.records.sessions import ROUTE, WORKOUT
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.exercise import activity_of
from twinning_pipelines.sources.health.health_auto_export.metrics import ORIGIN, PREFIX, Told, sample_row
from twinning_pipelines.sources.health.health_auto_export.stamps import Grain, grain_of, instant, stamp
from twinning_pipelines.sources.health.places import Place

SERIES_ORIGIN = f"{ORIGIN} workouts"

# The series of a workout and the metric of each.
_SERIES = {
    "heartRateData": "heart_rate",
    "heartRateRecovery": "heart_rate",
    "stepCount": "steps",
    "activeEnergy": "active_energy",
    "basalEnergy": "basal_energy",
    "walkingAndRunningDistance": "distance_walking_running",
    "cyclingDistance": "distance_cycling",
    "cyclingCadence": "cycling_cadence",
    "cyclingPower": "cycling_power",
    "cyclingSpeed": "cycling_speed",
    "swimDistance": "distance_swimming",
    "swimStroke": "swimming_strokes",
}
_ROUTE = "route"
# What the fields of a workout hold; everything else is its detail.
_TOLD = frozenset({"start", "end", "duration", "distance", _ROUTE})
_WHERE = re.compile(r"^(?:indoor|outdoor|pool|open water)\s+", re.IGNORECASE)
# Heart rates of version 1 leave out the minute.
_UNIT_OF = {"kmph": "km/hr", "count": "count/min"}


def workout_rows(value: object, place: Place, told: Told) -> Iterator[Row | Rejection]:
    """The workout, its route, and the samples of its series."""
    try:
        workout = object_of("workouts", value)
        # A route and the series are much longer than all the rest, and each of their rows has a text of its own.
        place = Place(place.at, json_of({key: each for key, each in workout.items() if not isinstance(each, list)}))
        row = _workout(workout, place, told.clock)
    except (ValueError, OverflowError) as fault:
        yield place.rejection(WORKOUT, fault)
        return
    yield row
    began = row.values["started_at"]
    if list_of(workout.get(_ROUTE)):
        yield _route(workout, began, place, told)
    for key, series in workout.items():
        if key != _ROUTE and _is_series(series):
            yield from _samples(key, list_of(series), place, told)


def _is_series(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(each, dict) and "date" in each for each in value)


def _workout(workout: Mapping[str, object], place: Place, clock: Clock) -> Row:
    energy = "activeEnergyBurned" if "activeEnergyBurned" in workout else "activeEnergy"
    seconds = optional_number("duration", workout.get("duration"))
    took = {key for key in (*_TOLD, energy) if not isinstance(workout.get(key), list)} | {_ROUTE}
    rest = {key: value for key, value in workout.items() if key not in took and not _is_series(value)}
    values = {
        "activity": _activity(text_of(workout.get("name"))),
        "origin": ORIGIN,
        "started_at": instant("start", workout.get("start"), clock),
        "ended_at": instant("end", workout.get("end"), clock),
        "duration_min": None if seconds is None else round(seconds / 60, 3),
        "distance_m": _measure(workout, "distance", "m"),
        "energy_kcal": _measure(workout, energy, "kcal"),
        "ascent_m": _ascent(workout),
        "heart_rate_mean": _rate(workout, "avgHeartRate", "avg"),
        "heart_rate_max": _rate(workout, "maxHeartRate", "max"),
        "detail": detail_of(rest),
    }
    return Row(WORKOUT, place.at, place.raw, values)


def _activity(name: str) -> str | None:
    """`Outdoor Run` is running, as in Apple's own export; the name itself is in the detail."""
    activity = activity_of(_WHERE.sub("", name))
    return "cycling" if activity == "cycle" else activity


def _measure(holder: Mapping[str, object], key: str, canonical: str, figure: str = "qty") -> float | None:
    """A `{qty, units}` in our unit; None where there is none, or a series in its place. Raises ValueError."""
    told = holder.get(key)
    if told is None or isinstance(told, list):
        return None
    quantity = object_of(key, told)
    value = optional_number(key, quantity.get(figure))
    if value is None:
        return None
    units = text_of(quantity.get("units")) or canonical
    how = conversion(unit_of(_UNIT_OF.get(units, units)), canonical)
    if how is None:
        raise ValueError(f"{key}: don't know how to turn {units!r} into {canonical}")
    return round(value * how.factor, 3)


def _ascent(workout: Mapping[str, object]) -> float | None:
    if "elevationUp" in workout:
        return _measure(workout, "elevationUp", "m")
    return _measure(workout, "elevation", "m", "ascent")


def _rate(workout: Mapping[str, object], alone: str, within: str) -> float | None:
    rates = workout.get("heartRate")
    if isinstance(rates, dict) and within in rates:
        return _measure(rates, within, "count/min") or None
    return _measure(workout, alone, "count/min") or None


def _samples(key: str, series: list[object], place: Place, told: Told) -> Iterator[Row | Rejection]:
    metric = _SERIES.get(key, f"{PREFIX}workout_{key}")
    grain = _grain(series)
    alike = Told(told.clock, told.oddities, grain, grain)
    for each in series:
        try:
            point = dict(object_of(key, each))
            units = text_of(point.pop("units", None))
            if key == "heartRateRecovery":
                point["phase"] = "recovery"
            if metric == "heart_rate":
                units = _UNIT_OF.get(units, units) or "count/min"
            yield sample_row(metric, units, point, Place(place.at, json_of(each)), alike, origin=SERIES_ORIGIN)
        except (ValueError, OverflowError) as fault:
            yield Place(place.at, json_of(each)).rejection(SAMPLE, f"{key}: {fault}")


def _grain(series: list[object]) -> Grain:
    """Whole minutes throughout mean sums and means of minutes; nothing coarser is printed inside a workout."""
    for each in series:
        try:
            if isinstance(each, dict) and grain_of(stamp("date", each.get("date"))) is Grain.MOMENT:
                return Grain.MOMENT
        except ValueError:
            continue
    return Grain.MINUTE


def _route(workout: Mapping[str, object], began: object, place: Place, told: Told) -> Row | Rejection:
    points: list[Point] = []
    for each in list_of(workout[_ROUTE]):
        point = _point(each, told.clock)
        if point is None:
            told.undrawn += 1
        else:
            points.append(point)
    try:
        values = row_values(points)
    except (ValueError, OverflowError) as fault:
        return place.rejection(ROUTE, fault)
    name = text_of(workout.get("name"))
    return Row(ROUTE, place.at, place.raw, {"name": name, "origin": ORIGIN, "workout_at": began, **values})


def _point(value: object, clock: Clock) -> Point | None:
    """A point of a route; None where it is no place or no time."""
    try:
        point = object_of(_ROUTE, value)
        latitude = number_of("latitude", point.get("latitude", point.get("lat")))
        longitude = number_of("longitude", point.get("longitude", point.get("lon")))
        at: datetime = instant("timestamp", point.get("timestamp"), clock)
        measures = [optional_number(key, point.get(key)) for key in _MEASURES]
    except (ValueError, OverflowError):
        return None
    if not is_position(latitude, longitude):
        return None
    elevation, *others = measures
    # Core Location writes -1 for what it does not know.
    known = [None if each is None or each < 0 else each for each in others]
    return Point(at, latitude, longitude, elevation, *known)


_MEASURES = ("altitude", "speed", "course", "horizontalAccuracy", "verticalAccuracy")
