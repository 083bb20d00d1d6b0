"""Sleep: how long, how deep, how regular."""

from twinning_pipelines.marts.facts import FACT_BY_NAME
from twinning_pipelines.products.dashboards import palette
from twinning_pipelines.products.dashboards.asking import (
    explained,
    fact_by_weekday,
    facts_by_day,
    midnight,
    rows,
    series,
)
from twinning_pipelines.products.dashboards.facts import course, day_link, figure
from twinning_pipelines.products.dashboards.visuals import Bars, Columns, Lines, Stat, Stretches, Table
from twinning_pipelines.products.dashboards.vocabulary import Column, Dashboard, Installation, Panel, Section

# Those that are told apart.
_STAGES = {f"sleep_{stage}": colour for stage, colour in palette.STAGES if stage != "asleep"}

# The night proper of each day, with its times on the person's clock as hours from the midnight before one wakes.
_MAIN = """main as (
    select distinct on (n.day) n.day, n.asleep_min, n.in_bed_min, n.awake_min, n.started_at, n.ended_at,
        extract(epoch from (n.started_at at time zone c.zone) - n.day::timestamp)::float8 / 3600 as fell_asleep,
        extract(epoch from (n.ended_at at time zone c.zone) - n.day::timestamp)::float8 / 3600 as woke
    from night n
    join who on who.id = n.person_id
    join person_clock c on c.person_id = n.person_id and n.started_at >= c.since and n.started_at < c.until
    where n.kind = 'night' and n.day between who.first - 28 and who.last
    order by n.day, n.asleep_min desc nulls last
)"""

_CLOCK = """select midnight.at as "time", m.fell_asleep as "Fell asleep", m.woke as "Woke up"
from main m cross join who $midnight
where m.day >= who.first order by 1""".replace("$midnight", midnight("m.day"))

_REGULARITY = """spread as (
    select day, stddev_samp((fell_asleep + woke) / 2) over month as middle, stddev_samp(woke - fell_asleep) over month as length,
        count(*) over month as nights
    from main window month as (order by day range between interval '27 days' preceding and current row)
)"""
_REGULARITY_END = """select midnight.at as "time", s.middle as "Middle of the night", s.length as "Length"
from spread s cross join who $midnight
where s.day >= who.first and s.nights >= 7 order by 1""".replace("$midnight", midnight("s.day"))

_SPREAD_NOW = """select stddev_samp((fell_asleep + woke) / 2) as "Middle of the night, ±"
from main, who where main.day > who.last - 28 having count(*) >= 7"""

_EFFICIENCY = """select midnight.at as "time", f.share as "Asleep of the time in bed"
from (
    select n.day, sum(n.asleep_min) / nullif(sum(n.in_bed_min), 0) as share
    from night n, who
    where n.person_id = who.id and n.day between who.first and who.last and n.in_bed_min > 0 group by 1
) f cross join who $midnight
where f.share is not null order by 1""".replace("$midnight", midnight("f.day"))

_SHORT = """select count(*) filter (where f.value < 6)::float8 / count(*) as "Nights under 6 h",
    count(*) filter (where f.value >= 7)::float8 / count(*) as "Nights of 7 h and more"
from daily_fact f, who
where f.person_id = who.id and f.fact = 'sleep' and f.day between who.first and who.last having count(*) > 0"""

_MEAN = """select avg(f.value)::float8 as "Mean night", min(f.value)::float8 as "Shortest", max(f.value)::float8 as "Longest"
from daily_fact f, who
where f.person_id = who.id and f.fact = 'sleep' and f.day between who.first and who.last having count(*) > 0"""

_MOST_DAYS = 31
_HYPNOGRAM = """select s.started_at as "time", s.stage as "Stage"
from sleep_stage s, who
where s.person_id = who.id and s.stage <> 'in_bed' and s.day between who.first - 1 and who.last + 1
    and $__timeFilter(s.started_at) and who.last - who.first <= $most
    and s.source || s.origin = (
        select n.source || n.origin from night n
        where n.person_id = who.id and n.day between who.first and who.last
        group by n.source, n.origin order by count(*) desc limit 1)
union all
select n.ended_at, null from night n, who
where n.person_id = who.id and n.day between who.first and who.last and $__timeFilter(n.ended_at) and who.last - who.first <= $most
order by 1""".replace("$most", str(_MOST_DAYS))

_NIGHTS = """select n.day::text as "Day", n.kind as "Kind", n.started_at as "Fell asleep", n.ended_at as "Woke up",
    n.asleep_min / 60 as "Asleep", n.deep_min / 60 as "Deep", n.rem_min / 60 as "REM", n.awake_min / 60 as "Awake",
    n.origin as "Device", n.source as "Source"
from night n, who
where n.person_id = who.id and n.day between who.first and who.last
order by n.started_at desc limit 200"""


