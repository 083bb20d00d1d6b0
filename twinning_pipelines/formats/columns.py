"""A delimited file read by a table: which heading fills which field, and how the cells under it are read.

Number and date styles are decided once per file, from all its cells; where no cell proves the order of dates, the
person's own order holds, and without one such a date is rejected. A cell that can't be read costs its row, never
the file. Columns that no table names are kept where the record has a JSON field for them, and listed once otherwise.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Literal, NamedTuple, TypeVar

from msgspec import Struct

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import dates, numbers
from twinning_pipelines.formats.cells import TEXT, Reading, Styles, as_json
from twinning_pipelines.formats.delimited import MAX_BYTES, Line, Recognition, Sheet, normalised, open_sheet
from twinning_pipelines.formats.text import decode
from twinning_pipelines.original import Original
from twinning_pipelines.records.metrics import conversion
from twinning_pipelines.records.record import Record
from twinning_pipelines.source import Notice, Rejection, Row

Value = TypeVar("Value")

_BRACKETED = re.compile(r"(.+?)\s*\(([^()]*)\)")
_DIGITS = 6


class Column(Struct, frozen=True):
    """One column of a file.

    field: what it fills, a field of the record or a name that the source's `shape` uses. headings: its own heading,
    then others that mean the same; one that ends in `()` stands with any brackets behind it, `Energy (kJ)`.
    required: the heading has to be there and no cell may be empty. default: what an empty cell means.
    unit: convert from the unit in the brackets to this one. meaning: for the docs; the record's own where left out.
    """

    field: str
    headings: tuple[str, ...]
    reading: Reading = TEXT
    required: bool = False
    default: object = None
    unit: str | None = None
    meaning: str = ""


class Rest(Struct, frozen=True):
    """The JSON field that keeps every other column by its heading; `pattern` says which, where not all are meant."""

    field: str
    reading: Reading = TEXT
    pattern: re.Pattern[str] | None = None


class Cells(Struct, frozen=True):
    """The values of one row by field, and the styles of its file. An empty cell gives its column's default."""

    values: Mapping[str, object]
    styles: Styles

    def get(self, field: str, kind: type[Value]) -> Value | None:
        """The value of a field when it is of that kind, else None."""
        value = self.values.get(field)
        return value if isinstance(value, kind) else None

    def text(self, field: str) -> str:
        """The text of a field; empty where there is none."""
        return self.get(field, str) or ""


# From the values of the columns to those of the record. Raises ValueError: "field: what is wrong".
Shape = Callable[[Cells], Mapping[str, object]]


def as_read(cells: Cells) -> Mapping[str, object]:
    """The columns are the record's fields."""
    return cells.values


class Table(Struct, frozen=True):
    """What a kind of delimited file holds.

    marks: headings by which it is known; without: headings that another kind has; any_of: one of these has to be there.
    ignored: known columns that say nothing of their own. nothing: cells that stand for "no value".
    """

    record: Record
    columns: tuple[Column, ...]
    marks: tuple[str, ...]
    without: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    nothing: frozenset[str] = frozenset()
    rest: Rest | None = None

    def recognises(self, original: Original) -> bool:
        """By the header, wherever it stands in the first lines."""
        return Recognition(self.marks, self.without, self.any_of)(original)

    def open(self, original: Original, clock: Clock) -> "Filled":
        """The file with its columns found and its styles decided. Raises UnreadableFile."""
        return self.over(open_sheet(text_of(original), self.marks), clock)

    def over(self, sheet: Sheet, clock: Clock) -> "Filled":
        """The same of a sheet whose header was found already. Raises UnreadableFile."""
        bound, kept, lost = _bind(self, sheet)
        missing = [column.headings[0] for column in self.columns if column.required and column.field not in bound]
        if missing:
            raise UnreadableFile(f"no column {', '.join(map(repr, missing))}; add it to the export and drop it again")
        styles = _styles(sheet, (*bound.values(), *kept), clock)
        return Filled(self, sheet, tuple(bound.values()), kept, lost, styles)

    def rows(self, original: Original, clock: Clock, shape: Shape = as_read) -> Iterator[Row | Rejection | Notice]:
        """Every row of the file, good or bad, and what a person should know of it. Raises UnreadableFile."""
        return self.open(original, clock).rows(shape)


class Bound(NamedTuple):
    """A column as one file has it: `name` finds its cells, `heading` is as written, `factor` leads to our unit."""

    column: Column
    name: str
    heading: str
    factor: float = 1.0

    def label(self, record: Record) -> str:
        """How a reason names it: by the field it fills; by its own heading when it fills none alone."""
        return self.column.field if self.column.field in record.schema.names else self.heading


