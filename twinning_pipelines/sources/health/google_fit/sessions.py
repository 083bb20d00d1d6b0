"""Google Fit's sessions: workouts and sleep, one in each file of `All Sessions`; and the tracks of `Activities`.

A session sums itself up by metric in `aggregate` and divides itself into segments. The duration of a sleep counts the
times awake as well, so how long somebody slept is the sum of the segments. Tracks are TCX files that tell a workout of
the sessions again, point by point: their route and their series are read, and the workout only where no session is it.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.json_stream import values
from twinning_pipelines.formats.json_values import detail_of, list_of, object_of, optional_number, shown, text_of
from twinning_pipelines.formats.tcx import Activity, activities
from twinning_pipelines.formats.times import instant_of
from twinning_pipelines.original import as_text
from twinning_pipelines.records.record import Record
from twinning_pipelines.records.sessions import ROUTE, SLEEP_SESSION, SLEEP_STAGE, WORKOUT, WORKOUT_PART
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.exercise import Oddities, activity_of, end_of, gauge_of, route, sample
from twinning_pipelines.sources.health.google_fit.points import ORIGIN
from twinning_pipelines.sources.health.google_fit.tables import PREFIX
from twinning_pipelines.sources.health.places import Desk, Opening, Place

TRACK_ORIGIN = "Google Fit tracks"

_MARK = re.compile(r'\s*\{\s*(?:"(?:startTime|endTime|name|id)"\s*:\s*"[^"]*"\s*,\s*)*"fitnessActivity"\s*:')
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s", re.ASCII)
_SAME = timedelta(minutes=2)
_SLEEP = "sleep"
_STAGE_OF = {
    "sleep": "asleep",
    "sleep.awake": "awake",
    "sleep.out_of_bed": "awake",
    "sleep.light": "core",
    "sleep.deep": "deep",
    "sleep.rem": "rem",
}
_ASLEEP = ("asleep", "core", "deep", "rem")
_OWN_METRICS = {"com.google.distance.delta": "distance_m", "com.google.calories.expended": "energy_kcal"}
_OWN_FIELDS = frozenset({"fitnessActivity", "startTime", "endTime", "duration", "segment", "aggregate"})


def is_session(head: bytes) -> bool:
    """By the first keys of the document."""
    return _MARK.match(as_text(head)) is not None


def session_rows(opening: Opening, desk: Desk, *, with_stages: bool) -> Iterator[Row | Rejection]:
    """The rows of a session. with_stages: are the stages of a sleep told, or does a stream of them stand elsewhere?

    Raises UnreadableFile.
    """
    with opening() as stream:
        for found in values(stream, lambda _path: False):
            yield from _session(found.value, desk.places.next(found.raw), desk.clock, with_stages=with_stages)


def _session(value: object, place: Place, clock: Clock, *, with_stages: bool) -> Iterator[Row | Rejection]:
    record: Record = WORKOUT
    try:
        session = object_of("session", value)
        is_sleep = text_of(session.get("fitnessActivity")).startswith(_SLEEP)
        record = SLEEP_SESSION if is_sleep else WORKOUT
        span = {"started_at": _instant("startTime", session, clock), "ended_at": _instant("endTime", session, clock)}
        shared = {"origin": ORIGIN, **span}
        parts = [_part(each, clock) for each in list_of(session.get("segment"))]
        row = _sleep(session, shared, parts) if is_sleep else _workout(session, shared)
    except (ValueError, OverflowError) as fault:
        yield place.rejection(record, fault)
        return
    yield Row(record, place.at, place.raw, row)
    if is_sleep and with_stages:
        yield from (Row(SLEEP_STAGE, place.at, place.raw, _stage(part)) for part in parts)
    elif not is_sleep and len(parts) > 1:
        for part in parts:
            told = {"part": "activity", "name": part["name"], "workout_at": span["started_at"]}
            yield Row(WORKOUT_PART, place.at, place.raw, {**part, **told})


def _part(value: object, clock: Clock) -> dict[str, object]:
    segment = object_of("segment", value)
    started, ended = (_instant(key, segment, clock) for key in ("startTime", "endTime"))
    return {
        "name": text_of(segment.get("fitnessActivity")),
        "origin": ORIGIN,
        "started_at": started,
        "ended_at": ended,
        "duration_min": round((ended - started).total_seconds() / 60, 3),
    }


def _stage(part: Mapping[str, object]) -> dict[str, object]:
    name = str(part["name"])
    fields = ("origin", "started_at", "ended_at")
    return {"stage": _STAGE_OF.get(name, name), **{field: part[field] for field in fields}}


def _workout(session: Mapping[str, object], shared: Mapping[str, object]) -> dict[str, object]:
    own, others = _aggregates(session)
    activity = text_of(session.get("fitnessActivity"))
    return {
        **shared,
        **own,
        "activity": activity_of(activity),
        "duration_min": _minutes(session),
        "detail": detail_of(_rest(session) | others | {"fitnessActivity": activity}),
    }


def _sleep(
    session: Mapping[str, object], shared: Mapping[str, object], parts: list[dict[str, object]]
) -> dict[str, object]:
    minutes = dict.fromkeys((*_ASLEEP, "awake"), 0.0)
    for part in parts:
        stage = _STAGE_OF.get(str(part["name"]))
        length = part["duration_min"]
        if stage and isinstance(length, float):
            minutes[stage] += length
    staged = any(minutes[stage] for stage in ("core", "deep", "rem"))
    told: dict[str, object] = {}
    if parts:
        told = {"asleep_min": round(sum(minutes[stage] for stage in _ASLEEP), 3), "awake_min": minutes["awake"]}
    if staged:
        told |= {f"{stage}_min": round(minutes[stage], 3) for stage in ("core", "deep", "rem")}
    return {**shared, **told, "detail": detail_of(_rest(session) | _aggregates(session)[1])}


def _aggregates(session: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """The sums that have a field of their own, and all others by the name of their metric."""
    own: dict[str, object] = {}
    others: dict[str, list[object]] = {}
    for each in list_of(session.get("aggregate")):
        aggregate = object_of("aggregate", each)
        name = text_of(aggregate.get("metricName"))
        figure = next((aggregate[key] for key in ("floatValue", "intValue") if key in aggregate), None)
        if name in _OWN_METRICS:
            own[_OWN_METRICS[name]] = optional_number(name, figure)
        else:
            others.setdefault(name, []).append(figure)
    return own, {name: figures[0] if len(figures) == 1 else figures for name, figures in others.items()}


def _rest(session: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in session.items() if key not in _OWN_FIELDS}


def _minutes(session: Mapping[str, object]) -> float | None:
    told = text_of(session.get("duration"))
    match = _SECONDS.fullmatch(told)
    if told and match is None:
        raise ValueError(f"duration: not seconds: {shown(told)}")
    return round(float(match[1]) / 60, 3) if match else None


def _instant(name: str, holder: Mapping[str, object], clock: Clock) -> datetime:
    text = text_of(holder.get(name))
    if not text:
        raise ValueError(f"{name}: missing")
    try:
        return instant_of(datetime.fromisoformat(text), clock)
    except (ValueError, OverflowError):
        raise ValueError(f"{name}: not a moment: {shown(text)}") from None


def track_rows(opening: Opening, began: list[datetime], desk: Desk) -> Iterator[Row | Rejection]:
    """The route and the series of each activity of a TCX; `began` says when the sessions began. Raises UnreadableFile."""
    with opening() as stream:
        for activity in activities(stream):
            yield from _track(activity, began, desk.places.next(activity.raw), desk.oddities)


def _track(activity: Activity, began: list[datetime], place: Place, oddities: Oddities) -> Iterator[Row | Rejection]:
    name, started = activity_of(activity.sport) or "other", activity.started_at
    if started is None:
        yield place.rejection(WORKOUT, "started_at: neither Id nor a lap says when it began")
        return
    if any(abs(started - each) <= _SAME for each in began):
        oddities.left_out["workouts of tracks that a session tells"] += 1
    else:
        yield Row(WORKOUT, place.at, place.raw, _told_by_laps(activity, name, started))
    for _line, reason in activity.misread:
        yield place.rejection(ROUTE, reason)
    oddities.left_out.update({"measures of trackpoints that can't be read": len(activity.odd)} if activity.odd else {})
    if activity.points:
        yield route(place.at, activity.points, TRACK_ORIGIN, name, started)
    for series in ("heart_rate", "cadence", "power", "speed"):
        timed = {
            "heart_rate": activity.rates,
            "cadence": activity.cadences,
            "power": activity.powers,
            "speed": activity.speeds,
        }[series]
        gauge = gauge_of(series, name, PREFIX.rstrip(":"))
        yield from oddities.rated(sample(place.at, gauge, TRACK_ORIGIN, at, value) for at, value in timed)


def _told_by_laps(activity: Activity, name: str, started: datetime) -> dict[str, object]:
    seconds = _sum([lap.duration_s for lap in activity.laps])
    return {
        "activity": name,
        "origin": TRACK_ORIGIN,
        "started_at": started,
        "ended_at": activity.last_at or end_of(started, seconds) or started.astimezone(UTC),
        "duration_min": None if seconds is None else round(seconds / 60, 3),
        "distance_m": _sum([lap.distance_m for lap in activity.laps]),
        "energy_kcal": _sum([lap.energy_kcal for lap in activity.laps]),
    }


def _sum(figures: list[float | None]) -> float | None:
    """The sum where every lap states its part."""
    known = [figure for figure in figures if figure is not None]
    return round(sum(known), 3) if known and len(known) == len(figures) else None
