"""How a dense series is merged: by whole days, so that a full re-export writes only the days that changed.

The reading brings a digest for each block (a UTC day of one metric from one origin). Blocks whose digest is known are
settled without looking at their rows; only the rows of the others leave the spool. Where exports are whole, a file adds
nothing to time that a newer one covers, and what the newest one leaves out of its time is removed: the originals stay
in the archive. Otherwise files add up row by row, and the newest that states a sample tells it.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sqlalchemy as sa

from twinning_pipelines.receipt import Changes, Reading
from twinning_pipelines.records.metrics import METRIC_BY_NAME
from twinning_pipelines.records.record import Record
from twinning_pipelines.stores.postgres.copying import copy
from twinning_pipelines.stores.postgres.rows import NEWER, Telling

_BLOCK_COLUMNS = ("number", "metric", "origin", "day", "n", "digest")
_SAMPLE_COLUMNS = ("block", "started_at", "ended_at", "value", "label", "at")


def merge_series(connection: sa.Connection, record: Record, telling: Telling, reading: Reading) -> Changes:
    """Merges the accepted samples and marks the days they touch. Runs in the caller's transaction."""
    values = {"person": telling.person_id, "source": telling.source, "file": telling.file_id, "whole": telling.whole}

    def run(statement: str) -> sa.CursorResult[tuple[object, ...]]:
        return connection.execute(sa.text(statement), values)

    blocks = reading.blocks(record)
    _name_metrics(connection, blocks)
    for statement in _STAGES:
        run(statement)
    numbered = blocks.append_column("number", pa.array(np.arange(blocks.num_rows, dtype=np.int64)))
    copy(connection, "stage_block", _BLOCK_COLUMNS, numbered.to_batches())
    for statement in (_NAME_ORIGINS, _NAME_BLOCKS, _JUDGE_BLOCKS):
        run(statement)
    staged = copy(connection, "stage_sample", _SAMPLE_COLUMNS, _rows_of(reading, record, _changed(connection, blocks)))
    run(_JUDGE_SAMPLES)
    counts = {str(name): int(str(n)) for name, n in run("select verdict, count(*) from incoming group by 1")}
    run(_LIST_GONE)
    run(_LIST_VANISHED)
    absent = int(str(run("select count(*) from vanished").scalar_one()))
    for statement in (_MARK_ROLLUPS, _MARK_DAYS, _QUEUE, _REMOVE, _INSERT, _UPDATE, _FORGET_BLOCKS, _KEEP_BLOCKS):
        run(statement)
    run(_COVER if telling.whole else _CONFIRM)
    run("drop table stage_block, stage_sample, incoming, gone, vanished")
    settled = counts.get("same", 0) + counts.get("older", 0)
    unchanged = int(blocks.column("n").to_numpy().sum()) - staged
    return Changes(counts.get("new", 0), counts.get("edited", 0), settled + unchanged, absent)


def _name_metrics(connection: sa.Connection, blocks: pa.Table) -> None:
    """Gives every metric of the file its row; one that nobody registered is totalled by its mean."""
    names = sorted(set(blocks.column("metric").to_pylist()))
    rows = []
    for name in names:
        known = METRIC_BY_NAME.get(name)
        rows.append(
            {
                "name": name,
                "unit": known.unit if known else "as exported",
                "total": known.total if known else "mean",
                "registered": known is not None,
            }
        )
    if rows:
        connection.execute(sa.text(_NAME_METRIC), rows)


def _changed(connection: sa.Connection, blocks: pa.Table) -> npt.NDArray[np.bool_]:
    """By block number: have its rows to be looked at?"""
    changed: npt.NDArray[np.bool_] = np.zeros(blocks.num_rows, dtype=bool)
    numbers = connection.execute(sa.text("select number from stage_block where verdict = 'changed'")).scalars().all()
    changed[np.array(numbers, dtype=np.int64)] = True
    return changed


def _rows_of(reading: Reading, record: Record, changed: npt.NDArray[np.bool_]) -> Iterator[pa.RecordBatch]:
    if not changed.any():
        return
    everything = bool(changed.all())
    for batch in reading.accepted(record):
        rows = batch if everything else batch.filter(pa.array(changed[batch.column("block").to_numpy()]))
        if rows.num_rows:
            yield rows


