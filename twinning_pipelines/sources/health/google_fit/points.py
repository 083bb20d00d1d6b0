"""Google Fit's data points, the files of `All Data`: one stream in each, from one app or device, or merged by Google.

A stream is called `derived:com.google.step_count.delta:com.google.android.gms:estimated_steps`: its kind, its type,
and whose it is. Google merges the streams of a type into one, so the same steps stand in several files. Where there
is a merged stream of a type, it alone is read. Facts: developers.google.com/fit, "Data types", and real exports.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from twinning_pipelines.formats.json_stream import Path, values
from twinning_pipelines.formats.json_values import detail_of, json_of, list_of, number_of, object_of, shown, text_of
from twinning_pipelines.formats.quantities import canonical
from twinning_pipelines.original import as_text
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.medical import CORRELATION
from twinning_pipelines.records.sessions import SLEEP_STAGE
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.exercise import Oddities
from twinning_pipelines.sources.health.google_fit.tables import PREFIX
from twinning_pipelines.sources.health.places import Desk, Opening, Place

ORIGIN = "Google Fit"
SLEEP_TYPE = "com.google.sleep.segment"

_MARK = re.compile(r'\s*\{\s*"Data (?:Source|Points)"\s*:')
_STREAM = re.compile(r'"Data Source"\s*:\s*"((?:[^"\\]|\\.)*)"')
_COMPANY = "com.google."
_POINTS = "Data Points"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BLOCK_BYTES = 1 << 20

_PRESSURE = "com.google.blood_pressure"
_METRIC_OF: Mapping[str, tuple[str, str]] = {
    "com.google.step_count.delta": ("steps", "count"),
    "com.google.distance.delta": ("distance", "m"),
    "com.google.calories.expended": ("total_energy", "kcal"),
    "com.google.active_minutes": ("move_time", "min"),
    "com.google.heart_minutes": ("heart_points", "count"),
    "com.google.heart_rate.bpm": ("heart_rate", "bpm"),
    "com.google.weight": ("body_mass", "kg"),
    "com.google.height": ("height", "m"),
    "com.google.body.fat.percentage": ("body_fat", "%"),
    "com.google.oxygen_saturation": ("oxygen_saturation", "%"),
    "com.google.body.temperature": ("body_temperature", "°C"),
    "com.google.blood_glucose": ("blood_glucose", "mmol/L"),
    "com.google.respiratory_rate": ("respiratory_rate", "bpm"),
    "com.google.hydration": ("dietary_water", "L"),
}
# What holds no measure of ours: every position of every day, and foods by their nutrients.
_LEFT_OUT = ("com.google.location.", "com.google.nutrition")
_STAGE_OF = {1: "awake", 2: "asleep", 3: "awake", 4: "core", 5: "deep", 6: "rem"}
_ACTIVITY_TYPE = "com.google.activity.segment"
_ACTIVITY_OF = {
    0: "in_vehicle", 1: "biking", 2: "on_foot", 3: "still", 4: "unknown", 5: "tilting", 7: "walking", 8: "running",
    35: "hiking", 72: "sleep", 82: "swimming", 109: "sleep.light", 110: "sleep.deep", 111: "sleep.rem",
    112: "sleep.awake",
}  # fmt: skip


class Stream(NamedTuple):
    """A stream's name in its parts."""

    name: str
    kind: str
    type: str
    owner: str

    @property
    def rank(self) -> int:
        """3 for what the app itself shows, 2 for merged streams, 1 for others that are derived, 0 for raw ones."""
        if self.kind != "derived":
            return 0
        last = self.owner.rpartition(":")[2]
        if last == "estimated_steps":
            return 3
        return 2 if last.startswith("merge") else 1

    @property
    def origin(self) -> str:
        """Google Fit for what Google has merged; else whose stream it is."""
        return ORIGIN if self.rank > 1 else f"{ORIGIN}, {self.owner}" if self.owner else ORIGIN


def is_points(head: bytes) -> bool:
    """By the first key of the document."""
    return _MARK.match(as_text(head)) is not None


def stream_of(head: bytes) -> Stream:
    """The stream of a file from its head; without parts where the file does not name it there."""
    found = _STREAM.search(as_text(head))
    kind, _, rest = (found[1] if found else "").partition(":")
    kept, _, owner = rest.partition(":")
    return Stream(found[1] if found else "", kind, kept, owner.rstrip(":"))


def chosen(streams: Iterable[Stream]) -> set[Stream]:
    """The streams that are read: of each type the merged one, or all of them where Google has merged none."""
    by_type: dict[str, set[Stream]] = {}
    for stream in streams:
        by_type.setdefault(stream.type, set()).add(stream)
    read: set[Stream] = set()
    for several in by_type.values():
        best = max(several, key=lambda stream: (stream.rank, stream.name))
        read |= {best} if best.rank > 1 else several
    return read


