"""Where a broken XML document can be read on: behind the element that is broken, found by the beginnings of lines.

Exports write one element a line, indented by its depth. So what follows a broken element is the next line that is
indented alike and begins with the start tag of an element whose name is known, or with the end tag of the root.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

_TAG = re.compile(rb"<([A-Za-z_][\w.:-]*)")
_LETTERS = re.compile(rb"[^\n]+")


class Broken(Struct, frozen=True):
    """Text that is no XML and was set aside: the line where it begins, the name of its element ('' for none), why, itself."""

    at: int
    name: str
    reason: str
    raw: str


class Damage(Struct, frozen=True):
    """A broken element that begins at an offset of the text; `says` is the error where nothing can be read behind it."""

    begin: int
    reason: str
    says: str


class Mender:
    """Knows where the text goes on behind a broken element of one document."""

    def __init__(self, root: str, names: Sequence[str]) -> None:
        self._root = root.encode()
        self._names = b"|".join(re.escape(name.encode()) for name in names)

    def end_of(self, text: bytes, begin: int, margin: bytes) -> int | None:
        """Where the element that begins at an offset ends at the latest; None when the text does not tell.

        `margin` is what stands before the first letter of `text` on its line.
        """
        line = text.rfind(b"\n", 0, begin)
        before = margin + text[:begin] if line < 0 else text[line + 1 : begin]
        found = _next_line(self._root, self._names, None if before.strip() else before).search(text, begin + 1)
        return None if found is None else found.start()


@lru_cache(maxsize=64)
def _next_line(root: bytes, names: bytes, margin: bytes | None) -> re.Pattern[bytes]:
    indent = rb"[ \t]*" if margin is None else re.escape(margin)
    return re.compile(rb"\n" + indent + rb"<(?:" + names + rb")(?=[\s/>])|\n[ \t]*</" + root + rb"\s*>")


def broken(raw: bytes, at: int, reason: str) -> Broken:
    """A piece of text, set aside."""
    tag = _TAG.match(raw)
    name = "" if tag is None else tag[1].decode("utf-8", errors="replace")
    return Broken(at, name, reason, raw.decode("utf-8", errors="replace").rstrip())


def blanked(text: bytes, pieces: Sequence[tuple[int, int]]) -> bytes:
    """The text with blanks in place of some pieces of it, given by their bounds; line ends stay."""
    letters = bytearray(text)
    for begin, end in pieces:
        letters[begin:end] = _LETTERS.sub(lambda found: b" " * len(found[0]), letters[begin:end])
    return bytes(letters)
