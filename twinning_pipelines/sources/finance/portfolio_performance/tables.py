"""Portfolio Performance's tables: bookings of cash and securities accounts, and prices of several securities side by side.

A table names no account: that stands only in the name of its file. So does the security of a list of its prices alone.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import dates, numbers
from twinning_pipelines.formats.cells import CURRENCY, DAY, MONEY
from twinning_pipelines.formats.columns import Column, Rest, Table, text_of
from twinning_pipelines.formats.delimited import Line, header_lines, normalised, open_sheet
from twinning_pipelines.formats.json_values import detail_of
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import NO_CURRENCY, PRICE, TRADE, TRANSACTION, UNNAMED_ACCOUNT, key_of
from twinning_pipelines.records.record import Record
from twinning_pipelines.source import Notice, Rejection, Row
from twinning_pipelines.sources.finance.portfolio_performance.kinds import kind_of
from twinning_pipelines.sources.finance.portfolio_performance.portfolio import price_of

_BOOKINGS = Table(
    record=TRADE,
    columns=(
        Column("day", ("Date", "Datum"), DAY, required=True),
        Column("kind", ("Type", "Typ"), required=True),
        Column("worth", ("Value", "Wert"), MONEY, required=True),
        Column("coin", ("Transaction Currency", "Buchungswährung"), CURRENCY),
        Column("gross_amount", ("Gross Amount", "Bruttobetrag"), MONEY),
        Column("gross_currency", ("Currency Gross Amount", "Währung Bruttobetrag")),
        Column("rate", ("Exchange Rate", "Wechselkurs"), MONEY),
        Column("costs", ("Fees", "Gebühren"), MONEY, default=Decimal(0)),
        Column("taxes", ("Taxes", "Steuern"), MONEY, default=Decimal(0)),
        Column("shares", ("Shares", "Stück"), MONEY),
        Column("isin", ("ISIN",)),
        Column("wkn", ("WKN",)),
        Column("symbol", ("Ticker Symbol", "Ticker-Symbol")),
        Column("title", ("Security Name", "Wertpapiername")),
        Column("note", ("Note", "Notiz")),
        Column("cash_account", ("Cash Account", "Konto")),
        Column("securities_account", ("Securities Account", "Depot")),
    ),
    marks=("Date",),
    rest=Rest("extra"),
)
# By these headings a table of bookings is known.
_MARKS = tuple(each for each in _BOOKINGS.columns if each.field in ("day", "kind", "worth", "shares", "isin", "costs"))
_DAYS = ("date", "datum")
_QUOTES = ("quote", "kurs")
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}\d")


def table_in(text: str) -> tuple[str, tuple[str, ...]]:
    """What a text holds (`bookings`, `prices`, `one security`) and its headings; empty where it is none of these."""
    for _, headings in header_lines(text):
        there = {normalised(heading): heading for heading in headings}
        found = [_heading_of(column, there) for column in _MARKS]
        if all(found):
            return "bookings", tuple(found)
        first, *others = headings
        if normalised(first) in _DAYS and others:
            if [normalised(each) for each in others] in ([name] for name in _QUOTES):
                return "one security", tuple(headings)
            if any(map(_ISIN.fullmatch, map(str.strip, others))):
                return "prices", (first, *(each for each in others if _ISIN.fullmatch(each.strip())))
    return "", ()


def _heading_of(column: Column, there: Mapping[str, str]) -> str:
    return next((there[normalised(each)] for each in column.headings if normalised(each) in there), "")


def rows_of(original: Original, clock: Clock) -> Iterator[Row | Rejection | Notice]:
    """Every row. Raises UnreadableFile, also for the prices of one security, for they don't say of which."""
    text = text_of(original)
    what, headings = table_in(text)
    if what == "one security":
        raise UnreadableFile(
            "prices that don't say of which security; export the prices of several securities in one file, or save the "
            "portfolio as XML and drop that"
        )
    if not what:
        raise UnreadableFile("no header line with columns of Portfolio Performance")
    yield from _bookings(text, headings, clock) if what == "bookings" else _prices(text, headings, clock)


def _bookings(text: str, headings: tuple[str, ...], clock: Clock) -> Iterator[Row | Rejection | Notice]:
    unnamed = 0
    for item in _BOOKINGS.over(open_sheet(text, headings), clock).rows():
        if not isinstance(item, Row):
            yield item
            continue
        try:
            record, values = _booking(item.values, clock)
        except ValueError as wrong:
            yield Rejection(item.at, TRADE.name, str(wrong), item.raw)
            continue
        unnamed += values["account"] == UNNAMED_ACCOUNT
        yield Row(record, item.at, item.raw, values)
    if unnamed:
        yield Notice(
            f"the table does not name its account; its rows are kept under {UNNAMED_ACCOUNT!r}. "
            "The portfolio saved as XML names them"
        )


