"""A bank's CSV opened by a mapping: its lines by position, told apart into bookings and what else stands between them."""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Words
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.delimited import CellRow, Sheet, normalised, open_sheet
from twinning_pipelines.formats.text import without_accents
from twinning_pipelines.sources.finance.bank_csv import headings
from twinning_pipelines.sources.finance.bank_csv.mapping import (
    BOOKED,
    MEMO,
    MONEY,
    OPEN,
    PAYEE,
    TEXTS,
    Mapping,
    Name,
)
from twinning_pipelines.sources.finance.bank_csv.proposal import bare

_DELIMITERS = (",", ";", "\t", "|")
_WIDEST = 1_000
_LONGEST_BALANCE = max(map(len, headings.BALANCES))
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_DIGIT = re.compile(r"\d")
# The shortest day is like 5 Mar 26; the longest currency like Rupees.
_DAY_DIGITS, _CURRENCY_LETTERS = 3, 6
HEADER_AGAIN, PENDING, NEVER, TOTAL, REMARK, BY_MAPPING = (
    "the header again", "not booked yet", "never booked", "a total", "neither a day nor an amount",
    "left out by the mapping",
)  # fmt: skip


class Entry(NamedTuple):
    """A line of the file. aside: why it is no booking; empty for one. more: what the lines below add to its words."""

    line: CellRow
    aside: str = ""
    more: str = ""


class Statement(Struct, frozen=True):
    """An opened file. headings: one for each column, all different. places: which columns fill a field, from 0."""

    mapping: Mapping
    sheet: Sheet
    headings: tuple[str, ...]
    places: Words[Name, tuple[int, ...]]

    def entries(self) -> Iterator[Entry]:
        """Every line that is not blank, in the order of the file; a line of mere words belongs to the booking above it."""
        waiting: Entry | None = None
        day_place = self.places[BOOKED][0]
        money = [place for field in MONEY for place in self.places.get(field, ())]
        states = [place for place, heading in enumerate(self.headings) if bare(heading) in headings.STATE]
        for line in self.sheet.rows(_WIDEST if self.mapping.surplus == "memo" else None):
            aside = "" if line.damage else self._aside(line.cells, day_place, money, states)
            if aside == REMARK and waiting and not waiting.aside and (more := self._only_words(line.cells)):
                waiting = Entry(CellRow(waiting.line.at, f"{waiting.line.raw}\n{line.raw}", waiting.line.cells,
                                        waiting.line.damage), "", f"{waiting.more} {more}".strip())  # fmt: skip
                continue
            if waiting:
                yield waiting
            waiting = Entry(line, aside)
        if waiting:
            yield waiting

    def texts(self, cells: Sequence[str]) -> dict[Name, str]:
        """What each field holds, as `cell` says it; quicker for all of them."""
        count = len(cells)
        return {
            field: (cells[places[0]] if places[0] < count else "") if len(places) == 1 else self.cell(cells, field)
            for field, places in self.places.items()
        }

    def cell(self, cells: Sequence[str], field: Name) -> str:
        """The cell of a field; empty where there is none. Words of several columns are joined by blanks."""
        places = self.places.get(field)
        if places is None:
            return ""
        if len(places) == 1:
            return cells[places[0]] if places[0] < len(cells) else ""
        return " ".join(cells[place] for place in places if place < len(cells) and cells[place])

    def _is_left_out(self, cells: Sequence[str]) -> bool:
        return any(re.fullmatch(pattern, self._named(cells, name)) for name, pattern in self.mapping.leave_out.items())

    def _aside(self, cells: Sequence[str], day_place: int, money: Sequence[int], states: Sequence[int]) -> str:
        left_out = BY_MAPPING if self.mapping.leave_out and self._is_left_out(cells) else ""
        if left_out or (states and (left_out := _unbooked(cells, states))):
            return left_out
        count = len(cells)
        day = cells[day_place] if day_place < count else ""
        figures = [cells[place] for place in money if place < count and cells[place]]
        # Nearly every day begins and ends with a digit; counting is for the others.
        if (day[:1].isdigit() and day[-2:].isdigit()) or sum(map(str.isdigit, day)) >= _DAY_DIGITS:
            is_total = self._states_a_balance(cells) or (not figures and self._adds_up(cells))
            return TOTAL if is_total else ""
        if self.mapping.has_header and normalised(day) == normalised(self.headings[day_place]):
            return HEADER_AGAIN
        if _folded(day) in headings.PENDING:
            return PENDING
        if self._adds_up(cells):
            return TOTAL
        return "" if any(map(_is_figure, figures)) else REMARK

    def _named(self, cells: Sequence[str], name: str | int) -> str:
        if isinstance(name, int):
            return cells[name - 1] if name <= len(cells) else ""
        if name in self.places:
            return self.cell(cells, name)  # type: ignore[arg-type]
        place = _place_of(name, self.headings)
        return cells[place] if place is not None and place < len(cells) else ""

    def _adds_up(self, cells: Sequence[str]) -> bool:
        taken = (each.casefold() for field in (BOOKED, MEMO, PAYEE) if (each := self.cell(cells, field)))
        return any(each.startswith(headings.TOTALS) for each in taken)

    def _states_a_balance(self, cells: Sequence[str]) -> bool:
        for field in (MEMO, PAYEE):
            cell = self.cell(cells, field)
            # Nearly every payee is longer, or met again and again.
            if cell and len(cell) <= _LONGEST_BALANCE and _folded(cell) in headings.BALANCES:
                return True
        return False

    def _only_words(self, cells: Sequence[str]) -> str:
        """The words of a line that has nothing else; empty where it has."""
        filled = {place for place, cell in enumerate(cells) if cell}
        # What stands at the very front is more likely a remark of the bank below its list.
        if min(filled) < self.places[BOOKED][0]:
            return ""
        words = {place for field in TEXTS for place in self.places.get(field, ())}
        return self.cell(cells, MEMO) if filled <= words else ""


