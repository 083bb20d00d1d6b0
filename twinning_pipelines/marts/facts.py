"""What is told of a day: each fact with its definition, its unit, and the rows behind it.

A fact is one SQL query that gives the rows it counts, and the way they are totalled. The value and its explanation come
from the same rows, so they can't drift apart. Every query gives

    day, part, unit, amount, base, record, file_id, at, label

for one person (`:person`) and the days `:first` to `:last`. `part` divides a fact (a category, a project); `base` is
what a share is a share of.
"""

from typing import Literal

from msgspec import Struct

from twinning_pipelines.marts.books.holdings import PORTFOLIO_TOTALS, PORTFOLIO_VALUE
from twinning_pipelines.marts.books.net_worth import NET_WORTH_ROWS, NET_WORTH_TOTALS
from twinning_pipelines.marts.books.rows import BALANCE_ROWS, BALANCE_TOTALS, money, money_by_category

Total = Literal["sum", "share", "rollup", "night", "standing"]


class Fact(Struct, frozen=True):
    """One thing worth telling of a day. An empty `unit` is given by the rows: amounts keep their currency.

    total: sum of amounts, share (sum of amounts over sum of bases), or with no query of its own rollup (as `rollups`
        totals the metric `measured`) or night (as `nights` totals the field `measured` of a day's sleeps); or standing:
        what has piled up until the day, which `totals` (day, part, unit, value, n) knows without looking at every row.
    carries_on: what is open stays told, day after day, until it is closed.
    """

    name: str
    domain: str
    title: str
    unit: str
    definition: str
    total: Total
    rows: str
    measured: str | None = None
    totals: str = ""
    carries_on: bool = False

    @property
    def is_standing(self) -> bool:
        """Is it told of days on which nothing happened?"""
        return self.total == "standing" or self.carries_on


def _metric(name: str, metric: str, title: str, unit: str, definition: str) -> Fact:
    """A fact that is a metric's rollup; `rollups.shares_of` gives the rows behind it."""
    return Fact(name, "health", title, unit, definition, "rollup", "", metric)


def _sleep(name: str, field: str, title: str, definition: str) -> Fact:
    """A fact of the sleeps from which one wakes on the day; `nights.sleep_shares` gives the rows behind it."""
    return Fact(name, "health", title, "h", definition, "night", "", field)


_WORKOUTS = """
    select local_day(w.person_id, w.started_at) as day, '' as part, 'min' as unit,
        coalesce(w.duration_min, extract(epoch from w.ended_at - w.started_at) / 60)::numeric as amount,
        1::numeric as base, 'workout' as record, w.file_id, w.at, w.activity as label
    from workout w
    where w.person_id = :person and w.absent_since is null
        and local_day(w.person_id, w.started_at) between :first and :last"""


def _serving(column: str, unit: str) -> str:
    return f"""
        select day, '' as part, '{unit}' as unit, {column}::numeric as amount, 1::numeric as base,
            'serving' as record, file_id, at, food as label
        from serving
        where person_id = :person and absent_since is null and {column} is not null
            and day between :first and :last"""  # noqa: S608


def _time(part: str, amount: str, base: str = "1::numeric", unit: str = "h") -> str:
    return f"""
        select coalesce(day, local_day(person_id, started_at)) as day, {part} as part, '{unit}' as unit,
            {amount} as amount, {base} as base, 'time_entry' as record, file_id, at,
            coalesce(nullif(description, ''), project, '') as label
        from time_entry
        where person_id = :person and absent_since is null and seconds is not null
            and coalesce(day, local_day(person_id, started_at)) between :first and :last"""  # noqa: S608


_HOURS = "seconds / 3600.0"

_PIPELINE = """
    select d::date as day, '' as part, currency as unit, amount * coalesce(probability, 0)::numeric as amount,
        1::numeric as base, 'deal' as record, file_id, at, title as label
    from deal, generate_series(cast(:first as date), cast(:last as date), interval '1 day') d
    where person_id = :person and absent_since is null and amount is not null and created_on <= d
        and (status = 'open' or closed_on > d)"""


def _invoices(condition: str) -> str:
    return f"""
        select d::date as day, '' as part, currency as unit,
            gross - case when paid_on is null then coalesce(paid, 0) else 0 end as amount, 1::numeric as base,
            'invoice' as record, file_id, at, number || ' ' || client as label
        from invoice, generate_series(cast(:first as date), cast(:last as date), interval '1 day') d
        where person_id = :person and absent_since is null and status not in ('draft', 'void')
            and issued_on <= d and (paid_on > d or (paid_on is null and status <> 'paid')) and {condition}"""  # noqa: S608


_EXPENSES = """
    select spent_on as day, '' as part, currency as unit, amount, 1::numeric as base, 'expense' as record, file_id, at,
        vendor as label
    from expense where person_id = :person and absent_since is null and spent_on between :first and :last"""

