"""Bank statements in MT940: days, signs, references, details, balances, and what becomes of a bad line."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import NO_CURRENCY, UNNAMED_ACCOUNT
from twinning_pipelines.source import Claim
from twinning_pipelines.sources.finance.mt940_statement import SOURCE, account_name, booking_day, value_day
from twinning_pipelines_tests.goldens import BERLIN, notices, reasons, rows

HEAD = ":20:STARTUMS\n:25:12030000/1002003004\n:28C:1/1\n:60F:C260330EUR100,00\n"


def file_of(folder: Path, content: str, codec: str = "utf-8") -> Path:
    path = folder / "statement.sta"
    path.write_bytes(content.encode(codec))
    return path


def row_of(folder: Path, entry: str) -> dict[str, Any]:
    [row] = rows(SOURCE, file_of(folder, f"{HEAD}{entry}\n:62F:C260331EUR0,00\n-\n"))
    return row


def claims_of(path: Path) -> list[tuple[str, str, date, Decimal]]:
    told = SOURCE.parse(Original.at(path), BERLIN)
    return [(each.kind, each.subject, each.day, each.value) for each in told if isinstance(each, Claim)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("260331", date(2026, 3, 31)),
        ("800101", date(1980, 1, 1)),
        ("791231", date(2079, 12, 31)),
        ("991231", date(1999, 12, 31)),
        ("260230", date(2026, 2, 28)),
        ("240230", date(2024, 2, 29)),
        ("260229", date(2026, 2, 28)),
        ("240229", date(2024, 2, 29)),
    ],
)
def test_a_value_date_is_of_this_century_or_the_last_and_banks_have_a_30_february(text: str, day: date) -> None:
    assert value_day(text) == day


@pytest.mark.parametrize("text", ["260231", "261301", "260400", "26033", "2603311", "2603x1", "٢٦٠٣٣١", ""])
def test_an_impossible_value_date_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="valued_on: not a date"):
        value_day(text)


@pytest.mark.parametrize(
    ("text", "valued_on", "day"),
    [
        ("0102", date(2026, 12, 31), date(2027, 1, 2)),
        ("1231", date(2027, 1, 2), date(2026, 12, 31)),
        ("0331", date(2026, 3, 1), date(2026, 3, 31)),
        ("0229", date(2027, 2, 28), date(2028, 2, 29)),
        ("", date(2026, 3, 1), date(2026, 3, 1)),
    ],
)
def test_a_booking_day_is_the_one_nearest_to_the_value_date(text: str, valued_on: date, day: date) -> None:
    assert booking_day(text, valued_on) == day


@pytest.mark.parametrize(
    ("printed", "account"),
    [
        ("12030000/1002003004", "12030000/1002003004"),
        ("12030000/1002003004EUR", "12030000/1002003004EUR"),
        ("NL91 ABNA 0417 1643 00 EUR", "NL91ABNA0417164300"),
        ("NL91ABNA0417164300/EUR", "NL91ABNA0417164300"),
        ("NL91ABNA0417164300", "NL91ABNA0417164300"),
        # The IBANs of Mauritius end in a currency of their own.
        ("MU17BOMM0101101030300200000MUR", "MU17BOMM0101101030300200000MUR"),
        ("MU17BOMM0101101030300200000MUREUR", "MU17BOMM0101101030300200000MUR"),
    ],
)
def test_an_account_is_as_printed_but_for_blanks_and_a_currency_behind_an_iban(printed: str, account: str) -> None:
    assert account_name(printed) == account


@pytest.mark.parametrize(
    ("mark", "amount"),
    [("D", "-12.5"), ("C", "12.5"), ("RD", "12.5"), ("RC", "-12.5"), ("DR", "-12.5"), ("CR", "12.5"), ("RCR", "-12.5")],
)
def test_a_reversal_of_a_credit_takes_money_and_r_behind_the_mark_is_a_funds_code(
    mark: str, amount: str, tmp_path: Path
) -> None:
    row = row_of(tmp_path, f":61:260331{mark}12,5NTRFNONREF")
    assert (row["amount"], row["kind"]) == (Decimal(amount), "NTRF")


def test_references_identify_only_when_they_say_something(tmp_path: Path) -> None:
    row = row_of(tmp_path, ":61:260331D1,00NTRFINVOICE 12/A//B-1/2\nmore of it")
    assert (row["reference"], row["bank_id"], row["memo"]) == ("INVOICE 12/A", "B-1/2", "more of it")
    row = row_of(tmp_path, ":61:260331D1,00NTRFNONREF//NONREF")
    assert ("reference" in row, row["bank_id"]) == (False, "")


def test_a_name_beside_the_reference_is_the_payee_or_at_least_kept(tmp_path: Path) -> None:
    line = ":61:260331D1,00NMSC0733959555      KIOSK"
    assert row_of(tmp_path, line)["payee"] == "KIOSK"
    row = row_of(tmp_path, f"{line}\n:86:/NAME/Kiosk am Eingang/REMI/Zeitung")
    assert (row["payee"], json.loads(row["extra"])) == ("Kiosk am Eingang", {"beside": "KIOSK"})


def test_one_bank_reference_on_two_bookings_of_a_day_leaves_two_facts(tmp_path: Path) -> None:
    entries = ":61:260331D1,00NTRFNONREF//B1\n:86:one\n:61:260331D1,00NTRFNONREF//B1\n:86:two\n"
    assert len({row["key"] for row in rows(SOURCE, file_of(tmp_path, f"{HEAD}{entries}-\n"))}) == 2


def test_wrapped_lines_of_one_booking_have_one_key(tmp_path: Path) -> None:
    one = row_of(tmp_path, ":61:260331D1,00NTRFNONREF\n:86:166?20SVWZ+Miete April?32Frau Holle")
    other = row_of(tmp_path, ":61:260331D1,00NTRFNONREF\n:86:166?20SVWZ+Miete Ap\nril?32Frau Ho\nlle")
    assert one["key"] == other["key"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("2603310331D1O,00NTRFNONREF", "amount: not a number: '1O,00'"),
        ("2603310331D1.000,00NTRFNONREF", "amount: not a number: '1.000,00'"),
        ("2603310331D12.50NTRFNONREF", "amount: not a number: '12.50'"),
        ("2603310331D-5,00NTRFNONREF", "amount: not a number: '-5,00'"),
        ("2603310331DNTRFNONREF", "amount: not a number: ''"),
        ("2603310331D", "amount: not a number: ''"),
        ("2603310331X5,00NTRFNONREF", "amount: neither D nor C stands before it: 'X5,00'"),
        ("2603310331ED5,00NTRFNONREF", "amount: the bank only expects it; it is not booked"),
        ("2613310331D5,00NTRFNONREF", "valued_on: not a date: '261331'"),
        ("260331O331D5,00NTRFNONREF", "amount: neither D nor C stands before it: 'O331D5,00'"),
        ("2603311331D5,00NTRFNONREF", "booked_on: not a date: '1331'"),
        ("", "valued_on: not a date: ''"),
        (f"2603310331D{'9' * 40},00NTRFNONREF", "amount: not a number"),
    ],
)
def test_a_bad_line_says_why_and_costs_no_other(entry: str, reason: str, tmp_path: Path) -> None:
    good = ":61:2603310331D5,00NTRFNONREF\n:86:good\n"
    path = file_of(tmp_path, f"{HEAD}{good}:61:{entry}\n:86:bad\n{good}:62F:C260331EUR90,00\n-\n")
    [told] = reasons(SOURCE, path)
    assert told.startswith(reason)
    assert [(row["at"], row["memo"]) for row in rows(SOURCE, path)] == [(5, "good"), (9, "good")]


def test_an_intermediate_balance_claims_nothing(tmp_path: Path) -> None:
    page = ":20:A\n:25:1\n:28C:7/{}\n:60{}:C260330EUR{},\n:61:260331D1,NTRFNONREF\n:62{}:C260331EUR{},\n-\n"
    path = file_of(tmp_path, page.format(1, "F", 10, "M", 9) + page.format(2, "M", 9, "F", 8))
    assert claims_of(path) == [
        ("opening_balance", "1", date(2026, 3, 30), Decimal(10)),
        ("closing_balance", "1", date(2026, 3, 31), Decimal(8)),
    ]


def test_a_balance_that_the_file_ends_in_is_claimed_only_with_its_cents(tmp_path: Path) -> None:
    assert len(claims_of(file_of(tmp_path, f"{HEAD}:62F:C260331EUR100,00"))) == 2
    cut = file_of(tmp_path, f"{HEAD}:62F:C260331EUR10")
    assert [kind for kind, *_ in claims_of(cut)] == ["opening_balance"]
    assert notices(SOURCE, cut) == [
        "the closing balance of account 12030000/1002003004 can't be read: the file ends inside it"
    ]


def test_the_last_row_is_kept_when_its_line_ends(tmp_path: Path) -> None:
    assert len(rows(SOURCE, file_of(tmp_path, f"{HEAD}:61:260331D1,00NTRFNONREF\n"))) == 1
    assert reasons(SOURCE, file_of(tmp_path, f"{HEAD}:61:260331D1,00NTRFNON")) == ["the file ends inside this row"]


def test_the_next_statement_begins_without_its_20_behind_a_closing_balance(tmp_path: Path) -> None:
    second = ":25:OTHER\n:60F:C260330CHF1,00\n:61:260331D1,00NTRFNONREF\n"
    [row] = rows(SOURCE, file_of(tmp_path, f"{HEAD}:62F:C260331EUR100,00\n{second}"))
    assert (row["account"], row["currency"]) == ("OTHER", "CHF")


def test_what_names_no_account_and_no_currency_is_kept_and_told(tmp_path: Path) -> None:
    path = file_of(tmp_path, ":20:X\n:61:260331D1,00NTRFNONREF\n")
    [row] = rows(SOURCE, path)
    assert (row["account"], row["currency"]) == (UNNAMED_ACCOUNT, NO_CURRENCY)
    assert len(notices(SOURCE, path)) == 2


@pytest.mark.parametrize("codec", ["utf-8", "cp1252", "latin-1", "utf-16"])
def test_umlauts_are_read_whatever_the_codec(codec: str, tmp_path: Path) -> None:
    entry = ":61:260331D1,00NTRFNONREF\n:86:166?20Gebühr für Größe?32Zünd\n"
    [row] = rows(SOURCE, file_of(tmp_path, f"{HEAD}{entry}-\n", codec))
    assert (row["payee"], row["memo"]) == ("Zünd", "Gebühr für Größe")


@pytest.mark.parametrize(
    ("content", "is_ours"),
    [
        (HEAD, True),
        (HEAD.replace("\n", "\r"), True),
        ("{1:F01X}{2:O940X}{4:\n" + HEAD, True),
        ("{1:F01X}{2:O940X}{4:" + HEAD, True),
        ("BANKNL2A\n940\nBANKNL2A\n" + HEAD, True),
        (":20:X\n:25:1\n:28C:1\n:34F:EUR0,\n:13D:2603311200+0100\n", True),
        (":20:X\n:25:1\n", True),
        (":25:1\n:60F:C260330EUR1,\n", True),
        (":99:1\n", False),
        (": 20: what is left\n", False),
        ("A letter about :20: and :25: and :60F: of MT940.\n", False),
    ],
)
def test_it_is_recognised_by_its_fields_in_their_order(content: str, is_ours: bool, tmp_path: Path) -> None:
    assert SOURCE.recognises(Original.at(file_of(tmp_path, content))) is is_ours


def test_a_file_without_a_field_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="not MT940"):
        list(SOURCE.parse(Original.at(file_of(tmp_path, "1\n2\n3\n")), BERLIN))
