"""The definitions: what `dagster dev` loads. Importing it touches no network, no database and writes nothing to disk."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from twinning_pipelines.home import Home, home_of_environment
from twinning_pipelines.orchestration import checks, clockwork
from twinning_pipelines.orchestration.bookings import bookings_asset
from twinning_pipelines.orchestration.collecting import (
    answers_check,
    collect_job,
    collect_schedule,
    collected_asset,
)
from twinning_pipelines.orchestration.facts import daily_facts_asset, fresh_facts_asset
from twinning_pipelines.orchestration.failures import failure_sensor
from twinning_pipelines.orchestration.firefly import agreement_check, firefly_asset, refusal_check
from twinning_pipelines.orchestration.housekeeping import housekeeping_job
from twinning_pipelines.orchestration.inbox_sensor import inbox_sensor
from twinning_pipelines.orchestration.insights import insights_asset, insights_job, insights_schedule
from twinning_pipelines.orchestration.intake import inbox_asset, source_asset
from twinning_pipelines.orchestration.keys import BOOKINGS, FIREFLY, FRESH_FACTS, INFLUX, ROLLUP, table_key
from twinning_pipelines.orchestration.news import arrive_check, news_asset
from twinning_pipelines.orchestration.projection import influx_asset
from twinning_pipelines.orchestration.run_home import assumed_zone, home_resource
from twinning_pipelines.orchestration.summaries import summary_parts
from twinning_pipelines.orchestration.tables import rollup_asset, table_asset
from twinning_pipelines.orchestration.voice import JOURNAL, hear_job, heard_check, journal_asset
from twinning_pipelines.records import RECORDS
from twinning_pipelines.records.money import EXCHANGE_RATE, HOLDING, PRICE, TRADE, TRANSACTION
from twinning_pipelines.source import Source
from twinning_pipelines.sources import SOURCES


def build_defs(home: Home | None = None, *, partitioned: bool = True, **overrides: Any) -> dg.Definitions:
    """Everything that Dagster shall know.

    home: the installation to work in; without it the TWINNING_* variables say so whenever a run starts.
    partitioned: with the daily-partitioned products. overrides: any argument of Definitions, such as another `executor`.
    """
    sources = home.sources if home is not None else SOURCES
    zone = home.settings.zone if home is not None else assumed_zone()

    def read() -> Home:
        return home if home is not None else home_of_environment()

    road, asked, told = _road(sources), _by_the_day(zone, partitioned=partitioned), _told(zone, partitioned=partitioned)
    answers, heard, looks = answers_check(), heard_check(), _looks(sources)
    looks += [answers, heard]
    parts: dict[str, Any] = {
        "assets": [collected_asset(), insights_asset([FRESH_FACTS]), journal_asset(), *road, *asked, *told["assets"]],
        "asset_checks": [*looks, *told["asset_checks"]],
        "jobs": [
            clockwork.ingest_job([asset.key for asset in road]),
            clockwork.nightly_job(looks, partitioned=partitioned),
            collect_job(answers),
            hear_job(heard),
            insights_job(),
            housekeeping_job(),
            *told["jobs"],
        ],
        "schedules": [
            clockwork.hourly_schedule(zone),
            clockwork.nightly_schedule(zone, partitioned=partitioned),
            clockwork.weekly_schedule(zone),
            collect_schedule(zone),
            insights_schedule(zone),
            *told["schedules"],
        ],
        "sensors": [inbox_sensor(read, clockwork.INGEST), failure_sensor(read), _followers()],
        "resources": {"home": home_resource(read)},
        # A process per step costs two CPU seconds each, forty times a run.
        "executor": dg.in_process_executor,
    }
    return dg.Definitions(**(parts | overrides))


_TABLES = [*(table_key(record.name) for record in RECORDS), ROLLUP, BOOKINGS]
_BOOKED = [table_key(record.name) for record in (TRANSACTION, TRADE, HOLDING, PRICE, EXCHANGE_RATE)]


def _road(sources: Sequence[Source]) -> list[dg.AssetsDefinition]:
    """What an ingest runs, from the inbox to the outside world."""
    return [
        inbox_asset(),
        *(source_asset(source) for source in sources),
        *(table_asset(record, sources) for record in RECORDS),
        rollup_asset(),
        bookings_asset(_BOOKED),
        fresh_facts_asset(_TABLES),
        influx_asset(),
        firefly_asset(),
        news_asset([FRESH_FACTS]),
    ]


def _by_the_day(zone: str, *, partitioned: bool) -> list[dg.AssetsDefinition]:
    return [daily_facts_asset(_TABLES, zone)] if partitioned else []


def _told(zone: str, *, partitioned: bool) -> Mapping[str, list[Any]]:
    """The daily summary with all that belongs to it; a day has to be named, so it is there only where partitions are."""
    nothing: dict[str, list[Any]] = {"assets": [], "asset_checks": [], "jobs": [], "schedules": []}
    return summary_parts(zone, Home.chat_engine) if partitioned else nothing


def _looks(sources: Sequence[Source]) -> list[dg.AssetChecksDefinition]:
    """What is looked at beside the road, every night as well."""
    return [
        *(checks.arrival_check(source) for source in sources if source.expect_every is not None),
        checks.inbox_check(),
        checks.balance_check(),
        checks.rulebook_check(),
        checks.ring_check(),
        checks.dead_letter_check(),
        agreement_check(),
        refusal_check(),
        arrive_check(),
    ]


def _followers() -> dg.AutomationConditionSensorDefinition:
    """What follows its tables in a run of its own, when somebody materialises these by hand or a run broke off."""
    return dg.AutomationConditionSensorDefinition(
        "follow_tables",
        target=dg.AssetSelection.assets(FRESH_FACTS, INFLUX, FIREFLY, JOURNAL),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=60,
        description="After tables changed outside an ingest and passed: counts facts, writes to InfluxDB and Firefly III.",
    )


defs = build_defs()
