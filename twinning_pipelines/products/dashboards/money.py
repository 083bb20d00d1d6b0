"""Money: what is there, what comes and goes, on what it is spent, what comes again."""

from twinning_pipelines.marts.books.rates import rates_of
from twinning_pipelines.marts.books.recurring import STEP_BY_NAME, STEPS
from twinning_pipelines.marts.books.rows import IS_OWN_TRANSFER
from twinning_pipelines.marts.facts import FACT_BY_NAME
from twinning_pipelines.products.dashboards import palette
from twinning_pipelines.products.dashboards.asking import (
    explained,
    filled,
    largest_by_time,
    money_by_day,
    money_by_month,
    of_who,
    quoted,
    rows,
    shell_word,
)
from twinning_pipelines.products.dashboards.facts import RANKED, asset_link
from twinning_pipelines.products.dashboards.visuals import Bars, Lines, Ranks, Stat, Table
from twinning_pipelines.products.dashboards.vocabulary import Column, Dashboard, Installation, Panel, Section

_MONTH_SO_FAR = """select (case t.fact when 'spend' then 'Out, ' else 'In, ' end) || t.unit as metric, sum(t.value)::float8 as value
from daily_fact t, who
where t.person_id = who.id and t.fact in ('spend', 'income') and t.day between date_trunc('month', who.last)::date and who.last
group by t.fact, t.unit order by 1"""

_SAVED = """saved as (
    select t.unit, sum(t.value) filter (where t.fact = 'income') as earned,
        coalesce(sum(t.value) filter (where t.fact = 'spend'), 0) as spent
    from daily_fact t, who
    where t.person_id = who.id and t.fact in ('spend', 'income') and t.day between who.first and who.last group by 1
)"""
_SAVED_END = """select 'Saved, ' || unit as metric, ((earned - spent) / earned)::float8 as value
from saved where earned > 0 order by 1"""

_NEWEST_BALANCES = filled(
    """select a.name as "Account", a.kind as "Kind", b.balance::float8 as "Balance", b.currency as "Currency",
    b.day::text as "Since", case when b.stated then 'stated' else 'from bookings' end as "How known",
    'twinning explain ' || $fact || ' --day ' || who.last || ' --person ' || $person as "Explained by"
from who
join person p on p.id = who.id
join account a on a.person_id = who.id
cross join lateral (
    select distinct on (k.currency) k.* from account_balance k
    where k.account_id = a.id and k.day <= who.last order by k.currency, k.day desc
) b
order by a.kind, a.name, b.currency""",
    fact=shell_word("'balance:' || a.name"), person=shell_word("p.name"),
)  # fmt: skip

_CATEGORIES = """counted as (
    select date_trunc('month', f.day)::date as day, f.part as name, f.unit, sum(f.value)::float8 as value
    from daily_fact f, who
    where f.person_id = who.id and f.fact = 'spend_by_category'
        and f.day between date_trunc('month', who.first)::date and who.last
    group by 1, 2, 3
)"""

_MOST = """select f.part || ', ' || f.unit as "Category", sum(f.value)::float8 as "Spent"
from daily_fact f, who
where f.person_id = who.id and f.fact = 'spend_by_category' and f.day between who.first and who.last
group by 1 order by 2 desc limit 15"""

_AGAINST_BEFORE = """by_month as (
    select date_trunc('month', f.day)::date as month, f.part as category, f.unit, sum(f.value)::float8 as value
    from daily_fact f, who
    where f.person_id = who.id and f.fact = 'spend_by_category'
        and f.day between (date_trunc('month', who.last) - interval '12 months')::date and who.last
    group by 1, 2, 3
)"""
_AGAINST_BEFORE_END = """select category as "Category", unit as "Currency",
    coalesce(sum(value) filter (where month = date_trunc('month', who.last)), 0) as "This month",
    coalesce(sum(value) filter (where month = date_trunc('month', who.last) - interval '1 month'), 0) as "Last month",
    coalesce(sum(value) filter (where month < date_trunc('month', who.last)), 0) / 12 as "Mean of 12 months"
from by_month, who group by 1, 2 order by 5 desc limit 25"""

