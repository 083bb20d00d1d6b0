"""What a bank's CSV is taken for: by its header first, by its cells where the header leaves it open."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from twinning_pipelines.errors import FileError, UnreadableFile
from twinning_pipelines.ingest.road import look
from twinning_pipelines.original import Original
from twinning_pipelines.source import Batch, Claim, Notice
from twinning_pipelines.sources import SOURCES
from twinning_pipelines.sources.finance.bank_csv import SOURCE, headings
from twinning_pipelines.sources.finance.bank_csv.mapping import bare, proposal_of
from twinning_pipelines_tests.goldens import BERLIN
from twinning_pipelines_tests.shared import SHARED

HERE = Path(__file__).parent
CORPUS = SHARED / "corpus" / "finance" / "csv"
# Where the corpus prints balances, so many of its files prove themselves.
PROVED = 20
needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason=f"no files in {CORPUS}: set TWINNING_SHARED to its folder"
)


def file_of(folder: Path, *lines: str) -> Original:
    path = folder / "export.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Original.at(path)


def rows(original: Original) -> list[dict[str, object]]:
    return [row for item in SOURCE.parse(original, BERLIN) if isinstance(item, Batch) for row in item.rows.to_pylist()]


def amounts(original: Original) -> list[object]:
    return [row["amount"] for row in rows(original)]


def test_every_word_is_written_as_headings_are_compared() -> None:
    words = [headings.BOOKED, headings.AMOUNT, headings.DEBIT, headings.CREDIT, headings.DIRECTION, headings.ACCOUNT]
    words += [headings.ACCOUNT_IF_ONE, *headings.OTHERS.values(), tuple(headings.NO_BOOKINGS)]
    assert [word for some in words for word in some if bare(word) != word] == []


@pytest.mark.parametrize(
    ("heading", "word"),
    [
        ("Betrag (EUR)", "betrag"), ("Amount CZK", "amount"), ("Empfänger", "empfanger"), ("Running_Balance", "running balance"),
        ("Withdrawal (-)", "withdrawal"), ("\ufeffDate", "date"), ("ISO", "iso"),
    ],
)  # fmt: skip
def test_a_heading_is_compared_without_case_accents_brackets_and_currency(heading: str, word: str) -> None:
    assert bare(heading) == word


def test_the_day_of_the_booking_goes_before_other_days() -> None:
    proposal = proposal_of("Transaction Date,Posted Date,Value Date,Description,Amount\n")
    assert proposal is not None
    assert proposal.columns["booked_on"] == "Posted Date"
    assert proposal.columns["valued_on"] == "Value Date"


@pytest.mark.parametrize(
    "header",
    [
        "Date,Symbol,Description,Quantity,Price,Amount",
        "from-account,to-account,amount,date,description",
        "Date,Amount",
        "Description,Amount",
        "Date,Description",
        "Date,Description,Debit",
        "",
    ],
)
def test_what_is_no_list_of_bookings_is_left_alone(header: str) -> None:
    assert proposal_of(f"{header}\n") is None


def test_debits_without_a_sign_are_taken_away(tmp_path: Path) -> None:
    original = file_of(tmp_path, "Date,Details,Debit,Credit", "2026-03-01,Shop,12.50,", "2026-03-02,Pay,,100.00")
    assert amounts(original) == [Decimal("-12.50"), Decimal("100.00")]


def test_debits_with_a_sign_are_taken_as_they_are(tmp_path: Path) -> None:
    original = file_of(tmp_path, "Date,Details,Debit,Credit", "2026-03-01,Shop,-12.50,", "2026-03-02,Pay,0.00,100.00")
    assert amounts(original) == [Decimal("-12.50"), Decimal("100.00")]


def test_a_refund_among_debits_without_a_sign_comes_back(tmp_path: Path) -> None:
    lines = "2026-03-01,Shop,12.50,", "2026-03-02,Shop,-2.50,"
    assert amounts(file_of(tmp_path, "Date,Details,Debit,Credit", *lines)) == [Decimal("-12.50"), Decimal("2.50")]


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
    with pytest.raises(UnreadableFile, match=r"no amount has a minus.*add a column Type"):
        rows(original)


def test_an_order_of_dates_that_no_row_proves_rejects_the_rows(tmp_path: Path) -> None:
    receipt = look(file_of(tmp_path, "Date,Details,Amount", "01/02/2026,Shop,-12.50").path, BERLIN, SOURCES)
    assert (receipt.accepted, receipt.rejected) == (0, 1)
    assert "may be day-first or month-first" in receipt.rejections[0].reason


def test_the_currency_may_stand_in_the_heading_or_behind_the_number(tmp_path: Path) -> None:
    found = rows(file_of(tmp_path, "Date,Details,Amount (USD)", "2026-03-01,Shop,-12.50 USD", "2026-03-02,Shop,EUR -1"))
    assert [(row["amount"], row["currency"]) for row in found] == [(Decimal("-12.50"), "USD"), (Decimal(-1), "USD")]


def test_a_number_of_an_account_counts_only_where_all_rows_have_one(tmp_path: Path) -> None:
    header = "Datum,Empfänger,Kontonummer,Verwendungszweck,Betrag (EUR)"
    one = file_of(tmp_path, header, "2026-03-01,A,111,x,-1.00", "2026-03-02,B,111,y,-2.00")
    assert {row["account"] for row in rows(one)} == {"111"}
    several = file_of(tmp_path, header, "2026-03-01,A,111,x,-1.00", "2026-03-02,B,222,y,-2.00")
    assert {row["account"] for row in rows(several)} == {"account of a CSV with Datum, Betrag (EUR)"}
    said = [item.text for item in SOURCE.parse(several, BERLIN) if isinstance(item, Notice)]
    assert any("names no account" in text for text in said)


def test_balances_that_follow_from_each_other_claim_the_last(tmp_path: Path) -> None:
    lines = (HERE / "debit_and_credit.csv").read_text(encoding="utf-8").splitlines()[:-1]
    for some in (lines, [lines[0], *lines[:0:-1]]):
        claims = [item for item in SOURCE.parse(file_of(tmp_path, *some), BERLIN) if isinstance(item, Claim)]
        assert [(str(each.day), each.value) for each in claims] == [("2026-02-14", Decimal("77.50"))]


def test_balances_with_a_gap_claim_nothing(tmp_path: Path) -> None:
    lines = "2026-03-01,Shop,-10.00,90.00", "2026-03-02,Shop,-10.00,70.00"
    original = file_of(tmp_path, "Date,Details,Amount,Balance", *lines)
    assert [item for item in SOURCE.parse(original, BERLIN) if isinstance(item, Claim)] == []


@needs_corpus
def test_the_corpus_is_read_or_refused_with_a_reason() -> None:
    """Of its files about a half are lists of trades, prices or holdings, or have no header at all."""
    became = Counter[str]()
    for path in sorted(CORPUS.iterdir()):
        receipt = look(path, BERLIN, SOURCES)
        assert receipt.read == receipt.accepted + receipt.rejected
        if receipt.problem is not None:
            became["refused" if receipt.source else "unrecognised"] += 1
        else:
            assert receipt.source == SOURCE.name
            became["whole" if not receipt.rejected else "in part" if receipt.accepted else "rejected"] += 1
    assert became["whole"] >= 75
    assert became["whole"] + became["in part"] >= 84


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
