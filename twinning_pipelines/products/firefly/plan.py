"""What follows for one booking, pair or trade, from what is wanted, what was last written and what is there now.

Pure: no database, no network. A field is changed only if we want something else than before and the far side still holds
what it made of our last write; where a person changed it there, theirs stays, for good.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from twinning_pipelines.products.firefly.outbox import GONE, Row, Written
from twinning_pipelines.products.firefly.words import without_provenance
from twinning_pipelines.stores.firefly.groups import FIELDS, Document, Group, RemoteGroup, Split, written

# Never changed by us once a group is there: it names it, and the API changes a budget by its number only.
_FIXED = frozenset({"external_id", "budget_name"})
_OWNED = tuple(name for name in FIELDS if name not in _FIXED)
_SIDES = frozenset({"source_id", "source_name", "destination_id", "destination_name"})
# Names of accounts and budgets follow their numbers; somebody who renames one did not touch the group, but one who gives a
# budget to what had none.
_TOUCHED_BY = tuple(name for name in _OWNED if name not in {"source_name", "destination_name"})
_KEPT = "no file tells it any more, or a transfer or another booking has it, but it was changed in Firefly III and stays there"
_UNKNOWN = (
    "it is in Firefly III as part of a transfer that the files do not tell now; it is kept, since it may be right"
)


class Act(StrEnum):
    """What is to be done."""

    CREATE = "create"
    ADOPT = "adopt"
    UPDATE = "update"
    KEEP = "keep"
    DELETE = "delete"
    WITHDRAW = "withdraw"
    PARK = "park"
    DELETED_THERE = "deleted_there"
    RULE_DELETED = "rule_deleted"
    WAIT = "wait"
    NOTHING = "nothing"
    ATTACH = "attach"


class Decision(Struct, frozen=True):
    """An act on a row. `changes`: for each split what is sent; `title`: that of the group, if it is to be changed; `why`:
    what a person should know; `lost`: a row that turned out to have nothing there any more."""

    act: Act
    remote: RemoteGroup | None = None
    changes: tuple[Document, ...] = ()
    title: str | None = None
    why: str = ""
    lost: Row | None = None


def decide(row: Row, remote: RemoteGroup | None) -> Decision:
    """What follows for a row whose group on the far side is `remote`; None: there is none now."""
    if remote is None:
        if row.remote_id is not None:
            return Decision(Act.DELETED_THERE)
        return Decision(Act.WITHDRAW if row.wanted is None else Act.CREATE)
    if row.wanted is None:
        untouched = is_untouched(row.written, remote)
        why = _UNKNOWN if row.written == Written() else _KEPT
        return Decision(Act.DELETE, remote) if untouched else Decision(Act.PARK, remote, why=why)
    if row.written.sent is None or row.written.held is None:
        return Decision(Act.ADOPT, remote)
    return Decision(Act.NOTHING, remote) if row.is_settled else _change(row.wanted, row.written, remote)


def _change(wanted: Group, known: Written, remote: RemoteGroup) -> Decision:
    assert known.sent is not None
    if not _has_shape_of(wanted, known, remote):
        if not is_untouched(known, remote):
            return Decision(Act.KEEP, remote, why="its parts were changed in Firefly III")
        return Decision(Act.UPDATE, remote, _rewritten(wanted, remote), wanted.title)
    changes = _changes(wanted, known.sent, known, remote)
    ours = known.held is not None and remote.group.title == known.held.title
    title = wanted.title if ours and wanted.title != known.sent.title else None
    act = Act.UPDATE if title or any(len(each) > 1 for each in changes) else Act.KEEP
    return Decision(act, remote, changes, title)


def _has_shape_of(wanted: Group, known: Written, remote: RemoteGroup) -> bool:
    """Whether every split that we want is one that we know there, and there is no other."""
    if known.sent is None or known.held is None or set(remote.journals) != set(known.journals):
        return False
    return len(wanted.splits) == len(known.sent.splits) == len(known.held.splits) == len(known.journals)


def is_untouched(known: Written, remote: RemoteGroup) -> bool:
    """Whether a group is what the far side made of our last write."""
    if known.held is None or remote.is_handled or remote.group.title != known.held.title:
        return False
    held = known.held.splits
    if set(remote.journals) != set(known.journals) or len(known.journals) != len(held):
        return False
    there = dict(zip(remote.journals, remote.group.splits, strict=True))
    both = [(there[journal], old) for journal, old in zip(known.journals, held, strict=True)]
    if any(now.budget_name is not None and old.budget_name is None for now, old in both):
        return False
    return all(_said(now, name) == _said(old, name) for now, old in both for name in _TOUCHED_BY)


def _said(split: Split, name: str) -> object:
    value = getattr(split, name)
    return without_provenance(value) if name == "notes" else value


def _changes(wanted: Group, last: Group, known: Written, remote: RemoteGroup) -> tuple[Document, ...]:
    """For each split its id and the fields to be changed."""
    assert known.held is not None
    ours = dict(zip(known.journals, zip(wanted.splits, last.splits, known.held.splits, strict=True), strict=True))
    changes = []
    for journal, now in zip(remote.journals, remote.group.splits, strict=True):
        want, sent, held = ours[journal]
        change: Document = {"transaction_journal_id": journal}
        for name in _OWNED:
            if _said(want, name) != _said(sent, name) and _said(now, name) == _said(held, name):
                change[name] = _sendable(name, getattr(want, name))
        changes.append(change)
    return tuple(changes)


def _rewritten(wanted: Group, remote: RemoteGroup) -> tuple[Document, ...]:
    """Every split anew: those that are there keep their ids, others are made, the rest is left out and so deleted."""
    ids = [*remote.journals, *([""] * len(wanted.splits))]
    return tuple(
        _whole(split) | ({"transaction_journal_id": journal} if journal else {"external_id": split.external_id})
        for journal, split in zip(ids, wanted.splits, strict=False)
    )


def _whole(split: Split) -> Document:
    """All that we own of a split, also what it shall no longer have; of its two accounts just what we say of them."""
    return {name: _sendable(name, value) for name, value in _ours(split).items()}


def _sendable(name: str, value: object) -> Any:
    """Nothing is said by null, or by an empty text for notes, which the server would otherwise leave as they are."""
    return "" if name == "notes" and value is None else written(value)


def after_storing(group: Group, stored: RemoteGroup, known: Written) -> Written:
    """What we know after a group was stored as we wanted it."""
    return replace(known, sent=group, held=stored.group, journals=stored.journals, sending=None)


def after_adopting(wanted: Group, found: RemoteGroup, known: Written) -> Written:
    """What we know of a group that is ours by its external id, without knowing what we last wrote.

    Where it says something else than we want, that counts as a person's change, and stays.
    """
    if len(found.group.splits) != len(wanted.splits):
        return replace(known, sent=wanted, held=wanted, journals=(), sending=None)
    held = tuple(_as_we_say(want, now) for want, now in zip(wanted.splits, found.group.splits, strict=True))
    said = Group(held, wanted.title)
    return replace(known, sent=wanted, held=said, journals=found.journals, sending=None)


def _as_we_say(want: Split, now: Split) -> Split:
    ours = {name: value for name in _OWNED if (value := getattr(want, name)) is not None and value != ()}
    return replace(now, **ours)


def after_finding(would_be: Group, found: RemoteGroup) -> Written:
    """What we know of a group that is not wanted any more, if our other outbox made it: where it differs, somebody changed it."""
    if len(found.group.splits) != len(would_be.splits):
        return Written(sent=would_be, held=would_be)
    both = zip(would_be.splits, found.group.splits, strict=True)
    held = tuple(replace(now, **_ours(want)) for want, now in both)
    return Written(sent=would_be, held=Group(held, would_be.title), journals=found.journals)


def _ours(want: Split) -> dict[str, Any]:
    """All that we own of a split; of its two accounts just what we say of them."""
    told = {name: getattr(want, name) for name in _OWNED}
    return {name: value for name, value in told.items() if value is not None or name not in _SIDES}


def after_keeping(wanted: Group, there: RemoteGroup, known: Written) -> Written:
    """What we know after nothing was sent, for what differs is a person's change."""
    if not _has_shape_of(wanted, known, there):
        return replace(known, sent=wanted, sending=None)
    return after_changing(wanted, there, there, known)


