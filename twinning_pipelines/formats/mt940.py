"""SWIFT MT940 and MT942: statements of tagged fields, as banks really write them.

    document = mt940.read(data)
    for statement in document.statements:
        statement.account, statement.first("60F"), statement.entries

A field is a line `:61:…` and the lines under it, up to the next tag or the `-` that ends a statement. Only tags of the
standard begin one: `:12:11` at the start of a line is the rest of a time that the bank wrapped. What stands before the
first field or behind an end (SWIFT blocks, a bank's own preamble) is no field. Everything is text still.
"""

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats import text

MAX_BYTES = 512 * 1024**2
ENTRY = "61"
DETAILS = "86"

_TAG = re.compile(
    r"(?:\{1:.*\{4:|\{4:)?:(13D?|20|21|23|25P?|28C?|34F|37H|60[FM]|61|62[FM]|64|65|86|90[CD]|NS|94[02]):(.*)"
)
# `-`, `-}` with a trailer, `-XXX` of ING, `-` with the end mark of a telex.
_END = re.compile(r"-(?:\}.*|XXX|\x03)?\s*")
_MESSAGE_TYPES = frozenset(("940", "942"))
# Behind a closing balance these begin the next statement, even where its `:20:` is missing.
_HEADING = frozenset(("25", "25P", "28", "28C", "34F", "60F", "60M"))
_CLOSING = frozenset(("62F", "62M", "64", "65", "90C", "90D"))

_VALUE_DAY = re.compile(r"\d{6}", re.ASCII)
_ENTRY_DAY = re.compile(r"\d{4}|[ ]{4}|", re.ASCII)
_MARK = re.compile(r"(R?[DC]|E[DC])([A-Z](?=[\d, ]))?[ ]?", re.ASCII)
# The amount ends where a type of transaction begins; a garbled one too, so that a person sees what was garbled.
_AMOUNT = re.compile(r"(.*?)(?:(?=[NFS][A-Z0-9 ]{3}(?![.,]))([NFS].{3})(.*))?", re.ASCII)
# Some banks have types of their own (`MCI0`); they are believed behind an amount that is whole by itself.
_OWN_TYPE = re.compile(r"(\d+,\d\d)([A-Z]{3}[A-Z0-9])(.*)", re.ASCII)
_REFERENCE_WIDTH = 16
# One bank wraps a `:61:` right behind its mark.
_WRAPPED = re.compile(r"\d{6}(?:\d{4})?R?[DC][A-Z]?\s*", re.ASCII)
_BALANCE = re.compile(r"([DC])(\d{6})([A-Z]{3})?(\S*)", re.ASCII)


