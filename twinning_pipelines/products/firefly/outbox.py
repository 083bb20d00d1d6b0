"""What has been, is being and is still to be done in Firefly III, one row for each booking, pair or trade.

pending ─▶ sending ─▶ done                 sending is written before a request that changes anything
                   ├▶ retry                trouble with this one; tried again at `next_at`
                   ├▶ refused              parked with the server's words, until we want something else
                   ├▶ rule_deleted         a rule there deleted it: so be it
                   ├▶ deleted_there        a person deleted it: so be it
                   └▶ withdrawn            there is nothing there, and nothing is wanted
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from twinning_pipelines.products.firefly.wanted import Movement, Wanted, WantedBooks
from twinning_pipelines.products.firefly.words import without_provenance
from twinning_pipelines.stores.firefly.groups import Document, Group


class Written(Struct, frozen=True):
    """What we know of the far side. `sent`: what we last wanted there; `held`: what it made of it, as far as nobody else
    changed it since; `journals`: the ids of those splits; `sending`: what is on its way; `removed`: how many the server
    remembers that we deleted;
    `backfill`: whether it was sent as part of one."""

    sent: Group | None = None
    held: Group | None = None
    journals: tuple[str, ...] = ()
    sending: Group | None = None
    removed: int = 0
    backfill: bool | None = None

    def document(self) -> Document:
        """As JSON."""
        groups = {
            name: each.document() for name in ("sent", "held", "sending") if (each := getattr(self, name)) is not None
        }
        rest: Document = {"journals": list(self.journals), "removed": self.removed}
        return groups | rest | ({"backfill": self.backfill} if self.backfill is not None else {})

    @classmethod
    def of(cls, document: Mapping[str, Any] | None) -> "Written":
        """From JSON."""
        told = document or {}
        groups = {name: Group.of(told[name]) for name in ("sent", "held", "sending") if name in told}
        return cls(
            **groups,
            journals=tuple(told.get("journals", ())),
            removed=told.get("removed", 0),
            backfill=told.get("backfill"),
        )


# Somebody or a rule took it away there: it is not made again.
GONE = frozenset({"deleted_there", "rule_deleted"})


class Row(Struct, frozen=True):
    """One row of `firefly_outbox`. `external_id`: by which it is known there, which may be an alias of what we call it now."""

    id: int
    external_id: str
    movements: tuple[Movement, ...]
    state: str
    wanted: Group | None
    written: Written
    remote_id: str | None
    attempts: int
    next_at: datetime | None
    problem: str | None

    @property
    def is_settled(self) -> bool:
        """Whether what is wanted is what we last wrote."""
        return self.wanted is not None and essence(self.wanted) == essence(self.written.sent)

    @property
    def is_pair(self) -> bool:
        """Whether it is two bookings in one, perhaps with one that the files do not tell now."""
        return self.external_id.count("-") == 2

    @property
    def is_alive(self) -> bool:
        """Whether something of it is there, or may be."""
        return self.state not in GONE and (self.remote_id is not None or self.attempts > 0 or self.state == "sending")

    @property
    def is_untold(self) -> bool:
        """Whether the far side has never heard its name from this outbox."""
        return self.state not in GONE and not self.is_alive and self.written == Written()


def essence(group: Group | None) -> Group | None:
    """A group without what is no reason to write it again: which file tells it, and its budget, given only when it is made."""
    if group is None:
        return None
    bare = (replace(each, notes=without_provenance(each.notes), budget_name=None) for each in group.splits)
    return replace(group, splits=tuple(bare))


_COLUMNS = "id, external_id, booking_ids, trade_ids, state, wanted, written, remote_id, attempts, next_at, problem"


def rows_of(connection: sa.Connection, person_id: int, server: str) -> list[Row]:
    """Every row of a person's bookings and trades on a server, in the order in which they came."""
    # Files that are attached have neither.
    statement = f"""
        select {_COLUMNS} from firefly_outbox
        where person_id = :person and server = :server and (booking_ids <> '{{}}' or trade_ids <> '{{}}')
        order by id"""  # noqa: S608
    found = connection.execute(sa.text(statement), {"person": person_id, "server": server})
    return [_row(each) for each in found]


def _row(found: sa.Row[Any]) -> Row:
    return Row(
        id=found.id,
        external_id=found.external_id,
        movements=(
            *(Movement("booking", each) for each in found.booking_ids),
            *(Movement("trade", each) for each in found.trade_ids),
        ),
        state=found.state,
        wanted=Group.of(found.wanted) if found.wanted is not None else None,
        written=Written.of(found.written),
        remote_id=found.remote_id,
        attempts=found.attempts,
        next_at=found.next_at,
        problem=found.problem,
    )


def reread(connection: sa.Connection, row: Row) -> Row:
    """A row as it is now."""
    statement = f"select {_COLUMNS} from firefly_outbox where id = :id"  # noqa: S608
    return _row(connection.execute(sa.text(statement), {"id": row.id}).one())


def note_wanted(connection: sa.Connection, person_id: int, server: str, books: WantedBooks) -> None:
    """Writes down what is wanted now. What was refused or withdrawn waits again if something else is wanted of it."""
    rows = rows_of(connection, person_id, server)
    carried = carriers(books, rows)
    placed = {each.external_id for each in carried.values()}
    _insert(connection, person_id, server, [each for name, each in books.groups.items() if name not in placed])
    for row in rows:
        wanted = carried.get(row.id)
        movements = wanted.movements if wanted else tuple(map(books.became, row.movements))
        if wanted is None and books.unsaid.intersection(movements):
            continue
        group = wanted.named(row.external_id) if wanted else None
        if (group, movements) != (row.wanted, row.movements):
            new = replace(row, wanted=group, movements=movements)
            save(connection, new if essence(group) == essence(row.wanted) else _wanting(new))