class Filled(Struct, frozen=True):
    """A table met in a file. kept, lost: columns that the table does not name, by what becomes of their cells."""

    table: Table
    sheet: Sheet
    bound: tuple[Bound, ...]
    kept: tuple[Bound, ...]
    lost: tuple[Bound, ...]
    styles: Styles

    def heading(self, field: str) -> str:
        """The heading of a field as the file writes it; empty when the file has no such column."""
        return next((each.heading for each in self.bound if each.column.field == field), "")

    def rows(self, shape: Shape = as_read) -> Iterator[Row | Rejection | Notice]:
        """Every row of the file, good or bad, and what a person should know of it. Raises UnreadableFile."""
        record = self.table.record
        yield from self._notices()
        for line in self.sheet:
            try:
                values = shape(Cells(self._values(line), self.styles))
            except (ValueError, OverflowError) as fault:
                yield Rejection(line.at, record.name, str(fault), line.raw)
            else:
                yield Row(record, line.at, line.raw, values)

    def _notices(self) -> Iterator[Notice]:
        if self.lost:
            yield Notice(f"columns that are not kept: {', '.join(each.heading for each in self.lost)}")
        if doubt := self.styles.numbers.doubt:
            yield Notice(doubt)

    def _values(self, line: Line) -> dict[str, object]:
        """The values of a row by field. Raises ValueError that names every cell at fault."""
        if line.damage:
            raise ValueError(line.damage)
        faults: list[str] = []
        values = {each.column.field: self._value(line, each, faults) for each in self.bound}
        values |= {column.field: column.default for column in self.table.columns if column.field not in values}
        rest = self.table.rest
        if rest:
            kept = {each.heading: self._value(line, each, faults) for each in self.kept}
            filled = {heading: value for heading, value in kept.items() if value is not None}
            values[rest.field] = as_json(filled) if filled else None
        if faults:
            raise ValueError("; ".join(faults))
        return values

    def _value(self, line: Line, bound: Bound, faults: list[str]) -> object:
        column = bound.column
        cell = line.get(bound.name)
        if not cell or cell in self.table.nothing:
            if column.required:
                faults.append(f"{bound.label(self.table.record)}: empty")
            return column.default
        try:
            value = column.reading.read(cell, self.styles)
        except ValueError as fault:
            faults.append(f"{bound.label(self.table.record)}: {fault}")
            return None
        return round(value * bound.factor, _DIGITS) if bound.factor != 1 and isinstance(value, float) else value


def bracketed(heading: str) -> str:
    """What stands in the brackets at the end of a heading: the EUR of `Amount (EUR)`; empty without any."""
    match = _BRACKETED.fullmatch(heading)
    return match[2].strip() if match else ""


def text_of(original: Original, codec: str = "") -> str:
    """The text of a delimited file, in this codec where it is no UTF-8. Raises UnreadableFile."""
    if original.size > MAX_BYTES:
        raise UnreadableFile(f"a delimited file of more than {MAX_BYTES // 1024**2} MiB")
    with original.open() as stream:
        decoded = decode(stream.read(), codec)
    if decoded.is_binary:
        raise UnreadableFile("not a text file")
    return decoded.text


def _bind(table: Table, sheet: Sheet) -> tuple[dict[str, Bound], tuple[Bound, ...], tuple[Bound, ...]]:
    """The table's columns that the file has, by field; the other columns of the file that are kept; and the rest."""
    named: dict[str, str] = {}
    for heading in sheet.headings:
        if name := normalised(heading):
            named.setdefault(name, heading)
    bound: dict[str, Bound] = {}
    for column in table.columns:
        found = next((each for wanted in column.headings for each in _matches(column, wanted, named)), None)
        if found:
            bound[column.field] = found
            del named[found.name]
    for name in map(normalised, table.ignored):
        named.pop(name, None)
    kept = {name: heading for name, heading in named.items() if table.rest and _is_kept(table.rest, heading)}
    reading = table.rest.reading if table.rest else TEXT
    others = [Bound(Column(heading, (heading,), reading), name, heading) for name, heading in named.items()]
    return (
        bound,
        tuple(each for each in others if each.name in kept),
        tuple(each for each in others if each.name not in kept),
    )


def _matches(column: Column, wanted: str, named: Mapping[str, str]) -> Iterator[Bound]:
    target = normalised(wanted)
    for name, heading in named.items():
        inner = _BRACKETED.fullmatch(heading)
        if target.endswith("()"):
            fits = inner is not None and normalised(inner[1]) == target.removesuffix("()").rstrip()
        else:
            fits = name == target
        found = conversion(bracketed(heading), column.unit) if column.unit else None
        if fits and (column.unit is None or found is not None):
            yield Bound(column, name, heading, found.factor if found else 1.0)


def _is_kept(rest: Rest, heading: str) -> bool:
    return rest.pattern is None or rest.pattern.fullmatch(heading) is not None


def _styles(sheet: Sheet, bound: tuple[Bound, ...], clock: Clock) -> Styles:
    proof = partial(_proof, sheet, bound)
    # Where the comma separates numbers' decimals, spreadsheets separate cells by semicolons.
    mark: numbers.Mark = "," if sheet.delimiter == ";" else "."
    days = dates.decide_as(clock.date_order, partial(proof, "date"))
    return Styles(numbers.decide(proof("number"), mark), days, clock)


def _proof(sheet: Sheet, bound: tuple[Bound, ...], kind: Literal["number", "date"]) -> Iterator[str]:
    names = [each.name for each in bound if each.column.reading.evidence == kind]
    for line in sheet:
        yield from (cell for name in names if (cell := line.get(name)))
