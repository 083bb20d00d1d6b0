"""Runs, checks and daemons in numbers are what Dagster keeps of them."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from twinning_pipelines.definitions import build_defs
from twinning_pipelines.home import Home
from twinning_pipelines.orchestration import metrics
from twinning_pipelines.orchestration.keys import INBOX
from twinning_pipelines.orchestration.metrics import Watch
from twinning_pipelines.products.metrics.gauges import OTHER_JOB
from twinning_pipelines_tests.orchestration.drops import (
    drop_statement,
    materialise,
    verdicts,
)
from twinning_pipelines_tests.orchestration.watched import failed, look


def test_runs_as_dagster_keeps_them(home: Home, watch: Watch, instance: dg.DagsterInstance) -> None:
    @dg.job
    def of_somebody_else() -> None:
        fine()

    done = materialise(home, instance, [INBOX])
    build_defs(home).resolve_job_def("housekeeping").execute_in_process(instance=instance)
    of_somebody_else.execute_in_process(instance=instance)
    broken.execute_in_process(instance=instance, raise_on_error=False)
    for status in (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELED):
        instance.add_run(dg.DagsterRun("ingest", status=status))
    values = look(watch)
    record = instance.get_run_record_by_id(done.run_id)
    assert failed(values) == set()
    runs = {labels: value for labels, value in values["twinning_runs"].items() if value}
    assert runs == {
        ("__ASSET_JOB", "success"): 1,
        ("housekeeping", "success"): 1,
        (OTHER_JOB, "success"): 1,
        (OTHER_JOB, "failure"): 1,
        ("ingest", "started"): 1,
        ("ingest", "starting"): 1,
        ("ingest", "canceled"): 1,
    }
    assert ("nightly", "failure") in values["twinning_runs"]
    assert record is not None
    assert record.end_time is not None
    assert record.start_time is not None
    assert values["twinning_run_last_success_timestamp_seconds"]["__ASSET_JOB",] == pytest.approx(record.end_time)
    assert values["twinning_run_last_seconds"]["__ASSET_JOB",] == pytest.approx(record.end_time - record.start_time)
    assert ("ingest",) not in values["twinning_run_last_success_timestamp_seconds"]
    assert values["twinning_runs_active"]["started",] == values["twinning_runs_active"]["starting",] == 1
    assert values["twinning_runs_active"]["queued",] == 0


@dg.op
def fine() -> None:
    """Goes well."""


@dg.op
def wrong() -> None:
    """Never goes well."""
    raise RuntimeError("as planned")


@dg.job
def broken() -> None:
    wrong()


def test_the_queue_is_as_old_as_its_oldest_run(instance: dg.DagsterInstance) -> None:
    from dagster._core.remote_origin import (
        RegisteredCodeLocationOrigin,
        RemoteJobOrigin,
        RemoteRepositoryOrigin,
    )

    origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("twinning"), "all"), "ingest")
    for _ in range(2):
        instance.add_run(dg.DagsterRun("ingest", status=dg.DagsterRunStatus.QUEUED, remote_job_origin=origin))
    later = datetime.now(UTC) + timedelta(hours=2)
    found = {(each.name, *each.labels): each.value for each in metrics.runs(instance, ["ingest"], later)}
    assert found["twinning_runs_active", "queued"] == found["twinning_runs", "ingest", "queued"] == 2
    assert found["twinning_run_queue_oldest_seconds",] == pytest.approx(7200, abs=60)


def test_checks_stand_by_their_newest_verdict(home: Home, watch: Watch, instance: dg.DagsterInstance) -> None:
    drop_statement(home, broken=2)
    told = verdicts(materialise(home, instance))
    values = look(watch)
    fails = {(name, asset, each.severity.value.lower()) for (asset, name), each in told.items() if not each.passed}
    assert ("quarantine_is_empty", "finance/ofx", "warn") in fails
    assert values["twinning_failed_check"] == dict.fromkeys(fails, 1.0)
    assert sum(values["twinning_asset_checks"].values()) == len(told)
    assert values["twinning_asset_checks"]["warn", "failed"] == sum(label == "warn" for *_, label in fails)

    key = dg.AssetCheckKey(dg.AssetKey(["finance", "ofx"]), "quarantine_is_empty")
    plan(instance, key)
    assert look(watch)["twinning_failed_check"] == values["twinning_failed_check"]
    verdict = dg.AssetCheckEvaluation(
        asset_key=key.asset_key, check_name=key.name, passed=True, metadata={}, severity=dg.AssetCheckSeverity.WARN
    )
    instance.report_runless_asset_event(verdict)
    assert (key.name, "finance/ofx", "warn") not in look(watch)["twinning_failed_check"]


def plan(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> None:
    """A run that wants to make a check and has not come to it."""
    from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
    from dagster._core.events import DagsterEvent

    run = dg.DagsterRun("ingest", status=dg.DagsterRunStatus.STARTED)
    instance.add_run(run)
    planned = AssetCheckEvaluationPlanned(asset_key=key.asset_key, check_name=key.name)
    event = DagsterEvent(
        dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED.value, "ingest", event_specific_data=planned
    )
    instance.report_dagster_event(event, run.run_id)


def test_daemons_by_their_last_sign(instance: dg.DagsterInstance, watch: Watch) -> None:
    from dagster._daemon.types import DaemonHeartbeat

    instance.add_daemon_heartbeat(DaemonHeartbeat(1_800_000_000.0, "SENSOR", "a", None))
    assert look(watch)["twinning_daemon_heartbeat_timestamp_seconds"] == {("SENSOR",): 1_800_000_000}
