"""Oura's documents, one by one: sleeps, days, readiness, heart rates, workouts, sessions, as its API v2 names them.

Facts: cloud.ouraring.com/v2/docs. Durations are seconds, distances metres, energies kilocalories; stamps carry their
offset. `sleep_phase_5_min` has one figure for each five minutes from `bedtime_start` on: 1 deep, 2 light, 3 REM, 4 awake.
A series is `{"interval": seconds, "items": [...], "timestamp": ...}`, and null stands for a gap.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from msgspec import Struct, field

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.json_values import (
    detail_of,
    list_of,
    number_of,
    object_of,
    optional_number,
    shown,
    text_of,
)
from twinning_pipelines.formats.quantities import whole_day
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.record import Record
from twinning_pipelines.records.sessions import SLEEP_SESSION, SLEEP_STAGE, WORKOUT
from twinning_pipelines.source import Row
from twinning_pipelines.sources.health.exercise import activity_of

ORIGIN = "Oura"
# What Oura says of a day as a whole.
DAILY = "Oura daily"
PREFIX = "oura:"

Document = Mapping[str, object]
Span = tuple[datetime, datetime]

_PHASE_SECONDS = 300
_PHASES = {"1": "deep", "2": "core", "3": "rem", "4": "awake"}
_LONGEST_SERIES = 100_000
# The names of the first version of the API, which old exports still have.
_OLD_NAMES = {
    "total_sleep_duration": "total", "light_sleep_duration": "light", "deep_sleep_duration": "deep",
    "rem_sleep_duration": "rem", "awake_time": "awake", "time_in_bed": "duration", "sleep_phase_5_min": "hypnogram_5min",
    "average_breath": "breath_average", "lowest_heart_rate": "hr_lowest", "active_calories": "cal_active",
    "total_calories": "cal_total", "day": "summary_date",
}  # fmt: skip
_SLEEP_MINUTES = {
    "asleep_min": "total_sleep_duration",
    "in_bed_min": "time_in_bed",
    "awake_min": "awake_time",
    "core_min": "light_sleep_duration",
    "deep_min": "deep_sleep_duration",
    "rem_min": "rem_sleep_duration",
}
_SLEEP_DETAIL = (
    "type", "efficiency", "latency", "restless_periods", "average_heart_rate", "average_hrv", "low_battery_alert",
    "readiness_score_delta", "sleep_score_delta", "period", "sleep_algorithm_version",
)  # fmt: skip
_BOOKKEEPING = frozenset({"id", "day", "summary_date", "timestamp", "timezone", "period_id", "is_longest", "ring_id"})
_OF_SLEEP = frozenset(
    {
        "bedtime_start", "bedtime_end", "sleep_phase_5_min", "app_sleep_phase_5_min", "average_breath",
        "lowest_heart_rate", "heart_rate", "hrv", "readiness", *_SLEEP_MINUTES.values(), *_SLEEP_DETAIL,
        *_OLD_NAMES.values(), *_BOOKKEEPING,
    }
)  # fmt: skip
# A long sleep is the night; the others were short, or late in the day.
_NAPS = {"long_sleep": "night", "late_nap": "nap", "sleep": "nap"}
_NO_SLEEPS = {"rest": "rests that were taken for sleep", "deleted": "sleeps that were deleted in the app"}


class Met(Struct):
    """What a person is told at the end: parts of documents that no table holds."""

    lost: Counter[str] = field(default_factory=Counter)


class Entry(Struct, frozen=True):
    """One document in its place. raw: its text, as long as a rejection shows it."""

    document: Document
    at: int
    raw: str
    clock: Clock
    met: Met

    def get(self, name: str) -> object:
        """The value of a field, by its old name where the document is old."""
        value = self.document.get(name)
        return self.document.get(_OLD_NAMES[name]) if value is None and name in _OLD_NAMES else value

    def number(self, name: str) -> float | None:
        """The number of a field. Raises ValueError."""
        return optional_number(name, self.get(name))

    def moment(self, name: str) -> datetime:
        """The UTC instant of a stamp, by the person's clock where it has no offset. Raises ValueError."""
        return moment_of(name, self.get(name), self.clock)

    def day(self) -> Span:
        """The local day of the document. Raises ValueError."""
        text = text_of(self.get("day"))
        try:
            return whole_day(date.fromisoformat(text), self.clock)
        except (ValueError, OverflowError):
            raise ValueError(f"day: {f'not a day: {shown(text)}' if text else 'missing'}") from None

    def row(self, record: Record, values: Mapping[str, object]) -> Row:
        """A row of this document."""
        return Row(record, self.at, self.raw, {"origin": ORIGIN, **values})

    def sample(
        self,
        metric: str,
        value: float,
        span: Span,
        *,
        origin: str = ORIGIN,
        detail: str | None = None,
        label: str | None = None,
    ) -> Row:
        """A sample of this document."""
        values = {
            "metric": metric,
            "origin": origin,
            "started_at": span[0],
            "ended_at": span[1],
            "value": round(value, 6),
        }
        return self.row(SAMPLE, {**values, "detail": detail, "label": label})

    def note_unread(self, known: frozenset[str]) -> None:
        """Counts the fields that no row was made of."""
        for name, value in self.document.items():
            if name not in known and value is not None and value not in ("", [], {}):
                self.met.lost[f"the field {name}"] += 1


