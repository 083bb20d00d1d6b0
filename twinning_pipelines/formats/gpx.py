"""GPX 1.0 and 1.1: tracks and routes as points, with what Apple, Garmin and others put into extensions.

Read by expat as a stream: one track is held at a time, nothing of the rest. Prefixes of namespaces are let go, because
writers choose them freely. The fields are those of https://www.topografix.com/GPX/1/1/ (times there are UTC, also
without a zone) and of Garmin's TrackPointExtension (hr, cad, atemp); Apple writes speed, course, hAcc and vAcc.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import BinaryIO

from msgspec import Struct, field

from twinning_pipelines.errors import HostileFile
from twinning_pipelines.formats.track import Point, is_position
from twinning_pipelines.formats.xml_feed import DEEPEST, Leaf, XmlFeed, local

MOST_POINTS = 5_000_000
_SHOWN = 60

_TRACK_DEPTH = 2
_TRACKS = {"trk": "trkpt", "rte": "rtept"}
# What the file says of itself; GPX 1.0 has no metadata element around it.
_BOOKKEEPING = frozenset(
    {"metadata", "name", "desc", "author", "email", "url", "urlname", "time", "keywords", "bounds", "extensions"}
)
_TRACK_LEAVES = frozenset({"name", "type"})
# What extensions call a measure that is no part of a position.
_SERIES = {
    "rates": ("hr", "heartrate"),
    "cadences": ("cad", "cadence"),
    "temperatures": ("atemp", "temp"),
    "powers": ("power", "PowerInWatts"),
}
_SERIES_LEAVES = frozenset(name for names in _SERIES.values() for name in names)
_POINT_LEAVES = _SERIES_LEAVES | {"ele", "time", "speed", "course", "hAcc", "vAcc"}

Timed = tuple[datetime, float]


class Track(Struct, frozen=True):
    """One trk or rte: its own name, its points in order over all segments, the line it begins on.

    misread: line and reason of points that can't be read; raws: their text, in the same order. odd: line and reason of
    single measures that were left out of their points. rates (beats a minute), cadences (turns or strides a minute),
    temperatures (degC) and powers (W) are what extensions say, by time. kind: the type, as written. creator: the app.
    """

    name: str | None
    points: list[Point]
    line: int
    misread: tuple[tuple[int, str], ...]
    raws: tuple[str, ...] = ()
    odd: tuple[tuple[int, str], ...] = ()
    rates: list[Timed] = field(default_factory=list)
    cadences: list[Timed] = field(default_factory=list)
    temperatures: list[Timed] = field(default_factory=list)
    powers: list[Timed] = field(default_factory=list)
    kind: str | None = None
    creator: str | None = None
    planned: bool = False


def tracks(stream: BinaryIO, unread: Counter[str] | None = None) -> Iterator[Track]:
    """Every track and route of a file, in order; `unread` counts what is neither by its element, waypoints above all.

    Raises UnreadableFile, with the line, where the text is no GPX or breaks off; HostileFile for declared entities,
    nesting deeper than 64 and tracks of more than five million points.
    """
    feed = XmlFeed(stream, "gpx")
    reader = _Reader(feed, Counter() if unread is None else unread)
    for _ in feed.blocks():
        yield from reader.take()


class _Drawn(Struct):
    """A track while its points come in."""

    line: int
    point_name: str
    leaves: dict[str, str] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    misread: list[tuple[int, str]] = field(default_factory=list)
    raws: list[str] = field(default_factory=list)
    odd: list[tuple[int, str]] = field(default_factory=list)
    series: dict[str, list[Timed]] = field(default_factory=lambda: {name: [] for name in _SERIES})

    def take(self, line: int, attributes: Mapping[str, str], leaves: Mapping[str, str]) -> None:
        """One point, with its place in the file."""
        try:
            at = moment_of("time", leaves["time"]) if "time" in leaves else None
            latitude, longitude = _position(attributes)
        except ValueError as wrong:
            self.misread.append((line, str(wrong)))
            self.raws.append(_raw(self.point_name, attributes, leaves))
            return
        if len(self.points) >= MOST_POINTS:
            raise HostileFile(f"line {line}: a track of more than {MOST_POINTS} points")
        self.points.append(
            Point(
                at,
                latitude,
                longitude,
                self._measure(line, leaves, "ele"),
                self._measure(line, leaves, "speed"),
                self._measure(line, leaves, "course"),
                self._measure(line, leaves, "hAcc"),
                self._measure(line, leaves, "vAcc"),
            )
        )
        if not _SERIES_LEAVES.isdisjoint(leaves):
            self._take_series(line, at, leaves)

    def _take_series(self, line: int, at: datetime | None, leaves: Mapping[str, str]) -> None:
        for series, names in _SERIES.items():
            name = names[0] if names[0] in leaves else names[1]
            value = self._measure(line, leaves, name)
            if value is not None and at is not None:
                self.series[series].append((at, value))
            elif value is not None:
                self.odd.append((line, f"{name}: its point has no time"))

    def _measure(self, line: int, leaves: Mapping[str, str], name: str) -> float | None:
        text = leaves.get(name)
        if text is None:
            return None
        try:
            return number_of(name, text)
        except ValueError as wrong:
            self.odd.append((line, str(wrong)))
            return None

    def track(self, creator: str | None) -> Track:
        """The track, once its end was met."""
        return Track(
            name=self.leaves.get("name"),
            points=self.points,
            line=self.line,
            misread=tuple(self.misread),
            raws=tuple(self.raws),
            odd=tuple(self.odd),
            **self.series,
            kind=self.leaves.get("type"),
            creator=creator,
            planned=self.point_name == "rtept",
        )


class _Reader:
    """Listens to expat and draws the tracks."""

    def __init__(self, feed: XmlFeed, unread: Counter[str]) -> None:
        self._done: list[Track] = []
        self._listen(feed, unread)

    def take(self) -> list[Track]:
        """The tracks that ended since the last call."""
        done = self._done.copy()
        self._done.clear()
        return done

    def _listen(self, feed: XmlFeed, unread: Counter[str]) -> None:  # noqa: C901
        # Closures over locals: they run for every element of the file.
        done = self._done
        creator: str | None = None
        drawn: _Drawn | None = None
        point: dict[str, str] | None = None
        leaves: dict[str, str] = {}
        leaf = Leaf(feed)
        depth = point_line = point_depth = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal creator, drawn, point, leaves, depth, point_line, point_depth
            depth += 1
            name = local(name)
            if point is not None:
                if name in _POINT_LEAVES:
                    leaf.open()
            elif drawn is not None:
                if name == drawn.point_name:
                    point, leaves, point_line, point_depth = attributes, {}, feed.line, depth
                elif depth == _TRACK_DEPTH + 1 and name in _TRACK_LEAVES:
                    leaf.open()
            elif name in _TRACKS and depth == _TRACK_DEPTH:
                drawn = _Drawn(feed.line, _TRACKS[name])
            elif depth == 1:
                creator = (attributes.get("creator") or "").strip() or None
            elif depth == _TRACK_DEPTH and name not in _BOOKKEEPING:
                unread[name] += 1
            if depth > DEEPEST:
                raise HostileFile(f"line {feed.line}: elements nested deeper than {DEEPEST}")

        def end(name: str) -> None:
            nonlocal drawn, point, depth
            name = local(name)
            if point is not None and drawn is not None:
                if depth == point_depth:
                    drawn.take(point_line, point, leaves)
                    point = None
                elif name in _POINT_LEAVES:
                    _keep(leaves, name, leaf.close())
            elif drawn is not None:
                if depth == _TRACK_DEPTH:
                    done.append(drawn.track(creator))
                    drawn = None
                elif depth == _TRACK_DEPTH + 1 and name in _TRACK_LEAVES:
                    _keep(drawn.leaves, name, leaf.close())
            depth -= 1

        feed.parser.StartElementHandler = start
        feed.parser.EndElementHandler = end


def _keep(leaves: dict[str, str], name: str, text: str) -> None:
    """The first text of that name which is not blank."""
    if text and name not in leaves:
        leaves[name] = text


def moment_of(name: str, text: str) -> datetime:
    """The UTC instant of an ISO 8601 text, which is UTC without a zone. Raises ValueError that begins with the name."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{name}: not a moment: {text[:_SHOWN]!r}") from None


def _position(attributes: Mapping[str, str]) -> tuple[float, float]:
    latitude, longitude = _degrees(attributes, "lat"), _degrees(attributes, "lon")
    if not is_position(latitude, longitude):
        raise ValueError(f"lat, lon: no place on Earth: {latitude:g}, {longitude:g}")
    return latitude, longitude


def _degrees(attributes: Mapping[str, str], name: str) -> float:
    text = attributes.get(name)
    if text is None:
        raise ValueError(f"{name}: missing")
    return number_of(name, text)


def number_of(name: str, text: str) -> float:
    """A finite number with a decimal point. Raises ValueError that begins with the name."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    # Python alone reads 1_000 as a thousand.
    if not math.isfinite(number) or "_" in text:
        raise ValueError(f"{name}: not a number: {text[:_SHOWN]!r}")
    return number


def _raw(name: str, attributes: Mapping[str, str], leaves: Mapping[str, str]) -> str:
    given = "".join(f' {key}="{value[:_SHOWN]}"' for key, value in attributes.items())
    inside = "".join(f"<{key}>{value[:_SHOWN]}</{key}>" for key, value in leaves.items())
    return f"<{name}{given}>{inside}</{name}>"
