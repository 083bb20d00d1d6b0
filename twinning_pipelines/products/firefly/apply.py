"""One change at a time in Firefly III. Whatever breaks off, doing it again leaves each booking there exactly once.

`sending` is committed before a request that changes something, its outcome after. A request whose answer got lost is never
sent again before its external id was looked for; the server's own check for doubles catches one that arrives late.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from msgspec import Struct, field
from msgspec.structs import replace

from twinning_pipelines.products.firefly.held import held, is_remembered
from twinning_pipelines.products.firefly.outbox import GONE, Row, Written, adopt_name, save
from twinning_pipelines.products.firefly.plan import (
    Act,
    Decision,
    after_adopting,
    after_breaking_off,
    after_changing,
    after_keeping,
    after_storing,
    decide,
    equals,
    is_untouched,
    obstacle,
)
from twinning_pipelines.stores.firefly.client import Firefly, Outcome, Sending
from twinning_pipelines.stores.firefly.groups import Group, RemoteGroup, Split

_MOST_TRIES = 4
_MOST_TROUBLES = 6
_FIRST_RETRY, _LAST_RETRY = timedelta(minutes=5), timedelta(days=1)
_ENDS = {"deleted_there": Act.DELETED_THERE, "withdrawn": Act.DELETE}
_SAID = {Act.PARK: "refused", Act.DELETED_THERE: "deleted_there", Act.WITHDRAW: "withdrawn"}
_NEVER_HEARD = (
    "Firefly III knows nothing of it any more: where it is a new one, was restored from a backup or was purged, "
    "`twinning firefly forget-deleted` lets it be sent again"
)
# The rows that share a booking or trade with a row: a transfer and its two bookings.
Neighbours = Callable[[Row], Sequence[Row]]


class Desk(Struct, frozen=True):
    """What a change needs: the books, the far side, the way to send, and what it is now. `names`: by row that was never
    sent, how else it may be called there."""

    engine: sa.Engine
    firefly: Firefly
    sending: Sending
    now: Callable[[], datetime]
    names: Mapping[int, Sequence[str]] = field(default_factory=dict)

    def save(self, row: Row) -> Row:
        """Commits a row."""
        with self.engine.begin() as connection:
            save(connection, row)
        return row


class Done(Struct, frozen=True):
    """What was done to a row, and the row as it is now. `forbidden`: it is parked because it was not let in."""

    act: Act
    row: Row
    forbidden: bool = False


def apply(desk: Desk, row: Row, neighbours: Neighbours, found: Sequence[RemoteGroup] = ()) -> Done:
    """Brings one row to where it should be. found: groups there with its id, for a row that was never sent.

    Raises FarSideUnavailable and FarSideRefused; the row then says how far it came.
    """
    if row.state == "sending":
        row = recover(desk, row)
        if row.state in _ENDS:
            return Done(_ENDS[row.state], row)
    decision = decision_on(desk.firefly, row, neighbours, found)
    if decision.lost is not None:
        desk.save(_deleted_there(decision.lost))
    if row.remote_id is None and decision.remote is not None:
        row = replace(row, remote_id=decision.remote.id)
    if decision.act is Act.CREATE:
        return _create(desk, row)
    if decision.act is Act.WAIT:
        return Done(Act.WAIT, row)
    if decision.act in _SAID:
        return Done(decision.act, desk.save(replace(row, state=_SAID[decision.act], problem=decision.why or None)))
    assert decision.remote is not None
    if decision.act is Act.UPDATE:
        return _update(desk, row, decision.remote, decision)
    return _delete(desk, row, decision.remote) if decision.act is Act.DELETE else _keep(desk, row, decision)


def decision_on(firefly: Firefly, row: Row, neighbours: Neighbours, found: Sequence[RemoteGroup] = ()) -> Decision:
    """What is to be done with a row, after a look at the far side. Changes nothing."""
    remote = _there(firefly, row, found)
    decision = decide(row, remote)
    if decision.act is Act.CREATE:
        return obstacle(row, neighbours(row)) or decision
    if decision.act is Act.DELETED_THERE and not is_remembered(firefly, row):
        return Decision(Act.PARK, why=_NEVER_HEARD)
    if decision.act is not Act.DELETE:
        return decision
    return _last_one(firefly, row, neighbours) or _replacement_obstacle(firefly, row, neighbours) or decision


def _there(firefly: Firefly, row: Row, found: Sequence[RemoteGroup]) -> RemoteGroup | None:
    """The group of a row as it is now. Before it was ever sent, `found` says whether somebody else's outbox made it."""
    if row.remote_id is not None:
        return held(firefly, row)
    candidates = found if row.attempts == 0 else firefly.find(row.external_id)
    return min(candidates, key=lambda each: int(each.id), default=None)


