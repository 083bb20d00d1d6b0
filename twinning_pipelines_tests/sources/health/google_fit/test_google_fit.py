"""Google Fit: which of five tellings of the same steps is read, spans across changes of the clocks, and broken members."""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.sources.health.google_fit import SOURCE
from twinning_pipelines.sources.health.google_fit.points import Stream, chosen, stream_of
from twinning_pipelines_tests.goldens import assert_golden, notices, read, reasons, rows, samples

HERE = Path(__file__).parent
STEPS = "com.google.step_count.delta"
DAYS = "Date,Step count\n2024-03-01,4600\n"


def takeout(folder: Path, members: dict[str, Any]) -> Path:
    path = folder / "takeout.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"Takeout/Fit/{name}", content if isinstance(content, str) else json.dumps(content))
    return path


def points(stream: str, *figures: dict[str, Any], kind: str = STEPS) -> dict[str, Any]:
    listed = [
        {
            "fitValue": [{"value": figure}],
            "startTimeNanos": 1_709_330_400_000_000_000 + 60_000_000_000 * place,
            "endTimeNanos": 1_709_330_460_000_000_000 + 60_000_000_000 * place,
            "dataTypeName": kind,
        }
        for place, figure in enumerate(figures)
    ]
    return {"Data Source": stream, "Data Points": listed}


