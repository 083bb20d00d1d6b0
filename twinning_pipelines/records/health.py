"""Health facts: samples of what a body did, workouts, sleep stages, and the rings that Apple itself closes."""

import pyarrow as pa
import pyarrow.compute as pc

from twinning_pipelines.records.metrics import METRICS
from twinning_pipelines.records.record import COUNT, DAY, INSTANT, NUMBER, TEXT, Field, Record, RowRule
from twinning_pipelines.records.rules import NOT_BLANK, PLAUSIBLE_DAY, PLAUSIBLE_INSTANT, between, one_of, ordered

STAGES = ("in_bed", "awake", "asleep", "core", "deep", "rem")

_STARTED = Field("started_at", INSTANT, "when it began, UTC", required=True, rules=(PLAUSIBLE_INSTANT,))
_ENDED = Field("ended_at", INSTANT, "when it ended, UTC", required=True, rules=(PLAUSIBLE_INSTANT,))
_ORIGIN = Field("origin", TEXT, "the device or app that recorded it, as it calls itself", required=True)
_ZONE = Field("zone", TEXT, "the IANA zone where it happened, when the source says so")

_NAMES = pa.array([metric.name for metric in METRICS], pa.string())
_LOWS = pa.array([metric.low for metric in METRICS], pa.float64())
_HIGHS = pa.array([metric.high for metric in METRICS], pa.float64())


def _implausible(names: pa.Array, values: pa.Array) -> pa.BooleanArray:
    """True where a value is outside its metric's plausible range; metrics that nobody registered pass."""
    known = pc.index_in(names, value_set=_NAMES)
    outside = pc.or_(pc.less(values, pc.take(_LOWS, known)), pc.greater(values, pc.take(_HIGHS, known)))
    return pc.or_(pc.fill_null(outside, False), pc.fill_null(pc.invert(pc.is_finite(values)), False))


SAMPLE = Record(
    name="sample",
    domain="health",
    meaning="one measured value over a moment or an interval, in the canonical unit of its metric",
    fields=(
        Field(
            "metric", TEXT, "the metric's name; see the list of metrics for units", required=True, rules=(NOT_BLANK,)
        ),
        _ORIGIN,
        _STARTED,
        _ENDED,
        Field("value", NUMBER, "the value, in the metric's canonical unit", required=True),
        Field("label", TEXT, "the category's name, for metrics that are words"),
    ),
    identity=("metric", "origin", "started_at", "ended_at"),
    window="started_at",
    until="ended_at",
    scope=("metric", "origin"),
    series=True,
    rules=(
        ordered("started_at", "ended_at"),
        RowRule("value is not plausible for its metric", ("metric", "value"), _implausible),
    ),
)

WORKOUT = Record(
    name="workout",
    domain="health",
    meaning="one session of exercise",
    fields=(
        Field("activity", TEXT, "what was done: running, cycling, …", required=True, rules=(NOT_BLANK,)),
        _ORIGIN,
        _STARTED,
        _ENDED,
        Field("duration_min", NUMBER, "active minutes, pauses left out", rules=(between(0, 14_400),)),
        Field("distance_m", NUMBER, "metres covered", rules=(between(0, 2_000_000),)),
        Field("energy_kcal", NUMBER, "active energy, kilocalories", rules=(between(0, 50_000),)),
        _ZONE,
    ),
    identity=("activity", "origin", "started_at"),
    window="started_at",
    until="ended_at",
    scope=("origin",),
    rules=(ordered("started_at", "ended_at"),),
)

SLEEP_STAGE = Record(
    name="sleep_stage",
    domain="health",
    meaning="one stretch of one sleep stage, from one device",
    fields=(
        Field(
            "stage",
            TEXT,
            "in_bed, awake, asleep (not told apart), core, deep or rem",
            required=True,
            rules=(one_of(STAGES),),
        ),
        _ORIGIN,
        _STARTED,
        _ENDED,
        _ZONE,
    ),
    identity=("stage", "origin", "started_at"),
    window="started_at",
    until="ended_at",
    scope=("origin",),
    rules=(ordered("started_at", "ended_at"),),
)

ACTIVITY_RING = Record(
    name="activity_ring",
    domain="health",
    meaning="one day as Apple's activity rings state it: the source's own total, to prove ours against",
    fields=(
        Field("day", DAY, "the person's local day", required=True, rules=(PLAUSIBLE_DAY,)),
        Field("move_kcal", NUMBER, "active energy, kilocalories", rules=(between(0, 50_000),)),
        Field("move_goal_kcal", NUMBER, "the goal for it"),
        Field("move_min", NUMBER, "move minutes, for people who count minutes", rules=(between(0, 1_440),)),
        Field("move_goal_min", NUMBER, "the goal for them"),
        Field("exercise_min", NUMBER, "exercise minutes", rules=(between(0, 1_440),)),
        Field("exercise_goal_min", NUMBER, "the goal for them"),
        Field("stand_hours", COUNT, "hours with some standing", rules=(between(0, 25),)),
        Field("stand_goal_hours", COUNT, "the goal for them"),
    ),
    identity=("day",),
    window="day",
)

RECORDS = (SAMPLE, WORKOUT, SLEEP_STAGE, ACTIVITY_RING)
