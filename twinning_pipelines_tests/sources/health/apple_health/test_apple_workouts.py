"""Workouts: totals of old and new exports, parts, copies inside activities, units, and what is rejected alone."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines.sources.health.apple_health import SOURCE
from twinning_pipelines_tests.goldens import notices, read, reasons, rows
from twinning_pipelines_tests.sources.health.apple_health.made import SPAN, accounts, export_of, statistic, workout

HERE = Path(__file__).parent
FIRST_HALF = 'startDate="2024-06-30 10:00:00 +0200" endDate="2024-06-30 10:02:30 +0200"'
SECOND_HALF = 'startDate="2024-06-30 10:02:30 +0200" endDate="2024-06-30 10:05:00 +0200"'


def told(path: Path, table: str) -> list[dict[str, Any]]:
    return [line for line in read(SOURCE, path) if line.get("record") == table and "reason" not in line]


def the_workout(folder: Path, *children: str, more: str = "") -> dict[str, Any]:
    (found,) = told(export_of(folder, workout(*children, more=more)), "workout")
    return found


def activity(span: str, *children: str) -> str:
    return f'<WorkoutActivity uuid="A" {span}>{"".join(children)}</WorkoutActivity>'


# Totals


def test_totals_stand_in_attributes_or_in_statistics(tmp_path: Path) -> None:
    old = the_workout(
        tmp_path,
        more='duration="240" durationUnit="s" totalDistance="2" totalDistanceUnit="mi" '
        'totalEnergyBurned="418.4" totalEnergyBurnedUnit="kJ" ',
    )
    assert (old["duration_min"], old["distance_m"], old["energy_kcal"]) == (4, 3218.688, pytest.approx(100))
    new = the_workout(
        tmp_path,
        statistic("DistanceWalkingRunning", 'sum="3.218688"', "km"),
        statistic("ActiveEnergyBurned", 'sum="100"', "Cal"),
        statistic("BasalEnergyBurned", 'sum="7"', "Cal"),
        statistic("HeartRate", 'average="2.5" minimum="2" maximum="2.9"', "count/s"),
    )
    assert (new["distance_m"], new["energy_kcal"]) == (pytest.approx(3218.688), 100)
    assert (new["heart_rate_mean"], new["heart_rate_max"]) == (150, 174)


def test_attributes_win_over_statistics_and_nothing_is_added_up_twice(tmp_path: Path) -> None:
    found = the_workout(
        tmp_path, statistic("DistanceWalkingRunning", 'sum="5"', "km"), more='totalDistance="4" totalDistanceUnit="km" '
    )
    assert found["distance_m"] == 4000


def test_a_triathlon_covers_the_sum_of_its_ways(tmp_path: Path) -> None:
    ways = (
        ("DistanceSwimming", "820.21", "yd"),
        ("DistanceCycling", "20", "km"),
        ("DistanceWalkingRunning", "5", "km"),
    )
    found = the_workout(tmp_path, *(statistic(kind, f'sum="{total}"', unit) for kind, total, unit in ways))
    assert found["distance_m"] == pytest.approx(25_750)


def test_a_workout_without_totals_of_its_own_has_those_of_its_activities(tmp_path: Path) -> None:
    found = the_workout(
        tmp_path,
        activity(FIRST_HALF, statistic("DistanceSwimming", 'sum="400"', "m", FIRST_HALF)),
        activity(SECOND_HALF, statistic("DistanceCycling", 'sum="2"', "km", SECOND_HALF)),
    )
    assert found["distance_m"] == 2400


@pytest.mark.parametrize(
    ("printed", "metres", "kept"),
    [
        ("6575 cm", 65.75, False),
        ("12.5 m", 12.5, False),
        ("100 ft", 30.48, False),
        ("high", None, True),
        ("7 furlong", None, True),
    ],
)
def test_the_ascent_is_a_text_with_its_unit(printed: str, metres: float | None, kept: bool, tmp_path: Path) -> None:
    found = the_workout(tmp_path, f'<MetadataEntry key="HKElevationAscended" value="{printed}"/>')
    assert found.get("ascent_m") == (None if metres is None else pytest.approx(metres))
    assert ("HKElevationAscended" in found.get("detail", "")) == kept


def test_metadata_are_kept_as_printed_with_the_zone_in_its_own_field(tmp_path: Path) -> None:
    entries = {"HKTimeZone": "Europe/Paris", "HKWeatherHumidity": "6400 %", "Z": "1"}
    found = the_workout(
        tmp_path,
        *(f'<MetadataEntry key="{key}" value="{value}"/>' for key, value in entries.items()),
        '<MetadataEntry key="Z" value="&quot;2&quot;"/>',
    )
    assert found["zone"] == "Europe/Paris"
    assert found["detail"] == '{"HKWeatherHumidity":"6400 %","Z":["1","\\"2\\""]}'
    assert json.loads(the_workout(tmp_path, '<MetadataEntry key="HKTimeZone" value="Mars"/>')["detail"]) == {
        "HKTimeZone": "Mars"
    }


# Parts


def test_events_and_laps_have_their_own_names_and_metadata(tmp_path: Path) -> None:
    path = export_of(
        tmp_path,
        workout(
            '<WorkoutEvent type="HKWorkoutEventTypeMotionPaused" date="2024-06-30 10:01:00 +0200"/>',
            '<WorkoutEvent type="HKWorkoutEventTypeLap" date="2024-06-30 10:02:00 +0200" duration="45" durationUnit="s">'
            '<MetadataEntry key="HKSWOLFScore" value="41"/></WorkoutEvent>',
        ),
    )
    paused, lap = (row for row in rows(SOURCE, path) if "part" in row)
    started = datetime(2024, 6, 30, 8, 0, tzinfo=UTC)
    assert paused == {
        "at": 3, "part": "event", "name": "MotionPaused", "origin": "Watch", "workout_at": started,
        "started_at": started.replace(minute=1),
    }  # fmt: skip
    assert lap == {
        "at": 4, "part": "lap", "name": "Lap", "origin": "Watch", "workout_at": started,
        "started_at": started.replace(minute=2), "ended_at": started.replace(minute=2, second=45), "duration_min": 0.75,
        "detail": '{"HKSWOLFScore":"41"}',
    }  # fmt: skip


def test_statistics_are_in_the_unit_of_their_metric_and_unknown_ones_are_kept_and_told(tmp_path: Path) -> None:
    path = export_of(
        tmp_path,
        workout(
            statistic("RunningSpeed", 'average="10.8" maximum="14.4" minimum="7.2"', "km/hr"),
            statistic("MoonPull", 'sum="3"', "mN"),
        ),
    )
    speed, pull = told(path, "workout_part")
    assert (speed["name"], speed["unit"], speed["mean"], speed["low"], speed["high"]) == (
        "running_speed",
        "m/s",
        *map(pytest.approx, (3, 2, 4)),
    )
    assert (pull["name"], pull["unit"], pull["total"]) == ("apple:MoonPull", "mN", 3)
    assert any("apple:MoonPull (1)" in each for each in notices(SOURCE, path))


def test_copies_inside_an_activity_are_told_again_and_left_out(tmp_path: Path) -> None:
    event = '<WorkoutEvent type="HKWorkoutEventTypeSegment" date="2024-06-30 10:00:00 +0200" duration="5" durationUnit="min"/>'
    figures = statistic("ActiveEnergyBurned", 'sum="100"', "kcal")
    indoors = '<MetadataEntry key="HKIndoorWorkout" value="0"/>'
    path = export_of(tmp_path, workout(indoors, activity(SPAN, event, figures, indoors), event, figures))
    assert [(line["part"], line["at"]) for line in told(path, "workout_part")] == [
        ("activity", 4),
        ("event", 5),
        ("statistic", 6),
    ]
    (found,) = told(path, "workout")
    assert found["energy_kcal"] == 100
    again = "told again inside WorkoutActivity"
    account = accounts(path)
    for name in ("WorkoutEvent", "WorkoutStatistics", "MetadataEntry"):
        assert (account[name].stored, account[name].ignored) == (1, {again: 1})
    assert (account["WorkoutActivity"].stored, account["WorkoutActivity"].ignored) == (1, {})


def test_a_copy_in_another_unit_or_without_metadata_is_a_copy_all_the_same(tmp_path: Path) -> None:
    event = (
        '<WorkoutEvent type="HKWorkoutEventTypeLap" date="2024-06-30 10:00:00 +0200" duration="{}" durationUnit="{}"{}'
    )
    path = export_of(
        tmp_path,
        workout(
            activity(SPAN, statistic("DistanceSwimming", 'sum="750"', "m"), event.format(1, "min", "/>")),
            statistic("DistanceSwimming", 'sum="820.21"', "yd"),
            event.format(60, "s", '><MetadataEntry key="HKSWOLFScore" value="41"/></WorkoutEvent>'),
        ),
    )
    assert [line["name"] for line in told(path, "workout_part")] == ["running", "distance_swimming", "Lap"]


def test_what_an_activity_tells_and_its_workout_does_not_is_taken(tmp_path: Path) -> None:
    path = export_of(
        tmp_path,
        workout(
            activity(
                FIRST_HALF,
                statistic("HeartRate", 'average="120" maximum="130"', "count/min", FIRST_HALF),
                '<WorkoutEvent type="HKWorkoutEventTypeMarker" date="2024-06-30 10:01:00 +0200"/>',
                '<MetadataEntry key="HKLapLength" value="25 m"/>',
            ),
            statistic("HeartRate", 'average="140" maximum="170"', "count/min"),
        ),
    )
    (found,) = told(path, "workout")
    assert (found["heart_rate_mean"], found["heart_rate_max"]) == (140, 170)
    parts = told(path, "workout_part")
    assert [(line["name"], line.get("mean")) for line in parts] == [
        ("running", None),
        ("heart_rate", 120),
        ("Marker", None),
        ("heart_rate", 140),
    ]
    assert json.loads(parts[0]["detail"]) == {"HKLapLength": "25 m", "uuid": "A"}


# Rejections


def test_a_part_that_cannot_be_read_costs_itself_alone(tmp_path: Path) -> None:
    path = export_of(
        tmp_path,
        workout(
            statistic("DistanceWalkingRunning", 'sum="far"', "km"),
            statistic("ActiveEnergyBurned", 'sum="3"', "furlong"),
            '<WorkoutStatistics sum="3"/>',
            '<WorkoutEvent date="2024-06-30 10:01:00 +0200"/>',
            '<WorkoutEvent type="HKWorkoutEventTypePause" date="later"/>',
            '<WorkoutActivity startDate="2024-06-30 10:00:00 +0200" duration="long"/>',
        ),
    )
    assert [line["activity"] for line in told(path, "workout")] == ["running"]
    assert reasons(SOURCE, path) == [
        "WorkoutStatistics: sum: not a number: 'far'",
        "WorkoutStatistics: unit: don't know how to turn 'furlong' into kcal",
        "WorkoutStatistics: type: missing",
        "WorkoutEvent: type: missing",
        "WorkoutEvent: date: not a moment: 'later'",
        "WorkoutActivity: duration: not a number: 'long'",
    ]


def test_a_workout_that_cannot_be_read_takes_its_parts_with_it(tmp_path: Path) -> None:
    path = export_of(
        tmp_path,
        workout(statistic("HeartRate", 'average="120"', "count/min"), more='duration="long" '),
        workout(statistic("HeartRate", 'average="120"', "count/min")).replace("2024-06-30 10:00:00", "then"),
    )
    assert reasons(SOURCE, path) == ["duration: not a number: 'long'", "startDate: not a moment: 'then +0200'"]
    assert (accounts(path)["WorkoutStatistics"].stored, accounts(path)["WorkoutStatistics"].rejected) == (0, 2)


def test_an_endless_duration_has_no_end(tmp_path: Path) -> None:
    event = '<WorkoutEvent type="HKWorkoutEventTypeLap" date="2024-06-30 10:00:00 +0200" duration="1e300" durationUnit="min"/>'
    assert reasons(SOURCE, export_of(tmp_path, workout(event))) == ["duration_min: not between 0 and 14400: '1e+300'"]


def test_elements_inside_that_nobody_knows_are_told(tmp_path: Path) -> None:
    path = export_of(tmp_path, workout("<WorkoutSoundtrack><Song/><Song/></WorkoutSoundtrack>"))
    assert any("Song (2), WorkoutSoundtrack (1)" in each for each in notices(SOURCE, path))
    assert accounts(path)["Song"].ignored == {"no table holds it": 2}
