"""Nutrition facts: what was eaten and drunk."""

from twinning_pipelines.records.record import DAY, INSTANT, JSON, NUMBER, TEXT, Field, Record
from twinning_pipelines.records.rules import NOT_BLANK, PLAUSIBLE_DAY, PLAUSIBLE_INSTANT, between

SERVING = Record(
    name="serving",
    domain="nutrition",
    meaning="one food or drink, as one line of a food diary",
    fields=(
        Field("day", DAY, "the person's local day", required=True, rules=(PLAUSIBLE_DAY,)),
        Field("meal", TEXT, "breakfast, lunch, … as the diary names it; empty when it does not", required=True),
        Field("food", TEXT, "what it was", required=True, rules=(NOT_BLANK,)),
        Field("amount", TEXT, "how much, as written: '100 g', '1 cup'", required=True),
        Field("eaten_at", INSTANT, "when, UTC, if the diary keeps a time", rules=(PLAUSIBLE_INSTANT,)),
        Field("grams", NUMBER, "mass, grams", rules=(between(0, 20_000),)),
        Field("energy_kcal", NUMBER, "energy, kilocalories", rules=(between(0, 20_000),)),
        Field("protein_g", NUMBER, "protein, grams", rules=(between(0, 2_000),)),
        Field("carbs_g", NUMBER, "carbohydrates, grams", rules=(between(0, 5_000),)),
        Field("fat_g", NUMBER, "fat, grams", rules=(between(0, 2_000),)),
        Field("fiber_g", NUMBER, "fibre, grams", rules=(between(0, 1_000),)),
        Field("sugar_g", NUMBER, "sugars, grams", rules=(between(0, 5_000),)),
        Field("water_ml", NUMBER, "water, millilitres", rules=(between(0, 20_000),)),
        Field("alcohol_g", NUMBER, "alcohol, grams", rules=(between(0, 1_000),)),
        Field("caffeine_mg", NUMBER, "caffeine, milligrams", rules=(between(0, 5_000),)),
        Field("nutrients", JSON, 'every other nutrient column, by its heading: {"Zinc (mg)": 1.2}'),
        Field("note", TEXT, "free text"),
    ),
    identity=("day", "meal", "food", "amount"),
    window="day",
)

RECORDS = (SERVING,)
