"""What every test may ask for: a real Postgres, an empty migrated database in it, a store, a home."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from twinning_pipelines.clock import Clock
from twinning_pipelines.home import Home
from twinning_pipelines.marts.rollups import refresh_rollups
from twinning_pipelines.settings import Secret, Settings
from twinning_pipelines.stores.embedded_postgres import Cluster
from twinning_pipelines.stores.postgres.database import connect, migrate
from twinning_pipelines.stores.postgres.store import PostgresStore

HOME_ZONE = ZoneInfo("Europe/Zurich")
_ROOM_FOR_DATABASES = 2 * 1024**3


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("TWINNING_") and not name.startswith(
            ("TWINNING_TEST_", "TWINNING_SHARED", "TWINNING_WRITE_")
        ):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[sa.URL]:
    """A server for the whole session: the wheel's, or the one that TWINNING_TEST_PG_BIN names."""
    binaries = os.environ.get("TWINNING_TEST_PG_BIN")
    folder = Path(tempfile.mkdtemp(prefix="tw-", dir=_place_of_databases()))
    folder.chmod(0o755)
    cluster = Cluster(folder / "db", Path(binaries) if binaries else None)
    try:
        with cluster.lease() as url:
            template = sa.make_url(url).set(database="migrated")
            # What a test stored need not outlive the machine; a database for each test costs half.
            for setting in ("fsync = off", "synchronous_commit = off", "max_wal_size = '256MB'"):
                _administer(url, f"alter system set {setting}")
            _administer(url, "select pg_reload_conf()")
            _administer(url, "create database migrated")
            engine = connect(template.render_as_string(hide_password=False))
            migrate(engine)
            engine.dispose()
            yield sa.make_url(url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _place_of_databases() -> Path:
    """In memory where the system has room for them there: making one takes a tenth of what a slow disk takes."""
    memory = Path("/dev/shm")
    has_room = os.access(memory, os.W_OK | os.X_OK) and shutil.disk_usage(memory).free >= _ROOM_FOR_DATABASES
    return memory if has_room else Path("/tmp")


@pytest.fixture
def database_url(postgres: sa.URL) -> Iterator[str]:
    """The URL of an empty database with today's schema, for one test."""
    name = f"t{uuid4().hex[:12]}"
    server = postgres.render_as_string(hide_password=False)
    _administer(server, f"create database {name} template migrated strategy wal_log")
    yield postgres.set(database=name).render_as_string(hide_password=False)
    _administer(server, f"drop database {name} with (force)")


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """An engine on an empty database."""
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine: sa.Engine) -> PostgresStore:
    """A store on an empty database; its people live in Zürich."""
    return PostgresStore(engine, Clock.fixed(HOME_ZONE), refresh_rollups)


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Home:
    """A home of its own, on an empty database."""
    return Home(Settings(home=tmp_path / "home", database_url=Secret(database_url), zone=HOME_ZONE.key))


def _administer(url: str, statement: str) -> None:
    engine = connect(sa.make_url(url).set(database="postgres").render_as_string(hide_password=False))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(statement))
    engine.dispose()
