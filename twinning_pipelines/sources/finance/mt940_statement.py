"""Bank statements in SWIFT MT940, and the interim reports MT942.

From: the export page of a bank (MT940, "SWIFT", .sta), EBICS downloads, and bookkeeping programs.
To: Transaction, and the opening and closing balance as claims.
"""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import mt940, mt940_details, numbers
from twinning_pipelines.formats.iban import has_its_shape, is_iban
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import NO_CURRENCY, TRANSACTION, UNNAMED_ACCOUNT, key_of
from twinning_pipelines.source import Claim, Item, Notice, Rejection, Row, Source, gather

_HEAD_TAG = re.compile(r"^(?:\{1:.*\{4:|\{4:)?:(20|25P?|60[FM]|61|34F):", re.MULTILINE)
# Lines of one tag and another, as somebody cuts them out of a statement.
_PIECE = re.compile(r"\s*:(?:20|21|25P?|28C?|60[FM]|61|62[FM]|64|65|86|NS):[^\n]*(?:\n|$)")
_HEAD = re.compile(r"\b20 25P? (?:60[FM]|61|34F)\b")

_COMMA = numbers.NumberStyle(",")
# SWIFT knows no sign and no mark for thousands: anything else was garbled.
_AMOUNT = re.compile(r"\d+,?\d*|,\d+", re.ASCII)
_CENTS = re.compile(r",\d\d$", re.ASCII)
_FLOOR = re.compile(r"([A-Z]{3})[DC ]?[\d,]*", re.ASCII)
_SUFFIXED = re.compile(r"(.*?)/?([A-Z]{3})", re.ASCII)
_ORIGINAL = re.compile(r"/OCMT/([A-Z]{3})(\d+,?\d*)/?", re.ASCII)
_NON_SWIFT = re.compile(r"(\d{2})(.*)", re.ASCII)
_NON_SWIFT_NAMES = ("15", "16")
_NON_SWIFT_TEXT = tuple(f"{number:02}" for number in range(1, 15))

# What banks write where they have no reference (an old one only its N); KREF+ and EREF say that `:86:` has it.
_NO_REFERENCE = frozenset(("", "N", "NONREF", "NOTPROVIDED"))
_ELSEWHERE = {"KREF+": "KREF", "EREF+": "EREF", "KREF": "KREF", "EREF": "EREF"}
_MINUS = frozenset(("D", "RC"))
_EXPECTED = frozenset(("EC", "ED"))
_FIRST_YEAR_OF_THE_CENTURY = 80
_SHOWN = 60
_CUT = "the file ends inside this row"


def parse(original: Original, _clock: Clock) -> Iterator[Item]:
    """The rows of every statement in the file. Raises UnreadableFile, also for a piece of one that books nothing."""
    with original.open() as stream:
        document = mt940.read(stream.read(mt940.MAX_BYTES + 1))
    if not _is_statement(original) and not any(statement.entries for statement in document.statements):
        raise UnreadableFile(
            "a piece of an MT940 without any booking: no :61: line, nor :20:, :25: and :60F: before it"
        )
    yield from gather(_items(document), SOURCE.records)


def _items(document: mt940.Document) -> Iterator[Row | Rejection | Claim | Notice]:
    for statement in document.statements:
        currency = _currency(statement)
        account = account_name(statement.account) or UNNAMED_ACCOUNT
        if statement.entries and account == UNNAMED_ACCOUNT:
            yield Notice(
                f"the statement on line {statement.line} names no account; its bookings are kept as {UNNAMED_ACCOUNT}"
            )
        if statement.entries and not currency:
            yield Notice(f"account {account} names no currency; its amounts are kept as {NO_CURRENCY}")
        for entry in statement.entries:
            yield _row(entry, account, currency or NO_CURRENCY)
        yield from _claims(statement, account, currency or NO_CURRENCY)


def _row(entry: mt940.Entry, account: str, currency: str) -> Row | Rejection:
    if entry.cut:
        return Rejection(entry.line, TRANSACTION.name, _CUT, entry.raw)
    try:
        values = _transaction(entry)
    except ValueError as wrong:
        return Rejection(entry.line, TRANSACTION.name, str(wrong), entry.raw)
    return Row(TRANSACTION, entry.line, entry.raw, {"account": account, "currency": currency} | values)


