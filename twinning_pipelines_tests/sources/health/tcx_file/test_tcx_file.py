"""The traps of TCX files."""

from datetime import UTC, datetime
from pathlib import Path

from twinning_pipelines.sources.health.tcx_file import SOURCE
from twinning_pipelines_tests.goldens import notices, rows

HERE = Path(__file__).parent
START = datetime(2026, 3, 29, 0, 50, tzinfo=UTC)


def test_a_workout_is_the_sum_of_its_laps_and_its_pause_is_no_part_of_it() -> None:
    [workout] = [row for row in rows(SOURCE, HERE / "lunch_ride.tcx") if "activity" in row]
    assert (workout["started_at"], workout["ended_at"]) == (START, datetime(2026, 3, 29, 1, 10, tzinfo=UTC))
    assert (workout["duration_min"], workout["distance_m"], workout["energy_kcal"]) == (15, 6000.5, 140)
    # 120 for ten minutes and 135 for five.
    assert (workout["heart_rate_mean"], workout["heart_rate_max"]) == (125, 151)


def test_laps_routes_and_samples_belong_to_the_workout_of_the_device() -> None:
    found = rows(SOURCE, HERE / "lunch_ride.tcx")
    assert {row["origin"] for row in found} == {"Edge 530"}
    assert {row["workout_at"] for row in found if "part" in row or "track" in row} == {START}


def test_a_lap_that_cannot_be_read_leaves_the_totals_open() -> None:
    [workout] = [row for row in rows(SOURCE, HERE / "google_and_rejected.tcx") if "activity" in row]
    assert workout.keys().isdisjoint({"duration_min", "distance_m", "energy_kcal"})


def test_plans_are_announced() -> None:
    assert "left out: plans (Course) (1)" in notices(SOURCE, HERE / "lunch_ride.tcx")


def test_a_treadmill_has_no_route(tmp_path: Path) -> None:
    path = tmp_path / "a.tcx"
    path.write_text(
        """<TrainingCenterDatabase><Activities><Activity Sport="Running"><Id>2026-03-29T00:50:00Z</Id>
        <Lap StartTime="2026-03-29T00:50:00Z"><TotalTimeSeconds>60</TotalTimeSeconds><Track><Trackpoint>
        <Time>2026-03-29T00:50:30Z</Time><Extensions><TPX><RunCadence>85</RunCadence></TPX></Extensions>
        </Trackpoint></Track></Lap></Activity></Activities></TrainingCenterDatabase>""",
        encoding="utf-8",
    )
    found = rows(SOURCE, path)
    assert not [row for row in found if "track" in row]
    assert [row["value"] for row in found if row.get("metric") == "step_cadence"] == [170]
