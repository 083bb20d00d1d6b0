"""What an OFX file holds, as it writes it: statements, records, positions and securities, every value still a text.

Field names are OFX's own. A value inside a nested aggregate has a dotted name (`CURRENCY.CURSYM`, `PAYEE.CITY`,
`SECID.UNIQUEID`); the wrappers INVBUY, INVSELL, INVTRAN, INVPOS and SECINFO are left out of it (`FITID`, `UNITS`). A
name that comes again in one record is `NAME#2` to `NAME#9`. An element without a value is ''.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

from msgspec import Struct

from twinning_pipelines.formats.ofx_tags import Kind

_DAY = re.compile(r"\s*(\d{4})-?(\d\d)-?(\d\d)", re.ASCII)
_MOMENT = re.compile(
    r"\s*(\d{8})(\d\d)(\d\d)(\d\d)?\d*(?:\.(\d{1,6})\d*)?\s*\[\s*([-+]?)(\d{1,2})(?:[.:](\d{1,2}))?\s*(?::[^\]]*)?\]",
    re.ASCII,
)
BOOKING = "STMTTRN"
# Every aggregate that may name the account of a statement; ACCTFROM is OFC's.
_ACCOUNTS = ("BANKACCTFROM", "CCACCTFROM", "INVACCTFROM", "LOANACCTFROM", "ACCTFROM")
_LISTS = ("BANKTRANLIST.", "INVTRANLIST.", "LOANTRANLIST.", "BANKTRANLISTP.", "")
_AMOUNTS = (
    "TRNAMT",
    "LOANTRNAMT",
    "TOTAL",
    "UNITS",
    "UNITPRICE",
    "COMMISSION",
    "FEES",
    "TAXES",
    "LOAD",
    "WITHHOLDING",
    "MKTVAL",
    "CURRENCY.CURRATE",
    "ORIGCURRENCY.CURRATE",
)
_BALANCES = ("LEDGERBAL.BALAMT", "AVAILBAL.BALAMT", "LEDGER", "INVBAL.AVAILCASH")


class Record(Struct, frozen=True):
    """One transaction, position or security.

    name: its aggregate (STMTTRN, BUYSTOCK, POSMF, STOCKINFO, …). line: where it opens, from 1. raw: its text in the
    file. cut: the file ends inside it, so that its last value may be short and others missing; a record that is only
    not closed, as some banks write, is whole.
    """

    name: str
    line: int
    fields: Mapping[str, str]
    raw: str
    cut: bool = False

    def get(self, name: str) -> str:
        """The value of a field, '' where the record has none."""
        return self.fields.get(name, "")


class Run(Struct, frozen=True):
    """Plain bookings (STMTTRN) that stand one behind another: fifty thousand objects more would cost what reading costs.

    text: the file; offsets: where each begins in it, and the end of the last. lines: where each opens, from 1. rows: the
    values of each, with blanks around; looks: under which of these `names`.
    """

    text: str
    offsets: Sequence[int]
    lines: Sequence[int]
    names: Sequence[tuple[str, ...]]
    looks: Sequence[int]
    rows: Sequence[tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.rows)

    def parts(self, size: int) -> Iterator["Run"]:
        """The run in runs of at most so many bookings."""
        for begin in range(0, len(self), size):
            part = slice(begin, begin + size)
            offsets = self.offsets[begin : begin + size + 1]
            yield Run(self.text, offsets, self.lines[part], self.names, self.looks[part], self.rows[part])

    @property
    def fields(self) -> tuple[str, ...]:
        """The names that any of them has."""
        return tuple(dict.fromkeys(name for look in set(self.looks) for name in self.names[look]))

    def column(self, name: str) -> list[str]:
        """The value of a field in each, '' where one has none."""
        places = [names.index(name) if name in names else None for names in self.names]
        if len(set(self.looks)) == 1:
            place = places[self.looks[0]]
            return [""] * len(self) if place is None else [row[place].strip() for row in self.rows]
        found = zip(map(places.__getitem__, self.looks), self.rows, strict=True)
        return ["" if place is None else row[place].strip() for place, row in found]

    def raw(self, index: int) -> str:
        """The text of one in the file."""
        return self.text[self.offsets[index] : self.offsets[index + 1]].rstrip()

    def records(self) -> Iterator[Record]:
        """One by one."""
        for index, (line, look, row) in enumerate(zip(self.lines, self.looks, self.rows, strict=True)):
            fields = dict(zip(self.names[look], map(str.strip, row), strict=True))
            yield Record(BOOKING, line, fields, self.raw(index))


class Account(Struct, frozen=True):
    """The account as the file names it, '' for what it leaves out. broker_id stands only on investment accounts."""

    bank_id: str = ""
    branch_id: str = ""
    account_id: str = ""
    account_type: str = ""
    broker_id: str = ""


class Balance(Struct, frozen=True):
    """An amount and its moment, as the file writes them: a number text, and a text for `day_of`."""

    amount: str
    at: str


class Statement(Struct, frozen=True):
    """One account's statement: every field outside its records, its records and positions in file order.

    kind 'unknown' gathers records that stand in no statement. pieces: its records, those in a run together; without any
    it may be an answer that says no: see `error`. sign_on: the fields of the SONRS before it: DTSERVER, FI.ORG, INTU.BID, ….
    """

    kind: Kind
    line: int
    fields: Mapping[str, str]
    sign_on: Mapping[str, str]
    pieces: Sequence[Record | Run]
    positions: Sequence[Record]

    @property
    def records(self) -> list[Record]:
        """Its records one by one."""
        return [record for each in self.pieces for record in (each.records() if isinstance(each, Run) else (each,))]

    @property
    def account(self) -> Account:
        """Its account ids."""
        found = next((name for name in _ACCOUNTS if f"{name}.ACCTID" in self.fields), _ACCOUNTS[0])
        if "LOANACCTFROM.LOANACCTID" in self.fields:
            return Account(
                account_id=self._get("LOANACCTFROM.LOANACCTID"), account_type=self._get("LOANACCTFROM.LOANACCTTYPE")
            )
        return Account(
            bank_id=self._get(f"{found}.BANKID"),
            branch_id=self._get(f"{found}.BRANCHID"),
            account_id=self._get(f"{found}.ACCTID"),
            account_type=self._get(f"{found}.ACCTTYPE"),
            broker_id=self._get(f"{found}.BROKERID"),
        )

    @property
    def currency(self) -> str:
        """CURDEF: the currency of every amount that names no other."""
        return self._get("CURDEF")

    @property
    def start(self) -> str:
        """DTSTART of its list, a text for `day_of`."""
        return self._of_list("DTSTART")

    @property
    def end(self) -> str:
        """DTEND of its list, a text for `day_of`."""
        return self._of_list("DTEND")

    @property
    def ledger(self) -> Balance | None:
        """The booked balance, or None where the file gives none. OFC writes it without a date of its own."""
        if self._get("LEDGER"):
            return Balance(self._get("LEDGER"), self.end)
        return self._balance("LEDGERBAL")

    @property
    def cash(self) -> Balance | None:
        """The cash beside the positions of an investment statement; None where it gives none, or lends on them.

        Of money on margin the specification leaves open whether AVAILCASH is told with it or beside it.
        """
        amount, others = (
            self._get("INVBAL.AVAILCASH"),
            (self._get(f"INVBAL.{name}BALANCE") for name in ("MARGIN", "SHORT")),
        )
        if not amount or any(set(other) - set("+-0., ") for other in others):
            return None
        # A sweep fund that is told as a position as well has its worth there.
        is_position = any(position.get("MKTVAL").strip() == amount.strip() for position in self.positions)
        return None if is_position else Balance(amount, self._get("DTASOF"))

    @property
    def available(self) -> Balance | None:
        """What can be spent, or None."""
        return self._balance("AVAILBAL")

    @property
    def taken_at(self) -> str:
        """DTASOF of an investment statement, else DTSERVER of the sign-on: when it was made; a text for `moment_of`."""
        return self._get("DTASOF") or self.sign_on.get("DTSERVER", "")

    @property
    def error(self) -> str:
        """What the bank answered instead of a statement, '' when all is well."""
        if self._get("STATUS.SEVERITY").upper() != "ERROR":
            return ""
        return f"{self._get('STATUS.CODE')} {self._get('STATUS.MESSAGE')}".strip()

    def _get(self, name: str) -> str:
        return self.fields.get(name, "")

    def _of_list(self, name: str) -> str:
        return next((self.fields[place + name] for place in _LISTS if place + name in self.fields), "")

    def _balance(self, name: str) -> Balance | None:
        amount = self._get(f"{name}.BALAMT")
        return Balance(amount, self._get(f"{name}.DTASOF")) if amount else None


class Document(Struct, frozen=True):
    """One OFX file.

    header: OFXHEADER, VERSION, ENCODING, CHARSET, …, as far as given. codec: what its bytes were read with; declared
    and lied: see `text.Decoded`. cut: the file ends before `</OFX>`; some banks never write it.
    """

    header: Mapping[str, str]
    codec: str
    declared: str
    lied: bool
    cut: bool
    statements: Sequence[Statement]
    securities: Sequence[Record]

    @property
    def records(self) -> Iterator[Record]:
        """The transactions of every statement, in file order."""
        return (record for statement in self.statements for record in statement.records)

    def amount_texts(self) -> Iterator[str]:
        """Every number text, for `numbers.decide`: the dot is usual, the specification allows the comma as well."""
        for statement in self.statements:
            yield from (statement.fields[name] for name in _BALANCES if name in statement.fields)
            for piece in (*statement.pieces, *statement.positions):
                if isinstance(piece, Run):
                    for name in _AMOUNTS:
                        yield from piece.column(name) if name in piece.fields else ()
                else:
                    yield from (piece.fields[name] for name in _AMOUNTS if name in piece.fields)


@lru_cache(maxsize=4_096)
def day_of(text: str) -> date:
    """The bank's own local day: the first eight digits, whatever zone follows. Raises ValueError("not a date: 'x'").

    ofxparse goes to UTC first and so moves `20240131000000[+1:CET]` to the 30th.
    """
    match = _DAY.match(text)
    try:
        return date(*map(int, match.groups())) if match else _refuse(text)
    except ValueError:
        return _refuse(text)


def moment_of(text: str) -> datetime | None:
    """The instant, in the offset that the file gives; None where it gives no offset or no time of day.

    Offsets are hours (`[-5:EST]`, `[+5.5:IST]`) or, against the specification, hours and minutes (`[+5:30:IST]`).
    """
    match = _MOMENT.match(text)
    if match is None:
        return None
    day, hour, minute, second, fraction, sign, hours, part = match.groups()
    offset = timedelta(hours=int(hours), minutes=_minutes(part or ""))
    zone = timezone(-offset if sign == "-" else offset)
    micros = int((fraction or "").ljust(6, "0"))
    try:
        time = (int(hour), int(minute), int(second or 0), micros)
        return datetime(int(day[:4]), int(day[4:6]), int(day[6:]), *time, tzinfo=zone)
    except ValueError:
        return None


def _minutes(part: str) -> int:
    """The minutes of an offset. No zone is off by 18: `5.30` means half past five, `5.5` and `5.50` five and a half."""
    if part in ("15", "30", "45"):
        return int(part)
    return int(part.ljust(2, "0")) * 60 // 100


def _refuse(text: str) -> date:
    raise ValueError(f"not a date: {text[:60]!r}")