def _transaction(entry: mt940.Entry) -> dict[str, object]:
    parts = mt940.entry_parts(entry.head)
    valued_on = value_day(parts.value_day)
    amount = _amount(parts)
    details = mt940_details.read(entry.details)
    rest = details.parts | _beneath(entry, parts)
    non_swift = _non_swift(entry)
    payee = details.name or parts.beside or _words_of(non_swift, _NON_SWIFT_NAMES)
    memo = details.text or _words_of(non_swift, _NON_SWIFT_TEXT) or rest.get("?00", "") or parts.supplementary
    word = _ELSEWHERE.get(parts.reference)
    reference = details.parts.get(word, "") if word else _stated(parts.reference)
    bank_id = _stated(parts.bank_reference)
    if parts.value_day[-4:] != f"{valued_on:%m%d}":
        rest["value date"] = parts.value_day
    if parts.beside and details.name:
        rest["beside"] = parts.beside
    values: dict[str, object] = {
        "booked_on": booking_day(parts.entry_day, valued_on),
        "amount": amount,
        # Real banks give one reference to two bookings of an account (a batch has one), so it is but one of the words.
        "key": key_of("", bank_id, reference, payee, memo, details.parts.get("EREF"), parts.supplementary),
        "bank_id": bank_id,
        "payee": payee,
        "memo": memo,
        "kind": parts.kind or None,
        "valued_on": valued_on,
        "check_number": reference or None if parts.kind.endswith("CHK") else None,
        "reference": reference or None,
        "extra": json.dumps(rest, ensure_ascii=False, sort_keys=True) if rest else None,
    }
    return values | _spent(parts.supplementary, amount)


def _amount(parts: mt940.EntryParts) -> Decimal:
    if parts.mark in _EXPECTED:
        raise ValueError("amount: the bank only expects it; it is not booked")
    if not parts.mark:
        raise ValueError(f"amount: neither D nor C stands before it: {parts.amount!r}")
    figure = _figure(parts.amount, "amount")
    return -figure if parts.mark in _MINUS else figure


def _figure(text: str, name: str) -> Decimal:
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"{name}: not a number: {text[:_SHOWN]!r}")
    try:
        return _COMMA.read(text)
    except ValueError as wrong:
        raise ValueError(f"{name}: {wrong}") from None


def value_day(text: str) -> date:
    """The day of YYMMDD: 80 to 99 are of the last century. Raises ValueError("valued_on: not a date: …").

    Banks that count thirty days to a month value on the 29th and 30th of February: that is its last day.
    """
    if len(text) == 6 and text.isascii() and text.isdigit():
        year, month, day = (int(text[at : at + 2]) for at in (0, 2, 4))
        year += 1900 if year >= _FIRST_YEAR_OF_THE_CENTURY else 2000
        try:
            if month == 2 and day in (29, 30):
                return date(year, 3, 1) - timedelta(days=1)
            return date(year, month, day)
        except ValueError:
            pass
    raise ValueError(f"valued_on: not a date: {text!r}")


def booking_day(text: str, valued_on: date) -> date:
    """The day of MMDD in the year that brings it nearest to the value date; without one the value date books.

    Raises ValueError("booked_on: not a date: …").
    """
    if not text:
        return valued_on
    days = []
    for year in (valued_on.year - 1, valued_on.year, valued_on.year + 1):
        try:
            days.append(date(year, int(text[:2]), int(text[2:])))
        except ValueError:
            continue
    if not days:
        raise ValueError(f"booked_on: not a date: {text!r}")
    return min(days, key=lambda day: abs(day - valued_on))


def _stated(reference: str) -> str:
    return "" if reference.upper() in _NO_REFERENCE else reference


