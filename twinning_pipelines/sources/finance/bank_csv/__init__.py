"""A bank's CSV, whichever bank's: its columns are understood by the words over them.

From: the "download" or "export" page of an online bank, of a card or of a money program, as CSV.
To: Transaction, and the closing balance as a claim where running balances prove the order of the rows.

Asked only when no other source recognises a file. The header is looked for in the first lines; it has to name a day, an
amount (or one column for money in and one for money out) and some words. Lists of trades, prices and holdings are left
alone. Number locale, date order and the direction of amounts are decided once per file, from all its rows.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.cells import CURRENCY, DAY, MONEY, TEXT, Reading, Styles
from twinning_pipelines.formats.columns import Cells, Column, Filled, Rest, Table, text_of
from twinning_pipelines.formats.delimited import Sheet, open_sheet
from twinning_pipelines.formats.text import decode
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import TRANSACTION, key_of
from twinning_pipelines.source import Claim, Item, Notice, Rejection, Row, Source, gather
from twinning_pipelines.sources.finance.bank_csv import headings
from twinning_pipelines.sources.finance.bank_csv.mapping import (
    ACCOUNT,
    ACCOUNT_IF_ONE,
    AMOUNT,
    BOOKED,
    CREDIT,
    DEBIT,
    DIRECTION,
    Proposal,
    bare,
    proposal_of,
)

_READINGS = {
    BOOKED: DAY, AMOUNT: MONEY, DEBIT: MONEY, CREDIT: MONEY, "balance": MONEY, "original_amount": MONEY,
    "valued_on": DAY, "currency": CURRENCY, "original_currency": CURRENCY,
}  # fmt: skip
# What banks write where it is neither UTF-8 nor Western: Central European, Cyrillic, Baltic.
_CODECS = ("", "cp1250", "cp1251", "cp1257")
_ZERO = Decimal(0)
_CODE_LETTERS = 3


class _Booking(NamedTuple):
    """What proves the order of rows."""

    day: date
    amount: Decimal
    balance: Decimal
    account: str
    currency: str
    at: int


class _Manner(NamedTuple):
    """What holds for all rows of a file. account, currency: where a row names none. minus: debits have a sign already."""

    account: str
    currency: str
    minus: bool


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Every booking, line by line. Raises UnreadableFile."""
    codec, proposal = _proposed(original.head)
    if proposal is None:
        raise UnreadableFile("no header that names a day, an amount and what it was for")
    sheet = open_sheet(text_of(original, codec), proposal.marks)
    proposal = _with_direction(proposal, sheet)
    filled = _table(proposal).over(sheet, clock)
    _refuse_signless(proposal, filled)
    yield from gather(_items(filled, proposal, clock), SOURCE.records)


def _proposed(head: bytes) -> tuple[str, Proposal | None]:
    """The first codec in which the file has a header that can be read: no bytes are words of two of them by chance."""
    tried: set[str] = set()
    for codec in _CODECS:
        decoded = decode(head, codec)
        # What is UTF-8 is read as that whatever is proposed.
        if decoded.codec not in tried:
            tried.add(decoded.codec)
            proposal = proposal_of(decoded.text)
            if proposal is not None:
                return codec, proposal
    return "", None


def _refuse_signless(proposal: Proposal, filled: Filled) -> None:
    """Spending without a minus can't be told from income; many cards print it so. Raises UnreadableFile."""
    if AMOUNT not in proposal.columns or {DIRECTION, "balance"} & proposal.columns.keys():
        return
    amounts = [_read_or_zero(cell, filled.styles) for cell in filled.sheet.column(proposal.columns[AMOUNT])]
    if len(amounts) > 1 and all(amount >= 0 for amount in amounts):
        raise UnreadableFile(
            "no amount has a minus, so nothing tells money that came from money that went; "
            "add a column Type that says debit or credit in every row, and drop it again"
        )


def _items(filled: Filled, proposal: Proposal, clock: Clock) -> Iterator[Row | Rejection | Claim | Notice]:
    account = _account(proposal, filled.sheet)
    if account is None:
        account = f"account of a CSV with {', '.join(proposal.marks)}"
        yield Notice(f"the file names no account; its bookings stand under {account!r}")
    if not proposal.currency and "currency" not in proposal.columns:
        yield Notice(f"the file names no currency; its amounts are kept as {clock.currency}")
    manner = _Manner(account, proposal.currency or clock.currency, _has_minus(proposal, filled))
    bookings: list[_Booking | None] = []
    for item in filled.rows(lambda cells: _transaction(cells, manner)):
        if isinstance(item, Row | Rejection):
            bookings.append(_booking(item) if isinstance(item, Row) else None)
        yield item
    yield from _closing(bookings)


def _table(proposal: Proposal) -> Table:
    columns = [
        Column(field, (heading,), _reading(field), required=field == BOOKED)
        for field, heading in proposal.columns.items()
    ]
    return Table(TRANSACTION, tuple(columns), proposal.marks, rest=Rest("extra"))


def _reading(field: str) -> Reading:
    reading = _READINGS.get(field, TEXT)
    return _WITH_CODE if reading is MONEY else reading