def carriers(books: WantedBooks, rows: Sequence[Row]) -> dict[int, Wanted]:
    """Which row, by id, each wanted group has: that of its own name, or one that has it there under another."""
    own = {row.external_id: row for row in rows}
    carried = {own[name].id: each for name, each in books.groups.items() if name in own and own[name].is_alive}
    by_movements = {(row.movements, row.is_pair): row for row in sorted(rows, key=lambda row: row.is_alive)}
    done = {each.external_id for each in carried.values()}
    for name, wanted in books.groups.items():
        if name in done:
            continue
        ranked = [
            by_movements.get((wanted.movements, len(wanted.movements) == 2)),
            *map(own.get, (*wanted.aliases, name)),
        ]
        free = [row for row in ranked if row is not None and row.id not in carried]
        free = [row for row in free if row.external_id == name or row.external_id not in books.groups]
        chosen = (
            next((row for row in free if row.is_alive), None)
            or next((row for row in free if row.state in GONE), None)
            or own.get(name)
        )
        if chosen is not None:
            carried[chosen.id] = wanted
    return carried


def _wanting(row: Row) -> Row:
    never_sent = row.remote_id is None and row.attempts == 0
    if row.wanted is None and never_sent and row.state in {"pending", "refused", "retry"}:
        return replace(row, state="withdrawn", problem=None)
    if row.state in {"refused", "retry", "withdrawn"}:
        return replace(row, state="pending", problem=None, next_at=None)
    return row


def adopt_name(connection: sa.Connection, row: Row, name: str) -> Row:
    """A row that was never sent, under the name by which its group is known there; that is not rewritten there."""
    statement = """
        delete from firefly_outbox o using firefly_outbox mine
        where mine.id = :id and o.server = mine.server and o.external_id = :name and o.id <> mine.id
            and o.wanted is null and o.remote_id is null and o.attempts = 0"""
    connection.execute(sa.text(statement), {"id": row.id, "name": name})
    called = renamed(row, name)
    save(connection, called)
    return called


def renamed(row: Row, name: str) -> Row:
    """The same, not yet written."""
    wanted = row.wanted
    if wanted is not None:
        wanted = replace(wanted, splits=tuple(replace(split, external_id=name) for split in wanted.splits))
    return replace(row, external_id=name, wanted=wanted)


def insert_found(connection: sa.Connection, person_id: int, server: str, row: Row) -> None:
    """Writes down a group that is there although nothing is wanted of it under its name. `row.id` is left aside."""
    statement = """
        insert into firefly_outbox (person_id, server, external_id, booking_ids, trade_ids, state, written, remote_id, attempts)
        values (:person, :server, :external_id, :bookings, :trades, :state, cast(:written as jsonb), :remote_id, 1)
        on conflict (server, external_id) do nothing"""
    values = {
        "person": person_id,
        "server": server,
        "external_id": row.external_id,
        "state": row.state,
        "written": json.dumps(row.written.document()),
        "remote_id": row.remote_id,
        **_ids(row.movements),
    }
    connection.execute(sa.text(statement), values)


def _insert(connection: sa.Connection, person_id: int, server: str, new: Iterable[Wanted]) -> None:
    statement = """
        insert into firefly_outbox (person_id, server, external_id, booking_ids, trade_ids, state, wanted)
        values (:person, :server, :external_id, :bookings, :trades, 'pending', cast(:wanted as jsonb))"""
    values = [
        {
            "person": person_id,
            "server": server,
            "external_id": each.external_id,
            "wanted": json.dumps(each.group.document()),
            **_ids(each.movements),
        }
        for each in new
    ]
    if values:
        connection.execute(sa.text(statement), values)


def _ids(movements: Iterable[Movement]) -> dict[str, list[int]]:
    """By the name of their parameter."""
    ids: dict[str, list[int]] = {"bookings": [], "trades": []}
    for each in movements:
        ids[f"{each.record}s"].append(each.id)
    return ids


def save(connection: sa.Connection, row: Row) -> None:
    """Writes a row as it is."""
    statement = """
        update firefly_outbox set external_id = :external_id, state = :state, wanted = cast(:wanted as jsonb),
            written = cast(:written as jsonb),
            booking_ids = :bookings, trade_ids = :trades, remote_id = :remote_id, attempts = :attempts, next_at = :next_at,
            problem = :problem, changed_at = now()
        where id = :id"""
    values = {
        "id": row.id,
        "external_id": row.external_id,
        "state": row.state,
        "wanted": json.dumps(row.wanted.document()) if row.wanted is not None else None,
        "written": json.dumps(row.written.document()),
        **_ids(row.movements),
        "remote_id": row.remote_id,
        "attempts": row.attempts,
        "next_at": row.next_at,
        "problem": row.problem,
    }
    connection.execute(sa.text(statement), values)


_STORED_IN_A_BATCH = """
    person_id = :person and server = :server and state not in ('sending', 'retry', 'pending')
    and written @> '{"backfill": true}'"""


def batch_is_open(connection: sa.Connection, person_id: int, server: str) -> bool:
    """Whether something was stored as part of a backfill that nobody finished."""
    statement = f"select exists (select 1 from firefly_outbox where {_STORED_IN_A_BATCH})"  # noqa: S608
    return bool(connection.execute(sa.text(statement), {"person": person_id, "server": server}).scalar_one())


def close_batch(connection: sa.Connection, person_id: int, server: str) -> None:
    """Forgets that they were part of a backfill; those still on their way stay in it."""
    statement = f"update firefly_outbox set written = written - 'backfill' where {_STORED_IN_A_BATCH}"  # noqa: S608
    connection.execute(sa.text(statement), {"person": person_id, "server": server})
