"""What is particular about CAMT: directions, batches, entries that are not booked, versions, and where it may break."""

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats import xml_feed
from twinning_pipelines.ingest.check import check
from twinning_pipelines.original import Original
from twinning_pipelines.source import Batch, Claim, ExportedAt, Item
from twinning_pipelines.sources.finance.camt_statement import SOURCE
from twinning_pipelines_tests.goldens import BERLIN, notices, read, reasons, rows, samples

HERE = Path(__file__).parent
SAMPLES = samples(HERE, ".xml")
IBAN = "DE02999900001234567890"
SHORT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def entry(amount: str = "10.00", direction: str = "DBIT", more: str = "", *, booked: str = "2026-03-31") -> str:
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts>BOOK</Sts>'
        f"<BookgDt><Dt>{booked}</Dt></BookgDt>{more}</Ntry>"
    )


def statement(*inside: str, account: str = f"<Id><IBAN>{IBAN}</IBAN></Id>", made: str = "") -> str:
    header = f"<GrpHdr><MsgId>M</MsgId><CreDtTm>{made}</CreDtTm></GrpHdr>"
    return f"<Document><BkToCstmrStmt>{header}<Stmt><Acct>{account}</Acct>{''.join(inside)}</Stmt></BkToCstmrStmt></Document>"


def details(*inside: str) -> str:
    return "<NtryDtls>" + "".join(f"<TxDtls>{each}</TxDtls>" for each in inside) + "</NtryDtls>"


def part(amount: str, words: str = "", direction: str = "") -> str:
    sign = f"<CdtDbtInd>{direction}</CdtDbtInd>" if direction else ""
    return f'<Refs><EndToEndId>{words}</EndToEndId></Refs><Amt Ccy="EUR">{amount}</Amt>{sign}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "statement.xml"


def only(path: Path, text: str) -> dict[str, Any]:
    path.write_text(text, encoding="utf-8")
    found = rows(SOURCE, path)
    assert len(found) == 1, found
    return found[0]


def told(path: Path, text: str) -> list[Item]:
    path.write_text(text, encoding="utf-8")
    return list(SOURCE.parse(Original.at(path), BERLIN))


def claims(items: list[Item]) -> Iterator[tuple[str, str, date, Decimal, str]]:
    return ((each.kind, each.subject, each.day, each.value, each.unit) for each in items if isinstance(each, Claim))


def test_the_indicator_gives_the_sign_and_a_reversal_does_not_turn_it(path: Path) -> None:
    assert only(path, statement(entry("12.30", "CRDT", "<RvslInd>true</RvslInd>")))["amount"] == Decimal("12.30")
    assert only(path, statement(entry("12.30", "DBIT", "<RvslInd>true</RvslInd>")))["amount"] == Decimal("-12.30")


@pytest.mark.parametrize(
    ("amount", "direction", "reason"),
    [
        ("12..34", "CRDT", "amount: not a number: '12..34'"),
        ("1,234", "CRDT", "amount: not a number: '1,234'"),
        ("1e3", "CRDT", "amount: not a number: '1e3'"),
        ("", "CRDT", "amount: not a number: ''"),
        ("-5.00", "DBIT", "amount: negative, while CdtDbtInd tells the direction: '-5.00'"),
        ("5.00", "", "amount: CdtDbtInd is neither CRDT nor DBIT: ''"),
    ],
)
def test_a_bad_amount_costs_its_entry_alone(path: Path, amount: str, direction: str, reason: str) -> None:
    bad = entry(amount, direction)
    path.write_text(statement(entry(), "\n", bad, "\n", entry("3.00")))
    assert reasons(SOURCE, path) == [reason]
    assert [(line["at"], line["raw"]) for line in read(SOURCE, path) if "reason" in line] == [(2, bad)]
    assert [row["amount"] for row in rows(SOURCE, path)] == [Decimal(-10), Decimal(-3)]


