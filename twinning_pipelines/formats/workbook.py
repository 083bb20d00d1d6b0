"""A workbook of Excel's (xlsx): each sheet as a delimited table, so that one reader serves both.

The library is openpyxl, in its streaming mode. Dates are written as `2026-03-31`, with their time where they have one;
other cells as their value: formulas as the result that was saved with them. Line n of a sheet's table is its row n.
"""

import csv
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, time
from decimal import Decimal
from html import unescape

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats.part import Part
from twinning_pipelines.original import Original

_INDEX = "xl/workbook.xml"
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]*?\bname=\"([^\"]*)\"")
_MOST_BYTES = 512 * 1024**2
_MOST_ROWS = 300_000
_MOST_CELLS = 1_000

# What openpyxl and the parsers under it raise for a damaged workbook; SyntaxError is that of an XML parser.
_DAMAGE = (
    KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError, OverflowError, EOFError, OSError,
    NotImplementedError, RuntimeError, AssertionError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def sheet_names(original: Original) -> tuple[str, ...]:
    """The names of a workbook's sheets; empty for any other file."""
    if not original.is_zip or all(member.name != _INDEX for member in original.members):
        return ()
    try:
        head = original.head_of(_INDEX)
    except UnreadableFile:
        return ()
    return tuple(unescape(name.decode("utf-8", errors="replace")) for name in _SHEET.findall(head))


def sheets(original: Original) -> Iterator[Part]:
    """Every sheet as comma-separated UTF-8, under its own name. Raises UnreadableFile, HostileFile."""
    _refuse_hostile(original)
    # A fifth of a second that only people with a workbook should wait for.
    from openpyxl import load_workbook  # noqa: PLC0415

    parts: list[Part] = []
    # openpyxl warns of styles and extensions that it leaves out; of a table's cells it leaves out none.
    with original.open() as stream, warnings.catch_warnings(action="ignore"):
        try:
            with closing(load_workbook(stream, read_only=True, data_only=True)) as book:
                for sheet in book.worksheets:
                    sheet.reset_dimensions()
                    data = _as_csv(str(sheet.title), sheet.iter_rows(values_only=True))
                    parts.append(Part(original.path, str(sheet.title), original.modified_at, data))
        except _DAMAGE as damage:
            raise UnreadableFile(f"damaged workbook: {type(damage).__name__}: {damage}") from damage
    yield from parts


def _refuse_hostile(original: Original) -> None:
    if sum(member.size for member in original.members) > _MOST_BYTES:
        raise HostileFile(f"a workbook that inflates to more than {_MOST_BYTES // 1024**2} MiB")
    for member in original.members:
        if member.name.lower().endswith((".xml", ".rels")) and _has_doctype(original.head_of(member.name)):
            raise HostileFile(f"a document type in a workbook: {member.name}")


def _has_doctype(head: bytes) -> bool:
    """A document type before the root's start tag, also in UTF-16: it is where entity tricks live."""
    narrow = head.replace(b"\0", b"")
    root = re.search(rb"<[A-Za-z_]", narrow)
    return b"<!DOCTYPE" in (narrow[: root.start()] if root else narrow)


def _as_csv(name: str, rows: Iterator[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for number, row in enumerate(rows, 1):
        if number > _MOST_ROWS or len(row) > _MOST_CELLS:
            raise UnreadableFile(f"{name}: more than {_MOST_ROWS} rows or {_MOST_CELLS} cells in a row")
        writer.writerow([_printed(cell) for cell in row])
    return text.getvalue().encode("utf-8", errors="replace")


def _printed(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time.min else cell.isoformat(" ", "seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, float):
        return f"{Decimal(repr(cell)):f}".removesuffix(".0")
    return " ".join(str(cell).split())
