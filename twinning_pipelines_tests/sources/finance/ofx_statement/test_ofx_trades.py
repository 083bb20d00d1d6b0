"""What events of an investment account in OFX add to its cash."""

from decimal import Decimal
from pathlib import Path

import pytest

from twinning_pipelines.sources.finance.ofx_statement import SOURCE
from twinning_pipelines_tests.goldens import rows

_STATEMENT = """OFXHEADER:100
DATA:OFXSGML

<OFX><INVSTMTMSGSRSV1><INVSTMTTRNRS><INVSTMTRS><DTASOF>20260331<CURDEF>USD
<INVACCTFROM><BROKERID>broker.example<ACCTID>77-1</INVACCTFROM><INVTRANLIST><DTSTART>20260101<DTEND>20260331
{event}</INVTRANLIST></INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1></OFX>
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
    path.write_text(_STATEMENT.format(event=event))
    (row,) = rows(SOURCE, path)
    assert row.get("total") == (None if total is None else Decimal(total))
    assert total is not None or '"TOTAL": ' in row["extra"]