class Field(Struct, frozen=True):
    """One field: its tag, the line it begins on (from 1), and its lines without the tag, as they stand."""

    tag: str
    line: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Its first line without the blanks around it."""
        return self.lines[0].strip()

    @property
    def raw(self) -> str:
        """The field as it stands in the file."""
        return f":{self.tag}:" + "\n".join(self.lines)


class Entry(Struct, frozen=True):
    """One `:61:` with the fields that stand under it: `:86:`, and what a bank has of its own.

    cut: the file ends in the middle of its last line.
    """

    head: Field
    under: tuple[Field, ...] = ()
    cut: bool = False

    @property
    def line(self) -> int:
        """Where its `:61:` stands, from 1."""
        return self.head.line

    @property
    def raw(self) -> str:
        """All of its fields as they stand in the file."""
        return "\n".join(each.raw.rstrip() for each in (self.head, *self.under))

    @property
    def details(self) -> list[tuple[str, ...]]:
        """The lines of each `:86:`; some banks write one for every line."""
        return [each.lines for each in self.under if each.tag == DETAILS]


class Statement(Struct, frozen=True):
    """One message: its fields by tag, and its entries. Pages of one statement are messages of their own.

    cut: the last of its fields is the last of the file, which ends in the middle of a line.
    """

    line: int
    fields: Sequence[Field]
    entries: Sequence[Entry]
    cut: bool = False

    def first(self, *tags: str) -> Field | None:
        """The first field that has one of these tags; the tags in order of trust."""
        return next((each for tag in tags for each in self.fields if each.tag == tag), None)

    @property
    def account(self) -> str:
        """The account as printed, '' where none is."""
        found = self.first("25", "25P")
        return found.text if found else ""


class Document(Struct, frozen=True):
    """One file. codec: what its bytes were read with."""

    codec: str
    statements: Sequence[Statement]


class EntryParts(Struct, frozen=True):
    """The subfields of a `:61:` as text, '' for what is missing.

    mark: D, C, RD, RC, or ED and EC of a booking that is only expected. beside: what stands behind a reference that is
    padded to its 16 characters. supplementary: the lines below, in one.
    """

    value_day: str
    entry_day: str
    mark: str
    funds: str
    amount: str
    kind: str
    reference: str
    bank_reference: str
    beside: str
    supplementary: str


class BalanceParts(Struct, frozen=True):
    """The subfields of a balance as text; some banks leave the currency out."""

    mark: str
    day: str
    currency: str
    amount: str


def read(data: bytes) -> Document:
    """The document in the bytes of a file.

    Raises UnreadableFile when it has no field, or the bytes are no text; HostileFile past 512 MiB.
    """
    if len(data) > MAX_BYTES:
        raise HostileFile(f"larger than {MAX_BYTES // 1024**2} MiB: no statement is that long")
    decoded = text.decode(data)
    if decoded.is_binary:
        raise UnreadableFile("not MT940: its bytes are no text")
    content = decoded.text.replace("\r\n", "\n").replace("\r", "\n")
    broken_off = not content.rstrip("\ufffd\x1a ").endswith("\n")
    messages = list(_messages(content.split("\n")))
    if not messages:
        raise UnreadableFile("not MT940: it has no field like :20: or :61:")
    last = len(messages) - 1
    statements = [
        _statement(fields, cut=broken_off and place == last and not ended)
        for place, (fields, ended) in enumerate(messages)
    ]
    return Document(decoded.codec, statements)


def entry_parts(head: Field) -> EntryParts:
    """The subfields of a `:61:`. Never fails: what can't be told apart stands in the first subfield that it spoils."""
    first, *below = head.lines
    if below and _WRAPPED.fullmatch(first):
        first, below = first + below[0], below[1:]
    value_day = _VALUE_DAY.match(first)
    rest = first[6:]
    entry_day = _ENTRY_DAY.match(rest)
    day = entry_day[0] if entry_day else ""
    rest = rest[len(day) :]
    mark = _MARK.match(rest)
    behind = rest[mark.end() :] if mark else rest
    amount = _OWN_TYPE.fullmatch(behind) or _AMOUNT.fullmatch(behind)
    figure, kind, said = (amount[1], amount[2] or "", amount[3] or "") if amount else (behind, "", "")
    reference, _, bank_reference = said.partition("//")
    beside = ""
    if not bank_reference and reference[:_REFERENCE_WIDTH].endswith(" "):
        reference, beside = reference[:_REFERENCE_WIDTH], reference[_REFERENCE_WIDTH:]
    return EntryParts(
        value_day=value_day[0] if value_day else first[:6],
        entry_day=day.strip(),
        mark=mark[1] if mark else "",
        funds=mark[2] or "" if mark else "",
        amount=figure.strip(),
        kind=kind.strip(),
        reference=reference.strip(),
        bank_reference=bank_reference.strip(),
        beside=beside.strip(),
        supplementary=" ".join(" ".join(below).split()),
    )


def balance_parts(balance: Field) -> BalanceParts | None:
    """The subfields of a balance (`:60F:`, `:62F:`, `:64:`), None where it is none."""
    match = _BALANCE.fullmatch(balance.text)
    return BalanceParts(match[1], match[2], match[3] or "", match[4]) if match else None


def _messages(lines: Sequence[str]) -> Iterator[tuple[list[Field], bool]]:
    """The fields of each message, and whether its end is marked."""
    message: list[Field] = []
    for each in _fields(lines):
        if each is None:
            if message:
                yield message, True
            message = []
            continue
        begins = each.tag == "20" or (each.tag in _HEADING and any(before.tag in _CLOSING for before in message))
        if begins and message:
            yield message, True
            message = []
        message.append(each)
    if message:
        yield message, False


def _fields(lines: Sequence[str]) -> Iterator[Field | None]:
    """The fields in their order; None where a message ends or its type stands."""
    tag, at, value = "", 0, list[str]()
    for number, line in enumerate(lines, start=1):
        begins = _TAG.match(line)
        ends = _END.fullmatch(line) is not None
        if not (begins or ends):
            value.append(line)
            continue
        if tag:
            yield Field(tag, at, tuple(value))
        tag, at, value = "", number, []
        if begins and begins[1] not in _MESSAGE_TYPES:
            tag, value = begins[1], [begins[2]]
        else:
            yield None
    if tag:
        yield Field(tag, at, tuple(value))


def _statement(message: Sequence[Field], *, cut: bool) -> Statement:
    """Fields under a `:61:` belong to it up to the closing balance; what comes after that, to the statement."""
    fields: list[Field] = []
    groups: list[list[Field]] = []
    in_entry = False
    for each in message:
        in_entry = each.tag == ENTRY or (in_entry and each.tag not in _CLOSING)
        if each.tag == ENTRY:
            groups.append([each])
        elif in_entry:
            groups[-1].append(each)
        else:
            fields.append(each)
    entries = [Entry(head, tuple(under)) for head, *under in groups]
    if cut and in_entry:
        entries[-1] = replace(entries[-1], cut=True)
    return Statement(message[0].line, fields, entries, cut=cut and not in_entry)
