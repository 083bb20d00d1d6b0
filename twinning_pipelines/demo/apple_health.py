"""Makes the `export.zip` of an Apple Health that never was: records, workouts and rings of a plausible life.

Layout, order, attributes and quirks are those of Apple's exports: one offset for all moments, addresses in device
strings, Records of a Correlation told twice, the parts of a workout told again inside its WorkoutActivity.
"""

import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from io import TextIOWrapper
from itertools import islice
from math import inf
from pathlib import Path
from random import Random
from typing import TextIO
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from twinning_pipelines.demo.agency import days
from twinning_pipelines.demo.apple_days import Body, Day, Life, plan, rng_of
from twinning_pipelines.demo.apple_kinds import (
    CUFF,
    HEART_RATE,
    PRESSURE_DICE,
    WATCH,
    Entry,
    Kind,
    heart_rates,
    kinds_of,
    pressures,
)
from twinning_pipelines.demo.apple_members import BORN, audiograms, clinical_records, members
from twinning_pipelines.demo.apple_pen import Pen
from twinning_pipelines.demo.apple_rings import dice_of, rings_of, summary
from twinning_pipelines.demo.apple_style import YOUNGER_TYPES, Style
from twinning_pipelines.demo.apple_workouts import sessions_of, workout

_LINES_PER_WRITE = 4_096

# Fewer Records a day than the first number: so many slots of ten minutes go into one.
_GRAINS = ((300, 18), (420, 6), (520, 3), (700, 2))

_CDA = """<?xml version="1.0"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Health Data Export</title></ClinicalDocument>
"""
TODAY = Style()


class Wanted(Struct, frozen=True):
    """How many Records an export is to have, spread evenly over so many days, and how many spoiled ones on top."""

    records: int | None
    days: int
    broken: int

    @property
    def grain(self) -> int:
        """How many slots of ten minutes go into one Record."""
        share = inf if self.records is None else self.records / self.days
        return next((grain for limit, grain in _GRAINS if share < limit), 1)


class Export(Struct):
    """One export in the making; `told` counts the Records of each day."""

    life: Life
    pen: Pen
    style: Style
    wanted: Wanted
    told: Counter[date] = field(default_factory=Counter)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Every type but the heart rate."""
        kinds = kinds_of(self.life.body, self.life.zone)
        return tuple(kind for kind in kinds if kind.type not in YOUNGER_TYPES) if self.style.old else kinds


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
    spread_over: int | None = None,
    broken: int = 0,
    style: Style = TODAY,
) -> int:
    """Writes an export of the days `first` to `last` and returns how many top-level Records it holds.

    Without `records` a day has about 800, and an export made later, or over other dates, tells the same of the days they
    share. With `records` each day gets its share of so many: few are bundled, many are more heart rates; exact from about
    150 a day up to 40,000. The shares are those of `spread_over` days (default: all): so an export with a day more, of as
    many `records` spread over as many days as before, differs in that day and the addresses of devices alone. `broken`
    Records come on top, spoiled. `exported_at` is aware; its offset prints all moments.
    """
    body = Body.of(seed)
    plans = tuple(plan(seed, body, day, zone) for day in days(first, last))
    life = Life(seed, body, plans, zone.key, int(exported_at.timestamp()))
    wanted = Wanted(records, spread_over or len(plans), broken)
    export = Export(life, Pen(exported_at, person), style, wanted)
    names = style.names
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(f"{names.folder}/{names.main}", "w", force_zip64=True) as member:
            out = TextIOWrapper(member, encoding="utf-8", newline="\n")
            count = _write(out, export)
            out.flush()
            out.detach()
        for name, text in ((names.clinical_copy, _CDA), *members(life, export.pen, style)):
            # A ZipInfo of our own carries a fixed date, so the same export has the same bytes.
            info = zipfile.ZipInfo(f"{names.folder}/{name}")
            archive.writestr(info, text, zipfile.ZIP_DEFLATED if text else zipfile.ZIP_STORED)
    return count


def _write(out: TextIO, export: Export) -> int:
    life, pen, style = export.life, export.pen, export.style
    out.write(f'<?xml version="1.0" encoding="UTF-8"?>\n{style.head}<HealthData locale="en_CH">\n')
    parts = [
        iter([f' <ExportDate value="{pen.moment(life.until)}"/>\n', _me(life.body)]),
        *(_records(kind, export, _bundled(kind, export)) for kind in export.kinds),
        _records(HEART_RATE, export, _heart_rates(export)),
        _broken(life, pen, export.wanted.broken),
        _correlations(life, pen),
        (workout(day, each, pen, life, style) for day, each in sessions_of(life)),
        _summaries(export),
    ]
    if not style.old:
        parts += [clinical_records(life, pen, style), audiograms(life, pen)]
    for elements in parts:
        while some := list(islice(elements, _LINES_PER_WRITE)):
            out.write(style.told("".join(some)))
    out.write("</HealthData>\n")
    return export.told.total() + export.wanted.broken


def _me(body: Body) -> str:
    sex = "HKBiologicalSexFemale" if body.height_cm < 175 else "HKBiologicalSexMale"
    given = {
        "DateOfBirth": f"{BORN}", "BiologicalSex": sex, "BloodType": "HKBloodTypeNotSet",
        "FitzpatrickSkinType": "HKFitzpatrickSkinTypeNotSet", "CardioFitnessMedicationsUse": "None",
    }  # fmt: skip
    attributes = (f'HKCharacteristicTypeIdentifier{name}="{value}"' for name, value in given.items())
    return f" <Me {' '.join(attributes)}/>\n"


def _records(kind: Kind, export: Export, entries: Callable[[Day, Random], Iterable[Entry]]) -> Iterator[str]:
    life, pen = export.life, export.pen
    written, origin = 0, ""
    for day in life.days:
        rng = dice_of(kind, life, day)
        for entry in entries(day, rng):
            if entry[1] > life.until:
                continue
            if pen.fresh(written):
                origin = pen.origin(kind.gadget)
            yield pen.record(kind, entry, origin, "" if kind.inside is None else kind.inside(rng, entry[0]))
            written += 1
            export.told[day.day] += 1


def _bundled(kind: Kind, export: Export) -> Callable[[Day, Random], Iterable[Entry]]:
    """A day's Records of a kind, in bundles when few are wanted."""
    grain = export.wanted.grain
    return lambda day, rng: kind.entries(day, rng, grain)


def _heart_rates(export: Export) -> Callable[[Day, Random], Iterable[Entry]]:
    """A day's heart rates: as the watch takes them, or as many as its share leaves room for."""
    records, count = export.wanted.records, export.wanted.days
    if records is None:
        return lambda day, rng: HEART_RATE.entries(day, rng, 1)

    def filled(day: Day, rng: Random) -> Iterable[Entry]:
        # By ordinal: the shares add up exactly, and the share of a day does not depend on the other days.
        number = day.day.toordinal()
        share = (number + 1) * records // count - number * records // count
        return heart_rates(day, rng, share - export.told[day.day], min(day.ends, export.life.until))

    return filled


def _summaries(export: Export) -> Iterator[str]:
    life, counted = export.life, [kind for kind in export.kinds if kind.ring is not None]

    def entries(kind: Kind, day: Day) -> Iterable[Entry]:
        return kind.entries(day, dice_of(kind, life, day), export.wanted.grain)

    return (summary(day, rings_of(day, counted, life, entries), life.body) for day in life.days)


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
