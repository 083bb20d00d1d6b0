"""Streamed XML: the elements below the root, portion by portion, each with its line and its raw text.

The prolog is never given to an XML parser: real exports declare broken DTDs, and a DTD is where entity tricks live.
It is cut off at the root's start tag, and a prolog that declares entities is refused. Control characters, which XML
forbids and exports contain, are removed. Memory holds one portion, whatever the size of the file.

The parser is expat. Measured on 300,000 elements: lxml's `sourceline` is off by one from line 65,536 on, wrong by
hundreds of thousands for some, and says where a start tag ends, not where it begins; it is no faster either.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple
from xml.parsers import expat
from xml.parsers.expat import errors

import numpy as np
import numpy.typing as npt

from twinning_pipelines.errors import HostileFile, UnreadableFile

PORTION_BYTES = 4 * 1024**2
PROLOG_BYTES = 1024**2
LONGEST_ELEMENT_BYTES = 64 * 1024**2
DEEPEST = 64

_CONTROLS = bytes(sorted(set(range(32)) - set(b"\t\n\r")))
_ENCODING = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)["']""")
_READ_AS_UTF8 = {b"utf-8", b"utf8", b"us-ascii", b"ascii"}
_CUT_SHORT = {
    errors.codes[name]
    for name in (errors.XML_ERROR_NO_ELEMENTS, errors.XML_ERROR_UNCLOSED_TOKEN, errors.XML_ERROR_PARTIAL_CHAR)
}


@dataclass(frozen=True, slots=True)
class Inner:
    """What stands inside elements, as parallel columns: the index of the element below the root, the depth in it (1: a
    child), name and attributes. Columns of plain values, because millions of tuples would keep the garbage collector busy.
    """

    owners: list[int] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    attributes: list[dict[str, str]] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[int, int, str, dict[str, str]]]:
        return zip(self.owners, self.depths, self.names, self.attributes, strict=True)

    def cut(self, owners: int) -> "Inner":
        """Takes out what stands inside the first so many elements; the others are counted anew."""
        count = bisect_left(self.owners, owners)
        columns = (self.owners, self.depths, self.names, self.attributes)
        taken = Inner(self.owners[:count], self.depths[:count], self.names[:count], self.attributes[:count])
        for column in columns:
            del column[:count]
        self.owners[:] = [owner - owners for owner in self.owners]
        return taken


class Child(NamedTuple):
    """A child of an element below the root."""

    name: str
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Element:
    """One element below the root: the line of its start tag, its children (not theirs), its raw text."""

    at: int
    name: str
    attributes: dict[str, str]
    children: tuple[Child, ...]
    raw: str


@dataclass(frozen=True, slots=True)
class Portion:
    """Whole elements below the root, in file order, as parallel columns.

    `lines` are the lines of their start tags, counted from 1 by line feeds; `starts` their offsets in `text`, the cleaned
    bytes from the first of them to the end of the last. `inner` holds all that stands inside the elements.
    """

    names: list[str]
    attributes: list[dict[str, str]]
    lines: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    text: bytes
    inner: Inner

    def raw(self, index: int) -> str:
        """The text of one element, from its start tag to its end tag."""
        end = int(self.starts[index + 1]) if index + 1 < len(self.starts) else len(self.text)
        return self.text[int(self.starts[index]) : end].decode("utf-8", errors="replace").rstrip()

    def elements(self, *wanted: str) -> Iterator[Element]:
        """The elements with one of these names, one by one."""
        if not set(wanted).intersection(self.names):
            return
        indexes = [index for index, name in enumerate(self.names) if name in wanted]
        children: dict[int, list[Child]] = {index: [] for index in indexes}
        for owner, depth, name, attributes in self.inner:
            if depth == 1 and owner in children:
                children[owner].append(Child(name, attributes))
        for index in indexes:
            at, inside = int(self.lines[index]), tuple(children[index])
            yield Element(at, self.names[index], self.attributes[index], inside, self.raw(index))


def portions(stream: BinaryIO, root: str, *, portion_bytes: int = PORTION_BYTES) -> Iterator[Portion]:
    """The elements below `root`, in portions of about `portion_bytes` of text.

    Raises UnreadableFile, with the line, where the text is no XML or breaks off; HostileFile for declared entities,
    for nesting deeper than 64 and for an element longer than 64 MiB.
    """
    text, line = document(stream, root, portion_bytes)
    reader = _Reader(line)
    while text:
        portion = reader.feed(text.translate(None, _CONTROLS))
        if portion is not None:
            yield portion
        text = stream.read(portion_bytes)
    yield reader.finish()


