"""Makes the `export.zip` of an Apple Health that never was: records, workouts and rings of a plausible life.

Layout, order, attributes and quirks are those of Apple's exports: one offset for all moments, addresses in device
strings, Records of a Correlation told twice, the parts of a workout told again inside its WorkoutActivity.
"""

import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from io import TextIOWrapper
from itertools import islice
from math import inf
from pathlib import Path
from random import Random
from typing import TextIO
from uuid import UUID
from zoneinfo import ZoneInfo

from twinning_pipelines.demo.agency import days
from twinning_pipelines.demo.apple_days import SLOT_SECONDS, Body, Day, Session, plan, rng_of
from twinning_pipelines.demo.apple_dtd import DOCTYPE
from twinning_pipelines.demo.apple_kinds import (
    CUFF,
    HEART_RATE,
    PRESSURE_DICE,
    WATCH,
    Entry,
    Kind,
    heart_rates,
    kinds_of,
    metadata,
    pressures,
)
from twinning_pipelines.demo.apple_pen import Pen

FOLDER = "apple_health_export"
_LINES_PER_WRITE = 4_096

# Fewer Records a day than the first number: so many slots of ten minutes go into one.
_GRAINS = ((300, 18), (420, 6), (520, 3), (700, 2))

_CDA = """<?xml version="1.0"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Health Data Export</title></ClinicalDocument>
"""


@dataclass(frozen=True, slots=True)
class Life:
    """Whose export, over which days, and until when (seconds since 1970): nothing later has happened yet."""

    seed: int
    body: Body
    days: tuple[Day, ...]
    zone: str
    until: int


