"""Fitbit's logs of exercise and weight, `exercise-0.json` and `weight-2024-03-01.json`.

Exercise begins in UTC, a weight is told in the person's own time. Weights are in the unit of the account, which the
export does not name; but a body mass index stands beside each, and only in one of kilograms, pounds and stones do
the two belong to a person between 1.35 and 2.20 m. The energy of an exercise is what Fitbit states, resting included.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.json_stream import values
from twinning_pipelines.formats.json_values import detail_of, number_of, object_of, optional_number, shown, text_of
from twinning_pipelines.formats.quantities import canonical
from twinning_pipelines.original import as_text
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.metrics import conversion
from twinning_pipelines.records.sessions import WORKOUT
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.exercise import activity_of
from twinning_pipelines.sources.health.fitbit.series import ORIGIN, wall_of
from twinning_pipelines.sources.health.places import Desk, Opening, Place

_EXERCISE = re.compile(r'\s*\[\s*\{\s*(?:"logId"\s*:\s*-?\d+\s*,\s*)?"activityName"\s*:')
_WEIGHT = re.compile(r'\s*\[\s*\{\s*"logId"\s*:\s*-?\d+\s*,\s*"weight"\s*:')
_MASSES = ("kg", "lb", "st")
_SHORTEST_M, _TALLEST_M = 1.35, 2.20
_METRES = {"Kilometer": "km", "Mile": "mi", "Meter": "m", "Yard": "yd", "Foot": "ft", "Centimeter": "cm"}
_SAID = frozenset({"activityName", "startTime", "activeDuration", "calories", "averageHeartRate"})


def is_exercise(head: bytes) -> bool:
    """By the first entry of the list."""
    return _EXERCISE.match(as_text(head)) is not None


def is_weight(head: bytes) -> bool:
    """By the first entry of the list."""
    return _WEIGHT.match(as_text(head)) is not None


def exercise_rows(opening: Opening, desk: Desk) -> Iterator[Row | Rejection]:
    """The workout of each entry. Raises UnreadableFile."""
    with opening() as stream:
        for found in values(stream, lambda path: not path):
            place = desk.places.next(found.raw)
            try:
                yield Row(WORKOUT, place.at, place.raw, _workout(object_of("entry", found.value)))
            except (ValueError, OverflowError) as fault:
                yield place.rejection(WORKOUT, fault)


def _workout(entry: Mapping[str, object]) -> dict[str, object]:
    started = wall_of("startTime", entry.get("startTime")).replace(tzinfo=UTC)
    length = number_of("duration", entry.get("duration"))
    active = optional_number("activeDuration", entry.get("activeDuration"))
    tracker = entry.get("source")
    name = text_of(entry.get("activityName"))
    metres, said = _metres(entry)
    return {
        "activity": activity_of(name),
        "origin": (text_of(tracker.get("name")) if isinstance(tracker, dict) else "") or ORIGIN,
        "started_at": started,
        "ended_at": started + timedelta(milliseconds=length),
        "duration_min": None if active is None else round(active / 60_000, 3),
        "distance_m": metres,
        "energy_kcal": optional_number("calories", entry.get("calories")),
        "heart_rate_mean": optional_number("averageHeartRate", entry.get("averageHeartRate")) or None,
        "detail": detail_of({key: each for key, each in entry.items() if key not in _SAID | said} | {"name": name}),
    }


def _metres(entry: Mapping[str, object]) -> tuple[float | None, frozenset[str]]:
    """The distance, and the fields that it is told by; one in a unit that nobody knows stays a detail."""
    unit = _METRES.get(text_of(entry.get("distanceUnit")))
    distance = optional_number("distance", entry.get("distance"))
    how = conversion(unit, "m") if unit else None
    if distance is None or how is None:
        return None, frozenset()
    return round(distance * how.factor, 3), frozenset({"distance", "distanceUnit"})


def weighed(openings: Iterable[Opening]) -> str | None:
    """The unit of the weights in all these documents together; None where no body mass index tells it."""
    votes: Counter[str] = Counter()
    for opening in openings:
        # A file that breaks off is told when its rows are read.
        with suppress(UnreadableFile), opening() as stream:
            for found in values(stream, lambda path: not path):
                entry = found.value if isinstance(found.value, dict) else {}
                votes.update(unit_by_index(entry.get("weight"), entry.get("bmi")))
    return votes.most_common(1)[0][0] if votes else None


def unit_by_index(weight: object, index: object) -> list[str]:
    """The unit that a weight is in by its body mass index: one, or none where that is open."""
    try:
        mass, ratio = number_of("weight", weight), number_of("bmi", index)
    except ValueError:
        return []
    fitting = []
    for unit in _MASSES:
        how = conversion(unit, "kg")
        factor = 1.0 if how is None else how.factor
        if ratio > 0 and _SHORTEST_M**2 <= mass * factor / ratio <= _TALLEST_M**2:
            fitting.append(unit)
    return fitting if len(fitting) == 1 else []


def weight_rows(opening: Opening, unit: str | None, desk: Desk) -> Iterator[Row | Rejection]:
    """The samples of each weighing. Raises UnreadableFile."""
    with opening() as stream:
        for found in values(stream, lambda path: not path):
            place = desk.places.next(found.raw)
            try:
                yield from _weighing(object_of("entry", found.value), unit, place, desk.clock)
            except (ValueError, OverflowError) as fault:
                yield place.rejection(SAMPLE, fault)


def _weighing(entry: Mapping[str, object], unit: str | None, place: Place, clock: Clock) -> Iterator[Row]:
    at = clock.instant(wall_of("date", f"{text_of(entry.get('date'))} {text_of(entry.get('time'))}".strip()))
    detail = detail_of({"source": entry.get("source"), "logId": entry.get("logId")})
    shared = {"origin": ORIGIN, "started_at": at, "ended_at": at, "detail": detail}
    rows = list(mass_values(entry.get("weight"), entry.get("bmi"), entry.get("fat"), unit))
    yield from (Row(SAMPLE, place.at, place.raw, shared | each) for each in rows)


def mass_values(weight: object, index: object, fat: object, unit: str | None) -> Iterator[dict[str, object]]:
    """Metric and value of a weight, its body mass index and the share of fat; noughts stand for unknown.

    Raises ValueError.
    """
    mass = number_of("weight", weight)
    if unit is None:
        raise ValueError(f"weight: {shown(mass)} may be kg, lb or st, and no body mass index tells which")
    yield {"metric": "body_mass", "value": canonical("body_mass", mass, unit)}
    if ratio := optional_number("bmi", index):
        yield {"metric": "body_mass_index", "value": ratio}
    if share := optional_number("fat", fat):
        yield {"metric": "body_fat", "value": canonical("body_fat", share, "%")}
