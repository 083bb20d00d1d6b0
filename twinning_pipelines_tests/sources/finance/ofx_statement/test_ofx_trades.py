"""What events of an investment account in OFX add to its cash, and what it states of it."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from twinning_pipelines.original import Original
from twinning_pipelines.source import Claim
from twinning_pipelines.sources.finance.ofx_statement import SOURCE
from twinning_pipelines_tests.goldens import BERLIN, rows

_STATEMENT = """OFXHEADER:100
DATA:OFXSGML

<OFX><INVSTMTMSGSRSV1><INVSTMTTRNRS><INVSTMTRS><DTASOF>20260331<CURDEF>USD
<INVACCTFROM><BROKERID>broker.example<ACCTID>77-1</INVACCTFROM><INVTRANLIST><DTSTART>20260101<DTEND>20260331
{event}</INVTRANLIST>{balances}</INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1></OFX>
"""
_ID = "<INVTRAN><FITID>7<DTTRADE>20260210</INVTRAN><SECID><UNIQUEID>037833100<UNIQUEIDTYPE>CUSIP</SECID>"


@pytest.mark.parametrize(
    ("event", "total"),
    [
        (f"<INCOME>{_ID}<INCOMETYPE>DIV<TOTAL>93.2<SUBACCTSEC>CASH<SUBACCTFUND>CASH</INCOME>", "93.2"),
        (f"<REINVEST>{_ID}<INCOMETYPE>DIV<TOTAL>-93.2<SUBACCTSEC>CASH<UNITS>10<UNITPRICE>9.32</REINVEST>", None),
        (f"<REINVEST>{_ID}<INCOMETYPE>DIV<TOTAL>93.2<SUBACCTSEC>CASH<UNITS>10<UNITPRICE>9.32</REINVEST>", None),
        (f"<BUYMF><INVBUY>{_ID}<UNITS>5<UNITPRICE>10<TOTAL>-50<SUBACCTFUND>CASH</INVBUY><BUYTYPE>BUY</BUYMF>", "-50"),
        (f"<BUYMF><INVBUY>{_ID}<UNITS>5<UNITPRICE>10<TOTAL>-50<SUBACCTFUND>OTHER</INVBUY><BUYTYPE>BUY</BUYMF>", None),
        (f"<BUYMF><INVBUY>{_ID}<UNITS>5<UNITPRICE>10<TOTAL>50<SUBACCTFUND>OTHER</INVBUY><BUYTYPE>BUY</BUYMF>", None),
        (f"<JRNLFUND>{_ID}<SUBACCTTO>MARGIN<SUBACCTFROM>CASH<TOTAL>777</JRNLFUND>", None),
    ],
)
def test_what_stays_in_the_account_or_is_paid_elsewhere_moves_no_cash_of_it(
    event: str, total: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "broker.ofx"
    path.write_text(_STATEMENT.format(event=event, balances=""))
    (row,) = rows(SOURCE, path)
    assert row.get("total") == (None if total is None else Decimal(total))
    assert total is not None or '"TOTAL": ' in row["extra"]


_POSITION = "<INVPOSLIST><POSMF><INVPOS><SECID><UNIQUEID>S</SECID><UNITS>9<MKTVAL>{}</INVPOS></POSMF></INVPOSLIST>"


@pytest.mark.parametrize(
    ("balances", "cash"),
    [
        ("<INVBAL><AVAILCASH>18073.98<MARGINBALANCE>+00000000000.00<SHORTBALANCE>0</INVBAL>", ["18073.98"]),
        ("<INVBAL><AVAILCASH>-12.5</INVBAL>", ["-12.5"]),
        # Nobody knows whether what is borrowed is told in the cash.
        ("<INVBAL><AVAILCASH>200.00<MARGINBALANCE>-50.00<SHORTBALANCE>0</INVBAL>", []),
        # The fund in which cash lies is told as a position, too.
        (_POSITION.format("200.00") + "<INVBAL><AVAILCASH>200.00</INVBAL>", []),
        (_POSITION.format("90.00") + "<INVBAL><AVAILCASH>200.00</INVBAL>", ["200.00"]),
        ("", []),
    ],
)
def test_cash_beside_the_positions_is_a_balance(balances: str, cash: list[str], tmp_path: Path) -> None:
    path = tmp_path / "broker.ofx"
    path.write_text(_STATEMENT.format(event="", balances=balances))
    claims = [item for item in SOURCE.parse(Original.at(path), BERLIN) if isinstance(item, Claim)]
    assert [(each.kind, each.subject, each.value, each.unit) for each in claims] == [
        ("closing_balance", "broker.example/77-1", Decimal(each), "USD") for each in cash
    ]
    assert all(each.day == date(2026, 3, 31) for each in claims)
