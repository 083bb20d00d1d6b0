"""Fitbit: which stamps are UTC, nights across changes of the clocks, units that the file does not name, fillers."""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.sources.health.fitbit import SOURCE
from twinning_pipelines.sources.health.fitbit.logs import unit_by_index
from twinning_pipelines_tests.goldens import BERLIN, assert_golden, notices, read, reasons, rows, samples

HERE = Path(__file__).parent
NEW_YORK = Clock.fixed(ZoneInfo("America/New_York"))


def document(folder: Path, name: str, entries: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps(entries))
    return path


def entry(stamp: str, value: Any) -> dict[str, Any]:
    return {"dateTime": stamp, "value": value}


@pytest.mark.parametrize("sample", samples(HERE, ".json", ".csv", ".zip"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("steps-2024-07-01.json", "5", datetime(2024, 7, 1, 12, tzinfo=UTC)),
        ("distance-2024-07-01.json", "5", datetime(2024, 7, 1, 12, tzinfo=UTC)),
        ("heart_rate-2024-07-01.json", {"bpm": 60, "confidence": 1}, datetime(2024, 7, 1, 12, tzinfo=UTC)),
        # These two are the person's own time, four hours behind.
        ("calories-2024-07-01.json", "5", datetime(2024, 7, 1, 16, tzinfo=UTC)),
        ("very_active_minutes-2024-07-01.json", "5", datetime(2024, 7, 1, 4, tzinfo=UTC)),
    ],
)
def test_which_stamps_are_utc_and_which_are_the_persons_own(
    tmp_path: Path, name: str, value: Any, wanted: datetime
) -> None:
    path = document(tmp_path, name, [entry("07/01/24 12:00:00", value)])
    assert rows(SOURCE, path, NEW_YORK)[0]["started_at"] == wanted


def test_the_hour_that_autumn_repeats_is_told_apart_by_the_order_of_the_file() -> None:
    starts = [row["started_at"] for row in rows(SOURCE, HERE / "calories-2024-10-27.json")]
    assert starts == sorted(starts)
    assert len(set(starts)) == len(starts)
    assert starts[3] - starts[1] == timedelta(hours=1)


def test_metres_are_made_of_centimetres_and_fractions_of_percentages() -> None:
    by_metric = {row["metric"]: row["value"] for row in rows(SOURCE, HERE / "takeout.zip")}
    assert by_metric["distance"] == 32.5
    fat = next(row for row in rows(SOURCE, HERE / "weight-2024-03-01.json") if row["metric"] == "body_fat")
    assert fat["value"] == 0.215


@pytest.mark.parametrize(
    ("weight", "index", "unit"),
    [
        (80.0, 24.69, ["kg"]),
        (176.3, 24.69, ["lb"]),
        (12.6, 24.69, ["st"]),
        (45.0, 18.0, ["kg"]),
        (99.2, 18.0, ["lb"]),
        (80.0, 0.0, []),
        (80.0, None, []),
        ("heavy", 24.0, []),
        (80.0, -3.0, []),
        # A child: told by no index.
        (30.0, 16.5, []),
    ],
)
def test_a_weight_shows_its_unit_by_the_body_mass_index(weight: Any, index: Any, unit: list[str]) -> None:
    assert unit_by_index(weight, index) == unit


def test_a_weight_whose_unit_nothing_tells_is_rejected_and_not_guessed(tmp_path: Path) -> None:
    log = {"logId": 1, "weight": 80.0, "bmi": 0, "date": "03/01/24", "time": "07:00:00"}
    assert reasons(SOURCE, document(tmp_path, "weight-2024-03-01.json", [log])) == [
        "weight: '80.0' may be kg, lb or st, and no body mass index tells which",
    ]


def test_one_index_anywhere_in_the_zip_tells_the_unit_of_all_weights() -> None:
    weights = [row["value"] for row in rows(SOURCE, HERE / "takeout.zip") if row.get("metric") == "body_mass"]
    assert weights == [pytest.approx(12.5 * 6.35029318, abs=1e-5), pytest.approx(12.4 * 6.35029318, abs=1e-5)]


