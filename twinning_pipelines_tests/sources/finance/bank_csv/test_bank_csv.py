"""What the rows of a bank's CSV are taken for, by their cells, and how many files of others are read whole."""

import os
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from twinning_pipelines.errors import FileError, UnreadableFile
from twinning_pipelines.ingest.road import look
from twinning_pipelines.original import Original
from twinning_pipelines.source import Claim, Notice
from twinning_pipelines.sources import SOURCES
from twinning_pipelines.sources.finance.bank_csv import SOURCE
from twinning_pipelines_tests.bench.bank_corpus import CLOCK, holds_no_bookings
from twinning_pipelines_tests.goldens import BERLIN
from twinning_pipelines_tests.shared import SHARED
from twinning_pipelines_tests.sources.finance.bank_csv.made_exports import amounts, file_of, rows

HERE = Path(__file__).parent
CORPUS = SHARED / "corpus" / "finance" / "csv"
# Where the corpus prints balances, so many of its files prove themselves.
PROVED = 20
needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason=f"no files in {CORPUS}: set TWINNING_SHARED to its folder"
)


def test_debits_without_a_sign_are_taken_away(tmp_path: Path) -> None:
    original = file_of(tmp_path, "Date,Details,Debit,Credit", "2026-03-01,Shop,12.50,", "2026-03-02,Pay,,100.00")
    assert amounts(original) == [Decimal("-12.50"), Decimal("100.00")]


def test_debits_with_a_sign_are_taken_as_they_are(tmp_path: Path) -> None:
    original = file_of(tmp_path, "Date,Details,Debit,Credit", "2026-03-01,Shop,-12.50,", "2026-03-02,Pay,0.00,100.00")
    assert amounts(original) == [Decimal("-12.50"), Decimal("100.00")]


def test_a_refund_among_debits_without_a_sign_comes_back(tmp_path: Path) -> None:
    lines = "2026-03-01,Shop,12.50,", "2026-03-02,Shop,-2.50,"
    assert amounts(file_of(tmp_path, "Date,Details,Debit,Credit", *lines)) == [Decimal("-12.50"), Decimal("2.50")]


def test_what_is_taken_back_among_debits_with_a_sign_turns_none_of_them(tmp_path: Path) -> None:
    lines = (
        "2026-03-01,Shop,-12.50,",
        "2026-03-02,Shop,-3.00,",
        "2026-03-03,Taken back,12.50,",
        "2026-03-04,Pay,,100.00",
    )
    found = amounts(file_of(tmp_path, "Date,Details,Money Out,Money In", *lines))
    assert found == [Decimal("-12.50"), Decimal(-3), Decimal("12.50"), Decimal(100)]


def test_credits_with_a_minus_came_as_those_without(tmp_path: Path) -> None:
    lines = "2026-03-01,Shop,12.50,", "2026-03-02,Thank you,,-300.00"
    assert amounts(file_of(tmp_path, "Date,Details,Debit,Credit", *lines)) == [Decimal("-12.50"), Decimal(300)]


@pytest.mark.parametrize(("out", "into"), [("D", "K"), ("debit", "credit"), ("Af", "Bij"), ("S", "H")])
def test_words_say_the_direction_where_all_cells_are_such_words(tmp_path: Path, out: str, into: str) -> None:
    original = file_of(
        tmp_path, "Date,Details,Amount,Type", f"2026-03-01,Shop,12.50,{out}", f"2026-03-02,Pay,9.00,{into}"
    )
    assert amounts(original) == [Decimal("-12.50"), Decimal("9.00")]


def test_other_words_are_the_kind_of_the_booking(tmp_path: Path) -> None:
    lines = "2026-03-01,Shop,-12.50,Card", "2026-03-02,Shop,-9.00,debit"
    found = rows(file_of(tmp_path, "Date,Details,Amount,Type", *lines))
    assert [(row["amount"], row["kind"]) for row in found] == [(Decimal("-12.50"), "Card"), (Decimal("-9.00"), "debit")]


def test_spending_without_any_sign_is_asked_about_not_guessed(tmp_path: Path) -> None:
    original = file_of(tmp_path, "Merchant Name,Date,Amount", "Shop,2026-03-01,12.50", "Shop,2026-03-02,9.00")
    with pytest.raises(UnreadableFile, match=r"no amount has a minus.*set `sign`.*add a column Type"):
        rows(original)


