"""Streamed XML: the elements below the root, portion by portion, each with its line and its raw text.

The prolog is never given to an XML parser: real exports declare broken DTDs, and a DTD is where entity tricks live.
It is cut off at the root's start tag, and a prolog that declares entities is refused. Control characters, which XML
forbids and exports contain, are removed. Memory holds one portion, whatever the size of the file. What is broken in
one element costs that element alone, where the caller names the elements to go on with; see `xml_mend`.

The parser is expat. Measured on 300,000 elements: lxml's `sourceline` is off by one from line 65,536 on, wrong by
hundreds of thousands for some, and says where a start tag ends, not where it begins; it is no faster either.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, NamedTuple
from xml.parsers import expat
from xml.parsers.expat import errors

import numpy as np
import numpy.typing as npt
from msgspec import Struct, field

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats.xml_element import first_element
from twinning_pipelines.formats.xml_mend import Broken, Damage, Mender, blanked, broken

PORTION_BYTES = 4 * 1024**2
PROLOG_BYTES = 1024**2
LONGEST_ELEMENT_BYTES = 64 * 1024**2
# An element of this length with one of the known names at the margin inside has lost its end tag.
_SUSPICIOUS_BYTES = 8 * 1024**2
DEEPEST = 64

CONTROLS = bytes(sorted(set(range(32)) - set(b"\t\n\r")))
_ENCODING = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)["']""")
_READ_AS_UTF8 = {b"utf-8", b"utf8", b"us-ascii", b"ascii"}
_CUT_SHORT = {
    errors.codes[name]
    for name in (errors.XML_ERROR_NO_ELEMENTS, errors.XML_ERROR_UNCLOSED_TOKEN, errors.XML_ERROR_PARTIAL_CHAR)
}


class Inner(Struct, frozen=True):
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


class Element(Struct, frozen=True):
    """One element below the root: the line of its start tag, its children (not theirs), its raw text."""

    at: int
    name: str
    attributes: dict[str, str]
    children: tuple[Child, ...]
    raw: str


class Portion(Struct, frozen=True):
    """Whole elements below the root, in file order, as parallel columns.

    `lines` are the lines of their start tags, counted from 1 by line feeds; `starts` their offsets in `text`, the cleaned
    bytes from the first of them to the end of the last. `inner` holds all that stands inside the elements. `counts` says
    how often each name occurs among the elements, those inside others included; the last portion counts the root, too.
    `broken` is what was set aside: it is blank in `text`, and no part of the other columns.
    """

    names: list[str]
    attributes: list[dict[str, str]]
    lines: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    text: bytes
    inner: Inner
    counts: Counter[str]
    broken: tuple[Broken, ...] = ()

    def raw(self, index: int) -> str:
        """The text of one element, from its start tag to its end tag."""
        end = int(self.starts[index + 1]) if index + 1 < len(self.starts) else len(self.text)
        return first_element(self.text[int(self.starts[index]) : end]).decode("utf-8", errors="replace")

    def elements(self, *wanted: str) -> Iterator[Element]:
        """The elements with one of these names, one by one."""
        if not set(wanted).intersection(self.names):
            return
        names = frozenset(wanted)
        indexes = [index for index, name in enumerate(self.names) if name in names]
        children: dict[int, list[Child]] = {index: [] for index in indexes}
        for owner, depth, name, attributes in self.inner:
            if depth == 1 and owner in children:
                children[owner].append(Child(name, attributes))
        for index, at in zip(indexes, self.lines[indexes].tolist(), strict=True):
            yield Element(at, self.names[index], self.attributes[index], tuple(children[index]), self.raw(index))


def portions(
    stream: BinaryIO, root: str, *, portion_bytes: int = PORTION_BYTES, resume: Sequence[str] = ()
) -> Iterator[Portion]:
    """The elements below `root`, in portions of about `portion_bytes` of text.

    resume: names of elements below the root. A broken element is set aside up to the next line that begins, indented
    alike, with the start tag of one of them, or with the root's end tag. Without names, broken text is an error.

    Raises UnreadableFile, with the line, where the text is no XML or breaks off; HostileFile for declared entities,
    for nesting deeper than 64 and for an element longer than 64 MiB.
    """
    text, line = document(stream, root, portion_bytes)
    reader = Reader(root, line, Mender(root, resume) if resume else None)
    while text:
        portion = reader.feed(text.translate(None, CONTROLS))
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