_INVOICED = """
    select issued_on as day, '' as part, currency as unit, coalesce(net, gross) as amount, 1::numeric as base,
        'invoice' as record, file_id, at, number || ' ' || client as label
    from invoice
    where person_id = :person and absent_since is null and status not in ('draft', 'void')
        and issued_on between :first and :last"""

FACTS: tuple[Fact, ...] = (
    _sleep("sleep", "asleep", "Sleep", "time asleep in all sleeps one woke from that day, each minute counted once"),
    _sleep("time_in_bed", "in_bed", "Time in bed", "time in bed for these sleeps, asleep or not"),
    _sleep("sleep_deep", "deep", "Deep sleep", "deep sleep in them, where a device tells stages apart"),
    _sleep("sleep_rem", "rem", "REM sleep", "REM sleep in them"),
    _sleep("sleep_core", "core", "Core sleep", "core (light) sleep in them"),
    _sleep("sleep_awake", "awake", "Awake in bed", "time awake between falling asleep and getting up"),
    _sleep("naps", "napping", "Naps", "time asleep in naps, which is part of sleep"),
    _metric("steps", "steps", "Steps", "count", "steps of the local day, each counted once however many devices saw it"),
    _metric("distance", "distance_walking_running", "Distance on foot", "m", "metres walked and run, each counted once"),
    _metric("active_energy", "active_energy", "Active energy", "kcal", "energy spent moving, counted once"),
    _metric("exercise", "exercise_time", "Exercise", "min", "exercise minutes, counted once"),
    _metric("resting_heart_rate", "resting_heart_rate", "Resting heart rate", "count/min", "last value of the day"),
    _metric("heart_rate", "heart_rate", "Heart rate", "count/min", "mean of all readings of the day"),
    _metric("heart_rate_variability", "heart_rate_variability", "Heart rate variability", "ms", "mean SDNN of the day"),
    _metric("weight", "body_mass", "Weight", "kg", "last value of the day"),
    Fact("workouts", "health", "Workouts", "min", "active minutes of the workouts that began on the day", "sum", _WORKOUTS),
    Fact("energy", "nutrition", "Energy eaten", "kcal", "kilocalories of all servings", "sum", _serving("energy_kcal", "kcal")),
    Fact("protein", "nutrition", "Protein", "g", "grams in all servings", "sum", _serving("protein_g", "g")),
    Fact("carbs", "nutrition", "Carbohydrates", "g", "grams in all servings", "sum", _serving("carbs_g", "g")),
    Fact("fat", "nutrition", "Fat", "g", "grams in all servings", "sum", _serving("fat_g", "g")),
    Fact("spend", "finance", "Spending", "", "money out, own transfers left out", "sum", money("<")),
    Fact("income", "finance", "Income", "", "money in, own transfers left out", "sum", money(">")),
    Fact("spend_by_category", "finance", "Spending by category", "", "money out, by category", "sum", money_by_category("<")),
    Fact(
        "balance", "finance", "Balance", "", "in each account at the end of the day: the last one stated and the bookings since",
        "standing", BALANCE_ROWS, totals=BALANCE_TOTALS,
    ),
    Fact(
        "portfolio_value", "finance", "Portfolio", "", "what the securities held that day were worth, by security",
        "standing", PORTFOLIO_VALUE, totals=PORTFOLIO_TOTALS,
    ),
    Fact(
        "net_worth", "finance", "Net worth", "", "all balances and holdings in your currency; apart where no rate is known",
        "standing", NET_WORTH_ROWS, totals=NET_WORTH_TOTALS,
    ),
    Fact("income_by_category", "finance", "Income by category", "", "money in, by category", "sum", money_by_category(">")),
    Fact("hours", "time", "Hours tracked", "h", "sum of the entries that began on the day", "sum", _time("''", _HOURS)),
    Fact(
        "hours_by_project", "time", "Hours by project", "h", "sum of the entries that began on the day, by project", "sum",
        _time("coalesce(nullif(project, ''), 'no project')", _HOURS),
    ),
    Fact(
        "billable_share", "time", "Billable share", "fraction", "billable hours over all hours", "share",
        _time("''", f"case when billable then {_HOURS} else 0 end", _HOURS, "fraction"),
    ),
    Fact(
        "pipeline_weighted", "business", "Weighted pipeline", "", "amount times probability of the deals open that day",
        "sum", _PIPELINE, carries_on=True,
    ),
    Fact("invoiced", "business", "Invoiced", "", "net of the invoices sent that day", "sum", _INVOICED),
    Fact(
        "invoices_open", "business", "Invoices unpaid", "", "sent and not paid by that day", "sum", _invoices("true"),
        carries_on=True,
    ),
    Fact(
        "invoices_due", "business", "Invoices due", "", "unpaid, and due that day or before", "sum",
        _invoices("due_on <= d"), carries_on=True,
    ),
    Fact("expenses", "business", "Business expenses", "", "spent that day, tax included", "sum", _EXPENSES),
)  # fmt: skip

FACT_BY_NAME: dict[str, Fact] = {fact.name: fact for fact in FACTS}
