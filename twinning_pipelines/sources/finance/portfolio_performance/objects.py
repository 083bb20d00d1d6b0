"""The objects in Portfolio Performance's XML file, as XStream writes them.

Each object stands where it is met first; elsewhere an element refers to it, by a path from itself
(`../../securities/security[2]`) or by a number where the file gives every object an `id`. What nothing of ours needs is not
kept: taxonomies, dashboards, settings, and prices, which are told one by one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import BinaryIO

from twinning_pipelines.errors import HostileFile
from twinning_pipelines.formats.xml_feed import XmlFeed

ROOT = "client"
_LEFT_OUT = frozenset(
    (
        *("watchlists", "consumerPriceIndeces", "consumerPriceIndices", "plans", "taxonomies", "dashboards"),
        *("properties", "settings", "attributes", "events"),
    )
)
_PRICES = frozenset({"price", "latest"})
_STEP = re.compile(r"([^\[\]/]+)(?:\[(\d{1,9})\])?")
# An account inside a booking inside an account, and so on: each of a person's accounts may add some six.
_DEEPEST = 2_000
_MOST = 5_000_000
_LONGEST_TEXT = 10_000
_SHOWN = 2_000


@dataclass(slots=True)
class Element:
    """One element: its line, name and attributes, its text, and what stands in it."""

    at: int
    name: str
    attributes: dict[str, str]
    parent: "Element | None" = field(repr=False)
    text: str = ""
    children: list["Element"] = field(default_factory=list, repr=False)

    def first(self, name: str) -> "Element | None":
        """The first child of that name."""
        return next((each for each in self.children if each.name == name), None)

    @property
    def raw(self) -> str:
        """The element with its values, written anew; what stands deeper is left out."""
        told = "".join(f"<{each.name}>{escape(each.text)}</{each.name}>" for each in self.children if each.text)
        return f"<{self.name}>{told}</{self.name}>"[:_SHOWN]


@dataclass(frozen=True, slots=True)
class Quote:
    """A price as written: its line, day and value."""

    at: int
    day: str
    value: str


class Objects:
    """The tree of one file."""

    def __init__(self, stream: BinaryIO) -> None:
        """Raises UnreadableFile, with the line, for broken or cut XML; HostileFile for entities and absurd sizes."""
        self.quotes: dict[int, list[Quote]] = {}
        self._by_id: dict[str, Element] = {}
        self.root = Element(0, "", {}, None)
        self._grow(stream)
        self.root = self.root.children[0] if self.root.children else self.root

    def _grow(self, stream: BinaryIO) -> None:
        feed = XmlFeed(stream, ROOT)
        grower = _Grower(self.root, self.quotes, self._by_id, lambda: feed.line)
        feed.parser.StartElementHandler = grower.start
        feed.parser.EndElementHandler = grower.end
        feed.parser.CharacterDataHandler = grower.text
        for _ in feed.blocks():
            pass

    def real(self, element: Element | None) -> Element | None:
        """The object that an element is or refers to; None where the reference leads nowhere."""
        for _ in range(10):
            if element is None or "reference" not in element.attributes:
                return element
            element = self._referred(element, element.attributes["reference"])
        return None

    def get(self, element: Element, name: str) -> Element | None:
        """The object of a field."""
        return self.real(element.first(name))

    def text(self, element: Element, name: str) -> str:
        """The text of a field, empty where there is none."""
        found = self.get(element, name)
        return found.text.strip() if found is not None else ""

    def each(self, element: Element, of: str, name: str) -> Iterator[Element]:
        """The objects of a list, each once however often it is referred to."""
        listed = self.get(element, of)
        seen: set[int] = set()
        for entry in listed.children if listed is not None else ():
            found = self.real(entry) if entry.name == name else None
            if found is not None and id(found) not in seen:
                seen.add(id(found))
                yield found

    def _referred(self, element: Element, reference: str) -> Element | None:
        if reference.isdigit():
            return self._by_id.get(reference)
        found: Element | None = self.root.parent if reference.startswith("/") else element
        for step in reference.strip("/").split("/"):
            if found is None:
                return None
            found = found.parent if step == ".." else _child(found, step)
        return found


def _child(element: Element, step: str) -> Element | None:
    match = _STEP.fullmatch(step)
    if match is None:
        return None
    named = [each for each in element.children if each.name == match[1]]
    place = int(match[2] or 1) - 1
    return named[place] if 0 <= place < len(named) else None


class _Grower:
    """Expat's handlers: they hang each element below the one that is open."""

    def __init__(
        self,
        root: Element,
        quotes: dict[int, list[Quote]],
        by_id: dict[str, Element],
        line: Callable[[], int],
    ) -> None:
        self._open = root
        self._quotes = quotes
        self._by_id = by_id
        self._line = line
        self._depth = self._count = self._skipped = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if self._skipped or name in _LEFT_OUT:
            self._skipped += 1
            return
        if name in _PRICES and ("t" in attributes or name == "price"):
            self._quote(attributes)
            self._skipped += 1
            return
        self._depth += 1
        self._count += 1
        if self._depth > _DEEPEST or self._count > _MOST:
            raise HostileFile(f"line {self._line()}: more elements, or deeper ones, than any portfolio has")
        element = Element(self._line(), name, attributes, self._open)
        self._open.children.append(element)
        if "id" in attributes:
            self._by_id[attributes["id"]] = element
        self._open = element

    def end(self, _name: str) -> None:
        """An element ends."""
        if self._skipped:
            self._skipped -= 1
            return
        self._depth -= 1
        assert self._open.parent is not None
        self._open = self._open.parent

    def text(self, text: str) -> None:
        """A piece of text; blanks between elements are none."""
        if not self._skipped and len(self._open.text) < _LONGEST_TEXT:
            self._open.text += text

    def _quote(self, attributes: dict[str, str]) -> None:
        security = self._open if self._open.name == "security" else self._open.parent
        told = Quote(self._line(), attributes.get("t", ""), attributes.get("v", ""))
        self._quotes.setdefault(id(security), []).append(told)
