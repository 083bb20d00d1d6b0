"""Bytes to text, truly: what the bytes are comes first, what the file says about itself second.

Order: byte-order mark or the look of UTF-16, strict UTF-8, the declared charset, Windows-1252, Latin-1. A declaration
is a hint: many bank files that declare USASCII or 1252 hold UTF-8, and one that declares Latin-1 may use the letters
that only Windows-1252 has. One codec reads the whole file: no guess per line, no statistics.
"""

import codecs
import re
import unicodedata

from msgspec import Struct

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 4_096
_LOOK = 65_536

# Names that bank headers use and Python does not know; the empty codec means "it declares nothing".
_DECLARATIONS = {
    "usascii": "ascii",
    "ansi": "cp1252",
    "8859-1": "iso8859-1",
    "none": "",
    "unicode": "",
    "": "",
}
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
# Only codecs from bytes to text: `codecs.lookup` would also offer base64, zlib and friends.
_TEXT_CODEC = re.compile(
    r"ascii|utf-(8|16|32)(-(sig|le|be))?|cp\d+|iso8859-\d+|koi8-[rut]|mac-\w+|gb\w+|big5\w*|shift_jis\w*|euc_\w+"
)
_CONTROLS = "".join(map(chr, [*range(9), 11, *range(14, 26), *range(28, 32), 127, 0xFFFD]))


class Decoded(Struct, frozen=True):
    """The text of a file, the codec that read it, the codec that the file declares ('' for none), and whether that lied.

    A declaration lies when reading the bytes as it says fails or gives another text; plain ASCII never makes it lie.
    """

    text: str
    codec: str
    declared: str = ""
    lied: bool = False

    @property
    def is_binary(self) -> bool:
        """More than a tenth of its first 65,536 characters are control characters: no text format at all."""
        head = self.text[:_LOOK]
        return sum(map(head.count, _CONTROLS)) * 10 > len(head)


def decode(data: bytes, declared: str = "") -> Decoded:
    """The text of a file. Never fails: Latin-1 reads any bytes. NUL becomes U+FFFD, for no store of ours takes it."""
    named = codec_named(declared)
    text, codec = _read(data, named)
    lied = bool(named) and not data.isascii() and _as(data, named) != text
    if named.startswith(("utf-16", "utf-32")) and not codec.startswith(named[:6]):
        lied = True
    return Decoded(text.replace("\0", "\ufffd"), codec, named, lied)


def codec_named(declared: str) -> str:
    """Python's name for a charset as headers write it (`1252`, `8859-1`, `USASCII`); '' for none or an unknown one."""
    name = declared.strip().lower()
    if name in _DECLARATIONS:
        return _DECLARATIONS[name]
    if not _NAME.fullmatch(name):
        return ""
    if name.startswith("8859-"):
        name = f"iso{name}"
    try:
        found = codecs.lookup(f"cp{name}" if name.isdigit() else name).name
    except LookupError:
        return ""
    return found if _TEXT_CODEC.fullmatch(found) else ""


def _read(data: bytes, declared: str) -> tuple[str, str]:
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return data.decode(codec, errors="replace"), codec
    wide = _wide(data[:_SAMPLE])
    if wide:
        return data.decode(wide, errors="replace"), wide
    for codec in ("utf-8", _kin(declared, data), "cp1252"):
        text = _as(data, codec)
        if text is not None:
            return text, codec
    return data.decode("latin-1"), "iso8859-1"


def _wide(sample: bytes) -> str:
    """UTF-16 without a mark shows as a NUL in nearly every second byte; '' when it does not."""
    pairs = len(sample) // 2
    low, high = sample[0 : 2 * pairs : 2].count(0), sample[1 : 2 * pairs : 2].count(0)
    if pairs < 2:
        return ""
    if high * 2 > pairs and low * 10 < pairs:
        return "utf-16-le"
    if low * 2 > pairs and high * 10 < pairs:
        return "utf-16-be"
    return ""


def _kin(declared: str, data: bytes) -> str:
    """The codec to try for a declaration. Bytes 80 to 9F are letters in Windows-1252 and unused in Latin-1."""
    if declared == "iso8859-1" and data.translate(None, bytes(range(0x80, 0xA0))) != data:
        return "cp1252"
    return declared


def _as(data: bytes, codec: str) -> str | None:
    """The text of the bytes in one codec, or None. UTF-8 may end inside a character: the file was cut there."""
    if not codec or (codec == "ascii" and not data.isascii()):
        return None
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        if codec == "utf-8" and error.start >= len(data) - 3 and error.reason == "unexpected end of data":
            return data[: error.start].decode() + "\ufffd"
        return None


def without_accents(text: str) -> str:
    """The letters without their marks: `é` is `e`, `Å` is `A`; compatible forms are one, `ﬁ` is `fi`."""
    if text.isascii():
        return text
    return "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
