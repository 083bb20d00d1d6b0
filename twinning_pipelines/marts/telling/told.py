"""A fact that is worth telling: its value, what it is measured against, and why it was chosen. Values only."""

from datetime import date
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

Kind = Literal["day", "week", "month"]
Why = Literal["goal", "due", "silent", "record", "change", "streak", "event", "moved", "usual"]
Side = Literal["high", "low"]
# weekday: the same days of the last weeks; days: the last 28; last: the one before; before: the day or period before.
Against = Literal["weekday", "days", "last", "before"]


class Yardstick(Struct, frozen=True):
    """What a value is measured against: the middle and the spread of `n` earlier values, of `of` that there could be.

    since: the first day that counts into it. Units are those of the fact.
    """

    against: Against
    middle: Decimal
    spread: Decimal
    n: int
    of: int
    since: date


class Record(Struct, frozen=True):
    """The highest or lowest value in `span` days (or periods); `whole`: of all that is known."""

    side: Side
    span: int
    whole: bool


class Streak(Struct, frozen=True):
    """So many days in a row, this one included, on one side of what is usual, or (side None) with the fact at all."""

    side: Side | None
    days: int


class Aim(Struct, frozen=True):
    """What a person wants a fact to be, in its unit: at least (`high`) or at most (`low`) so much. row: days met in a row."""

    side: Side
    limit: Decimal
    met: bool
    row: int


class Told(Struct, frozen=True):
    """One fact of one day or period.

    id: its name in a sentence's slots: letters, `_` and one dot. fact, part: as `twinning explain` knows it.
    how: the period's total, the mean of its days, or the last value; `value` for a day.
    rows: rows behind the day, or days behind the period. words: a payee or a source, cleaned. on: when something is due, or
    since when a source is silent. mixed: it is known in other units (currencies) as well. news: how much it tells.
    """

    id: str
    fact: str
    part: str
    domain: str
    label: str
    definition: str
    unit: str
    value: Decimal
    rows: int
    kind: Kind
    day: date
    first: date
    how: Literal["value", "total", "mean", "last"]
    why: Why
    reason: str
    news: float
    required: bool = False
    yardstick: Yardstick | None = None
    record: Record | None = None
    streak: Streak | None = None
    gap: int | None = None
    aim: Aim | None = None
    words: str = ""
    mixed: bool = False
    on: date | None = None
    handle: str = ""

    @property
    def delta(self) -> Decimal | None:
        """How far from the middle of its yardstick."""
        return None if self.yardstick is None else self.value - self.yardstick.middle

    @property
    def is_unusual(self) -> bool:
        """Is it told for something of its own, and not only for completeness?"""
        return self.why != "usual"

    def document(self) -> dict[str, Any]:
        """As JSON, from which `of_document` makes the same again."""
        return {name: _plain(getattr(self, name)) for name in self.__struct_fields__}

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> "Told":
        """What `document` wrote down. Raises KeyError, TypeError, ValueError or ArithmeticError for anything else."""
        given = dict(document)
        for name in ("day", "first", "on"):
            given[name] = date.fromisoformat(given[name]) if given[name] else None
        given["value"] = Decimal(given["value"])
        stick, record, streak, aim = (given[name] for name in ("yardstick", "record", "streak", "aim"))
        given["yardstick"] = stick and Yardstick(
            stick["against"], Decimal(stick["middle"]), Decimal(stick["spread"]), stick["n"], stick["of"],
            date.fromisoformat(stick["since"]),
        )  # fmt: skip
        given["record"] = record and Record(**record)
        given["streak"] = streak and Streak(**streak)
        given["aim"] = aim and Aim(**(aim | {"limit": Decimal(aim["limit"])}))
        return cls(**given)


def _plain(value: object) -> object:
    if isinstance(value, Decimal | date):
        return str(value)
    if isinstance(value, Yardstick | Record | Streak | Aim):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    return value
