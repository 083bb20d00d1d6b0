"""Stretches of time with a beginning and an end: workouts with their parts and routes, sleep by stage and by night."""

from twinning_pipelines.records.record import COUNT, INSTANT, JSON, NUMBER, TEXT, Field, Record
from twinning_pipelines.records.rules import NOT_BLANK, PLAUSIBLE_INSTANT, between, one_of, ordered

STAGES = ("in_bed", "awake", "asleep", "core", "deep", "rem")
PARTS = ("activity", "lap", "event", "statistic")

STARTED = Field("started_at", INSTANT, "when it began, UTC", required=True, rules=(PLAUSIBLE_INSTANT,))
ENDED = Field("ended_at", INSTANT, "when it ended, UTC", required=True, rules=(PLAUSIBLE_INSTANT,))
ORIGIN = Field("origin", TEXT, "the device or app that recorded it, as it calls itself", required=True)
ZONE = Field("zone", TEXT, "the IANA zone where it happened, when the source says so")
DETAIL = Field("detail", JSON, "what else the source says of it, as one JSON object with sorted keys")
_OF_WORKOUT = Field("workout_at", INSTANT, "when its workout began, UTC", required=True, rules=(PLAUSIBLE_INSTANT,))

WORKOUT = Record(
    name="workout",
    domain="health",
    meaning="one session of exercise",
    fields=(
        Field("activity", TEXT, "what was done: running, cycling, …", required=True, rules=(NOT_BLANK,)),
        ORIGIN,
        STARTED,
        ENDED,
        Field("duration_min", NUMBER, "active minutes, pauses left out", rules=(between(0, 14_400),)),
        Field("distance_m", NUMBER, "metres covered", rules=(between(0, 2_000_000),)),
        Field("energy_kcal", NUMBER, "active energy, kilocalories", rules=(between(0, 50_000),)),
        Field("ascent_m", NUMBER, "metres climbed", rules=(between(0, 50_000),)),
        Field("heart_rate_mean", NUMBER, "mean heart rate, beats a minute", rules=(between(20, 300),)),
        Field("heart_rate_max", NUMBER, "highest heart rate, beats a minute", rules=(between(20, 300),)),
        ZONE,
        DETAIL,
    ),
    identity=("activity", "origin", "started_at"),
    window="started_at",
    until="ended_at",
    scope=("origin",),
    rules=(ordered("started_at", "ended_at"),),
)

WORKOUT_PART = Record(
    name="workout_part",
    domain="health",
    meaning="what a workout is made of: its activities, laps, events and statistics",
    fields=(
        Field("part", TEXT, "activity, lap, event or statistic", required=True, rules=(one_of(PARTS),)),
        Field("name", TEXT, "the activity, the kind of event, or the metric of the statistic", required=True),
        ORIGIN,
        _OF_WORKOUT,
        STARTED,
        Field("ended_at", INSTANT, "when it ended, UTC", rules=(PLAUSIBLE_INSTANT,)),
        Field("duration_min", NUMBER, "minutes", rules=(between(0, 14_400),)),
        Field("total", NUMBER, "the sum of a statistic, in its unit"),
        Field("mean", NUMBER, "the average of a statistic, in its unit"),
        Field("low", NUMBER, "the smallest value of a statistic, in its unit"),
        Field("high", NUMBER, "the largest value of a statistic, in its unit"),
        Field("unit", TEXT, "the unit of a statistic: the canonical one of its metric where that is registered"),
        DETAIL,
    ),
    identity=("part", "name", "origin", "workout_at", "started_at"),
    window="workout_at",
    scope=("origin",),
)

ROUTE = Record(
    name="route",
    domain="health",
    meaning="one recorded track: where a workout led",
    fields=(
        Field("name", TEXT, "the file it stands in, or its own name", required=True),
        ORIGIN,
        STARTED,
        ENDED,
        Field("workout_at", INSTANT, "when its workout began, UTC, where one is known", rules=(PLAUSIBLE_INSTANT,)),
        Field("points", COUNT, "how many points it has", required=True, rules=(between(1, 10_000_000),)),
        Field("distance_m", NUMBER, "metres along the points", rules=(between(0, 20_000_000),)),
        Field("ascent_m", NUMBER, "metres up, of all rises between points", rules=(between(0, 100_000),)),
        Field(
            "track",
            JSON,
            "the points in order, each [seconds since started_at, latitude, longitude, elevation in m, speed in m/s, "
            "course in degrees, horizontal accuracy in m, vertical accuracy in m]; null for what is not given",
            required=True,
        ),
    ),
    identity=("name", "origin", "started_at"),
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
        ORIGIN,
        STARTED,
        ENDED,
        ZONE,
    ),
    identity=("stage", "origin", "started_at"),
    window="started_at",
    until="ended_at",
    scope=("origin",),
    series=True,
    rules=(ordered("started_at", "ended_at"),),
)

SLEEP_SESSION = Record(
    name="sleep_session",
    domain="health",
    meaning="one sleep as its source sums it up: a night or a nap",
    fields=(
        ORIGIN,
        STARTED,
        ENDED,
        Field("nap", TEXT, "'nap' or 'night', where the source tells them apart", rules=(one_of(("nap", "night")),)),
        Field("in_bed_min", NUMBER, "minutes in bed", rules=(between(0, 2_880),)),
        Field("asleep_min", NUMBER, "minutes asleep", rules=(between(0, 2_880),)),
        Field("awake_min", NUMBER, "minutes awake", rules=(between(0, 2_880),)),
        Field("core_min", NUMBER, "minutes of light (core) sleep", rules=(between(0, 2_880),)),
        Field("deep_min", NUMBER, "minutes of deep sleep", rules=(between(0, 2_880),)),
        Field("rem_min", NUMBER, "minutes of REM sleep", rules=(between(0, 2_880),)),
        Field("quality", NUMBER, "the source's own score, 0 to 1", rules=(between(0, 1),)),
        ZONE,
        DETAIL,
    ),
    identity=("origin", "started_at"),
    window="started_at",
    until="ended_at",
    scope=("origin",),
    rules=(ordered("started_at", "ended_at"),),
)

RECORDS = (WORKOUT, WORKOUT_PART, ROUTE, SLEEP_STAGE, SLEEP_SESSION)