def document(stream: BinaryIO, root: str, portion_bytes: int = PORTION_BYTES) -> tuple[bytes, int]:
    """The beginning of the document without its prolog, and the line on which the root begins.

    Raises UnreadableFile when the root does not begin in the first MiB, or the prolog names another encoding than UTF-8;
    HostileFile when it declares entities.
    """
    tag = re.compile(rb"<" + root.encode() + rb"(?=[\s/>])")
    head, begin = b"", None
    while begin is None and len(head) < PROLOG_BYTES:
        block = stream.read(portion_bytes)
        if not block:
            break
        head += block
        begin = tag.search(head)
    if not head.strip(b"\0 \t\r\n"):
        raise UnreadableFile("the file is empty")
    if begin is None:
        raise UnreadableFile(f"no <{root}> in the first {PROLOG_BYTES // 1024} KiB")
    prolog = head[: begin.start()]
    if b"<!ENTITY" in prolog:
        raise HostileFile("the document declares entities")
    encoding = _ENCODING.search(prolog)
    if encoding is not None and encoding[1].lower() not in _READ_AS_UTF8:
        raise UnreadableFile(f"encoding {encoding[1].decode('ascii', 'replace')!r}: only UTF-8 is read")
    return head[begin.start() :], prolog.count(b"\n") + 1


class _Reader:
    """Feeds expat and cuts what it tells into portions. The last element stays behind until the next one begins."""

    def __init__(self, first_line: int) -> None:
        self._parser = expat.ParserCreate("UTF-8")
        self._names: list[str] = []
        self._attributes: list[dict[str, str]] = []
        self._starts: list[int] = []
        self._inner = Inner()
        self._text = b""
        self._offset = 0
        self._line = first_line
        self._root_end: int | None = None
        self._listen()

    def _listen(self) -> None:
        parser, names, attributes, starts = self._parser, self._names, self._attributes, self._starts
        owners, depths, inner_names, inner_attributes = (
            self._inner.owners, self._inner.depths, self._inner.names, self._inner.attributes,
        )  # fmt: skip
        depth = 0

        # Closures over locals: these two run for every element of the file.
        def start(name: str, values: dict[str, str]) -> None:
            nonlocal depth
            if depth == 1:
                names.append(name)
                attributes.append(values)
                starts.append(parser.CurrentByteIndex)
            elif depth > 1:
                owners.append(len(names) - 1)
                depths.append(depth - 1)
                inner_names.append(name)
                inner_attributes.append(values)
                if depth > DEEPEST:
                    raise HostileFile(f"elements nested deeper than {DEEPEST}")
            depth += 1

        def end(_name: str) -> None:
            nonlocal depth
            depth -= 1
            if not depth:
                self._root_end = parser.CurrentByteIndex

        parser.StartElementHandler = start
        parser.EndElementHandler = end

    def feed(self, text: bytes) -> Portion | None:
        """What is whole after these bytes, if anything is."""
        self._text += text
        self._parse(text, last=False)
        if len(self._names) > 1 and self._root_end is None:
            return self._cut(len(self._names) - 1, self._starts[-1])
        if len(self._text) > LONGEST_ELEMENT_BYTES:
            raise HostileFile(f"an element of more than {LONGEST_ELEMENT_BYTES // 1024**2} MiB")
        return None

    def finish(self) -> Portion:
        """The rest, once the stream has ended."""
        self._parse(b"", last=True)
        assert self._root_end is not None
        return self._cut(len(self._names), self._root_end)

    def _parse(self, text: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(text, last)
        except expat.ExpatError as damage:
            raise UnreadableFile(self._says(damage.code)) from damage

    def _says(self, code: int) -> str:
        before = self._text[: max(self._parser.ErrorByteIndex - self._offset, 0)]
        line = self._line + before.count(b"\n")
        if code in _CUT_SHORT:
            return f"line {line}: the file breaks off here"
        return f"line {line}: broken XML: {expat.ErrorString(code)}"

    def _cut(self, count: int, end: int) -> Portion:
        """Hands out the first `count` elements; `end` is where the text after them begins."""
        begin = self._starts[0] if count else end
        text = self._text[begin - self._offset : end - self._offset]
        starts = np.array(self._starts[:count], np.int64) - begin
        line_feeds = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
        first_line = self._line + self._text.count(b"\n", 0, begin - self._offset)
        lines = np.searchsorted(line_feeds, starts) + first_line
        inner = self._inner.cut(count)
        portion = Portion(self._names[:count], self._attributes[:count], lines, starts, text, inner)
        self._text = self._text[end - self._offset :]
        self._offset, self._line = end, first_line + len(line_feeds)
        del self._names[:count], self._attributes[:count], self._starts[:count]
        return portion
