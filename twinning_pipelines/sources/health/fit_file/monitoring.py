"""A day as a watch counts it, from the monitoring messages of FIT files.

The counters of a kind of activity run from local midnight on; a sample is what was added since the message before.
A cycle on foot is a stride, two steps. A watch that writes several files a day goes on counting, so the first reading
in a file that does not begin at midnight says nothing of what was added since: it is noted and left out.
(FIT profile, `monitoring`: cycles, distance, calories and times are accumulated for each activity_type.)
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from msgspec import Struct, field

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.fit import Message
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.exercise import Gauge, as_detail, end_of, sample
from twinning_pipelines.sources.health.fit_file.messages import PREFIX, Told, days_offset

NAMES = frozenset({"monitoring", "monitoring_info"})

_ON_FOOT = frozenset({"walking", "running"})
_DISTANCES = {
    "walking": "distance_walking_running",
    "running": "distance_walking_running",
    "cycling": "distance_cycling",
    "swimming": "distance_swimming",
}
_STEPS_A_CYCLE = 2
_READINGS = {"heart_rate": Gauge("heart_rate"), "temperature": Gauge("device_temperature")}


class _Counters(Struct):
    """What each counter stood at, and on which local day. partial: the day whose beginning is not in the file."""

    partial: date | None
    stood: dict[tuple[str, str], tuple[date, float]] = field(default_factory=dict)

    def added(self, metric: str, kind: str, day: date, value: float) -> float | None:
        """What was added since this counter was met last; None when it had run before the file began."""
        before = self.stood.get((metric, kind))
        self.stood[metric, kind] = (day, value)
        if before is None and day == self.partial:
            return None
        if before is not None and before[0] == day and value >= before[1]:
            return value - before[1]
        return value


def rows(told: Told) -> Iterator[Row | Rejection]:
    """Steps, metres and calories as they were added, heart rates and kinds of activity as they were met."""
    yield from told.oddities.rated(row for row in _rows(told) if isinstance(row, Row))
    for message in told.file.all("monitoring"):
        if message.moment("timestamp") is None:
            yield told.rejection(SAMPLE, message, "timestamp: missing, or short without a full one before it")


def _rows(told: Told) -> Iterator[Row]:
    days = _Days(told.clock, days_offset(told.file))
    messages = [(at, each) for each in told.file.all(*NAMES) if (at := each.moment("timestamp")) is not None]
    if not messages:
        return
    first = messages[0][0]
    midnight = first == days.midnight(days.begun(first))
    counters = _Counters(None if midnight else days.begun(first))
    last = earlier = first
    for at, message in messages:
        if at > last:
            last, earlier = at, last
        if message.name == "monitoring":
            day = days.counted(at)
            since = min(max(earlier, days.midnight(day)), at)
            yield from _counted(told, message, counters, day, since)
            yield from _met(told, message, at)


class _Days(Struct, frozen=True):
    """The local days of the device: by the offset that the file states, else by the person's clock."""

    clock: Clock
    offset: timedelta | None

    def begun(self, at: datetime) -> date:
        """The day of a moment."""
        return self.clock.day(at) if self.offset is None else (at + self.offset).date()

    def counted(self, at: datetime) -> date:
        """The day of a counter's reading; one at midnight closes the day before."""
        return self.begun(at - timedelta(seconds=1))

    def midnight(self, day: date) -> datetime:
        """The moment when a day begins."""
        wall = datetime.combine(day, time())
        return self.clock.instant(wall) if self.offset is None else wall.replace(tzinfo=UTC) - self.offset


def _counted(told: Told, message: Message, counters: _Counters, day: date, since: datetime) -> Iterator[Row]:
    kind = message.text("activity_type") or "unknown"
    ended = message.moment("timestamp")
    for gauge, value in _counts(message, kind):
        alone = (gauge.metric, kind) not in counters.stood or counters.stood[gauge.metric, kind][0] != day
        added = counters.added(gauge.metric, kind, day, value * gauge.factor)
        if added is None:
            told.oddities.left_out[f"first readings of the counter {gauge.metric}, which had run since midnight"] += 1
        elif added > 0:
            detail = as_detail({"activity": kind})
            started = min(since, _told_since(message) or since) if alone else since
            yield sample(told.at(message), Gauge(gauge.metric), told.origin, started, added, ended=ended, detail=detail)


def _told_since(message: Message) -> datetime | None:
    """Where a message says how long it counted: the beginning of that."""
    at, minutes, seconds = message.moment("timestamp"), message.number("duration_min"), message.number("duration")
    lasted = minutes * 60 if minutes is not None else seconds
    return None if at is None or lasted is None else end_of(at, -lasted)


def _counts(message: Message, kind: str) -> Iterator[tuple[Gauge, float]]:
    """The counters of a message by metric. The library calls cycles `steps` where it can tell that they are."""
    steps, cycles = message.number("steps"), message.number("cycles")
    if steps is not None:
        yield Gauge("steps"), steps
    elif cycles is not None and kind in _ON_FOOT:
        yield Gauge("steps", _STEPS_A_CYCLE), cycles
    elif cycles is not None:
        yield Gauge(f"{PREFIX}:cycles"), cycles
    named = {
        "strokes": "swimming_strokes",
        "distance": _DISTANCES.get(kind, f"{PREFIX}:distance"),
        "active_calories": "active_energy",
        "calories": f"{PREFIX}:calories",
        "active_time": f"{PREFIX}:active_time",
        "ascent": f"{PREFIX}:ascent",
        "descent": f"{PREFIX}:descent",
        "moderate_activity_minutes": f"{PREFIX}:moderate_activity_minutes",
        "vigorous_activity_minutes": f"{PREFIX}:vigorous_activity_minutes",
    }
    for name, metric in named.items():
        value = message.number(name)
        if value is not None:
            yield Gauge(metric), value


def _met(told: Told, message: Message, at: datetime) -> Iterator[Row]:
    for name, gauge in _READINGS.items():
        value = message.number(name)
        if value is not None:
            yield sample(told.at(message), gauge, told.origin, at, value)
    kind, intensity = message.text("activity_type"), message.number("intensity")
    if kind is not None and intensity is not None:
        gauge = Gauge(f"{PREFIX}:activity_intensity")
        yield sample(told.at(message), gauge, told.origin, at, intensity, label=kind)
