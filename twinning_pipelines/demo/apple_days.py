"""What a body does on a day, made up: when it sleeps, moves and trains. Every record of the day follows from this plan.

A day depends on the seed and its date alone, so an export over other dates tells the same of the days they share.
Times are seconds since 1970, UTC.
"""

import math
from array import array
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from msgspec import Struct

from twinning_pipelines.demo.agency import dice

SLOT_SECONDS = 600
_HOUR = 3600
_MINUTE = 60
_ERA = date(2020, 1, 1).toordinal()
_WEEKEND = 5

# Steps of a busy ten minutes, by the hour of the local day.
_STEPS = (0, 0, 0, 0, 0, 5, 60, 180, 150, 70, 60, 80, 200, 120, 60, 70, 90, 200, 190, 120, 80, 50, 30, 10)


class Sport(Struct, frozen=True):
    """A kind of training: Apple's name, on which days of the week, how hard, how fast."""

    activity: str
    weekdays: tuple[int, ...]
    hour: int
    minutes: tuple[int, int]
    steps_per_minute: int
    kcal_per_minute: float
    bpm: int
    metres_per_minute: float
    distance: str | None


SPORTS = (
    Sport("Running", (1, 3), 18, (25, 55), 165, 11.5, 152, 170, "DistanceWalkingRunning"),
    Sport("TraditionalStrengthTraining", (4,), 7, (30, 50), 10, 6.0, 118, 0, None),
    Sport("Cycling", (5,), 10, (50, 130), 0, 9.0, 138, 380, "DistanceCycling"),
    Sport("Walking", (6,), 15, (40, 100), 110, 5.0, 104, 85, "DistanceWalkingRunning"),
)


class Session(Struct, frozen=True):
    """One training, on whole slots."""

    sport: Sport
    start: int
    end: int

    @property
    def minutes(self) -> float:
        """How long it lasted."""
        return (self.end - self.start) / _MINUTE


class Stretch(Struct, frozen=True):
    """One stretch of a sleep stage, by Apple's short name."""

    stage: str
    start: int
    end: int


class Body(Struct, frozen=True):
    """What changes slowly or never."""

    height_cm: float
    weight_kg: float
    resting_bpm: float
    move_goal: int
    vigour: float

    @classmethod
    def of(cls, seed: int) -> "Body":
        """The body that a seed stands for."""
        rng = dice(seed, "body")
        height = rng.uniform(158, 192)
        return cls(
            round(height), rng.uniform(21, 27) * (height / 100) ** 2, rng.uniform(52, 66),
            rng.randrange(400, 700, 10), rng.uniform(0.8, 1.25),
        )  # fmt: skip


class Slots(Struct, frozen=True):
    """What happens in each ten minutes of a day: steps, metres on foot and by bike, active kilocalories, beats a minute."""

    steps: "array[int]"
    walked: "array[float]"
    ridden: "array[float]"
    kcal: "array[float]"
    bpm: "array[int]"


class Day(Struct, frozen=True):
    """One local day."""

    day: date
    starts: int
    ends: int
    wake: int
    bed: int
    charging: tuple[int, int]
    night: tuple[Stretch, ...]
    watch_at_night: bool
    sessions: tuple[Session, ...]
    slots: Slots
    resting_bpm: int
    weight_kg: float
    vo2_max: float

    def slot(self, at: int) -> int:
        """The index of the ten minutes that an instant of the day is in."""
        return (at - self.starts) // SLOT_SECONDS

    @property
    def worn(self) -> tuple[tuple[int, int], ...]:
        """The stretches of slots, first and end, in which the watch is on the wrist: all but those of its charging."""
        off, on = (self.slot(at) for at in self.charging)
        return (0, off), (on, len(self.slots.steps))


class Life(Struct, frozen=True):
    """Whose export, over which days, and until when (seconds since 1970): nothing later has happened yet."""

    seed: int
    body: Body
    days: tuple[Day, ...]
    zone: str
    until: int


def rng_of(seed: int, kind: str, day: date) -> Random:
    """The dice of one kind of record on one day."""
    return dice(seed, kind, day.toordinal())


def midnight(day: date, zone: ZoneInfo) -> int:
    """The instant at which a local day begins."""
    return int(datetime.combine(day, time(), zone).timestamp())


def plan(seed: int, body: Body, day: date, zone: ZoneInfo) -> Day:
    """The plan of one day. Days of 23 and 25 hours have fewer and more slots."""
    rng = rng_of(seed, "day", day)
    starts, ends = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    asleep, wake = _night(seed, day, zone)
    bed = min(_night(seed, day + timedelta(days=1), zone)[0], ends)
    trend = _trend(day)
    sessions = _sessions(rng, day, zone, bed)
    mood = body.vigour * rng.uniform(0.6, 1.45) * (1.15 if day.weekday() >= _WEEKEND else 1.0)
    resting = body.resting_bpm - 2 * trend + rng.uniform(-2.5, 2.5)
    slots = _slots(rng, (starts, ends, wake, bed), sessions, mood, resting)
    return Day(
        day, starts, ends, wake, bed, _charging(seed, day, zone), _stages(rng, asleep, wake), rng.random() < 0.94, sessions, slots,
        round(resting), body.weight_kg * (1 - 0.02 * trend) + rng.uniform(-0.4, 0.4), 41 + 3 * trend + rng.uniform(-0.5, 0.5),
    )  # fmt: skip


