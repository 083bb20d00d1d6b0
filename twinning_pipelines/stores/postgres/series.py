"""How a dense series is merged: by whole days, so that a full re-export writes only the days that changed.

The reading brings a digest for each block (a UTC day of one metric from one origin). Blocks whose digest is known are
settled without looking at their rows; only the rows of the others leave the spool, and the days they make replace the
stored ones. Where exports are whole, a file adds nothing to time that a newer one covers, and what the newest one leaves
out of its time is removed: the originals stay in the archive. Otherwise files add up sample by sample, and the newest
that states a sample tells it.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sqlalchemy as sa
from msgspec import Struct, field

from twinning_pipelines.receipt import Changes, Reading
from twinning_pipelines.records.digest import digests
from twinning_pipelines.records.health import SAMPLE_VALUES
from twinning_pipelines.records.metrics import METRIC_BY_NAME
from twinning_pipelines.records.record import Record
from twinning_pipelines.stores.postgres.chunks import (
    ROWS,
    Blocks,
    Numbers,
    key_of_ids,
    known_blocks,
    read_rows,
    remove_chunks,
    write_chunks,
)
from twinning_pipelines.stores.postgres.origins import origin_ids
from twinning_pipelines.stores.postgres.rows import NEWER, Telling
from twinning_pipelines.stores.postgres.stale import Touched, mark
from twinning_pipelines.stores.postgres.tellings import Matched, match

MERGED_ROWS = 100_000

_EPOCH = date(1970, 1, 1)
_DAY_US = 86_400_000_000
Mask = npt.NDArray[np.bool_]


def merge_series(connection: sa.Connection, record: Record, telling: Telling, reading: Reading) -> Changes:
    """Merges the accepted samples and marks the days they touch. Runs in the caller's transaction."""
    blocks = _named(connection, telling, reading.blocks(record))
    if not len(blocks):
        return Changes()
    first, last = (_EPOCH + timedelta(days=int(day)) for day in (blocks.days.min(), blocks.days.max()))
    metrics = np.unique(blocks.metric_ids)
    known = known_blocks(connection, telling.person_id, telling.source, metrics, (first, last))
    places = np.searchsorted(known.keys, _ids(blocks))
    places[places == len(known)] = 0
    found: Mask = (known.keys[places] == _ids(blocks)) if len(known) else np.zeros(len(blocks), bool)
    merge = _Merge(connection, record, telling, reading)
    settled = np.zeros(len(blocks), bool)
    if telling.whole:
        newer = _Newer.of(connection, telling)
        settled = newer.covers(blocks)
        settled[found] |= (known.n[places[found]] == blocks.n[found]) & (
            known.digests[places[found]] == blocks.digests[found]
        )
        merge.remove(_gone(blocks, known, newer))
    for some in _portions(blocks.n, ~settled):
        merge.replace(blocks.some(some), found[some])
    mark(connection, telling.person_id, merge.touched)
    if telling.whole:
        _cover(connection, telling, blocks)
    unchanged = int(blocks.n[settled].sum())
    return Changes(merge.new, merge.edited, merge.same + unchanged, merge.absent)


def _named(connection: sa.Connection, telling: Telling, table: pa.Table) -> Blocks:
    """The blocks of the reading with the ids of their metrics and origins, which get their rows where they are new."""
    metric, origin = (table.column(name).chunk(0) for name in ("metric", "origin"))
    metric_ids = _metric_ids(connection, metric.dictionary.to_pylist())
    theirs = origin_ids(connection, telling.source, origin.dictionary.to_pylist())
    return Blocks(
        keys=table.column("block").to_numpy(),
        metric_ids=metric_ids[metric.indices.to_numpy()],
        origin_ids=theirs[origin.indices.to_numpy()],
        days=table.column("day").cast(pa.int32()).to_numpy().astype(np.int64),
        n=table.column("n").to_numpy(),
        digests=table.column("digest").to_numpy().view(np.uint64),
    )


def _metric_ids(connection: sa.Connection, names: list[str]) -> Numbers:
    """The ids of metrics; one that nobody registered is totalled by its mean."""
    rows = []
    for name in sorted(names):
        known = METRIC_BY_NAME.get(name)
        unit, total = (known.unit, known.total) if known else ("as exported", "mean")
        rows.append({"name": name, "unit": unit, "total": total, "registered": known is not None})
    if rows:
        connection.execute(sa.text(_NAME_METRIC), rows)
    ids = dict(connection.execute(sa.text("select name, id from metric")).tuples().all())
    return np.array([ids[name] for name in names], np.int64)


