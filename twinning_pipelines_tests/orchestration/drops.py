"""What the tests of the orchestration share: dropping files, running the road, reading what a run told."""

import os
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import sqlalchemy as sa

from twinning_pipelines.definitions import build_defs
from twinning_pipelines.demo import finance, work
from twinning_pipelines.demo.apple_health import write_export
from twinning_pipelines.home import Home, OpenHome

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
ZURICH = ZoneInfo("Europe/Zurich")
MADE = datetime(2026, 3, 31, 23, tzinfo=ZURICH)


def drop(home: Home, name: str, text: str = "", *, at: datetime = MADE) -> Path:
    """A file in the inbox that was finished long ago. Without text it is made by the caller, who calls `settle`."""
    path = home.inbox / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if text:
        path.write_text(text, encoding="utf-8")
        settle(path, at)
    return path


def settle(path: Path, at: datetime = MADE) -> None:
    """Makes a file look as if nobody had touched it since."""
    os.utime(path, (at.timestamp(), at.timestamp()))


def drop_statement(home: Home, name: str = "ada/bank/march.ofx", *, broken: int = 0) -> Path:
    """A bank statement of one month."""
    path = drop(home, name)
    finance.write_statement(path, seed=3, first=FIRST, last=LAST, broken=broken)
    settle(path)
    return path


def drop_hours(home: Home, name: str = "ada/work/toggl.csv") -> Path:
    """A month's time entries."""
    path = drop(home, name)
    work.write_toggl(path, seed=3, first=FIRST, last=LAST)
    settle(path)
    return path


def drop_health(home: Home, name: str = "ada/export.zip", *, broken: int = 0) -> Path:
    """An Apple Health export of a week."""
    path = drop(home, name)
    first = date(2026, 3, 25)
    write_export(path, seed=3, first=first, last=LAST, zone=ZURICH, records=600, broken=broken, exported_at=MADE)
    settle(path)
    return path


def materialise(
    home: Home, instance: dg.DagsterInstance, selection: Iterable[dg.AssetKey] | None = None
) -> dg.ExecuteInProcessResult:
    """Runs the whole road, or some of it, as `dagster asset materialize` does; failures are in the result."""
    defs = build_defs(home, partitioned=False)
    job = defs.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance, raise_on_error=False, asset_selection=None if selection is None else list(selection)
    )


def figures(result: dg.ExecuteInProcessResult, key: dg.AssetKey) -> Mapping[str, object]:
    """The metadata that a run told of an asset."""
    (event,) = [each for each in result.get_asset_materialization_events() if each.asset_key == key]
    return {name: value.value for name, value in event.materialization.metadata.items()}


def verdicts(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    """Every check that a run made, by asset and name."""
    return {(each.asset_key.to_user_string(), each.check_name): each for each in result.get_asset_check_evaluations()}


def count(home: OpenHome, table: str) -> int:
    """How many rows a table holds."""
    with home.engine.connect() as connection:
        return int(connection.execute(sa.text(f"select count(*) from {table}")).scalar_one())


def everything(home: OpenHome) -> dict[str, list[tuple[object, ...]]]:
    """All rows of the tables that an ingest writes, without the moments at which it wrote."""
    queries = {
        "transaction": "select * from transaction order by id",
        "sample": "select * from sample_chunk order by 1, 2, 3, 4",
        "time_entry": "select * from time_entry order by id",
        "rejection": "select record, at, reason, raw from rejection order by 1, 2",
        "daily_fact": "select person_id, day, fact, part, unit, value, n from daily_fact order by 1, 2, 3, 4, 5",
        "intake_file": "select id, person_id, sha256, status, source from intake_file order by id",
    }
    with home.engine.connect() as connection:
        return {name: [tuple(row) for row in connection.execute(sa.text(query))] for name, query in queries.items()}
