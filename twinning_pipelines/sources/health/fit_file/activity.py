"""Activities of FIT files: sessions with their laps, lengths, sets and events, the way, and what was measured on it.

A session of sport is a workout; in a triathlon each has its own. Messages belong to the session that began last before
them. The pauses are in the events (`timer stop_all`, `timer start`), and the duration is that of the timer.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from twinning_pipelines.formats.fit import UNITS, Message
from twinning_pipelines.formats.track import Point, is_position
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.sessions import WORKOUT, WORKOUT_PART
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.exercise import (
    Gauge,
    activity_of,
    as_detail,
    end_of,
    gauge_of,
    route,
    sample,
)
from twinning_pipelines.sources.health.fit_file.messages import PREFIX, Told, detail_of, numbers, own_named

NAMES = frozenset({"session", "lap", "length", "set", "event", "record", "hrv", "activity"})

_NO_TIME = "timestamp: missing, or seconds since the device was switched on, and nothing says when that was"

# Series whose metric depends on the sport, by their fields; the first that is there counts.
_SERIES = {
    "heart_rate": ("heart_rate",),
    "cadence": ("cadence256", "cadence"),
    "power": ("power",),
    "speed": ("enhanced_speed", "speed"),
    "temperature": ("temperature",),
}
# What a field means in any sport (empty), or in one.
_GAUGES = {
    "": {
        "enhanced_respiration_rate": Gauge("respiratory_rate"),
        "core_temperature": Gauge("body_temperature"),
        "depth": Gauge("underwater_depth"),
    },
    "running": {
        "vertical_oscillation": Gauge("running_vertical_oscillation", 0.1),
        "stance_time": Gauge("running_ground_contact_time"),
        "step_length": Gauge("running_stride_length", 0.001),
    },
    "walking": {"step_length": Gauge("walking_step_length", 0.1)},
}
# Parts of a position, sums since the start that the session states, and other words for the same.
_NO_SERIES = frozenset(
    {
        "timestamp", "position_lat", "position_long", "altitude", "enhanced_altitude", "gps_accuracy", "distance",
        "fractional_cadence", "accumulated_power", "compressed_accumulated_power", "total_cycles", "cycles", "calories",
        "compressed_speed_distance", "speed_1s", "time_from_course", "respiration_rate", "activity_type", "device_index",
        "cycle_length", "cycle_length16", *(name for names in _SERIES.values() for name in names),
    }
)  # fmt: skip
_POSITIONS = frozenset(
    f"{corner}_{axis}" for corner in ("start_position", "end_position", "nec", "swc") for axis in ("lat", "long")
)
_IN_FIELDS = _POSITIONS | {"timestamp", "start_time", "event", "event_type", "message_index"}


class Session(Struct, frozen=True):
    """A workout that the messages around it belong to. started is None where the file has no summary."""

    started: datetime | None
    activity: str | None


def rows(told: Told) -> Iterator[Row | Rejection]:
    """Every row of the messages that NAMES lists."""
    sessions = told.file.all("session")
    begun: list[Session] = []
    for message in sessions:
        row = _workout(told, message)
        yield row
        if isinstance(row, Row):
            begun.append(Session(message.moment("start_time"), str(row.values["activity"])))
    begun.sort(key=lambda session: session.started.timestamp() if session.started else 0)
    for message in told.file.all("lap", "length", "set", "event"):
        yield from _part(told, message, begun)
    records = told.file.all("record")
    if records and not begun:
        told.oddities.left_out["summaries of activities, which their files do not hold"] += 1
    yield from _records(told, records, begun)
    yield from told.oddities.rated(_beats(told))


def _workout(told: Told, message: Message) -> Row | Rejection:
    started = message.moment("start_time")
    if started is None:
        return told.rejection(WORKOUT, message, _NO_TIME.replace("timestamp", "start_time"))
    timer, total, resting = (
        message.number(name) for name in ("total_timer_time", "total_calories", "metabolic_calories")
    )
    values = {
        "activity": _activity(message),
        "started_at": started,
        # The stamp of the message is when it was written, which may be minutes later.
        "ended_at": end_of(started, message.number("total_elapsed_time")) or message.moment("timestamp") or started,
        "duration_min": None if timer is None else round(timer / 60, 3),
        "distance_m": message.number("total_distance"),
        "energy_kcal": total if resting is None or total is None else total - resting,
        "ascent_m": message.number("total_ascent"),
        "heart_rate_mean": message.number("avg_heart_rate"),
        "heart_rate_max": message.number("max_heart_rate"),
        "detail": detail_of(message, _IN_FIELDS),
    }
    return told.row(WORKOUT, message, values)


def _activity(message: Message) -> str:
    """The sport; where that is only training or generic, the kind of it."""
    sport, kind = activity_of(message.text("sport")), activity_of(message.text("sub_sport"))
    vague = {None, "other", "training", "fitness_equipment"}
    return (kind if sport in vague and kind not in vague else sport) or "other"


def _part(told: Told, message: Message, sessions: Sequence[Session]) -> Iterator[Row | Rejection]:
    started = message.moment("timestamp" if message.name == "event" else "start_time")
    if started is None:
        yield told.rejection(WORKOUT_PART, message, _NO_TIME)
        return
    workout_at = _session_at(sessions, started).started
    if workout_at is None:
        # Monitoring and other files have events that no workout is around.
        told.oddities.left_out[f"{message.name}s outside of a workout"] += 1
        return
    seconds = message.number("duration" if message.name == "set" else "total_timer_time")
    elapsed = message.number("total_elapsed_time")
    part, name = _named(message)
    yield told.row(
        WORKOUT_PART,
        message,
        {
            "part": part,
            "name": name,
            "workout_at": workout_at,
            "started_at": started,
            "ended_at": end_of(started, seconds if elapsed is None else elapsed),
            "duration_min": None if seconds is None else round(seconds / 60, 3),
            "detail": detail_of(message, _IN_FIELDS),
        },
    )


def _named(message: Message) -> tuple[str, str]:
    if message.name == "event":
        words = [message.text("event"), message.text("event_type")]
        return "event", " ".join(word for word in words if word) or "event"
    if message.name == "set":
        return "activity", f"set {message.text('set_type') or ''}".strip()
    return "lap", message.name


def _session_at(sessions: Sequence[Session], at: datetime) -> Session:
    """The session that began last before a moment; the first for what comes before it."""
    if not sessions:
        return Session(None, None)
    place = bisect_right([session.started for session in sessions if session.started], at)
    return sessions[max(place - 1, 0)]


def _records(told: Told, records: Sequence[Message], sessions: Sequence[Session]) -> Iterator[Row | Rejection]:
    """The way of each session, and the samples of all."""
    ways: dict[Session, tuple[int, list[Point]]] = {}
    for message in records:
        at = message.moment("timestamp")
        if at is None:
            yield told.rejection(SAMPLE, message, _NO_TIME)
            continue
        session = _session_at(sessions, at)
        point = _point(message, at)
        if point is not None:
            ways.setdefault(session, (told.at(message), []))[1].append(point)
        yield from told.oddities.rated(_samples(told, message, at, session))
    for session, (place, points) in ways.items():
        yield route(place, points, told.origin, session.activity or "activity", session.started)


def _point(message: Message, at: datetime) -> Point | None:
    latitude, longitude = message.number("position_lat"), message.number("position_long")
    if latitude is None or longitude is None or not is_position(latitude, longitude):
        return None
    elevation, altitude = message.number("enhanced_altitude"), message.number("altitude")
    speed, plain = message.number("enhanced_speed"), message.number("speed")
    return Point(
        at,
        latitude,
        longitude,
        altitude if elevation is None else elevation,
        plain if speed is None else speed,
        horizontal_accuracy=message.number("gps_accuracy"),
    )


def _samples(told: Told, message: Message, at: datetime, session: Session) -> Iterator[Row]:
    place = told.at(message)
    for series, names in _SERIES.items():
        value = next((number for name in names if (number := message.number(name)) is not None), None)
        if value is None:
            continue
        if series == "cadence":
            value += message.number("fractional_cadence") or 0
        yield sample(place, gauge_of(series, session.activity, PREFIX), told.origin, at, value)
    for name, value in numbers(message, _NO_SERIES):
        known = _GAUGES[""].get(name) or _GAUGES.get(session.activity or "", {}).get(name)
        gauge, detail = (known, None) if known else own_named(name, UNITS.get(("record", name)))
        yield sample(place, gauge, told.origin, at, value, detail=detail)
    for name, own in message.own.items():
        if isinstance(own.value, int | float) and not isinstance(own.value, bool):
            gauge, detail = own_named(name, own.unit)
            yield sample(place, gauge, told.origin, at, float(own.value), detail=detail)
        else:
            told.oddities.left_out[f"words and lists in the field {name} of an app"] += 1


def _beats(told: Told) -> Iterator[Row]:
    """The times between heart beats that follow a record, as one sample: their mean, and all of them in its detail."""
    after: datetime | None = None
    place, beats = 0, list[float]()
    for message in (*told.file.all("record", "hrv"), None):
        if message is not None and message.name == "hrv":
            given = message.values.get("time")
            place = place or told.at(message)
            beats += [float(beat) for beat in (given if isinstance(given, list) else [given]) if beat]  # type: ignore[arg-type]
            continue
        if beats and after is not None:
            milliseconds = [round(beat * 1000) for beat in beats]
            yield sample(
                place,
                Gauge(f"{PREFIX}:beat_interval"),
                told.origin,
                after,
                sum(milliseconds) / len(milliseconds),
                ended=after + timedelta(milliseconds=sum(milliseconds)),
                detail=as_detail({"beats": milliseconds, "unit": "ms"}),
            )
        elif beats:
            told.oddities.left_out["heart beats before the first record, which have no time"] += len(beats)
        place, beats = 0, []
        after = message.moment("timestamp") if message is not None else None
