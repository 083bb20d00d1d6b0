"""Lists that a person keeps by hand: a newer version of one leaves out what was corrected or taken out since.

A file is a newer version of another if it tells again at least half of what that one tells of the days that it covers.
Files that share less stand beside each other: nothing is lost where somebody begins a new list every evening.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from twinning_pipelines.marts.books.tellings import Coverage, Telling

HAND_KEPT = frozenset({"finance.cash_book"})


def taken_out(rows: Sequence[Telling], coverage: Coverage, successors: dict[int, int]) -> set[int]:
    """Rows, by id, that the newest version of their list leaves out. One that was corrected gets a successor instead."""
    told: dict[int, list[Telling]] = defaultdict(list)
    for row in rows:
        for rank in row.files:
            told[rank].append(row)
    newer = {old: [new for new in told if new > old and _is_version(old, new, told, coverage)] for old in told}
    gone = [
        row
        for row in rows
        if row.id not in successors and any(coverage.tells(rank, row.day) for rank in newer[row.files[-1]])
    ]
    left = {row.id for row in gone}
    taken = set(successors.values()) | successors.keys() | left
    fresh = [row for row in rows if row.id not in taken]
    heirs = {old.id: [new for new in fresh if _corrects(new, old)] for old in gone}
    claims = [new.id for some in heirs.values() for new in some]
    for old, some in heirs.items():
        if len(some) == 1 and claims.count(some[0].id) == 1:
            successors[old] = some[0].id
    return left - successors.keys()


def _is_version(old: int, new: int, told: Mapping[int, Sequence[Telling]], coverage: Coverage) -> bool:
    common = [row for row in told[old] if coverage.tells(new, row.day)]
    again = sum(new in row.files for row in common)
    return again > 0 and again * 2 >= len(common)


def _corrects(new: Telling, old: Telling) -> bool:
    """Of day, amount and words two are the same."""
    same = (new.day == old.day) + (new.amount == old.amount) + (new.words == old.words)
    return new.files[0] > old.files[-1] and same == 2
