"""The Records of an Apple Health export, type by type: which device writes them, when, and with which value."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise
from random import Random

from msgspec import Struct

from twinning_pipelines.demo.apple_days import SLOT_SECONDS, Body, Day

_HOUR, _MINUTE = 3600, 60
_BARELY_MOVING = 60
# Steps in ten minutes above which Apple would count minutes of exercise.
_BRISK = 700
PRESSURE_DICE = "pressure"


class Gadget(Struct, frozen=True):
    """What writes Records: the name it goes by, with `{person}`, its version, and Apple's description of it."""

    source: str
    version: str
    device: str | None


WATCH = Gadget(
    "{person}’s Apple\N{NO-BREAK SPACE}Watch", "11.5",
    "name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch7,4, software:11.5",
)  # fmt: skip
PHONE = Gadget(
    "{person}’s iPhone", "18.5",
    "name:iPhone, manufacturer:Apple Inc., model:iPhone, hardware:iPhone16,1, software:18.5",
)  # fmt: skip
HEALTH = Gadget("Health", "18.5", None)
SCALE = Gadget("Bathroom Scale & Co", "6.2.1", None)
CUFF = Gadget("Upper Arm Cuff", "3.0", "name:Cuff, manufacturer:Examplemed, model:UA-1, hardware:1.2, software:3.0")

# A Record of a day: start, end, value as printed.
Entry = tuple[int, int, str]
Entries = Callable[[Day, Random, int], Iterator[Entry]]


class Kind(Struct, frozen=True):
    """One type of Record from one device. `entries` takes the day, its dice, and how many slots go into one Record.

    ring: which of Apple's rings the values count for. inside: the children of a Record, from the dice and its start.
    dice: kinds with the same word roll the same dice.
    """

    type: str
    gadget: Gadget
    unit: str | None
    entries: Entries
    ring: str | None = None
    inside: Callable[[Random, int], str] | None = None
    dice: str = ""


def _bundles(
    day: Day, values: Sequence[float], grain: int, rng: Random, *, jitter: int = 40
) -> Iterator[tuple[int, int, float]]:
    """The sums of each `grain` slots that are not nothing while the watch is worn, with a start and an end inside of them.

    Without jitter each ends where the next one starts.
    """
    for begin, stop in day.worn:
        for first in range(begin, stop, grain):
            some = values[first : min(first + grain, stop)]
            total = sum(some)
            if total > 0:
                start = day.starts + first * SLOT_SECONDS
                end = start + len(some) * SLOT_SECONDS
                yield start + int(rng.random() * jitter), end - min(jitter, 1) - int(rng.random() * jitter), total


def _watch_steps(day: Day, rng: Random, grain: int) -> Iterator[Entry]:
    return ((start, end, str(int(steps))) for start, end, steps in _bundles(day, day.slots.steps, grain, rng))


def _watch_metres(day: Day, rng: Random, grain: int) -> Iterator[Entry]:
    bundles = _bundles(day, day.slots.walked, grain, rng)
    return ((start, end, f"{metres / 1000:.6g}") for start, end, metres in bundles)


def _ridden(day: Day, rng: Random, grain: int) -> Iterator[Entry]:
    bundles = _bundles(day, day.slots.ridden, grain, rng)
    return ((start, end, f"{metres / 1000:.6g}") for start, end, metres in bundles)


def _carried(day: Day, values: Sequence[float], grain: int, rng: Random) -> Iterator[tuple[int, int, float]]:
    """What the phone saw of it: it is left on the table now and then, and counts a little less.

    Its ten minutes lie half a slot after the watch's, so they are in part covered where the watch goes on its charger.
    """
    halves = [(one + two) / 2 for one, two in pairwise(values)]
    for first in range(0, len(halves), grain):
        some = halves[first : first + grain]
        total = sum(some) * (0.86 + 0.14 * rng.random())
        if total > 0 and rng.random() < 0.7:
            start = day.starts + first * SLOT_SECONDS + SLOT_SECONDS // 2
            yield start + 7, start + len(some) * SLOT_SECONDS - int(rng.random() * 40), total


def _phone_steps(day: Day, rng: Random, grain: int) -> Iterator[Entry]:
    carried = _carried(day, day.slots.steps, grain, rng)
    return ((start, end, str(int(steps))) for start, end, steps in carried if steps >= 1)


