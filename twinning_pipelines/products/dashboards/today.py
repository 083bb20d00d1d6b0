"""Today: the newest day of which anything is told, against what is usual, and what wants a look."""

from twinning_pipelines.marts.telling.judging import FEWEST_USUAL_DAYS, USUAL_DAYS
from twinning_pipelines.products.dashboards import palette
from twinning_pipelines.products.dashboards.asking import (
    USUAL,
    catalogue,
    filled,
    newest_day,
    rows,
    sent_invoices,
    shell_word,
)
from twinning_pipelines.products.dashboards.dense import by_device, heart_rate
from twinning_pipelines.products.dashboards.facts import asset_link, figure
from twinning_pipelines.products.dashboards.visuals import Stat, Stretches, Table
from twinning_pipelines.products.dashboards.vocabulary import Column, Dashboard, Installation, Link, Panel, Section

_DAY = """select to_char(day, 'FMDay, FMDD FMMonth YYYY') as "Day" from told_day"""

_TOLD = filled(
    """select c.title || case when f.part = '' then '' else ': ' || f.part end as "Fact", f.value::float8 as "Value",
    f.unit as "Unit", u.usual as "Usual",
    (100 * (f.value::float8 - u.usual) / nullif(abs(u.usual), 0)) as "Against usual",
    'twinning explain ' || $fact || ' --day ' || f.day || ' --person ' || $person as "Explained by"
from daily_fact f
join told_day on told_day.day = f.day
join named who on who.id = f.person_id
join catalogue c on c.fact = f.fact
left join usual u on (u.fact, u.part, u.unit) = (f.fact, f.part, f.unit)
order by c.place, f.part, f.unit""",
    fact=shell_word("f.fact || case when f.part = '' then '' else ':' || f.part end"), person=shell_word("who.name"),
)  # fmt: skip
_NAMED = "named as (select person.id, person.name from person join who using (id))"
_USUAL = filled(
    """usual as (
    select f.fact, f.part, f.unit, percentile_cont(0.5) within group (order by f.value::float8) as usual
    from daily_fact f, who, told_day
    where f.person_id = who.id and f.day between told_day.day - $days and told_day.day - 1
    group by 1, 2, 3 having count(*) >= $known
)""",
    days=USUAL_DAYS, known=FEWEST_USUAL_DAYS,
)  # fmt: skip

_SUMMARY = """select s.day::text as "Day", s.headline as "In a word", s.text as "In words", s.path as "Written by"
from summary s, who
where s.person_id = who.id and s.kind = 'day' and s.day between who.first and who.last
order by s.day desc limit 3"""

_SAID = """select j.said_at as "When", j.text as "Words"
from journal_entry j, who
where j.person_id = who.id and j.day between who.first and who.last
order by j.said_at desc limit 20"""

_NEWS = """select n.made_at as "When", n.title as "What", n.body as "More"
from news n, who
where (n.person_id = who.id or n.person_id is null) and $__timeFilter(n.made_at)
order by n.made_at desc limit 20"""

_WAITING = """select what as "What", n as "How many"
from (
    select 1 as place, 'files that nobody could read' as what, count(*) as n from intake_file f, who
        where f.person_id = who.id and f.status in ('unreadable', 'unrouted')
    union all select 2, 'files that wait to be read', count(*) from intake_file f, who
        where f.person_id = who.id and f.status = 'pending'
    union all select 3, 'rejected rows to look at', count(*) from rejection r
        join intake_file f on f.id = r.file_id join who on who.id = f.person_id
    union all select 4, 'days that wait to be counted', count(*) from stale_day d, who
        where d.person_id = who.id and d.day <= who.last
    union all select 5, 'transfers to confirm', count(*) from transfer t, who
        where t.person_id = who.id and t.state = 'proposed'
    union all select 6, 'invoices due', count(*) from sent s, who where s.is_open and s.due_on <= who.last
    union all select 7, 'news that reached nobody', count(*) from news_delivery d
        join news n on n.id = d.news_id join who on who.id = n.person_id where d.state = 'dead'
) as waiting
order by n = 0, place"""

_NIGHT = """select s.started_at as "time", s.stage as "Stage"
from sleep_stage s, who, told_day,
    lateral (select min(started_at) as begin, max(ended_at) as finish from night n
        where n.person_id = who.id and n.day = told_day.day) as last_night
where s.person_id = who.id and s.day between told_day.day - 2 and told_day.day + 1 and s.stage <> 'in_bed'
    and s.started_at >= last_night.begin and s.started_at < last_night.finish
    and s.source || s.origin = (
        select n.source || n.origin from night n where n.person_id = who.id and n.day = told_day.day
        order by n.asleep_min desc nulls last limit 1)
union all
select max(n.ended_at), null from night n, who, told_day where n.person_id = who.id and n.day = told_day.day
order by 1"""


