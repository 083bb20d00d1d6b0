"""Delimited text: delimiter and header found by looking, every row with the line it starts on.

Quoted line breaks, a byte-order mark, preamble lines before the header, short rows and any case of headings are
normal. Cells stay text: what they mean is the source's business, and a cell that begins with `=` is only text.
A quote that never ends, or a row with more cells than headings, damages that line alone; the next one is read again.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import NamedTuple

from msgspec import Struct

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import Original

_DELIMITERS = (",", ";", "\t", "|")
_PREAMBLE_LINES = 30
MAX_BYTES = 512 * 1024**2
_FIELD_LIMIT = 1024 * 1024
# An export's cell may hold a long note; a quote that nobody closed would swallow the file up to its end.
_ROW_LINES = 500


class CellRow(NamedTuple):
    """A line by position: the line it starts on, its raw text, its trimmed cells (none where it is damaged), its damage."""

    at: int
    raw: str
    cells: Sequence[str]
    damage: str = ""


class Line(Struct, frozen=True):
    """One data row: the line it starts on, its raw text, its cells by normalised heading; short rows leave cells empty.

    damage: why the line can't be told into cells, which are then none; empty for a sound line.
    """

    at: int
    raw: str
    cells: Mapping[str, str]
    damage: str = ""

    def get(self, heading: str) -> str:
        """The cell under a heading, trimmed; empty when the column is absent."""
        return self.cells.get(heading, "")


def normalised(heading: str) -> str:
    """A heading as we compare it: lower case, without marks, quotes and doubled blanks."""
    return " ".join(heading.replace("\ufeff", "").replace("_", " ").strip().strip('"').lower().split())


def header_of(text: str, wanted: Sequence[str]) -> tuple[int, str] | None:
    """Where a line stands that names all wanted headings, and with which delimiter: (index of line, delimiter)."""
    need = {normalised(name) for name in wanted}
    lower = text.lower()
    # Most files hold none of the words; taking lines apart to find that out is slow.
    if not all(word in lower for name in need for word in name.split()):
        return None
    for index, line in enumerate(_opening(text)):
        for delimiter in _DELIMITERS:
            if need <= {normalised(cell) for cell in _cells(line, delimiter)}:
                return index, delimiter
    return None


def header_lines(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each of the first lines as a header could stand there: the text above it, and its cells by each delimiter in turn."""
    lines = _opening(text)
    for index, line in enumerate(lines):
        for delimiter in _DELIMITERS:
            if delimiter in line:
                yield "".join(lines[:index]), _cells(line, delimiter)


def looks_delimited(text: str) -> bool:
    """Do most of the first lines have the same number of cells, by one delimiter or another, and more than two?"""
    lines = [line for line in _opening(text) if line.strip()]
    for delimiter in _DELIMITERS:
        widths = [len(_cells(line, delimiter)) for line in lines]
        common = max(set(widths), key=widths.count, default=0)
        if common > 2 and widths.count(common) > len(lines) // 2:
            return True
    return False


def has_columns(*wanted: str, without: Sequence[str] = (), any_of: Sequence[str] = ()) -> "Recognition":
    """Recognises a delimited file by headings it must have, must not have, and needs at least one of."""
    return Recognition(wanted, tuple(without), tuple(any_of))


class Recognition(Struct, frozen=True):
    """Does the head of a file hold this header?"""

    wanted: tuple[str, ...]
    without: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()

    def __call__(self, original: Original) -> bool:
        """By content; the file's name says nothing."""
        if original.is_zip:
            return False
        found = header_of(original.text_head, self.wanted)
        if found is None:
            return False
        index, delimiter = found
        headings = {normalised(cell) for cell in _cells(_opening(original.text_head)[index], delimiter)}
        if headings & {normalised(name) for name in self.without}:
            return False
        return not self.any_of or bool(headings & {normalised(name) for name in self.any_of})


