"""A number and its unit as people and apps spell them, to the canonical unit of a metric; and the span of a whole day."""

from datetime import date, datetime, time, timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.records.metrics import METRIC_BY_NAME, conversion

_DIGITS = 6
_SHOWN = 40
_ONE_DAY = timedelta(days=1)

# Apple writes `%` for what is a fraction; everybody else means hundredths.
_SPELLINGS: dict[str, str] = {
    spelling: unit
    for unit, spellings in {
        "percent": "% percent",
        "kg": "kg kgs kilogram kilograms",
        "lb": "lb lbs pound pounds",
        "st": "st stone",
        "g": "g gram grams",
        "mg": "mg",
        "mcg": "mcg µg μg ug",
        "kcal": "kcal cal calories",
        "kJ": "kj",
        "cm": "cm",
        "m": "m",
        "in": "in inch inches \"",
        "ft": "ft foot feet",
        "mmHg": "mmhg",
        "kPa": "kpa",
        "mg/dL": "mg/dl",
        "mmol/L": "mmol/l",
        "degC": "°c c degc celsius",
        "degF": "°f f degf fahrenheit",
        "mL": "ml",
        "L": "l",
        "count/min": "bpm count/min /min 1/min",
        "min": "min minutes",
        "hr": "h hr hours",
        "s": "s seconds",
        "count": "count steps",
    }.items()
    for spelling in spellings.split()
}  # fmt: skip


def unit_of(spelled: str) -> str:
    """Our word for a unit, `lb` for `Lbs`; a unit that nobody knows stays as it is written."""
    return _SPELLINGS.get(spelled.strip().lower(), spelled.strip())


def canonical(metric: str, value: float, unit: str) -> float:
    """The value in the metric's own unit. Raises ValueError when the unit can't become it; KeyError for no metric of ours."""
    wanted = METRIC_BY_NAME[metric].unit
    found = conversion(unit_of(unit), wanted)
    if found is None:
        raise ValueError(f"unit: {unit[:_SHOWN]!r} is not known for {metric}, which is kept in {wanted}")
    return round(value * found.factor + found.offset, _DIGITS)


def whole_day(day: date, clock: Clock) -> tuple[datetime, datetime]:
    """From one local midnight to the next, UTC: the span of what is told of a day. Raises OverflowError at the calendar's end."""
    first, last = (clock.instant(datetime.combine(each, time.min)) for each in (day, day + _ONE_DAY))
    return first, last