def _booking(cells: Mapping[str, object], clock: Clock) -> tuple[Record, dict[str, object]]:
    """The record and its values: what changes units is a trade, all else a booking, dividends included."""
    kind = kind_of(str(cells["kind"]))
    worth, shares = _number(cells["worth"]), abs(_number(cells["shares"]))
    security = next((str(cells[name]) for name in ("isin", "symbol", "wkn", "title") if cells[name]), "")
    costs = _number(cells["costs"]) + _number(cells["taxes"])
    shared = {
        "currency": cells["coin"] or clock.currency,
        "key": key_of("", kind.name, security, shares, abs(worth), str(cells["note"] or "")),
        "bank_id": "",
        "memo": str(cells["note"] or ""),
    }
    if not kind.units or not shares:
        return TRANSACTION, shared | {
            "account": cells["cash_account"] or cells["securities_account"] or UNNAMED_ACCOUNT,
            "booked_on": cells["day"],
            "amount": kind.cash * abs(worth),
            "payee": "",
            "memo": shared["memo"] or str(cells["title"] or ""),
            "kind": kind.name,
            "extra": _rest(cells, security=security, fees=str(costs or ""), shares=str(shares or "")),
        }
    moves_cash = kind.cash and not kind.name.startswith("TRANSFER")
    return TRADE, shared | {
        "account": cells["securities_account"] or cells["cash_account"] or UNNAMED_ACCOUNT,
        "traded_on": cells["day"],
        "action": kind.name,
        "security": security,
        "total": kind.cash * abs(worth) if moves_cash else None,
        "units": kind.units * shares,
        "unit_price": price_of(kind, worth, costs, shares),
        "fees": costs,
        "ticker": cells["symbol"],
        "security_name": cells["title"],
        "memo": shared["memo"] or None,
        "extra": _rest(cells),
    }


def _number(cell: object) -> Decimal:
    return cell if isinstance(cell, Decimal) else Decimal(0)


def _rest(cells: Mapping[str, object], **more: str) -> str | None:
    kept = cells["extra"]
    told: dict[str, object] = {**(json.loads(kept) if isinstance(kept, str) else {}), "wkn": cells["wkn"], **more}
    told |= {name: str(cells[name]) for name in ("gross_amount", "gross_currency", "rate") if cells[name] is not None}
    told |= {"taxes": str(cells["taxes"])} if cells["taxes"] else {}
    return detail_of(told)


def _prices(text: str, headings: tuple[str, ...], clock: Clock) -> Iterator[Row | Rejection | Notice]:
    """A day on each line, a security in each column; no currency anywhere."""
    sheet = open_sheet(text, headings)
    day_name = normalised(headings[0])
    columns = [(heading.strip(), normalised(heading)) for heading in sheet.headings[1:] if heading.strip()]
    cells = (cell for line in sheet for _, name in columns if (cell := line.get(name)))
    amounts = numbers.decide(cells, "," if sheet.delimiter == ";" else ".")
    days = dates.decide_as(clock.date_order, lambda: sheet.column(headings[0]))
    yield Notice(f"the table names no currency; its prices are kept as {NO_CURRENCY}")
    for line in sheet:
        for security, name in columns:
            if line.damage or line.get(name):
                yield _price_row(line, security, line.get(name), (line.get(day_name), days), amounts)
            if line.damage:
                break


def _price_row(
    line: Line, security: str, cell: str, day: tuple[str, dates.DateStyle], amounts: numbers.NumberStyle
) -> Row | Rejection:
    try:
        if line.damage:
            raise ValueError(line.damage)
        priced_on = _read_day(*day)
        price = amounts.read(cell)
    except ValueError as wrong:
        return Rejection(line.at, PRICE.name, f"{security}: {wrong}", line.raw)
    values = {"security": security, "priced_on": priced_on, "currency": NO_CURRENCY, "unit_price": price}
    return Row(PRICE, line.at, line.raw, values)


def _read_day(text: str, style: dates.DateStyle) -> date:
    if style.ambiguous:
        raise ValueError(f"{text!r} may be day-first or month-first; set TWINNING_DATE_ORDER to DMY or MDY")
    return style.read(text)
