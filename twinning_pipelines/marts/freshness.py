"""How things stand: files by state, how long each source has been silent, what waits to be done."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.marts.books.balances import BalanceGap, balance_gaps
from twinning_pipelines.marts.rings import ring_days
from twinning_pipelines.source import Source


class Freshness(Struct, frozen=True):
    """One person's newest file of one source, as of when it speaks."""

    person: str
    source: str
    files: int
    as_of: datetime
    expect_every: timedelta | None

    @property
    def silent_days(self) -> int:
        """Whole days since the newest file was made."""
        return max((datetime.now(UTC) - self.as_of).days, 0)

    @property
    def is_stale(self) -> bool:
        """Is it silent for longer than is normal?"""
        return self.expect_every is not None and datetime.now(UTC) - self.as_of > self.expect_every


class Status(Struct, frozen=True):
    """The state of a home: files by state, rejected rows, freshness, the queues, balances that do not add up, days whose
    activity rings say otherwise than we do."""

    files: dict[str, int]
    rejected_rows: int
    freshness: tuple[Freshness, ...]
    stale_days: int
    influx_outbox: int
    influx_dead_letters: int
    newest_fact_day: str | None
    balance_gaps: tuple[BalanceGap, ...]
    ring_gaps: int


def freshness_of(connection: sa.Connection, sources: Sequence[Source]) -> tuple[Freshness, ...]:
    """Every person and source that ever gave a file."""
    expected = {source.name: source.expect_every for source in sources}
    statement = """
        select p.name, f.source, count(*), max(f.as_of)
        from intake_file f join person p on p.id = f.person_id
        where f.status = 'loaded' group by 1, 2 order by 1, 2"""
    rows = connection.execute(sa.text(statement)).all()
    return tuple(Freshness(person, source, n, as_of, expected.get(source)) for person, source, n, as_of in rows)


def status_of(connection: sa.Connection, sources: Sequence[Source]) -> Status:
    """How things stand now."""

    def count(table: str) -> int:
        return int(connection.execute(sa.text(f"select count(*) from {table}")).scalar_one())  # noqa: S608

    files = connection.execute(sa.text("select status, count(*) from intake_file group by 1 order by 1")).all()
    newest = connection.execute(sa.text("select max(day) from daily_fact")).scalar()
    queued = "select coalesce(sum(last - first + 1), 0) from influx_outbox"
    days_queued = int(connection.execute(sa.text(queued)).scalar_one())
    return Status(
        files={str(status): int(n) for status, n in files},
        rejected_rows=count("rejection"),
        freshness=freshness_of(connection, sources),
        stale_days=count("stale_day where day <= current_date"),
        influx_outbox=days_queued,
        influx_dead_letters=count("influx_dead_letter"),
        newest_fact_day=newest.isoformat() if newest else None,
        balance_gaps=tuple(balance_gaps(connection)),
        ring_gaps=len({(each.person, each.day) for each in ring_days(connection) if each.is_gap}),
    )
