"""What is worth a word, as the tables tell it now: of each kind the same happening has the same subject.

Titles are without names, amounts and figures; bodies have them. What others wrote (file names, payees) is made harmless.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.formats.foreign_words import plain
from twinning_pipelines.marts.books.balances import balance_gaps
from twinning_pipelines.marts.books.budgets import budget_use
from twinning_pipelines.marts.books.months import in_month
from twinning_pipelines.marts.books.recurring import STEP_BY_NAME
from twinning_pipelines.marts.facts import FACT_BY_NAME, FACTS
from twinning_pipelines.marts.freshness import freshness_of
from twinning_pipelines.marts.telling.goals import Goal, goals_of
from twinning_pipelines.products.news.telling import Happening
from twinning_pipelines.source import Source

# What is older is no news any more: a first import of years would tell of each of its days.
_DAYS_OF_FACTS, _DAYS_OF_FILES, _DAYS_OF_SUMMARIES = 3, 14, 3
# So few rejected rows of a file are nobody's concern, as for the check `few_rejections`.
_FORGIVEN_ROWS = 5
_ROBUST_DEVIATIONS, _FEWEST_DAYS, _HISTORY_DAYS = 4, 28, 90
# What has piled up until a day, and goes on from day to day.
_STANDING = tuple(fact.name for fact in FACTS if fact.is_standing)


class _Person(Struct, frozen=True):
    id: int
    name: str
    today: date


def happenings_of(
    connection: sa.Connection, sources: Sequence[Source], home: Path, now: datetime
) -> Iterator[Happening]:
    """Everything that is worth a word about anybody at this moment, whether it was told or not. home: where goals stand."""
    found = connection.execute(sa.text("select id, name, local_day(id, :now) from person order by id"), {"now": now})
    people = [_Person(*row) for row in found]
    yield from _silent_sources(connection, sources)
    yield from _files(connection, sources, now)
    yield from _balance_gaps(connection)
    for person in people:
        yield from _summaries(connection, person, now)
        yield from _budgets(connection, person)
        yield from _missing_payments(connection, person)
        yield from _unusual(connection, person)
        yield from _goals(connection, person, _goals_of(home, person.name))


def _silent_sources(connection: sa.Connection, sources: Sequence[Source]) -> Iterator[Happening]:
    titles = {source.name: source.title for source in sources}
    for each in freshness_of(connection, sources):
        if each.is_stale:
            body = f"{titles.get(each.source, each.source)}: nothing new since {each.as_of.date()}, {each.silent_days} days ago."
            subject = f"{each.source} since {each.as_of.date()}"
            yield Happening(each.person, "source_silent", subject, "A source has been silent for too long", body)


_FILES = """
    select p.name, f.sha256, f.name as file, f.status, f.source, coalesce(f.problem, '') as problem,
        coalesce(sum((c.pair->>0)::bigint), 0) as accepted, coalesce(sum((c.pair->>1)::bigint), 0) as rejected
    from intake_file f join person p on p.id = f.person_id
    left join lateral jsonb_each(f.receipt) as c (record, pair) on f.status = 'loaded'
    where f.status <> 'pending' and coalesce(f.loaded_at, f.received_at) > :since
    group by p.name, f.id order by f.id"""


def _files(connection: sa.Connection, sources: Sequence[Source], now: datetime) -> Iterator[Happening]:
    limits = {source.name: source.max_rejected for source in sources}
    since = now - timedelta(days=_DAYS_OF_FILES)
    for row in connection.execute(sa.text(_FILES), {"since": since}):
        name = plain(row.file, longest=120)
        if row.status != "loaded":
            body = f"{name}: {plain(row.problem)} It lies in the quarantine, and its original is kept."
            yield Happening(row.name, "file_rejected", row.sha256, "A dropped file could not be read", body)
            continue
        share = row.rejected / max(row.accepted + row.rejected, 1)
        if row.rejected > _FORGIVEN_ROWS and share > limits.get(row.source, 1.0):
            counts = f"{row.rejected:,} rows rejected, {row.accepted:,} accepted"
            body = f"{name}: {counts}. `twinning redrive` reads it again after a fix."
            yield Happening(row.name, "file_rejected", row.sha256, "Many rows of a dropped file were rejected", body)


def _balance_gaps(connection: sa.Connection) -> Iterator[Happening]:
    for gap in balance_gaps(connection):
        account = plain(gap.account, longest=80)
        body = (
            f"{account}: between {gap.since} and {gap.until} the statements move by {gap.stated:,f} {gap.currency}, "
            f"the bookings by {gap.booked:,f}; {gap.missing:,f} are missing."
        )
        subject = f"{gap.account} {gap.currency} {gap.since} {gap.until}"
        yield Happening(gap.person, "balance_gap", subject, "An account's statements and bookings do not add up", body)


_SUMMARIES = """
    select kind, day, headline, text from summary
    where person_id = :person and made_at > :since and day >= :first order by day, kind"""
_SPANS = {"day": "{day}", "week": "the week to {day}", "month": "the month to {day}"}


def _summaries(connection: sa.Connection, person: _Person, now: datetime) -> Iterator[Happening]:
    values = {
        "person": person.id,
        "since": now - timedelta(days=_DAYS_OF_SUMMARIES),
        "first": person.today - timedelta(days=_DAYS_OF_SUMMARIES),
    }
    for row in connection.execute(sa.text(_SUMMARIES), values):
        title = f"Your summary of {_SPANS[row.kind].format(day=row.day)} is ready"
        # A summary may quote what somebody wrote, so each of its lines is made harmless.
        lines = [plain(line, longest=400) for line in (row.headline, *row.text.splitlines()) if line.strip()]
        yield Happening(person.name, "summary", f"{row.kind} {row.day}", title, "\n".join(lines))


def _budgets(connection: sa.Connection, person: _Person) -> Iterator[Happening]:
    # Statements come late: what last month was over is often known only now.
    for month in (in_month(person.today, -1, 1), person.today.replace(day=1)):
        for use in budget_use(connection, person.id, month, person.today):
            if use.budgeted > 0 and use.spent >= use.budgeted:
                name = plain(use.budget, longest=80)
                body = f"{name}: {use.spent:,f} of {use.budgeted:,f} {use.currency} are spent in {month:%Y-%m}."
                yield Happening(
                    person.name, "budget_used_up", f"{use.budget} {month:%Y-%m}", "A budget is used up", body
                )


_EXPECTED = """
    select a.name as account, r.payee, r.currency, r.every, r.amount, r.next_on, (
        select max(b.booked_on) from booking b
        where b.account_id = r.account_id and b.gone_since is null and not b.pending) as known_until
    from recurring_payment r join account a on a.id = r.account_id
    where r.person_id = :person and r.n >= 3 and r.next_on < :today
    order by r.next_on, r.payee, r.amount"""


def _missing_payments(connection: sa.Connection, person: _Person) -> Iterator[Happening]:
    """Those that the account's own bookings have gone past; where no later statement came, nobody can know."""
    values = {"person": person.id, "today": person.today}
    for row in connection.execute(sa.text(_EXPECTED), values):
        step = STEP_BY_NAME[row.every]
        latest = row.next_on + timedelta(days=step.slack)
        has_ended = (person.today - row.next_on).days > step.about / 2
        if has_ended or row.known_until is None or row.known_until <= latest:
            continue
        payee, account = plain(row.payee, longest=80), plain(row.account, longest=80)
        body = (
            f"{payee}: {row.amount:,f} {row.currency} each {row.every} was due on {row.next_on}; the bookings of "
            f"{account} reach to {row.known_until} and do not have it."
        )
        subject = f"{row.account} {row.payee} {row.currency} {row.every} {row.next_on}"
        yield Happening(person.name, "payment_missing", subject, "An expected payment did not come", body)


