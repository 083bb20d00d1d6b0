"""What travels between the rooms: an arrival is entered in the ledger, a reading is what the file said, a receipt what
became of it. `ingest` makes them, stores take them, everybody shows them.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa
from msgspec import Struct, field

from twinning_pipelines.records.record import Record
from twinning_pipelines.source import Account, Claim, Rejection, Source

SHOWN_REJECTIONS = 10


class Counts(Struct, frozen=True):
    """Rows of one table in one file. `read = accepted + rejected`, always."""

    accepted: int
    rejected: int

    @property
    def read(self) -> int:
        """Rows met in the file."""
        return self.accepted + self.rejected


class Arrival(Struct, frozen=True):
    """What is known of a file before anybody read it."""

    person: str
    sha256: str
    name: str
    size: int
    modified_at: datetime


class Entry(Struct, frozen=True):
    """A file in the ledger. status: pending, loaded, unreadable or unrouted."""

    file_id: int
    person: str
    sha256: str
    name: str
    modified_at: datetime
    source: str | None
    source_version: int | None
    status: str
    counts: dict[str, Counts] | None


class Changes(Struct, frozen=True):
    """What a file changed in one table.

    new + edited + same = accepted. same: already known so, or known better from a newer file. absent: known facts of the
    time that the file covers which it does not mention.
    """

    new: int = 0
    edited: int = 0
    same: int = 0
    absent: int = 0


class Reading(Protocol):
    """What one file said, checked, waiting on disk: memory is bounded by the batch, never by the file."""

    @property
    def source(self) -> Source:
        """Who read it."""

    @property
    def exported_at(self) -> datetime | None:
        """When the file says it was made."""

    @property
    def counts(self) -> Mapping[str, Counts]:
        """By table name; every table of the source that the file had rows for."""

    @property
    def claims(self) -> Sequence[Claim]:
        """Totals that the file states about itself."""

    @property
    def notices(self) -> Sequence[str]:
        """Sentences for the person who dropped it."""

    @property
    def accounts(self) -> Sequence[Account]:
        """What became of the elements of each name, for documents that are made of elements."""

    @property
    def devices(self) -> Mapping[str, str]:
        """What kind of device an origin is, where the file says so: watch, phone or other."""

    def accepted(self, record: Record) -> Iterator[pa.RecordBatch]:
        """The good rows of one table, batch by batch."""

    def rejections(self) -> Iterator[Rejection]:
        """Every rejected row."""

    def digest(self, record: Record) -> int:
        """What the good rows of a table of a whole export say, as one number."""

    def blocks(self, record: Record) -> pa.Table:
        """The days of a series: block (a key), metric, origin, day (UTC), n, digest; in order of block."""

    def stretch(self, record: Record, first: int, last: int) -> Iterator[pa.RecordBatch]:
        """The rows of a series whose `block` is between these two: block, started_at, ended_at, value, label, detail, at."""


class Receipt(Struct, frozen=True):
    """What became of one file. `problem` says why nothing of it was taken; then there are no tables. waits: it is not to be
    put aside, since a person has to mend something else first."""

    file: str
    source: str | None = None
    counts: Mapping[str, Counts] = field(default_factory=dict)
    changes: Mapping[str, Changes] | None = None
    rejections: tuple[Rejection, ...] = ()
    unit: str = "line"
    notices: tuple[str, ...] = ()
    elements: tuple[Account, ...] = ()
    problem: str | None = None
    waits: bool = False

    @property
    def read(self) -> int:
        """Rows met in the file, over all tables."""
        return sum(each.read for each in self.counts.values())

    @property
    def accepted(self) -> int:
        """Good rows, over all tables."""
        return sum(each.accepted for each in self.counts.values())

    @property
    def rejected(self) -> int:
        """Rejected rows, over all tables."""
        return sum(each.rejected for each in self.counts.values())

    def document(self) -> dict[str, Any]:
        """The JSON document of the command-line contract: one for each file."""
        head: dict[str, Any] = {"file": self.file, "source": self.source}
        if self.problem is not None:
            head["error"] = self.problem
        return (
            head
            | {
                "read": self.read,
                "accepted": self.accepted,
                "rejected": self.rejected,
                "tables": {name: self._table(name, counts) for name, counts in self.counts.items()},
                "rejections": [
                    {"at": f"{self.unit} {each.at}", "table": each.record, "reason": each.reason}
                    for each in self.rejections
                ],
                "notices": list(self.notices),
            }
            | self._elements()
        )

    def _elements(self) -> dict[str, Any]:
        if not self.elements:
            return {}
        told = {
            each.element: {
                "count": each.count,
                "stored": each.stored,
                "rejected": each.rejected,
                "ignored": dict(each.ignored),
            }
            for each in self.elements
        }
        return {"elements": told}

    def _table(self, name: str, counts: Counts) -> dict[str, int]:
        table = {"accepted": counts.accepted, "rejected": counts.rejected}
        if self.changes is None:
            return table
        change = self.changes.get(name, Changes())
        return table | {"new": change.new, "edited": change.edited, "same": change.same, "absent": change.absent}
