"""The tables of Lose It!'s export, each told into rows."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import PurePosixPath

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.cells import DAY, FLAG, NUMBER, TEXT
from twinning_pipelines.formats.columns import Cells, Column, Rest, Table
from twinning_pipelines.formats.delimited import open_sheet
from twinning_pipelines.formats.quantities import canonical, unit_of, whole_day
from twinning_pipelines.original import Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.nutrition import SERVING
from twinning_pipelines.records.sessions import WORKOUT
from twinning_pipelines.source import Notice, Rejection, Row

Told = Row | Rejection | Notice

PROFILE = "profile.csv"
TABLES = "its food log, exercise log, weights, calorie summary or a file of values"

_ORIGIN = "Lose It!"
_DAILY = "Lose It! daily"
_PREFIX = "lose_it:"
_NOTHING = frozenset({"n/a", "N/A"})
_ADJUSTMENT = re.compile(r".*\badjustment\b.*", re.IGNORECASE)
_EXERCISE = "exercise"
_WITH_UNIT = re.compile(r"(.+) \(([^()]+)\)")

# What the files of values measure, by their names, and in which unit.
_VALUES: Mapping[str, tuple[str, str]] = {
    "steps": ("steps", "count"),
    "body-fat": ("body_fat", "%"),
    "protein": ("dietary_protein", "g"),
    "carbohydrates": ("dietary_carbohydrates", "g"),
    "fiber": ("dietary_fiber", "g"),
}

FOODS = Table(
    record=SERVING,
    columns=(
        Column("day", ("Date",), DAY, required=True),
        Column("food", ("Name",), required=True),
        Column("meal", ("Meal", "Type"), default=""),
        Column("quantity", ("Quantity",), default=""),
        Column("units", ("Units",), default=""),
        Column("energy_kcal", ("Calories",), NUMBER),
        Column("fat_g", ("Fat (g)",), NUMBER),
        Column("protein_g", ("Protein (g)",), NUMBER),
        Column("carbs_g", ("Carbohydrates (g)",), NUMBER),
        Column("sugar_g", ("Sugars (g)",), NUMBER),
        Column("fiber_g", ("Fiber (g)",), NUMBER),
        Column("deleted", ("Deleted",), FLAG, default=False),
    ),
    marks=("Date", "Name", "Quantity", "Units", "Calories"),
    any_of=("Meal", "Fat (g)"),
    ignored=("Icon",),
    nothing=_NOTHING,
    rest=Rest("nutrients", NUMBER, _WITH_UNIT),
)

EXERCISES = Table(
    record=WORKOUT,
    columns=(
        Column("day", ("Date",), DAY, required=True),
        Column("activity", ("Name",), required=True),
        Column("type", ("Type",), default=""),
        Column("quantity", ("Quantity",), NUMBER),
        Column("units", ("Units",), default=""),
        Column("energy_kcal", ("Calories",), NUMBER),
        Column("deleted", ("Deleted",), FLAG, default=False),
    ),
    marks=("Date", "Name", "Quantity", "Units", "Calories"),
    without=("Meal", "Fat (g)"),
    any_of=("Icon", "Deleted"),
    ignored=("Icon",),
    nothing=_NOTHING,
)

WEIGHTS = Table(
    record=SAMPLE,
    columns=(
        Column("day", ("Date",), DAY, required=True),
        Column("value", ("Weight",), NUMBER, required=True),
        Column("deleted", ("Deleted",), FLAG, default=False),
        Column("updated", ("Last Updated",), TEXT),
    ),
    marks=("Date", "Weight", "Last Updated"),
    nothing=_NOTHING,
)

VALUES = Table(
    record=SAMPLE,
    columns=(
        Column("day", ("Date",), DAY, required=True),
        Column("value", ("Value",), NUMBER, required=True),
        Column("second", ("Secondary Value",), NUMBER),
        Column("deleted", ("Deleted",), FLAG, default=False),
        Column("updated", ("Last Updated",), TEXT),
    ),
    marks=("Date", "Value", "Last Updated"),
    nothing=_NOTHING,
)

DAILY_VALUES = Table(
    record=SAMPLE,
    columns=(
        Column("day", ("Date",), DAY, required=True),
        Column("name", ("Name",), required=True),
        Column("value", ("Value",), NUMBER, required=True),
    ),
    marks=("Date", "Name", "Value"),
    without=("Quantity",),
    nothing=_NOTHING,
)

CALORIES = Table(
    record=SAMPLE,
    columns=(
        Column("day", ("Date",), DAY, required=True),
        Column("dietary_energy", ("Food cals",), NUMBER),
        Column(f"{_PREFIX}exercise cals", ("Exercise cals",), NUMBER),
        Column(f"{_PREFIX}budget cals", ("Budget cals",), NUMBER),
        Column(f"{_PREFIX}EER", ("EER",), NUMBER),
    ),
    marks=("Date", "Food cals", "Budget cals"),
    nothing=_NOTHING,
)


def is_ours(original: Original, *, in_zip: bool = False) -> bool:
    """Is it one of the tables? Names with values say too little to be known outside of a zip."""
    tables = (FOODS, EXERCISES, WEIGHTS, VALUES, CALORIES, *([DAILY_VALUES] if in_zip else []))
    return any(table.recognises(original) for table in tables)


def weight_unit(profile: Original) -> str:
    """The unit of the weight, as far as the profile's plan names it ("Lose 1 lb a week"); else empty."""
    try:
        with profile.open() as stream:
            sheet = open_sheet(stream.read().decode("utf-8", errors="replace"), ("Name", "Value"))
    except UnreadableFile:
        return ""
    plan = " ".join(line.get("value") for line in sheet if line.get("name").lower() == "plan")
    units = {unit_of(word) for word in re.findall(r"\b(?:kgs?|lbs?)\b", plan, re.IGNORECASE)}
    return units.pop() if len(units) == 1 else ""


