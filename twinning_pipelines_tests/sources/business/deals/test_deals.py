"""Deals kept by hand."""

import json
from datetime import date
from pathlib import Path

import pytest

from twinning_pipelines.original import Original
from twinning_pipelines.sources.business.deals import SOURCE
from twinning_pipelines_tests.goldens import assert_golden, reasons, rows, samples
from twinning_pipelines_tests.shared import corpus

HERE = Path(__file__).parent


@pytest.mark.parametrize("sample", samples(HERE, ".csv"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def test_own_columns_are_kept_by_their_heading() -> None:
    found = {row["deal_id"]: row for row in rows(SOURCE, HERE / "own.csv")}
    assert json.loads(found["D-1"]["extra"]) == {"Next step": "call", "Weight": "3"}
    assert "extra" not in found["D-2"]


def test_only_dates_that_may_be_read_two_ways_are_rejected() -> None:
    assert [row["created_on"] for row in rows(SOURCE, HERE / "no_order.csv")] == [date(2024, 4, 4), date(2024, 4, 3)]
    assert len(reasons(SOURCE, HERE / "no_order.csv")) == 1


def test_other_crms_are_not_claimed() -> None:
    for path in corpus("work", "crm").iterdir():
        assert not SOURCE.recognises(Original.at(path)), path.name
