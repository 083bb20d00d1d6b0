"""Time: hours by day and project, how much of it is billable, and how broken up it is."""

from twinning_pipelines.marts.facts import FACT_BY_NAME
from twinning_pipelines.products.dashboards import palette
from twinning_pipelines.products.dashboards.asking import (
    explained,
    fact_by_weekday,
    largest_by_time,
    midnight,
    rows,
    series,
)
from twinning_pipelines.products.dashboards.facts import RANKED, asset_link, course, figure
from twinning_pipelines.products.dashboards.visuals import Bars, Columns, Lines, Ranks, Stat, Table
from twinning_pipelines.products.dashboards.vocabulary import Column, Dashboard, Installation, Panel, Section

# A stretch of at least so many minutes on one thing is long enough to get deep into it.
_DEEP_MINUTES = 50

# The entries that are over, on the person's own days and clock.
_ENTRIES = """entry as (
    select coalesce(t.day, local_day(t.person_id, t.started_at)) as day, t.started_at at time zone c.zone as clock,
        t.seconds / 3600.0::float8 as hours, coalesce(nullif(t.project, ''), 'no project') as project,
        coalesce(nullif(t.client, ''), 'no client') as client, t.billable, t.started_at, t.ended_at,
        coalesce(nullif(t.description, ''), t.task, '') as what, t.amount, t.currency, t.file_id, t.at
    from time_entry t
    join who on who.id = t.person_id
    join person_clock c on c.person_id = t.person_id and t.started_at >= c.since and t.started_at < c.until
    where t.absent_since is null and t.seconds is not null
        and t.started_at >= who.first - 2 and t.started_at < who.last + 3
        and coalesce(t.day, local_day(t.person_id, t.started_at)) between who.first and who.last
)"""

_WEEK = """select sum(f.value)::float8 as "This week"
from daily_fact f, who
where f.person_id = who.id and f.fact = 'hours' and f.day between date_trunc('week', who.last)::date and who.last"""

_SHARE = """select coalesce(sum(hours) filter (where billable), 0)::float8 / nullif(sum(hours), 0)::float8 as "Billable"
from entry having count(*) > 0"""

_FOCUS = """select coalesce(sum(hours) filter (where hours * 60 >= $minutes), 0)::float8 / nullif(sum(hours), 0)::float8
        as "In long stretches",
    max(hours)::float8 as "Longest, h" from entry having count(*) > 0""".replace("$minutes", str(_DEEP_MINUTES))

_PROJECTS = """counted as (
    select date_trunc('week', f.day)::date as day, f.part as name, sum(f.value)::float8 as value
    from daily_fact f, who
    where f.person_id = who.id and f.fact = 'hours_by_project'
        and f.day between date_trunc('week', who.first)::date and who.last
    group by 1, 2
)"""

_MOST = """select f.part as "Project", sum(f.value)::float8 as "Hours"
from daily_fact f, who
where f.person_id = who.id and f.fact = 'hours_by_project' and f.day between who.first and who.last
group by 1 order by 2 desc limit 15"""

_CLIENTS = """select client as "Client", sum(hours)::float8 as "Hours",
    coalesce(sum(hours) filter (where billable), 0)::float8 as "Billable",
    count(distinct day) as "Days", count(*) as "Entries", max(day)::text as "Last on"
from entry group by 1 order by 2 desc"""

_BROKEN = """select midnight.at as "time", count(*) as "Entries", avg(e.hours * 60)::float8 as "Mean length",
    max(e.hours * 60)::float8 as "Longest"
from entry e cross join who $midnight group by 1 order by 1""".replace("$midnight", midnight("e.day"))

_SWITCHES = """switched as (
    select day, project is distinct from lag(project) over (partition by day order by started_at) as changed from entry
)"""
_SWITCHES_END = """select midnight.at as "time", count(*) filter (where s.changed) - 1 as "Changes of project"
from switched s cross join who $midnight group by 1 order by 1""".replace("$midnight", midnight("s.day"))

# Each entry counts in every hour of the clock that it touches, for as long as it lasts there.
_CLOCK = """hour as (select h from generate_series(0, 23) h),
touched as (
    select hour.h, e.day, extract(epoch from least(e.clock + e.hours * interval '1 hour', begin + interval '1 hour')
        - greatest(e.clock, begin)) / 60 as minutes
    from entry e
    cross join generate_series(date_trunc('hour', e.clock), e.clock + e.hours * interval '1 hour', interval '1 hour') begin
    join hour on hour.h = extract(hour from begin)
    where e.hours < 24
)"""
_CLOCK_END = """select lpad(hour.h::text, 2, '0') as "Hour",
    (coalesce(sum(t.minutes) filter (where t.minutes > 0), 0) / greatest((select count(distinct day) from entry), 1))::float8
        as "Minutes a day"
from hour left join touched t using (h) group by hour.h order by hour.h"""

