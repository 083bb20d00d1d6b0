"""TCX, Garmin's Training Center XML: activities with their laps and trackpoints.

Read by expat as a stream: one activity is held at a time. Prefixes of namespaces are let go. The fields are those of
https://www8.garmin.com/xmlschemas/TrainingCenterDatabasev2.xsd and of ActivityExtensionv2 (TPX, LX); times carry
their zone, and count as UTC without one.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import BinaryIO

from msgspec import Struct, field

from twinning_pipelines.errors import HostileFile
from twinning_pipelines.formats.gpx import MOST_POINTS, Timed, moment_of, number_of
from twinning_pipelines.formats.track import Point, is_position
from twinning_pipelines.formats.xml_feed import DEEPEST, Leaf, XmlFeed, local

# Plans and their folders: nothing that was done.
_PLANS = frozenset({"Course", "Workout"})
# A heart rate stands in an element of its own: <HeartRateBpm><Value>120</Value></HeartRateBpm>.
_WRAPPED = "Value"
_MEASURES = {
    "duration_s": "TotalTimeSeconds",
    "distance_m": "DistanceMeters",
    "energy_kcal": "Calories",
    "heart_rate_mean": "AverageHeartRateBpm",
    "heart_rate_max": "MaximumHeartRateBpm",
}


class Lap(Struct, frozen=True):
    """One lap: the line it begins on, when it began, seconds without pauses, metres, kilocalories, beats a minute.

    others: every other word of it by its element's name, Intensity, TriggerMethod, AvgRunCadence. faults: what of it
    could not be read, "DistanceMeters: not a number: 'x'".
    """

    line: int
    started_at: datetime | None
    duration_s: float | None = None
    distance_m: float | None = None
    energy_kcal: float | None = None
    heart_rate_mean: float | None = None
    heart_rate_max: float | None = None
    others: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    raw: str = ""


class Activity(Struct, frozen=True):
    """One activity: its line, sport as written, id (the start, as text), when it began, and what recorded it.

    points: trackpoints that have a position. rates, cadences (turns or strides a minute), powers (W) and speeds (m/s),
    of all trackpoints. last_at: the time of the latest trackpoint. misread: line and reason of trackpoints that can't
    be read, raws their text; odd: line and reason of single measures that were left out.
    """

    line: int
    sport: str | None
    id: str | None
    started_at: datetime | None
    laps: tuple[Lap, ...]
    points: list[Point]
    rates: list[Timed]
    cadences: list[Timed]
    powers: list[Timed]
    speeds: list[Timed]
    last_at: datetime | None = None
    misread: tuple[tuple[int, str], ...] = ()
    raws: tuple[str, ...] = ()
    odd: tuple[tuple[int, str], ...] = ()
    device: str | None = None
    notes: str | None = None
    raw: str = ""


def activities(stream: BinaryIO, plans: Counter[str] | None = None) -> Iterator[Activity]:
    """Every activity of a file, in order, those of multi-sport sessions too; `plans` counts courses and workouts.

    Raises UnreadableFile, with the line, where the text is no TCX or breaks off; HostileFile for declared entities,
    nesting deeper than 64 and activities of more than five million trackpoints.
    """
    feed = XmlFeed(stream, "TrainingCenterDatabase")
    reader = _Reader(feed, plans if plans is not None else Counter())
    for _ in feed.blocks():
        yield from reader.take()


class _Begun(Struct):
    """An activity, lap or trackpoint while its words come in."""

    name: str
    line: int
    depth: int
    attributes: Mapping[str, str]
    leaves: dict[str, str] = field(default_factory=dict)

    def raw(self) -> str:
        given = "".join(f' {key}="{value}"' for key, value in self.attributes.items())
        return f"<{self.name}{given}>{''.join(f'<{key}>{value}</{key}>' for key, value in self.leaves.items())}"


class _Heard(Struct):
    """What the laps and trackpoints of the activity said so far."""

    laps: list[Lap] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    series: dict[str, list[Timed]] = field(
        default_factory=lambda: {name: [] for name in ("rates", "cadences", "powers", "speeds")}
    )
    last_at: datetime | None = None
    trackpoints: int = 0
    misread: list[tuple[int, str]] = field(default_factory=list)
    raws: list[str] = field(default_factory=list)
    odd: list[tuple[int, str]] = field(default_factory=list)

    def take_lap(self, begun: _Begun) -> None:
        leaves, faults = dict(begun.leaves), list[str]()
        measures = {name: _measure(leaves, element, faults) for name, element in _MEASURES.items()}
        started = _optional_moment("StartTime", begun.attributes.get("StartTime"), faults)
        others = {name: text for name, text in leaves.items() if name not in _MEASURES.values()}
        self.laps.append(Lap(begun.line, started, **measures, others=others, faults=tuple(faults), raw=begun.raw()))

    def take_point(self, begun: _Begun) -> None:
        self.trackpoints += 1
        if self.trackpoints > MOST_POINTS:
            raise HostileFile(f"line {begun.line}: an activity of more than {MOST_POINTS} trackpoints")
        leaves, faults = begun.leaves, list[str]()
        try:
            at = _required_moment(leaves)
            position = _position(leaves)
        except ValueError as wrong:
            self.misread.append((begun.line, str(wrong)))
            self.raws.append(begun.raw())
            return
        self.last_at = at if self.last_at is None else max(at, self.last_at)
        speed = _measure(leaves, "Speed", faults)
        elevation = _measure(leaves, "AltitudeMeters", faults)
        if position is not None:
            self.points.append(Point(at, *position, elevation, speed))
        cadence = "RunCadence" if "RunCadence" in leaves else "Cadence"
        for series, value in (
            ("rates", _measure(leaves, "HeartRateBpm", faults)),
            ("cadences", _measure(leaves, cadence, faults)),
            ("powers", _measure(leaves, "Watts", faults)),
            ("speeds", speed),
        ):
            if value is not None:
                self.series[series].append((at, value))
        self.odd.extend((begun.line, fault) for fault in faults)

    def activity(self, begun: _Begun) -> Activity:
        faults: list[str] = []
        started = _optional_moment("Id", begun.leaves.get("Id"), faults)
        began = [lap.started_at for lap in self.laps if lap.started_at is not None]
        return Activity(
            line=begun.line,
            sport=(begun.attributes.get("Sport") or "").strip() or None,
            id=begun.leaves.get("Id"),
            # Some writers put a name where the format has the start.
            started_at=started or (min(began) if began else None),
            laps=tuple(self.laps),
            points=self.points,
            **self.series,
            last_at=self.last_at,
            misread=tuple(self.misread),
            raws=tuple(self.raws),
            odd=tuple(self.odd),
            device=begun.leaves.get("CreatorName"),
            notes=begun.leaves.get("Notes"),
            raw=begun.raw(),
        )


class _Reader:
    """Listens to expat and gathers activities."""

    def __init__(self, feed: XmlFeed, plans: Counter[str]) -> None:
        self._feed = feed
        self._plans = plans
        self._done: list[Activity] = []
        self._names: list[str] = []
        self._open: list[_Begun] = []
        self._heard = _Heard()
        self._leaf = Leaf(feed)
        feed.parser.StartElementHandler = self._start
        feed.parser.EndElementHandler = self._end

    def take(self) -> list[Activity]:
        """The activities that ended since the last call."""
        done = self._done.copy()
        self._done.clear()
        return done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = local(name)
        self._names.append(name)
        depth = len(self._names)
        if depth > DEEPEST:
            raise HostileFile(f"line {self._feed.line}: elements nested deeper than {DEEPEST}")
        inside = self._open[-1].name if self._open else ""
        begins = {"Activity": "", "Lap": "Activity", "Trackpoint": "Lap"}
        if begins.get(name) == inside and name in begins:
            self._open.append(_Begun(name, self._feed.line, depth, attributes))
            if name == "Activity":
                self._heard = _Heard()
        elif not self._open and name in _PLANS and depth == 3:
            self._plans[name] += 1
        if self._open:
            self._leaf.open()

    def _end(self, name: str) -> None:
        depth = len(self._names)
        name = local(self._names.pop())
        if not self._open:
            return
        begun = self._open[-1]
        if depth > begun.depth:
            text = self._leaf.close()
            around = self._names[-1]
            # A device, a plan and its author all have a Name.
            key = around if name == _WRAPPED else f"{around}Name" if name == "Name" else name
            if text:
                begun.leaves.setdefault(key, text)
            return
        self._leaf.close()
        self._open.pop()
        if begun.name == "Trackpoint":
            self._heard.take_point(begun)
        elif begun.name == "Lap":
            self._heard.take_lap(begun)
        else:
            self._done.append(self._heard.activity(begun))


def _measure(leaves: Mapping[str, str], name: str, faults: list[str]) -> float | None:
    text = leaves.get(name)
    try:
        return None if text is None else number_of(name, text)
    except ValueError as wrong:
        faults.append(str(wrong))
        return None


def _optional_moment(name: str, text: str | None, faults: list[str]) -> datetime | None:
    try:
        return None if text is None else moment_of(name, text)
    except ValueError as wrong:
        faults.append(str(wrong))
        return None


def _required_moment(leaves: Mapping[str, str]) -> datetime:
    text = leaves.get("Time")
    if text is None:
        raise ValueError("Time: missing")
    return moment_of("Time", text)


def _position(leaves: Mapping[str, str]) -> tuple[float, float] | None:
    """Degrees north and east; None where the trackpoint has none, as indoors."""
    latitude, longitude = leaves.get("LatitudeDegrees"), leaves.get("LongitudeDegrees")
    if latitude is None and longitude is None:
        return None
    if latitude is None or longitude is None:
        raise ValueError("Position: half of it is missing")
    position = number_of("LatitudeDegrees", latitude), number_of("LongitudeDegrees", longitude)
    if not is_position(*position):
        raise ValueError(f"Position: no place on Earth: {position[0]:g}, {position[1]:g}")
    return position