def _phone_metres(day: Day, rng: Random, grain: int) -> Iterator[Entry]:
    carried = _carried(day, day.slots.walked, grain, rng)
    return ((start, end, f"{metres / 1000:.6g}") for start, end, metres in carried)


def _active_energy(day: Day, rng: Random, grain: int) -> Iterator[Entry]:
    bundles = _bundles(day, day.slots.kcal, grain, rng, jitter=0)
    return ((start, end, f"{kcal:.3f}") for start, end, kcal in bundles)


def _phone_energy(day: Day, rng: Random, grain: int) -> Iterator[Entry]:
    """The phone's guess, from steps alone."""
    carried = _carried(day, day.slots.steps, grain, rng)
    return ((start, end, f"{steps * 0.034:.3f}") for start, end, steps in carried if steps >= _BARELY_MOVING)


def _basal_energy(day: Day, rng: Random, grain: int) -> Iterator[Entry]:
    per_slot = day.weight_kg * 22 / 144
    return (
        (start, end, f"{slots * per_slot * (0.97 + 0.06 * rng.random()):.3f}")
        for start, end, slots in _bundles(day, [1] * len(day.slots.steps), max(grain, 6), rng)
    )


def _flights(day: Day, rng: Random, grain: int) -> Iterator[Entry]:
    for start, end, steps in _carried(day, day.slots.steps, max(grain, 3), rng):
        if rng.random() * 2500 < steps:
            yield start, end, str(rng.randrange(1, 4))


