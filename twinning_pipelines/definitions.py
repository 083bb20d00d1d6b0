"""The definitions: what `dagster dev` loads. Importing it touches no network, no database and writes nothing to disk."""

from collections.abc import Sequence
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

    tables = [*(table_key(record.name) for record in RECORDS), ROLLUP, BOOKINGS]
    booked = [table_key(record.name) for record in (TRANSACTION, TRADE, HOLDING, PRICE, EXCHANGE_RATE)]
    road = [
        inbox_asset(),
        *(source_asset(source) for source in sources),
        *(table_asset(record, sources) for record in RECORDS),
        rollup_asset(),
        bookings_asset(booked),
        fresh_facts_asset(tables),
        influx_asset(),
        firefly_asset(),
        news_asset([FRESH_FACTS]),
    ]
    asked = [daily_facts_asset(tables, zone)] if partitioned else []
    answers = answers_check()
    heard = heard_check()
    looks = [*_looks(sources), answers, heard]
    ingest = clockwork.ingest_job([asset.key for asset in road])
    nightly = clockwork.nightly_job(looks, partitioned=partitioned)
    parts: dict[str, Any] = {
        "assets": [collected_asset(), insights_asset([FRESH_FACTS]), journal_asset(), *road, *asked],
        "asset_checks": looks,
        "jobs": [ingest, nightly, collect_job(answers), hear_job(heard), housekeeping_job(), insights_job()],
        "schedules": [
            clockwork.hourly_schedule(zone),
            clockwork.nightly_schedule(zone, partitioned=partitioned),
            clockwork.weekly_schedule(zone),
            collect_schedule(zone),
            insights_schedule(zone),
        ],
        "sensors": [inbox_sensor(read, clockwork.INGEST), failure_sensor(read), _followers()],
        "resources": {"home": home_resource(read)},
        # A process per step costs two CPU seconds each, forty times a run.
        "executor": dg.in_process_executor,
    }
    return dg.Definitions(**(parts | overrides))


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
