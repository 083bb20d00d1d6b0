"""What the tests of one store share: a far side for those of InfluxDB, places for those of the embedded Postgres."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinning_pipelines.stores.embedded_postgres import Cluster
from twinning_pipelines.stores.postgres_place import ROOM
from twinning_pipelines_tests.far_sides.influx_v2 import FakeInflux
from twinning_pipelines_tests.stores.clusters import NewCluster, throw_away


@pytest.fixture
def fake() -> Iterator[FakeInflux]:
    """The strict stand-in for InfluxDB."""
    with FakeInflux() as server:
        yield server


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    """A short directory that root's lesser account can pass."""
    made = Path(tempfile.mkdtemp(prefix="tw-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def new_cluster(base: Path) -> Iterator[NewCluster]:
    """Makes clusters in new directories and leaves no server and no moved place behind."""
    made: list[Cluster] = []
    home = Path(tempfile.mkdtemp(dir=base))
    home.chmod(0o755)

    def new(below: str = "db", binaries: Path | None = None) -> Cluster:
        made.append(Cluster((home / below).resolve(), binaries))
        return made[-1]

    yield new
    for cluster in made:
        throw_away(cluster)
        moved = ROOM / hashlib.sha256(os.fsencode(cluster.directory)).hexdigest()[:16]
        shutil.rmtree(moved, ignore_errors=True)
