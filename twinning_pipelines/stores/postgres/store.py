"""The system of record as the road sees it: a ledger of files, and one transaction for what a file says."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from msgspec.structs import replace

from twinning_pipelines.clock import Clock, Stay
from twinning_pipelines.receipt import Arrival, Changes, Counts, Entry, Reading
from twinning_pipelines.records.money import EXCHANGE_RATE, HOLDING, PRICE, TRADE, TRANSACTION
from twinning_pipelines.records.record import Record
from twinning_pipelines.source import Rejection, Source
from twinning_pipelines.stores.postgres.origins import know_devices
from twinning_pipelines.stores.postgres.rows import Telling, merge_rows
from twinning_pipelines.stores.postgres.series import merge_series
from twinning_pipelines.stores.postgres.told import Told, keep, repeats

AfterLoad = Callable[[sa.Connection, int], None]

_BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
_CHUNK = 5_000

_ENTRY = """
    select f.id, p.name, f.sha256, f.name, f.modified_at, f.source, f.source_version, f.status, f.receipt
    from intake_file f join person p on p.id = f.person_id"""

# The same bytes dropped again say again what they said, now: they are read again if another file spoke in between.
_ENTER = """
    insert into intake_file (person_id, sha256, name, bytes, modified_at, as_of, status)
    values (:person, :sha256, :name, :bytes, :modified_at, :modified_at, 'pending')
    on conflict (person_id, sha256) do update set
        modified_at = greatest(intake_file.modified_at, excluded.modified_at),
        status = case when exists (
            select 1 from intake_file other
            where other.person_id = excluded.person_id and other.source = intake_file.source
                and other.id <> intake_file.id and other.as_of >= intake_file.as_of
                and other.as_of <= excluded.modified_at and excluded.modified_at > intake_file.modified_at
        ) then 'pending' else intake_file.status end
    returning id"""

# What the books of a household are settled from.
_BOOKED = {record.name for record in (TRANSACTION, TRADE, HOLDING, PRICE, EXCHANGE_RATE)}
# An update even where it says nothing new: whoever settles these books meanwhile waits, and sees this load.
_STALE_BOOKS = """
    insert into stale_books (person_id) values (:person) on conflict (person_id) do update set person_id = excluded.person_id"""

_SETTLE_IN = (
    """insert into person_zone (person_id, since, zone) values (:id, :since, :zone)
        on conflict (person_id, since) do update set zone = excluded.zone""",
    """insert into stale_rollup (person_id, metric_id, first, last)
        select person_id, metric_id, min(day) - 1, max(day) + 1 from sample_chunk where person_id = :id group by 1, 2""",
    """insert into stale_day (person_id, day)
        select distinct person_id, generate_series(first, last, interval '1 day')::date from stale_rollup
            where person_id = :id
        union
        select :id, f.day + shift from daily_fact f, generate_series(-1, 1) as shift where f.person_id = :id
        on conflict do nothing""",
)


class PostgresStore:
    """Implements `ingest.road.Store`. `after_load` runs in the loading transaction, with the person's id."""

    def __init__(self, engine: sa.Engine, home: Clock, after_load: AfterLoad) -> None:
        self._engine = engine
        self._home = home
        self._after_load = after_load

    def enter(self, arrival: Arrival) -> Entry:
        """Writes a file into the ledger as pending, or finds it there."""
        with self._engine.begin() as connection:
            person_id = self._person(connection, arrival.person)
            file_id = connection.execute(
                sa.text(_ENTER),
                {
                    "person": person_id,
                    "sha256": arrival.sha256,
                    "name": arrival.name,
                    "bytes": arrival.size,
                    "modified_at": arrival.modified_at,
                },
            ).scalar_one()
            return next(self._entries(connection, "f.id = :id", {"id": file_id}))

    def pending(self, source: str | None = None) -> list[Entry]:
        """Files that wait to be read, oldest first; of one source, or those that nobody has looked at yet."""
        wanted = "f.source = :source" if source else "f.source is null"
        with self._engine.connect() as connection:
            return list(self._entries(connection, f"f.status = 'pending' and {wanted}", {"source": source}))

    def outdated(self, source: Source) -> list[Entry]:
        """Files that an older version of the source has read, or that it rejected rows of: to be driven again."""
        with self._engine.connect() as connection:
            return list(
                self._entries(
                    connection,
                    "f.source = :source and f.status = 'loaded' and (f.source_version < :version or exists "
                    "(select 1 from rejection r where r.file_id = f.id))",
                    {"source": source.name, "version": source.version},
                )
            )

    def refused(self) -> list[Entry]:
        """Files that could not be read or routed."""
        with self._engine.connect() as connection:
            return list(self._entries(connection, "f.status in ('unreadable', 'unrouted')", {}))

    def clock(self, person: str) -> Clock:
        """The person's zones; the home's for somebody who was never seen."""
        statement = "select since, zone from person_zone z join person p on p.id = z.person_id where p.name = :name"
        with self._engine.connect() as connection:
            stays = [
                Stay(since, ZoneInfo(zone)) for since, zone in connection.execute(sa.text(statement), {"name": person})
            ]
        return replace(self._home, stays=Clock.of(stays).stays) if stays else self._home

    def people(self) -> list[str]:
        """Everybody who ever dropped a file."""
        with self._engine.connect() as connection:
            return list(connection.execute(sa.text("select name from person order by name")).scalars())

    def settle_in(self, person: str, zone: str, since: datetime | None) -> None:
        """Notes that a person lives in a zone from an instant on, or ever; all their days become stale."""
        with self._engine.begin() as connection:
            person_id = self._person(connection, person)
            values = {"id": person_id, "zone": zone, "since": since or _BEGINNING}
            for statement in _SETTLE_IN:
                connection.execute(sa.text(statement), values)
            self._after_load(connection, person_id)

    def assign(self, entry: Entry, source: Source) -> None:
        """Notes who will read the file; one that was refused before gets another chance."""
        chance = "case when status in ('unreadable', 'unrouted') then 'pending' else status end"
        self._update(entry, f"source = :source, problem = null, status = {chance}", {"source": source.name})

    def refuse(self, entry: Entry, status: str, problem: str) -> None:
        """Notes why nothing of the file was taken. What an earlier reading of it stored stays."""
        self._update(entry, "status = :status, problem = :problem", {"status": status, "problem": problem})

    def load(self, entry: Entry, reading: Reading) -> dict[str, Changes]:
        """Merges what the file said: facts, rejections, claims, receipt and marks of what is stale, or nothing at all."""
        source = reading.source
        with self._engine.begin() as connection:
            person_id = self._person(connection, entry.person)
            # One file of a person at a time: two processes would see each other's facts as missing.
            connection.execute(sa.text("select pg_advisory_xact_lock(1, :person)"), {"person": person_id})
            self._date(connection, entry, reading)
            know_devices(connection, source.name, reading.devices)
            telling = Telling(entry.file_id, person_id, source.name, source.whole)
            changes = {}
            for record in source.records:
                if record.name in reading.counts:
                    changes[record.name] = _merge(connection, record, telling, reading)
            self._quarantine(connection, entry, reading)
            self._keep_claims(connection, entry, reading)
            if _BOOKED & {record.name for record in source.records}:
                connection.execute(sa.text(_STALE_BOOKS), {"person": person_id})
            self._after_load(connection, person_id)
            self._settle(connection, entry, reading)
        return changes

    def _person(self, connection: sa.Connection, name: str) -> int:
        """The id of a person, who gets the home zone when first seen."""
        connection.execute(sa.text("insert into person (name) values (:name) on conflict do nothing"), {"name": name})
        person_id = int(
            connection.execute(sa.text("select id from person where name = :name"), {"name": name}).scalar_one()
        )
        connection.execute(
            sa.text(
                "insert into person_zone (person_id, since, zone) select :id, :since, :zone "
                "where not exists (select 1 from person_zone where person_id = :id) on conflict do nothing"
            ),
            {"id": person_id, "since": _BEGINNING, "zone": self._home.stays[0].zone.key},
        )
        return person_id

    def _entries(self, connection: sa.Connection, condition: str, values: dict[str, object]) -> Iterator[Entry]:
        rows = connection.execute(sa.text(f"{_ENTRY} where {condition} order by f.modified_at, f.id"), values)
        for file_id, person, sha256, name, modified_at, source, version, status, receipt in rows:
            yield Entry(file_id, person, sha256, name, modified_at, source, version, status, _counts(receipt))

    def _update(self, entry: Entry, assignment: str, values: dict[str, object]) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                sa.text(f"update intake_file set {assignment} where id = :id"),  # noqa: S608
                values | {"id": entry.file_id},
            )

    def _date(self, connection: sa.Connection, entry: Entry, reading: Reading) -> None:
        """A file tells facts as of the moment it states for its export, else as of its own time."""
        connection.execute(
            sa.text("update intake_file set as_of = coalesce(:stated, modified_at) where id = :id"),
            {"stated": reading.exported_at, "id": entry.file_id},
        )

    def _quarantine(self, connection: sa.Connection, entry: Entry, reading: Reading) -> None:
        connection.execute(sa.text("delete from rejection where file_id = :id"), {"id": entry.file_id})
        statement = sa.text(
            "insert into rejection (file_id, record, at, reason, raw) values (:file_id, :record, :at, :reason, :raw)"
        )
        rejections = reading.rejections()
        while chunk := [_rejected(entry, each) for each in islice(rejections, _CHUNK)]:
            connection.execute(statement, chunk)

    def _keep_claims(self, connection: sa.Connection, entry: Entry, reading: Reading) -> None:
        connection.execute(sa.text("delete from claim where file_id = :id"), {"id": entry.file_id})
        rows = [
            {
                "file_id": entry.file_id,
                "kind": claim.kind,
                "subject": claim.subject,
                "day": claim.day,
                "value": claim.value,
                "unit": claim.unit,
                "at": claim.at,
            }
            for claim in reading.claims
        ]
        if rows:
            connection.execute(
                sa.text(
                    "insert into claim (file_id, kind, subject, day, value, unit, at) "
                    "values (:file_id, :kind, :subject, :day, :value, :unit, :at)"
                ),
                rows,
            )

    def _settle(self, connection: sa.Connection, entry: Entry, reading: Reading) -> None:
        receipt = {name: [each.accepted, each.rejected] for name, each in reading.counts.items()}
        connection.execute(
            sa.text(
                "update intake_file set status = 'loaded', problem = null, source = :source, source_version = :version, "
                "receipt = cast(:receipt as jsonb), loaded_at = now() where id = :id"
            ),
            {
                "source": reading.source.name,
                "version": reading.source.version,
                "receipt": json.dumps(receipt),
                "id": entry.file_id,
            },
        )


def _merge(connection: sa.Connection, record: Record, telling: Telling, reading: Reading) -> Changes:
    """One table of a file into its place. Where it says just what the newest export has said, nothing is written."""
    merge = merge_series if record.series else merge_rows
    if not telling.whole:
        return merge(connection, record, telling, reading)
    told = Told(record.name, reading.counts[record.name].accepted, reading.digest(record))
    if repeats(connection, telling, told):
        return Changes(same=told.n)
    changes = merge(connection, record, telling, reading)
    keep(connection, telling, told)
    return changes


def _rejected(entry: Entry, rejection: Rejection) -> dict[str, object]:
    return {
        "file_id": entry.file_id,
        "record": rejection.record,
        "at": rejection.at,
        "reason": rejection.reason,
        "raw": rejection.raw,
    }


def _counts(receipt: dict[str, list[int]] | None) -> dict[str, Counts] | None:
    if receipt is None:
        return None
    return {name: Counts(accepted, rejected) for name, (accepted, rejected) in receipt.items()}
