"""Lists that a person keeps by hand: a newer version of one leaves out what was corrected or taken out since.

A file is a newer version of another if it tells again at least half of what that one tells of the days that it covers.
Files that share less stand beside each other: nothing is lost where somebody begins a new list every evening.

The register of a finance program is such a list too, but banks write QIF as well, cut anywhere: there only an amount is
corrected, on a day that the files before and after tell as a whole.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from twinning_pipelines.marts.books.tellings import Coverage, Telling

_LISTS = frozenset({"finance.cash_book"})
_REGISTERS = frozenset({"finance.qif"})


def superseded(rows: Sequence[Telling], coverage: Coverage, successors: dict[int, int]) -> set[int]:
    """Rows, by id, that nothing takes the place of and that no longer count. What was corrected gets its successor."""
    if rows[0].source in _LISTS:
        return taken_out(rows, coverage, successors)
    if rows[0].source in _REGISTERS:
        _correct_amounts(rows, coverage, successors)
    return set()


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


def _correct_amounts(rows: Sequence[Telling], coverage: Coverage, successors: dict[int, int]) -> None:
    """A row that is left out, where the next file to bring one of its day, words and direction brings one alone."""
    taken = set(successors.values()) | successors.keys()
    alike: dict[tuple[object, ...], list[Telling]] = defaultdict(list)
    for row in rows:
        if row.id not in taken and row.words and not row.pending:
            alike[row.day, row.words, row.amount < 0].append(row)
    for some in alike.values():
        heirs: dict[int, list[Telling]] = {}
        for old in some:
            later = [row for row in some if row.files[0] > old.files[-1]]
            if later and coverage.is_left_out(old) and coverage.is_of_a_whole_day(old):
                first = min(row.files[0] for row in later)
                heirs[old.id] = [row for row in later if row.files[0] == first]
        claims = [new.id for found in heirs.values() for new in found]
        for old_id, found in heirs.items():
            if len(found) == 1 and claims.count(found[0].id) == 1 and coverage.is_of_a_whole_day(found[0]):
                successors[old_id] = found[0].id
