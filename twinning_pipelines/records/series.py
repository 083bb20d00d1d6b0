"""How the rows of a series look as samples: what is kept by the day is of one form, whatever it tells."""

import json

import pyarrow as pa
import pyarrow.compute as pc

from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.record import Record
from twinning_pipelines.records.sessions import SLEEP_STAGE

# The metric under which stretches of sleep stand: their minutes, the stage as the label.
SLEEP = "sleep_stage"

_US_PER_MINUTE = 60_000_000.0


def as_samples(record: Record, rows: pa.RecordBatch) -> pa.RecordBatch:
    """Checked rows of a series as `SAMPLE.schema` says. Raises ValueError for a record that is none."""
    if record is SAMPLE:
        return rows
    if record is not SLEEP_STAGE:
        raise ValueError(f"{record.name} is no series")
    started, ended = (rows.column(name).cast(pa.int64()) for name in ("started_at", "ended_at"))
    metric = pa.DictionaryArray.from_arrays(pa.array([0] * rows.num_rows, pa.int32()), pa.array([SLEEP]))
    columns = {
        "at": rows.column("at"),
        "metric": metric,
        "origin": rows.column("origin").dictionary_encode(),
        "started_at": rows.column("started_at"),
        "ended_at": rows.column("ended_at"),
        "value": pc.divide(pc.subtract(ended, started).cast(pa.float64()), _US_PER_MINUTE),
        "label": rows.column("stage").dictionary_encode(),
        "detail": _in_zone(rows.column("zone")),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in SAMPLE.schema.names], schema=SAMPLE.schema)


def _in_zone(zones: pa.StringArray) -> pa.DictionaryArray:
    coded = zones.dictionary_encode()
    details = [json.dumps({"zone": zone}, separators=(",", ":")) for zone in coded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(coded.indices, pa.array(details, pa.string()))
