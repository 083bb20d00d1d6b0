"""Bank statements (OFX) and a card register (QIF), as a bank and a finance program would export them.

Deterministic: what happens on a day depends on the seed and that day alone, so a later export tells the same past.
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from math import sin
from pathlib import Path
from xml.sax.saxutils import escape

from msgspec import Struct

from twinning_pipelines.demo.agency import days

BANK_ID, ACCOUNT = "094000000", "CH-4410-2231"
OPENING = Decimal("8250.00")
EPOCH = date(2023, 1, 1)
# What leaves for the savings account and the broker each month, in francs, and what is exchanged each quarter, in euros.
SAVED, DEPOSIT, EXCHANGED = Decimal("800.00"), Decimal("1200.00"), Decimal("1000.00")


class Booking(Struct, frozen=True):
    """One booking as it happened. `category` is what a person filed it under; banks do not print it.

    number: which of its day's bookings it is; with the day it is the bank's id.
    """

    day: date
    number: int
    amount: Decimal
    payee: str
    memo: str
    kind: str
    category: str


class Habit(Struct, frozen=True):
    """A kind of spending: how likely it is on each weekday (Monday first), between which amounts, and where."""

    category: str
    chance: tuple[float, float, float, float, float, float, float]
    low: float
    high: float
    payees: tuple[str, ...]


_WORKDAYS = (1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0)
_HABITS = (
    Habit(
        "Groceries",
        (0.35, 0.3, 0.35, 0.3, 0.5, 0.8, 0.05),
        12,
        120,
        ("MIGROS ZURICH HB", "COOP CITY", "ALNATURA", "DENNER"),
    ),
    Habit(
        "Restaurants",
        (0.2, 0.2, 0.25, 0.3, 0.45, 0.4, 0.25),
        14,
        68,
        ("ZEUGHAUSKELLER", "TIBITS", "NENI ZURICH", "BACKEREI KLEINER"),
    ),
    Habit("Transport", tuple(0.25 * each + 0.05 for each in _WORKDAYS), 2.8, 34, ("SBB MOBILE", "VBZ TICKET")),  # type: ignore[arg-type]
    Habit("Household", (0.05, 0.05, 0.05, 0.05, 0.08, 0.2, 0.0), 15, 180, ("IKEA DIETLIKON", "JUMBO", "MANOR")),
    Habit("Health", (0.03, 0.03, 0.03, 0.03, 0.03, 0.02, 0.0), 12, 95, ("APOTHEKE BELLEVUE", "DR. MED. KELLER")),
)
_MONTHLY = (
    (25, "6840.00", "NORDLICHT STUDIO AG", "SALARY", "DIRECTDEP", "Salary"),
    (1, "-1980.00", "LIVIT AG RENT", "STANDING ORDER", "REPEATPMT", "Rent"),
    (3, "-389.45", "SWICA HEALTH INSURANCE", "PREMIUM", "DIRECTDEBIT", "Insurance"),
    (5, "-59.00", "SALT MOBILE & INTERNET", "INVOICE", "DIRECTDEBIT", "Subscriptions"),
    (12, "-16.90", "SPOTIFY FAMILY", "SUBSCRIPTION", "POS", "Subscriptions"),
    (27, f"-{SAVED}", "SAVINGS ACCOUNT", "STANDING ORDER", "XFER", "Savings"),
    (25, f"-{DEPOSIT}", "BROKER U7700001", "STANDING ORDER", "XFER", "Shares"),
)


def bookings(seed: int, first: date, last: date) -> Iterator[Booking]:
    """What is booked from `first` to `last`, both included, in order."""
    day = first
    while day <= last:
        yield from _fixed(day)
        yield from _habitual(seed, day)
        day += timedelta(days=1)


def _fixed(day: date) -> Iterator[Booking]:
    for number, (on, amount, payee, memo, kind, category) in enumerate(_MONTHLY):
        if day.day == on:
            yield Booking(day, number, Decimal(amount), payee, memo, kind, category)
    if day in exchange_days(day.year):
        yield Booking(day, 99, franc_proceeds(day), "ADA BRUNNER", "EXCHANGE FROM EUR ACCOUNT", "XFER", "Exchange")


def exchange_days(year: int) -> tuple[date, ...]:
    """The days on which euros are exchanged."""
    return tuple(date(year, month, 8) for month in (1, 4, 7, 10))


def franc_rate(day: date) -> Decimal:
    """How many francs one euro costs."""
    return Decimal(f"{0.95 + 0.02 * sin(day.toordinal() / 97) + 0.004 * sin(day.toordinal() / 11):.4f}")


def franc_proceeds(day: date) -> Decimal:
    """What the exchanged euros bring, after the bank's margin."""
    return (EXCHANGED * franc_rate(day) * Decimal("0.995")).quantize(Decimal("0.01"))


