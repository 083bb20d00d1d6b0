"""Arrow batches into Postgres by COPY, through CSV: text in quotes, nulls bare, so that an empty text stays one."""

import io
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import sqlalchemy as sa
from psycopg import sql

_OPTIONS = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")


def copy(connection: sa.Connection, table: str, columns: Sequence[str], batches: Iterable[pa.RecordBatch]) -> int:
    """Appends batches to a table, on the connection's own transaction, and answers the number of rows."""
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
        sql.Identifier(table), sql.SQL(", ").join(sql.Identifier(name) for name in columns)
    )
    rows = 0
    cursor = connection.connection.cursor()
    with cursor.copy(statement) as target:
        for batch in batches:
            block = io.BytesIO()
            pyarrow.csv.write_csv(_spelled(batch.select(list(columns))), block, _OPTIONS)
            target.write(block.getbuffer())
            rows += batch.num_rows
    return rows


def _spelled(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Decimals as short as they can be written exactly: `12.5`, not eighteen places of it."""
    for place, field in enumerate(batch.schema):
        if pa.types.is_decimal(field.type):
            text = pc.cast(batch.column(place), pa.string())
            short = pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".")
            # Arrow writes very small numbers as 1E-10: their last zero is no decimal place.
            batch = batch.set_column(place, field.name, pc.if_else(pc.match_substring(text, "E"), text, short))
    return batch
