"""One element of an XML document as a tree, each node with its line and its own text; and what names a text holds.

For elements that are few and deep. Millions of flat ones go through `xml_stream`, which hands over the text of each.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

# A start tag: no letter < stands in it, and > only between quotes.
_TAG = re.compile(rb"<[^<>\"']*(?:(?:\"[^\"]*\"|'[^']*')[^<>\"']*)*>")
_NAME = re.compile(r"<([A-Za-z_][\w.:-]*)(?=[\s/>])")
_NO_ELEMENTS = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>", re.DOTALL)


@dataclass(slots=True)
class Node:
    """An element: its line in the file, name, attributes, children in order. `begin` and `end` bound it in `text`."""

    at: int
    name: str
    attributes: dict[str, str]
    text: bytes = field(repr=False)
    begin: int
    end: int = 0
    children: list["Node"] = field(default_factory=list)

    @property
    def raw(self) -> str:
        """The text from its start tag to its end tag."""
        return self.text[self.begin : self.end].decode("utf-8", errors="replace")

    def outline(self, *children: "Node") -> str:
        """The text of the element with these of its children alone."""
        if self.text.find(b">", self.begin, self.end) == self.end - 1:
            # No second tag: it has no end tag.
            return self.raw
        tag = _TAG.match(self.text, self.begin)
        opened = self.raw if tag is None else tag[0].decode("utf-8", errors="replace")
        if opened.endswith("/>"):
            return opened
        return "\n".join([opened, *(child.raw for child in children), f"</{self.name}>"])

    def named(self, *names: str) -> Iterator["Node"]:
        """The children with one of these names."""
        return (child for child in self.children if child.name in names)

    def walk(self) -> Iterator["Node"]:
        """The element and all that stands in it."""
        yield self
        for child in self.children:
            yield from child.walk()


def tree_of(raw: str, line: int = 1) -> Node:
    """The tree of one well-formed element that begins on a line; what stands behind it is not looked at.

    Raises expat.ExpatError when it is not whole.
    """
    text = raw.encode("utf-8")
    parser = expat.ParserCreate("UTF-8")
    opened: list[Node] = []
    roots: list[Node] = []
    before = line - 1

    def start(name: str, attributes: dict[str, str]) -> None:
        node = Node(before + parser.CurrentLineNumber, name, attributes, text, parser.CurrentByteIndex, 0, [])
        (opened[-1].children if opened else roots).append(node)
        opened.append(node)

    def end(_name: str) -> None:
        # Of an element without an end tag expat tells where it is over, of another where its end tag begins.
        node, place = opened.pop(), parser.CurrentByteIndex
        empty = not node.children and text.endswith(b"/>", node.begin, place) and _is_tag(text, node.begin, place)
        node.end = place if empty else text.index(b">", place) + 1

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(text, True)
    except expat.ExpatError:
        if not roots or opened:
            raise
    finally:
        # The handlers know the parser and it knows them: without this, only the garbage collector ends them.
        parser.StartElementHandler = parser.EndElementHandler = None
    return roots[0]


def _is_tag(text: bytes, begin: int, end: int) -> bool:
    """Is this a start tag, and nothing behind it? It ends with a letter >, which may stand in an attribute as well."""
    if text.find(b">", begin, end) == end - 1:
        return True
    tag = _TAG.match(text, begin)
    return tag is not None and tag.end() == end


def elements_in(text: str) -> Counter[str]:
    """How often each name occurs among the start tags of a text, also of one that is no whole XML."""
    return Counter(_NAME.findall(_NO_ELEMENTS.sub("", text) if "<!" in text or "<?" in text else text))


def counted(nodes: Collection[Node]) -> Counter[str]:
    """How often each name occurs among some elements and all that stands in them."""
    found, left = Counter[str](), list(nodes)
    for node in left:
        found[node.name] = found.get(node.name, 0) + 1
        if node.children:
            left += node.children
    return found
