"""OFX: what a document gives, in every dialect, and what only a careless reader gets wrong."""

import contextlib
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats import numbers, ofx
from twinning_pipelines_tests.formats.ofx_samples import (
    BANK_BODY,
    INVESTMENT_BODY,
    SGML_HEADER,
    XML_HEADER,
    as_xml,
    bank,
)

BANK_SGML = (SGML_HEADER + BANK_BODY).encode()
BANK_XML = (XML_HEADER + as_xml(BANK_BODY)).encode()


def only(data: bytes) -> ofx.Record:
    [record] = ofx.read(data).records
    return record


@pytest.mark.parametrize("data", [BANK_SGML, BANK_XML], ids=["sgml", "xml"])
def test_a_bank_statement(data: bytes) -> None:
    document = ofx.read(data)
    [statement] = document.statements
    assert (statement.kind, statement.currency, statement.error) == ("bank", "CHF", "")
    assert statement.account == ofx.Account("00762", "12", "CH93-1", "CHECKING")
    assert (statement.start, statement.end) == ("20260101", "20260131")
    assert statement.ledger == ofx.Balance("5187.50", "20260131")
    assert statement.available == ofx.Balance("5000.00", "20260131")
    assert statement.taken_at == "20260201083000[+1:CET]"
    assert statement.sign_on["FI.ORG"] == "Lindenbank"
    assert statement.sign_on["FI.FID"] == "4711"
    assert statement.sign_on["INTU.BID"] == "4712"
    first, second = statement.records
    assert first.fields == {
        "TRNTYPE": "DEBIT",
        "DTPOSTED": "20260105",
        "TRNAMT": "-12.50",
        "FITID": "a1",
        "NAME": "Bakery Rye & Oat",
        "MEMO": "two loaves",
    }
    assert second.get("PAYEE.NAME") == "Employer"
    assert second.get("PAYEE.CITY") == "Bern"
    assert second.get("BANKACCTTO.ACCTID") == "77"
    assert second.get("ORIGCURRENCY.CURSYM") == "EUR"
    assert second.get("MEMO") == "salary"
    assert second.get("NAME") == ""
    assert not document.cut


@pytest.mark.parametrize("data", [BANK_SGML, BANK_XML], ids=["sgml", "xml"])
def test_a_record_knows_its_line_and_its_text(data: bytes) -> None:
    lines = data.decode().split("\n")
    for record in ofx.read(data).records:
        assert lines[record.line - 1] == "<STMTTRN>"
        assert record.raw.startswith("<STMTTRN>\n<TRNTYPE>")
        assert record.raw.endswith("</STMTTRN>")
        assert record.raw in data.decode()


@pytest.mark.parametrize("line_end", ["\r\n", "\r", ""])
def test_any_line_ending_and_none(line_end: str) -> None:
    document = ofx.read(BANK_SGML.replace(b"\n", line_end.encode()))
    assert [record.fields for record in document.records] == [record.fields for record in ofx.read(BANK_SGML).records]
    assert document.header["CHARSET"] == "1252"
    assert [record.line for record in document.records] == ([1, 1] if line_end == "" else [45, 53])


def test_lines_count_in_a_file_that_mixes_line_endings() -> None:
    mixed = SGML_HEADER.replace("\n", "\r") + BANK_BODY.replace("<FITID>a1\n", "<FITID>a1\r\n")
    assert [record.line for record in ofx.read(mixed.encode()).records] == [45, 53]


def test_an_investment_statement_in_file_order() -> None:
    document = ofx.read((SGML_HEADER + INVESTMENT_BODY).encode())
    [statement] = document.statements
    assert (statement.kind, statement.taken_at) == ("investment", "20260131160000[-5:EST]")
    assert statement.account == ofx.Account(account_id="INV-1", broker_id="broker.example")
    assert statement.fields["INVBAL.AVAILCASH"] == "250.00"
    assert statement.cash is not None
    assert statement.cash.amount == "250.00"
    assert [(record.name, record.get("FITID")) for record in statement.records] == [
        ("BUYSTOCK", "t1"),
        ("INCOME", "t2"),
        ("STMTTRN", "t3"),
        ("TRANSFER", "t4"),
        ("SELLMF", "t5"),
    ]
    buy, income, cash, transfer, sale = statement.records
    assert buy.fields == {
        "FITID": "t1",
        "DTTRADE": "20260110",
        "DTSETTLE": "20260112",
        "MEMO": "buy",
        "SECID.UNIQUEID": "037833100",
        "SECID.UNIQUEIDTYPE": "CUSIP",
        "UNITS": "10",
        "UNITPRICE": "150.25",
        "COMMISSION": "4.95",
        "TAXES": "1.10",
        "LOAD": "0.50",
        "TOTAL": "-1507.45",
        "CURRENCY.CURRATE": "1.0",
        "CURRENCY.CURSYM": "USD",
        "SUBACCTSEC": "CASH",
        "SUBACCTFUND": "MARGIN",
        "BUYTYPE": "BUY",
    }
    assert (income.get("INCOMETYPE"), income.get("WITHHOLDING")) == ("DIV", "0.36")
    assert (cash.get("TRNAMT"), cash.get("SUBACCTFUND")) == ("100.00", "CASH")
    assert transfer.get("INVACCTFROM.ACCTID") == "99"
    assert sale.get("REVERSALFITID") == "t0"
    [position] = statement.positions
    assert (position.name, position.get("MKTVAL"), position.get("REINVDIV")) == ("POSSTOCK", "1510.00", "N")
    [security] = document.securities
    assert (security.name, security.get("SECID.UNIQUEID"), security.get("TICKER")) == ("STOCKINFO", "037833100", "ORCH")


