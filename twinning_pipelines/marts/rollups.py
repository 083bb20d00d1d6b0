"""One row per person, metric and local day: what dashboards and facts read instead of millions of samples.

How several devices make one day is told in `totals`; which of them is asked first is the person's preference, else
watch, phone, others, each by name.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from twinning_pipelines.marts.calendar import Calendar, clock_of
from twinning_pipelines.marts.totals import Samples, Shares, shares_of_other, shares_of_sum
from twinning_pipelines.stores.postgres.copying import EPOCH_US, copy, fetch_arrays

Numbers = npt.NDArray[np.int64]

# So many samples are counted at a time: memory is bounded by them.
_SLICE_ROWS = 125_000
_EPOCH = date(1970, 1, 1)
# A sample is found in the chunk of the day it began; longer ones than this are not followed into later days.
_REACH = timedelta(days=3)

_COLUMNS = {"origin": ">i4", "started": ">i8", "ended": ">i8", "value": ">f8"}
_SAMPLES = """
    select origin_id, started_at, ended_at, value{places} from sample_chunk
    where person_id = %(person)s and metric_id = %(metric)s and day between %(first)s and %(last)s"""
_PLACES = ", at, coalesce(file_ids, array_fill(file_id::bigint, array[n]))"


class Share(Struct, frozen=True):
    """What one row adds to a day's total, and where it stands: the file, and the place in it."""

    amount: Decimal
    label: str
    record: str
    file_id: int
    at: int


class _Stretch(Struct, frozen=True):
    """Days of one metric, and how its days are totalled."""

    metric_id: int
    total: str
    first: date
    last: date


class _Person(Struct, frozen=True):
    """Whose days, on which calendar, and the order in which their devices are asked, by origin id."""

    id: int
    calendar: Calendar
    ranks: Numbers

    @classmethod
    def of(cls, connection: sa.Connection, person_id: int, stretches: Sequence[_Stretch]) -> "_Person":
        """The person, with a calendar of all these stretches."""
        first, last = min(each.first for each in stretches), max(each.last for each in stretches)
        calendar = Calendar.of(clock_of(connection, person_id), first - _REACH, last + _REACH)
        values = {"person": person_id}
        order = connection.execute(sa.text(_ORDER), values).scalars().all()
        ranks = np.zeros(max(order, default=0) + 1, np.int64)
        ranks[list(order)] = np.arange(len(order))
        return cls(person_id, calendar, ranks)


_ORDER = """
    select o.id from origin o left join origin_preference p on p.person_id = :person and p.origin = o.name
    order by p.place nulls last, array_position(array['watch', 'phone', 'other'], o.device), o.name, o.source"""
_STALE = """
    select w.metric_id, m.total, w.first, w.last from stale_rollup w join metric m on m.id = w.metric_id
    where w.person_id = :person and m.total <> 'none' order by w.metric_id, w.first"""
_SIZES = """
    select day, sum(n) from sample_chunk
    where person_id = :person and metric_id = :metric and day between :first and :last group by day order by day"""


def refresh_rollups(connection: sa.Connection, person_id: int) -> None:
    """Counts the stale days of a person's metrics afresh, in the caller's transaction."""
    stale = [_Stretch(*row) for row in connection.execute(sa.text(_STALE), {"person": person_id})]
    if stale:
        person = _Person.of(connection, person_id, stale)
        for stretch in _joined(stale):
            for part in _slices(connection, person, stretch):
                _count(connection, person, part)
    connection.execute(sa.text("delete from stale_rollup where person_id = :person"), {"person": person_id})


def _joined(stretches: list[_Stretch]) -> list[_Stretch]:
    """Overlapping stretches of a metric as one."""
    joined: list[_Stretch] = []
    for each in stretches:
        before = joined[-1] if joined else None
        if before and before.metric_id == each.metric_id and each.first <= before.last + timedelta(days=1):
            joined[-1] = replace(before, last=max(before.last, each.last))
        else:
            joined.append(each)
    return joined


def _slices(connection: sa.Connection, person: _Person, stretch: _Stretch) -> Iterator[_Stretch]:
    before = stretch.first - timedelta(days=1)
    values = {"person": person.id, "metric": stretch.metric_id, "first": before, "last": stretch.last}
    rows, begin = 0, stretch.first
    for day, n in connection.execute(sa.text(_SIZES), values).all():
        if rows and rows + n > _SLICE_ROWS and day > begin:
            yield replace(stretch, first=begin, last=day - timedelta(days=1))
            rows, begin = 0, day
        rows += n
    yield replace(stretch, first=begin)


