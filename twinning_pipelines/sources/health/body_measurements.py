"""Body measurements kept by hand: weight, body fat, waist, blood pressure, glucose, temperature, or anything else.

From: our own template, `body_measurements.csv`. To: Sample.

The metric is any name or title of the list of metrics, or one of a few everyday words; a blood pressure is written
`120/80` and becomes two samples. Every value says its unit and is converted; `%` means hundredths. What the list does not
know is kept as `own:<name>`, in the unit as written. Without a time a value holds for its whole day.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.cells import DAY, TIME, ZONE, Reading, Styles
from twinning_pipelines.formats.columns import Cells, Column, Table
from twinning_pipelines.formats.delimited import normalised
from twinning_pipelines.formats.quantities import canonical, unit_of, whole_day
from twinning_pipelines.original import Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.metrics import METRIC_BY_NAME, METRICS
from twinning_pipelines.source import Item, Notice, Rejection, Row, Source, gather

_PREFIX = "own:"
_BY_HAND = "by hand"
_PRESSURES = ("blood_pressure_systolic", "blood_pressure_diastolic")
_LISTED = 20

_WORDS: Mapping[str, str] = {
    **{normalised(metric.title): metric.name for metric in METRICS},
    **{normalised(metric.name): metric.name for metric in METRICS},
    "fat": "body_fat",
    "bmi": "body_mass_index",
    "waist": "waist_circumference",
    "systolic": "blood_pressure_systolic",
    "diastolic": "blood_pressure_diastolic",
    "glucose": "blood_glucose",
    "blood sugar": "blood_glucose",
    "temperature": "body_temperature",
    "pulse": "heart_rate",
    "resting pulse": "resting_heart_rate",
    "spo2": "oxygen_saturation",
    "vo2max": "vo2_max",
}


def _numbers(cell: str, styles: Styles) -> tuple[float, ...]:
    parts = cell.split("/")
    if len(parts) > 2:
        raise ValueError(f"neither a number nor two: {cell[:40]!r}")
    return tuple(float(styles.numbers.read(part.strip())) for part in parts)


_VALUE = Reading("a number; 120/80 for a blood pressure", _numbers, "number")

TABLE = Table(
    record=SAMPLE,
    columns=(
        Column("day", ("date",), DAY, required=True, meaning="your local day"),
        Column("time", ("time",), TIME, meaning="when; without it the value holds for the whole day"),
        Column("zone", ("zone", "tz"), ZONE, meaning="where the time holds, if not where you live"),
        Column("metric", ("metric",), required=True, meaning="what: weight, waist, blood pressure, any listed metric"),
        Column("value", ("value",), _VALUE, required=True),
        Column("unit", ("unit",), default="", meaning="kg, lb, %, cm, mmHg, mg/dL, mmol/L, °C, …; counts need none"),
        Column("origin", ("device",), default=_BY_HAND),
        Column("note", ("note",), meaning="a remark"),
    ),
    marks=("date", "metric", "value", "unit"),
)


def _measured(cells: Cells) -> Mapping[str, object]:
    """What the samples of one line share, and under `pairs` the metric and value of each. Raises ValueError."""
    zone = cells.get("zone", ZoneInfo)
    started, ended = _span(cells, Clock.fixed(zone) if zone else cells.styles.clock)
    pairs = _pairs(cells.text("metric"), cells.get("value", tuple) or (), cells.text("unit"))
    detail = {"note": cells.text("note")} if cells.text("note") else {}
    if pairs[0][0].startswith(_PREFIX) and cells.text("unit"):
        detail["unit"] = cells.text("unit")
    return {
        "origin": cells.text("origin"),
        "started_at": started,
        "ended_at": ended,
        "detail": json.dumps(detail, sort_keys=True, ensure_ascii=False, separators=(",", ":")) if detail else None,
        "pairs": pairs,
    }


def _span(cells: Cells, clock: Clock) -> tuple[datetime, datetime]:
    day, clock_time = cells.get("day", date), cells.get("time", time)
    if day is None:
        raise ValueError("date: empty")
    if clock_time is None:
        return whole_day(day, clock)
    instant = clock.instant(datetime.combine(day, clock_time))
    return instant, instant


def _pairs(named: str, values: tuple[float, ...], unit: str) -> list[tuple[str, float]]:
    word = normalised(named)
    if word == "blood pressure":
        if len(values) != len(_PRESSURES):
            raise ValueError("value: a blood pressure is written as 120/80")
        return [(metric, _in_our_unit(metric, value, unit)) for metric, value in zip(_PRESSURES, values, strict=True)]
    if len(values) != 1:
        raise ValueError("value: two numbers, and the metric is no blood pressure")
    metric = _WORDS.get(word)
    return [(f"{_PREFIX}{named}", values[0]) if metric is None else (metric, _in_our_unit(metric, values[0], unit))]


def _in_our_unit(metric: str, value: float, unit: str) -> float:
    wanted = METRIC_BY_NAME[metric].unit
    if not unit and wanted != "count":
        raise ValueError(f"unit: empty; {metric} is kept in {wanted}, say what this value is in")
    return canonical(metric, value, unit_of(unit) if unit else wanted)


def _rows(original: Original, clock: Clock) -> Iterator[Row | Rejection | Notice]:
    unlisted: set[str] = set()
    for item in TABLE.rows(original, clock, _measured):
        if not isinstance(item, Row):
            yield item
            continue
        pairs = item.values["pairs"]
        assert isinstance(pairs, list)
        for metric, value in pairs:
            unlisted |= {metric} if metric.startswith(_PREFIX) else set()
            yield Row(SAMPLE, item.at, item.raw, dict(item.values) | {"metric": metric, "value": value})
    if unlisted:
        names = ", ".join(sorted(unlisted)[:_LISTED])
        yield Notice(f"metrics that the list does not know, kept as written: {names}")


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Measurements, line by line. Raises UnreadableFile."""
    return gather(_rows(original, clock), (SAMPLE,))


SOURCE = Source(
    name="health.body_measurements",
    title="Body measurements, our template",
    recognition="a CSV with the columns date, metric, value and unit",
    records=(SAMPLE,),
    recognises=TABLE.recognises,
    parse=parse,
    expect_every=timedelta(days=31),
    template="body_measurements.csv",
)
