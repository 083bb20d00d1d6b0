"""MacroFactor's food log and its daily figures.

From: MacroFactor, More, Data export: the workbook (xlsx) of a quick or a granular export, or the food log as CSV.
To: Serving for the food log; Sample for every figure of a day (energy, nutrients, weight, steps), over its whole day.

`Serving Weight (g)` is the mass of what was eaten, not of one serving. A sheet of daily figures is known by its headings:
`Date`, and otherwise only names with a unit in brackets or names from the list below. Days may be Excel's serial numbers.
Figures without a metric of ours keep their name, `macrofactor:Trend Weight`; so does the expenditure, which the app
estimates. Targets are goals and no facts: they are left out, like sheets of another kind, and the receipt names them.
A figure that a second sheet tells again counts once.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.cells import DAY, NUMBER, TIME, Reading, Styles
from twinning_pipelines.formats.columns import Cells, Column, Rest, Table, bracketed
from twinning_pipelines.formats.delimited import has_columns, normalised, open_sheet
from twinning_pipelines.formats.part import told_in
from twinning_pipelines.formats.quantities import canonical, whole_day
from twinning_pipelines.formats.workbook import sheet_names, sheets
from twinning_pipelines.original import Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.nutrition import SERVING
from twinning_pipelines.source import Item, Notice, Rejection, Row, Source, gather

_DAILY = "MacroFactor daily"
_PREFIX = "macrofactor:"
_LISTED = 20
_LINE_FEED = b"\n"
_Told = Row | Rejection | Notice
_SHEETS = frozenset({"Quick Export", "Food Log", "Calories & Macros", "Scale Weight", "Weight Trend"})
_WITH_UNIT = re.compile(r"(.+) \(([^()]+)\)")
_FIGURE = re.compile(r"(?!Target\b).+", re.IGNORECASE)

# Figures by their heading without its unit; some headings have none, and then the unit is the one beside the metric.
_FIGURES: Mapping[str, tuple[str, str]] = {
    "calories": ("dietary_energy", "kcal"),
    "protein": ("dietary_protein", "g"),
    "fat": ("dietary_fat", "g"),
    "carbs": ("dietary_carbohydrates", "g"),
    "fiber": ("dietary_fiber", "g"),
    "sugars": ("dietary_sugar", "g"),
    "saturated fat": ("dietary_fat_saturated", "g"),
    "monounsaturated fat": ("dietary_fat_monounsaturated", "g"),
    "polyunsaturated fat": ("dietary_fat_polyunsaturated", "g"),
    "cholesterol": ("dietary_cholesterol", "mg"),
    "sodium": ("dietary_sodium", "mg"),
    "potassium": ("dietary_potassium", "mg"),
    "calcium": ("dietary_calcium", "mg"),
    "iron": ("dietary_iron", "mg"),
    "magnesium": ("dietary_magnesium", "mg"),
    "zinc": ("dietary_zinc", "mg"),
    "vitamin c": ("dietary_vitamin_c", "mg"),
    "vitamin d": ("dietary_vitamin_d", "mcg"),
    "b12, cobalamin": ("dietary_vitamin_b12", "mcg"),
    "caffeine": ("dietary_caffeine", "mg"),
    "water": ("dietary_water", "mL"),
    "fat percent": ("body_fat", "%"),
    "body fat": ("body_fat", "%"),
    "waist": ("waist_circumference", "cm"),
    "steps": ("steps", "count"),
}
# The scale shows kilograms or pounds: a weight without its unit is none of ours.
_WEIGHT = "weight"
_BARE = frozenset({*_FIGURES, "expenditure", "trend weight", _WEIGHT})


def _day(cell: str, styles: Styles) -> object:
    """A day, also as the number of days since 1899-12-30 by which Excel stores it."""
    if re.fullmatch(r"\d{5}", cell, re.ASCII):
        return date(1899, 12, 30) + timedelta(days=int(cell))
    return DAY.read(cell, styles)


_DAY = Reading(DAY.says, _day, "date")

FOOD_LOG = Table(
    record=SERVING,
    columns=(
        Column("day", ("Date",), _DAY, required=True),
        Column("time", ("Time",), TIME),
        Column("food", ("Food Name",), required=True),
        Column("size", ("Serving Size",), default=""),
        Column("quantity", ("Serving Qty",), default=""),
        Column("grams", ("Serving Weight (g)",), NUMBER),
        Column("energy_kcal", ("Calories ()", "Energy ()"), NUMBER, unit="kcal"),
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
    marks=("Date", "Food Name", "Serving Size"),
    rest=Rest("nutrients", NUMBER, _WITH_UNIT),
)

DAYS = Table(
    record=SAMPLE,
    columns=(Column("day", ("Date",), _DAY, required=True),),
    marks=("Date",),
    rest=Rest("detail", NUMBER, _FIGURE),
)
_IS_QUICK_CSV = has_columns(
    "Date", "Expenditure", any_of=("Trend Weight (kg)", "Trend Weight (lbs)", "Trend Weight (lb)")
)


def _recognises(original: Original) -> bool:
    if original.is_zip:
        return not _SHEETS.isdisjoint(sheet_names(original))
    return FOOD_LOG.recognises(original) or _IS_QUICK_CSV(original)


def _serving(cells: Cells) -> Mapping[str, object]:
    day, clock_time = cells.get("day", date), cells.get("time", time)
    wall = datetime.combine(day, clock_time) if day and clock_time else None
    return dict(cells.values) | {
        "meal": "",
        "amount": f"{cells.text('quantity')} {cells.text('size')}".strip(),
        "eaten_at": cells.styles.clock.instant(wall) if wall else None,
    }


def _figures(cells: Cells) -> Mapping[str, object]:
    day = cells.get("day", date)
    if day is None:
        raise ValueError("Date: empty")
    first, last = whole_day(day, cells.styles.clock)
    return {"started_at": first, "ended_at": last, "found": json.loads(cells.text("detail") or "{}")}


def _is_days(original: Original) -> bool:
    """A date and, beside it, nothing but figures and targets."""
    try:
        headings = open_sheet(original.text_head, DAYS.marks).headings
    except UnreadableFile:
        return False
    others = [heading for heading in headings if heading and normalised(heading) != "date"]
    return any(map(_is_figure, others)) and all(_is_figure(each) or not _FIGURE.fullmatch(each) for each in others)


def _is_figure(heading: str) -> bool:
    return _FIGURE.fullmatch(heading) is not None and (bracketed(heading) != "" or normalised(heading) in _BARE)


def _days(original: Original, clock: Clock, known: dict[tuple[object, object], str]) -> Iterator[_Told]:
    """Figures of days. known: which figure of which day was told by which sheet."""
    again, unlisted = 0, set[str]()
    for item in DAYS.rows(original, clock, _figures):
        if not isinstance(item, Row):
            yield item
            continue
        for sample in _samples(item):
            metric = str(sample.values["metric"])
            if known.setdefault((metric, sample.values["started_at"]), original.name) != original.name:
                again += 1
                continue
            unlisted |= {metric} if metric.startswith(_PREFIX) else set()
            yield sample
    if again:
        yield Notice(f"figures that another sheet has told: {again}")
    if unlisted:
        yield Notice(f"figures without a metric of ours, kept as printed: {', '.join(sorted(unlisted)[:_LISTED])}")


def _samples(row: Row) -> Iterator[Row]:
    found = row.values["found"]
    assert isinstance(found, dict)
    for heading, value in found.items():
        values = {
            "origin": _DAILY,
            "started_at": row.values["started_at"],
            "ended_at": row.values["ended_at"],
            **_measured(heading, value),
        }
        yield Row(SAMPLE, row.at, row.raw, values)


def _measured(heading: str, value: float) -> Mapping[str, object]:
    """The metric and our value of a figure; under its own name, with its unit, where we have no metric for it."""
    unit, name = bracketed(heading), heading.split(" (", maxsplit=1)[0]
    metric, usual = _FIGURES.get(normalised(name), ("body_mass" if normalised(name) == _WEIGHT else "", ""))
    if metric == "dietary_water" and unit == "g":
        unit = "mL"
    try:
        if metric:
            return {"metric": metric, "value": canonical(metric, value, unit or usual)}
    except ValueError:
        pass
    detail = json.dumps({"unit": unit}, ensure_ascii=False, separators=(",", ":")) if unit else None
    return {"metric": f"{_PREFIX}{name}", "value": value, "detail": detail}


def _rows(original: Original, clock: Clock) -> Iterator[_Told]:
    known: dict[tuple[object, object], str] = {}
    if not original.is_zip:
        food = FOOD_LOG.recognises(original)
        yield from FOOD_LOG.rows(original, clock, _serving) if food else _days(original, clock, known)
        return
    if not sheet_names(original):
        raise UnreadableFile("no workbook")
    others: list[str] = []
    for sheet in sheets(original):
        if FOOD_LOG.recognises(sheet):
            yield from told_in(sheet.name, FOOD_LOG.rows(sheet, clock, _serving))
        elif _is_days(sheet):
            yield from told_in(sheet.name, _days(sheet, clock, known))
        else:
            others.append(f"{sheet.name} ({max(sheet.data.count(_LINE_FEED) - 1, 0)} rows)")
    if others:
        yield Notice(f"sheets that are not read: {', '.join(others[:_LISTED])}")


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Servings and figures, sheet by sheet and line by line. Raises UnreadableFile."""
    return gather(_rows(original, clock), (SERVING, SAMPLE))


SOURCE = Source(
    name="nutrition.macrofactor",
    title="MacroFactor",
    recognition="a CSV with the columns Date, Food Name and Serving Size, or a workbook with one of its sheets",
    records=(SERVING, SAMPLE),
    recognises=_recognises,
    parse=parse,
    unit="row",
    # An export holds all of its days; those that were emptied in the app are gone here as well.
    whole=True,
    expect_every=timedelta(days=31),
)
