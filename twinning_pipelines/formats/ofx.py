"""OFX and QFX, 1.x SGML and 2.x XML, and Microsoft's OFC, as banks really write them.

    document = ofx.read(data)
    for statement in document.statements:
        statement.account.account_id, statement.currency, statement.ledger
        for record in statement.records:
            record.name, record.line, record.get("TRNAMT"), record.get("ORIGCURRENCY.CURSYM")

Everything is text still: `day_of` and `moment_of` read its stamps, `numbers.decide(document.amount_texts())` its
amounts. Nothing is judged here: an unreadable amount or a missing FITID is a matter of the row, for whoever maps it.
"""

import re

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats import ofx_markup, text
from twinning_pipelines.formats.ofx_document import (
    Account,
    Balance,
    Document,
    Record,
    Run,
    Statement,
    day_of,
    moment_of,
)
from twinning_pipelines.formats.ofx_tags import INVESTMENT_RECORDS, Kind

__all__ = [
    "INVESTMENT_RECORDS",
    "Account",
    "Balance",
    "Document",
    "Kind",
    "Record",
    "Run",
    "Statement",
    "day_of",
    "moment_of",
    "read",
]

MAX_BYTES = 512 * 1024**2
_HEADER_BYTES = 4_096

_ROOT = re.compile(r"<OF[XC]", re.IGNORECASE)
_KEYS = "OFXHEADER|DATA|VERSION|SECURITY|ENCODING|CHARSET|COMPRESSION|OLDFILEUID|NEWFILEUID"
# One expression for lines, one line, no line breaks at all (`…:100DATA:OFXSGML…`), a comment, XML and tags.
_HEADER = re.compile(rf"({_KEYS})\s*[:=>]\s*[\"']?(.*?)(?=[\s\"'?<]|(?:{_KEYS})\s*[:=>]|\Z)")
_XML_ENCODING = re.compile(r"<\?xml[^>]*\bencoding\s*=\s*[\"']([^\"']*)")
_OFC_CODE_PAGE = re.compile(r"<CPAGE>\s*(\w+)")


def read(data: bytes, *, in_runs: bool = True) -> Document:
    """The document in the bytes of a file; `in_runs`: plain bookings behind one another are kept as runs.

    Raises UnreadableFile when there is no `<OFX` (or `<OFC`) or the bytes are no text, HostileFile past 512 MiB or 20
    million tags. A truncated file is read as far as it goes.
    """
    if len(data) > MAX_BYTES:
        raise HostileFile(f"larger than {MAX_BYTES // 1024**2} MiB: no statement is that long")
    decoded = text.decode(data, _declared(data[:_HEADER_BYTES].decode("latin-1")))
    root = _ROOT.search(decoded.text)
    if root is None:
        raise UnreadableFile("not OFX: it has no <OFX> element")
    if decoded.is_binary:
        raise UnreadableFile("not OFX: its bytes are no text")
    found = ofx_markup.walk(decoded.text, root.start(), in_runs=in_runs)
    return Document(
        header=_header(decoded.text[: root.start()]),
        codec=decoded.codec,
        declared=decoded.declared,
        lied=decoded.lied,
        cut=not found.complete,
        statements=found.statements,
        securities=found.securities,
    )


def _header(head: str) -> dict[str, str]:
    """The header fields in what stands before the root; NONE is a value as any other."""
    return dict(_HEADER.findall(head[-_HEADER_BYTES:]))


def _declared(head: str) -> str:
    """The charset that a file declares for itself, '' for none: USASCII with CHARSET 1252 means 1252."""
    root = _ROOT.search(head)
    before = head[: root.start()] if root else head
    header = _header(before)
    encoding, charset = header.get("ENCODING", ""), header.get("CHARSET", "")
    if encoding.upper().startswith("UTF"):
        return encoding
    if charset and charset.upper() != "NONE":
        return charset
    found = _XML_ENCODING.search(before) or _OFC_CODE_PAGE.search(head)
    return found[1] if found else encoding
