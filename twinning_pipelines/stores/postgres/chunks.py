"""How the samples of a series are kept: one row for each UTC day of a metric from an origin, its samples in arrays.

Millions of samples become some hundred rows a month: little to write, little to read, nothing to compare row by row.
The view `sample` shows them one by one. Within a chunk samples are in order of their beginning; equals keep their order.
"""

from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.records.digest import Words
from twinning_pipelines.stores.postgres.array_rows import FLOAT8, INT8, TIMESTAMPTZ, NumberArrays, encoded
from twinning_pipelines.stores.postgres.copying import EPOCH_DAYS, EPOCH_US, copy_binary, fetch_numbers

Numbers = npt.NDArray[np.int64]

# block, started_at and ended_at (microseconds since 1970), value, label, detail, at, file.
ROWS = pa.schema(
    [
        ("block", pa.int64()), ("started_at", pa.int64()), ("ended_at", pa.int64()), ("value", pa.float64()),
        ("label", pa.string()), ("detail", pa.string()), ("at", pa.int64()), ("file", pa.int32()),
    ]
)  # fmt: skip


class Blocks(Struct, frozen=True):
    """Some blocks as parallel columns, in order of their key: whose days they are, how many rows, and their digests."""

    keys: Numbers
    metric_ids: Numbers
    origin_ids: Numbers
    days: Numbers
    n: Numbers
    digests: Words

    def __len__(self) -> int:
        return len(self.keys)

    def some(self, which: "npt.NDArray[np.generic] | slice") -> "Blocks":
        """The blocks at these places, or under this mask."""
        return Blocks(
            self.keys[which],
            self.metric_ids[which],
            self.origin_ids[which],
            self.days[which],
            self.n[which],
            self.digests[which],
        )


_KNOWN = """
    select c.metric_id, c.origin_id, c.day, c.n, c.digest
    from sample_chunk c join origin o on o.id = c.origin_id and o.source = %(source)s
    where c.person_id = %(person)s and c.metric_id = any(%(metrics)s) and c.day between %(first)s and %(last)s"""
_KNOWN_COLUMNS = {"metric_id": ">i2", "origin_id": ">i4", "day": ">i4", "n": ">i4", "digest": ">i8"}

_WANTED = """
    from unnest(%(keys)s::bigint[], %(metrics)s::smallint[], %(origins)s::integer[], %(days)s::integer[])
        as b (block, metric_id, origin_id, day)
    join sample_chunk c on c.person_id = %(person)s and c.metric_id = b.metric_id
        and c.day = date '1970-01-01' + b.day and c.origin_id = b.origin_id"""

_NUMBERS = f"""
    select b.block, r.started_at, r.ended_at, r.value, r.at, coalesce(r.file_id::integer, c.file_id)
    {_WANTED}
    cross join lateral unnest(c.started_at, c.ended_at, c.value, c.at, c.file_ids)
        as r (started_at, ended_at, value, at, file_id)"""
_NUMBER_COLUMNS = {"block": ">i8", "started_at": ">i8", "ended_at": ">i8", "value": ">f8", "at": ">i8", "file": ">i4"}

_TEXTS = f"select b.block, c.label, c.detail {_WANTED} where c.label is not null or c.detail is not null"


def known_blocks(
    connection: sa.Connection, person_id: int, source: str, metrics: Numbers, span: tuple[date, date]
) -> Blocks:
    """The blocks of some metrics of a person from a source that are stored, of these UTC days; their keys are those of ids."""
    values = {"person": person_id, "source": source, "metrics": metrics.tolist(), "first": span[0], "last": span[1]}
    found = fetch_numbers(connection, _KNOWN, values, _KNOWN_COLUMNS)
    metric_ids, origin_ids = found["metric_id"].astype(np.int64), found["origin_id"].astype(np.int64)
    days = found["day"].astype(np.int64) + EPOCH_DAYS
    keys = key_of_ids(metric_ids, origin_ids, days)
    order = np.argsort(keys)
    n, digests = found["n"].astype(np.int64), found["digest"].astype(np.int64).view(np.uint64)
    return Blocks(keys, metric_ids, origin_ids, days, n, digests).some(order)


def key_of_ids(metric_ids: Numbers, origin_ids: Numbers, days: Numbers) -> Numbers:
    """One number for each metric, day and origin, by their ids in the database."""
    keys: Numbers = (metric_ids << 48) | ((days + (1 << 20)) << 24) | origin_ids
    return keys