def _ids(blocks: Blocks) -> Numbers:
    return key_of_ids(blocks.metric_ids, blocks.origin_ids, blocks.days)


def _portions(n: Numbers, wanted: Mask) -> Iterator[Numbers]:
    """The wanted blocks by place, in stretches of some 100,000 rows: memory is bounded by them."""
    places = np.flatnonzero(wanted)
    if len(places):
        share = np.cumsum(n[places]) // MERGED_ROWS
        yield from np.split(places, np.flatnonzero(np.diff(share)) + 1)


class _Newer(Struct, frozen=True):
    """What newer whole exports cover: by series, the first and the last day."""

    spans: tuple[tuple[int, int, int, int], ...]

    @classmethod
    def of(cls, connection: sa.Connection, telling: Telling) -> "_Newer":
        values = {"person": telling.person_id, "source": telling.source, "file": telling.file_id}
        return cls(tuple(tuple(row) for row in connection.execute(sa.text(_NEWER_SPANS), values)))

    def covers(self, blocks: Blocks) -> Mask:
        covered: Mask = np.zeros(len(blocks), bool)
        for metric_id, origin_id, first, last in self.spans:
            covered |= (
                (blocks.metric_ids == metric_id)
                & (blocks.origin_ids == origin_id)
                & (blocks.days >= first)
                & (blocks.days <= last)
            )
        return covered


def _gone(blocks: Blocks, known: Blocks, newer: _Newer) -> Blocks:
    """Known blocks of the time that the file covers which it leaves out, unless a newer file covers it too."""
    series = (known.metric_ids << 32) | known.origin_ids
    gone: Mask = np.zeros(len(known), bool)
    for metric_id, origin_id, first, last in _spans(blocks):
        gone |= (series == (metric_id << 32 | origin_id)) & (known.days >= first) & (known.days <= last)
    return known.some(gone & ~np.isin(known.keys, _ids(blocks)) & ~newer.covers(known))


def _spans(blocks: Blocks) -> list[tuple[int, int, int, int]]:
    """By series: metric, origin, the first and the last day."""
    series, which = np.unique((blocks.metric_ids << 32) | blocks.origin_ids, return_inverse=True)
    first = np.full(len(series), np.iinfo(np.int64).max)
    last = np.full(len(series), np.iinfo(np.int64).min)
    np.minimum.at(first, which, blocks.days)
    np.maximum.at(last, which, blocks.days)
    ids = [(int(each) >> 32, int(each) & 0xFFFFFFFF) for each in series]
    return [(*pair, int(low), int(high)) for pair, low, high in zip(ids, first, last, strict=True)]


def _cover(connection: sa.Connection, telling: Telling, blocks: Blocks) -> None:
    """Notes the time that a whole export covers, by series."""
    rows = [
        {"file": telling.file_id, "metric": metric_id, "origin": origin_id, "first": first, "last": last}
        for metric_id, origin_id, first, last in _spans(blocks)
    ]
    connection.execute(sa.text(_COVER), rows)


