"""nginx with everything behind it, once for each module of tests."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from twinning_pipelines_tests.infra.programs import needs
from twinning_pipelines_tests.infra.proxy.far_side import FarSide
from twinning_pipelines_tests.infra.proxy.shipped import SERVICES, RunningNginx, Scratch
from twinning_pipelines_tests.infra.proxy.visitor import Visitor


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNginx]:
    """Doors and gates, a certificate of the local authority, all services there."""
    needs("nginx")
    needs("openssl")
    with ExitStack() as stack:
        services = {name: stack.enter_context(FarSide(name)).address for name in SERVICES}
        scratch = Scratch.at(tmp_path_factory.mktemp("proxy") / "x", services)
        made = scratch.keep("once")
        assert made.returncode == 0, made.stderr
        yield stack.enter_context(RunningNginx(scratch))


@pytest.fixture
def visitor(nginx: RunningNginx) -> Iterator[Visitor]:
    """Somebody who trusts our authority."""
    visitor = Visitor(nginx)
    yield visitor
    visitor.close()
