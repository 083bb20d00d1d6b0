"""What files of recorded exercise share: names of activities, the metrics of their series, and their rows.

Foot sports count strides where cycling counts turns of the crank: one stride is two steps, so a running cadence of
88 is stored as 176 steps a minute.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from twinning_pipelines.formats.track import Point, row_values
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.metrics import METRIC_BY_NAME
from twinning_pipelines.records.sessions import ROUTE
from twinning_pipelines.source import Notice, Rejection, Row

_LISTED = 50
_NO_WORD = re.compile(r"[^a-z0-9]+")
# Strava's GPX numbers its types.
_ACTIVITIES = {
    "run": "running", "9": "running", "ride": "cycling", "biking": "cycling", "bike": "cycling", "1": "cycling",
    "walk": "walking", "hike": "hiking", "swim": "swimming", "row": "rowing", "other": "other", "generic": "other",
}  # fmt: skip
ON_FOOT = frozenset({"running", "walking", "hiking"})
_STEPS_A_STRIDE = 2

_SPEEDS = {
    "running": "running_speed",
    "walking": "walking_speed",
    "cycling": "cycling_speed",
    "rowing": "rowing_speed",
    "paddling": "paddling_speed",
    "cross_country_skiing": "cross_country_skiing_speed",
}
_POWERS = {"running": "running_power", "cycling": "cycling_power"}


class Gauge(NamedTuple):
    """A metric and what a figure of the file is multiplied with to be in its unit."""

    metric: str
    factor: float = 1.0


def activity_of(word: str | None) -> str | None:
    """The activity that a file means by its word, `Biking` or `run`; other words in lower case; None for none."""
    name = _NO_WORD.sub("_", (word or "").lower()).strip("_")
    return _ACTIVITIES.get(name, name) or None


def gauge_of(series: str, activity: str | None, prefix: str) -> Gauge:
    """The metric of a series of heart_rate, cadence, power, speed or temperature within an activity.

    What has no metric of its own is called by the prefix of its source, `gpx:cadence`.
    """
    name = activity or ""
    if series == "heart_rate":
        return Gauge("heart_rate")
    if series == "cadence" and name in ON_FOOT:
        return Gauge("step_cadence", _STEPS_A_STRIDE)
    named = {
        "cadence": {"cycling": "cycling_cadence"}.get(name),
        "power": _POWERS.get(name),
        "speed": _SPEEDS.get(name),
        "temperature": "device_temperature",
    }.get(series)
    return Gauge(named or f"{prefix}:{series}")


def as_detail(values: Mapping[str, object]) -> str | None:
    """What else a source says, as the text of a detail field; None when that is nothing."""
    given = {name: value for name, value in values.items() if value is not None}
    return json.dumps(given, sort_keys=True, ensure_ascii=False, separators=(",", ":")) if given else None


def sample(
    at: int,
    gauge: Gauge,
    origin: str,
    started: datetime,
    value: float,
    *,
    ended: datetime | None = None,
    **others: str | None,
) -> Row:
    """One sample row of a moment, or of a stretch that ends at `ended`; `others` are label and detail."""
    values = {
        "metric": gauge.metric,
        "origin": origin,
        "started_at": started,
        "ended_at": ended or started,
        "value": round(value * gauge.factor, 6),
        **others,
    }
    return Row(SAMPLE, at, f"{gauge.metric} {started.isoformat()} {value:g}", values)


def route(
    at: int, points: Sequence[Point], origin: str, name: str, workout_at: datetime | None = None
) -> Row | Rejection:
    """The row of a track; a rejection when no point of it has a time."""
    raw = f"{name}: {len(points)} points"
    try:
        values = row_values(points)
    except (ValueError, OverflowError) as fault:
        return Rejection(at, ROUTE.name, str(fault), raw)
    return Row(ROUTE, at, raw, {"name": name, "origin": origin, "workout_at": workout_at, **values})


class Oddities:
    """What a person should know of a file once, and not once for each row."""

    def __init__(self) -> None:
        self.silent = 0
        self.unregistered: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()

    def rated(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The samples as they are, without heart rates of nought; metrics that nobody registered are noted."""
        for row in rows:
            metric = str(row.values["metric"])
            if metric == "heart_rate" and row.values["value"] == 0:
                self.silent += 1
                continue
            if metric not in METRIC_BY_NAME:
                self.unregistered[metric] += 1
            yield row

    def notices(self) -> Iterator[Notice]:
        """All that was noted."""
        if self.silent:
            yield Notice(f"heart rates of 0, which sensors write while they find none, left out: {self.silent}")
        if self.unregistered:
            yield Notice(
                f"measures that Twinning has no metric for, kept under their own names: {_listed(self.unregistered)}"
            )
        if self.left_out:
            yield Notice(f"left out: {_listed(self.left_out)}")


def _listed(counts: Counter[str]) -> str:
    told = [f"{name} ({count})" for name, count in sorted(counts.items())]
    return ", ".join(told if len(told) <= _LISTED else [*told[:_LISTED], f"and {len(told) - _LISTED} more"])


def end_of(started: datetime, seconds: float | None) -> datetime | None:
    """The moment so many seconds later; None where that is not known or no moment at all."""
    if seconds is None:
        return None
    try:
        return started + timedelta(seconds=seconds)
    except OverflowError:
        return None
