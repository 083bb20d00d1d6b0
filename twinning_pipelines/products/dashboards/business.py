"""Business: deals in the pipeline, invoices open and paid, what it costs."""

from twinning_pipelines.marts.facts import FACT_BY_NAME
from twinning_pipelines.products.dashboards import palette
from twinning_pipelines.products.dashboards.asking import (
    explained,
    largest_by_time,
    midnight,
    money_by_day,
    money_by_month,
    rows,
    sent_invoices,
    series,
)
from twinning_pipelines.products.dashboards.facts import RANKED, asset_link
from twinning_pipelines.products.dashboards.visuals import Bars, Columns, Lines, Ranks, Stat, Table
from twinning_pipelines.products.dashboards.vocabulary import Column, Dashboard, Installation, Panel, Section

_OPEN = """select 'Open, ' || currency as metric, sum(still_open) as value from sent where is_open group by 1
union all
select 'Due, ' || s.currency, sum(s.still_open) from sent s, who where s.is_open and s.due_on <= who.last group by 1
order by 1 desc"""
_OPEN_LIST = """select s.number as "Number", s.client as "Client", s.project as "Project", s.issued_on::text as "Sent on",
    s.due_on::text as "Due on", who.last - s.due_on as "Days over due", s.still_open as "Open", s.currency as "Currency",
    f.name as "File", s.at as "Line"
from sent s cross join who join intake_file f on f.id = s.file_id
where s.is_open order by s.due_on nulls last, s.number"""
_REVENUE = """select 'Last 12 months, ' || s.currency as metric, sum(s.worth) as value
from sent s, who where s.issued_on > who.last - 365 group by s.currency
union all
select 'The 12 before, ' || s.currency, sum(s.worth)
from sent s, who where s.issued_on > who.last - 730 and s.issued_on <= who.last - 365 group by s.currency
order by 1 desc"""
_UNTIL_PAID = """select midnight.at as "time", p.days as "Days until paid", p.late as "Days after it was due"
from (
    select date_trunc('month', s.paid_on)::date as month, avg(s.paid_on - s.issued_on)::float8 as days,
        avg(s.paid_on - s.due_on)::float8 as late
    from sent s, who where s.paid_on between date_trunc('month', who.first)::date and who.last group by 1
) p cross join who $midnight order by 1""".replace("$midnight", midnight("p.month"))
_CLIENTS = """select s.client || ', ' || s.currency as "Client", sum(s.worth) as "Invoiced"
from sent s, who where s.issued_on between who.first and who.last group by 1 order by 2 desc limit 15"""

# Deals as the newest export tells them; open on the last chosen day.
_DEALS = """known_deal as (
    select d.*, d.created_on <= who.last and (d.status = 'open' or d.closed_on > who.last) as is_open
    from deal d join who on who.id = d.person_id
    where d.absent_since is null and d.created_on <= who.last
)"""
_PIPELINE = """select 'All, ' || currency as metric, sum(amount)::float8 as value from known_deal where is_open group by 1
union all
select 'Weighted, ' || currency, sum(amount * coalesce(probability, 0)::numeric)::float8 from known_deal where is_open group by 1
order by 1"""
_STAGES = """select stage || ', ' || currency as "Stage", sum(amount)::float8 as "Amount",
    sum(amount * coalesce(probability, 0)::numeric)::float8 as "Weighted"
from known_deal where is_open and amount is not null
group by 1 order by min(coalesce(probability, 0)), 1"""
_DEAL_LIST = """select d.title as "Deal", d.client as "Client", d.stage as "Stage", d.amount::float8 as "Amount",
    d.currency as "Currency", d.probability as "Chance", d.expected_on::text as "Expected on",
    who.last - d.created_on as "Days open",
    d.channel as "Came by", f.name as "File", d.at as "Line"
from known_deal d cross join who join intake_file f on f.id = d.file_id
where d.is_open order by d.expected_on nulls last limit 100"""
_WON = """closed as (
    select date_trunc('quarter', d.closed_on)::date as quarter, d.status, d.amount, d.currency, d.closed_on - d.created_on as days
    from deal d, who
    where d.person_id = who.id and d.absent_since is null and d.status in ('won', 'lost')
        and d.closed_on between date_trunc('quarter', who.first)::date and who.last
)"""
_WON_END = """select midnight.at as "time", count(*) filter (where c.status = 'won') as "Won",
    count(*) filter (where c.status = 'lost') as "Lost"
from closed c cross join who $midnight group by 1 order by 1""".replace("$midnight", midnight("c.quarter"))
_WIN_RATE = """select (count(*) filter (where status = 'won'))::float8 / count(*) as "Won of all closed",
    avg(days)::float8 as "Days until closed" from closed having count(*) > 0"""
