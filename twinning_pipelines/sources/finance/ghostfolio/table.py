"""Ghostfolio's CSV of activities: `Date, Code, DataSource, Currency, Price, Quantity, Action, Fee, Note`."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.cells import DAY, MONEY
from twinning_pipelines.formats.columns import Column, Rest, Table, text_of
from twinning_pipelines.formats.delimited import header_lines, normalised, open_sheet
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import TRADE, UNNAMED_ACCOUNT
from twinning_pipelines.source import Notice, Rejection, Row
from twinning_pipelines.sources.finance.ghostfolio.activity import MANUAL, Activity, Security, values_of

# The headings that Ghostfolio itself knows, in any case.
_TABLE = Table(
    record=TRADE,
    columns=(
        Column("day", ("Date", "TradeDate"), DAY, required=True),
        Column("code", ("Code", "Symbol", "Ticker"), required=True),
        Column("data_source", ("DataSource",)),
        Column("coin", ("Currency", "CCY", "CurrencyPrimary"), required=True),
        Column("price", ("Price", "UnitPrice", "TradePrice", "Value"), MONEY, required=True),
        Column("quantity", ("Quantity", "Qty", "Shares", "Units"), MONEY, required=True),
        Column("kind", ("Action", "Type", "Buy/Sell"), required=True),
        Column("fee", ("Fee", "Commission", "IBCommission"), MONEY, default=Decimal(0)),
        Column("note", ("Note", "Comment")),
        Column("holder", ("Account", "AccountId")),
    ),
    marks=("Date",),
    rest=Rest("extra"),
)
_REQUIRED = tuple(column for column in _TABLE.columns if column.required or column.field == "fee")


def header_in(text: str) -> tuple[str, ...]:
    """The headings by which a text is known for Ghostfolio's table; empty where it is none.

    Its own mark is a column DataSource, or Code beside Action: other programs write dates, symbols and prices as well.
    """
    for _, headings in header_lines(text):
        there = {normalised(heading): heading for heading in headings}
        found = [
            next((there[normalised(each)] for each in column.headings if normalised(each) in there), "")
            for column in _REQUIRED
        ]
        if all(found) and ("datasource" in there or {"code", "action"} <= set(there)):
            return tuple(found)
    return ()


def rows_of(original: Original, clock: Clock) -> Iterator[Row | Rejection | Notice]:
    """The activities, line by line. Raises UnreadableFile."""
    text = text_of(original)
    header = header_in(text)
    if not header:
        raise UnreadableFile("no header line with the columns of Ghostfolio's activities")
    for item in _TABLE.over(open_sheet(text, header), clock).rows():
        if not isinstance(item, Row):
            yield item
            continue
        try:
            record, values = values_of(_activity(item.values))
        except ValueError as wrong:
            yield Rejection(item.at, TRADE.name, str(wrong), item.raw)
        else:
            yield Row(record, item.at, item.raw, values)


def _activity(cells: Mapping[str, object]) -> Activity:
    is_manual = str(cells["data_source"] or "").upper() == MANUAL
    code, day, extra = str(cells["code"]), cells["day"], cells["extra"]
    return Activity(
        account=str(cells["holder"] or UNNAMED_ACCOUNT),
        day=day if isinstance(day, date) else None,
        kind=str(cells["kind"]),
        security=Security(code, "" if is_manual else code, code if is_manual else "", is_manual),
        currency=str(cells["coin"]),
        quantity=_number(cells["quantity"]),
        unit_price=_number(cells["price"]),
        fee=_number(cells["fee"]),
        note=str(cells["note"] or ""),
        rest={**(json.loads(extra) if isinstance(extra, str) else {}), "dataSource": cells["data_source"]},
    )


def _number(cell: object) -> Decimal:
    return cell if isinstance(cell, Decimal) else Decimal(0)