def _last_one(firefly: Firefly, row: Row, neighbours: Neighbours) -> Decision | None:
    """Why a booking that turned out to be another must stay: somebody took the other for the double, and deleted it there."""
    for each in neighbours(row):
        stays = each.wanted is not None and each.remote_id is not None and each.movements == row.movements
        if stays and held(firefly, each) is None:
            why = "the booking that it turned out to be was deleted in Firefly III; the next push keeps this one for it"
            return Decision(Act.PARK, why=why, lost=each)
    return None


def _replacement_obstacle(firefly: Firefly, row: Row, neighbours: Neighbours) -> Decision | None:
    """Why a group must not go yet: a transfer takes the place of both its bookings or of none. None without a transfer."""
    successors = [each for each in neighbours(row) if each.wanted is not None and each.remote_id is None]
    halves = [half for each in successors for half in neighbours(each) if half.wanted is None and half.id != row.id]
    if any(each.state == "sending" for each in halves):
        return Decision(Act.WAIT, why="of the other half of its transfer nobody knows yet")
    for each in halves:
        remote = held(firefly, each)
        changed = each.remote_id is not None and (remote is None or not is_untouched(each.written, remote))
        if each.state in GONE or changed:
            return Decision(Act.PARK, why="the other half of its transfer was changed or deleted in Firefly III")
    return None


def _keep(desk: Desk, row: Row, decision: Decision) -> Done:
    """Nothing is sent: it is there as we want it, or as a person wants it."""
    assert decision.remote is not None
    assert row.wanted is not None
    if decision.act is Act.ADOPT:
        return _adopted(desk, row, row.wanted, decision.remote)
    known = row.written
    if decision.act is Act.KEEP:
        known = after_keeping(row.wanted, decision.remote, known)
    return Done(decision.act, desk.save(_settled(row, decision.remote, known)))


def _settled(row: Row, remote: RemoteGroup, known: Written) -> Row:
    return replace(row, state="done", written=known, remote_id=remote.id, attempts=1, next_at=None, problem=None)


# ------------------------------------------------------------------------------------------- create


def _create(desk: Desk, row: Row) -> Done:
    wanted = row.wanted
    assert wanted is not None
    problem = ""
    for attempt in range(_MOST_TRIES):
        # Somebody's other outbox may have made it long ago, and somebody may have deleted it: that counts too.
        if (known := _heard_of(desk, row)) is not None:
            return _found(desk, known, known.wanted or wanted)
        row = _sent(desk, row, wanted)
        sending = Sending(backfill=bool(row.written.backfill))
        outcome = desk.firefly.create(wanted, sending, refuse_doubles=row.written.removed == 0)
        if outcome.verdict != "unknown":
            return _created(desk, row, wanted, outcome)
        problem = outcome.problem
        desk.firefly.pause(attempt)
    return _trouble(desk, row, problem)


def _heard_of(desk: Desk, row: Row) -> Row | None:
    """The row under a name that the server knows or knew, a living one first; None where it knows none of them."""
    if desk.firefly.count(row.external_id) > row.written.removed:
        return row
    others = () if row.attempts else desk.names.get(row.id, ())
    heard = [name for name in others if desk.firefly.count(name)]
    heard.sort(key=lambda name: not desk.firefly.find(name))
    if not heard:
        return None
    with desk.engine.begin() as connection:
        return adopt_name(connection, row, heard[0])


def _sent(desk: Desk, row: Row, group: Group) -> Row:
    """Commits that a group is about to be sent: from here on it may be there, whatever we hear."""
    backfill = desk.sending.backfill if row.written.backfill is None else row.written.backfill
    written = replace(row.written, sending=group, backfill=backfill)
    return desk.save(replace(row, state="sending", attempts=row.attempts + 1, written=written))


def _found(desk: Desk, row: Row, wanted: Group) -> Done:
    """Its external id is known there: the group is adopted, or somebody deleted it."""
    there = desk.firefly.find(row.external_id)
    return _adopted(desk, row, wanted, there[0]) if there else Done(Act.DELETED_THERE, desk.save(_deleted_there(row)))


def _deleted_there(row: Row) -> Row:
    return replace(row, state="deleted_there", problem=None)


def _adopted(desk: Desk, row: Row, wanted: Group, found: RemoteGroup) -> Done:
    """A group with our external id. Where it differs from what we sent, or else from what we want, that is a person's doing."""
    _drop_doubles(desk, row, found)
    sending = row.written.sending
    known = after_adopting(sending if sending is not None else wanted, found, row.written)
    return Done(Act.ADOPT if sending is None else Act.CREATE, desk.save(_settled(row, found, known)))


def _created(desk: Desk, row: Row, wanted: Group, outcome: Outcome) -> Done:
    if outcome.verdict == "stored" and outcome.group is not None:
        _drop_doubles(desk, row, outcome.group)
        known = after_storing(wanted, outcome.group, row.written)
        return Done(Act.CREATE, desk.save(_settled(row, outcome.group, known)))
    if outcome.verdict == "rule_deleted":
        return Done(Act.RULE_DELETED, desk.save(replace(row, state="rule_deleted", problem=outcome.problem)))
    if outcome.verdict == "duplicate":
        return _duplicate(desk, row, wanted, outcome)
    return _trouble(desk, row, outcome.problem) if outcome.verdict == "trouble" else _refused(desk, row, outcome)


