"""The jobs, and the clocks that start them. Minutes are staggered and outside 02-03, when clocks change; none is stacked.

ingest         hourly, and whenever the inbox sensor asks: the whole road
nightly        yesterday's facts, those that a blocking check held up, and every check for silence and gaps
housekeeping   weekly, see there; collect: twice a day, see `collecting`
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from twinning_pipelines.orchestration.inbox_sensor import is_busy
from twinning_pipelines.orchestration.keys import DAILY_FACTS, FRESH_FACTS
from twinning_pipelines.orchestration.news import NEWS

if TYPE_CHECKING:
    # What `define_asset_job` makes has no public name.
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

INGEST, NIGHT, HOUSEKEEPING = "ingest", "nightly", "housekeeping"
HOURLY, NIGHTLY, WEEKLY = "17 * * * *", "40 4 * * *", "25 5 * * 0"
_RUNNING = dg.DefaultScheduleStatus.RUNNING


def ingest_job(road: Sequence[dg.AssetKey]) -> "UnresolvedAssetJobDefinition":
    """The job `ingest`."""
    return dg.define_asset_job(
        INGEST,
        selection=dg.AssetSelection.assets(*road),
        description="The whole road: inbox, sources, tables, facts, InfluxDB. Safe at any time; it takes what is due.",
    )


def nightly_job(checks: Sequence[dg.AssetChecksDefinition], *, partitioned: bool) -> "UnresolvedAssetJobDefinition":
    """The job `nightly`. Facts are counted here even if a source's rejections held up those of the last ingest.

    InfluxDB is left out: what a blocking check keeps in the house by day must not leave it by night.
    """
    keys = [FRESH_FACTS, NEWS, *([DAILY_FACTS] if partitioned else [])]
    return dg.define_asset_job(
        NIGHT,
        selection=dg.AssetSelection.assets(*keys) | dg.AssetSelection.checks(*checks),
        description="Yesterday's facts, those that a blocking check held up by day, and every check for silence and gaps.",
    )


def hourly_schedule(zone: str) -> dg.ScheduleDefinition:
    """What the sensor makes fast this makes certain."""

    @dg.schedule(
        name="hourly_ingest",
        job_name=INGEST,
        cron_schedule=HOURLY,
        execution_timezone=zone,
        default_status=_RUNNING,
        description="Takes whatever is due, should the sensor have missed it.",
    )
    def hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return _unless_busy(context, INGEST, dg.RunRequest())

    return hourly


def nightly_schedule(zone: str, *, partitioned: bool) -> dg.ScheduleDefinition:
    """Early every morning at home, when a phone has usually sent the rest of the day before."""

    @dg.schedule(
        name="nightly_facts_and_checks",
        job_name=NIGHT,
        cron_schedule=NIGHTLY,
        execution_timezone=zone,
        default_status=_RUNNING,
        description="Counts yesterday's facts and looks for silence, gaps and refused points.",
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        yesterday = context.scheduled_execution_time.date() - timedelta(days=1)
        key = yesterday.isoformat() if partitioned else None
        return _unless_busy(context, NIGHT, dg.RunRequest(partition_key=key))

    return nightly


def weekly_schedule(zone: str) -> dg.ScheduleDefinition:
    """Sunday mornings."""
    return dg.ScheduleDefinition(
        name="weekly_housekeeping",
        job_name=HOUSEKEEPING,
        cron_schedule=WEEKLY,
        execution_timezone=zone,
        default_status=_RUNNING,
        description="Removes old runs and their logs.",
    )


def _unless_busy(
    context: dg.ScheduleEvaluationContext, job_name: str, request: dg.RunRequest
) -> dg.RunRequest | dg.SkipReason:
    """A slow run is not stacked upon."""
    if is_busy(context.instance, job_name):
        return dg.SkipReason(f"a run of {job_name} is under way")
    return request
