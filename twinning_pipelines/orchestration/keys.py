"""How assets are called: `inbox`, `<domain>/<format>` for a source, `table/<name>` for a table, then the products."""

import dagster as dg

from twinning_pipelines.source import Source

INBOX = dg.AssetKey("inbox")
SAMPLE = dg.AssetKey(["table", "sample"])
ROLLUP = dg.AssetKey(["table", "daily_rollup"])
TRANSACTION = dg.AssetKey(["table", "transaction"])
BOOKINGS = dg.AssetKey("bookings")
FRESH_FACTS = dg.AssetKey("fresh_facts")
DAILY_FACTS = dg.AssetKey("daily_facts")
INFLUX = dg.AssetKey("influx_projection")
FIREFLY = dg.AssetKey("firefly")


def source_key(source: Source) -> dg.AssetKey:
    """`health.apple_health` is the asset `health/apple_health`."""
    return dg.AssetKey(source.name.split("."))


def table_key(name: str) -> dg.AssetKey:
    """The table `transaction` is the asset `table/transaction`."""
    return dg.AssetKey(["table", name])
