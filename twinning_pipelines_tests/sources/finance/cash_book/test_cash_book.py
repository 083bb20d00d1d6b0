"""A table kept by hand."""

from decimal import Decimal
from pathlib import Path

from twinning_pipelines.sources.finance.cash_book import SOURCE
from twinning_pipelines_tests.goldens import reasons, rows

HERE = Path(__file__).parent


def test_two_equal_purchases_are_two() -> None:
    told = rows(SOURCE, HERE / "own.csv")
    assert [row["amount"] for row in told] == [Decimal(100), Decimal("-7.5"), Decimal("-7.5"), Decimal(20)]
    assert (told[0]["transfer_account"], told[0]["extra"]) == ("Household", '{"where": "Main Street"}')
    assert told[1]["key"] == told[2]["key"]


def test_a_row_without_an_account_or_an_amount_is_rejected() -> None:
    assert len(reasons(SOURCE, HERE / "own.csv")) == 2