@pytest.mark.parametrize(
    ("booked", "reason"),
    [
        ("", "booked_on: missing"),
        ("2026-02-30", "booked_on: not a date: '2026-02-30'"),
        ("31.03.2026", "booked_on: not a date: '31.03.2026'"),
        ("2026-03-311", "booked_on: not a date: '2026-03-311'"),
    ],
)
def test_an_entry_without_a_day_is_rejected(path: Path, booked: str, reason: str) -> None:
    path.write_text(statement(entry(booked=booked)))
    assert reasons(SOURCE, path) == [reason]


@pytest.mark.parametrize(
    "printed",
    [
        *("<Dt>2026-03-31</Dt>", "<Dt>2026-03-31+02:00</Dt>", "<Dt>2026-03-31Z</Dt>"),
        *("<DtTm>2026-03-31T00:30:00+14:00</DtTm>", "<DtTm>2026-03-31T23:59:59-11:00</DtTm>"),
    ],
)
def test_a_day_is_the_one_that_is_printed(path: Path, printed: str) -> None:
    text = statement(entry().replace("<Dt>2026-03-31</Dt>", printed))
    assert only(path, text)["booked_on"] == date(2026, 3, 31)


def test_entries_that_are_not_booked_are_counted_in_one_notice_and_are_no_rows(path: Path) -> None:
    pending = entry().replace("BOOK", "PDNG")
    coded = entry().replace("<Sts>BOOK</Sts>", "<Sts><Cd>INFO</Cd></Sts>")
    path.write_text(statement(pending, entry(), pending, coded, entry("2.00").replace("BOOK", "<Cd>BOOK</Cd>")))
    assert [row["amount"] for row in rows(SOURCE, path)] == [Decimal(-10), Decimal(-2)]
    assert notices(SOURCE, path) == ["entries that are not booked, left out: 3 (INFO 1, PDNG 2)"]


def test_parts_that_share_the_banks_id_have_keys_of_their_own(path: Path) -> None:
    found = rows(SOURCE, HERE / "two_accounts.xml")
    batch = [row for row in found if row["bank_id"] == "ZV20260407/000111"]
    assert sum(row["amount"] for row in batch) == Decimal("-1300.00")
    assert len({row["key"] for row in batch}) == len(batch) == 3


@SHORT
@given(cents=st.lists(st.integers(-500, 500).filter(bool), min_size=2, max_size=6), off=st.integers(-1, 1))
def test_a_batch_is_divided_when_its_parts_add_up_and_never_otherwise(path: Path, cents: list[int], off: int) -> None:
    total = Decimal(sum(cents) + off) / 100
    parts = [
        part(f"{abs(each) / Decimal(100)}", f"E{number}", "DBIT" if each < 0 else "CRDT")
        for number, each in enumerate(cents)
    ]
    text = statement(entry(f"{abs(total)}", "DBIT" if total < 0 else "CRDT", details(*parts)))
    path.write_text(text)
    found = rows(SOURCE, path)
    assert sum(row["amount"] for row in found) == total
    assert [row["amount"] for row in found] == ([total] if off else [Decimal(each) / 100 for each in cents])
    assert all(f"E{number}" in str(found) for number in range(len(cents)))


@pytest.mark.parametrize(
    "second",
    [
        part("x", "TWO"),
        part("", "TWO"),
        part("4.01", "TWO"),
        part("4.00", "TWO").replace("EUR", "USD"),
        part("4.00", "TWO", "CRDT"),
    ],
)
def test_a_batch_that_does_not_add_up_is_one_row_with_its_details_in_extra(path: Path, second: str) -> None:
    row = only(path, statement(entry("10.00", "DBIT", details(part("6.00", "ONE"), second))))
    extra = json.loads(row["extra"])
    assert row["amount"] == Decimal(-10)
    assert "reference" not in row
    assert (extra["TxDtls#1.Refs.EndToEndId"], extra["TxDtls#2.Refs.EndToEndId"]) == ("ONE", "TWO")


