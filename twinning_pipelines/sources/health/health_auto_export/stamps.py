"""Dates as Health Auto Export prints them, and how long a stretch an aggregated value stands for.

`2024-02-06 14:00:00 -0800`, the same in twelve hours with any blank before `AM` or `pm`, days alone, ISO 8601, and
wall times without an offset. A file does not say how finely it aggregates: it shows in its dates, which all stand on
whole days, hours or minutes.
"""

import re
from datetime import datetime, time, timedelta
from enum import IntEnum

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.dates import DateStyle
from twinning_pipelines.formats.json_values import shown, text_of
from twinning_pipelines.formats.quantities import whole_day
from twinning_pipelines.formats.times import instant_of, stamp_of

_COMMON = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} [+-]\d{4}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ISO = DateStyle("YMD")


class Grain(IntEnum):
    """How long a stretch a value is the sum or the mean of; MOMENT for values as they were measured."""

    MOMENT = 0
    MINUTE = 1
    HOUR = 2
    DAY = 3


_LENGTHS = {Grain.MOMENT: timedelta(), Grain.MINUTE: timedelta(minutes=1), Grain.HOUR: timedelta(hours=1)}


def stamp(name: str, value: object) -> datetime:
    """A date as printed: aware, or a wall time. Raises ValueError: "date: missing", "date: not a date: 'x'"."""
    text = text_of(value)
    if not text:
        raise ValueError(f"{name}: missing")
    try:
        if _COMMON.fullmatch(text):
            return datetime.fromisoformat(f"{text[:19]}{text[20:]}")
        if _DAY.fullmatch(text):
            return datetime.combine(_ISO.read(text), time.min)
        return stamp_of(text, _ISO.read)
    except (ValueError, OverflowError):
        raise ValueError(f"{name}: not a date: {shown(text)}") from None


def instant(name: str, value: object, clock: Clock) -> datetime:
    """The UTC instant of a date. Raises ValueError."""
    printed = stamp(name, value)
    try:
        return instant_of(printed, clock)
    except OverflowError:
        raise ValueError(f"{name}: not a date: {shown(value)}") from None


def grain_of(printed: datetime) -> Grain:
    """The coarsest grain that a date allows."""
    if printed.second or printed.microsecond:
        return Grain.MOMENT
    if printed.minute:
        return Grain.MINUTE
    return Grain.HOUR if printed.hour else Grain.DAY


def span(printed: datetime, grain: Grain, clock: Clock) -> tuple[datetime, datetime]:
    """From when to when, UTC, a value of that date stands. Raises ValueError at the calendar's end.

    A day ends at the person's next midnight where it began at theirs, else after 24 hours.
    """
    try:
        start = instant_of(printed, clock)
        if grain is Grain.DAY:
            first, last = whole_day(printed.date(), clock)
            return (first, last) if first == start else (start, start + timedelta(days=1))
        return start, start + _LENGTHS[grain]
    except OverflowError:
        raise ValueError(f"date: not a date: {str(printed)!r}") from None