def sleep(installation: Installation) -> Dashboard:
    """Nights."""
    return Dashboard(
        "sleep", "Sleep", "How long, how deep and how regular the nights are.", "now-30d",
        (
            Section("At a glance", _glance()),
            Section("Length and stages", _length(installation)),
            Section("Regularity", _regularity()),
            Section("Night by night", _nights()),
        ),
    )  # fmt: skip


def _glance() -> tuple[Panel, ...]:
    return (
        figure("sleep", "How long was the last night?", wide=6),
        Panel(
            "How long are my nights?", f"{explained(FACT_BY_NAME['sleep'])} Mean, shortest and longest of the chosen days.",
            Stat(spark=False), (rows(_MEAN),), "h", colour=palette.BLUE, decimals=1, wide=6, high=4,
        ),
        Panel(
            "How regular are my nights?",
            "The standard deviation of the middle of the night over the last 28 days: half an hour is very regular, more than "
            "an hour is not. Nights proper alone, on the person's own clock.",
            Stat(spark=False), (rows(_SPREAD_NOW, _MAIN),), "h", decimals=2,
            steps=((None, palette.GOOD), (0.75, palette.WATCH), (1.25, palette.BAD)),
            nothing="Fewer than seven nights are known.", wide=6, high=4,
        ),
        Panel(
            "How many nights are short?", "Shares of the chosen days with less than six hours asleep, and with seven or more.",
            Stat(spark=False), (rows(_SHORT),), "fraction", colour=palette.BLUE, decimals=0, wide=6, high=4,
        ),
    )  # fmt: skip


def _length(installation: Installation) -> tuple[Panel, ...]:
    return (
        course("sleep", "How long do I sleep?", installation, bars=True),
        Panel(
            "Which stages are my nights made of?",
            "Hours of deep, REM and core sleep and awake in bed, of all sleeps one woke from that day, where a device tells "
            "stages apart. `twinning explain sleep_deep --day DAY` lists the stretches.",
            Bars(stacked=True), (facts_by_day(*_STAGES),), "h",
            columns=tuple(
                Column(FACT_BY_NAME[name].title, colour=colour, link=day_link()) for name, colour in _STAGES.items()
            ),
            wide=12,
        ),
        Panel(
            "How much of the time in bed am I asleep?",
            "Minutes asleep over minutes in bed, of the sleeps of a day that tell both.",
            Lines(), (series(_EFFICIENCY),), "fraction", colour=palette.BLUE, most=1.0, wide=12,
            nothing="No device tells how long one was in bed.",
        ),
        Panel(
            "On which weekdays do I sleep longest?", "The mean sleep by the weekday on which one wakes.",
            Columns("Weekday"), (fact_by_weekday("sleep"),), "h", colour=palette.BLUE, decimals=1, wide=12,
        ),
    )  # fmt: skip


def _regularity() -> tuple[Panel, ...]:
    return (
        Panel(
            "When do I fall asleep and wake up?",
            "Hours from the midnight before waking, on the person's own clock: -1.5 is half past ten in the evening. The "
            "longest night of each day.",
            Lines(points=True), (series(_CLOCK, _MAIN),), "h", decimals=1,
            columns=(Column("Fell asleep", colour=palette.PURPLE), Column("Woke up", colour=palette.ORANGE)), wide=12,
        ),
        Panel(
            "Do my nights become more regular?",
            "The standard deviation of the middle of the night and of its length over 28 days, where seven nights are known. "
            "Less is more regular.",
            Lines(), (series(_REGULARITY_END, _MAIN, _REGULARITY),), "h", decimals=2, least=0.0,
            columns=(Column("Middle of the night", colour=palette.BLUE), Column("Length", colour=palette.GREY)), wide=12,
            nothing="Fewer than seven nights are known.",
        ),
    )  # fmt: skip


def _nights() -> tuple[Panel, ...]:
    return (
        Panel(
            "Which stages did the nights go through?",
            f"The stages as the device tells them that told most of these nights. At most {_MOST_DAYS} days at a time.",
            Stretches(), (rows(_HYPNOGRAM),), "none", columns=(Column("/.*/", words=palette.STAGES),), at_most_days=_MOST_DAYS,
            nothing=f"No stages are told, or more than {_MOST_DAYS} days are chosen.", wide=24, high=5,
        ),
        Panel(
            "Who told what of each night?",
            "Every sleep with its device and source: the same night told by several devices is one, told by the first in the "
            "person's order (`twinning prefer`).",
            Table(), (rows(_NIGHTS),), "h",
            columns=(
                Column("Fell asleep", unit="time"), Column("Woke up", unit="time"), Column("Day", unit="none", width=110),
                Column("/^(Asleep|Deep|REM|Awake)$/", unit="h", decimals=1),
            ),
            wide=24, high=10,
        ),
    )  # fmt: skip
