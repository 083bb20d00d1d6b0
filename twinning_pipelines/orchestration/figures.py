"""What may be told of tables and files without telling anybody's data: counts, by table, source and month."""

from collections.abc import Iterator, Sequence
from datetime import date

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.receipt import Receipt
from twinning_pipelines.records.record import Record
from twinning_pipelines.records.series import SLEEP
from twinning_pipelines.records.sessions import SLEEP_STAGE
from twinning_pipelines.stores.postgres.schema import (
    DAILY_FACT,
    DAILY_ROLLUP,
    INFLUX_DEAD_LETTER,
    INTAKE_FILE,
    METRIC,
    ORIGIN,
    RECORD_TABLES,
    REJECTION,
    SAMPLE_CHUNK,
)

Months = tuple[tuple[date, int], ...]


class TableFigures(Struct, frozen=True):
    """A table from outside. `absent`: rows that a newer export of their source no longer mentions; they are not in `rows`."""

    rows: int
    absent: int
    people: int
    by_source: dict[str, int]
    by_month: Months


class Share(Struct, frozen=True):
    """Rows met and rejected in one file."""

    read: int
    rejected: int

    @property
    def rejected_share(self) -> float:
        """0 for a file without rows."""
        return self.rejected / self.read if self.read else 0.0


def table_figures(connection: sa.Connection, record: Record) -> TableFigures:
    """The figures of a record's table. A series answers from its chunks: counting millions of samples takes seconds."""
    if record.series:
        return _series_figures(connection, record)
    table = RECORD_TABLES[record.name]
    present = sa.select(table).where(table.c.absent_since.is_(None)).subquery()
    absent = sa.select(sa.func.count()).where(table.c.absent_since.is_not(None))
    by_source = sa.select(present.c.source, sa.func.count()).group_by(present.c.source).order_by(present.c.source)
    sources = {str(name): int(n) for name, n in connection.execute(by_source)}
    return TableFigures(
        rows=sum(sources.values()),
        absent=_number(connection, absent),
        people=_number(connection, sa.select(sa.func.count(present.c.person_id.distinct()))),
        by_source=sources,
        by_month=_by_month(connection, present.c[record.window], sa.func.count()) if record.window else (),
    )


def _series_figures(connection: sa.Connection, record: Record) -> TableFigures:
    chunk = SAMPLE_CHUNK.c
    rows = sa.func.sum(chunk.n)
    mine = chunk.metric_id.in_(_metrics_of(record))
    statement = (
        sa.select(ORIGIN.c.source, rows)
        .join_from(SAMPLE_CHUNK, ORIGIN, chunk.origin_id == ORIGIN.c.id)
        .where(mine)
        .group_by(ORIGIN.c.source)
    )
    sources = {str(name): int(n) for name, n in connection.execute(statement.order_by(ORIGIN.c.source))}
    return TableFigures(
        rows=sum(sources.values()),
        absent=0,
        people=_number(connection, sa.select(sa.func.count(chunk.person_id.distinct())).where(mine)),
        by_source=sources,
        by_month=_by_month(connection, chunk.day, rows, mine),
    )


def _metrics_of(record: Record) -> "sa.Select[tuple[int]]":
    """The ids of the metrics that a series keeps its rows under."""
    is_sleep = METRIC.c.name == SLEEP
    return sa.select(METRIC.c.id).where(is_sleep if record is SLEEP_STAGE else ~is_sleep)


def rollup_figures(connection: sa.Connection) -> TableFigures:
    """The figures of the daily rollups."""
    months = _by_month(connection, DAILY_ROLLUP.c.day, sa.func.count())
    people = _number(connection, sa.select(sa.func.count(DAILY_ROLLUP.c.person_id.distinct())))
    return TableFigures(sum(n for _, n in months), 0, people, {}, months)


