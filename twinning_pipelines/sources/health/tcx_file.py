"""Activities of TCX files, Garmin's Training Center XML.

From: Garmin Connect ("Export to TCX"), Google Fit's Takeout, Polar Flow, Strava and others.
To: Workout, WorkoutPart (laps), Route, Sample (heart rate, cadence, power, speed).

The totals of a workout are the sums of its laps, for the format states no others; the mean heart rate is that of the
laps, weighted by their seconds. Courses and workouts in the file are plans: announced and left out. So are the metres
run at each trackpoint, whose laps state them.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.tcx import Activity, Lap, activities
from twinning_pipelines.formats.xml_feed import root_of
from twinning_pipelines.original import Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.sessions import ROUTE, WORKOUT, WORKOUT_PART
from twinning_pipelines.source import Item, Notice, Rejection, Row, Source, gather
from twinning_pipelines.sources.health.exercise import (
    Oddities,
    activity_of,
    as_detail,
    end_of,
    gauge_of,
    route,
    sample,
)

_SHOWN = 3


def recognises(original: Original) -> bool:
    """By the root element."""
    return not original.is_zip and root_of(original.head) == "TrainingCenterDatabase"


def parse(original: Original, _clock: Clock) -> Iterator[Item]:
    """Workouts with their laps, routes and samples. Raises UnreadableFile, with the line, where the XML breaks off."""
    return gather(_rows(original), (WORKOUT, WORKOUT_PART, ROUTE, SAMPLE))


def _rows(original: Original) -> Iterator[Row | Rejection | Notice]:
    oddities, plans = Oddities(), Counter[str]()
    odd: list[tuple[int, str]] = []
    with original.open() as stream:
        for activity in activities(stream, plans):
            odd += activity.odd
            yield from _activity(activity, oddities)
    oddities.left_out.update({f"plans ({name})": count for name, count in plans.items()})
    yield from oddities.notices()
    if odd:
        first = "; ".join(f"line {line}: {reason}" for line, reason in odd[:_SHOWN])
        yield Notice(f"single measures that can't be read, left out of their trackpoints: {len(odd)}; {first}")


def _activity(activity: Activity, oddities: Oddities) -> Iterator[Row | Rejection]:
    origin = activity.device or "TCX"
    name = activity_of(activity.sport) or "other"
    workout_at = activity.started_at
    yield _workout(activity, origin, name)
    for lap in activity.laps:
        yield _lap(lap, origin, workout_at)
    for (line, reason), raw in zip(activity.misread, activity.raws, strict=True):
        yield Rejection(line, ROUTE.name, reason, raw)
    if activity.points:
        yield route(activity.line, activity.points, origin, name, workout_at)
    for series, timed in (
        ("heart_rate", activity.rates),
        ("cadence", activity.cadences),
        ("power", activity.powers),
        ("speed", activity.speeds),
    ):
        gauge = gauge_of(series, name, "tcx")
        yield from oddities.rated(sample(activity.line, gauge, origin, at, value) for at, value in timed)


def _workout(activity: Activity, origin: str, name: str) -> Row | Rejection:
    started, laps = activity.started_at, activity.laps
    if started is None:
        return Rejection(
            activity.line, WORKOUT.name, "started_at: neither Id nor a lap says when it began", activity.raw
        )
    seconds = _sum([lap.duration_s for lap in laps])
    ends = [end for lap in laps if lap.started_at and (end := end_of(lap.started_at, lap.duration_s))]
    values = {
        "activity": name,
        "origin": origin,
        "started_at": started,
        "ended_at": max([started, *ends, *([activity.last_at] if activity.last_at else [])]),
        "duration_min": None if seconds is None else round(seconds / 60, 3),
        "distance_m": _sum([lap.distance_m for lap in laps]),
        "energy_kcal": _sum([lap.energy_kcal for lap in laps]),
        "heart_rate_mean": _mean_rate(laps),
        "heart_rate_max": max((lap.heart_rate_max for lap in laps if lap.heart_rate_max), default=None),
        "detail": as_detail({"notes": activity.notes, "sport": activity.sport}),
    }
    return Row(WORKOUT, activity.line, activity.raw, values)


def _sum(figures: list[float | None]) -> float | None:
    """The sum where every lap states its part; a sum of some of them would be too low."""
    known = [figure for figure in figures if figure is not None]
    return round(sum(known), 3) if known and len(known) == len(figures) else None


def _mean_rate(laps: tuple[Lap, ...]) -> float | None:
    weighed = [(lap.heart_rate_mean, lap.duration_s) for lap in laps if lap.heart_rate_mean and lap.duration_s]
    seconds = sum(weight for _, weight in weighed)
    return round(sum(rate * weight for rate, weight in weighed) / seconds, 1) if seconds else None


def _lap(lap: Lap, origin: str, workout_at: datetime | None) -> Row | Rejection:
    faults = [*lap.faults]
    if lap.started_at is None and not any(fault.startswith("StartTime") for fault in faults):
        faults.append("StartTime: missing")
    if faults:
        return Rejection(lap.line, WORKOUT_PART.name, "; ".join(faults), lap.raw)
    assert lap.started_at is not None
    detail = {
        **lap.others,
        "distance_m": lap.distance_m,
        "energy_kcal": lap.energy_kcal,
        "heart_rate_mean": lap.heart_rate_mean,
        "heart_rate_max": lap.heart_rate_max,
    }
    values = {
        "part": "lap",
        "name": "lap",
        "origin": origin,
        "workout_at": workout_at or lap.started_at,
        "started_at": lap.started_at,
        "ended_at": end_of(lap.started_at, lap.duration_s),
        "duration_min": None if lap.duration_s is None else round(lap.duration_s / 60, 3),
        "detail": as_detail(detail),
    }
    return Row(WORKOUT_PART, lap.line, lap.raw, values)


SOURCE = Source(
    name="health.tcx",
    title="TCX activities",
    recognition="an XML whose root is TrainingCenterDatabase",
    records=(WORKOUT, WORKOUT_PART, ROUTE, SAMPLE),
    recognises=recognises,
    parse=parse,
    unit="line",
    expect_every=timedelta(days=90),
)
