"""Prices in a QIF register: each line of a `!Type:Prices` record is the price of one security on one day.

A line is `"SYMBOL",201.50,"3/31'26"`; Quicken also writes fractions, `201 1/2`. No currency is named.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

from twinning_pipelines.formats import qif
from twinning_pipelines.records.money import PRICE
from twinning_pipelines.source import Rejection, Row

_FRACTION = re.compile(r"(?:(\d{1,9})[\s-]+)?(\d{1,5})/(\d{1,5})", re.ASCII)
_DIGITS = 10

# From a text to its value, with the file's own style; raises ValueError with the field's name before the reason.
Amount = Callable[[str, str], Decimal | None]
Day = Callable[[str, str], date | None]


def prices_of(record: qif.Record, currency: str, amount: Amount, day: Day) -> Iterator[Row | Rejection]:
    """A price for each line of a record; a line that can't be read is one rejection.

    amount, day: `amount("unit_price", text)` and `day("priced_on", text)` in the styles of the file.
    """
    for symbol, price, on in record.prices:
        try:
            values = {
                "security": symbol.strip(),
                "priced_on": day("priced_on", on),
                "currency": currency,
                "unit_price": _fraction(price) or amount("unit_price", price),
            }
        except ValueError as wrong:
            yield Rejection(record.line, PRICE.name, str(wrong), record.raw)
        else:
            yield Row(PRICE, record.line, record.raw, values)


def _fraction(text: str) -> Decimal | None:
    """`12 1/2` as Quicken writes prices of before 2001; None where it is no fraction."""
    found = _FRACTION.fullmatch(text.strip())
    if found is None or not int(found[3]):
        return None
    return round(Decimal(found[1] or 0) + Decimal(found[2]) / Decimal(found[3]), _DIGITS)
