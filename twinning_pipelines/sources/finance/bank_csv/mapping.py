"""How to read one kind of bank's CSV, as a value: what recognises it, which column is what, and how its cells are meant.

A mapping is proposed from the file itself, shipped for a named bank, or written by a person as YAML (`written`). What is
`?` in it is left to the file; where the file decides it neither, the message names the key that a person has to set.
"""

import re
from collections.abc import Mapping as Words
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from msgspec import Struct
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_serializer, model_validator

from twinning_pipelines.formats.dates import Order
from twinning_pipelines.formats.text import codec_named

OPEN: Final = "?"
# The name of a mapping that nobody has written.
PROPOSED: Final = "proposed"
BOOKED: Final = "booked_on"
AMOUNT: Final = "amount"
DEBIT: Final = "debit"
CREDIT: Final = "credit"
FEE: Final = "fee"
DIRECTION: Final = "direction"
ACCOUNT: Final = "account"
ACCOUNT_IF_ONE: Final = "account_if_one"
BALANCE: Final = "balance"
CURRENCY: Final = "currency"
MEMO: Final = "memo"
PAYEE: Final = "payee"
PAYER: Final = "payer"
# Written as words of a person, each with what it means for a printed amount.
SIGNED: Final = "signed"
COLUMNS: Final = "columns"
WORDS: Final = "words"
MONEY_OUT: Final = "money out"
MONEY_IN: Final = "money in"
ORDERS: tuple[Order, ...] = ("DMY", "MDY", "YMD")

Name = Literal[
    "booked_on", "amount", "debit", "credit", "fee", "divisor", "direction", "account", "account_if_one", "payee", "payer",
    "memo",
    "valued_on", "currency", "balance", "bank_id", "kind", "category", "check_number", "reference", "original_amount",
    "original_currency",
]  # fmt: skip
Sign = Literal["signed", "columns", "words", "money out", "money in", "?"]
TEXTS: frozenset[Name] = frozenset({"payee", "memo", "reference", "kind", "category", "bank_id"})
MONEY: tuple[Name, ...] = (AMOUNT, DEBIT, CREDIT)
_DATES = "?, DMY, MDY, YMD or a pattern such as %d.%m.%Y"
_CODE = re.compile(r"[A-Z]{3}")
_SOME_DAY = date(2026, 11, 27)


