"""Cronometer's servings: nutrients by heading and unit, kilojoules, accounts without times."""

import json
from pathlib import Path

import pytest

from twinning_pipelines.original import Original
from twinning_pipelines.sources.nutrition.cronometer import SOURCE
from twinning_pipelines_tests.goldens import assert_golden, notices, rows, samples

HERE = Path(__file__).parent


@pytest.mark.parametrize("sample", samples(HERE, ".csv"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def test_carbs_are_not_net_carbs_and_every_other_nutrient_is_kept() -> None:
    oats = rows(SOURCE, HERE / "servings.csv")[0]
    assert oats["carbs_g"] == 54.2
    assert json.loads(oats["nutrients"]) == {
        "B1 (Thiamine) (mg)": 0.37,
        "Folate (µg)": 25.6,
        "Net Carbs (g)": 46.2,
        "Vitamin D (IU)": 0.0,
    }
    assert notices(SOURCE, HERE / "servings.csv") == []


def test_units_are_converted() -> None:
    oats, coffee = rows(SOURCE, HERE / "kilojoules.csv")
    assert oats["energy_kcal"] == pytest.approx(303.2, abs=0.01)
    assert coffee["caffeine_mg"] == 95
    assert coffee["water_ml"] == 236
    assert "eaten_at" not in oats
    ounces = next(row for row in rows(SOURCE, HERE / "servings.csv") if row["amount"] == "6 oz")
    assert ounces["grams"] == pytest.approx(170.097)


@pytest.mark.parametrize(
    "header",
    [
        "Date,Energy (kcal),Alcohol (g),Completed",
        "Day,Time,Group,Metric,Unit,Amount",
        "Day,Time,Group,Exercise,Minutes,Calories Burned",
        "Day,Time,Group,Note",
        "Date,Time,Food Name,Serving Size,Serving Qty,Calories (kcal),Fat (g)",
    ],
)
def test_its_other_files_and_other_diaries_are_not_claimed(tmp_path: Path, header: str) -> None:
    path = tmp_path / "export.csv"
    path.write_text(header + "\n")
    assert not SOURCE.recognises(Original.at(path))