def _trend(day: date) -> float:
    """Fitter in late summer, and a little fitter each year: about -1 to 2."""
    since = day.toordinal() - _ERA
    return math.sin((since - 140) * math.tau / 365.25) * 0.7 + since / 365.25 * 0.12


def _night(seed: int, day: date, zone: ZoneInfo) -> tuple[int, int]:
    """When the person fell asleep before this day, and when they woke on it."""
    rng = rng_of(seed, "night", day)
    late = _HOUR if day.weekday() >= _WEEKEND else 0
    asleep = midnight(day, zone) + int(rng.gauss(-3000, 1500)) + late // 2
    wall = datetime.combine(day, time(6), zone).timestamp()
    return asleep, max(int(wall + rng.uniform(300, 4500)) + late, asleep + 4 * _HOUR)


def _charging(seed: int, day: date, zone: ZoneInfo) -> tuple[int, int]:
    """When the watch lies on its charger: an hour or so of most evenings, on whole slots, after all training."""
    rng = rng_of(seed, "charging", day)
    start = int(datetime.combine(day, time(20), zone).timestamp()) + rng.randrange(4) * SLOT_SECONDS
    return start, start + (rng.randrange(4, 10) if rng.random() < 0.85 else 0) * SLOT_SECONDS


def _stages(rng: Random, asleep: int, wake: int) -> tuple[Stretch, ...]:
    """Cycles of core, deep and REM sleep: deep early in the night, REM late."""
    found: list[Stretch] = []
    at, cycle = asleep, 0
    while at < wake:
        shares = (
            ("AsleepCore", rng.uniform(14, 26)), ("AsleepDeep", max(rng.uniform(24, 34) - 9 * cycle, 0)),
            ("AsleepCore", rng.uniform(16, 28)), ("AsleepREM", rng.uniform(7, 12) + 6 * cycle),
            ("Awake", rng.choice((0, 0, 1, 2, 4, 9))),
        )  # fmt: skip
        for stage, minutes in shares:
            end = min(at + int(minutes * 2) * 30, wake)
            if end > at:
                found.append(Stretch(stage, at, end))
            at = end
        cycle += 1
    return tuple(found)


def _sessions(rng: Random, day: date, zone: ZoneInfo, bed: int) -> tuple[Session, ...]:
    found = []
    for sport in SPORTS:
        chance, slots = rng.random(), round(rng.uniform(*sport.minutes) * _MINUTE / SLOT_SECONDS)
        start = int(datetime.combine(day, time(sport.hour), zone).timestamp()) + rng.randrange(6) * SLOT_SECONDS
        end = start + slots * SLOT_SECONDS
        if day.weekday() in sport.weekdays and chance < 0.8 and end < bed:
            found.append(Session(sport, start, end))
    return tuple(found)


def _slots(
    rng: Random, span: tuple[int, int, int, int], sessions: tuple[Session, ...], mood: float, resting: float
) -> Slots:
    starts, ends, wake, bed = span
    slots = Slots(array("i"), array("d"), array("d"), array("d"), array("i"))
    for start in range(starts, ends, SLOT_SECONDS):
        busy, hour = rng.random(), (start - starts) // _HOUR % 24
        sport = next((each.sport for each in sessions if each.start <= start < each.end), None)
        walked = ridden = 0.0
        steps = 0
        if sport is not None:
            vigour = 0.9 + 0.2 * busy
            steps = int(sport.steps_per_minute * 10 * vigour)
            metres = sport.metres_per_minute * 10 * vigour
            walked, ridden = (0.0, metres) if sport.distance == "DistanceCycling" else (metres, 0.0)
            kcal, bpm = sport.kcal_per_minute * 10 * (0.85 + 0.3 * busy), sport.bpm * (0.92 + 0.14 * busy)
        elif wake <= start and start + SLOT_SECONDS <= bed:
            steps = int(_STEPS[hour] * mood * busy * 2) if busy > 0.35 else 0
            walked = steps * (0.7 + 0.06 * busy)
            kcal, bpm = 0.4 + steps * 0.032 + 0.4 * busy, resting + 12 + steps / 16 + 8 * busy
        else:
            kcal, bpm = 0.1 * busy, resting - 3 + 5 * busy
        slots.steps.append(steps)
        slots.walked.append(walked)
        slots.ridden.append(ridden)
        slots.kcal.append(kcal)
        slots.bpm.append(int(bpm))
    return slots
