"""The five people in a database of their own, loaded once for the session, and Grafana's role, which may only read."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from twinning_pipelines.products.dashboards.every import every_dashboard
from twinning_pipelines.products.dashboards.vocabulary import Dashboard, Installation
from twinning_pipelines.sources import SOURCES
from twinning_pipelines.stores.postgres.database import connect
from twinning_pipelines_tests.products.dashboards import five_years
from twinning_pipelines_tests.products.dashboards.grafana import Looked
from twinning_pipelines_tests.products.dashboards.reading_role import as_reader

INSTALLATION = Installation(
    "http://127.0.0.1:3001", {source.name: source.expect_every for source in SOURCES if source.expect_every}
)
DASHBOARDS = every_dashboard(INSTALLATION)


@pytest.fixture(scope="session", params=DASHBOARDS, ids=lambda dashboard: dashboard.name)
def dashboard(request: pytest.FixtureRequest) -> Dashboard:
    """Each dashboard."""
    found: Dashboard = request.param
    return found


@pytest.fixture(scope="session")
def household(postgres: sa.URL) -> Iterator[sa.Engine]:
    """An engine on a database with five people and five years in it, as its owner."""
    server = connect(postgres.set(database="postgres").render_as_string(hide_password=False))
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("create database five_years template migrated strategy file_copy"))
        connection.execute(sa.text("alter database five_years set synchronous_commit = off"))
    folder = Path(tempfile.mkdtemp(prefix="tw-five-", dir="/tmp"))
    folder.chmod(0o755)
    url = postgres.set(database="five_years").render_as_string(hide_password=False)
    try:
        with five_years.home_of(folder, url).opened() as home:
            five_years.load(home, folder)
        engine = connect(url)
        yield engine
        engine.dispose()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("drop database five_years with (force)"))
        server.dispose()


@pytest.fixture(scope="session")
def reader(household: sa.Engine) -> Iterator[sa.Engine]:
    """The same database as Grafana sees it."""
    with as_reader(household) as engine:
        yield engine


@pytest.fixture
def looked() -> Looked:
    """Ada's last evening; the stretch is the dashboard's own."""
    evening = datetime(2025, 12, 17, 22, 30, tzinfo=UTC)
    return Looked("ada", evening, evening)
