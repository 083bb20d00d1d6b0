"""Cronometer's servings.

From: Cronometer, More, Account, Export data, Export servings: `servings.csv`, one line for each food eaten.
To: Serving. Which nutrients there are, and whether energy is in kcal or kJ, follows the account's settings; every
nutrient without a field of its own is kept in `nutrients`. `Time` is there for paying accounts only.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.cells import DAY, NUMBER, TIME
from twinning_pipelines.formats.columns import Cells, Column, Rest, Table
from twinning_pipelines.formats.portions import grams_of
from twinning_pipelines.original import Original
from twinning_pipelines.records.nutrition import SERVING
from twinning_pipelines.source import Item, Source, gather

# Names of nutrients hold brackets of their own: `B1 (Thiamine) (mg)`.
_NUTRIENT = re.compile(r"(.+) \(([^()]+)\)")

TABLE = Table(
    record=SERVING,
    columns=(
        Column("day", ("Day",), DAY, required=True),
        Column("time", ("Time",), TIME),
        Column("meal", ("Group",), default=""),
        Column("food", ("Food Name",), required=True),
        Column("amount", ("Amount",), default=""),
        Column("energy_kcal", ("Energy ()",), NUMBER, unit="kcal"),
        Column("protein_g", ("Protein ()",), NUMBER, unit="g"),
        Column("carbs_g", ("Carbs ()",), NUMBER, unit="g"),
        Column("fat_g", ("Fat ()",), NUMBER, unit="g"),
        Column("fiber_g", ("Fiber ()",), NUMBER, unit="g"),
        Column("sugar_g", ("Sugars ()",), NUMBER, unit="g"),
        # A gram of water is a millilitre.
        Column("water_ml", ("Water (g)", "Water (mL)"), NUMBER),
        Column("alcohol_g", ("Alcohol ()",), NUMBER, unit="g"),
        Column("caffeine_mg", ("Caffeine ()",), NUMBER, unit="mg"),
    ),
    marks=("Day", "Food Name", "Amount"),
    # The food's kind in Cronometer's catalogue, not what was eaten.
    ignored=("Category",),
    rest=Rest("nutrients", NUMBER, _NUTRIENT),
)


def _serving(cells: Cells) -> Mapping[str, object]:
    day, clock_time = cells.get("day", date), cells.get("time", time)
    wall = datetime.combine(day, clock_time) if day and clock_time else None
    return dict(cells.values) | {
        "eaten_at": cells.styles.clock.instant(wall) if wall else None,
        "grams": grams_of(cells.text("amount"), cells.styles.numbers),
    }


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Servings, line by line. Raises UnreadableFile."""
    return gather(TABLE.rows(original, clock, _serving), (SERVING,))


SOURCE = Source(
    name="nutrition.cronometer",
    title="Cronometer servings",
    recognition="a CSV with the columns Day, Food Name and Amount",
    records=(SERVING,),
    recognises=TABLE.recognises,
    parse=parse,
    # An export holds every serving of its days, so one that was changed or deleted in the app is gone here as well.
    whole=True,
    expect_every=timedelta(days=7),
)
