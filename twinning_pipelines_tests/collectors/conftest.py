"""Far sides, a home without anything in it, and a clock that tests set."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from twinning_pipelines.collectors.round import Places
from twinning_pipelines_tests.collectors.visits import Watch
from twinning_pipelines_tests.far_sides.flex_service import FakeFlex
from twinning_pipelines_tests.far_sides.simplefin_bridge import FakeBridge


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Where everything goes."""
    return Places.in_home(tmp_path / "home")


@pytest.fixture
def watch() -> Watch:
    """A clock at noon of 27 November 2026."""
    return Watch()


@pytest.fixture(params=[1, 2], ids=["version 1", "version 2"])
def bridge(request: pytest.FixtureRequest) -> Iterator[FakeBridge]:
    """A SimpleFIN server of either version."""
    with FakeBridge(request.param) as server:
        yield server


@pytest.fixture
def flex() -> Iterator[FakeFlex]:
    """A Flex web service."""
    with FakeFlex() as server:
        yield server
