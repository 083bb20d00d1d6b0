"""Health Auto Export's sleep: nights as the app sums them up, stages one by one, and days of the oldest versions.

Aggregated nights came in two shapes: until 6.6.2 `asleep` is all sleep, since then `totalSleep` is and `asleep` is what
no stage is known of. Figures are hours. Nights whose stages are all nought state none.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from twinning_pipelines.formats.json_values import detail_of, object_of, optional_number, shown, text_of
from twinning_pipelines.formats.quantities import unit_of
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.metrics import conversion
from twinning_pipelines.records.sessions import SLEEP_SESSION, SLEEP_STAGE
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.health_auto_export.metrics import ORIGIN, PREFIX, Told
from twinning_pipelines.sources.health.health_auto_export.stamps import Grain, instant, span, stamp
from twinning_pipelines.sources.health.places import Place

SLEEP = "sleep_analysis"

_STAGE_OF = {
    "awake": "awake",
    "asleep": "asleep",
    "unspecified": "asleep",
    "asleepunspecified": "asleep",
    "inbed": "in_bed",
    "core": "core",
    "asleepcore": "core",
    "deep": "deep",
    "asleepdeep": "deep",
    "rem": "rem",
    "asleeprem": "rem",
}
_STAGES = {"core_min": "core", "deep_min": "deep", "rem_min": "rem"}
_HOURS = frozenset({"totalSleep", "asleep", "awake", "inBed", *_STAGES.values()})
_BOUNDS = ("sleepStart", "sleepEnd", "inBedStart", "inBedEnd")


def sleep_rows(units: str, value: object, place: Place, told: Told) -> Iterator[Row | Rejection]:
    """The rows of one data point of the sleep analysis."""
    record = SLEEP_SESSION
    try:
        point = object_of("data", value)
        if "startDate" in point or "endDate" in point:
            record = SLEEP_STAGE
            yield _stage(point, place, told)
        elif any(point.get(key) for key in _BOUNDS):
            yield _night(units, point, place, told)
        else:
            record = SAMPLE
            yield from _day(units, point, place, told)
    except (ValueError, OverflowError) as fault:
        yield place.rejection(record, fault)


def _stage(point: Mapping[str, object], place: Place, told: Told) -> Row:
    word = text_of(point.get("value"))
    stage = _STAGE_OF.get(word.replace(" ", "").lower())
    if stage is None:
        raise ValueError(f"value: not a stage of sleep: {shown(word)}")
    values = {
        "stage": stage,
        "origin": text_of(point.get("source")) or ORIGIN,
        "started_at": instant("startDate", point.get("startDate"), told.clock),
        "ended_at": instant("endDate", point.get("endDate"), told.clock),
    }
    return Row(SLEEP_STAGE, place.at, place.raw, values)


def _night(units: str, point: Mapping[str, object], place: Place, told: Told) -> Row:
    minutes = {key: _minutes(key, point.get(key), units) for key in _HOURS}
    in_sleep = bool(point.get("sleepStart") and point.get("sleepEnd"))
    first, last = ("sleepStart", "sleepEnd") if in_sleep else ("inBedStart", "inBedEnd")
    if in_sleep and instant(last, point[last], told.clock) == instant(first, point[first], told.clock):
        # A night that only another app's time in bed is known of.
        first, last = ("inBedStart", "inBedEnd") if point.get("inBedStart") else (first, last)
    # Some apps write no stages, and the export then prints noughts.
    has_stages = any(minutes[name] for name in _STAGES.values())
    values: dict[str, Any] = {
        "origin": ORIGIN,
        "started_at": instant(first, point.get(first), told.clock),
        "ended_at": instant(last, point.get(last), told.clock),
        "in_bed_min": minutes["inBed"] or None,
        "asleep_min": minutes["totalSleep"] or minutes["asleep"],
        "awake_min": minutes["awake"],
        "detail": detail_of(
            {key: each for key, each in point.items() if key not in _HOURS and key not in (first, last)}
        ),
    }
    values |= {field: minutes[name] if has_stages else None for field, name in _STAGES.items()}
    return Row(SLEEP_SESSION, place.at, place.raw, values)


def _minutes(key: str, value: object, units: str) -> float | None:
    figure = optional_number(key, value)
    how = conversion(unit_of(units or "hr"), "min")
    if how is None:
        raise ValueError(f"units: not a unit of time: {shown(units)}")
    return None if figure is None else round(figure * how.factor, 3)


def _day(units: str, point: Mapping[str, object], place: Place, told: Told) -> Iterator[Row]:
    """What a day without a beginning and an end says: one sample for each figure, of the whole day, in minutes."""
    started, ended = span(stamp("date", point.get("date")), Grain.DAY, told.clock)
    figures = [key for key in sorted(_HOURS) if point.get(key) is not None]
    if not figures:
        raise ValueError("sleepStart: missing")
    rows = []
    for key in figures:
        metric = f"{PREFIX}sleep_{key}"
        values = {
            "metric": metric,
            "origin": ORIGIN,
            "started_at": started,
            "ended_at": ended,
            "value": _minutes(key, point[key], units),
            "detail": detail_of({name: each for name, each in point.items() if name not in (*_HOURS, "date")}),
        }
        rows.append(Row(SAMPLE, place.at, place.raw, values))
    told.oddities.unregistered.update(str(row.values["metric"]) for row in rows)
    yield from rows
