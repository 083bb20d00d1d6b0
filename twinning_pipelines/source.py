"""What a source is: it turns one file into batches of rows. Everything after that is the same road for all.

A source answers two questions of one file: do you recognise it (by content), and what does it say (`parse`).
`parse` yields, in file order, any of

    Batch       rows of one record, columnar, with the rows that it could not read beside them
    Claim       a total that the file states about itself (a closing balance), kept to prove the rows against
    ExportedAt  when the export was made, where the file says so: the newest telling of a fact wins
    Notice      something that a person should know about this file (its header lied about the encoding)
    Devices     which of the names that recorded something are watches and phones, where the file says so
    Account     what became of the elements of one name, for documents that are made of elements; told at the end

and raises UnreadableFile when the file as a whole can't be read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from importlib import import_module
from typing import overload

import pyarrow as pa
from msgspec import Struct, field

from twinning_pipelines.clock import Clock
from twinning_pipelines.original import Original, is_utf16
from twinning_pipelines.records.record import Record

BATCH_ROWS = 8_192
# Some rows hold a whole track or curve as text.
BATCH_TEXT = 8 * 1024**2


class Rejection(Struct, frozen=True):
    """A row that is not stored, with where it stands, why, and its raw text, so that it can be driven again."""

    at: int
    record: str
    reason: str
    raw: str


class Row(Struct, frozen=True):
    """One row on its way into a batch: typed Python values by field name; a field left out is null."""

    record: Record
    at: int
    raw: str
    values: Mapping[str, object]


class Batch(Struct, frozen=True):
    """Rows of one record, as `record.schema` says, and the rows of it that the parser could not read.

    `raw` gives the raw text of the i-th row of `rows`; it is asked only for rows that a check rejects.
    """

    record: Record
    rows: pa.RecordBatch
    raw: Callable[[int], str]
    rejections: tuple[Rejection, ...] = ()

    @property
    def read(self) -> int:
        """Rows met in the file: good and bad."""
        return int(self.rows.num_rows) + len(self.rejections)


class Claim(Struct, frozen=True):
    """A total that the file states: `kind` (closing_balance, opening_balance, …) of `subject` on `day`."""

    kind: str
    subject: str
    day: date
    value: Decimal
    unit: str
    at: int


class ExportedAt(Struct, frozen=True):
    """When the export was made, an aware instant."""

    instant: datetime


class Account(Struct, frozen=True):
    """What became of the elements of one name: `count = stored + rejected + ignored`, and none is unaccounted for.

    stored: rows hold them. rejected: they stand in the raw text of rejections. ignored: how many were left out, by rule.
    """

    element: str
    stored: int
    rejected: int
    ignored: Mapping[str, int]

    @property
    def count(self) -> int:
        """How often the element occurs in the file."""
        return self.stored + self.rejected + sum(self.ignored.values())

    def refused(self, count: int) -> "Account":
        """The account once so many stored elements more were rejected."""
        moved = min(count, self.stored)
        return Account(self.element, self.stored - moved, self.rejected + moved, self.ignored) if moved else self


class Notice(Struct, frozen=True):
    """A sentence for the person who dropped the file."""

    text: str


class Devices(Struct, frozen=True):
    """What recorded under each name, by its own word: `watch`, `phone` or `other`. Whose figures go first depends on it."""

    kinds: Mapping[str, str]


Item = Batch | Claim | ExportedAt | Notice | Account | Devices


class Source(Struct, frozen=True):
    """One kind of file.

    name: `<domain>.<format>`, as on the command line. records: every table that `parse` may yield rows for.
    recognition: one sentence on what is recognised. unit: what `at` counts (line, record, element).
    version: raise it when `parse` changes what it makes of the same bytes; files read by an older one are read again.
    whole: an export is the whole truth for the time it covers, so a fact that a newer one leaves out is gone.
    expect_every: how long silence is normal. max_rejected: the share of rejected rows above which the outside world waits.
    template: the file name of our own downloadable CSV, for sources that read one.
    last_resort: it claims a file only when no other source does.
    """

    name: str
    title: str
    recognition: str
    records: tuple[Record, ...]
    recognises: Callable[[Original], bool]
    parse: Callable[[Original, Clock], Iterator[Item]]
    unit: str = "line"
    version: int = 1
    whole: bool = False
    expect_every: timedelta | None = None
    max_rejected: float = 0.05
    template: str | None = None
    last_resort: bool = False

    @property
    def domain(self) -> str:
        """health, nutrition, finance, time or business."""
        return self.name.partition(".")[0]


class Listed(Struct, frozen=True):
    """A source by its module, which is loaded when a file may be its. last_resort: as its source says.

    words: in lower case; a file whose head holds one of them is likely to be its. Without words any file is.
    """

    module: str
    words: tuple[str, ...] = ()
    last_resort: bool = False

    @property
    def source(self) -> Source:
        """The source itself. Raises what its module raises."""
        found: Source = import_module(self.module).SOURCE
        return found

    def is_likely(self, text: str | None) -> bool:
        """Whether a file whose head is this text, in lower case, is likely its; None where the head is no plain text."""
        return text is None or not self.words or any(word in text for word in self.words)


class Registry(Sequence[Source]):
    """Every source. Whoever looks at all of them loads them all, and is stopped by one that can't be imported; who looks
    for the source of one file loads those that are likely to claim it first.
    """

    def __init__(self, *listed: Listed) -> None:
        self.listed = listed

    @cached_property
    def _sources(self) -> tuple[Source, ...]:
        return registered(*(each.source for each in self.listed))

    def __len__(self) -> int:
        return len(self.listed)

    @overload
    def __getitem__(self, place: int) -> Source: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Source, ...]: ...
    def __getitem__(self, place: int | slice) -> Source | tuple[Source, ...]:
        return self._sources[place]

    def __iter__(self) -> Iterator[Source]:
        return iter(self._sources)

    def for_file(self, original: Original) -> Iterator[Source]:
        """Those that are likely to claim a file, without those of last resort."""
        # A zip is known by what is in it, and words in UTF-16 are other bytes.
        text = None if original.is_zip or is_utf16(original.head) else original.text_head.lower()
        return (each.source for each in self.listed if not each.last_resort and each.is_likely(text))


def registered(*sources: Source) -> tuple[Source, ...]:
    """The sources in their order. Raises ValueError when two share a name."""
    names = [source.name for source in sources]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two sources are called {', '.join(twice)}")
    return sources


def gather(items: Iterable[Row | Rejection | Item], records: tuple[Record, ...]) -> Iterator[Item]:
    """Rows of small formats, one by one, into batches of at most 8,192 rows and some 8 MiB of text; everything else passes through.

    A batch that comes in between follows the rows of its record that came before it.
    A value that its column can't hold (a figure too long for money, half a surrogate pair) becomes a rejection of its row.
    """
    heaps = {record.name: _Heap(record) for record in records}
    for item in items:
        if isinstance(item, Row):
            heap = heaps[item.record.name]
            heap.rows.append(item)
            heap.text += len(item.raw)
            for each in item.values.values():
                if isinstance(each, str):
                    heap.text += len(each)
        elif isinstance(item, Rejection):
            heap = heaps[item.record]
            heap.rejections.append(item)
            heap.text += len(item.raw)
        else:
            if isinstance(item, Batch) and len(waiting := heaps[item.record.name]):
                yield waiting.batch()
                heaps[item.record.name] = _Heap(item.record)
            yield item
            continue
        if len(heap) >= BATCH_ROWS or heap.text >= BATCH_TEXT:
            yield heap.batch()
            heaps[heap.record.name] = _Heap(heap.record)
    for heap in heaps.values():
        if len(heap):
            yield heap.batch()


class _Heap(Struct):
    """The rows of one record that wait for their batch."""

    record: Record
    rows: list[Row] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    text: int = 0

    def __len__(self) -> int:
        return len(self.rows) + len(self.rejections)

    def batch(self) -> Batch:
        try:
            columns = self._columns()
        except (pa.ArrowException, ValueError, OverflowError):
            # One value does not fit; find the rows it stands in and let the others through.
            self._reject_misfits()
            columns = self._columns()
        raws = [row.raw for row in self.rows]
        rows = pa.RecordBatch.from_arrays(columns, schema=self.record.schema)
        return Batch(self.record, rows, raws.__getitem__, tuple(self.rejections))

    def _columns(self) -> list[pa.Array]:
        at = pa.array([row.at for row in self.rows], pa.int64())
        values = [row.values for row in self.rows]
        return [
            at,
            *(pa.array([some.get(each.name) for some in values], each.kind.arrow) for each in self.record.fields),
        ]

    def _reject_misfits(self) -> None:
        fitting: list[Row] = []
        for row in self.rows:
            reason = self._misfit(row)
            if reason is None:
                fitting.append(row)
            else:
                self.rejections.append(Rejection(row.at, self.record.name, reason, row.raw))
        self.rows = fitting

    def _misfit(self, row: Row) -> str | None:
        for each in self.record.fields:
            value = row.values.get(each.name)
            try:
                pa.array([value], each.kind.arrow)
            except (pa.ArrowException, ValueError, OverflowError):
                return f"{each.name}: does not fit {each.kind.sql}: {value!r}"
        return None
