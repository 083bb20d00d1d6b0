"""Apple's own totals of a day: what its Records add up to when each moment counts once.

Of two devices the first one counts, and the other fills only the time that the first left open, by its share.
"""

from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import islice, takewhile
from random import Random

from twinning_pipelines.demo.apple_days import Body, Day, Life, rng_of
from twinning_pipelines.demo.apple_kinds import Entry, Kind

Interval = tuple[int, int]
Bundled = Callable[[Kind, Day], Iterable[Entry]]


def rings_of(day: Day, kinds: Sequence[Kind], life: Life, entries: Bundled) -> Counter[str]:
    """Thousandths of each ring of a day, of the kinds that count for one; the first of two kinds goes before the second."""
    sums: Counter[str] = Counter()
    covered: defaultdict[str, list[Interval]] = defaultdict(list)
    for kind in kinds:
        if kind.ring is None:
            continue
        own: list[Interval] = []
        for start, end, value in entries(kind, day):
            if end <= life.until:
                sums[kind.ring] += round(_amount(value) * _open_share(start, end, covered[kind.ring]))
                own.append((start, end))
        covered[kind.ring] = sorted(covered[kind.ring] + own)
    return sums


def summary(day: Day, rings: Counter[str], body: Body) -> str:
    """The ActivitySummary of a day."""
    return (
        f' <ActivitySummary dateComponents="{day.day}" activeEnergyBurned="{rings["move"] / 1000:.3f}" '
        f'activeEnergyBurnedGoal="{body.move_goal}" activeEnergyBurnedUnit="kcal" appleMoveTime="0" appleMoveTimeGoal="0" '
        f'appleExerciseTime="{rings["exercise"] // 1000}" appleExerciseTimeGoal="30" '
        f'appleStandHours="{rings["stand"] // 1000}" appleStandHoursGoal="12"/>\n'
    )


def dice_of(kind: Kind, life: Life, day: Day) -> Random:
    """The dice that a kind rolls on a day: the same whenever it is asked."""
    return rng_of(life.seed, kind.dice or f"{kind.type}:{kind.gadget.source}", day.day)


def _open_share(start: int, end: int, covered: Sequence[Interval]) -> float:
    """Which part of a stretch no interval covers. The intervals don't overlap each other."""
    if end <= start:
        return 1.0
    near = takewhile(lambda each: each[0] < end, islice(covered, max(bisect(covered, (start, end)) - 1, 0), None))
    taken = sum(max(min(end, last) - max(start, first), 0) for first, last in near)
    return 1 - taken / (end - start)


def _amount(value: str) -> int:
    """What a value adds to a ring, in thousandths."""
    if value.startswith("HKCategoryValue"):
        return 1000 if value.endswith("Stood") else 0
    return round(float(value) * 1000)
