"""The original files at the accounts in Firefly III, if asked for: each once, with its name, its sha256 in the notes.

Each file has a row in `firefly_outbox`, one without a booking or trade. `sending` is committed before anything is sent; what may be
there after a lost answer is looked for before it is sent again. A file that somebody takes away there stays away.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.products.firefly.accounts import Place
from twinning_pipelines.products.firefly.words import cut, one_line
from twinning_pipelines.stores.firefly.client import Firefly, RemoteAttachment

# What a server takes by its usual settings; a file of years in one is for the archive.
LARGEST_BYTES = 8_000_000
_MOST_TRIES = 4
_LONGEST_NAME = 255


class Statement(Struct, frozen=True):
    """A file that tells bookings, and the account of most of them. `state`: of its row; None where there is none."""

    file_id: int
    name: str
    sha256: str
    size: int
    place: Place
    external_id: str
    state: str | None

    @property
    def note(self) -> str:
        """The line by which it is found again."""
        return f"twinning: sha256 {self.sha256}"


class Attached(NamedTuple):
    """What became of one file: whether it was sent now, and the trouble with it if there was any."""

    sent: bool
    problem: str


_FILES = """
    select distinct on (f.id) f.id, f.name, f.sha256, f.bytes, b.account_id, b.currency
    from booking b
    join booking_telling t on t.booking_id = b.id
    join transaction_sighting s on s.transaction_id = t.transaction_id
    join intake_file f on f.id = s.file_id
    where b.person_id = :person and b.gone_since is null and b.joined_to is null and f.status = 'loaded'
    group by f.id, b.account_id, b.currency
    order by f.id, count(*) desc, b.account_id, b.currency"""
_STATES = """
    select external_id, state from firefly_outbox where person_id = :person and server = :server
        and booking_ids = '{}' and trade_ids = '{}'"""


def statements_to_attach(
    connection: sa.Connection, person: tuple[int, str], server: str, ids: Mapping[Place, str], *, again: bool
) -> list[Statement]:
    """The files of a person that are not settled yet, the oldest first. ids: own accounts on the server."""
    person_id, name = person
    asked = {"person": person_id, "server": server}
    states = {row.external_id: row.state for row in connection.execute(sa.text(_STATES), asked)}
    found = []
    for row in connection.execute(sa.text(_FILES), asked):
        # Two people may each have dropped the same file, for a Firefly III user of their own.
        digest = hashlib.sha256(f"{name}\x1f{row.sha256}".encode()).hexdigest()[:32]
        external_id, place = f"tw1-file-{digest}", Place(row.account_id, row.currency)
        state, shown = states.get(external_id), Path(row.name).name
        if place in ids and (state is None or state == "sending" or (again and state == "refused")):
            found.append(Statement(row.id, shown, row.sha256, row.bytes, place, external_id, state))
    return found


class Clerk:
    """Attaches the files of one person, one after the other."""

    def __init__(self, engine: sa.Engine, firefly: Firefly, person_id: int, original: Callable[[str], bytes]) -> None:
        """original: reads an archived file by its sha256; may raise OSError."""
        self._engine, self._firefly, self._person_id, self._original = engine, firefly, person_id, original
        self._there = dict[str, list[RemoteAttachment]]()

    def attach(self, statement: Statement, account: str) -> Attached:
        """Brings one file to an account, or finds it there. Raises FarSideUnavailable and FarSideRefused."""
        if statement.size > LARGEST_BYTES:
            return Attached(False, f"{statement.name} is not attached: it has more than {LARGEST_BYTES:,} bytes")
        content = self._verified(statement)
        if isinstance(content, str):
            return self._done(statement, "refused", problem=content)
        found = self._find(statement, account, content)
        if found is not None and found.size == len(content):
            return self._done(statement, "done", found.id)
        self._save(statement, "sending", found.id if found else None)
        placed = found or self._announced(statement, account, content)
        if not isinstance(placed, RemoteAttachment):
            # Nobody knows: the row stays as it is being sent, and the next push looks.
            return Attached(False, "") if placed is None else self._done(statement, "refused", problem=placed)
        if problem := self._firefly.upload(placed.id, content):
            self._firefly.delete_attachment(placed.id)
            return self._done(statement, "refused", problem=problem)
        return self._done(statement, "done", placed.id, sent=True)

    def _verified(self, statement: Statement) -> bytes | str:
        """The archived bytes, if they are still those that were dropped; else what is wrong with them."""
        try:
            content = self._original(statement.sha256)
        except OSError as trouble:
            return f"{statement.name} can't be read from the archive: {trouble.strerror}"
        if hashlib.sha256(content).hexdigest() != statement.sha256:
            return f"{statement.name} is not in the archive as it was dropped: its sha256 differs"
        return content or f"{statement.name} is empty"

    def _find(self, statement: Statement, account: str, content: bytes) -> RemoteAttachment | None:
        """The file at the account, by the line in its notes or by its content; a second one of ours goes."""
        if account not in self._there or statement.state == "sending":
            self._there[account] = self._firefly.attachments_of(account)
        noted = [each for each in self._there[account] if statement.note in each.notes]
        if statement.state == "sending":
            noted.sort(key=lambda each: (each.size != len(content), int(each.id)))
            for double in noted[1:]:
                self._firefly.delete_attachment(double.id)
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        alike = [each for each in self._there[account] if each.size == len(content) and each.md5 == md5]
        return next(iter((*noted, *alike)), None)

    def _announced(self, statement: Statement, account: str, content: bytes) -> RemoteAttachment | str | None:
        name = cut(one_line(statement.name), _LONGEST_NAME)[0]
        for attempt in range(_MOST_TRIES):
            made = self._firefly.announce_attachment(account, name, statement.note)
            if made is not None:
                return made
            self._firefly.pause(attempt)
            self._there.pop(account, None)
            if (found := self._find(statement, account, content)) is not None:
                return found
        return None

    def _done(
        self, statement: Statement, state: str, remote_id: str | None = None, *, problem: str = "", sent: bool = False
    ) -> Attached:
        self._save(statement, state, remote_id, problem)
        return Attached(sent, problem)

    def _save(self, statement: Statement, state: str, remote_id: str | None, problem: str = "") -> None:
        values = {
            "person": self._person_id,
            "server": self._firefly.url,
            "external_id": statement.external_id,
            "state": state,
            "written": json.dumps({"file": statement.name, "sha256": statement.sha256}),
            "remote_id": remote_id,
            "problem": problem or None,
        }
        with self._engine.begin() as connection:
            connection.execute(sa.text(_SAVE), values)


_SAVE = """
    insert into firefly_outbox (person_id, server, external_id, booking_ids, state, written, remote_id, problem, attempts)
    values (:person, :server, :external_id, '{}', :state, cast(:written as jsonb), :remote_id, :problem, 1)
    on conflict (server, external_id) do update set state = excluded.state, remote_id = excluded.remote_id,
        problem = excluded.problem, attempts = firefly_outbox.attempts + 1, changed_at = now()"""
