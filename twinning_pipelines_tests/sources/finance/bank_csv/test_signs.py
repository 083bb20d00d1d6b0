"""Which amounts of a bank's CSV came and which went: by marks, words, balances, and what is said of a card."""

from decimal import Decimal
from pathlib import Path

import pytest

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.ingest.road import look
from twinning_pipelines.sources import SOURCES
from twinning_pipelines_tests.goldens import BERLIN
from twinning_pipelines_tests.sources.finance.bank_csv.made_exports import amounts, file_of, rows


def test_a_plus_among_amounts_without_a_sign_says_that_the_others_went(tmp_path: Path) -> None:
    lines = "2026-03-01,Shop,12.50", "2026-03-02,Payment,+20.00", "2026-03-03,Shop,3.00"
    assert amounts(file_of(tmp_path, "Date,Details,Amount", *lines)) == [Decimal("-12.50"), Decimal(20), Decimal(-3)]


def test_credit_behind_an_amount_says_the_same(tmp_path: Path) -> None:
    lines = "2026-03-01,Shop,12.50", "2026-03-02,Payment,20.00 CR"
    assert amounts(file_of(tmp_path, "Date,Details,Amount", *lines)) == [Decimal("-12.50"), Decimal(20)]


@pytest.mark.parametrize(
    ("went", "came"),
    [
        ("Dr 12.50", "Cr 20.00"),
        ("12.50 DB", "20.00 CR"),
        ("12.50D", "20.00C"),
        ("12,50 S", "20,00 H"),
        ("DR. 12.50", "9"),
    ],
)
def test_debit_and_credit_beside_an_amount_say_the_same(tmp_path: Path, went: str, came: str) -> None:
    original = file_of(tmp_path, "Date;Details;Amount", f"2026-03-01;Shop;{went}", f"2026-03-02;Pay;{came}")
    found = amounts(original)
    assert found[0] == Decimal("-12.50")
    assert found[1] == (Decimal(20) if came != "9" else Decimal(9))


@pytest.mark.parametrize(("balances", "signs"), [(("87.50", "67.50"), -1), (("112.50", "132.50"), 1)])
def test_balances_prove_which_way_all_the_money_went(tmp_path: Path, balances: tuple[str, str], signs: int) -> None:
    lines = f"2026-03-01,Shop,12.50,{balances[0]}", f"2026-03-02,Shop,20.00,{balances[1]}"
    found = amounts(file_of(tmp_path, "Date,Details,Amount,Balance", *lines))
    assert found == [signs * Decimal("12.50"), signs * Decimal(20)]


@pytest.mark.parametrize(
    ("shop", "payment"),
    [
        ("Shop", "PAYMENT RECEIVED - THANK YOU"),
        ("Padaria", "Pagamento recebido"),
        ("Shop", "INTERNET PAYMENT - THANK YOU"),
    ],
)
def test_a_minus_before_the_payment_of_a_card_says_that_the_rest_went(tmp_path: Path, shop: str, payment: str) -> None:
    lines = f"2026-03-01,{shop},12.50", f"2026-03-02,{payment},-300.00", f"2026-03-03,{shop},3.00"
    original = file_of(tmp_path, "Date,Details,Amount", *lines)
    assert amounts(original) == [Decimal("-12.50"), Decimal(300), Decimal(-3)]
    assert not any("no minus" in text for text in look(original.path, BERLIN, SOURCES).notices)


def test_a_purchase_without_a_minus_says_that_a_minus_brings_money_back(tmp_path: Path) -> None:
    lines = "2026-03-01,Shop,12.50,Purchase", "2026-03-02,Bank,-300.00,Payment"
    assert amounts(file_of(tmp_path, "Date,Details,Amount,Type", *lines)) == [Decimal("-12.50"), Decimal(300)]


def test_a_payment_out_of_an_account_turns_no_sign(tmp_path: Path) -> None:
    lines = "2026-03-01,Card payment thank you,-12.50", "2026-03-02,Shop,-9.00", "2026-03-03,Pay,100.00"
    original = file_of(tmp_path, "Date,Details,Amount", *lines)
    assert amounts(original) == [Decimal("-12.50"), Decimal(-9), Decimal(100)]
    assert any("1 of 3 amounts have no minus" in text for text in look(original.path, BERLIN, SOURCES).notices)


def test_mostly_amounts_without_a_minus_are_told_of_unless_balances_prove_them(tmp_path: Path) -> None:
    lines = "2026-03-01,A,12.50,112.50", "2026-03-02,B,-10.00,102.50", "2026-03-03,C,3.00,105.50"
    said = "2 of 3 amounts have no minus and are read as money that came"
    for header, is_told in (("Date,Details,Amount,Rest", True), ("Date,Details,Amount,Balance", False)):
        original = file_of(tmp_path, header, *lines)
        assert amounts(original) == [Decimal("12.50"), Decimal(-10), Decimal(3)]
        assert any(said in text for text in look(original.path, BERLIN, SOURCES).notices) == is_told


def test_balances_prove_that_a_minus_brings_money_back(tmp_path: Path) -> None:
    lines = "2026-03-01,Shop,12.50,-12.50", "2026-03-02,Bank,-10.00,-2.50", "2026-03-03,Shop,3.00,-5.50"
    found = amounts(file_of(tmp_path, "Date,Details,Amount,Balance", *lines))
    assert found == [Decimal("-12.50"), Decimal(10), Decimal(-3)]


def test_equal_amounts_with_the_newest_first_keep_their_minus(tmp_path: Path) -> None:
    lines = "2026-03-02,Fee,-10.00,80.00", "2026-03-01,Fee,-10.00,90.00"
    assert amounts(file_of(tmp_path, "Date,Details,Amount,Balance", *lines)) == [Decimal(-10), Decimal(-10)]


def test_equal_amounts_without_a_sign_are_proved_by_no_balances(tmp_path: Path) -> None:
    lines = "2026-03-02,Fee,10.00,80.00", "2026-03-01,Fee,10.00,90.00"
    with pytest.raises(UnreadableFile, match="set `sign`"):
        rows(file_of(tmp_path, "Date,Details,Amount,Balance", *lines))


def test_balances_that_do_not_follow_prove_nothing(tmp_path: Path) -> None:
    lines = "2026-03-01,Shop,12.50,87.50", "2026-03-02,Pay,20.00,20.00"
    with pytest.raises(UnreadableFile, match="set `sign`"):
        rows(file_of(tmp_path, "Date,Details,Amount,Balance", *lines))


def test_every_row_of_one_category_says_the_direction_unless_amounts_have_a_sign(tmp_path: Path) -> None:
    header = "Date,Details,Amount,Category"
    unsigned = file_of(tmp_path, header, "2026-03-01,Shop,12.50,Expenses", "2026-03-02,Pay,9.00,Income")
    assert amounts(unsigned) == [Decimal("-12.50"), Decimal(9)]
    signed = file_of(tmp_path, header, "2026-03-01,Shop,-12.50,Expenses", "2026-03-02,Refund,9.00,Expenses")
    assert amounts(signed) == [Decimal("-12.50"), Decimal(9)]
