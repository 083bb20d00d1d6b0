"""Days of several devices, by hand and by law. Rank 0 is the watch, rank 1 the phone, unless a test says otherwise."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.clock import Clock, Stay
from twinning_pipelines.marts.calendar import Calendar
from twinning_pipelines.marts.totals import Samples, shares_of_other, shares_of_sum

ZURICH, NEW_YORK = ZoneInfo("Europe/Zurich"), ZoneInfo("America/New_York")
HOME = Clock.fixed(ZURICH)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WATCH, PHONE, APP = 0, 1, 2

# rank, beginning, end, value; instants are ISO texts, in UTC where they say no zone.
Told = tuple[int, str, str, float]


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _samples(told: Sequence[Told]) -> Samples:
    def micros(place: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array([(_instant(str(each[place])) - EPOCH) // timedelta(microseconds=1) for each in told], np.int64)

    return Samples(
        np.array([each[0] for each in told]), micros(1), micros(2), np.array([each[3] for each in told], float)
    )


def _days(told: Sequence[Told], clock: Clock = HOME, *, adds_up: bool = True) -> dict[str, float]:
    """What the days come to, by ISO date."""
    first, last = (
        date.fromisoformat(pick(str(each[place])[:10] for each in told)) for place, pick in ((1, min), (2, max))
    )
    calendar = Calendar.of(clock, first - timedelta(days=3), last + timedelta(days=3))
    shares = (shares_of_sum if adds_up else shares_of_other)(_samples(told), calendar)
    days: dict[str, float] = defaultdict(float)
    for day, amount in zip(shares.day.tolist(), shares.amount.tolist(), strict=True):
        days[(date(1970, 1, 1) + timedelta(days=day)).isoformat()] += amount
    return dict(days)


def test_what_the_watch_has_seen_the_phone_does_not_add() -> None:
    told = [(WATCH, "2026-03-02 10:00", "2026-03-02 11:00", 1000), (PHONE, "2026-03-02 10:15", "2026-03-02 10:45", 400)]
    assert _days(told) == {"2026-03-02": 1000}


def test_what_the_watch_has_seen_in_part_the_phone_adds_in_part() -> None:
    # The second half of the phone's hour is its own: 600 * 30 / 60.
    told = [(WATCH, "2026-03-02 10:00", "2026-03-02 11:00", 1000), (PHONE, "2026-03-02 10:30", "2026-03-02 11:30", 600)]
    assert _days(told) == {"2026-03-02": 1300}


def test_what_the_watch_has_not_seen_the_phone_adds_whole() -> None:
    # It begins as the watch's hour ends: they share no time.
    told = [(WATCH, "2026-03-02 10:00", "2026-03-02 11:00", 1000), (PHONE, "2026-03-02 11:00", "2026-03-02 12:00", 500)]
    assert _days(told) == {"2026-03-02": 1500}


def test_a_hole_in_the_watchs_hour_is_filled_from_the_phones() -> None:
    # The watch was off from 10:20 to 10:40; a third of the phone's hour of 600 falls into that.
    told = [
        (WATCH, "2026-03-02 10:00", "2026-03-02 10:20", 100), (WATCH, "2026-03-02 10:40", "2026-03-02 11:00", 100),
        (PHONE, "2026-03-02 10:00", "2026-03-02 11:00", 600),
    ]  # fmt: skip
    assert _days(told)["2026-03-02"] == pytest.approx(400)


def test_a_sample_across_midnight_counts_on_both_days_by_time() -> None:
    # Midnight in Zürich is 23:00 UTC in winter: 40 minutes before, 20 after.
    assert _days([(WATCH, "2026-03-02 22:20", "2026-03-02 23:20", 90)]) == {"2026-03-02": 60, "2026-03-03": 30}
    # What ends at midnight lies on the day before alone.
    assert _days([(WATCH, "2026-03-02 22:20", "2026-03-02 23:00", 90)]) == {"2026-03-02": 90}


def test_across_midnight_each_device_fills_what_the_other_left() -> None:
    # Phone from 23:00 to 01:00 local, 120 steps; the watch saw 23:30 to 00:30 of it. 30 are left of either hour.
    told = [(WATCH, "2026-03-02 22:30", "2026-03-02 23:30", 100), (PHONE, "2026-03-02 22:00", "2026-03-03 00:00", 120)]
    assert _days(told) == {"2026-03-02": 80, "2026-03-03": 80}


def test_a_day_of_23_hours_ends_an_hour_sooner() -> None:
    # On 29 March 2026 Zürich's midnight moves from 23:00 to 22:00 UTC.
    assert _days([(WATCH, "2026-03-29 21:30", "2026-03-29 22:30", 100)]) == {"2026-03-29": 50, "2026-03-30": 50}
    # An app's total of that day is 23 hours long and still all its own.
    assert _days([(APP, "2026-03-28 23:00", "2026-03-29 22:00", 8000)]) == {"2026-03-29": 8000}


def test_a_day_of_25_hours_holds_the_hour_that_happens_twice() -> None:
    # 02:30 summer time to 02:30 winter time is an hour, all of it on 25 October 2026.
    told = [(WATCH, "2026-10-25 00:30", "2026-10-25 01:30", 70), (APP, "2026-10-24 22:00", "2026-10-25 23:00", 9000)]
    assert _days(told) == {"2026-10-25": 70}
    assert _days(told[1:]) == {"2026-10-25": 9000}


def test_flying_west_makes_a_long_day() -> None:
    # 10 June begins at 22:00 UTC the evening before in Zürich and ends at 04:00 UTC in New York: 30 hours.
    clock = Clock.of([Stay(EPOCH, ZURICH), Stay(_instant("2026-06-10 14:00"), NEW_YORK)])
    told = [
        (WATCH, "2026-06-09 22:00", "2026-06-09 23:00", 1), (WATCH, "2026-06-10 13:30", "2026-06-10 14:30", 20),
        (WATCH, "2026-06-11 02:00", "2026-06-11 03:00", 300), (WATCH, "2026-06-11 03:30", "2026-06-11 04:30", 4000),
    ]  # fmt: skip
    assert _days(told, clock) == {"2026-06-10": 2321, "2026-06-11": 2000}


def test_flying_east_makes_a_short_day() -> None:
    # 18:00 in New York is 00:00 of the next day in Zürich: 20 June ends there, after 18 hours.
    clock = Clock.of([Stay(EPOCH, NEW_YORK), Stay(_instant("2026-06-20 22:00"), ZURICH)])
    told = [(WATCH, "2026-06-20 03:30", "2026-06-20 04:30", 10), (WATCH, "2026-06-20 21:30", "2026-06-20 22:30", 200)]
    assert _days(told, clock) == {"2026-06-19": 5, "2026-06-20": 105, "2026-06-21": 100}


def test_a_short_trip_west_over_midnight_repeats_the_evening() -> None:
    # At 02:00 on 11 June in Zürich it is 20:00 on 10 June in New York: that day goes on.
    clock = Clock.of([Stay(EPOCH, ZURICH), Stay(_instant("2026-06-11 00:00"), NEW_YORK)])
    told = [(WATCH, "2026-06-10 23:00", "2026-06-10 23:30", 7), (WATCH, "2026-06-11 01:00", "2026-06-11 02:00", 30)]
    assert _days(told, clock) == {"2026-06-11": 7, "2026-06-10": 30}


def test_of_two_phones_the_second_fills_the_gaps_of_the_first() -> None:
    told = [
        (0, "2026-03-02 10:00", "2026-03-02 11:00", 600), (0, "2026-03-02 12:00", "2026-03-02 13:00", 600),
        (1, "2026-03-02 10:00", "2026-03-02 13:00", 900),
    ]  # fmt: skip
    # Only the phone in the bag was there from 11:00 to 12:00: a third of its 900.
    assert _days(told)["2026-03-02"] == pytest.approx(1500)


def test_overlapping_samples_of_one_device_all_count() -> None:
    told = [(WATCH, "2026-03-02 10:00", "2026-03-02 11:00", 10), (WATCH, "2026-03-02 10:30", "2026-03-02 11:30", 10)]
    assert _days(told) == {"2026-03-02": 20}


def test_a_moment_counts_unless_a_device_before_it_covers_it() -> None:
    hour = (WATCH, "2026-03-02 10:00", "2026-03-02 11:00", 1000)
    for moment, total in (("09:59", 1005), ("10:00", 1000), ("10:30", 1000), ("11:00", 1005)):
        at = f"2026-03-02 {moment}"
        assert _days([hour, (PHONE, at, at, 5)]) == {"2026-03-02": total}, moment


def test_moments_cover_nothing_not_even_each_other() -> None:
    at = "2026-03-02 10:30"
    told = [
        (WATCH, at, at, 250),
        (WATCH, at, at, 250),
        (PHONE, at, at, 100),
        (PHONE, "2026-03-02 10:00", "2026-03-02 11:00", 8),
    ]
    assert _days(told) == {"2026-03-02": 608}


def test_a_days_total_counts_only_where_nothing_finer_is_known() -> None:
    total = (APP, "2026-03-01 23:00", "2026-03-02 23:00", 9000)
    fine = (PHONE, "2026-03-02 10:00", "2026-03-02 11:00", 4000)
    assert _days([total, fine]) == {"2026-03-02": 4000}
    assert _days([total]) == {"2026-03-02": 9000}
    # The next day has nothing finer; the total of it stands.
    following = (APP, "2026-03-02 23:00", "2026-03-03 23:00", 7000)
    assert _days([total, fine, following]) == {"2026-03-02": 4000, "2026-03-03": 7000}
    # Even a total of the device that is asked first does not hide its own finer samples.
    assert _days([(WATCH, *total[1:]), fine]) == {"2026-03-02": 4000}


def test_of_two_totals_of_a_day_the_larger_counts_and_of_equals_the_first() -> None:
    day = ("2026-03-01 23:00", "2026-03-02 23:00")
    assert _days([(WATCH, *day, 6000), (APP, *day, 9000)]) == {"2026-03-02": 9000}
    assert _days([(WATCH, *day, 6000), (APP, *day, 6000)]) == {"2026-03-02": 6000}


def test_a_sample_of_weeks_is_followed_for_three_days() -> None:
    told = _days([(APP, "2026-03-01 23:00", "2026-03-11 23:00", 1000)])
    assert {day: round(value) for day, value in told.items()} == dict.fromkeys(
        ("2026-03-02", "2026-03-03", "2026-03-04"), 100
    )


def test_what_does_not_add_up_counts_whole_on_the_day_it_began() -> None:
    told = [(WATCH, "2026-03-02 22:59", "2026-03-02 23:30", 60), (PHONE, "2026-03-02 23:00", "2026-03-02 23:00", 70)]
    assert _days(told, adds_up=False) == {"2026-03-02": 60, "2026-03-03": 70}


# Minutes from the first of March on; a sample of rank, beginning, length and value.
MINUTE = 60_000_000
START = (_instant("2026-03-27 00:00") - EPOCH) // timedelta(microseconds=1)
Loose = tuple[int, int, int, int]
SAMPLES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 4 * 1440), st.integers(0, 700), st.integers(0, 500)),
    min_size=1,
    max_size=14,
)
CALENDAR = Calendar.of(HOME, date(2026, 3, 24), date(2026, 4, 5))


def _of(loose: Sequence[Loose]) -> Samples:
    rank, begin, length, value = (np.array(column) for column in zip(*loose, strict=True))
    return Samples(rank, START + begin * MINUTE, START + (begin + length) * MINUTE, value.astype(float))


def _by_day(loose: Sequence[Loose]) -> dict[int, float]:
    shares = shares_of_sum(_of(loose), CALENDAR)
    days, which = np.unique(shares.day, return_inverse=True)
    return (
        dict(zip(days.tolist(), np.bincount(which, weights=shares.amount).tolist(), strict=True)) if len(days) else {}
    )


def _alone(loose: Sequence[Loose], rank: int) -> float:
    return sum(value for each, _, _, value in loose if each == rank)


@given(SAMPLES)
def test_a_total_lies_between_what_the_first_device_says_and_what_all_say(loose: list[Loose]) -> None:
    total = sum(_by_day(loose).values())
    assert total <= sum(value for *_, value in loose) + 1e-6
    assert total >= _alone(loose, min(rank for rank, *_ in loose)) - 1e-6


@given(SAMPLES)
def test_one_device_is_believed_as_it_stands(loose: list[Loose]) -> None:
    mine = [(0, begin, length, value) for _, begin, length, value in loose]
    assert sum(_by_day(mine).values()) == pytest.approx(_alone(mine, 0))


@given(SAMPLES, st.randoms(use_true_random=False))
def test_the_order_of_samples_does_not_matter(loose: list[Loose], chance: "object") -> None:
    mixed = list(loose)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert _by_day(mixed) == pytest.approx(_by_day(loose))


@given(SAMPLES)
def test_a_sample_in_two_halves_is_the_same_sample(loose: list[Loose]) -> None:
    loose = [(rank, begin, length * 2 % 700, value * 2) for rank, begin, length, value in loose]
    halves = [
        half
        for rank, begin, length, value in loose
        for half in (
            [(rank, begin, length // 2, value // 2), (rank, begin + length // 2, length // 2, value // 2)]
            if length
            else [(rank, begin, 0, value)]
        )
    ]
    whole, split = _by_day(loose), _by_day(halves)
    assert split == pytest.approx({day: whole.get(day, 0) for day in split})
    assert sum(split.values()) == pytest.approx(sum(whole.values()))


@given(SAMPLES)
def test_devices_that_count_alike_come_to_the_time_that_any_of_them_covers(loose: list[Loose]) -> None:
    """At one step a minute, and with no overlaps within a device, a total is the length of the union: never less than
    what the fullest device says."""
    alike: list[Loose] = []
    reached = [0, 0, 0]
    for rank, begin, length, _ in sorted(loose, key=lambda each: each[1]):
        since = max(begin, reached[rank])
        until = max(begin + length, since)
        reached[rank] = until
        if 0 < until - since < 720:
            alike.append((rank, since, until - since, until - since))
    if not alike:
        return
    covered = {minute for _, begin, length, _ in alike for minute in range(begin, begin + length)}
    total = sum(_by_day(alike).values())
    assert total == pytest.approx(len(covered))
    assert total >= max(_alone(alike, rank) for rank in range(3)) - 1e-6