def today(installation: Installation) -> Dashboard:
    """The page that Grafana opens first."""
    return Dashboard(
        "today", "Today", "The newest day of which anything is told, beside what is usual.", "now-7d",
        (
            Section("At a glance", _glance()),
            Section("The day", _the_day(installation)),
            Section("Within the days", _within()),
            Section("What is said", _said()),
        ),
    )  # fmt: skip


def _glance() -> tuple[Panel, ...]:
    return (
        Panel(
            "Which day is this?",
            "The newest of the person's days, up to the end of the chosen time, of which anything was measured or booked.",
            Stat(words=True), (rows(_DAY, newest_day()),), "none", nothing="Nothing is told up to this day.", wide=4, high=4,
        ),
        figure("sleep", "How long did I sleep?"),
        figure("steps", "How many steps did I take?"),
        figure("resting_heart_rate", "How fast does my heart beat at rest?"),
        figure("hours", "How long did I work?"),
        figure("energy", "How much did I eat?"),
    )  # fmt: skip


def _the_day(installation: Installation) -> tuple[Panel, ...]:
    against = Column(
        "Against usual", unit="percent", decimals=0, width=140,
        steps=((None, palette.PURPLE), (-25, palette.GREY), (25, palette.ORANGE)),
    )  # fmt: skip
    return (
        Panel(
            "What is told of the day, and what is usual?",
            f"Every fact of the newest day, in the order of the catalogue. Usual: {USUAL}. The last column is the command that "
            "goes on from the number to the lines of the files behind it.",
            Table(), (rows(_TOLD, newest_day(), catalogue(), _NAMED, _USUAL),), "count",
            columns=(against, Column("Value", decimals=2), Column("Usual", decimals=2), Column("Unit", width=80),
                     Column("Explained by", width=420)),
            links=(asset_link(installation, "daily_facts", "How the facts are made (Dagster)"),),
            nothing="Nothing is told up to this day.", wide=16, high=14,
        ),
        Panel(
            "What wants a look?",
            "What waits for a person, as the ledger and the books tell it now: `twinning status` says more.",
            Table(), (rows(_WAITING, sent_invoices()),), "count",
            columns=(Column("How many", width=110, steps=((None, palette.GOOD), (1, palette.WATCH))),),
            links=(Link("Where files stand", "/d/twinning-quality?${person:queryparam}"),), wide=8, high=14,
        ),
    )  # fmt: skip


def _within() -> tuple[Panel, ...]:
    stage = Column("/.*/", words=palette.STAGES)
    return (
        heart_rate("How did my heart beat?"),
        by_device("steps", "When did I walk, and which device saw it?"),
        Panel(
            "Which stages did the last night go through?",
            "The stages that the device of the newest day's night tells, from falling asleep to getting up. Zoom in to the "
            "night to see them well. From the stretches of sleep, `sleep_stage`.",
            Stretches(), (rows(_NIGHT, newest_day()),), "none", columns=(stage,),
            nothing="No device tells stages of this night.", wide=24, high=5,
        ),
    )  # fmt: skip


def _said() -> tuple[Panel, ...]:
    words = Column("In words", wraps=True)
    return (
        Panel(
            "What do the days sound like in words?",
            "The newest daily summaries. A language model may have written the words; code put in every figure. "
            "`twinning summary --day DAY` shows the facts behind them.",
            Table(), (rows(_SUMMARY),), "none",
            columns=(words, Column("Day", width=110), Column("In a word", width=220, wraps=True), Column("Written by", width=100)),
            nothing="No summary is written of these days.", wide=24, high=9,
        ),
        Panel(
            "What did I say?", "Voice notes and journal entries of these days; `twinning journal WORDS` finds every word.",
            Table(), (rows(_SAID),), "none", columns=(Column("When", width=180), Column("Words", wraps=True)),
            nothing="Nothing was said on these days.", wide=12,
        ),
        Panel(
            "What was worth a word?", "What was told to this person, or of the whole house, when something mattered.",
            Table(), (rows(_NEWS),), "none", columns=(Column("When", width=180), Column("More", wraps=True)),
            nothing="Nothing was news in this time.", wide=12,
        ),
    )  # fmt: skip
