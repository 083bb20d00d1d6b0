"""The daily summary as a plain text made from facts alone; every figure in it is rendered by code from a stored fact."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from twinning_pipelines.marts.daily_facts import ToldFact
from twinning_pipelines.marts.facts import FACT_BY_NAME

_DECIMALS = {"h": 1, "count": 0, "m": 0, "kcal": 0, "min": 0, "count/min": 0, "ms": 0, "kg": 1, "g": 0}
_WORDS = {"count": "", "count/min": "per minute", "fraction": "%"}
_DOMAINS = {
    "health": "Body",
    "nutrition": "Food",
    "finance": "Money",
    "time": "Work",
    "business": "Business",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """One person's day in words. `path` says how the text came about; here always `template`."""

    person: str
    day: date
    path: str
    text: str
    facts: tuple[ToldFact, ...]

    def document(self) -> dict[str, object]:
        """The JSON document of the command-line contract."""
        return {
            "person": self.person,
            "day": self.day.isoformat(),
            "path": self.path,
            "text": self.text,
            "facts": [
                {"id": spelled(fact), "value": float(fact.value), "unit": fact.unit, "rendered": rendered(fact)}
                for fact in self.facts
            ],
        }


def spelled(fact: ToldFact) -> str:
    """A fact as `twinning explain` takes it: `name` or `name:part`."""
    return f"{fact.fact}:{fact.part}" if fact.part else fact.fact


def rendered(fact: ToldFact) -> str:
    """A fact's value for people: `7.4 h`, `8,312`, `71 %`, `120.50 CHF`."""
    if fact.unit == "fraction":
        return f"{fact.value * 100:.0f} %"
    places = _DECIMALS.get(fact.unit, 2)
    figure = f"{fact.value.quantize(Decimal(1).scaleb(-places)):,f}"
    word = _WORDS.get(fact.unit, fact.unit)
    return f"{figure} {word}".strip()


def summarise(person: str, day: date, facts: Sequence[ToldFact]) -> Summary:
    """One line per domain that has something to tell; a day without facts is said to be one."""
    lines = []
    for domain, title in _DOMAINS.items():
        told = [fact for fact in facts if not fact.part and FACT_BY_NAME[fact.fact].domain == domain]
        if told:
            clauses = ", ".join(f"{FACT_BY_NAME[fact.fact].title.lower()} {rendered(fact)}" for fact in told)
            lines.append(f"{title}: {clauses}.")
    text = "\n".join(lines) if lines else f"Nothing is known of {day.isoformat()}."
    return Summary(person, day, "template", text, tuple(facts))