_NAME_METRIC = """
    insert into metric (name, unit, total, registered) values (:name, :unit, :total, :registered)
    on conflict (name) do update
        set unit = excluded.unit, total = excluded.total, registered = excluded.registered
        where (metric.unit, metric.total, metric.registered)
            is distinct from (excluded.unit, excluded.total, excluded.registered)"""

_STAGES = (
    """create temp table stage_block (
        number integer not null, metric text not null, origin text not null, day date not null, n integer not null,
        digest bigint not null, metric_id smallint, origin_id integer, verdict text
    ) on commit drop""",
    """create temp table stage_sample (
        block integer not null, started_at timestamptz not null, ended_at timestamptz not null,
        value double precision not null, label text, at bigint not null
    ) on commit drop""",
)

_NAME_ORIGINS = """
    insert into origin (source, name) select distinct :source, origin from stage_block
    on conflict do nothing"""

_NAME_BLOCKS = """
    update stage_block b set metric_id = m.id, origin_id = o.id
    from metric m, origin o where m.name = b.metric and o.source = :source and o.name = b.origin"""

_SCOPE = "concat_ws(chr(31), {0}.metric, {0}.origin)"

_JUDGE_BLOCKS = f"""
    with newer as (
        select c.scope, c.first, c.last from coverage c join intake_file f on f.id = c.file_id
        where c.record = 'sample' and f.person_id = :person and f.source = :source and {NEWER.format("f")}
    )
    update stage_block b set verdict = case
        when :whole and exists (
            select 1 from newer where newer.scope = {_SCOPE.format("b")}
                and b.day::timestamptz between newer.first and newer.last
        ) then 'older'
        when :whole and exists (
            select 1 from sample_block k
            where k.person_id = :person and k.metric_id = b.metric_id and k.origin_id = b.origin_id and k.day = b.day
                and k.n = b.n and k.digest = b.digest
        ) then 'same'
        else 'changed' end"""

_JUDGE_SAMPLES = f"""
    create temp table incoming on commit drop as
    select b.metric_id, b.origin_id, b.day, s.*, case
        when k.person_id is null then 'new'
        when not :whole and exists (
            select 1 from intake_file f where f.id = k.file_id and {NEWER.format("f")}
        ) then 'older'
        when k.value = s.value and k.label is not distinct from s.label then 'same'
        else 'edited' end as verdict
    from (
        select *, row_number() over (partition by block, started_at, ended_at order by value, label, at) as occurrence
        from stage_sample
    ) s
    join stage_block b on b.number = s.block
    left join sample k on k.person_id = :person and k.metric_id = b.metric_id and k.started_at = s.started_at
        and k.origin_id = b.origin_id and k.ended_at = s.ended_at and k.occurrence = s.occurrence"""

_SAMPLE_KEY = "k.person_id, k.metric_id, k.started_at, k.origin_id, k.ended_at, k.occurrence"

# Blocks that the newest whole export leaves out of the time it covers …
_LIST_GONE = f"""
    create temp table gone on commit drop as
    with span as (select metric_id, origin_id, metric, origin, min(day) as first, max(day) as last
        from stage_block group by 1, 2, 3, 4)
    select k.metric_id, k.origin_id, k.day from sample_block k join span using (metric_id, origin_id)
    where :whole and k.person_id = :person and k.day between span.first and span.last
        and not exists (select 1 from stage_block b
            where b.metric_id = k.metric_id and b.origin_id = k.origin_id and b.day = k.day)
        and not exists (select 1 from coverage c join intake_file f on f.id = c.file_id
            where c.record = 'sample' and f.person_id = :person and f.source = :source
                and c.scope = {_SCOPE.format("span")} and k.day::timestamptz between c.first and c.last
                and {NEWER.format("f")})"""

