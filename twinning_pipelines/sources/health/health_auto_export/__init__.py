"""Everything that the app Health Auto Export takes out of Apple Health as JSON.

From: Health Auto Export, manual export or automation, format JSON: one file, or a zip of such files.
To: Sample, Workout, Route, SleepStage, SleepSession, Correlation, Electrocardiogram, Mood, MedicationDose.

The app aggregates: a value is the sum or the mean of a minute, an hour or a day, of all devices together. It is stored
with that span and the app as its origin, so that it never mixes with the raw rows of Apple's own export; the devices,
the smallest and the largest value are its detail. How finely a file aggregates shows in its dates alone, so a file is
read twice: once for its dates and the names of its metrics, which may stand behind their data, and once for its rows.
Facts: the app's page "API Export, JSON Format", and the parsers of irvinlim/apple-health-ingester.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from msgspec import Struct, field

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.json_stream import Path, Value, values
from twinning_pipelines.formats.json_values import text_of
from twinning_pipelines.formats.part import base_name
from twinning_pipelines.original import Member, Original, as_text
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.medical import CORRELATION, DOSE, ELECTROCARDIOGRAM, MOOD
from twinning_pipelines.records.sessions import ROUTE, SLEEP_SESSION, SLEEP_STAGE, WORKOUT
from twinning_pipelines.source import Item, Notice, Rejection, Row, Source, gather
from twinning_pipelines.sources.health.exercise import Oddities
from twinning_pipelines.sources.health.health_auto_export.entries import SECTIONS, entry_rows
from twinning_pipelines.sources.health.health_auto_export.metrics import HEART_RATE, Told, point_rows
from twinning_pipelines.sources.health.health_auto_export.sleep import SLEEP, sleep_rows
from twinning_pipelines.sources.health.health_auto_export.stamps import Grain, grain_of, stamp
from twinning_pipelines.sources.health.health_auto_export.workouts import workout_rows
from twinning_pipelines.sources.health.places import Opening, Place, Places, head_of

_RECORDS = (SAMPLE, WORKOUT, ROUTE, SLEEP_STAGE, SLEEP_SESSION, CORRELATION, ELECTROCARDIOGRAM, MOOD, DOSE)
_METRICS, _WORKOUTS = "metrics", "workouts"
_MARK = re.compile(rf'\s*\{{\s*"data"\s*:\s*\{{\s*"(?:{"|".join((_METRICS, _WORKOUTS, *SECTIONS))})"\s*:\s*\[')
_SNIFFED_MEMBERS = 50


def _exports_in(original: Original) -> list[Member]:
    """The members of a zip that are exports, by content."""
    candidates = [member for member in original.members if member.name.lower().endswith(".json")]
    with original.opener() as opened:

        def is_export(member: Member) -> bool:
            return _is_export(head_of(partial(opened, member.name)))

        if not any(map(is_export, candidates[:_SNIFFED_MEMBERS])):
            return []
        return list(filter(is_export, candidates))


def _is_export(head: bytes) -> bool:
    return _MARK.match(as_text(head)) is not None


def recognises(original: Original) -> bool:
    """By the first keys of the document, or of one in the zip."""
    return bool(_exports_in(original)) if original.is_zip else _is_export(original.head)


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """What an export says, record by record. Raises UnreadableFile, with the line, where the JSON is broken."""
    return gather(_rows(original, clock), _RECORDS)


def _rows(original: Original, clock: Clock) -> Iterator[Row | Rejection | Notice]:
    oddities, places = Oddities(), Places()
    if not original.is_zip:
        yield from _Export(original.open, clock, oddities, places).rows()
    else:
        members = _exports_in(original)
        if not members:
            raise UnreadableFile("no export in the zip")
        with original.opener() as opened:
            for member in members:
                rows = _Export(partial(opened, member.name), clock, oddities, places).rows()
                yield from places.part(base_name(member), rows, SAMPLE)
        others = len(original.members) - len(members)
        if others:
            yield Notice(f"other files in the zip, which are no exports of Health Auto Export, left out: {others}")
    yield from oddities.notices()


def _is_opened(path: Path) -> bool:
    """The document, its lists, the metrics among them and their data."""
    match path:
        case () | ("data",) | ("data", str()):
            return True
        case ("data", "metrics", int()) | ("data", "metrics", int(), "data"):
            return True
    return False


class _Metric(Struct):
    name: str = ""
    units: str = ""


class _Survey(Struct):
    """What the first reading tells: metrics by their place, and how finely the file aggregates."""

    metrics: dict[int, _Metric] = field(default_factory=dict)
    grains: dict[int, Grain] = field(default_factory=dict)

    def take(self, found: Value) -> None:
        """Notes what a value tells of its metric."""
        match found.path:
            case ("data", "metrics", int(place), "name"):
                self.metrics.setdefault(place, _Metric()).name = text_of(found.value)
            case ("data", "metrics", int(place), "units"):
                self.metrics.setdefault(place, _Metric()).units = text_of(found.value)
            case ("data", "metrics", int(place), "data", int()) if isinstance(found.value, dict):
                grain = self.grains.get(place, Grain.DAY)
                if grain is not Grain.MOMENT and found.value.get("date"):
                    self.grains[place] = min(grain, _grain(found.value["date"]))

    def grain(self, *, of_heart: bool) -> Grain:
        """The finest grain of the heart rate, or of all other metrics but sleep."""
        found = [
            grain
            for place, grain in self.grains.items()
            if (name := self.metrics.get(place, _Metric()).name) != SLEEP and (name == HEART_RATE) == of_heart
        ]
        return min(found, default=Grain.MOMENT)


def _grain(date: object) -> Grain:
    try:
        return grain_of(stamp("date", date))
    except ValueError:
        return Grain.DAY


class _Export:
    """One document."""

    def __init__(self, opening: Opening, clock: Clock, oddities: Oddities, places: Places) -> None:
        self._opening = opening
        self._clock = clock
        self._oddities = oddities
        self._places = places

    def rows(self) -> Iterator[Row | Rejection | Notice]:
        """Every row of the document, good or bad. Raises UnreadableFile."""
        survey = _Survey()
        for found in self._values():
            survey.take(found)
        told = Told(self._clock, self._oddities, survey.grain(of_heart=False), survey.grain(of_heart=True))
        for found in self._values():
            yield from self._told(found, survey, told)
        if told.undrawn:
            yield Notice(f"points of routes without a place or a time, left out: {told.undrawn}")

    def _values(self) -> Iterator[Value]:
        with self._opening() as stream:
            yield from values(stream, _is_opened)

    def _told(self, found: Value, survey: _Survey, told: Told) -> Iterator[Row | Rejection]:
        match found.path:
            case ("data", "metrics", int(), ("name" | "units")):
                return
            case ("data", "metrics", int(place), "data", int()):
                metric = survey.metrics.get(place, _Metric())
                yield from self._point(metric, found.value, self._place(found), told)
            case ("data", "metrics", int()):
                yield self._place(found).rejection(SAMPLE, "not a metric")
            case ("data", "workouts", int()):
                yield from workout_rows(found.value, self._place(found), told)
            case ("data", str(section), int()) if section in SECTIONS:
                yield from entry_rows(section, found.value, self._place(found), told)
            case _:
                # Lists that a later version adds, and keys beside the lists that we know.
                self._oddities.left_out[".".join(each for each in found.path if isinstance(each, str))] += 1

    def _point(self, metric: _Metric, value: object, place: Place, told: Told) -> Iterator[Row | Rejection]:
        if not metric.name:
            yield place.rejection(SAMPLE, "name: missing")
        elif metric.name == SLEEP:
            yield from sleep_rows(metric.units, value, place, told)
        else:
            yield from point_rows(metric.name, metric.units, value, place, told)

    def _place(self, found: Value) -> Place:
        return self._places.next(found.raw)


SOURCE = Source(
    name="health.health_auto_export",
    title="Health Auto Export (JSON)",
    recognition='a JSON document, or a zip of them, that begins {"data": {"metrics": [ or with another list of the app',
    records=_RECORDS,
    recognises=recognises,
    parse=parse,
    unit="record",
    expect_every=timedelta(days=7),
)