def rows_of(original: Original, clock: Clock, weighed_in: str) -> Iterator[Told]:
    """The rows of one table. weighed_in: the unit of the weight, empty where nothing says it. Raises UnreadableFile."""
    if FOODS.recognises(original):
        return _kept(FOODS.rows(original, clock, _food))
    if EXERCISES.recognises(original):
        return _kept(EXERCISES.rows(original, clock, _exercise))
    if CALORIES.recognises(original):
        return _spread(CALORIES.rows(original, clock, _spanned), _summary)
    if WEIGHTS.recognises(original):
        return _spread(WEIGHTS.rows(original, clock, _spanned), partial(_figure, "weight", weighed_in))
    if VALUES.recognises(original):
        # A browser that saves a file twice numbers the second: `steps (1).csv`.
        name = re.sub(r"\s*\(\d+\)$", "", PurePosixPath(original.name).stem.lower())
        return _spread(VALUES.rows(original, clock, _spanned), partial(_figure, name, ""))
    return _spread(DAILY_VALUES.rows(original, clock, _spanned), _named)


def _kept(items: Iterator[Told]) -> Iterator[Told]:
    """Without what was deleted, and without the exercise that a tracker's adjustment repeats."""
    deleted = adjusted = 0
    for item in items:
        if not isinstance(item, Row):
            yield item
        elif item.values["deleted"]:
            deleted += 1
        elif _is_exercise(item) and _ADJUSTMENT.fullmatch(str(item.values["activity"])):
            adjusted += 1
        elif _is_exercise(item) and item.record is SERVING:
            yield Row(WORKOUT, item.at, item.raw, item.values)
        else:
            yield item
    if deleted:
        yield Notice(f"left out, deleted in the app: {deleted}")
    if adjusted:
        yield Notice(f"left out, a tracker's adjustment repeats its own count: {adjusted}")


