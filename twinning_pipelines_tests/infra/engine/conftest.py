"""The stack, started once for the whole suite and removed after it."""

from collections.abc import Callable, Iterator

import pytest

from twinning_pipelines_tests.infra.engine import docker
from twinning_pipelines_tests.infra.engine.stack import Stack

Measured = Callable[[str, float], None]
_FIGURES = pytest.StashKey[dict[str, float]]()


@pytest.fixture(scope="session")
def measured(pytestconfig: pytest.Config) -> Measured:
    """Takes a figure that is printed at the end of the session."""
    return pytestconfig.stash.setdefault(_FIGURES, {}).__setitem__


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the figures."""
    figures = config.stash.get(_FIGURES, {})
    if figures:
        terminalreporter.section("measured")
        for what, figure in sorted(figures.items()):
            terminalreporter.line(f"{figure:8.1f}  {what}")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Images, secrets and files, ready to start; whatever an earlier run left is gone."""
    if not docker.is_here():
        pytest.skip("no Docker engine with Compose answers; DOCKER_HOST says where it is")
    stack = Stack.prepare(tmp_path_factory.mktemp("stack"))
    stack.down("--volumes")
    yield stack
    stack.down("--volumes")


@pytest.fixture(scope="session")
def started(prepared: Stack) -> tuple[Stack, float]:
    """The stack, healthy, and the seconds that its first start took."""
    return prepared, prepared.up()


@pytest.fixture
def stack(started: tuple[Stack, float]) -> Stack:
    """The stack, healthy."""
    return started[0]
