"""Samples of a food diary, as Cronometer and our template write it.

Each writer takes a seed and the days to cover, writes one file and answers how many rows it holds. A sample made later
with the same seed has the same earlier rows. Energy follows from the macronutrients. `broken` plants that many bad rows.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

from msgspec import Struct

from twinning_pipelines.demo.agency import days, dice
from twinning_pipelines.demo.tables import with_bad, write_csv

_KJ = 4.184


class Food(Struct, frozen=True):
    """A food: what 100 g of it hold, in grams, caffeine and sodium in milligrams; its portion in grams and in words."""

    name: str
    kind: str
    portion: int
    words: str
    protein: float
    carbs: float
    fat: float
    fiber: float
    sugar: float
    water: float
    sodium: float
    alcohol: float = 0.0
    caffeine: float = 0.0

    @property
    def kcal(self) -> float:
        """Energy of 100 g by the factors of EU regulation 1169/2011."""
        return 4 * self.protein + 4 * (self.carbs - self.fiber) + 2 * self.fiber + 9 * self.fat + 7 * self.alcohol


class Helping(Struct, frozen=True):
    """A food on a plate: of which meal, when, and how many grams."""

    day: date
    meal: str
    at: time
    food: Food
    grams: int

    def of(self, per_100g: float) -> float:
        """What the helping holds of something."""
        return round(per_100g * self.grams / 100, 2)


_BASES = {
    "Breakfast": (
        Food("Rolled oats with milk", "Cereals", 280, "1 bowl", 5.2, 17.5, 3.6, 2.1, 4.9, 70.8, 38),
        Food("Wholegrain bread with cheese", "Bread", 120, "2 slices", 13.1, 27.4, 13.0, 4.6, 2.3, 42.0, 560),
        Food("Yoghurt with berries", "Dairy", 250, "1 bowl", 4.4, 8.7, 2.6, 1.4, 7.1, 83.0, 41),
        Food("Scrambled eggs on toast", "Eggs", 200, "1 plate", 10.8, 12.9, 9.7, 1.2, 1.6, 63.5, 320),
    ),
    "Lunch": (
        Food("Lentil soup", "Soups", 400, "1 bowl", 4.6, 10.8, 1.6, 3.0, 1.7, 81.0, 290),
        Food("Pasta with tomato sauce", "Pasta", 380, "1 plate", 5.1, 25.8, 3.1, 2.2, 3.8, 64.0, 250),
        Food("Rice bowl with tofu", "Bowls", 420, "1 bowl", 6.3, 19.4, 4.8, 1.9, 2.1, 66.5, 230),
        Food("Salad with chicken", "Salads", 350, "1 plate", 9.4, 4.1, 5.2, 1.8, 2.4, 78.0, 260),
    ),
    "Dinner": (
        Food("Potatoes with curd cheese", "Potatoes", 450, "1 plate", 5.4, 11.9, 3.4, 1.5, 2.0, 76.0, 140),
        Food("Salmon with vegetables", "Fish", 400, "1 plate", 9.8, 5.2, 7.4, 2.0, 2.2, 74.0, 190),
        Food("Pizza Margherita", "Pizza", 380, "1 pizza", 10.4, 31.5, 9.1, 2.1, 3.2, 44.0, 520),
        Food("Vegetable curry with rice", "Bowls", 450, "1 plate", 3.4, 18.8, 4.9, 2.4, 2.9, 68.5, 240),
    ),
    "Snacks": (
        Food("Banana", "Fruit", 120, "1 medium", 1.1, 22.8, 0.3, 2.6, 12.2, 75.0, 1),
        Food("Apple", "Fruit", 160, "1 medium", 0.3, 13.8, 0.2, 2.4, 10.4, 85.0, 1),
        Food("Almonds", "Nuts", 30, "1 handful", 21.2, 21.6, 49.9, 12.5, 4.4, 4.4, 1),
        Food("Dark chocolate", "Sweets", 25, "4 pieces", 7.8, 45.9, 42.6, 10.9, 24.0, 1.4, 20, caffeine=80),
        Food("Cheesecake", "Cakes", 130, "1 slice", 5.9, 28.0, 18.5, 0.6, 20.3, 44.0, 290),
    ),
}
_COFFEE = Food("Coffee", "Drinks", 200, "1 cup", 0.1, 0.0, 0.0, 0.0, 0.0, 99.4, 2, caffeine=40)
_WATER = Food("Water", "Drinks", 500, "1 bottle", 0.0, 0.0, 0.0, 0.0, 0.0, 99.9, 2)
_WINE = Food("Red wine", "Drinks", 150, "1 glass", 0.1, 2.6, 0.0, 0.0, 0.6, 86.5, 4, alcohol=10.6)
_OIL = Food("Olive oil", "Fats", 12, "1 tbsp", 0.0, 0.0, 100.0, 0.0, 0.0, 0.0, 2)

_HOURS = {"Breakfast": (7, 15), "Lunch": (12, 20), "Dinner": (19, 0), "Snacks": (15, 30)}
_FORGOTTEN = 0.04

_MEALS = (
    "date", "time", "meal", "food", "amount", "grams", "energy_kcal", "protein_g", "carbs_g", "fat_g", "fiber_g",
    "sugar_g", "water_ml", "alcohol_g", "caffeine_mg", "sodium_mg", "note",
)  # fmt: skip


def _helpings(seed: int, day: date) -> list[Helping]:
    """What was eaten on a day, by the clock: three meals, up to two snacks, coffee and water; nothing if not kept."""
    chance = dice(seed, "food", day)
    if chance.random() < _FORGOTTEN:
        return []
    eaten = [_helping(chance, day, meal, chance.choice(_BASES[meal])) for meal in ("Breakfast", "Lunch", "Dinner")]
    eaten += [_helping(chance, day, "Snacks", chance.choice(_BASES["Snacks"])) for _ in range(chance.randrange(3))]
    eaten += [_helping(chance, day, "Breakfast", _COFFEE) for _ in range(chance.choice((1, 1, 2)))]
    eaten += [_helping(chance, day, "Snacks", _WATER) for _ in range(chance.choice((1, 2, 2)))]
    eaten += [_helping(chance, day, "Dinner", _OIL)]
    if day.weekday() in (4, 5) and chance.random() < 0.55:
        eaten.append(_helping(chance, day, "Dinner", _WINE))
    return sorted(eaten, key=lambda helping: helping.at)


def _helping(chance: Random, day: date, meal: str, food: Food) -> Helping:
    hour, minute = _HOURS[meal]
    at = datetime.combine(day, time(hour, minute)) + timedelta(minutes=chance.randrange(90))
    grams = max(5, round(food.portion * chance.uniform(0.85, 1.3) / 5) * 5)
    return Helping(day, meal, at.time(), food, grams)


def write_meals(path: Path, *, seed: int, first: date, last: date, broken: int = 0) -> int:
    """Our template for food diaries, with sodium as a further nutrient."""

    def row(helping: Helping) -> dict[str, object]:
        food = helping.food
        return {
            "date": helping.day, "time": f"{helping.at:%H:%M}", "meal": helping.meal, "food": food.name,
            "amount": food.words, "grams": helping.grams, "energy_kcal": helping.of(food.kcal),
            "protein_g": helping.of(food.protein), "carbs_g": helping.of(food.carbs), "fat_g": helping.of(food.fat),
            "fiber_g": helping.of(food.fiber), "sugar_g": helping.of(food.sugar), "water_ml": helping.of(food.water),
            "alcohol_g": helping.of(food.alcohol), "caffeine_mg": helping.of(food.caffeine),
            "sodium_mg": helping.of(food.sodium),
        }  # fmt: skip

    good = [row(helping) for day in days(first, last) for helping in _helpings(seed, day)]
    sound = {"date": first, "meal": "Lunch", "food": "Bad row", "energy_kcal": 100}
    bad: list[Mapping[str, object]] = [
        sound | {"note": "energy below nothing", "energy_kcal": -150},
        sound | {"note": "a day that no calendar has", "date": f"{first.year}-02-30"},
        sound | {"note": "an amount in letters", "protein_g": "some"},
        sound | {"note": "nothing was eaten", "food": ""},
        sound | {"note": "a time that no clock shows", "time": "25:00"},
    ]
    return write_csv(path, _MEALS, with_bad(good, bad, broken))


def write_cronometer(
    path: Path, *, seed: int, first: date, last: date, broken: int = 0, kilojoules: bool = False
) -> int:
    """Cronometer's servings.csv, of an account with the `Time` column; energy in kJ where the account is set so."""
    energy = "Energy (kJ)" if kilojoules else "Energy (kcal)"
    headings = (
        "Day", "Time", "Group", "Food Name", "Amount", energy, "Alcohol (g)", "Caffeine (mg)", "Water (g)",
        "B1 (Thiamine) (mg)", "Sodium (mg)", "Net Carbs (g)", "Carbs (g)", "Fiber (g)", "Sugars (g)", "Fat (g)",
        "Protein (g)", "Category",
    )  # fmt: skip

    def row(helping: Helping) -> dict[str, object]:
        food = helping.food
        return {
            "Day": helping.day, "Time": f"{helping.at:%I:%M %p}", "Group": helping.meal, "Food Name": food.name,
            "Amount": f"{helping.grams}.00 g", energy: helping.of(food.kcal * (_KJ if kilojoules else 1)),
            "Alcohol (g)": helping.of(food.alcohol), "Caffeine (mg)": helping.of(food.caffeine),
            "Water (g)": helping.of(food.water), "B1 (Thiamine) (mg)": helping.of(0.02 * food.protein),
            "Sodium (mg)": helping.of(food.sodium), "Net Carbs (g)": helping.of(food.carbs - food.fiber),
            "Carbs (g)": helping.of(food.carbs), "Fiber (g)": helping.of(food.fiber),
            "Sugars (g)": helping.of(food.sugar), "Fat (g)": helping.of(food.fat),
            "Protein (g)": helping.of(food.protein), "Category": food.kind,
        }  # fmt: skip

    good = [row(helping) for day in days(first, last) for helping in _helpings(seed, day)]
    sound = {"Day": first, "Group": "Lunch", "Food Name": "Bad row", "Amount": "1.00 serving", energy: 100}
    bad: list[Mapping[str, object]] = [
        sound | {energy: -150},
        sound | {"Day": f"{first.year}-02-30"},
        sound | {"Protein (g)": "some"},
        sound | {"Food Name": ""},
        sound | {"Time": "13:00 PM"},
    ]
    return write_csv(path, headings, with_bad(good, bad, broken))
