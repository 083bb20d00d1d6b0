"""What `twinning metrics` tells of a home and a Dagster instance, as tests compare it."""

from contextlib import nullcontext

import dagster as dg
from prometheus_client.parser import text_string_to_metric_families

from twinning_pipelines.definitions import build_defs
from twinning_pipelines.home import Home
from twinning_pipelines.orchestration.metrics import Watch
from twinning_pipelines.products.metrics.asking import Rounds
from twinning_pipelines.products.metrics.exposition import answering
from twinning_pipelines.products.metrics.gauges import BY_NAME, GAUGES

Values = dict[tuple[str, ...], float]
OF_DATABASE = {"ledger", "rows", "days", "summaries", "outboxes", "sizes"}
OF_DAGSTER = {"runs", "checks", "daemons"}


def exposition(watch: Watch) -> str:
    """What `twinning metrics` prints now."""
    return answering(Rounds(watch.parts(), patience_seconds=60).measured)("")[1].decode()


def look(watch: Watch) -> dict[str, Values]:
    """The same, by metric: the values by their labels, in the order of the gauge's."""
    found: dict[str, Values] = {}
    for family in text_string_to_metric_families(exposition(watch)):
        names = BY_NAME[family.name].labels
        assert all(set(each.labels) == set(names) for each in family.samples)
        found[family.name] = {tuple(each.labels[name] for name in names): each.value for each in family.samples}
        assert len(found[family.name]) == len(family.samples)
    return found


def watching(home: Home, instance: dg.DagsterInstance) -> Watch:
    return Watch(home, instance=lambda: nullcontext(instance), definitions=lambda: build_defs(home, partitioned=False))


def failed(values: dict[str, Values]) -> set[str]:
    """The parts that could not be had."""
    return {part for (part,), value in values["twinning_collect_failed"].items() if value}


def of_the_ledger(values: dict[str, Values]) -> dict[str, Values]:
    """What only a file can change."""
    names = [each.name for each in GAUGES if each.part in OF_DATABASE and each.name != "twinning_database_bytes"]
    return {name: values[name] for name in names}
