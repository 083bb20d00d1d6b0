"""A food diary kept by hand."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from twinning_pipelines.sources.nutrition.template import SOURCE
from twinning_pipelines_tests.goldens import assert_golden, notices, rows, samples

HERE = Path(__file__).parent


@pytest.mark.parametrize("sample", samples(HERE, ".csv"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def test_columns_with_a_unit_are_nutrients_and_others_are_named() -> None:
    oats = rows(SOURCE, HERE / "own.csv")[0]
    assert json.loads(oats["nutrients"]) == {"Zinc (mg)": 1.8, "sodium_mg": 3.0}
    assert notices(SOURCE, HERE / "own.csv") == ["columns that are not kept: mood"]


def test_a_time_holds_where_its_row_says() -> None:
    bagel = next(row for row in rows(SOURCE, HERE / "own.csv") if row["food"] == "Bagel")
    assert bagel["eaten_at"] == datetime(2026, 3, 2, 12, 40, tzinfo=UTC)
    assert bagel["grams"] == 500
