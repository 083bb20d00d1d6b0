"""Bank statements in CAMT.052, 053 and 054, the XML of ISO 20022.

From: the "download" or "export" page of an online bank, as CAMT, CAMT V8 or ISO 20022, alone or as a zip of such files.
To: Transaction, and the opening and closing balances as claims. A closing balance is one of what is booked (CLBD); where only
one of what is available is told (CLAV), which a credit line adds to and a hold takes from, it is claimed as that.

Every booked entry is read as one row. An entry of several transactions, a batch, is one row for each of them where all
amounts are given and add up to the entry, else one row with all that is told of them in `extra`. Entries with another
status (PDNG, INFO, FUTR) are no rows; one notice counts them. Those without a booking date are booked on their value date;
another notice counts these.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from msgspec import Struct, field

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import camt
from twinning_pipelines.formats.part import base_name, told_in
from twinning_pipelines.formats.xml_feed import root_of
from twinning_pipelines.original import Member, Original
from twinning_pipelines.records.money import TRANSACTION, UNNAMED_ACCOUNT
from twinning_pipelines.source import Claim, ExportedAt, Item, Notice, Rejection, Row, Source, gather
from twinning_pipelines.sources.finance.camt_entry import Booking, bookings_of, currency_of, signed

# The first of these codes that a statement has for a currency is told.
_BALANCES = (
    {"OPBD": "opening_balance", "PRCD": "opening_balance"},
    {"CLBD": "closing_balance", "CLAV": "available_balance"},
)
_BOOKED, _VALUED = (tuple(f"{name}/{kind}" for kind in ("Dt", "DtTm")) for name in ("BookgDt", "ValDt"))
_NUMBERS = ("Id/Othr/Id", "Id/PrtryAcct/Id", "Id/BBAN", "Id/UPIC", "Prxy/Id")
_BANKS = ("BICFI", "BIC", "CmbndId/BIC", "ClrSysMmbId/MmbId")


class _Seen(Struct):
    """What is told once the file has ended. by_value: bookings without a booking date."""

    moments: list[datetime] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    by_value: int = 0


def parse(original: Original, _clock: Clock) -> Iterator[Item]:
    """The bookings of every statement in the file, entry by entry. Raises UnreadableFile, with the line."""
    yield from gather(_items(original), SOURCE.records)


def _items(original: Original) -> Iterator[Row | Rejection | Claim | ExportedAt | Notice]:
    seen = _Seen()
    if not original.is_zip:
        with original.open() as stream:
            yield from _message(camt.read(stream, root_of(original.head)), seen)
    else:
        yield from _zipped(original, seen)
    if seen.moments:
        yield ExportedAt(max(seen.moments))
    if seen.left_out:
        statuses = ", ".join(f"{status} {count}" for status, count in sorted(seen.left_out.items()))
        yield Notice(f"entries that are not booked, left out: {seen.left_out.total()} ({statuses})")
    if seen.by_value:
        yield Notice(f"bookings without a booking date, taken as booked on their value date: {seen.by_value}")


def _zipped(original: Original, seen: _Seen) -> Iterator[Row | Rejection | Claim | ExportedAt | Notice]:
    others: list[str] = []
    for member in sorted(original.members, key=lambda each: each.name):
        name = base_name(member)
        try:
            if not _is_statement(original, member):
                others.append(name)
                continue
            with original.open(member.name) as stream:
                messages = camt.read(stream, root_of(original.head_of(member.name)))
                yield from told_in(name, _message(messages, seen))
        except UnreadableFile as wrong:
            raise type(wrong)(f"{name}: {wrong}") from wrong
    if others:
        yield Notice(f"left out, no bank statements: {', '.join(others)}")


def _message(
    told: Iterator[camt.Header | camt.Entry | camt.Statement], seen: _Seen
) -> Iterator[Row | Rejection | Claim | Notice]:
    for each in told:
        if isinstance(each, camt.Header):
            if each.made_at is not None:
                seen.moments.append(each.made_at)
        elif isinstance(each, camt.Statement):
            yield from _balances(each)
        elif each.status != "BOOK":
            seen.left_out[each.status] += 1
        else:
            yield from _rows(each, seen)


def _rows(entry: camt.Entry, seen: _Seen) -> Iterator[Row | Rejection]:
    account = account_name(entry.statement.account)
    is_by_value = not entry.node.first(*_BOOKED) and bool(entry.node.first(*_VALUED))
    for booking in bookings_of(entry, _currency(entry.statement)):
        row = _row(booking, account)
        seen.by_value += is_by_value and isinstance(row, Row)
        yield row


def _row(booking: Booking, account: str) -> Row | Rejection:
    try:
        values = booking.values(account)
    except ValueError as wrong:
        return Rejection(booking.line, TRANSACTION.name, str(wrong), booking.raw)
    return Row(TRANSACTION, booking.line, booking.raw, {"account": account} | values)


def _balances(statement: camt.Statement) -> Iterator[Claim | Notice]:
    """The first balance of each kind and currency. Those between the pages of one statement prove nothing."""
    account = account_name(statement.account)
    for kinds in _BALANCES:
        told: set[str] = set()
        for code, balance in ((code, each) for code in kinds for each in statement.balances if _code(each) == code):
            currency = currency_of(balance) or _currency(statement)
            if currency not in told and balance.first("Tp/SubTp/Cd") != "INTM":
                told.add(currency)
                yield _claim(kinds[code], account, balance, currency)


def _currency(statement: camt.Statement) -> str:
    """The account's own, '' where it is not told."""
    return statement.account.first("Ccy").upper() if statement.account else ""


def _code(balance: camt.Node) -> str:
    return balance.first("Tp/CdOrPrtry/Cd", "Tp/Cd")


def _claim(kind: str, account: str, balance: camt.Node, currency: str) -> Claim | Notice:
    try:
        day = camt.day_of(balance.first("Dt/Dt", "Dt/DtTm"))
        value = signed(balance.first("Amt"), balance.first("CdtDbtInd"))
    except ValueError as wrong:
        return Notice(f"line {balance.line}: the balance of account {account} can't be read: {wrong}")
    return Claim(kind, account, day, value, currency, balance.line)


def account_name(account: camt.Node | None) -> str:
    """The IBAN; for accounts without one, bank and number in one text: `BANKCHZZ/0035-29152`."""
    if account is None:
        return UNNAMED_ACCOUNT
    iban = "".join(account.first("Id/IBAN").split()).upper()
    if iban:
        return iban
    bank = account.first(*(f"Svcr/FinInstnId/{name}" for name in _BANKS))
    return "/".join(part for part in (bank, account.first(*_NUMBERS)) if part) or UNNAMED_ACCOUNT


def _is_statement(original: Original, member: Member) -> bool:
    return member.name.lower().endswith(".xml") and camt.is_camt(original.head_of(member.name))


def _recognises(original: Original) -> bool:
    if not original.is_zip:
        return camt.is_camt(original.head)
    for member in original.members:
        # A damaged member is told of when the zip is read.
        with suppress(UnreadableFile):
            if _is_statement(original, member):
                return True
    return False


SOURCE = Source(
    name="finance.camt",
    title="Bank statement (CAMT.052, 053, 054)",
    recognition="an XML with a BkToCstmrAcctRpt, BkToCstmrStmt or BkToCstmrDbtCdtNtfctn, alone or in a zip",
    records=(TRANSACTION,),
    recognises=_recognises,
    parse=parse,
    unit="line",
    version=2,
    expect_every=timedelta(days=31),
)
