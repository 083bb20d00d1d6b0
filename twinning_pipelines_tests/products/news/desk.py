"""A queue with a clock that only the test moves, and targets of every kind."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import SecretStr

from twinning_pipelines.products.news.channels import AppriseChannel, Channel, Parcel, WebhookChannel
from twinning_pipelines.products.news.delivery import Delivered, deliver
from twinning_pipelines.products.news.targets import OF_A_PERSON, Kind, Quiet, Target
from twinning_pipelines.products.news.telling import Happening, tell
from twinning_pipelines_tests.far_sides.hook_receiver import SECRET, HookReceiver

MORNING = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
PARCEL = Parcel(
    UUID("6b0f0a6e-5d0c-4f0e-9a53-0a9d0f5c7d11"), 7, "summary", "ada", "Your summary is ready", "Slept 7 h.", MORNING
)


@dataclass
class Desk:
    """The queue of one database, with a clock of its own."""

    engine: sa.Engine
    moment: datetime = MORNING
    told: int = field(default=0)

    def now(self) -> datetime:
        return self.moment

    def later(self, **span: float) -> None:
        self.moment += timedelta(**span)

    def tell(self, targets: Sequence[Target], *happenings: Happening) -> list[Happening]:
        with self.engine.begin() as connection:
            return tell(connection, happenings, targets, self.moment)

    def deliver(self, targets: Sequence[Target], seconds: float = 60) -> Delivered:
        return deliver(self.engine, targets, self.now, seconds=seconds)

    def rows(self, statement: str, **values: object) -> Sequence[sa.Row[Any]]:
        with self.engine.connect() as connection:
            return connection.execute(sa.text(statement), values).all()

    def states(self) -> list[tuple[object, ...]]:
        found = self.rows("select target, state, attempts, problem from news_delivery order by news_id, target")
        return [tuple(row) for row in found]


def hook(receiver: HookReceiver, name: str = "hub", **fields: Any) -> Target:
    """A target at a receiver."""
    seconds = float(fields.pop("seconds", 10))
    return target(name, WebhookChannel(SecretStr(receiver.address), SecretStr(SECRET), seconds), **fields)


def page(url: str, name: str = "phone", **fields: Any) -> Target:
    """A target at an Apprise URL."""
    return target(name, AppriseChannel(SecretStr(url)), **fields)


def target(
    name: str,
    channel: Channel,
    person: str | None = "ada",
    kinds: frozenset[Kind] = OF_A_PERSON,
    details: bool = True,
    quiet: Quiet | None = None,
) -> Target:
    """Any target."""
    return Target(name, person, kinds, details, quiet, channel)


def happening(subject: str = "day 2026-11-26", kind: str = "summary", person: str | None = "ada") -> Happening:
    """Something worth a word."""
    return Happening(person, kind, subject, f"Title of {subject}", f"Body of {subject}")


def document(text: str) -> dict[str, object]:
    """A JSON body."""
    read = json.loads(text)
    assert isinstance(read, dict)
    return read
