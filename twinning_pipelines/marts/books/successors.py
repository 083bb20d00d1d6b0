"""Which rows of one source took each other's place: banks change the ids and the words of what they tell.

A day counts only where one of the two files covers the days to both sides of it, for exports are cut in mid-day.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby

from twinning_pipelines.marts.books.tellings import Coverage, Telling, likeness


def successors_of(rows: Sequence[Telling], coverage: Coverage) -> dict[int, int]:
    """Rows, by id, whose place another row has taken."""
    successors: dict[int, int] = {}
    by_bank_id: dict[str, list[Telling]] = defaultdict(list)
    by_amount: dict[tuple[date, Decimal], list[Telling]] = defaultdict(list)
    for row in rows:
        if row.bank_id:
            by_bank_id[row.bank_id].append(row)
        by_amount[row.day, row.amount].append(row)
    for row in rows:
        for old in by_bank_id.get(row.corrects, ()) if row.corrects else ():
            if old.id != row.id and not _leads_to(row.id, old.id, successors):
                successors[old.id] = row.id
    # Equal words of one day and amount first: some banks number their rows anew in every file.
    for same_words, groups in ((True, by_amount), (True, by_bank_id), (False, by_bank_id), (False, by_amount)):
        for alike in groups.values():
            if len(alike) > 1:
                _replace(alike, coverage, successors, same_words=same_words)
    for alike in by_amount.values():
        if len(alike) > 1:
            _rename(alike, coverage, successors)
    return successors


def _leads_to(row: int, other: int, successors: Mapping[int, int]) -> bool:
    """Has `other` taken the place of `row`, perhaps by way of others?"""
    while row in successors and row != other:
        row = successors[row]
    return row == other


def _replace(alike: Sequence[Telling], coverage: Coverage, successors: dict[int, int], *, same_words: bool) -> None:
    """Of rows with one bank id, or one day and amount: those left out by newer files, and those that came in their place."""
    gone = [row for row in alike if row.id not in successors and (row.pending or coverage.is_left_out(row))]
    taken = set(successors.values())
    for old in gone:
        heirs = [
            row
            for row in alike
            if row.id not in taken and row.id not in successors and old.id not in successors
            if _takes_place(row, old) and (not same_words or row.words == old.words)
        ]
        rivals = [each for each in gone if each.id not in successors]
        if heirs and (same_words or len(heirs) == len(rivals) == 1):
            successors[old.id] = heirs[0].id
            taken.add(heirs[0].id)


def _rename(alike: Sequence[Telling], coverage: Coverage, successors: dict[int, int]) -> None:
    """Rows of one day and amount that are others in other words, file after file.

    A newer file that tells the whole day tells all old ones again, and an older one that does had told all new ones.
    """
    heirs = set(successors.values())
    rows = [row for row in alike if row.id not in successors and not row.pending]
    known: list[Telling] = []
    for rank, arrived in groupby(sorted(rows, key=lambda row: row.files[0]), key=lambda row: row.files[0]):
        fresh = list(arrived)
        old = [row for row in known if row.files[-1] < rank]
        new = [row for row in fresh if row.id not in heirs]
        if not coverage.tells_whole(rank, fresh[0].day):
            old = [row for row in old if coverage.is_of_a_whole_day(row)]
            may_be_same = len(new) <= len(old)
        else:
            may_be_same = len(old) <= len(new)
        if may_be_same:
            _pair_by_words(old, new, successors)
        known = [row for row in (*known, *fresh) if row.id not in successors]


def _pair_by_words(old: Sequence[Telling], new: Sequence[Telling], successors: dict[int, int]) -> None:
    """Those most alike go together, until one side is used up."""
    taken: set[int] = set()
    pairs = ((before, after) for before in old for after in new)
    for before, after in sorted(pairs, key=lambda pair: -likeness(pair[0].words, pair[1].words)):
        if before.id not in successors and after.id not in taken:
            successors[before.id] = after.id
            taken.add(after.id)


def _takes_place(row: Telling, old: Telling) -> bool:
    """A file that tells both holds them for two; so does the bank where two rows of a day have one id."""
    if row.id == old.id or not set(row.files).isdisjoint(old.files) or row.files[-1] < old.files[-1]:
        return False
    if old.pending:
        return not row.pending and bool(row.bank_id) and row.bank_id == old.bank_id
    return not row.pending
