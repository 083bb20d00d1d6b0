"""Sleep Cycle: three generations of columns, wall times without a zone, dashes for nothing."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.sources.health.sleep_cycle import SOURCE
from twinning_pipelines_tests.goldens import BERLIN, assert_golden, notices, reasons, rows, samples

HERE = Path(__file__).parent


@pytest.mark.parametrize("sample", samples(HERE, ".csv"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def _nights(name: str, clock: Clock = BERLIN) -> list[dict[str, object]]:
    return [row for row in rows(SOURCE, HERE / name, clock) if "metric" not in row]


def test_seconds_become_minutes_and_dreaming_is_rem() -> None:
    night = _nights("ios.csv")[0]
    assert night["started_at"] == datetime(2026, 2, 3, 22, 12, 5, tzinfo=UTC)
    assert (night["awake_min"], night["rem_min"], night["core_min"], night["deep_min"]) == (21.008, 90, 240, 105)
    assert (night["in_bed_min"], night["asleep_min"], night["quality"]) == (466.502, 435, 0.82)


def test_what_has_no_field_is_kept_as_printed_and_a_dash_is_nothing() -> None:
    detail = json.loads(str(_nights("ios.csv")[0]["detail"]))
    assert detail["City"] == "Zürich"
    assert detail["Steps"] == "7421"
    assert "Regularity" not in detail
    assert notices(SOURCE, HERE / "ios.csv") == []


def test_the_time_in_bed_decides_when_the_clocks_change() -> None:
    spring, autumn = _nights("ios.csv")[1:3]
    assert spring["ended_at"] == datetime(2026, 3, 29, 5, 30, tzinfo=UTC)
    assert spring["started_at"] == datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    assert autumn["started_at"] == datetime(2026, 10, 25, 0, 40, tzinfo=UTC)
    assert autumn["ended_at"] == datetime(2026, 10, 25, 1, 20, tzinfo=UTC)


def test_the_zone_is_the_persons() -> None:
    tokyo = Clock.fixed(ZoneInfo("Asia/Tokyo"))
    assert _nights("ios.csv", tokyo)[0]["started_at"] == datetime(2026, 2, 3, 14, 12, 5, tzinfo=UTC)


def test_the_first_generation_counts_hours_and_minutes() -> None:
    first, second = _nights("first_generation.csv")
    assert (first["in_bed_min"], second["in_bed_min"]) == (512, 434)
    assert json.loads(str(second["detail"]))["Activity (steps)"] == "5421"


def test_a_pulse_of_zero_is_none_and_an_impossible_one_costs_itself_alone() -> None:
    measured = [row for row in rows(SOURCE, HERE / "ios.csv") if row.get("metric") == "heart_rate"]
    assert [(row["value"], row["started_at"]) for row in measured] == [
        (58, datetime(2026, 2, 4, 5, 58, 35, tzinfo=UTC))
    ]
    assert sum("not plausible" in reason for reason in reasons(SOURCE, HERE / "ios.csv")) == 1
    assert len(_nights("ios.csv")) == 4


def test_short_rows_of_android_are_whole_nights() -> None:
    night, scrap = _nights("android.csv")
    assert night["asleep_min"] == pytest.approx(439.483)
    assert (scrap["in_bed_min"], scrap["asleep_min"]) == (45.383, 0)


def test_a_file_without_an_end_of_nights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sleepdata.csv"
    path.write_text("Start;Sleep Quality\n2026-01-01 23:00:00;80%\n")
    with pytest.raises(UnreadableFile, match="'End'"):
        list(SOURCE.parse(Original.at(path), BERLIN))
