"""What files tell of an account: rows, the days that the files of a source cover, and how alike the words of two rows are."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct

Span = tuple[date, date]


class Telling(Struct, frozen=True):
    """One row of one source. files: the ranks of the files that tell it, oldest first; a rank orders files in time.

    batch: what the parts of a batch have in common, empty for everything else. corrects: the bank's id of the row that
    this one replaces, or takes back (`revokes`).
    """

    id: int
    source: str
    day: date
    amount: Decimal
    words: frozenset[str]
    files: tuple[int, ...]
    bank_id: str = ""
    reference: str = ""
    batch: str = ""
    corrects: str = ""
    revokes: bool = False
    pending: bool = False


class Coverage:
    """The days that the files of one source tell of an account."""

    def __init__(self, tellings: Iterable[Telling], spans: Mapping[int, Span]) -> None:
        self._spans = {rank: spans[rank] for each in tellings for rank in each.files}
        self.newest = max(self._spans)
        self.last = max(last for _, last in self._spans.values())
        self._merged = _merged(self._spans.values())
        self._begins = [first for first, _ in self._merged]

    def holds(self, day: date) -> bool:
        """Is the day told of, perhaps in part?"""
        place = bisect_right(self._begins, day) - 1
        return place >= 0 and day <= self._merged[place][1]

    def holds_whole(self, day: date) -> bool:
        """Does one file tell of the days before and after it as well, and so of all of it?"""
        return any(self.tells_whole(rank, day) for rank in self._spans)

    def tells(self, rank: int, day: date) -> bool:
        """Does a file tell of the day, perhaps in part?"""
        first, last = self._spans[rank]
        return first <= day <= last

    def tells_whole(self, rank: int, day: date) -> bool:
        """Does a file tell of the days before and after this one as well, and so of all of it?"""
        first, last = self._spans[rank]
        return first < day < last

    def is_of_a_whole_day(self, telling: Telling) -> bool:
        """Does one of the files that tell it tell all that there was on its day?"""
        return any(self.tells_whole(rank, telling.day) for rank in telling.files)

    def is_left_out(self, telling: Telling) -> bool:
        """Does a newer file that tells all of its day leave it out?"""
        newest = telling.files[-1]
        return any(rank > newest and self.tells_whole(rank, telling.day) for rank in self._spans)


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Stretches of days that touch or overlap, as one."""
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + timedelta(days=1):
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def likeness(some: frozenset[str], others: frozenset[str]) -> float:
    """The share of words of the shorter text that the other one has too, 0 to 1."""
    if not some or not others:
        return 0.0
    return len(some & others) / min(len(some), len(others))
