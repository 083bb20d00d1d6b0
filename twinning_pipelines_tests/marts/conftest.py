"""What the marts are tested with: any facts at all, told by a source that reads them as they stand."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import count
from pathlib import Path

import pytest

from twinning_pipelines.clock import Clock
from twinning_pipelines.ingest.road import receive, take
from twinning_pipelines.original import Original
from twinning_pipelines.records.health import ACTIVITY_RING, SAMPLE
from twinning_pipelines.records.sessions import SLEEP_SESSION, SLEEP_STAGE
from twinning_pipelines.source import Devices, Item, Row, Source, gather
from twinning_pipelines.stores.postgres.store import PostgresStore

RECORDS = {record.name: record for record in (SAMPLE, ACTIVITY_RING, SLEEP_STAGE, SLEEP_SESSION)}
Rows = list[tuple[str, Mapping[str, object]]]
Tell = Callable[..., None]


def _typed(record: str, values: Mapping[str, object]) -> dict[str, object]:
    kinds = {each.name: each.kind.name for each in RECORDS[record].fields}
    return {name: _read(kinds[name], value) for name, value in values.items()}


def _read(kind: str, value: object) -> object:
    if kind not in ("instant", "day"):
        return value
    moment = datetime.fromisoformat(str(value))
    return moment.date() if kind == "day" else moment


def _source(name: str) -> Source:
    def parse(original: Original, clock: Clock) -> Iterator[Item]:
        with original.open() as stream:
            document = json.load(stream)
        if document["devices"]:
            yield Devices(document["devices"])
        rows = (
            Row(RECORDS[table], at, "", _typed(table, values)) for at, (table, values) in enumerate(document["rows"], 1)
        )
        yield from gather(rows, tuple(RECORDS.values()))

    return Source(name, name, "anything", tuple(RECORDS.values()), lambda original: True, parse)


@pytest.fixture
def tell(store: PostgresStore, tmp_path: Path) -> Tell:
    """Takes rows, as pairs of table and values, down the road as one file of a person."""
    number = count()

    def told(
        rows: Rows, *, source: str = "health.told", person: str = "ada", devices: Mapping[str, str] | None = None
    ) -> None:
        path = tmp_path / f"told-{next(number)}.json"
        path.write_text(json.dumps({"name": path.name, "devices": devices or {}, "rows": rows}))
        entry = receive(path, person, store, tmp_path / "archive")
        receipt = take(entry, store, tmp_path / "archive", [_source(source)])
        assert receipt.problem is None, receipt
        assert receipt.rejected == 0, receipt.rejections

    return told
