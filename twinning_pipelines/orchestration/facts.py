"""The daily facts, twice: `fresh_facts` counts what changed, `daily_facts` counts the days that somebody asks for.

Both write the same table. An ingest touches days of any age, which no partition of today would notice; a person who
changed a definition wants whole years again, which is a backfill.
"""

import warnings
from collections.abc import Iterator, Sequence
from datetime import date

import dagster as dg
import sqlalchemy as sa

from twinning_pipelines.marts.daily_facts import refresh_facts
from twinning_pipelines.orchestration.figures import daily_fact_count
from twinning_pipelines.orchestration.keys import DAILY_FACTS, FRESH_FACTS
from twinning_pipelines.orchestration.results import Materialised, materialised
from twinning_pipelines.orchestration.run_home import RunHome

FIRST_DAY = "2015-01-01"
# Days that are lost together when a backfill of years is broken off.
_DAYS_PER_TRANSACTION = 92
FOLLOWS_TABLES = dg.AutomationCondition.eager() & dg.AutomationCondition.all_deps_blocking_checks_passed()


def fresh_facts_asset(tables: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset `fresh_facts`."""

    @dg.asset(
        key=FRESH_FACTS,
        group_name="facts",
        kinds={"postgres"},
        deps=tables,
        automation_condition=FOLLOWS_TABLES,
        description="The facts of every day that changed since it was last counted, up to each person's today.",
    )
    def fresh_facts(home: dg.ResourceParam[RunHome]) -> Materialised:
        counted = count_days(home.opened.engine, None)
        return materialised(_metadata(home.opened.engine, counted))

    return fresh_facts


def daily_facts_asset(tables: Sequence[dg.AssetKey], zone: str) -> dg.AssetsDefinition:
    """The asset `daily_facts`: a partition is one local day of each person, whatever their zone."""
    with warnings.catch_warnings():
        # Backfill policies are beta, and Dagster's version is pinned: no need to say so at every start.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return _daily_facts(tables, zone)


def _daily_facts(tables: Sequence[dg.AssetKey], zone: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=DAILY_FACTS,
        group_name="facts",
        kinds={"postgres"},
        deps=[dg.AssetDep(table, partition_mapping=dg.AllPartitionMapping()) for table in tables],
        # With end_offset today has a partition as well; its facts are those so far.
        partitions_def=dg.DailyPartitionsDefinition(FIRST_DAY, timezone=zone, end_offset=1),
        backfill_policy=dg.BackfillPolicy.single_run(),
        description=(
            "The facts of chosen days, counted afresh for everybody: backfill it after a definition changed.\n\n"
            "`dagster asset materialize -m twinning_pipelines.definitions --select daily_facts --partition 2026-11-20`, "
            "or `--partition-range 2026-01-01...2026-11-20`."
        ),
    )
    def daily_facts(context: dg.AssetExecutionContext, home: dg.ResourceParam[RunHome]) -> Materialised:
        days = [date.fromisoformat(key) for key in context.partition_keys]
        counted = count_days(home.opened.engine, days)
        return materialised(_metadata(home.opened.engine, counted))

    return daily_facts


def count_days(engine: sa.Engine, days: Sequence[date] | None) -> int:
    """Counts the facts of these days, or of all stale ones, for everybody; answers how many days of how many people."""
    counted = 0
    for some in [None] if days is None else list(_portions(days)):
        with engine.begin() as connection:
            counted += refresh_facts(connection, some)
    return counted


def _portions(days: Sequence[date]) -> Iterator[Sequence[date]]:
    for start in range(0, len(days), _DAYS_PER_TRANSACTION):
        yield days[start : start + _DAYS_PER_TRANSACTION]


def _metadata(engine: sa.Engine, counted: int) -> dict[str, dg.MetadataValue]:
    with engine.connect() as connection:
        stored = daily_fact_count(connection)
    return {"days counted": dg.MetadataValue.int(counted), "dagster/row_count": dg.MetadataValue.int(stored)}