# As `twinning budgets` counts: money that came back makes it less, other currencies count at the rate of their day.
_BUDGETS = """budgeted as (
    select distinct on (b.name) b.name, b.currency, b.categories, b.amount
    from budget b, who
    where b.person_id = who.id and b.since < date_trunc('month', who.last) + interval '1 month'
    order by b.name, b.since desc, b.currency
),
used as (
    select b.name, b.currency, f.day, f.unit, sum(case f.fact when 'spend_by_category' then f.value else -f.value end) as amount
    from who
    join daily_fact f on f.person_id = who.id and f.fact in ('spend_by_category', 'income_by_category')
        and f.day between date_trunc('month', who.last)::date and who.last
    join budgeted b on exists (
        select 1 from unnest(b.categories) c where lower(f.part) = lower(c) or starts_with(lower(f.part), lower(c) || ':'))
    group by 1, 2, 3, 4
),
rate as ($rates),
summed as (
    select u.name, sum(case when u.unit = u.currency then u.amount else round(u.amount * r.rate, 2) end) as spent,
        string_agg(distinct u.unit, ', ') filter (where u.unit <> u.currency and r.rate is null) as apart
    from used u left join rate r on r.day = u.day and r.base = u.unit and r.quote = u.currency
    group by 1
)""".replace("$rates", of_who(rates_of("select day, unit as base, currency as quote from used")))
_BUDGETS_END = """select b.name as "Budget", coalesce(s.spent, 0)::float8 as "Spent", b.amount::float8 as "Budgeted",
    b.currency as "Currency", coalesce(s.spent, 0)::float8 / nullif(b.amount, 0)::float8 as "Used",
    extract(day from who.last)::float8
        / extract(day from date_trunc('month', who.last) + interval '1 month' - interval '1 day')::float8 as "Month gone",
    s.apart as "Not converted"
from budgeted b cross join who left join summed s on s.name = b.name order by 5 desc"""

# As `has_ended` of the books: overdue by more than half a step, which is about so many days long.
_STEP_DAYS = "case r.every {} end".format(
    " ".join(f"when {quoted(step.name)} then {round(step.about, 3)}" for step in STEPS)
)
_HAS_ENDED = f"(who.last - r.next_on > ({_STEP_DAYS}) / 2)"

_RECURRING = """select r.payee as "Who", r.every as "Every", r.amount::float8 as "Amount", r.currency as "Currency",
    case when $ended then 'ended' else r.next_on::text end as "Next on",
    case when not $ended then r.next_on - who.last end as "Days until", r.low::float8 as "At least", r.high::float8 as "At most",
    r.n as "Times", a.name as "Account"
from recurring_payment r join who on who.id = r.person_id join account a on a.id = r.account_id
order by $ended, r.next_on, r.payee""".replace("$ended", _HAS_ENDED)

_MONTHLY = filled(
    """select case when r.amount < 0 then 'Out, ' else 'In, ' end || r.currency as metric,
    sum(abs(r.amount) * $month / ($days))::float8 as value
from recurring_payment r, who
where r.person_id = who.id and r.first_on <= who.last and not $ended group by r.amount < 0, r.currency order by 1""",
    month=round(STEP_BY_NAME["month"].about, 3), days=_STEP_DAYS, ended=_HAS_ENDED,
)  # fmt: skip

_WHO = "coalesce(nullif(b.payee, ''), nullif(b.memo, ''), 'nobody named')"

_BOOKINGS = """select b.booked_on::text as "Day", $who as "Who", b.amount::float8 as "Amount", b.currency as "Currency",
    b.category as "Category", b.category_by as "Said by", a.name as "Account", f.name as "File",
    'twinning booking ' || b.id as "Explained by"
from booking b join who on who.id = b.person_id join account a on a.id = b.account_id join intake_file f on f.id = b.file_id
where b.gone_since is null and b.booked_on between who.first and who.last
order by b.booked_on desc, b.id desc limit 200""".replace("$who", _WHO)