def stages(path: Path, clock: Clock = BERLIN) -> list[tuple[str, datetime, datetime]]:
    found = [(row["stage"], row["started_at"], row["ended_at"]) for row in rows(SOURCE, path, clock) if "stage" in row]
    return sorted(found, key=lambda stage: stage[1])


def test_a_night_of_the_autumn_change_has_neither_gaps_nor_overlaps() -> None:
    night = [stage for stage in stages(HERE / "sleep-2024-10-01.json") if stage[1].day < 28]
    assert [name for name, _, _ in night] == ["awake", "core", "rem", "awake", "rem", "deep", "awake"]
    assert all(before[2] == after[1] for before, after in pairwise(night))
    assert night[-1][2] - night[0][1] == timedelta(hours=8)


def test_a_night_of_the_spring_change_has_neither_gaps_nor_overlaps(tmp_path: Path) -> None:
    def level(clock: str, name: str, hours: float) -> dict[str, Any]:
        return {"dateTime": f"2024-03-31T{clock}:00.000", "level": name, "seconds": int(hours * 3600)}

    log = {
        "logId": 1,
        "dateOfSleep": "2024-03-31",
        "startTime": "2024-03-31T00:00:00.000",
        "endTime": "2024-03-31T07:00:00.000",
        "duration": 6 * 3_600_000,
        "levels": {"data": [level("00:00", "light", 2.5), level("03:30", "deep", 1.5), level("05:00", "rem", 2)]},
    }
    night = stages(document(tmp_path, "sleep-2024-03-01.json", [log]))
    assert all(before[2] == after[1] for before, after in pairwise(night))
    assert night[-1][2] - night[0][1] == timedelta(hours=6)


def test_gaps_that_no_change_of_the_clocks_explains_stay_gaps(tmp_path: Path) -> None:
    log = {
        "logId": 1,
        "dateOfSleep": "2024-03-02",
        "startTime": "2024-03-02T00:00:00.000",
        "endTime": "2024-03-02T03:00:00.000",
        "duration": 3 * 3_600_000,
        "levels": {
            "data": [
                {"dateTime": "2024-03-02T00:00:00.000", "level": "asleep", "seconds": 3600},
                {"dateTime": "2024-03-02T02:00:00.000", "level": "asleep", "seconds": 3600},
            ]
        },
    }
    first, second = stages(document(tmp_path, "sleep-2024-03-01.json", [log]))
    assert second[1] - first[2] == timedelta(hours=1)


def test_short_wakes_lie_over_the_levels(tmp_path: Path) -> None:
    def level(clock: str, name: str, seconds: int) -> dict[str, Any]:
        return {"dateTime": f"2024-03-02T{clock}.000", "level": name, "seconds": seconds}

    log = {
        "logId": 1,
        "dateOfSleep": "2024-03-02",
        "startTime": "2024-03-02T00:00:00.000",
        "endTime": "2024-03-02T02:00:00.000",
        "levels": {
            "data": [level("00:00:00", "light", 3600), level("01:00:00", "rem", 3600)],
            # At the very beginning, across two levels, and beyond the end.
            "shortData": [level("00:59:30", "wake", 60), level("00:00:00", "wake", 30), level("01:59:30", "wake", 90)],
        },
    }
    lengths = [
        (name, (ended - started).total_seconds())
        for name, started, ended in stages(document(tmp_path, "sleep-2024-03-01.json", [log]))
    ]
    assert lengths == [("awake", 30), ("core", 3540), ("awake", 60), ("rem", 3540), ("awake", 90)]


def test_naps_are_told_from_nights() -> None:
    assert [row["nap"] for row in rows(SOURCE, HERE / "sleep-2024-10-01.json") if "nap" in row] == ["night", "nap"]


def test_fillers_are_left_out_and_told() -> None:
    assert notices(SOURCE, HERE / "resting_heart_rate-2024-01-01.json") == [
        "left out: days without a resting heart rate (1)"
    ]
    assert notices(SOURCE, HERE / "sedentary_minutes-2024-03-01.json") == [
        "left out: sedentary minutes of days to come (1)"
    ]


@pytest.mark.parametrize("name", ["2024-03-01.json", "Download.json"])
def test_a_series_whose_name_tells_no_kind_is_refused(tmp_path: Path, name: str) -> None:
    path = document(tmp_path, name, [entry("03/01/24 08:00:00", "5")])
    assert SOURCE.recognises(Original.at(path))
    with pytest.raises(UnreadableFile, match="name alone"):
        read(SOURCE, path)


