"""HubSpot's deals.

From: HubSpot, CRM, Deals, Export, CSV, with at least Record ID, Deal Name, Deal Stage and Create Date.
To: Deal. A stage is a label or an internal id; the portal's own words for won and lost count before the standard ones.
An open deal's close date is the expected one. The currency stands in a column or in `Amount (EUR)`, else it is the
person's own. Columns without a field are kept in `extra`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import partial

from msgspec import Struct

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.cells import CURRENCY, DAY, FLAG, MONEY, NUMBER
from twinning_pipelines.formats.columns import Cells, Column, Rest, Table, bracketed
from twinning_pipelines.original import Original
from twinning_pipelines.records.business import DEAL
from twinning_pipelines.source import Item, Notice, Rejection, Row, Source, gather

_CODE = re.compile(r"[A-Z]{3}")


class _Stage(Struct, frozen=True):
    """A stage of HubSpot's standard pipeline, with the probability that it gives its deals."""

    status: str
    probability: float


# Keys are labels without blanks and case, which are the internal ids as well.
_STAGES = {
    "appointmentscheduled": _Stage("open", 0.2),
    "qualifiedtobuy": _Stage("open", 0.4),
    "presentationscheduled": _Stage("open", 0.6),
    "decisionmakerboughtin": _Stage("open", 0.8),
    "contractsent": _Stage("open", 0.9),
    "closedwon": _Stage("won", 1.0),
    "closedlost": _Stage("lost", 0.0),
}
# Own pipelines have own labels: "Won – retainer", "Deal lost".
_BY_WORD = ((re.compile(r"\bwon\b", re.IGNORECASE), "won"), (re.compile(r"\blost\b", re.IGNORECASE), "lost"))

TABLE = Table(
    record=DEAL,
    columns=(
        Column("deal_id", ("Record ID",), required=True),
        Column("title", ("Deal Name",), required=True),
        Column("stage", ("Deal Stage",), required=True),
        Column("client", ("Associated Company", "Company Name", "Associated Company (Primary)")),
        Column("owner", ("Deal owner",)),
        Column("amount", ("Amount", "Amount ()"), MONEY),
        Column("currency", ("Currency",), CURRENCY),
        Column("probability", ("Deal probability",), NUMBER),
        Column("channel", ("Original Source", "Original Source Type", "Original Traffic Source")),
        Column("created_on", ("Create Date",), DAY, required=True),
        Column("close_day", ("Close Date",), DAY),
        Column("is_won", ("Is Closed Won",), FLAG),
        Column("is_lost", ("Is Closed Lost",), FLAG),
    ),
    marks=("Record ID", "Deal Name", "Deal Stage"),
    nothing=frozenset({"(No value)", "--"}),
    rest=Rest("extra"),
)


def _deal(currency: str, cells: Cells) -> Mapping[str, object]:
    label = cells.text("stage")
    standard = _STAGES.get("".join(filter(str.isalnum, label)).lower())
    status = _status(cells, label, standard)
    day = cells.get("close_day", date)
    return dict(cells.values) | {
        "status": status,
        "currency": cells.text("currency") or currency,
        "probability": _probability(cells, status, standard),
        "expected_on": day if status == "open" else None,
        "closed_on": None if status == "open" else day,
    }


def _status(cells: Cells, label: str, standard: _Stage | None) -> str:
    # A renamed pipeline keeps its old internal ids, so that `closedwon` may mean a lost deal there.
    for field, status in (("is_won", "won"), ("is_lost", "lost")):
        if cells.get(field, bool):
            return status
    if cells.get("is_won", bool) is False and cells.get("is_lost", bool) is False:
        return "open"
    if standard:
        return standard.status
    return next((status for word, status in _BY_WORD if word.search(label)), "open")


def _probability(cells: Cells, status: str, standard: _Stage | None) -> float | None:
    said = cells.get("probability", float)
    if said is not None:
        return said / 100 if said > 1 else said
    if status != "open":
        return 1.0 if status == "won" else 0.0
    return standard.probability if standard and standard.status == "open" else None


def _rows(original: Original, clock: Clock) -> Iterator[Row | Rejection | Notice]:
    filled = TABLE.open(original, clock)
    suffix = bracketed(filled.heading("amount")).upper()
    said = suffix if _CODE.fullmatch(suffix) else ""
    if not said and not filled.heading("currency"):
        yield Notice(f"no currency in this export, {clock.currency} is stored; add the column Currency to it")
    yield from filled.rows(partial(_deal, said or clock.currency))


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Deals, line by line. Raises UnreadableFile, also when the export has no Create Date."""
    return gather(_rows(original, clock), (DEAL,))


SOURCE = Source(
    name="business.hubspot_deals",
    title="HubSpot deals",
    recognition="a CSV with the columns Record ID, Deal Name and Deal Stage",
    records=(DEAL,),
    recognises=TABLE.recognises,
    parse=parse,
    expect_every=timedelta(days=31),
)
