"""Body measurements kept by hand: units, blood pressures, whole days, metrics that nobody lists."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from twinning_pipelines.records.metrics import METRICS
from twinning_pipelines.sources.health.body_measurements import SOURCE
from twinning_pipelines_tests.goldens import assert_golden, notices, reasons, rows, samples

HERE = Path(__file__).parent
OWN = HERE / "own.csv"


@pytest.mark.parametrize("sample", samples(HERE, ".csv"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def _values(metric: str) -> list[float]:
    return [row["value"] for row in rows(SOURCE, OWN) if row["metric"] == metric]


def test_units_are_converted_and_a_percent_is_a_hundredth() -> None:
    assert _values("body_mass") == [72.4, pytest.approx(72.393, abs=1e-3)]
    assert _values("body_fat") == [0.185]
    assert _values("waist_circumference") == [81.28, 81]
    assert _values("blood_glucose") == [pytest.approx(97.284, abs=1e-3)]
    assert _values("body_temperature") == [pytest.approx(36.778, abs=1e-3)]
    assert _values("flights_climbed") == [12]


def test_a_blood_pressure_is_two_samples_of_one_line() -> None:
    assert _values("blood_pressure_systolic") == [124, pytest.approx(123.76, abs=0.01)]
    assert _values("blood_pressure_diastolic") == [81, pytest.approx(81.007, abs=0.01)]
    first = next(row for row in rows(SOURCE, OWN) if row["metric"] == "blood_pressure_systolic")
    assert first["started_at"] == first["ended_at"] == datetime(2026, 3, 4, 2, 5, tzinfo=UTC)


def test_without_a_time_a_value_holds_for_its_whole_local_day() -> None:
    plain, short = [row for row in rows(SOURCE, OWN) if row["metric"] == "waist_circumference"]
    assert plain["started_at"] == datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert plain["ended_at"] - plain["started_at"] == timedelta(hours=24)
    assert short["ended_at"] - short["started_at"] == timedelta(hours=23)


def test_metrics_that_nobody_lists_are_kept_and_told() -> None:
    grip = next(row for row in rows(SOURCE, OWN) if row["metric"] == "own:Grip strength")
    assert (grip["value"], grip["detail"]) == (48, '{"note":"left hand","unit":"kg"}')
    told = "metrics that the list does not know, kept as written: own:Grip strength, own:Hips"
    assert notices(SOURCE, OWN) == [told]


def test_bad_rows_say_why() -> None:
    found = reasons(SOURCE, OWN)
    assert len(found) == 9
    assert any("unit: empty; body_mass is kept in kg" in reason for reason in found)
    assert any("unit: 'furlong' is not known for body_mass" in reason for reason in found)
    assert any("written as 120/80" in reason for reason in found)


def test_every_listed_metric_is_read_by_its_name_in_its_own_unit(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    lines = [f"2026-03-02,,{metric.name},{metric.high:.6f},{metric.unit}" for metric in METRICS]
    path.write_text("\n".join(["date,time,metric,value,unit", *lines]), encoding="utf-8")
    assert {row["metric"]: row["value"] for row in rows(SOURCE, path)} == {each.name: each.high for each in METRICS}
    assert notices(SOURCE, path) == []
