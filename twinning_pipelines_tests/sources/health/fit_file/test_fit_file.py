"""The traps of FIT files, every FIT of the corpus, and its counts against those of the library read plainly."""

import json
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import fitdecode
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.ingest.reading import read
from twinning_pipelines.original import Original
from twinning_pipelines.sources.health.fit_file import SOURCE
from twinning_pipelines_tests.goldens import BERLIN, notices, reasons, rows
from twinning_pipelines_tests.shared import corpus
from twinning_pipelines_tests.sources.health.fit_file import build

HERE = Path(__file__).parent


def metric(name: str, sample: str, clock: Clock = BERLIN) -> list[dict[str, object]]:
    return [row for row in rows(SOURCE, HERE / sample, clock) if row.get("metric") == name]


@pytest.mark.parametrize("name", build.SAMPLES)
def test_the_samples_are_what_the_builder_writes(name: str) -> None:
    assert (HERE / name).read_bytes() == build.SAMPLES[name]()


def test_a_workout_lasts_as_long_as_its_timer_and_ends_when_it_ended() -> None:
    [workout] = [row for row in rows(SOURCE, HERE / "run.fit") if "activity" in row]
    # Two minutes on the clock, one of them paused; the summary was written three minutes later.
    assert workout["ended_at"] == datetime(2026, 3, 29, 0, 52, tzinfo=UTC)
    assert workout["duration_min"] == 1


def test_a_stride_is_two_steps_with_its_half_turns() -> None:
    assert [row["value"] for row in metric("step_cadence", "run.fit")] == [170, 171]


def test_beats_follow_the_record_before_them() -> None:
    [beats] = metric("fit:beat_interval", "run.fit")
    assert json.loads(str(beats["detail"]))["beats"] == [512, 508, 500]
    assert beats["ended_at"] == datetime(2026, 3, 29, 0, 50, 1, 520_000, tzinfo=UTC)


def test_the_field_of_an_app_is_a_measure_of_its_own() -> None:
    [row] = metric("fit:doughnuts", "run.fit")
    assert (row["value"], row["detail"]) == (1, '{"unit":"pieces"}')


def test_steps_are_what_the_counters_added_and_begin_again_at_the_device_s_midnight() -> None:
    found = metric("steps", "day.fit")
    assert [row["value"] for row in found] == [100, 60, 1000, 20, 20, 240]
    midnight = datetime(2026, 5, 10, 22, tzinfo=UTC)
    assert sum(row["value"] for row in found if row["ended_at"] <= midnight) == 1200  # type: ignore[operator, misc]
    assert found[-1]["started_at"] == midnight


def test_without_the_device_s_offset_its_midnight_is_that_of_the_person(tmp_path: Path) -> None:
    path = tmp_path / "a.fit"
    begin = build.seconds(2026, 5, 9, 22)
    messages = [build.message(build.MONITORING, (253, "uint32", begin), (5, "enum", 6), (3, "uint32", 20))]
    messages += [build.message(build.MONITORING, (253, "uint32", begin + 600), (5, "enum", 6), (3, "uint32", 60))]
    path.write_bytes(build.fit([build.file_id(32), *messages]))
    clocks = BERLIN, Clock.fixed(ZoneInfo("America/New_York"))
    # In Berlin the first reading closes the day before; in New York the day had run for hours.
    counts = [[row["value"] for row in rows(SOURCE, path, clock)] for clock in clocks]
    assert counts == [[20, 60], [40]]


def test_counters_that_had_run_before_their_file_are_not_counted_twice() -> None:
    assert [row["value"] for row in metric("steps", "afternoon.fit")] == [60]
    assert "first readings of the counter steps" in " ".join(notices(SOURCE, HERE / "afternoon.fit"))


def test_seconds_since_power_on_are_placed_by_the_local_time_of_the_person() -> None:
    new_york = Clock.fixed(ZoneInfo("America/New_York"))
    [berlin], [york] = (metric("heart_rate", "switched_on.fit", clock) for clock in (BERLIN, new_york))
    assert berlin["started_at"] == datetime(2026, 7, 1, 8, 53, 30, tzinfo=UTC)
    assert york["started_at"] == datetime(2026, 7, 1, 14, 53, 30, tzinfo=UTC)


def test_each_stage_of_a_night_lasts_until_the_next() -> None:
    stages = [row for row in rows(SOURCE, HERE / "night.fit") if "stage" in row]
    minutes = [(row["ended_at"] - row["started_at"]).total_seconds() / 60 for row in stages]
    assert list(zip([row["stage"] for row in stages], minutes, strict=True)) == [
        ("awake", 10), ("core", 40), ("deep", 40), ("rem", 200),
    ]  # fmt: skip