def read_rows(connection: sa.Connection, person_id: int, blocks: Blocks) -> pa.Table:
    """The stored samples of some blocks, as `ROWS`, chunk by chunk in their own order."""
    values = _places(person_id, blocks) | {"keys": blocks.keys.tolist()}
    found = fetch_numbers(connection, _NUMBERS, values, _NUMBER_COLUMNS)
    block = found["block"].astype(np.int64)
    # The chunks may come in any order, the samples of each come in its own.
    order = np.argsort(block, kind="stable")
    label, detail = _texts(connection, values, block[order])
    columns = {
        "block": block[order],
        "started_at": found["started_at"].astype(np.int64)[order] + EPOCH_US,
        "ended_at": found["ended_at"].astype(np.int64)[order] + EPOCH_US,
        "value": found["value"].astype(np.float64)[order],
        "label": label,
        "detail": detail,
        "at": found["at"].astype(np.int64)[order],
        "file": found["file"].astype(np.int32)[order],
    }
    return pa.table({name: pa.array(column) for name, column in columns.items()}, schema=ROWS)


def _texts(connection: sa.Connection, values: dict[str, object], block: Numbers) -> tuple[pa.Array, pa.Array]:
    labels: list[str | None] = [None] * len(block)
    details: list[str | None] = [None] * len(block)
    cursor = connection.connection.cursor()
    for key, label, detail in cursor.execute(_TEXTS, values):
        first = int(np.searchsorted(block, key))
        for texts, given in ((labels, label), (details, detail)):
            if given is not None:
                texts[first : first + len(given)] = given
    return pa.array(labels, pa.string()), pa.array(details, pa.string())


_COLUMNS = (
    "metric_id", "origin_id", "day", "n", "file_id", "person_id", "digest",
    "started_at", "ended_at", "value", "at", "file_ids", "label", "detail",
)  # fmt: skip


def write_chunks(connection: sa.Connection, person_id: int, blocks: Blocks, rows: pa.Table) -> None:
    """Adds chunks; `rows` are those of these blocks, as `ROWS`, in order of block and of their beginning."""
    if not len(blocks):
        return
    rows = rows.combine_chunks()
    starts = np.searchsorted(rows.column("block").to_numpy(), blocks.keys)
    files = rows.column("file").to_numpy().astype(np.int64)
    newest = np.maximum.reduceat(files, starts)
    scalars = (
        blocks.metric_ids.astype(np.int16),
        blocks.origin_ids.astype(np.int32),
        (blocks.days - EPOCH_DAYS).astype(np.int32),
        blocks.n.astype(np.int32),
        newest.astype(np.int32),
        np.full(len(blocks), person_id, np.int16),
        blocks.digests.view(np.int64),
    )
    every = np.ones(len(blocks), bool)
    arrays = (
        NumberArrays(TIMESTAMPTZ, rows.column("started_at").to_numpy() - EPOCH_US, every),
        NumberArrays(TIMESTAMPTZ, rows.column("ended_at").to_numpy() - EPOCH_US, every),
        NumberArrays(FLOAT8, rows.column("value").to_numpy(), every),
        NumberArrays(INT8, rows.column("at").to_numpy(), every),
        # One file for the whole day is the rule; only days that several have told name it for each sample.
        NumberArrays(INT8, files, np.minimum.reduceat(files, starts) != newest),
    )
    texts = [_given(rows.column(name), starts) for name in ("label", "detail")]
    copy_binary(connection, "sample_chunk", _COLUMNS, encoded(scalars, arrays, texts, blocks.n))


def _given(column: pa.ChunkedArray, starts: Numbers) -> list[list[str | None] | None]:
    """The texts of each block; None for blocks without any."""
    given: list[list[str | None] | None] = [None] * len(starts)
    if column.null_count < len(column):
        has_text = np.logical_or.reduceat(pc.is_valid(column).to_numpy(), starts)
        ends = np.append(starts[1:], len(column))
        for block in np.flatnonzero(has_text).tolist():
            given[block] = column.slice(starts[block], ends[block] - starts[block]).to_pylist()
    return given


_REMOVE = """
    delete from sample_chunk c
    using unnest(%(metrics)s::smallint[], %(origins)s::integer[], %(days)s::integer[]) as b (metric_id, origin_id, day)
    where c.person_id = %(person)s and c.metric_id = b.metric_id and c.origin_id = b.origin_id
        and c.day = date '1970-01-01' + b.day"""


def remove_chunks(connection: sa.Connection, person_id: int, blocks: Blocks) -> None:
    """Takes the chunks of these blocks away; blocks that are not stored are no error."""
    if len(blocks):
        connection.connection.cursor().execute(_REMOVE, _places(person_id, blocks))


def _places(person_id: int, blocks: Blocks) -> dict[str, object]:
    """Where chunks are found, as parameters of a statement."""
    return {
        "person": person_id,
        "metrics": blocks.metric_ids.tolist(),
        "origins": blocks.origin_ids.tolist(),
        "days": blocks.days.tolist(),
    }
