"""Apple's rings beside our own totals."""

from datetime import date

import dagster as dg
import pytest
import sqlalchemy as sa

from twinning_pipelines.marts.freshness import status_of
from twinning_pipelines.marts.rings import RingDay, ring_days, worst
from twinning_pipelines.orchestration.checks import ring_agreement
from twinning_pipelines_tests.marts.conftest import Rows, Tell


def _sample(metric: str, day: int, hour: int, value: float) -> Rows:
    return [
        ("sample", {
            "metric": metric, "origin": "Watch", "started_at": f"2026-03-{day:02}T{hour:02}:00:00Z",
            "ended_at": f"2026-03-{day:02}T{hour + 1:02}:00:00Z", "value": value,
        }),
    ]  # fmt: skip


def _ring(day: int, **stated: float) -> Rows:
    return [("activity_ring", {"day": f"2026-03-{day:02}", **stated})]


def _exported_on(engine: sa.Engine, instant: str) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("update intake_file set as_of = :instant"), {"instant": instant})


def _notes(days: list[RingDay]) -> dict[tuple[int, str], tuple[float, float, str, bool]]:
    return {(each.day.day, each.ring): (each.stated, each.counted, each.note, each.is_gap) for each in days}


def test_rings_are_compared_day_by_day(tell: Tell, engine: sa.Engine) -> None:
    tell([
        *_sample("active_energy", 2, 10, 300.4), *_sample("active_energy", 2, 12, 201.0), *_sample("exercise_time", 2, 10, 31),
        *_sample("stand_hour", 2, 10, 1), *_sample("stand_hour", 2, 12, 1), *_sample("active_energy", 3, 10, 480),
        *_sample("active_energy", 5, 10, 90),
        *_ring(2, move_kcal=500.0, exercise_min=30.0, stand_hours=3), *_ring(3, move_kcal=500.0, exercise_min=0.0),
        *_ring(4, move_kcal=410.0, exercise_min=0.0, stand_hours=0), *_ring(5, move_kcal=400.0),
    ])  # fmt: skip
    _exported_on(engine, "2026-03-05T20:00:00Z")
    with engine.connect() as connection:
        days = ring_days(connection)
        status = status_of(connection, [])
    assert _notes(days) == {
        # 1.4 kcal of 500 are within a hundredth; a minute is within a minute; an hour of standing is not.
        (2, "move"): (500, pytest.approx(501.4), "", False), (2, "exercise"): (30, 31, "", False), (2, "stand"): (3, 2, "", True),
        # 20 kcal of 500 are not within a hundredth. No exercise was stated, none was counted.
        (3, "move"): (500, 480, "", True), (3, "exercise"): (0, 0, "", False),
        # A ring without a single sample; rings that are empty agree with nothing.
        (4, "move"): (410, 0, "no samples", False), (4, "exercise"): (0, 0, "", False), (4, "stand"): (0, 0, "", False),
        # The day of the export is not over.
        (5, "move"): (400, 90, "unfinished", False),
    }  # fmt: skip
    assert [(each.day.day, each.ring) for each in worst(days, 10)] == [(2, "stand"), (3, "move")]
    assert status.ring_gaps == 2


def test_the_day_of_an_export_is_over_once_a_later_one_confirms_it(tell: Tell, engine: sa.Engine) -> None:
    tell([*_sample("active_energy", 5, 10, 90), *_ring(5, move_kcal=400.0)])
    _exported_on(engine, "2026-03-05T20:00:00Z")
    tell(_ring(6, move_kcal=0.0))
    with engine.begin() as connection:
        newest = "update intake_file set as_of = '2026-03-06T06:00:00Z' where id = (select max(id) from intake_file)"
        connection.execute(sa.text(newest))
        assert _notes(ring_days(connection)) == {
            (5, "move"): (400, 90, "", True),
            (6, "move"): (0, 0, "unfinished", False),
        }


def test_one_kilocalorie_or_one_percent_is_no_difference() -> None:
    def gap(ring: str, stated: float, counted: float) -> bool:
        return RingDay("ada", date(2026, 3, 2), ring, stated, counted, "").is_gap

    assert [gap("move", 50, 51), gap("move", 50, 51.1), gap("move", 500, 505), gap("move", 500, 505.1)] == [
        False,
        True,
    ] * 2
    assert [gap("exercise", 30, 29), gap("exercise", 30, 28.9), gap("stand", 12, 12), gap("stand", 12, 11)] == [
        False,
        True,
    ] * 2


def test_the_check_shows_the_ten_worst_days_and_no_names() -> None:
    days = [RingDay("zacharias", date(2026, 3, 1 + day), "move", 500, 500 - day * 10, "") for day in range(13)]
    days.append(RingDay("zacharias", date(2026, 3, 30), "stand", 0, 2, ""))
    days.append(RingDay("zacharias", date(2026, 3, 31), "move", 500, 0, "unfinished"))
    told = ring_agreement(days)
    assert (told.passed, told.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert told.metadata["days compared"].value == 14
    assert told.metadata["days that differ"].value == 13
    assert told.metadata["rings unfinished"].value == 1
    shown = told.metadata["worst days"]
    assert isinstance(shown, dg.TableMetadataValue)
    table = shown.records
    assert len(table) == 10
    # Two hours where none were stated are worse than any share.
    assert table[0].data == {
        "day": "2026-03-30", "ring": "stand", "unit": "h", "Apple": 0, "counted": 2, "difference": 2,
    }  # fmt: skip
    assert table[1].data["difference"] == -120
    assert "zacharias" not in str(told)
    assert ring_agreement(days[:1]).passed
    assert ring_agreement([]).passed
