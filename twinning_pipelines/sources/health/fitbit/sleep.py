"""Fitbit's sleep: nights and naps with their stages, `sleep-2024-03-01.json`.

Times are the person's own and carry no offset. A log has levels of one of two types: `stages` (wake, light, deep, rem),
and `classic` (asleep, restless, awake), where restless counts as awake, as in Fitbit's own sums. Short wakes stand in a
list of their own and lie over the levels. Within a night stretches follow each other by their seconds, so a change of
the clocks does not tear them apart. Facts: sleepdiary/core, src/Fitbit/README.md.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.json_stream import values
from twinning_pipelines.formats.json_values import (
    detail_of,
    json_of,
    list_of,
    number_of,
    object_of,
    optional_number,
    shown,
    text_of,
)
from twinning_pipelines.formats.times import stretch
from twinning_pipelines.original import as_text
from twinning_pipelines.records.sessions import SLEEP_SESSION, SLEEP_STAGE
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.fitbit.series import ORIGIN
from twinning_pipelines.sources.health.places import Desk, Opening, Place

_MARK = re.compile(r'\s*\[\s*\{\s*(?:"logId"\s*:\s*-?\d+\s*,\s*)?"dateOfSleep"\s*:')
_STAGE_OF = {
    "wake": "awake",
    "light": "core",
    "deep": "deep",
    "rem": "rem",
    "asleep": "asleep",
    "restless": "awake",
    "awake": "awake",
    "unknown": "asleep",
}
_CLOCK_CHANGE = timedelta(hours=2)
_SAID = frozenset({
    "startTime", "endTime", "mainSleep", "timeInBed", "minutesAsleep", "minutesAwake", "efficiency", "levels",
})  # fmt: skip


class _Stretch(NamedTuple):
    """A stage by its wall time and its instants."""

    stage: str
    wall: datetime
    started: datetime
    ended: datetime


def is_sleep(head: bytes) -> bool:
    """By the first entry of the list."""
    return _MARK.match(as_text(head)) is not None


def sleep_rows(opening: Opening, desk: Desk) -> Iterator[Row | Rejection]:
    """The session and the stages of each log. Raises UnreadableFile."""
    with opening() as stream:
        for found in values(stream, lambda path: not path):
            yield from _log(found.value, desk.places.next(found.raw), desk.clock)


def _log(value: object, place: Place, clock: Clock) -> Iterator[Row | Rejection]:
    try:
        log = object_of("entry", value)
        start, end = _wall("startTime", log.get("startTime")), _wall("endTime", log.get("endTime"))
        milliseconds = optional_number("duration", log.get("duration"))
        started, ended = stretch(start, end, None if milliseconds is None else round(milliseconds / 1000), clock)
        row = _session(log, started, ended)
    except (ValueError, OverflowError) as fault:
        yield place.rejection(SLEEP_SESSION, fault)
        return
    yield Row(SLEEP_SESSION, place.at, place.raw, row)
    # The text of a night is long, and each of its stages is a row.
    place = Place(place.at, f"sleep of {text_of(log.get('startTime'))}")
    levels = log.get("levels")
    if isinstance(levels, dict):
        yield from _stages(levels, _Stretch("", start, started, started), place, clock)


def _session(log: Mapping[str, object], started: datetime, ended: datetime | None) -> dict[str, object]:
    levels = log.get("levels")
    summary = levels.get("summary") if isinstance(levels, dict) else None
    is_staged = log.get("type") == "stages"
    efficiency = optional_number("efficiency", log.get("efficiency"))
    main = log.get("mainSleep")
    return {
        "origin": ORIGIN,
        "started_at": started,
        "ended_at": ended,
        "nap": None if not isinstance(main, bool) else "night" if main else "nap",
        "in_bed_min": optional_number("timeInBed", log.get("timeInBed")),
        "asleep_min": optional_number("minutesAsleep", log.get("minutesAsleep")),
        "awake_min": optional_number("minutesAwake", log.get("minutesAwake")),
        **{f"{ours}_min": _minutes(summary, theirs) if is_staged else None for theirs, ours in _SUMMED.items()},
        "quality": None if efficiency is None else efficiency / 100,
        "detail": detail_of({key: each for key, each in log.items() if key not in _SAID} | {"summary": summary}),
    }


_SUMMED = {"light": "core", "deep": "deep", "rem": "rem"}


def _minutes(summary: object, level: str) -> float | None:
    told = summary.get(level) if isinstance(summary, dict) else None
    return optional_number(level, told.get("minutes")) if isinstance(told, dict) else None


def _stages(levels: Mapping[str, object], begin: _Stretch, place: Place, clock: Clock) -> Iterator[Row | Rejection]:
    stretches: list[_Stretch] = []
    for each in list_of(levels.get("data")):
        try:
            stretches.append(_following(each, stretches[-1] if stretches else begin, clock))
        except (ValueError, OverflowError) as fault:
            yield Place(place.at, json_of(each)).rejection(SLEEP_STAGE, fault)
    wakes: list[_Stretch] = []
    for each in list_of(levels.get("shortData")):
        try:
            wakes.append(_within(each, stretches, clock))
        except (ValueError, OverflowError) as fault:
            yield Place(place.at, json_of(each)).rejection(SLEEP_STAGE, fault)
    for stage in _overlaid(stretches, sorted(wakes, key=lambda wake: wake.started)):
        values = {"stage": stage.stage, "origin": ORIGIN, "started_at": stage.started, "ended_at": stage.ended}
        yield Row(SLEEP_STAGE, place.at, place.raw, values)


def _level(value: object) -> tuple[str, datetime, timedelta]:
    level = object_of("levels", value)
    name = text_of(level.get("level"))
    if name not in _STAGE_OF:
        raise ValueError(f"level: not a stage of sleep: {shown(name)}")
    seconds = number_of("seconds", level.get("seconds"))
    return _STAGE_OF[name], _wall("dateTime", level.get("dateTime")), timedelta(seconds=seconds)


def _following(value: object, before: _Stretch, clock: Clock) -> _Stretch:
    """A level behind another: where that one ended, unless there is a gap that no change of the clocks explains."""
    stage, wall, length = _level(value)
    gap = wall - before.wall - (before.ended - before.started)
    is_next = abs(gap) < timedelta(minutes=1) or (abs(gap) <= _CLOCK_CHANGE and _changes(before.ended, clock))
    started = before.ended if is_next else clock.instant(wall)
    return _Stretch(stage, wall, started, started + length)


def _changes(moment: datetime, clock: Clock) -> bool:
    """Do the person's clocks change within two hours of a moment?"""
    zone = clock.zone_at(moment)
    sides = (moment - _CLOCK_CHANGE, moment + _CLOCK_CHANGE)
    return len({side.astimezone(zone).utcoffset() for side in sides}) > 1


def _within(value: object, stretches: list[_Stretch], clock: Clock) -> _Stretch:
    """A short wake, by the level that it lies over: the latest that may be it, for autumn repeats an hour."""
    stage, wall, length = _level(value)
    under = next(
        (each for each in reversed(stretches) if each.wall <= wall < each.wall + (each.ended - each.started)), None
    )
    started = clock.instant(wall) if under is None else under.started + (wall - under.wall)
    return _Stretch(stage, wall, started, started + length)


def _overlaid(stretches: list[_Stretch], wakes: list[_Stretch]) -> Iterator[_Stretch]:
    """The levels with the short wakes cut out of them, in order."""
    for each in stretches:
        at = each.started
        for wake in wakes:
            if wake.ended <= at or wake.started >= each.ended:
                continue
            if wake.started > at:
                yield each._replace(started=at, ended=wake.started)
            at = min(wake.ended, each.ended)
        if at < each.ended:
            yield each._replace(started=at)
    yield from wakes


def _wall(name: str, value: object) -> datetime:
    text = text_of(value)
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise ValueError(f"{name}: {f'not a time: {shown(text)}' if text else 'missing'}") from None
