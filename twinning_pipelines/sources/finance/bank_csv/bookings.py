"""The bookings of an opened statement: a row or a rejection for each line, and the closing balance where it is proved."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Words
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple, TypeVar

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.cells import as_json, currency_of
from twinning_pipelines.records.money import TRANSACTION, key_of
from twinning_pipelines.source import Claim, Notice, Rejection, Row
from twinning_pipelines.sources.finance.bank_csv import headings
from twinning_pipelines.sources.finance.bank_csv.evidence import Settled
from twinning_pipelines.sources.finance.bank_csv.figures import currency_in, day_reader, figure
from twinning_pipelines.sources.finance.bank_csv.mapping import (
    ACCOUNT,
    AMOUNT,
    BALANCE,
    BOOKED,
    CREDIT,
    CURRENCY,
    DEBIT,
    DIRECTION,
    FEE,
    MEMO,
    MONEY,
    MONEY_OUT,
    OPEN,
    PAYEE,
    PAYER,
    WORDS,
    Name,
)
from twinning_pipelines.sources.finance.bank_csv.statement import HEADER_AGAIN, Entry, Statement, iban_in

Value = TypeVar("Value")

_ZERO = Decimal(0)
_SHOWN_LINES = 3
_SHOWN_HEADINGS = 8


class _Balanced(NamedTuple):
    """What proves the order of rows."""

    day: date
    amount: Decimal
    balance: Decimal
    account: str
    currency: str
    at: int


def items_of(statement: Statement, found: Settled, clock: Clock) -> Iterator[Row | Rejection | Claim | Notice]:
    """Every line of the statement, and what a person should know of it."""
    reader = _Reader(statement, found, clock)
    yield from reader.notices()
    aside: dict[str, list[int]] = {}
    named = ""
    bookings: list[_Balanced | None] = []
    for entry in statement.entries():
        if entry.aside:
            aside.setdefault(entry.aside, []).append(entry.line.at)
            named = iban_in(entry.line.raw) or named
            if entry.aside == HEADER_AGAIN and named:
                yield from reader.go_on_with(named, entry.line.at)
            continue
        named = ""
        item = reader.item(entry)
        bookings.append(_balanced(item) if isinstance(item, Row) else None)
        yield item
    for reason, lines in aside.items():
        shown = ", ".join(map(str, lines[:_SHOWN_LINES])) + (", …" if len(lines) > _SHOWN_LINES else "")
        yield Notice(f"left out as no booking: {len(lines)} × {reason} (line {shown})")
    yield from _closing(bookings)


class _Reader:
    """Reads the lines of one statement."""

    def __init__(self, statement: Statement, found: Settled, clock: Clock) -> None:
        self._statement = statement
        self._found = found
        self._mapping = found.mapping
        self._width = len(statement.headings)
        self._day = day_reader(found.dates, found.pattern)
        self._out = frozenset(map(str.casefold, self._mapping.out)) or headings.OUT
        self._in = frozenset(map(str.casefold, self._mapping.into)) or headings.IN
        self._account = found.account or _stand_in(statement)
        self._currency = clock.currency if self._mapping.currency == OPEN else self._mapping.currency
        # A payer is kept by its heading too: of what went it is no part of the booking.
        taken = {place for field, places in statement.places.items() if field != PAYER for place in places}
        self._others = [(place, name) for place, name in enumerate(statement.headings) if place not in taken]

    def notices(self) -> Iterator[Notice]:
        """What a person should know before the first row."""
        places = self._statement.places
        if ACCOUNT not in places and not self._found.account:
            yield Notice(
                f"the file names no account; its bookings stand under {self._account!r}; `account` in a mapping names it"
            )
        if CURRENCY not in places and self._mapping.currency == OPEN:
            yield Notice(
                f"the file names no currency; its amounts are kept as {self._currency}; `currency` in a mapping names it"
            )
        if self._found.doubt:
            yield Notice(self._found.doubt)

    def go_on_with(self, account: str, at: int) -> Iterator[Notice]:
        """The rows that follow are of another account, which stands above a header of its own."""
        if account != self._account and self._mapping.account == OPEN:
            self._account = account
            yield Notice(f"from line {at} on the account is {account}")

    def item(self, entry: Entry) -> Row | Rejection:
        """The booking of a line; a rejection names every cell at fault."""
        line, faults = entry.line, list[str]()
        if line.damage:
            return Rejection(line.at, TRANSACTION.name, line.damage, line.raw)
        values = self._values(entry, faults)
        if faults:
            return Rejection(line.at, TRANSACTION.name, "; ".join(faults), line.raw)
        return Row(TRANSACTION, line.at, line.raw, values)

    def _values(self, entry: Entry, faults: list[str]) -> Words[str, object]:
        cells = entry.line.cells
        texts = self._statement.texts(cells)
        amount = self._amount(texts, faults)
        payee, memo, reference = _other_side(texts, amount), texts.get(MEMO, ""), texts.get("reference", "")
        if entry.more or len(cells) > self._width:
            memo = " ".join(part for part in (memo, entry.more, *cells[self._width :]) if part)
        bank_id, check = texts.get("bank_id", ""), texts.get("check_number", "")
        booked = self._read(texts, BOOKED, self._day, faults)
        if not texts[BOOKED]:
            faults.append(f"{BOOKED}: empty")
        currency, original = texts.get(CURRENCY) or _beside(texts), texts.get("original_currency")
        return {
            "account": texts.get(ACCOUNT) or self._account,
            "booked_on": booked,
            "amount": amount,
            "currency": currency_of(currency) if currency else self._currency,
            "key": key_of(bank_id, payee, memo, check, reference),
            "bank_id": bank_id,
            "payee": payee,
            "memo": memo,
            "kind": texts.get("kind") or None,
            "category": texts.get("category") or None,
            "valued_on": self._read(texts, "valued_on", self._day, faults),
            "check_number": check or None,
            "reference": reference or None,
            "original_amount": self._read(texts, "original_amount", self._value, faults),
            "original_currency": currency_of(original) if original else None,
            "balance": self._read(texts, BALANCE, self._value, faults),
            "extra": self._extra(cells),
        }

    def _read(
        self, texts: Words[Name, str], field: Name, read: Callable[[str], Value], faults: list[str]
    ) -> Value | None:
        cell = texts.get(field)
        if not cell:
            return None
        try:
            return read(cell)
        except (ValueError, OverflowError) as fault:
            faults.append(f"{self._label(field)}: {fault}")
            return None

    def _label(self, field: Name) -> str:
        """How a reason names it: by the field it fills; by its own heading when it fills none alone."""
        if field in TRANSACTION.schema.names:
            return field
        return self._statement.headings[self._statement.places[field][0]]

    def _value(self, cell: str) -> Decimal:
        return figure(cell, self._found.numbers).value

    def _amount(self, texts: Words[Name, str], faults: list[str]) -> Decimal | None:
        fee = self._read(texts, FEE, self._value, faults) or _ZERO
        try:
            return self._signed(texts) - fee
        except (ValueError, ArithmeticError) as fault:
            faults.append(str(fault))
            return None

    def _signed(self, texts: Words[Name, str]) -> Decimal:
        if DEBIT in texts:
            return self._from_columns(texts)
        cell = texts[AMOUNT]
        if not cell:
            raise ValueError("amount: empty")
        try:
            printed = figure(cell, self._found.numbers)
        except ValueError as fault:
            raise ValueError(f"amount: {fault}") from None
        value = printed.value
        if divisor := texts.get("divisor"):
            value /= figure(divisor, self._found.numbers).value
        if self._mapping.sign == WORDS:
            word = texts.get(DIRECTION, "").casefold()
            if word not in self._out | self._in:
                raise ValueError(f"amount: {word!r} says neither that money went nor that it came")
            return -abs(value) if word in self._out else abs(value)
        if self._mapping.sign == MONEY_OUT:
            return -value if printed.said != "+" else value
        return value

    def _from_columns(self, texts: Words[Name, str]) -> Decimal:
        found: dict[str, Decimal] = {}
        faults: list[str] = []
        for field in (DEBIT, CREDIT):
            if value := self._read(texts, field, self._value, faults):
                found[field] = value
            elif value is not None:
                found.setdefault(field, value)
        if faults:
            raise ValueError("; ".join(faults))
        if not found:
            raise ValueError("amount: empty")
        came, went = found.get(CREDIT, _ZERO), found.get(DEBIT, _ZERO)
        return (-came if self._found.credits_signed else came) + (went if self._found.debits_signed else -went)

    def _extra(self, cells: Sequence[str]) -> str | None:
        if not self._others:
            return None
        count = len(cells)
        filled = {name: cells[place] for place, name in self._others if place < count and cells[place]}
        return as_json(filled) if filled else None


def _other_side(texts: Words[Name, str], amount: Decimal | None) -> str:
    """Who paid where money came and a column says so, else who was paid."""
    came = amount is not None and amount > 0
    return (texts.get(PAYER) if came else "") or texts.get(PAYEE, "")


def _beside(texts: Words[Name, str]) -> str:
    """The currency that stands beside the amount."""
    for field in MONEY:
        if (cell := texts.get(field)) and (code := currency_in(cell)):
            return code
    return ""


def _stand_in(statement: Statement) -> str:
    """What an account without a name is called: by all columns of its file, whoever maps them; else by the mapping.

    Day and amount alone are called the same by many banks, whose bookings would take each other's place.
    """
    if not statement.mapping.has_header:
        return f"account of {statement.mapping.name}"
    shown, more = statement.headings[:_SHOWN_HEADINGS], len(statement.headings) - _SHOWN_HEADINGS
    return f"account of a CSV with {', '.join(shown)}{f' and {more} more' if more > 0 else ''}"


def _balanced(row: Row) -> _Balanced | None:
    values = row.values
    day, amount, balance = values[BOOKED], values["amount"], values["balance"]
    if isinstance(day, date) and isinstance(amount, Decimal) and isinstance(balance, Decimal):
        return _Balanced(day, amount, balance, str(values["account"]), str(values["currency"]), row.at)
    return None


def _closing(bookings: list[_Balanced | None]) -> Iterator[Claim]:
    """The balance behind the last booking, where every balance follows from the one before: upwards or downwards."""
    rows = [each for each in bookings if each is not None]
    if len(rows) < len(bookings) or len({(each.account, each.currency) for each in rows}) != 1:
        return
    last: list[_Balanced] = []
    for ordered in (rows, rows[::-1]):
        in_order = all(earlier.day <= later.day for earlier, later in pairwise(ordered))
        if in_order and all(earlier.balance + later.amount == later.balance for earlier, later in pairwise(ordered)):
            last.append(ordered[-1])
    # What came and went again on one day can be read either way.
    if last and len({each.balance for each in last}) == 1:
        found = last[0]
        yield Claim("closing_balance", found.account, found.day, found.balance, found.currency, found.at)