class Reader:
    """Feeds expat and cuts what it tells into portions. The last element stays behind until the next one begins.

    `inside` it begins directly below the root, whose start tag has been read; `margin` is what its line holds before.
    """

    def __init__(
        self, root: str, first_line: int, mender: Mender | None, *, inside: bool = False, margin: bytes = b""
    ) -> None:
        self._root = root
        self._names: list[str] = []
        self._attributes: list[dict[str, str]] = []
        self._starts: list[int] = []
        self._inner = Inner()
        self._text = b""
        self._offset = 0
        self._line = first_line
        self._counted = (0, first_line)
        self._margin = margin
        self._root_end: int | None = None
        self._mender = mender
        self._damage: Damage | None = None
        self._broken: list[Broken] = []
        self._voids: list[tuple[int, int]] = []
        self._begin(0, b"<" + root.encode() + b">" if inside else b"")

    def _begin(self, at: int, prefix: bytes = b"") -> None:
        """A new parser for the text from an offset on; `prefix` opens the root for it."""
        self._parser = expat.ParserCreate("UTF-8")
        self._begun, self._shift = at, at - len(prefix)
        self._listen()
        self._parser.Parse(prefix, False)

    def _listen(self) -> None:
        parser, names, attributes, starts = self._parser, self._names, self._attributes, self._starts
        owners, depths, inner_names, inner_attributes = (
            self._inner.owners, self._inner.depths, self._inner.names, self._inner.attributes,
        )  # fmt: skip
        depth, closed, shift = 0, 1, self._shift

        # Closures over locals: these two run for every element of the file.
        def start(name: str, values: dict[str, str]) -> None:
            nonlocal depth
            if depth == 1:
                names.append(name)
                attributes.append(values)
                starts.append(parser.CurrentByteIndex + shift)
            elif depth > 1:
                owners.append(len(names) - 1)
                depths.append(depth - 1)
                inner_names.append(name)
                inner_attributes.append(values)
                if depth > DEEPEST:
                    raise HostileFile(f"elements nested deeper than {DEEPEST}")
            depth += 1

        def end(_name: str) -> None:
            nonlocal depth, closed
            depth -= 1
            if depth == 1:
                closed = parser.CurrentByteIndex
            elif not depth:
                self._root_end = parser.CurrentByteIndex + shift

        parser.StartElementHandler = start
        parser.EndElementHandler = end
        # How deep the parser stands; where the last element below the root ended, or where its end tag begins.
        self._standing: Callable[[], tuple[int, int]] = lambda: (depth, closed + shift)

    def feed(self, text: bytes) -> Portion | None:
        """What is whole after these bytes, if anything is."""
        self._text += text
        self._parse(text, last=False)
        if self._root_end is None:
            if len(self._text) > _SUSPICIOUS_BYTES:
                self._suspect()
            count, end = (len(self._names) - 1, self._starts[-1]) if self._names else (0, -1)
            if self._voids and self._voids[-1][1] > end:
                # What stands before a piece that was set aside is whole.
                count, end = count + 1 if self._names else 0, self._voids[-1][1]
            if count or self._voids:
                return self._cut(count, end)
        if len(self._text) > LONGEST_ELEMENT_BYTES:
            raise HostileFile(f"an element of more than {LONGEST_ELEMENT_BYTES // 1024**2} MiB")
        return None

    def rest(self) -> tuple[bytes, int, bytes]:
        """What was not handed out yet: its text, its line, and what that line holds before it."""
        return self._text, self._line, self._margin

    def finish(self) -> Portion:
        """The last portion, once the stream has ended. Raises UnreadableFile when the root does not end."""
        self._parse(b"", last=True)
        assert self._root_end is not None
        rest = self._cut(len(self._names), self._root_end)
        rest.counts[self._root] += 1
        return rest

    def _parse(self, text: bytes | memoryview, *, last: bool) -> None:
        """Gives bytes to expat; behind a broken element a new parser goes on with the rest of the text."""
        while True:
            if self._damage is not None:
                behind = self._set_aside(self._damage)
                if behind is None and last:
                    raise UnreadableFile(self._damage.says)
                if behind is None:
                    return
                self._damage = None
                self._begin(behind, b"<" + self._root.encode() + b">")
                text = memoryview(self._text)[behind - self._offset :]
            try:
                self._parser.Parse(text, last)
            except expat.ExpatError as error:
                self._damage = self._damaged(error)
            else:
                return

    def _damaged(self, error: expat.ExpatError) -> Damage:
        """Which element is broken. Raises UnreadableFile where nothing can be read behind it."""
        place = max(self._parser.ErrorByteIndex + self._shift - self._offset, 0)
        line = f"line {self._line_at(place)}"
        if error.code in _CUT_SHORT:
            raise UnreadableFile(f"{line}: the file breaks off here") from error
        reason = f"broken XML: {expat.ErrorString(error.code)}"
        depth, closed = self._standing()
        if self._mender is None or depth == 0:
            raise UnreadableFile(f"{line}: {reason}") from error
        if depth > 1:
            return Damage(self._drop(), reason, f"{line}: {reason}")
        # No letter < stands inside a start tag but its first; the end tag of the element before is no start tag.
        first = max(self._begun, closed, self._offset) - self._offset
        begin = self._text.rfind(b"<", first + self._text.startswith(b"</", first), place)
        return Damage((place if begin < 0 else begin) + self._offset, reason, f"{line}: {reason}")

    def _drop(self) -> int:
        """Forgets the last element, which is not whole; where it begins."""
        inside = bisect_left(self._inner.owners, len(self._names) - 1)
        for column in (self._inner.owners, self._inner.depths, self._inner.names, self._inner.attributes):
            del column[inside:]
        self._names.pop()
        self._attributes.pop()
        return self._starts.pop()

    def _suspect(self) -> None:
        """Looks whether an element that grows and grows has lost its end tag, and goes on behind it."""
        if self._mender is None or self._damage is not None or self._standing()[0] < 2:
            return
        begin = self._starts[-1] - self._offset
        if self._mender.end_of(self._text, begin, self._margin) is not None:
            reason = f"broken XML: {errors.XML_ERROR_TAG_MISMATCH}"
            line = self._line_at(begin)
            self._damage = Damage(self._drop(), reason, f"line {line}: {reason}")
            self._parse(b"", last=False)

    def _set_aside(self, damage: Damage) -> int | None:
        """Puts a broken element aside; where the text goes on behind it, None while that has not been read yet."""
        assert self._mender is not None
        begin = damage.begin - self._offset
        end = self._mender.end_of(self._text, begin, self._margin)
        if end is None:
            if len(self._text) > LONGEST_ELEMENT_BYTES:
                raise UnreadableFile(damage.says)
            return None
        self._broken.append(broken(self._text[begin:end], self._line_at(begin), damage.reason))
        self._voids.append((damage.begin, end + self._offset))
        return end + self._offset

    def _line_at(self, place: int) -> int:
        """The line of an offset in the text that is kept; counted on from the last one asked for."""
        before, line = self._counted if self._counted[0] <= place else (0, self._line)
        self._counted = (place, line + self._text.count(b"\n", before, place))
        return self._counted[1]

    def _cut(self, count: int, end: int) -> Portion:
        """Hands out the first `count` elements; `end` is where the text after them begins."""
        begin = self._starts[0] if count else end
        text = self._text[begin - self._offset : end - self._offset]
        if self._voids:
            text = blanked(text, [(first - begin, last - begin) for first, last in self._voids if first >= begin])
        starts = np.array(self._starts[:count], np.int64) - begin
        line_feeds = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
        first_line = self._line + self._text.count(b"\n", 0, begin - self._offset)
        lines = np.searchsorted(line_feeds, starts) + first_line
        inner = self._inner.cut(count)
        counts = Counter(self._names[:count])
        counts.update(inner.names)
        put_aside = tuple(self._broken)
        portion = Portion(self._names[:count], self._attributes[:count], lines, starts, text, inner, counts, put_aside)
        self._margin = self._text[self._text.rfind(b"\n", 0, end - self._offset) + 1 : end - self._offset]
        self._text = self._text[end - self._offset :]
        self._offset, self._line = end, first_line + len(line_feeds)
        self._counted = (0, self._line)
        del self._names[:count], self._attributes[:count], self._starts[:count]
        self._broken.clear()
        self._voids.clear()
        return portion
