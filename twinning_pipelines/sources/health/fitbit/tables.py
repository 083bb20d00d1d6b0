"""Fitbit's newer tables, one measure in each, known by their headings.

Stamps with a Z are UTC, those without an offset are the person's own time; whatever sums up a day or a night stands for
that local day. Blood oxygen of exactly 50 is what the device writes when it found none. Facts: headings of real
exports in public parsers.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.dates import DateStyle
from twinning_pipelines.formats.delimited import MAX_BYTES, Line, Recognition, open_sheet
from twinning_pipelines.formats.json_values import detail_of, number_of, shown
from twinning_pipelines.formats.quantities import canonical, whole_day
from twinning_pipelines.formats.text import decode
from twinning_pipelines.formats.times import instant_of, stamp_of
from twinning_pipelines.original import Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.fitbit.series import DAYS_ORIGIN, ORIGIN, PREFIX
from twinning_pipelines.sources.health.places import Desk

_ISO = DateStyle("YMD")
_NO_OXYGEN = 50.0


class Table(Struct, frozen=True):
    """One kind of table.

    marks: headings that it is known by; name: how its file is called, where they do not suffice. when: the heading of
    the beginning, until: of the end. length: how long a value stands for; None for the person's whole day.
    label: the heading of a category.
    """

    metric: str
    unit: str
    when: str
    value: str
    marks: tuple[str, ...]
    length: timedelta | None = None
    until: str = ""
    label: str = ""
    name: str = ""

    def holds(self, original: Original) -> bool:
        """Is a file of this kind?"""
        is_named = original.name.lower().startswith(self.name.lower())
        return is_named and Recognition((self.when, self.value, *self.marks))(original)


_DAY, _MOMENT, _MINUTE = None, timedelta(), timedelta(minutes=1)
_RMSSD = "heart_rate_variability_rmssd"
TABLES = (
    Table("oxygen_saturation", "%", "timestamp", "average_value", ("lower_bound", "upper_bound")),
    Table("oxygen_saturation", "%", "timestamp", "value", (), _MINUTE, name="Minute SpO2"),
    Table(_RMSSD, "ms", "timestamp", "rmssd", ("nremhr", "entropy")),
    Table(_RMSSD, "ms", "timestamp", "rmssd", ("coverage", "low_frequency"), timedelta(minutes=5)),
    Table("respiratory_rate", "bpm", "timestamp", "daily_respiratory_rate", ()),
    Table(
        "sleeping_wrist_temperature",
        "°C",
        "sleep_start",
        "nightly_temperature",
        ("temperature_samples",),
        until="sleep_end",
    ),
    Table(f"{PREFIX}sleep_score", "", "timestamp", "overall_score", ("sleep_log_entry_id",), _MOMENT),
    Table(
        f"{PREFIX}active_zone_minutes", "min", "date_time", "total_minutes", ("heart_zone_id",), _MINUTE,
        label="heart_zone_id",
    ),
    Table(f"{PREFIX}stress_score", "", "DATE", "STRESS_SCORE", ("UPDATED_AT", "MAX_SLEEP_POINTS")),
    Table(f"{PREFIX}readiness", "", "date", "readiness_score_value", ("readiness_state",)),
)  # fmt: skip


def table_of(original: Original) -> Table | None:
    """The kind of table that a file is, by its head; None for any other."""
    return next((table for table in TABLES if table.holds(original)), None)


def table_rows(original: Original, desk: Desk) -> Iterator[Row | Rejection]:
    """The sample of each line. Raises UnreadableFile."""
    table = table_of(original)
    if table is None or original.size > MAX_BYTES:
        raise UnreadableFile("not a table of Fitbit, or a very large one")
    with original.open() as stream:
        decoded = decode(stream.read())
    if decoded.is_binary:
        raise UnreadableFile("not a text file")
    sheet = open_sheet(decoded.text, (table.when, table.value))
    for line in sheet:
        place = desk.places.next(line.raw)
        try:
            values = _sample(line, table, sheet.headings, desk.clock)
        except (ValueError, OverflowError) as fault:
            yield place.rejection(SAMPLE, fault)
            continue
        if values is None:
            desk.oddities.left_out["minutes without a blood oxygen"] += 1
            continue
        if table.metric.startswith(PREFIX):
            desk.oddities.unregistered[table.metric] += 1
        yield Row(SAMPLE, place.at, place.raw, values)


def _sample(line: Line, table: Table, headings: tuple[str, ...], clock: Clock) -> Mapping[str, object] | None:
    """The fields of a sample; None where the device found nothing. Raises ValueError."""
    if line.damage:
        raise ValueError(line.damage)
    value = number_of(table.value, line.get(_key(table.value)))
    if table.metric == "oxygen_saturation" and value == _NO_OXYGEN:
        return None
    started, ended = _span(line, table, clock)
    said = {_key(name) for name in (table.when, table.value, table.until, table.label)}
    rest: dict[str, object] = {name: line.get(_key(name)) for name in headings if name and _key(name) not in said}
    is_registered = not table.metric.startswith(PREFIX)
    return {
        "metric": table.metric,
        "origin": DAYS_ORIGIN if table.length is None and not table.until else ORIGIN,
        "started_at": started,
        "ended_at": ended,
        "value": canonical(table.metric, value, table.unit) if is_registered else value,
        "label": line.get(_key(table.label)) or None,
        "detail": detail_of(rest | {"unit": None if is_registered else table.unit}),
    }


def _span(line: Line, table: Table, clock: Clock) -> tuple[datetime, datetime]:
    printed = _stamp(line, table.when)
    if table.until:
        return instant_of(printed, clock), instant_of(_stamp(line, table.until), clock)
    if table.length is None:
        # A day's stamp is its midnight, whatever zone it pretends to be in.
        return whole_day(printed.date(), clock)
    started = instant_of(printed, clock)
    return started, started + table.length


def _stamp(line: Line, heading: str) -> datetime:
    cell = line.get(_key(heading))
    if not cell:
        raise ValueError(f"{heading}: empty")
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        pass
    try:
        return stamp_of(cell, _ISO.read)
    except ValueError:
        raise ValueError(f"{heading}: not a time: {shown(cell)}") from None


def _key(heading: str) -> str:
    """A heading as the lines of a sheet know it."""
    return " ".join(heading.replace("_", " ").lower().split())
