"""FIT, the binary files of Garmin and many others: messages with named fields, by the library fitdecode.

What the library leaves open is done here: 16-bit times of monitoring messages, fields of apps (developer fields) apart
from those of the profile, and damage. A file that breaks off, or that turns into nonsense half-way, gives the messages
before that. A wrong checksum is told; it costs nothing by itself.
"""

import math
import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, NamedTuple

import fitdecode
from fitdecode import CrcCheck, ErrorHandling, FitReader, profile
from fitdecode.exceptions import FitEOFError, FitError, FitHeaderError
from msgspec import Struct, field

from twinning_pipelines.errors import HostileFile, UnreadableFile

MAX_BYTES = 128 * 1024**2
_MAGIC = b".FIT"
_EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
_SEMICIRCLES = 180 / 2**31
_LONGEST_PAUSE = timedelta(days=7)
_LONGEST_TEXT = 1_000
# The library asserts and unpacks in good faith, so that bytes out of place end in any of these.
_NONSENSE = (
    FitError, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError,
    struct.error,
)  # fmt: skip
# Their times are 16 bits long, counted from the last full one in these messages.
_MONITORING = frozenset({"monitoring", "monitoring_info"})
_LOCAL = "local_date_time"
_UNNAMED = "unknown_"

Value = bool | int | float | str | datetime | list[Any]


class Own(NamedTuple):
    """The value of a developer field, in the unit that its app gives."""

    value: Value
    unit: str | None


class Message(Struct, frozen=True):
    """One data message. at: its number in the file, from 1. values: by the profile's names, scaled; invalid ones are absent.

    Times are aware; those that only count seconds since the device was switched on stay whole numbers, and local ones
    are naive. Angles that the file has in semicircles are degrees. own: developer fields. unnamed: how many fields
    nobody but the maker knows.
    """

    at: int
    name: str
    values: Mapping[str, Value]
    own: Mapping[str, Own] = field(default_factory=dict)
    unnamed: int = 0

    def number(self, name: str) -> float | None:
        """The value of a field when it is one finite number."""
        value = self.values.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def moment(self, name: str) -> datetime | None:
        """The value of a field when it is an aware moment."""
        value = self.values.get(name)
        return value if isinstance(value, datetime) and value.tzinfo is not None else None

    def text(self, name: str) -> str | None:
        """The value of a field as a text: a word of the profile, or the number of one that it does not name."""
        value = self.values.get(name)
        return str(value) if isinstance(value, str | int) else None


class FitFile(Struct, frozen=True):
    """What one FIT file holds. kind: activity, monitoring_b, weight, …, or a number that the profile does not name.

    wrong_checksum: header or content do not match theirs. damage: why the reading ended before the end, else empty.
    """

    messages: list[Message]
    wrong_checksum: bool = False
    damage: str = ""

    @property
    def kind(self) -> str | None:
        """The type in its file_id message."""
        return next((message.text("type") for message in self.messages if message.name == "file_id"), None)

    def all(self, *names: str) -> list[Message]:
        """The messages of these names, in file order."""
        return [message for message in self.messages if message.name in names]


def is_fit(head: bytes) -> bool:
    """Do these first bytes begin a FIT file?"""
    return head[8:12] == _MAGIC and len(head) >= 12 and head[0] in {12, 14}


# Message and field -> unit, as the profile says.
UNITS: Mapping[tuple[str, str], str] = {
    (kind.name, each.name): each.units
    for kind in profile.MESSAGE_TYPES.values()
    for each in kind.fields.values()
    if each.units
}


