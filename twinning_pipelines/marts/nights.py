"""Nights and naps: what devices told of a person's sleep, as one row for each sleep, and as facts of the day one wakes on.

The arithmetic, and who is believed, is told in `sleeps`. The table `night`, the facts and the rows that explain them come
from one and the same computation.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.clock import Clock
from twinning_pipelines.marts.calendar import WITHIN, Calendar, clock_of, within
from twinning_pipelines.marts.rollups import Share
from twinning_pipelines.marts.sleeps import STAGES, Parts, Sleeps, Stretches, Summaries, Tellers, sleeps_of, summed
from twinning_pipelines.stores.postgres.copying import EPOCH_US, copy, fetch_numbers
from twinning_pipelines.stores.postgres.origins import DEVICES, kind_of

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_DAY = timedelta(days=1)
_EPOCH = date(1970, 1, 1)
# A sleep is whole where the rows of three days before it are known: nobody is in bed for longer without a break.
_REACH = 3 * _DAY
# Days further apart than this are read on their own.
_BRIDGED = 30 * _DAY
_HOUR_US = 3_600_000_000
_MINUTE_US = 60_000_000

_ASLEEP = ("deep", "rem", "core", "asleep")
_FIELDS = {
    "in_bed": STAGES,
    "asleep": _ASLEEP,
    **{stage: (stage,) for stage in ("core", "deep", "rem", "awake")},
}
NAPPING = "napping"


class Told(Struct, frozen=True):
    """One field of each day that knows it: hours, and how many rows stand behind them. Days since 1970."""

    days: Numbers
    hours: Floats
    n: Numbers


class _Rows(Struct, frozen=True):
    """What devices told around some days; the rows of `parts` are those of `files` and `places`, stretches first."""

    sleeps: Sleeps
    parts: Parts
    sources: list[str]
    origins: list[str]
    tellers: Numbers
    files: Numbers
    places: Numbers
    stretches: int


def refresh_nights(connection: sa.Connection, person_id: int, days: Sequence[date]) -> dict[str, Told]:
    """Writes the sleeps from which a person woke on these days afresh, and answers what the days come to, by field.

    Fields: those of `night` that are minutes, without the ending, and `napping`. Runs in the caller's transaction.
    """
    connection.execute(sa.text(f"delete from night where {WITHIN}"), within(person_id, days))  # noqa: S608
    told: dict[str, list[Told]] = {field: [] for field in (*_FIELDS, NAPPING)}
    clock = clock_of(connection, person_id)
    for some in _near(sorted(days)):
        rows = _rows(connection, person_id, clock, some[0], some[-1])
        wanted = np.array([(day - _EPOCH).days for day in some])
        mine = np.isin(rows.sleeps.day, wanted)
        if mine.any():
            batch = _batch(person_id, rows, np.flatnonzero(mine))
            copy(connection, "night", batch.schema.names, [batch])
            for field, heap in told.items():
                heap.append(_told(rows, field, mine))
    return {field: _laid(heap) for field, heap in told.items()}


def sleep_shares(connection: sa.Connection, person_id: int, field: str, day: date) -> list[Share]:
    """What each row adds to a field of a day: the very amounts that the day's fact adds up."""
    rows = _rows(connection, person_id, clock_of(connection, person_id), day, day)
    _, which, amounts = _amounts(rows, field, rows.sleeps.day == (day - _EPOCH).days)
    shares = []
    for row, amount in zip(which.tolist(), amounts.tolist(), strict=True):
        stages = {STAGES[stage] for stage in rows.parts.stage[rows.parts.row == row]}
        is_stretch = row < rows.stretches
        what = stages.pop() if is_stretch else "summary"
        label = f"{what}, {rows.origins[rows.tellers[row]]}"
        record = "sleep_stage" if is_stretch else "sleep_session"
        shares.append(Share(Decimal(repr(amount)), label, record, int(rows.files[row]), int(rows.places[row])))
    return shares


