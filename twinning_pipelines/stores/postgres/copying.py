"""Arrow batches into Postgres by COPY, through CSV: text in quotes, nulls bare, so that an empty text stays one."""

import io
from collections.abc import Iterable, Sequence

import pyarrow as pa
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
            pyarrow.csv.write_csv(batch.select(list(columns)), block, _OPTIONS)
            target.write(block.getbuffer())
            rows += batch.num_rows
    return rows