def _sequence(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as wrong:
        raise ValueError(f"{text!r} is no pattern: {wrong}") from None
    return text


def _dates(text: str) -> str:
    if text in (OPEN, *ORDERS):
        return text
    try:
        # A pattern that loses the day, the month or the year does not bring the same day back.
        is_whole = datetime.strptime(_SOME_DAY.strftime(text), text).date() == _SOME_DAY  # noqa: DTZ007
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ValueError(f"{text!r}; allowed: {_DATES}")
    return text


def _codec(text: str) -> str:
    if text != OPEN and not codec_named(text):
        raise ValueError(f"{text!r} is no encoding; allowed: ? or a name such as utf-8, cp1252, cp1250, iso8859-2")
    return text


def _currency(text: str) -> str:
    if text != OPEN and not _CODE.fullmatch(text):
        raise ValueError(f"{text!r}; allowed: ? or an ISO 4217 code such as EUR")
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
Place = Annotated[int, Field(ge=1, strict=True)] | Annotated[str, Field(min_length=1, strict=True)]
Places = Annotated[tuple[Place, ...], BeforeValidator(_sequence), Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Recognition(_Strict):
    """By what a file is known: words that its header line names, or a pattern for each column of a file without one.

    lines_above: lines above the first booking of a file without a header. first_row: patterns that cells of the first
    row have to fit, by heading, where several kinds of export share their headings.
    """

    header: tuple[str, ...] = ()
    cells: tuple[Pattern, ...] = ()
    lines_above: Annotated[int, Field(ge=0)] = 0
    first_row: Words[str, Pattern] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        if bool(self.header) == bool(self.cells):
            raise ValueError("name either `header` (words of the header) or `cells` (a pattern for each column)")
        if self.lines_above and self.header:
            raise ValueError("`lines_above` is for files without a header; the header is looked for")
        if self.first_row and self.cells:
            raise ValueError("`first_row` is for files with a header; `cells` say the same of others")
        return self


class Mapping(_Strict):
    """Everything that is needed to read one kind of CSV.

    columns: field to heading, or to position from 1; several are joined, for words. encoding: where it is no UTF-8.
    dates: order of day, month and year, or a pattern of strptime. sign: what tells money that came from money that went.
    out, into: the words of the column `direction`. leave_out: rows that are no bookings, by a pattern for a column's
    whole cell. surplus: what cells behind the last column are. why: the reason for each decision, by key.
    """

    name: Annotated[str, Field(min_length=1)]
    recognised_by: Recognition
    columns: Words[Name, Places]
    encoding: Annotated[str, AfterValidator(_codec)] = OPEN
    delimiter: Literal[",", ";", "\t", "|", "?"] = OPEN
    dates: Annotated[str, AfterValidator(_dates)] = OPEN
    decimal: Literal[".", ",", "?"] = OPEN
    sign: Sign = OPEN
    out: tuple[str, ...] = ()
    into: tuple[str, ...] = ()
    account: Annotated[str, Field(min_length=1)] = OPEN
    currency: Annotated[str, AfterValidator(_currency)] = OPEN
    leave_out: Words[Name | Annotated[int, Field(ge=1)] | str, Pattern] = Field(default_factory=dict)
    surplus: Literal["reject", "memo"] = "reject"
    why: Words[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        named = self.columns.keys()
        if BOOKED not in named:
            raise ValueError("columns: booked_on is missing: the heading or position of the day")
        if AMOUNT not in named and not {DEBIT, CREDIT} <= named:
            raise ValueError("columns: amount is missing, or debit and credit for one column each")
        if AMOUNT in named and {DEBIT, CREDIT} & named:
            raise ValueError("columns: either amount, or debit and credit")
        several = [field for field, places in self.columns.items() if len(places) > 1 and field not in TEXTS]
        if several:
            raise ValueError(f"columns.{several[0]}: only words can be joined from several columns")
        self._check_sign()
        self._check_places()
        return self

    def _check_sign(self) -> None:
        allowed = {COLUMNS, OPEN} if DEBIT in self.columns else {SIGNED, MONEY_OUT, MONEY_IN, WORDS, OPEN}
        if self.sign not in allowed:
            raise ValueError(
                f"sign: {self.sign!r} does not go with these columns; allowed: {', '.join(sorted(allowed))}"
            )
        if self.sign == WORDS and DIRECTION not in self.columns:
            raise ValueError("sign: words: columns.direction is missing, the column with the words")

    def _check_places(self) -> None:
        count = len(self.recognised_by.cells)
        for field, place in self.places():
            if count and isinstance(place, str) and place != OPEN:
                raise ValueError(f"columns.{field}: a file without a header has positions, 1 to {count}; not {place!r}")
            if count and isinstance(place, int) and place > count:
                raise ValueError(f"columns.{field}: position {place}; allowed: 1 to {count}, as there are `cells`")

    @model_serializer(mode="plain")
    def _written(self) -> dict[str, Any]:
        """As YAML holds it: what is left out means nothing; columns in one piece are no lists."""
        known = {key: getattr(self, key) for key in type(self).model_fields}
        known["recognised_by"] = {
            key: list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Words) else value
            for key, value in ((each, getattr(self.recognised_by, each)) for each in Recognition.model_fields)
            if value
        }
        known["columns"] = {
            field: places[0] if len(places) == 1 else list(places) for field, places in self.columns.items()
        }
        known |= {key: list(known[key]) for key in ("out", "into")}
        known |= {key: dict(known[key]) for key in ("leave_out", "why")}
        kept = {key: value for key, value in known.items() if value not in ([], {})}
        if self.surplus == "reject":
            del kept["surplus"]
        return kept

    @property
    def has_header(self) -> bool:
        """Are its columns found by words?"""
        return bool(self.recognised_by.header)

    @property
    def opened(self) -> tuple[str, ...]:
        """The keys that a person has to set before any row can be read."""
        return tuple(f"columns.{field}" for field, place in self.places() if place == OPEN)

    def places(self) -> Sequence[tuple[Name, int | str]]:
        """Each field with each column that fills it."""
        return [(field, place) for field, places in self.columns.items() for place in places]

    def but(self, **changes: object) -> "Mapping":
        """The mapping with some of its keys changed."""
        return type(self).model_validate({**{key: getattr(self, key) for key in type(self).model_fields}, **changes})


class BrokenMapping(Struct, frozen=True):
    """A person's mapping that can't be used, so that nobody knows which files it is for. problem: its file, and why."""

    problem: str


OwnMapping: TypeAlias = Mapping | BrokenMapping
