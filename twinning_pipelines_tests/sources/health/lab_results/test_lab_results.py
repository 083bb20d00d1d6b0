"""Laboratory results kept by hand: numbers, words and limits."""

from pathlib import Path

import pytest

from twinning_pipelines.sources.health.lab_results import SOURCE
from twinning_pipelines_tests.goldens import assert_golden, notices, reasons, rows, samples

HERE = Path(__file__).parent


@pytest.mark.parametrize("sample", samples(HERE, ".csv"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def test_a_limit_is_words_and_not_a_value() -> None:
    found = {row["analyte"]: row for row in rows(SOURCE, HERE / "own.csv")}
    assert (found["Ferritin"]["value"], found["Ferritin"]["flag"]) == (18.5, "low")
    assert found["hs-CRP"]["text"] == "< 0,5"
    assert "value" not in found["hs-CRP"]
    assert found["Hepatitis B surface antigen"]["text"] == "negativ"


def test_two_results_of_one_day_stay_two_and_a_flag_is_never_computed() -> None:
    found = rows(SOURCE, HERE / "own.csv")
    assert [row["value"] for row in found if row["analyte"] == "Glucose"] == [5.4, 7.9]
    assert "flag" not in next(row for row in found if row["analyte"] == "LDL cholesterol")


def test_bad_rows_say_why_and_unknown_columns_are_named() -> None:
    assert len(reasons(SOURCE, HERE / "own.csv")) == 5
    assert notices(SOURCE, HERE / "own.csv") == ["columns that are not kept: method"]
