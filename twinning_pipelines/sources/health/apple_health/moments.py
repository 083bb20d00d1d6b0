"""Moments as Apple prints them, `2024-03-31 03:00:00 +0200`, to UTC, one by one and a column at a time.

All moments of an export carry the offset of the phone at export time, summer and winter alike: the instant is exact,
the printed wall clock is not the clock on the wall, and nothing here keeps it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Letters = npt.NDArray[np.uint8]

WIDTH = 25
_LAYOUT = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
# The years that Python's own datetime can hold in UTC.
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _SECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _SECOND


class Moments(NamedTuple):
    """A column of printed moments: microseconds since 1970, where they are ones, and the texts of those that are not."""

    instants: Numbers
    ok: Mask
    misprints: Mapping[int, str | None]

    def taken(self, order: Numbers) -> "Moments":
        """Some of these, in another order."""
        places = {index: place for place, index in enumerate(order.tolist())} if self.misprints else {}
        misprints = {places[index]: text for index, text in self.misprints.items() if index in places}
        return Moments(self.instants[order], self.ok[order], misprints)

    @classmethod
    def joined(cls, parts: Sequence["Moments"]) -> "Moments":
        """Moments after moments."""
        misprints: dict[int, str | None] = {}
        before = 0
        for part in parts:
            misprints.update({index + before: text for index, text in part.misprints.items()})
            before += len(part.ok)
        instants = np.concatenate([part.instants for part in parts])
        return cls(instants, np.concatenate([part.ok for part in parts]), misprints)


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


def moments_of(texts: pa.StringArray) -> Moments:
    """A column of printed moments: what `moment_of` says of each."""
    wide = pc.fill_null(pc.equal(pc.binary_length(texts), WIDTH), False)
    even = texts if pc.all(wide).as_py() else pc.if_else(wide, texts, pa.scalar(" " * WIDTH))
    if not len(even):
        return Moments(np.zeros(0, np.int64), np.zeros(0, np.bool_), {})
    first = np.frombuffer(even.buffers()[1], np.int32)[even.offset]
    letters = np.frombuffer(even.buffers()[2], np.uint8)[first : first + WIDTH * len(even)]
    instants, ok = moments_at(letters.reshape(len(even), WIDTH), 0)
    return Moments(instants, ok, {index: texts[index].as_py() for index in np.flatnonzero(~ok).tolist()})


# A moment is read as three words of eight letters: `2024-03-`, `31 03:00`, `00 +0200`, and the colon between the last two.
# In the difference to a blank form digits are their values and marks are zero; adding what is missing to 16 shows the rest.
_FORMS = (b"0000-00-", b"00 00:00", b"00 +0000")
_MINUS_NOT_PLUS = np.uint64((ord("+") ^ ord("-")) << 24)
_SIGN = np.uint64(0xFF << 24)
_HIGH = np.uint64(0xF0F0F0F0F0F0F0F0)
_PAIR = np.uint64(0xFF)


def _word(letters: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(letters, "little"))


def _to_sixteen(form: bytes) -> np.uint64:
    return _word(bytes(6 if letter == ord("0") else 15 for letter in form))


def _above(limits: dict[int, int]) -> np.uint64:
    """What to add to pairs of digits so that the high bit of a byte shows one above its limit."""
    return _word(bytes(127 - limits[place] if place in limits else 0 for place in range(8)))


_DIFFERENCES = tuple(map(_word, _FORMS))
_ADDED = tuple(map(_to_sixteen, _FORMS))
_LIMITS = ({5: 12}, {3: 23, 6: 59}, {0: 59, 4: 23, 6: 59})
_ABOVE = tuple(map(_above, _LIMITS))
_ABOVE_BITS = tuple(_word(bytes(0x80 if place in limits else 0 for place in range(8))) for limits in _LIMITS)


def moments_at(rows: Letters, place: int) -> tuple[Numbers, Mask]:
    """Microseconds since 1970 of the moments that stand at one place of each row, and where they are ones.

    rows: a contiguous matrix of bytes, one row for each moment.
    """
    words = [_words_at(rows, place + begin) for begin in (0, 8, 17)]
    minus = (words[2] & _SIGN) == np.uint64(ord("-") << 24)
    words[2] ^= minus * _MINUS_NOT_PLUS
    wrong = (rows[:, place + 16] != ord(":")).astype(np.uint64)
    pairs: list[Words] = []
    for word, form, added, above, bits in zip(words, _DIFFERENCES, _ADDED, _ABOVE, _ABOVE_BITS, strict=True):
        digits = word ^ form
        wrong |= (digits | (digits + added)) & _HIGH
        both = digits * np.uint64(10) + (digits >> np.uint64(8))
        wrong |= (both + above) & bits
        pairs.append(both)
    year = _pair(pairs[0], 0) * 100 + _pair(pairs[0], 2)
    first, length = _months()
    month = np.minimum(year * 13 + _pair(pairs[0], 5), len(first) - 1)
    day = _pair(pairs[1], 0)
    ok = (wrong == 0) & (day >= 1) & (day <= length[month])
    minutes = (first[month] + day) * 1440 + _pair(pairs[1], 3) * 60 + _pair(pairs[1], 6)
    away = _pair(pairs[2], 4) * 60 + _pair(pairs[2], 6)
    seconds = (minutes - np.where(minus, -away, away)) * 60 + _pair(pairs[2], 0)
    ok &= (seconds >= _FIRST) & (seconds <= _LAST)
    return np.where(ok, seconds, 0) * 1_000_000, ok


def _words_at(rows: Letters, place: int) -> Words:
    """Eight bytes at one place of each row, as a number, the first byte the lowest."""
    if not len(rows):
        return np.zeros(0, np.uint64)
    return np.ndarray(len(rows), "<u8", rows, place, (rows.strides[0],)).astype(np.uint64)


def _pair(pairs: Words, place: int) -> Numbers:
    return ((pairs >> np.uint64(8 * place)) & _PAIR).view(np.int64)


@cache
def _months() -> tuple[Numbers, Numbers]:
    """By year * 13 + month: the day before its first one, since 1970, and its length; zero where there is no such month."""
    starts = np.arange("0001-01", "10000-02", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)
    first, length = np.zeros((10_000, 13), np.int64), np.zeros((10_000, 13), np.int64)
    first[1:, 1:] = starts[:-1].reshape(-1, 12) - 1
    length[1:, 1:] = np.diff(starts).reshape(-1, 12)
    return first.ravel(), length.ravel()
