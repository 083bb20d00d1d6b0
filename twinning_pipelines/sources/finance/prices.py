"""Prices of securities, or of anything that is owned, from a table kept by hand.

From: our own template, `prices.csv`. To: Price.
"""

from collections.abc import Iterator

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.cells import CURRENCY, DAY, MONEY
from twinning_pipelines.formats.columns import Column, Rest, Table
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import PRICE
from twinning_pipelines.source import Item, Source, gather

TABLE = Table(
    record=PRICE,
    columns=(
        Column("security", ("security",), required=True, meaning="ISIN, ticker or name, as your trades call it"),
        Column("priced_on", ("day", "date"), DAY, required=True),
        Column("unit_price", ("price",), MONEY, required=True),
        Column("currency", ("currency",), CURRENCY, required=True),
    ),
    marks=("security", "price", "currency"),
    # Lists of trades name a security and a price, too.
    without=("units", "quantity", "shares", "amount", "account", "type", "action", "fees", "total"),
    rest=Rest("extra"),
)


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Prices, line by line. Raises UnreadableFile."""
    return gather(TABLE.rows(original, clock), (PRICE,))


SOURCE = Source(
    name="finance.prices",
    title="Prices, our template",
    recognition="a CSV with the columns security, price and currency, and none of units, amounts or accounts",
    records=(PRICE,),
    recognises=TABLE.recognises,
    parse=parse,
    template="prices.csv",
)
