"""What a person's nights come to, when several devices have told of the same sleep.

Stretches of one device less than two hours apart are one sleep as that device tells it. Of tellings that overlap one is
believed: the person's own choice, else the one that tells stages apart, before one that knows only `asleep`, before one
that knows only `in_bed`; then a watch before a phone before others; then stretches before a summary of the night; then
the one with more sleep. Where stretches of the believed device overlap, each minute counts once: as awake, else as a
stage, else as asleep. Time in bed is that of every device whose stretches touch the sleep; what two sleeps both want is
parted halfway between them.

A sleep belongs to the local day on which one wakes from it. It is a nap if its source says so; where the source does not
say, if one slept less than 3 h 30 and either slept longer another time that day, or woke after 18:00.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from twinning_pipelines.clock import Clock
from twinning_pipelines.marts.calendar import Calendar

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# By what wins where stretches of one device overlap: trackers lay short wakes over the stage they interrupt.
STAGES = ("awake", "deep", "rem", "core", "asleep", "in_bed")
_AWAKE, _DEEP, _REM, _CORE, _ASLEEP, _IN_BED = range(6)

APART_US = 120 * 60_000_000
NAP_US = 210 * 60_000_000
_EVENING = 18
_MINUTE_US = 60_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Stretches(Struct, frozen=True):
    """Stretches of stages as parallel columns: the number of the teller, instants in microseconds, the place in `STAGES`."""

    teller: Numbers
    started: Numbers
    ended: Numbers
    stage: Numbers


class Summaries(Struct, frozen=True):
    """Nights as their sources sum them up. `minutes` has a column for each of `STAGES`, the last two being all the time
    asleep and all the time in bed; NaN where nothing is said. `is_nap`: 1, 0, or -1 where the source does not say."""

    teller: Numbers
    started: Numbers
    ended: Numbers
    minutes: Floats
    is_nap: Numbers


class Tellers(Struct, frozen=True):
    """Who tells, as parallel columns: the person's own order (smaller is asked first), watch 0, phone 1 or other 2, and
    the order of names, which settles what nothing else does."""

    place: Numbers
    device: Numbers
    name: Numbers


class Sleeps(Struct, frozen=True):
    """Sleeps in order of time; they never overlap. `number` counts within the day, from 1; `day` since 1970."""

    teller: Numbers
    started: Numbers
    ended: Numbers
    day: Numbers
    number: Numbers
    is_nap: Mask


class Parts(Struct, frozen=True):
    """What single rows add to sleeps: the index of the sleep, of the row (summaries after all stretches), the stage, and
    microseconds. Of one sleep they add up to the time in bed; those of a summary may be negative where it contradicts itself."""

    sleep: Numbers
    row: Numbers
    stage: Numbers
    amount: Floats


class _Tales(Struct, frozen=True):
    """Sleeps as single tellers tell them: from when to when anything was told but lying in bed, and from when to when
    anything at all. `summary` is the index of a summary, -1 for a heap of stretches."""

    teller: Numbers
    begin: Numbers
    end: Numbers
    low: Numbers
    high: Numbers
    woke: Numbers
    asleep: Floats
    rank: Numbers
    summary: Numbers


class _Pieces(Struct, frozen=True):
    """Stretches as far as they belong to a sleep."""

    sleep: Numbers
    row: Numbers
    begin: Numbers
    end: Numbers


def sleeps_of(
    stretches: Stretches, summaries: Summaries, tellers: Tellers, clock: Clock, calendar: Calendar
) -> tuple[Sleeps, Parts]:
    """The sleeps that some rows tell, and what each row adds to which. The order of the rows does not matter."""
    heap = _heaps(stretches)
    tales = _joined(_told_by_stretches(stretches, heap), _told_by_summaries(summaries))
    believed = _believed(tales, tellers)
    pieces = _pieces(stretches, heap, tales, believed)
    parts = _painted(stretches, pieces)
    started, ended = tales.begin[believed].copy(), tales.end[believed].copy()
    np.minimum.at(started, pieces.sleep, pieces.begin)
    np.maximum.at(ended, pieces.sleep, pieces.end)
    from_summary = np.flatnonzero(tales.summary[believed] >= 0)
    which = tales.summary[believed][from_summary]
    parts = _with_summaries(parts, summaries, from_summary, which, len(stretches.teller))
    told = np.full(len(believed), -1, np.int64)
    told[from_summary] = summaries.is_nap[which]
    day, number, is_nap = _placed(parts, tales.woke[believed], told, clock, calendar)
    return Sleeps(tales.teller[believed], started, ended, day, number, is_nap), parts


def summed(group: Numbers, amounts: "Floats | Numbers", n: int) -> Floats:
    """The sum of the amounts of each of `n` groups."""
    sums: Floats = np.bincount(group, weights=amounts, minlength=n).astype(np.float64)
    return sums


def _heaps(stretches: Stretches) -> Numbers:
    """The number of the sleep that each stretch belongs to, as its teller tells it."""
    heap = np.zeros(len(stretches.teller), np.int64)
    if not len(heap):
        return heap
    order = np.lexsort((stretches.ended, stretches.started, stretches.teller))
    teller, begin = stretches.teller[order], stretches.started[order]
    reached = _reached(teller, stretches.ended[order])
    is_first = np.concatenate(([True], (np.diff(teller) != 0) | (begin[1:] - reached[:-1] >= APART_US)))
    heap[order] = np.cumsum(is_first) - 1
    return heap


def _reached(group: Numbers, ends: Numbers) -> Numbers:
    """The latest end so far within each group; groups stand together."""
    low = ends.min()
    # Shifted so that every later group begins above the one before: one running maximum serves all.
    shift = np.concatenate(([0], np.cumsum(np.diff(group) != 0))) * (ends.max() - low + 1)
    reached: Numbers = np.maximum.accumulate(ends - low + shift) - shift + low
    return reached


def _told_by_stretches(stretches: Stretches, heap: Numbers) -> _Tales:
    n = int(heap.max()) + 1 if len(heap) else 0
    asleep = (stretches.stage != _IN_BED) & (stretches.stage != _AWAKE)
    sleeps, staged = np.zeros(n, bool), np.zeros(n, bool)
    sleeps[heap[asleep]] = True
    staged[heap[asleep & (stretches.stage != _ASLEEP)]] = True
    said = (stretches.stage != _IN_BED) | ~sleeps[heap]
    begin, end = _extent(stretches, heap, said, n)
    low, high = _extent(stretches, heap, np.ones(len(heap), bool), n)
    woke = np.where(sleeps, _extent(stretches, heap, asleep, n)[1], end)
    teller = np.zeros(n, np.int64)
    teller[heap] = stretches.teller
    length = _covered(heap[asleep], stretches.started[asleep], stretches.ended[asleep], n)
    rank = np.where(staged, 0, np.where(sleeps, 1, 2))
    return _Tales(teller, begin, end, low, high, woke, length, rank, np.full(n, -1))


def _extent(stretches: Stretches, heap: Numbers, which: Mask, n: int) -> tuple[Numbers, Numbers]:
    begin, end = np.full(n, np.iinfo(np.int64).max), np.full(n, np.iinfo(np.int64).min)
    np.minimum.at(begin, heap[which], stretches.started[which])
    np.maximum.at(end, heap[which], stretches.ended[which])
    return begin, end


def _covered(group: Numbers, begin: Numbers, end: Numbers, n: int) -> Floats:
    """How long the union of the intervals of each group is."""
    if not len(group):
        return np.zeros(n)
    order = np.lexsort((begin, group))
    group, begin, end = group[order], begin[order], end[order]
    before = np.concatenate(([begin[0]], _reached(group, end)[:-1]))
    is_first = np.concatenate(([True], np.diff(group) != 0))
    fresh = np.maximum(end - np.where(is_first, begin, np.maximum(begin, before)), 0)
    return summed(group, fresh, n)


def _told_by_summaries(summaries: Summaries) -> _Tales:
    staged = np.isfinite(summaries.minutes[:, [_DEEP, _REM, _CORE]]).any(axis=1)
    asleep = _asleep_minutes(summaries)
    rank = np.where(staged, 0, np.where(np.isfinite(asleep), 1, 2))
    begin, end = summaries.started, summaries.ended
    length = np.nan_to_num(asleep) * _MINUTE_US
    return _Tales(summaries.teller, begin, end, begin, end, end, length, rank, np.arange(len(begin)))


def _asleep_minutes(summaries: Summaries) -> Floats:
    """All the time asleep: as stated, else the sum of its stages; NaN where nothing is said."""
    stages = summaries.minutes[:, [_DEEP, _REM, _CORE]]
    summed = np.where(np.isfinite(stages).any(axis=1), np.nansum(stages, axis=1), np.nan)
    stated = summaries.minutes[:, _ASLEEP]
    asleep: Floats = np.where(np.isfinite(stated), stated, summed)
    return asleep


def _joined(one: _Tales, other: _Tales) -> _Tales:
    return _Tales(
        *(np.concatenate([getattr(each, name) for each in (one, other)]) for name in _Tales.__struct_fields__)
    )


def _believed(tales: _Tales, tellers: Tellers) -> Numbers:
    """The tales that count, in order of time: each is the first of all that it overlaps."""
    order = np.lexsort((
        tales.begin, tellers.name[tales.teller], -tales.asleep, tales.summary >= 0,
        tellers.device[tales.teller], tales.rank, tellers.place[tales.teller],
    ))  # fmt: skip
    by_time = np.argsort(tales.begin, kind="stable")
    # Tales that touch no other, directly or through others, need no comparison.
    reached = np.maximum.accumulate(tales.end[by_time]) if len(by_time) else by_time
    knot = np.zeros(len(by_time), np.int64)
    knot[by_time] = np.cumsum(np.concatenate(([0], tales.begin[by_time][1:] >= reached[:-1]))) if len(by_time) else 0
    taken: dict[int, list[tuple[int, int]]] = {}
    believed: list[int] = []
    columns = (order, knot[order], tales.begin[order], tales.end[order])
    for tale, place, begin, end in zip(*(column.tolist() for column in columns), strict=True):
        spans = taken.setdefault(place, [])
        if all(begin >= until or end <= since for since, until in spans):
            spans.append((begin, end))
            believed.append(tale)
    kept = np.array(believed, np.int64)
    return kept[np.argsort(tales.begin[kept])]


def _pieces(stretches: Stretches, heap: Numbers, tales: _Tales, believed: Numbers) -> _Pieces:
    """The believed stretches, and those in bed of every heap that touches a sleep which stretches tell."""
    sleep_of = np.full(len(tales.teller), -1)
    sleep_of[believed] = np.arange(len(believed))
    in_bed = stretches.stage == _IN_BED
    own = np.flatnonzero(~in_bed & (sleep_of[heap] >= 0))
    row, sleep = _touched(np.flatnonzero(in_bed), heap, tales, believed)
    by_stretches = tales.summary[believed][sleep] < 0
    row, sleep = row[by_stretches], sleep[by_stretches]
    cuts = _cuts(stretches, row, sleep, tales.begin[believed], tales.end[believed])
    floor = np.concatenate(([np.iinfo(np.int64).min], cuts))
    ceiling = np.concatenate((cuts, [np.iinfo(np.int64).max]))
    since, until = np.maximum(stretches.started[row], floor[sleep]), np.minimum(stretches.ended[row], ceiling[sleep])
    left = since < until
    return _Pieces(
        sleep=np.concatenate([sleep_of[heap[own]], sleep[left]]),
        row=np.concatenate([own, row[left]]),
        begin=np.concatenate([stretches.started[own], since[left]]),
        end=np.concatenate([stretches.ended[own], until[left]]),
    )


def _cuts(stretches: Stretches, row: Numbers, sleep: Numbers, begin: Numbers, end: Numbers) -> Numbers:
    """Where the time in bed of each sleep ends and that of the next begins: halfway, as far as both want it."""
    before, after = end[:-1], begin[1:]
    left, right = before.copy(), after.copy()
    ahead = np.flatnonzero(sleep < len(before))
    ahead = ahead[stretches.started[row[ahead]] < after[sleep[ahead]]]
    np.maximum.at(left, sleep[ahead], np.minimum(stretches.ended[row[ahead]], after[sleep[ahead]]))
    behind = np.flatnonzero(sleep > 0)
    behind = behind[stretches.ended[row[behind]] > before[sleep[behind] - 1]]
    np.minimum.at(right, sleep[behind] - 1, np.maximum(stretches.started[row[behind]], before[sleep[behind] - 1]))
    cuts: Numbers = np.clip((before + after) // 2, np.minimum(left, right), np.maximum(left, right))
    return cuts


def _touched(row: Numbers, heap: Numbers, tales: _Tales, believed: Numbers) -> tuple[Numbers, Numbers]:
    """Each row beside each sleep that its heap overlaps."""
    low, high = tales.low[heap[row]], tales.high[heap[row]]
    first = np.searchsorted(tales.end[believed], low, side="right")
    last = np.searchsorted(tales.begin[believed], high, side="left")
    count = np.maximum(last - first, 0)
    repeated = np.repeat(np.arange(len(row)), count)
    step = np.arange(len(repeated)) - np.repeat(np.cumsum(count) - count, count)
    return row[repeated], first[repeated] + step


def _painted(stretches: Stretches, pieces: _Pieces) -> Parts:
    """Each moment goes to one piece: what matters most is painted last. Sleeps never overlap, so one canvas serves all."""
    edges = np.unique(np.concatenate([pieces.begin, pieces.end]))
    owner = np.full(max(len(edges) - 1, 0), -1, np.int64)
    low, high = np.searchsorted(edges, pieces.begin), np.searchsorted(edges, pieces.end)
    order = np.lexsort((-pieces.row, -pieces.begin, -stretches.stage[pieces.row]))
    for piece, since, until in zip(order.tolist(), low[order].tolist(), high[order].tolist(), strict=True):
        owner[since:until] = piece
    seen = owner >= 0
    amount = summed(owner[seen], np.diff(edges)[seen], len(pieces.row))
    counted = np.flatnonzero(amount > 0)
    row = pieces.row[counted]
    return Parts(pieces.sleep[counted], row, stretches.stage[row], amount[counted])


def _with_summaries(parts: Parts, summaries: Summaries, sleep: Numbers, which: Numbers, rows: int) -> Parts:
    """Summaries as parts: what is asleep beyond the stages, and in bed beyond sleeping and waking, are parts of their own."""
    if not len(sleep):
        return parts
    minutes = summaries.minutes[which].copy()
    asleep = _asleep_minutes(summaries)[which]
    length = (summaries.ended - summaries.started)[which] / _MINUTE_US
    stages, within = np.nansum(minutes[:, [_DEEP, _REM, _CORE]], axis=1), np.nan_to_num(asleep)
    within = within + np.nan_to_num(minutes[:, _AWAKE])
    stated = minutes[:, _IN_BED]
    minutes[:, _ASLEEP] = asleep - stages
    minutes[:, _IN_BED] = np.where(np.isfinite(stated), stated, np.maximum(length, within)) - within
    place, stage = np.nonzero(np.nan_to_num(minutes) != 0)
    return Parts(
        np.concatenate([parts.sleep, sleep[place]]),
        np.concatenate([parts.row, which[place] + rows]),
        np.concatenate([parts.stage, stage]),
        np.concatenate([parts.amount, minutes[place, stage] * _MINUTE_US]),
    )


def _placed(
    parts: Parts, woke: Numbers, told: Numbers, clock: Clock, calendar: Calendar
) -> tuple[Numbers, Numbers, Mask]:
    """The local day of each sleep, its number within it, and whether it is a nap."""
    n = len(woke)
    asleep = np.isin(parts.stage, (_DEEP, _REM, _CORE, _ASLEEP))
    slept = summed(parts.sleep[asleep], parts.amount[asleep], n)
    in_bed = summed(parts.sleep, parts.amount, n)
    slept = np.where(slept > 0, slept, in_bed)
    day = calendar.day_of(woke)
    # Days of a person who moved back and forth may not be in order of time.
    order = np.lexsort((np.arange(n), day))
    firsts = np.flatnonzero(np.concatenate(([True], np.diff(day[order]) != 0)))[: n or 0]
    sizes = np.diff(np.append(firsts, n))
    number = np.zeros(n, np.int64)
    number[order] = np.arange(n) - np.repeat(firsts, sizes) + 1
    longest = np.zeros(n, bool)
    by_length = np.lexsort((np.arange(n), -slept, day))
    longest[by_length[firsts]] = True
    is_nap: Mask = np.where(told >= 0, told == 1, (slept < NAP_US) & ~longest)
    for place in np.flatnonzero((told < 0) & longest & (slept < NAP_US)):
        instant = _EPOCH + timedelta(microseconds=int(woke[place]))
        is_nap[place] = instant.astimezone(clock.zone_at(instant)).hour >= _EVENING
    return day, number, is_nap