def files(stream: BinaryIO, size: int) -> Iterator[FitFile]:
    """The FIT files chained in a stream of so many bytes, mostly one.

    Raises UnreadableFile when no message of the first can be read, HostileFile for more than 128 MiB.
    """
    if size > MAX_BYTES:
        raise HostileFile(f"a FIT file of more than {MAX_BYTES // 1024**2} MiB")
    reader = FitReader(stream, check_crc=CrcCheck.READONLY, error_handling=ErrorHandling.IGNORE)
    gathered: _Gathered | None = None
    found = False
    damage = ""
    frames = iter(reader)
    while True:
        try:
            frame = next(frames, None)
        except _NONSENSE as fault:
            damage = _says(fault)
            if gathered is not None and not isinstance(fault, FitEOFError | FitHeaderError):
                gathered.distrust()
            break
        if frame is None:
            break
        if frame.frame_type == fitdecode.FIT_FRAME_HEADER:
            if gathered is not None:
                found = True
                yield gathered.file()
            gathered = _Gathered(wrong_checksum=frame.crc_matched is False)
        elif gathered is not None:
            gathered.take(frame)
    if gathered is not None and gathered.messages:
        found = True
        yield gathered.file(damage)
    if not found:
        raise UnreadableFile(damage or "the file is empty")


def _says(fault: Exception) -> str:
    if isinstance(fault, FitEOFError):
        return "the file breaks off"
    if isinstance(fault, FitHeaderError):
        return "no FIT header where one should be"
    return f"it turns into nonsense: {fault or type(fault).__name__}"


class _Gathered(Struct):
    """The messages of a file as they come in."""

    wrong_checksum: bool
    messages: list[Message] = field(default_factory=list)
    last_seconds: int | None = None

    def take(self, frame: Any) -> None:
        if frame.frame_type == fitdecode.FIT_FRAME_CRC:
            self.wrong_checksum |= not frame.matched
        elif frame.frame_type == fitdecode.FIT_FRAME_DATA:
            self.messages.append(self._message(frame))

    def distrust(self) -> None:
        """Bytes were out of place before the library noticed: lets go of messages that may be made of them."""
        before: datetime | None = None
        for index, message in enumerate(self.messages):
            at = message.moment("timestamp")
            if at is not None and before is not None and at - before > _LONGEST_PAUSE:
                del self.messages[index:]
                return
            before = at or before
        del self.messages[-1:]

    def file(self, damage: str = "") -> FitFile:
        return FitFile(self.messages, self.wrong_checksum, damage)

    def _message(self, frame: Any) -> Message:
        values: dict[str, Value] = {}
        own: dict[str, Own] = {}
        unnamed = 0
        for each in frame.fields:
            value = _value(each)
            if value is None:
                continue
            name = _clean(str(each.name or f"{_UNNAMED}{each.def_num}"))
            if each.field_def is not None and each.field_def.is_dev:
                own.setdefault(name, Own(value, _clean(str(each.units)) if each.units else None))
            elif name.startswith(_UNNAMED):
                unnamed += 1
            else:
                values.setdefault(name, value)
        if frame.name in _MONITORING:
            self._place(frame, values)
        return Message(len(self.messages) + 1, _clean(frame.name), values, own, unnamed)

    def _place(self, frame: Any, values: dict[str, Value]) -> None:
        """Gives a monitoring message its full time."""
        seconds = next((each.raw_value for each in frame.fields if each.name == "timestamp"), None)
        short = values.get("timestamp_16")
        if isinstance(seconds, int):
            self.last_seconds = seconds
        elif isinstance(short, int) and self.last_seconds is not None:
            self.last_seconds = (self.last_seconds + ((short - self.last_seconds) & 0xFFFF)) & 0xFFFFFFFF
            values["timestamp"] = _EPOCH + timedelta(seconds=self.last_seconds)


def _value(each: Any) -> Value | None:
    value = each.value
    if isinstance(value, datetime):
        # The library calls local times UTC.
        return value.replace(tzinfo=None) if each.type.name == _LOCAL else value
    if isinstance(value, tuple | list):
        parts = [_plain(part) for part in value]
        return parts if any(part is not None for part in parts) else None
    plain = _plain(value)
    return plain * _SEMICIRCLES if each.units == "semicircles" and isinstance(plain, int) else plain


def _plain(value: object) -> bool | int | float | str | None:
    """A value as JSON knows it; None for what the file marks as invalid."""
    if isinstance(value, float):
        # Scaling leaves 278.20000000000005 m where the file has 278.2.
        return round(value, 9) if math.isfinite(value) else None
    if isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _clean(value) or None
    if isinstance(value, bytes):
        return value.hex()[:_LONGEST_TEXT]
    return None if value is None else _clean(str(value))


def _clean(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()[:_LONGEST_TEXT]
