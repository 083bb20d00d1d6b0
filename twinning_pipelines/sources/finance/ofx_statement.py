"""Bank, card, loan and investment statements in OFX and QFX.

From: the "download" or "export" page of an online bank, as OFX, QFX, QBO or Microsoft Money.
To: Transaction, Trade, Holding, Price, and the closing balance as a claim.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pyarrow as pa

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats import numbers, ofx
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import HOLDING, NO_CURRENCY, PRICE, TRADE, TRANSACTION, UNNAMED_ACCOUNT, key_of
from twinning_pipelines.source import BATCH_ROWS, Batch, Claim, ExportedAt, Item, Notice, Rejection, Row, Source, gather
from twinning_pipelines.sources.finance import booking_columns
from twinning_pipelines.sources.finance.ofx_holdings import holdings_of

_HEAD = re.compile(r"<OFX\b|OFXHEADER\s*[:=]|<OFC\b", re.IGNORECASE)
_SERVER_TIME = re.compile(r"(\d{14})(?!\d)")

_TRANSACTION_FIELDS = frozenset(
    (
        *("TRNTYPE", "DTPOSTED", "DTAVAIL", "TRNAMT", "LOANTRNAMT", "FITID", "NAME", "PAYEE.NAME", "EXTDNAME", "MEMO"),
        *("CHECKNUM", "REFNUM", "BANKACCTTO.ACCTID", "CCACCTTO.ACCTID", "CURRENCY.CURSYM", "ORIGCURRENCY.CURSYM"),
    )
)
_TRADE_FIELDS = frozenset(
    (
        *("FITID", "DTTRADE", "DTSETTLE", "MEMO", "SECID.UNIQUEID", "UNITS", "UNITPRICE", "TOTAL"),
        *("COMMISSION", "FEES", "TAXES", "LOAD", "CURRENCY.CURSYM"),
    )
)
_FEES = ("COMMISSION", "FEES", "TAXES", "LOAD")
# Income that buys at once, and cash between the parts of one account: their TOTAL leaves the account as it comes. So does
# one whose SUBACCTFUND is OTHER: an employer pays a 401(k)'s purchases, a bank those of a fund account without cash.
_NO_MONEY = frozenset(("REINVEST", "JRNLFUND"))
_ELSEWHERE = "OTHER"
_CUT = "the file ends inside this row"


def parse(original: Original, _clock: Clock) -> Iterator[Item]:
    """The rows of every statement in the file."""
    with original.open() as stream:
        document = ofx.read(stream.read(ofx.MAX_BYTES + 1))
    yield from gather(_items(document), SOURCE.records)


def _items(document: ofx.Document) -> Iterator[Row | Rejection | Batch | Claim | ExportedAt | Notice]:
    if document.lied:
        yield Notice(f"its header says {document.declared}, its bytes are {document.codec}; the bytes were believed")
    style = numbers.decide(document.amount_texts())
    if style.doubt:
        yield Notice(style.doubt)
    securities = {each.get("SECID.UNIQUEID"): each for each in document.securities}
    moments = [moment for each in document.statements if (moment := _made_at(each.sign_on.get("DTSERVER", "")))]
    if moments:
        yield ExportedAt(max(moments))
    for statement in document.statements:
        yield from _statement(statement, style, securities)


def _statement(
    statement: ofx.Statement, style: numbers.NumberStyle, securities: Mapping[str, ofx.Record]
) -> Iterator[Row | Rejection | Batch | Claim | Notice]:
    account = account_name(statement.account)
    if statement.error:
        yield Notice(f"the bank answered for account {account}: {statement.error}")
    if not statement.currency and statement.pieces:
        yield Notice(f"account {account} names no currency; its amounts are kept as {NO_CURRENCY}")
    row = partial(_row, statement=statement, account=account, style=style, securities=securities)
    bookings = partial(_bookings, statement=statement, account=account, style=style)
    for piece in statement.pieces:
        if isinstance(piece, ofx.Run):
            yield from booking_columns.batches_or_rows(
                piece.parts(BATCH_ROWS), bookings, lambda part: map(row, part.records())
            )
        else:
            yield row(piece)
    yield from holdings_of(statement, account, style, securities)
    if (balance := statement.ledger or statement.cash) is not None:
        yield _balance(statement, balance, account, style)


def _bookings(run: ofx.Run, statement: ofx.Statement, account: str, style: numbers.NumberStyle) -> Batch:
    """`_transaction` of many. Raises ValueError when one of them is not good."""

    def column(name: str) -> pa.StringArray:
        return pa.array(run.column(name), pa.string())

    days = booking_columns.Days(ofx.day_of)
    payees, memos = booking_columns.first_given(column("NAME"), column("EXTDNAME")), column("MEMO")
    bank_ids, checks, references = column("FITID"), column("CHECKNUM"), column("REFNUM")
    figures = booking_columns.first_given(column("TRNAMT"), column("LOANTRNAMT"))
    return booking_columns.booking_batch(
        run.lines,
        run.raw,
        {
            "account": account,
            "booked_on": days.column(column("DTPOSTED")),
            "amount": booking_columns.amounts(figures, style.decimal, partial(_exact, style=style)),
            "currency": (statement.currency or NO_CURRENCY).strip().upper(),
            "key": booking_columns.keys(bank_ids, payees, memos, checks, references),
            "bank_id": bank_ids,
            "payee": payees,
            "memo": memos,
            "kind": booking_columns.if_given(column("TRNTYPE")),
            "valued_on": days.column(column("DTAVAIL")),
            "check_number": booking_columns.if_given(checks),
            "reference": booking_columns.if_given(references),
            "extra": booking_columns.as_json(
                {name: column(name) for name in run.fields if name not in _TRANSACTION_FIELDS}
            ),
        },
    )


def _row(
    record: ofx.Record,
    statement: ofx.Statement,
    account: str,
    style: numbers.NumberStyle,
    securities: Mapping[str, ofx.Record],
) -> Row | Rejection:
    is_trade = record.name in ofx.INVESTMENT_RECORDS
    kind = TRADE if is_trade else TRANSACTION
    if record.cut:
        return Rejection(record.line, kind.name, _CUT, record.raw)
    reading = _Reading(record, style)
    try:
        values = _trade(reading, securities) if is_trade else _transaction(reading)
    except ValueError as wrong:
        return Rejection(record.line, kind.name, str(wrong), record.raw)
    currency = (record.get("CURRENCY.CURSYM") or statement.currency or NO_CURRENCY).strip().upper()
    return Row(kind, record.line, record.raw, {"account": account, "currency": currency} | values)


class _Reading:
    """Typed values of one record; a bad one names its field."""

    def __init__(self, record: ofx.Record, style: numbers.NumberStyle) -> None:
        self.record = record
        self._style = style

    def text(self, *names: str) -> str:
        """The first of these fields that says something."""
        given = self.record.fields
        for name in names:
            # Asked ten times for every row: a generator costs as much again.
            if name in given and (value := given[name].strip()):
                return value
        return ""

    def amount(self, field: str, *names: str) -> Decimal | None:
        """A number, None when absent. Raises ValueError with the field's name."""
        text = self.text(*names)
        try:
            return _exact(text, self._style) if text else None
        except ValueError as wrong:
            raise ValueError(f"{field}: {wrong}") from None

    def day(self, field: str, name: str) -> date | None:
        """The bank's local day, None when absent. Raises ValueError with the field's name."""
        text = self.text(name)
        try:
            return ofx.day_of(text) if text else None
        except ValueError as wrong:
            raise ValueError(f"{field}: {wrong}") from None

    def rest(self, taken: frozenset[str]) -> str | None:
        """Every other field that says something, as JSON."""
        rest = {name: value for name, value in self.record.fields.items() if value and name not in taken}
        return json.dumps(rest, ensure_ascii=False, sort_keys=True) if rest else None


