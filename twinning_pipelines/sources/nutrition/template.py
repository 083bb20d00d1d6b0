"""A food diary kept by hand.

From: our own template, `nutrition.csv`. To: Serving. Any further column with a unit, `Zinc (mg)` or `sodium_mg`, is kept
as a nutrient.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.cells import DAY, NUMBER, TIME, ZONE
from twinning_pipelines.formats.columns import Cells, Column, Rest, Table
from twinning_pipelines.formats.portions import grams_of
from twinning_pipelines.original import Original
from twinning_pipelines.records.nutrition import SERVING
from twinning_pipelines.source import Item, Source, gather

_WITH_UNIT = re.compile(r".+[ _]\(?(?:g|mg|mcg|µg|ug|iu|ml|kcal|kj)\)?", re.IGNORECASE)

TABLE = Table(
    record=SERVING,
    columns=(
        Column("day", ("date",), DAY, required=True, meaning="your local day"),
        Column("time", ("time",), TIME, meaning="when, if you keep it"),
        Column("zone", ("zone", "tz"), ZONE, meaning="where the time holds, if not where you live"),
        Column("meal", ("meal",), default="", meaning="breakfast, lunch, … in your words"),
        Column("food", ("food",), required=True),
        Column("brand", ("brand",), meaning="who made it; stored behind the food, in brackets"),
        Column("amount", ("amount",), default=""),
        Column("unit", ("unit",), meaning="unit of the amount, where it stands apart"),
        Column("grams", ("grams",), NUMBER),
        Column("energy_kcal", ("energy_kcal",), NUMBER),
        Column("protein_g", ("protein_g",), NUMBER),
        Column("carbs_g", ("carbs_g",), NUMBER),
        Column("fat_g", ("fat_g",), NUMBER),
        Column("fiber_g", ("fiber_g",), NUMBER),
        Column("sugar_g", ("sugar_g",), NUMBER),
        Column("water_ml", ("water_ml",), NUMBER),
        Column("alcohol_g", ("alcohol_g",), NUMBER),
        Column("caffeine_mg", ("caffeine_mg",), NUMBER),
        Column("note", ("note",)),
    ),
    marks=("date", "food", "energy_kcal"),
    rest=Rest("nutrients", NUMBER, _WITH_UNIT),
)


def _serving(cells: Cells) -> Mapping[str, object]:
    day, clock_time, zone = cells.get("day", date), cells.get("time", time), cells.get("zone", ZoneInfo)
    clock = Clock.fixed(zone) if zone else cells.styles.clock
    amount = f"{cells.text('amount')} {cells.text('unit')}".strip()
    brand = cells.text("brand")
    grams = cells.get("grams", float)
    return dict(cells.values) | {
        "food": f"{cells.text('food')} ({brand})" if brand else cells.text("food"),
        "amount": amount,
        "eaten_at": clock.instant(datetime.combine(day, clock_time)) if day and clock_time else None,
        "grams": grams_of(amount, cells.styles.numbers) if grams is None else grams,
    }


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Servings, line by line. Raises UnreadableFile."""
    return gather(TABLE.rows(original, clock, _serving), (SERVING,))


SOURCE = Source(
    name="nutrition.template",
    title="Food diary, our template",
    recognition="a CSV with the columns date, food and energy_kcal",
    records=(SERVING,),
    recognises=TABLE.recognises,
    parse=parse,
    expect_every=timedelta(days=7),
    template="nutrition.csv",
)