_CHANNELS = """select coalesce(nullif(d.channel, ''), 'not told') as "Came by", count(*) as "Deals",
    count(*) filter (where d.status = 'won') as "Won"
from deal d, who
where d.person_id = who.id and d.absent_since is null and d.created_on between who.first and who.last
group by 1 order by 2 desc"""

_EXPENSES = """counted as (
    select date_trunc('month', e.spent_on)::date as day, coalesce(nullif(e.category, ''), 'no category') as name,
        e.currency, sum(e.amount)::float8 as value
    from expense e, who
    where e.person_id = who.id and e.absent_since is null
        and e.spent_on between date_trunc('month', who.first)::date and who.last
    group by 1, 2, 3
)"""


def business(installation: Installation) -> Dashboard:
    """Deals, invoices, expenses."""
    return Dashboard(
        "business", "Business", "Deals in the pipeline, invoices open and paid, what it costs.", "now-1y",
        (
            Section("At a glance", _glance()),
            Section("Pipeline", _pipeline(installation)),
            Section("Invoices", _invoices(installation)),
            Section("Costs", _costs()),
        ),
    )  # fmt: skip


def _glance() -> tuple[Panel, ...]:
    return (
        Panel(
            "What is in the pipeline?",
            "Amounts of the deals open on the last chosen day, and the same times their chance of winning.",
            Stat(by_row=True), (rows(_PIPELINE, _DEALS),), "money", colour=palette.BLUE, decimals=0, wide=6, high=5,
            nothing="No deals are open.",
        ),
        Panel(
            "What do clients owe me?", "Invoices sent and not paid by the last chosen day, and those of them that are due.",
            Stat(by_row=True), (rows(_OPEN, sent_invoices()),), "money", decimals=0, colour=palette.ORANGE, wide=6, high=5,
            nothing="Everything is paid.",
        ),
        Panel(
            "How much did I invoice?",
            "Net of the invoices sent in the twelve months up to the last chosen day, and in those before.",
            Stat(by_row=True), (rows(_REVENUE, sent_invoices()),), "money", colour=palette.BLUE, decimals=0, wide=6, high=5,
        ),
        Panel(
            "How many deals do I win?", "Deals won among those won or lost in the chosen time, by whole quarters.",
            Stat(spark=False), (rows(_WIN_RATE, _WON),), "fraction", colour=palette.BLUE, decimals=0,
            columns=(Column("Days until closed", unit="d"),), wide=6, high=5, nothing="No deal was closed.",
        ),
    )  # fmt: skip