_ENTRY_LIST = """select e.day::text as "Day", e.started_at as "From", e.hours::float8 as "Hours", e.client as "Client",
    e.project as "Project", e.what as "What", e.billable as "Billable", f.name as "File", e.at as "Line"
from entry e join intake_file f on f.id = e.file_id
order by e.started_at desc limit 200"""


def time(installation: Installation) -> Dashboard:
    """Tracked time."""
    return Dashboard(
        "time", "Time", "Hours by day and project, how much of it is billable, and how broken up it is.", "now-90d",
        (
            Section("At a glance", _glance()),
            Section("Hours", _hours(installation)),
            Section("Focus", _focus()),
            Section("Entry by entry", _entries(installation)),
        ),
    )  # fmt: skip


def _glance() -> tuple[Panel, ...]:
    return (
        figure("hours", "How long did I work on the last day?", wide=6),
        Panel(
            "How long did I work this week?", "Hours tracked from the Monday of the last chosen day up to it.",
            Stat(spark=False), (rows(_WEEK),), "h", colour=palette.BLUE, decimals=1, wide=6, high=4,
            nothing="Nothing is tracked this week.",
        ),
        Panel(
            "How much of it is billable?", f"{explained(FACT_BY_NAME['billable_share'])} Here over all chosen days.",
            Stat(spark=False), (rows(_SHARE, _ENTRIES),), "fraction", colour=palette.BLUE, decimals=0, wide=6, high=4,
        ),
        Panel(
            "How much of it is in long stretches?",
            f"Hours in entries of at least {_DEEP_MINUTES} minutes, as a share of all hours; and the longest entry.",
            Stat(spark=False), (rows(_FOCUS, _ENTRIES),), "fraction", colour=palette.BLUE, decimals=0,
            columns=(Column("Longest, h", unit="h", decimals=1),), wide=6, high=4,
        ),
    )  # fmt: skip


def _hours(installation: Installation) -> tuple[Panel, ...]:
    return (
        course("hours", "How long do I work?", installation, bars=True),
        Panel(
            "On which projects, week by week?",
            f"{explained(FACT_BY_NAME['hours_by_project'])} The largest seven of the chosen time by name, by whole weeks.",
            Bars(stacked=True), (largest_by_time(_PROJECTS),), "h", columns=RANKED, decimals=1, wide=12,
        ),
        Panel(
            "Which projects take most?", explained(FACT_BY_NAME["hours_by_project"]),
            Ranks(), (rows(_MOST),), "h", colour=palette.BLUE, decimals=0,
        ),
        Panel(
            "For whom do I work?", "Hours by client over the chosen days, as the time entries name them.",
            Table(), (rows(_CLIENTS, _ENTRIES),), "none", columns=(Column("/^(Hours|Billable)$/", unit="h", decimals=1),),
        ),
        course("billable_share", "How does the billable share move?", installation, wide=8),
    )  # fmt: skip


def _focus() -> tuple[Panel, ...]:
    return (
        Panel(
            "How broken up are my days?", "How many entries a day has, and how long they are: mean and longest.",
            Lines(), (series(_BROKEN, _ENTRIES),), "min", decimals=0,
            columns=(Column("Entries", unit="count", colour=palette.GREY, right=True),
                     Column("Mean length", colour=palette.BLUE), Column("Longest", colour=palette.SKY)),
        ),
        Panel(
            "How often do I change the project?", "Entries of a day that are on another project than the one before.",
            Bars(), (series(_SWITCHES_END, _ENTRIES, _SWITCHES),), "count", colour=palette.ORANGE, decimals=0,
        ),
        Panel(
            "At which hours do I work?",
            "Minutes of work in each hour of the person's clock, on the mean of the days on which anything was tracked.",
            Columns("Hour"), (rows(_CLOCK_END, _ENTRIES, _CLOCK),), "min", colour=palette.BLUE, decimals=0,
        ),
        Panel(
            "On which weekdays do I work longest?", "The mean hours of the days on which anything was tracked, by weekday.",
            Columns("Weekday"), (fact_by_weekday("hours"),), "h", colour=palette.BLUE, decimals=1, wide=8,
        ),
    )  # fmt: skip


def _entries(installation: Installation) -> tuple[Panel, ...]:
    return (
        Panel(
            "What did I work on last?",
            "The newest two hundred entries of the chosen days, with the file and the line in it that tell each. "
            "`twinning explain hours --day DAY` lists those of a day.",
            Table(), (rows(_ENTRY_LIST, _ENTRIES),), "none",
            columns=(Column("From", unit="time"), Column("Hours", unit="h", decimals=2)),
            links=(asset_link(installation, "table/time_entry", "The time entries (Dagster)"),), wide=24, high=11,
        ),
    )  # fmt: skip
