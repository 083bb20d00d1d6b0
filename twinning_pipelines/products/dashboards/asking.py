"""Pieces of the SQL that panels ask, in Grafana's macros: whose days, from when to when, and at which instant a day begins.

Every query begins with `who`: the person's id, and the first and the last of the person's own days in the chosen stretch of
time. Days are shown at the instant at which they begin where the person lived. The person comes in as a quoted text
(`${person:sqlstring}`), so no name can be more than a name. Grafana's macros end at the first bracket: none may stand in them.
"""

from string import Template

from twinning_pipelines.marts.facts import FACT_BY_NAME, FACTS, Fact
from twinning_pipelines.marts.telling.judging import FEWEST_USUAL_DAYS, USUAL_DAYS
from twinning_pipelines.products.dashboards.vocabulary import Sql

# What is usual, as in the daily summary: the median of so many days before, if something is known of so many of them.
USUAL = f"the median of the {USUAL_DAYS} days before, where {FEWEST_USUAL_DAYS} of them are known"

_WHO = """with recursive who as materialized (
    select id, local_day(id, $__timeFrom()) as first, local_day(id, $__timeTo()) as last
    from person where name = ${person:sqlstring}
)"""

# The newest day of which anything is told that was measured or booked, not only carried on.
_NEWEST = """told_day as (
    select d.day from who cross join lateral (
        select f.day from daily_fact f
        where f.person_id = who.id and f.day <= who.last and f.fact not in ($standing)
        order by f.day desc limit 1
    ) d
)"""

_MIDNIGHT = "cross join lateral (select min(starts) as at from day_span(who.id, $day)) midnight"

_USUAL_LINES = """told as (
    select f.day, sum(f.value)::float8 as value
    from daily_fact f, who
    where f.person_id = who.id and f.fact = $fact and f.part = '' and f.day between who.first - $days and who.last
    group by f.day
),
beside as (
    select t.*, array_agg(value) over (
        order by day range between interval '$days days' preceding and interval '1 day' preceding) as before
    from told t
)"""
_USUAL_LINES_END = """select midnight.at as "time", b.value as "$title", (
        select percentile_cont(0.5) within group (order by v) from unnest(b.before) v having count(*) >= $known
    ) as "Usual"
from beside b cross join who
$midnight
where b.day >= who.first
order by 1"""

_FACT_LINES = """told as (
    select f.day, f.fact, sum(f.value)::float8 as value
    from daily_fact f, who
    where f.person_id = who.id and f.fact in ($facts) and f.part = '' and f.day between who.first and who.last
    group by 1, 2
)"""

_MONEY_LINES = """told as (
    select f.day, f.fact, f.part, f.unit, f.value::float8 as value
    from daily_fact f, who
    where f.person_id = who.id and f.fact in ($facts) and f.day between who.first and who.last
)"""


_FACT_LINES_END = """select midnight.at as "time",
    $columns
from told t cross join who
$midnight
group by 1 order by 1"""
_MONEY_LINES_END = """select midnight.at as "time", $named || ', ' || t.unit as metric, t.value as value
from told t cross join who
$midnight
order by 1, 2"""
_WEEKDAYS = """select to_char(f.day, 'Dy') as "Weekday", avg(f.value)::float8 as "$title"
from daily_fact f, who
where f.person_id = who.id and f.fact = $fact and f.part = '' and f.day between who.first and who.last
group by 1, extract(isodow from f.day) order by extract(isodow from f.day)"""

# Invoices that were sent, as they stood on the last chosen day: open as the fact `invoices_open` counts them.
_SENT = """sent as (
    select i.*, coalesce(i.net, i.gross)::float8 as worth,
        i.paid_on > who.last or (i.paid_on is null and i.status <> 'paid') as is_open,
        (i.gross - case when i.paid_on is null then coalesce(i.paid, 0) else 0 end)::float8 as still_open
    from invoice i join who on who.id = i.person_id
    where i.absent_since is null and i.status not in ('draft', 'void') and i.issued_on <= who.last
)"""

_LARGEST = """ranked as (
    select $key, row_number() over (order by sum(value) desc, name) as place from counted group by $key
)"""
_LARGEST_END = """select midnight.at as "time", $named as metric, sum(c.value)::float8 as value
from counted c join ranked r using ($key) cross join who $midnight
group by 1, 2 order by 1, 2"""

_MONTHS = """select midnight.at as "time",
    (select title from catalogue c where c.fact = t.fact) || ', ' || t.unit as metric,
    sum(case when t.fact in ($turned) then -t.value else t.value end)::float8 as value
from who
join daily_fact t on t.person_id = who.id and t.fact in ($facts)
    and t.day between date_trunc('month', who.first)::date and who.last
$midnight
group by 1, 2 order by 1, 2"""


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def shell_word(text: str) -> str:
    """SQL for a text as one word of a command line, whatever stands in it. text: an expression of SQL."""
    # Quoted, and a quote in it as '\'' (39 is the quote, 92 the backslash).
    return f"concat(chr(39), replace({text}, chr(39), concat(chr(39), chr(92), chr(39), chr(39))), chr(39))"


