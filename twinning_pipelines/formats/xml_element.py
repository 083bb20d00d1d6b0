"""One XML element as bytes: what it holds, and where it ends."""

import re
from contextlib import suppress
from typing import NamedTuple
from xml.parsers import expat

_PLAIN = re.compile(rb"<([A-Za-z_][\w.:-]*)[^<]*(?:/>|>(?:[^<]*<(?![!?]))*[^<]*</\1\s*>)\s*", re.ASCII)
_PLAIN_BYTES = 16 * 1024


class Told(NamedTuple):
    """One element: how many stand around it, its name and attributes."""

    depth: int
    name: str
    attributes: dict[str, str]


def told_by(text: bytes, deepest: int) -> list[Told] | None:
    """An element, at depth 0, and all that stand in it; None when the text is not one whole element, or is too deep."""
    found: list[Told] = []
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        found.append(Told(depth, name, attributes))
        depth += 1

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate("UTF-8")
    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(text, True)
    except expat.ExpatError:
        return None
    return None if any(each.depth > deepest for each in found) else found


def first_element(text: bytes) -> bytes:
    """The element that a text begins with, without what follows it: blanks, comments, letters."""
    if len(text) < _PLAIN_BYTES and _PLAIN.fullmatch(text):
        return text.rstrip()
    depth, closed = 0, len(text)

    def start(_name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1

    def end(_name: str) -> None:
        nonlocal depth, closed
        depth -= 1
        if not depth:
            closed = parser.CurrentByteIndex

    parser = expat.ParserCreate("UTF-8")
    parser.StartElementHandler, parser.EndElementHandler = start, end
    # Letters behind the element are an error here and none inside the root.
    with suppress(expat.ExpatError):
        parser.Parse(text, True)
    # Of an element without an end tag expat tells where it is over, of another where its end tag begins.
    return text[: text.index(b">", closed) + 1] if text.startswith(b"</", closed) else text[:closed].rstrip()