_UNNAMED = """select (count(*) filter (where b.category is null))::float8 / count(*) as "Without a category"
from booking b, who
where b.person_id = who.id and b.gone_since is null and b.booked_on between who.first and who.last
    and not $own having count(*) > 0""".replace("$own", IS_OWN_TRANSFER)

_PAYEES = filled(
    """select $who || ', ' || b.currency as "Payee", -sum(b.amount)::float8 as "Paid"
from booking b, who
where b.person_id = who.id and b.gone_since is null and b.amount < 0 and b.booked_on between who.first and who.last
    and not $own
group by 1 order by 2 desc limit 15""",
    who=_WHO, own=IS_OWN_TRANSFER,
)  # fmt: skip

_CURRENCIES = (
    "Money keeps its currency: each series says its own, and what is in different currencies is never added up."
)


def money(installation: Installation) -> Dashboard:
    """Accounts, bookings, budgets."""
    return Dashboard(
        "money", "Money", f"What is there, what comes and goes, what comes again. {_CURRENCIES}", "now-1y",
        (
            Section("At a glance", _glance()),
            Section("What is there", _there(installation)),
            Section("What comes and goes", _moves(installation)),
            Section("Budgets and what comes again", _planned()),
            Section("Booking by booking", _bookings(installation)),
        ),
    )  # fmt: skip


def _glance() -> tuple[Panel, ...]:
    return (
        Panel(
            "What am I worth?", f"{explained(FACT_BY_NAME['net_worth'])} {_CURRENCIES}",
            Stat(), (money_by_day("net_worth"),), "money", colour=palette.BLUE, decimals=0, wide=6, high=5,
        ),
        Panel(
            "What has this month brought and cost?",
            "Money in and out since the first of the month of the last chosen day, own transfers left out.",
            Stat(by_row=True), (rows(_MONTH_SO_FAR),), "money", colour=palette.BLUE, decimals=0, wide=6, high=5,
        ),
        Panel(
            "How much of what comes in do I keep?",
            "What came in less what went out, as a share of what came in, over the chosen days, by currency.",
            Stat(by_row=True), (rows(_SAVED_END, _SAVED),), "fraction", decimals=0,
            steps=((None, palette.BAD), (0, palette.WATCH), (0.1, palette.GOOD)), wide=6, high=5,
            nothing="Nothing came in.",
        ),
        Panel(
            "What comes and goes every month by itself?",
            "Recurring payments as the bookings show them, each brought to a month, those left out that have ended. "
            "`twinning recurring` lists them.",
            Stat(by_row=True), (rows(_MONTHLY),), "money", colour=palette.BLUE, decimals=0, wide=6, high=5,
            nothing="Nothing comes again yet.",
        ),
    )  # fmt: skip


def _there(installation: Installation) -> tuple[Panel, ...]:
    return (
        Panel(
            "How does my net worth move?", f"{explained(FACT_BY_NAME['net_worth'])} {_CURRENCIES}",
            Lines(fill=10), (money_by_day("net_worth"),), "money", decimals=0, wide=12,
            links=(asset_link(installation, "daily_facts", "How it is made (Dagster)"),),
        ),
        Panel(
            "How much is in each account?", explained(FACT_BY_NAME["balance"]),
            Lines(steps=True), (money_by_day("balance", part=True),), "money", decimals=0, columns=RANKED, wide=12,
        ),
        Panel(
            "What is in my accounts now?",
            "The last balance of each account on or before the last chosen day: stated by the bank, or a stated one and the "
            "bookings since.",
            Table(), (rows(_NEWEST_BALANCES),), "none",
            columns=(Column("Balance", unit="money", decimals=2), Column("Explained by", width=380)), wide=24, high=7,
        ),
    )  # fmt: skip


