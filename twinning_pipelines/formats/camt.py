"""CAMT.052, 053 and 054, the account reports, statements and notifications of ISO 20022, as the file writes them.

Namespaces and their prefixes are let go, so that versions 001.01 to 001.13 are read alike, with an envelope around
them or not. Read by expat as a stream: one entry is held at a time, with its line and its own text. The elements are
those of https://www.iso20022.org/catalogue-messages.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import BinaryIO, cast

from twinning_pipelines.errors import HostileFile
from twinning_pipelines.formats.xml_feed import DEEPEST, XmlFeed, local, root_of
from twinning_pipelines.formats.xml_stream import CONTROLS, LONGEST_ELEMENT_BYTES

MOST_ELEMENTS = 2_000_000
_SHOWN = 60

# Version 001.01 has its number in the name: BkToCstmrStmtV01.
_MESSAGE = re.compile(rb"<(?:[\w.-]+:)?(?:BkToCstmrAcctRpt|BkToCstmrStmt|BkToCstmrDbtCdtNtfctn)(?:V\d\d)?[\s/>]")
_STATEMENTS = frozenset({"Stmt", "Rpt", "Ntfctn"})
_PARTS = frozenset({"Acct", "Bal", "Ntry"})
_HEADER, _DETAIL = "GrpHdr", "TxDtls"
# The format has 18 digits, 5 of them behind the dot; Python sums 28 exactly.
_AMOUNT = re.compile(r"[-+]?(?:\d{1,18}(?:\.\d{0,10})?|\.\d{1,10})", re.ASCII)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?=\Z|[TZ+-])", re.ASCII)


@dataclass(slots=True)
class Node:
    """An element: its line in the file, name, attributes, children in order; `value` is the text of one without children.

    `text` holds the bytes of an entry; `begin` and `end` bound each TxDtls in them.
    """

    line: int
    name: str
    attributes: dict[str, str]
    begin: int
    end: int = 0
    value: str = ""
    children: list["Node"] = field(default_factory=list)
    text: bytes = field(default=b"", repr=False)

    @property
    def raw(self) -> str:
        """The text of an entry, from its start tag to its end tag."""
        return self.text.decode("utf-8", errors="replace")

    def raw_in(self, entry: "Node") -> str:
        """The text of a TxDtls inside its entry."""
        return entry.text[self.begin : self.end].decode("utf-8", errors="replace")

    def find(self, path: str) -> Iterator["Node"]:
        """The elements that a path leads to, `Tp/CdOrPrtry/Cd`, in the order of the file."""
        name, _, rest = path.partition("/")
        for child in self.children:
            if child.name == name:
                if rest:
                    yield from child.find(rest)
                else:
                    yield child

    def first(self, *paths: str) -> str:
        """The first text that is not blank on one of these paths, '' when there is none."""
        return next((node.value for path in paths for node in self.find(path) if node.value), "")


@dataclass(slots=True)
class Statement:
    """One Stmt, Rpt or Ntfctn: the line it begins on, its account and its balances."""

    line: int
    account: Node | None = None
    balances: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Header:
    """What the message says about itself; `made_at` is None when it gives no time of day."""

    made_at: datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One Ntry and the statement it stands in."""

    node: Node
    statement: Statement

    @property
    def status(self) -> str:
        """BOOK, PDNG, INFO, FUTR; a statement's entry without a status is booked."""
        return self.node.first("Sts", "Sts/Cd", "Sts/Prtry").upper() or "BOOK"

    @property
    def details(self) -> list[Node]:
        """The transactions that the entry is made of, as far as they are told; 001.01 has them in the entry itself."""
        return [*self.node.find("NtryDtls/TxDtls"), *self.node.find("TxDtls")]

    def around(self, details: list[Node]) -> tuple[str, str]:
        """The text of the entry before and behind its details."""
        text = self.node.text
        begin, end = min(each.begin for each in details), max(each.end for each in details)
        return text[:begin].decode("utf-8", errors="replace"), text[end:].decode("utf-8", errors="replace")


def is_camt(head: bytes) -> bool:
    """Do the first bytes of a file name one of the three messages?"""
    return bool(root_of(head)) and _MESSAGE.search(head) is not None


def read(stream: BinaryIO, root: str) -> Iterator[Header | Entry | Statement]:
    """Headers and entries in the order of the file, and each statement once it has ended; `root` as `root_of` tells it.

    Raises UnreadableFile, with the line, where the XML is broken or breaks off; HostileFile for declared entities,
    nesting deeper than 64, and entries longer than 64 MiB or of more than two million elements.
    """
    feed = _Feed(stream, root)
    reader = _Reader(feed)
    for _ in feed.blocks():
        yield from reader.take()