def filled(text: str, **values: object) -> str:
    """A query with our own `$names` put in; what is Grafana's (`$__timeFrom()`, `${person:sqlstring}`) stays."""
    return Template(text).safe_substitute(values)


def of_who(text: str) -> str:
    """A query of the marts, which ask of `:person`, for the chosen person."""
    return text.replace(":person", "(select id from who)")


def mine(select: str, *pieces: str) -> str:
    """A query of the chosen person's: `who`, further pieces (`name as (…)`), and the select."""
    return ",\n".join((_WHO, *pieces)) + "\n" + select.strip()


def series(select: str, *pieces: str) -> Sql:
    """A query of the person's whose rows begin with the time, the oldest first."""
    return Sql(mine(select, *pieces), "series")


def rows(select: str, *pieces: str) -> Sql:
    """A query of the person's whose rows are shown as they come."""
    return Sql(mine(select, *pieces), "table")


def midnight(day: str) -> str:
    """A join that gives `midnight.at`: the instant at which a day of the person begins."""
    return filled(_MIDNIGHT, day=day)


def newest_day() -> str:
    """The piece `told_day`: the newest of the person's days of which something is told."""
    return filled(_NEWEST, standing=", ".join(quoted(fact.name) for fact in FACTS if fact.is_standing))


def catalogue() -> str:
    """The piece `catalogue`: our facts with their place in the list, their domain and title."""
    lines = ",\n    ".join(
        f"({place}, {quoted(fact.name)}, {quoted(fact.domain)}, {quoted(fact.title)})"
        for place, fact in enumerate(FACTS)
    )
    return f"catalogue (place, fact, domain, title) as (values\n    {lines}\n)"


def sent_invoices() -> str:
    """The piece `sent`: the person's invoices up to the last chosen day, and whether each `is_open` at its end."""
    return _SENT


def largest(name: str) -> str:
    """What one of the largest seven is called, with its place, and `8 others` for the rest. name: SQL beside `r.place`."""
    return f"case when r.place < 8 then r.place || ' ' || {name} else '8 others' end"


def largest_by_time(counted: str, *, apart: str = "") -> Sql:
    """The largest seven of what is counted by their names, and the rest as one, each by time.

    counted: the piece `counted` of day (at which a stretch begins), name and value. apart: a column more of it, of which
    values are never added up: the currency.
    """
    named = largest("c.name") + (f" || ', ' || c.{apart}" if apart else "")
    key = f"name, {apart}" if apart else "name"
    select = filled(_LARGEST_END, named=named, key=key, midnight=midnight("c.day"))
    return series(select, counted, filled(_LARGEST, key=key))


def fact_by_weekday(name: str) -> Sql:
    """The mean of a fact by the weekday, the Monday first."""
    return rows(filled(_WEEKDAYS, fact=quoted(name), title=FACT_BY_NAME[name].title))


def fact_against_usual(name: str) -> Sql:
    """A fact by day, and what is usual for the person at the time."""
    select = filled(
        _USUAL_LINES_END, title=FACT_BY_NAME[name].title, known=FEWEST_USUAL_DAYS, midnight=midnight("b.day")
    )
    return series(select, filled(_USUAL_LINES, fact=quoted(name), days=USUAL_DAYS))


def facts_by_day(*names: str) -> Sql:
    """Facts by day, a column for each, under their titles."""
    columns = ",\n    ".join(
        f'max(t.value) filter (where t.fact = {quoted(name)}) as "{FACT_BY_NAME[name].title}"' for name in names
    )
    select = filled(_FACT_LINES_END, columns=columns, midnight=midnight("t.day"))
    return series(select, filled(_FACT_LINES, facts=listed(names)))


def money_by_day(*names: str, part: bool = False) -> Sql:
    """Facts in money by day, a series for each currency, named by the fact or (part) by its number and what divides it."""
    named = (
        "dense_rank() over (order by t.part, t.unit) || ' ' || t.part"
        if part
        else "(select title from catalogue c where c.fact = t.fact)"
    )
    select = filled(_MONEY_LINES_END, named=named, midnight=midnight("t.day"))
    return series(select, catalogue(), filled(_MONEY_LINES, facts=listed(names)))


def money_by_month(*names: str, turned: tuple[str, ...] = ()) -> Sql:
    """Facts in money summed up by whole months, a series for each fact and currency; `turned` ones point down."""
    begin = midnight("date_trunc('month', t.day)::date")
    return series(filled(_MONTHS, turned=listed(turned) or "''", facts=listed(names), midnight=begin), catalogue())


def explained(fact: Fact) -> str:
    """What a fact is and where it comes from, as a panel says it."""
    says = fact.definition[:1].upper() + fact.definition[1:]
    return (
        f"{says}. From the daily facts, counted in the person's own days. "
        f"`twinning explain {fact.name} --day DAY --person PERSON` lists the rows and the lines of the files behind a day."
    )


def listed(names: tuple[str, ...]) -> str:
    """Texts as SQL lists them."""
    return ", ".join(map(quoted, names))