@dataclass(slots=True)
class Tally:
    """What was written of each day: how many Records, and thousandths of its rings."""

    told: Counter[date] = field(default_factory=Counter)
    rings: defaultdict[date, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def write_export(
    path: Path,
    *,
    seed: int,
    first: date,
    last: date,
    zone: ZoneInfo,
    exported_at: datetime,
    person: str = "Robin",
    records: int | None = None,
    broken: int = 0,
) -> int:
    """Writes an export of the days `first` to `last` and returns how many top-level Records it holds.

    Without `records` a day has about 800, and an export made later, or over other dates, tells the same of the days they
    share. With `records` each day gets its share of so many: few are bundled, many are more heart rates; exact from about
    150 a day up to 40,000. `broken` Records come on top, spoiled. `exported_at` is aware; its offset prints all moments.
    """
    body = Body.of(seed)
    plans = tuple(plan(seed, body, day, zone) for day in days(first, last))
    life = Life(seed, body, plans, zone.key, int(exported_at.timestamp()))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(f"{FOLDER}/export.xml", "w", force_zip64=True) as member:
            out = TextIOWrapper(member, encoding="utf-8", newline="\n")
            count = _write(out, life, Pen(exported_at, person), records, broken)
            out.flush()
            out.detach()
        # A ZipInfo of our own carries a fixed date, so the same export has the same bytes.
        archive.writestr(zipfile.ZipInfo(f"{FOLDER}/export_cda.xml"), _CDA)
    return count


def _write(out: TextIO, life: Life, pen: Pen, records: int | None, broken: int) -> int:
    tally = Tally()
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n' + DOCTYPE + '<HealthData locale="en_CH">\n')
    out.write(f' <ExportDate value="{pen.moment(life.until)}"/>\n' + _me(life.body))
    for kind in kinds_of(life.body, life.zone):
        _put(out, _records(kind, life, pen, tally, _bundled(kind, life, records)))
    _put(out, _records(HEART_RATE, life, pen, tally, _heart_rates(life, records, tally)))
    _put(out, _broken(life, pen, broken))
    _put(out, _correlations(life, pen))
    _put(out, (_workout(day, each, pen, life) for day in life.days for each in day.sessions if each.end <= life.until))
    _put(out, (_summary(day, tally.rings[day.day], life.body) for day in life.days))
    out.write("</HealthData>\n")
    return tally.told.total() + broken


def _put(out: TextIO, elements: Iterator[str]) -> None:
    while some := list(islice(elements, _LINES_PER_WRITE)):
        out.write("".join(some))


def _me(body: Body) -> str:
    sex = "HKBiologicalSexFemale" if body.height_cm < 175 else "HKBiologicalSexMale"
    given = {
        "DateOfBirth": "1988-04-12", "BiologicalSex": sex, "BloodType": "HKBloodTypeNotSet",
        "FitzpatrickSkinType": "HKFitzpatrickSkinTypeNotSet", "CardioFitnessMedicationsUse": "None",
    }  # fmt: skip
    attributes = (f'HKCharacteristicTypeIdentifier{name}="{value}"' for name, value in given.items())
    return f" <Me {' '.join(attributes)}/>\n"


def _records(
    kind: Kind, life: Life, pen: Pen, tally: Tally, entries: Callable[[Day, Random], Iterable[Entry]]
) -> Iterator[str]:
    words = kind.dice or f"{kind.type}:{kind.gadget.source}"
    written, origin = 0, ""
    for day in life.days:
        rng = rng_of(life.seed, words, day.day)
        for entry in entries(day, rng):
            if entry[1] > life.until:
                continue
            if pen.fresh(written):
                origin = pen.origin(kind.gadget)
            yield pen.record(kind, entry, origin, "" if kind.inside is None else kind.inside(rng, entry[0]))
            written += 1
            tally.told[day.day] += 1
            if kind.ring is not None:
                tally.rings[day.day][kind.ring] += _amount(entry[2])


def _bundled(kind: Kind, life: Life, records: int | None) -> Callable[[Day, Random], Iterable[Entry]]:
    """A day's Records of a kind, in bundles when few are wanted."""
    share = inf if records is None else records / len(life.days)
    grain = next((grain for limit, grain in _GRAINS if share < limit), 1)
    return lambda day, rng: kind.entries(day, rng, grain)


def _heart_rates(life: Life, records: int | None, tally: Tally) -> Callable[[Day, Random], Iterable[Entry]]:
    """A day's heart rates: as the watch takes them, or as many as its share leaves room for."""
    if records is None:
        return lambda day, rng: HEART_RATE.entries(day, rng, 1)
    count = len(life.days)

    def filled(day: Day, rng: Random) -> Iterable[Entry]:
        # By ordinal: the shares add up exactly, and the share of a day does not depend on the other days.
        number = day.day.toordinal()
        share = (number + 1) * records // count - number * records // count
        return heart_rates(day, rng, share - tally.told[day.day], min(day.ends, life.until))

    return filled


def _amount(value: str) -> int:
    """What a value adds to a ring, in thousandths."""
    if value.startswith("HKCategoryValue"):
        return 1000 if value.endswith("Stood") else 0
    return round(float(value) * 1000)


def _broken(life: Life, pen: Pen, count: int) -> Iterator[str]:
    """Spoiled heart rates: a negative one, a word, one that ends before it starts, one without a start, and again."""
    for index in range(count):
        at = life.days[0].starts + 12 * 3600 + index * 60
        line = pen.record(HEART_RATE, (at, at, "72"), pen.origin(WATCH), "")
        moment = pen.moment(at)
        spoiled = (
            ('value="72"', 'value="-12"'), ('value="72"', 'value="abc"'),
            (f'endDate="{moment}"', f'endDate="{pen.moment(at - 60)}"'), (f' startDate="{moment}"', ""),
        )  # fmt: skip
        yield line.replace(*spoiled[index % len(spoiled)])


def _correlations(life: Life, pen: Pen) -> Iterator[str]:
    kinds = [kind for kind in kinds_of(life.body, life.zone) if kind.gadget is CUFF]
    for day in life.days:
        for at, *values in pressures(day, rng_of(life.seed, PRESSURE_DICE, day.day)):
            if at > life.until:
                continue
            origin, moment = pen.origin(CUFF), pen.moment(at)
            again = "".join(
                pen.record(kind, (at, at, str(value)), origin, "", depth=2)
                for kind, value in zip(kinds, values, strict=True)
            )
            yield (
                f' <Correlation type="HKCorrelationTypeIdentifierBloodPressure" {origin} '
                f'creationDate="{pen.moment(at + 4)}" startDate="{moment}" endDate="{moment}">\n{again} </Correlation>\n'
            )


def _workout(day: Day, each: Session, pen: Pen, life: Life) -> str:
    span = f'startDate="{pen.moment(each.start)}" endDate="{pen.moment(each.end)}"'
    lasted = f'duration="{each.minutes:.12g}" durationUnit="min"'
    rng = rng_of(life.seed, "workout", day.day)
    event = f'<WorkoutEvent type="HKWorkoutEventTypeSegment" date="{pen.moment(each.start)}" {lasted}/>\n'
    statistics = [f"<WorkoutStatistics type=\"HKQuantityTypeIdentifier{name}\" {span} {rest}/>\n"
                  for name, rest in _statistics(day, each)]  # fmt: skip
    parts = "".join(f"   {line}" for line in (event, *statistics))
    known = {
        "HKTimeZone": life.zone, "HKIndoorWorkout": "0", "HKAverageMETs": f"{rng.uniform(4, 11):.5f} kcal/hr·kg",
        "HKWeatherTemperature": f"{rng.uniform(35, 80):.1f} degF", "HKWeatherHumidity": f"{rng.randrange(3000, 9000)} %",
    }  # fmt: skip
    return (
        f' <Workout workoutActivityType="HKWorkoutActivityType{each.sport.activity}" {lasted} {pen.origin(WATCH)} '
        f'creationDate="{pen.moment(each.end + 4)}" {span}>\n'
        + "".join(metadata(key, value) for key, value in known.items())
        + f'  <WorkoutActivity uuid="{str(UUID(int=rng.getrandbits(128), version=4)).upper()}" {span} {lasted}>\n'
        + f"{parts}   {metadata('HKIndoorWorkout', '0', 0)}  </WorkoutActivity>\n"
        + "".join(f"  {line}" for line in (event, *statistics))
        + " </Workout>\n"
    )


def _statistics(day: Day, each: Session) -> Iterator[tuple[str, str]]:
    """The statistics of a training: type and the attributes that say them."""
    own = slice(day.slot(each.start), day.slot(each.start) + (each.end - each.start) // SLOT_SECONDS)
    bpm = day.slots.bpm[own]
    yield "ActiveEnergyBurned", f'sum="{sum(day.slots.kcal[own]):.3f}" unit="kcal"'
    yield "BasalEnergyBurned", f'sum="{day.weight_kg * 22 / 1440 * each.minutes:.3f}" unit="kcal"'
    if each.sport.distance is not None:
        metres = sum(day.slots.walked[own]) + sum(day.slots.ridden[own])
        yield each.sport.distance, f'sum="{metres / 1000:.6g}" unit="km"'
    yield "HeartRate", f'average="{sum(bpm) / len(bpm):.4f}" minimum="{min(bpm)}" maximum="{max(bpm)}" unit="count/min"'


def _summary(day: Day, rings: Counter[str], body: Body) -> str:
    """Apple's own totals of a day: exactly what its Records add up to."""
    return (
        f' <ActivitySummary dateComponents="{day.day}" activeEnergyBurned="{rings["move"] / 1000:.3f}" '
        f'activeEnergyBurnedGoal="{body.move_goal}" activeEnergyBurnedUnit="kcal" appleMoveTime="0" appleMoveTimeGoal="0" '
        f'appleExerciseTime="{rings["exercise"] // 1000}" appleExerciseTimeGoal="30" '
        f'appleStandHours="{rings["stand"] // 1000}" appleStandHoursGoal="12"/>\n'
    )