def _unbooked(cells: Sequence[str], states: Sequence[int]) -> str:
    """Why a line is no booking by what became of it; empty where nothing says so."""
    found = {_folded(cells[place]) for place in states if place < len(cells)}
    return NEVER if found & headings.NEVER else PENDING if found & headings.PENDING else ""


@lru_cache(maxsize=8_192)
def _folded(cell: str) -> str:
    return without_accents(cell.casefold())


def _is_figure(cell: str) -> bool:
    """Does it hold digits, and no more letters than a currency has?"""
    return _DIGIT.search(cell) is not None and sum(map(str.isalpha, cell)) <= _CURRENCY_LETTERS


def iban_in(text: str) -> str:
    """The first IBAN in a text, without its blanks; empty where there is none."""
    found = _IBAN.search(text)
    return found[0].replace(" ", "") if found else ""


def opened(text: str, mapping: Mapping) -> Statement:
    """The file of a mapping that fits it. Raises UnreadableFile."""
    if mapping.opened:
        raise UnreadableFile(
            f"the mapping {mapping.name} leaves {mapping.opened[0]} open; set it to a heading or position"
        )
    sheet = _sheet(text, mapping)
    found = _unlike(sheet.headings)
    places: dict[Name, tuple[int, ...]] = {}
    for field, place in mapping.places():
        at = place - 1 if isinstance(place, int) else _place_of(place, found)
        if at is None or at >= len(found):
            raise UnreadableFile(f"no column {place!r}, which the mapping {mapping.name} names as columns.{field}")
        places[field] = (*places.get(field, ()), at)
    return Statement(mapping, sheet, found, places)


def fits(text: str, mapping: Mapping) -> bool:
    """Is this the head of a file that the mapping is for?"""
    known = mapping.recognised_by
    if known.header:
        try:
            sheet = _sheet(text, mapping)
        except UnreadableFile:
            return False
        if not known.first_row:
            return True
        first = next(sheet.rows(_WIDEST), None)
        found = _unlike(sheet.headings)
        cells = {normalised(name): cell for name, cell in zip(found, first.cells if first else (), strict=False)}
        return all(re.fullmatch(pattern, cells.get(normalised(name), "")) for name, pattern in known.first_row.items())
    return _delimiter_of(text, mapping) is not None


def _sheet(text: str, mapping: Mapping) -> Sheet:
    known = mapping.recognised_by
    if known.header:
        sheet = open_sheet(text, known.header)
        if mapping.delimiter not in (OPEN, sheet.delimiter):
            raise UnreadableFile(
                f"its header is not divided by {mapping.delimiter!r}, as the mapping {mapping.name} says"
            )
        return sheet
    delimiter = _delimiter_of(text, mapping)
    if delimiter is None:
        raise UnreadableFile(f"its columns are not those of the mapping {mapping.name}")
    return _without_header(text, delimiter, mapping)


def _without_header(text: str, delimiter: str, mapping: Mapping) -> Sheet:
    known = mapping.recognised_by
    return Sheet(text, known.lines_above - 1, delimiter, ("",) * len(known.cells))


def _delimiter_of(text: str, mapping: Mapping) -> str | None:
    """The delimiter by which the first line and most of those that follow fit the patterns of the columns."""
    known = mapping.recognised_by
    patterns = [re.compile(each) for each in known.cells]
    for delimiter in _DELIMITERS if mapping.delimiter == OPEN else (mapping.delimiter,):
        good = total = 0
        for line in _without_header(text[:20_000], delimiter, mapping).rows(_WIDEST):
            fit = _fit(line.cells, patterns)
            if total == 0 and not fit:
                break
            good += fit
            total += 1
            if total == 20:
                break
        # Remarks and totals stand among bookings; the last line of a head may be cut.
        if good and good * 3 >= total * 2:
            return delimiter
    return None


def _fit(cells: Sequence[str], patterns: Sequence[re.Pattern[str]]) -> bool:
    if any(cells[len(patterns) :]):
        return False
    return all(
        pattern.fullmatch(cells[place] if place < len(cells) else "") is not None
        for place, pattern in enumerate(patterns)
    )


def _unlike(found: Sequence[str]) -> tuple[str, ...]:
    """Headings that tell the columns apart: a number behind the second of a name, `column 4` for none."""
    seen: dict[str, int] = {}
    unlike: list[str] = []
    for place, heading in enumerate(found, 1):
        name = normalised(heading)
        seen[name] = seen.get(name, 0) + 1
        unlike.append(f"column {place}" if not name else heading if seen[name] == 1 else f"{heading} ({seen[name]})")
    return tuple(unlike)


def _place_of(name: str, found: Sequence[str]) -> int | None:
    wanted = normalised(name)
    return next((place for place, heading in enumerate(found) if normalised(heading) == wanted), None)
