"""A person's days as series, what was found in them, and the words for it."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import sqlalchemy as sa

from twinning_pipelines.marts.facts import FACT_BY_NAME, FACTS
from twinning_pipelines.marts.insights import Findings, Insight, Numbers, Series, find
from twinning_pipelines.records.metrics import METRIC_BY_NAME

DAYS = 365
# What did not happen on a day is none of it, unless nothing at all was told for longer than this: then nobody knows.
_EVENTS = frozenset({"workouts", "naps", "spend", "income", "hours", "expenses", "invoiced"})
_LONGEST_PAUSE = 14
# What has piled up until a day says nothing about the day.
_STANDING = frozenset(fact.name for fact in FACTS if fact.is_standing)
# One franc is an expense of the business and spending at home: told as one domain, they are not compared.
_SAME_DOMAIN = {"business": "finance"}
_EATEN = "dietary_"

# Of a fact in several units (currencies) the one that most days have.
_FACTS = """
    with known as (
        select fact, unit, day, value::double precision as value from daily_fact
        where person_id = :person and part = '' and day between :first and :last and not fact = any(:standing)
    ),
    usual as (select distinct on (fact) fact, unit from known group by fact, unit order by fact, count(*) desc, unit)
    select fact, day, value from known join usual using (fact, unit)"""
_METRICS = """
    select m.name, r.day, r.value from daily_rollup r join metric m on m.id = r.metric_id
    where r.person_id = :person and r.day between :first and :last and m.registered and not m.name = any(:told)"""
_CLEAR = "delete from insight where person_id = :person and (made_on = :made_on or not holds)"
_KEEP = """
    insert into insight (person_id, made_on, first_fact, second_fact, lag_days, n, n_effective, r, low, high, p, q, holds)
    values (:person, :made_on, :first, :second, :lag, :n, :n_effective, :r, :low, :high, :p, :q, :holds)"""
_KEPT = """
    select first_fact, second_fact, lag_days, n, n_effective, r, low, high, p, q from insight
    where person_id = :person and made_on = (select max(made_on) from insight where person_id = :person)
    order by p, first_fact, second_fact, lag_days"""


def refresh_insights(connection: sa.Connection, person_id: int, today: date | None = None) -> Findings:
    """Tests the finished days of the last year and keeps what came of it. Runs in the caller's transaction.

    Of earlier times only what held is kept. today: the person's own day, where none is given.
    """
    if today is None:
        statement = sa.text("select local_day(:person, now())")
        today = connection.execute(statement, {"person": person_id}).scalar_one()
    first, last = today - timedelta(days=DAYS), today - timedelta(days=1)
    findings = find(series_of(connection, person_id, first, last), first.weekday())
    about = {"person": person_id, "made_on": today}
    connection.execute(sa.text(_CLEAR), about)
    rows = [about | _row(each) for each in findings.tested]
    if rows:
        connection.execute(sa.text(_KEEP), rows)
    return findings


def series_of(connection: sa.Connection, person_id: int, first: date, last: date) -> list[Series]:
    """Every daily fact of a person, and every registered metric that no fact tells, from the first day to the last."""
    told = [fact.measured for fact in FACTS if fact.total == "rollup"]
    values = {"person": person_id, "first": first, "last": last, "standing": sorted(_STANDING), "told": told}
    length = (last - first).days + 1
    found: dict[str, Numbers] = defaultdict(lambda: np.full(length, np.nan))
    for statement in (_FACTS, _METRICS):
        for name, day, value in connection.execute(sa.text(statement), values):
            found[name][(day - first).days] = value
    return [
        Series(name, _domain(name), without_events(values) if name in _EVENTS else values)
        for name, values in sorted(found.items())
    ]


def without_events(values: Numbers) -> Numbers:
    """Days without an event become none of it, where the pause they lie in is short."""
    known = np.flatnonzero(~np.isnan(values))
    told = values.copy()
    for before, after in pairwise(known):
        if after - before <= _LONGEST_PAUSE:
            told[before + 1 : after] = 0.0
    return told


def insights_of(connection: sa.Connection, person_id: int) -> list[Insight]:
    """What the newest test kept, the surest first."""
    return [Insight(*row) for row in connection.execute(sa.text(_KEPT), {"person": person_id})]


def worded(insight: Insight) -> str:
    """An insight in words. It never says why: two things may well go together because of a third."""
    when = {0: "the same day", 1: "the next day"}.get(insight.lag_days, f"{insight.lag_days} days later")
    more = "higher" if insight.r > 0 else "lower"
    return (
        f"A day of higher {title_of(insight.first)} goes together with {more} {title_of(insight.second)} {when}: "
        f"r = {insight.r:.2f} ({insight.low:.2f} to {insight.high:.2f}), "
        f"of {insight.n} days that are worth {insight.n_effective:.0f}"
    )


def title_of(name: str) -> str:
    """A fact or a metric as people call it, in the middle of a sentence."""
    fact, metric = FACT_BY_NAME.get(name), METRIC_BY_NAME.get(name)
    title = fact.title if fact is not None else metric.title if metric is not None else name
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


def counted(findings: Findings) -> str:
    """How much was tested, how much held."""
    held = len(findings.holding)
    return (
        f"{len(findings.tested):,} pairs and lags were tested: {held:,} hold, {len(findings.tested) - held:,} may well be "
        f"chance; of {findings.too_short:,} more too few days are known"
    )


def _domain(name: str) -> str:
    fact = FACT_BY_NAME.get(name)
    if fact is None:
        return "nutrition" if name.startswith(_EATEN) else "health"
    return _SAME_DOMAIN.get(fact.domain, fact.domain)


def _row(insight: Insight) -> dict[str, object]:
    return {
        "first": insight.first,
        "second": insight.second,
        "lag": insight.lag_days,
        "n": insight.n,
        "n_effective": insight.n_effective,
        "r": insight.r,
        "low": insight.low,
        "high": insight.high,
        "p": insight.p,
        "q": insight.q,
        "holds": insight.holds,
    }
