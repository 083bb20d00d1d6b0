"""All of a person's bookings and trades to Firefly III: look, plan, one change after the other, within a budget of time.

A second push finds nothing to do and sends no write at all.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

import sqlalchemy as sa
from msgspec import Struct, field
from msgspec.structs import replace

from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable, TwinningError
from twinning_pipelines.products.firefly.accounts import Place, known_accounts, known_ids, own_accounts, resolve
from twinning_pipelines.products.firefly.apply import Desk, Neighbours, apply, decision_on
from twinning_pipelines.products.firefly.held import is_there
from twinning_pipelines.products.firefly.outbox import (
    GONE,
    Row,
    Written,
    adopt_name,
    batch_is_open,
    close_batch,
    insert_found,
    note_wanted,
    rows_of,
    save,
)
from twinning_pipelines.products.firefly.patience import Patience
from twinning_pipelines.products.firefly.plan import Act, work
from twinning_pipelines.products.firefly.statements import Clerk, statements_to_attach
from twinning_pipelines.products.firefly.there import There, look, other_names
from twinning_pipelines.products.firefly.wanted import Movement, WantedBooks, wanted_books
from twinning_pipelines.stores.firefly.access import FireflyAccess
from twinning_pipelines.stores.firefly.client import Firefly, Sending


def _utc() -> datetime:
    return datetime.now(UTC)


class Manner(Struct, frozen=True):
    """How to push. backfill: without rules and webhooks there; again: also what was refused; `seconds`: how long at most;
    `pace`: seconds between two changes, for a small server; original: reads an archived file by its sha256, if files are to be
    attached to the accounts that they tell of."""

    backfill: bool = False
    again: bool = False
    seconds: float = 3600
    pace: float = 0.0
    original: Callable[[str], bytes] | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = _utc


class Pushed(Struct, frozen=True):
    """What one push did for one person: acts by name, bookings and trades left out by reason, what is left to be done, and
    which files could not be attached and why."""

    person: str
    acts: Mapping[str, int]
    left_out: Mapping[str, int]
    accounts: int
    account_problems: Sequence[str]
    waiting: int
    out_of_time: bool = False
    file_problems: Sequence[str] = ()

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "person": self.person,
            **{name: self.acts.get(name, 0) for name in Act if name is not Act.NOTHING},
            "left_out": dict(self.left_out),
            "accounts": self.accounts,
            "account_problems": list(self.account_problems),
            "file_problems": list(self.file_problems),
            "waiting": self.waiting,
            "out_of_time": self.out_of_time,
        }


class _Rows(Struct):
    """The outbox of one person, kept as it changes."""

    by_id: dict[int, Row]
    by_movement: dict[Movement, set[int]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "_Rows":
        made = cls({row.id: row for row in rows})
        for row in rows:
            for movement in row.movements:
                made.by_movement[movement].add(row.id)
        return made

    def neighbours(self, row: Row) -> list[Row]:
        """The other rows that share a booking or trade with it."""
        ids = {each for movement in row.movements for each in self.by_movement[movement]} - {row.id}
        return [self.by_id[each] for each in sorted(ids)]


def people_of(engine: sa.Engine, access: FireflyAccess, only: str | None = None) -> list[tuple[int, str]]:
    """Those who have accounts and a token, by id and name; or the one of them who is asked for."""
    statement = (
        "select id, name from person p where exists (select 1 from account a where a.person_id = p.id) order by name"
    )
    with engine.connect() as connection:
        people = [(row.id, row.name) for row in connection.execute(sa.text(statement))]
    return [(number, name) for number, name in people if access.has(name) and only in {None, name}]


def push_everybody(
    engine: sa.Engine, access: FireflyAccess, units: Mapping[str, str], manner: Manner, only: str | None = None
) -> Iterator[Pushed]:
    """Pushes for each person who has a token, or for one. Trouble with one does not keep the others; it is raised last."""
    troubles = list[TwinningError]()
    for person in people_of(engine, access, only):
        with access.client(person[1]) as firefly:
            try:
                yield push(engine, firefly, person, units, manner)
            except (FarSideUnavailable, FarSideRefused) as trouble:
                troubles.append(trouble)
    if troubles:
        raise troubles[0]


def push(
    engine: sa.Engine, firefly: Firefly, person: tuple[int, str], units: Mapping[str, str], manner: Manner
) -> Pushed:
    """Brings one person's Firefly III up to date.

    person: id and name; units: what a source counts its rows in. Raises FarSideUnavailable (also while another push to the
    same books is running) and FarSideRefused; what was done until then is done.
    """
    person_id, name = person
    deadline = manner.clock() + manner.seconds
    with _alone(engine, f"{firefly.url} {name}"):
        firefly.version()
        with engine.connect() as connection:
            accounts = own_accounts(connection, person_id)
        resolved = resolve(engine, firefly, name, accounts)
        wanted = _noted(engine, firefly, person_id, resolved.ids, units)
        rows, there = _looked(engine, firefly, person_id, wanted, manner)
        names = other_names(wanted, list(rows.by_id.values()))
        desk = Desk(engine, firefly, Sending(backfill=manner.backfill), manner.now, names)
        acts, in_time = _apply_all(desk, rows, there, manner, deadline)
        _finish_batch(engine, firefly, person_id)
        waiting = len(work(rows.by_id.values(), manner.now(), again=True))
        files = _attach_all(desk, person, resolved.ids, manner, deadline)
        acts.update({Act.ATTACH: files.sent} if files.sent else {})
    in_time = in_time and files.in_time
    problems = [f"{each.name}: {resolved.problems[each.place]}" for each in accounts if each.place in resolved.problems]
    return Pushed(name, acts, wanted.left_out, len(resolved.ids), problems, waiting, not in_time, files.problems)


def foresee(
    engine: sa.Engine, firefly: Firefly, person: tuple[int, str], units: Mapping[str, str], manner: Manner
) -> Iterator[tuple[str, str, str]]:
    """What a push would do: act, external id, and why where that needs saying. Writes nothing, here or there."""
    person_id, name = person
    firefly.version()
    with engine.connect() as connection:
        accounts = own_accounts(connection, person_id)
        stored = known_ids(connection, firefly.url, accounts)
    ids = {place: each.id for place, each in known_accounts(engine, firefly, name, accounts, stored).items()}
    with engine.connect() as connection:
        unmade = [each for each in accounts if each.place not in ids]
        ids |= {each.place: f"new {each.name}" for each in unmade}
        wanted = wanted_books(connection, person_id, ids, units)
        transaction = connection.begin_nested()
        note_wanted(connection, person_id, firefly.url, wanted)
        rows = _Rows.of(rows_of(connection, person_id, firefly.url))
        transaction.rollback()
        connection.rollback()
    for account in unmade:
        yield "account", account.name, "found by IBAN, number or name, or else made"
    every = list(rows.by_id.values())
    todo = work(every, manner.now(), again=manner.again)
    there = look(firefly, wanted, every, todo, {number for number in ids.values() if number.isdecimal()})
    rows = _Rows.of((rows.by_id | {row.id: row for row in (*there.renamed, *there.others)}).values())
    files = _foreseen_files(engine, firefly, person, ids, manner)
    for row in work(rows.by_id.values(), manner.now(), again=manner.again):
        decision = decision_on(firefly, row, rows.neighbours, there.found.get(row.id, ()))
        if decision.act is not Act.NOTHING:
            yield decision.act.value, row.external_id, decision.why
    yield from ((Act.ATTACH.value, name, "") for name in files)


def _foreseen_files(
    engine: sa.Engine, firefly: Firefly, person: tuple[int, str], ids: Mapping[Place, str], manner: Manner
) -> list[str]:
    if manner.original is None:
        return []
    with engine.connect() as connection:
        found = statements_to_attach(connection, person, firefly.url, ids, again=manner.again)
    return [each.name for each in found]


def foresee_everybody(
    engine: sa.Engine, access: FireflyAccess, units: Mapping[str, str], manner: Manner, only: str | None = None
) -> Iterator[tuple[str, str, str, str]]:
    """The same for each person who has a token, or for one; the person comes first."""
    for person in people_of(engine, access, only):
        with access.client(person[1]) as firefly:
            yield from ((person[1], *each) for each in foresee(engine, firefly, person, units, manner))


def forget_everybodys_deletions(engine: sa.Engine, access: FireflyAccess, only: str | None = None) -> int:
    """Lets what is gone there come again, for everybody who has a token, or for one; answers how many."""
    forgotten = 0
    for person in people_of(engine, access, only):
        with access.client(person[1]) as firefly:
            forgotten += forget_deletions(engine, firefly, person)
    return forgotten


def forget_deletions(engine: sa.Engine, firefly: Firefly, person: tuple[int, str]) -> int:
    """Lets what is gone there be pushed again, whoever deleted it: for a server that was restored from an older backup.

    Answers how many groups will come again.
    """
    person_id, name = person
    with _alone(engine, f"{firefly.url} {name}"):
        rows = _read(engine, firefly, person_id)
        gone = [row for row in rows.by_id.values() if _was_there(row) and not is_there(firefly, row)]
        for row in gone:
            # As many as the server remembers are forgotten; one more would be a new deletion.
            _begin_anew(engine, row, Written(removed=firefly.count(row.external_id)))
        # What was kept back because of a part of it that is forgotten now.
        held_up = {each.id: each for row in gone for each in rows.neighbours(row) if not _was_there(each)}
        kept_back = [each for each in held_up.values() if each.state == "refused"]
        for row in kept_back:
            _begin_anew(engine, row, row.written)
    return sum(row.wanted is not None for row in (*gone, *kept_back))


def _was_there(row: Row) -> bool:
    return row.state in {"done", *GONE} or (row.state == "refused" and row.remote_id is not None)


def _begin_anew(engine: sa.Engine, row: Row, known: Written) -> None:
    state = "withdrawn" if row.wanted is None else "pending"
    new = replace(row, state=state, remote_id=None, attempts=0, written=known, problem=None)
    with engine.begin() as connection:
        save(connection, new)


def _noted(
    engine: sa.Engine, firefly: Firefly, person_id: int, ids: Mapping[Place, str], units: Mapping[str, str]
) -> WantedBooks:
    with engine.begin() as connection:
        wanted = wanted_books(connection, person_id, ids, units)
        note_wanted(connection, person_id, firefly.url, wanted)
    return wanted


def _read(engine: sa.Engine, firefly: Firefly, person_id: int) -> _Rows:
    with engine.connect() as connection:
        return _Rows.of(rows_of(connection, person_id, firefly.url))


def _looked(
    engine: sa.Engine, firefly: Firefly, person_id: int, books: WantedBooks, manner: Manner
) -> tuple[_Rows, There]:
    """The outbox, with all that is there already of what was never sent."""
    rows = _read(engine, firefly, person_id)
    every = list(rows.by_id.values())
    there = look(firefly, books, every, work(every, manner.now(), again=manner.again), None)
    if not (there.renamed or there.others):
        return rows, there
    with engine.begin() as connection:
        for row in there.renamed:
            adopt_name(connection, row, row.external_id)
        for row in there.others:
            insert_found(connection, person_id, firefly.url, row)
    return _read(engine, firefly, person_id), there


def _apply_all(desk: Desk, rows: _Rows, there: There, manner: Manner, deadline: float) -> tuple[Counter[str], bool]:
    """Every change, one after the other; answers what was done and whether there was time for all of it."""
    todo = work(rows.by_id.values(), manner.now(), again=manner.again)
    neighbours: Neighbours = rows.neighbours
    acts, patience = Counter[str](), Patience(desk)
    for row in todo:
        if manner.clock() > deadline:
            return acts, False
        try:
            done = apply(desk, row, neighbours, there.found.get(row.id, ()))
        except FarSideUnavailable as silence:
            rows.by_id[row.id] = patience.after_silence(row, silence)
            continue
        patience.after(done)
        rows.by_id[row.id] = done.row
        acts[done.act] += 1
        if manner.pace:
            manner.sleep(manner.pace)
    return acts, True


class _Files(NamedTuple):
    sent: int
    problems: Sequence[str]
    in_time: bool


def _attach_all(
    desk: Desk, person: tuple[int, str], ids: Mapping[Place, str], manner: Manner, deadline: float
) -> _Files:
    """The files behind the bookings, where that is asked for: each once, at the account of most of its bookings."""
    if manner.original is None:
        return _Files(0, (), True)
    with desk.engine.connect() as connection:
        todo = statements_to_attach(connection, person, desk.firefly.url, ids, again=manner.again)
    clerk = Clerk(desk.engine, desk.firefly, person[0], manner.original)
    sent, problems = 0, list[str]()
    for statement in todo:
        if manner.clock() > deadline:
            return _Files(sent, problems, False)
        attached = clerk.attach(statement, ids[statement.place])
        sent += attached.sent
        problems += [attached.problem] if attached.problem else []
        if manner.pace and attached.sent:
            manner.sleep(manner.pace)
    return _Files(sent, problems, True)


def _finish_batch(engine: sa.Engine, firefly: Firefly, person_id: int) -> None:
    """Ends a backfill, also one that an earlier push began and broke off."""
    with engine.connect() as connection:
        if not batch_is_open(connection, person_id, firefly.url):
            return
    firefly.finish_batch()
    with engine.begin() as connection:
        close_batch(connection, person_id, firefly.url)


@contextmanager
def _alone(engine: sa.Engine, what: str) -> Iterator[None]:
    """One push at a time to the same books, whoever starts it: two would look at the same moment and both send."""
    lock = int.from_bytes(sha256(what.encode()).digest()[:8], "big", signed=True)
    with engine.connect() as connection:
        if not connection.execute(sa.text("select pg_try_advisory_lock(:lock)"), {"lock": lock}).scalar_one():
            raise FarSideUnavailable("another push to this Firefly III is running; try again when it is done")
        connection.commit()
        try:
            yield
        finally:
            connection.execute(sa.text("select pg_advisory_unlock(:lock)"), {"lock": lock})
            connection.commit()
