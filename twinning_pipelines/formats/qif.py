"""QIF, Quicken's interchange format, as Quicken, Money, GnuCash and banks really write it.

    document = qif.read(data)
    order = dates.decide(document.date_texts(), hint=document.date_hint)
    for record in document.records:
        record.section, record.line, record.account, record.get("T"), record.address, record.splits

A line is a code and its value (`T-12.50`); `^` ends a record, `!Type:Bank` begins a section, `!Account` names the
account of what follows. Everything is text still. Each nonempty block of lines is exactly one record, whatever is in
it: nothing is skipped but blank lines and `#` comments before the first section.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct, field

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats import text
from twinning_pipelines.formats.arrays import FEWEST_FOR_COLUMNS, as_arrow

MAX_BYTES = 512 * 1024**2
_MAX_REPEATS = 99
_LONGEST_PRICE = 1_000

_BANK = "Bank"
_ACCOUNT = "Account"
_PRICES = "Prices"
BANK_SECTIONS = frozenset((_BANK, "Cash", "CCard", "Oth A", "Oth L", "Invoice"))
INVESTMENT_SECTIONS = frozenset(("Invst",))
LIST_SECTIONS = frozenset((_ACCOUNT, "Cat", "Class", "Memorized", "Security", _PRICES, "Budget"))
_SECTIONS = {name.casefold().replace(" ", ""): name for name in BANK_SECTIONS | INVESTMENT_SECTIONS | LIST_SECTIONS}

_HEAD = re.compile(r"!\s*(type|account|option|clear)\b\s*:?\s*(.*)", re.IGNORECASE)
_AUTOSWITCH = "autoswitch"
_ORDERS = ("MDY", "DMY", "YMD")
# Elsewhere S and A are what the list says they are: the symbol of a security, for one.
_PLAIN_SECTIONS = frozenset((_ACCOUNT, "Cat", "Class", "Security", "Budget"))
_SPLIT_CODES = {"E": "memo", "$": "amount", "%": "percent"}
# In the codes of lines: plain bookings, no code twice, all with the same codes in the same order.
_ALIKE = re.compile(rb"((?:([CDLMNPTU])(?![CDLMNPTU]*\2))+\^)\1*+")
_END = ord("^")
# What `str.strip` takes away.
BLANKS = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_BLOCK_LINES = 1_024
FEWEST_IN_RUN = FEWEST_FOR_COLUMNS
_NUMBER_CODES = ("T", "U", "$", "O", "Q", "I")


class Account(Struct, frozen=True):
    """An account as `!Account` gives it: name (N), kind (T: Bank, CCard, Invst, …, as written), description (D)."""

    name: str
    kind: str = ""
    description: str = ""


class Split(Struct, frozen=True):
    """One part of a record: category or [account] (S), memo (E), amount (`$`) and percentage (%), '' if not given."""

    category: str
    memo: str = ""
    amount: str = ""
    percent: str = ""


class Record(Struct, frozen=True):
    """One block of lines up to its `^`.

    section: Bank, Cash, CCard, Oth A, Oth L, Invoice, Invst, Account, Cat, Class, Memorized, Security, Prices, Budget, or
    what the file says. line: where it begins, from 1. raw: its lines without the `^`. fields: value by code; a code
    that comes again is `M#2` and so on. account: the one it stands in, None before any is named. address: its A lines.
    prices: (symbol, price, date) of each line of a Prices block. cut: the file, or the section, ends before its `^`.
    """

    section: str
    line: int
    raw: str
    fields: Mapping[str, str]
    account: Account | None = None
    address: tuple[str, ...] = ()
    splits: tuple[Split, ...] = ()
    prices: tuple[tuple[str, str, str], ...] = ()
    cut: bool = False

    def get(self, code: str) -> str:
        """The value of a code, '' where the record has none."""
        return self.fields.get(code, "")


_Places = npt.NDArray[np.int64]


class Run(Struct, frozen=True, eq=False):
    """Plain bookings that stand one behind another in one section and account: none has splits, an address, a code twice.

    lines: those of the file that say something. places: the line of each booking in the file, from 1. begins, ends: where
    its first line and its `^` stand in `lines`. codes: where the line of a code stands there, below zero where it has none.
    """

    section: str
    account: Account | None
    lines: pa.StringArray
    places: _Places
    begins: _Places
    ends: _Places
    codes: Mapping[str, _Places]

    def __len__(self) -> int:
        return len(self.places)

    def parts(self, size: int) -> Iterator["Run"]:
        """The run in runs of at most so many bookings."""
        for part in (slice(begin, begin + size) for begin in range(0, len(self), size)):
            codes = {code: places[part] for code, places in self.codes.items()}
            places, begins, ends = self.places[part], self.begins[part], self.ends[part]
            yield Run(self.section, self.account, self.lines, places, begins, ends, codes)

    def column(self, code: str) -> pa.StringArray:
        """The value of a code in each booking, '' where one has none."""
        places = self.codes.get(code)
        if places is None:
            return pa.repeat("", len(self))
        indices = as_arrow(places)
        has_gaps = places.min() < 0
        lines = self.lines.take(pc.if_else(pc.less(indices, 0), None, indices) if has_gaps else indices)
        # Lines have no blanks behind them.
        values = pc.utf8_ltrim(pc.utf8_slice_codeunits(lines, 1), characters=BLANKS)
        return pc.fill_null(values, "") if has_gaps else values

    def counted(self, code: str) -> Iterator[tuple[str, int]]:
        """Each value of a code, and how often it is told; '' for bookings that have none."""
        counted = self.column(code).value_counts()
        return zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)

    def raw(self, index: int) -> str:
        """The lines of one booking, without the `^`."""
        begin, end = self.begins[index], self.ends[index]
        return "\n".join(self.lines.slice(begin, end - begin).to_pylist())

    def records(self) -> Iterator[Record]:
        """One by one."""
        first = int(self.begins[0])
        lines = self.lines.slice(first, int(self.ends[-1]) - first).to_pylist()
        bounds = ((self.begins - first).tolist(), (self.ends - first).tolist())
        for place, begin, end in zip(self.places.tolist(), *bounds, strict=True):
            yield _record(self.section, place, lines[begin:end], self.account, cut=False)


class Document(Struct, frozen=True):
    """One QIF file. codec: what its bytes were read with. date_hint: the order that `!Option:MDY` names, '' for none.

    headless: records stand before any section; they are read as Bank, as some banks write them. pieces: its records, those
    in a run together.
    """

    codec: str
    date_hint: str
    headless: bool
    pieces: Sequence[Record | Run]

    @property
    def records(self) -> list[Record]:
        """Its records one by one."""
        return [record for each in self.pieces for record in (each.records() if isinstance(each, Run) else (each,))]

    def date_texts(self) -> Counter[str]:
        """How often each date of a transaction or price is told, for `dates.decide`."""
        told: Counter[str] = Counter()
        for piece in self.pieces:
            if isinstance(piece, Run):
                told.update(dict(piece.counted("D")))
                continue
            if piece.section not in LIST_SECTIONS and "D" in piece.fields:
                told[piece.fields["D"]] += 1
            told.update(on for _, _, on in piece.prices)
        return told

    def amount_texts(self) -> Iterator[str]:
        """Every number of a transaction or price, for `numbers.decide`."""
        return chain.from_iterable(chain.from_iterable(map(_amounts_of, self.pieces)))


def _amounts_of(piece: Record | Run) -> Iterator[Iterable[str]]:
    if isinstance(piece, Run):
        yield from (piece.column(code).to_pylist() for code in _NUMBER_CODES if code in piece.codes)
        return
    if piece.section not in LIST_SECTIONS:
        yield (piece.fields[code] for code in _NUMBER_CODES if code in piece.fields)
        yield (split.amount for split in piece.splits if split.amount)
    yield (price for _, price, _ in piece.prices)


def read(data: bytes, *, in_runs: bool = True) -> Document:
    """The document in the bytes of a file; `in_runs`: plain bookings behind one another are kept as runs.

    Raises UnreadableFile when there is neither a section nor a `^`, or the bytes are no text; HostileFile past 512 MiB.
    """
    if len(data) > MAX_BYTES:
        raise HostileFile(f"larger than {MAX_BYTES // 1024**2} MiB: no ledger is that long")
    decoded = text.decode(data)
    if decoded.is_binary:
        raise UnreadableFile("not QIF: its bytes are no text")
    lines = _lines(decoded.text)
    reader = _Reader()
    # few: up to there too few plain bookings stand behind one another, from wherever one looks.
    at = few = 0
    while at < len(lines.codes):
        run = None
        if in_runs and at >= few and not reader.lines and reader.section in BANK_SECTIONS:
            run, few = _run(lines, at, reader.section, reader.account)
        if run is None:
            reader.take(int(lines.places[at]), lines.text(at))
            at += 1
        else:
            reader.pieces.append(run)
            at = int(run.ends[-1]) + 1
    if not reader.marked:
        raise UnreadableFile("not QIF: it has neither a !Type line nor a ^")
    reader.end_record(cut=True)
    return Document(decoded.codec, reader.date_hint, reader.headless, reader.pieces)


class _Lines(Struct):
    """The lines that say something, without blanks around: their places from 1, and the first byte of each, its code.

    The code of a line that says more than its `^` is `!`: no run holds it.
    """

    places: _Places
    texts: pa.StringArray
    codes: bytes
    _block: int = -1
    _opened: list[str] = field(default_factory=list)

    def text(self, at: int) -> str:
        """One line. Those around it are at hand from then on."""
        block, place = divmod(at, _BLOCK_LINES)
        if block != self._block:
            self._block, self._opened = block, self.texts.slice(block * _BLOCK_LINES, _BLOCK_LINES).to_pylist()
        return self._opened[place]


def _lines(text: str) -> _Lines:
    whole = pa.array([text.replace("\r\n", "\n").replace("\r", "\n")], pa.string())
    texts = pc.utf8_trim(pc.split_pattern(whole, "\n").flatten(), characters=BLANKS)
    lengths = pc.binary_length(texts).to_numpy()
    places = np.flatnonzero(lengths)
    if len(places) < len(lengths):
        texts, lengths = texts.take(as_arrow(places)), lengths[places]
    _, _, data = texts.buffers()
    codes = np.frombuffer(data, np.uint8)[np.cumsum(lengths) - lengths] if len(places) else np.empty(0, np.uint8)
    codes[(codes == _END) & (lengths > 1)] = ord("!")
    return _Lines(places + 1, texts, codes.tobytes())


def _run(lines: _Lines, begin: int, section: str, account: Account | None) -> tuple[Run | None, int]:
    """The plain bookings that stand one behind another from a line on, None where there are but a few; and where they end."""
    stop = begin
    while alike := _ALIKE.match(lines.codes, stop):
        stop = alike.end()
    if lines.codes.count(_END, begin, stop) < FEWEST_IN_RUN:
        return None, stop
    codes = np.frombuffer(lines.codes, np.uint8)[begin:stop]
    is_end = codes == _END
    ends = np.flatnonzero(is_end)
    begins = np.concatenate(([0], ends[:-1] + 1))
    bookings = np.cumsum(is_end)
    places_of: dict[str, _Places] = {}
    # `np.unique` would load all of numpy's masked arrays.
    for code in np.flatnonzero(np.bincount(codes[~is_end])).tolist():
        at = np.flatnonzero(codes == code)
        places = np.full(len(ends), -1)
        places[bookings[at]] = at + begin
        places_of[chr(code)] = places
    return Run(
        section, account, lines.texts, lines.places[begins + begin], begins + begin, ends + begin, places_of
    ), stop


class _Reader(Struct):
    """The state of one pass over the lines: the section, the account, and the record that is open."""

    pieces: list[Record | Run] = field(default_factory=list)
    section: str = ""
    account: Account | None = None
    date_hint: str = ""
    headless: bool = False
    marked: bool = False
    lines: list[str] = field(default_factory=list)
    line: int = 0
    listing: bool = False
    listed: list[Account] = field(default_factory=list)

    def take(self, at: int, line: str) -> None:
        """One line without the blanks around it."""
        if line[0] == "^":
            self.marked = True
            self.end_record()
            # Two records glued on one line: what follows the mark begins the next.
            if rest := line.lstrip("^ \t"):
                self.take(at, rest)
        elif line[0] == "!" and (head := _HEAD.match(line)):
            self.marked = True
            self.end_record(cut=True)
            self._begin(head[1].lower(), head[2].strip())
        elif line[0] != "#" or self.lines or self.section:
            if not self.lines:
                self.line = at
            self.lines.append(line)

    def end_record(self, *, cut: bool = False) -> None:
        """Closes the open record, if any; `cut` when no `^` did."""
        if not self.lines:
            return
        if not self.section:
            self.section, self.headless = _BANK, True
        account = None if self.section in LIST_SECTIONS else self.account
        record = _record(self.section, self.line, self.lines, account, cut=cut)
        self.pieces.append(record)
        self.lines = []
        if self.section == _ACCOUNT and record.get("N"):
            self.listed.append(Account(record.get("N"), record.get("T"), record.get("D")))

    def _begin(self, word: str, value: str) -> None:
        """A line that begins with `!`."""
        if word in ("option", "clear"):
            if value.casefold() == _AUTOSWITCH:
                self._switch()
                self.listing = word == "option"
            elif word == "option" and value.upper() in _ORDERS:
                self.date_hint = value.upper()
            return
        self._switch()
        self.section = _ACCOUNT if word == "account" else _SECTIONS.get(value.casefold().replace(" ", ""), value)

    def _switch(self) -> None:
        """Makes the account just named the current one, unless AutoSwitch says that several were only listed."""
        if self.listed and not (self.listing and len(self.listed) > 1):
            self.account = self.listed[-1]
        self.listed = []


def _record(section: str, line: int, lines: Sequence[str], account: Account | None, *, cut: bool) -> Record:
    raw = "\n".join(lines)
    if section == _PRICES:
        return Record(section, line, raw, {}, prices=tuple(map(_price, lines)), cut=cut)
    fields: dict[str, str] = {}
    address: list[str] = []
    splits: list[dict[str, str]] = []
    for each in lines:
        code, value = each[0], each[1:].strip()
        if section in _PLAIN_SECTIONS:
            fields[_free(fields, code)] = value
        elif code == "S":
            splits.append({"category": value})
        elif code == "A":
            address.append(value)
        elif splits and code in _SPLIT_CODES and _SPLIT_CODES[code] not in splits[-1]:
            splits[-1][_SPLIT_CODES[code]] = value
        else:
            fields[_free(fields, code)] = value
    parts = tuple(Split(**split) for split in splits)
    return Record(section, line, raw, fields, account, tuple(address), parts, cut=cut)


def _price(line: str) -> tuple[str, str, str]:
    """Symbol, price and date of a line of prices: `"IBM",110.10,"12/21' 7"`; '' for what is missing or unreadable."""
    try:
        # The csv module's own limit belongs to the whole process: others may have raised it.
        cells = next(csv.reader([line]), []) if len(line) <= _LONGEST_PRICE else []
    except csv.Error:
        cells = []
    symbol, price, on, *_ = [*map(str.strip, cells), "", "", ""]
    return symbol, price, on


def _free(fields: dict[str, str], code: str) -> str:
    """A key for a value: its code, then `M#2` and on. The last of very many stands for the rest; `raw` has them all."""
    last = f"{code}#{_MAX_REPEATS}" if code in fields else code
    if last in fields or last == code:
        return last
    return next(key for number in range(2, _MAX_REPEATS + 1) if (key := f"{code}#{number}") not in fields)
