"""The syntax of MT940: where fields begin and end, the subfields of a line, and the three ways to write details."""

import pytest

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import mt940, mt940_details
from twinning_pipelines.formats.mt940_details import Details


def head_of(*lines: str) -> mt940.Field:
    return mt940.Field("61", 1, lines)


def test_fields_have_their_place_and_their_lines() -> None:
    document = mt940.read(
        b"PREAMBLE\n:20:A\n:25:1\n:61:260331D1,NMSC\nmore\n:86:one\n:12:30 two\n:62F:C260331EUR1,\n-\n"
    )
    [statement] = document.statements
    [entry] = statement.entries
    assert (statement.line, statement.account, entry.line) == (2, "1", 4)
    assert entry.raw == ":61:260331D1,NMSC\nmore\n:86:one\n:12:30 two"
    assert entry.details == [("one", ":12:30 two")]


def test_what_stands_between_statements_belongs_to_none() -> None:
    document = mt940.read(
        b"{1:F01X}{4:\n:20:A\n:61:260331D1,NMSC\n-}{5:{CHK:0}}\nBANK\n940\n:20:B\n:86:to the owner\n-XXX\nBANK\n"
    )
    assert [[each.raw for each in statement.entries] for statement in document.statements] == [
        [":61:260331D1,NMSC"],
        [],
    ]
    assert document.statements[1].fields[-1].lines == ("to the owner",)


def test_no_field_is_no_statement() -> None:
    with pytest.raises(UnreadableFile, match="not MT940"):
        mt940.read(b"-\n:940:\n")
    with pytest.raises(UnreadableFile, match="no text"):
        mt940.read(b":20:A\n" + bytes(range(1, 9)) * 50)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("2603310401DR12,50NTRFREF 1//B1", ("0401", "D", "R", "12,50", "NTRF", "REF 1", "B1")),
        ("260331    C5,NCHKN", ("", "C", "", "5,", "NCHK", "N", "")),
        ("260331RD,5FMSC", ("", "RD", "", ",5", "FMSC", "", "")),
        ("260331D5,00S   X", ("", "D", "", "5,00", "S", "X", "")),
        ("260331C500NTRF29-03-2026 10:05//B2", ("", "C", "", "500", "NTRF", "29-03-2026 10:05", "B2")),
        ("260331D0,42MCI0NONREF", ("", "D", "", "0,42", "MCI0", "NONREF", "")),
        ("260331CNZ9,00NZ10REF", ("", "C", "", "NZ9,00", "NZ10", "REF", "")),
        ("260331CN0,01NTRF", ("", "C", "N", "0,01", "NTRF", "", "")),
        ("260331D5,00NTRFNL20INGB0001234567", ("", "D", "", "5,00", "NTRF", "NL20INGB0001234567", "")),
    ],
)
def test_a_line_is_told_apart(line: str, told: tuple[str, ...]) -> None:
    parts = mt940.entry_parts(head_of(line))
    assert (
        parts.entry_day,
        parts.mark,
        parts.funds,
        parts.amount,
        parts.kind,
        parts.reference,
        parts.bank_reference,
    ) == told


def test_a_padded_reference_has_a_name_beside_it_and_a_wrapped_line_goes_on() -> None:
    parts = mt940.entry_parts(head_of("260331D5,00N0440121470966      J. Muster   ", "below", "and more"))
    assert (parts.reference, parts.beside, parts.supplementary) == ("0121470966", "J. Muster", "below and more")
    parts = mt940.entry_parts(head_of("2603310331CR", "30,00N062NONREF", "below"))
    assert (parts.amount, parts.kind, parts.supplementary) == ("30,00", "N062", "below")


@pytest.mark.parametrize("text", ["", "X260331EUR1,00", "C26033EUR1,00", "C260331EUR1,00 and more"])
def test_what_is_no_balance_has_no_parts(text: str) -> None:
    assert mt940.balance_parts(mt940.Field("62F", 1, (text,))) is None


def test_german_subfields_join_where_they_are_full() -> None:
    lines = (
        "166?00GUTSCHRIFT?20EREF+123456789012345678901?2123?22SVWZ+Miete fuer April 2026?23 und Mai?24ABWA+Wer sonst?32Frau",
        "?33Holle?34011?60 und Juni",
    )
    assert mt940_details.read([lines]) == Details(
        "Frau Holle",
        "Miete fuer April 2026 und Mai",
        {
            "GVC": "166",
            "?00": "GUTSCHRIFT",
            "?34": "011",
            "EREF": "123456789012345678901 23",
            "ABWA": "Wer sonst und Juni",
        },
    )


def test_text_before_the_first_sepa_word_is_kept() -> None:
    details = mt940_details.read([("105?20Laden GmbH?21SVWZ+Einkauf",)])
    assert (details.text, details.parts["?20"]) == ("Einkauf", "Laden GmbH")
    assert mt940_details.read([("105?20Nur Text?21EREF+7",)]) == Details("", "Nur Text", {"GVC": "105", "EREF": "7"})


def test_another_separator_is_one_too() -> None:
    assert mt940_details.read([("000>100987>20 HUUR", ">21 APRIL>310390")]) == Details(
        "", "HUUR APRIL", {"GVC": "000", "?10": "0987", "?31": "0390"}
    )


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("/EREF/1//NAME/A B/REMI/C/D/ISDT/2026-03-31", Details("A B", "C/D", {"EREF": "1", "ISDT": "2026-03-31"})),
        ("/CNTP/NL20/BIC1/A B/City///REMI/USTD//text/", Details("A B", "text", {"CNTP": "NL20/BIC1/A B/City"})),
        ("/TRTP/iDEAL/IBAN/NL20/BIC/B/NAME/A/REMI//", Details("A", "", {"TRTP": "iDEAL", "IBAN": "NL20", "BIC": "B"})),
        ("/12 is no word", Details("", "/12 is no word")),
    ],
)
def test_dutch_words_stand_between_slashes(text: str, details: Details) -> None:
    assert mt940_details.read([(text,)]) == details


def test_free_text_goes_on_behind_a_full_line() -> None:
    full = "x" * 65
    assert mt940_details.read([(full, "y", "", "  z  "), ("again",)]) == Details("", f"{full}y z again")
    assert mt940_details.read([]) == Details()