class Sheet(Struct, frozen=True):
    """A delimited file: its headings as written, and its lines, which can be walked more than once."""

    text: str
    header_index: int
    delimiter: str
    headings: tuple[str, ...]

    def __iter__(self) -> Iterator[Line]:
        places = _first_places(self.headings)
        for at, raw, cells, damage in self.rows():
            if damage:
                yield Line(at, raw, {}, damage)
            else:
                yield Line(at, raw, {name: cells[place] for name, place in places.items() if place < len(cells)})

    def rows(self, width: int | None = None) -> Iterator[CellRow]:
        """The same lines with their cells in the order of the file; blank lines are left out.

        width: how many cells a sound line may fill; as many as there are headings, if it is left out.
        """
        most = len(self.headings) if width is None else width
        cursor = _Cursor(self.text, self.header_index + 1)
        while not cursor.at_end:
            at = cursor.at
            raw, cells, damage = _next_row(cursor, self.delimiter, most)
            if damage or any(cells):
                yield CellRow(at, raw, cells, damage)

    @property
    def preamble(self) -> str:
        """The lines above the header."""
        return "".join(islice(io.StringIO(self.text, newline=""), max(self.header_index, 0)))

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
    headings = _cells(_opening(text)[index], delimiter)
    return Sheet(text, index, delimiter, tuple(heading.replace("\ufeff", "").strip() for heading in headings))


def _opening(text: str) -> list[str]:
    """The first lines, cut where the csv module cuts them and not at every separator that Unicode knows."""
    return list(islice(io.StringIO(text, newline=""), _PREAMBLE_LINES))


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _first_places(headings: Sequence[str]) -> dict[str, int]:
    """Where each heading stands; of two columns with one heading the first counts."""
    places: dict[str, int] = {}
    for place, heading in enumerate(headings):
        if name := normalised(heading):
            places.setdefault(name, place)
    return places


class _Cursor:
    """The lines of a text, handed out one by one; those of a row that went wrong can be handed out again.

    at: number of the line, from 1, on which the next row starts. at_end: nothing is left.
    """

    def __init__(self, text: str, skip: int) -> None:
        self._text = io.StringIO(text, newline="")
        self._length = len(text)
        self._start = sum(len(self._text.readline()) for _ in range(skip))
        self._taken: list[str] = []
        self.at = skip + 1

    @property
    def at_end(self) -> bool:
        return self._start >= self._length

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline() if len(self._taken) < _ROW_LINES else ""
        if not line:
            raise StopIteration
        self._taken.append(line)
        return line

    @property
    def taken(self) -> list[str]:
        """The lines handed out since the last row was settled."""
        return self._taken

    def settle(self, count: int) -> str:
        """The raw text of the first `count` lines handed out; the next row starts behind them."""
        raw = "".join(self._taken[:count])
        self._start += len(raw)
        self.at += count
        if len(self._taken) > count:
            self._text.seek(self._start)
        self._taken.clear()
        return raw.rstrip("\r\n")


def _next_row(cursor: _Cursor, delimiter: str, width: int) -> tuple[str, list[str], str]:
    """The next row: raw text, trimmed cells, and what is wrong with it; a damaged row is its first line only."""
    first = next(cursor, "")
    if '"' not in first and len(first) <= _FIELD_LIMIT:
        # Without a quote a line is its cells; that is most lines of most files.
        cells = [cell.strip() for cell in first.rstrip("\r\n").split(delimiter)]
        damage = _surplus(cells, width)
        return cursor.settle(1), [] if damage else cells, damage
    csv.field_size_limit(_FIELD_LIMIT)
    try:
        # No escape character: exports double their quotes, and a backslash before one is an ordinary letter.
        cells = [cell.strip() for cell in next(csv.reader(chain((first,), cursor), delimiter=delimiter), [])]
        damage = _surplus(cells, width) or _open_quote(cursor.taken, delimiter)
    except csv.Error as error:
        cells, damage = [], str(error)
    return cursor.settle(1 if damage else len(cursor.taken)), cells, damage


def _surplus(cells: Sequence[str], width: int) -> str:
    """An unquoted comma shifts what follows it into the wrong columns."""
    if len(cells) <= width:
        return ""
    filled = max((place for place, cell in enumerate(cells, 1) if cell), default=0)
    return f"{filled} cells under {width} headings; is a comma not quoted?" if filled > width else ""


def _open_quote(lines: Sequence[str], delimiter: str) -> str:
    """A stray quote joins rows until the next one; so a row over several lines has to be quoted strictly."""
    if len(lines) == 1 and lines[0].count('"') % 2 == 0:
        return ""
    try:
        next(csv.reader(lines, delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        if len(lines) > 1 or "unexpected end" in str(error):
            return "a quoted cell does not end"
    return ""
