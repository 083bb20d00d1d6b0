"""A real PostgreSQL that lives in a directory: made, started, shared and stopped without an administrator.

Here are `Cluster` and what makes, starts and stops its server. What lies in the directory, and what its locks
mean, is in `postgres_place`; which programs serve it is in `postgres_programs`.
"""

import fcntl
import os
import shlex
import shutil
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from msgspec import Struct

from twinning_pipelines.errors import DatabaseUnavailable, IncompatibleCluster
from twinning_pipelines.stores.postgres_place import (
    DATABASE,
    PORT,
    SOCKET_NAME,
    Owner,
    Place,
    flock,
    in_plain_words,
    is_free,
    place_of,
    settle,
)
from twinning_pipelines.stores.postgres_programs import START_SECONDS, find_binaries, run, version_of, within_reach

LOG_BYTES = 10 * 1024**2
STOP_SECONDS = 60
LEAST_BYTES = 4 * 1024**2

INITDB = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N", "--no-instructions", "-k")
SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "50",
    "shared_buffers": "128MB",
    "max_wal_size": "4GB",
    "jit": "off",
    "timezone": "UTC",
}


class Cluster(Struct, frozen=True):
    """The PostgreSQL of one directory. `binaries` is the setting TWINNING_PG_BIN; None looks around."""

    directory: Path
    binaries: Path | None = None

    def start(self, *, keep: bool = False) -> str:
        """Makes, starts and prepares what is missing; the URL. With `keep` only `stop` ends the server."""
        with in_plain_words():
            place = settle(self.directory.resolve())
            with flock(place.path / "start.lock", fcntl.LOCK_EX) as lock:
                self._bring_up(place, lock)
                if keep:
                    (place.path / "keep").touch()
            return place.url()

    def stop(self) -> bool:
        """Fast shutdown: open transactions roll back. True if a server was running."""
        with in_plain_words():
            place = place_of(self.directory.resolve())
            if not place.path.is_dir():
                return False
            with flock(place.path / "start.lock", fcntl.LOCK_EX):
                return _halt(place)

    def url(self) -> str:
        """Where the server answers, or would answer."""
        with in_plain_words():
            return place_of(self.directory.resolve()).url()

    def is_running(self) -> bool:
        """Whether any process of the server lives; one that is still starting counts."""
        with in_plain_words():
            return place_of(self.directory.resolve()).lives()

    @contextmanager
    def lease(self) -> Iterator[str]:
        """The URL of a running server for the time of the block; the last one out stops it, unless kept."""
        with in_plain_words():
            place = settle(self.directory.resolve())
        try:
            # The lease comes before the start: whoever leaves now sees it, or has stopped before we start.
            with flock(place.path / "lease.lock", fcntl.LOCK_SH):
                yield self.start()
        finally:
            with in_plain_words(), flock(place.path / "start.lock", fcntl.LOCK_EX):
                if not (place.path / "keep").exists() and is_free(place.path / "lease.lock", fcntl.LOCK_EX):
                    _halt(place)

    def _bring_up(self, place: Place, lock: int) -> None:
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

    def _launch(self, place: Place, lock: int) -> None:
        made = (place.path / "data").exists()
        major = (place.path / "data/PG_VERSION").read_text(encoding="ascii").strip() if made else None
        binaries = find_binaries(self.binaries, major)
        version = version_of(binaries)
        if major is not None and major != str(version[0]):
            raise IncompatibleCluster(_way_out(place, major, binaries, version[0]))
        binaries = within_reach(binaries, version, place.owner)
        if not made:
            _make(place, binaries, lock)
        _start_server(place, binaries)


def _make(place: Place, binaries: Path, lock: int) -> None:
    fresh = place.path / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    # initdb inherits the start lock: if we are killed, the next starter waits until initdb is gone as well.
    made = run([binaries / "initdb", "-D", fresh, *INITDB], place.path, place.owner, keep_open=(lock,))
    if made.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise DatabaseUnavailable(f"initdb could not make a cluster in {place.path}:\n{made.stderr.strip()}")
    fresh.rename(place.path / "data")


def _start_server(place: Place, binaries: Path) -> None:
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
    with flock(place.path / "server.lock", fcntl.LOCK_EX) as lock:
        started = run([binaries / "pg_ctl", *command], place.path, place.owner, keep_open=(lock,))
    if started.returncode != 0:
        if shutil.disk_usage(place.path).free < LEAST_BYTES:
            # Then the log could not be written either, and its end tells of something else.
            raise DatabaseUnavailable(f"PostgreSQL did not start in {place.path}: no space is left on that disk")
        reason = f"{started.stderr.strip()}\n{_tail(log)}"
        raise DatabaseUnavailable(f"PostgreSQL did not start in {place.path}: {reason}")


def _make_private(directory: Path, owner: Owner) -> None:
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    state = directory.lstat()
    ours = state.st_uid in (owner.uid, os.geteuid())
    if not ours or not stat.S_ISDIR(state.st_mode) or state.st_mode & 0o077:
        raise DatabaseUnavailable(f"{directory} is not a private directory of ours; remove it or set TMPDIR")
    owner.take(directory)


def _clear_leftovers(place: Place, sockets: Path) -> None:
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


def _halt(place: Place) -> bool:
    (place.path / "keep").unlink(missing_ok=True)
    was_running = place.lives()
    deadline = time.monotonic() + STOP_SECONDS
    while place.lives():
        if time.monotonic() > deadline:
            raise DatabaseUnavailable(f"the server in {place.path} has not stopped in {STOP_SECONDS} seconds")
        # By the server's own account: root must not signal whatever a file of a lesser account names.
        if (recorded := place.recorded()) and recorded[0].isdigit():
            run(["/bin/sh", "-c", 'kill -INT "$0"', recorded[0]], place.path, place.owner)
        patience = time.monotonic() + 1
        while place.lives() and time.monotonic() < patience:
            time.sleep(0.02)
    return was_running


def _ensure_database(sockets: Path) -> None:
    """Raises psycopg.OperationalError when nobody answers, and DatabaseUnavailable when the answer is no."""
    with psycopg.connect(
        host=str(sockets),
        hostaddr="",  # given, though empty: a user's PGHOSTADDR or PGSERVICE would win over the socket
        port=PORT,
        user="postgres",
        dbname="postgres",
        connect_timeout=10,
        autocommit=True,
    ) as connection:
        try:
            if not connection.execute("select from pg_database where datname = %s", (DATABASE,)).rowcount:
                connection.execute(f"create database {DATABASE}")
        except psycopg.Error as refusal:
            raise DatabaseUnavailable(f"the database {DATABASE} can't be made: {refusal}") from refusal


def _way_out(place: Place, old: str, binaries: Path, new: int) -> str:
    home, sockets = shlex.quote(str(place.path)), shlex.quote(str(place.sockets_to_be()))
    server = f"-h {sockets} -p {PORT} -U postgres"
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
