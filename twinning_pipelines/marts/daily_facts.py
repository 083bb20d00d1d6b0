"""Computing daily facts, reading them, and explaining one down to the lines of the dropped files."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa
import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.marts.books.settling import refresh_books
from twinning_pipelines.marts.calendar import WITHIN, within
from twinning_pipelines.marts.facts import FACT_BY_NAME, FACTS, Fact
from twinning_pipelines.marts.nights import Told, refresh_nights, sleep_shares
from twinning_pipelines.marts.rollups import refresh_rollups, shares_of
from twinning_pipelines.stores.postgres.copying import copy

_TOTALS = {
    "sum": "select :person, day, :fact, part, unit, sum(amount), count(*) from ({rows}) r group by day, part, unit",
    "share": (
        "select :person, day, :fact, part, unit, sum(amount) / sum(base), count(*) from ({rows}) r "
        "group by day, part, unit having sum(base) <> 0"
    ),
    "standing": "select :person, day, :fact, part, unit, value, n from ({totals}) t",
    # The rollup has totalled the very rows that `rows` gives; a test holds the two equal.
    "rollup": (
        "select r.person_id, r.day, :fact, '', m.unit, r.value::numeric, r.n from daily_rollup r "
        "join metric m on m.id = r.metric_id and m.name = :metric "
        "where r.person_id = :person and r.day between :first and :last"
    ),
}

_STANDING = [fact.name for fact in FACTS if fact.is_standing]
# What stands goes on on days on which nothing was dropped: they are counted with the next that are.
_SINCE_THEN = """
    insert into stale_day (person_id, day)
    select :person, day::date
    from (select max(day) + 1 as first from daily_fact where person_id = :person and fact = any(:standing)) as told,
        generate_series(first, local_day(:person, now()), interval '1 day') as day
    on conflict do nothing"""

_INSERT = """
    insert into daily_fact (person_id, day, fact, part, unit, value, n)
    select * from ({total}) as f (person_id, day, fact, part, unit, value, n)
    where f.day <@ cast(:spans as datemultirange)"""


class ToldFact(Struct, frozen=True):
    """One fact of one day, as stored. `part` is empty for a fact that is not divided."""

    person: str
    day: date
    fact: str
    part: str
    unit: str
    value: Decimal
    n: int


class Evidence(Struct, frozen=True):
    """One row behind a fact: what it adds, and where it stands in which dropped file."""

    amount: Decimal
    label: str
    record: str
    file: str
    sha256: str
    source: str
    at: int


def refresh_facts(connection: sa.Connection, days: Sequence[date] | None = None) -> int:
    """Computes the facts of the stale days of everybody up to today, or of the given days; answers how many days.

    Runs in the caller's transaction.
    """
    people = connection.execute(sa.text("select id from person order by id")).scalars().all()
    counted = 0
    for person_id in people:
        _refresh_rollups(connection, person_id)
        refresh_books(connection, person_id)
        if days is None:
            connection.execute(sa.text(_SINCE_THEN), {"person": person_id, "standing": _STANDING})
        wanted = list(days) if days is not None else _stale_days(connection, person_id)
        if wanted:
            _compute(connection, person_id, wanted)
            counted += len(wanted)
    return counted


def _stale_days(connection: sa.Connection, person_id: int) -> list[date]:
    statement = "select day from stale_day where person_id = :person and day <= local_day(:person, now()) order by day"
    return list(connection.execute(sa.text(statement), {"person": person_id}).scalars())


def _refresh_rollups(connection: sa.Connection, person_id: int) -> None:
    """Counts what a load of somebody else's has made stale: that a device of the same name is a watch, for one."""
    is_stale = sa.text("select exists (select 1 from stale_rollup where person_id = :person)")
    if connection.execute(is_stale, {"person": person_id}).scalar_one():
        connection.execute(sa.text("select pg_advisory_xact_lock(1, :person)"), {"person": person_id})
        refresh_rollups(connection, person_id)


def _compute(connection: sa.Connection, person_id: int, days: list[date]) -> None:
    values = within(person_id, days)
    # Two processes that compute the same day wait for each other instead of meeting in the primary key.
    connection.execute(sa.text("select pg_advisory_xact_lock(2, :person)"), values)
    connection.execute(sa.text(f"delete from daily_fact where {WITHIN}"), values)  # noqa: S608
    for fact in FACTS:
        if fact.total == "night":
            continue
        total = _TOTALS[fact.total].format(rows=fact.rows, totals=fact.totals)
        statement = sa.text(_INSERT.format(total=total))
        connection.execute(statement, values | {"fact": fact.name, "metric": fact.measured})
    _tell_nights(connection, person_id, days)
    connection.execute(sa.text(f"delete from stale_day where {WITHIN}"), values)  # noqa: S608