def _near(days: Sequence[date]) -> Iterator[Sequence[date]]:
    """Days in order, cut where a long time lies between two."""
    start = 0
    for place in range(1, len(days) + 1):
        if place == len(days) or days[place] - days[place - 1] > _BRIDGED:
            yield days[start:place]
            start = place


def _told(rows: _Rows, field: str, mine: "npt.NDArray[np.bool_]") -> Told:
    day, _, amounts = _amounts(rows, field, mine)
    days, which, n = np.unique(day, return_inverse=True, return_counts=True)
    return Told(days, summed(which, amounts, len(days)), n)


def _amounts(rows: _Rows, field: str, mine: "npt.NDArray[np.bool_]") -> tuple[Numbers, Numbers, Floats]:
    """What each row adds to a field of each day, in hours: days, rows and amounts."""
    stages = [STAGES.index(stage) for stage in (_ASLEEP if field == NAPPING else _FIELDS[field])]
    wanted = mine & rows.sleeps.is_nap if field == NAPPING else mine
    parts = rows.parts
    counted = np.flatnonzero(wanted[parts.sleep] & np.isin(parts.stage, stages))
    # A day and a row as one number: a sort of numbers costs a tenth of a sort of pairs.
    rank = max(len(rows.files), 1)
    pairs = rows.sleeps.day[parts.sleep[counted]] * rank + parts.row[counted]
    place, which = np.unique(pairs, return_inverse=True)
    amounts: Floats = summed(which, parts.amount[counted], len(place)) / _HOUR_US
    return place // rank, place % rank, amounts


