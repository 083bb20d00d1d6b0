"""Sleep as Android: a header for each night, instants of the epoch beside wall times, stages in pairs of events."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.sources.health.sleep_as_android import SOURCE
from twinning_pipelines_tests.goldens import BERLIN, assert_golden, notices, reasons, rows, samples

HERE = Path(__file__).parent
EXPORT = HERE / "sleep-export.csv"


@pytest.mark.parametrize("sample", samples(HERE, ".csv", ".zip"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def _nights(path: Path = EXPORT) -> list[dict[str, Any]]:
    return [row for row in rows(SOURCE, path) if "in_bed_min" in row]


def test_a_tracked_night_has_its_stages_and_their_minutes() -> None:
    night = _nights()[0]
    assert night["started_at"] == datetime(2026, 2, 3, 21, 41, 13, 125_000, tzinfo=UTC)
    assert night["ended_at"] - night["started_at"] == timedelta(hours=8)
    assert (night["awake_min"], night["core_min"], night["deep_min"], night["rem_min"]) == (12, 333, 105, 30)
    assert (night["asleep_min"], night["zone"]) == (455, "Europe/Zurich")
    stages = [row for row in rows(SOURCE, EXPORT) if "stage" in row and row.get("zone") == "Europe/Zurich"]
    assert [row["stage"] for row in stages] == ["awake", "core", "deep", "rem", "core"]
    assert all(one["ended_at"] == next_one["started_at"] for one, next_one in pairwise(stages))


def test_pulse_and_oxygen_are_samples_and_what_was_not_measured_is_none() -> None:
    measured = Counter(row["metric"] for row in rows(SOURCE, EXPORT) if "metric" in row)
    assert measured == {"heart_rate": 2, "oxygen_saturation": 1}
    assert next(row["value"] for row in rows(SOURCE, EXPORT) if row.get("metric") == "oxygen_saturation") == 0.96


def test_the_curves_and_all_other_events_are_kept() -> None:
    detail = json.loads(_nights()[0]["detail"])
    assert detail["Comment"] == '#dream_2x late "film"\ntwice awake'
    assert detail["Movement"] == [0.25, 0.0001, 0.0]
    assert detail["NoiseCurve"] == [0.01, None, 0.0034]
    assert [event[0] for event in detail["Events"]] == ["DEVICE", "HR", "LUX", "ALARM_LATEST"]
    assert (detail["Rating"], detail["Snore"], detail["DeepSleep"]) == ("3.75", "354", "0.42")


def test_a_night_added_by_hand_has_no_stages_and_nothing_measured() -> None:
    night = _nights()[1]
    assert (night["in_bed_min"], night["asleep_min"]) == (660, 660)
    assert "deep_min" not in night
    assert set(json.loads(night["detail"])) == {"Comment", "Sched"}


def test_the_epoch_tells_which_half_past_one_it_was() -> None:
    nap = _nights()[2]
    assert nap["started_at"] == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert nap["in_bed_min"] == pytest.approx(49.98)


def test_an_end_that_a_person_corrected_counts() -> None:
    corrected = _nights()[3]
    assert corrected["ended_at"] == datetime(2026, 3, 4, 5, 15, tzinfo=UTC)
    assert (corrected["in_bed_min"], corrected["asleep_min"]) == (435, 435)


def test_what_does_not_fit_is_told() -> None:
    assert notices(SOURCE, EXPORT) == [
        "events of stages without their other end, kept in detail only: DEEP_START (1), REM_END (1)",
        "Id and From are more than two minutes apart, Id was taken: 1 records",
        "zones that nobody knows: Mars/Olympus",
    ]
    assert json.loads(_nights()[4]["detail"])["From"] == "05. 03. 2026 0:30"
    assert notices(SOURCE, HERE / "sleep-backup.zip") == [
        "left out, because they hold settings or sound: alarms.json, prefs.xml"
    ]


def test_a_broken_record_costs_itself_alone() -> None:
    assert len(_nights(HERE / "broken.csv")) == 2
    found = reasons(SOURCE, HERE / "broken.csv")
    assert len(found) == 9
    assert "Hours: not a number: 'eight'" in found
    assert "a header line without values" in found
    assert "Id: no milliseconds since 1970: '999999999999999'" in found
    assert found[-1] == "a quoted cell does not end"


def test_a_zip_without_nights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sleep-export.csv"
    path.write_text("Id,Tz\n1,Europe/Zurich\n")
    assert not SOURCE.recognises(Original.at(path))
    with pytest.raises(UnreadableFile, match="no header line"):
        list(SOURCE.parse(Original.at(path), BERLIN))
