"""What all kinds of FIT messages share on their way to rows: their place, their device, their times, their raw text."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.fit import FitFile, Message, Value
from twinning_pipelines.records.record import Record
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.exercise import Gauge, Oddities, as_detail

PREFIX = "fit"
_RAW = 500


class Told(Struct, frozen=True):
    """One FIT file on its way to rows. offset: how many messages were read before it, in other members of the zip."""

    file: FitFile
    offset: int
    origin: str
    clock: Clock
    oddities: Oddities

    def at(self, message: Message) -> int:
        """The number of a message among all of the dropped file."""
        return self.offset + message.at

    def row(self, record: Record, message: Message, values: Mapping[str, object]) -> Row:
        """A row that a message gave."""
        return Row(record, self.at(message), raw_of(message), {"origin": self.origin, **values})

    def rejection(self, record: Record, message: Message, reason: str) -> Rejection:
        """A message that can't be a row."""
        return Rejection(self.at(message), record.name, reason, raw_of(message))


def told(file: FitFile, offset: int, clock: Clock, oddities: Oddities) -> Told:
    """The file with all its times placed, and the device that wrote it."""
    return Told(_placed(file, clock), offset, _device(file), clock, oddities)


def raw_of(message: Message) -> str:
    """A message as a person can read it."""
    own = {name: value.value for name, value in message.own.items()}
    return f"{message.name} {json.dumps({**message.values, **own}, default=str, ensure_ascii=False)}"[:_RAW]


def own_named(name: str, unit: str | None) -> tuple[Gauge, str | None]:
    """The metric of a measure that is not registered, under its own name, and the detail that keeps its unit."""
    return Gauge(f"{PREFIX}:{name}"), as_detail({"unit": unit})


def detail_of(message: Message, without: frozenset[str]) -> str | None:
    """What else a message says, with the fields of apps by their own names."""
    values: dict[str, object] = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in message.values.items()
        if name not in without
    }
    for name, own in message.own.items():
        values[name if name not in values else f"own:{name}"] = f"{own.value} {own.unit}" if own.unit else own.value
    return as_detail(values)


def _device(file: FitFile) -> str:
    """The maker and product of the device as the profile names them: `garmin fenix5`, `strava 102`."""
    for message in file.all("file_id"):
        maker = message.text("manufacturer")
        product = message.text("product_name") or message.text("garmin_product") or message.text("product")
        named = " ".join(word for word in (maker, product) if word)
        if named:
            return named
    return "FIT"


def _placed(file: FitFile, clock: Clock) -> FitFile:
    """The file with moments where it counts seconds since its device was switched on, as far as it says when that was."""
    switched_on = _switched_on(file, clock)
    if switched_on is None:
        return file
    messages = [replace(message, values=_with_moments(message, switched_on)) for message in file.messages]
    return replace(file, messages=messages)


_MOMENTS = frozenset({"timestamp", "start_time", "time_created"})


def _with_moments(message: Message, switched_on: datetime) -> dict[str, Value]:
    values = dict(message.values)
    for name in _MOMENTS & values.keys():
        seconds = values[name]
        if isinstance(seconds, int):
            values[name] = switched_on + timedelta(seconds=seconds)
    return values


def _switched_on(file: FitFile, clock: Clock) -> datetime | None:
    """When the device was switched on: by a message that sets both clocks side by side, or by the activity's local time."""
    for message in file.all("timestamp_correlation"):
        at, seconds = message.moment("timestamp"), message.values.get("system_timestamp")
        if at is not None and isinstance(seconds, int):
            return at - timedelta(seconds=seconds)
    for message in file.all("activity"):
        local, seconds = message.values.get("local_timestamp"), message.values.get("timestamp")
        if isinstance(local, datetime) and isinstance(seconds, int):
            return clock.instant(local) - timedelta(seconds=seconds)
    return None


def days_offset(file: FitFile) -> timedelta | None:
    """How far the device's local time was ahead of UTC, where the file says so."""
    for message in file.all("monitoring_info", "activity"):
        at, local = message.moment("timestamp"), message.values.get("local_timestamp")
        if at is not None and isinstance(local, datetime):
            return local.replace(tzinfo=UTC) - at
    return None


def numbers(message: Message, without: frozenset[str]) -> Iterator[tuple[str, float]]:
    """The fields of a message that are one number."""
    for name in message.values:
        value = None if name in without else message.number(name)
        if value is not None:
            yield name, value
