"""What is there already of bookings and trades that this outbox never sent, under any of their names: another database may
have sent them.

A booking told by several files is called by one of its tellings; where the files come in another order, by another. Its
group is found by all of them and keeps its name. What is there in a form that is not wanted (both halves of a transfer, a
transfer of bookings that stand by themselves, a booking twice) is written down, so that it goes, if nobody changed it, before
the other form comes.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from hashlib import sha256

from msgspec import Struct

from twinning_pipelines.products.firefly.outbox import Row, Written, carriers, renamed
from twinning_pipelines.products.firefly.plan import after_finding
from twinning_pipelines.products.firefly.wanted import Movement, WantedBooks
from twinning_pipelines.stores.firefly.client import Firefly
from twinning_pipelines.stores.firefly.groups import RemoteGroup

_OURS = re.compile(r"tw1-[0-9a-f]+(-[0-9a-f]{8})?")
_MARK_DIGITS = 8


class There(Struct, frozen=True):
    """`found`: groups of rows that were never sent, by row; `renamed`: those of them whose group has another name there, with
    that name; `others`: groups that are ours in a form that is not wanted, as rows with ids below zero."""

    found: Mapping[int, Sequence[RemoteGroup]]
    renamed: Sequence[Row]
    others: Sequence[Row]


def other_names(books: WantedBooks, rows: Sequence[Row]) -> dict[int, tuple[str, ...]]:
    """By row that was never sent, how else its group may be called there; a name that another row has seen there is not."""
    taken = {row.external_id for row in rows if not row.is_untold}
    by_id = {row.id: row for row in rows}
    found = dict[int, tuple[str, ...]]()
    for row_id, wanted in carriers(books, rows).items():
        row = by_id[row_id]
        if row.remote_id is None and row.attempts == 0:
            names = (wanted.external_id, *wanted.aliases)
            found[row_id] = tuple(each for each in names if each != row.external_id and each not in taken)
    return found


def look(
    firefly: Firefly, books: WantedBooks, rows: Sequence[Row], todo: Sequence[Row], known: set[str] | None
) -> There:
    """Reads each account of what was never sent, a year at a time. known: the accounts that are there; None: all.

    Raises FarSideUnavailable and FarSideRefused.
    """
    fresh = [row for row in todo if row.remote_id is None and row.attempts == 0 and row.wanted]
    names = other_names(books, rows)
    owner = {name: row for row in fresh for name in names.get(row.id, ())} | {row.external_id: row for row in fresh}
    taken = {row.external_id for row in rows if not row.is_untold}
    held = {row.remote_id for row in rows}
    mine, rest = defaultdict[int, list[RemoteGroup]](list), list[RemoteGroup]()
    for group in _groups(firefly, fresh, known):
        name = group.group.external_id
        if name in owner:
            mine[owner[name].id].append(group)
        elif _OURS.fullmatch(name) and name not in taken and group.id not in held:
            rest.append(group)
    found, new_names = dict[int, list[RemoteGroup]](), list[Row]()
    for row in fresh:
        if groups := mine.get(row.id):
            # Our own name before an alias, then the oldest.
            groups.sort(key=lambda each: int(each.id))
            names_there = [each.group.external_id for each in groups]
            called = row.external_id if row.external_id in names_there else names_there[0]
            found[row.id] = [each for each in groups if each.group.external_id == called]
            rest += [each for each in groups if each.group.external_id != called]
            if called != row.external_id:
                new_names.append(renamed(row, called))
    return There(found, new_names, list(_others(books, rest)))


def _groups(firefly: Firefly, fresh: Iterable[Row], known: set[str] | None) -> Iterator[RemoteGroup]:
    """Every group on the accounts and in the years of these rows, once."""
    windows = defaultdict[tuple[str, int], list[date]](list)
    for row in fresh:
        for split in row.wanted.splits[:1] if row.wanted else ():
            ends = {"deposit": (split.destination_id,), "withdrawal": (split.source_id,)}
            for own in ends.get(split.type, (split.source_id, split.destination_id)):
                if own is not None and (known is None or own in known):
                    windows[own, split.date.year].append(split.date)
                    windows[own, split.date.year] += [split.process_date] if split.process_date else []
    seen = set[str]()
    for (account, _), days in windows.items():
        for group in firefly.groups_of(account, min(days), max(days)):
            if group.id not in seen:
                seen.add(group.id)
                yield group


def _others(books: WantedBooks, rest: Sequence[RemoteGroup]) -> Iterator[Row]:
    if not rest:
        return
    single = {
        name: each for each in (*books.groups.values(), *books.others) for name in (each.external_id, *each.aliases)
    }
    by_key = {key: booking for booking, keys in books.names.items() for key in keys}
    by_mark = {sha256(key.encode()).hexdigest()[:_MARK_DIGITS]: booking for key, booking in by_key.items()}
    for number, group in enumerate(rest, start=1):
        name = group.group.external_id
        wanted = single.get(name)
        if wanted is not None:
            yield _row(-number, group, wanted.movements, after_finding(wanted.named(name), group))
            continue
        first, _, mark = name.rpartition("-")
        both = dict.fromkeys(each for each in (by_key.get(first), by_mark.get(mark)) if each is not None)
        if both:
            yield _row(-number, group, tuple(Movement("booking", each) for each in both), Written())


def _row(number: int, group: RemoteGroup, movements: tuple[Movement, ...], written: Written) -> Row:
    return Row(number, group.group.external_id, movements, "done", None, written, group.id, 1, None, None)