# … and samples that it leaves out of days that it tells anew. The day is joined twice: by equality, so that many
# changed days are one hash join, and as a range, so that few of them are looked up in the primary key.
_LIST_VANISHED = f"""
    create temp table vanished on commit drop as
    select {_SAMPLE_KEY}, block.day from sample k
    join (
        select metric_id, origin_id, day from gone
        union all
        select b.metric_id, b.origin_id, b.day from stage_block b
        join sample_block known on known.person_id = :person and known.metric_id = b.metric_id
            and known.origin_id = b.origin_id and known.day = b.day
        where :whole and b.verdict = 'changed'
    ) block on k.metric_id = block.metric_id and k.origin_id = block.origin_id
        and (k.started_at at time zone 'UTC')::date = block.day
        and k.started_at >= block.day::timestamptz and k.started_at < (block.day + 1)::timestamptz
    where k.person_id = :person and not exists (
        select 1 from incoming i where i.metric_id = k.metric_id and i.origin_id = k.origin_id
            and i.started_at = k.started_at and i.ended_at = k.ended_at and i.occurrence = k.occurrence)"""

_MARK_ROLLUPS = """
    insert into stale_rollup (person_id, metric_id, day)
    select distinct cast(:person as smallint), s.metric_id, (s.started_at at time zone z.zone)::date
    from (
        select metric_id, started_at from incoming where verdict in ('new', 'edited')
        union all
        select metric_id, started_at from vanished
    ) s
    join person_clock z on z.person_id = :person and s.started_at >= z.since and s.started_at < z.until
    on conflict do nothing"""

_MARK_DAYS = """
    insert into stale_day (person_id, day) select distinct person_id, day from stale_rollup where person_id = :person
    on conflict do nothing"""

_QUEUE = """
    insert into influx_outbox (person_id, metric_id, day, purge)
    select cast(:person as smallint), metric_id, day, bool_or(purge)
    from (
        select metric_id, day, false as purge from incoming where verdict in ('new', 'edited')
        union all
        select metric_id, day, true from vanished
    ) s
    group by metric_id, day
    on conflict (person_id, metric_id, day) do update
        set purge = influx_outbox.purge or excluded.purge, queued_at = clock_timestamp()"""

_REMOVE = f"""
    delete from sample using vanished k where (sample.person_id, sample.metric_id, sample.started_at,
        sample.origin_id, sample.ended_at, sample.occurrence) = ({_SAMPLE_KEY})"""

_INSERT = """
    insert into sample (person_id, metric_id, started_at, origin_id, ended_at, occurrence, value, label, file_id, at)
    select :person, metric_id, started_at, origin_id, ended_at, occurrence, value, label, :file, at
    from incoming where verdict = 'new'"""

_UPDATE = """
    update sample k set value = i.value, label = i.label, file_id = :file, at = i.at
    from incoming i
    where i.verdict = 'edited' and k.person_id = :person and k.metric_id = i.metric_id
        and k.started_at = i.started_at and k.origin_id = i.origin_id and k.ended_at = i.ended_at
        and k.occurrence = i.occurrence"""

# Where exports add up, the newest file that states a sample is named as its origin; coverage says so for whole ones.
_CONFIRM = """
    update sample k set file_id = :file, at = i.at
    from incoming i
    where i.verdict = 'same' and k.file_id <> :file and k.person_id = :person and k.metric_id = i.metric_id
        and k.started_at = i.started_at and k.origin_id = i.origin_id and k.ended_at = i.ended_at
        and k.occurrence = i.occurrence"""

_FORGET_BLOCKS = """
    delete from sample_block k using gone
    where k.person_id = :person and k.metric_id = gone.metric_id and k.origin_id = gone.origin_id and k.day = gone.day"""

_KEEP_BLOCKS = """
    insert into sample_block (person_id, metric_id, origin_id, day, n, digest, file_id)
    select :person, metric_id, origin_id, day, n, digest, :file from stage_block where verdict = 'changed'
    on conflict (person_id, metric_id, origin_id, day) do update
        set n = excluded.n, digest = excluded.digest, file_id = excluded.file_id"""

_COVER = f"""
    insert into coverage (file_id, record, scope, first, last)
    select :file, 'sample', {_SCOPE.format("b")}, min(day)::timestamptz, max(day)::timestamptz
    from stage_block b group by 3
    on conflict (file_id, record, scope) do update set first = excluded.first, last = excluded.last"""
