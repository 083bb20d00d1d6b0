"""A long XML document fed to expat block by block, for readers that set handlers of their own and need text.

The prolog is cut off and control characters are removed, as `xml_stream` does and for the same reasons; elements may
be of any length, because nothing of them is kept here.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import BinaryIO
from xml.parsers import expat
from xml.parsers.expat import errors

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats.xml_stream import document

BLOCK_BYTES = 1024**2
DEEPEST = 64
LONGEST_TOKEN_BYTES = 16 * 1024**2
LONGEST_TEXT = 1_000

_CONTROLS = bytes(sorted(set(range(32)) - set(b"\t\n\r")))
_CUT_SHORT = {
    errors.codes[name]
    for name in (errors.XML_ERROR_NO_ELEMENTS, errors.XML_ERROR_UNCLOSED_TOKEN, errors.XML_ERROR_PARTIAL_CHAR)
}


_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_FIRST_TAG = re.compile(rb"<([A-Za-z_][\w.:-]*)(?=[\s/>])")


def root_of(head: bytes) -> str:
    """The name of the root element, from the first bytes of a file; empty when they are no XML."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    found = _FIRST_TAG.search(_COMMENT.sub(b"", text)) if text.startswith(b"<") else None
    return found[1].decode("ascii", "replace") if found else ""


class XmlFeed:
    """The document below `root`. Set handlers on `parser`, then walk `blocks`."""

    def __init__(self, stream: BinaryIO, root: str) -> None:
        """Raises UnreadableFile when there is no such root or the text is not UTF-8; HostileFile for entities."""
        self._stream = stream
        self._text, first_line = document(stream, root, BLOCK_BYTES)
        self._before = first_line - 1
        self.parser = expat.ParserCreate("UTF-8")
        self.parser.buffer_text = True

    @property
    def line(self) -> int:
        """The line of the file, from 1, on which what a handler is told begins."""
        return self.parser.CurrentLineNumber + self._before

    def blocks(self) -> Iterator[None]:
        """Feeds the parser; pauses after each block.

        Raises UnreadableFile, with the line, for broken or cut XML; HostileFile for a tag or comment without end.
        """
        text, fed = self._text, 0
        self._text = b""
        try:
            while text:
                clean = text.translate(None, _CONTROLS)
                fed += len(clean)
                self.parser.Parse(clean, False)
                if fed - self.parser.CurrentByteIndex > LONGEST_TOKEN_BYTES:
                    raise HostileFile(f"line {self.line}: a tag of more than {LONGEST_TOKEN_BYTES // 1024**2} MiB")
                yield
                text = self._stream.read(BLOCK_BYTES)
            self.parser.Parse(b"", True)
        except expat.ExpatError as damage:
            raise UnreadableFile(self._says(damage.code)) from damage
        yield

    def _says(self, code: int) -> str:
        line = self.parser.ErrorLineNumber + self._before
        if code in _CUT_SHORT:
            return f"line {line}: the file breaks off here"
        return f"line {line}: broken XML: {expat.ErrorString(code)}"


class Leaf:
    """The text of one element at a time, between its tags; more than a thousand characters are let go."""

    def __init__(self, feed: XmlFeed) -> None:
        self._parser = feed.parser
        self._pieces: list[str] = []
        self._length = 0

    def open(self) -> None:
        """Listen from here on."""
        self._pieces.clear()
        self._length = 0
        self._parser.CharacterDataHandler = self._take

    def close(self) -> str:
        """What was heard, trimmed."""
        self._parser.CharacterDataHandler = None
        text = "".join(self._pieces).strip()[:LONGEST_TEXT]
        # The end of the element around it asks as well, and has no text of its own then.
        self._pieces.clear()
        return text

    def _take(self, text: str) -> None:
        # Blanks before the text count as well: a hostile leaf may hold nothing else.
        if self._length < 2 * LONGEST_TEXT:
            self._pieces.append(text)
            self._length += len(text)


@lru_cache(maxsize=1024)
def local(name: str) -> str:
    """The name of an element or attribute without its namespace's prefix."""
    return name.rpartition(":")[2]
