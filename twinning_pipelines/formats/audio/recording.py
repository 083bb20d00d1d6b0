"""What a recording says of itself, and reading bytes of a file that may lie about its sizes."""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import BinaryIO

from msgspec import Struct, field

from twinning_pipelines.errors import HostileFile, UnreadableFile

# No tag that we read is longer; whoever says so wants memory.
LONGEST_TAG = 64 * 1024
# Some recorders write the first second of their epoch where they know no time.
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_STAMP = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2})[:-](\d{2})(?:[:-](\d{2})(?:[.,]\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)


class Written(Struct, frozen=True):
    """When a tag says that it was recorded: aware with an offset, else a wall time. day_only: it tells no time of day."""

    at: datetime
    day_only: bool = False


class Recording(Struct, frozen=True):
    """What a container says: its kind, its length in seconds, when it was recorded, its title, and the rest in `detail`.

    notices: what a person should know about it.
    """

    container: str
    seconds: float | None = None
    written: Written | None = None
    title: str | None = None
    detail: Mapping[str, str | int | float] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


class Reader:
    """A file read by offsets. Whatever reaches beyond its end raises UnreadableFile instead of coming back short."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.size = stream.seek(0, os.SEEK_END)

    def at(self, offset: int, count: int) -> bytes:
        """So many bytes from an offset. Raises UnreadableFile where the file ends before, HostileFile for too many."""
        if count > LONGEST_TAG:
            raise HostileFile(f"a part of {count:,} bytes where a few are usual, at byte {offset:,}")
        found = self.some(offset, count)
        if len(found) < count:
            raise UnreadableFile(f"the recording breaks off at byte {self.size:,}")
        return found

    def some(self, offset: int, count: int) -> bytes:
        """The same, but what there is of it."""
        if not 0 <= offset <= self.size:
            return b""
        self._stream.seek(offset)
        return self._stream.read(min(count, LONGEST_TAG))


def stamp(text: str) -> Written | None:
    """`2026-03-31`, `2026-03-31T08:15:00+0200` and the like; None for anything else and for what can't be."""
    found = _STAMP.fullmatch(text.strip().strip("\0"))
    if found is None:
        return None
    year, month, day, hour, minute, second, offset = found.groups()
    try:
        wall = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))  # noqa: DTZ001
        return plausible(Written(wall.replace(tzinfo=_zone(offset)) if offset else wall, hour is None))
    except ValueError:
        return None


def plausible(written: Written) -> Written | None:
    """None for the zero of some clock."""
    at = written.at if written.at.tzinfo else written.at.replace(tzinfo=UTC)
    return written if at >= _EARLIEST else None


def plain(text: str | None) -> str | None:
    """A text of a tag as it may be kept: on one line, not empty, not endless."""
    shown = " ".join((text or "").replace("\0", " ").split())[:500]
    return shown.encode("utf-8", "replace").decode() or None


def _zone(offset: str) -> timezone:
    if offset.upper() == "Z":
        return UTC
    sign = -1 if offset[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:])))
