"""Business expenses from a table kept by hand.

From: our own template, `expenses.csv`. To: Expense.
"""

from collections.abc import Iterator
from datetime import timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.cells import CURRENCY, DAY, MONEY
from twinning_pipelines.formats.columns import Column, Table
from twinning_pipelines.original import Original
from twinning_pipelines.records.business import EXPENSE
from twinning_pipelines.source import Item, Source, gather

TABLE = Table(
    record=EXPENSE,
    columns=(
        Column("spent_on", ("spent_on",), DAY, required=True),
        Column("vendor", ("vendor",), required=True),
        Column("reference", ("reference",), default="", meaning="receipt number, where there is one"),
        Column("amount", ("amount",), MONEY, required=True),
        Column("currency", ("currency",), CURRENCY, required=True),
        Column("tax", ("tax",), MONEY),
        Column("category", ("category",)),
        Column("client", ("client",)),
        Column("project", ("project",)),
        Column("note", ("note",)),
    ),
    marks=("spent_on", "vendor", "amount"),
)


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Expenses, line by line. Raises UnreadableFile."""
    return gather(TABLE.rows(original, clock), (EXPENSE,))


SOURCE = Source(
    name="business.expenses",
    title="Business expenses, our template",
    recognition="a CSV with the columns spent_on, vendor and amount",
    records=(EXPENSE,),
    recognises=TABLE.recognises,
    parse=parse,
    expect_every=timedelta(days=31),
    template="expenses.csv",
)
