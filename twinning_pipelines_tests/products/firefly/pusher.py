"""A household, a Firefly III for it, and pushes from one to the other."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from twinning_pipelines.products.firefly.drift import AccountDrift, drift
from twinning_pipelines.products.firefly.push import Manner, Pushed, push
from twinning_pipelines.stores.firefly.client import Firefly
from twinning_pipelines_tests.far_sides.firefly import FakeFirefly
from twinning_pipelines_tests.far_sides.firefly_books import Group
from twinning_pipelines_tests.household import Household

UNITS = {"finance.ofx_statement": "line"}


@dataclass
class Pusher:
    """Pushes that never sleep. Each is two days after the one before, so that whatever waits has waited long enough."""

    household: Household
    fake: FakeFirefly
    now: datetime = field(default_factory=lambda: datetime(2026, 11, 27, tzinfo=UTC))

    def client(self, **options: Any) -> Firefly:
        """A client whose patience costs no time."""
        seconds = iter(range(1_000_000))
        quick: dict[str, Any] = {"sleep": lambda _: None, "jitter": lambda: 1.0, "clock": lambda: next(seconds) / 10}
        return Firefly(self.fake.url, self.fake.token, **(quick | options))

    def push(self, *, options: dict[str, Any] | None = None, **manner: Any) -> Pushed:
        """One push."""
        self.now += timedelta(days=2)
        with self.client(**(options or {})) as firefly:
            said = Manner(now=lambda: self.now, **manner)
            return push(self.household.engine, firefly, self.household.who, UNITS, said)

    def drift(self) -> list[AccountDrift]:
        """One look at both sides."""
        with self.client() as firefly:
            return drift(self.household.engine, firefly, self.household.who)

    def nameless(self, booking: int = 1) -> Group:
        """Somebody took our id from it, and our outbox was lost: the next push adopts it as the very same."""
        key = self.household.key(booking)
        group = self.fake.group_of(key)
        self.fake.user_edits(group, external_id=None)
        self.household.do("delete from firefly_outbox where external_id = :key", key=key)
        assert self.push().acts == {"adopt": 1}
        return group

    def writes(self) -> int:
        """How many requests have changed something, or wanted to."""
        return sum(self.fake.writes().values())

    def states(self) -> dict[str, str]:
        """The outbox: state by external id."""
        return {
            row.external_id: row.state for row in self.household.rows("select external_id, state from firefly_outbox")
        }
