"""MacroFactor: a food log as CSV or sheet, daily figures on many sheets, Excel's days."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.sources.nutrition.macrofactor import SOURCE
from twinning_pipelines_tests.goldens import BERLIN, assert_golden, notices, reasons, rows, samples

HERE = Path(__file__).parent
WORKBOOK = HERE / "export.xlsx"


@pytest.mark.parametrize("sample", samples(HERE, ".csv", ".xlsx"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def _figures(metric: str) -> list[tuple[datetime, float]]:
    return [(row["started_at"], row["value"]) for row in rows(SOURCE, WORKBOOK) if row.get("metric") == metric]


def test_a_serving_is_its_quantity_and_weighs_what_was_eaten() -> None:
    oats, pasta, quick = rows(SOURCE, HERE / "food_log.csv")
    assert (oats["amount"], oats["grams"], oats["eaten_at"]) == ("80 g", 80, datetime(2026, 5, 1, 5, 30, tzinfo=UTC))
    assert (pasta["amount"], pasta["grams"]) == ("2 cup", 280)
    assert json.loads(oats["nutrients"]) == {"B12, Cobalamin (mcg)": 0, "Sodium (mg)": 3, "Zinc (mg)": 2.9}
    assert "eaten_at" not in quick


def test_the_sheet_of_the_food_log_reads_like_the_csv() -> None:
    servings = [row for row in rows(SOURCE, WORKBOOK) if "food" in row]
    assert [(row["food"], row["eaten_at"].hour) for row in servings] == [("Oats, rolled", 5), ("Chicken", 10)]
    assert {row["day"] for row in servings} == {date(2026, 5, 1)}


def test_days_are_read_as_dates_and_as_serial_numbers() -> None:
    second = datetime(2026, 5, 1, 22, tzinfo=UTC)
    assert (second, 10233) in _figures("steps")


def test_a_figure_told_by_two_sheets_counts_once() -> None:
    energy = _figures("dietary_energy")
    assert Counter(start for start, _ in energy).most_common(1)[0][1] == 1
    assert [value for _, value in energy] == [2110.5, 1900, 1999]
    assert "Calories & Macros: figures that another sheet has told: 4" in notices(SOURCE, WORKBOOK)


def test_units_stand_in_the_headings() -> None:
    assert [round(value, 3) for _, value in _figures("body_mass")] == [72.6, 72.575]
    assert [value for _, value in _figures("body_fat")] == [0.195]
    assert [value for _, value in _figures("dietary_water")] == [1500]


def test_what_is_no_metric_of_ours_keeps_its_name_and_its_unit() -> None:
    kept: dict[str, Any] = {
        row["metric"]: row.get("detail") for row in rows(SOURCE, WORKBOOK) if "macrofactor:" in row.get("metric", "")
    }
    assert kept == {
        "macrofactor:Expenditure": None,
        "macrofactor:Trend Weight": '{"unit":"kg"}',
        "macrofactor:Choline": '{"unit":"mg"}',
        "macrofactor:Vitamin D": '{"unit":"IU"}',
    }


def test_targets_and_other_sheets_are_left_out_and_told() -> None:
    told = notices(SOURCE, WORKBOOK)
    assert "Quick Export: columns that are not kept: Target Calories (kcal), Target Protein (g)" in told
    assert told[-1] == "sheets that are not read: Workouts (1 rows), Fasting (1 rows), Program Settings (1 rows)"


def test_a_bad_row_of_a_sheet_names_its_sheet() -> None:
    assert reasons(SOURCE, WORKBOOK)[0] == "Quick Export: Calories (kcal): not a number: 'much'"


def test_figures_span_the_whole_local_day() -> None:
    spans = {row["ended_at"] - row["started_at"] for row in rows(SOURCE, WORKBOOK) if "metric" in row}
    assert spans == {timedelta(days=1)}


def test_a_quick_export_as_csv_is_read_like_its_sheet(tmp_path: Path) -> None:
    path = tmp_path / "quick.csv"
    path.write_text("Date,Expenditure,Trend Weight (lbs),Weight (lbs)\n2026-05-01,2450,160.1,160\n")
    assert SOURCE.recognises(Original.at(path))
    assert {row["metric"] for row in rows(SOURCE, path)} == {
        "macrofactor:Expenditure",
        "macrofactor:Trend Weight",
        "body_mass",
    }


def test_other_workbooks_are_not_claimed_and_other_zips_are_no_workbooks(tmp_path: Path) -> None:
    path = tmp_path / "budget.xlsx"
    book = Workbook()
    book.active.append(["Date", "Rent"])  # type: ignore[union-attr]
    book.save(path)
    assert not SOURCE.recognises(Original.at(path))
    path.write_bytes(b"PK\x05\x06" + bytes(18))
    assert not SOURCE.recognises(Original.at(path))
    with pytest.raises(UnreadableFile, match="no workbook"):
        list(SOURCE.parse(Original.at(path), BERLIN))