def amount_of(text: str) -> Decimal:
    """The number of an XML text, where the dot alone is a decimal mark and `1,234` is no thousand. Raises ValueError."""
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"not a number: {text[:_SHOWN]!r}")
    return Decimal(text)


def day_of(text: str) -> date:
    """The day as it is printed; a time and a zone behind it never move it. Raises ValueError."""
    match = _DAY.match(text)
    try:
        if match:
            return date.fromisoformat(match[1])
    except ValueError:
        pass
    raise ValueError(f"not a date: {text[:_SHOWN]!r}")


def moment_of(text: str) -> datetime | None:
    """The instant, UTC where no zone is given; None for a bare day, which can't tell two exports of it apart."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        if moment.year < 1990 or not moment.hour + moment.minute + moment.second:
            return None
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class _Feed(XmlFeed):
    """Keeps the bytes from the beginning of the entry that is being read, so that its text can be told."""

    def __init__(self, stream: BinaryIO, root: str) -> None:
        super().__init__(stream, root)
        self._kept = bytearray(self._text.translate(None, CONTROLS))
        self._offset = 0
        self._source, self._stream = stream, cast("BinaryIO", self)

    def read(self, size: int) -> bytes:
        """The next bytes of the file, on their way to the parser."""
        block = self._source.read(size)
        self._kept += block.translate(None, CONTROLS)
        return block

    @property
    def place(self) -> int:
        """Where the parser stands, in bytes."""
        return self.parser.CurrentByteIndex

    def end_of(self, name: str) -> int:
        """Where the element ends whose end is being told; one without an end tag is over there already."""
        begin = self.place - self._offset
        if not self._kept.startswith(b"</" + name.encode(), begin):
            return self.place
        return self._kept.index(b">", begin) + 1 + self._offset

    def between(self, begin: int, end: int) -> bytes:
        """The bytes from one place to another."""
        return bytes(self._kept[begin - self._offset : end - self._offset])

    def forget(self, before: int) -> None:
        """Lets go what stands before a place. Raises HostileFile when too much is left."""
        if before > self._offset:
            del self._kept[: before - self._offset]
            self._offset = before
        if len(self._kept) > LONGEST_ELEMENT_BYTES:
            raise HostileFile(f"line {self.line}: an entry of more than {LONGEST_ELEMENT_BYTES // 1024**2} MiB")


class _Reader:
    """Listens to expat and gathers headers, accounts, balances and entries."""

    def __init__(self, feed: _Feed) -> None:
        self._feed = feed
        self._done: list[Header | Entry | Statement] = []
        self._names: list[str] = []
        self._open: list[Node] = []
        self._elements = 0
        self._pieces: list[str] = []
        self._statement = Statement(0)
        feed.parser.StartElementHandler = self._start
        feed.parser.EndElementHandler = self._end

    def take(self) -> list[Header | Entry | Statement]:
        """What ended since the last call; the text before the entry that is being read is let go."""
        done = self._done.copy()
        self._done.clear()
        self._feed.forget(self._open[0].begin if self._open else self._feed.place)
        return done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = local(name)
        around = self._names[-1] if self._names else ""
        self._names.append(name)
        if len(self._names) > DEEPEST:
            raise HostileFile(f"line {self._feed.line}: elements nested deeper than {DEEPEST}")
        if self._open:
            self._nest(Node(self._feed.line, name, attributes, self._feed.place))
        elif name in _STATEMENTS:
            self._statement = Statement(self._feed.line)
        elif name == _HEADER or (name in _PARTS and around in _STATEMENTS):
            self._open.append(Node(self._feed.line, name, attributes, self._feed.place))
            self._elements = 1
            self._feed.parser.CharacterDataHandler = self._pieces.append
        self._pieces.clear()

    def _nest(self, node: Node) -> None:
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise HostileFile(f"line {node.line}: an entry of more than {MOST_ELEMENTS} elements")
        self._open[-1].children.append(node)
        self._open.append(node)

    def _end(self, name: str) -> None:
        self._names.pop()
        if not self._open:
            if local(name) in _STATEMENTS:
                self._done.append(self._statement)
            return
        node = self._open.pop()
        if not node.children:
            node.value = "".join(self._pieces).strip()
        self._pieces.clear()
        if self._open and node.name != _DETAIL:
            return
        first = self._open[0].begin if self._open else node.begin
        end = self._feed.end_of(name)
        if not self._open:
            self._feed.parser.CharacterDataHandler = None
            node.text = self._feed.between(node.begin, end)
            self._close(node)
        node.begin, node.end = node.begin - first, end - first

    def _close(self, node: Node) -> None:
        if node.name == _HEADER:
            self._done.append(Header(moment_of(node.first("CreDtTm"))))
        elif node.name == "Acct":
            self._statement.account = node
        elif node.name == "Bal":
            self._statement.balances.append(node)
        else:
            self._done.append(Entry(node, self._statement))
