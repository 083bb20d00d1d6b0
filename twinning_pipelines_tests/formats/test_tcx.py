"""TCX to activities."""

import io
from collections import Counter
from datetime import UTC, datetime

import pytest

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats.tcx import Activity, activities

START = datetime(2026, 3, 29, 0, 50, tzinfo=UTC)


def read(inside: str, plans: Counter[str] | None = None) -> list[Activity]:
    document = f"<TrainingCenterDatabase>{inside}</TrainingCenterDatabase>"
    return list(activities(io.BytesIO(document.encode()), plans))


def activity(inside: str, sport: str = "Running") -> str:
    return f'<Activities><Activity Sport="{sport}"><Id>2026-03-29T00:50:00Z</Id>{inside}</Activity></Activities>'


def test_a_lap_says_its_totals_and_keeps_other_words() -> None:
    [found] = read(
        activity(
            """<Lap StartTime="2026-03-29T00:50:00Z"><TotalTimeSeconds>60.5</TotalTimeSeconds>
            <DistanceMeters>200</DistanceMeters><Calories>12</Calories>
            <AverageHeartRateBpm><Value>120</Value></AverageHeartRateBpm><Intensity>Active</Intensity>
            <Extensions><n:LX><n:AvgRunCadence>84</n:AvgRunCadence></n:LX></Extensions></Lap>"""
        )
    )
    [lap] = found.laps
    assert (found.sport, found.started_at, lap.started_at) == ("Running", START, START)
    assert (lap.duration_s, lap.distance_m, lap.energy_kcal, lap.heart_rate_mean) == (60.5, 200, 12, 120)
    assert lap.others == {"Intensity": "Active", "AvgRunCadence": "84"}


def test_a_trackpoint_without_a_position_still_has_a_heart_rate() -> None:
    point = "<Trackpoint><Time>2026-03-29T00:51:00Z</Time><HeartRateBpm><Value>99</Value></HeartRateBpm></Trackpoint>"
    [found] = read(activity(f"<Lap><Track>{point}</Track></Lap>"))
    assert found.points == []
    assert [rate for _, rate in found.rates] == [99]


def test_the_distance_of_a_trackpoint_is_not_that_of_its_lap() -> None:
    point = "<Trackpoint><Time>2026-03-29T00:51:00Z</Time><DistanceMeters>7</DistanceMeters></Trackpoint>"
    [found] = read(activity(f"<Lap><Track>{point}</Track><DistanceMeters>200</DistanceMeters></Lap>"))
    assert found.laps[0].distance_m == 200


def test_the_device_is_its_creator_and_not_the_plan_it_followed() -> None:
    [found] = read(
        activity("<Training><Plan><Name>Base 1</Name></Plan></Training><Creator><Name>Edge 530</Name></Creator>")
    )
    assert found.device == "Edge 530"


def test_each_sport_of_a_triathlon_is_an_activity() -> None:
    session = """<Activities><MultiSportSession><Id>2026-03-29T00:50:00Z</Id>
    <FirstSport><Activity Sport="Swimming"><Id>2026-03-29T00:50:00Z</Id></Activity></FirstSport>
    <NextSport><Transition/><Activity Sport="Biking"><Id>2026-03-29T01:50:00Z</Id></Activity></NextSport>
    </MultiSportSession></Activities>"""
    assert [each.sport for each in read(session)] == ["Swimming", "Biking"]


def test_courses_and_planned_workouts_are_counted() -> None:
    plans: Counter[str] = Counter()
    assert read("<Workouts><Workout><Step/></Workout></Workouts><Courses><Course/><Course/></Courses>", plans) == []
    assert plans == {"Workout": 1, "Course": 2}


def test_where_the_id_is_no_time_the_first_lap_says_when_it_began() -> None:
    text = '<Activities><Activity Sport="Other"><Id>Ride!</Id><Lap StartTime="2026-03-29T00:50:00Z"/></Activity></Activities>'
    [found] = read(text)
    assert (found.id, found.started_at) == ("Ride!", START)


def test_a_broken_file_is_refused_with_its_line() -> None:
    with pytest.raises(UnreadableFile, match="line 1: broken XML"):
        read("<Activities></Courses>")


def test_deep_nesting_is_hostile() -> None:
    with pytest.raises(HostileFile):
        read("<a>" * 70)
