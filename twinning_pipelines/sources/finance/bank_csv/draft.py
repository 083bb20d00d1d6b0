"""A table without a header, or with words over it that nobody knows, for a person to name its columns: what each holds."""

import csv
import re
from collections.abc import Sequence
from itertools import islice

from msgspec import Struct

from twinning_pipelines.formats.delimited import Sheet, header_lines, normalised
from twinning_pipelines.sources.finance.bank_csv.mapping import AMOUNT, BOOKED, CURRENCY, MEMO, OPEN, Mapping, Name

_DELIMITERS = (",", ";", "\t", "|")
_DAY = re.compile(r"\d{1,4}[-/.]\d{1,4}[-/.]\d{2,4}\.?|(?:19|20)\d{6}|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}")
_MONEY = re.compile(r"[-+]?\s*[$€£¥]?\s*\d[\d.,' ]*")
_CODE = re.compile(r"[A-Z]{3}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}")
_LINES = 20
_WIDEST = 100
_LONGEST = 100_000


class Draft(Struct, frozen=True):
    """What the columns hold, from 1: days, figures, currency codes, accounts by IBAN, words. first: the first row."""

    delimiter: str
    width: int
    days: tuple[int, ...]
    figures: tuple[int, ...]
    codes: tuple[int, ...]
    ibans: tuple[int, ...]
    words: tuple[int, ...]
    first: tuple[str, ...]
    signed: bool

    @property
    def moves(self) -> bool:
        """Two accounts in each row and no sign: money moves, but nobody says on whose account."""
        return len(self.ibans) > 1 and not self.signed

    def mapping(self, name: str, headings: Sequence[str] = ()) -> tuple[Mapping, dict[str, str]]:
        """The draft as a mapping with its open questions, and the alternatives for each of them.

        headings: what stands over the columns, if anything does.
        """
        asks: dict[str, str] = {}
        columns: dict[Name, int | str] = {}
        known: tuple[tuple[Name, tuple[int, ...]], ...] = (
            (BOOKED, self.days), (AMOUNT, self.figures), (MEMO, self.words),
        )  # fmt: skip
        for field, places in known:
            columns[field] = self._called(places[0], headings) if len(places) == 1 else OPEN
            asks[f"columns.{field}"] = " or ".join(
                f"{self._called(place, headings)} ({self.first[place - 1][:30]})" for place in places
            )
        if len(self.figures) > 1:
            asks[f"columns.{AMOUNT}"] += "; or instead of amount: debit and credit, for one column each"
        if self.codes:
            columns[CURRENCY] = self._called(self.codes[0], headings)
        if headings:
            known_by: dict[str, object] = {"header": tuple(filter(None, headings))}
            found = {"name": name, "recognised_by": known_by, "columns": columns, "delimiter": self.delimiter}
            return Mapping.model_validate(found), asks
        asks |= {f"cells.{place}": cell[:30] for place, cell in enumerate(self.first, 1)}
        cells = tuple(self._pattern(place) for place in range(1, self.width + 1))
        found = {"name": name, "recognised_by": {"cells": cells}, "columns": columns, "delimiter": self.delimiter}
        return Mapping.model_validate(found), asks

    def _called(self, place: int, headings: Sequence[str]) -> int | str:
        """A column by its heading, if that is its own; else by its position."""
        heading = headings[place - 1] if headings else ""
        return heading if heading and headings.count(heading) == 1 else place

    def _pattern(self, place: int) -> str:
        if place in self.days:
            named = re.sub(r"[^\W\d_]+", lambda _: r"\w+", re.escape(self.first[place - 1]).replace(r"\ ", " "))
            return re.sub(r"\d+", lambda _: r"\d+", named)
        if place in self.figures:
            return r"[-+\d.,' $€£¥]*"
        return "[A-Z]{3}" if place in self.codes else ".*"


def draft_of(text: str) -> Draft | None:
    """What the first lines show where most of them have a day and a figure; None for anything else."""
    for delimiter in _DELIMITERS:
        rows = _rows(text, delimiter)
        width = max(map(len, rows), default=0)
        if not rows or not 3 <= width <= _WIDEST:
            continue
        columns = [[row[place] for row in rows if place < len(row) and row[place]] for place in range(width)]
        days = _places(columns, _DAY)
        figures = tuple(place for place in _places(columns, _MONEY, _DAY) if _has_cents(columns[place - 1]))
        words = tuple(
            place for place, cells in enumerate(columns, 1) if any(map(_is_wordy, cells)) and place not in days
        )
        if days and words and (figures := figures or _places(columns, _MONEY, _DAY)):
            signed = any(cell[0] in "-+" for place in figures for cell in columns[place - 1])
            first = tuple(cells[0] if cells else "" for cells in columns)
            ibans = _places(columns, _IBAN)
            return Draft(delimiter, width, days, figures, _places(columns, _CODE), ibans, words, first, signed)
    return None


def draft_below_a_header(text: str) -> tuple[Draft, tuple[str, ...]] | None:
    """The draft of what stands below the first line that may be its header, and the headings; None where no line may."""
    for above, cells in header_lines(text):
        headings = tuple(cell.replace("\ufeff", "").strip() for cell in cells)
        filled = [each for each in headings if each]
        if len(filled) < 3 or any(_DAY.fullmatch(each) or _MONEY.fullmatch(each) for each in filled):
            continue
        below = text[len(above) :].partition("\n")[2]
        found = draft_of(below)
        # Above the header another line may stand; then the first row of its table is the header itself.
        if found and not (any(found.first[len(headings) :]) or _words(found.first) & _words(filled)):
            return found, headings
    return None


def _words(cells: Sequence[str]) -> set[str]:
    return {normalised(cell) for cell in cells if cell}


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """The first rows of the width that most of them have; none where the first line alone is something else."""
    sheet = Sheet(text[:_LONGEST], -1, delimiter, ())
    try:
        found = [list(row.cells) for row in islice(sheet.rows(_WIDEST), _LINES) if not row.damage]
    except csv.Error:
        return []
    return [row for row in found if len(row) > 1]


def _places(
    columns: Sequence[Sequence[str]], wanted: re.Pattern[str], unwanted: re.Pattern[str] | None = None
) -> tuple[int, ...]:
    """Columns of which nearly every filled cell fits."""
    return tuple(
        place
        for place, cells in enumerate(columns, 1)
        if cells
        and sum(bool(wanted.fullmatch(cell)) for cell in cells) * 10 >= len(cells) * 9
        and not (unwanted and all(unwanted.fullmatch(cell) for cell in cells))
    )


def _has_cents(cells: Sequence[str]) -> bool:
    return any(re.search(r"[.,]\d{2}$", cell) for cell in cells)


def _is_wordy(cell: str) -> bool:
    return sum(map(str.isalpha, cell)) >= 4 and not _IBAN.fullmatch(cell)
