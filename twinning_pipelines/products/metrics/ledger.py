"""What Postgres says of files, rows, stale days, summaries and sizes. Everything is counted where it is summed already."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from twinning_pipelines.marts.freshness import freshness_of
from twinning_pipelines.products.metrics.gauges import NO_SOURCE, Measured
from twinning_pipelines.source import Source

# How long a question may take, and how much memory: what is grouped by file or digest should not go to the disk.
_MANNERS = ("set transaction read only", "set local statement_timeout = '5s'", "set local work_mem = '32MB'")

# Names are looked up for the sums, not for each of a hundred thousand files.
_FILES = """
    select p.name, coalesce(f.source, :none), f.status, f.n
    from (select person_id, source, status, count(*) as n from intake_file group by 1, 2, 3) f
    join person p on p.id = f.person_id order by 1, 2, 3"""
# A receipt holds pairs by table: accepted and rejected rows.
_ROWS = """
    select p.name, coalesce(f.source, :none), f.record, f.accepted, f.rejected
    from (
        select person_id, source, c.key as record, sum((c.value->0)::bigint) as accepted, sum((c.value->1)::bigint) as rejected
        from intake_file, jsonb_each(receipt) as c group by 1, 2, 3
    ) f
    join person p on p.id = f.person_id order by 1, 2, 3"""
_REJECTED = """
    select coalesce(f.source, :none), sum(r.n)
    from (select file_id, count(*) as n from rejection group by 1) r join intake_file f on f.id = r.file_id group by 1"""
_STALE = """
    select p.name, count(s.day) from person p left join stale_day s on s.person_id = p.id and s.day <= current_date
    group by 1 order by 1"""
_SUMMARIES = """
    select p.name, s.path, count(*), extract(epoch from max(s.made_at))
    from summary s join person p on p.id = s.person_id group by 1, 2 order by 1, 2"""
_SIZES = {
    "twinning_database_bytes": "select pg_database_size(current_database())",
    # The archive keeps the same bytes once, whoever dropped them.
    "twinning_archive_bytes": "select sum(bytes) from (select max(bytes) as bytes from intake_file group by sha256) as originals",
    "twinning_samples": "select sum(n) from sample_chunk",
    "twinning_bookings": "select count(*) from booking where gone_since is null",
}


@contextmanager
def looking(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that can only read, and gives up a question after some seconds."""
    with engine.connect() as connection:
        for manner in _MANNERS:
            connection.execute(sa.text(manner))
        yield connection


def ledger(connection: sa.Connection, sources: Sequence[Source]) -> Iterator[Measured]:
    """Files, what was rejected of them, and how fresh they are."""
    nobody = {"none": NO_SOURCE}
    rejected = dict[str, float]()
    for person, source, state, n in connection.execute(sa.text(_FILES), nobody):
        yield Measured("twinning_files", n, (person, source, state))
        rejected[source] = 0.0
    for source, n in connection.execute(sa.text(_REJECTED), nobody):
        rejected[source] = float(n)
    for source, n in sorted(rejected.items()):
        yield Measured("twinning_rejected_rows_open", n, (source,))
    for each in freshness_of(connection, sources):
        labels = (each.person, each.source)
        yield Measured("twinning_last_file_timestamp_seconds", each.as_of.timestamp(), labels)


def rows(connection: sa.Connection) -> Iterator[Measured]:
    """What was read in all files, as their receipts say."""
    for person, source, table, accepted, rejected in connection.execute(sa.text(_ROWS), {"none": NO_SOURCE}):
        yield Measured("twinning_file_rows", float(accepted), (person, source, table, "accepted"))
        yield Measured("twinning_file_rows", float(rejected), (person, source, table, "rejected"))


def days(connection: sa.Connection) -> Iterator[Measured]:
    """Days that wait to be counted, of everybody."""
    for person, n in connection.execute(sa.text(_STALE)):
        yield Measured("twinning_stale_days", n, (person,))


def summaries(connection: sa.Connection) -> Iterator[Measured]:
    """Summaries by the way they were written: of days, weeks and months together."""
    for person, path, n, newest in connection.execute(sa.text(_SUMMARIES)):
        yield Measured("twinning_summaries", n, (person, path))
        yield Measured("twinning_summary_timestamp_seconds", float(newest), (person, path))


def sizes(connection: sa.Connection) -> Iterator[Measured]:
    """How much there is."""
    for name, statement in _SIZES.items():
        yield Measured(name, float(connection.execute(sa.text(statement)).scalar() or 0))


def expectations(sources: Sequence[Source]) -> Iterator[Measured]:
    """How often each source is expected to bring a file, where it is."""
    for source in sources:
        if source.expect_every is not None:
            yield Measured("twinning_expected_every_seconds", source.expect_every.total_seconds(), (source.name,))
