"""What a person wants to reach, written in a file of their own, `goals/<person>.yaml`:

goals:
  - fact: steps
    at_least: 8000
  - fact: spend               # in the currency of the fact, where there is one of several
    at_most: 60
    unit: CHF
  - fact: hours_by_project:Novel
    at_least: 0.5             # in the fact's own unit, as `twinning summary --facts` shows it

A budget of the rulebook needs no goal: it is told when it is used up.
"""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import yaml
from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.marts.facts import FACT_BY_NAME
from twinning_pipelines.marts.telling.judging import Point
from twinning_pipelines.marts.telling.told import Aim

_MOST_BYTES, _MOST_GOALS = 64_000, 50
_AGES = 366


class Goal(Struct, frozen=True):
    """A fact at least or at most so much, in the unit of the fact. unit: only in this one, where it is said."""

    fact: str
    part: str
    unit: str
    at_least: Decimal | None
    at_most: Decimal | None

    def fits(self, fact: str, part: str, unit: str) -> bool:
        """Is it about this fact?"""
        return (self.fact, self.part) == (fact, part) and self.unit in ("", unit)

    def aim(self, points: Sequence[Point]) -> Aim:
        """How the last point fares against it, and on how many days in a row it was met."""
        limit = self.at_least if self.at_least is not None else self.at_most
        assert limit is not None
        row, day = 0, points[-1].day
        for each in reversed(points[-_AGES:]):
            if not self._holds(each.value) or (day - each.day).days > 1:
                break
            row, day = row + 1, each.day
        return Aim("high" if self.at_least is not None else "low", limit, self._holds(points[-1].value), row)

    def _holds(self, value: Decimal) -> bool:
        low, high = self.at_least, self.at_most
        return (low is None or value >= low) and (high is None or value <= high)


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fact: str
    at_least: Decimal | None = Field(None, ge=0, le=10**12)
    at_most: Decimal | None = Field(None, ge=0, le=10**12)
    unit: str = ""

    @field_validator("fact")
    @classmethod
    def _is_a_fact(cls, fact: str) -> str:
        if fact.partition(":")[0] not in FACT_BY_NAME:
            raise ValueError(f"no fact is called {fact!r}")
        return fact

    @model_validator(mode="after")
    def _says_one(self) -> "_Written":
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("say either at_least or at_most")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    goals: list[_Written] = Field(default_factory=list, max_length=_MOST_GOALS)


def goals_of(home: Path, person: str) -> list[Goal]:
    """A person's goals; none where they have written none. Raises WrongUsage, which says what is wrong with the file."""
    if person in ("", ".", "..") or any(each in person for each in "/\\\0"):
        return []
    path = home / "goals" / f"{person}.yaml"
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return []
    except OSError as wrong:
        raise WrongUsage(f"goals/{person}.yaml can't be read: {wrong.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise WrongUsage(f"goals/{person}.yaml is larger than {_MOST_BYTES:,} bytes")
    try:
        written = _File.model_validate(yaml.safe_load(data.decode("utf-8-sig")) or {})
    except (yaml.YAMLError, UnicodeDecodeError, ValidationError, RecursionError) as wrong:
        raise WrongUsage(f"goals/{person}.yaml: {_said(wrong)}") from None
    return [
        Goal(*(each.fact.partition(":")[::2]), each.unit, each.at_least, each.at_most)
        for each in written.goals
    ]  # fmt: skip


def _said(wrong: Exception) -> str:
    if isinstance(wrong, ValidationError):
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in wrong.errors())
    return " ".join(str(wrong).split())
