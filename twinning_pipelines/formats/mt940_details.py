"""What banks write into `:86:` of MT940: German subfields (`?20…`), Dutch words (`/REMI/…`), or free text.

    details = mt940_details.read(entry.details)
    details.name, details.text, details.parts

The SEPA words inside a German remittance (`EREF+`, `SVWZ+`) are parts as well. Nothing is lost: what is neither the name
nor the text is a part under its own name.
"""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct, field

# The line that a bank fills before it wraps is 65 characters; some wrap one earlier.
_FULL_LINE = 64
_FULL_SUBFIELD = 27

# Three digits of business code, then the separator of this bank: `166?00…`, `000>10…`; the code may be missing.
_STRUCTURED = re.compile(r"\s*(\d{3})?([?>~^|!§@])(?=\d\d)", re.ASCII)
_REMITTANCE = frozenset(("20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "60", "61", "62", "63"))
_NAMES = frozenset(("32", "33"))
_SEPA_WORD = re.compile(
    r"(?:(EREF|KREF|MREF|BREF|RREF|CRED|DEBT|SVWZ|ABWA|ABWE|COAM|OAMT|PURP|RTRN|IBAN|BIC)\+|(MTLG):)[ ]?"
)
_PURPOSE = "SVWZ"
_TOLD = "MTLG"

_SLASHED = re.compile(
    r"/(TRTP|IBAN|BIC|NAME|REMI|EREF|MARF|CSID|BENM|ORDP|ISDT|CNTP|ULTC|ULTD|ULTB|PURP|RTRN|PREF|CREF|OCMT|EXCH|CHGS\d?"
    r"|ADDR|SVCL|TRCD|ID|BUSP|IREF|NRTX|TXID)/"
)
_USTD = re.compile(r"^(?:USTD|STRD)?/+|/+$")
_COUNTERPARTY_NAME = 2


class Details(Struct, frozen=True):
    """What a `:86:` says. name: who is on the other side. text: the remittance. parts: every other subfield.

    Names of parts: GVC (the business code), `?00` and on, SEPA words (EREF), and Dutch words (`/EREF/` is EREF too).
    """

    name: str = ""
    text: str = ""
    parts: dict[str, str] = field(default_factory=dict)


def read(fields: Sequence[Sequence[str]]) -> Details:
    """The details in the lines of one or more `:86:`."""
    joined = "".join(line for lines in fields for line in lines)
    structured = _STRUCTURED.match(joined)
    if structured:
        return _of_subfields(joined[structured.end() - 1 :], structured[1] or "", structured[2])
    text = unwrapped(fields)
    return _of_words(text) if _SLASHED.match(text) else Details(text=text)


def unwrapped(fields: Sequence[Sequence[str]]) -> str:
    """Lines as one text: a filled line goes on without a blank, another ends with one."""
    return _tidy(" ".join(_joined(lines, _FULL_LINE) for lines in fields))


def _of_subfields(text: str, code: str, separator: str) -> Details:
    parts: dict[str, str] = {"GVC": code} if code else {}
    remittance: list[str] = []
    names: list[str] = []
    _, *pieces = re.split(rf"{re.escape(separator)}(\d\d)", text, flags=re.ASCII)
    for number, value in zip(pieces[::2], pieces[1::2], strict=True):
        if number in _REMITTANCE:
            remittance.append(value)
        elif number in _NAMES:
            names.append(value)
        else:
            _add(parts, f"?{number}", value)
    said, words = _sepa_words(_joined(remittance, _FULL_SUBFIELD))
    for word, value in words:
        _add(parts, word, value)
    # Without a purpose the bank's own message says what it is about.
    purpose = parts.pop(_PURPOSE, "")
    if purpose and said:
        parts["?20"] = said
    told = purpose or said or parts.pop(_TOLD, "")
    return Details(_tidy(_joined(names, _FULL_SUBFIELD)), told, parts)


def _sepa_words(text: str) -> tuple[str, list[tuple[str, str]]]:
    """What stands before the first word, and each word with its value."""
    marks = list(_SEPA_WORD.finditer(text))
    starts = [*(mark.start() for mark in marks), len(text)]
    words = [(mark[1] or mark[2], text[mark.end() : end]) for mark, end in zip(marks, starts[1:], strict=True)]
    return _tidy(text[: starts[0]]), words


def _of_words(text: str) -> Details:
    parts: dict[str, str] = {}
    _, *pieces = _SLASHED.split(text)
    for word, value in zip(pieces[::2], pieces[1::2], strict=True):
        _add(parts, word, value.strip("/ ") if word != "REMI" else _USTD.sub("", value.strip()))
    name = parts.pop("NAME", "")
    # ING writes account, bank, name and place of the other side into one word.
    other = parts.get("CNTP", "").split("/")
    if not name and len(other) > _COUNTERPARTY_NAME:
        name = other[_COUNTERPARTY_NAME].strip()
    return Details(name, parts.pop("REMI", ""), parts)


def _joined(lines: Iterable[str], full: int) -> str:
    return "".join(line if len(line) >= full else f"{line} " for line in lines)


def _add(parts: dict[str, str], name: str, value: str) -> None:
    """A subfield that comes again goes on; an empty one says nothing."""
    said = _tidy(f"{parts.get(name, '')} {value}")
    if said:
        parts[name] = said


def _tidy(text: str) -> str:
    return " ".join(text.split())