def test_percents_of_a_scale_are_fractions() -> None:
    assert [row["value"] for row in metric("body_fat", "scale.fit")] == [0.223]


def test_a_plan_is_no_route() -> None:
    assert rows(SOURCE, HERE / "plan.fit") == []


def test_one_bad_member_of_a_zip_costs_only_itself() -> None:
    assert len(metric("body_mass", "watch.zip")) == 1
    assert [reason for reason in reasons(SOURCE, HERE / "watch.zip") if "file of the zip" in reason] == [
        "a file of the zip that can't be read: no FIT header where one should be"
    ] * 2
    assert "files that stand in the zip more than once, read once: 1" in notices(SOURCE, HERE / "watch.zip")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(["run.fit", "day.fit", "night.fit", "scale.fit", "switched_on.fit"]),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_changed_bytes_never_end_in_another_exception(
    name: str, changes: list[tuple[float, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = bytearray((HERE / name).read_bytes())
    for share, value in changes:
        data[12 + int((len(data) - 13) * share)] = value
    path = tmp_path_factory.mktemp("changed") / name
    path.write_bytes(data)
    with suppress(UnreadableFile):
        read(Original.at(path), SOURCE, BERLIN).__exit__(None, None, None)


# Workouts, parts, routes, samples, rejections.
CORPUS = {
    "fitparse-Activity.fit": (1, 4, 1, 14, 0),
    # Its records have no time at all.
    "fitparse-DeveloperData.fit": (0, 0, 0, 0, 3),
    "fitparse-MonitoringFile.fit": (0, 0, 0, 419, 0),
    "fitparse-WeightScaleSingleUser.fit": (0, 0, 0, 4, 0),
    "fitparse-activity-filecrc.fit": (1, 4, 1, 14, 0),
    "fitparse-activity-unexpected-eof.fit": (1, 4, 1, 14, 0),
    "fitparse-compressed-speed-distance.fit": (1, 15, 0, 2261, 0),
    "fitparse-garmin-edge-820-bike.fit": (1, 4, 1, 75, 0),
    "fitparse-garmin-fenix-5-run.fit": (1, 5, 1, 215, 0),
    "fitparse-garmin-fenix-5-walk.fit": (1, 5, 1, 156, 0),
    # A byte is missing at 7,471.
    "fitparse-strava-android-app-201.10-b1218918.fit": (1, 2, 1, 236, 0),
}


@pytest.mark.parametrize("name", CORPUS)
def test_the_corpus_is_read(name: str) -> None:
    path = corpus("health", "fit", name)
    assert SOURCE.recognises(Original.at(path))
    found = rows(SOURCE, path)
    counts = [sum(field in row for row in found) for field in ("activity", "part", "track", "metric")]
    assert (*counts, len(reasons(SOURCE, path))) == CORPUS[name]


def test_no_fit_of_the_corpus_is_forgotten() -> None:
    assert {path.name for path in corpus("health", "fit").iterdir()} == set(CORPUS)


def test_damage_and_checksums_of_the_corpus_are_told() -> None:
    told = {name: " ".join(notices(SOURCE, corpus("health", "fit", name))) for name in CORPUS}
    assert {name for name, text in told.items() if "checksum" in text} == {"fitparse-activity-filecrc.fit"}
    assert {name for name, text in told.items() if "damaged" in text} == {
        "fitparse-activity-unexpected-eof.fit",
        "fitparse-strava-android-app-201.10-b1218918.fit",
    }


def test_the_steps_of_a_watch_s_day_are_its_own_total() -> None:
    found = rows(SOURCE, corpus("health", "fit", "fitparse-MonitoringFile.fit"))
    steps = Counter[str]()
    for row in found:
        if row["metric"] == "steps":
            steps[json.loads(row["detail"])["activity"]] += int(row["value"])
    # The file closes with these two totals of 1,440 minutes.
    assert steps == {"walking": 3142, "running": 31}


@pytest.mark.parametrize("name", ["fitparse-compressed-speed-distance.fit", "fitparse-garmin-fenix-5-run.fit"])
def test_every_message_with_a_heart_rate_is_a_sample(name: str) -> None:
    path = corpus("health", "fit", name)
    with fitdecode.FitReader(path) as reader:
        frames = [frame for frame in reader if frame.frame_type == fitdecode.FIT_FRAME_DATA and frame.name == "record"]
    rates = [frame.get_value("heart_rate", fallback=None) for frame in frames]
    found = [row["value"] for row in rows(SOURCE, path) if row.get("metric") == "heart_rate"]
    assert found == [rate for rate in rates if rate]