def _amount(cell: str, styles: Styles) -> Decimal:
    """`12.50 EUR` and `EUR 12.50` are 12.50: the currency has a column or a heading of its own."""
    first, _, last = cell.partition(" ")
    if len(first) == _CODE_LETTERS and first.isalpha():
        return styles.numbers.read(last)
    first, _, last = cell.rpartition(" ")
    return styles.numbers.read(first if len(last) == _CODE_LETTERS and last.isalpha() else cell)


_WITH_CODE = Reading("an amount", _amount, "number")


def _with_direction(proposal: Proposal, sheet: Sheet) -> Proposal:
    """What only the cells can tell: is a column of words the direction of the money?"""
    if AMOUNT not in proposal.columns:
        return proposal
    for heading in sheet.headings:
        if bare(heading) in headings.DIRECTION:
            # Exports that somebody has joined hold their header twice.
            words = {cell.casefold() for cell in sheet.column(heading)} - {heading.casefold()}
            if words and words <= headings.OUT | headings.IN:
                others = {field: each for field, each in proposal.columns.items() if each != heading}
                return Proposal({**others, DIRECTION: heading}, proposal.currency, proposal.preamble)
    return proposal


def _has_minus(proposal: Proposal, filled: Filled) -> bool:
    """Do debits have a sign of their own? All of a file or none."""
    cells = filled.sheet.column(proposal.columns[DEBIT]) if DEBIT in proposal.columns else []
    found = [amount for cell in cells if (amount := _read_or_zero(cell, filled.styles))]
    return bool(found) and all(amount < 0 for amount in found)


def _read_or_zero(cell: str, styles: Styles) -> Decimal:
    try:
        return _amount(cell, styles)
    except ValueError:
        return _ZERO


def _account(proposal: Proposal, sheet: Sheet) -> str | None:
    """The one account of the file; empty where each row names its own; None where nobody names it."""
    if ACCOUNT in proposal.columns:
        return ""
    if ACCOUNT_IF_ONE in proposal.columns:
        named = set(sheet.column(proposal.columns[ACCOUNT_IF_ONE]))
        if len(named) == 1:
            return named.pop()
    return proposal.iban or None


def _transaction(cells: Cells, manner: _Manner) -> Mapping[str, object]:
    """The values of one booking, and its balance. Raises ValueError."""
    payee, memo, reference = cells.text("payee"), cells.text("memo"), cells.text("reference")
    bank_id, check = cells.text("bank_id"), cells.text("check_number")
    names = ("kind", "category", "valued_on", "original_amount", "original_currency", "balance", "extra")
    return {name: cells.values.get(name) for name in names} | {
        "account": cells.text(ACCOUNT) or manner.account or cells.text(ACCOUNT_IF_ONE),
        "booked_on": cells.values[BOOKED],
        "amount": _signed(cells, manner),
        "currency": cells.text("currency") or manner.currency,
        "key": key_of(bank_id, payee, memo, check, reference),
        "bank_id": bank_id,
        "payee": payee,
        "memo": memo,
        "check_number": check or None,
        "reference": reference or None,
    }


def _signed(cells: Cells, manner: _Manner) -> Decimal:
    amount, word = cells.get(AMOUNT, Decimal), cells.text(DIRECTION).casefold()
    if amount is not None:
        return amount if not word else -abs(amount) if word in headings.OUT else abs(amount)
    debit, credit = cells.get(DEBIT, Decimal), cells.get(CREDIT, Decimal)
    if debit is None and credit is None:
        raise ValueError("amount: empty")
    return (credit or _ZERO) + (debit or _ZERO) * (1 if manner.minus else -1)


def _booking(row: Row) -> _Booking | None:
    values = row.values
    day, amount, balance = values[BOOKED], values["amount"], values["balance"]
    if isinstance(day, date) and isinstance(amount, Decimal) and isinstance(balance, Decimal):
        return _Booking(day, amount, balance, str(values["account"]), str(values["currency"]), row.at)
    return None


def _closing(bookings: list[_Booking | None]) -> Iterator[Claim]:
    """The balance behind the last booking, where every balance follows from the one before: upwards or downwards."""
    rows = [each for each in bookings if each is not None]
    if len(rows) < len(bookings) or len({(each.account, each.currency) for each in rows}) != 1:
        return
    for ordered in (rows, rows[::-1]):
        in_order = all(earlier.day <= later.day for earlier, later in pairwise(ordered))
        if in_order and all(earlier.balance + later.amount == later.balance for earlier, later in pairwise(ordered)):
            last = ordered[-1]
            yield Claim("closing_balance", last.account, last.day, last.balance, last.currency, last.at)
            return


def _recognises(original: Original) -> bool:
    return not original.is_zip and _proposed(original.head)[1] is not None


SOURCE = Source(
    name="finance.bank_csv",
    title="Bank statement (CSV of any bank)",
    recognition="a header with a day, an amount and words for it, in a file that no other source recognises",
    records=(TRANSACTION,),
    recognises=_recognises,
    parse=parse,
    expect_every=timedelta(days=31),
    last_resort=True,
)
