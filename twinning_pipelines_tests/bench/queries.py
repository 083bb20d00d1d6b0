"""What facts and dashboards ask of a full database: 20 million samples of five people over ten years, each answer timed.

Medians of five, after one to warm up, fetched to the last row. What writes is rolled back each time.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.marts.daily_facts import evidence_of, facts_of, last_day, refresh_facts
from twinning_pipelines.marts.facts import FACTS, Fact
from twinning_pipelines.marts.freshness import status_of
from twinning_pipelines.marts.rollups import refresh_rollups
from twinning_pipelines.settings import Settings
from twinning_pipelines.sources import SOURCES
from twinning_pipelines_tests.bench import many_samples

LIMIT_MS = 200
TIMES = 5
# Many queries, those of the rows behind each fact among them: it has no limit of its own.
COMPUTED = f"facts of a day of everybody, {len(many_samples.PEOPLE) * len(FACTS)} queries"
WHO = many_samples.PEOPLE[0]

_MINE = "join person p on p.id = {0}.person_id and p.name = :who"
_METRIC = "join metric m on m.id = {0}.metric_id"
_ROLLUP = f"from daily_rollup r {_MINE.format('r')} {_METRIC.format('r')}"
_SAMPLE = f"from sample s {_MINE.format('s')} {_METRIC.format('s')}"

# What panels of a dashboard ask. `first` is a week, a month, a year, … before `day`, as each says.
PANELS: tuple[tuple[str, int, str], ...] = (
    ("all metrics of a day", 0, f"select m.name, r.value, r.n, r.low, r.high {_ROLLUP} where r.day = :day"),
    (
        "steps by day, a year", 365,
        f"select r.day, r.value {_ROLLUP} where m.name = 'steps' and r.day between :first and :day order by 1",
    ),
    (
        "three metrics by day, a year", 365,
        f"""select r.day, m.name, r.value {_ROLLUP}
            where m.name in ('steps', 'resting_heart_rate', 'body_mass') and r.day between :first and :day order by 1, 2""",
    ),
    (
        "steps by week, ten years", 3652,
        f"select date_trunc('week', r.day), avg(r.value) {_ROLLUP} where m.name = 'steps' group by 1 order by 1",
    ),
    (
        "resting heart rate, mean of 30 days, ten years", 3652,
        f"""select r.day, avg(r.value) over (order by r.day range between interval '29 days' preceding and current row)
            {_ROLLUP} where m.name = 'resting_heart_rate' order by 1""",
    ),
    (
        "steps by month, everybody, ten years", 3652,
        f"""select p.name, date_trunc('month', r.day), sum(r.value)
            from daily_rollup r join person p on p.id = r.person_id {_METRIC.format('r')}
            where m.name = 'steps' group by 1, 2 order by 1, 2""",
    ),
    (
        "the last value of each metric", 0,
        f"select distinct on (m.name) m.name, r.day, r.value {_ROLLUP} order by m.name, r.day desc",
    ),
    (
        "heart rate of a day, each sample", 0,
        f"select s.started_at, s.value {_SAMPLE} where m.name = 'heart_rate' and s.day = :day order by 1",
    ),
    (
        "steps of a day, by hour and device", 0,
        f"""select o.name, date_trunc('hour', s.started_at), sum(s.value) {_SAMPLE} join origin o on o.id = s.origin_id
            where m.name = 'steps' and s.day = :day group by 1, 2 order by 2, 1""",
    ),
    (
        "heart rate in five minutes, a week", 7,
        f"""select date_bin('5 minutes', s.started_at, timestamptz '2000-01-01'), min(s.value), avg(s.value), max(s.value)
            {_SAMPLE} where m.name = 'heart_rate' and s.day between :first and :day group by 1 order by 1""",
    ),
    (
        "heart rate by hour, a month", 30,
        f"""select date_trunc('hour', s.started_at), avg(s.value)
            {_SAMPLE} where m.name = 'heart_rate' and s.day between :first and :day group by 1 order by 1""",
    ),
    (
        "samples by metric: how many, since when", 0,
        f"select m.name, min(c.day), max(c.day), sum(c.n) from sample_chunk c {_MINE.format('c')} {_METRIC.format('c')} group by 1",
    ),
    (
        "sleep by night and stage, 90 days", 90,
        f"""select (s.ended_at + interval '6 hours')::date, s.stage, sum(s.ended_at - s.started_at)
            from sleep_stage s {_MINE.format('s')}
            where s.day >= cast(:first as date) - 1 and s.started_at >= :first group by 1, 2 order by 1, 2""",
    ),
    (
        "workouts by month, ten years", 3652,
        f"""select date_trunc('month', w.started_at), w.activity, count(*), sum(w.duration_min)
            from workout w {_MINE.format('w')} where w.absent_since is null group by 1, 2 order by 1, 2""",
    ),
    (
        "all facts, 90 days", 90,
        f"select f.day, f.fact, f.part, f.unit, f.value from daily_fact f {_MINE.format('f')} where f.day between :first and :day",
    ),
    (
        "spending by category and month, a year", 365,
        f"""select date_trunc('month', f.day), f.part, sum(f.value) from daily_fact f {_MINE.format('f')}
            where f.fact = 'spend_by_category' and f.day between :first and :day group by 1, 2 order by 1, 2""",
    ),
    (
        "sleep beside steps of the same day, a year", 365,
        f"""select a.day, a.value, b.value from daily_fact a {_MINE.format('a')}
            join daily_fact b on (b.person_id, b.day, b.fact) = (a.person_id, a.day, 'steps')
            where a.fact = 'sleep' and a.day between :first and :day order by 1""",
    ),
    (
        "bookings of a month", 30,
        f"""select t.booked_on, t.payee, t.amount, t.currency from transaction t {_MINE.format('t')}
            where t.absent_since is null and t.booked_on between :first and :day order by 1""",
    ),
)  # fmt: skip


def run(folder: Path, samples: int) -> None:
    """Loads the samples and prints the time of each query."""
    place = folder / "queries"
    place.mkdir(mode=0o755)
    with Home(Settings(home=place, zone="Europe/Zurich")).opened() as home:
        started = time.monotonic()
        loaded = many_samples.load(home, folder, samples)
        seconds = time.monotonic() - started
        with home.engine.connect() as connection:
            size = connection.execute(sa.text("select pg_database_size(current_database())")).scalar_one()
            print(
                f"Queries over {loaded:,} samples of {len(many_samples.PEOPLE)} people and {many_samples.YEARS} years "
                f"({size / 1e9:.1f} GB, loaded in {seconds:.0f} s); medians of {TIMES}, warm, limit {LIMIT_MS} ms"
            )
            for name, ask in questions(home, connection):
                rows, milliseconds = _timed(ask)
                limit = f"limit {LIMIT_MS} {'reached' if milliseconds <= LIMIT_MS else 'MISSED'}"
                print(f"  {name:<52}{rows:8,} rows {milliseconds:9.1f} ms   {'' if name == COMPUTED else limit}")
    print()


def _timed(ask: Callable[[], int]) -> tuple[int, float]:
    """How many rows, and milliseconds."""
    rows, taken = ask(), []
    for _ in range(TIMES):
        started = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - started) * 1000)
    return rows, statistics.median(taken)


def questions(home: OpenHome, connection: sa.Connection) -> Iterator[tuple[str, Callable[[], int]]]:
    """Each question by its name, as a function that answers how many rows it got."""
    day = _full_day(connection)
    yield "facts of a day", lambda: len(facts_of(connection, WHO, day))
    yield "the newest day with facts", lambda: int(last_day(connection, WHO) is not None)
    yield "state of the home", lambda: len(status_of(connection, SOURCES).freshness)
    for fact in FACTS:
        yield f"rows behind {fact.name}", partial(_rows_behind, connection, fact, day)
    yield COMPUTED, lambda: _rolled_back(home, lambda one: refresh_facts(one, [day]))
    yield "rollups of a day that a new file changed", lambda: _rolled_back(home, partial(_refresh_one_day, day=day))
    for name, reach, statement in PANELS:
        values = {"who": WHO, "day": day, "first": day - timedelta(days=reach)}
        yield name, partial(_rows_of, connection, sa.text(statement), values)


def _full_day(connection: sa.Connection) -> date:
    """The day of the last half year of which most is told."""
    statement = """
        select f.day from daily_fact f join person p on p.id = f.person_id and p.name = :who
        where f.day between :first and :last group by f.day order by count(*) desc, f.day desc limit 1"""
    values = {"who": WHO, "first": many_samples.LAST - timedelta(days=180), "last": many_samples.LAST}
    day: date = connection.execute(sa.text(statement), values).scalar_one()
    return day


def _rows_behind(connection: sa.Connection, fact: Fact, day: date) -> int:
    return len(evidence_of(connection, fact, "", WHO, day))


def _rows_of(connection: sa.Connection, statement: sa.TextClause, values: dict[str, object]) -> int:
    return len(connection.execute(statement, values).all())


def _rolled_back(home: OpenHome, write: Callable[[sa.Connection], int]) -> int:
    with home.engine.connect() as connection, connection.begin() as transaction:
        written = write(connection)
        transaction.rollback()
    return written


def _refresh_one_day(connection: sa.Connection, day: date) -> int:
    person_id = connection.execute(sa.text("select id from person where name = :who"), {"who": WHO}).scalar_one()
    statement = """
        insert into stale_rollup (person_id, metric_id, first, last)
        select distinct person_id, metric_id, day, day from sample_chunk where person_id = :person and day = :day"""
    stale = connection.execute(sa.text(statement), {"person": person_id, "day": day})
    refresh_rollups(connection, person_id)
    return stale.rowcount
