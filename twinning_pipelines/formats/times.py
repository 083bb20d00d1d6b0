"""Times of day, durations and stamps to values, and where two wall times fall on a person's clock.

A wall time that the autumn change repeats, or that the spring change skips, has two readings; where the source states
how long a stretch lasted, that decides between them.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import product

from twinning_pipelines.clock import Clock

_SHOWN = 60
# Apple and Toggl put a narrow no-break blank before AM and PM.
_BLANKS = str.maketrans(dict.fromkeys("\u00a0\u202f\u2009", " "))
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(?:([ap])\.?m\.?)?", re.ASCII | re.IGNORECASE)
_SPAN = re.compile(r"(\d{1,5}):(\d{2})(?::(\d{2}))?", re.ASCII)
_STAMP = re.compile(r"(.+?)(?:T|,?\s+)(\d{1,2}:\d{2}.*?)\s*(Z|UTC|[+-]\d{2}:?\d{2})?", re.ASCII | re.IGNORECASE)
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})", re.ASCII)

# Sources round starts, ends and durations apart from each other.
TOLERANCE = timedelta(minutes=1)


def time_of(text: str) -> time:
    """A time of day, `21:30`, `21:30:15` or `9:51 PM`; parts of a second are let go. Raises ValueError."""
    match = _TIME.fullmatch(text.translate(_BLANKS).strip())
    if match is None:
        raise ValueError(f"not a time of day: {text[:_SHOWN]!r}")
    hour, minute, second = (int(part or 0) for part in match.group(1, 2, 3))
    half = (match.group(4) or "").lower()
    if half and not 1 <= hour <= 12:
        raise ValueError(f"not a time of day: {text[:_SHOWN]!r}")
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return time(hour, minute, second)
    except ValueError:
        raise ValueError(f"not a time of day: {text[:_SHOWN]!r}") from None


def seconds_of(text: str) -> int | None:
    """A duration as `1:30` (hours and minutes) or `25:10:00`, in seconds; None when it is not written so."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    if minutes >= 60 or seconds >= 60:
        return None
    return hours * 3600 + minutes * 60 + seconds


def stamp_of(text: str, day_of: Callable[[str], date]) -> datetime:
    """A day with a time: aware when the text ends in Z or an offset, else a naive wall time. Raises ValueError."""
    match = _STAMP.fullmatch(text.translate(_BLANKS).strip())
    if match is None:
        raise ValueError(f"not a day and a time: {text[:_SHOWN]!r}")
    day, clock, offset = match.groups()
    wall = datetime.combine(day_of(day), time_of(clock))
    if offset is None:
        return wall
    aware = datetime.fromisoformat(f"{wall.isoformat()}{_colon(offset)}")
    # The edges of the calendar have no UTC instant.
    return aware if 1 < aware.year < 9999 else wall.replace(tzinfo=UTC)


def _colon(offset: str) -> str:
    match = _OFFSET.fullmatch(offset)
    return f"{match[1]}{match[2]}:{match[3]}" if match else "+00:00"


def instant_of(moment: datetime, clock: Clock) -> datetime:
    """The UTC instant of an aware stamp, or of a naive one by the clock."""
    return clock.instant(moment) if moment.tzinfo is None else moment.astimezone(UTC)


def stretch(
    start: datetime, end: datetime | None, seconds: int | None, clock: Clock
) -> tuple[datetime, datetime | None]:
    """The UTC instants of a start and an end, each aware or a wall time by the clock.

    `seconds`, how long the source says it lasted, decides what wall times mean that a change of the clocks repeats or
    skips, and tells an end after midnight (written without its own day) from a wrong one.
    Raises ValueError when it ends before it starts.
    """
    if end is None:
        return instant_of(start, clock), None
    first, last = _closest(start, end, seconds, clock)
    if last < first and seconds is not None:
        rolled = _closest(start, end + timedelta(days=1), seconds, clock)
        if abs(rolled[1] - rolled[0] - timedelta(seconds=seconds)) <= TOLERANCE:
            return rolled
    if last < first:
        raise ValueError(f"ended_at: {end} is before the start, {start}")
    return first, last


def _closest(start: datetime, end: datetime, seconds: int | None, clock: Clock) -> tuple[datetime, datetime]:
    pairs = list(product(_readings(start, clock), _readings(end, clock)))
    if seconds is None:
        return next(((first, last) for first, last in pairs if first <= last), pairs[0])
    return min(pairs, key=lambda pair: abs((pair[1] - pair[0]).total_seconds() - seconds))


def _readings(moment: datetime, clock: Clock) -> list[datetime]:
    """What a moment may mean, the likelier first: one instant, or two for a wall time within a change of the clocks."""
    if moment.tzinfo is not None:
        return [moment.astimezone(UTC)]
    both = [clock.instant(moment.replace(fold=fold)) for fold in (0, 1)]
    return both[:1] if both[0] == both[1] else both