def _exercise(day: Day, _rng: Random, grain: int) -> Iterator[Entry]:
    for index in chain.from_iterable(range(*stretch) for stretch in day.worn):
        start, steps = day.starts + index * SLOT_SECONDS, day.slots.steps[index]
        trained = any(each.start <= start < each.end for each in day.sessions)
        minutes = 10 if trained else min(steps // 200, 9) if steps > _BRISK else 0
        length = 1 if grain == 1 else minutes
        for minute in range(0, minutes, max(length, 1)):
            yield start + minute * _MINUTE, start + (minute + length) * _MINUTE, str(length)


def _stand_time(day: Day, rng: Random, grain: int) -> Iterator[Entry]:
    standing = [min(int(steps / 60), 9) for steps in day.slots.steps]
    return ((start, end, str(int(minutes))) for start, end, minutes in _bundles(day, standing, grain, rng))


def _stand_hours(day: Day, _rng: Random, _grain: int) -> Iterator[Entry]:
    off, on = day.charging
    for hour in range(day.starts, day.ends, _HOUR):
        if day.wake - _HOUR < hour < day.bed and not off <= hour < hour + _HOUR <= on:
            seen = (each for each in range(hour, hour + _HOUR, SLOT_SECONDS) if not off <= each < on)
            stood = sum(day.slots.steps[day.slot(each)] for each in seen) > _BARELY_MOVING
            yield hour, hour + _HOUR, f"HKCategoryValueAppleStandHour{'Stood' if stood else 'Idle'}"


def _heart_rates(day: Day, rng: Random, _grain: int) -> Iterator[Entry]:
    """Every five minutes, and every ten seconds of a training."""
    yield from heart_rates(day, rng, (day.ends - day.starts) // 300, day.ends)
    for each in day.sessions:
        for at in range(each.start + 3, each.end, 10):
            yield at, at, str(day.slots.bpm[day.slot(at)] + int(rng.random() * 7) - 3)


def heart_rates(day: Day, rng: Random, count: int, until: int) -> Iterator[Entry]:
    """So many heart rates, spread over the day up to an instant, never two in a second, none while the watch is off."""
    off, on = day.charging
    span = until - day.starts - max(min(until, on) - off, 0)
    count = max(min(count, span // 2), 0)
    for index in range(count):
        first, last = index * span // count, (index + 1) * span // count
        at = day.starts + first + int(rng.random() * (last - first))
        at += on - off if at >= off else 0
        yield at, at, str(day.slots.bpm[day.slot(at)] + int(rng.random() * 9) - 4)


def _resting(day: Day, rng: Random, _grain: int) -> Iterator[Entry]:
    yield day.starts + rng.randrange(60), day.ends - 7200 + rng.randrange(600), str(day.resting_bpm)


def _walking(day: Day, rng: Random, _grain: int) -> Iterator[Entry]:
    yield day.wake, day.ends - 7200 + rng.randrange(600), str(day.resting_bpm + 42 + rng.randrange(8))


def _asleep(day: Day, rng: Random, count: int) -> Iterator[int]:
    """Moments of the night, in order, when the watch was worn."""
    if not day.watch_at_night:
        return
    begin = day.night[0].start
    step = (day.wake - begin) // (count + 1)
    for index in range(1, count + 1):
        yield begin + index * step + rng.randrange(240)


def _variability(day: Day, rng: Random, grain: int) -> Iterator[Entry]:
    for at in _asleep(day, rng, 3 if grain == 1 else 1):
        yield at, at + 60, f"{max(rng.gauss(3400 / day.resting_bpm, 9), 12):.4f}"


def _oxygen(day: Day, rng: Random, grain: int) -> Iterator[Entry]:
    for at in _asleep(day, rng, 8 if grain == 1 else 2):
        yield at, at, f"{min(0.93 + rng.random() * 0.07, 1):.2f}"


def _breaths(day: Day, rng: Random, grain: int) -> Iterator[Entry]:
    for at in _asleep(day, rng, 6 if grain == 1 else 2):
        yield at, at, f"{13 + rng.random() * 4:.1f}".rstrip("0").rstrip(".")


def _stages(day: Day, _rng: Random, _grain: int) -> Iterator[Entry]:
    if day.watch_at_night:
        for each in day.night:
            yield each.start, each.end, f"HKCategoryValueSleepAnalysis{each.stage}"


def _in_bed(day: Day, rng: Random, _grain: int) -> Iterator[Entry]:
    start = day.night[0].start - 300 - rng.randrange(900)
    yield start, day.wake + rng.randrange(60, 600), "HKCategoryValueSleepAnalysisInBed"
    if not day.watch_at_night:
        yield start + 600, day.wake, "HKCategoryValueSleepAnalysisAsleepUnspecified"


def _weighed(day: Day, rng: Random) -> Iterator[int]:
    if rng.random() < 0.6:
        yield day.wake + 900 + rng.randrange(1200)


def _weight(day: Day, rng: Random, _grain: int) -> Iterator[Entry]:
    return ((at, at, f"{day.weight_kg:.2f}") for at in _weighed(day, rng))


def _fitness(day: Day, _rng: Random, _grain: int) -> Iterator[Entry]:
    for each in day.sessions:
        if each.sport.activity == "Running":
            yield each.start, each.end, f"{day.vo2_max:.2f}"


def _mindful(day: Day, rng: Random, _grain: int) -> Iterator[Entry]:
    if rng.random() < 0.3:
        start = day.bed - 1800
        yield start, start + rng.choice((60, 180, 300, 600)), "HKCategoryValueNotApplicable"


def _goal(day: Day, _rng: Random, _grain: int) -> Iterator[Entry]:
    if day.day.day == 1:
        yield day.starts, day.starts, "8"


def pressures(day: Day, rng: Random) -> Iterator[tuple[int, int, int]]:
    """Blood pressure, taken on Sunday mornings: when, systolic, diastolic."""
    if day.day.weekday() == 6:
        yield day.wake + 1800, 112 + rng.randrange(20), 70 + rng.randrange(14)


def _systolic(day: Day, rng: Random, _grain: int) -> Iterator[Entry]:
    return ((at, at, str(high)) for at, high, _ in pressures(day, rng))


def _diastolic(day: Day, rng: Random, _grain: int) -> Iterator[Entry]:
    return ((at, at, str(low)) for at, _, low in pressures(day, rng))


def metadata(key: str, value: str, depth: int = 2) -> str:
    """A MetadataEntry at a depth of blanks."""
    return f'{" " * depth}<MetadataEntry key="{key}" value="{value}"/>\n'


def _beats(rng: Random, start: int) -> str:
    """The beats behind a heart rate variability, as a clock without date and zone, which is how Apple writes them."""
    lines = []
    at, minute = 0.0, start % _HOUR
    for _ in range(12):
        at += rng.uniform(0.8, 1.2)
        seconds = minute + at
        clock = f"3:{int(seconds // 60) % 60:02}:{seconds % 60:05.2f} AM"
        lines.append(f'   <InstantaneousBeatsPerMinute bpm="{rng.randrange(48, 68)}" time="{clock}"/>\n')
    return f"  <HeartRateVariabilityMetadataList>\n{''.join(lines)}  </HeartRateVariabilityMetadataList>\n"


def kinds_of(body: Body, zone: str) -> tuple[Kind, ...]:
    """Every type but the heart rate, in the order of an export. All children of sleep state the zone."""
    where = metadata("HKTimeZone", zone)
    entered = metadata("HKWasUserEntered", "0")
    pressure = metadata("HKMetadataKeyBarometricPressure", "96.4 kPa")
    metres = body.height_cm / 100

    def mass_index(day: Day, rng: Random, _grain: int) -> Iterator[Entry]:
        return ((at, at, f"{day.weight_kg / metres**2:.4f}") for at in _weighed(day, rng))

    return (
        Kind(
            "QuantityTypeIdentifierBodyMassIndex", SCALE, "count", mass_index, inside=lambda *_: entered, dice="weight"
        ),
        Kind("QuantityTypeIdentifierBodyMass", SCALE, "kg", _weight, inside=lambda *_: entered, dice="weight"),
        Kind("QuantityTypeIdentifierOxygenSaturation", WATCH, "%", _oxygen, inside=lambda *_: pressure),
        Kind("QuantityTypeIdentifierBloodPressureSystolic", CUFF, "mmHg", _systolic, dice=PRESSURE_DICE),
        Kind("QuantityTypeIdentifierBloodPressureDiastolic", CUFF, "mmHg", _diastolic, dice=PRESSURE_DICE),
        Kind("QuantityTypeIdentifierRespiratoryRate", WATCH, "count/min", _breaths),
        Kind("QuantityTypeIdentifierStepCount", WATCH, "count", _watch_steps),
        Kind("QuantityTypeIdentifierStepCount", PHONE, "count", _phone_steps),
        Kind("QuantityTypeIdentifierDistanceWalkingRunning", WATCH, "km", _watch_metres),
        Kind("QuantityTypeIdentifierDistanceWalkingRunning", PHONE, "km", _phone_metres),
        Kind("QuantityTypeIdentifierDistanceCycling", WATCH, "km", _ridden),
        Kind("QuantityTypeIdentifierBasalEnergyBurned", WATCH, "kcal", _basal_energy),
        Kind("QuantityTypeIdentifierActiveEnergyBurned", WATCH, "kcal", _active_energy, ring="move"),
        Kind("QuantityTypeIdentifierActiveEnergyBurned", PHONE, "kcal", _phone_energy, ring="move"),
        Kind("QuantityTypeIdentifierFlightsClimbed", PHONE, "count", _flights),
        Kind("QuantityTypeIdentifierAppleExerciseTime", WATCH, "min", _exercise, ring="exercise"),
        Kind("QuantityTypeIdentifierRestingHeartRate", WATCH, "count/min", _resting),
        Kind("QuantityTypeIdentifierWalkingHeartRateAverage", WATCH, "count/min", _walking),
        Kind("QuantityTypeIdentifierVO2Max", WATCH, "mL/min·kg", _fitness),
        Kind("QuantityTypeIdentifierAppleStandTime", WATCH, "min", _stand_time),
        Kind("DataTypeSleepDurationGoal", HEALTH, "hr", _goal),
        Kind("CategoryTypeIdentifierSleepAnalysis", WATCH, None, _stages, inside=lambda *_: where),
        Kind("CategoryTypeIdentifierSleepAnalysis", PHONE, None, _in_bed, inside=lambda *_: where),
        Kind("CategoryTypeIdentifierAppleStandHour", WATCH, None, _stand_hours, ring="stand"),
        Kind("CategoryTypeIdentifierMindfulSession", WATCH, None, _mindful),
        Kind("QuantityTypeIdentifierHeartRateVariabilitySDNN", WATCH, "ms", _variability, inside=_beats),
    )


_AT_REST = metadata("HKMetadataKeyHeartRateMotionContext", "0")
HEART_RATE = Kind("QuantityTypeIdentifierHeartRate", WATCH, "count/min", _heart_rates, inside=lambda *_: _AT_REST)
