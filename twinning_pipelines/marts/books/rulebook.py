"""A person's rulebook: what their accounts are called, what bookings mean, what they want to spend.

currency: CHF                     # net worth and budgets are told in it
accounts:
  - name: Household
    kind: checking                # checking savings card cash loan brokerage other
    same_as: ["CH93 0076 2011 6238 5295 7"]
rules:                            # the first that fits says what it is; tags add up
  - if: {payee: [migros, coop]}   # whole words; case and accents do not matter; amzn* begins so; /regular expression/
    category: Groceries
  - if: {text: spotify, amount: -20..-10, account: Household, currency: CHF, day: 1..5}
    unless: {text: gift card}
    category: Subscriptions
    tags: [streaming]
    payee: Spotify
  - if: {text: standing order savings}
    transfer_to: Savings          # to an own account, even if no statement of that account is ever seen
budgets:
  - name: Food
    categories: [Groceries, Restaurants]
    monthly: 900 CHF
    since: 2026-01
transfers: {days: 4, fx_tolerance: 3 %}
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal

from msgspec import Struct, field
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from twinning_pipelines.marts.books.accounts import OwnAccount
from twinning_pipelines.marts.books.phrases import COSTLIEST_RULEBOOK, Phrase, cost_of, read_phrase
from twinning_pipelines.marts.books.rulebook_text import Document, Path, Problem, WrongRulebook, read_text, spelled

_MOST_RULES = 1_000
_NUMBER = r"[+-]?\d{1,15}(?:\.\d{1,10})?"
_AMOUNT = re.compile(_NUMBER)
_RANGE = re.compile(rf"({_NUMBER})?\s*\.\.\s*({_NUMBER})?")
_DAYS = re.compile(r"(\d{1,2})(?:\s*\.\.\s*(\d{1,2}))?")
_MONEY = re.compile(r"(?:([A-Z]{3})\s+)?(\d{1,12}(?:\.\d{1,4})?)(?:\s+([A-Z]{3}))?")
_PERCENT = re.compile(r"(\d{1,2}(?:\.\d{1,4})?)\s*%")
_MONTH = re.compile(r"(\d{4})-(\d{2})")


class AmountRange(Struct, frozen=True):
    """Amounts as the account sees them, both ends included; money out is negative. sign: -1 out, 1 in, 0 either."""

    low: Decimal | None = None
    high: Decimal | None = None
    sign: int = 0

    def holds(self, amount: Decimal) -> bool:
        """Is the amount among them?"""
        if self.sign:
            return amount * self.sign > 0
        return (self.low is None or amount >= self.low) and (self.high is None or amount <= self.high)


def _amounts(text: object) -> object:
    if text in ("in", "out"):
        return AmountRange(sign=1 if text == "in" else -1)
    spoken = str(text)
    if _AMOUNT.fullmatch(spoken):
        return AmountRange(Decimal(spoken), Decimal(spoken))
    match = _RANGE.fullmatch(spoken)
    if not match or not any(match.groups()):
        raise ValueError(f"{spoken[:60]!r} is no amount; write -20..-10, ..-100, 50.., -9.90, in or out")
    low, high = (Decimal(each) if each else None for each in match.groups())
    if low is not None and high is not None and low > high:
        raise ValueError(f"the smaller end comes first: {high}..{low}")
    return AmountRange(low, high)


def _days(text: object) -> object:
    match = _DAYS.fullmatch(str(text))
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= 31:
        raise ValueError(f"{str(text)[:60]!r} is no day of the month; write 15 or 1..5")
    return range(first, last + 1)


def _day(text: object) -> object:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise ValueError(f"{str(text)[:60]!r} is no day; write 2026-01-31") from None


def _month(text: object) -> object:
    match = _MONTH.fullmatch(str(text))
    if not match or not 1 <= int(match[2]) <= 12 or not 1900 <= int(match[1]) <= 2200:
        raise ValueError(f"{str(text)[:60]!r} is no month; write 2026-01")
    return date(int(match[1]), int(match[2]), 1)


def _money(text: object) -> object:
    match = _MONEY.fullmatch(str(text))
    if not match or (match[1] and match[3]):
        raise ValueError(f"{str(text)[:60]!r} is no amount; write 900 CHF, or 900 in the rulebook's currency")
    return Decimal(match[2]), match[1] or match[3] or ""


def _percent(text: object) -> object:
    match = _PERCENT.fullmatch(str(text))
    if not match or Decimal(match[1]) > 25:
        raise ValueError(f"{str(text)[:60]!r} is no share; write 3 %, at most 25 %")
    return Decimal(match[1]) / 100


def _word(text: object) -> object:
    if not isinstance(text, str):
        raise ValueError("a text is meant, not a list or a map")
    if not text or len(text) > 200:
        raise ValueError("between 1 and 200 characters are allowed")
    # YAML writes them in double quotes as \0 and such; Postgres takes no NUL.
    if any(unicodedata.category(each) in ("Cc", "Cs") for each in text):
        raise ValueError("control characters are not allowed")
    return text


def _currency(text: object) -> object:
    if not re.fullmatch("[A-Z]{3}", str(text)):
        raise ValueError(f"{str(text)[:60]!r} is no currency; write its three letters, such as CHF")
    return text


def _several(value: object) -> object:
    """One word may stand for a list of one."""
    return [value] if isinstance(value, str) else value


Word = Annotated[str, BeforeValidator(_word)]
Words = Annotated[tuple[Word, ...], BeforeValidator(_several), Field(min_length=1, max_length=500)]
Phrases = Annotated[
    tuple[Annotated[Phrase, BeforeValidator(read_phrase)], ...],
    BeforeValidator(_several),
    Field(min_length=1, max_length=500),
]
Currency = Annotated[str, BeforeValidator(_currency)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Condition(_Section):
    """What a booking must be, all of it; of several phrases one is enough. An empty condition fits nothing."""

    text: Phrases | None = Field(None, description="payee or memo")
    payee: Phrases | None = None
    memo: Phrases | None = None
    category: Phrases | None = Field(None, description="as the file says it")
    amount: Annotated[AmountRange, BeforeValidator(_amounts)] | None = None
    account: Words | None = None
    currency: Annotated[tuple[Currency, ...], BeforeValidator(_several)] | None = None
    day: Annotated[range, BeforeValidator(_days)] | None = Field(None, description="of the month")
    since: Annotated[date, BeforeValidator(_day)] | None = None
    until: Annotated[date, BeforeValidator(_day)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Condition":
        if not self.model_fields_set:
            raise ValueError(f"says nothing; allowed: {', '.join(Condition.model_fields)}")
        return self

    def phrases(self) -> list[Phrase]:
        """Every phrase in it."""
        return [each for some in (self.text, self.payee, self.memo, self.category) for each in some or ()]


class Rule(_Section):
    """What bookings that fit `when`, and not `unless`, are."""

    when: Condition = Field(alias="if")
    unless: Condition | None = None
    category: Word | None = None
    transfer_to: Word | None = None
    payee: Word | None = None
    tags: Words = ()

    @model_validator(mode="after")
    def _says_one_thing(self) -> "Rule":
        if self.category and self.transfer_to:
            raise ValueError("a transfer to an own account has no category: say one of category and transfer_to")
        if not (self.category or self.transfer_to or self.payee or self.tags):
            raise ValueError("sets nothing; it needs one of category, transfer_to, payee, tags")
        if any("," in tag for tag in self.tags):
            raise ValueError("a tag has no comma")
        return self


class _Account(_Section):
    name: Word
    kind: Literal["checking", "savings", "card", "cash", "loan", "brokerage", "other"] = "checking"
    same_as: Words = ()


class Budget(_Section):
    """What may be spent in each month from `since` on. A category holds those below it: Food holds Food:Snacks."""

    name: Word
    categories: Words
    monthly: Annotated[tuple[Decimal, str], BeforeValidator(_money)]
    since: Annotated[date, BeforeValidator(_month)] = date(1900, 1, 1)


class Transfers(_Section):
    """How far apart the two bookings of a transfer may be. fx_tolerance: a share of the amount, 0.03 for 3 %."""

    days: int = Field(4, ge=0, le=14)
    fx_tolerance: Annotated[Decimal, BeforeValidator(_percent)] = Decimal("0.03")


class _File(_Section):
    currency: Currency | None = None
    accounts: tuple[_Account, ...] = ()
    rules: tuple[Rule, ...] = Field((), max_length=_MOST_RULES)
    budgets: tuple[Budget, ...] = ()
    transfers: Transfers = Transfers()


_SECTIONS: dict[str, type[_Section]] = {
    "accounts": _Account, "rules": Rule, "budgets": Budget, "transfers": Transfers, "if": Condition, "unless": Condition,
}  # fmt: skip


class Rulebook(Struct, frozen=True):
    """A rulebook that can be used. lines: where each rule stands in its file."""

    currency: str | None = None
    accounts: tuple[OwnAccount, ...] = ()
    rules: tuple[Rule, ...] = ()
    lines: tuple[int, ...] = ()
    budgets: tuple[Budget, ...] = ()
    transfers: Transfers = field(default_factory=Transfers)


@lru_cache(maxsize=16)
def read_rulebook(text: str) -> Rulebook:
    """Reads a rulebook. Raises WrongRulebook, which names every line, key and what is allowed there."""
    document = read_text(text)
    # A section without anything below it is as good as none.
    said = {name: value for name, value in document.tree.items() if value != "" or name == "currency"}
    try:
        file = _File.model_validate(said)
    except ValidationError as wrong:
        raise WrongRulebook(_problems(document, wrong)) from None
    problems = _contradictions(document, file)
    if problems:
        raise WrongRulebook(problems)
    accounts = tuple(OwnAccount(each.name, each.kind, each.same_as) for each in file.accounts)
    lines = tuple(document.line(("rules", place)) for place in range(len(file.rules)))
    return Rulebook(file.currency, accounts, file.rules, lines, file.budgets, file.transfers)


def _problems(document: Document, wrong: ValidationError) -> list[Problem]:
    told = []
    for each in wrong.errors(include_url=False):
        path: Path = tuple(each["loc"])
        told.append(Problem(document.line(path), spelled(path), _said(path, dict(each))))
    return sorted(told, key=lambda each: each.line)


def _said(path: Path, error: dict[str, Any]) -> str:
    match error["type"]:
        case "extra_forbidden":
            said = f"is not known here; allowed: {', '.join(_keys_at(path[:-1]))}"
        case "missing":
            said = "is missing"
        case "value_error":
            said = str(error["ctx"]["error"])
        case "literal_error":
            said = f"{str(error['input'])[:60]!r} is not allowed; allowed: {error['ctx']['expected']}"
        case "model_type":
            said = f"a map is meant, with some of {', '.join(_keys_at(path))}"
        case "tuple_type":
            said = "a list is meant"
        case _:
            said = str(error["msg"])
    return said


def _keys_at(path: Path) -> list[str]:
    name = next((each for each in reversed(path) if isinstance(each, str)), "")
    fields = _SECTIONS.get(name, _File).model_fields
    return [field.alias or key for key, field in fields.items()]


def _contradictions(document: Document, file: _File) -> list[Problem]:
    problems = []
    for section, names in (
        ("accounts", [each.name.casefold() for each in file.accounts]),
        ("budgets", [f"{each.name.casefold()} {each.since}" for each in file.budgets]),
    ):
        for place, name in enumerate(names):
            if name in names[:place]:
                path = (section, place, "name")
                problems.append(Problem(document.line(path), spelled(path), "is here twice"))
    for place, budget in enumerate(file.budgets):
        if not budget.monthly[1] and file.currency is None:
            path = ("budgets", place, "monthly")
            said = "in which currency? write 900 CHF, or a currency at the top of the file"
            problems.append(Problem(document.line(path), spelled(path), said))
    if sum(cost_of(phrase) for rule in file.rules for phrase in _phrases(rule)) > COSTLIEST_RULEBOOK:
        problems.append(
            Problem(document.line(("rules",)), "rules", "too many or too long regular expressions; use words")
        )
    return problems


def _phrases(rule: Rule) -> Sequence[Phrase]:
    return [*rule.when.phrases(), *(rule.unless.phrases() if rule.unless else ())]