def _tell_nights(connection: sa.Connection, person_id: int, days: list[date]) -> None:
    # What is told of one evening may change the nights to both sides of it.
    today = connection.execute(sa.text("select local_day(:person, now())"), {"person": person_id}).scalar_one()
    beside = {day + timedelta(days=shift) for day in days for shift in (-1, 0, 1)}
    wanted = sorted(day for day in beside if day <= max(today, *days))
    facts = {fact.name: fact for fact in FACTS if fact.total == "night"}
    values = within(person_id, wanted)
    gone = f"delete from daily_fact where {WITHIN} and fact = any(:facts)"  # noqa: S608
    connection.execute(sa.text(gone), values | {"facts": list(facts)})
    told = refresh_nights(connection, person_id, wanted)
    batches = [_batch(person_id, fact, told[fact.measured or ""]) for fact in facts.values()]
    copy(connection, "daily_fact", batches[0].schema.names, batches)


def _batch(person_id: int, fact: Fact, told: Told) -> pa.RecordBatch:
    rows = len(told.days)
    return pa.RecordBatch.from_pydict(
        {
            "person_id": pa.repeat(pa.scalar(person_id, pa.int16()), rows),
            "day": pa.array(told.days.astype("int32")).cast(pa.date32()),
            "fact": pa.repeat(fact.name, rows),
            "part": pa.repeat("", rows),
            "unit": pa.repeat(fact.unit, rows),
            "value": pa.array(told.hours),
            "n": pa.array(told.n),
        }
    )


def facts_of(connection: sa.Connection, person: str, day: date) -> list[ToldFact]:
    """The stored facts of a person's day, in the order of `FACTS`."""
    statement = """
        select p.name, f.day, f.fact, f.part, f.unit, f.value, f.n
        from daily_fact f join person p on p.id = f.person_id
        where p.name = :person and f.day = :day order by f.part, f.unit"""
    told = [ToldFact(*row) for row in connection.execute(sa.text(statement), {"person": person, "day": day})]
    order = {name: place for place, name in enumerate(FACT_BY_NAME)}
    return sorted(told, key=lambda each: order.get(each.fact, len(order)))


def last_day(connection: sa.Connection, person: str) -> date | None:
    """The newest day of which anything is told that was measured or booked, not only carried on."""
    statement = """
        select max(f.day) from daily_fact f join person p on p.id = f.person_id
        where p.name = :person and not f.fact = any(:standing)"""
    day: date | None = connection.execute(
        sa.text(statement), {"person": person, "standing": _STANDING}
    ).scalar_one_or_none()
    return day


def find_fact(spelled: str) -> tuple[Fact, str]:
    """The fact and the part that `name` or `name:part` asks for. Raises WrongUsage with the names there are."""
    name, _, part = spelled.partition(":")
    fact = FACT_BY_NAME.get(name)
    if fact is None:
        raise WrongUsage(f"no fact is called {name!r}; there are {', '.join(FACT_BY_NAME)}")
    return fact, part


def evidence_of(connection: sa.Connection, fact: Fact, part: str, person: str, day: date) -> list[Evidence]:
    """Every row behind a fact, the weightiest first."""
    person_id = connection.execute(sa.text("select id from person where name = :name"), {"name": person}).scalar()
    if person_id is None:
        raise WrongUsage(f"nobody is called {person!r}")
    if fact.total in ("rollup", "night"):
        return _evidence_of_shares(connection, fact, person_id, day)
    statement = f"""
        select r.amount, coalesce(r.label, ''), r.record, f.name, f.sha256, f.source, r.at
        from ({fact.rows}) r join intake_file f on f.id = r.file_id
        where r.day between :first and :last and (:part = '' or r.part = :part)
        order by abs(r.amount) desc, r.file_id, r.at"""  # noqa: S608
    values = {"person": person_id, "first": day, "last": day, "part": part}
    return [Evidence(*row) for row in connection.execute(sa.text(statement), values)]


def _evidence_of_shares(connection: sa.Connection, fact: Fact, person_id: int, day: date) -> list[Evidence]:
    told = sleep_shares if fact.total == "night" else shares_of
    shares = told(connection, person_id, fact.measured or "", day)
    statement = "select id, name, sha256, source from intake_file where id = any(:ids)"
    found = connection.execute(sa.text(statement), {"ids": list({share.file_id for share in shares})})
    files = {row.id: row for row in found}
    evidence = [
        Evidence(share.amount, share.label, share.record, file.name, file.sha256, file.source, share.at)
        for share in shares
        for file in (files[share.file_id],)
    ]
    return sorted(evidence, key=lambda each: (-abs(each.amount), each.sha256, each.at))
