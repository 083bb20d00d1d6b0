"""Business expenses kept by hand."""

from decimal import Decimal
from pathlib import Path

import pytest

from twinning_pipelines.original import Original
from twinning_pipelines.sources.business.expenses import SOURCE
from twinning_pipelines_tests.goldens import assert_golden, rows, samples
from twinning_pipelines_tests.shared import corpus

HERE = Path(__file__).parent


@pytest.mark.parametrize("sample", samples(HERE, ".csv"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def test_two_equal_expenses_are_two_rows() -> None:
    assert [row["amount"] for row in rows(SOURCE, HERE / "own.csv")] == [
        Decimal("1089.90"), Decimal("14.60"), Decimal("14.60"),
    ]  # fmt: skip


def test_expenses_of_programs_are_not_claimed() -> None:
    for path in corpus("work", "invoices").iterdir():
        assert not SOURCE.recognises(Original.at(path)), path.name
