"""MyFitnessPal: meals without foods, measurements without units, exercise without a time of day."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines.original import Original
from twinning_pipelines.sources.nutrition.myfitnesspal import SOURCE
from twinning_pipelines_tests.goldens import assert_golden, notices, reasons, rows, samples

HERE = Path(__file__).parent


@pytest.mark.parametrize("sample", samples(HERE, ".csv", ".zip"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def _measured(name: str) -> dict[str, Any]:
    return {row["metric"]: row["value"] for row in rows(SOURCE, HERE / name) if "metric" in row}


def test_a_meal_stands_for_its_foods_and_keeps_its_nutrients_by_their_headings() -> None:
    breakfast, lunch, _ = rows(SOURCE, HERE / "Nutrition-Summary.csv")
    assert (breakfast["day"], breakfast["meal"], breakfast["food"]) == (date(2026, 1, 5), "Breakfast", "Breakfast")
    assert (breakfast["sugar_g"], breakfast["fiber_g"]) == (14.1, 2.1)
    nutrients = json.loads(lunch["nutrients"])
    assert (nutrients["Sodium (mg)"], nutrients["Vitamin A"]) == (900, 5)
    assert "Saturated Fat" not in nutrients
    assert lunch["energy_kcal"] == 1050


def test_with_times_every_entry_is_a_row_and_two_equal_ones_stay_two() -> None:
    found = rows(SOURCE, HERE / "with_times.csv")
    assert [row.get("eaten_at") for row in found] == [datetime(2025, 7, 1, 8, tzinfo=UTC)] * 2 + [None]
    assert [row["day"] for row in found] == [date(2025, 7, 1), date(2025, 7, 1), date(2025, 7, 13)]
    assert notices(SOURCE, HERE / "with_times.csv") == ["columns that are not kept: Mood"]


def test_the_unit_of_the_weight_is_the_one_of_the_exercise_beside_it() -> None:
    assert _measured("export_pounds.zip")["body_mass"] == pytest.approx(185.5 * 0.45359237, abs=1e-5)
    assert _measured("export_pounds.zip")["body_fat"] == 0.185


def test_without_a_unit_a_weight_is_kept_as_printed_and_told() -> None:
    found = _measured("Measurement-Summary.csv")
    assert (found["myfitnesspal:Weight"], found["myfitnesspal:Neck"]) == (85.1, 38)
    assert "body_mass" not in found
    assert "drop the whole zip" in notices(SOURCE, HERE / "Measurement-Summary.csv")[1]


def test_measurements_and_steps_hold_for_their_whole_day() -> None:
    spans = {
        row["ended_at"] - row["started_at"]
        for name in ("Measurement-Summary.csv", "Exercise-Summary.csv")
        for row in rows(SOURCE, HERE / name)
        if "metric" in row
    }
    assert spans == {timedelta(days=1)}


def test_a_trackers_adjustment_is_no_exercise_and_its_steps_are_kept() -> None:
    found = rows(SOURCE, HERE / "Exercise-Summary.csv")
    assert [row["activity"] for row in found if "activity" in row] == [
        "Walking, 3.5 mph, brisk pace",
        "Front Squats, Barbell",
    ]
    assert [row["value"] for row in found if row.get("metric") == "steps"] == [9840, 8000]


def test_exercise_begins_at_midnight_and_says_that_only_its_day_is_known() -> None:
    walk, squats = [row for row in rows(SOURCE, HERE / "Exercise-Summary.csv") if "activity" in row]
    assert walk["started_at"] == datetime(2026, 1, 4, 23, tzinfo=UTC)
    assert walk["ended_at"] - walk["started_at"] == timedelta(minutes=18)
    assert squats["ended_at"] == squats["started_at"]
    assert json.loads(squats["detail"])["day_only"] is True


def test_reasons_name_the_file_inside_the_zip() -> None:
    assert len(reasons(SOURCE, HERE / "Nutrition-Summary.csv")) == 4
    assert notices(SOURCE, HERE / "export_pounds.zip")[-1] == "left out, nothing of theirs is read: README.txt"


@pytest.mark.parametrize(
    "header",
    [
        "Date,Name,Icon,Meal,Quantity,Units,Calories,Deleted,Fat (g)",
        "Date,Weight,Last Updated,Deleted",
        "Date,Weight,BMI,Fat",
        "date,food,energy_kcal",
        "Date,Weight (kg),Fat Percent",
        "Date,Meal,Calories",
    ],
)
def test_other_diaries_are_not_claimed(tmp_path: Path, header: str) -> None:
    path = tmp_path / "export.csv"
    path.write_text(header + "\n")
    assert not SOURCE.recognises(Original.at(path))
