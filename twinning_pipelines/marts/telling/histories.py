"""The values of a person's facts, day by day or period by period, up to the one that is told."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.marts.books.months import in_month
from twinning_pipelines.marts.facts import FACT_BY_NAME, Fact
from twinning_pipelines.marts.telling.judging import Measure, Point
from twinning_pipelines.marts.telling.told import Kind
from twinning_pipelines.records.metrics import METRICS

How = Literal["value", "total", "mean", "last"]

_DAYS_BACK, _PERIODS_BACK = 730, 13
# What stands at the end of a day although nothing may have happened on it.
# Domains whose flows a week adds up; of others it tells the mean of its days.
_ADDED_UP = ("finance", "time", "business")
_LEVELS = {metric.name for metric in METRICS if metric.total != "sum"}

_VALUES = """
    select fact, part, unit, array_agg(day order by day), array_agg(value order by day),
        coalesce(sum(n) filter (where day between :told and :last), 0)
    from daily_fact
    where person_id = :person and day between :first and :last
    group by fact, part, unit
    having bool_or(day between :told and :last)
    order by fact, part, unit"""


_MIXED = """
    select fact, part from daily_fact
    where person_id = :person and day between :first and :last
    group by fact, part having count(distinct unit) > 1"""


class History(Struct, frozen=True):
    """One fact up to the day or period that is told, which is the last point. covered: days that the last point rests on.
    mixed: the same is known in other units, as money in other currencies."""

    fact: Fact
    part: str
    unit: str
    measure: Measure
    how: How
    points: tuple[Point, ...]
    rows: int
    covered: int
    mixed: bool

    @property
    def tells_lows(self) -> bool:
        """Can so little be news? Not of sums whose empty days have no value at all."""
        return self.measure != "flow" or self.fact.total in ("rollup", "night")


def day_histories(connection: sa.Connection, person_id: int, day: date) -> list[History]:
    """Every fact that is known of the day, with what is known of it in the two years before."""
    mixed = _mixed(connection, person_id, day - timedelta(days=_DAYS_BACK), day)
    return [
        History(fact, part, unit, measure_of(fact), "value", tuple(points), rows, 1, (fact.name, part) in mixed)
        for fact, part, unit, points, rows in _read(connection, person_id, day - timedelta(days=_DAYS_BACK), day, day)
    ]


def period_histories(connection: sa.Connection, person_id: int, kind: Kind, last: date) -> list[History]:
    """Every fact that is known of the week or month that ends on `last`, with the periods before it."""
    periods = list(_periods(kind, last))
    told = periods[-1]
    mixed = _mixed(connection, person_id, periods[0][0], last)
    found = []
    for fact, part, unit, points, _ in _read(connection, person_id, periods[0][0], told[0], last):
        how = _how(fact)
        spans = [(span, [each for each in points if span[0] <= each.day <= span[1]]) for span in periods]
        if fact.total == "share":
            values = _shares(connection, fact, person_id, part, periods)
        else:
            values = {span: _value(some, how) for span, some in spans if _is_enough(some, span, how)}
        if told not in values:
            continue
        ends = tuple(Point(span[1], values[span]) for span, _ in spans if span in values)
        covered = len(spans[-1][1])
        found.append(
            History(fact, part, unit, measure_of(fact), how, ends, covered, covered, (fact.name, part) in mixed)
        )
    return found


def first_of(kind: Kind, last: date) -> date:
    """The first day of the week or month that ends on a day; of a day itself."""
    if kind == "week":
        return last - timedelta(days=6)
    return last.replace(day=1) if kind == "month" else last


def measure_of(fact: Fact) -> Measure:
    """How a fact behaves over days."""
    if fact.is_standing:
        return "stock"
    if fact.total == "share" or (fact.total == "rollup" and fact.measured in _LEVELS):
        return "level"
    return "flow"


def _how(fact: Fact) -> How:
    measure = measure_of(fact)
    if measure == "stock":
        return "last"
    if fact.name == "workouts" or (measure == "flow" and fact.domain in _ADDED_UP):
        return "total"
    return "mean"


def _read(
    connection: sa.Connection, person_id: int, first: date, told: date, last: date
) -> Iterator[tuple[Fact, str, str, list[Point], int]]:
    values = {"person": person_id, "first": first, "told": told, "last": last}
    for name, part, unit, days, amounts, rows in connection.execute(sa.text(_VALUES), values):
        # A fact that we no longer know is told by nobody.
        if name in FACT_BY_NAME:
            points = [Point(*pair) for pair in zip(days, amounts, strict=True)]
            yield FACT_BY_NAME[name], part, unit, points, int(rows)


def _mixed(connection: sa.Connection, person_id: int, first: date, last: date) -> set[tuple[str, str]]:
    values = {"person": person_id, "first": first, "last": last}
    return {(fact, part) for fact, part in connection.execute(sa.text(_MIXED), values)}


def _periods(kind: Kind, last: date) -> Iterator[tuple[date, date]]:
    """First and last days of the periods up to the one that ends on `last`, the oldest first."""
    for back in range(_PERIODS_BACK - 1, -1, -1):
        month_end = in_month(last.replace(day=1), 1 - back, 1) - timedelta(days=1)
        end = last - timedelta(weeks=back) if kind == "week" else month_end
        yield first_of(kind, end), end


def _is_enough(points: Sequence[Point], span: tuple[date, date], how: How) -> bool:
    """A mean of a week needs half of its days; a total needs one, for days without anything add nothing."""
    needed = ((span[1] - span[0]).days + 1) / 2 if how == "mean" else 1
    return len(points) >= needed


def _value(points: Sequence[Point], how: How) -> Decimal:
    if how == "last":
        return points[-1].value
    total = sum((each.value for each in points), Decimal(0))
    return total if how == "total" else (total / len(points)).quantize(Decimal("0.000001"))


def _shares(
    connection: sa.Connection, fact: Fact, person_id: int, part: str, periods: Sequence[tuple[date, date]]
) -> dict[tuple[date, date], Decimal]:
    """A share of a period is not the mean of its days' shares: a long day counts for more."""
    statement = f"select day, sum(amount), sum(base) from ({fact.rows}) r where part = :part group by day"  # noqa: S608
    values = {"person": person_id, "part": part, "first": periods[0][0], "last": periods[-1][1]}
    sums: dict[tuple[date, date], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for day, amount, base in connection.execute(sa.text(statement), values):
        span = next(span for span in periods if span[0] <= day <= span[1])
        sums[span][0] += Decimal(amount)
        sums[span][1] += Decimal(base)
    return {span: amount / base for span, (amount, base) in sums.items() if base}
