"""A table kept by hand."""

from decimal import Decimal
from pathlib import Path

from twinning_pipelines.sources.finance.prices import SOURCE
from twinning_pipelines_tests.goldens import reasons, rows

HERE = Path(__file__).parent


def test_a_price_keeps_what_stands_beside_it() -> None:
    told = rows(SOURCE, HERE / "own.csv")
    assert [row["unit_price"] for row in told] == [Decimal("201.5"), Decimal("104.27"), Decimal(850000)]
    assert [row.get("extra") for row in told] == ['{"where": "SIX"}', None, None]


def test_a_price_of_nothing_is_rejected() -> None:
    assert reasons(SOURCE, HERE / "own.csv")[0] == "security: empty"
