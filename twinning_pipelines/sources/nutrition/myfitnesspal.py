"""MyFitnessPal's export: meals, measurements and exercise.

From: MyFitnessPal (paying accounts), Settings, Export data: a zip with `Nutrition-Summary…csv`, `Measurement-Summary…csv`
and `Exercise-Summary…csv`, or one of them alone.
To: Serving, one for each meal, or for each entry where the file has a `Time`; Sample for measurements and steps, each over
its whole day; Workout for exercise.

The export names no foods, so a meal's own name stands for its food. Headings without a unit are as the label prints them:
fats, fiber and sugar in grams, cholesterol and potassium in milligrams, vitamins, calcium and iron in percent of a day's
need; those without a field of their own are kept in `nutrients` under their heading. A measurement has no unit: the
weight's is the one that the exercise summary of the same zip names (`Kilograms` or `Pounds`); without it, and for lengths,
values are kept as printed under `myfitnesspal:<heading>`. Exercise has no time of day: it begins at its day's midnight.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.cells import DAY, NUMBER, TIME
from twinning_pipelines.formats.columns import Cells, Column, Rest, Table
from twinning_pipelines.formats.delimited import has_columns, normalised
from twinning_pipelines.formats.part import base_name, head_part, part_of, told_in
from twinning_pipelines.formats.quantities import canonical, whole_day
from twinning_pipelines.original import Member, Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.nutrition import SERVING
from twinning_pipelines.records.sessions import WORKOUT
from twinning_pipelines.source import Item, Notice, Rejection, Row, Source, gather

_ORIGIN = "MyFitnessPal"
_DAILY = "MyFitnessPal daily"
_PREFIX = "myfitnesspal:"
_SUMMARY = re.compile(r"(?:nutrition|measurement|progress|exercise)\b.*\.csv", re.IGNORECASE)
_NUTRIENT = re.compile(
    r"(?:.+ )?Fat|Cholesterol|Sodium|Potassium|Vitamin .+|Calcium|Iron|Net Carbs|Added Sugars?|Sugar Alcohols?"
    r"|.+ \((?:g|mg|mcg|µg|iu|%)\)",
    re.IGNORECASE,
)
# A tracker's correction of the day's goal; it says how many steps there were, and is no exercise.
_CORRECTION = re.compile(r".*\bcalorie adjustment|steps", re.IGNORECASE)
_MEASURES = frozenset({"date", "weight", "body fat %", "body fat (%)", "neck", "waist", "hips", "chest", "height"})

NUTRITION = Table(
    record=SERVING,
    columns=(
        Column("day", ("Date",), DAY, required=True),
        Column("meal", ("Meal",), default=""),
        Column("time", ("Time",), TIME),
        Column("food", ("Food", "Food Name"), default=""),
        Column("energy_kcal", ("Calories",), NUMBER),
        Column("fat_g", ("Fat (g)", "Fat"), NUMBER),
        Column("carbs_g", ("Carbohydrates (g)", "Carbohydrates"), NUMBER),
        Column("protein_g", ("Protein (g)", "Protein"), NUMBER),
        Column("fiber_g", ("Fiber", "Fiber (g)"), NUMBER),
        Column("sugar_g", ("Sugar", "Sugar (g)"), NUMBER),
        Column("note", ("Note",)),
    ),
    marks=("Date", "Meal", "Calories"),
    # Lose It! has the first three as well.
    without=("Name", "Icon"),
    any_of=("Saturated Fat", "Polyunsaturated Fat", "Trans Fat"),
    rest=Rest("nutrients", NUMBER, _NUTRIENT),
)

MEASUREMENT = Table(
    record=SAMPLE,
    columns=(Column("day", ("Date",), DAY, required=True),),
    marks=("Date",),
    rest=Rest("detail", NUMBER),
)

EXERCISE = Table(
    record=WORKOUT,
    columns=(
        Column("day", ("Date",), DAY, required=True),
        Column("activity", ("Exercise",), required=True),
        Column("Type", ("Type",)),
        Column("energy_kcal", ("Exercise Calories",), NUMBER),
        Column("duration_min", ("Exercise Minutes",), NUMBER),
        Column("Sets", ("Sets",), NUMBER),
        Column("Reps Per Set", ("Reps Per Set",), NUMBER),
        Column("Kilograms", ("Kilograms",), NUMBER),
        Column("Pounds", ("Pounds",), NUMBER),
        Column("steps", ("Steps",), NUMBER),
        Column("Note", ("Note",)),
    ),
    marks=("Date", "Exercise", "Exercise Calories"),
)
_SAID = ("Type", "Sets", "Reps Per Set", "Kilograms", "Pounds", "Note")
_KILOGRAMS, _POUNDS = (has_columns(*EXERCISE.marks, heading) for heading in ("Kilograms", "Pounds"))


def _summaries(original: Original) -> list[Member]:
    return [member for member in original.members if _SUMMARY.fullmatch(base_name(member))]


def _recognises(original: Original) -> bool:
    if not original.is_zip:
        return _is_ours(original)
    return any(_is_ours(head_part(original, member)) for member in _summaries(original))


def _is_ours(original: Original) -> bool:
    return NUTRITION.recognises(original) or EXERCISE.recognises(original) or _is_measurement(original)


def _is_measurement(original: Original) -> bool:
    """`Date,Weight` and nothing that another app writes beside them."""
    first = original.text_head.split("\n", 1)[0]
    headings = {normalised(cell) for cell in first.split(",")}
    return {"date", "weight"} <= headings <= _MEASURES


def _serving(cells: Cells) -> Mapping[str, object]:
    """One meal, or one entry of it. Raises ValueError when neither has a name."""
    day, clock_time = cells.get("day", date), cells.get("time", time)
    food = cells.text("food") or cells.text("meal")
    if not food:
        raise ValueError("meal: empty")
    wall = datetime.combine(day, clock_time) if day and clock_time else None
    return dict(cells.values) | {
        "food": food,
        "amount": "",
        "eaten_at": cells.styles.clock.instant(wall) if wall else None,
    }


def _exercise(cells: Cells) -> Mapping[str, object]:
    """One exercise. Raises ValueError."""
    day, minutes = cells.get("day", date), cells.get("duration_min", float)
    if day is None:
        raise ValueError("Date: empty")
    first, last = whole_day(day, cells.styles.clock)
    said = {name: cells.values[name] for name in _SAID if cells.values[name] is not None}
    return {
        # Newer exports put quotes of their own around the name.
        "activity": cells.text("activity").strip('"').strip(),
        "origin": _ORIGIN,
        "started_at": first,
        "ended_at": first + timedelta(minutes=minutes or 0),
        "duration_min": minutes,
        "energy_kcal": cells.get("energy_kcal", float),
        "detail": json.dumps(said | {"day_only": True}, sort_keys=True, ensure_ascii=False, separators=(",", ":")),
        "steps": cells.get("steps", float),
        "until": last,
    }


def _measured(cells: Cells) -> Mapping[str, object]:
    day = cells.get("day", date)
    if day is None:
        raise ValueError("Date: empty")
    first, last = whole_day(day, cells.styles.clock)
    return {"started_at": first, "ended_at": last, "found": json.loads(cells.text("detail") or "{}")}


def _workouts(original: Original, clock: Clock) -> Iterator[Row | Rejection | Notice]:
    corrections = 0
    for item in EXERCISE.rows(original, clock, _exercise):
        if not isinstance(item, Row):
            yield item
            continue
        if _CORRECTION.fullmatch(str(item.values["activity"])):
            corrections += 1
        else:
            yield item
        if item.values["steps"]:
            first, last = item.values["started_at"], item.values["until"]
            yield _sample(item, "steps", item.values["steps"], first, last)
    if corrections:
        yield Notice(f"step counts and calorie adjustments are no exercise, only their steps are kept: {corrections}")


def _sample(row: Row, metric: str, value: object, first: object, last: object) -> Row:
    values = {"metric": metric, "origin": _DAILY, "started_at": first, "ended_at": last, "value": value}
    return Row(SAMPLE, row.at, row.raw, values)


def _measurements(original: Original, clock: Clock, weighed_in: str) -> Iterator[Row | Rejection | Notice]:
    """Every measure of every day. weighed_in: the unit of the weight, empty where nothing says it."""
    unlisted: set[str] = set()
    for item in MEASUREMENT.rows(original, clock, _measured):
        if not isinstance(item, Row):
            yield item
            continue
        found = item.values["found"]
        assert isinstance(found, dict)
        for heading, value in found.items():
            metric, ours = _metric(heading, value, weighed_in)
            unlisted |= {heading} if metric.startswith(_PREFIX) else set()
            yield _sample(item, metric, ours, item.values["started_at"], item.values["ended_at"])
    if unlisted:
        yield Notice(f"no unit is stated, kept as printed: {', '.join(sorted(unlisted))}")
    if "weight" in map(normalised, unlisted):
        yield Notice("drop the whole zip: its exercise summary says whether the weight is in kilograms or pounds")


def _metric(heading: str, value: float, weighed_in: str) -> tuple[str, float]:
    name = normalised(heading)
    if name.startswith("body fat"):
        return "body_fat", canonical("body_fat", value, "%")
    if name == "weight" and weighed_in:
        return "body_mass", canonical("body_mass", value, weighed_in)
    return f"{_PREFIX}{heading}", value


def _told(original: Original, clock: Clock, weighed_in: str) -> Iterator[Row | Rejection | Notice]:
    if NUTRITION.recognises(original):
        return NUTRITION.rows(original, clock, _serving)
    if EXERCISE.recognises(original):
        return _workouts(original, clock)
    return _measurements(original, clock, weighed_in)


def _rows(original: Original, clock: Clock) -> Iterator[Row | Rejection | Notice]:
    if not original.is_zip:
        yield from _told(original, clock, "")
        return
    members = _summaries(original)
    if not members:
        raise UnreadableFile("no summary of nutrition, measurements or exercise in the zip")
    parts = [part_of(original, member) for member in members]
    weighed_in = "kg" if any(map(_KILOGRAMS, parts)) else "lb" if any(map(_POUNDS, parts)) else ""
    for part in parts:
        yield from told_in(part.name, _told(part, clock, weighed_in))
    others = sorted(base_name(member) for member in original.members if member not in members)
    if others:
        yield Notice(f"left out, nothing of theirs is read: {', '.join(others[:10])}")


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Meals, measurements and exercise, file by file and line by line. Raises UnreadableFile."""
    return gather(_rows(original, clock), (SERVING, SAMPLE, WORKOUT))


SOURCE = Source(
    name="nutrition.myfitnesspal",
    title="MyFitnessPal",
    recognition="its nutrition, measurement or exercise summary, each by its columns, alone or in the zip",
    records=(SERVING, SAMPLE, WORKOUT),
    recognises=_recognises,
    parse=parse,
    # An export holds all of its days, so what was changed or deleted in the app is gone here as well.
    whole=True,
    expect_every=timedelta(days=31),
)
