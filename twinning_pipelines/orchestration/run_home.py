"""The home that a run works in: settings are read and the database is opened when a step first asks, not at import."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cached_property

import dagster as dg

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.settings import settings_of_environment

ReadHome = Callable[[], Home]


class RunHome:
    """One home for all steps that a process runs; the database stays open until the last of them is done."""

    def __init__(self, read: ReadHome, closing: ExitStack) -> None:
        self._read = read
        self._closing = closing

    @cached_property
    def home(self) -> Home:
        """The home, closed."""
        return self._read()

    @cached_property
    def opened(self) -> OpenHome:
        """The home with its database running. Opening it once saves the embedded Postgres a restart at every step."""
        return self._closing.enter_context(self.home.opened())


def assumed_zone() -> str:
    """The zone of schedules and partitions, which Dagster wants at import. A wrong setting fails the runs, not the import."""
    try:
        return settings_of_environment().zone
    except WrongUsage:
        return "UTC"


def home_resource(read: ReadHome) -> dg.ResourceDefinition:
    """The resource `home`. It has no configuration: the settings are the environment's."""

    @dg.resource(description="The installation that TWINNING_* describes: its folders, its Postgres, its far sides.")
    def home(_context: dg.InitResourceContext) -> Iterator[RunHome]:
        with ExitStack() as closing:
            yield RunHome(read, closing)

    return home
