"""The rules that fields share. Each takes its bounds and gives a `Rule` that judges a whole column at once."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from twinning_pipelines.records.record import RowRule, Rule

EARLIEST = date(1900, 1, 1)
LATEST = date(2100, 1, 1)


def _certain(mask: pa.BooleanArray) -> pa.BooleanArray:
    return pc.fill_null(mask, False)


def between(low: float, high: float, *, says: str | None = None) -> Rule:
    """A number from `low` to `high`, both included."""

    def broken(column: pa.Array) -> pa.BooleanArray:
        numbers = pc.cast(column, pa.float64(), safe=False)
        outside = pc.or_(pc.less(numbers, low), pc.greater(numbers, high))
        return _certain(pc.or_(outside, pc.is_nan(numbers)))

    return Rule(says or f"not between {low:g} and {high:g}", broken)


def one_of(words: Sequence[str]) -> Rule:
    """A text out of a closed list."""
    allowed = pa.array(list(words), pa.string())

    def broken(column: pa.Array) -> pa.BooleanArray:
        return pc.and_(pc.is_valid(column), pc.invert(pc.is_in(column, value_set=allowed)))

    return Rule(f"not one of {', '.join(words)}", broken)


def matching(pattern: str, says: str) -> Rule:
    """A text that fits a regular expression (RE2) from end to end."""

    def broken(column: pa.Array) -> pa.BooleanArray:
        return _certain(pc.invert(pc.match_substring_regex(column, f"^(?:{pattern})$")))

    return Rule(says, broken)


def _outside(column: pa.Array, earliest: pa.Scalar, latest: pa.Scalar) -> pa.BooleanArray:
    return _certain(pc.or_(pc.less(column, earliest), pc.greater_equal(column, latest)))


def _plausible_day(column: pa.Array) -> pa.BooleanArray:
    return _outside(column, pa.scalar(EARLIEST, column.type), pa.scalar(LATEST, column.type))


def _plausible_instant(column: pa.Array) -> pa.BooleanArray:
    first, last = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (EARLIEST, LATEST))
    return _outside(column, pa.scalar(first, column.type), pa.scalar(last, column.type))


NOT_BLANK = Rule("empty", lambda column: _certain(pc.equal(pc.utf8_trim_whitespace(column), "")))
CURRENCY = matching("[A-Z]{3}", "not a currency code of three letters")
PLAUSIBLE_DAY = Rule("not between 1900 and 2099", _plausible_day)
PLAUSIBLE_INSTANT = Rule("not between 1900 and 2099", _plausible_instant)


def ordered(first: str, second: str) -> RowRule:
    """`second` is not before `first`."""
    return RowRule(f"{second} is before {first}", (first, second), lambda a, b: _certain(pc.less(b, a)))
