"""What waits for the outside world. Days of series are queued even where no InfluxDB is: only a configured one is told of."""

from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from twinning_pipelines.products.metrics.gauges import Measured
from twinning_pipelines.stores.firefly.connection import plain_url

INFLUXDB, FIREFLY, NEWS = "influxdb", "firefly", "news"

# Each answers: pending, dead, seconds since the oldest of the pending was queued (null: nobody knows).
_QUEUES = {
    INFLUXDB: """
        select (select coalesce(sum(last - first + 1), 0) from influx_outbox), (select count(*) from influx_dead_letter),
            cast(null as double precision)""",
    FIREFLY: """
        select count(*) filter (where state <> 'refused'), count(*) filter (where state = 'refused'),
            coalesce(extract(epoch from now() - min(changed_at) filter (where state <> 'refused')), 0)
        from firefly_outbox where server = :server and state in ('pending', 'sending', 'retry', 'refused')""",
    NEWS: """
        select count(*) filter (where d.state = 'pending'), count(*) filter (where d.state = 'dead'),
            coalesce(extract(epoch from now() - min(n.made_at) filter (where d.state = 'pending')), 0)
        from news_delivery d join news n on n.id = d.news_id where d.state <> 'delivered'""",
}


def outboxes(connection: sa.Connection, far_sides: Mapping[str, str | None]) -> Iterator[Measured]:
    """The queue of news, and those of the far sides that have an address: what waits for another one waits for ever."""
    for product, question in _QUEUES.items():
        address = far_sides.get(product)
        if product in far_sides and not address:
            continue
        asked = {"server": plain_url(address)} if product == FIREFLY and address else {}
        pending, dead, oldest = connection.execute(sa.text(question), asked).one()
        yield Measured("twinning_outbox_pending", float(pending), (product,))
        yield Measured("twinning_outbox_dead", float(dead), (product,))
        if oldest is not None:
            yield Measured("twinning_outbox_oldest_seconds", max(float(oldest), 0.0), (product,))
