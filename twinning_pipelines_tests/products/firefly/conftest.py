"""A household and a Firefly III for it; after each test every exchange must have fitted the API's own description."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from twinning_pipelines_tests.far_sides.firefly import FakeFirefly
from twinning_pipelines_tests.household import Household
from twinning_pipelines_tests.products.firefly.pusher import Pusher
from twinning_pipelines_tests.products.firefly.traded import Broker


@pytest.fixture
def fake() -> Iterator[FakeFirefly]:
    """The server."""
    with FakeFirefly() as server:
        yield server
        assert server.complaints == []


@pytest.fixture
def household(engine: sa.Engine) -> Household:
    """The household."""
    return Household(engine)


@pytest.fixture
def pusher(household: Household, fake: FakeFirefly) -> Pusher:
    """Both."""
    return Pusher(household, fake)


@pytest.fixture
def broker(household: Household) -> Broker:
    """An account of the household where shares are traded."""
    return Broker(household)
