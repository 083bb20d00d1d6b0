"""What is news about a value, given the values before it. Pure arithmetic: medians and the median distance from them.

A median is not moved by one wild day, and needs no bell curve: spending and steps have none.
"""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Literal

from msgspec import Struct

from twinning_pipelines.marts.telling.told import Record, Streak, Why, Yardstick

# flow: adds up over a day; level: is measured now and then; stock: stands at the end of each day.
Measure = Literal["flow", "level", "stock"]

_WEEKS, _FEWEST_WEEKS = 12, 6
USUAL_DAYS, FEWEST_USUAL_DAYS = 28, 10
# A flow on at least so many of the last 28 days is an everyday one; others are events.
_EVERYDAY = 14
_LONGEST_AGO = 60
_SHORTEST_RECORD, _SURE_RECORD, _FEWEST_FOR_RECORD, _STOCK_RECORD = 21, 60, 15, 90
_LONG_GAP = 7
_LONG_STREAK, _STREAK_OF_EVENTS = 5, 3
# The median distance of a bell curve's values, as a share of its standard deviation.
_MAD = Decimal("1.4826")
# A spread is at least this share of the middle: somebody who always does the same is not news by a hair.
_FLOORS = {"flow": Decimal("0.05"), "level": Decimal("0.01"), "stock": Decimal("0.005")}
_CHANGED = 1.5


class Point(Struct, frozen=True):
    """A value of a day (or of a period, by its last day)."""

    day: date
    value: Decimal


class Judgement(Struct, frozen=True):
    """What is news about a value, if anything is. news: 0 for nothing; a change of so many spreads, about."""

    why: Why
    news: float
    yardstick: Yardstick | None = None
    record: Record | None = None
    streak: Streak | None = None
    gap: int | None = None


def judge(points: Sequence[Point], measure: Measure, *, lows: bool) -> Judgement:
    """Judges the last of some points, which are in order of their days. lows: can so little be news?"""
    *before, now = points
    if measure == "stock":
        return _judge_stock(before, now)
    recent = [each for each in before if (now.day - each.day).days <= USUAL_DAYS]
    if measure == "flow" and len(recent) < _EVERYDAY and _known_days(points) > _EVERYDAY:
        return _judge_event(before, now)
    stick = _usual(before, recent, now, measure)
    record = _record(before, now, 1, lows=lows)
    if record is not None and record.span < _SURE_RECORD and stick is not None and abs(_distance(now.value, stick)) < 1:
        # The highest of a few dozen, and yet as usual.
        record = None
    streak = _streak(before, now, recent, measure)
    change = 0.0 if stick is None or stick.against == "last" else _distance(now.value, stick)
    size = min(abs(change), 6.0) if abs(change) >= _CHANGED else 0.0
    rank = _rank(record)
    if size or rank:
        news = max(size, rank) + 0.3 * min(size, rank) + (0.3 if streak else 0.0)
        return Judgement("record" if rank >= size else "change", news, stick, record, streak)
    return Judgement(
        "streak" if streak else "usual", 0.9 if streak else min(abs(change), _CHANGED) / 10, stick, None, streak
    )


def judge_period(points: Sequence[Point], measure: Measure, *, lows: bool) -> Judgement:
    """Judges the last of some weeks or months against the one before. Its record counts periods, itself among them."""
    *before, now = points
    if not before:
        return Judgement("usual", 0.0)
    last = before[-1]
    moves = [abs(b.value - a.value) for a, b in pairwise(before)]
    spread = max(median(moves) if moves else Decimal(0), abs(last.value) * _FLOORS[measure], Decimal("0.001"))
    stick = Yardstick("before", last.value, spread, 1, 1, last.day)
    size = min(abs(_distance(now.value, stick)), 6.0)
    record = _counted_record(before, now, lows=lows)
    rank = 0.0 if record is None else 1 + math.log2(record.span / 4)
    if size >= 1 or rank:
        return Judgement("record" if rank >= size else "change", max(size, rank) + 0.3 * min(size, rank), stick, record)
    return Judgement("usual", size / 10, stick)


def _judge_stock(before: Sequence[Point], now: Point) -> Judgement:
    if not before or (now.day - before[-1].day).days != 1:
        return Judgement("usual", 0.0)
    recent = [each for each in before if (now.day - each.day).days <= USUAL_DAYS]
    moves = [abs(b.value - a.value) for a, b in pairwise(recent) if b.value != a.value]
    spread = max(median(moves) if moves else Decimal(0), abs(now.value) * _FLOORS["stock"], Decimal("0.01"))
    stick = Yardstick("before", before[-1].value, spread, 1, 1, before[-1].day)
    if now.value == before[-1].value:
        return Judgement("usual", 0.0, stick)
    record = _record(before, now, 1, lows=True)
    record = record if record is not None and record.span >= _STOCK_RECORD else None
    news = min(abs(_distance(now.value, stick)), 2.0) + _rank(record) / 4
    return Judgement("moved", news, stick, record)