def _pipeline(installation: Installation) -> tuple[Panel, ...]:
    return (
        Panel(
            "How does the pipeline move?", explained(FACT_BY_NAME["pipeline_weighted"]),
            Lines(steps=True, fill=10), (money_by_day("pipeline_weighted"),), "money", decimals=0, wide=12,
            links=(asset_link(installation, "daily_facts", "How it is made (Dagster)"),),
        ),
        Panel(
            "Where do open deals stand?",
            "Amounts of the deals open on the last chosen day, whole and weighted, by the stage that the newest export tells.",
            Columns("Stage"), (rows(_STAGES, _DEALS),), "money", decimals=0, wide=12,
            columns=(Column("Amount", colour=palette.SKY), Column("Weighted", colour=palette.BLUE)), nothing="No deals are open.",
        ),
        Panel(
            "Which deals are open?", "Open deals on the last chosen day, the next expected first, with the line that tells each.",
            Table(), (rows(_DEAL_LIST, _DEALS),), "none",
            columns=(Column("Amount", unit="money", decimals=0), Column("Chance", unit="fraction", decimals=0),
                     Column("Days open", unit="d")),
            links=(asset_link(installation, "table/deal", "The deals (Dagster)"),), wide=14, nothing="No deals are open.",
        ),
        Panel(
            "How many are won and lost?", "Deals closed in each quarter.",
            Bars(stacked=True), (series(_WON_END, _WON),), "count", decimals=0,
            columns=(Column("Won", colour=palette.BLUE), Column("Lost", colour=palette.GREY)), wide=5,
            nothing="No deal was closed.",
        ),
        Panel(
            "How do deals come to me?", "Deals created in the chosen time by where they came from, and how many of them are won.",
            Table(), (rows(_CHANNELS),), "count", wide=5,
        ),
    )  # fmt: skip


def _invoices(installation: Installation) -> tuple[Panel, ...]:
    return (
        Panel(
            "How much is invoiced, month by month?", explained(FACT_BY_NAME["invoiced"]),
            Bars(), (money_by_month("invoiced"),), "money", decimals=0, columns=(Column("/^Invoiced/", colour=palette.BLUE),),
            wide=12,
        ),
        Panel(
            "How much is open and due?", f"{explained(FACT_BY_NAME['invoices_open'])} Due: unpaid, and due that day or before.",
            Lines(steps=True), (money_by_day("invoices_open", "invoices_due"),), "money", decimals=0, wide=12,
            columns=(Column("/^Invoices unpaid/", colour=palette.BLUE), Column("/^Invoices due/", colour=palette.VERMILION)),
        ),
        Panel(
            "Which invoices are open?", "Unpaid on the last chosen day, the longest due first, with the line that tells each.",
            Table(), (rows(_OPEN_LIST, sent_invoices()),), "none",
            columns=(Column("Open", unit="money", decimals=2),
                     Column("Days over due", unit="d", steps=((None, palette.GOOD), (1, palette.WATCH), (30, palette.BAD)))),
            links=(asset_link(installation, "table/invoice", "The invoices (Dagster)"),), wide=12, nothing="Everything is paid.",
        ),
        Panel(
            "How long do clients take to pay?",
            "Mean days from sending to payment, and from the due day, by the month of payment.",
            Lines(), (series(_UNTIL_PAID, sent_invoices()),), "d", decimals=0,
            columns=(Column("Days until paid", colour=palette.BLUE), Column("Days after it was due", colour=palette.ORANGE)),
            wide=6,
        ),
        Panel(
            "Who brings most?", "Net of the invoices sent in the chosen time by client.",
            Ranks(), (rows(_CLIENTS, sent_invoices()),), "money", colour=palette.BLUE, decimals=0, wide=6,
        ),
    )  # fmt: skip


def _costs() -> tuple[Panel, ...]:
    return (
        Panel(
            "What does the business cost?", f"{explained(FACT_BY_NAME['expenses'])} By category and whole months.",
            Bars(stacked=True), (largest_by_time(_EXPENSES, apart="currency"),), "money", decimals=0, columns=RANKED, wide=12,
        ),
        Panel(
            "Does it earn more than it costs?", "Net of the invoices sent and expenses paid by whole months.",
            Bars(), (money_by_month("invoiced", "expenses", turned=("expenses",)),), "money", decimals=0,
            columns=(Column("/^Invoiced/", colour=palette.BLUE), Column("/^Business expenses/", colour=palette.ORANGE)), wide=12,
        ),
    )  # fmt: skip
