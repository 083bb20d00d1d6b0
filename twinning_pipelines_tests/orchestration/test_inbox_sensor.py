"""When the sensor asks for a run, decided without Dagster, then asked of the sensor itself."""

import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.sensor_definition import SensorExecutionData

from twinning_pipelines.definitions import build_defs
from twinning_pipelines.home import Home
from twinning_pipelines.ingest.inbox import Dropped
from twinning_pipelines.orchestration.inbox_sensor import Verdict, decide
from twinning_pipelines.settings import Settings
from twinning_pipelines_tests.orchestration.drops import drop

NOW = 1_800_000_000 * 10**9


def _file(name: str = "a.csv", *, size: int = 10, age: float = 60) -> Dropped:
    return Dropped(Path("/inbox/ada", name), "ada", size, NOW - int(age * 10**9))


def _decide(*files: Dropped, cursor: str | None = None, busy: bool = False) -> Verdict:
    return decide(files, cursor, now_ns=NOW, still_seconds=5, busy=busy)


def test_whole_files_start_a_run_once() -> None:
    first = _decide(_file())
    assert first.run
    second = _decide(_file(), cursor=first.cursor)
    assert not second.run
    assert "already" in second.reason
    assert _decide(_file(), _file("b.csv"), cursor=first.cursor).run
    assert _decide(_file(size=11), cursor=first.cursor).run


def test_a_file_that_is_still_written_waits() -> None:
    verdict = _decide(_file(age=1))
    assert not verdict.run
    assert "1 files" in verdict.reason
    assert _decide(_file(age=1), _file("b.csv")).run


def test_the_same_file_dropped_again_after_it_was_taken_starts_another_run() -> None:
    cursor = _decide(_file()).cursor
    cursor = _decide(cursor=cursor).cursor
    assert _decide(_file(), cursor=cursor).run


def test_a_run_under_way_is_waited_for_and_the_files_are_not_forgotten() -> None:
    busy = _decide(_file(), busy=True)
    assert not busy.run
    assert _decide(_file(), cursor=busy.cursor).run


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(Settings(home=tmp_path / "home"))


def _tick(home: Home, instance: dg.DagsterInstance, cursor: str | None = None) -> SensorExecutionData:
    defs = build_defs(home)
    context = dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=defs.get_repository_def())
    return defs.get_repository_def().get_sensor_def("inbox_sensor").evaluate_tick(context)


def test_the_sensor_asks_without_a_run_key(home: Home, instance: dg.DagsterInstance) -> None:
    empty = _tick(home, instance)
    assert not empty.run_requests
    assert empty.skip_message == "the inbox is empty"
    drop(home, "ada/a.csv", "x")
    asked = _tick(home, instance)
    (request,) = asked.run_requests or []
    assert request.run_key is None
    assert not _tick(home, instance, asked.cursor).run_requests


def test_the_sensor_waits_for_a_run_of_the_job(home: Home, instance: dg.DagsterInstance) -> None:
    drop(home, "ada/a.csv", "x")
    run = dg.DagsterRun("ingest", status=dg.DagsterRunStatus.STARTED)
    instance.add_run(run)
    waiting = _tick(home, instance)
    assert not waiting.run_requests
    instance.delete_run(run.run_id)
    assert _tick(home, instance, waiting.cursor).run_requests


def test_the_sensor_only_looks(home: Home, instance: dg.DagsterInstance) -> None:
    path = drop(home, "ada/a.csv", "x")
    path.chmod(0)
    before = time.perf_counter()
    assert _tick(home, instance).run_requests
    assert time.perf_counter() - before < 30
    assert sorted(each.name for each in home.settings.home.iterdir()) == ["inbox"]
