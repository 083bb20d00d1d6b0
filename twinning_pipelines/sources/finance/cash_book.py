"""A cash book kept by hand: what no bank tells, in the wallet, in a savings box, lent to a friend.

From: our own template, `cash_book.csv`. To: Transaction.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.cells import CURRENCY, DAY, MONEY
from twinning_pipelines.formats.columns import Cells, Column, Rest, Table
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import TRANSACTION, key_of
from twinning_pipelines.source import Item, Source, gather

TABLE = Table(
    record=TRANSACTION,
    columns=(
        Column("account", ("own account",), required=True, meaning="what you call the account: Wallet, Savings box, …"),
        Column("booked_on", ("day",), DAY, required=True),
        Column("amount", ("amount",), MONEY, required=True, meaning="negative when money leaves"),
        Column("currency", ("currency",), CURRENCY, required=True),
        Column("payee", ("payee",), default=""),
        Column("memo", ("note",), default=""),
        Column("category", ("category",)),
        Column("transfer_account", ("transfer to",), meaning="the own account on the other side, for a transfer"),
    ),
    marks=("own account", "day", "amount"),
    rest=Rest("extra"),
)


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Bookings, line by line. Raises UnreadableFile."""
    return gather(TABLE.rows(original, clock, _booking), (TRANSACTION,))


def _booking(cells: Cells) -> Mapping[str, object]:
    return {**cells.values, "bank_id": "", "key": key_of("", cells.text("payee"), cells.text("memo"))}


SOURCE = Source(
    name="finance.cash_book",
    title="Cash book, our template",
    recognition="a CSV with the columns own account, day and amount",
    records=(TRANSACTION,),
    recognises=TABLE.recognises,
    parse=parse,
    expect_every=timedelta(days=62),
    template="cash_book.csv",
)
