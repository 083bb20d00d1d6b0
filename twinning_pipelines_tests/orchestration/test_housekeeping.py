"""Old runs go, but not those by which Dagster knows that something was ever made."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from twinning_pipelines.definitions import build_defs
from twinning_pipelines.home import Home
from twinning_pipelines.orchestration.housekeeping import (
    PastRun,
    past_runs,
    removable,
    remove_old_runs,
    runs_that_made_the_newest,
)
from twinning_pipelines.settings import Settings

NOW = datetime(2026, 3, 31, tzinfo=UTC)


def test_what_is_old_and_not_needed_goes() -> None:
    runs = [PastRun("old", NOW - timedelta(days=9)), PastRun("needed", NOW - timedelta(days=9)), PastRun("new", NOW)]
    assert removable(runs, {"needed"}, NOW - timedelta(days=3)) == ["old"]


@dg.asset
def whole() -> None:
    """An asset."""


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
def parted() -> None:
    """An asset in parts."""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A real instance on disk: what is removed there differs from memory."""
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        yield instance


def test_the_newest_of_each_asset_and_partition_stays(instance: dg.DagsterInstance) -> None:
    first, second = (dg.materialize([whole], instance=instance).run_id for _ in range(2))
    old_a, only_b, new_a = (dg.materialize([parted], instance=instance, partition_key=key).run_id for key in "aba")
    assert runs_that_made_the_newest(instance) == {second, only_b, new_a}

    logs = Path(instance.storage_directory(), first, "compute_logs")
    logs.mkdir(parents=True, exist_ok=True)
    (logs / "step.err").write_text("what it said", encoding="utf-8")
    later = datetime.now(UTC) + timedelta(hours=1)
    assert len(past_runs(instance, later)) == 5
    assert remove_old_runs(instance, later) == 2
    assert {each.run_id for each in past_runs(instance, later)} == {second, only_b, new_a}
    assert not logs.exists()
    assert {first, old_a}.isdisjoint(run.run_id for run in instance.get_runs())
    assert instance.get_latest_materialization_event(dg.AssetKey("whole")) is not None
    assert instance.get_materialized_partitions(dg.AssetKey("parted")) == {"a", "b"}


def test_the_job_keeps_what_the_settings_say(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    for _ in range(2):
        dg.materialize([whole], instance=instance)
    home = Home(Settings(home=tmp_path / "home", keep_runs_days=1))
    result = build_defs(home).resolve_job_def("housekeeping").execute_in_process(instance=instance)
    assert result.success
    assert len(instance.get_runs()) == 3
    assert not (tmp_path / "home").exists()