def _laid(told: list[Told]) -> Told:
    if not told:
        return Told(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
    return Told(*(np.concatenate([getattr(each, name) for each in told]) for name in ("days", "hours", "n")))


def _batch(person_id: int, rows: _Rows, which: Numbers) -> pa.RecordBatch:
    sleeps, parts, n = rows.sleeps, rows.parts, len(rows.sleeps.day)
    columns: dict[str, pa.Array] = {
        "person_id": pa.array(np.full(len(which), person_id, np.int16)),
        "day": pa.array(sleeps.day[which].astype(np.int32)).cast(pa.date32()),
        "number": pa.array(sleeps.number[which].astype(np.int16)),
        "kind": pa.array(np.where(sleeps.is_nap[which], "nap", "night")),
        "started_at": pa.array(sleeps.started[which]).cast(pa.timestamp("us", tz="UTC")),
        "ended_at": pa.array(sleeps.ended[which]).cast(pa.timestamp("us", tz="UTC")),
    }
    for field, stages in _FIELDS.items():
        counted = np.isin(parts.stage, [STAGES.index(stage) for stage in stages])
        sums = summed(parts.sleep[counted], parts.amount[counted], n)[which] / _MINUTE_US
        known = np.bincount(parts.sleep[counted], minlength=n)[which] > 0
        columns[f"{field}_min"] = pa.array(sums, mask=~known)
    rank = max(len(rows.files), 1)
    sleep = np.unique(parts.sleep * rank + parts.row) // rank
    columns |= {
        "origin": pa.array([rows.origins[teller] for teller in sleeps.teller[which]], pa.string()),
        "source": pa.array([rows.sources[teller] for teller in sleeps.teller[which]], pa.string()),
        "n": pa.array(np.bincount(sleep, minlength=n)[which].astype(np.int32)),
    }
    return pa.RecordBatch.from_pydict(columns)


def _rows(connection: sa.Connection, person_id: int, clock: Clock, first: date, last: date) -> _Rows:
    """The sleeps that may end on these days; whole, where they do."""
    since, until = (datetime.combine(day, time(), UTC) for day in (first - _REACH, last + 2 * _DAY))
    values = {"person": person_id, "since": since, "until": until}
    who = connection.execute(sa.text(_TELLERS), values).all()
    keys = np.array([row.key for row in who], np.int64)
    stretches = fetch_numbers(connection, _STRETCHES, values, _STRETCH_COLUMNS)
    summaries = fetch_numbers(connection, _SUMMARIES, values, _SUMMARY_COLUMNS)
    # The order of equals must not depend on how Postgres happens to store them.
    order = np.lexsort([stretches[name] for name in ("at", "file", "ended", "started")])
    stretches = {name: column[order] for name, column in stretches.items()}
    order = np.lexsort([summaries[name] for name in ("at", "file", "ended", "started")])
    summaries = {name: column[order] for name, column in summaries.items()}
    teller = np.searchsorted(keys, stretches["teller"])
    told = np.searchsorted(keys, summaries["teller"])
    names = np.argsort(np.argsort([f"{row.origin}\0{row.source}" for row in who])) if who else keys
    sleeps, parts = sleeps_of(
        Stretches(teller, *_span(stretches), stretches["stage"].astype(np.int64) - 1),
        Summaries(
            told, *_span(summaries), np.stack([summaries[stage] for stage in STAGES], axis=1).astype(np.float64),
            summaries["nap"].astype(np.int64),
        ),
        Tellers(
            np.array([row.place for row in who], np.int64),
            np.array([DEVICES.index(row.device or kind_of(row.origin)) for row in who], np.int64),
            names,
        ),
        clock,
        Calendar.of(clock, first - _REACH - _DAY, last + _REACH),
    )  # fmt: skip
    return _Rows(
        sleeps, parts, [row.source for row in who], [row.origin for row in who],
        np.concatenate([teller, told]),
        np.concatenate([each["file"] for each in (stretches, summaries)]).astype(np.int64),
        np.concatenate([each["at"] for each in (stretches, summaries)]).astype(np.int64),
        len(teller),
    )  # fmt: skip


def _span(rows: "dict[str, npt.NDArray[np.generic]]") -> tuple[Numbers, Numbers]:
    return rows["started"].astype(np.int64) + EPOCH_US, rows["ended"].astype(np.int64) + EPOCH_US


# One number for each source and origin: two words for each of 50,000 rows would be read for nothing.
_KEY = "hashtextextended(source || chr(31) || origin, 0)"
_WITHIN = """
    person_id = {person} and started_at >= {since} and started_at < {until}
    and ended_at > started_at"""
# Stages are kept by the UTC day on which they began: only those days are opened.
_BY_DAY = "day between ({since})::timestamptz::date - 1 and ({until})::timestamptz::date + 1"

_TELLERS = f"""
    select {_KEY} as key, source, origin,
        coalesce((select min(place) from origin_preference where person_id = :person and origin = t.origin), 32767) as place,
        (select device from origin where source = t.source and name = t.origin) as device
    from (
        select source, origin from sleep_stage
        where {_BY_DAY.format(since=":since", until=":until")}
            and {_WITHIN.format(person=":person", since=":since", until=":until")}
        union
        select source, origin from sleep_session
        where absent_since is null and {_WITHIN.format(person=":person", since=":since", until=":until")}
    ) t
    order by key"""  # noqa: S608

_WHERE = _WITHIN.format(person="%(person)s", since="%(since)s", until="%(until)s")
_STRETCHES = f"""
    select {_KEY}, started_at, ended_at, array_position(array{list(STAGES)}, stage), file_id, at
    from sleep_stage where {_BY_DAY.format(since="%(since)s", until="%(until)s")} and {_WHERE}"""  # noqa: S608
_STRETCH_COLUMNS = {"teller": ">i8", "started": ">i8", "ended": ">i8", "stage": ">i4", "file": ">i4", "at": ">i8"}

_MINUTES = ", ".join(f"coalesce({stage}_min, 'NaN')" for stage in STAGES)
_SUMMARIES = f"""
    select {_KEY}, started_at, ended_at, {_MINUTES},
        (case nap when 'nap' then 1 when 'night' then 0 else -1 end)::smallint, file_id, at
    from sleep_session where absent_since is null and {_WHERE}"""  # noqa: S608
_SUMMARY_COLUMNS = {
    "teller": ">i8", "started": ">i8", "ended": ">i8", **dict.fromkeys(STAGES, ">f8"), "nap": ">i2", "file": ">i4",
    "at": ">i8",
}  # fmt: skip
