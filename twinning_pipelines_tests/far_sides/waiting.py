"""A clock that costs no time: what waits for a far side goes on at once, and tells how long it would have waited."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Waiting:
    """A clock that only moves when somebody sleeps."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds

    def clock(self) -> float:
        return self.seconds

    def clocks(self) -> dict[str, Callable[..., Any]]:
        """What a client takes in place of its own, without chance."""
        return {"sleep": self.sleep, "clock": self.clock, "jitter": lambda: 1.0}
