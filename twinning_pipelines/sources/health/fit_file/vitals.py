"""What scales, cuffs and watches measure once: the FIT messages that hold finished values, and nights.

One table says which field of which message is which metric; fields that it does not list are kept under their own
names. The stages of a night are told at their beginnings; each lasts until the next.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from twinning_pipelines.formats.fit import UNITS, Message
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.sessions import SLEEP_SESSION, SLEEP_STAGE
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.exercise import Gauge, sample
from twinning_pipelines.sources.health.fit_file.messages import Told, detail_of, numbers, own_named

_PERCENT = 0.01
# Message -> field -> metric. `weight_scale` has percent, the others as the profile says.
_VITALS: Mapping[str, Mapping[str, Gauge]] = {
    "weight_scale": {
        "weight": Gauge("body_mass"),
        "percent_fat": Gauge("body_fat", _PERCENT),
        "percent_hydration": Gauge("body_water", _PERCENT),
        "muscle_mass": Gauge("muscle_mass"),
        "bone_mass": Gauge("bone_mass"),
        "bmi": Gauge("body_mass_index"),
    },
    "blood_pressure": {
        "systolic_pressure": Gauge("blood_pressure_systolic"),
        "diastolic_pressure": Gauge("blood_pressure_diastolic"),
        "heart_rate": Gauge("heart_rate"),
    },
    "spo2_data": {"reading_spo2": Gauge("oxygen_saturation", _PERCENT)},
    "respiration_rate": {"respiration_rate": Gauge("respiratory_rate")},
    "stress_level": {},
    "monitoring_hr_data": {"current_day_resting_heart_rate": Gauge("resting_heart_rate")},
    "monitoring_info": {},
    "hrv_value": {"value": Gauge("heart_rate_variability_rmssd")},
    "hrv_status_summary": {},
    "max_met_data": {"vo2_max": Gauge("vo2_max")},
    "skin_temp_overnight": {},
}
_TIMES = ("timestamp", "stress_level_time", "update_time")
# Who stood on the scale, and how sure the watch was: no measures.
_NO_MEASURES = frozenset({"user_profile_index", "reading_confidence", "calibrated_data", "max_met_category", *_TIMES})
_STAGES = {"awake": "awake", "light": "core", "deep": "deep", "rem": "rem"}
_NO_STAGE = frozenset({"unmeasurable", "255"})

NAMES = frozenset({*_VITALS, "sleep_level", "sleep_assessment"})


def rows(told: Told) -> Iterator[Row | Rejection]:
    """Every row of the messages that NAMES lists."""
    for message in told.file.all(*_VITALS):
        at = next((moment for name in _TIMES if (moment := message.moment(name)) is not None), None)
        if at is None:
            yield told.rejection(SAMPLE, message, "timestamp: missing, or seconds since the device was switched on")
        else:
            yield from told.oddities.rated(_samples(told, message, at))
    yield from _night(told)


def _samples(told: Told, message: Message, at: datetime) -> Iterator[Row]:
    gauges = _VITALS[message.name]
    for name, value in numbers(message, _NO_MEASURES):
        if message.name == "stress_level" and value < 0:
            # The watch's words for "moving too much" and "no contact".
            told.oddities.left_out["stress levels below 0, which stand for no reading"] += 1
            continue
        gauge, detail = (gauges[name], None) if name in gauges else own_named(name, UNITS.get((message.name, name)))
        yield sample(told.at(message), gauge, told.origin, at, value, detail=detail)


def _night(told: Told) -> Iterator[Row | Rejection]:
    levels = told.file.all("sleep_level")
    sound = [(at, each) for each in levels if (at := each.moment("timestamp")) is not None]
    for message in levels:
        if message.moment("timestamp") is None:
            yield told.rejection(SLEEP_STAGE, message, "timestamp: missing")
    yield from _stages(told, sound)
    for message in told.file.all("sleep_assessment"):
        score = message.number("overall_sleep_score")
        if len(sound) < 2:
            yield told.rejection(SLEEP_SESSION, message, "started_at: no sleep levels beside it say when it began")
            continue
        values = {
            "started_at": sound[0][0],
            "ended_at": sound[-1][0],
            "quality": None if score is None else score / 100,
            "detail": detail_of(message, frozenset()),
        }
        yield told.row(SLEEP_SESSION, message, values)


def _stages(told: Told, levels: list[tuple[datetime, Message]]) -> Iterator[Row | Rejection]:
    """A row for each run of one stage; the last level is where the night ended."""
    begun: tuple[datetime, Message] | None = None
    for at, message in levels:
        level = message.text("sleep_level") or "255"
        if begun is not None and begun[1].text("sleep_level") == level and message is not levels[-1][1]:
            continue
        if begun is not None and at > begun[0]:
            yield from _stage(told, begun[0], at, begun[1])
        begun = (at, message)


def _stage(told: Told, started: datetime, ended: datetime, message: Message) -> Iterator[Row | Rejection]:
    level = message.text("sleep_level") or "255"
    if level in _NO_STAGE:
        told.oddities.left_out["stretches of a night without a stage"] += 1
    elif level not in _STAGES:
        yield told.rejection(SLEEP_STAGE, message, f"stage: nobody knows the sleep level {level!r}")
    else:
        values = {"stage": _STAGES[level], "started_at": started, "ended_at": ended}
        yield told.row(SLEEP_STAGE, message, values)
