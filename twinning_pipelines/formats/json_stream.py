"""JSON read as a stream: the elements of large lists one by one, each with its own text, whatever the size of the file.

Lists and objects that are opened are walked; everything else is decoded whole by the standard library. Encoding as
RFC 8259 has it, UTF-16 and UTF-32 by their look as well. Lenient where it loses nothing: control characters inside
strings, NaN (read as null), numbers of any length. NUL and halves of surrogate pairs become U+FFFD, for no store of
ours takes them.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterator
from json import JSONDecodeError
from json.decoder import WHITESPACE  # type: ignore[attr-defined]
from typing import BinaryIO, NamedTuple

from twinning_pipelines.errors import HostileFile, UnreadableFile

BLOCK_BYTES = 1 << 20
LONGEST_VALUE = 256 * 1024**2
_LONGEST_NUMBER = 40
# `false`, or an escape of six characters.
_LONGEST_TOKEN = 8
_SHOWN = 60

# A number may go on in the next block, and what is cut off looks like one of these.
_NUMBER_TAIL = re.compile(r"[-+.\deE]*", re.ASCII)
_CUT_TOKEN = re.compile(r"[-+.\deE]*|n(?:ul?)?|t(?:ru?)?|f(?:a(?:ls?)?)?|u[\da-fA-F]{0,4}", re.ASCII)
# Escapes of what no store takes; those of whole surrogate pairs are looked at for nothing.
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])|\0")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

Path = tuple[str | int, ...]


class Value(NamedTuple):
    """One decoded value: the keys and places (from 0) that lead to it, the value, its text in the file."""

    path: Path
    value: object
    raw: str


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= _LONGEST_NUMBER else float(text)


_FAST = json.JSONDecoder(strict=False, parse_constant=lambda _name: None)
# Slower by a call for each integer; Python refuses to read one of thousands of digits.
_LENIENT = json.JSONDecoder(strict=False, parse_constant=lambda _name: None, parse_int=_integer)


def values(stream: BinaryIO, opened: Callable[[Path], bool], *, block_bytes: int = BLOCK_BYTES) -> Iterator[Value]:
    """Every value of a document that is not itself opened, in the order of the file.

    opened: is the list or object at this path walked, instead of decoded whole? Asked for the root, `()`, too.
    Raises UnreadableFile, with the line, where the text is no JSON or breaks off; HostileFile for nesting that Python
    can't hold and for a single value of more than 256 MiB.
    """
    reader = _Reader(stream, block_bytes)
    yield from reader.walk((), opened)
    reader.end()


class _Reader:
    """The text of a document as far as it is needed, and a place in it."""

    def __init__(self, stream: BinaryIO, block_bytes: int) -> None:
        self._stream = stream
        self._block_bytes = block_bytes
        first = stream.read(block_bytes)
        if not first.strip(b"\0 \t\r\n\xef\xbb\xbf"):
            raise UnreadableFile("the file is empty")
        self._decoder = codecs.getincrementaldecoder(json.detect_encoding(first))(errors="replace")
        self._ended = False
        self._text = self._decoded(first)
        self._at = 0
        self._line = 1

    def walk(self, path: Path, opened: Callable[[Path], bool]) -> Iterator[Value]:
        """The values at and below a path."""
        mark = self._next()
        if mark not in "[{" or not opened(path):
            yield self._value(path)
            return
        self._at += 1
        closing = "]" if mark == "[" else "}"
        place = 0
        while True:
            found = self._next()
            if found == closing and place == 0:
                break
            if mark == "{":
                key = self._key()
                yield from self.walk((*path, key), opened)
            else:
                yield from self.walk((*path, place), opened)
            place += 1
            found = self._next()
            if found == closing:
                break
            if found != ",":
                raise self._broken(f"a comma or {closing!r} is missing")
            self._at += 1
        self._at += 1

    def end(self) -> None:
        """Nothing but blanks may follow. Raises UnreadableFile."""
        self._skip_blanks()
        if self._at < len(self._text) and self._text[self._at :].strip("\0 \t\r\n\x1a"):
            raise self._broken("something follows the end of the document")

    def _key(self) -> str:
        if self._next() != '"':
            raise self._broken("a key is missing")
        key = str(self._value(()).value)
        if self._next() != ":":
            raise self._broken("a colon is missing")
        self._at += 1
        return key

    def _value(self, path: Path) -> Value:
        """The value that begins here, decoded whole."""
        size = self._block_bytes
        while True:
            try:
                value, end = self._decode()
            except JSONDecodeError as fault:
                if self._ended or self._is_certain(fault):
                    raise self._fault(fault) from fault
            else:
                if self._ended or not _NUMBER_TAIL.fullmatch(self._text, end):
                    raw = self._text[self._at : end]
                    self._at = end
                    return Value(path, _storable(value) if _SUSPECT.search(raw) else value, raw)
            if len(self._text) - self._at > LONGEST_VALUE:
                raise HostileFile(f"line {self._line}: a value of more than {LONGEST_VALUE // 1024**2} MiB")
            # Doubled, so that a long value is not decoded once for each block.
            self._more(size)
            size *= 2

    def _decode(self) -> tuple[object, int]:
        try:
            return _FAST.raw_decode(self._text, self._at)
        except RecursionError:
            raise HostileFile(f"line {self._line}: lists and objects nested too deep") from None
        except JSONDecodeError:
            raise
        except ValueError:
            return _LENIENT.raw_decode(self._text, self._at)

    def _next(self) -> str:
        """The mark that comes next. Raises UnreadableFile at the end of the file."""
        self._skip_blanks()
        if self._at >= len(self._text):
            raise UnreadableFile(f"line {self._line}: the file breaks off here")
        return self._text[self._at]

    def _skip_blanks(self) -> None:
        while True:
            end = WHITESPACE.match(self._text, self._at).end()
            if end < len(self._text) or self._ended:
                self._at = end
                return
            self._at = end
            self._more(self._block_bytes)

    def _more(self, size: int) -> None:
        """Lets go of what was read and reads on."""
        self._line += self._text.count("\n", 0, self._at)
        block = self._stream.read(size)
        self._text = self._text[self._at :] + self._decoded(block)
        self._at = 0

    def _decoded(self, block: bytes) -> str:
        self._ended = not block
        return self._decoder.decode(block, final=self._ended)

    def _is_certain(self, fault: JSONDecodeError) -> bool:
        """Is it broken whatever the next block brings?"""
        return fault.pos < len(self._text) - _LONGEST_TOKEN and not fault.msg.startswith("Unterminated")

    def _fault(self, fault: JSONDecodeError) -> UnreadableFile:
        is_open = fault.msg.startswith("Unterminated")
        return self._broken(fault.msg, len(self._text) if is_open else fault.pos)

    def _broken(self, why: str, at: int | None = None) -> UnreadableFile:
        at = self._at if at is None else at
        if self._ended and _CUT_TOKEN.fullmatch(self._text[at:].strip()):
            return UnreadableFile(f"line {self._line_of(len(self._text))}: the file breaks off here")
        shown = self._text[at : at + _SHOWN].split("\n")[0]
        return UnreadableFile(f"line {self._line_of(at)}: broken JSON, {why}: {shown!r}")

    def _line_of(self, at: int) -> int:
        return self._line + self._text.count("\n", 0, at)


def _storable(value: object) -> object:
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(each) for key, each in value.items()}
    return value