def count_points(opening: Opening) -> int:
    """How many data points a file that is left out holds."""
    wanted, count, tail = b'"fitValue"', 0, b""
    with opening() as stream:
        while block := stream.read(_BLOCK_BYTES):
            text = tail + block
            count += text.count(wanted)
            tail = text[-len(wanted) + 1 :]
            count -= tail.count(wanted)
    return count


def _is_opened(path: Path) -> bool:
    return path in ((), (_POINTS,))


def point_rows(opening: Opening, stream: Stream, desk: Desk) -> Iterator[Row | Rejection]:
    """The rows of each data point. Raises UnreadableFile."""
    with opening() as file:
        for found in values(file, _is_opened):
            if len(found.path) != 2:
                if found.path not in (("Data Source",), (_POINTS,)):
                    desk.oddities.left_out[str(found.path[:1])] += 1
                continue
            place = desk.places.next(found.raw)
            try:
                yield from _point(object_of(_POINTS, found.value), stream, place, desk.oddities)
            except (ValueError, OverflowError) as fault:
                yield place.rejection(SLEEP_STAGE if stream.type == SLEEP_TYPE else SAMPLE, fault)


def _point(point: Mapping[str, object], stream: Stream, place: Place, oddities: Oddities) -> Iterator[Row]:
    kind = text_of(point.get("dataTypeName")) or stream.type
    if kind.startswith(_LEFT_OUT):
        oddities.left_out[kind] += 1
        return
    figures = _figures(point)
    if not figures:
        raise ValueError("fitValue: missing")
    shared = {
        "origin": stream.origin,
        "started_at": _instant("startTimeNanos", point),
        "ended_at": _instant("endTimeNanos", point),
    }
    if kind == SLEEP_TYPE:
        yield Row(SLEEP_STAGE, place.at, place.raw, shared | {"stage": _stage(figures[0])})
    elif kind == _PRESSURE:
        yield from _pressure(figures, shared, place)
    else:
        yield _sample(kind, figures, shared | {"detail": _detail(point, figures, stream)}, place, oddities)


def _sample(kind: str, figures: list[object], shared: Mapping[str, object], place: Place, oddities: Oddities) -> Row:
    metric, unit = _METRIC_OF.get(kind, (PREFIX + kind.removeprefix(_COMPANY), ""))
    first = figures[0]
    label = None
    if unit:
        value = canonical(metric, number_of("fitValue", first), unit)
    else:
        oddities.unregistered[metric] += 1
        is_word = isinstance(first, (str, dict, list))
        value = 1.0 if is_word else number_of("fitValue", first)
        label = (text_of(first) or json_of(first)) if is_word else None
        label = _ACTIVITY_OF.get(int(value)) if kind == _ACTIVITY_TYPE else label
    return Row(
        SAMPLE,
        place.at,
        place.raw,
        {"metric": metric, **shared, "value": value, "label": label},
    )


def _pressure(figures: list[object], shared: dict[str, object], place: Place) -> Iterator[Row]:
    sides = ("blood_pressure_systolic", "blood_pressure_diastolic")
    if len(figures) < len(sides):
        raise ValueError("fitValue: a blood pressure without its second value")
    members = [(metric, number_of(metric, figure)) for metric, figure in zip(sides, figures, strict=False)]
    for metric, value in members:
        yield Row(SAMPLE, place.at, place.raw, {"metric": metric, **shared, "value": value})
    listed = [[metric, str(shared["started_at"]).replace(" ", "T"), value] for metric, value in members]
    whole = {"kind": "blood_pressure", **shared, "members": json_of(listed)}
    yield Row(CORRELATION, place.at, place.raw, whole)


def _detail(point: Mapping[str, object], figures: list[object], stream: Stream) -> str | None:
    """The values behind the first, and which stream Google has merged the point from."""
    source = text_of(point.get("originDataSourceId"))
    return detail_of({"from": source if source != stream.name else None, "others": figures[1:]})


def _figures(point: Mapping[str, object]) -> list[object]:
    """The values of a point: numbers, words or maps, in the order of its type's fields."""
    listed = list_of(point.get("fitValue")) or list_of(point.get("value"))
    figures = []
    for each in listed:
        held = object_of("fitValue", each)
        inner = held.get("value", held)
        told = [value for value in object_of("fitValue", inner).values() if value not in (None, [], {})]
        figures += told[:1]
    return figures


def _stage(figure: object) -> str:
    number = number_of("fitValue", figure)
    stage = _STAGE_OF.get(int(number))
    if stage is None or not number.is_integer():
        raise ValueError(f"fitValue: not a stage of sleep: {shown(figure)}")
    return stage


def _instant(name: str, point: Mapping[str, object]) -> datetime:
    nanos = point.get(name)
    digits = text_of(nanos)
    if nanos is None:
        raise ValueError(f"{name}: missing")
    try:
        return _EPOCH + timedelta(microseconds=int(digits) // 1000)
    except (ValueError, OverflowError):
        raise ValueError(f"{name}: not a moment: {shown(nanos)}") from None
