"""Arrow batches into Postgres by COPY, and columns of numbers out of it.

Rows of records go in as CSV: text in quotes, nulls bare, so that an empty text stays one. Chunks of series, which are
arrays, go in as COPY's binary format; what comes out does so in binary too, by COPY or as one row of arrays, and becomes
columns without a Python object for each value.
"""

import io
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import sqlalchemy as sa
from psycopg import sql

from twinning_pipelines.stores.postgres.array_rows import HEADER, TRAILER

if TYPE_CHECKING:
    import psycopg

_OPTIONS = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")
_LENGTH = struct.Struct(">i")
_ARRAY_HEAD_BYTES = 20
_WRITTEN_BYTES = 1 << 20
# Postgres counts from the year 2000.
EPOCH_US = 946_684_800_000_000
EPOCH_DAYS = 10_957


def copy(connection: sa.Connection, table: str, columns: Sequence[str], batches: Iterable[pa.RecordBatch]) -> int:
    """Appends batches to a table, on the connection's own transaction, and answers the number of rows."""
    rows = 0
    cursor = connection.connection.cursor()
    with cursor.copy(_statement(table, columns, "csv")) as target:
        for batch in batches:
            block = io.BytesIO()
            pyarrow.csv.write_csv(_spelled(batch.select(list(columns))), block, _OPTIONS)
            target.write(block.getbuffer())
            rows += batch.num_rows
    return rows


def copy_binary(connection: sa.Connection, table: str, columns: Sequence[str], rows: memoryview) -> None:
    """Appends rows that `array_rows.encoded` has made, their fields in the order of `columns`."""
    cursor = connection.connection.cursor()
    with cursor.copy(_statement(table, columns, "binary")) as target:
        target.write(HEADER)
        # Piece by piece: what is written at once the client keeps until the server has taken it.
        for begin in range(0, len(rows), _WRITTEN_BYTES):
            target.write(rows[begin : begin + _WRITTEN_BYTES])
        target.write(TRAILER)


def fetch_numbers(
    connection: sa.Connection, query: str, values: Mapping[str, object], columns: Mapping[str, str]
) -> "dict[str, npt.NDArray[np.generic]]":
    """The columns of a query, all numbers, instants or dates of fixed width and never null.

    columns: numpy's type of each, big-endian: `>i2` smallint, `>i4` integer or date, `>i8` bigint or timestamptz, `>f8`.
    Instants are microseconds and dates days since the year 2000. Parameters are written `%(name)s`.
    """
    # One row of arrays: rows one by one cost ten times as much, on both sides.
    names = [sql.Identifier(name) for name in columns]
    wanted = sql.SQL(", ").join(sql.SQL("array_agg({})").format(name) for name in names)
    whole = sql.SQL("select {} from ({}) as found ({})").format(wanted, sql.SQL(query), sql.SQL(", ").join(names))
    cursor = cast("psycopg.Cursor[Any]", connection.connection.cursor())
    cursor.execute(whole, values, binary=True)
    answer = cast("psycopg.pq.abc.PGresult", cursor.pgresult)
    found = (answer.get_value(0, place) or bytes(_ARRAY_HEAD_BYTES) for place in range(len(columns)))
    laid: dict[str, npt.NDArray[np.generic]] = {}
    for (name, kind), array in zip(columns.items(), found, strict=True):
        elements = np.frombuffer(array, np.dtype([("bytes", ">i4"), ("value", kind)]), offset=_ARRAY_HEAD_BYTES)
        if not (elements["bytes"] == elements.dtype["value"].itemsize).all():
            raise ValueError(f"{name} is of another type than was asked for")
        laid[name] = elements["value"]
    return laid


def fetch_arrays(
    connection: sa.Connection, query: str, values: Mapping[str, object], columns: Mapping[str, str]
) -> "dict[str, npt.NDArray[np.generic]]":
    """The rows of a query whose first column is an integer and whose others are arrays, laid end to end.

    The arrays of a row are of one length, of elements of eight bytes, none of them null; the integer is repeated for each
    element. Types as for `fetch_numbers`.
    """
    found = _copied(connection, query, values)
    # A row: its number of fields, the integer with its length, then each array: its length, 20 bytes of head, elements.
    heads, sizes = _array_rows(found, len(columns) - 1)
    firsts = np.repeat(heads, sizes)
    step = np.arange(len(firsts)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    (name, kind), *arrays = columns.items()
    laid: dict[str, npt.NDArray[np.generic]] = {name: np.repeat(_at_bytes(found, heads + 6, kind), sizes)}
    place = firsts + 10
    for name, kind in arrays:
        place += 24
        laid[name] = _at_bytes(found, place + step * 12 + 4, kind)
        place += np.repeat(sizes * 12, sizes)
    return laid


def _array_rows(found: memoryview, arrays: int) -> tuple["npt.NDArray[np.int64]", "npt.NDArray[np.int64]"]:
    """Where each row begins, and how many elements its arrays have."""
    heads: list[int] = []
    sizes: list[int] = []
    place, end = 0, len(found)
    while place < end:
        (length,) = _LENGTH.unpack_from(found, place + 10)
        heads.append(place)
        sizes.append((length - _ARRAY_HEAD_BYTES) // 12)
        place += 10 + arrays * (length + 4)
    return np.array(heads, np.int64), np.array(sizes, np.int64)


def _at_bytes(found: memoryview, places: "npt.NDArray[np.int64]", kind: str) -> "npt.NDArray[np.generic]":
    """The numbers that begin at these bytes."""
    width = np.dtype(kind).itemsize
    if len(found) < width:
        return np.zeros(0, kind)
    every: npt.NDArray[np.generic] = np.ndarray((len(found) - width + 1,), kind, found, strides=(1,))
    return every[places]


def _copied(connection: sa.Connection, query: str, values: Mapping[str, object]) -> memoryview:
    found = bytearray()
    cursor = connection.connection.cursor()
    with cursor.copy(f"copy ({query}) to stdout (format binary)", values) as source:
        for block in source:
            found += block
    return memoryview(found)[len(HEADER) : len(found) - len(TRAILER)]


def _statement(table: str, columns: Sequence[str], form: str) -> sql.Composed:
    return sql.SQL("copy {} ({}) from stdin (format {})").format(
        sql.Identifier(table), sql.SQL(", ").join(sql.Identifier(name) for name in columns), sql.SQL(form)
    )


def _spelled(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Decimals as short as they can be written exactly: `12.5`, not eighteen places of it."""
    for place, field in enumerate(batch.schema):
        if pa.types.is_decimal(field.type):
            text = pc.cast(batch.column(place), pa.string())
            short = pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".")
            # Arrow writes very small numbers as 1E-10: their last zero is no decimal place.
            batch = batch.set_column(place, field.name, pc.if_else(pc.match_substring(text, "E"), text, short))
    return batch
