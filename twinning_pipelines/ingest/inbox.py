"""The inbox: which dropped files are whole and ready, and whose they are.

`inbox/<person>/…`, folders nested as people like. A file is ready once neither its size nor its time changed for a
while: sync programs write in place. Hidden and partial names are somebody's work in progress and are left alone.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePath

from msgspec import Struct

PARTIAL_SUFFIXES = (
    ".part",
    ".partial",
    ".crdownload",
    ".download",
    ".filepart",
    ".tmp",
    ".temp",
    ".swp",
    ".ocTransferId",
)
_PARTIAL_PREFIXES = (".", "~", "._", "~$")


class Dropped(Struct, frozen=True):
    """One file in the inbox, as a stat call sees it. `modified_ns` is nanoseconds since 1970."""

    path: Path
    person: str
    size: int
    modified_ns: int


def is_partial(path: PurePath) -> bool:
    """Is this a hidden or half-written file by its name? Nextcloud writes `name.ext.ocTransferId123.part` first."""
    name = path.name
    if name.startswith(_PARTIAL_PREFIXES) or ".ocTransferId" in name:
        return True
    return name.lower().endswith(PARTIAL_SUFFIXES)


def named(person: str) -> str:
    """The name of a person, which is that of a folder in the inbox. Raises ValueError if it can't be."""
    if person.strip() in ("", ".") or "/" in person or is_partial(PurePath(person)):
        raise ValueError(f"{person!r} can't be the name of a person's folder in the inbox")
    return person


def scan(inbox: Path) -> Iterator[Dropped]:
    """Every candidate in the inbox, by path; links are never followed. Files beside the person folders are left alone.

    A folder that can't be looked into is a candidate itself: whoever opens it learns why, and the others go on.
    """
    if not inbox.is_dir():
        return
    for person in sorted(inbox.iterdir()):
        if person.is_dir() and not person.is_symlink() and not is_partial(person):
            yield from _walk(person, person.name)


def _walk(folder: Path, person: str) -> Iterator[Dropped]:
    try:
        paths = sorted(path for path in folder.iterdir() if not (is_partial(path) or path.is_symlink()))
    except PermissionError:
        yield from _seen(folder, person)
        return
    for path in paths:
        if path.is_dir():
            yield from _walk(path, person)
        elif path.is_file():
            yield from _seen(path, person)


def _seen(path: Path, person: str) -> Iterator[Dropped]:
    with suppress(FileNotFoundError):
        state = path.stat()
        yield Dropped(path, person, state.st_size, state.st_mtime_ns)


def is_stable(dropped: Dropped, *, now_ns: int, still_seconds: float) -> bool:
    """Has the file been left alone for long enough? A time in the future counts as just now; an empty file waits longer.

    An empty file is what a sync program leaves first: it gets ten times as long before it is taken as really empty.
    """
    patience = still_seconds * (1 if dropped.size else 10)
    return now_ns - dropped.modified_ns >= patience * 1e9


def walk_files(paths: list[Path]) -> Iterator[Path]:
    """The files that a person named on the command line; folders are walked, hidden and partial names left out."""
    for path in paths:
        if path.is_dir():
            yield from (dropped.path for dropped in _walk(path, ""))
        else:
            yield path