def _transaction(reading: _Reading) -> dict[str, object]:
    payee, memo = reading.text("NAME", "PAYEE.NAME", "EXTDNAME"), reading.text("MEMO")
    bank_id, check, reference = reading.text("FITID"), reading.text("CHECKNUM"), reading.text("REFNUM")
    return {
        "booked_on": reading.day("booked_on", "DTPOSTED"),
        "amount": reading.amount("amount", "TRNAMT", "LOANTRNAMT"),
        "key": key_of(bank_id, payee, memo, check, reference),
        "bank_id": bank_id,
        "payee": payee,
        "memo": memo,
        "kind": reading.text("TRNTYPE") or None,
        "valued_on": reading.day("valued_on", "DTAVAIL"),
        "check_number": check or None,
        "reference": reference or None,
        "transfer_account": reading.text("BANKACCTTO.ACCTID", "CCACCTTO.ACCTID") or None,
        "original_currency": reading.text("ORIGCURRENCY.CURSYM").upper() or None,
        "extra": reading.rest(_TRANSACTION_FIELDS),
    }


def _trade(reading: _Reading, securities: Mapping[str, ofx.Record]) -> dict[str, object]:
    security = reading.text("SECID.UNIQUEID")
    listed = securities.get(security)
    bank_id, memo = reading.text("FITID"), reading.text("MEMO")
    fees = [fee for name in _FEES if (fee := reading.amount("fees", name)) is not None]
    units, stated = reading.amount("units", "UNITS"), reading.amount("total", "TOTAL")
    moves_cash = reading.record.name not in _NO_MONEY and reading.text("SUBACCTFUND").upper() != _ELSEWHERE
    return {
        "traded_on": reading.day("traded_on", "DTTRADE"),
        "action": reading.record.name,
        "key": key_of(bank_id, security, units, stated, memo),
        "bank_id": bank_id,
        "security": security,
        "total": stated if moves_cash else None,
        "units": units,
        "unit_price": reading.amount("unit_price", "UNITPRICE"),
        "fees": sum(fees) if fees else None,
        "settled_on": reading.day("settled_on", "DTSETTLE"),
        "ticker": (listed.get("TICKER") if listed else "") or None,
        "security_name": (listed.get("SECNAME") if listed else "") or None,
        "memo": memo or None,
        "extra": reading.rest(_TRADE_FIELDS if moves_cash else _TRADE_FIELDS - {"TOTAL"}),
    }


