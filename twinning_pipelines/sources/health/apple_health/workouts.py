"""Apple's Workouts to rows: the workout, and its activities, events, laps and statistics as its parts.

Until iOS 15 the totals of a workout stood in its attributes, since then they stand in its WorkoutStatistics. Since iOS 16
a WorkoutActivity holds copies of the events, statistics and metadata of its workout: what is told again there is left
out, what the workout itself lacks is taken. Facts: Apple's DTD, versions 3 to 14, and real exports.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from math import isclose
from typing import TypeVar

from msgspec import Struct

from twinning_pipelines.formats.xml_tree import Node
from twinning_pipelines.records.metrics import METRIC_BY_NAME
from twinning_pipelines.records.sessions import WORKOUT, WORKOUT_PART
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.apple_health.account import AGAIN_RULE, Page
from twinning_pipelines.sources.health.apple_health.values import (
    METADATA,
    detail_of,
    found_in,
    given_text,
    measure,
    metadata_of,
    moment,
    number,
    origin_of,
    quantity,
)
from twinning_pipelines.sources.health.apple_health.words import (
    HEART_RATE,
    UNREGISTERED,
    WORKOUT_DISTANCES,
    WORKOUT_ENERGY,
    WORKOUT_EVENT,
    activity_of,
    reading_of,
    zone_of,
)

_activity_of = lru_cache(maxsize=256)(activity_of)
_reading_of = lru_cache(maxsize=256)(reading_of)

ACTIVITY, EVENT, STATISTIC = "WorkoutActivity", "WorkoutEvent", "WorkoutStatistics"
ZONE, ASCENT = "HKTimeZone", "HKElevationAscended"
LAP = "Lap"

Values = dict[str, object]
_Read = TypeVar("_Read", float, str)
_PartReader = Callable[[Node, list[Node]], Values | None]

_FIGURES = {"total": "sum", "mean": "average", "low": "minimum", "high": "maximum"}
_ACTIVITY_ATTRIBUTES = {"startDate", "endDate", "duration", "durationUnit", "workoutActivityType"}
# A copy may have its figure in another unit: 820.21 yd of the workout are 750 m of its activity.
_ALIKE = 1e-6


class _Statistic(Struct, frozen=True):
    """A WorkoutStatistics element: the values of its row."""

    kind: str
    metric: str
    values: Values

    def repeats(self, other: "_Statistic") -> bool:
        """Do both tell the same of the same time?"""
        same = all(self.values[name] == other.values[name] for name in ("name", "started_at", "ended_at", "unit"))
        return same and all(_alike(self.values[name], other.values[name]) for name in _FIGURES)


def rows(node: Node, page: Page) -> list[Row | Rejection]:
    """A workout and its parts; its routes are read elsewhere. Raises ValueError when the workout can't be read."""
    reader = _Reader(node, page)
    parts = sorted(reader.parts(), key=lambda part: part.at)
    metadata = list(node.named(METADATA))
    workout = Row(WORKOUT, node.at, node.outline(*metadata), reader.workout())
    page.hold(node, *metadata)
    return [workout, *parts]


