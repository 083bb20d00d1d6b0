"""How the cells of a column are read: one `Reading` for each kind of value, by the styles that the whole file shows.

A reading turns a cell that is not empty into a value, or raises ValueError with a reason that follows the column's
name: "amount: not a number: '12,3,4'".
"""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.dates import DateStyle
from twinning_pipelines.formats.numbers import NumberStyle
from twinning_pipelines.formats.times import seconds_of, stamp_of, time_of

_SHOWN = 60
_DAY_FIRST, _MONTH_FIRST = DateStyle("DMY"), DateStyle("MDY")
_YES = frozenset({"yes", "true", "1", "y", "x", "ja", "oui", "si", "sí"})
_NO = frozenset({"no", "false", "0", "n", "nein", "non"})
_SIGNS = {"€": "EUR", "£": "GBP", "₹": "INR", "₪": "ILS", "₺": "TRY", "฿": "THB"}


class Styles(Struct, frozen=True):
    """How one file writes numbers and dates, and the clock of the person whose file it is."""

    numbers: NumberStyle
    dates: DateStyle
    clock: Clock


class Reading(Struct, frozen=True):
    """says: what the cell holds, for the docs. evidence: of which style of the file its cells are proof."""

    says: str
    read: Callable[[str, Styles], object]
    evidence: Literal["number", "date"] | None = None


def _decimal(cell: str, styles: Styles) -> Decimal:
    return styles.numbers.read(cell)


def _day(cell: str, styles: Styles) -> date:
    if styles.dates.ambiguous:
        _refuse_either(cell)
    return styles.dates.read(cell)


def _refuse_either(cell: str) -> None:
    """A date that two orders read differently, in a file where no row proves one of them."""
    try:
        one, other = _DAY_FIRST.read(cell), _MONTH_FIRST.read(cell)
    except ValueError:
        return
    if one != other:
        raise ValueError(f"{cell[:_SHOWN]} may be day-first or month-first; write {one} or {other}")


def _stamp(cell: str, styles: Styles) -> datetime:
    return stamp_of(cell, lambda day: _day(day, styles))


def _time(cell: str, _styles: Styles) -> time:
    return time_of(cell)


def _seconds(cell: str, styles: Styles) -> int:
    spelled = seconds_of(cell)
    if spelled is not None:
        return spelled
    try:
        return round(styles.numbers.read(cell) * 3600)
    except ValueError:
        raise ValueError(f"not a duration: {cell[:_SHOWN]!r}") from None


def _flag(cell: str, _styles: Styles) -> bool:
    word = cell.lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise ValueError(f"neither yes nor no: {cell[:_SHOWN]!r}")


def _share(cell: str, styles: Styles) -> float:
    bare = cell.removesuffix("%").rstrip()
    value = styles.numbers.read(bare)
    if bare != cell:
        return float(value / 100)
    if value > 1:
        raise ValueError(f"{cell[:_SHOWN]} is more than 1; write {float(value / 100):g} or {cell[:_SHOWN]}%")
    return float(value)


def currency_of(text: str) -> str:
    """An ISO 4217 code in capitals, also for a sign that only one currency has; other words stay as they are."""
    return _SIGNS.get(text.strip(), text.strip().upper())


def as_json(value: object) -> str:
    """The text of a JSON field, the same for the same value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _tags(cell: str, _styles: Styles) -> str:
    return as_json([tag for part in cell.split(",") if (tag := part.strip())])


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(cell: str, _styles: Styles) -> ZoneInfo:
    if cell not in _zones():
        raise ValueError(f"not an IANA time zone: {cell[:_SHOWN]!r}")
    return ZoneInfo(cell)


def words(meanings: Mapping[str, tuple[str, ...]]) -> Reading:
    """A word out of a list, in any case, by any of its spellings; a word that nobody knows is left to the checks."""
    known = {spelling: word for word, spellings in meanings.items() for spelling in (word, *spellings)}
    return Reading(f"one of {', '.join(meanings)}", lambda cell, _styles: known.get(cell.lower(), cell.lower()))


TEXT = Reading("text", lambda cell, _styles: cell)
NUMBER = Reading("a number", lambda cell, styles: float(_decimal(cell, styles)), "number")
MONEY = Reading("an amount", _decimal, "number")
SHARE = Reading("0 to 1, or a percentage with its sign", _share, "number")
DAY = Reading("a day, best as 2026-03-31", _day, "date")
TIME = Reading("a time of day, 21:30 or 9:30 PM", _time)
STAMP = Reading("a day and a time, best as 2026-03-31 21:30", _stamp, "date")
DURATION = Reading("hours, 1:30 or 1.5", _seconds, "number")
FLAG = Reading("yes or no", _flag)
CURRENCY = Reading("an ISO 4217 code", lambda cell, _styles: currency_of(cell))
TAGS = Reading("tags, separated by commas", _tags)
ZONE = Reading("an IANA time zone", _zone)