def _judge_event(before: Sequence[Point], now: Point) -> Judgement:
    if not before:
        return Judgement("event", 1.5)
    gap = (now.day - before[-1].day).days
    since = math.log2(gap / _LONG_GAP) if gap >= _LONG_GAP else 0.0
    # Small and large are told of events only as the largest; the smallest is often a correction.
    record = _record(before, now, 5, lows=False) if len(before) >= 5 else None
    row = _row([each.day for each in before], now.day)
    streak = Streak(None, row) if row >= _STREAK_OF_EVENTS else None
    news = 0.85 + min(since, 2.5) + _rank(record) / 2
    return Judgement("record" if record and _rank(record) > 1.5 else "event", news, None, record, streak, gap)


def _usual(before: Sequence[Point], recent: Sequence[Point], now: Point, measure: Measure) -> Yardstick | None:
    weeks = [
        each for each in before
        if each.day.weekday() == now.day.weekday() and (now.day - each.day).days <= 7 * _WEEKS
    ]  # fmt: skip
    if measure == "flow" and len(weeks) >= _FEWEST_WEEKS:
        return _stick("weekday", weeks, _WEEKS, measure)
    if len(recent) >= FEWEST_USUAL_DAYS:
        return _stick("days", recent, USUAL_DAYS, measure)
    if before and (now.day - before[-1].day).days <= _LONGEST_AGO:
        last = before[-1]
        return Yardstick("last", last.value, abs(last.value) * _FLOORS[measure], 1, 1, last.day)
    return None


def _stick(against: Literal["weekday", "days"], points: Sequence[Point], of: int, measure: Measure) -> Yardstick:
    values = [each.value for each in points]
    middle = Decimal(median(values))
    away = Decimal(median(abs(value - middle) for value in values))
    spread = max(away * _MAD, abs(middle) * _FLOORS[measure], Decimal("0.001"))
    return Yardstick(against, middle, spread, len(values), of, points[0].day)


def _distance(value: Decimal, stick: Yardstick) -> float:
    return float((value - stick.middle) / stick.spread)


def _record(before: Sequence[Point], now: Point, fewest: int, *, lows: bool) -> Record | None:
    """The longer of being the highest and being the lowest, where it is long enough to be told."""
    needed = fewest if fewest > 1 else _FEWEST_FOR_RECORD
    found = [_span(before, now, side) for side in (("high", "low") if lows else ("high",))]
    long = [(record, n) for record, n in found if record.span >= _SHORTEST_RECORD and n >= needed]
    return max(long, key=lambda each: each[0].span)[0] if long else None


def _span(before: Sequence[Point], now: Point, side: Literal["high", "low"]) -> tuple[Record, int]:
    turned = 1 if side == "high" else -1
    n = 0
    for each in reversed(before):
        if each.value * turned >= now.value * turned:
            return Record(side, (now.day - each.day).days, whole=False), n
        n += 1
    known = (now.day - before[0].day).days if before else 0
    return Record(side, known, whole=True), n


def _counted_record(before: Sequence[Point], now: Point, *, lows: bool) -> Record | None:
    found = []
    for side in ("high", "low") if lows else ("high",):
        turned = 1 if side == "high" else -1
        n = next((n for n, each in enumerate(reversed(before)) if each.value * turned >= now.value * turned), None)
        span = len(before) if n is None else n
        found.append(Record("high" if side == "high" else "low", span + 1, whole=n is None))
    longest = max(found, key=lambda each: each.span)
    return longest if longest.span >= 5 else None


def _rank(record: Record | None) -> float:
    return 0.0 if record is None else min(1 + math.log2(record.span / 14), 6.0)


def _streak(before: Sequence[Point], now: Point, recent: Sequence[Point], measure: Measure) -> Streak | None:
    if len(recent) < FEWEST_USUAL_DAYS:
        return None
    stick = _stick("days", recent, USUAL_DAYS, measure)
    side = _side(now.value, stick)
    if side is None:
        return None
    row, day = 1, now.day
    for each in reversed(before):
        if day - each.day != timedelta(days=1) or _side(each.value, stick) != side:
            break
        row, day = row + 1, each.day
    return Streak("high" if side > 0 else "low", row) if row >= _LONG_STREAK else None


def _side(value: Decimal, stick: Yardstick) -> int | None:
    away = _distance(value, stick)
    return None if abs(away) < 0.5 else (1 if away > 0 else -1)


def _row(days: Sequence[date], now: date) -> int:
    row = 1
    for day in reversed(days):
        if (now - day).days != row:
            break
        row += 1
    return row


def _known_days(points: Sequence[Point]) -> int:
    return (points[-1].day - points[0].day).days