def _habitual(seed: int, day: date) -> Iterator[Booking]:
    chance = random.Random(f"{seed} bookings {day}")  # noqa: S311  (a sample, not a secret)
    for number, habit in enumerate(_HABITS, start=len(_MONTHLY)):
        if chance.random() < habit.chance[day.weekday()]:
            cents = int(chance.triangular(habit.low, habit.high, habit.low * 1.6) * 20) * 5
            payee, amount = chance.choice(habit.payees), Decimal(-cents) / 100
            yield Booking(day, number, amount, payee, "CARD PURCHASE", "POS", habit.category)


def write_statement(path: Path, *, seed: int, first: date, last: date, broken: int = 0) -> int:
    """One OFX 1.02 statement from `first` to `last` with its closing balance; answers how many rows it holds.

    broken: how many rows are spoiled. The balance is right for the others, as it would be had the bank not slipped.
    """
    balance = OPENING + sum((each.amount for each in bookings(seed, EPOCH, last)), Decimal(0))
    rows = [_transaction(each) for each in bookings(seed, first, last)]
    spoiled = [_spoiled(number, first) for number in range(broken)]
    path.parent.mkdir(parents=True, exist_ok=True)
    text = _OFX.format(
        made=f"{last:%Y%m%d}213000",
        bank=BANK_ID,
        account=ACCOUNT,
        first=f"{first:%Y%m%d}",
        last=f"{last:%Y%m%d}",
        rows="".join(rows + spoiled),
        balance=balance,
    )
    path.write_text(text, encoding="cp1252", newline="\r\n")
    return len(rows) + len(spoiled)


def write_register(path: Path, *, seed: int, first: date, last: date, broken: int = 0) -> int:
    """A QIF register of a card from `first` to `last`, with categories; answers how many records it holds."""
    rows = sorted([*_card(seed, first, last), *_payments(seed, first, last)], key=lambda each: each.day)
    lines = ["!Account", "NVisa Card", "TCCard", "^", "!Type:CCard"]
    for each in rows:
        lines += [
            f"D{each.day:%d/%m/%Y}",
            f"T{each.amount}",
            f"P{each.payee}",
            f"M{each.memo}",
            f"L{each.category}",
            "^",
        ]
    for number in range(broken):
        lines += [f"D32/{number % 12 + 1:02}/{last.year}", "T-12.00", "PSPOILED ROW", "^"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(rows) + broken + 1


def _card(seed: int, first: date, last: date) -> Iterator[Booking]:
    return (each for each in bookings(seed, first, last) if each.kind == "POS")


def _payments(seed: int, first: date, last: date) -> Iterator[Booking]:
    """On the fifth the bill of the month before is paid, from an account that exports nothing."""
    for day in days(first, last):
        if day.day == 5:
            end = day - timedelta(days=5)
            spent = -sum((each.amount for each in _card(seed, max(first, end.replace(day=1)), end)), Decimal(0))
            if spent:
                yield Booking(day, 98, spent, "CARD PAYMENT", "DIRECT DEBIT", "XFER", "[Giro]")


def _transaction(each: Booking) -> str:
    bank_id = f"{each.day:%Y%m%d}{each.number:03}"
    return (
        f"<STMTTRN>\n<TRNTYPE>{each.kind}\n<DTPOSTED>{each.day:%Y%m%d}120000[+1:CET]\n<TRNAMT>{each.amount}\n"
        f"<FITID>{bank_id}\n<NAME>{escape(each.payee)}\n<MEMO>{escape(each.memo)}\n</STMTTRN>\n"
    )


def _spoiled(number: int, day: date) -> str:
    amount, posted = (("12,3,4", f"{day:%Y%m%d}"), ("-20.00", f"{day:%Y}1340"))[number % 2]
    return (
        f"<STMTTRN>\n<TRNTYPE>POS\n<DTPOSTED>{posted}\n<TRNAMT>{amount}\n"
        f"<FITID>SPOILED{day:%Y%m}{number}\n<NAME>SPOILED ROW\n</STMTTRN>\n"
    )


_OFX = """OFXHEADER:100
DATA:OFXSGML
VERSION:102
SECURITY:NONE
ENCODING:USASCII
CHARSET:1252
COMPRESSION:NONE
OLDFILEUID:NONE
NEWFILEUID:NONE

<OFX>
<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>{made}[0:GMT]<LANGUAGE>ENG\
<FI><ORG>Twinning Sample Bank<FID>4410</FI></SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS>
<STMTRS><CURDEF>CHF<BANKACCTFROM><BANKID>{bank}<ACCTID>{account}<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>{first}<DTEND>{last}
{rows}</BANKTRANLIST>
<LEDGERBAL><BALAMT>{balance}<DTASOF>{last}</LEDGERBAL>
</STMTRS></STMTTRNRS></BANKMSGSRSV1>
</OFX>
"""
