"""Interactive Brokers' Flex documents: every entry with its line and the statement it stands in; no meaning.

    FlexQueryResponse > FlexStatements > FlexStatement (one account) > section (Trades, …) > entry (Trade, …)

An entry says everything in its attributes. Sections have none; what has some and stands directly in a statement
(AccountInformation, ChangeInNAV) is an entry as well. Read by expat as a stream: one block is held at a time.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from html import escape
from typing import BinaryIO
from zoneinfo import ZoneInfo

from msgspec import Struct

from twinning_pipelines.errors import HostileFile
from twinning_pipelines.formats.dates import DateStyle
from twinning_pipelines.formats.xml_feed import DEEPEST, Leaf, XmlFeed

ROOTS = frozenset({"FlexQueryResponse", "FlexStatements"})
# The web service's own word, where a statement could not be made or is not ready yet.
ANSWER = "FlexStatementResponse"
STATEMENT = "FlexStatement"

_FRAME = ROOTS | {STATEMENT}
_ANSWER_LEAVES = frozenset({"Status", "ErrorCode", "ErrorMessage"})
_SPECIAL = re.compile(r"[<>&\"\t\n\r]")
_BREAKS = {ord(each): f"&#{ord(each)};" for each in "\t\n\r"}
_NOTHING = frozenset({"", "-", "--", "N/A"})

# A query's settings choose the form of the day, of the time and what stands between: `;`, a comma, a blank or T.
_STAMP = re.compile(r"([^;,]+?)(?:[;,T ]\s*(\d{1,2}):?(\d{2})(?::?(\d{2}))?(?: .*)?)?", re.ASCII)
_LONGEST_STAMP = 60
# Flex names no zone; IBKR's own clock is US Eastern time.
CLOCK = ZoneInfo("America/New_York")


class Entry(Struct, frozen=True):
    """One element with attributes: its line, its name, and the attributes of the statement around it.

    A statement is an entry, too, that stands in itself.
    """

    line: int
    name: str
    attributes: Mapping[str, str]
    statement: Mapping[str, str]

    def get(self, *names: str) -> str:
        """The first of these attributes that says something; `--`, `-` and `N/A` say nothing."""
        for name in names:
            if value := said(self.attributes.get(name)):
                return value
        return ""

    @property
    def raw(self) -> str:
        """The element, written anew: the same attributes in their order."""
        given = "".join(f" {name}={_quoted(value)}" for name, value in self.attributes.items())
        return f"<{self.name}{given}/>"


def _quoted(value: str) -> str:
    # Nearly every value is plain, and escaping takes a quarter of the time of a file.
    return f'"{escape(value).translate(_BREAKS) if _SPECIAL.search(value) else value}"'


def said(text: str | None) -> str:
    """What an attribute says, trimmed; empty for the signs that IBKR writes for nothing."""
    trimmed = (text or "").strip()
    return "" if trimmed in _NOTHING else trimmed


def day_text(text: str) -> str:
    """The day of a stamp as the file writes it: `2026-03-31` of `2026-03-31, 19:45:00`."""
    found = _STAMP.fullmatch(text.strip()[:_LONGEST_STAMP])
    return found[1].strip() if found else text[:_LONGEST_STAMP]


def moment_of(text: str, style: DateStyle) -> datetime | None:
    """The UTC instant of a stamp; None when it has no time of day. Raises ValueError when it is none at all."""
    found = _STAMP.fullmatch(text.strip()[:_LONGEST_STAMP])
    if found is None or found[2] is None:
        return None
    at = time(int(found[2]), int(found[3]), int(found[4] or 0))
    try:
        return datetime.combine(style.read(found[1]), at, CLOCK).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"not a moment: {text[:_LONGEST_STAMP]!r}") from None


def entries(stream: BinaryIO, root: str) -> Iterator[Entry]:
    """Every entry and every statement, in order.

    Raises UnreadableFile, with the line, for broken or cut XML; HostileFile for declared entities and nesting deeper than 64.
    """
    feed = XmlFeed(stream, root)
    found: list[Entry] = []
    outside: dict[str, str] = {}
    statement, depth = outside, 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal statement, depth
        depth += 1
        if depth > DEEPEST:
            raise HostileFile(f"line {feed.line}: elements nested deeper than {DEEPEST}")
        if name == STATEMENT:
            statement = attributes
            found.append(Entry(feed.line, name, attributes, attributes))
        elif attributes and name not in _FRAME:
            found.append(Entry(feed.line, name, attributes, statement))

    def end(name: str) -> None:
        nonlocal statement, depth
        depth -= 1
        if name == STATEMENT:
            statement = outside

    feed.parser.StartElementHandler = start
    feed.parser.EndElementHandler = end
    for _ in feed.blocks():
        yield from found
        found.clear()


def answer(stream: BinaryIO) -> str:
    """What the web service says instead of a statement: `Fail 1012: Token has expired.`

    Raises UnreadableFile, with the line, for broken or cut XML.
    """
    feed = XmlFeed(stream, ANSWER)
    leaf = Leaf(feed)
    texts: dict[str, str] = {}

    def start(name: str, _attributes: dict[str, str]) -> None:
        if name in _ANSWER_LEAVES:
            leaf.open()

    def end(name: str) -> None:
        if name in _ANSWER_LEAVES:
            texts[name] = leaf.close()

    feed.parser.StartElementHandler = start
    feed.parser.EndElementHandler = end
    for _ in feed.blocks():
        pass
    code = " ".join(text for name in ("Status", "ErrorCode") if (text := texts.get(name)))
    return ": ".join(text for text in (code, texts.get("ErrorMessage", "")) if text)
