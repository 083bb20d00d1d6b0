"""Registers in QIF: bookings, trades and the lists beside them.

From: Quicken, Microsoft Money, GnuCash, Banktivity, and banks that still offer QIF.
To: Transaction, Trade, RegisterEntry. QIF names no currency: the person's own is meant.
"""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

import pyarrow as pa

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats import dates, numbers, qif
from twinning_pipelines.formats.arrays import as_arrow
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import PRICE, REGISTER_ENTRY, TRADE, TRANSACTION, key_of
from twinning_pipelines.records.record import Record
from twinning_pipelines.source import BATCH_ROWS, Batch, Item, Notice, Rejection, Row, Source, gather
from twinning_pipelines.sources.finance import booking_columns
from twinning_pipelines.sources.finance.qif_prices import prices_of

_SECTION = re.compile(r"^\s*!\s*(type|account|option|clear)\b", re.IGNORECASE | re.MULTILINE)
# Some banks leave the section out: then a line that is only `^`, a date line and an amount line must do.
_HEADLESS = tuple(
    re.compile(line, re.MULTILINE) for line in (r"^\^\s*$", r"^D\s*\d[\d/.' -]+\s*$", r"^T\s*[-+]?[\d.,']+\s*$")
)

_REGISTERS = {
    "Account": "account",
    "Cat": "category",
    "Class": "class",
    "Memorized": "memorized",
    "Security": "security",
    "Prices": "price",
    "Budget": "budget",
}
_TRANSFER = re.compile(r"\[(.+?)\]")
_TRANSACTION_CODES = frozenset(("D", "T", "U", "P", "M", "L", "N"))
_TRADE_CODES = frozenset(("D", "N", "Y", "I", "Q", "T", "U", "O", "M"))
# QIF writes amounts and units without a sign; the action tells it. Reinvestments move no cash.
_MONEY_OUT = ("buy", "cvrshrt", "miscexp", "margint", "xout", "withdrwx")
_NO_MONEY = ("reinv", "shrsin", "shrsout", "stksplit", "grant", "vest", "exercis", "expire", "remind")
_UNITS_OUT = ("sell", "shrsout", "shtsell")
# Quicken ends an action with X where its money came from, or went to, another account (`BuyX`); these two are that alone.
_TRANSFERS = ("contribx", "withdrwx")
_CUT = "the file ends inside this record"


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """The records of the file, each block up to its `^` one row."""
    with original.open() as stream:
        data = stream.read(qif.MAX_BYTES + 1)
    ends_in_a_line = data.rstrip(b"\0 ").endswith((b"\n", b"\r"))
    yield from gather(_Register(qif.read(data), clock, ends_in_a_line).items(), SOURCE.records)


