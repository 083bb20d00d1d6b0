"""Apple's Workouts and ActivitySummaries to rows, one by one: a person has thousands of them, not millions."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn

from twinning_pipelines.formats.xml_stream import Child, Element
from twinning_pipelines.records.health import ACTIVITY_RING
from twinning_pipelines.records.metrics import conversion
from twinning_pipelines.records.record import Record
from twinning_pipelines.records.sessions import WORKOUT
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.apple_moments import day_of, moment_of
from twinning_pipelines.sources.health.apple_types import (
    NUMBER,
    QUANTITY,
    WORKOUT_DISTANCES,
    WORKOUT_ENERGY,
    activity_of,
    shown,
    unknown_unit,
    zone_of,
)

_LARGEST = float("inf")

# Our field -> Apple's attribute, with the one of its unit. iOS 13 wrote appleMoveMinutes, later appleMoveTime.
_RING_ENERGIES = {"move_kcal": "activeEnergyBurned", "move_goal_kcal": "activeEnergyBurnedGoal"}
_RING_ENERGY_UNIT = "activeEnergyBurnedUnit"
_RING_MINUTES = {
    "move_min": ("appleMoveTime", "appleMoveMinutes"),
    "move_goal_min": ("appleMoveTimeGoal", "appleMoveMinutesGoal"),
    "exercise_min": ("appleExerciseTime",),
    "exercise_goal_min": ("appleExerciseTimeGoal",),
}
_RING_HOURS = {"stand_hours": "appleStandHours", "stand_goal_hours": "appleStandHoursGoal"}


def rows(elements: Iterator[Element], zones: Counter[str]) -> Iterator[Row | Rejection]:
    """The row, or the rejection, of each Workout and each ActivitySummary; `zones` counts time zones nobody knows."""
    for element in elements:
        record, values_of = _READERS[element.name]
        try:
            values = values_of(element, zones)
        except ValueError as wrong:
            yield Rejection(element.at, record.name, str(wrong), element.raw)
        else:
            yield Row(record, element.at, element.raw, values)


def _workout(element: Element, zones: Counter[str]) -> dict[str, object]:
    given = element.attributes
    statistics = [child for child in element.children if child.name == "WorkoutStatistics"]
    activity = given.get("workoutActivityType")
    if activity is None:
        _refuse("workoutActivityType", None, "an activity")
    origin = given.get("sourceName")
    if origin is None:
        _refuse("sourceName", None, "a name")
    distance = _measure(given, "totalDistance", "totalDistanceUnit", "m")
    energy = _measure(given, "totalEnergyBurned", "totalEnergyBurnedUnit", "kcal")
    return {
        "activity": activity_of(activity),
        "origin": unicodedata.normalize("NFC", origin).strip(),
        "started_at": _moment(given, "startDate"),
        "ended_at": _moment(given, "endDate"),
        "duration_min": _measure(given, "duration", "durationUnit", "min"),
        "distance_m": _sum_of(statistics, WORKOUT_DISTANCES, "m") if distance is None else distance,
        "energy_kcal": _sum_of(statistics, (WORKOUT_ENERGY,), "kcal") if energy is None else energy,
        "zone": _zone(element.children, zones),
    }


def _ring(element: Element, _zones: Counter[str]) -> dict[str, object]:
    given = element.attributes
    printed = given.get("dateComponents")
    day = None if printed is None else day_of(printed)
    if day is None:
        _refuse("dateComponents", printed, "a day")
    values: dict[str, object] = {"day": day}
    for field, attribute in _RING_ENERGIES.items():
        values[field] = _measure(given, attribute, _RING_ENERGY_UNIT, "kcal")
    for field, attributes in _RING_MINUTES.items():
        values[field] = next((_number(given, each) for each in attributes if each in given), None)
    for field, attribute in _RING_HOURS.items():
        values[field] = _whole(given, attribute)
    return values


_READERS: Mapping[str, tuple[Record, Callable[[Element, Counter[str]], dict[str, object]]]] = {
    "Workout": (WORKOUT, _workout),
    "ActivitySummary": (ACTIVITY_RING, _ring),
}
NAMES = tuple(_READERS)


def _refuse(attribute: str, text: str | None, thing: str) -> NoReturn:
    raise ValueError(f"{attribute}: missing" if text is None else f"{attribute}: not {thing}: {shown(text)}")


def _moment(given: Mapping[str, str], attribute: str) -> object:
    text = given.get(attribute)
    moment = None if text is None else moment_of(text)
    if moment is None:
        _refuse(attribute, text, "a moment")
    return moment


def _number(given: Mapping[str, str], attribute: str) -> float | None:
    text = given.get(attribute)
    if text is None:
        return None
    number = float(text) if NUMBER.fullmatch(text) else _LARGEST
    if abs(number) == _LARGEST:
        _refuse(attribute, text, "a number")
    return number


def _whole(given: Mapping[str, str], attribute: str) -> int | None:
    number = _number(given, attribute)
    if number is None:
        return None
    if not number.is_integer():
        _refuse(attribute, given[attribute], "a whole number")
    return int(number)


def _measure(given: Mapping[str, str], attribute: str, unit_attribute: str, canonical: str) -> float | None:
    """A number in the canonical unit; None where it is not given."""
    number = _number(given, attribute)
    if number is None:
        return None
    unit = given.get(unit_attribute)
    how = None if unit is None else conversion(unit, canonical)
    if how is None:
        raise ValueError(f"{unit_attribute}: {unknown_unit(unit, canonical)}")
    return number * how.factor + how.offset


def _sum_of(statistics: list[Child], kinds: tuple[str, ...], canonical: str) -> float | None:
    """The total of a workout's own statistics of these types; None where it has none."""
    found: list[float] = []
    for _, given in statistics:
        if given.get("type") not in kinds:
            continue
        try:
            total = _measure(given, "sum", "unit", canonical)
        except ValueError as wrong:
            raise ValueError(f"WorkoutStatistics of {given['type'].removeprefix(QUANTITY)}: {wrong}") from wrong
        if total is not None:
            found.append(total)
    return sum(found) if found else None


def _zone(children: tuple[Child, ...], zones: Counter[str]) -> str | None:
    text = next((given.get("value") for name, given in children if is_zone(name, given)), None)
    zone = None if text is None else zone_of(text)
    if text is not None and zone is None:
        zones[shown(text)] += 1
    return zone


def is_zone(name: str, attributes: Mapping[str, str]) -> bool:
    """Does this child state the time zone of its element?"""
    return name == "MetadataEntry" and attributes.get("key") == "HKTimeZone"
