"""Points to the fields of a stored route."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from twinning_pipelines.formats.track import Point, row_values

AT = datetime(2026, 3, 29, 1, 59, 30, tzinfo=timezone(timedelta(hours=1)))


def test_a_degree_of_latitude_is_111_kilometres() -> None:
    values = row_values([Point(AT, 47.0, 8.0), Point(None, 48.0, 8.0)])
    assert values["distance_m"] == pytest.approx(111_195.1, abs=0.1)


def test_a_way_across_the_date_line_is_short() -> None:
    values = row_values([Point(AT, 0.0, 179.9), Point(AT, 0.0, -179.9)])
    assert values["distance_m"] == pytest.approx(22_239, abs=1)


def test_only_rises_between_known_elevations_are_an_ascent() -> None:
    points = [Point(AT, 47.0, 8.0, each) for each in (400.0, None, 405.5, 403.0, math.nan, 404.04)]
    assert row_values(points)["ascent_m"] == 6.5


def test_it_begins_at_the_earliest_and_ends_at_the_latest_time_in_utc() -> None:
    late = datetime(2026, 3, 29, 2, 0, tzinfo=UTC)
    values = row_values([Point(late, 47.0, 8.0), Point(AT, 47.0, 8.0), Point(None, 47.0, 8.0)])
    assert values["started_at"] == datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC)
    assert values["ended_at"] == late
    assert values["points"] == 3
    assert [at for at, *_ in json.loads(str(values["track"]))] == [3630, 0, None]


def test_the_track_is_compact_and_says_null_for_what_is_not_given() -> None:
    values = row_values([Point(AT, 47.12345678, -8.5, 408.25, math.inf, horizontal_accuracy=4.5)])
    assert values["track"] == "[[0,47.1234568,-8.5,408.25,null,null,4.5,null]]"


def test_points_without_any_time_are_no_route() -> None:
    with pytest.raises(ValueError, match="no point of the track has a time"):
        row_values([Point(None, 47.0, 8.0)])
