"""What the engines are asked in tests, and clocks that run by themselves."""

from collections.abc import Callable
from itertools import count
from typing import Any

from twinning_pipelines.engines.chat import Message

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "headline": {"type": "string", "minLength": 1, "maxLength": 20},
        "facts": {"type": "array", "items": {"enum": ["steps", "sleep"]}, "minItems": 1, "maxItems": 2},
        "mood": {"type": "integer", "minimum": 1, "maximum": 5},
    },
    "required": ["headline", "facts", "mood"],
    "additionalProperties": False,
}
GOOD = '{"headline": "Grüezi — a day", "facts": ["steps"], "mood": 4}'


def question(nth: int = 0) -> list[Message]:
    """A question, another one for each number."""
    return [Message("system", "Answer in JSON."), Message("user", f"Day {nth}: what was it like?")]


def hasty_clock(step: float) -> Callable[[], float]:
    """A clock that is later by so many seconds each time that somebody looks."""
    moments = count()
    return lambda: next(moments) * step
