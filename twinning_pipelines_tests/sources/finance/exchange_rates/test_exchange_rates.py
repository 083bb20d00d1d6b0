"""A table kept by hand."""

from decimal import Decimal
from pathlib import Path

from twinning_pipelines.sources.finance.exchange_rates import SOURCE
from twinning_pipelines_tests.goldens import reasons, rows

HERE = Path(__file__).parent


def test_a_comma_is_decimal_where_semicolons_separate() -> None:
    assert [row["rate"] for row in rows(SOURCE, HERE / "own.csv")] == [Decimal("0.9382"), Decimal("1.0815")]


def test_what_is_no_rate_says_why() -> None:
    assert sorted(reasons(SOURCE, HERE / "own.csv")) == [
        "quote: not a currency code of three letters: 'YENS'",
        "rate: not above zero: 0",
        "rated_on: not a date: 'soon'",
    ]