def _balance(
    statement: ofx.Statement, balance: ofx.Balance, account: str, style: numbers.NumberStyle
) -> Claim | Notice:
    try:
        day = ofx.day_of(balance.at or statement.end or statement.taken_at)
        value = _exact(balance.amount, style)
    except ValueError as wrong:
        return Notice(f"the balance of account {account} can't be read: {wrong}")
    currency = (statement.currency or NO_CURRENCY).strip().upper()
    return Claim("closing_balance", account, day, value, currency, statement.line)


def _exact(text: str, style: numbers.NumberStyle) -> Decimal:
    """The number. The specification allows dot and comma, and some banks write both in one file: `-3.34` is no thousands."""
    try:
        return style.read(text)
    except ValueError:
        return numbers.NumberStyle("." if style.decimal == "," else ",").read(text)


def account_name(account: ofx.Account) -> str:
    """Bank and account number in one text: `021000021/123456`."""
    parts = (account.bank_id or account.broker_id, account.branch_id, account.account_id)
    return "/".join(part.strip() for part in parts if part.strip()) or UNNAMED_ACCOUNT


def _made_at(text: str) -> datetime | None:
    """When the statement was made, if it says so to the second: a bare day can't tell two exports of it apart."""
    stated = ofx.moment_of(text)
    if stated is None and (match := _SERVER_TIME.match(text.strip())):
        try:
            # Without a zone the specification means Greenwich.
            stated = datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            return None
    if stated is None or not stated.hour + stated.minute + stated.second:
        return None
    return stated.astimezone(UTC) if stated.year >= 1990 else None


def _recognises(original: Original) -> bool:
    return not original.is_zip and _HEAD.search(original.text_head) is not None


SOURCE = Source(
    name="finance.ofx",
    title="Bank statement (OFX, QFX)",
    recognition="an `<OFX>` element or an `OFXHEADER` in the first 64 KiB",
    records=(TRANSACTION, TRADE, HOLDING, PRICE),
    recognises=_recognises,
    parse=parse,
    version=3,
    expect_every=timedelta(days=31),
)