def _duplicate(desk: Desk, row: Row, wanted: Group, outcome: Outcome) -> Done:
    """The server has the very same: ours, or a group without an external id that says just this. Else it is parked."""
    if desk.firefly.count(row.external_id) > row.written.removed:
        return _found(desk, row, wanted)
    twin = desk.firefly.group(outcome.twin)
    if twin is None or twin.group.external_id or not equals(twin, replace(wanted, splits=_nameless(wanted))):
        return _parked(desk, row, outcome.problem)
    return Done(Act.ADOPT, desk.save(_settled(row, twin, after_adopting(wanted, twin, row.written))))


def _parked(desk: Desk, row: Row, problem: str) -> Done:
    written = replace(row.written, sending=None)
    return Done(Act.PARK, desk.save(replace(row, state="refused", written=written, problem=problem)))


def _refused(desk: Desk, row: Row, outcome: Outcome) -> Done:
    return replace(_parked(desk, row, outcome.problem), forbidden=outcome.verdict == "forbidden")


def _nameless(group: Group) -> tuple[Split, ...]:
    return tuple(replace(split, external_id=None) for split in group.splits)


def _trouble(desk: Desk, row: Row, problem: str) -> Done:
    """Waits longer each time, then a person has to look. What may be there is looked for before anything is sent again."""
    if row.attempts > _MOST_TROUBLES * _MOST_TRIES:
        return _parked(desk, row, problem)
    wait = min(_FIRST_RETRY * 2 ** max(row.attempts - 1, 0), _LAST_RETRY)
    return Done(Act.WAIT, desk.save(replace(row, state="retry", next_at=desk.now() + wait, problem=problem)))


def _drop_doubles(desk: Desk, row: Row, kept: RemoteGroup) -> None:
    """Deletes what a lost answer made twice: groups of our id and the very hash that say the same, after we had sent it
    more than once. A copy that somebody makes there has both as well, but not the day."""
    if row.attempts < 2:
        return
    for each in desk.firefly.find(row.external_id):
        alike = any(each.hashes) and each.hashes == kept.hashes and each.group == kept.group
        if each.id != kept.id and alike:
            desk.firefly.delete(each.id)


# ---------------------------------------------------------------------------------- update and delete


def _update(desk: Desk, row: Row, remote: RemoteGroup, decision: Decision) -> Done:
    wanted = row.wanted
    assert wanted is not None
    row = desk.save(replace(row, state="sending", written=replace(row.written, sending=wanted)))
    outcome = desk.firefly.update(remote.id, decision.changes, decision.title, desk.sending)
    if outcome.verdict == "gone":
        return Done(Act.DELETED_THERE, desk.save(_deleted_there(row)))
    if outcome.verdict == "rule_deleted":
        return Done(Act.RULE_DELETED, desk.save(replace(row, state="rule_deleted", problem=outcome.problem)))
    if outcome.verdict != "stored" or outcome.group is None:
        return _refused(desk, row, outcome)
    known = after_changing(wanted, remote, outcome.group, row.written)
    return Done(Act.UPDATE, desk.save(_settled(row, outcome.group, known)))


def _delete(desk: Desk, row: Row, remote: RemoteGroup) -> Done:
    row = desk.save(replace(row, state="sending", written=replace(row.written, sending=None)))
    desk.firefly.delete(remote.id)
    return Done(Act.DELETE, desk.save(_removed(desk, row)))


def _removed(desk: Desk, row: Row) -> Row:
    """Nothing is there, by our own hand. It may come again: more than the server remembers now would be another's deletion."""
    written = Written(removed=desk.firefly.count(row.external_id))
    state = "withdrawn" if row.wanted is None else "pending"
    return replace(row, state=state, written=written, remote_id=None, attempts=0)


# ------------------------------------------------------------------------------------------ recover


def recover(desk: Desk, row: Row) -> Row:
    """A row whose last request broke off, as the far side says that it went."""
    known = row.written
    if row.remote_id is not None:
        remote = held(desk.firefly, row)
        if known.sending is None:
            return desk.save(_removed(desk, row) if remote is None else replace(row, state="done"))
        if remote is None:
            return desk.save(replace(row, state="done", written=replace(known, sending=None)))
        return desk.save(replace(row, state="done", written=after_breaking_off(known, remote)))
    if there := desk.firefly.find(row.external_id):
        written = after_adopting(known.sending, there[0], known) if known.sending is not None else known
        _drop_doubles(desk, row, there[0])
        return desk.save(replace(row, state="done", remote_id=there[0].id, written=written))
    if desk.firefly.count(row.external_id) > known.removed:
        return desk.save(_deleted_there(row))
    return desk.save(replace(row, state="pending"))
