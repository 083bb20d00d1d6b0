"""Invoices from a table kept by hand.

From: our own template, `invoices.csv`. To: Invoice. `gross` may be left out where net and tax are given, and `status`
where the amounts and days tell it; net and tax that do not add up to gross are stored as written and reported.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct, field

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.cells import CURRENCY, DAY, MONEY, words
from twinning_pipelines.formats.columns import Cells, Column, Table
from twinning_pipelines.original import Original
from twinning_pipelines.records.business import INVOICE
from twinning_pipelines.source import Item, Notice, Rejection, Row, Source, gather

_STATUS = words(
    {"draft": (), "sent": ("open",), "partial": ("partially paid",), "paid": (), "void": ("cancelled", "canceled")}
)
# Tax is rounded for each line of an invoice, and once more for its total.
_ROUNDING = Decimal("0.05")
_SHOWN = 5

TABLE = Table(
    record=INVOICE,
    columns=(
        Column("number", ("number",), required=True),
        Column("client", ("client",), required=True),
        Column("project", ("project",)),
        Column("issued_on", ("issued_on",), DAY, required=True),
        Column("due_on", ("due_on",), DAY),
        Column("paid_on", ("paid_on",), DAY),
        Column("net", ("net",), MONEY),
        Column("tax", ("tax",), MONEY),
        Column("gross", ("gross",), MONEY, meaning="amount to pay; may be left out beside net and tax"),
        Column("paid", ("paid",), MONEY),
        Column("currency", ("currency",), CURRENCY, required=True),
        Column(
            "status", ("status",), _STATUS, meaning="where it stands; where left out, what the days and amounts say"
        ),
        Column("note", ("note",)),
    ),
    marks=("number", "client", "issued_on", "gross"),
)


class _Shaper(Struct):
    """Turns rows into invoices. unequal: numbers of those whose net and tax are not their gross."""

    unequal: list[str] = field(default_factory=list)

    def invoice(self, cells: Cells) -> Mapping[str, object]:
        """One invoice. Raises ValueError."""
        net, tax, gross = (cells.get(name, Decimal) for name in ("net", "tax", "gross"))
        if gross is None and net is not None and tax is not None:
            gross = net + tax
        if gross is None:
            raise ValueError("gross: empty, and net and tax do not give it")
        if net is not None and tax is not None and abs(net + tax - gross) > _ROUNDING:
            self.unequal.append(cells.text("number"))
        return dict(cells.values) | {"gross": gross, "status": cells.text("status") or _status(cells, gross)}


def _status(cells: Cells, gross: Decimal) -> str:
    paid = cells.get("paid", Decimal) or Decimal(0)
    if cells.get("paid_on", date) or (paid and abs(paid) >= abs(gross)):
        return "paid"
    return "partial" if paid else "sent"


def _rows(original: Original, clock: Clock) -> Iterator[Row | Rejection | Notice]:
    shaper = _Shaper()
    yield from TABLE.rows(original, clock, shaper.invoice)
    if shaper.unequal:
        more = "…" if len(shaper.unequal) > _SHOWN else ""
        yield Notice(f"net and tax do not add up to gross: invoice {', '.join(shaper.unequal[:_SHOWN])}{more}")


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Invoices, line by line. Raises UnreadableFile."""
    return gather(_rows(original, clock), (INVOICE,))


SOURCE = Source(
    name="business.invoices",
    title="Invoices, our template",
    recognition="a CSV with the columns number, client, issued_on and gross",
    records=(INVOICE,),
    recognises=TABLE.recognises,
    parse=parse,
    expect_every=timedelta(days=31),
    template="invoices.csv",
)
