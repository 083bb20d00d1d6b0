"""Health: movement, heart, body, food, and what goes together."""

from twinning_pipelines.marts.facts import FACT_BY_NAME
from twinning_pipelines.products.dashboards import palette
from twinning_pipelines.products.dashboards.asking import (
    explained,
    fact_by_weekday,
    facts_by_day,
    largest_by_time,
    midnight,
    rows,
    series,
)
from twinning_pipelines.products.dashboards.dense import by_device, heart_rate, readings
from twinning_pipelines.products.dashboards.facts import RANKED, asset_link, course, day_link, figure
from twinning_pipelines.products.dashboards.visuals import Bars, Columns, Lines, Stat, Table
from twinning_pipelines.products.dashboards.vocabulary import Column, Dashboard, Installation, Link, Panel, Section

_HEART = """select midnight.at as "time", r.low as "Lowest", r.value as "Mean", r.high as "Highest"
from who
join metric m on m.name = 'heart_rate'
join daily_rollup r on r.person_id = who.id and r.metric_id = m.id and r.day between who.first and who.last
$midnight
order by 1""".replace("$midnight", midnight("r.day"))

_WORKOUTS = """counted as (
    select date_trunc('week', local_day(w.person_id, w.started_at))::date as day, w.activity as name,
        coalesce(w.duration_min, extract(epoch from w.ended_at - w.started_at) / 60) / 60 as value
    from workout w, who
    where w.person_id = who.id and w.absent_since is null
        and w.started_at >= who.first - 9 and w.started_at < who.last + 3
        and local_day(w.person_id, w.started_at) between date_trunc('week', who.first)::date and who.last
)"""

_WORKOUT_LIST = """select local_day(w.person_id, w.started_at)::text as "Day", w.activity as "Activity",
    coalesce(w.duration_min, extract(epoch from w.ended_at - w.started_at) / 60)::float8 as "Length",
    w.distance_m as "Distance", w.energy_kcal as "Energy", w.heart_rate_mean as "Mean heart rate", w.origin as "Device"
from workout w, who
where w.person_id = who.id and w.absent_since is null
    and w.started_at >= who.first - 2 and w.started_at < who.last + 3
    and local_day(w.person_id, w.started_at) between who.first and who.last
order by w.started_at desc limit 100"""

_METRICS = """select m.name as "Metric", newest.value as "Newest", m.unit as "Unit", newest.day::text as "On", count(*) as "Days",
    sum(r.n) as "Samples"
from who
join daily_rollup r on r.person_id = who.id and r.day between who.first and who.last
join metric m on m.id = r.metric_id
cross join lateral (
    select n.day, n.value from daily_rollup n
    where n.person_id = who.id and n.metric_id = m.id and n.day <= who.last order by n.day desc limit 1
) newest
group by 1, 2, 3, 4 order by "Days" desc, 1"""

_WEIGHT = """weighed as (
    select f.day, f.value::float8 as value from daily_fact f, who
    where f.person_id = who.id and f.fact = 'weight' and f.day between who.first - 27 and who.last
)"""
_WEIGHT_END = """select midnight.at as "time", w.value as "Weight",
    avg(w.value) over (order by w.day range between interval '27 days' preceding and current row) as "Mean of 28 days"
from weighed w cross join who $midnight
order by 1""".replace("$midnight", midnight("w.day"))

_BODY = """select midnight.at as "time", max(r.value) filter (where m.name = 'body_fat') as "Body fat"
from who
join metric m on m.name = 'body_fat'
join daily_rollup r on r.person_id = who.id and r.metric_id = m.id and r.day between who.first and who.last
$midnight
group by 1 order by 1""".replace("$midnight", midnight("r.day"))

_INSIGHTS = """select i.first_fact as "One", i.second_fact as "Other", i.lag_days as "Days later", i.r as "Correlation",
    i.low as "At least", i.high as "At most", i.n as "Days", i.q as "Chance of a false find", i.holds as "Holds"
from insight i, who
where i.person_id = who.id and i.made_on = (
    select max(made_on) from insight j where j.person_id = who.id and j.made_on <= who.last)
order by i.holds desc, i.q limit 50"""

_RINGS = """select avg((a.move_kcal >= a.move_goal_kcal)::integer)::float8 as "Move",
    avg((a.exercise_min >= a.exercise_goal_min)::integer)::float8 as "Exercise",
    avg((a.stand_hours >= a.stand_goal_hours)::integer)::float8 as "Stand"
from activity_ring a, who
where a.person_id = who.id and a.absent_since is null and a.day between who.first and who.last having count(*) > 0"""


def health(installation: Installation) -> Dashboard:
    """The body by day."""
    return Dashboard(
        "health", "Health", "Movement, heart, body and food by day, beside what is usual.", "now-90d",
        (
            Section("At a glance", _glance()),
            Section("Movement", _movement(installation)),
            Section("Heart and breath", _heart(installation)),
            Section("Body and food", _body(installation)),
            Section("What goes together, and all that is measured", _all(installation)),
        ),
    )  # fmt: skip


def _glance() -> tuple[Panel, ...]:
    return (
        figure("steps", "How many steps?"),
        figure("active_energy", "How much energy do I spend moving?"),
        figure("exercise", "How long do I exercise?"),
        figure("resting_heart_rate", "How fast is my heart at rest?"),
        figure("heart_rate_variability", "How much does my heart vary?"),
        figure("weight", "What do I weigh?"),
    )


