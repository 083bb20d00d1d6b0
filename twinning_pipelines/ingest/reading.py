"""One file, read to its end: good rows and rejections spooled to disk, so that memory is bounded by the batch.

Nothing reaches a store before the whole file was read: damage half-way leaves the store as it was.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.xml_tree import elements_in
from twinning_pipelines.ingest.blocks import BlockBook
from twinning_pipelines.ingest.check import check
from twinning_pipelines.original import Original
from twinning_pipelines.receipt import SHOWN_REJECTIONS, Counts
from twinning_pipelines.records.digest import digests
from twinning_pipelines.records.record import Record
from twinning_pipelines.records.series import as_samples
from twinning_pipelines.source import Account, Batch, Claim, Devices, ExportedAt, Notice, Rejection, Source

Progress = Callable[[int], None]

_REJECTIONS = "rejections"
_REJECTION_SCHEMA = pa.schema(
    [("at", pa.int64()), ("record", pa.string()), ("reason", pa.string()), ("raw", pa.string())]
)


class SpooledReading:
    """What one file said; a context manager, because its spool is removed at the end. See `receipt.Reading`.

    Without a spool rows are checked and counted, and none is kept.
    """

    def __init__(self, source: Source, spool: Path | None) -> None:
        self.source = source
        self.exported_at: datetime | None = None
        self.claims: list[Claim] = []
        self.notices: list[str] = []
        self.devices: dict[str, str] = {}
        self.accounts: list[Account] = []
        self._refused: Counter[str] = Counter()
        self.first_rejections: list[Rejection] = []
        self._counts: dict[str, Counts] = {}
        self._spool = spool
        self._writers: dict[str, pa.ipc.RecordBatchFileWriter] = {}
        self._books = {record.name: BlockBook() for record in source.records if record.series}
        self._stretches: dict[str, list[tuple[int, int]]] = {name: [] for name in self._books}
        self._digests: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        if self._spool is not None:
            shutil.rmtree(self._spool, ignore_errors=True)

    @property
    def counts(self) -> Mapping[str, Counts]:
        """By table name."""
        return self._counts

    def accepted(self, record: Record) -> Iterator[pa.RecordBatch]:
        """The good rows of one table, batch by batch."""
        yield from self._spooled(record.name)

    def rejections(self) -> Iterator[Rejection]:
        """Every rejected row."""
        for batch in self._spooled(_REJECTIONS):
            for row in batch.to_pylist():
                yield Rejection(**row)

    def blocks(self, record: Record) -> pa.Table:
        """The days of a series: block, metric, origin, day (UTC), n, digest, in order of block."""
        return self._books[record.name].table()

    def stretch(self, record: Record, first: int, last: int) -> Iterator[pa.RecordBatch]:
        """The rows of a series whose `block` is between these two, batch by batch."""
        stretches = self._stretches[record.name]
        wanted = [place for place, (low, high) in enumerate(stretches) if low <= last and high >= first]
        for batch in self._spooled(record.name, wanted):
            block = batch.column("block")
            mine = pc.and_(pc.greater_equal(block, first), pc.less_equal(block, last))
            yield batch if pc.all(mine).as_py() else batch.filter(mine)

    def digest(self, record: Record) -> int:
        """What the good rows of a table say, as one number: their order and their places do not matter."""
        if record.series:
            return self._books[record.name].digest()
        return self._digests[record.name] % (1 << 64)

    def take(self, batch: Batch) -> None:
        """Checks a batch and spools both parts of it."""
        good, rejections = check(batch)
        name = batch.record.name
        before = self._counts.get(name, Counts(0, 0))
        self._counts[name] = Counts(before.accepted + good.num_rows, before.rejected + len(rejections))
        if good.num_rows:
            self._keep(batch.record, good)
        if rejections:
            for each in rejections[len(batch.rejections) :]:
                self._refused.update(elements_in(each.raw))
            self.first_rejections += rejections[: max(0, SHOWN_REJECTIONS - len(self.first_rejections))]
            self._write(_REJECTIONS, _rejection_batch(rejections))

    def _keep(self, record: Record, good: pa.RecordBatch) -> None:
        if self._spool is None:
            return
        if record.series:
            rows = self._books[record.name].enter(as_samples(record, good))
            bounds = pc.min_max(rows.column("block")).as_py()
            self._stretches[record.name].append((bounds["min"], bounds["max"]))
            self._write(record.name, rows)
        else:
            if self.source.whole:
                self._digests[record.name] += int(np.add.reduce(digests(good, [each.name for each in record.fields])))
            self._write(record.name, good)

    def seal(self) -> None:
        """No more rows come: from now on the spool is read. What the checks rejected is no longer stored."""
        self.accounts = [each.refused(self._refused[each.element]) for each in self.accounts]
        self._close()

    def _write(self, name: str, batch: pa.RecordBatch) -> None:
        if self._spool is None:
            return
        writer = self._writers.get(name)
        if writer is None:
            writer = self._writers[name] = pa.ipc.new_file(str(_path(self._spool, name)), batch.schema)
        writer.write_batch(batch)

    def _spooled(self, name: str, wanted: Sequence[int] | None = None) -> Iterator[pa.RecordBatch]:
        if self._spool is not None and (path := _path(self._spool, name)).exists():
            # Read, not mapped: mapped pages would count as memory of ours.
            with pa.OSFile(str(path)) as spool:
                batches = pa.ipc.open_file(spool)
                for place in range(batches.num_record_batches) if wanted is None else wanted:
                    yield batches.get_batch(place)

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()


def _path(spool: Path, name: str) -> Path:
    return spool / f"{name}.arrow"


def read(
    original: Original, source: Source, clock: Clock, *, progress: Progress | None = None, keep: bool = True
) -> SpooledReading:
    """Reads one file through its source to the end. `progress` hears the number of rows read so far.

    keep: the rows can be asked for; else they are only counted. Raises UnreadableFile; then nothing of the file is kept
    but its original.
    """
    reading = SpooledReading(source, Path(tempfile.mkdtemp(prefix="twinning-")) if keep else None)
    try:
        _take_all(original, source, clock, reading, progress)
    except BaseException:
        reading.__exit__(None, None, None)
        raise
    return reading


def _take_all(
    original: Original, source: Source, clock: Clock, reading: SpooledReading, progress: Progress | None
) -> None:
    rows = 0
    for item in source.parse(original, clock):
        if isinstance(item, Batch):
            reading.take(item)
            rows += item.read
            if progress is not None:
                progress(rows)
        elif isinstance(item, Claim):
            reading.claims.append(item)
        elif isinstance(item, ExportedAt):
            reading.exported_at = item.instant
        elif isinstance(item, Notice):
            reading.notices.append(item.text)
        elif isinstance(item, Devices):
            reading.devices.update(item.kinds)
        elif isinstance(item, Account):
            reading.accounts.append(item)
    reading.seal()


def _rejection_batch(rejections: Sequence[Rejection]) -> pa.RecordBatch:
    columns = [
        pa.array([each.at for each in rejections], pa.int64()),
        pa.array([each.record for each in rejections]),
        pa.array([storable(each.reason) for each in rejections]),
        pa.array([storable(each.raw) for each in rejections]),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_REJECTION_SCHEMA)


def storable(text: str) -> str:
    """A text as Postgres can hold it: NUL characters and lone surrogates are replaced by a visible mark."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")
