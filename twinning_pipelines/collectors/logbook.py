"""What is remembered between two visits, one page for each collector, in one file that is replaced as a whole.

It holds moments, digests, ids of accounts and harmless words; never a secret.
"""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from twinning_pipelines.errors import FarSideUnavailable, WrongUsage

_DAY = timedelta(days=1)


class Page(BaseModel):
    """One collector of one person.

    not_before: until when the far side asked to be left alone. requests: those of the last 24 hours. covered_until: before
    this instant nothing is missing. problem, messages: what the last visit met with, and what the provider said.
    digests: sha256 of the files of the last visit. accounts: ids of those that were ever seen.
    """

    model_config = ConfigDict(validate_assignment=True)

    last_try: AwareDatetime | None = None
    last_success: AwareDatetime | None = None
    not_before: AwareDatetime | None = None
    requests: list[AwareDatetime] = []
    covered_until: AwareDatetime | None = None
    problem: str = ""
    messages: list[str] = []
    digests: list[str] = []
    accounts: list[str] = []

    def requests_since(self, moment: datetime) -> int:
        """How many requests were made after a moment."""
        return sum(each > moment for each in self.requests)


class Logbook(BaseModel):
    """All pages, by person and collector: `ada/simplefin`."""

    pages: dict[str, Page] = {}

    def page(self, key: str) -> Page:
        """The page of a collector; a new one for a collector that was never sent out."""
        return self.pages.setdefault(key, Page())

    @classmethod
    def read(cls, path: Path) -> "Logbook":
        """The logbook as it was written last; empty where there is none. Raises WrongUsage for one that is damaged."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return cls()
        except ValidationError:
            damaged = f"{path} is damaged; without it, collectors start anew: move it away"
        raise WrongUsage(damaged)

    def write(self, path: Path) -> None:
        """Replaces the file as a whole; nobody else may read it."""
        replace_file(path, self.model_dump_json(indent=1).encode())


class Errand(Struct, frozen=True):
    """One visit under way: the page, `keep` to write it down, the clock."""

    page: Page
    keep: Callable[[], None]
    now: Callable[[], datetime]

    def spend(self, allowance: int) -> None:
        """Counts a request before it is made, so that a crash can't forget it.

        Raises FarSideUnavailable once `allowance` requests were made within 24 hours.
        """
        now = self.now()
        recent = [each for each in self.page.requests if each > now - _DAY]
        if len(recent) >= allowance:
            free = min(recent) + _DAY
            raise FarSideUnavailable(
                f"{allowance} requests in 24 hours are spent; the next is free at {free:%H:%M} UTC"
            )
        self.page.requests = [*recent, now]
        self.keep()


def replace_file(path: Path, data: bytes, dated: datetime | None = None) -> None:
    """Writes a file that its owner alone may read, whole or not at all; `dated` is when it shall seem to be made."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if dated is not None:
            os.utime(draft, (dated.timestamp(), dated.timestamp()))
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One round at a time, over all processes. Raises FarSideUnavailable while another is under way."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            busy = True
        else:
            busy = False
        if busy:
            raise FarSideUnavailable("another round of the collectors is under way")
        yield
