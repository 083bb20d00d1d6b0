"""The gauges in the words of Prometheus. Loaded only by who asks for metrics."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from twinning_pipelines.products.metrics.gauges import BY_NAME, GAUGES, Measured
from twinning_pipelines.products.metrics.serving import Answer


class _Gauges(Collector):
    """Every gauge in the order of the list, with its values of now; HELP and TYPE also where there is none."""

    def __init__(self, ask: Callable[[], Iterable[Measured]]) -> None:
        self._ask = ask

    def collect(self) -> Iterator[Metric]:
        """Implements Collector."""
        families = {each.name: GaugeMetricFamily(each.name, each.help, labels=each.labels) for each in GAUGES}
        for measured in self._ask():
            families[measured.name].add_metric(measured.labels, measured.value)
        yield from families.values()


def answering(ask: Callable[[], Iterable[Measured]]) -> Answer:
    """What an HTTP request's Accept header gets: content type and body, in Prometheus's text format or OpenMetrics'."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gauges(ask))

    def answer(accept: str) -> tuple[str, bytes]:
        encode, content_type = choose_encoder(accept)
        return content_type, encode(registry)

    return answer


def documents(measured: Sequence[Measured]) -> list[dict[str, object]]:
    """The same as JSON, in the order of the list of gauges."""
    place = {name: number for number, name in enumerate(BY_NAME)}
    return [
        {
            "name": each.name,
            "labels": dict(zip(BY_NAME[each.name].labels, each.labels, strict=True)),
            "value": each.value,
        }
        for each in sorted(measured, key=lambda each: (place[each.name], each.labels))
    ]