def test_every_statement_has_its_own_account_status_and_bank() -> None:
    parts = [
        BANK_BODY.replace("Lindenbank", bank_name).replace("CH93-1", account).replace("1001", number)
        for bank_name, account, number in (("One", "A", "11"), ("Two", "B", "12"))
    ]
    first, second = ofx.read((SGML_HEADER + "".join(parts)).encode()).statements
    assert [first.sign_on["FI.ORG"], first.account.account_id, first.fields["TRNUID"]] == ["One", "A", "11"]
    assert [second.sign_on["FI.ORG"], second.account.account_id, second.fields["TRNUID"]] == ["Two", "B", "12"]
    assert [len(first.records), len(second.records)] == [2, 2]


def test_an_answer_without_a_statement_says_why() -> None:
    body = b"<OFX><CCSTMTTRNRS><TRNUID>1<STATUS><CODE>2003<SEVERITY>ERROR<MESSAGE>No such account</STATUS></CCSTMTTRNRS></OFX>"
    [statement] = ofx.read(body).statements
    assert (statement.kind, statement.error, list(statement.records)) == ("card", "2003 No such account", [])


def test_a_card_and_a_loan() -> None:
    data = b"""<OFX><CCSTMTTRNRS><CCSTMTRS><CCACCTFROM><ACCTID>4000</CCACCTFROM><BANKTRANLIST><STMTTRN><TRNAMT>-1.00
    </STMTTRN></BANKTRANLIST></CCSTMTRS></CCSTMTTRNRS><LOANSTMTTRNRS><LOANSTMTRS><LOANACCTFROM><LOANACCTID>L1
    <LOANACCTTYPE>AUTO</LOANACCTFROM><LOANTRANLIST><DTSTART>20260101<LOANSTMTTRN><LOANTRNAMT>-300.00</LOANSTMTTRN>
    </LOANTRANLIST></LOANSTMTRS></LOANSTMTTRNRS></OFX>"""
    card, loan = ofx.read(data).statements
    assert (card.kind, card.account.account_id, len(card.records)) == ("card", "4000", 1)
    assert (loan.kind, loan.account.account_id, loan.account.account_type, loan.start) == (
        "loan",
        "L1",
        "AUTO",
        "20260101",
    )
    assert loan.records[0].get("LOANTRNAMT") == "-300.00"


def test_ofc_the_forerunner() -> None:
    data = """<OFC><DTD>2<CPAGE>1252<ACCTSTMT><ACCTFROM><BANKID>001<ACCTID>55<ACCTTYPE>0</ACCTFROM><STMTRS><DTSTART>20160530
    <DTEND>20160627<LEDGER>-10.00<STMTTRN><TRNTYPE>1<DTPOSTED>20160601<TRNAMT>-10.00<FITID>9<MEMO>Cobrança</STMTTRN></STMTRS>
    </ACCTSTMT></OFC>""".encode("cp1252")
    document = ofx.read(data)
    [statement] = document.statements
    assert (document.codec, document.declared, document.lied) == ("cp1252", "cp1252", False)
    assert statement.account == ofx.Account(bank_id="001", account_id="55", account_type="0")
    assert statement.ledger == ofx.Balance("-10.00", "20160627")
    assert statement.records[0].get("MEMO") == "Cobrança"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (SGML_HEADER, {"VERSION": "102", "CHARSET": "1252"}),
        (SGML_HEADER.replace("\n", ""), {"VERSION": "102", "CHARSET": "1252", "NEWFILEUID": "NONE"}),
        (SGML_HEADER.replace("\n", " "), {"VERSION": "102", "CHARSET": "1252"}),
        (SGML_HEADER.replace("\n", "\n\n"), {"VERSION": "102", "CHARSET": "1252"}),
        (f"<!--\n{SGML_HEADER}-->\n", {"VERSION": "102", "CHARSET": "1252"}),
        (SGML_HEADER.replace("OLDFILEUID:NONE", "OLDFILEUID:"), {"OLDFILEUID": "", "NEWFILEUID": "NONE"}),
        (XML_HEADER, {"OFXHEADER": "200", "VERSION": "211"}),
        ("DATA:OFXSGML\nENCODING:UTF-8\n", {"DATA": "OFXSGML", "ENCODING": "UTF-8"}),
        ("", {}),
    ],
    ids=["lines", "glued", "one line", "blank lines", "comment", "empty value", "xml", "no OFXHEADER", "none"],
)
def test_any_header(header: str, expected: dict[str, str]) -> None:
    document = ofx.read(bank("<TRNAMT>1.00<FITID>1", header=header))
    assert expected.items() <= document.header.items()
    assert len(list(document.records)) == 1


