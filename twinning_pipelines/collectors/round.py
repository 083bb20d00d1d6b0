"""A round: every collector that is due is sent out, one after another, and none that fails stops the others."""

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from msgspec import Struct

from twinning_pipelines.collectors import credentials, ibkr_flex, simplefin
from twinning_pipelines.collectors.collector import Collector, due_at, key_of
from twinning_pipelines.collectors.ibkr_flex import FlexCollector
from twinning_pipelines.collectors.inbox import land
from twinning_pipelines.collectors.logbook import Errand, Logbook, Page, alone
from twinning_pipelines.collectors.simplefin import SimpleFinCollector
from twinning_pipelines.errors import TwinningError
from twinning_pipelines.formats.foreign_words import plain

log = logging.getLogger(__name__)

_REMEMBERED = 200


class Places(Struct, frozen=True):
    """Where the secrets are, what is remembered, and where fetched files go."""

    secrets: Path
    logbook: Path
    lock: Path
    inbox: Path

    @classmethod
    def in_home(cls, home: Path) -> "Places":
        """Below TWINNING_HOME."""
        return cls(home / "collectors.yaml", home / "collectors.json", home / "collectors.lock", home / "inbox")


class Visit(Struct, frozen=True):
    """What became of one collector in a round. state: collected, resting (not due) or failed.

    files: how many landed in the inbox; unchanged: how many said the same as at the visit before and did not.
    """

    person: str
    collector: str
    state: str
    files: int = 0
    unchanged: int = 0
    messages: tuple[str, ...] = ()
    problem: str = ""
    due_at: datetime | None = None


class Standing(Struct, frozen=True):
    """How one collector stands between two rounds. requests: how many it made in the last 24 hours."""

    person: str
    collector: str
    page: Page
    due_at: datetime | None
    requests: int


def collectors_of(entries: Sequence[credentials.Entry]) -> list[Collector]:
    """One for each provider of each entry."""
    found: list[Collector] = []
    for entry in entries:
        suffix = f"-{entry.name}" if entry.name else ""
        if entry.simplefin is not None:
            found.append(SimpleFinCollector(entry.person, simplefin.KIND + suffix, entry.simplefin))
        if entry.ibkr_flex is not None:
            found.append(FlexCollector(entry.person, ibkr_flex.KIND + suffix, entry.ibkr_flex))
    return found


def configured(places: Places) -> list[Collector]:
    """The collectors that the file of secrets names; none without it. Raises WrongUsage."""
    return collectors_of(credentials.read(places.secrets))


def make_round(
    places: Places,
    collectors: Sequence[Collector],
    *,
    at_once: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Visit]:
    """Sends out those that are due, or all of them `at_once`; one that a provider asked to wait rests even so.

    Raises FarSideUnavailable while another round is under way, WrongUsage for a damaged logbook.
    """
    if not collectors:
        return
    with alone(places.lock):
        logbook = Logbook.read(places.logbook)
        keep = partial(logbook.write, places.logbook)
        for collector in collectors:
            page = logbook.page(key_of(collector))
            due = page.not_before if at_once else due_at(collector, page)
            if due is not None and due > now():
                yield Visit(collector.person, collector.name, "resting", due_at=due)
            else:
                yield _visit(collector, Errand(page, keep, now), places.inbox)


def standings(places: Places, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> list[Standing]:
    """Every configured collector with what is remembered of it. Raises WrongUsage."""
    logbook = Logbook.read(places.logbook)
    found = []
    for each in configured(places):
        page = logbook.page(key_of(each))
        recent = page.requests_since(now() - timedelta(days=1))
        found.append(Standing(each.person, each.name, page, due_at(each, page), recent))
    return found


def _visit(collector: Collector, errand: Errand, inbox: Path) -> Visit:
    page = errand.page
    page.last_try, page.problem, page.messages = errand.now(), "", []
    known, seen, landed = set(page.digests), list[str](), 0
    try:
        for fetched in collector.fetch(errand):
            digest = hashlib.sha256(fetched.data).hexdigest()
            if digest not in known:
                land(inbox, key_of(collector), fetched)
                known.add(digest)
                landed += 1
            seen.append(digest)
            # Should this visit break off, the next one has these to compare with as well.
            page.digests = list(dict.fromkeys([*page.digests, digest]))[-_REMEMBERED:]
            errand.keep()
        page.digests, page.last_success = seen, errand.now()
    except (TwinningError, OSError) as trouble:
        page.problem = plain(str(trouble), collector.secrets)
    except Exception as bug:  # noqa: BLE001  (told by its type alone: its text and its trace may quote a secret)
        page.problem = f"{type(bug).__name__}: a fault of this program"
    page.messages = [plain(each, collector.secrets) for each in page.messages]
    errand.keep()
    if page.problem:
        log.warning("%s: %s", collector.name, page.problem)
    state = "failed" if page.problem else "collected"
    messages = tuple(page.messages)
    return Visit(
        collector.person, collector.name, state, landed, len(seen) - landed, messages, page.problem, page.not_before
    )
