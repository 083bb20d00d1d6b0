"""Units as people spell them, and the span of a day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from twinning_pipelines.formats.quantities import canonical, unit_of, whole_day
from twinning_pipelines.records.metrics import METRICS
from twinning_pipelines_tests.goldens import BERLIN


@pytest.mark.parametrize(
    ("metric", "value", "unit", "expected"),
    [
        ("body_mass", 160, "Lbs", 72.574779),
        ("body_mass", 11, "stone", 69.853225),
        ("body_fat", 18.5, "%", 0.185),
        ("body_fat", 0.185, "fraction", 0.185),
        ("body_temperature", 98.6, "°F", 37),
        ("blood_glucose", 5, "mmol/l", 90.07794),
        ("height", 5.9, "feet", 179.832),
        ("dietary_energy", 418.4, "kJ", 100),
        ("dietary_vitamin_d", 0.01, "mg", 10),
        ("heart_rate", 60, "bpm", 60),
        ("exercise_time", 1.5, "Hours", 90),
    ],
)
def test_a_value_reaches_its_own_unit(metric: str, value: float, unit: str, expected: float) -> None:
    assert canonical(metric, value, unit) == pytest.approx(expected, abs=1e-6)


def test_a_unit_that_nobody_knows_is_an_error_that_names_ours() -> None:
    with pytest.raises(ValueError, match="'cubits' is not known for height, which is kept in cm"):
        canonical("height", 4, "cubits")
    assert unit_of(" Cubits ") == "Cubits"


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_takes_its_own_unit(metric: object) -> None:
    name, unit, high = (getattr(metric, field) for field in ("name", "unit", "high"))
    assert canonical(name, high, unit) == high


def test_a_day_may_be_shorter_or_longer() -> None:
    first, last = whole_day(date(2026, 3, 29), BERLIN)
    assert (first, last - first) == (datetime(2026, 3, 28, 23, tzinfo=UTC), timedelta(hours=23))
    first, last = whole_day(date(2026, 10, 25), BERLIN)
    assert last - first == timedelta(hours=25)
    with pytest.raises(OverflowError):
        whole_day(date.max, BERLIN)
