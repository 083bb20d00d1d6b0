"""Dates of many rows at once, where all are written alike: `26/01/2026`, `01-26-26`, `01/26'26`.

What is made of each is what `dates` makes of it, in a tenth of the time. Texts of any other shape are to be read one by one.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Numbers: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

_SHORT, _FULL = len("26/01/26"), len("26/01/2026")
_NINE = 9
_TENS = np.array((1_000, 100, 10, 1))
_EPOCH, _MONTHS = 1970, 12


class DateNumbers(NamedTuple):
    """The three numbers of each date in the order of the texts, and whether the third may be a year of two digits."""

    first: Numbers
    second: Numbers
    third: Numbers
    short: bool


def numbers_of(texts: pa.StringArray | Sequence[str]) -> DateNumbers | None:
    """The numbers of texts without nulls; None where one is of another shape, or there is none."""
    width = len(str(texts[0])) if len(texts) else 0
    if width not in (_SHORT, _FULL):
        return None
    try:
        fixed = (texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())).cast(pa.binary(width))
    except ValueError:
        return None
    cells = np.frombuffer(fixed.buffers()[1], np.uint8).reshape(-1, width)[fixed.offset :]
    marks = cells[:, 2:6:3]
    if not ((marks == ord("'")) | (marks >= ord("-")) & (marks <= ord("/"))).all():
        return None
    # What stands below the zero becomes a large number.
    digits = cells - ord("0")
    parts = [digits[:, part] for part in (slice(0, 2), slice(3, 5), slice(6, None))]
    if any((part > _NINE).any() for part in parts):
        return None
    first, second, third = (part @ _TENS[-part.shape[1] :] for part in parts)
    return DateNumbers(first, second, third, width == _SHORT)


def days_of(years: Numbers, months: Numbers, days: Numbers) -> pa.Date32Array | None:
    """The days of a calendar; None where one is none, such as 30 February."""
    if not (is_within(years, date.max.year) & is_within(months, _MONTHS)).all():
        return None
    begun = ((years - _EPOCH) * _MONTHS + months - 1).astype("datetime64[M]")
    dates = begun.astype("datetime64[D]") + (days - 1)
    if (dates.astype("datetime64[M]") != begun).any():
        return None
    return pa.Array.from_buffers(pa.date32(), len(dates), [None, pa.py_buffer(dates.astype(np.int64).astype(np.int32))])


def is_within(numbers: Numbers, most: int) -> Mask:
    """Which numbers are from 1 to the other."""
    return (numbers >= 1) & (numbers <= most)
