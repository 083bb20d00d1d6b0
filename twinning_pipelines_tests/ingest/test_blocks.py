"""A block's digest belongs to its rows alone, not to the batches they happen to come in."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from twinning_pipelines.ingest.blocks import BlockBook
from twinning_pipelines.records.health import SAMPLE

START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def _rows(labels: list[str | None]) -> pa.RecordBatch:
    rows = [
        {
            "at": place,
            "metric": "mood" if label else "heart_rate",
            "origin": "watch",
            "started_at": START + timedelta(minutes=place),
            "ended_at": START + timedelta(minutes=place),
            "value": 60.0 + place,
            "label": label,
        }
        for place, label in enumerate(labels)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=SAMPLE.schema)


def test_digests_do_not_depend_on_how_rows_are_batched() -> None:
    rows = _rows([None, "calm", None, "tense", None])
    whole, single = BlockBook(), BlockBook()
    whole.enter(rows)
    for place in range(rows.num_rows):
        single.enter(rows.slice(place, 1))
    assert whole.table().to_pylist() == single.table().to_pylist()
