"""Payments that come again: subscriptions, rent, salary. Pure arithmetic on days and amounts, and the table it is kept in.

Payments of one payee on one account come again if their days lie on the steps of a week, two weeks, a month, … ; weekends
and holidays may shift each a little. Where a payee is paid for other things as well, payments of one amount are looked at
by themselves, and of these those around one day of the month.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.marts.books.months import in_month, later
from twinning_pipelines.marts.books.payees import payee_key
from twinning_pipelines.marts.books.rows import IS_OWN_TRANSFER

# Amounts this far apart, as a share, are of one subscription in a foreign currency.
_GAP = Decimal("0.04")
# Days of the month further apart than this are two due days.
_TWO_DUE_DAYS = 3
_STEADY, _MOVING, _VARYING = Decimal("1.10"), Decimal("1.25"), Decimal(3)


class Step(Struct, frozen=True):
    """How often. Either so many days or so many months; `slack`: days that two payments may be off."""

    name: str
    days: int
    months: int
    slack: int
    # How much the largest amount may be of the smallest, where four payments or more are known.
    widest: Decimal

    def after(self, day: date, times: int = 1) -> date:
        """The day that many steps later; the 31st becomes the last of a shorter month."""
        return later(day, months=self.months * times, days=self.days * times)

    @property
    def about(self) -> float:
        """Its length in days."""
        return self.days + self.months * 30.437


STEPS = (
    Step("week", 7, 0, 2, _STEADY),
    Step("two weeks", 14, 0, 3, _MOVING),
    Step("four weeks", 28, 0, 3, _MOVING),
    Step("month", 0, 1, 5, _VARYING),
    Step("quarter", 0, 3, 8, _VARYING),
    Step("half year", 0, 6, 10, _VARYING),
    Step("year", 0, 12, 14, _VARYING),
)
STEP_BY_NAME = {step.name: step for step in STEPS}


class Payment(Struct, frozen=True):
    """One booking of an account and a payee. Money out is negative."""

    day: date
    amount: Decimal


class Series(Struct, frozen=True):
    """Payments that come again. next_on: the day on which the next is due, past where they seem to have ended."""

    every: str
    amount: Decimal
    low: Decimal
    high: Decimal
    n: int
    first_on: date
    last_on: date
    next_on: date


class Recurring(Struct, frozen=True):
    """A series with its account and payee, as it is stored."""

    account: str
    payee: str
    currency: str
    series: Series

    def has_ended(self, today: date) -> bool:
        """Overdue by more than half a step."""
        return (today - self.series.next_on).days > STEP_BY_NAME[self.series.every].about / 2


def series_of(payments: Sequence[Payment]) -> list[Series]:
    """Every series among the payments of one account, payee, currency and direction."""
    ordered = _by_day(payments)
    whole = _series(ordered, is_whole=True)
    if whole is not None:
        return [whole]
    found = []
    for near in _alike(ordered):
        # Of a payee of many things a small heap of amounts may lie on steps by chance: four, or three of one amount.
        one = _series(near, is_whole=False) if len(near) >= 4 else None
        if one is not None:
            found.append(one)
            continue
        by_amount: dict[Decimal, list[Payment]] = defaultdict(list)
        for each in near:
            by_amount[each.amount].append(each)
        for some in by_amount.values():
            one = _series(some, is_whole=False)
            found += [one] if one is not None else _by_due_day(some)
    return _joined(sorted(found, key=lambda each: (each.first_on, each.amount)))


def _by_day(payments: Sequence[Payment]) -> list[Payment]:
    """In order, payments of one day as one, unless they are of different amounts."""
    times = Counter((each.day, each.amount) for each in payments)
    return [Payment(day, amount * n) for (day, amount), n in sorted(times.items())]


def _alike(payments: Sequence[Payment]) -> Iterator[list[Payment]]:
    """Payments of about one amount, each heap in order of days."""
    heap: list[Payment] = []
    for each in sorted(payments, key=lambda each: abs(each.amount)):
        if heap and abs(each.amount) > abs(heap[-1].amount) * (1 + _GAP):
            yield sorted(heap, key=lambda one: one.day)
            heap = []
        heap.append(each)
    if heap:
        yield sorted(heap, key=lambda one: one.day)


def _by_due_day(payments: Sequence[Payment]) -> Iterator[Series]:
    """The series of payments of one amount that are due on different days of the month, such as two lines of one phone bill."""
    numbers = sorted({each.day.day for each in payments})
    befores = [numbers[-1] - 31, *numbers[:-1]]
    begins = [number for before, number in zip(befores, numbers, strict=True) if number - before > _TWO_DUE_DAYS]
    if len(begins) < 2:
        return
    heaps: dict[int, list[Payment]] = defaultdict(list)
    for each in payments:
        # What is before the first due day belongs to the last one of the month before.
        heaps[max((begin for begin in begins if begin <= each.day.day), default=begins[-1])].append(each)
    for some in heaps.values():
        one = _series(some, is_whole=False) if len(some) >= 4 else None
        if one is not None:
            yield one


def _series(payments: Sequence[Payment], *, is_whole: bool) -> Series | None:
    """The series that all of these payments are, None where they are none."""
    if len(payments) < 2:
        return None
    sizes = [abs(each.amount) for each in payments]
    spread = max(sizes) / min(sizes)
    for step in STEPS:
        if len(payments) == 2:
            fits = is_whole and step.name == "year" and spread == 1
        elif len(payments) == 3:
            fits = spread <= (_MOVING if is_whole else 1) and spread <= step.widest
        else:
            fits = spread <= step.widest
        if fits and _is_regular([each.day for each in payments], step):
            return _told(payments, step)
    return None


def _is_regular(days: Sequence[date], step: Step) -> bool:
    """Is each day one step behind the one before? Of four or more one in four may be left out once."""
    missed = 0
    for before, after in pairwise(days):
        if _is_off(before, after, step, 1):
            if _is_off(before, after, step, 2):
                return False
            missed += 1
    if missed and (len(days) < 4 or missed * 4 > len(days) - 1):
        return False
    # Days that drift all one way are another step's; what is due every second week keeps to its weekday.
    drift = abs((days[-1] - step.after(days[0], len(days) - 1 + missed)).days)
    if step.months:
        return drift <= step.slack * 2
    usual = max(Counter(day.weekday() for day in days).values())
    return drift <= step.slack and (step.days == 7 or usual * 4 >= len(days) * 3)


def _is_off(before: date, after: date, step: Step, times: int) -> bool:
    return abs((after - step.after(before, times)).days) > step.slack


def _told(payments: Sequence[Payment], step: Step) -> Series:
    amounts = [each.amount for each in payments]
    last = payments[-1]
    return Series(
        step.name, last.amount, min(amounts), max(amounts), len(payments), payments[0].day, last.day,
        _next([each.day for each in payments], step),
    )  # fmt: skip


def _next(days: Sequence[date], step: Step) -> date:
    """A step behind the last, on the day of the month or week on which they mostly are: a weekend shifted the last, maybe."""
    expected = step.after(days[-1])
    if not step.months:
        usual = _most(day.weekday() for day in days)
        return later(expected, days=(usual - expected.weekday() + 3) % 7 - 3)
    usual = _most(day.day for day in days)
    around = (in_month(expected, months, usual) for months in (-1, 0, 1))
    return min(around, key=lambda day: (abs((day - expected).days), day))


def _most(values: Iterator[int]) -> int:
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))


def _joined(found: Sequence[Series]) -> list[Series]:
    """A series that goes on where another ended, at another price, is one with it."""
    joined: list[Series] = []
    for each in found:
        place = next((place for place, one in enumerate(joined) if _goes_on(one, each)), None)
        if place is None:
            joined.append(each)
            continue
        one = joined[place]
        joined[place] = Series(
            each.every, each.amount, min(one.low, each.low), max(one.high, each.high), one.n + each.n, one.first_on,
            each.last_on, each.next_on,
        )  # fmt: skip
    return joined


def _goes_on(one: Series, other: Series) -> bool:
    step = STEP_BY_NAME[one.every]
    ratio = abs(other.amount) / abs(one.amount)
    is_next = not _is_off(one.last_on, other.first_on, step, 1)
    return one.every == other.every and is_next and 1 / _VARYING <= ratio <= _VARYING


def find_recurring(connection: sa.Connection, person_id: int) -> int:
    """Finds the payments of a person that come again, and keeps them; answers how many of the kept ones changed."""
    person = {"person": person_id}
    payments: dict[tuple[int, str, bool, str], list[Payment]] = defaultdict(list)
    names: dict[tuple[int, str, bool, str], Counter[str]] = defaultdict(Counter)
    keys: dict[tuple[str, str], str] = {}
    for account_id, day, amount, currency, payee, memo in connection.execute(sa.text(_PAYMENTS), person):
        words = payee, memo
        if words not in keys:
            keys[words] = payee_key(payee, memo)
        group = (account_id, currency, amount < 0, keys[words])
        payments[group].append(Payment(day, amount))
        names[group][payee or memo] += 1
    found = set()
    for group, some in payments.items():
        if len(some) >= 2 and group[3]:
            name = min(names[group], key=lambda each: (-names[group][each], each))
            found |= {(group[0], name, group[1], *_fields(series)) for series in series_of(some)}
    stored = {tuple(row) for row in connection.execute(sa.text(_STORED), person)}
    if found == stored:
        return 0
    connection.execute(sa.text("delete from recurring_payment where person_id = :person"), person)
    rows = [dict(zip(_COLUMNS, row, strict=True)) | person for row in sorted(found)]
    if rows:
        connection.execute(sa.text(_KEEP), rows)
    return len(found ^ stored)


def recurring_of(connection: sa.Connection, person_id: int) -> list[Recurring]:
    """What comes again, the next due first."""
    return [
        Recurring(row[0], row[1], row[2], Series(*row[3:]))
        for row in connection.execute(sa.text(_TOLD), {"person": person_id})
    ]


def _fields(series: Series) -> tuple[str, Decimal, Decimal, Decimal, int, date, date, date]:
    return (
        series.every, series.amount, series.low, series.high, series.n, series.first_on, series.last_on, series.next_on,
    )  # fmt: skip


_COLUMNS = ("account", "payee", "currency", "every", "amount", "low", "high", "n", "first", "last", "next")
_PAYMENTS = f"""
    select b.account_id, b.booked_on, b.amount, b.currency, b.payee, b.memo from booking b
    where b.person_id = :person and b.gone_since is null and not b.pending and b.amount <> 0 and not {IS_OWN_TRANSFER}"""
_STORED = """
    select account_id, payee, currency, every, amount, low, high, n, first_on, last_on, next_on
    from recurring_payment where person_id = :person"""
_KEEP = """
    insert into recurring_payment (person_id, account_id, payee, currency, every, amount, low, high, n, first_on, last_on,
        next_on)
    values (:person, :account, :payee, :currency, :every, :amount, :low, :high, :n, :first, :last, :next)"""
_TOLD = """
    select a.name, r.payee, r.currency, r.every, r.amount, r.low, r.high, r.n, r.first_on, r.last_on, r.next_on
    from recurring_payment r join account a on a.id = r.account_id
    where r.person_id = :person order by r.next_on, r.payee, r.amount"""
