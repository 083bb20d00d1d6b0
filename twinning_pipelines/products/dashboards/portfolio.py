"""Portfolio: what is held, what it is worth, what it cost."""

from twinning_pipelines.marts.books.balances import TRADED
from twinning_pipelines.marts.books.holdings import PLACED_HOLDINGS
from twinning_pipelines.marts.books.securities import KNOWN_SECURITIES
from twinning_pipelines.marts.facts import FACT_BY_NAME
from twinning_pipelines.products.dashboards import palette
from twinning_pipelines.products.dashboards.asking import (
    explained,
    filled,
    largest,
    midnight,
    of_who,
    rows,
    series,
    shell_word,
)
from twinning_pipelines.products.dashboards.facts import RANKED, asset_link
from twinning_pipelines.products.dashboards.visuals import Bars, Lines, Shares, Stat, Table
from twinning_pipelines.products.dashboards.vocabulary import Column, Dashboard, Installation, Panel, Section

# A dollar that ends an expression would look like a variable to Grafana; \\Z means the same.
_SECURITIES = of_who(KNOWN_SECURITIES).replace("$'", "\\Z'").strip()

_VALUES = """worth as (
    select f.day, f.part as security, f.unit, f.value::float8 as value from daily_fact f, who
    where f.person_id = who.id and f.fact = 'portfolio_value' and f.day between who.first and who.last
)"""
_TOTAL = """select midnight.at as "time", 'Worth, ' || w.unit as metric, sum(w.value) as value
from worth w cross join who $midnight
group by 1, 2 order by 1, 2""".replace("$midnight", midnight("w.day"))

_RANKED = """ranked as (
    select w.security, w.unit, row_number() over (order by max(w.value) desc, w.security) as place from worth w group by 1, 2
)"""
_BY_SECURITY = filled(
    """select midnight.at as "time", $named || ', ' || w.unit as metric, sum(w.value) as value
from worth w
join ranked r using (security, unit)
left join named n on n.security = w.security
cross join who $midnight
group by 1, 2 order by 1, 2""",
    named=largest("coalesce(n.name, w.security)"), midnight=midnight("w.day"),
)  # fmt: skip

_NOW = """now_worth as (
    select f.part as security, f.unit, f.value::float8 as value
    from who
    cross join lateral (
        select max(f.day) as day from daily_fact f
        where f.person_id = who.id and f.fact = 'portfolio_value' and f.day between who.last - 31 and who.last
    ) newest
    join daily_fact f on f.person_id = who.id and f.day = newest.day and f.fact = 'portfolio_value'
)"""
_ALLOCATION = """select coalesce(n.name, w.security) || ', ' || w.unit as "Security", w.value as "Worth"
from now_worth w left join named n on n.security = w.security order by 2 desc"""

# Statements up to the last chosen day.
_PLACED = filled(
    "placed as (select h.* from ($holdings) as h, who where h.held_on <= who.last)", holdings=of_who(PLACED_HOLDINGS)
)

# What the newest statement of each account says: units, and what was paid for them.
_STATED = """stated as (
    select h.account, h.security, h.currency, h.held_on, h.units, h.unit_price, h.market_value, h.cost, h.file_id
    from placed h
    where h.source = h.told_by and h.held_on = (select max(g.held_on) from placed g where g.place = h.place)
)"""
_HELD = filled(
    """select coalesce(n.name, s.security) as "Security", s.account as "Account", s.units::float8 as "Units",
    s.unit_price::float8 as "Price", s.market_value::float8 as "Worth when stated", s.cost::float8 as "Paid",
    (s.market_value - s.cost)::float8 as "Gain", ((s.market_value - s.cost) / nullif(abs(s.cost), 0))::float8 as "Gain in %",
    s.currency as "Currency", s.held_on::text as "Stated on", f.name as "File",
    'twinning explain ' || $fact || ' --day ' || s.held_on || ' --person ' || $person as "Explained by"
from stated s
cross join who
join person p on p.id = who.id
left join known k on k.told = s.security
left join named n on n.security = coalesce(k.security, s.security)
join intake_file f on f.id = s.file_id
order by 5 desc nulls last""",
    fact=shell_word("'portfolio_value:' || coalesce(k.security, s.security)"), person=shell_word("p.name"),
)  # fmt: skip
# What was sold short has brought its cost: the gain is a share of its size.
_GAIN = """select 'Gain, ' || currency as metric, sum(market_value - cost)::float8 as value
from stated where cost is not null and market_value is not null group by currency order by 1"""
_GAIN_SHARE = """select 'Gain, ' || currency as metric, (sum(market_value - cost) / nullif(sum(abs(cost)), 0))::float8 as value
from stated where cost is not null and market_value is not null group by currency order by 1"""