class _Merge(Struct):
    """One merge under way, and what it has changed so far."""

    connection: sa.Connection
    record: Record
    telling: Telling
    reading: Reading
    new: int = 0
    edited: int = 0
    same: int = 0
    absent: int = 0
    touched: Touched = field(default_factory=Touched)

    def remove(self, gone: Blocks) -> None:
        """Takes away days that the newest export no longer tells."""
        remove_chunks(self.connection, self.telling.person_id, gone)
        self.absent += int(gone.n.sum())
        self.touched.add(gone.metric_ids, gone.days, gone.days, purge=True)

    def replace(self, blocks: Blocks, is_known: Mask) -> None:
        """Takes in the file's rows of some blocks, beside or instead of what is stored of them."""
        told = self._told(blocks)
        if not is_known.any():
            self.new += told.num_rows
            self._write(blocks, told, is_known)
            return
        stored = read_rows(self.connection, self.telling.person_id, blocks.some(is_known))
        pairs = match(stored, told)
        if self.telling.whole:
            self._count_whole(pairs)
            self._write(blocks, told, is_known, purge=bool(len(pairs.stored_only)))
        else:
            self._add_up(blocks, pairs, is_known)

    def _told(self, blocks: Blocks) -> pa.Table:
        """The file's rows of these blocks, as `ROWS`, in order of block and beginning."""
        batches = []
        for batch in self.reading.stretch(self.record, int(blocks.keys[0]), int(blocks.keys[-1])):
            keys = batch.column("block").to_numpy()
            places = np.minimum(np.searchsorted(blocks.keys, keys), len(blocks) - 1)
            mine = blocks.keys[places] == keys
            batches.append(batch if mine.all() else batch.filter(pa.array(mine)))
        rows = pa.Table.from_batches(batches)
        rows = rows.append_column("file", pa.array(np.full(rows.num_rows, self.telling.file_id, np.int32)))
        return _ordered(rows.cast(ROWS))

    def _count_whole(self, pairs: Matched) -> None:
        self.new += len(pairs.told_only)
        self.absent += len(pairs.stored_only)
        self.same += int(pairs.equal.sum())
        self.edited += int((~pairs.equal).sum())

    def _add_up(self, blocks: Blocks, pairs: Matched, is_known: Mask) -> None:
        newer = _newer_files(self.connection, self.telling)
        is_older = np.isin(pairs.stored.column("file").to_numpy()[pairs.in_stored], newer)
        self.new += len(pairs.told_only)
        self.edited += int((~pairs.equal & ~is_older).sum())
        self.same += int((pairs.equal | is_older).sum())
        merged = pairs.merged(is_older)
        keys = merged.column("block").to_numpy()
        starts = np.searchsorted(keys, blocks.keys)
        sums = np.add.reduceat(digests(merged.combine_chunks().to_batches()[0], SAMPLE_VALUES), starts)
        sizes = np.diff(np.append(starts, len(keys)))
        grown = Blocks(blocks.keys, blocks.metric_ids, blocks.origin_ids, blocks.days, sizes, sums)
        changed = np.isin(blocks.keys, pairs.changed_blocks(is_older))
        rows = merged.filter(pa.array(np.isin(keys, blocks.keys[changed])))
        self._write(grown.some(changed), rows, is_known[changed])

    def _write(self, blocks: Blocks, rows: pa.Table, is_known: Mask, *, purge: bool = False) -> None:
        if not len(blocks):
            return
        remove_chunks(self.connection, self.telling.person_id, blocks.some(is_known))
        write_chunks(self.connection, self.telling.person_id, blocks, rows)
        starts = np.searchsorted(rows.column("block").to_numpy(), blocks.keys)
        ends = np.maximum.reduceat(rows.column("ended_at").to_numpy(), starts) // _DAY_US
        self.touched.add(blocks.metric_ids, blocks.days, ends, purge=purge)


def _ordered(rows: pa.Table) -> pa.Table:
    """In order of block and beginning; equals by their end, their value and what else they say, then by place."""
    block, started = (rows.column(name).to_numpy() for name in ("block", "started_at"))
    order = np.lexsort((started, block))
    steps = (np.diff(block[order]) == 0) & (np.diff(started[order]) == 0)
    if steps.any():
        said = digests(rows.combine_chunks().to_batches()[0], ("label", "detail"))
        ended, value, at = (rows.column(name).to_numpy() for name in ("ended_at", "value", "at"))
        order = np.lexsort((at, said, value, ended, started, block))
    return rows if (np.diff(order) == 1).all() else rows.take(pa.array(order))


def _newer_files(connection: sa.Connection, telling: Telling) -> Numbers:
    statement = f"select f.id from intake_file f where f.person_id = :person and {NEWER.format('f')}"
    values = {"person": telling.person_id, "file": telling.file_id}
    return np.array(connection.execute(sa.text(statement), values).scalars().all(), np.int64)


_NAME_METRIC = """
    insert into metric (name, unit, total, registered) values (:name, :unit, :total, :registered)
    on conflict (name) do update
        set unit = excluded.unit, total = excluded.total, registered = excluded.registered
        where (metric.unit, metric.total, metric.registered)
            is distinct from (excluded.unit, excluded.total, excluded.registered)"""

_NEWER_SPANS = f"""
    select c.metric_id, c.origin_id, c.first - date '1970-01-01', c.last - date '1970-01-01'
    from series_coverage c join intake_file f on f.id = c.file_id
    where f.person_id = :person and f.source = :source and {NEWER.format("f")}"""

_COVER = """
    insert into series_coverage (file_id, metric_id, origin_id, first, last)
    values (:file, :metric, :origin, date '1970-01-01' + :first, date '1970-01-01' + :last)
    on conflict (file_id, metric_id, origin_id) do update set first = excluded.first, last = excluded.last"""