def _beneath(entry: mt940.Entry, parts: mt940.EntryParts) -> dict[str, str]:
    """What has no column: subfields of the `:61:`, and fields under it that no standard puts there."""
    rest = {"mark": parts.mark} if parts.mark.startswith("R") else {}
    rest |= {"funds": parts.funds} if parts.funds else {}
    rest |= {"supplementary": parts.supplementary} if parts.supplementary else {}
    for each in entry.under:
        if each.tag != mt940.DETAILS:
            rest[f":{each.tag}:"] = "\n".join(line.strip() for line in each.lines).strip()
    return {name: value for name, value in rest.items() if value}


def _non_swift(entry: mt940.Entry) -> list[tuple[str, str]]:
    """The numbered lines of `:NS:`, in which some banks write what others write into `:86:`."""
    lines = [line for each in entry.under if each.tag == "NS" for line in each.lines]
    return [(match[1], match[2].strip()) for line in lines if (match := _NON_SWIFT.fullmatch(line.rstrip()))]


def _words_of(lines: Sequence[tuple[str, str]], numbers_wanted: Sequence[str]) -> str:
    return " ".join(" ".join(said for number, said in lines if number in numbers_wanted).split())


def _spent(supplementary: str, amount: Decimal) -> dict[str, object]:
    """Amount and currency it was spent in, with the sign of the booking."""
    stated = _ORIGINAL.search(supplementary)
    if not stated:
        return {}
    figure = _figure(stated[2], "original_amount")
    return {"original_amount": -figure if amount < 0 else figure, "original_currency": stated[1]}


def _currency(statement: mt940.Statement) -> str:
    """From the balances; an interim report has none and names it in its floor limit."""
    for tag in ("60F", "60M", "62F", "62M", "64", "65"):
        balance = statement.first(tag)
        parts = mt940.balance_parts(balance) if balance else None
        if parts and parts.currency:
            return parts.currency
    floor = statement.first("34F")
    match = _FLOOR.fullmatch(floor.text) if floor else None
    return match[1] if match else ""


def _claims(statement: mt940.Statement, account: str, currency: str) -> Iterator[Claim | Notice]:
    """The final balances. An intermediate one (M) proves nothing: the rest of its day stands on the next page."""
    for tag, kind in (("60F", "opening_balance"), ("62F", "closing_balance")):
        balance = statement.first(tag)
        if balance is None:
            continue
        try:
            parts = mt940.balance_parts(balance)
            if parts is None:
                raise ValueError(f"{balance.text[:_SHOWN]!r}")
            if statement.cut and balance is statement.fields[-1] and not _CENTS.search(parts.amount):
                raise ValueError("the file ends inside it")
            day, value = value_day(parts.day), _figure(parts.amount, "amount")
        except ValueError as wrong:
            yield Notice(f"the {kind.replace('_', ' ')} of account {account} can't be read: {wrong}")
            continue
        signed = -value if parts.mark == "D" else value
        yield Claim(kind, account, day, signed, parts.currency or currency, balance.line)


def account_name(printed: str) -> str:
    """The account without its blanks; a currency behind an IBAN is dropped, for one bank prints it and another doesn't."""
    name = "".join(printed.split())
    suffixed = _SUFFIXED.fullmatch(name)
    # The IBANs of Mauritius and the Seychelles end in a currency of their own: their check digits say so.
    if suffixed and has_its_shape(suffixed[1]) and not is_iban(name):
        return suffixed[1]
    return name


def _recognises(original: Original) -> bool:
    if original.is_zip:
        return False
    return _is_statement(original) or _PIECE.match(_head(original)) is not None


def _is_statement(original: Original) -> bool:
    return _HEAD.search(" ".join(_HEAD_TAG.findall(_head(original)))) is not None


def _head(original: Original) -> str:
    return original.text_head.replace("\r", "\n")


SOURCE = Source(
    name="finance.mt940",
    title="Bank statement (MT940, MT942)",
    recognition="`:20:`, then `:25:`, then `:60F:`, `:60M:`, `:34F:` or `:61:` in the first 64 KiB, or a piece of one",
    records=(TRANSACTION,),
    recognises=_recognises,
    parse=parse,
    expect_every=timedelta(days=31),
)
