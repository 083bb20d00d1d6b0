"""Large bank files for the benchmark: plain, regular, so that peers read them without complaint."""

from datetime import date, timedelta
from pathlib import Path

_START = date(2015, 1, 1)
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200" VERSION="202" SECURITY="NONE" OLDFILEUID="NONE" '
    'NEWFILEUID="NONE"?>\n<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>'
    "<DTSERVER>20260101120000</DTSERVER><LANGUAGE>ENG</LANGUAGE></SONRS></SIGNONMSGSRSV1><BANKMSGSRSV1><STMTTRNRS>"
    "<TRNUID>1</TRNUID><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS><STMTRS><CURDEF>EUR</CURDEF>"
    "<BANKACCTFROM><BANKID>1</BANKID><ACCTID>2</ACCTID><ACCTTYPE>CHECKING</ACCTTYPE></BANKACCTFROM><BANKTRANLIST>"
    "<DTSTART>20150101</DTSTART><DTEND>20260101</DTEND>\n"
)
_TAIL = (
    "</BANKTRANLIST><LEDGERBAL><BALAMT>1.00</BALAMT><DTASOF>20260101</DTASOF></LEDGERBAL></STMTRS></STMTTRNRS>"
    "</BANKMSGSRSV1></OFX>\n"
)


def write_ofx(path: Path, rows: int) -> None:
    """An OFX 2 statement with that many bookings."""
    with path.open("w", encoding="utf-8") as target:
        target.write(_HEAD)
        for row in range(rows):
            day = _START + timedelta(days=row % 4_000)
            target.write(
                f"<STMTTRN><TRNTYPE>DEBIT</TRNTYPE><DTPOSTED>{day:%Y%m%d}120000</DTPOSTED><TRNAMT>-{row % 997}.{row % 100:02}"
                f"</TRNAMT><FITID>F{row}</FITID><NAME>Payee {row % 300}</NAME><MEMO>Card purchase {row}</MEMO></STMTTRN>\n"
            )
        target.write(_TAIL)


def write_qif(path: Path, rows: int) -> None:
    """A QIF register with that many bookings."""
    with path.open("w", encoding="utf-8") as target:
        target.write("!Type:Bank\n")
        for row in range(rows):
            day = _START + timedelta(days=row % 4_000)
            target.write(
                f"D{day:%d/%m/%Y}\nT-{row % 997}.{row % 100:02}\nPPayee {row % 300}\nMCard purchase {row}\n^\n"
            )
