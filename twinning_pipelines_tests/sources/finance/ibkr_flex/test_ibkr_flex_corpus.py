"""Every Flex statement that we could collect: all are read, and lxml, by the same rules, counts the same rows."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.source import Batch, Claim
from twinning_pipelines.sources.finance.ibkr_flex import SOURCE
from twinning_pipelines_tests.formats.corpus import corpus_files
from twinning_pipelines_tests.goldens import BERLIN, reasons, rows
from twinning_pipelines_tests.sources.finance.ibkr_flex.cash import moved

FILES = corpus_files("finance/investment")
# The only one that holds every section its cash report sums up.
WHOLE = "portfolio__testIBFlexStatementFile14.xml"


def counted(path: Path) -> Counter[str]:
    """Rows by their record, counted by hand."""
    root = etree.parse(path).getroot()
    executions = [each for each in root.iter("Trade") if each.get("levelOfDetail") in (None, "EXECUTION")]
    cash = list(root.iter("CashTransaction"))
    if any(each.get("levelOfDetail") == "DETAIL" for each in cash):
        cash = [each for each in cash if each.get("levelOfDetail") != "SUMMARY"]
    tied = [each for each in cash if each.get("isin") or each.get("conid") or each.get("symbol")]
    events = [each for each in root.iter("CorporateAction", "OptionEAE", "Transfer") if each.get("quantity")]
    found = Counter(
        trade=len(executions) + sum(map(_beside, executions)) + len(tied) + len(events),
        transaction=len(cash) - len(tied) + len(list(root.iter("SalesTax"))),
        holding=len(list(root.iter("OpenPosition"))),
        price=len(_priced(root)),
        exchange_rate=len(_rated(root, [*executions, *cash, *events, *root.iter("OpenPosition", "SalesTax")])),
    )
    return +found


def _beside(trade: etree._Element) -> int:
    """In how many more currencies a trade moves cash."""
    is_foreign = trade.get("ibCommissionCurrency") not in (None, "", trade.get("currency"))
    return (trade.get("assetCategory") == "CASH") + (is_foreign and float(trade.get("ibCommission", "0")) != 0)


def _priced(root: etree._Element) -> set[tuple[str | None, str | None]]:
    """Security and day of every price of a position."""
    positions = ((each.get("conid"), each.get("reportDate")) for each in root.iter("OpenPosition"))
    before = ((each.get("conid"), each.get("date")) for each in root.iter("PriorPeriodPosition"))
    return {*positions, *before}


def _rated(root: etree._Element, rows: list[etree._Element]) -> set[tuple[str | None, ...]]:
    """Pair and day of every rate: those that are listed and known, else those of rows with a currency not the account's."""
    listed = list(root.iter("ConversionRate"))
    if listed:
        known = [each for each in listed if float(each.get("rate", "-1")) > 0]
        return {tuple(each.get(name) for name in ("fromCurrency", "toCurrency", "reportDate")) for each in known}
    home = {each.get("accountId") or _account(each): each.get("currency") for each in root.iter("AccountInformation")}
    found: set[tuple[str | None, ...]] = set()
    for row in rows:
        quote = home.get(row.get("accountId") or _account(row))
        day = row.get("reportDate") or row.get("tradeDate") or row.get("date") or row.get("dateTime") or ""
        if quote and row.get("fxRateToBase") and row.get("currency") not in (None, quote):
            found.add((row.get("currency"), quote, day.partition(";")[0].partition(",")[0]))
    return found


def _account(element: etree._Element) -> str | None:
    statement = next(element.iterancestors("FlexStatement"), None)
    return None if statement is None else statement.get("accountId")


def parsed(path: Path) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """Rows by their record, and balances by kind and currency."""
    read, claims = Counter[str](), Counter[tuple[str, str]]()
    for item in SOURCE.parse(Original.at(path), BERLIN):
        if isinstance(item, Batch):
            read[item.record.name] += item.read
        elif isinstance(item, Claim):
            claims[item.kind, item.unit] += 1
    return read, claims


@pytest.mark.parametrize("path", FILES)
def test_every_row_is_read_and_none_is_rejected(path: Path) -> None:
    assert SOURCE.recognises(Original.at(path))
    assert parsed(path)[0] == counted(path)
    assert reasons(SOURCE, path) == []


@pytest.mark.parametrize("path", FILES)
def test_every_currency_that_states_its_cash_has_its_balances(path: Path) -> None:
    root = etree.parse(path).getroot()
    reports = [each for each in root.iter("CashReportCurrency") if each.get("currency") != "BASE_SUMMARY"]
    stated = {"opening_balance": "startingCash", "closing_balance": "endingCash"}
    expected = Counter(
        (kind, each.get("currency")) for each in reports for kind, name in stated.items() if each.get(name)
    )
    assert parsed(path)[1] == expected


@pytest.mark.parametrize("path", [each for each in FILES if each.id in {WHOLE, "absent"}])
def test_the_rows_of_a_whole_statement_prove_its_balances(path: Path) -> None:
    claims = [item for item in SOURCE.parse(Original.at(path), BERLIN) if isinstance(item, Claim)]
    cash = moved(rows(SOURCE, path))
    for each in claims:
        cash[each.subject, each.unit] += each.value if each.kind == "opening_balance" else -each.value
    assert set(cash.values()) == {Decimal()}


@pytest.mark.parametrize("path", FILES)
def test_a_cut_anywhere_is_refused_as_a_whole(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes().rstrip()
    cut = tmp_path / path.name
    for share in range(1, 8):
        cut.write_bytes(data[: len(data) * share // 8])
        with pytest.raises(UnreadableFile, match=r"^line \d+: "):
            list(SOURCE.parse(Original.at(cut), BERLIN))
