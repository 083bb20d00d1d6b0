"""OFX markup as banks write it, and the values that ofxparse 0.21 or ofxtools 1.1.1 get wrong without a word."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.errors import HostileFile
from twinning_pipelines.formats import numbers, ofx, ofx_markup
from twinning_pipelines_tests.formats.ofx_samples import SGML_HEADER, XML_HEADER, bank


def only(*record: str, header: str = SGML_HEADER) -> ofx.Record:
    [found] = ofx.read(bank(*record, header=header)).records
    return found


@pytest.mark.parametrize("zone", ["[+1:CET]", "[-5:EST]", "[+5.5:IST]", "[+5:30:IST]", "[0:GMT]", ""])
@pytest.mark.parametrize("time", ["000000", "200000", "235959.999"])
def test_the_bank_s_own_day_never_shifts(time: str, zone: str) -> None:
    assert ofx.day_of(f"20240131{time}{zone}") == date(2024, 1, 31)


@pytest.mark.parametrize(
    ("zone", "hour", "minute"),
    [
        ("[+1:CET]", 11, 0),
        ("[-5:EST]", 17, 0),
        ("[+5:30:IST]", 6, 30),
        ("[+5.5:IST]", 6, 30),
        ("[+5.50]", 6, 30),
        ("[+5.30:IST]", 6, 30),
        ("[-3.50]", 15, 30),
        ("[+5.75:NPT]", 6, 15),
        ("[+5:45:NPT]", 6, 15),
        ("[-9]", 21, 0),
    ],
)
def test_offsets_count_their_minutes(zone: str, hour: int, minute: int) -> None:
    moment = ofx.moment_of(f"20240131120000{zone}")
    assert moment == datetime(2024, 1, 31, hour, minute, tzinfo=UTC)


def test_one_bad_record_takes_no_other_with_it() -> None:
    trades = "".join(
        f"<BUYSTOCK><INVBUY><INVTRAN><FITID>{at}</INVTRAN><UNITS>{units}</INVBUY></BUYSTOCK>"
        for at, units in enumerate(("1", "many", "3", "4", "5"))
    )
    records = list(ofx.read(f"<OFX><INVSTMTRS><INVTRANLIST>{trades}</INVTRANLIST></INVSTMTRS></OFX>".encode()).records)
    assert [record.get("UNITS") for record in records] == ["1", "many", "3", "4", "5"]


def test_utf_8_under_a_header_that_says_otherwise() -> None:
    document = ofx.read(bank("<NAME>Zürich"))
    assert [record.get("NAME") for record in document.records] == ["Zürich"]
    assert (document.codec, document.declared, document.lied) == ("utf-8", "cp1252", True)


def test_xml_with_accents_heeds_its_prolog() -> None:
    assert only("<NAME>Crédit</NAME>", header=XML_HEADER).get("NAME") == "Crédit"
    latin = bank("<NAME>Crédit</NAME>", header=XML_HEADER.replace("UTF-8", "ISO-8859-1")).decode().encode("latin-1")
    document = ofx.read(latin)
    assert [record.get("NAME") for record in document.records] == ["Crédit"]
    assert (document.codec, document.lied) == ("iso8859-1", False)


@pytest.mark.parametrize("charset", ["NONE", "ISO-8859-1", "8859-1", "437", "nonsense"])
@pytest.mark.parametrize("encoding", ["UTF8", "USASCII", "UNICODE", ""])
def test_any_charset_in_the_header(charset: str, encoding: str) -> None:
    header = SGML_HEADER.replace("1252", charset).replace("USASCII", encoding)
    assert only("<NAME>Müller", header=header).get("NAME") == "Müller"


def test_utf_16() -> None:
    [record] = ofx.read(bank("<NAME>Łódź").decode().encode("utf-16")).records
    assert record.get("NAME") == "Łódź"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("BOOKS&COPY SHOP", "BOOKS&COPY SHOP"),
        ("AT&amp;T", "AT&T"),
        ("A&lt;B&gt;C", "A<B>C"),
        ("&quot;Q&quot; &apos;A&apos;", "\"Q\" 'A'"),
        ("a&nbsp;b", "a\u00a0b"),
        ("trailing&nbsp;", "trailing"),
        ("caf&#233; &#xE9;", "café é"),
        ("&amp;gt; stays", "&gt; stays"),
        ("&copy &eacute; &unknown;", "&copy &eacute; &unknown;"),
        ("&#0; &#xD800; &#9999999;", "&#0; &#xD800; &#9999999;"),
        ("J&T", "J&T"),
    ],
)
def test_only_the_entities_of_xml(written: str, meant: str) -> None:
    assert only(f"<NAME>{written}</NAME>").get("NAME") == meant
    assert only(f"<NAME>{written}\n<MEMO>x").get("NAME") == meant


@pytest.mark.parametrize(
    ("written", "value"), [("(12.00)", "-12.00"), ("12.00-", "-12.00"), ("+7.1", "7.1"), ("-1234.5", "-1234.5")]
)
def test_amounts_are_kept_as_written_and_read_by_the_file_s_style(written: str, value: str) -> None:
    document = ofx.read(bank(f"<TRNAMT>{written}"))
    style = numbers.decide(document.amount_texts())
    assert [style.read(record.get("TRNAMT")) for record in document.records] == [Decimal(value)]


def test_a_thousand_is_never_one_and_a_bit() -> None:
    document = ofx.read(bank("<TRNAMT>-1,234", "<TRNAMT>-12.50"))
    style = numbers.decide(document.amount_texts())
    assert [style.read(record.get("TRNAMT")) for record in document.records] == [Decimal(-1234), Decimal("-12.50")]


def test_nothing_is_left_out_of_a_record() -> None:
    names = [
        "REFNUM",
        "DTAVAIL",
        "DTUSER",
        "PAYEEID",
        "EXTDNAME",
        "CORRECTFITID",
        "CORRECTACTION",
        "SIC",
        "SRVRTID",
        "X.OWN",
    ]
    body = "".join(f"<{name}>v-{name}" for name in names)
    record = only(
        f"{body}<CURRENCY><CURRATE>1.1<CURSYM>USD</CURRENCY><BANKACCTTO><BANKID>1<ACCTID>2<ACCTTYPE>SAVINGS</BANKACCTTO>"
    )
    assert {name: record.get(name) for name in names} == {name: f"v-{name}" for name in names}
    assert (record.get("CURRENCY.CURRATE"), record.get("CURRENCY.CURSYM")) == ("1.1", "USD")
    assert record.get("BANKACCTTO.ACCTID") == "2"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("amount <5 EUR", "amount <5 EUR"),
        ("see <REF> 12", "see <REF> 12"),
        ("see </REF> 12", "see </REF> 12"),
        ("<REF> 12", "<REF> 12"),
        ("a < b > c", "a < b > c"),
        ("<<", "<<"),
        ("I <3 U <b>", "I <3 U <b>"),
    ],
)
def test_a_mark_that_opens_no_known_tag_is_text(written: str, meant: str) -> None:
    sgml = only(f"<MEMO>{written}\n<FITID>1")
    assert (sgml.get("MEMO"), sgml.get("FITID")) == (meant, "1")
    xml = only(f"<MEMO>{written}</MEMO><FITID>1</FITID>", header=XML_HEADER)
    assert (xml.get("MEMO"), xml.get("FITID")) == (meant, "1")


def test_an_unknown_tag_on_a_line_of_its_own_is_a_tag() -> None:
    record = only("<MEMO>text\n<BANKOWN>12\n  <OTHER>13\n<FITID>1")
    assert record.fields == {"MEMO": "text", "BANKOWN": "12", "OTHER": "13", "FITID": "1"}


def test_unknown_aggregates_nest_and_unknown_empty_values_do_not() -> None:
    record = only("<OWN><DEEP>1</DEEP><X>2</X></OWN>\n<EMPTY.ONE>\n<NAME>n")
    assert record.fields == {"OWN.DEEP": "1", "OWN.X": "2", "EMPTY.ONE": "", "NAME": "n"}


def test_comments_are_dropped_and_lines_still_count() -> None:
    data = bank("<NAME>a <!-- <STMTTRN> \n & --> b\n<MEMO>m <!-- x -->", "<NAME>second")
    first, second = ofx.read(data).records
    assert (first.get("NAME"), first.get("MEMO")) == ("a  b", "m")
    assert second.line == data.decode()[: data.decode().rindex("<STMTTRN>")].count("\n") + 1
    assert "<!-- x -->" in first.raw


def test_an_aggregate_with_a_comment_behind_it_is_one() -> None:
    assert only("<CURRENCY> <!-- the rate --><CURRATE>2<CURSYM>USD</CURRENCY>").get("CURRENCY.CURRATE") == "2"


def test_cdata_is_taken_as_it_is() -> None:
    record = only("<NAME><![CDATA[A & B <STMTTRN> &amp; ]]></NAME><MEMO>x <![CDATA[<y>]]> z</MEMO>")
    assert (record.get("NAME"), record.get("MEMO")) == ("A & B <STMTTRN> &amp;", "x <y> z")


def test_comments_and_cdata_that_never_end_are_text() -> None:
    assert only("<NAME>a <!-- b\n<MEMO>m").get("NAME") == "a <!-- b"
    assert only("<NAME>a <![CDATA[ b\n<MEMO>m").get("MEMO") == "m"


@pytest.mark.parametrize("spelled", ["<stmttrn>", "<StmtTrn>", "<STMTTRN >", '<STMTTRN a="1">'])
def test_any_spelling_of_a_tag(spelled: str) -> None:
    data = bank("<TrnAmt>1.00<fitid>7").replace(b"<STMTTRN>", spelled.encode())
    [record] = ofx.read(data).records
    assert record.fields == {"TRNAMT": "1.00", "FITID": "7"}


def test_empty_values_of_every_kind() -> None:
    record = only("<NAME>\n<MEMO></MEMO><REFNUM/><CHECKNUM /><SIC> </SIC><FITID>1")
    assert record.fields == {"NAME": "", "MEMO": "", "REFNUM": "", "CHECKNUM": "", "SIC": "", "FITID": "1"}


def test_values_on_the_line_below_their_tag() -> None:
    assert only("<TRNAMT>\n-1000</TRNAMT>\n<NAME>\nCheck 23400</NAME>").fields == {
        "TRNAMT": "-1000",
        "NAME": "Check 23400",
    }


def test_records_that_nobody_closes_are_whole() -> None:
    data = bank("<TRNAMT>1.00\n<FITID>1\n", "<TRNAMT>2.00\n<PAYEE><NAME>P\n", "<TRNAMT>3.00\n<FITID>3", closed=False)
    document = ofx.read(data)
    [statement] = document.statements
    assert [record.get("TRNAMT") for record in statement.records] == ["1.00", "2.00", "3.00"]
    assert statement.records[1].get("PAYEE.NAME") == "P"
    assert not any(record.cut for record in statement.records)
    assert statement.ledger == ofx.Balance("1.00", "20260131")
    assert statement.records[0].raw == "<STMTTRN><TRNAMT>1.00\n<FITID>1"


def test_a_file_that_closes_nothing_at_all() -> None:
    data = b"""<OFX>\n<SIGNONMSGSRSV1>\n<SONRS>\n<STATUS>\n<CODE>0\n<SEVERITY>INFO\n<DTSERVER>20260319\n<LANGUAGE>ENG
