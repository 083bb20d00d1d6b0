"""The series of the household in a real InfluxDB 1.6.7: written by the product's own projection, asked in InfluxQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from twinning_pipelines.products.influx_projection import project
from twinning_pipelines.stores.influx import Influx
from twinning_pipelines_tests.far_sides.influx_v1_front import Influxd, V1Front

BUCKET = "twinning"

# What loads have queued is every day; a test needs some of them.
_QUEUE = (
    "truncate influx_outbox",
    """insert into influx_outbox (person_id, metric_id, first, last, purge)
        select c.person_id, c.metric_id, min(c.day), max(c.day), false
        from sample_chunk c join metric m on m.id = c.metric_id
        where m.total <> 'none' and m.name = any(:metrics) and c.day >= cast(:since as date) group by 1, 2""",
)
_METRICS = ["heart_rate", "steps", "respiratory_rate", "oxygen_saturation"]


@dataclass(frozen=True, slots=True)
class Answered:
    """One series of an answer: its tags, the names of its columns, and its rows."""

    tags: dict[str, str]
    columns: list[str]
    rows: list[list[object]]


@dataclass(frozen=True, slots=True)
class Projection:
    """The server with the household's series in it."""

    url: str

    def ask(self, query: str) -> list[Answered]:
        """What it answers. Raises RuntimeError with its own words where it refuses."""
        reply = httpx.get(
            f"{self.url}/query", params={"db": BUCKET, "q": query, "epoch": "ms"}, timeout=30, trust_env=False
        ).json()
        (result,) = reply.get("results", [{"error": reply.get("error")}])
        if "error" in result:
            raise RuntimeError(f"{query}: {result['error']}")
        return [Answered(each.get("tags", {}), each["columns"], each["values"]) for each in result.get("series", [])]


@contextmanager
def projected(household: sa.Engine, influxd: Path, folder: Path, *, since: str) -> Iterator[Projection]:
    """A server to which the days since one are projected, of those metrics that the dashboards ask for."""
    with household.begin() as connection:
        for statement in _QUEUE:
            connection.execute(sa.text(statement), {"metrics": _METRICS, "since": since})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(influxd.parent), prepend=":")
        with Influxd(folder) as server, V1Front(server, BUCKET) as front:
            with Influx(front.url, front.token, front.org, front.bucket, precision="ns") as influx:
                assert project(household, influx).points > 0
            yield Projection(server.url)
