"""Health facts of a day: samples of what a body did, and the rings that Apple itself closes.

Their companions: `sessions` (workouts, routes, sleep) and `medical` (electrocardiograms, audiograms, doses, moods, documents).
"""

import pyarrow as pa
import pyarrow.compute as pc

from twinning_pipelines.records.metrics import METRICS
from twinning_pipelines.records.record import COUNT, DAY, NUMBER, WORD, Field, Record, RowRule
from twinning_pipelines.records.rules import NOT_BLANK, PLAUSIBLE_DAY, between, ordered
from twinning_pipelines.records.sessions import ENDED, STARTED

# What two samples of one metric and origin must share to be the same telling.
SAMPLE_VALUES = ("started_at", "ended_at", "value", "label", "detail")

_NAMES = pa.array([metric.name for metric in METRICS], pa.string())
_LOWS = pa.array([metric.low for metric in METRICS], pa.float64())
_HIGHS = pa.array([metric.high for metric in METRICS], pa.float64())


def _implausible(names: pa.DictionaryArray, values: pa.Array) -> pa.BooleanArray:
    """True where a value is outside its metric's plausible range; metrics that nobody registered pass."""
    known = pc.take(pc.index_in(names.dictionary, value_set=_NAMES), names.indices)
    outside = pc.or_(pc.less(values, pc.take(_LOWS, known)), pc.greater(values, pc.take(_HIGHS, known)))
    return pc.or_(pc.fill_null(outside, False), pc.fill_null(pc.invert(pc.is_finite(values)), False))


SAMPLE = Record(
    name="sample",
    domain="health",
    meaning="one measured value over a moment or an interval, in the canonical unit of its metric",
    fields=(
        Field(
            "metric", WORD, "the metric's name; see the list of metrics for units", required=True, rules=(NOT_BLANK,)
        ),
        Field("origin", WORD, "the device or app that recorded it, as it calls itself", required=True),
        STARTED,
        ENDED,
        Field("value", NUMBER, "the value, in the metric's canonical unit", required=True),
        Field("label", WORD, "the category's name, for metrics that are words"),
        Field("detail", WORD, "what else the source says of it, as one JSON object with sorted keys"),
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

RECORDS = (SAMPLE, ACTIVITY_RING)
