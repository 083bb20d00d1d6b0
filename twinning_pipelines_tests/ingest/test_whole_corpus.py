"""Every statement and register that others published: nothing is lost on the way, and a second time adds nothing."""

from pathlib import Path

import sqlalchemy as sa

from twinning_pipelines.ingest.road import receive, take
from twinning_pipelines.receipt import Receipt
from twinning_pipelines.sources import SOURCES
from twinning_pipelines.stores.postgres.store import PostgresStore
from twinning_pipelines_tests.shared import corpus

TABLES = ("transaction", "trade", "holding", "price", "register_entry")
# Neither is a statement: a sentence, and a fuzzer's leftovers without an OFX element.
REFUSED = {"libofx__failing-ofx-file1.xml", "libofx__heap-buffer-overflow-2.ofx"}


def _load(store: PostgresStore, path: Path, archive: Path) -> Receipt:
    return take(receive(path, "ada", store, archive), store, archive, SOURCES, again=True)


def _rows(engine: sa.Engine) -> list[int]:
    with engine.connect() as connection:
        return [int(connection.execute(sa.text(f"select count(*) from {name}")).scalar_one()) for name in TABLES]


def test_the_finance_corpus_loads_and_a_second_time_adds_nothing(
    store: PostgresStore, engine: sa.Engine, tmp_path: Path
) -> None:
    files = [path for folder in ("ofx", "qif") for path in sorted(corpus("finance", folder).iterdir())]
    first = {path.name: _load(store, path, tmp_path) for path in files}
    assert {name for name, receipt in first.items() if receipt.problem} == REFUSED
    rows = _rows(engine)
    for name, receipt in first.items():
        for table, counts in receipt.counts.items():
            change = (receipt.changes or {})[table]
            assert change.new + change.edited + change.same == counts.accepted, name
    # 3,948 bookings, trades and entries of lists; 84 positions, each with its price; 3 prices of lists.
    assert sum(receipt.read for receipt in first.values()) == 3948 + 2 * 84 + 3
    for path in files:
        changes = _load(store, path, tmp_path).changes or {}
        assert all((each.new, each.edited) == (0, 0) for each in changes.values()), path.name
    assert _rows(engine) == rows
