"""Deals from a table kept by hand.

From: our own template, `deals.csv`. To: Deal. Columns that the template does not have are kept in `extra`.
"""

from collections.abc import Iterator
from datetime import timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.cells import CURRENCY, DAY, MONEY, SHARE, words
from twinning_pipelines.formats.columns import Column, Rest, Table
from twinning_pipelines.original import Original
from twinning_pipelines.records.business import DEAL
from twinning_pipelines.source import Item, Source, gather

_STATUS = words({"open": (), "won": ("closed won",), "lost": ("closed lost",)})

TABLE = Table(
    record=DEAL,
    columns=(
        Column("deal_id", ("deal_id",), required=True, meaning="your own id, which stays the same for ever"),
        Column("title", ("title",), required=True),
        Column("client", ("client",)),
        Column("owner", ("owner",)),
        Column("stage", ("stage",), required=True, meaning="where it stands, in your words"),
        Column("status", ("status",), _STATUS, required=True),
        Column("amount", ("amount",), MONEY),
        Column("currency", ("currency",), CURRENCY, required=True),
        Column("probability", ("probability",), SHARE),
        Column("channel", ("channel",)),
        Column("created_on", ("created_on",), DAY, required=True),
        Column("expected_on", ("expected_on",), DAY),
        Column("closed_on", ("closed_on",), DAY),
    ),
    marks=("deal_id", "title", "stage", "status"),
    rest=Rest("extra"),
)


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Deals, line by line. Raises UnreadableFile."""
    return gather(TABLE.rows(original, clock), (DEAL,))


SOURCE = Source(
    name="business.deals",
    title="Deals, our template",
    recognition="a CSV with the columns deal_id, title, stage and status",
    records=(DEAL,),
    recognises=TABLE.recognises,
    parse=parse,
    expect_every=timedelta(days=31),
    template="deals.csv",
)