def _count(connection: sa.Connection, person: _Person, stretch: _Stretch) -> None:
    found = _samples(connection, person, stretch)
    samples, shares = _shared(found, person, stretch)
    values = {"person": person.id, "metric": stretch.metric_id, "first": stretch.first, "last": stretch.last}
    connection.execute(sa.text(_CLEAR), values)
    rows = _totalled(found["origin"].astype(np.int64), samples, shares, stretch.total)
    n = len(rows["day"])
    if n:
        columns = {
            "person_id": pa.array(np.full(n, person.id)),
            "metric_id": pa.array(np.full(n, stretch.metric_id)),
            "day": pa.array(rows["day"].astype(np.int32)).cast(pa.date32()),
            **{name: pa.array(rows[name]) for name in ("value", "n", "low", "high")},
            "origin_id": pa.array(rows["origin"], mask=rows["origin"] < 0),
        }
        copy(connection, "daily_rollup", list(columns), [pa.RecordBatch.from_pydict(columns)])


_CLEAR = """
    delete from daily_rollup
    where person_id = :person and metric_id = :metric and day between :first and :last"""


def _samples(
    connection: sa.Connection, person: _Person, stretch: _Stretch, *, with_places: bool = False
) -> "dict[str, npt.NDArray[np.generic]]":
    """The samples that may touch these local days, in no order; with the file and the place of each, if asked."""
    first, last = stretch.first - _REACH, stretch.last + timedelta(days=1)
    values = {"person": person.id, "metric": stretch.metric_id, "first": first, "last": last}
    columns = _COLUMNS | ({"at": ">i8", "file": ">i8"} if with_places else {})
    return fetch_arrays(connection, _SAMPLES.format(places=_PLACES if with_places else ""), values, columns)


def _shared(found: "dict[str, npt.NDArray[np.generic]]", person: _Person, stretch: _Stretch) -> tuple[Samples, Shares]:
    samples = Samples(
        rank=person.ranks[found["origin"]],
        started=found["started"].astype(np.int64) + EPOCH_US,
        ended=found["ended"].astype(np.int64) + EPOCH_US,
        value=found["value"].astype(np.float64),
    )
    shares = (shares_of_sum if stretch.total == "sum" else shares_of_other)(samples, person.calendar)
    mine = (shares.day >= (stretch.first - _EPOCH).days) & (shares.day <= (stretch.last - _EPOCH).days)
    return samples, Shares(shares.sample[mine], shares.day[mine], shares.amount[mine])


def _totalled(
    origins: Numbers, samples: Samples, shares: Shares, total: str
) -> "dict[str, npt.NDArray[np.int64] | npt.NDArray[np.float64]]":
    """By day: value, n, low, high, and the origin where a sum has only one, else -1."""
    order = _order(samples, shares)
    sample, day, amount = shares.sample[order], shares.day[order], shares.amount[order]
    if not len(day):
        return {name: np.zeros(0, np.int64) for name in ("day", "value", "n", "low", "high", "origin")}
    starts = np.flatnonzero(np.concatenate(([True], np.diff(day) != 0)))
    ends = np.append(starts[1:], len(day))
    n = ends - starts
    value = samples.value[sample]
    low, high = np.minimum.reduceat(value, starts), np.maximum.reduceat(value, starts)
    sums = np.add.reduceat(amount, starts)
    # The last by its beginning, then by its end; of two devices at one moment the one that is asked first.
    values = {"sum": sums, "mean": sums / n, "min": low, "max": high, "last": value[ends - 1]}
    origin = origins[sample]
    only = np.minimum.reduceat(origin, starts)
    is_only = (only == np.maximum.reduceat(origin, starts)) & (total == "sum")
    return {
        "day": day[starts], "value": values[total], "n": n, "low": low, "high": high,
        "origin": np.where(is_only, only, -1),
    }  # fmt: skip


def _order(samples: Samples, shares: Shares) -> Numbers:
    """Shares by their day and beginning; equals by end, device and value, so that sums come out alike every time."""
    sample, started = shares.sample, samples.started[shares.sample]
    order: Numbers = np.lexsort((started, shares.day))
    if ((np.diff(started[order]) == 0) & (np.diff(shares.day[order]) == 0)).any():
        order = np.lexsort((samples.value[sample], -samples.rank[sample], samples.ended[sample], started, shares.day))
    return order


def shares_of(connection: sa.Connection, person_id: int, metric: str, day: date) -> list[Share]:
    """What each sample adds to a day of a metric: the very shares that its rollup totals."""
    values = {"name": metric}
    known = connection.execute(sa.text("select id, total from metric where name = :name"), values).one_or_none()
    if known is None:
        return []
    stretch = _Stretch(known.id, known.total, day, day)
    person = _Person.of(connection, person_id, [stretch])
    found = _samples(connection, person, stretch, with_places=True)
    _, shares = _shared(found, person, stretch)
    names = dict(connection.execute(sa.text("select id, name from origin")).tuples().all())
    return [
        Share(Decimal(repr(amount)), names[origin], "sample", file_id, at)
        for amount, origin, file_id, at in zip(
            shares.amount.tolist(),
            *(found[name][shares.sample].tolist() for name in ("origin", "file", "at")),
            strict=True,
        )
    ]
