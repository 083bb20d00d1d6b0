"""Dense series, asked of InfluxDB in InfluxQL: a measurement for each metric, the tags `person` and `origin`, the field `value`.

The person comes in as an expression of which every sign is escaped (`${person:regex}`), so no name can be more than a name.
"""

from string import Template

from twinning_pipelines.products.dashboards import palette
from twinning_pipelines.products.dashboards.visuals import Bars, Lines
from twinning_pipelines.products.dashboards.vocabulary import Column, InfluxQl, Panel
from twinning_pipelines.records.metrics import METRIC_BY_NAME

_FROM = 'FROM "$metric" WHERE "person" =~ /^$${person:regex}$$/ AND $$timeFilter'
_RANGE = Template(
    'SELECT MIN("value") AS "Lowest", MEAN("value") AS "Mean", MAX("value") AS "Highest" '
    + _FROM
    + " GROUP BY time($$__interval) fill(none)"
)
_SUMS = Template('SELECT SUM("value") ' + _FROM + ' GROUP BY time($every), "origin" fill(none)')
_MEANS = Template('SELECT MEAN("value") ' + _FROM + ' GROUP BY time($$__interval), "origin" fill(none)')
_NOTHING = "InfluxDB holds no samples of this time."


def heart_rate(question: str, *, wide: int = 12) -> Panel:
    """Lowest, mean and highest heart rate of each interval."""
    metric = METRIC_BY_NAME["heart_rate"]
    return Panel(
        question,
        "Every reading of the heart rate in these intervals, of all devices: lowest, mean and highest. From the projection "
        "of the samples in InfluxDB.",
        Lines(), (InfluxQl(_RANGE.substitute(metric=metric.name), "$col"),), metric.unit,
        columns=(
            Column("Lowest", colour=palette.SKY), Column("Mean", colour=palette.BLUE), Column("Highest", colour=palette.VERMILION),
        ),
        nothing=_NOTHING, decimals=0, wide=wide,
    )  # fmt: skip


def by_device(name: str, question: str, *, every: str = "$__interval", wide: int = 12) -> Panel:
    """What each device counted of a metric that adds up, by itself: devices see the same, so they are never added here."""
    metric = METRIC_BY_NAME[name]
    return Panel(
        question,
        f"{metric.title} as each device counted them, by itself: devices see the same, so their bars must not be added. "
        "From the projection of the samples in InfluxDB; the daily fact counts each once.",
        Bars(), (InfluxQl(_SUMS.substitute(metric=metric.name, every=every), "$tag_origin"),), metric.unit,
        nothing=_NOTHING, decimals=0, wide=wide,
    )  # fmt: skip


def readings(name: str, question: str, *, wide: int = 12) -> Panel:
    """The mean reading of each device in each interval."""
    metric = METRIC_BY_NAME[name]
    return Panel(
        question,
        f"{metric.title}, the mean of each device's readings in an interval. From the projection of the samples in InfluxDB.",
        Lines(points=True), (InfluxQl(_MEANS.substitute(metric=metric.name), "$tag_origin"),), metric.unit,
        nothing=_NOTHING, decimals=0, wide=wide,
    )  # fmt: skip
