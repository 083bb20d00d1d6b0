"""The series in InfluxDB. The only step that talks to a network, and so the only one that is tried again."""

import dagster as dg

from twinning_pipelines.errors import FarSideUnavailable
from twinning_pipelines.home import OpenHome
from twinning_pipelines.orchestration.facts import FOLLOWS_TABLES
from twinning_pipelines.orchestration.far_sides import only_silence_is_retried
from twinning_pipelines.orchestration.keys import INFLUX, SAMPLE
from twinning_pipelines.orchestration.results import Materialised, materialised
from twinning_pipelines.orchestration.run_home import RunHome
from twinning_pipelines.products.influx_projection import Projected, project

POOL = "influxdb"
AGAIN = dg.RetryPolicy(max_retries=3, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


def influx_asset() -> dg.AssetsDefinition:
    """The asset `influx_projection`."""

    @dg.asset(
        key=INFLUX,
        group_name="products",
        kinds={"influxdb"},
        deps=[SAMPLE],
        retry_policy=AGAIN,
        pool=POOL,
        automation_condition=FOLLOWS_TABLES,
        description=(
            "Every changed day of every series, written to the InfluxDB that TWINNING_INFLUX_URL names. A projection: "
            "`twinning influx rebuild` writes all of it again from Postgres."
        ),
    )
    def influx_projection(home: dg.ResourceParam[RunHome]) -> Materialised:
        return materialised(_metadata(push(home.opened)))

    return influx_projection


def push(home: OpenHome) -> Projected | None:
    """Writes what is queued; None when no InfluxDB is configured. Only silence of the far side is left to be retried."""
    with only_silence_is_retried():
        return _push(home)


def _push(home: OpenHome) -> Projected | None:
    far_side = home.home.influx()
    if far_side is None:
        return None
    with far_side:
        # One look first: the writer's own patience is minutes, and as long the inbox would have to wait for this run.
        health = far_side.health()
        if not health.reachable:
            raise FarSideUnavailable(health.reason)
        far_side.ensure_bucket()
        return project(home.engine, far_side)


def _metadata(done: Projected | None) -> dict[str, dg.MetadataValue]:
    if done is None:
        return {"state": dg.MetadataValue.text("not configured: TWINNING_INFLUX_URL names no InfluxDB")}
    return {
        "state": dg.MetadataValue.text("up to date"),
        "days": dg.MetadataValue.int(done.days),
        "points": dg.MetadataValue.int(done.points),
        "refused points": dg.MetadataValue.int(done.dead),
    }