@pytest.mark.parametrize("data", [b"", b"this is no bank file", b"<html></html>", b"<?OFX OFXHEADER='200'?>"])
def test_what_is_no_ofx_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableFile, match="no <OFX> element"):
        ofx.read(data)


def test_binary_garbage_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="no text"):
        ofx.read(b"PK\x03\x04" + bytes(range(1, 9)) * 20 + b"<OFX>")


def test_a_file_past_the_cap_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ofx, "MAX_BYTES", 10)
    with pytest.raises(HostileFile):
        ofx.read(BANK_SGML)


@pytest.mark.parametrize("data", [BANK_SGML, BANK_XML, INVESTMENT_BODY.encode()], ids=["sgml", "xml", "investment"])
@given(share=st.floats(0, 1))
def test_a_cut_anywhere_loses_only_what_was_cut(data: bytes, share: float) -> None:
    whole = list(ofx.read(data).records)
    piece = data[: int(len(data) * share)]
    try:
        document = ofx.read(piece)
    except UnreadableFile:
        assert b"<OFX" not in piece
        return
    records = list(document.records)
    complete = [record for record in records if not record.cut]
    # SUBACCTFUND of a cash booking stands behind it, so a cut may take just that.
    assert [record.raw for record in complete] == [record.raw for record in whole[: len(complete)]]
    assert len(records) - len(complete) <= 1
    assert records[len(complete) :] == [record for record in records if record.cut]
    assert document.cut == (b"</OFX>" not in piece)


@given(st.binary(max_size=120), st.integers(0, len(BANK_SGML)))
def test_noise_anywhere_never_crashes(noise: bytes, at: int) -> None:
    with contextlib.suppress(UnreadableFile):
        ofx.read(BANK_SGML[:at] + noise + BANK_SGML[at:])


TAGS = ("<OFX>", "</OFX>", "<STMTRS>", "</STMTRS>", "<STMTTRN>", "</STMTTRN>", "<MEMO>x", "</MEMO>", "<FOO>", "<A.B>")


@given(st.lists(st.sampled_from(TAGS)))
def test_markup_in_any_order_gives_each_opened_record_once(tags: list[str]) -> None:
    document = ofx.read(("<OFX>" + "\n".join(tags)).encode())
    assert len(list(document.records)) == tags.count("<STMTTRN>")


def test_days_and_moments() -> None:
    assert ofx.day_of("20260131") == date(2026, 1, 31)
    assert ofx.day_of("2026-01-31") == date(2026, 1, 31)
    assert ofx.moment_of("20260131120000.500[-5:EST]") == datetime(2026, 1, 31, 17, 0, 0, 500_000, tzinfo=UTC)
    assert ofx.moment_of("202601311200[0:GMT]") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert ofx.moment_of("20260131120000[-03:EST]") == datetime(2026, 1, 31, 15, tzinfo=UTC)
    assert ofx.moment_of("20260131120000") is None
    assert ofx.moment_of("20260131") is None
    assert ofx.moment_of("20261331120000[0:GMT]") is None


@pytest.mark.parametrize("written", ["", "00000000", "20261301", "31/01/2026", "n/a"])
def test_what_is_no_day_says_so(written: str) -> None:
    with pytest.raises(ValueError, match="not a date: "):
        ofx.day_of(written)


def test_amounts_of_a_whole_document_decide_its_locale() -> None:
    document = ofx.read(bank("<TRNAMT>-1,234<FITID>1", "<TRNAMT>-12,50<FITID>2").replace(b"1.00", b"1,00"))
    style = numbers.decide(document.amount_texts())
    assert [str(style.read(record.get("TRNAMT"))) for record in document.records] == ["-1.234", "-12.50"]


def test_only_reads_one() -> None:
    assert only(bank("<TRNAMT>1.00<FITID>1")).get("FITID") == "1"
