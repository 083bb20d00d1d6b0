"""Positions of an investment statement: each is a holding or a rejection, and its price stands beside it."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import numbers, ofx
from twinning_pipelines.ingest.check import check
from twinning_pipelines.records.money import HOLDING, PRICE
from twinning_pipelines.source import Batch, Rejection, Row, gather
from twinning_pipelines.sources.finance.ofx_holdings import holdings_of
from twinning_pipelines_tests.formats.corpus import corpus_files

_STATEMENT = """OFXHEADER:100
DATA:OFXSGML

<OFX><INVSTMTMSGSRSV1><INVSTMTTRNRS><INVSTMTRS>{as_of}<CURDEF>USD
<INVACCTFROM><BROKERID>broker.example<ACCTID>77-1</INVACCTFROM>
<INVPOSLIST>
{positions}
</INVPOSLIST></INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1>
<SECLISTMSGSRSV1><SECLIST><STOCKINFO><SECINFO><SECID><UNIQUEID>037833100<UNIQUEIDTYPE>CUSIP</SECID>
<SECNAME>Apfel AG<TICKER>APFL</SECINFO></STOCKINFO></SECLIST></SECLISTMSGSRSV1></OFX>
"""
_AS_OF = "<DTASOF>20260331160000[-5:EST]"


def position(kind: str = "POSSTOCK", extra: str = "", **given: str) -> str:
    usual = {"UNITS": "3.25", "UNITPRICE": "201.5", "MKTVAL": "654.88", "DTPRICEASOF": "20260330"}
    values = "\n".join(f"<{name}>{value}" for name, value in (usual | given).items() if value)
    return (
        f"<{kind}><INVPOS><SECID><UNIQUEID>037833100<UNIQUEIDTYPE>CUSIP</SECID>\n<HELDINACCT>CASH\n{values}\n"
        f"{extra}</INVPOS></{kind}>"
    )


def told(*positions: str, as_of: str = _AS_OF) -> list[Row | Rejection]:
    return of(ofx.read(_STATEMENT.format(as_of=as_of, positions="\n".join(positions)).encode()))


def of(document: ofx.Document) -> list[Row | Rejection]:
    style = numbers.decide(document.amount_texts())
    securities = {each.get("SECID.UNIQUEID"): each for each in document.securities}
    return [
        row
        for statement in document.statements
        for row in holdings_of(statement, statement.account.account_id or "unnamed", style, securities)
    ]


def test_a_position_is_a_holding_and_a_price() -> None:
    holding, price = told(position())
    assert isinstance(holding, Row)
    assert isinstance(price, Row)
    assert holding.record is HOLDING
    assert price.record is PRICE
    assert holding.at == price.at
    assert holding.values == {
        "account": "77-1",
        "held_on": date(2026, 3, 31),
        "security": "037833100",
        "currency": "USD",
        "units": Decimal("3.25"),
        "unit_price": Decimal("201.5"),
        "market_value": Decimal("654.88"),
        "ticker": "APFL",
        "security_name": "Apfel AG",
        "extra": json.dumps({"DTPRICEASOF": "20260330", "HELDINACCT": "CASH", "SECID.UNIQUEIDTYPE": "CUSIP"}),
    }
    assert price.values == {
        "security": "037833100",
        "priced_on": date(2026, 3, 30),
        "currency": "USD",
        "unit_price": Decimal("201.5"),
    }


def test_what_is_owed_is_negative_and_a_foreign_currency_is_its_own() -> None:
    holding, price = told(position(POSTYPE="SHORT", extra="<CURRENCY><CURRATE>1.1<CURSYM>EUR</CURRENCY>"))
    assert isinstance(holding, Row)
    assert isinstance(price, Row)
    assert (holding.values["units"], holding.values["currency"]) == (Decimal("-3.25"), "EUR")
    assert price.values["currency"] == "EUR"


def test_a_statement_without_a_day_is_of_the_day_of_its_prices() -> None:
    (holding,) = told(position(UNITPRICE=""), as_of="")
    assert isinstance(holding, Row)
    assert holding.values["held_on"] == date(2026, 3, 30)
    assert holding.values["unit_price"] is None


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ({"UNITS": "some"}, "units: not a number: 'some'"),
        ({"MKTVAL": "1,2,3"}, "market_value: not a number: '1,2,3'"),
        ({"DTPRICEASOF": "soon"}, "priced_on: not a date: 'soon'"),
    ],
)
def test_a_bad_value_is_named(spoiled: dict[str, str], reason: str) -> None:
    rejections = [each for each in told(position(**spoiled)) if isinstance(each, Rejection)]
    assert [each.reason for each in rejections] == [reason]
    assert "037833100" in rejections[0].raw


def test_a_statement_without_any_day_is_rejected_by_the_checks() -> None:
    (batch,) = gather(told(position(UNITPRICE="", DTPRICEASOF=""), as_of=""), (HOLDING, PRICE))
    assert isinstance(batch, Batch)
    accepted, rejected = check(batch)
    assert (accepted.num_rows, [each.reason for each in rejected]) == (0, ["held_on: missing"])


def test_a_file_that_ends_inside_a_position_rejects_it() -> None:
    text = _STATEMENT.format(as_of=_AS_OF, positions=position() + "\n" + position())
    cut = text[: text.rindex("<MKTVAL>") + len("<MKTVAL>65")]
    found = of(ofx.read(cut.encode()))
    assert [type(each).__name__ for each in found] == ["Row", "Row", "Rejection"]


@pytest.mark.parametrize("path", corpus_files("finance/ofx"))
def test_every_position_that_others_published_is_read(path: Path) -> None:
    try:
        document = ofx.read(path.read_bytes())
    except UnreadableFile:
        pytest.skip("not a statement")
    found = of(document)
    holdings = [each for each in found if isinstance(each, Row) and each.record is HOLDING]
    rejected = [each for each in found if isinstance(each, Rejection)]
    positions = sum(len(statement.positions) for statement in document.statements)
    assert len(holdings) + len(rejected) == positions
    assert len(rejected) <= sum(each.cut for statement in document.statements for each in statement.positions)
    for batch in gather(found, (HOLDING, PRICE)):
        assert isinstance(batch, Batch)
        assert check(batch)[0].num_rows == batch.rows.num_rows
