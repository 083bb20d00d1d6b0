"""Lose It!: many small tables in one zip, deleted rows, a tracker's adjustments, weights without a unit."""

import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.sources.nutrition.lose_it import SOURCE
from twinning_pipelines_tests.goldens import BERLIN, assert_golden, notices, reasons, rows, samples

HERE = Path(__file__).parent
EXPORT = HERE / "export.zip"


@pytest.mark.parametrize("sample", samples(HERE, ".csv", ".zip"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def _zip(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_dates_are_month_first_though_nothing_in_the_file_proves_it() -> None:
    assert {row["day"] for row in rows(SOURCE, HERE / "food-logs.csv")} == {date(2026, 4, 3)}


def test_deleted_rows_are_left_out_and_counted() -> None:
    assert [row["food"] for row in rows(SOURCE, HERE / "food-logs.csv")] == [
        "Oatmeal, Old Fashioned",
        "Espresso",
        "Chicken Breast",
    ]
    assert notices(SOURCE, HERE / "food-logs.csv") == ["left out, deleted in the app: 2"]
    assert notices(SOURCE, HERE / "weights.csv")[0] == "left out, deleted in the app: 1"


def test_what_is_not_available_is_nothing_and_thousands_are_read() -> None:
    oats, _, chicken = rows(SOURCE, HERE / "food-logs.csv")
    assert json.loads(oats["nutrients"]) == {"Cholesterol (mg)": 0, "Saturated Fat (g)": 0.8}
    assert (chicken["energy_kcal"], chicken["amount"]) == (1248.5, "150 Grams")


def test_a_trackers_adjustment_is_left_out_and_counted() -> None:
    workouts = [row for row in rows(SOURCE, EXPORT) if "activity" in row]
    assert [(row["activity"], row.get("duration_min")) for row in workouts] == [
        ("Running", 30),
        ("Hiking", 90),
        ("Push-ups", None),
    ]
    told = "exercise-logs.csv: left out, a tracker's adjustment repeats its own count: 1"
    assert told in notices(SOURCE, EXPORT)


def test_exercise_in_the_report_of_a_week_is_exercise() -> None:
    banana, walk = rows(SOURCE, HERE / "week_report.csv")
    assert (banana["food"], banana["meal"]) == ("Banana", "Breakfast")
    assert (walk["activity"], walk["energy_kcal"], walk["duration_min"]) == ("Walking", 180, 45)


def test_the_plan_says_what_the_weight_is_in(tmp_path: Path) -> None:
    weights = "Date,Weight,Last Updated,Deleted\n04/03/2026,85,04/03/2026,0\n"
    for plan, metric, value in (
        ("Lose 1 lb per week", "body_mass", 38.555351),
        ("Lose 0.5 kg per week", "body_mass", 85),
        ("Maintain my weight", "lose_it:weight", 85),
    ):
        path = _zip(tmp_path / "x.zip", {"weights.csv": weights, "profile.csv": f"Name,Value\nPlan,{plan}\n"})
        (row,) = rows(SOURCE, path)
        assert (row["metric"], row["value"]) == (metric, value)


def test_the_name_of_a_file_says_what_its_values_are(tmp_path: Path) -> None:
    text = "Date,Value,Secondary Value,Last Updated\n04/03/2026,84,0,04/03/2026\n"
    for name, metric in (("steps.csv", "steps"), ("steps (1).csv", "steps"), ("Fiber.csv", "dietary_fiber")):
        (tmp_path / name).write_text(text)
        assert {row["metric"] for row in rows(SOURCE, tmp_path / name)} == {metric}
    (tmp_path / "mood.csv").write_text(text)
    assert {row["metric"] for row in rows(SOURCE, tmp_path / "mood.csv")} == {"lose_it:mood"}


def test_figures_hold_for_their_whole_day() -> None:
    figures = [row for row in rows(SOURCE, EXPORT) if "metric" in row]
    assert {row["ended_at"] - row["started_at"] for row in figures} == {timedelta(days=1)}
    assert figures[0]["started_at"] in (datetime(2026, 4, 2, 22, tzinfo=UTC), datetime(2026, 4, 3, 22, tzinfo=UTC))
    assert {row["metric"] for row in figures} >= {"steps", "body_mass", "body_fat", "dietary_energy", "lose_it:sleep"}


def test_reasons_name_the_file_inside_the_zip_and_others_are_told() -> None:
    assert "steps.csv: value: not a number: 'minus'" in reasons(SOURCE, EXPORT)
    left = "left out, nothing of theirs is read: 1.jpg, custom-foods.csv, notes.csv, profile.csv"
    assert notices(SOURCE, EXPORT)[-1] == left


def test_a_zip_without_its_tables_is_neither_claimed_nor_read(tmp_path: Path) -> None:
    path = _zip(tmp_path / "x.zip", {"weights.csv": "a,b\n", "profile.csv": "Name,Value\n"})
    assert not SOURCE.recognises(Original.at(path))
    with pytest.raises(UnreadableFile, match="no table"):
        list(SOURCE.parse(Original.at(path), BERLIN))


@pytest.mark.parametrize(
    "header",
    [
        "Date,Meal,Calories,Fat (g),Saturated Fat,Polyunsaturated Fat,Sugar",
        "Date,Weight",
        "Date,Name,Value",
        "Date,Value",
        "date,food,energy_kcal",
    ],
)
def test_other_diaries_are_not_claimed(tmp_path: Path, header: str) -> None:
    path = tmp_path / "export.csv"
    path.write_text(header + "\n")
    assert not SOURCE.recognises(Original.at(path))
