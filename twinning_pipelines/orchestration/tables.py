"""One asset per table: how many rows, from whom, of which months, in which columns. The loads wrote them already."""

from collections.abc import Sequence

import dagster as dg
import sqlalchemy as sa

from twinning_pipelines.orchestration.figures import (
    TableFigures,
    rollup_figures,
    rows_of_unknown_origin,
    table_figures,
)
from twinning_pipelines.orchestration.keys import ROLLUP, SAMPLE, source_key, table_key
from twinning_pipelines.orchestration.previews import preview
from twinning_pipelines.orchestration.results import Materialised, materialised
from twinning_pipelines.orchestration.run_home import RunHome
from twinning_pipelines.records.record import Record
from twinning_pipelines.source import Source
from twinning_pipelines.stores.postgres.schema import DAILY_ROLLUP

_SHARED = (
    ("person", "text", "whose row it is"),
    ("source", "text", "which source told it"),
    ("file_id", "integer", "the dropped file, in the ledger"),
    ("at", "bigint", "where it stands in that file: line, record or element"),
)
_ROLLUP_MEANINGS = {
    "person_id": "whose day",
    "metric_id": "what was measured",
    "day": "the person's local day",
    "value": "the day's total, as the metric is totalled",
    "n": "how many samples",
    "low": "the smallest sample",
    "high": "the greatest sample",
    "origin_id": "the fullest device, for metrics that are summed",
}


def table_asset(record: Record, sources: Sequence[Source]) -> dg.AssetsDefinition:
    """The asset of a record's table, downstream of every source that may write to it."""
    key = table_key(record.name)
    provenance = dg.AssetCheckSpec(
        "rows_have_provenance",
        asset=key,
        blocking=True,
        description="Every row names a file of its person that was loaded, so that it can be explained.",
    )

    @dg.asset(
        key=key,
        group_name=record.domain,
        kinds={"postgres", "table"},
        deps=[source_key(source) for source in sources if record in source.records],
        check_specs=[provenance],
        metadata={
            "dagster/column_schema": _columns(record),
            "identity": f"person, source, {', '.join(record.identity)}",
        },
        description=f"{record.meaning[:1].upper()}{record.meaning[1:]}.",
    )
    def table(home: dg.ResourceParam[RunHome]) -> Materialised:
        with home.opened.engine.connect() as connection:
            figures = table_figures(connection, record)
            check = _provenance(connection, record)
        return materialised(table_metadata(figures), [check])

    return table


def rollup_asset() -> dg.AssetsDefinition:
    """The asset of the daily rollups, which every load of samples counts afresh."""

    @dg.asset(
        key=ROLLUP,
        group_name="health",
        kinds={"postgres", "table"},
        deps=[SAMPLE],
        metadata={"dagster/column_schema": _rollup_columns()},
        description="One row per person, metric and local day, totalled from the samples.",
    )
    def daily_rollup(home: dg.ResourceParam[RunHome]) -> Materialised:
        with home.opened.engine.connect() as connection:
            return materialised(table_metadata(rollup_figures(connection)))

    return daily_rollup


def table_metadata(figures: TableFigures) -> dict[str, dg.MetadataValue]:
    """What an asset's page shows of its table."""
    told: dict[str, dg.MetadataValue] = {
        "dagster/row_count": dg.MetadataValue.int(figures.rows),
        "absent rows": dg.MetadataValue.int(figures.absent),
        "people": dg.MetadataValue.int(figures.people),
        "preview": dg.MetadataValue.md(preview(figures.by_month)),
    }
    if figures.by_source:
        records = [dg.TableRecord({"source": name, "rows": n}) for name, n in figures.by_source.items()]
        told["rows by source"] = dg.MetadataValue.table(records)
    return told


def _provenance(connection: sa.Connection, record: Record) -> dg.AssetCheckResult:
    unknown = rows_of_unknown_origin(connection, record)
    return dg.AssetCheckResult(
        check_name="rows_have_provenance",
        passed=unknown == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"rows of unknown origin": unknown},
    )


def _columns(record: Record) -> dg.TableSchema:
    own = [
        dg.TableColumn(
            each.name,
            each.kind.sql,
            description=each.meaning,
            constraints=dg.TableColumnConstraints(nullable=not each.required),
        )
        for each in record.fields
    ]
    return dg.TableSchema([*own, *_shared_columns()])


def _shared_columns() -> list[dg.TableColumn]:
    required = dg.TableColumnConstraints(nullable=False)
    return [dg.TableColumn(name, kind, description=meaning, constraints=required) for name, kind, meaning in _SHARED]


def _rollup_columns() -> dg.TableSchema:
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                str(column.type).lower(),
                description=_ROLLUP_MEANINGS[column.name],
                constraints=dg.TableColumnConstraints(nullable=bool(column.nullable)),
            )
            for column in DAILY_ROLLUP.columns
        ]
    )
