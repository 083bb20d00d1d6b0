"""The traps of Oura's exports."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.sources.health.oura import SOURCE
from twinning_pipelines_tests.goldens import notices, reasons, rows

HERE = Path(__file__).parent
NIGHT = {
    "bedtime_start": "2026-03-28T23:30:00+01:00",
    "bedtime_end": "2026-03-29T07:02:00+02:00",
    "time_in_bed": 23_520,
    "type": "long_sleep",
}


def page(tmp_path: Path, *documents: object) -> Path:
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"data": documents, "next_token": None}), encoding="utf-8")
    return path


def test_a_night_over_the_change_of_the_clocks_keeps_its_length(tmp_path: Path) -> None:
    [night] = rows(SOURCE, page(tmp_path, NIGHT))
    assert night["ended_at"] - night["started_at"] == timedelta(hours=6, minutes=32)
    assert night["in_bed_min"] == 392


def test_stages_run_on_in_steps_of_five_minutes_and_end_with_the_bed_time(tmp_path: Path) -> None:
    nap = NIGHT | {"bedtime_end": "2026-03-28T23:47:00+01:00", "sleep_phase_5_min": "42211"}
    stages = [row for row in rows(SOURCE, page(tmp_path, nap)) if "stage" in row]
    begin = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)
    minutes = [((row["started_at"] - begin).seconds // 60, (row["ended_at"] - begin).seconds // 60) for row in stages]
    assert [row["stage"] for row in stages] == ["awake", "core", "deep"]
    assert minutes == [(0, 5), (5, 15), (15, 17)]


def test_a_gap_in_a_series_is_no_sample(tmp_path: Path) -> None:
    series = {"interval": 300, "items": [50, None, 52], "timestamp": "2026-03-28T23:30:00+01:00"}
    found = [row for row in rows(SOURCE, page(tmp_path, NIGHT | {"heart_rate": series})) if "metric" in row]
    assert [row["value"] for row in found] == [50, 52]
    assert found[1]["started_at"] == datetime(2026, 3, 28, 22, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "nap"), [("long_sleep", "night"), ("late_nap", "nap"), ("sleep", "nap"), ("odd", None)]
)
def test_a_long_sleep_is_the_night(kind: str, nap: str | None, tmp_path: Path) -> None:
    [night] = rows(SOURCE, page(tmp_path, NIGHT | {"type": kind}))
    assert night.get("nap") == nap


def test_what_was_no_sleep_is_announced(tmp_path: Path) -> None:
    path = page(tmp_path, NIGHT | {"type": "deleted"})
    assert rows(SOURCE, path) == []
    assert notices(SOURCE, path) == ["left out: sleeps that were deleted in the app (1)"]


def test_a_day_is_the_person_s_local_day_even_when_it_has_23_hours() -> None:
    [steps] = [row for row in rows(SOURCE, HERE / "trends.csv") if row["at"] == 2 and row.get("metric") == "steps"]
    assert steps["ended_at"] - steps["started_at"] == timedelta(hours=23)
    assert steps["origin"] == "Oura daily"


def test_phases_of_a_csv_stay_a_text_of_figures() -> None:
    stages = [row["stage"] for row in rows(SOURCE, HERE / "data.zip") if "stage" in row]
    assert stages == ["core", "deep"]


def test_trends_without_bed_times_keep_durations_as_measures(tmp_path: Path) -> None:
    path = tmp_path / "trends.csv"
    path.write_text("date,Total Bedtime,Readiness Score\n2026-03-29,23520,67\n", encoding="utf-8")
    assert {row["metric"] for row in rows(SOURCE, path)} == {"oura:total_bedtime", "oura:readiness_score"}


def test_half_a_night_is_no_night(tmp_path: Path) -> None:
    path = page(tmp_path, NIGHT | {"time_in_bed": "long"}, NIGHT)
    assert len(rows(SOURCE, path)) == 1
    assert reasons(SOURCE, path) == ["time_in_bed: not a number: 'long'"]


def test_a_document_of_the_first_version_is_read_by_its_old_names(tmp_path: Path) -> None:
    old: dict[str, object] = {"summary_date": "2019-05-01", "bedtime_start": "2019-05-01T23:00:00+02:00"}
    old |= {
        "bedtime_end": "2019-05-02T07:00:00+02:00",
        "duration": 28_800,
        "total": 27_000,
        "deep": 3_600,
        "awake": 1_800,
    }
    old |= {"hypnogram_5min": "12", "hr_lowest": 49}
    path = tmp_path / "oura.json"
    path.write_text(json.dumps({"sleep": [old]}), encoding="utf-8")
    assert SOURCE.recognises(Original.at(path))
    night = rows(SOURCE, path)[0]
    assert (night["in_bed_min"], night["asleep_min"], night["deep_min"], night["awake_min"]) == (480, 450, 60, 30)


@pytest.mark.parametrize(
    "text",
    [
        '{"data": {"metrics": [{"name": "heart_rate", "data": [{"date": "x", "Avg": 1}]}]}}',
        '[{"logId": 1, "startTime": "2026-03-29T00:00:00", "levels": {}}]',
        '{"bpm": 61, "time": "x"}',
        "date,Steps\n2026-01-01,5\n",
    ],
)
def test_files_of_others_are_not_recognised(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text(text, encoding="utf-8")
    assert not SOURCE.recognises(Original.at(path))


def test_a_single_document_is_refused_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(NIGHT), encoding="utf-8")
    with pytest.raises(UnreadableFile, match="no list of documents"):
        rows(SOURCE, path)


@pytest.mark.parametrize("value", [1e308, 10**400, "\0", "\ud800", [[[]]], {"timestamp": {}}, -1, True])
def test_hostile_values_cost_their_document(value: object, tmp_path: Path) -> None:
    spoilt = [
        NIGHT | {name: value} for name in ("time_in_bed", "bedtime_start", "heart_rate", "type", "sleep_phase_5_min")
    ]
    nights = [row for row in rows(SOURCE, page(tmp_path, *spoilt, NIGHT)) if "in_bed_min" in row]
    assert nights[-1]["in_bed_min"] == 392
