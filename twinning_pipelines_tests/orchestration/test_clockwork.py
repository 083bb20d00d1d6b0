"""The clocks: what they ask for, and that nothing is stacked."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.schedule_definition import ScheduleExecutionData

from twinning_pipelines.definitions import build_defs
from twinning_pipelines.home import Home
from twinning_pipelines.orchestration.collecting import COLLECTED
from twinning_pipelines.orchestration.insights import INSIGHTS
from twinning_pipelines.orchestration.keys import DAILY_FACTS, FRESH_FACTS
from twinning_pipelines.orchestration.news import NEWS
from twinning_pipelines.orchestration.summaries import SUMMARY
from twinning_pipelines.orchestration.voice import JOURNAL
from twinning_pipelines.settings import Settings

# 04:40 in Zürich on the second of March.
MORNING = datetime(2026, 3, 2, 3, 40, tzinfo=UTC)


@pytest.fixture
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """On disk: a schedule opens its instance by reference."""
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as instance:
        yield instance


@pytest.fixture
def defs(tmp_path: Path) -> dg.Definitions:
    return build_defs(Home(Settings(home=tmp_path, zone="Europe/Zurich")))


def _tick(defs: dg.Definitions, name: str, instance: dg.DagsterInstance) -> ScheduleExecutionData:
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=MORNING, repository_def=defs.get_repository_def()
    )
    return defs.get_repository_def().get_schedule_def(name).evaluate_tick(context)


def test_the_night_counts_yesterday_by_the_clock_at_home(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    (request,) = _tick(defs, "nightly_facts_and_checks", instance).run_requests or []
    assert request.partition_key == "2026-03-01"


def test_the_morning_tells_of_yesterday(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    (request,) = _tick(defs, "morning_summaries", instance).run_requests or []
    assert request.partition_key == "2026-03-01"


def test_without_partitions_the_night_asks_for_none(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    defs = build_defs(Home(Settings(home=tmp_path)), partitioned=False)
    (request,) = _tick(defs, "nightly_facts_and_checks", instance).run_requests or []
    assert request.partition_key is None


@pytest.mark.parametrize(
    ("name", "job"),
    [("hourly_ingest", "ingest"), ("nightly_facts_and_checks", "nightly"), ("morning_summaries", "summaries")],
)
def test_a_slow_run_is_not_stacked_upon(
    defs: dg.Definitions, instance: dg.DagsterInstance, name: str, job: str
) -> None:
    assert _tick(defs, name, instance).run_requests
    instance.add_run(dg.DagsterRun(job, status=dg.DagsterRunStatus.STARTED))
    told = _tick(defs, name, instance)
    assert not told.run_requests
    assert job in str(told.skip_message)


def test_ingest_is_the_whole_road_and_the_night_what_only_a_clock_sees(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    ingest, nightly = defs.resolve_job_def("ingest"), defs.resolve_job_def("nightly")
    assert ingest.asset_layer.executable_asset_keys == graph.get_all_asset_keys() - {
        DAILY_FACTS,
        SUMMARY,
        COLLECTED,
        INSIGHTS,
        JOURNAL,
    }
    assert nightly.asset_layer.executable_asset_keys == {DAILY_FACTS, FRESH_FACTS, NEWS}
    checked = {key.name for key in nightly.asset_layer.asset_graph.asset_check_keys}
    assert {"arrives_in_time", "balances_add_up", "no_dead_letters", "inbox_is_empty_of_trouble"} <= checked


def test_the_night_runs(home: Home, instance: dg.DagsterInstance) -> None:
    result = (
        build_defs(home).resolve_job_def("nightly").execute_in_process(instance=instance, partition_key="2026-03-01")
    )
    assert result.success
    assert {each.check_name for each in result.get_asset_check_evaluations()} >= {"arrives_in_time", "balances_add_up"}