class _Reader:
    """Reads one workout: its parts first, because its totals may stand in them."""

    def __init__(self, node: Node, page: Page) -> None:
        given = node.attributes
        self._node, self._page = node, page
        self._activity = _activity_of(given_text(given, "workoutActivityType", "an activity"))
        self._origin, self._started = origin_of(given), moment(given, "startDate")
        self._ended = moment(given, "endDate")
        self._own: list[_Statistic] = []
        self._others: list[_Statistic] = []
        self._events: list[tuple[Values, Values]] = []

    def parts(self) -> Iterator[Row | Rejection]:
        """Statistics, events and activities; what cannot be read of them is rejected, and the workout is kept."""
        for each in self._node.named(STATISTIC):
            yield from self._part(each, each.children, self._own_statistic)
        for each in self._node.named(EVENT):
            yield from self._part(each, each.children, self._own_event)
        told = _Told(list(self._node.named(METADATA, EVENT, STATISTIC)))
        for activity in self._node.named(ACTIVITY):
            again = list(map(told.holds, activity.children))
            pairs = list(zip(activity.children, again, strict=True))
            yield from self._parts_of(activity, [each for each, repeated in pairs if not repeated])
            self._page.ignore(AGAIN_RULE, *(each for each, repeated in pairs if repeated))

    def _parts_of(self, activity: Node, own: list[Node]) -> Iterator[Row | Rejection]:
        """An activity, and what stands in it that the workout does not tell word for word."""
        yield from self._part(activity, own, self._activity_part)
        for each in own:
            if each.name == STATISTIC:
                yield from self._part(each, each.children, self._other_statistic)
            elif each.name == EVENT:
                yield from self._part(each, each.children, self._other_event)

    def _part(self, node: Node, children: list[Node], values_of: _PartReader) -> Iterator[Row | Rejection]:
        metadata = [each for each in children if each.name == METADATA]
        try:
            values = values_of(node, metadata)
        except ValueError as wrong:
            self._page.hold(node, *metadata)
            yield Rejection(node.at, WORKOUT_PART.name, f"{node.name}: {wrong}", node.outline(*metadata))
            return
        if values is None:
            self._page.ignore(AGAIN_RULE, node)
            return
        self._page.hold(node, *metadata)
        common = {"origin": self._origin, "workout_at": self._started}
        yield Row(WORKOUT_PART, node.at, node.outline(*metadata), common | values)

    def workout(self) -> Values:
        """The values of the workout itself, once its parts were read."""
        given, details = self._node.attributes, metadata_of(self._node.children)
        distance = measure(given, "totalDistance", "totalDistanceUnit", "m")
        energy = measure(given, "totalEnergyBurned", "totalEnergyBurnedUnit", "kcal")
        return {
            "activity": self._activity,
            "origin": self._origin,
            "started_at": self._started,
            "ended_at": self._ended,
            "duration_min": measure(given, "duration", "durationUnit", "min"),
            "distance_m": self._total(WORKOUT_DISTANCES) if distance is None else distance,
            "energy_kcal": self._total((WORKOUT_ENERGY,)) if energy is None else energy,
            "ascent_m": _taken(details, ASCENT, lambda text: quantity(text, "m")),
            "heart_rate_mean": self._heart_rate("mean"),
            "heart_rate_max": self._heart_rate("high"),
            "zone": _taken(details, ZONE, zone_of),
            "detail": detail_of(details),
        }

    def _total(self, kinds: tuple[str, ...]) -> float | None:
        """The sum of the workout's own statistics of these types, or of its activities' where it has none."""
        for statistics in (self._own, self._others):
            found = [each.values["total"] for each in statistics if each.kind in kinds]
            totals = [total for total in found if isinstance(total, float)]
            if totals:
                return sum(totals)
        return None

    def _heart_rate(self, figure: str) -> object:
        return next((each.values[figure] for each in self._own if each.kind == HEART_RATE), None)

    def _own_statistic(self, node: Node, _metadata: list[Node]) -> Values:
        return self._kept(_statistic(node), self._own)

    def _other_statistic(self, node: Node, _metadata: list[Node]) -> Values | None:
        """What a statistic inside an activity says; None when the workout says it in another unit."""
        statistic = _statistic(node)
        if any(statistic.repeats(own) for own in self._own):
            return None
        return self._kept(statistic, self._others)

    def _kept(self, statistic: _Statistic, statistics: list[_Statistic]) -> Values:
        statistics.append(statistic)
        if statistic.metric.startswith(UNREGISTERED):
            self._page.unregistered[statistic.metric] += 1
        return statistic.values

    def _own_event(self, node: Node, metadata: list[Node]) -> Values:
        values = self._event_part(node, metadata)
        self._events.append((values, metadata_of(metadata)))
        return values

    def _other_event(self, node: Node, metadata: list[Node]) -> Values | None:
        """What an event inside an activity says; None when the workout's own says it and more."""
        values, details = self._event_part(node, metadata), metadata_of(metadata)
        for own, own_details in self._events:
            if all(own_details.get(key) == value for key, value in details.items()) and own == values | {
                "detail": own["detail"]
            }:
                return None
        return values

    def _event_part(self, node: Node, metadata: list[Node]) -> Values:
        given = node.attributes
        name = given_text(given, "type", "an event").removeprefix(WORKOUT_EVENT)
        started, lasted = moment(given, "date"), measure(given, "duration", "durationUnit", "min")
        return {
            "part": "lap" if name == LAP else "event",
            "name": name,
            "started_at": started,
            "ended_at": None if lasted is None else _later(started, lasted),
            "duration_min": lasted,
            "detail": detail_of(metadata_of(metadata)),
        }

    def _activity_part(self, node: Node, metadata: list[Node]) -> Values:
        given = node.attributes
        kind = given.get("workoutActivityType")
        other = {name: value for name, value in given.items() if name not in _ACTIVITY_ATTRIBUTES}
        return {
            "part": "activity",
            # Apple's DTD gives an activity no type of its own.
            "name": self._activity if kind is None else _activity_of(kind),
            "started_at": moment(given, "startDate"),
            "ended_at": moment(given, "endDate") if "endDate" in given else None,
            "duration_min": measure(given, "duration", "durationUnit", "min"),
            "detail": detail_of(other | metadata_of(metadata)),
        }


def _statistic(node: Node) -> _Statistic:
    given = node.attributes
    kind, unit = given.get("type"), given.get("unit")
    reading = _reading_of(kind, unit)
    if reading.refusal is not None or kind is None:
        raise ValueError(reading.refusal)
    figures = {field: number(given, name) if name in given else None for field, name in _FIGURES.items()}
    values: Values = {
        "part": "statistic",
        "name": reading.metric,
        "started_at": moment(given, "startDate"),
        "ended_at": moment(given, "endDate"),
        "unit": METRIC_BY_NAME[reading.metric].unit if reading.metric in METRIC_BY_NAME else unit,
    }
    for field, figure in figures.items():
        values[field] = None if figure is None else found_in(figure, reading.conversion)
    return _Statistic(kind, reading.metric, values)


class _Told:
    """What a workout tells itself, to compare with it what its activities tell. Copies are alike to the letter mostly."""

    def __init__(self, nodes: list[Node]) -> None:
        self._nodes = nodes
        self._texts: set[bytes] | None = None
        self._says: set[object] | None = None

    def holds(self, node: Node) -> bool:
        """Does one of these elements say what this one says?"""
        if self._texts is None:
            self._texts = {each.text[each.begin : each.end] for each in self._nodes}
        if node.text[node.begin : node.end] in self._texts:
            return True
        if self._says is None:
            self._says = set(map(_said, self._nodes))
        return _said(node) in self._says


def _said(node: Node) -> tuple[object, ...]:
    return node.name, frozenset(node.attributes.items()), tuple(map(_said, node.children))


def _alike(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=_ALIKE)
    return one is None and other is None


def _taken(details: Values, key: str, read: Callable[[str], _Read | None]) -> _Read | None:
    """Takes one entry out of the details, when it can be read and is told once."""
    text = details.get(key)
    found = read(text) if isinstance(text, str) else None
    if found is not None:
        del details[key]
    return found


def _later(started: datetime, minutes: float) -> datetime | None:
    try:
        return started + timedelta(minutes=minutes)
    except OverflowError:
        return None
