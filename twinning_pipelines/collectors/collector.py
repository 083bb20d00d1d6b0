"""What a collector is: it asks one provider for one person, and yields what it gets as files for the inbox."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from twinning_pipelines.collectors.logbook import Errand, Page


class Fetched(Struct, frozen=True):
    """A file for the inbox: the provider's bytes as they came. name: says the window. at: when they were asked for."""

    name: str
    data: bytes
    at: datetime


class Collector(Protocol):
    """One provider, asked for one person. Its repr shows no secret."""

    @property
    def person(self) -> str:
        """For whom."""

    @property
    def name(self) -> str:
        """Its kind, `simplefin`, or kind and name where a person has several: `simplefin-brokerage`."""

    @property
    def pause(self) -> timedelta:
        """How long a provider is left alone after a good visit."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must appear nowhere."""

    def fetch(self, errand: Errand) -> Iterator[Fetched]:
        """Files one by one. It goes on once a file lies in the inbox, and only then counts its time as covered.

        Raises FarSideUnavailable and FarSideRefused; what was yielded before is kept.
        """


def key_of(collector: Collector) -> str:
    """`ada/simplefin`: the page of a collector in the logbook, and its folder in the inbox."""
    return f"{collector.person}/{collector.name}"


def due_at(collector: Collector, page: Page) -> datetime | None:
    """From when on a visit is due; None is now, as after a visit that failed."""
    rested = page.last_success + collector.pause if page.last_success and not page.problem else None
    return max((each for each in (rested, page.not_before) if each), default=None)