# Beyond four robust deviations, and beyond anything in these days: a rent that comes each month is nothing unusual.
_UNUSUAL = """
    select f.fact, f.unit, f.day, f.value, m.middle, m.n
    from daily_fact f
    cross join lateral (
        select percentile_cont(0.5) within group (order by h.value) as middle, count(*) as n, min(h.value) as low,
            max(h.value) as high
        from daily_fact h
        where (h.person_id, h.fact, h.part, h.unit) = (f.person_id, f.fact, f.part, f.unit)
            and h.day between f.day - cast(:history as integer) and f.day - 1
    ) m
    cross join lateral (
        select 1.4826 * percentile_cont(0.5) within group (order by abs(h.value - m.middle)) as deviation
        from daily_fact h
        where (h.person_id, h.fact, h.part, h.unit) = (f.person_id, f.fact, f.part, f.unit)
            and h.day between f.day - cast(:history as integer) and f.day - 1
    ) d
    where f.person_id = :person and f.day between :first and :last and f.part = '' and not f.fact = any(:standing)
        and m.n >= :fewest and d.deviation > 0 and abs(f.value - m.middle) > :times * d.deviation
        and not f.value between m.low and m.high
    order by f.day, f.fact, f.unit"""


def _unusual(connection: sa.Connection, person: _Person) -> Iterator[Happening]:
    """Facts of the last finished days that stand far out of the person's own 90 days before them."""
    values: dict[str, Any] = {
        "person": person.id,
        "first": person.today - timedelta(days=_DAYS_OF_FACTS),
        "last": person.today - timedelta(days=1),
        "standing": list(_STANDING),
        "history": _HISTORY_DAYS,
        "fewest": _FEWEST_DAYS,
        "times": _ROBUST_DEVIATIONS,
    }
    for row in connection.execute(sa.text(_UNUSUAL), values):
        body = (
            f"{_titled(row.fact)} on {row.day}: {figure(row.value)} {row.unit}; the middle of the {row.n} days known before "
            f"is {figure(Decimal(row.middle))} {row.unit}."
        )
        subject = f"{row.fact} {row.unit} {row.day}"
        yield Happening(person.name, "unusual", subject, "Something in your numbers is unusual", body)