def rows_of_unknown_origin(connection: sa.Connection, record: Record) -> int:
    """Rows that name no file of their person that was ever loaded: nobody could explain them."""
    if record.series:
        chunk = SAMPLE_CHUNK.c
        mine = chunk.metric_id.in_(_metrics_of(record))
        one = sa.select(chunk.file_id, chunk.person_id, chunk.n).where(chunk.file_ids.is_(None), mine)
        # A chunk that several files have told names them sample by sample.
        several = sa.select(sa.func.unnest(chunk.file_ids), chunk.person_id, sa.literal(1))
        origins = sa.union_all(one, several.where(chunk.file_ids.is_not(None), mine))
    else:
        table = RECORD_TABLES[record.name]
        origins = sa.union_all(sa.select(table.c.file_id, table.c.person_id, sa.literal(1).label("n")))
    found = origins.subquery()
    is_known = sa.exists().where(
        INTAKE_FILE.c.id == found.c.file_id,
        INTAKE_FILE.c.person_id == found.c.person_id,
        INTAKE_FILE.c.loaded_at.is_not(None),
    )
    return _number(connection, sa.select(sa.func.coalesce(sa.func.sum(found.c.n), 0)).where(~is_known))


def judged(connection: sa.Connection, source: str, receipts: Sequence[Receipt]) -> list[Share]:
    """The files to judge a source by: those just read, else the one that each person had read last."""
    if receipts:
        return [Share(receipt.read, receipt.rejected) for receipt in receipts if receipt.problem is None]
    statement = sa.text("""
        select coalesce(sum((c.pair->>0)::bigint + (c.pair->>1)::bigint), 0), coalesce(sum((c.pair->>1)::bigint), 0)
        from (
            select distinct on (person_id) id, receipt from intake_file
            where source = :source and status = 'loaded' order by person_id, loaded_at desc, id desc
        ) f
        left join lateral jsonb_each(f.receipt) as c (record, pair) on true
        group by f.id""")
    return [Share(int(read), int(rejected)) for read, rejected in connection.execute(statement, {"source": source})]


def quarantined(connection: sa.Connection, source: str) -> dict[str, int]:
    """Rejected rows of a source's files, by table."""
    statement = (
        sa.select(REJECTION.c.record, sa.func.count())
        .join_from(REJECTION, INTAKE_FILE)
        .where(INTAKE_FILE.c.source == source)
        .group_by(REJECTION.c.record)
        .order_by(REJECTION.c.record)
    )
    return {str(record): int(n) for record, n in connection.execute(statement)}


def daily_fact_count(connection: sa.Connection) -> int:
    """How many facts are stored."""
    return _number(connection, sa.select(sa.func.count()).select_from(DAILY_FACT))


def dead_letter_count(connection: sa.Connection) -> int:
    """How many points InfluxDB refused for good."""
    return _number(connection, sa.select(sa.func.count()).select_from(INFLUX_DEAD_LETTER))


def changes_by_table(receipts: Sequence[Receipt]) -> Iterator[dict[str, str | int]]:
    """What some files did to each table: one row per table, with the words of `twinning ingest`."""
    names = sorted({name for receipt in receipts for name in receipt.counts})
    for name in names:
        documents = [receipt.document()["tables"].get(name, {}) for receipt in receipts]
        words = ("accepted", "rejected", "new", "edited", "same", "absent")
        yield {"table": name} | {word: sum(each.get(word, 0) for each in documents) for word in words}


def _by_month(
    connection: sa.Connection,
    moment: "sa.ColumnElement[object]",
    rows: "sa.ColumnElement[int]",
    *which: "sa.ColumnElement[bool]",
) -> Months:
    month = sa.cast(sa.func.date_trunc("month", moment), sa.Date).label("month")
    statement = sa.select(month, rows).where(moment.is_not(None), *which).group_by(month).order_by(month)
    return tuple((day, int(n)) for day, n in connection.execute(statement))


def _number(connection: sa.Connection, statement: "sa.Select[tuple[int]]") -> int:
    return int(connection.execute(statement).scalar_one())
