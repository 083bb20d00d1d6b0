"""The euro's reference rates, as the European Central Bank publishes them.

From: its page "Euro foreign exchange reference rates": the newest day, 90 days or all since 1999, as CSV (also in its zip)
or XML. To: Exchange rate, with the euro as base. `N/A` is no rate.
"""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import BinaryIO

from msgspec import Struct

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import dates, numbers
from twinning_pipelines.formats.delimited import MAX_BYTES, Line, Sheet, normalised, open_sheet
from twinning_pipelines.formats.text import decode
from twinning_pipelines.formats.xml_feed import XmlFeed, local, root_of
from twinning_pipelines.original import Original, as_text
from twinning_pipelines.records.money import EXCHANGE_RATE
from twinning_pipelines.source import Item, Rejection, Row, Source, gather

_BASE = "EUR"
_MARKS = ("Date", "USD", "JPY")
_HEADER = re.compile(r"\ufeff?\s*\"?Date\"?\s*[,;](\s*\"?[A-Z]{3}\"?\s*[,;]){2,}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
_VOCABULARY = b"eurofxref"
_NOTHING = frozenset({"", "N/A", "NA", "-"})
# The dot is the bank's own; a spreadsheet in another language writes its comma and separates by semicolons.
_DOT = numbers.NumberStyle(".")


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Rates, day by day. Raises UnreadableFile."""
    opened: AbstractContextManager[BinaryIO] = original.open(_table_in(original))
    rows = _cubes(original) if _is_xml(original) else _lines(opened, clock)
    return gather(rows, (EXCHANGE_RATE,))


def _lines(opened: AbstractContextManager[BinaryIO], clock: Clock) -> Iterator[Row | Rejection]:
    with opened as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UnreadableFile(f"a table of more than {MAX_BYTES // 1024**2} MiB")
    sheet = open_sheet(decode(data).text, _MARKS)
    style = dates.decide_as(clock.date_order, partial(sheet.column, "Date"))
    amounts = numbers.decide(_cells(sheet)) if sheet.delimiter == ";" else _DOT
    for line in sheet:
        yield from _day_of_line(line, _currencies(sheet), style, amounts)


def _currencies(sheet: Sheet) -> list[tuple[str, str]]:
    """Currencies and the names of their columns."""
    return [(heading, normalised(heading)) for heading in sheet.headings if _CURRENCY.fullmatch(heading.strip())]


def _cells(sheet: Sheet) -> Iterator[str]:
    names = [name for _, name in _currencies(sheet)]
    for line in sheet:
        yield from (cell for name in names if (cell := line.get(name)) not in _NOTHING)


def _day_of_line(
    line: Line, currencies: list[tuple[str, str]], style: dates.DateStyle, amounts: numbers.NumberStyle
) -> Iterator[Row | Rejection]:
    try:
        if line.damage:
            raise ValueError(line.damage)
        place = _Place(_day(line.get("date"), style), line.at, line.raw)
    except ValueError as wrong:
        yield Rejection(line.at, EXCHANGE_RATE.name, str(wrong), line.raw)
        return
    for currency, name in currencies:
        cell = line.get(name)
        if cell not in _NOTHING:
            yield place.rate(currency.strip(), cell, amounts)


def _day(text: str, style: dates.DateStyle) -> date:
    if style.ambiguous:
        raise ValueError(f"rated_on: {text!r} may be day-first or month-first; set TWINNING_DATE_ORDER to DMY or MDY")
    try:
        return style.read(text)
    except ValueError as wrong:
        raise ValueError(f"rated_on: {wrong}") from None


class _Place(Struct, frozen=True):
    """The day that some rates are of, and where they stand."""

    day: date
    at: int
    raw: str

    def rate(self, currency: str, text: str, amounts: numbers.NumberStyle) -> Row | Rejection:
        """The rate of one currency."""
        try:
            rate: Decimal = amounts.read(text)
        except ValueError as wrong:
            return Rejection(self.at, EXCHANGE_RATE.name, f"rate: {wrong} ({currency})", self.raw)
        if rate <= 0:
            return Rejection(self.at, EXCHANGE_RATE.name, f"rate: not above zero: {text} ({currency})", self.raw)
        values = {"base": _BASE, "quote": currency, "rated_on": self.day, "rate": rate}
        return Row(EXCHANGE_RATE, self.at, self.raw, values)


def _cubes(original: Original) -> Iterator[Row | Rejection]:
    """`Cube`s of days, and in them one for each currency. Raises UnreadableFile, with the line, for broken XML."""
    with original.open() as stream:
        feed = XmlFeed(stream, root_of(original.head))
        found: list[Row | Rejection] = []
        day = ""

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal day
            if local(name) != "Cube":
                return
            day = attributes.get("time", day)
            if "currency" in attributes:
                found.append(_cube(attributes, day, feed.line))

        feed.parser.StartElementHandler = start
        for _ in feed.blocks():
            yield from found
            found.clear()


def _cube(attributes: dict[str, str], day: str, line: int) -> Row | Rejection:
    currency, rate = attributes["currency"].strip().upper(), attributes.get("rate", "")
    raw = f'<Cube time="{day}" currency="{currency}" rate="{rate}"/>'
    try:
        return _Place(date.fromisoformat(day), line, raw).rate(currency, rate, _DOT)
    except ValueError:
        return Rejection(line, EXCHANGE_RATE.name, f"rated_on: not a date: {day[:60]!r}", raw)


def _is_xml(original: Original) -> bool:
    return local(root_of(original.head)) == "Envelope" and _VOCABULARY in original.head


def _table_in(original: Original) -> str | None:
    """The member of a zip that holds the table; None for any other file."""
    return original.members[0].name if original.is_zip else None


def _recognises(original: Original) -> bool:
    if not original.is_zip:
        return _is_xml(original) or _HEADER.match(original.text_head) is not None
    if len(original.members) != 1 or not original.members[0].name.lower().endswith(".csv"):
        return False
    return _HEADER.match(as_text(original.head_of(original.members[0].name))) is not None


SOURCE = Source(
    name="finance.ecb_rates",
    title="Reference rates of the European Central Bank",
    recognition="a CSV, alone in a zip or not, with a day and a column for each currency, USD and JPY first; an XML "
    "envelope of `eurofxref`",
    records=(EXCHANGE_RATE,),
    recognises=_recognises,
    parse=parse,
    expect_every=timedelta(days=31),
)
