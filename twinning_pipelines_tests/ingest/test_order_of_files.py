"""Files in any order make the same tables, and those are the tables that a plain model of the rules says."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinning_pipelines.clock import Clock
from twinning_pipelines.ingest.road import receive, take
from twinning_pipelines.original import Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.record import Record
from twinning_pipelines.records.time import TIME_ENTRY
from twinning_pipelines.source import ExportedAt, Item, Row, Source, gather
from twinning_pipelines.stores.postgres.store import PostgresStore

START = datetime(2026, 3, 27, 9, tzinfo=UTC)
HOURS_PER_SLOT = 8
Export = dict[int, int]


@dataclass(frozen=True)
class Case:
    """A record as a source would fill it, and whether its exports are whole."""

    record: Record
    whole: bool

    def source(self) -> Source:
        return Source(
            name=f"time.{self.record.name}_{self.whole}",
            title="a made-up log",
            recognition="always",
            records=(self.record,),
            recognises=lambda _original: True,
            parse=self._parse,
            whole=self.whole,
        )

    def _parse(self, original: Original, _clock: Clock) -> Iterator[Item]:
        document = json.loads(original.path.read_text())
        yield ExportedAt(START + timedelta(days=document["made"]))
        rows = [self._row(place, int(slot), value) for place, (slot, value) in enumerate(document["rows"].items(), 1)]
        yield from gather(rows, (self.record,))

    def _row(self, place: int, slot: int, value: int) -> Row:
        began = START + timedelta(hours=HOURS_PER_SLOT * slot)
        shared: dict[str, object] = {"started_at": began, "ended_at": began + timedelta(hours=1)}
        if self.record is SAMPLE:
            return Row(
                SAMPLE, place, "", shared | {"metric": "heart_rate", "origin": "watch", "value": float(60 + value)}
            )
        return Row(TIME_ENTRY, place, "", shared | {"worker": "", "seconds": 60 + value})

    def stretch(self, slot: int) -> int:
        """What a whole export covers counts by the moment for rows, by the day for a series."""
        return (START + timedelta(hours=HOURS_PER_SLOT * slot)).toordinal() if self.record is SAMPLE else slot

    def expected(self, exports: list[Export]) -> dict[datetime, float]:
        """The rules, told plainly: the newest export that knows of a moment says what was then."""
        told: dict[datetime, float] = {}
        for slot in {slot for export in exports for slot in export}:
            knowing = [export for export in exports if export and self._knows(export, slot)]
            if knowing and slot in knowing[-1]:
                told[START + timedelta(hours=HOURS_PER_SLOT * slot)] = 60 + knowing[-1][slot]
        return told

    def _knows(self, export: Export, slot: int) -> bool:
        if not self.whole:
            return slot in export
        covered = [self.stretch(each) for each in export]
        return min(covered) <= self.stretch(slot) <= max(covered)

    def stored(self, engine: sa.Engine) -> dict[datetime, float]:
        statement = (
            "select started_at, value from sample"
            if self.record is SAMPLE
            else "select started_at, seconds from time_entry where absent_since is null"
        )
        with engine.connect() as connection:
            return {began: float(value) for began, value in connection.execute(sa.text(statement))}


CASES = [Case(record, whole) for record in (TIME_ENTRY, SAMPLE) for whole in (True, False)]
EXPORTS = st.lists(
    st.dictionaries(st.integers(0, 8), st.integers(0, 3), min_size=1, max_size=6), min_size=1, max_size=4
).flatmap(lambda exports: st.tuples(st.just(exports), st.permutations(range(len(exports)))))


def _clear(engine: sa.Engine) -> None:
    tables = "sample_chunk, series_coverage, telling, time_entry, coverage, rejection, claim, stale_day, stale_rollup, daily_rollup"
    with engine.begin() as connection:
        connection.execute(sa.text(f"truncate {tables}, influx_outbox, intake_file cascade"))


def _drop(folder: Path, made: int, export: Export) -> Path:
    path = folder / f"export-{made}.json"
    path.write_text(json.dumps({"made": made, "rows": export}))
    moment = (START + timedelta(days=made)).timestamp()
    os.utime(path, (moment, moment))
    return path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.source().name)
def test_files_in_any_order_make_the_tables_that_the_rules_say(
    case: Case, engine: sa.Engine, store: PostgresStore, tmp_path: Path
) -> None:
    source = case.source()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(EXPORTS)
    def law(drawn: tuple[list[Export], list[int]]) -> None:
        exports, order = drawn
        _clear(engine)
        for made in order:
            entry = receive(_drop(tmp_path, made, exports[made]), "ada", store, tmp_path / "archive")
            receipt = take(entry, store, tmp_path / "archive", (source,))
            changes = (receipt.changes or {})[case.record.name]
            assert receipt.problem is None
            assert changes.new + changes.edited + changes.same == receipt.accepted == len(exports[made])
        assert case.stored(engine) == case.expected(exports)
        _assert_rollups_follow(case, engine)

    law()


def _assert_rollups_follow(case: Case, engine: sa.Engine) -> None:
    """The day's totals are those of the samples that are there now, whatever was there in between."""
    if case.record is not SAMPLE:
        return
    afresh = """
        select (started_at at time zone 'Europe/Zurich')::date, count(*), avg(value)
        from sample group by 1 order by 1"""
    with engine.connect() as connection:
        kept = connection.execute(sa.text("select day, n, value from daily_rollup order by day")).all()
        counted = connection.execute(sa.text(afresh)).all()
    assert [tuple(row) for row in kept] == [tuple(row) for row in counted]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.source().name)
def test_the_same_export_again_writes_nothing(
    case: Case, engine: sa.Engine, store: PostgresStore, tmp_path: Path
) -> None:
    path = _drop(tmp_path, 0, {slot: slot % 4 for slot in range(9)})
    for again in (False, True):
        entry = receive(path, "ada", store, tmp_path / "archive")
        before = _versions(engine, case)
        receipt = take(entry, store, tmp_path / "archive", (case.source(),), again=again)
        changes: Any = (receipt.changes or {})[case.record.name]
        if again:
            assert (changes.new, changes.edited, changes.same, changes.absent) == (0, 0, 9, 0)
            assert _versions(engine, case) == before


def _versions(engine: sa.Engine, case: Case) -> list[tuple[object, ...]]:
    """Postgres's own mark of who wrote a row last: it changes with every write, even of equal values."""
    with engine.connect() as connection:
        table = "sample_chunk" if case.record is SAMPLE else case.record.name
        rows = connection.execute(sa.text(f"select xmin::text, * from {table} order by started_at"))
        return [tuple(row) for row in rows]
