"""One account's history, and the exports that four formats make of stretches of it."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

FIRST = date(2024, 1, 1)
OPENING = Decimal("1000.00")
BANK, NUMBER, IBAN = "37040044", "532013000", "DE89370400440532013000"
NAMES = (f"{BANK} {NUMBER}", f"{BANK}/{NUMBER}", IBAN, "Giro")


@dataclass(frozen=True, slots=True)
class Movement:
    """What really happened. number: its place in the history, which the bank's own id tells."""

    number: int
    day: date
    amount: Decimal
    payee: str


def history(seed: int, rows: int, *, days: int, twins: float) -> list[Movement]:
    """Movements in order; `twins` is the share that repeat the one before, to the letter."""
    chance = random.Random(seed)
    moments = sorted(chance.randrange(days) for _ in range(rows))
    found: list[Movement] = []
    for number, moment in enumerate(moments):
        day = FIRST + timedelta(days=moment)
        if found and found[-1].day == day and chance.random() < twins:
            amount, payee = found[-1].amount, found[-1].payee
        else:
            amount = Decimal(chance.choice((-350, -350, -420, -1290, -2000, 5000))) / 100 + chance.choice((0, 0, 0, 1))
            payee = chance.choice(("Bakery Nord", "Corner Cafe", "Tram Ticket", "Green Grocer", "Refund Desk"))
        found.append(Movement(number, day, amount, payee))
    return found


def balance(movements: Sequence[Movement], until: date) -> Decimal:
    """What is in the account at the end of a day."""
    return OPENING + sum((each.amount for each in movements if each.day <= until), Decimal(0))


def write_ofx(path: Path, some: Sequence[Movement], closing: Decimal | None) -> None:
    """OFX with the bank's ids; its closing balance is that of the last day."""
    rows = "".join(
        f"<STMTTRN><TRNTYPE>{'DEBIT' if each.amount < 0 else 'CREDIT'}<DTPOSTED>{each.day:%Y%m%d}<TRNAMT>{each.amount}"
        f"<FITID>N{each.number}<NAME>{each.payee}</STMTTRN>\n"
        for each in some
    )
    ledger = "" if closing is None else f"<LEDGERBAL><BALAMT>{closing}<DTASOF>{some[-1].day:%Y%m%d}</LEDGERBAL>"
    path.write_text(
        "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS>"
        f"<CURDEF>EUR<BANKACCTFROM><BANKID>{BANK}<ACCTID>{NUMBER}<ACCTTYPE>CHECKING</BANKACCTFROM>"
        f"<BANKTRANLIST>\n{rows}</BANKTRANLIST>{ledger}</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
    )


def write_qif(path: Path, some: Sequence[Movement], closing: Decimal | None) -> None:
    """QIF knows neither ids nor currencies nor balances."""
    rows = "".join(f"D{each.day:%Y-%m-%d}\nT{each.amount}\nP{each.payee}\nLDaily\n^\n" for each in some)
    path.write_text(f"!Account\nNGiro\nTBank\n^\n!Type:Bank\n{rows}")


def write_csv(path: Path, some: Sequence[Movement], closing: Decimal | None) -> None:
    """A bank's CSV, the newest first, with words of its own."""
    rows = "".join(
        f"{each.day:%d.%m.%Y};{str(each.amount).replace('.', ',')};EUR;{each.payee} GmbH;Kartenzahlung\n"
        for each in reversed(some)
    )
    path.write_text(f"Konto;{IBAN}\n\nBuchungstag;Betrag;Währung;Empfänger;Verwendungszweck\n{rows}", encoding="utf-8")


def write_mt940(path: Path, some: Sequence[Movement], closing: Decimal | None) -> None:
    """MT940 without ids; only what is said in the 86 tells whom."""
    lines = [":20:STARTUMS", f":25:{BANK}/{NUMBER}", ":28C:00001/001"]
    opening = Decimal(0) if closing is None else closing - sum((each.amount for each in some), Decimal(0))
    lines.append(f":60F:{_mark(opening)}{some[0].day:%y%m%d}EUR{_comma(opening)}")
    for each in some:
        lines.append(f":61:{each.day:%y%m%d}{each.day:%m%d}{_mark(each.amount)}{_comma(each.amount)}NMSCNONREF")
        lines.append(f":86:116?00CARD?20{each.payee}?32{each.payee}")
    if closing is not None:
        lines.append(f":62F:{_mark(closing)}{some[-1].day:%y%m%d}EUR{_comma(closing)}")
    else:
        lines.append(f":62M:{_mark(opening)}{some[-1].day:%y%m%d}EUR{_comma(opening)}")
    path.write_text("\r\n".join([*lines, "-"]) + "\r\n")


def _mark(amount: Decimal) -> str:
    return "D" if amount < 0 else "C"


def _comma(amount: Decimal) -> str:
    return f"{abs(amount):.2f}".replace(".", ",")


WRITERS = {"ofx": write_ofx, "qif": write_qif, "csv": write_csv, "sta": write_mt940}


def stretches(chance: random.Random, movements: Sequence[Movement], *, mid_day: bool) -> Iterator[tuple[int, int]]:
    """Places, first and behind the last, of exports that overlap and together leave nothing out."""
    reached = 0
    while reached < len(movements):
        begin = max(0, reached - chance.randrange(1, 120))
        end = min(len(movements), reached + chance.randrange(60, 400))
        if not mid_day:
            begin, end = _day_start(movements, begin), _day_end(movements, end)
        yield begin, end
        reached = end


def _day_start(movements: Sequence[Movement], place: int) -> int:
    while place and movements[place - 1].day == movements[place].day:
        place -= 1
    return place


def _day_end(movements: Sequence[Movement], place: int) -> int:
    while place < len(movements) and movements[place].day == movements[place - 1].day:
        place += 1
    return place