def test_a_single_amount_without_a_sign_is_asked_about_too(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="set `sign`"):
        rows(file_of(tmp_path, "Date,Details,Amount", "2026-03-01,Shop,12.50"))


def test_a_day_in_the_name_that_may_be_the_first_of_the_file_proves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "from-2026-01-01.csv"
    path.write_text("Date,Details,Amount\n01/03/2026,Shop,-1.00\n", encoding="utf-8")
    os.utime(path, (1_790_000_000, 1_790_000_000))
    assert look(path, BERLIN, SOURCES).rejected == 1


def test_a_remark_below_the_list_is_not_taken_into_the_last_booking(tmp_path: Path) -> None:
    original = file_of(tmp_path, "Details,Date,Amount", "Shop,2026-03-01,-1.00", "All figures without warranty,,")
    assert [row["memo"] for row in rows(original)] == ["Shop"]


def test_an_order_of_dates_that_no_row_proves_rejects_the_rows(tmp_path: Path) -> None:
    receipt = look(file_of(tmp_path, "Date,Details,Amount", "01/02/2026,Shop,-12.50").path, BERLIN, SOURCES)
    assert (receipt.accepted, receipt.rejected) == (0, 1)
    assert "may be day-first or month-first" in receipt.rejections[0].reason


def test_the_currency_may_stand_in_the_heading_or_behind_the_number(tmp_path: Path) -> None:
    found = rows(file_of(tmp_path, "Date,Details,Amount (USD)", "2026-03-01,Shop,-12.50", "2026-03-02,Shop,EUR -1"))
    assert [(row["amount"], row["currency"]) for row in found] == [(Decimal("-12.50"), "USD"), (Decimal(-1), "EUR")]


def test_each_amount_is_in_the_currency_beside_it(tmp_path: Path) -> None:
    lines = (
        "2026-03-01,Shop,-3.00 USD",
        "2026-03-02,Shop,-4.00 EUR",
        "2026-03-03,Shop,-£5.00",
        "2026-03-04,Shop,-6.00 DEB",
    )
    found = rows(file_of(tmp_path, "Date,Details,Amount", *lines))
    assert [row["currency"] for row in found] == ["USD", "EUR", "GBP", "XXX"]


@pytest.mark.parametrize(("cells", "currency"), [(("SEK", "SEK"), "SEK"), (("2026-03-01", "2026-03-02"), "XXX")])
def test_valuta_is_a_currency_where_every_cell_is_one(tmp_path: Path, cells: Sequence[str], currency: str) -> None:
    lines = [f"2026-03-0{day};a;-1,50;{cell}" for day, cell in enumerate(cells, 1)]
    found = rows(file_of(tmp_path, "Bokföringsdag;Rubrik;Belopp;Valuta", *lines))
    assert [row["currency"] for row in found] == [currency, currency]


def test_the_one_currency_beside_amounts_is_that_of_the_file(tmp_path: Path) -> None:
    original = file_of(tmp_path, "Fecha;Concepto;Importe", "13/03/2026;a;-3,00EUR", "14/03/2026;b;-4,00")
    assert [row["currency"] for row in rows(original)] == ["EUR", "EUR"]
    assert not any("names no currency" in text for text in look(original.path, BERLIN, SOURCES).notices)


def test_a_number_of_an_account_counts_only_where_all_rows_have_one(tmp_path: Path) -> None:
    header = "Kontonummer,Datum,Empfänger,Verwendungszweck,Betrag (EUR)"
    one = file_of(tmp_path, header, "111,2026-03-01,A,x,-1.00", "111,2026-03-02,B,y,-2.00")
    assert {row["account"] for row in rows(one)} == {"111"}
    for other in ("222", ""):
        several = file_of(tmp_path, header, "111,2026-03-01,A,x,-1.00", f"{other},2026-03-02,B,y,-2.00")
        assert {row["account"] for row in rows(several)} == {f"account of a CSV with {header.replace(',', ', ')}"}
        said = [item.text for item in SOURCE.parse(several, BERLIN) if isinstance(item, Notice)]
        assert any("names no account" in text for text in said)


