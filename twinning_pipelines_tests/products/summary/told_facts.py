"""Facts to write about, and a model that answers what a test says."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from twinning_pipelines.engines.chat import Message, Reply
from twinning_pipelines.marts.facts import FACT_BY_NAME
from twinning_pipelines.marts.telling.told import Told, Yardstick

THURSDAY = date(2026, 11, 26)


def told(name: str, value: str, unit: str = "", *, part: str = "", slot: str = "", **more: Any) -> Told:
    fact = FACT_BY_NAME[name]
    plain = Told(
        id=slot or (f"{name}.{part.lower()}" if part else name), fact=name, part=part, domain=fact.domain, label=fact.title,
        definition=fact.definition, unit=unit or fact.unit, value=Decimal(value), rows=3, kind="day", day=THURSDAY,
        first=THURSDAY, how="value", why="usual", reason="ordinary", news=0.1, words=part,
        handle=f"twinning explain {name} --day {THURSDAY}",
    )  # fmt: skip
    return replace(plain, **more)


def usual(middle: str, spread: str = "0.5", against: Any = "weekday", n: int = 11, of: int = 12) -> Yardstick:
    return Yardstick(against, Decimal(middle), Decimal(spread), n, of, date(2026, 9, 3))


def due(words: str, amount: str, currency: str = "CHF", **more: Any) -> Told:
    plain = told(
        "spend", amount, currency, slot="due." + words.lower().replace(" ", "_"),
        fact="due", label="Payment expected", words=words, why="due",
        on=date(2026, 11, 27), required=True, news=3.5,
    )  # fmt: skip
    return replace(plain, **more)


def silent(title: str, days: int = 15, **more: Any) -> Told:
    plain = told(
        "sleep", str(days), "d", slot=f"silent.{title.lower().replace(' ', '_')}", fact="silent", domain="sources", words=title,
        label="No data from a source", why="silent", on=date(2026, 11, 12), required=True, news=0.5,
    )  # fmt: skip
    return replace(plain, **more)


def reply_of(*sections: tuple[str, Sequence[tuple[str, Sequence[str]]]]) -> str:
    document = [
        {"domain": domain, "sentences": [{"text": text, "facts": list(ids)} for text, ids in sentences]}
        for domain, sentences in sections
    ]
    return json.dumps({"sections": document}, ensure_ascii=False)


@dataclass
class Answers:
    """A language model in memory: it gives its answers one after the other; an exception is raised instead."""

    given: Iterable[str | Exception | Callable[[], str]]
    complete: bool = True
    asked: list[tuple[Sequence[Message], Mapping[str, Any], float]] = field(default_factory=list)
    name: str = "memory"
    model: str = "parrot"

    def __post_init__(self) -> None:
        self._left = iter(self.given)

    def ask(self, messages: Sequence[Message], schema: Mapping[str, Any], *, deadline: float) -> Reply:
        self.asked.append((list(messages), schema, deadline))
        answer = next(self._left)
        if isinstance(answer, Exception):
            raise answer
        text = answer if isinstance(answer, str) else answer()
        return Reply(text, self.model, "sha256:abc", self.complete, 1.0)
