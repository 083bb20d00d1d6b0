"""What the tests of collectors share: a clock to set, collectors of the far sides, the files that landed."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from twinning_pipelines.collectors.collector import Collector
from twinning_pipelines.collectors.credentials import FlexAccess, SimpleFinAccess
from twinning_pipelines.collectors.ibkr_flex import FlexCollector
from twinning_pipelines.collectors.logbook import Logbook, Page
from twinning_pipelines.collectors.round import Places, Visit, make_round
from twinning_pipelines.collectors.simplefin import SimpleFinCollector
from twinning_pipelines_tests.far_sides.flex_service import FakeFlex
from twinning_pipelines_tests.far_sides.simplefin_bridge import FakeBridge

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


@dataclass
class Watch:
    """A clock that moves when it is told to."""

    moment: datetime = NOON

    def __call__(self) -> datetime:
        return self.moment

    def wait(self, **span: float) -> None:
        """Later by so much."""
        self.moment += timedelta(**span)


def seconds(moment: datetime) -> int:
    """Seconds since 1970."""
    return int(moment.timestamp())


def simplefin_of(bridge: FakeBridge, person: str = "ada", **more: Any) -> SimpleFinCollector:
    """The collector of a bridge."""
    limits = {name: more.pop(name) for name in ("most_bytes", "answer_seconds") if name in more}
    access = SimpleFinAccess.model_validate({"access_url": bridge.access_url} | more)
    return SimpleFinCollector(person, "simplefin", access, **limits)


def flex_of(flex: FakeFlex, person: str = "ben", **more: Any) -> FlexCollector:
    """The collector of a Flex service, which waits by that service's clock."""
    limits = {name: more.pop(name) for name in ("most_bytes", "answer_seconds", "waits") if name in more}
    told = {"token": flex.token, "query": flex.query, "address": flex.address} | more
    return FlexCollector(person, "ibkr_flex", FlexAccess.model_validate(told), sleep=flex.sleep, **limits)


def visit(places: Places, collector: Collector, watch: Watch, *, at_once: bool = True) -> Visit:
    """One collector is sent out."""
    (made,) = make_round(places, [collector], at_once=at_once, now=watch)
    return made


def page_of(places: Places, key: str) -> Page:
    """What the logbook on disk says."""
    return Logbook.read(places.logbook).page(key)


def landed(places: Places) -> list[Path]:
    """The files of the inbox, by name."""
    return sorted(path for path in places.inbox.rglob("*") if path.is_file())


def bookings(places: Places) -> list[str]:
    """The ids of the bookings in all files of the inbox."""
    answers = [json.loads(path.read_bytes()) for path in landed(places)]
    return [each["id"] for answer in answers for account in answer["accounts"] for each in account["transactions"]]