def after_changing(wanted: Group, before: RemoteGroup, stored: RemoteGroup, known: Written) -> Written:
    """What we know after a change: a field that somebody else had changed keeps what it held after our last write."""
    if (
        known.held is None
        or len(stored.journals) != len(known.held.splits)
        or set(stored.journals) != set(known.journals)
    ):
        return after_storing(wanted, stored, known)
    was, now = (dict(zip(each.journals, each.group.splits, strict=True)) for each in (before, stored))
    held = tuple(
        _merged(old, was.get(journal, old), now[journal])
        for journal, old in zip(known.journals, known.held.splits, strict=True)
    )
    title = stored.group.title if before.group.title == known.held.title else known.held.title
    return replace(known, sent=wanted, held=Group(held, title), sending=None)


def _merged(held: Split, was: Split, now: Split) -> Split:
    theirs = {name: getattr(held, name) for name in _OWNED if _said(was, name) != _said(held, name)}
    return replace(now, **theirs)


def after_breaking_off(known: Written, found: RemoteGroup) -> Written:
    """What we know after a change that broke off: where the far side holds what was on its way, that was written."""
    sending, sent, held = known.sending, known.sent, known.held
    if sending is None or sent is None or held is None:
        return replace(known, sending=None)
    if not _has_shape_of(sending, known, found):
        arrived = len(found.group.splits) == len(sending.splits) and _holds(found.group, sending)
        return after_storing(sending, found, known) if arrived else replace(known, sending=None)
    there = dict(zip(found.journals, found.group.splits, strict=True))
    parts = zip(sending.splits, sent.splits, held.splits, (there[each] for each in known.journals), strict=True)
    new_sent, new_held = [], []
    for want, old, was, now in parts:
        arrived_fields = [name for name in _OWNED if _said(now, name) == _said(want, name) != _said(was, name)]
        new_sent.append(replace(old, **{name: getattr(want, name) for name in arrived_fields}))
        new_held.append(replace(was, **{name: getattr(now, name) for name in arrived_fields}))
    title_arrived = found.group.title == sending.title != held.title
    sent = Group(tuple(new_sent), sending.title if title_arrived else sent.title)
    held = Group(tuple(new_held), found.group.title if title_arrived else held.title)
    return replace(known, sent=sent, held=held, sending=None)