@pytest.mark.parametrize("sample", samples(HERE, ".json", ".csv", ".zip"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def stream(name: str) -> Stream:
    return stream_of(json.dumps({"Data Source": name}).encode())


def test_of_a_type_that_google_has_merged_only_the_merged_stream_is_read() -> None:
    estimated, merged, raw, other = (
        stream(f"{kind}:{STEPS}:{owner}")
        for kind, owner in (
            ("derived", "com.google.android.gms:estimated_steps"),
            ("derived", "com.google.android.gms:merge_step_deltas"),
            ("raw", "com.example.phone:"),
            ("derived", "com.example.app:from_phone"),
        )
    )
    assert chosen([raw, merged, estimated, other]) == {estimated}
    assert chosen([raw, merged, other]) == {merged}
    # Nothing is known to be told twice here, so nothing is left out.
    assert chosen([raw, other]) == {raw, other}


def test_what_is_left_out_is_counted_and_its_type_named(tmp_path: Path) -> None:
    merged = points(f"derived:{STEPS}:com.google.android.gms:estimated_steps", {"intVal": 40})
    raw = points(f"raw:{STEPS}:com.example.phone:", {"intVal": 40}, {"intVal": 2}, {"intVal": 3})
    path = takeout(tmp_path, {"All Data/a.json": merged, "All Data/b.json": raw})
    assert [row["value"] for row in rows(SOURCE, path)] == [40.0]
    assert notices(SOURCE, path) == [
        f"data points that a stream merged by Google repeats, left out: {STEPS} (3)",
    ]


def test_points_are_counted_across_the_blocks_in_which_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twinning_pipelines.sources.health.google_fit.points._BLOCK_BYTES", 7)
    merged = points(f"derived:{STEPS}:com.google.android.gms:merge_step_deltas")
    raw = points(f"raw:{STEPS}:com.example.phone:", *[{"intVal": 1}] * 25)
    path = takeout(tmp_path, {"All Data/a.json": merged, "All Data/b.json": raw})
    assert notices(SOURCE, path)[0].endswith(f"{STEPS} (25)")


def test_each_telling_of_the_same_steps_has_an_origin_of_its_own() -> None:
    steps = [row for row in rows(SOURCE, HERE / "takeout.zip") if row.get("metric") == "steps"]
    lengths = {row["origin"]: row["ended_at"] - row["started_at"] for row in steps}
    assert lengths == {
        "Google Fit daily": timedelta(days=1),
        "Google Fit 15 minutes": timedelta(minutes=15),
        "Google Fit": timedelta(minutes=1),
    }


def test_a_day_of_23_hours_is_one() -> None:
    energies = [row for row in rows(SOURCE, HERE / "days.csv") if row["metric"] == "total_energy"]
    assert [row["ended_at"] - row["started_at"] for row in energies] == [timedelta(hours=24), timedelta(hours=23)]


def test_the_quarter_before_midnight_ends_the_day_and_offsets_hold_where_the_clocks_change() -> None:
    spans = sorted({(row["started_at"], row["ended_at"]) for row in rows(SOURCE, HERE / "2024-03-31.csv")})
    assert spans == [
        (datetime(2024, 3, 30, 23, 0, tzinfo=UTC), datetime(2024, 3, 30, 23, 15, tzinfo=UTC)),
        (datetime(2024, 3, 31, 0, 45, tzinfo=UTC), datetime(2024, 3, 31, 1, 0, tzinfo=UTC)),
        (datetime(2024, 3, 31, 21, 45, tzinfo=UTC), datetime(2024, 3, 31, 22, 0, tzinfo=UTC)),
    ]


@pytest.mark.parametrize("name", ["Daily.csv", "2024-13-45.csv"])
def test_quarters_whose_name_has_no_day_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("Start time,End time,Step count\n00:00:00.000+01:00,00:15:00.000+01:00,5\n")
    assert SOURCE.recognises(Original.at(path))
    with pytest.raises(UnreadableFile, match="name"):
        read(SOURCE, path)


def test_a_copy_that_a_browser_numbered_keeps_its_day(tmp_path: Path) -> None:
    path = tmp_path / "2024-03-01 (1).csv"
    path.write_text("Start time,End time,Step count\n00:00:00.000+01:00,00:15:00.000+01:00,5\n")
    assert rows(SOURCE, path)[0]["started_at"] == datetime(2024, 2, 29, 23, tzinfo=UTC)


def test_stages_come_from_their_stream_or_else_from_the_sessions(tmp_path: Path) -> None:
    session = json.loads((HERE / "2024-03-01T23_00_00+01_00_SLEEP.json").read_text())
    kind = "com.google.sleep.segment"
    stages = points(f"derived:{kind}:com.google.android.gms:merged", {"intVal": 5}, kind=kind)
    alone = rows(SOURCE, takeout(tmp_path, {"All Sessions/s.json": session}))
    assert [row["stage"] for row in alone if "stage" in row] == ["core", "awake", "deep", "rem"]
    both = rows(SOURCE, takeout(tmp_path, {"All Sessions/s.json": session, "All Data/d.json": stages}))
    assert [row["stage"] for row in both if "stage" in row] == ["deep"]
    assert [row["asleep_min"] for row in both if "asleep_min" in row] == [465]


def test_a_sleep_without_segments_does_not_say_how_long_it_was_slept(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(
        '{"fitnessActivity": "sleep", "startTime": "2024-03-01T22:00:00Z", "endTime": "2024-03-02T06:00:00Z"}'
    )
    assert "asleep_min" not in rows(SOURCE, path)[0]


def test_a_track_adds_its_workout_only_where_no_session_is_it() -> None:
    found = rows(SOURCE, HERE / "takeout.zip")
    workouts = [(row["origin"], row["started_at"].day) for row in found if "activity" in row]
    assert workouts == [("Google Fit", 1), ("Google Fit tracks", 2)]
    assert [row["workout_at"].day for row in found if "track" in row] == [1, 2]


@pytest.mark.parametrize(
    ("kind", "figure", "metric", "wanted"),
    [
        ("com.google.weight", {"fpVal": 70.5}, "body_mass", 70.5),
        ("com.google.height", {"fpVal": 1.8}, "height", 180),
        ("com.google.body.fat.percentage", {"fpVal": 20.0}, "body_fat", 0.2),
        ("com.google.oxygen_saturation", {"fpVal": 97.0}, "oxygen_saturation", 0.97),
        ("com.google.hydration", {"fpVal": 0.5}, "dietary_water", 500),
        ("com.google.blood_glucose", {"fpVal": 5.0}, "blood_glucose", 90.07794),
        ("com.google.active_minutes", {"intVal": 2}, "move_time", 2),
        ("com.google.power.sample", {"fpVal": 200.0}, "google_fit:power.sample", 200),
    ],
)
def test_types_and_units(tmp_path: Path, kind: str, figure: dict[str, Any], metric: str, wanted: float) -> None:
    path = tmp_path / "points.json"
    path.write_text(json.dumps(points(f"raw:{kind}:com.example:", figure, kind=kind)))
    row = rows(SOURCE, path)[0]
    assert (row["metric"], row["value"]) == (metric, pytest.approx(wanted, abs=1e-5))


def test_a_member_that_breaks_off_costs_its_own_rest_and_no_other(tmp_path: Path) -> None:
    good = points(f"raw:{STEPS}:com.example.phone:", {"intVal": 5})
    members = {"All Data/a.json": json.dumps(good)[:-2], "All Data/b.json": good, "Daily activity metrics.csv": DAYS}
    path = takeout(tmp_path, members)
    assert [row["value"] for row in rows(SOURCE, path)] == [4600.0, 5.0, 5.0]
    assert reasons(SOURCE, path) == ["a.json: its rest can't be read: line 1: the file breaks off here"]


def test_strange_values_are_rejections_and_never_another_error(tmp_path: Path) -> None:
    strange: list[Any] = [
        None,
        1,
        {},
        {"fitValue": 1},
        {"fitValue": [1]},
        {"fitValue": [{"value": {"intVal": 1}}], "startTimeNanos": "soon", "endTimeNanos": 1},
        {"fitValue": [{"value": {"intVal": 10**30}}], "startTimeNanos": 10**300, "endTimeNanos": 1},
        {"fitValue": [{"value": {"fpVal": "x"}}], "startTimeNanos": 1, "endTimeNanos": 1},
    ]
    path = tmp_path / "points.json"
    path.write_text(json.dumps({"Data Source": f"raw:{STEPS}:x:", "Data Points": strange}))
    assert rows(SOURCE, path) == []
    assert len(reasons(SOURCE, path)) == len(strange)


@pytest.mark.parametrize(
    "text",
    [
        '{"fitnessActivity": "running"}',
        '{"fitnessActivity": "running", "startTime": "soon", "endTime": "2024-03-01T18:00:00Z"}',
        '{"fitnessActivity": "running", "startTime": "2024-03-01T17:00:00Z", "endTime": "2024-03-01T18:00:00Z", "segment": [1]}',
        '{"fitnessActivity": "running", "startTime": "2024-03-01T17:00:00Z", "endTime": "2024-03-01T18:00:00Z", "duration": "1 h"}',
    ],
)
def test_a_session_that_can_not_be_read_is_one_rejection(tmp_path: Path, text: str) -> None:
    path = tmp_path / "session.json"
    path.write_text(text)
    assert rows(SOURCE, path) == []
    assert len(reasons(SOURCE, path)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Date,Time,Food Name,Calories (kcal)\n",
        "Date,Weight\n",
        "Start time,End time,Title\n",
        '{"data": {}}',
        "[]",
        "",
        "{",
    ],
)
def test_other_files_are_not_claimed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "2024-03-01.csv"
    path.write_text(text)
    assert not SOURCE.recognises(Original.at(path))


def test_a_zip_of_many_days_is_read_without_opening_it_anew_for_each(tmp_path: Path) -> None:
    quarters = "Start time,End time,Step count\n00:00:00.000+01:00,00:15:00.000+01:00,5\n"
    first = datetime(2020, 1, 1, tzinfo=UTC)
    members = {f"Daily/{(first + timedelta(days=day)).date()}.csv": quarters for day in range(400)}
    path = takeout(tmp_path, members)
    opened: list[object] = []
    real = zipfile.ZipFile.__init__

    def counting(archive: zipfile.ZipFile, *given: Any, **named: Any) -> None:
        opened.append(archive)
        real(archive, *given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "__init__", counting)
        assert len(rows(SOURCE, path)) == 400
    assert len(opened) < 10
