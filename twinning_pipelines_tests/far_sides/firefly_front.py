"""What stands between a client and a Firefly III: the weather of the network, and proxies that refuse on their own."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from twinning_pipelines_tests.far_sides.firefly import ERROR_500
from twinning_pipelines_tests.far_sides.scripted_server import Fault, HalfAnswer, HangUp, Instead, Reply, Request

FORBIDDEN = Reply(403, b"<html><head><title>403 Forbidden</title></head></html>")
TOO_LARGE = Reply(413, b"<html><head><title>413 Request Entity Too Large</title></head></html>")
Front = Callable[[Request], Reply | None]


@dataclass(slots=True)
class Weather:
    """Random faults: each request meets one with this probability. `commits`: also those that come after the deed."""

    seed: int
    rate: float = 0.3
    commits: bool = True

    def faults(self) -> Callable[[], Fault | None]:
        """A source of faults, the same for a seed."""
        dice = random.Random(self.seed)
        before: list[Fault] = [Instead(ERROR_500), Instead(Reply(503, b"<html>")), HangUp(stored=False)]
        kinds = before + ([HangUp(stored=True), HalfAnswer()] if self.commits else [])
        return lambda: dice.choice(kinds) if dice.random() < self.rate else None


def firewall(word: str) -> Front:
    """A web application firewall that dislikes a word in what is sent."""
    return lambda request: FORBIDDEN if word.encode() in request.body else None


def narrow(most_bytes: int) -> Front:
    """A proxy that lets no larger body through."""
    return lambda request: TOO_LARGE if len(request.body) > most_bytes else None


def read_only(request: Request) -> Reply | None:
    """Nobody may change anything."""
    return FORBIDDEN if request.method != "GET" else None


def shut(request: Request) -> Reply | None:
    """Nobody may do anything."""
    return FORBIDDEN
