"""Health Auto Export: what a value stands for, both shapes of workouts and of sleep, dates, units, and broken files."""

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.records.metrics import METRIC_BY_NAME
from twinning_pipelines.sources.health.health_auto_export import SOURCE
from twinning_pipelines.sources.health.health_auto_export.metrics import METRIC_OF
from twinning_pipelines.sources.health.health_auto_export.stamps import Grain, grain_of, instant, span, stamp
from twinning_pipelines_tests.goldens import BERLIN, assert_golden, notices, reasons, rows, samples

HERE = Path(__file__).parent


def export_of(folder: Path, **lists: Any) -> Path:
    path = folder / "export.json"
    path.write_text(json.dumps({"data": lists}), encoding="utf-8")
    return path


def metric(name: str, units: str, *points: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "units": units, "data": list(points)}


@pytest.mark.parametrize("sample", samples(HERE, ".json", ".zip"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def test_every_name_leads_to_a_metric_that_is_registered() -> None:
    assert set(METRIC_OF.values()) <= METRIC_BY_NAME.keys()


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-06 14:05:09 -0800",
        "2024-02-06 2:05:09 PM -0800",
        "2024-02-06 2:05:09\u202fPM -0800",
        "2024-02-06 2:05:09\u202fpm -0800",
        "2024-02-06T14:05:09-08:00",
    ],
)
def test_the_formats_of_dates_mean_the_same(text: str) -> None:
    assert instant("date", text, BERLIN) == datetime(2024, 2, 6, 22, 5, 9, tzinfo=UTC)


def test_a_date_without_an_offset_is_the_persons_own() -> None:
    assert instant("date", "2024-02-06 14:05:09", BERLIN) == datetime(2024, 2, 6, 13, 5, 9, tzinfo=UTC)
    assert instant("date", "2024-02-06", BERLIN) == datetime(2024, 2, 5, 23, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2024-13-01 00:00:00 +0000", "2024-02-06 25:00:00 +0100", None, []])
def test_what_is_no_date_names_its_field(text: object) -> None:
    with pytest.raises(ValueError, match=r"date: (missing|not a date)"):
        instant("date", text, BERLIN)


def test_how_finely_a_file_aggregates_shows_in_its_dates() -> None:
    grains = [grain_of(stamp("date", f"2024-03-01 {clock} +0100")) for clock in ("00:00:00", "07:00:00", "07:15:00")]
    assert grains == [Grain.DAY, Grain.HOUR, Grain.MINUTE]
    assert grain_of(stamp("date", "2024-03-01 00:00:07 +0100")) is Grain.MOMENT


def test_a_day_lasts_to_the_next_midnight_even_when_the_clocks_change() -> None:
    first, last = span(stamp("date", "2024-03-31 00:00:00 +0100"), Grain.DAY, BERLIN)
    assert (last - first).total_seconds() == 23 * 3600
    # Printed in a zone where the person never lived.
    first, last = span(stamp("date", "2024-03-31 00:00:00 -0800"), Grain.DAY, BERLIN)
    assert (last - first).total_seconds() == 24 * 3600


def test_one_minute_tells_that_all_are_minutes_but_not_how_finely_the_heart_is_told(tmp_path: Path) -> None:
    path = export_of(
        tmp_path,
        metrics=[
            metric("step_count", "count", {"date": "2024-03-01 07:00:00 +0100", "qty": 1}),
            metric("flights_climbed", "count", {"date": "2024-03-01 07:01:00 +0100", "qty": 1}),
            metric("heart_rate", "bpm", {"date": "2024-03-01 07:01:05 +0100", "Min": 60, "Avg": 61, "Max": 62}),
        ],
    )
    lengths = {row["metric"]: (row["ended_at"] - row["started_at"]).total_seconds() for row in rows(SOURCE, path)}
    assert lengths == {"steps": 60, "flights_climbed": 60, "heart_rate": 0}


def test_points_that_are_not_aggregated_keep_their_span_and_their_device(tmp_path: Path) -> None:
    point = {
        "startDate": "2024-03-01 07:00:10 +0100",
        "endDate": "2024-03-01 07:04:00 +0100",
        "qty": 9,
        "source": "iPhone",
    }
    row = rows(SOURCE, export_of(tmp_path, metrics=[metric("step_count", "count", point)]))[0]
    assert (row["origin"], row["started_at"].second, row["ended_at"].minute) == ("iPhone", 10, 4)


@pytest.mark.parametrize(
    ("name", "units", "qty", "wanted"),
    [
        ("blood_oxygen_saturation", "%", 97, 0.97),
        ("body_fat_percentage", "%", 21.5, 0.215),
        ("active_energy", "kJ", 418.4, 100),
        ("walking_running_distance", "mi", 1, 1609.344),
        ("weight_body_mass", "lb", 100, 45.359237),
        ("body_temperature", "degF", 98.6, 37),
        ("height", "ft", 6, 182.88),
        ("blood_glucose", "mmol/L", 5, 90.077940),
        ("walking_speed", "km/hr", 3.6, 1),
        ("vo2_max", "ml/(kg·min)", 40, 40),
        ("respiratory_rate", "count/min", 14, 14),
        ("apple_exercise_time", "min", 30, 30),
    ],
)
def test_units_are_converted(tmp_path: Path, name: str, units: str, qty: float, wanted: float) -> None:
    path = export_of(tmp_path, metrics=[metric(name, units, {"date": "2024-03-01 07:15:00 +0100", "qty": qty})])
    row = rows(SOURCE, path)[0]
    assert (row["metric"], row["value"]) == (METRIC_OF[name], pytest.approx(wanted, abs=1e-5))


def test_the_name_of_a_metric_may_stand_behind_its_data() -> None:
    assert [row["metric"] for row in rows(SOURCE, HERE / "days_v1.json") if "metric" in row].count("steps") == 3


def test_the_series_of_a_workout_never_add_to_those_of_the_metrics() -> None:
    steps = [row for row in rows(SOURCE, HERE / "minutes_v2.json") if row.get("metric") == "steps"]
    assert {row["origin"] for row in steps} == {"Health Auto Export", "Health Auto Export workouts"}


def test_a_workout_that_prints_its_energy_as_a_series_alone_states_none(tmp_path: Path) -> None:
    workout = {
        "name": "Pool Swim",
        "start": "2024-03-01 18:00:00 +0100",
        "end": "2024-03-01 18:30:00 +0100",
        "activeEnergy": [{"date": "2024-03-01 18:00:07 +0100", "qty": 10, "units": "kcal"}],
    }
    workout_row = next(row for row in rows(SOURCE, export_of(tmp_path, workouts=[workout])) if "activity" in row)
    assert workout_row["activity"] == "swimming"
    assert "energy_kcal" not in workout_row


def test_old_and_new_nights_mean_the_same_by_different_fields() -> None:
    new, old, unstaged = (
        row for row in rows(SOURCE, HERE / "days_v1.json") if "in_bed_min" in row or "asleep_min" in row
    )
    assert (new["asleep_min"], new["deep_min"], new["in_bed_min"]) == (435, 60, 480)
    assert (old["asleep_min"], old["in_bed_min"]) == (420, 450)
    # Noughts for every stage are no stages, and a nought for the time in bed is no time in bed.
    assert "deep_min" not in unstaged
    assert "in_bed_min" not in unstaged


def test_lists_that_nobody_knows_are_told(tmp_path: Path) -> None:
    path = export_of(tmp_path, metrics=[], audiograms=[{}, {}])
    assert notices(SOURCE, path) == ["left out: data.audiograms (2)"]


def test_a_document_of_a_zip_that_breaks_off_costs_its_own_rest_and_no_other(tmp_path: Path) -> None:
    good = json.dumps(
        {"data": {"metrics": [metric("step_count", "count", {"date": "2024-03-01 07:15:00 +0100", "qty": 5})]}}
    )
    path = tmp_path / "exports.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.json", good[:-20])
        archive.writestr("b.json", good)
    assert [row["value"] for row in rows(SOURCE, path)] == [5.0]
    assert reasons(SOURCE, path) == ["a.json: its rest can't be read: line 1: the file breaks off here"]


