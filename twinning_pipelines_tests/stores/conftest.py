"""The far side that the tests of InfluxDB share; those of other stores have their own."""

from collections.abc import Iterator

import pytest

from twinning_pipelines_tests.far_sides.influx_v2 import FakeInflux


@pytest.fixture
def fake() -> Iterator[FakeInflux]:
    """The strict stand-in for InfluxDB."""
    with FakeInflux() as server:
        yield server
