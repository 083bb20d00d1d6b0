"""Times of day, durations, stamps, and stretches by a person's clock."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.times import instant_of, seconds_of, stamp_of, stretch, time_of

BERLIN = Clock.fixed(ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("21:30", time(21, 30)),
        ("9:30:15", time(9, 30, 15)),
        ("9:51 AM", time(9, 51)),
        ("12:05 am", time(0, 5)),
        ("12:05 p.m.", time(12, 5)),
        ("11:59:59\u202fPM", time(23, 59, 59)),
        ("09:23:52.123", time(9, 23, 52)),
    ],
)
def test_times_of_day(text: str, wanted: time) -> None:
    assert time_of(text) == wanted


@pytest.mark.parametrize("text", ["", "24:00", "13:00 PM", "0:30 AM", "9", "9:60", "9:5", "noon", "٩:٣٠"])
def test_what_is_no_time_of_day(text: str) -> None:
    with pytest.raises(ValueError, match="not a time of day"):
        time_of(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("1:30", 5400), ("00:00:02", 2), ("25:10:00", 90_600), ("1:60", None), ("1.5", None), ("-1:00", None)],
)
def test_durations(text: str, wanted: int | None) -> None:
    assert seconds_of(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-03-04 09:23", datetime(2026, 3, 4, 9, 23)),
        ("2026-03-04T09:23:52", datetime(2026, 3, 4, 9, 23, 52)),
        ("2026-03-04T09:23:52.5Z", datetime(2026, 3, 4, 9, 23, 52, tzinfo=UTC)),
        ("2026-03-04 9:23 PM", datetime(2026, 3, 4, 21, 23)),
        ("2026-03-04 09:23 +0100", datetime(2026, 3, 4, 9, 23, tzinfo=timezone(timedelta(hours=1)))),
        ("2026-03-04T09:23:52-05:00", datetime(2026, 3, 4, 9, 23, 52, tzinfo=timezone(timedelta(hours=-5)))),
    ],
)
def test_stamps(text: str, wanted: datetime) -> None:
    found = stamp_of(text, date.fromisoformat)
    assert (found, found.utcoffset()) == (wanted, wanted.utcoffset())


@pytest.mark.parametrize("text", ["2026-03-04", "09:23", "", "2026-03-04T25:00Z", "2026-03-04 09:23+99:00"])
def test_what_is_no_stamp(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        stamp_of(text, date.fromisoformat)


def test_without_a_duration_a_wall_time_means_the_first() -> None:
    start, end = datetime(2026, 10, 25, 1, 30), datetime(2026, 10, 25, 2, 30)
    first, last = stretch(start, end, None, BERLIN)
    assert last is not None
    assert last - first == timedelta(hours=1)


def test_an_end_before_its_start_is_refused_unless_the_day_rolled() -> None:
    start, end = datetime(2026, 3, 2, 22), datetime(2026, 3, 2, 1)
    assert stretch(start, end, 3 * 3600, BERLIN)[1] == datetime(2026, 3, 3, 0, tzinfo=UTC)
    for seconds in (None, 3600):
        with pytest.raises(ValueError, match="before the start"):
            stretch(start, end, seconds, BERLIN)


_WALLS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda wall: wall.replace(microsecond=0))


@given(_WALLS, st.integers(0, 20 * 3600))
def test_start_end_and_duration_lead_back_to_the_instants(wall: datetime, seconds: int) -> None:
    started = instant_of(wall, BERLIN)
    ended = started + timedelta(seconds=seconds)
    zone = BERLIN.stays[0].zone
    walls = [moment.astimezone(zone).replace(tzinfo=None, fold=0) for moment in (started, ended)]
    first, last = stretch(walls[0], walls[1], seconds, BERLIN)
    assert last is not None
    assert (last - first).total_seconds() == seconds