def _moves(installation: Installation) -> tuple[Panel, ...]:
    return (
        Panel(
            "Does more come in than goes out?",
            "Income and spending by whole months and currency, own transfers left out. `twinning explain spend --day DAY` "
            "lists the bookings of a day.",
            Bars(), (money_by_month("income", "spend", turned=("spend",)),), "money", decimals=0,
            columns=(Column("/^Income/", colour=palette.BLUE), Column("/^Spending/", colour=palette.ORANGE)), wide=12,
            links=(asset_link(installation, "bookings", "How bookings are settled (Dagster)"),),
        ),
        Panel(
            "On what is it spent, month by month?",
            f"{explained(FACT_BY_NAME['spend_by_category'])} The largest seven of the chosen time by name, by whole months.",
            Bars(stacked=True), (largest_by_time(_CATEGORIES, apart="unit"),), "money", decimals=0, columns=RANKED, wide=12,
        ),
        Panel(
            "Which categories take most?", explained(FACT_BY_NAME["spend_by_category"]),
            Ranks(), (rows(_MOST),), "money", colour=palette.BLUE, decimals=0, wide=8, high=10,
        ),
        Panel(
            "Who gets most?",
            "Money out by payee, or by the words of the booking where it names none, over the chosen days, own transfers left "
            "out. From the settled bookings.",
            Ranks(), (rows(_PAYEES),), "money", colour=palette.ORANGE, decimals=0, wide=8, high=10,
        ),
        Panel(
            "Is this month like those before?",
            "Spending by category in the month of the last chosen day, the month before it, and the mean of the twelve before.",
            Table(), (rows(_AGAINST_BEFORE_END, _AGAINST_BEFORE),), "money", decimals=0, wide=8, high=10,
        ),
    )  # fmt: skip


def _planned() -> tuple[Panel, ...]:
    used = Column(
        "Used", unit="fraction", decimals=0, bar=True, low=0.0, high=1.2,
        steps=((None, palette.GOOD), (0.85, palette.WATCH), (1.0, palette.BAD)),
    )  # fmt: skip
    return (
        Panel(
            "How much of each budget is used?",
            "The budgets of the person's rulebook in the month of the last chosen day, counted up to it: money that came back "
            "makes it less, other currencies count at the rate of their day. `twinning budgets` tells the same, but for "
            "cents: it converts each booking by itself, and here it is the sum of a day.",
            Table(), (rows(_BUDGETS_END, _BUDGETS),), "money",
            columns=(used, Column("Month gone", unit="fraction", decimals=0)), decimals=2,
            nothing="The rulebook has no budgets.", wide=12,
        ),
        Panel(
            "What comes again, and when?",
            "Payments that the bookings show to come again, the next first, and those that have ended: more than half a step "
            "overdue. `twinning recurring` tells the same.",
            Table(), (rows(_RECURRING),), "none",
            columns=(
                Column("/^(Amount|At least|At most)$/", unit="money", decimals=2),
                Column("Days until", unit="d", steps=((None, palette.WATCH), (0, palette.GOOD))),
            ),
            nothing="Nothing comes again yet.", wide=12,
        ),
    )  # fmt: skip


def _bookings(installation: Installation) -> tuple[Panel, ...]:
    return (
        Panel(
            "What was booked last?",
            "The newest two hundred bookings of the chosen days, each once however many files tell it, with who says its "
            "category (person, rule or file) and the file that tells it best.",
            Table(), (rows(_BOOKINGS),), "none",
            columns=(Column("Amount", unit="money", decimals=2), Column("Explained by", width=170)), wide=20, high=12,
            links=(asset_link(installation, "bookings", "How bookings are settled (Dagster)"),),
        ),
        Panel(
            "How many bookings have no category?", "The share of the bookings of these days; a rule in the rulebook helps.",
            Stat(spark=False), (rows(_UNNAMED),), "fraction", decimals=0,
            steps=((None, palette.GOOD), (0.1, palette.WATCH), (0.4, palette.BAD)), wide=4, high=6,
        ),
    )  # fmt: skip
