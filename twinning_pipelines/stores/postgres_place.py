"""The place of an embedded PostgreSQL: where it lies, who owns it, where its socket is, and its locks.

The *place* is the cluster's directory itself, or where its file `location` points. It holds:

    data/          the cluster: made as `data.new` and renamed, so a half-made one is never trusted
    postgres.log   what the server says; the socket lies beside it unless the path is too long
    start.lock     held by the one process that starts or stops
    server.lock    inherited by the server and all its children: held while one of them lives, pid file or not
    lease.lock     shared by all who use the server; who could take it alone was the last
    keep           there while the server is meant to outlive its users

All locks are flock: the kernel drops them with their process, so kill -9 leaves nothing stuck.
"""

import fcntl
import hashlib
import os
import pwd
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from twinning_pipelines.errors import DatabaseUnavailable

DATABASE = "twinning"
PORT = 5432
# Where root puts what the server's account could not reach, such as anything below /root.
ROOM = Path("/var/lib/twinning")
SERVER_ACCOUNTS = ("twinning", "postgres", "nobody")
# macOS takes 104 bytes with the closing zero, Linux 108.
SOCKET_PATH_BYTES = 103
SOCKET_NAME = f".s.PGSQL.{PORT}"
LOCK_SECONDS = 240


class Owner(Struct, frozen=True):
    """Who the server runs as. None is ourselves; root names a lesser account, as Postgres refuses uid 0."""

    uid: int | None = None
    gid: int | None = None

    def may(self, path: Path, bits: int) -> bool:
        """Whether the modes of a path and of all directories above it allow this: r 4, w 2, x 1."""
        steps = ((path, bits), *((above, 1) for above in path.parents))
        return self.uid is None or all(self._granted(step) & need == need for step, need in steps)

    def _granted(self, path: Path) -> int:
        if not path.exists():
            return 7  # whoever makes it later makes it passable
        state = path.stat()
        return state.st_mode >> (6 if state.st_uid == self.uid else 3 if state.st_gid == self.gid else 0)

    def take(self, path: Path) -> None:
        """Makes a directory the account's own, closed to all others."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
        path.chmod(0o700)


class Place(Struct, frozen=True):
    """A directory with a cluster, and the account that it belongs to."""

    path: Path
    owner: Owner

    def lives(self) -> bool:
        """Whether any process of the server holds its lock."""
        return not is_free(self.path / "server.lock", fcntl.LOCK_SH)

    def recorded(self) -> list[str]:
        """The lines of postmaster.pid, or none: pid, data directory, start, port, socket directory, ..."""
        with suppress(FileNotFoundError):
            return os.fsdecode((self.path / "data/postmaster.pid").read_bytes()).splitlines()
        return []

    def sockets(self) -> Path:
        """A live server says where it listens: our XDG_RUNTIME_DIR and TMPDIR may not be its starter's."""
        recorded = self.recorded()
        if len(recorded) > 4 and recorded[4] and self.lives():
            return Path(recorded[4])
        return self.sockets_to_be()

    def sockets_to_be(self) -> Path:
        """The place itself, or a private directory where its path is too long or can't stand in a list."""
        uid = os.geteuid() if self.owner.uid is None else self.owner.uid
        homes = [self.path]
        runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nowhere")
        if self.owner.uid is None and os.access(runtime, os.W_OK) and runtime.stat().st_uid == uid:
            homes.append(runtime / f"twinning-{digest(self.path)}")
        homes.append(Path(tempfile.gettempdir(), f"twinning-{uid}-{digest(self.path)}"))
        for home in homes:
            fits = len(os.fsencode(home / SOCKET_NAME)) <= SOCKET_PATH_BYTES
            if fits and not set(str(home)) & set(',"\\') and str(home) == str(home).strip():
                return home
        raise DatabaseUnavailable(f"{homes[-1]} is too long for a socket; set TMPDIR to a shorter directory")

    def url(self) -> str:
        """Where clients connect. It says the port, which a client would else take from the user's PGPORT."""
        return f"postgresql+psycopg://postgres@/{DATABASE}?host={quote(str(self.sockets()))}&port={PORT}"


def place_of(directory: Path) -> Place:
    """The place of a cluster's directory, made or not. Changes nothing."""
    pointer = directory / "location"
    if pointer.exists():
        path = Path(pointer.read_text(encoding="utf-8").strip())
        # Root would give what it names to a lesser account, so it can't name just anything.
        if path.parent != ROOM or path.name == "..":
            raise DatabaseUnavailable(f"{pointer} names {path}, which is not in {ROOM}")
        return Place(path, _owner_for(path))
    owner = _owner_for(directory)
    if (directory / "data").exists() or owner.may(directory.parent, 0o1):
        return Place(directory, owner)
    moved = ROOM / digest(directory)
    return Place(moved, _owner_for(moved))


def _owner_for(path: Path) -> Owner:
    if os.geteuid() != 0:
        return Owner()
    # What exists tells best: a cluster of a person's own, or one from before the account `twinning` was made.
    for owned in (path / "data", path):
        with suppress(FileNotFoundError, KeyError):
            state = owned.stat()
            # initdb needs a name: the uid of a bind mount's owner may have none in a container.
            if state.st_uid != 0 and pwd.getpwuid(state.st_uid):
                return Owner(state.st_uid, state.st_gid)
    for name in SERVER_ACCOUNTS:
        with suppress(KeyError):
            account = pwd.getpwnam(name)
            if account.pw_uid > 0:
                return Owner(account.pw_uid, account.pw_gid)
    raise DatabaseUnavailable("PostgreSQL refuses to run as root, and there is no lesser account here")


def settle(directory: Path) -> Place:
    """The place, made and owned. Ancestors are never touched: what they close off lies in ROOM instead."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = place_of(directory)
    if place.path != directory and not (directory / "location").exists():
        (directory / "location.new").write_text(f"{place.path}\n", encoding="utf-8")
        (directory / "location.new").replace(directory / "location")
    if place.path.parent == ROOM:
        make_room()
    place.path.mkdir(mode=0o700, exist_ok=True)
    place.owner.take(place.path)
    return place


def make_room() -> None:
    """Makes ROOM, which all may pass and only root may list."""
    if not ROOM.exists():
        ROOM.mkdir(parents=True, exist_ok=True)
        ROOM.chmod(0o711)


@contextmanager
def flock(path: Path, kind: int) -> Iterator[int]:
    """Waits for a lock and holds it for the block. Read access is enough, so root's lock files serve all."""
    with in_plain_words():
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _takes(descriptor, kind):
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(f"another process has held {path} for {LOCK_SECONDS} seconds")
            time.sleep(0.02)
        yield descriptor
    finally:
        os.close(descriptor)


def is_free(path: Path, kind: int) -> bool:
    """Whether a lock could be had at this moment; a lock file that nobody has made is free."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return True
    try:
        return _takes(descriptor, kind)
    finally:
        os.close(descriptor)


def _takes(descriptor: int, kind: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        return True
    return False


@contextmanager
def in_plain_words() -> Iterator[None]:
    """A full disk, a closed directory, a program that hangs: a person mends these and wants no traceback."""
    try:
        yield
    except (OSError, subprocess.TimeoutExpired) as refusal:
        raise DatabaseUnavailable(f"the embedded PostgreSQL can't be used: {refusal}") from refusal


def digest(text: object) -> str:
    """A short name for a path or other text, always the same."""
    return hashlib.sha256(os.fsencode(str(text))).hexdigest()[:16]
