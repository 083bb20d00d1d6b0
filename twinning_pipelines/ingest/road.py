"""The whole road for one file: keep the original, find its source, read it, load it, give a receipt.

Safe to break off anywhere and run again: the archive is written before the ledger, the ledger before the facts, the
facts in one transaction, and the inbox is cleared last.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import FileError, UnroutedFile, WaitingFile
from twinning_pipelines.ingest import archive
from twinning_pipelines.ingest.reading import Progress, read
from twinning_pipelines.ingest.route import route
from twinning_pipelines.original import Original
from twinning_pipelines.receipt import Arrival, Changes, Entry, Reading, Receipt
from twinning_pipelines.source import Rejection, Source


class Store(Protocol):
    """What the road needs of the system of record."""

    def enter(self, arrival: Arrival) -> Entry:
        """Writes a file into the ledger as pending, or finds it there."""

    def clock(self, person: str) -> Clock:
        """The person's zones."""

    def assign(self, entry: Entry, source: Source) -> None:
        """Notes who will read the file."""

    def load(self, entry: Entry, reading: Reading) -> dict[str, Changes]:
        """Merges what the file said, in one transaction."""

    def refuse(self, entry: Entry, status: str, problem: str) -> None:
        """Notes why nothing of the file was taken."""


def receive(path: Path, person: str, store: Store, archive_folder: Path) -> Entry:
    """Keeps a dropped file in the archive and enters it in the ledger. The file itself is left where it is."""
    seen = path.stat()
    sha256, place = archive.keep(path, archive_folder)
    modified_at = datetime.fromtimestamp(seen.st_mtime, tz=UTC)
    return store.enter(Arrival(person, sha256, path.name, place.stat().st_size, modified_at))


def take(
    entry: Entry,
    store: Store,
    archive_folder: Path,
    sources: Sequence[Source],
    *,
    again: bool = False,
    progress: Progress | None = None,
) -> Receipt:
    """Reads and loads one file of the ledger. A file that the same version of its source has loaded is not read again.

    again: read it even so. Never raises for what is wrong with the file: the receipt and the ledger say it.
    """
    original = Original(archive.place_of(archive_folder, entry.sha256), entry.name, entry.modified_at)
    try:
        source = route(original, sources)
        store.assign(entry, source)
        if not again and _is_loaded(entry, source):
            return _unchanged(entry, source)
        with read(original, source, store.clock(entry.person), progress=progress) as reading:
            changes = store.load(entry, reading)
            return receipt_of(entry.name, reading, changes, tuple(reading.first_rejections))
    except WaitingFile as wait:
        return Receipt(entry.name, entry.source, problem=str(wait), waits=True)
    except FileError as wrong:
        status = "unrouted" if isinstance(wrong, UnroutedFile) else "unreadable"
        store.refuse(entry, status, str(wrong))
        return Receipt(entry.name, entry.source, problem=str(wrong))


def look(path: Path, clock: Clock, sources: Sequence[Source], *, progress: Progress | None = None) -> Receipt:
    """Reads one file without storing anything: the dry run of `twinning check`."""
    source: Source | None = None
    try:
        original = Original.at(path)
        source = route(original, sources)
        with read(original, source, clock, progress=progress, keep=False) as reading:
            return receipt_of(str(path), reading, None, tuple(reading.first_rejections))
    except FileError as wrong:
        return Receipt(str(path), source.name if source else None, problem=str(wrong))
    except OSError as wrong:
        return _closed(path, wrong)


def why_closed(path: Path) -> Receipt | None:
    """The receipt of a file that can't be opened; None if it can."""
    try:
        path.open("rb").close()
    except OSError as wrong:
        return _closed(path, wrong)
    return None


def receipt_of(
    name: str, reading: Reading, changes: dict[str, Changes] | None, rejections: tuple[Rejection, ...]
) -> Receipt:
    """The receipt of a file that was read."""
    return Receipt(
        file=name,
        source=reading.source.name,
        counts=dict(reading.counts),
        changes=changes,
        rejections=rejections,
        unit=reading.source.unit,
        notices=tuple(reading.notices),
        elements=tuple(reading.accounts),
    )


def _closed(path: Path, wrong: OSError) -> Receipt:
    return Receipt(str(path), None, problem=f"can't be opened: {wrong.strerror}")


def _is_loaded(entry: Entry, source: Source) -> bool:
    return (entry.status, entry.source, entry.source_version) == ("loaded", source.name, source.version)


def _unchanged(entry: Entry, source: Source) -> Receipt:
    """The receipt of a file whose very bytes are loaded already: every row of it is the same."""
    counts = entry.counts or {}
    changes = {name: Changes(same=each.accepted) for name, each in counts.items()}
    notice = ("these very bytes are loaded already",)
    return Receipt(entry.name, source.name, counts, changes, unit=source.unit, notices=notice)
