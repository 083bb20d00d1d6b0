"""Exchange rates from a table kept by hand.

From: our own template, `exchange_rates.csv`. To: Exchange rate.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.cells import CURRENCY, DAY, MONEY
from twinning_pipelines.formats.columns import Cells, Column, Table
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import EXCHANGE_RATE
from twinning_pipelines.source import Item, Source, gather

TABLE = Table(
    record=EXCHANGE_RATE,
    columns=(
        Column("base", ("base",), CURRENCY, required=True),
        Column("quote", ("quote",), CURRENCY, required=True),
        Column("rated_on", ("day", "date"), DAY, required=True),
        Column("rate", ("rate",), MONEY, required=True),
    ),
    marks=("base", "quote", "rate"),
)


def _rate(cells: Cells) -> Mapping[str, object]:
    rate = cells.get("rate", Decimal)
    if rate is not None and rate <= 0:
        raise ValueError(f"rate: not above zero: {rate}")
    return cells.values


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Rates, line by line. Raises UnreadableFile."""
    return gather(TABLE.rows(original, clock, _rate), (EXCHANGE_RATE,))


SOURCE = Source(
    name="finance.exchange_rates",
    title="Exchange rates, our template",
    recognition="a CSV with the columns base, quote and rate",
    records=(EXCHANGE_RATE,),
    recognises=TABLE.recognises,
    parse=parse,
    template="exchange_rates.csv",
)