class _Register:
    """One QIF file with its number and date styles, decided once."""

    def __init__(self, document: qif.Document, clock: Clock, ends_in_a_line: bool) -> None:
        self._document = document
        self._currency = clock.currency
        self._ends_in_a_line = ends_in_a_line
        self._number = numbers.decide(document.amount_texts())
        self._date = dates.decide(document.date_texts(), document.date_hint or clock.date_order)
        in_order = None if self._date.ambiguous else self._date.column
        self._days = booking_columns.Days(partial(self._read_day, "booked_on"), in_order)

    def items(self) -> Iterator[Row | Rejection | Batch | Notice]:
        """Every record as a row or a rejection, or many bookings as a batch."""
        pieces = self._document.pieces
        if any(piece.account is None and piece.section in qif.BANK_SECTIONS for piece in pieces):
            yield Notice("the file does not name its account; its bookings are kept under the section's name")
        if self._number.doubt:
            yield Notice(self._number.doubt)
        last = len(pieces) - 1
        for place, piece in enumerate(pieces):
            if isinstance(piece, qif.Run):
                parts = piece.parts(BATCH_ROWS)
                yield from booking_columns.batches_or_rows(parts, self._bookings, self._rows)
            elif piece.cut and place == last and not self._ends_in_a_line:
                yield Rejection(piece.line, _kind(piece).name, _CUT, piece.raw)
            else:
                yield self._row(piece)
                yield from prices_of(piece, self._currency, self._amount, self._day)

    def _rows(self, run: qif.Run) -> Iterator[Row | Rejection]:
        return map(self._row, run.records())

    def _row(self, record: qif.Record) -> Row | Rejection:
        kind = _kind(record)
        try:
            return Row(kind, record.line, record.raw, self._values(kind, record))
        except ValueError as wrong:
            return Rejection(record.line, kind.name, str(wrong), record.raw)

    def _bookings(self, run: qif.Run) -> Batch:
        """`_transaction` of many. Raises ValueError when one of them is not good."""
        payees, memos, checks = map(run.column, "PMN")
        categories = run.column("L").to_pylist() if "L" in run.codes else []
        transfers = [_TRANSFER.match(category) for category in categories]
        figures = booking_columns.first_given(run.column("T"), run.column("U"))
        others = {code: run.column(code) for code in run.codes if code not in _TRANSACTION_CODES}
        return booking_columns.booking_batch(
            as_arrow(run.places),
            run.raw,
            {
                "account": _account(run),
                "booked_on": self._days.column(run.column("D")),
                "amount": booking_columns.amounts(figures, self._number.decimal, self._number.read),
                "currency": self._currency,
                "key": booking_columns.keys(pa.repeat("", len(run)), payees, memos, checks),
                "bank_id": "",
                "payee": payees,
                "memo": memos,
                "check_number": booking_columns.if_given(checks),
                "category": None
                if not transfers
                else [
                    None if transfer else category or None
                    for transfer, category in zip(transfers, categories, strict=True)
                ],
                "transfer_account": [transfer[1] if transfer else None for transfer in transfers] or None,
                "extra": booking_columns.as_json(others),
            },
        )

    def _values(self, kind: Record, record: qif.Record) -> dict[str, object]:
        if kind is TRANSACTION:
            return self._transaction(record)
        return self._trade(record) if kind is TRADE else _entry(record)

    def _transaction(self, record: qif.Record) -> dict[str, object]:
        payee, memo, check = record.get("P"), record.get("M"), record.get("N")
        category = record.get("L")
        transfer = _TRANSFER.match(category)
        # Quicken repeats that of the first part: the whole goes to an own account only where all parts do.
        is_whole = all(transfer and part.category.startswith(transfer[0]) for part in record.splits)
        return {
            "account": _account(record),
            "booked_on": self._day("booked_on", record.get("D")),
            "amount": self._amount("amount", record.get("T") or record.get("U")),
            "currency": self._currency,
            "key": key_of("", payee, memo, check),
            "bank_id": "",
            "payee": payee,
            "memo": memo,
            "check_number": check or None,
            "category": None if transfer else category or None,
            "transfer_account": transfer[1] if transfer and is_whole else None,
            "splits": self._splits(record),
            "extra": _rest(record, _TRANSACTION_CODES),
        }

    def _trade(self, record: qif.Record) -> dict[str, object]:
        action = record.get("N") or "Cash"
        low = action.casefold()
        stated = self._amount("total", record.get("T") or record.get("U") or record.get("$"))
        units = self._amount("units", record.get("Q"))
        total = self._cash(record, low, stated)
        if units is not None and low.startswith(_UNITS_OUT):
            units = -abs(units)
        security, memo = record.get("Y"), record.get("M")
        return {
            "account": _account(record),
            "traded_on": self._day("traded_on", record.get("D")),
            "action": action,
            "key": key_of("", security, units, stated, memo),
            "bank_id": "",
            "security": security,
            "total": total,
            "currency": self._currency,
            "units": units,
            "unit_price": self._amount("unit_price", record.get("I")),
            "fees": self._amount("fees", record.get("O")),
            "memo": memo or None,
            "extra": _rest(record, _TRADE_CODES if total is stated else _TRADE_CODES - {"T", "U"}),
        }

    def _cash(self, record: qif.Record, action: str, stated: Decimal | None) -> Decimal | None:
        """What an action adds to the cash of its own account, None where it moves none of it."""
        if stated is None or action.startswith(_NO_MONEY):
            return None
        total = -abs(stated) if action.startswith(_MONEY_OUT) else stated
        if not action.endswith("x") or action in _TRANSFERS:
            return total
        # `$` is how much the other account paid or got: as a rule all of it.
        moved = self._amount("total", record.get("$"))
        return None if moved is None else total - abs(moved).copy_sign(total) or None

    def _amount(self, field: str, text: str) -> Decimal | None:
        try:
            return self._number.read(text) if text else None
        except ValueError as wrong:
            raise ValueError(f"{field}: {wrong}") from None

    def _day(self, field: str, text: str) -> date | None:
        return self._read_day(field, text) if text else None

    def _read_day(self, field: str, text: str) -> date:
        if self._date.ambiguous:
            raise ValueError(
                f"{field}: {text!r} may be day-first or month-first; set TWINNING_DATE_ORDER to DMY or MDY"
            )
        try:
            return self._date.read(text)
        except ValueError as wrong:
            raise ValueError(f"{field}: {wrong}") from None

    def _splits(self, record: qif.Record) -> str | None:
        parts = []
        for split in record.splits:
            amount = self._amount("splits", split.amount)
            part = {"category": split.category, "memo": split.memo, "percent": split.percent}
            parts.append({name: value for name, value in part.items() if value} | {"amount": str(amount or 0)})
        return json.dumps(parts, ensure_ascii=False) if parts else None


def _kind(record: qif.Record) -> Record:
    if record.section in qif.BANK_SECTIONS:
        return TRANSACTION
    return TRADE if record.section in qif.INVESTMENT_SECTIONS else REGISTER_ENTRY


def _account(piece: qif.Record | qif.Run) -> str:
    name = piece.account.name if piece.account else ""
    return name or f"unnamed {piece.section} account"


def _entry(record: qif.Record) -> dict[str, object]:
    name = record.get("N") or record.get("P") or record.get("S")
    if record.prices:
        symbol, _, on = record.prices[0]
        name = f"{symbol} {on}".strip()
    return {
        "register": _REGISTERS.get(record.section, record.section.casefold() or "unnamed"),
        "entry": name or record.raw.partition("\n")[0],
        "fields": json.dumps({"raw": record.raw}, ensure_ascii=False),
    }


def _rest(record: qif.Record, taken: frozenset[str]) -> str | None:
    rest: dict[str, object] = {code: value for code, value in record.fields.items() if value and code not in taken}
    if record.address:
        rest["A"] = list(record.address)
    return json.dumps(rest, ensure_ascii=False, sort_keys=True) if rest else None


def _recognises(original: Original) -> bool:
    if original.is_zip:
        return False
    head = original.text_head
    return _SECTION.search(head) is not None or all(line.search(head) for line in _HEADLESS)


SOURCE = Source(
    name="finance.qif",
    title="Finance register (QIF)",
    recognition="a `!Type:` or `!Account` line, or records that end in `^`",
    records=(TRANSACTION, TRADE, REGISTER_ENTRY, PRICE),
    recognises=_recognises,
    parse=parse,
    version=3,
    expect_every=timedelta(days=31),
)