def test_two_banks_that_name_no_account_do_not_share_one(tmp_path: Path) -> None:
    headers = "Date,Description,Amount,Category", "Date,Payee,Amount"
    names = [rows(file_of(tmp_path, header, "2026-03-01,Shop,-1"))[0]["account"] for header in headers]
    assert names == [f"account of a CSV with {header.replace(',', ', ')}" for header in headers]
    many = file_of(tmp_path, "Date,Amount,Payee,a,b,c,d,e,f,g", "2026-03-01,-1,Shop")
    assert rows(many)[0]["account"] == "account of a CSV with Date, Amount, Payee, a, b, c, d, e and 2 more"


@pytest.mark.parametrize("header", ["Datum;Empfänger;IBAN;Betrag", "Datum;Verwendungszweck;IBAN;BIC;Betrag"])
def test_the_only_payee_of_a_file_does_not_give_it_his_account(tmp_path: Path, header: str) -> None:
    bank = ";GENODEFF" if "BIC" in header else ""
    original = file_of(tmp_path, header, *[f"0{day}.03.2026;A;DE12500105170648489890{bank};-1,00" for day in (1, 2)])
    assert {row["account"] for row in rows(original)} == {f"account of a CSV with {header.replace(';', ', ')}"}


def test_the_account_above_the_header_goes_before_that_of_a_payee(tmp_path: Path) -> None:
    original = file_of(
        tmp_path, '"Girokonto";"DE89370400440532013000"', "", "Datum;Verwendungszweck;IBAN;Betrag",
        "01.03.2026;Gehalt;DE12500105170648489890;1,00", "02.03.2026;Miete;DE12500105170648489890;-1,00",
    )  # fmt: skip
    assert {row["account"] for row in rows(original)} == {"DE89370400440532013000"}


def test_an_account_above_a_second_header_is_that_of_the_rows_below_it(tmp_path: Path) -> None:
    first, second = "DE89370400440532013000", "DE12 5001 0517 0648 4898 90"
    header = "Datum;Text;Betrag"
    original = file_of(
        tmp_path, f"Konto;{first}", "", header, "01.03.2026;a;-1,00", "", f"Konto;{second}", "", header,
        "01.03.2026;b;-2,00", header, "02.03.2026;c;-3,00",
    )  # fmt: skip
    other = second.replace(" ", "")
    assert [(row["memo"], row["account"]) for row in rows(original)] == [("a", first), ("b", other), ("c", other)]
    assert f"from line 8 on the account is {other}" in look(original.path, BERLIN, SOURCES).notices


def test_balances_that_follow_from_each_other_claim_the_last(tmp_path: Path) -> None:
    lines = (HERE / "debit_and_credit.csv").read_text(encoding="utf-8").splitlines()[:-1]
    for some in (lines, [lines[0], *lines[:0:-1]]):
        claims = [item for item in SOURCE.parse(file_of(tmp_path, *some), BERLIN) if isinstance(item, Claim)]
        assert [(str(each.day), each.value) for each in claims] == [("2026-02-14", Decimal("77.50"))]


def test_balances_with_a_gap_claim_nothing(tmp_path: Path) -> None:
    lines = "2026-03-01,Shop,-10.00,90.00", "2026-03-02,Shop,-10.00,70.00"
    original = file_of(tmp_path, "Date,Details,Amount,Balance", *lines)
    assert [item for item in SOURCE.parse(original, BERLIN) if isinstance(item, Claim)] == []


def test_balances_that_can_be_read_upwards_and_downwards_claim_nothing(tmp_path: Path) -> None:
    lines = "2026-03-02,Shop,-50.00,50.00", "2026-03-02,Pay,50.00,100.00"
    original = file_of(tmp_path, "Date,Details,Amount,Balance", *lines)
    assert [item for item in SOURCE.parse(original, BERLIN) if isinstance(item, Claim)] == []


def test_dates_with_points_have_the_day_first(tmp_path: Path) -> None:
    original = file_of(tmp_path, "Datum;Text;Betrag", "01.02.2026;Laden;-1,00")
    assert [str(row["booked_on"]) for row in rows(original)] == ["2026-02-01"]


