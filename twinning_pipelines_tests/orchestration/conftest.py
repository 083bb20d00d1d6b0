"""A home that knows three sources: a run of all of them takes twice as long and shows nothing more."""

from collections.abc import Iterator

import dagster as dg
import pytest

from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.orchestration.metrics import Watch
from twinning_pipelines.settings import Secret, Settings
from twinning_pipelines.sources.finance import ofx_statement
from twinning_pipelines.sources.health import apple_health
from twinning_pipelines.sources.time import toggl
from twinning_pipelines_tests.far_sides.influx_v2 import FakeInflux
from twinning_pipelines_tests.orchestration.watched import watching

SOME = (apple_health.SOURCE, ofx_statement.SOURCE, toggl.SOURCE)


@pytest.fixture
def home(home: Home) -> Home:
    """The home of all tests, with fewer sources."""
    return Home(home.settings, SOME)


@pytest.fixture
def opened(home: Home) -> Iterator[OpenHome]:
    """The same home, open."""
    with home.opened() as opened:
        yield opened


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def influx() -> Iterator[FakeInflux]:
    """An InfluxDB."""
    with FakeInflux() as server:
        yield server


@pytest.fixture
def projected(home: Home, influx: FakeInflux) -> Home:
    """The home with that InfluxDB."""
    settings = Settings(
        home=home.settings.home,
        database_url=home.settings.database_url,
        zone=home.settings.zone,
        influx_url=influx.url,
        influx_token=Secret(influx.token),
        influx_org=influx.org,
    )
    return Home(settings, home.sources)


@pytest.fixture
def watch(home: Home, instance: dg.DagsterInstance) -> Iterator[Watch]:
    """The parts of the metrics of this home and instance."""
    with watching(home, instance) as watch:
        yield watch
