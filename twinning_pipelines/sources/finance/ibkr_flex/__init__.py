"""Interactive Brokers' Flex Query statements in XML.

From: Client Portal, "Performance & Reports", "Flex Queries": an activity or trade confirmation query, run as XML.
To: Trade, Transaction, Holding, Price, Exchange rate, and the cash of each currency as opening and closing balance.

Rows are executions, cash transactions, corporate actions, transfers, exercises, and taxes that stand on their own; open
positions with their prices, prices of the day before, and rates of currencies. Where the file lists no rates, the
`fxRateToBase` of its rows is one for each day and pair. What repeats rows is left out and told: orders, summaries and
closed lots, the statement of funds, the lots of currencies (FxTransaction), lots of a position. A conversion is a row in
each of its currencies, and a fee in another currency than its trade is one of its own. Days are those of the broker, in
New York.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import flex
from twinning_pipelines.formats.xml_feed import root_of
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import EXCHANGE_RATE, HOLDING, NO_CURRENCY, PRICE, TRADE, TRANSACTION
from twinning_pipelines.source import Claim, ExportedAt, Item, Notice, Rejection, Row, Source, gather
from twinning_pipelines.sources.finance.ibkr_flex.rows import NUMBERS, ROWS, account_of, cash_beside, row_of
from twinning_pipelines.sources.finance.ibkr_flex.survey import Survey
from twinning_pipelines.sources.finance.ibkr_flex.valuation import VALUES, Valuation

_CASH_REPORT = "CashReportCurrency"
_BASE = "BASE_SUMMARY"
# Why an element may give no row, where it is not for want of units and cash.
_SILENCE = {"ConversionRate": "unknown or told before", "PriorPeriodPosition": "told before"}
_BALANCES = (
    ("opening_balance", ("startingCash",), "fromDate"),
    ("closing_balance", ("endingCash", "endingSettledCash"), "toDate"),
)


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """The rows of every statement in the file. Raises UnreadableFile, in IBKR's own words where it made no statement."""
    root = root_of(original.head)
    if root == flex.ANSWER:
        with original.open() as stream:
            said = flex.answer(stream)
        raise UnreadableFile(f"no statement, but an answer of Interactive Brokers: {said or 'without a message'}")
    # What makes a row depends on what else is in the file, so it is read twice.
    survey = Survey()
    with original.open() as stream:
        for entry in flex.entries(stream, root):
            survey.take(entry)
    survey.decide(clock)
    with original.open() as stream:
        yield from gather(_items(flex.entries(stream, root), survey), SOURCE.records)


def _items(entries: Iterator[flex.Entry], survey: Survey) -> Iterator[Row | Rejection | Claim | ExportedAt | Notice]:
    repeated, unread, nameless = Counter[str](), Counter[str](), 0
    valuation = Valuation(survey)
    exported_at = survey.exported_at()
    if exported_at:
        yield ExportedAt(exported_at)
    for entry in entries:
        if entry.name == _CASH_REPORT:
            yield from _balances(entry, survey)
        elif repeated_as := survey.repeats(entry):
            repeated[repeated_as] += 1
        elif entry.name in ROWS | VALUES:
            told = list(_told_by(entry, survey, valuation))
            unread[f"{entry.name} {_SILENCE.get(entry.name, 'without units and cash')}"] += not told
            nameless += sum(_is_nameless(each) for each in told)
            yield from told
        elif entry.name != flex.STATEMENT:
            unread[entry.name] += 1
    if survey.finest == "ORDER":
        yield Notice("the file has orders and no executions; the orders were read")
    if nameless:
        yield Notice(f"rows that name no currency, kept as {NO_CURRENCY}: {nameless}")
    if repeated:
        yield Notice(f"left out, because they repeat other rows: {_counted(repeated)}")
    if +unread:
        yield Notice(f"left out, because they are no rows: {_counted(+unread)}")


def _told_by(entry: flex.Entry, survey: Survey, valuation: Valuation) -> Iterator[Row | Rejection]:
    """The rows of one element, the cash that it moves in another currency, and the rate beside them."""
    if entry.name in VALUES:
        rows = list(valuation.rows_of(entry))
    else:
        row = row_of(entry, survey)
        rows = [] if row is None else [row]
        rows += cash_beside(entry, row, survey) if isinstance(row, Row) else ()
    yield from rows
    if any(isinstance(row, Row) for row in rows):
        yield from valuation.rate_beside(entry)


def _is_nameless(row: Row | Rejection) -> bool:
    return isinstance(row, Row) and "account" in row.values and row.values["currency"] == NO_CURRENCY


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _balances(entry: flex.Entry, survey: Survey) -> Iterator[Claim | Notice]:
    """The cash of one currency at the beginning and the end of the statement; the sum of all of them is no balance."""
    currency, account = entry.get("currency").upper(), account_of(entry)
    if currency in ("", _BASE):
        return
    for kind, names, day_name in _BALANCES:
        text = entry.get(*names)
        if not text:
            continue
        try:
            day = survey.day_of(entry.get(day_name) or flex.said(entry.statement.get(day_name)))
            yield Claim(kind, account, day, NUMBERS.read(text), currency, entry.line)
        except ValueError as wrong:
            yield Notice(f"line {entry.line}: the {kind} of account {account} in {currency} can't be read: {wrong}")


def _recognises(original: Original) -> bool:
    return not original.is_zip and root_of(original.head) in flex.ROOTS | {flex.ANSWER}


SOURCE = Source(
    name="finance.ibkr_flex",
    title="Interactive Brokers Flex statement",
    recognition="an XML whose root is FlexQueryResponse or FlexStatements",
    records=(TRADE, TRANSACTION, HOLDING, PRICE, EXCHANGE_RATE),
    recognises=_recognises,
    parse=parse,
    version=3,
    expect_every=timedelta(days=31),
)
