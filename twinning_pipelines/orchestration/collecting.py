"""The asset `collected`: providers are asked twice a day, and what they answer lies in the inbox for its sensor to find.

It has a job of its own, because a provider may take minutes, and an ingest that waited for it would keep waiting what
people dropped by hand. It never fails for a provider's sake: the check says which of them has something to complain of.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from twinning_pipelines.collectors.round import Places, Standing, Visit, configured, make_round, standings
from twinning_pipelines.errors import FarSideUnavailable
from twinning_pipelines.orchestration.inbox_sensor import is_busy
from twinning_pipelines.orchestration.results import Materialised, materialised
from twinning_pipelines.orchestration.run_home import RunHome

if TYPE_CHECKING:
    # What `define_asset_job` makes has no public name.
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

COLLECTED = dg.AssetKey("collected")
COLLECT = "collect"
# Early, when banks have booked the day before, and in the evening. Minutes at which nothing else begins.
TWICE_A_DAY = "50 5,17 * * *"


def collected_asset() -> dg.AssetsDefinition:
    """The asset `collected`."""

    @dg.asset(
        key=COLLECTED,
        group_name="intake",
        kinds={"files"},
        description=(
            "What the providers of `collectors.yaml` answered (SimpleFIN, Interactive Brokers Flex), put into the inbox "
            "below the person it belongs to. Each is asked when it is due; one that fails does not stop the others."
        ),
    )
    def collected(home: dg.ResourceParam[RunHome]) -> Materialised:
        places = Places.in_home(home.home.settings.home)
        try:
            visits = list(make_round(places, configured(places)))
        except FarSideUnavailable:
            # Somebody makes a round by hand at this moment.
            visits = []
        return materialised(figures(visits))

    return collected


def answers_check() -> dg.AssetChecksDefinition:
    """`collectors_answer`."""

    @dg.asset_check(
        asset=COLLECTED,
        name="collectors_answer",
        description=(
            "Every provider gave what it was asked for at the last visit, and had nothing to complain of. "
            "`twinning collect status` tells whose it is."
        ),
    )
    def collectors_answer(home: dg.ResourceParam[RunHome]) -> dg.AssetCheckResult:
        return verdict(standings(Places.in_home(home.home.settings.home)))

    return collectors_answer


def verdict(known: Sequence[Standing]) -> dg.AssetCheckResult:
    """Which kinds of collectors have a problem or a message of their provider; nobody is named."""
    failed = [each for each in known if each.page.problem]
    warned = [each for each in known if each.page.messages]
    told = [
        dg.TableRecord({"collector": each.collector, "last problem": each.page.problem, "provider says": said})
        for each in known
        if (said := "; ".join(each.page.messages)) or each.page.problem
    ]
    metadata: dict[str, dg.MetadataValue] = {
        "collectors": dg.MetadataValue.int(len(known)),
        "with a problem": dg.MetadataValue.int(len(failed)),
        "with messages": dg.MetadataValue.int(len(warned)),
    }
    if told:
        metadata["what they say"] = dg.MetadataValue.table(told)
    return dg.AssetCheckResult(
        passed=not failed and not warned,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
        description="`twinning collect status` tells whose, and since when" if told else None,
    )


def figures(visits: Sequence[Visit]) -> dict[str, dg.MetadataValue]:
    """Counts over a round."""
    states = Counter(each.state for each in visits)
    told = {
        "collectors": len(visits),
        "collected": states["collected"],
        "failed": states["failed"],
        "not due": states["resting"],
        "files": sum(each.files for each in visits),
        "files unchanged": sum(each.unchanged for each in visits),
    }
    return {name: dg.MetadataValue.int(n) for name, n in told.items()}


def collect_job(check: dg.AssetChecksDefinition) -> "UnresolvedAssetJobDefinition":
    """The job `collect`."""
    return dg.define_asset_job(
        COLLECT,
        selection=dg.AssetSelection.assets(COLLECTED) | dg.AssetSelection.checks(check),
        description="Asks the providers that are due; what they answer goes into the inbox.",
    )


def collect_schedule(zone: str) -> dg.ScheduleDefinition:
    """Twice a day: a visit that failed in the morning is made up for in the evening."""

    @dg.schedule(
        name="collect_twice_a_day",
        job_name=COLLECT,
        cron_schedule=TWICE_A_DAY,
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Asks the providers of `collectors.yaml`; does nothing where there is no such file.",
    )
    def twice_a_day(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if is_busy(context.instance, COLLECT):
            return dg.SkipReason(f"a run of {COLLECT} is under way")
        return dg.RunRequest()

    return twice_a_day