def moment_of(name: str, value: object, clock: Clock) -> datetime:
    """The UTC instant of a stamp. Raises ValueError."""
    text = text_of(value)
    try:
        moment = datetime.fromisoformat(text)
        return clock.instant(moment) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{name}: {f'not a moment: {shown(text)}' if text else 'missing'}") from None


def _sleep(entry: Entry) -> Iterator[Row]:
    kind = text_of(entry.get("type"))
    if kind in _NO_SLEEPS:
        entry.met.lost[_NO_SLEEPS[kind]] += 1
        return
    started, ended = entry.moment("bedtime_start"), entry.moment("bedtime_end")
    minutes = {name: entry.number(theirs) for name, theirs in _SLEEP_MINUTES.items()}
    values = {name: None if seconds is None else round(seconds / 60, 3) for name, seconds in minutes.items()}
    detail = detail_of({name: entry.get(name) for name in _SLEEP_DETAIL})
    yield entry.row(
        SLEEP_SESSION,
        {"started_at": started, "ended_at": ended, "nap": _NAPS.get(kind), "detail": detail, **values},
    )
    yield from _stages(entry, started, ended)
    yield from _vitals(entry, (started, ended))
    entry.note_unread(_OF_SLEEP)


def _stages(entry: Entry, started: datetime, ended: datetime) -> Iterator[Row]:
    phases = text_of(entry.get("sleep_phase_5_min") or entry.get("app_sleep_phase_5_min"))
    if len(phases) > _LONGEST_SERIES:
        raise ValueError(f"sleep_phase_5_min: more than {_LONGEST_SERIES} phases")
    place = 0
    for phase, run in groupby(phases):
        count = len(list(run))
        begun = started + timedelta(seconds=place * _PHASE_SECONDS)
        place += count
        stopped = min(started + timedelta(seconds=place * _PHASE_SECONDS), max(ended, begun))
        if phase not in _PHASES:
            entry.met.lost[f"sleep phases {phase!r}, which nobody knows"] += count
        elif stopped > begun:
            yield entry.row(SLEEP_STAGE, {"stage": _PHASES[phase], "started_at": begun, "ended_at": stopped})


def _vitals(entry: Entry, span: Span) -> Iterator[Row]:
    named = {"average_breath": "respiratory_rate", "lowest_heart_rate": "resting_heart_rate"}
    for name, metric in named.items():
        value = entry.number(name)
        if value:
            yield entry.sample(metric, value, span)
    for name, metric in (("heart_rate", "heart_rate"), ("hrv", "heart_rate_variability_rmssd")):
        yield from series(entry, name, metric)
    # Its score is that of the daily readiness.
    readiness = entry.get("readiness")
    if isinstance(readiness, Mapping):
        yield from _numbers(entry, readiness, span, ORIGIN, {})


def series(entry: Entry, name: str, metric: str) -> Iterator[Row]:
    """The samples of a series; each holds for the interval that follows its time. Raises ValueError."""
    given = entry.get(name)
    if given is None or given == "":
        return
    told = object_of(name, given)
    begun = moment_of(f"{name}.timestamp", told.get("timestamp"), entry.clock)
    step = number_of(f"{name}.interval", told.get("interval"))
    items = list_of(told.get("items"))
    if not 0 < step <= 86_400 or len(items) > _LONGEST_SERIES:
        raise ValueError(f"{name}: {len(items)} items every {step:g} seconds")
    for place, item in enumerate(items):
        value = optional_number(f"{name}.items", item)
        if value is not None:
            at = begun + timedelta(seconds=place * step)
            yield entry.sample(metric, value, (at, at + timedelta(seconds=step)))


_DAILY = {
    "steps": "steps",
    "active_calories": "active_energy",
    "vo2_max": "vo2_max",
}
_OF_DAY = _BOOKKEEPING | {"score", "contributors", "spo2_percentage", "met", "day_summary"}