def _is_exercise(row: Row) -> bool:
    return row.record is WORKOUT or str(row.values["meal"]).lower() == _EXERCISE


def _food(cells: Cells) -> Mapping[str, object]:
    """A food; in the report of a day or week an exercise, too, with the energy that it took as a negative number."""
    amount = f"{cells.text('quantity')} {cells.text('units')}".strip()
    values = dict(cells.values) | {"amount": amount}
    if cells.text("meal").lower() != _EXERCISE:
        return values
    quantity = float(cells.styles.numbers.read(cells.text("quantity"))) if cells.text("quantity") else None
    return values | _workout(cells, cells.text("food"), quantity, "")


def _exercise(cells: Cells) -> Mapping[str, object]:
    return dict(cells.values) | _workout(
        cells, cells.text("activity"), cells.get("quantity", float), cells.text("type")
    )


def _workout(cells: Cells, activity: str, quantity: float | None, kind: str) -> dict[str, object]:
    first, _ = _span(cells)
    unit, energy = cells.text("units"), cells.get("energy_kcal", float)
    minutes = None
    if quantity is not None and unit_of(unit) in ("min", "hr", "s"):
        minutes = canonical("exercise_time", quantity, unit)
    said = {"type": kind, "quantity": quantity, "units": unit} if minutes is None else {"type": kind}
    detail = {name: value for name, value in said.items() if value} | {"day_only": True}
    return {
        "activity": activity,
        "origin": _ORIGIN,
        "started_at": first,
        "ended_at": first + timedelta(minutes=minutes or 0),
        "duration_min": minutes,
        "energy_kcal": None if energy is None else abs(energy),
        "detail": json.dumps(detail, sort_keys=True, ensure_ascii=False, separators=(",", ":")),
    }


def _span(cells: Cells) -> tuple[datetime, datetime]:
    day = cells.get("day", date)
    if day is None:
        raise ValueError("Date: empty")
    return whole_day(day, cells.styles.clock)


def _spanned(cells: Cells) -> Mapping[str, object]:
    first, last = _span(cells)
    return {"deleted": False, "second": None} | dict(cells.values) | {"started_at": first, "ended_at": last}


def _spread(items: Iterator[Told], told: Callable[[Row], Iterator[Mapping[str, object]]]) -> Iterator[Told]:
    """The samples of each line that was not deleted."""
    deleted, unlisted = 0, set[str]()
    for item in items:
        if not isinstance(item, Row):
            yield item
        elif item.values["deleted"]:
            deleted += 1
        else:
            for sample in told(item):
                unlisted |= {str(sample["metric"])} if str(sample["metric"]).startswith(_PREFIX) else set()
                shared = {name: item.values[name] for name in ("started_at", "ended_at")}
                yield Row(SAMPLE, item.at, item.raw, {"origin": _DAILY, **shared, **sample})
    if deleted:
        yield Notice(f"left out, deleted in the app: {deleted}")
    if unlisted:
        yield Notice(f"figures without a metric or a unit, kept as printed: {', '.join(sorted(unlisted)[:20])}")


def _figure(name: str, weighed_in: str, row: Row) -> Iterator[Mapping[str, object]]:
    metric, unit = ("body_mass", weighed_in) if weighed_in else _VALUES.get(name, (f"{_PREFIX}{name}", ""))
    value, second = row.values["value"], row.values["second"]
    assert isinstance(value, float)
    yield {
        "metric": metric,
        "value": canonical(metric, value, unit) if unit else value,
        "detail": json.dumps({"second": second}, separators=(",", ":")) if second else None,
    }


def _named(row: Row) -> Iterator[Mapping[str, object]]:
    yield {"metric": f"{_PREFIX}{row.values['name']}", "value": row.values["value"]}


def _summary(row: Row) -> Iterator[Mapping[str, object]]:
    for column in CALORIES.columns[1:]:
        if row.values[column.field] is not None:
            yield {"metric": column.field, "value": row.values[column.field]}