_AIMED_AT = """
    select day, unit from daily_fact
    where person_id = :person and fact = :fact and part = :part and (:unit = '' or unit = :unit)
        and (value >= cast(:least as numeric) or value > cast(:most as numeric)) and day between :first and :today
    order by day, unit"""


def _goals_of(home: Path, person: str) -> list[Goal]:
    try:
        return goals_of(home, person)
    except WrongUsage:
        # Whoever writes summaries says what is wrong with the file.
        return []


def _goals(connection: sa.Connection, person: _Person, goals: Sequence[Goal]) -> Iterator[Happening]:
    """Days on which a person did what they wanted to do at least, or more than they wanted to do at most."""
    for goal in goals:
        values = {
            "person": person.id,
            "fact": goal.fact,
            "part": goal.part,
            "unit": goal.unit,
            "least": goal.at_least,
            "most": goal.at_most,
            "first": person.today - timedelta(days=_DAYS_OF_FACTS),
            "today": person.today,
        }
        is_aim = goal.at_least is not None
        limit = figure(goal.at_least or goal.at_most or Decimal(0))
        kind, title = ("goal_reached", "A goal is reached") if is_aim else ("limit_passed", "A limit is passed")
        name = f"{_titled(goal.fact)}, {plain(goal.part, longest=80)}" if goal.part else _titled(goal.fact)
        for row in connection.execute(sa.text(_AIMED_AT), values):
            # Without the day's own figure, which still grows today.
            body = f"{name} on {row.day}: {'at least' if is_aim else 'more than'} {limit} {row.unit}."
            subject = f"{goal.fact}:{goal.part} {row.unit} {limit} {row.day}"
            yield Happening(person.name, kind, subject, title, body)


def figure(value: Decimal) -> str:
    """A number with two decimals at most and none that are zero."""
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".")


def _titled(fact: str) -> str:
    known = FACT_BY_NAME.get(fact)
    return known.title if known is not None else fact
