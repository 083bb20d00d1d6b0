"""A far side for the client of InfluxDB."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from twinning_pipelines.stores.influx import Influx
from twinning_pipelines_tests.far_sides.influx_v1_front import V1Front
from twinning_pipelines_tests.far_sides.influx_v2 import FakeInflux
from twinning_pipelines_tests.far_sides.waiting import Waiting


@dataclass(frozen=True)
class Side:
    """A far side and a measurement that no other test uses. The reader's own server takes no script."""

    url: str
    token: str
    org: str
    bucket: str
    server: FakeInflux | V1Front | None = None
    measurement: str = field(default_factory=lambda: f"t{uuid4().hex[:12]}")

    def client(self, waiting: Waiting | None = None, **options: Any) -> Influx:
        return Influx(self.url, self.token, self.org, self.bucket, **((waiting or Waiting()).clocks() | options))

    def lines(self, *rest: str) -> list[bytes]:
        return [f"{self.measurement}{each}".encode() for each in rest]

    @classmethod
    def of(cls, server: FakeInflux | V1Front) -> "Side":
        return cls(server.url, server.token, server.org, server.bucket, server)


def count(influx: Influx, measurement: str) -> int:
    """How many points have a `value`."""
    rows = influx.query(f'SELECT COUNT("value") FROM "{measurement}"')
    return int(str(rows[0]["count"])) if rows else 0