def test_the_raw_text_of_a_part_is_its_entry_with_that_part_alone(path: Path) -> None:
    bad = entry("10.00", "DBIT", details(part("6.00", "ONE"), part("4.00", "TWO")), booked="never")
    path.write_text(statement(bad))
    raws = [line["raw"] for line in read(SOURCE, path) if "reason" in line]
    assert len(raws) == 2
    for raw in raws:
        assert rows_of_words(path, raw.replace("never", "2026-03-31")) == 1
    assert ["ONE" in raw for raw in raws] == [True, False]


def rows_of_words(path: Path, ntry: str) -> int:
    path.write_text(statement(ntry))
    return len(rows(SOURCE, path)) + len(reasons(SOURCE, path))


def test_who_is_on_the_other_side(path: Path) -> None:
    def payee(direction: str, parties: str, more: str = "") -> str:
        inside = more + details(f"<RltdPties>{parties}</RltdPties>")
        return str(only(path, statement(entry("1.00", direction, inside)))["payee"])

    both = "<Dbtr><Nm>Debtor</Nm></Dbtr><Cdtr><Pty><Nm>Creditor</Nm></Pty></Cdtr>"
    own = f"<DbtrAcct><Id><IBAN>{IBAN}</IBAN></Id></DbtrAcct>"
    assert payee("CRDT", both) == "Debtor"
    assert payee("DBIT", both) == "Creditor"
    assert payee("CRDT", both, "<RvslInd>true</RvslInd>") == "Creditor"
    assert payee("CRDT", both, "<RvslInd>false</RvslInd>") == "Debtor"
    assert payee("CRDT", both + own) == "Creditor"
    assert payee("DBIT", "<Dbtr><Nm>Me</Nm></Dbtr>") == ""


def test_words_that_say_nothing_are_no_references_and_no_keys(path: Path) -> None:
    refs = details("<Refs><EndToEndId>NOTPROVIDED</EndToEndId><PmtInfId>P-1</PmtInfId></Refs>")
    row = only(path, statement(entry(more=f"<AcctSvcrRef>NONREF</AcctSvcrRef>{refs}")))
    assert (row["bank_id"], row["reference"], row["key"]) == ("", "P-1", "words:|||")
    assert "extra" not in row


def test_every_leaf_of_an_entry_is_a_value_or_in_extra(path: Path) -> None:
    more = '<Chrgs><Rcrd><Amt Ccy="EUR">0.10</Amt><Br>SHAR</Br></Rcrd><Rcrd><Amt Ccy="EUR">0.20</Amt></Rcrd></Chrgs>'
    row = only(path, statement(entry(more=more + details("<RmtInf><Ustrd>a</Ustrd><Ustrd>b</Ustrd></RmtInf>"))))
    assert row["memo"] == "a b"
    assert json.loads(row["extra"]) == {
        "Chrgs.Rcrd.Amt": "0.10",
        "Chrgs.Rcrd.Amt.Ccy": "EUR",
        "Chrgs.Rcrd.Br": "SHAR",
        "Chrgs.Rcrd#2.Amt": "0.20",
        "Chrgs.Rcrd#2.Amt.Ccy": "EUR",
    }


def balance(code: str, amount: str, more: str = "", currency: str = "EUR") -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry>{more}</Tp>"
        f'<Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Dt><Dt>2026-03-31</Dt></Dt></Bal>'
    )


def test_the_booked_balance_goes_before_the_available_one_in_each_currency(path: Path) -> None:
    page = "<SubTp><Cd>INTM</Cd></SubTp>"
    balances = (balance("CLAV", "1"), balance("CLBD", "9", page), balance("CLBD", "2"), balance("CLAV", "3", "", "USD"))
    day = date(2026, 3, 31)
    assert list(claims(told(path, statement(*balances)))) == [
        ("closing_balance", IBAN, day, Decimal(-2), "EUR"),
        ("available_balance", IBAN, day, Decimal(-3), "USD"),
    ]