@pytest.mark.parametrize(
    ("cells", "day"), [(("10/02/2026", "03/11/2025"), "2026-02-10"), (("02/10/2026", "11/03/2025"), "2026-02-10")]
)
def test_no_booking_lies_behind_the_day_in_the_name_of_the_file(
    tmp_path: Path, cells: tuple[str, str], day: str
) -> None:
    path = tmp_path / "20260226_12345678.csv"
    path.write_text("Date,Details,Amount\n" + "".join(f"{cell},Shop,-1.00\n" for cell in cells), encoding="utf-8")
    assert str(rows(Original.at(path))[0]["booked_on"]) == day


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (("26/01/03", "26/01/15", "26/02/28"), ["2026-01-03", "2026-01-15", "2026-02-28"]),
        (("03/01/26", "15/01/26", "28/02/26"), ["2026-01-03", "2026-01-15", "2026-02-28"]),
        (("26/01/26", "25/01/26"), ["2026-01-26", "2026-01-25"]),
    ],
)
def test_days_that_begin_with_a_short_year_are_seen_by_their_being_near(
    tmp_path: Path, cells: Sequence[str], days: Sequence[str]
) -> None:
    path = tmp_path / "2026-03-01.csv"
    path.write_text("Date,Details,Amount\n" + "".join(f"{cell},Shop,-1.00\n" for cell in cells), encoding="utf-8")
    assert [str(row["booked_on"]) for row in rows(Original.at(path))] == days


def test_a_time_when_the_file_was_changed_rules_an_order_out(tmp_path: Path) -> None:
    original = file_of(tmp_path, "Date,Details,Amount", "01/12/2026,Shop,-1.00")
    os.utime(original.path, (1_770_000_000, 1_770_000_000))
    assert [str(row["booked_on"]) for row in rows(Original.at(original.path))] == ["2026-01-12"]


def test_words_below_a_booking_belong_to_it_and_remarks_and_totals_to_none(tmp_path: Path) -> None:
    original = file_of(
        tmp_path, "Date,Details,Amount", "A remark,,", "2026-03-01,Shop,-1.00", ",at the corner,", "Date,Details,Amount",
        "2026-03-02,Shop,-2.00", "Total,,-3.00", "pending,Shop,-9.00", ",,-3.00",
    )  # fmt: skip
    receipt = look(original.path, BERLIN, SOURCES)
    assert [row["memo"] for row in rows(original)] == ["Shop at the corner", "Shop"]
    assert [(each.at, each.reason) for each in receipt.rejections] == [(9, "booked_on: empty")]
    told = "\n".join(receipt.notices)
    for reason, line in (
        ("neither a day nor an amount", 2),
        ("the header again", 5),
        ("a total", 7),
        ("not booked yet", 8),
    ):
        assert f"1 × {reason} (line {line})" in told


@pytest.mark.parametrize(
    ("heading", "state", "reason"),
    [
        ("Status", "Vorgemerkt", "not booked yet"), ("Info", "Umsatz vorgemerkt", "not booked yet"),
        ("Status", "Venter", "not booked yet"), ("Stato", "Autorizzato", "not booked yet"),
        ("State", "REVERTED", "never booked"), ("Status", "Declined", "never booked"),
    ],
)  # fmt: skip
def test_a_row_whose_state_says_that_it_is_not_booked_is_no_booking(
    tmp_path: Path, heading: str, state: str, reason: str
) -> None:
    lines = "2026-03-01,Shop,-1.00,Booked", f"2026-03-02,Hotel,-200.00,{state}"
    original = file_of(tmp_path, f"Date,Details,Amount,{heading}", *lines)
    assert [row["memo"] for row in rows(original)] == ["Shop"]
    assert f"1 × {reason} (line 3)" in "\n".join(look(original.path, BERLIN, SOURCES).notices)


