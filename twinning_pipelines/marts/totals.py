"""What a day's samples come to, when several devices have counted the same.

A phone and a watch count the same steps: adding them doubles the day, taking the fuller one loses what the other alone
saw. So devices are asked in order of priority, and each counts for the time that none before it covers; a sample that is
covered in part counts in part. This is what Apple describes for its own statistics ("the way in which data from multiple
sources are merged"). Samples of one device never compete with each other. A sample that crosses midnight counts in both
days, by time. A sample of twelve hours or more is some app's total of a day: it counts only where nothing finer is known.
"""

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from twinning_pipelines.marts.calendar import Calendar

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

COARSE_US = 12 * 3_600_000_000
# A sample is followed into the two days after the one it began on; readers of samples must reach as far back.
_STRETCHES = 3


class Samples(Struct, frozen=True):
    """Samples of one metric as parallel columns; instants in microseconds since 1970, `rank` 0 is asked first."""

    rank: Numbers
    started: Numbers
    ended: Numbers
    value: Floats


class Shares(Struct, frozen=True):
    """What single samples add to days: the index of the sample, the local day (since 1970), the amount."""

    sample: Numbers
    day: Numbers
    amount: Floats


def shares_of_sum(samples: Samples, calendar: Calendar) -> Shares:
    """What each sample of a metric that adds up contributes to each local day; samples that count for nothing are left out."""
    pieces = _cut_at_midnight(samples, calendar)
    coarse = (samples.ended - samples.started)[pieces.sample] >= COARSE_US
    weight = np.zeros(len(pieces.sample))
    fine = np.flatnonzero(~coarse)
    weight[fine] = _uncovered(samples.rank[pieces.sample[fine]], pieces.begin[fine], pieces.end[fine])
    weight[_fullest(samples, pieces, coarse, np.unique(pieces.day[fine]))] = 1.0
    counted = weight > 0
    amounts = (samples.value[pieces.sample] * pieces.part * weight)[counted]
    return Shares(pieces.sample[counted], pieces.day[counted], amounts)


def shares_of_other(samples: Samples, calendar: Calendar) -> Shares:
    """Metrics that don't add up (a heart rate, a weight): every sample counts whole, on the day it began."""
    return Shares(np.arange(len(samples.value)), calendar.day_of(samples.started), samples.value)


class _Pieces(Struct, frozen=True):
    """Samples, cut where a local day ends: of which sample, its day, its time, and its part of the sample."""

    sample: Numbers
    day: Numbers
    begin: Numbers
    end: Numbers
    part: Floats


def _cut_at_midnight(samples: Samples, calendar: Calendar) -> _Pieces:
    first = calendar.stretch_of(samples.started)
    # What ends at midnight lies on the day before.
    last = np.maximum(calendar.stretch_of(np.maximum(samples.ended - 1, samples.started)), first)
    count = np.minimum(last - first + 1, _STRETCHES)
    sample = np.repeat(np.arange(len(count)), count)
    stretch = first[sample] + np.arange(len(sample)) - np.repeat(np.cumsum(count) - count, count)
    is_first, is_last = stretch == first[sample], stretch == last[sample]
    begin = np.where(is_first, samples.started[sample], calendar.begins[stretch])
    following = calendar.begins[np.minimum(stretch + 1, len(calendar.begins) - 1)]
    end = np.where(is_last, samples.ended[sample], following)
    length = (samples.ended - samples.started)[sample]
    part = np.where(length > 0, (end - begin) / np.maximum(length, 1), 1.0)
    return _Pieces(sample, calendar.days[stretch], begin, end, part)


def _uncovered(rank: Numbers, begin: Numbers, end: Numbers) -> Floats:
    """The part of each interval that no interval of a smaller rank covers; a moment is covered or it is not."""
    weight = np.ones(len(rank))
    covered_begin = covered_end = np.zeros(0, np.int64)
    ranks = np.unique(rank)
    for each in ranks:
        mine = np.flatnonzero(rank == each)
        if len(covered_begin):
            weight[mine] = _outside(covered_begin, covered_end, begin[mine], end[mine])
        if each != ranks[-1]:
            covered_begin, covered_end = _union(
                np.concatenate([covered_begin, begin[mine]]), np.concatenate([covered_end, end[mine]])
            )
    return weight


def _outside(covered_begin: Numbers, covered_end: Numbers, begin: Numbers, end: Numbers) -> Floats:
    lengths = covered_end - covered_begin
    before = np.concatenate(([0], np.cumsum(lengths)))

    def covered_until(instants: Numbers) -> Numbers:
        place = np.searchsorted(covered_begin, instants, side="right") - 1
        inside = np.minimum(instants - covered_begin[place], lengths[place])
        until: Numbers = np.where(place < 0, 0, before[place] + inside)
        return until

    length = end - begin
    place = np.searchsorted(covered_begin, begin, side="right") - 1
    is_inside = (place >= 0) & (begin < covered_end[place])
    shared = covered_until(end) - covered_until(begin)
    outside: Floats = np.where(length > 0, 1 - shared / np.maximum(length, 1), np.where(is_inside, 0.0, 1.0))
    return outside


def _union(begin: Numbers, end: Numbers) -> tuple[Numbers, Numbers]:
    """Intervals without overlaps, in order, that cover the same time; moments cover none."""
    order = np.argsort(begin, kind="stable")
    order = order[end[order] > begin[order]]
    if not len(order):
        return order, order
    begin, reached = begin[order], np.maximum.accumulate(end[order])
    starts = np.flatnonzero(np.concatenate(([True], begin[1:] > reached[:-1])))
    lasts = np.append(starts[1:] - 1, len(begin) - 1)
    return begin[starts], reached[lasts]


def _fullest(samples: Samples, pieces: _Pieces, coarse: npt.NDArray[np.bool_], fine_days: Numbers) -> Numbers:
    """The pieces of day totals that count: of each day without finer samples, those of the origin that says most."""
    open_days = np.flatnonzero(coarse & ~np.isin(pieces.day, fine_days))
    if not len(open_days):
        return open_days
    day, rank = pieces.day[open_days], samples.rank[pieces.sample[open_days]]
    amount = samples.value[pieces.sample[open_days]] * pieces.part[open_days]
    pairs, which = np.unique(np.stack([day, rank]), axis=1, return_inverse=True)
    which = which.ravel()
    totals = np.zeros(pairs.shape[1])
    np.add.at(totals, which, amount)
    # By day, then most first, then priority: the first of each day wins.
    order = np.lexsort((pairs[1], -totals, pairs[0]))
    winners = order[np.concatenate(([True], np.diff(pairs[0][order]) != 0))]
    return open_days[np.isin(which, winners)]