@pytest.mark.parametrize("value_date", ["<Dt>2026-03-03</Dt>", "<DtTm>2026-03-03T00:00:00+01:00</DtTm>"])
def test_an_entry_without_a_booking_date_is_booked_on_its_value_date(path: Path, value_date: str) -> None:
    valued = f"<ValDt>{value_date}</ValDt>"
    bare = entry("5.00", more=valued + details(part("2.00"), part("3.00"))).replace("<Dt>2026-03-31</Dt>", "")
    wrong = entry(booked="", more="<ValDt><Dt>3.3.2026</Dt></ValDt>")
    path.write_text(statement(entry("9.00", more=valued), bare.replace("<BookgDt></BookgDt>", ""), wrong))
    assert [(row["amount"], row["booked_on"], row["valued_on"]) for row in rows(SOURCE, path)] == [
        (Decimal(-9), date(2026, 3, 31), date(2026, 3, 3)),
        (Decimal(-2), date(2026, 3, 3), date(2026, 3, 3)),
        (Decimal(-3), date(2026, 3, 3), date(2026, 3, 3)),
    ]
    assert notices(SOURCE, path) == ["bookings without a booking date, taken as booked on their value date: 2"]
    assert reasons(SOURCE, path) == ["valued_on: not a date: '3.3.2026'"]


@pytest.mark.parametrize(
    ("made", "instant"),
    [
        ("2026-04-01T07:00:00+02:00", datetime(2026, 4, 1, 5, tzinfo=UTC)),
        ("2026-04-01T07:00:00", datetime(2026, 4, 1, 7, tzinfo=UTC)),
        ("2026-04-01", None),
        ("2026-04-01T00:00:00", None),
        ("yesterday", None),
    ],
)
def test_when_the_export_was_made(path: Path, made: str, instant: datetime | None) -> None:
    found = [each.instant for each in told(path, statement(entry(), made=made)) if isinstance(each, ExportedAt)]
    assert found == ([] if instant is None else [instant])


@pytest.mark.parametrize(
    ("account", "name"),
    [
        ("<Id><IBAN>de02 9999 0000 1234 5678 90</IBAN></Id><Svcr><FinInstnId><BIC>B</BIC></FinInstnId></Svcr>", IBAN),
        ("<Id><Othr><Id>77</Id></Othr></Id><Svcr><FinInstnId><BICFI>B</BICFI></FinInstnId></Svcr>", "B/77"),
        ("<Id><Othr><Id>77</Id></Othr></Id>", "77"),
        ("<Nm>no number</Nm>", "unnamed account"),
    ],
)
def test_an_account_is_its_iban_or_bank_and_number(path: Path, account: str, name: str) -> None:
    assert only(path, statement(entry(), account=account))["account"] == name


@pytest.mark.parametrize("version", range(1, 14))
@pytest.mark.parametrize(
    "message", ["052/BkToCstmrAcctRpt/Rpt", "053/BkToCstmrStmt/Stmt", "054/BkToCstmrDbtCdtNtfctn/Ntfctn"]
)
def test_every_version_in_an_envelope_with_prefixes(path: Path, message: str, version: int) -> None:
    number, name, inner = message.split("/")
    text = (
        statement(entry())
        .replace("BkToCstmrStmt", name)
        .replace("Stmt>", f"{inner}>")
        .replace(f"BkToCstmr{inner}", name)
    )
    text = text.replace("</", "\0").replace("<", "<c:").replace("\0", "</c:")
    space = f"urn:iso:std:iso:20022:tech:xsd:camt.{number}.001.{version:02}"
    wrapped = f'<w:Envelope xmlns:w="urn:w" xmlns:c="{space}"><w:AppHdr/>{text}</w:Envelope>'
    assert only(path, wrapped)["amount"] == Decimal(-10)
    assert SOURCE.recognises(Original.at(path))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_blocks_of_any_size_say_the_same(sample: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(SOURCE, sample)
    monkeypatch.setattr(xml_feed, "BLOCK_BYTES", size)
    assert read(SOURCE, sample) == whole


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
@SHORT
@given(data=st.data())
def test_bytes_changed_anywhere_do_no_harm(sample: Path, data: st.DataObject, path: Path) -> None:
    mangled = bytearray(sample.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(mangled) - 1), min_size=1, max_size=4)):
        mangled[place] = data.draw(st.sampled_from(b'<>/&"x0- .\x00\xff'))
    path.write_bytes(bytes(mangled))
    original = Original.at(path)
    try:
        if SOURCE.recognises(original):
            for item in SOURCE.parse(original, BERLIN):
                if isinstance(item, Batch):
                    check(item)
    except UnreadableFile:
        return