@pytest.mark.parametrize(
    ("opening", "closing"), [("Opening Balance", "Closing Balance"), ("Saldo Anterior", "S A L D O")]
)
def test_a_balance_with_a_day_and_a_figure_is_no_booking(tmp_path: Path, opening: str, closing: str) -> None:
    original = file_of(
        tmp_path, "Date,Details,Amount", f"2026-03-01,{opening},1000.00", "2026-03-02,Closing Balance Bar,-10.00",
        f"2026-03-31,{closing},990.00",
    )  # fmt: skip
    assert [row["memo"] for row in rows(original)] == ["Closing Balance Bar"]
    assert "2 × a total (line 2, 4)" in "\n".join(look(original.path, BERLIN, SOURCES).notices)


def test_a_masked_sample_is_no_bookings(tmp_path: Path) -> None:
    original = file_of(tmp_path, "Date,Details,Amount", "1111/11/11,XX,-11.11", "1111/11/11,XX,-1.11")
    with pytest.raises(UnreadableFile, match="made of the digit 1: masked, not of bookings"):
        rows(original)
    assert amounts(file_of(tmp_path, "Date,Details,Amount", "22/2/22,Shop,-2.22")) == [Decimal("-2.22")]


def test_a_cell_of_mere_letters_costs_nothing(tmp_path: Path) -> None:
    original = file_of(tmp_path, "Date,Details,Amount", "2026-03-01,Shop,-1.00", f"2026-03-01,Shop,{'a' * 30}!")
    assert look(original.path, BERLIN, SOURCES).rejected == 1


def test_a_part_of_a_hundred_is_divided(tmp_path: Path) -> None:
    original = file_of(
        tmp_path, "post_date,tx_description,value_num,value_denom,currency", "2026-03-01,Shop,-1250,100,EUR"
    )
    assert amounts(original) == [Decimal("-12.50")]


def test_a_sign_of_one_currency_names_it(tmp_path: Path) -> None:
    assert rows(file_of(tmp_path, "Date,Details,Amount", "2026-03-01,Shop,-£1.00"))[0]["currency"] == "GBP"


def test_a_table_without_a_header_is_asked_about(tmp_path: Path) -> None:
    receipt = look(file_of(tmp_path, "01.03.2026;Laden;12,50;1,00", "02.03.2026;Laden;9,00;2,00").path, BERLIN, SOURCES)
    assert receipt.source == SOURCE.name
    assert receipt.problem is not None
    assert "without a header; `twinning mapping FILE`" in receipt.problem


# What holds bookings and is not read whole: a person has to say something, or a row is bad.
EXCEPTIONS = {
    "no row proves the order of its dates": (
        "csv2ofx__payoneer.csv", "gnucash__sample1.csv", "hledger__monefy.csv", "sure__ynab.csv",
    ),
    "a row has a bad cell": ("maybe__valid.csv",),
    "no amount has a sign": ("bankstatementparser__csv_garbled_amount.csv",),
    "no header, and no bank that we know writes so": (
        "bank2ynab__statement_1.csv", "bank2ynab__test_delimiter_tab.csv", "bank2ynab__test_row_format_CD_flag.csv",
        "bank2ynab__test_row_format_default.csv", "hledger__sample.csv", "hledger__sample.tsv",
    ),
}  # fmt: skip


@needs_corpus
def test_nine_of_ten_files_of_bookings_are_read_whole_and_the_others_are_named() -> None:
    whole, not_whole = 0, set[str]()
    for path in sorted(CORPUS.iterdir()):
        receipt = look(path, CLOCK, SOURCES)
        assert receipt.read == receipt.accepted + receipt.rejected
        if receipt.problem is None:
            assert receipt.source == SOURCE.name
        if receipt.problem is None and not receipt.rejected:
            whole += 1
        elif not holds_no_bookings(receipt):
            not_whole.add(path.name)
    assert not_whole == {name for names in EXCEPTIONS.values() for name in names}
    assert whole >= 0.9 * (whole + len(not_whole))


@needs_corpus
def test_balances_of_the_corpus_prove_what_was_read() -> None:
    """Where an export prints a balance behind every booking, sums and signs must lead from each to the next."""
    proved = 0
    for path in sorted(CORPUS.iterdir()):
        try:
            items = list(SOURCE.parse(Original.at(path), BERLIN)) if SOURCE.recognises(Original.at(path)) else []
        except FileError:
            continue
        proved += any(isinstance(item, Claim) for item in items)
    assert proved >= PROVED