def _holds(there: Group, wanted: Group) -> bool:
    """Whether every field that we want says what we want."""
    return all(
        _said(now, name) == _said(want, name)
        for now, want in zip(there.splits, wanted.splits, strict=True)
        for name in _OWNED
        if getattr(want, name) is not None and getattr(want, name) != ()
    )


def equals(there: RemoteGroup, wanted: Group) -> bool:
    """Whether a group that carries no external id says in every field what we want."""
    return len(there.group.splits) == len(wanted.splits) and _holds(there.group, wanted)


def work(rows: Iterable[Row], now: datetime, *, again: bool) -> list[Row]:
    """The rows with something to do: first what broke off, then what goes, what changes, what comes.

    again: those that were refused and those whose time has not come, too.
    """
    return sorted((row for row in rows if _has_work(row, now, again=again)), key=_place)


def _place(row: Row) -> tuple[int, str, int]:
    if row.state == "sending":
        return 0, "", row.id
    if row.wanted is None:
        return 1, "", row.id
    return 3 if row.remote_id is None else 2, row.wanted.splits[0].date.isoformat(), row.id


def _has_work(row: Row, now: datetime, *, again: bool) -> bool:
    if row.state == "pending":
        return True
    if row.state in {"sending", "retry"}:
        return again or row.next_at is None or row.next_at <= now
    return again if row.state == "refused" else row.state == "done" and not row.is_settled


def obstacle(row: Row, others: Sequence[Row]) -> Decision | None:
    """Why a group must not be made: what it tells is, or was, there in another group that we have not taken away.

    others: the rows that share a booking or trade with it. A deletion there holds for a pair as well as for its bookings.
    """
    alive = [
        each for each in others if each.state not in GONE and (each.remote_id is not None or each.state == "sending")
    ]
    if any(each.state == "refused" for each in alive):
        return Decision(Act.PARK, why="its bookings are in Firefly III in another form that stays there")
    if alive:
        return Decision(Act.WAIT, why="its bookings are still in Firefly III in another form")
    deleted = {movement for each in others if each.state in GONE for movement in each.movements}
    if deleted >= set(row.movements):
        return Decision(Act.DELETED_THERE, why="it was deleted in Firefly III in another form")
    return Decision(Act.PARK, why="a part of it was deleted in Firefly III") if deleted else None
