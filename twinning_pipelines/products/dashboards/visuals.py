"""How answers look, in the words of Grafana's panels: the plugin, its options, and the look of each field.

The names of options are those of Grafana 12 and 13; a schema in the tests holds them.
"""

from typing import Any, Literal

from msgspec import Struct

Words = dict[str, Any]
_LEGEND: Words = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
_TOOLTIP: Words = {"mode": "multi", "sort": "desc"}
_NO_HIDING: Words = {"legend": False, "tooltip": False, "viz": False}


def _reduced(*, each_row: bool, fields: str = "") -> Words:
    return {"values": each_row, "calcs": ["lastNotNull"], "fields": fields}


class Stat(Struct, frozen=True):
    """One figure, large. words: it is a text. spark: its course behind it. by_row: one figure for each row, which names it.

    names: the name is the answer, not the figure.
    """

    words: bool = False
    spark: bool = True
    by_row: bool = False
    names: bool = False

    plugin = "stat"

    def options(self) -> Words:
        """Grafana's options of the panel."""
        return {
            "reduceOptions": _reduced(each_row=self.by_row, fields="/.*/" if self.words else ""),
            "orientation": "auto",
            "textMode": "name" if self.names else "value" if self.words else "value_and_name",
            "wideLayout": True,
            "colorMode": "value",
            "graphMode": "area" if self.spark and not (self.words or self.by_row) else "none",
            "justifyMode": "auto",
            "showPercentChange": False,
        }

    def custom(self) -> Words:
        """Grafana's look of each field."""
        return {}


class Lines(Struct, frozen=True):
    """Values over time. stacked: one on the other. steps: a value holds until the next. points: single values."""

    stacked: bool = False
    steps: bool = False
    points: bool = False
    fill: int = 0
    thresholds: bool = False

    plugin = "timeseries"

    def options(self) -> Words:
        """Grafana's options of the panel."""
        return {"legend": _LEGEND, "tooltip": _TOOLTIP}

    def custom(self) -> Words:
        """Grafana's look of each field."""
        return {
            "drawStyle": "points" if self.points else "line",
            "lineInterpolation": "stepAfter" if self.steps else "linear",
            "lineWidth": 2,
            "fillOpacity": 60 if self.stacked else self.fill,
            "gradientMode": "none",
            "showPoints": "always" if self.points else "auto",
            "pointSize": 5,
            "spanNulls": True,
            "axisPlacement": "auto",
            "axisLabel": "",
            "scaleDistribution": {"type": "linear"},
            "stacking": {"mode": "normal" if self.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if self.thresholds else "off"},
            "hideFrom": _NO_HIDING,
        }


class Bars(Struct, frozen=True):
    """Amounts by day, week or month, as bars over time."""

    stacked: bool = False

    plugin = "timeseries"

    def options(self) -> Words:
        """Grafana's options of the panel."""
        return {"legend": _LEGEND, "tooltip": _TOOLTIP}

    def custom(self) -> Words:
        """Grafana's look of each field."""
        return {
            "drawStyle": "bars",
            "barAlignment": 1,
            "barWidthFactor": 0.8,
            "lineWidth": 0,
            "fillOpacity": 75,
            "gradientMode": "none",
            "showPoints": "never",
            "axisPlacement": "auto",
            "axisLabel": "",
            "scaleDistribution": {"type": "linear"},
            "stacking": {"mode": "normal" if self.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "off"},
            "hideFrom": _NO_HIDING,
        }


class Table(Struct, frozen=True):
    """Rows, as the query gives them."""

    plugin = "table"

    def options(self) -> Words:
        """Grafana's options of the panel."""
        return {"showHeader": True, "cellHeight": "sm"}

    def custom(self) -> Words:
        """Grafana's look of each field."""
        return {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "filterable": False}


class Ranks(Struct, frozen=True):
    """One bar for each row: its first text names it, its number is its length."""

    plugin = "bargauge"

    def options(self) -> Words:
        """Grafana's options of the panel."""
        return {
            "reduceOptions": {**_reduced(each_row=True), "limit": 25},
            "orientation": "horizontal",
            "displayMode": "basic",
            "valueMode": "color",
            "namePlacement": "auto",
            "showUnfilled": True,
            "sizing": "auto",
            "minVizWidth": 8,
            "minVizHeight": 16,
            "maxVizHeight": 300,
            "legend": {**_LEGEND, "showLegend": False},
        }

    def custom(self) -> Words:
        """Grafana's look of each field."""
        return {}


class Columns(Struct, frozen=True):
    """One group of bars for each row: `named` is the column that names them."""

    named: str
    stacked: bool = False

    plugin = "barchart"

    def options(self) -> Words:
        """Grafana's options of the panel."""
        return {
            "xField": self.named,
            "orientation": "auto",
            "xTickLabelRotation": 0,
            "xTickLabelSpacing": 0,
            "showValue": "auto",
            "stacking": "normal" if self.stacked else "none",
            "groupWidth": 0.7,
            "barWidth": 0.9,
            "barRadius": 0,
            "fullHighlight": False,
            "legend": _LEGEND,
            "tooltip": _TOOLTIP,
        }

    def custom(self) -> Words:
        """Grafana's look of each field."""
        return {
            "lineWidth": 0,
            "fillOpacity": 80,
            "gradientMode": "none",
            "axisPlacement": "auto",
            "axisLabel": "",
            "scaleDistribution": {"type": "linear"},
            "thresholdsStyle": {"mode": "off"},
            "hideFrom": _NO_HIDING,
        }


class Stretches(Struct, frozen=True):
    """What state held from when to when."""

    plugin = "state-timeline"

    def options(self) -> Words:
        """Grafana's options of the panel."""
        return {
            "showValue": "never",
            "rowHeight": 0.9,
            "mergeValues": True,
            "alignValue": "left",
            "legend": _LEGEND,
            "tooltip": {"mode": "single", "sort": "none"},
        }

    def custom(self) -> Words:
        """Grafana's look of each field."""
        return {"lineWidth": 0, "fillOpacity": 85, "hideFrom": _NO_HIDING}


class Shares(Struct, frozen=True):
    """Parts of a whole, one for each row."""

    kind: Literal["donut", "pie"] = "donut"

    plugin = "piechart"

    def options(self) -> Words:
        """Grafana's options of the panel."""
        return {
            "reduceOptions": {**_reduced(each_row=True), "limit": 25},
            "pieType": self.kind,
            "displayLabels": ["percent"],
            "legend": {**_LEGEND, "placement": "right", "displayMode": "table", "values": ["value", "percent"]},
            "tooltip": {"mode": "single", "sort": "none"},
        }

    def custom(self) -> Words:
        """Grafana's look of each field."""
        return {"hideFrom": _NO_HIDING}


Visual = Stat | Lines | Bars | Table | Ranks | Columns | Stretches | Shares