_PAID = """paid as (
    select h.held_on as day, h.currency, sum(h.cost)::float8 as cost, sum(h.market_value)::float8 as value
    from placed h, who
    where h.source = h.told_by and h.cost is not null and h.held_on >= who.first
    group by 1, 2
)"""
_PAID_END = """select midnight.at as "time", v.kind || ', ' || p.currency as metric, v.amount as value
from paid p
cross join lateral (values ('Paid', p.cost), ('Worth', p.value)) as v (kind, amount)
cross join who $midnight
where v.amount is not null order by 1, 2""".replace("$midnight", midnight("p.day"))

_TRADES = """select t.traded_on::text as "Day", t.action as "What", coalesce(n.name, nullif(t.security, ''), 'cash') as "Security",
    t.units::float8 as "Units", t.unit_price::float8 as "Price", t.total::float8 as "Cash", t.fees::float8 as "Fees",
    t.currency as "Currency", t.account as "Account", f.name as "File"
from trade t
join who on who.id = t.person_id
join intake_file f on f.id = t.file_id
left join known k on k.told = t.security
left join named n on n.security = coalesce(k.security, t.security)
where t.absent_since is null and t.traded_on between who.first and who.last
order by t.traded_on desc, t.id desc limit 200"""

# An exchange of currencies buys nothing; what it costs is a fee.
_INVESTED = """moves as (
    select date_trunc('month', m.day)::date as month, m.currency, m.total, t.fees,
        case when t.extra ->> 'assetCategory' = 'CASH' then null else t.units end as units
    from ($traded) m join trade t on t.id = m.trade_id cross join who
    where m.is_told and m.day between date_trunc('month', who.first)::date and who.last
)""".replace("$traded", of_who(TRADED))
# Which way units go each source writes in its own way; which way the money goes is the same everywhere.
_INVESTED_END = """select midnight.at as "time", v.kind || ', ' || m.currency as metric, sum(v.amount)::float8 as value
from moves m
cross join lateral (values
    ('Bought', case when m.units <> 0 and m.total < 0 then -m.total end),
    ('Sold', case when m.units <> 0 and m.total > 0 then -m.total end),
    ('Fees', abs(m.fees))) as v (kind, amount)
cross join who $midnight
where v.amount <> 0 group by 1, 2 order by 1, 2""".replace("$midnight", midnight("m.month"))

_RATES = """select midnight.at as "time", e.base || ' in ' || e.quote as metric, e.rate::float8 as value
from who
join person p on p.id = who.id
join exchange_rate e on e.person_id = who.id and e.absent_since is null and e.rated_on between who.first and who.last
    and (e.base in (select currency from account a where a.person_id = who.id)
        and e.quote in (select currency from account a where a.person_id = who.id))
$midnight
order by 1, 2""".replace("$midnight", midnight("e.rated_on"))


def portfolio(installation: Installation) -> Dashboard:
    """Securities."""
    return Dashboard(
        "portfolio", "Portfolio", "What is held, what it is worth, what it cost. Currencies are never added up.", "now-1y",
        (
            Section("At a glance", _glance()),
            Section("Worth", _worth(installation)),
            Section("Holdings and trades", _holdings(installation)),
        ),
    )  # fmt: skip