def _movement(installation: Installation) -> tuple[Panel, ...]:
    return (
        course("steps", "How much do I walk?", installation, bars=True),
        course("distance", "How far do I go on foot?", installation, bars=True),
        Panel(
            "What do I train, week by week?", f"{explained(FACT_BY_NAME['workouts'])} Here by activity and whole weeks.",
            Bars(stacked=True), (largest_by_time(_WORKOUTS),), "h", columns=RANKED, wide=12,
            nothing="No workouts are told of this time.",
        ),
        Panel(
            "Which workouts did I do?", "The newest hundred workouts of these days, as their device or app tells them.",
            Table(), (rows(_WORKOUT_LIST),), "none",
            columns=(Column("Length", unit="min", decimals=0), Column("Distance", unit="m", decimals=1),
                     Column("Energy", unit="kcal", decimals=0), Column("Mean heart rate", unit="count/min", decimals=0)),
            nothing="No workouts are told of this time.", wide=12,
        ),
        Panel(
            "On which weekdays do I walk most?", "The mean steps of the chosen days by weekday, each step counted once.",
            Columns("Weekday"), (fact_by_weekday("steps"),), "count", colour=palette.BLUE, decimals=0,
        ),
        Panel(
            "How often are the rings closed?",
            "The share of the chosen days on which Apple's rings reached their goals, as Apple itself states them.",
            Stat(spark=False), (rows(_RINGS),), "fraction", colour=palette.BLUE, decimals=0,
            nothing="No export of these days tells of rings.",
        ),
        by_device("steps", "When do I walk, and which device sees it?", wide=8),
    )  # fmt: skip


def _heart(installation: Installation) -> tuple[Panel, ...]:
    return (
        course("resting_heart_rate", "How does my resting heart rate move?", installation),
        course("heart_rate_variability", "How does my heart rate variability move?", installation),
        Panel(
            "Between which values does my heart beat?",
            "The lowest, mean and highest reading of each of the person's days, of all devices. From the daily rollups.",
            Lines(), (series(_HEART),), "count/min", decimals=0,
            columns=(Column("Lowest", colour=palette.SKY), Column("Mean", colour=palette.BLUE, link=day_link()),
                     Column("Highest", colour=palette.VERMILION)),
            wide=12,
        ),
        heart_rate("How does my heart beat within the days?"),
        readings("respiratory_rate", "How fast do I breathe?"),
        readings("oxygen_saturation", "How much oxygen is in my blood?"),
    )  # fmt: skip


def _body(installation: Installation) -> tuple[Panel, ...]:
    return (
        Panel(
            "Do I gain or lose weight?", f"{explained(FACT_BY_NAME['weight'])} The line is the mean of the 28 days up to each.",
            Lines(), (series(_WEIGHT_END, _WEIGHT),), "kg", decimals=1,
            columns=(Column("Weight", colour=palette.SKY, link=day_link()), Column("Mean of 28 days", colour=palette.BLUE)),
            wide=12,
        ),
        Panel(
            "How much of me is fat?", "The newest reading of each day as a share of the weight. From the daily rollups.",
            Lines(), (series(_BODY),), "fraction", colour=palette.BLUE, decimals=1, wide=12,
            nothing="No scale tells it.",
        ),
        course("energy", "How much do I eat?", installation, bars=True),
        Panel(
            "What is my food made of?",
            "Grams of protein, carbohydrates and fat in all servings of a day, as the food diary tells them. "
            "`twinning explain protein --day DAY` lists the servings.",
            Bars(stacked=True), (facts_by_day("protein", "carbs", "fat"),), "g",
            columns=(Column(FACT_BY_NAME["protein"].title, colour=palette.BLUE),
                     Column(FACT_BY_NAME["carbs"].title, colour=palette.ORANGE),
                     Column(FACT_BY_NAME["fat"].title, colour=palette.PURPLE)),
            wide=12,
        ),
    )  # fmt: skip


def _all(installation: Installation) -> tuple[Panel, ...]:
    return (
        Panel(
            "What goes together in my days?",
            "Pairs of facts of the same day or up to three days apart, from the newest search; only what would be hard to have "
            "by chance holds. That two things go together does not say why. `twinning insights` tells how much was tested.",
            Table(), (rows(_INSIGHTS),), "none",
            columns=(Column("/^(Correlation|At least|At most)$/", decimals=2), Column("Chance of a false find", decimals=3)),
            nothing="No search was made yet: `twinning insights`.", wide=12, high=10,
        ),
        Panel(
            "What else is measured of me?",
            "Every metric with a value on one of the chosen days: the newest value in its own unit, on how many days, from how "
            "many samples. From the daily rollups.",
            Table(), (rows(_METRICS),), "none",
            columns=(Column("Newest", decimals=2), Column("/^(Days|Samples)$/", unit="count")),
            links=(asset_link(installation, "table/daily_rollup", "The rollups (Dagster)"),
                   Link("Which file told what", "/d/twinning-quality?${person:queryparam}")),
            wide=12, high=10,
        ),
    )  # fmt: skip
