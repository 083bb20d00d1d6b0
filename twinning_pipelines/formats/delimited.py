"""Delimited text: delimiter and header found by looking, every row with the line it starts on.

Quoted line breaks, a byte-order mark, preamble lines before the header, short rows and any case of
headings are normal. Cells stay text: what they mean is the source's business, and a cell that begins with `=` is text like any other.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import Original

if TYPE_CHECKING:
    from _csv import _reader as _Reader

_DELIMITERS = (",", ";", "\t", "|")
_PREAMBLE_LINES = 30
MAX_BYTES = 512 * 1024**2
_FIELD_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One data row: the line it starts on, its raw text, its cells by normalised heading; short rows leave cells empty."""

    at: int
    raw: str
    cells: Mapping[str, str]

    def get(self, heading: str) -> str:
        """The cell under a heading, trimmed; empty when the column is absent."""
        return self.cells.get(heading, "")


def normalised(heading: str) -> str:
    """A heading as we compare it: lower case, without marks, quotes and doubled blanks."""
    return " ".join(heading.replace("\ufeff", "").replace("_", " ").strip().strip('"').lower().split())


def header_of(text: str, wanted: Sequence[str]) -> tuple[int, str] | None:
    """Where a line stands that names all wanted headings, and with which delimiter: (index of line, delimiter)."""
    need = {normalised(name) for name in wanted}
    for index, line in enumerate(text.splitlines()[:_PREAMBLE_LINES]):
        for delimiter in _DELIMITERS:
            if need <= {normalised(cell) for cell in _cells(line, delimiter)}:
                return index, delimiter
    return None


def has_columns(*wanted: str, without: Sequence[str] = ()) -> "Recognition":
    """Recognises a delimited file by headings it must have and headings it must not have."""
    return Recognition(wanted, tuple(without))


@dataclass(frozen=True, slots=True)
class Recognition:
    """Does the head of a file hold this header?"""

    wanted: tuple[str, ...]
    without: tuple[str, ...]

    def __call__(self, original: Original) -> bool:
        if original.is_zip:
            return False
        found = header_of(original.text_head, self.wanted)
        if found is None:
            return False
        index, delimiter = found
        headings = {normalised(cell) for cell in _cells(original.text_head.splitlines()[index], delimiter)}
        return not headings & {normalised(name) for name in self.without}


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


@dataclass(frozen=True, slots=True)
class Sheet:
    """A delimited file: its headings as written, and its lines, which can be walked more than once."""

    text: str
    header_index: int
    delimiter: str
    headings: tuple[str, ...]

    def __iter__(self) -> Iterator[Line]:
        names = [normalised(heading) for heading in self.headings]
        stream = _Counted(self.text)
        # No escape character: exports double their quotes, and a backslash before one is an ordinary letter.
        reader = csv.reader(stream, delimiter=self.delimiter, doublequote=True)
        try:
            for at, raw, cells in _with_places(reader, stream):
                if at <= self.header_index + 1 or not any(cell.strip() for cell in cells):
                    continue
                yield Line(at, raw, {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name})
        except csv.Error as damage:
            raise UnreadableFile(f"line {reader.line_num}: {damage}") from damage

    def column(self, heading: str) -> list[str]:
        """Every cell of one column that is not empty: the evidence on which number and date styles are decided."""
        name = normalised(heading)
        return [cell for line in self if (cell := line.get(name))]


def open_sheet(text: str, wanted: Sequence[str]) -> Sheet:
    """The sheet of a decoded file whose header names all `wanted`. Raises UnreadableFile when no line does."""
    found = header_of(text, wanted)
    if found is None:
        raise UnreadableFile(f"no header line with the columns {', '.join(wanted)}")
    index, delimiter = found
    headings = _cells(text.splitlines()[index], delimiter)
    return Sheet(text, index, delimiter, tuple(heading.replace("\ufeff", "").strip() for heading in headings))


class _Counted:
    """Lines of a text, remembering those handed out since the last row ended, so that a row's raw text is known."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self.pending: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._lines.readline()
        if not line:
            raise StopIteration
        self.pending.append(line)
        return line


def _with_places(reader: "_Reader", stream: _Counted) -> Iterator[tuple[int, str, list[str]]]:
    csv.field_size_limit(_FIELD_LIMIT)
    start = 1
    for cells in reader:
        raw = "".join(stream.pending).rstrip("\r\n")
        stream.pending.clear()
        yield start, raw, cells
        start = reader.line_num + 1