def _daily(score: str) -> Callable[[Entry], Iterator[Row]]:
    """The reader of documents about a day, whose own score is called so."""

    def rows(entry: Entry) -> Iterator[Row]:
        span = entry.day()
        points = entry.number("score")
        if points is not None:
            detail = detail_of({"contributors": entry.get("contributors")})
            yield _own(entry, score, points, span, detail=detail)
        spo2 = entry.get("spo2_percentage")
        if isinstance(spo2, Mapping) and (average := optional_number("spo2_percentage", spo2.get("average"))):
            yield entry.sample("oxygen_saturation", average / 100, span, origin=DAILY)
        yield from _numbers(entry, entry.document, span, DAILY, _DAILY)
        yield from series(entry, "met", "physical_effort")
        summary = text_of(entry.get("day_summary"))
        if summary:
            yield entry.sample(f"{PREFIX}day_summary", 1, span, origin=DAILY, label=summary)
        numbers = {name for name, value in entry.document.items() if _is_number(value)}
        entry.note_unread(_OF_DAY | numbers)

    return rows


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _numbers(entry: Entry, given: Document, span: Span, origin: str, metrics: Mapping[str, str]) -> Iterator[Row]:
    """Every plain number of a document: by the metric it is, else under its own name."""
    old = {theirs: ours for ours, theirs in _OLD_NAMES.items()}
    for theirs, value in given.items():
        name = old.get(theirs, theirs)
        if name in _OF_DAY or not _is_number(value):
            continue
        number = number_of(name, value)
        if name in metrics:
            yield entry.sample(metrics[name], number, span, origin=origin)
        else:
            yield _own(entry, name, number, span, detail=detail_of({"unit": _unit(name)}), origin=origin)


def _unit(name: str) -> str | None:
    """The unit of a field, by the words in its name."""
    units = {"_time": "s", "_high": "s", "calories": "kcal", "distance": "m", "meters": "m", "temperature": "degC"}
    return next((unit for word, unit in units.items() if word in name), None)


def _own(entry: Entry, name: str, value: float, span: Span, *, detail: str | None = None, origin: str = DAILY) -> Row:
    return entry.sample(f"{PREFIX}{name}", value, span, origin=origin, detail=detail)


def _heart_rate(entry: Entry) -> Iterator[Row]:
    at = entry.moment("timestamp")
    detail = detail_of({"source": entry.get("source")})
    yield entry.sample("heart_rate", number_of("bpm", entry.get("bpm")), (at, at), detail=detail)


def _workout(entry: Entry) -> Iterator[Row]:
    started, ended = entry.moment("start_datetime"), entry.moment("end_datetime")
    values = {
        "activity": activity_of(text_of(entry.get("activity"))) or "other",
        "started_at": started,
        "ended_at": ended,
        "distance_m": entry.number("distance"),
        "energy_kcal": entry.number("calories"),
        "detail": detail_of({name: entry.get(name) for name in ("intensity", "label", "source")}),
    }
    yield entry.row(WORKOUT, values)


def _session(entry: Entry) -> Iterator[Row]:
    started, ended = entry.moment("start_datetime"), entry.moment("end_datetime")
    detail = detail_of({name: entry.get(name) for name in ("type", "mood")})
    yield entry.sample("mindful_minutes", (ended - started).total_seconds() / 60, (started, ended), detail=detail)
    yield from series(entry, "heart_rate", "heart_rate")
    yield from series(entry, "heart_rate_variability", "heart_rate_variability_rmssd")


class Kind(Struct, frozen=True):
    """One kind of document. names: what exports call a list or file of them; marks: fields that no other kind has all of."""

    record: Record
    rows: Callable[[Entry], Iterator[Row]]
    names: tuple[str, ...]
    marks: tuple[frozenset[str], ...]


def _marks(*texts: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(text.split()) for text in texts)


KINDS = (
    Kind(SLEEP_SESSION, _sleep, ("sleep", "sleepmodel", "sleep_model"), _marks("bedtime_start bedtime_end")),
    Kind(
        SAMPLE,
        _daily("activity_score"),
        ("daily_activity", "dailyactivity", "activity"),
        _marks("equivalent_walking_distance steps", "steps cal_active"),
    ),
    Kind(
        SAMPLE,
        _daily("readiness_score"),
        ("daily_readiness", "dailyreadiness", "readiness"),
        _marks("temperature_deviation contributors score", "score_previous_night"),
    ),
    Kind(SAMPLE, _daily("spo2_score"), ("daily_spo2", "dailyspo2"), _marks("spo2_percentage day")),
    Kind(SAMPLE, _daily("stress_score"), ("daily_stress", "dailystress"), _marks("stress_high recovery_high")),
    Kind(
        SAMPLE,
        _daily("resilience_score"),
        (
            "daily_resilience",
            "dailyresilience",
            "daily_cardiovascular_age",
            "dailycardiovascularage",
            "vo2_max",
            "vo2max",
        ),
        _marks("vascular_age day", "vo2_max day"),
    ),
    Kind(SAMPLE, _heart_rate, ("heartrate", "heart_rate"), _marks("bpm timestamp source")),
    Kind(WORKOUT, _workout, ("workout", "workouts"), _marks("start_datetime end_datetime activity intensity")),
    Kind(SAMPLE, _session, ("session", "sessions"), _marks("start_datetime end_datetime type mood")),
    # Last, because other kinds have these fields as well.
    Kind(SAMPLE, _daily("sleep_score"), ("daily_sleep", "dailysleep"), _marks("score contributors day")),
)


def kind_of(fields: frozenset[str], named: str = "") -> Kind | None:
    """The kind of a document by its fields; by what its list is called where they leave it open."""
    found = next((kind for kind in KINDS if any(marks <= fields for marks in kind.marks)), None)
    return found or next((kind for kind in KINDS if named in kind.names), None)