def test_a_series_that_nobody_knows_is_kept_under_its_own_name(tmp_path: Path) -> None:
    path = document(tmp_path, "floors_by_foot-2024-03-01.json", [entry("03/01/24 08:00:00", "5")])
    assert rows(SOURCE, path)[0]["metric"] == "fitbit:floors_by_foot"
    assert "fitbit:floors_by_foot (1)" in notices(SOURCE, path)[0]


def test_a_file_in_two_folders_of_the_zip_counts_once(tmp_path: Path) -> None:
    steps = json.dumps([entry("03/01/24 08:00:00", "40")])
    path = tmp_path / "takeout.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Takeout/Fitbit/Global Export Data/steps-2024-03-01.json", steps)
        archive.writestr("Takeout/Fitbit/Physical Activity/steps-2024-03-01.json", steps)
    assert [row["value"] for row in rows(SOURCE, path)] == [40.0]
    assert notices(SOURCE, path) == ["left out: files that stand in the zip twice (1)"]


@pytest.mark.parametrize(
    ("days", "wanted"),
    [(("20-03-2016", "01-04-2016"), 1), (("2016-03-20", "2016-04-01"), 1), (("03/20/2016", "04/01/2016"), 1)],
)
def test_the_older_export_writes_days_in_any_order(tmp_path: Path, days: tuple[str, str], wanted: int) -> None:
    path = tmp_path / "selection.csv"
    path.write_text("Activities\nDate,Steps\n" + "".join(f'"{day}","1,234"\n' for day in days))
    found = rows(SOURCE, path)
    assert [row["value"] for row in found] == [1234.0, 1234.0]
    assert [row["ended_at"].day for row in found] == [20, wanted]


def test_a_day_that_two_orders_read_is_decided_by_the_persons_own(tmp_path: Path) -> None:
    path = tmp_path / "selection.csv"
    path.write_text('Activities\nDate,Steps\n"03-04-2016","5"\n')
    day_first = Clock.fixed(ZoneInfo("Europe/Berlin"), date_order="DMY")
    assert rows(SOURCE, path, day_first)[0]["ended_at"].month == 4


def test_the_older_export_keeps_distances_as_printed_for_their_unit_is_not_said() -> None:
    found = {row["metric"]: row["value"] for row in rows(SOURCE, HERE / "selection.csv") if "metric" in row}
    assert found["fitbit:distance"] == 8.1
    assert found["body_mass"] == 70.5


def test_blood_oxygen_of_fifty_is_what_the_device_writes_for_none() -> None:
    assert [row["value"] for row in rows(SOURCE, HERE / "Minute SpO2 - 2024-03-01.csv")] == [0.964]


def test_strange_values_are_rejections_and_never_another_error(tmp_path: Path) -> None:
    strange: list[Any] = [
        None,
        1,
        "x",
        [],
        {},
        {"dateTime": 5},
        entry("99/99/99 99:99:99", 1),
        entry("01/01/24 08:00:00", []),
    ]
    for name, first in (
        ("steps-2024-01-01.json", entry("01/01/24 08:00:00", "1")),
        ("sleep-2024-01-01.json", {"logId": 1, "dateOfSleep": "x"}),
        ("exercise-0.json", {"logId": 1, "activityName": "Run"}),
        ("weight-2024-01-01.json", {"logId": 1, "weight": "x"}),
    ):
        path = document(tmp_path, name, [first, *strange])
        assert SOURCE.recognises(Original.at(path))
        assert len(rows(SOURCE, path)) + len(reasons(SOURCE, path)) == len(strange) + 1


@pytest.mark.parametrize(
    "text",
    ["[]", "[{}]", '[{"dateTime": "2024-03-01T08:00:00", "value": 1}]', '{"dateTime": "03/01/24 08:00:00", "value": 1}',
     "timestamp,value\n", "Sleep\nnight,day\n", "Date,Steps\n", ""],
)  # fmt: skip
def test_other_files_are_not_claimed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "steps-2024-03-01.json"
    path.write_text(text)
    assert not SOURCE.recognises(Original.at(path))
