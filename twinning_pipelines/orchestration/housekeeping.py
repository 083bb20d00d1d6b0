"""Removing what Dagster never removes: runs, their events and their captured output.

A run stays as long as it is the newest that materialised some asset, or some partition of one: with it Dagster would
forget that they were ever made.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

import dagster as dg
from msgspec import Struct

from twinning_pipelines.orchestration.clockwork import HOUSEKEEPING
from twinning_pipelines.orchestration.run_home import RunHome

_FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
_PAGE = 500


class PastRun(Struct, frozen=True):
    """A run that is over."""

    run_id: str
    created_at: datetime


def removable(runs: Iterable[PastRun], needed: Collection[str], before: datetime) -> list[str]:
    """The runs to remove: older than `before` and not needed."""
    return [run.run_id for run in runs if run.created_at < before and run.run_id not in needed]


def remove_old_runs(instance: dg.DagsterInstance, before: datetime) -> int:
    """Removes old runs with their events and logs; answers how many."""
    old = removable(past_runs(instance, before), runs_that_made_the_newest(instance), before)
    for run_id in old:
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        instance.delete_run(run_id)
    return len(old)


def past_runs(instance: dg.DagsterInstance, before: datetime) -> list[PastRun]:
    """Every finished run that began before an instant, a page at a time."""
    wanted = dg.RunsFilter(statuses=list(_FINISHED), created_before=before)
    found, cursor = list[PastRun](), None
    while page := instance.get_run_records(wanted, limit=_PAGE, cursor=cursor):
        found += [PastRun(each.dagster_run.run_id, each.create_timestamp) for each in page]
        cursor = page[-1].dagster_run.run_id
    return found


def runs_that_made_the_newest(instance: dg.DagsterInstance) -> set[str]:
    """The runs behind what Dagster shows as the state of each asset and partition."""
    keys = instance.all_asset_keys()
    newest = instance.get_latest_materialization_events(keys).values()
    needed = {event.run_id for event in newest if event is not None}
    for key in keys:
        needed |= _runs_of_partitions(instance, key)
    return needed


def _runs_of_partitions(instance: dg.DagsterInstance, key: dg.AssetKey) -> set[str]:
    events = instance.event_log_storage
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    ids = sorted(events.get_latest_storage_id_by_partition(key, kind).values())
    runs = set[str]()
    for start in range(0, len(ids), _PAGE):
        some = dg.AssetRecordsFilter(asset_key=key, storage_ids=ids[start : start + _PAGE])
        runs |= {record.run_id for record in instance.fetch_materializations(some, limit=_PAGE).records}
    return runs


def housekeeping_job() -> dg.JobDefinition:
    """The job `housekeeping`."""

    @dg.op(description="Removes runs older than TWINNING_KEEP_RUNS_DAYS, but for those that made what is there now.")
    def remove_runs(context: dg.OpExecutionContext, home: dg.ResourceParam[RunHome]) -> None:
        keep = timedelta(days=home.home.settings.keep_runs_days)
        removed = remove_old_runs(context.instance, datetime.now(UTC) - keep)
        context.add_output_metadata({"runs removed": removed})

    @dg.job(
        name=HOUSEKEEPING,
        executor_def=dg.in_process_executor,
        description="Removes old runs, their events and their captured output.",
    )
    def housekeeping() -> None:
        remove_runs()

    return housekeeping
