"""Once a week: what goes together with what in each person's own days."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg
import sqlalchemy as sa

from twinning_pipelines.marts.insights import Findings
from twinning_pipelines.marts.kept_insights import refresh_insights
from twinning_pipelines.orchestration.results import Materialised, materialised
from twinning_pipelines.orchestration.run_home import RunHome

if TYPE_CHECKING:
    # What `define_asset_job` makes has no public name.
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

INSIGHTS = dg.AssetKey("insights")
WEEKLY_INSIGHTS = "find_insights"
# Ten minutes after the housekeeping, at which nothing else begins.
SUNDAYS = "35 5 * * 0"


def insights_asset(after: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset `insights`."""

    @dg.asset(
        key=INSIGHTS,
        group_name="facts",
        kinds={"postgres", "numpy"},
        deps=after,
        description=(
            "Which daily facts of different domains go together, up to three days apart, with the number of days that they "
            "are worth, and with all that was tested counted against each. `twinning insights` tells them."
        ),
    )
    def insights(home: dg.ResourceParam[RunHome]) -> Materialised:
        return materialised(_figures(refresh_everybody(home.opened.engine)))

    return insights


def refresh_everybody(engine: sa.Engine) -> list[Findings]:
    """Tests everybody's days, each in a transaction of its own."""
    with engine.connect() as connection:
        people = connection.execute(sa.text("select id from person order by id")).scalars().all()
    found = []
    for person_id in people:
        with engine.begin() as connection:
            found.append(refresh_insights(connection, person_id))
    return found


def _figures(found: Sequence[Findings]) -> dict[str, dg.MetadataValue]:
    told = {
        "people": len(found),
        "tested": sum(len(each.tested) for each in found),
        "hold": sum(len(each.holding) for each in found),
        "too few days": sum(each.too_short for each in found),
    }
    return {name: dg.MetadataValue.int(n) for name, n in told.items()}


def insights_job() -> "UnresolvedAssetJobDefinition":
    """The job `find_insights`."""
    return dg.define_asset_job(
        WEEKLY_INSIGHTS,
        selection=dg.AssetSelection.assets(INSIGHTS),
        description="Tests what goes together in everybody's days of the last year.",
    )


def insights_schedule(zone: str) -> dg.ScheduleDefinition:
    """Sunday mornings."""
    return dg.ScheduleDefinition(
        name="weekly_insights",
        job_name=WEEKLY_INSIGHTS,
        cron_schedule=SUNDAYS,
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Tests what goes together in everybody's days.",
    )
