"""Emptying the inbox: every file that is whole goes to the archive and the ledger, then leaves the inbox.

A file that nobody can read goes to `quarantine/<person>/` beside a note that says why. It is never deleted.
"""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from twinning_pipelines.errors import FileError, UnroutedFile, WaitingFile
from twinning_pipelines.ingest.archive import place_of
from twinning_pipelines.ingest.inbox import Dropped, is_stable, scan
from twinning_pipelines.ingest.road import Store, receive, take
from twinning_pipelines.ingest.route import route
from twinning_pipelines.original import Original
from twinning_pipelines.receipt import Entry, Receipt
from twinning_pipelines.source import Source

log = logging.getLogger(__name__)


class Folders(Struct, frozen=True):
    """Where files wait, are kept, and are put aside."""

    inbox: Path
    archive: Path
    quarantine: Path


class Swept(Struct, frozen=True):
    """What one sweep found: files routed to a source, put aside, and left in the inbox."""

    routed: tuple[tuple[str, str], ...]
    put_aside: tuple[tuple[str, str], ...]
    waiting: int


def sweep(folders: Folders, store: Store, sources: Sequence[Source], *, now_ns: int, still_seconds: float) -> Swept:
    """Takes every stable file of the inbox into archive and ledger, and finds its source.

    A file that is read again although it was swept before is left to its source to find unchanged.
    """
    routed: list[tuple[str, str]] = []
    put_aside: list[tuple[str, str]] = []
    waiting = 0
    for dropped in scan(folders.inbox):
        if not is_stable(dropped, now_ns=now_ns, still_seconds=still_seconds):
            waiting += 1
            continue
        try:
            entry = receive(dropped.path, dropped.person, store, folders.archive)
        except OSError as trouble:
            # One file that can't be opened must not stop the others; it stays and is tried again.
            log.warning("%s stays in the inbox: %s", dropped.path, trouble.strerror)
            waiting += 1
            continue
        if not _is_unchanged(dropped):
            waiting += 1
            continue
        try:
            problem, source = _assign(entry, store, folders, sources)
        except WaitingFile as wait:
            log.warning("%s stays in the inbox: %s", dropped.path, wait)
            waiting += 1
            continue
        if source is None:
            put_aside.append((entry.name, problem))
        else:
            routed.append((entry.name, source.name))
        dropped.path.unlink(missing_ok=True)
    return Swept(tuple(routed), tuple(put_aside), waiting)


def drain(entries: Sequence[Entry], folders: Folders, store: Store, sources: Sequence[Source]) -> list[Receipt]:
    """Reads and loads files of the ledger, one by one; one bad file never stops the others."""
    receipts = []
    for entry in entries:
        receipt = take(entry, store, folders.archive, sources, again=entry.status == "loaded")
        if receipt.problem is not None and not receipt.waits:
            put_aside(entry, receipt.problem, folders)
        receipts.append(receipt)
    return receipts


def put_aside(entry: Entry, problem: str, folders: Folders) -> None:
    """Puts a copy of an original into quarantine under its own name, with a note that says why."""
    folder = folders.quarantine / entry.person
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    place = folder / f"{entry.sha256[:8]}-{entry.name}"
    if not place.exists():
        shutil.copyfile(place_of(folders.archive, entry.sha256), place)
    place.with_name(f"{place.name}.why.txt").write_text(f"{entry.name}: {problem}\n", encoding="utf-8")


def _assign(entry: Entry, store: Store, folders: Folders, sources: Sequence[Source]) -> tuple[str, Source | None]:
    original = Original(place_of(folders.archive, entry.sha256), entry.name, entry.modified_at)
    try:
        source = route(original, sources)
    except WaitingFile:
        raise
    except FileError as wrong:
        store.refuse(entry, "unrouted" if isinstance(wrong, UnroutedFile) else "unreadable", str(wrong))
        put_aside(entry, str(wrong), folders)
        return str(wrong), None
    store.assign(entry, source)
    return "", source


def _is_unchanged(dropped: Dropped) -> bool:
    """Was the file left alone while it was copied? A sync program may have come back to it."""
    try:
        seen = dropped.path.stat()
    except FileNotFoundError:
        return True
    return (seen.st_size, seen.st_mtime_ns) == (dropped.size, dropped.modified_ns)