def test_hostile_documents_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text('{"data": {"metrics": [' + '{"data":[' * 100_000)
    with pytest.raises(HostileFile, match="nested too deep"):
        rows(SOURCE, path)
    path.write_text('{"data": {"metrics": [{"name": "step_count", "data": [{"qty": ')
    assert SOURCE.recognises(Original.at(path))
    with pytest.raises(UnreadableFile, match="line 1: the file breaks off here"):
        rows(SOURCE, path)


def test_strange_values_are_rejections_and_never_another_error(tmp_path: Path) -> None:
    strange: list[Any] = [None, 1, "x", [], {}, {"date": []}, {"qty": "9" * 400}]
    lists = ("workouts", "stateOfMind", "medications", "symptoms", "cycleTracking", "ecg", "heartRateNotifications")
    names = ("step_count", "blood_pressure", "sleep_analysis")
    path = export_of(
        tmp_path, metrics=[metric(name, "count", *strange) for name in names], **dict.fromkeys(lists, strange)
    )
    assert rows(SOURCE, path) == []
    assert len(reasons(SOURCE, path)) == len(strange) * (len(lists) + len(names))


@pytest.mark.parametrize("text", ['{"data": [1]}', '{"data": {"other": []}}', '{"metrics": []}', "[]", "", "{", "data"])
def test_other_json_is_not_claimed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(text)
    assert not SOURCE.recognises(Original.at(path))


def test_days_follow_the_person_who_moved() -> None:
    tokyo = Clock.fixed(ZoneInfo("Asia/Tokyo"))
    row = next(row for row in rows(SOURCE, HERE / "days_v1.json", tokyo) if row.get("metric") == "steps")
    # The phone printed midnight in Berlin, so the day is Berlin's whatever the clock says.
    assert row["started_at"] == datetime(2023, 10, 27, 22, tzinfo=UTC)
