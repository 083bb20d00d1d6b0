"""Moments as Apple prints them, `2024-03-31 03:00:00 +0200`, to UTC, one by one and a column at a time.

All moments of an export carry the offset of the phone at export time, summer and winter alike: the instant is exact,
the printed wall clock is not the clock on the wall, and nothing here keeps it.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

_WIDTH = 25
_LAYOUT = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DIGITS = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18, 21, 22, 23, 24]
_MARKS = {4: "-", 7: "-", 10: " ", 13: ":", 16: ":", 19: " "}
_ZERO, _PLUS, _MINUS = ord("0"), ord("+"), ord("-")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
# The years that Python's own datetime can hold in UTC.
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _SECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _SECOND


def moment_of(text: str) -> datetime | None:
    """The UTC instant of one printed moment; None when it is not one."""
    match = _LAYOUT.fullmatch(text)
    if match is None:
        return None
    sign, hours, minutes = match[7], int(match[8]), int(match[9])
    if hours > 23 or minutes > 59:
        return None
    away = timedelta(hours=hours, minutes=minutes)
    try:
        wall = datetime(*map(int, match.groups()[:6]), tzinfo=timezone(away if sign == "+" else -away))  # type: ignore[misc,arg-type]
        return wall.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def day_of(text: str) -> date | None:
    """The day of `2024-03-31`; None when it is not one."""
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def moments_of(texts: pa.StringArray) -> tuple[Numbers, Mask]:
    """Microseconds since 1970 of a column of printed moments, and where they are ones: what `moment_of` says of each."""
    if not len(texts):
        return np.zeros(0, np.int64), np.zeros(0, np.bool_)
    matrix, wide = _letters(texts)
    digits = matrix[_DIGITS] - _ZERO
    ok = wide & (digits <= 9).all(axis=0)
    for place, mark in _MARKS.items():
        ok &= matrix[place] == ord(mark)
    ok &= (matrix[20] == _PLUS) | (matrix[20] == _MINUS)
    wide_digits = digits.astype(np.int64)
    year = wide_digits[0] * 1000 + wide_digits[1] * 100 + wide_digits[2] * 10 + wide_digits[3]
    month, day, hour, minute, second, away_hours, away_minutes = (
        wide_digits[place] * 10 + wide_digits[place + 1] for place in range(4, 18, 2)
    )
    ok &= (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    ok &= (hour <= 23) & (minute <= 59) & (second <= 59) & (away_hours <= 23) & (away_minutes <= 59)
    months = np.where(ok, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    first = months.astype("datetime64[D]").astype(np.int64)
    ok &= day <= (months + 1).astype("datetime64[D]").astype(np.int64) - first
    away = (away_hours * 60 + away_minutes) * np.where(matrix[20] == _MINUS, -60, 60)
    seconds = (first + day - 1) * 86_400 + hour * 3600 + minute * 60 + second - away
    ok &= (seconds >= _FIRST) & (seconds <= _LAST)
    return np.where(ok, seconds, 0) * 1_000_000, ok


def _letters(texts: pa.StringArray) -> tuple[npt.NDArray[np.uint8], Mask]:
    """The bytes of each text as a column of a matrix of 25 rows, and which texts have that width; others are blanks."""
    wide = pc.fill_null(pc.equal(pc.binary_length(texts), _WIDTH), False)
    even = texts if pc.all(wide).as_py() else pc.if_else(wide, texts, pa.scalar(" " * _WIDTH))
    first = np.frombuffer(even.buffers()[1], np.int32)[even.offset]
    letters = np.frombuffer(even.buffers()[2], np.uint8)[first : first + _WIDTH * len(even)]
    return np.ascontiguousarray(letters.reshape(len(even), _WIDTH).T), wide.to_numpy(zero_copy_only=False)
