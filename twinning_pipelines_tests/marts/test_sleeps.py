"""Nights of several devices, by hand and by law. Times are Zürich's in March 2026, written `day hour:minute`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.clock import Clock, Stay
from twinning_pipelines.marts.calendar import Calendar
from twinning_pipelines.marts.sleeps import STAGES, Parts, Sleeps, Stretches, Summaries, Tellers, sleeps_of

ZURICH, NEW_YORK = ZoneInfo("Europe/Zurich"), ZoneInfo("America/New_York")
HOME = Clock.fixed(ZURICH)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = 60_000_000
WATCH, PHONE, APP = 0, 1, 2
DEVICE = {WATCH: 0, PHONE: 1, APP: 2}

Told = tuple[int, str, str, str]


@dataclass(frozen=True)
class Summary:
    """A night as a source sums it up, in minutes."""

    teller: int
    started: str
    ended: str
    asleep: float = np.nan
    in_bed: float = np.nan
    awake: float = np.nan
    deep: float = np.nan
    rem: float = np.nan
    core: float = np.nan
    nap: int = -1


@dataclass(frozen=True)
class Sleep:
    """One sleep in minutes; stages that nobody told are missing."""

    day: int
    number: int
    kind: str
    teller: int
    began: str
    ended: str
    minutes: dict[str, float]

    @property
    def asleep(self) -> float:
        return sum(self.minutes.get(stage, 0) for stage in ("asleep", "core", "deep", "rem"))

    @property
    def in_bed(self) -> float:
        return sum(self.minutes.values())


def _micros(text: str, zone: ZoneInfo = ZURICH) -> int:
    day, clock = text.split()
    moment = datetime.fromisoformat(f"2026-03-{int(day):02} {clock}").replace(tzinfo=zone)
    return int((moment - EPOCH) / timedelta(microseconds=1))


def _said(micros: int, clock: Clock) -> str:
    instant = EPOCH + timedelta(microseconds=micros)
    return instant.astimezone(clock.zone_at(instant)).strftime("%-d %H:%M")


def _computed(
    told: Sequence[Told], summaries: Sequence[Summary], clock: Clock, preferred: Sequence[int], zone: ZoneInfo
) -> tuple[Sleeps, Parts]:
    stretches = Stretches(
        np.array([each[0] for each in told], np.int64),
        np.array([_micros(each[2], zone) for each in told], np.int64),
        np.array([_micros(each[3], zone) for each in told], np.int64),
        np.array([STAGES.index(each[1]) for each in told], np.int64),
    )
    summed = Summaries(
        np.array([each.teller for each in summaries], np.int64),
        np.array([_micros(each.started, zone) for each in summaries], np.int64),
        np.array([_micros(each.ended, zone) for each in summaries], np.int64),
        np.array([[getattr(each, stage) for stage in STAGES] for each in summaries], float).reshape(-1, len(STAGES)),
        np.array([each.nap for each in summaries], np.int64),
    )
    place = [preferred.index(teller) if teller in preferred else 99 for teller in DEVICE]
    tellers = Tellers(np.array(place), np.array(list(DEVICE.values())), np.arange(len(DEVICE)))
    return sleeps_of(stretches, summed, tellers, clock, Calendar.of(clock, date(2026, 2, 25), date(2026, 4, 5)))


def _sleeps(
    told: Sequence[Told],
    summaries: Sequence[Summary] = (),
    *,
    clock: Clock = HOME,
    preferred: Sequence[int] = (),
    zone: ZoneInfo = ZURICH,
) -> list[Sleep]:
    sleeps, parts = _computed(told, summaries, clock, preferred, zone)
    found = []
    for place in range(len(sleeps.day)):
        mine = parts.sleep == place
        minutes = {
            stage: float(parts.amount[mine & (parts.stage == code)].sum()) / MINUTE
            for code, stage in enumerate(STAGES)
            if (mine & (parts.stage == code)).any()
        }
        day = date(1970, 1, 1) + timedelta(days=int(sleeps.day[place]))
        kind = "nap" if sleeps.is_nap[place] else "night"
        began, ended = (_said(int(column[place]), clock) for column in (sleeps.started, sleeps.ended))
        found.append(Sleep(day.day, int(sleeps.number[place]), kind, int(sleeps.teller[place]), began, ended, minutes))
    return found


def test_a_night_belongs_to_the_day_one_wakes_on() -> None:
    (night,) = _sleeps([(WATCH, "deep", "7 22:30", "7 23:30"), (WATCH, "core", "7 23:30", "8 06:30")])
    assert (night.day, night.number, night.kind) == (8, 1, "night")
    assert (night.began, night.ended) == ("7 22:30", "8 06:30")
    assert night.minutes == {"deep": 60, "core": 420}


def test_stages_that_overlap_count_each_minute_once() -> None:
    # Asleep 23:00-07:00 as a whole; deep within it from 01:00 to 02:00; awake 01:30-01:40 laid over the deep sleep.
    (night,) = _sleeps([
        (WATCH, "asleep", "7 23:00", "8 07:00"), (WATCH, "deep", "8 01:00", "8 02:00"), (WATCH, "awake", "8 01:30", "8 01:40"),
    ])  # fmt: skip
    assert night.minutes == {"asleep": 420, "deep": 50, "awake": 10}


def test_the_same_stretch_twice_is_one() -> None:
    told = [(WATCH, "core", "7 23:00", "8 07:00")] * 3
    (night,) = _sleeps(told)
    assert night.minutes == {"core": 480}


def test_in_bed_of_another_device_serves_for_time_in_bed_alone() -> None:
    (night,) = _sleeps([
        (PHONE, "in_bed", "7 22:00", "8 07:30"), (WATCH, "core", "7 22:30", "8 06:30"), (WATCH, "awake", "8 03:00", "8 03:20"),
    ])  # fmt: skip
    assert (night.asleep, night.minutes["awake"], night.in_bed) == (460, 20, 570)
    assert (night.teller, night.began, night.ended) == (WATCH, "7 22:00", "8 07:30")


def test_a_device_that_tells_stages_apart_is_believed_before_one_with_more_sleep() -> None:
    app = (APP, "asleep", "7 22:00", "8 08:00")
    phone = (PHONE, "core", "7 23:00", "8 06:00")
    assert [(night.teller, night.asleep) for night in _sleeps([app, phone])] == [(PHONE, 420)]
    watch = (WATCH, "asleep", "7 23:00", "8 06:30")
    assert [night.teller for night in _sleeps([app, phone, watch])] == [PHONE]
    assert [night.teller for night in _sleeps([app, watch])] == [WATCH]


def test_of_equals_the_watch_is_believed_unless_the_person_says_otherwise() -> None:
    told = [(device, "core", "7 23:00", f"8 0{6 + device}:00") for device in (WATCH, PHONE, APP)]
    assert [night.asleep for night in _sleeps(told)] == [420]
    assert [night.asleep for night in _sleeps(told, preferred=[APP])] == [540]
    assert [night.asleep for night in _sleeps(told, preferred=[PHONE, WATCH])] == [480]
    # The person's word even beats stages.
    assert [night.asleep for night in _sleeps([*told, (APP, "asleep", "7 22:00", "7 23:00")], preferred=[APP])] == [600]


def test_who_only_lies_in_bed_has_time_in_bed_and_no_sleep() -> None:
    (night,) = _sleeps([(PHONE, "in_bed", "7 23:00", "8 07:00")])
    assert (night.kind, night.asleep, night.in_bed) == ("night", 0, 480)


@pytest.mark.parametrize(("break_minutes", "sleeps"), [(119, 1), (120, 2)])
def test_less_than_two_hours_apart_is_one_sleep(break_minutes: int, sleeps: int) -> None:
    again = datetime(2026, 3, 8, 2) + timedelta(minutes=break_minutes)
    told = [(WATCH, "core", "7 23:00", "8 02:00"), (WATCH, "core", again.strftime("8 %H:%M"), "8 07:00")]
    assert len(_sleeps(told)) == sleeps


def test_a_break_is_neither_sleep_nor_time_in_bed_unless_somebody_says_so() -> None:
    told = [(WATCH, "core", "7 23:00", "8 02:00"), (WATCH, "core", "8 03:00", "8 07:00")]
    assert [night.in_bed for night in _sleeps(told)] == [420]
    assert [night.in_bed for night in _sleeps([*told, (PHONE, "in_bed", "7 23:00", "8 07:00")])] == [480]


def test_short_sleeps_beside_a_longer_one_are_naps() -> None:
    naps = [(WATCH, "core", "8 13:00", "8 13:40"), (WATCH, "asleep", "8 17:00", "8 19:10")]
    found = _sleeps([(WATCH, "core", "7 23:00", "8 07:00"), *naps])
    assert [(each.day, each.number, each.kind, each.asleep) for each in found] == [
        (8, 1, "night", 480), (8, 2, "nap", 40), (8, 3, "nap", 130),
    ]  # fmt: skip
    # Without the night, a sleep of the afternoon is the night of the day; one that ends after 18:00 is still a nap.
    assert [each.kind for each in _sleeps(naps[:1])] == ["night"]
    assert [each.kind for each in _sleeps(naps[1:])] == ["nap"]


def test_who_sleeps_by_day_has_a_night_by_day() -> None:
    # A shift worker: 11:00 to 18:30 is long enough for a night, whenever it ends; and so is a second one of 3 h 30.
    told = [(WATCH, "core", "8 11:00", "8 18:30"), (WATCH, "core", "8 20:30", "9 00:00")]
    assert [(each.day, each.kind) for each in _sleeps(told[:1])] == [(8, "night")]
    assert [(each.day, each.kind) for each in _sleeps(told)] == [(8, "night"), (9, "night")]
    two = [(WATCH, "core", "8 00:00", "8 03:30"), (WATCH, "core", "8 06:00", "8 11:00")]
    assert [each.kind for each in _sleeps(two)] == ["night", "night"]


def test_a_nap_that_only_another_device_saw_counts_and_a_night_that_both_saw_counts_once() -> None:
    found = _sleeps([
        (WATCH, "core", "7 23:00", "8 07:00"), (APP, "asleep", "7 22:30", "8 07:30"), (APP, "asleep", "8 14:00", "8 14:30"),
    ])  # fmt: skip
    assert [(each.teller, each.kind, each.asleep) for each in found] == [(WATCH, "night", 480), (APP, "nap", 30)]


def test_a_watch_that_only_saw_a_nap_does_not_hide_the_night_of_another() -> None:
    # The nap ends an hour before the night begins; the watch was charging then.
    found = _sleeps([(WATCH, "rem", "7 21:00", "7 21:30"), (PHONE, "asleep", "7 22:30", "8 06:30")])
    assert [(each.day, each.teller, each.kind, each.asleep) for each in found] == [
        (7, WATCH, "nap", 30), (8, PHONE, "night", 480),
    ]  # fmt: skip


def test_time_in_bed_across_two_sleeps_is_parted_halfway() -> None:
    # Awake from 02:00 to 05:00; the phone thinks one lay in bed all the time.
    found = _sleeps([
        (WATCH, "core", "7 23:00", "8 02:00"), (WATCH, "core", "8 05:00", "8 08:00"), (PHONE, "in_bed", "7 22:30", "8 08:30"),
    ])  # fmt: skip
    assert [(each.asleep, each.in_bed, each.began, each.ended) for each in found] == [
        (180, 300, "7 22:30", "8 03:30"), (180, 300, "8 03:30", "8 08:30"),
    ]  # fmt: skip


def test_the_clock_change_takes_an_hour_of_the_night_or_gives_one() -> None:
    # On 29 March 02:00 becomes 03:00: 23:00 to 07:00 are seven hours.
    (night,) = _sleeps([(WATCH, "core", "28 23:00", "29 07:00")])
    assert (night.day, night.asleep, night.ended) == (29, 420, "29 07:00")
    # The other way round eight hours look like seven on the wall: here in New York's autumn, told in UTC.
    autumn = Clock.fixed(NEW_YORK)
    stretches = Stretches(*(np.array([each]) for each in (0, *_span("2026-11-01 03:00", "2026-11-01 12:00"), 3)))
    nobody = np.zeros(0, np.int64)
    none = Summaries(nobody, nobody, nobody, np.zeros((0, len(STAGES))), nobody)
    tellers = Tellers(*(np.zeros(1, np.int64) for _ in range(3)))
    calendar = Calendar.of(autumn, date(2026, 10, 30), date(2026, 11, 3))
    sleeps, parts = sleeps_of(stretches, none, tellers, autumn, calendar)
    assert (
        int(sleeps.day[0]) - date(2026, 11, 1).toordinal() + date(1970, 1, 1).toordinal(),
        parts.amount[0] / MINUTE,
    ) == (0, 540)


def _span(begin: str, end: str) -> tuple[int, int]:
    moments = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (begin, end))
    first, last = (int((moment - EPOCH) / timedelta(microseconds=1)) for moment in moments)
    return first, last


def test_a_night_on_the_plane_belongs_to_the_day_where_one_lands() -> None:
    # Takes off in Zürich on the 10th at 23:00, lands at 07:00 Zürich time, which is 02:00 of the 11th in New York.
    clock = Clock.of([Stay(EPOCH, ZURICH), Stay(datetime(2026, 3, 11, 6, tzinfo=UTC), NEW_YORK)])
    (west,) = _sleeps([(WATCH, "asleep", "10 23:30", "11 06:50")], clock=clock)
    assert (west.day, west.ended) == (11, "11 06:50")
    # East: asleep from 20:00 in New York, awake at 02:30 there, which is 07:30 of the same morning in Zürich.
    clock = Clock.of([Stay(EPOCH, NEW_YORK), Stay(datetime(2026, 3, 11, 1, tzinfo=UTC), ZURICH)])
    (east,) = _sleeps([(WATCH, "asleep", "11 01:30", "11 07:30")], clock=clock)
    assert (east.day, east.kind, east.ended) == (11, "night", "11 07:30")


def test_after_a_flight_west_the_same_date_may_have_two_nights() -> None:
    # Wakes in Zürich on the 11th at 06:00, flies at 10:00, sleeps in New York from 14:00 to 18:30 there.
    clock = Clock.of([Stay(EPOCH, ZURICH), Stay(datetime(2026, 3, 11, 9, tzinfo=UTC), NEW_YORK)])
    found = _sleeps([(WATCH, "core", "10 22:00", "11 06:00"), (WATCH, "core", "11 19:00", "11 23:30")], clock=clock)
    assert [(each.day, each.number, each.kind) for each in found] == [(11, 1, "night"), (11, 2, "night")]


def test_a_summary_counts_where_there_are_no_stretches() -> None:
    ring = Summary(APP, "7 22:45", "8 07:00", asleep=430, awake=35, deep=80, rem=100, core=250)
    (night,) = _sleeps([], [ring])
    # All the time asleep is as stated, the stages are as stated; what they leave open is asleep of no known stage.
    assert night.minutes == {"deep": 80, "rem": 100, "core": 250, "awake": 35, "in_bed": 30}
    (night,) = _sleeps([], [Summary(APP, "7 22:45", "8 07:00", asleep=430, in_bed=480)])
    assert (night.asleep, night.in_bed) == (430, 480)
    (night,) = _sleeps([], [Summary(APP, "7 22:45", "8 07:00")])
    assert (night.asleep, night.in_bed) == (0, 495)
    # Stretches of the same source say it better than its own summary.
    told = [(APP, "core", "7 23:00", "8 06:00")]
    assert [each.minutes for each in _sleeps(told, [ring])] == [{"core": 420}]


def test_a_summary_that_contradicts_itself_is_told_as_it_stands() -> None:
    # Rounded stages come to 431 of 430 minutes asleep; in bed are fewer minutes than asleep and awake together.
    (night,) = _sleeps(
        [], [Summary(APP, "7 22:45", "8 07:00", asleep=430, in_bed=460, awake=35, deep=81, rem=100, core=250)]
    )
    assert (night.asleep, night.in_bed, night.minutes["deep"]) == (430, 460, 81)


def test_a_source_may_say_itself_what_a_nap_is() -> None:
    found = _sleeps(
        [],
        [
            Summary(APP, "8 13:00", "8 17:30", asleep=260, nap=1),
            Summary(PHONE, "9 00:00", "9 03:00", asleep=170, nap=0),
        ],
    )
    assert [each.kind for each in found] == ["nap", "night"]


def test_nothing_told_is_nothing() -> None:
    assert _sleeps([]) == []


# Stretches of three tellers over four days, in minutes from the seventh of March on.
LOOSE = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(STAGES), st.integers(0, 4 * 1440), st.integers(1, 600)), max_size=16
)


def _told(loose: Sequence[tuple[int, str, int, int]]) -> list[Told]:
    start = datetime(2026, 3, 7)
    spell = "{0.day} {0:%H:%M}".format
    return [
        (teller, stage, spell(start + timedelta(minutes=begin)), spell(start + timedelta(minutes=begin + length)))
        for teller, stage, begin, length in loose
    ]


@given(LOOSE)
def test_sleeping_and_waking_fit_into_the_time_in_bed_and_that_into_the_span(
    loose: list[tuple[int, str, int, int]],
) -> None:
    sleeps, parts = _computed(_told(loose), (), HOME, (), ZURICH)
    span = sleeps.ended - sleeps.started
    in_bed = np.bincount(parts.sleep, weights=parts.amount, minlength=len(span))
    out = parts.stage != STAGES.index("in_bed")
    awake_or_asleep = np.bincount(parts.sleep[out], weights=parts.amount[out], minlength=len(span))
    assert (awake_or_asleep <= in_bed).all()
    assert (in_bed <= span).all()
    assert (parts.amount > 0).all()


@given(LOOSE)
def test_sleeps_never_overlap_and_no_row_counts_for_longer_than_it_is(loose: list[tuple[int, str, int, int]]) -> None:
    sleeps, parts = _computed(_told(loose), (), HOME, (), ZURICH)
    spans = sorted(zip(sleeps.started.tolist(), sleeps.ended.tolist(), strict=True))
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    counted = np.bincount(parts.row, weights=parts.amount, minlength=len(loose))
    assert all(amount <= length * MINUTE for amount, (*_, length) in zip(counted, loose, strict=True))


@given(LOOSE, st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter(loose: list[tuple[int, str, int, int]], seed: int) -> None:
    mixed = list(loose)
    Random(seed).shuffle(mixed)
    assert _sleeps(_told(mixed)) == _sleeps(_told(loose))


@given(LOOSE)
def test_a_stretch_in_two_halves_is_the_same_stretch(loose: list[tuple[int, str, int, int]]) -> None:
    whole = [(teller, stage, begin, length * 2) for teller, stage, begin, length in loose]
    halves = [(teller, stage, begin + shift, length) for teller, stage, begin, length in loose for shift in (0, length)]
    assert _sleeps(_told(halves)) == _sleeps(_told(whole))


@given(LOOSE)
def test_one_device_alone_is_asleep_for_the_time_that_it_says_so(loose: list[tuple[int, str, int, int]]) -> None:
    mine = [(WATCH, stage, begin, length) for _, stage, begin, length in loose]
    minutes: dict[int, str] = {}
    for _, stage, begin, length in mine:
        for minute in range(begin, begin + length):
            known = minutes.get(minute, "in_bed")
            minutes[minute] = min(stage, known, key=STAGES.index)
    found = _sleeps(_told(mine))
    assert sum(each.in_bed for each in found) == len(minutes)
    for stage in STAGES:
        told = sum(each.minutes.get(stage, 0) for each in found)
        assert told == sum(known == stage for known in minutes.values())