def test_broken_and_cut_xml_tell_the_line(path: Path) -> None:
    text = statement("\n\n", entry(), "\n<Ntry><Amt></Ntry>")
    path.write_text(text)
    with pytest.raises(UnreadableFile, match="line 4: broken XML"):
        told(path, text)
    with pytest.raises(UnreadableFile, match="line 3: the file breaks off here"):
        told(path, text[: text.index("</Ntry>") + 3])


@pytest.mark.parametrize("entity", ['<!ENTITY x "lol">', '<!ENTITY % x SYSTEM "file:///etc/hostname">'])
def test_entities_are_refused(path: Path, entity: str) -> None:
    with pytest.raises(HostileFile):
        told(path, f"<!DOCTYPE Document [{entity}]>{statement(entry())}")


def test_an_entity_that_nobody_declared_is_broken_xml(path: Path) -> None:
    with pytest.raises(UnreadableFile, match="undefined entity"):
        told(path, statement(entry(more="<AddtlNtryInf>&x;</AddtlNtryInf>")))


def test_a_zip_of_statements_is_read_member_by_member(tmp_path: Path) -> None:
    packed = tmp_path / "camt.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("2026/b.xml", statement(entry("2.00"), made="2026-04-02T07:00:00"))
        archive.writestr(
            "2026/a.XML", statement(entry("x"), entry().replace("BOOK", "PDNG"), made="2026-04-01T07:00:00")
        )
        archive.writestr("read me.txt", "nothing")
    original = Original.at(packed)
    assert SOURCE.recognises(original)
    items = list(SOURCE.parse(original, BERLIN))
    assert [row["amount"] for row in rows(SOURCE, packed)] == [Decimal(-2)]
    assert reasons(SOURCE, packed) == ["a.XML: amount: not a number: 'x'"]
    assert ExportedAt(datetime(2026, 4, 2, 7, tzinfo=UTC)) in items
    assert notices(SOURCE, packed) == [
        "left out, no bank statements: read me.txt",
        "entries that are not booked, left out: 1 (PDNG 1)",
    ]


def test_a_broken_member_is_named(tmp_path: Path) -> None:
    packed = tmp_path / "camt.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.xml", statement(entry())[:-20])
    with pytest.raises(UnreadableFile, match=r"a\.xml: line 1: the file breaks off here"):
        list(SOURCE.parse(Original.at(packed), BERLIN))


def test_a_damaged_member_is_not_taken_for_something_else(tmp_path: Path) -> None:
    packed = tmp_path / "camt.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.xml", statement(entry("1.23")))
        archive.writestr("b.xml", statement(entry("4.56")))
    packed.write_bytes(packed.read_bytes().replace(b">4.56<", b">4.57<"))
    assert SOURCE.recognises(Original.at(packed))
    with pytest.raises(UnreadableFile, match=r"b\.xml: damaged zip"):
        list(SOURCE.parse(Original.at(packed), BERLIN))