<FI>\n<ORG>B\n<FID>1\n<INTU.BID>2\n<BANKMSGSRSV1>\n<STMTTRNRS>\n<TRNUID>1\n<STATUS>\n<CODE>0\n<SEVERITY>INFO\n<STMTRS>
<CURDEF>USD\n<BANKACCTFROM>\n<BANKID>9\n<ACCTID>8\n<ACCTTYPE>CHECKING\n<BANKTRANLIST>\n<DTSTART>20260101\n<DTEND>20260131
<STMTTRN>\n<TRNAMT>1.00\n<FITID>1\n<CURRENCY>\n<CURRATE>1\n<CURSYM>EUR\n<MEMO>m\n<LEDGERBAL>\n<BALAMT>5\n<DTASOF>20260131
<AVAILBAL>\n<BALAMT>6\n<DTASOF>20260131\n"""
    document = ofx.read(data)
    [statement] = document.statements
    assert statement.sign_on == {
        "STATUS.CODE": "0",
        "STATUS.SEVERITY": "INFO",
        "DTSERVER": "20260319",
        "LANGUAGE": "ENG",
        "FI.ORG": "B",
        "FI.FID": "1",
        "INTU.BID": "2",
    }
    assert (statement.currency, statement.account.account_id, statement.fields["STATUS.CODE"]) == ("USD", "8", "0")
    assert statement.records[0].fields == {
        "TRNAMT": "1.00",
        "FITID": "1",
        "CURRENCY.CURRATE": "1",
        "CURRENCY.CURSYM": "EUR",
        "MEMO": "m",
    }
    assert statement.ledger == ofx.Balance("5", "20260131")
    assert statement.available == ofx.Balance("6", "20260131")
    assert document.cut
    assert not statement.records[0].cut


def test_a_balance_inside_an_unclosed_list_is_the_statement_s() -> None:
    data = bank("<TRNAMT>1.00", closed=False).replace(b"</BANKTRANLIST>", b"")
    [statement] = ofx.read(data).statements
    assert statement.ledger == ofx.Balance("1.00", "20260131")
    assert statement.records[0].fields == {"TRNAMT": "1.00"}


def test_closing_tags_that_close_nothing_are_passed_over() -> None:
    assert only("</MEMO></STATUS><NAME>n</BOGUS>\n</INVTRAN><FITID>1").fields["FITID"] == "1"


def test_a_record_outside_any_statement_is_kept() -> None:
    [statement] = ofx.read(b"<OFX><STMTTRN><TRNAMT>1</STMTTRN><STMTTRN><TRNAMT>2</STMTTRN></OFX>").statements
    assert (statement.kind, len(statement.records)) == ("unknown", 2)


def test_a_name_that_comes_again_is_kept_beside_the_first() -> None:
    record = only("".join(f"<MEMO>{at}" for at in range(12)))
    assert (record.get("MEMO"), record.get("MEMO#2"), record.get("MEMO#8")) == ("0", "1", "7")
    assert list(record.fields) == ["MEMO", *(f"MEMO#{at}" for at in range(2, 10))]


def test_a_bare_code_where_an_aggregate_belongs() -> None:
    assert only("<CURRENCY>USD<FITID>1").fields == {"CURRENCY": "USD", "FITID": "1"}


def test_more_tags_than_any_statement_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ofx_markup, "MAX_TAGS", 5)
    with pytest.raises(HostileFile):
        ofx.read(bank("<TRNAMT>1"))


@pytest.mark.parametrize(
    "part",
    [
        "<",
        "<A ",
        "<A b=",
        "<PAYEE>",
        "<X.A>",
        "<MEMO>x",
        " <REF> y",
        "<!--",
        "<![CDATA[",
        "</STATUS>",
        "<STMTTRN>",
        "&#",
    ],
)
def test_hostile_repetition_costs_no_more_than_its_length(part: str) -> None:
    ofx.read(f"<OFX><STMTTRN><MEMO>{part * 50_000}".encode())


plain = st.text(
    st.characters(
        min_codepoint=32, exclude_characters="<>&\u00a0", exclude_categories=["Cs", "Cn", "Zs", "Zl", "Zp", "Cc"]
    )
)


@given(st.lists(plain.map(str.strip).filter(bool), min_size=1, max_size=5))
def test_every_text_comes_back_from_either_dialect(names: list[str]) -> None:
    sgml = ofx.read(bank(*(f"<NAME>{name}" for name in names)))
    xml = ofx.read(bank(*(f"<NAME>{name}</NAME>" for name in names), header=XML_HEADER))
    assert [record.get("NAME") for record in sgml.records] == names
    assert [record.get("NAME") for record in xml.records] == names
