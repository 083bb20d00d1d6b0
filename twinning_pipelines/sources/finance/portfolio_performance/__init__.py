"""Portfolio Performance: its file, and the tables that it exports.

From: Portfolio Performance, "File", "Save as", "XML" (best, for it has everything: accounts, trades, prices); or "File",
"Export", "CSV": all transactions, those of accounts, or the historical prices of several securities.
To: Trade, Transaction, Price, Exchange rate. A file with a password, or in the binary format, can't be read.
"""

from collections.abc import Iterator
from datetime import timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.xml_feed import root_of
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import EXCHANGE_RATE, PRICE, TRADE, TRANSACTION
from twinning_pipelines.source import Item, Source, gather
from twinning_pipelines.sources.finance.portfolio_performance import tables
from twinning_pipelines.sources.finance.portfolio_performance.objects import ROOT, Objects
from twinning_pipelines.sources.finance.portfolio_performance.portfolio import Portfolio

_LOCKED = b"PORTFOLIO"
_BINARY_MEMBER = "data.portfolio"
_XML_MEMBER = "data.xml"
_MARKS = (b"<version>", b"<securities")
_ADVICE = 'in Portfolio Performance choose "File", "Save as", "XML" and drop that file'


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Prices, trades and bookings. Raises UnreadableFile, with advice, for what is locked or binary."""
    if original.head.startswith(_LOCKED):
        raise UnreadableFile(f"a portfolio with a password; {_ADVICE}")
    member = _member(original)
    if member == _BINARY_MEMBER:
        raise UnreadableFile(f"a portfolio in the binary format; {_ADVICE}")
    if member is None and not _is_xml(original.head):
        return gather(tables.rows_of(original, clock), SOURCE.records)
    with original.open(member) as stream:
        objects = Objects(stream)
    return gather(Portfolio(objects, clock.currency).rows(), SOURCE.records)


def _member(original: Original) -> str | None:
    """What a zip holds, where Portfolio Performance has packed it."""
    names = [member.name for member in original.members]
    return names[0] if names in ([_BINARY_MEMBER], [_XML_MEMBER]) else None


def _is_xml(head: bytes) -> bool:
    return root_of(head) == ROOT and all(mark in head for mark in _MARKS)


def _recognises(original: Original) -> bool:
    if original.head.startswith(_LOCKED):
        return True
    if original.is_zip:
        member = _member(original)
        return member == _BINARY_MEMBER or (member == _XML_MEMBER and _is_xml(original.head_of(member)))
    return _is_xml(original.head) or bool(tables.table_in(original.text_head)[0])


SOURCE = Source(
    name="finance.portfolio_performance",
    title="Portfolio Performance",
    recognition="an XML whose root is `client` with a version and securities, also in a zip; a CSV with its headings in "
    "English or German; a table of days and ISINs",
    records=(TRADE, TRANSACTION, PRICE, EXCHANGE_RATE),
    recognises=_recognises,
    parse=parse,
    version=2,
    expect_every=timedelta(days=31),
)