def _glance() -> tuple[Panel, ...]:
    signs = ((None, palette.BAD), (0, palette.GOOD))
    return (
        Panel(
            "What is it worth?", explained(FACT_BY_NAME["portfolio_value"]),
            Stat(), (series(_TOTAL, _VALUES),), "money", colour=palette.BLUE, decimals=0, wide=8, high=5,
        ),
        Panel(
            "What have I gained?",
            "What the newest statement of each account says its holdings were worth, less what was paid for them.",
            Stat(by_row=True), (rows(_GAIN, _PLACED, _STATED),), "money", decimals=0, steps=signs, wide=8, high=5,
            nothing="No statement tells what was paid.",
        ),
        Panel(
            "What is that of what I paid?", "The same gain as a share of what was paid.",
            Stat(by_row=True), (rows(_GAIN_SHARE, _PLACED, _STATED),), "fraction", decimals=1, steps=signs, wide=8, high=5,
            nothing="No statement tells what was paid.",
        ),
    )  # fmt: skip


def _worth(installation: Installation) -> tuple[Panel, ...]:
    return (
        Panel(
            "How does its worth move?", f"{explained(FACT_BY_NAME['portfolio_value'])} The largest seven by name.",
            Lines(stacked=True), (series(_BY_SECURITY, _SECURITIES, _VALUES, _RANKED),), "money", decimals=0, columns=RANKED,
            links=(asset_link(installation, "daily_facts", "How it is made (Dagster)"),), wide=16, high=9,
        ),
        Panel(
            "How is it spread?", "Each security's part of the newest day's worth, told as it stands in its own currency.",
            Shares(), (rows(_ALLOCATION, _SECURITIES, _NOW),), "money", decimals=0, wide=8, high=9,
        ),
        Panel(
            "Is it worth more than it cost?",
            "What statements say was paid for the holdings and what they were worth, on the days of the statements.",
            Lines(points=True), (series(_PAID_END, _PLACED, _PAID),), "money", decimals=0,
            columns=(Column("/^Paid/", colour=palette.GREY), Column("/^Worth/", colour=palette.BLUE)), wide=12,
            nothing="No statement of this time tells what was paid.",
        ),
        Panel(
            "How much do I buy and sell?", "What trades cost and brought by whole months, and their fees.",
            Bars(), (series(_INVESTED_END, _INVESTED),), "money", decimals=0,
            columns=(Column("/^Bought/", colour=palette.BLUE), Column("/^Sold/", colour=palette.ORANGE),
                     Column("/^Fees/", colour=palette.VERMILION)),
            wide=12, nothing="Nothing was traded.",
        ),
    )  # fmt: skip


def _holdings(installation: Installation) -> tuple[Panel, ...]:
    signs = ((None, palette.BAD), (0, palette.GOOD))
    return (
        Panel(
            "What do I hold?",
            "The newest statement of each account: units, price, worth and what was paid, with the file that says so.",
            Table(), (rows(_HELD, _SECURITIES, _PLACED, _STATED),), "none",
            columns=(
                Column("/^(Price|Worth when stated|Paid)$/", unit="money", decimals=2),
                Column("Gain", unit="money", decimals=2, steps=signs),
                Column("Gain in %", unit="fraction", decimals=1, steps=signs),
                Column("Explained by", width=420),
            ),
            nothing="No statement tells of holdings.", wide=24,
        ),
        Panel(
            "What was traded?", "Every event on the investment accounts: purchases, sales, dividends, deposits, splits.",
            Table(), (rows(_TRADES, _SECURITIES),), "none", columns=(Column("/^(Price|Cash|Fees)$/", unit="money", decimals=2),),
            links=(asset_link(installation, "table/trade", "The trades (Dagster)"),), wide=14, high=10,
            nothing="Nothing was traded.",
        ),
        Panel(
            "At which rates is foreign money counted?",
            "Rates between the currencies of the person's accounts, as files tell them.",
            Lines(), (series(_RATES),), "none", decimals=4, wide=10, high=10, nothing="No file tells rates.",
        ),
    )  # fmt: skip
