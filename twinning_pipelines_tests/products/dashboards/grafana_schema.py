"""What Grafana's file provider takes, as a JSON schema of ours: the classic dashboard and the panels that we use.

Strict on purpose: an option that is spelled otherwise than Grafana spells it would be ignored there without a word. The
names are those of Grafana's own types (schema version 41, Grafana 12 and 13).
"""

from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "minLength": 1}
_ANY_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_NUMBER: Schema = {"type": "number"}


def _thing(required: dict[str, Any], optional: dict[str, Any] | None = None) -> Schema:
    properties = required | (optional or {})
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _words(*words: str | int) -> Schema:
    return {"enum": list(words)}


def _list(each: Schema) -> Schema:
    return {"type": "array", "items": each}


_DATASOURCE = _thing({"type": _TEXT, "uid": _TEXT})
_GRID = _thing({each: {"type": "integer", "minimum": 0} for each in ("x", "y", "w", "h")})
_LINK = _thing({"title": _TEXT, "url": _TEXT, "targetBlank": _FLAG})
_COLOUR = _thing({"mode": _words("thresholds", "palette-classic-by-name", "fixed")}, {"fixedColor": _TEXT})
_STEPS = _thing(
    {
        "mode": _words("absolute"),
        "steps": {
            "type": "array",
            "minItems": 1,
            "items": _thing(
                {"value": {"type": ["number", "null"]}, "color": {"type": "string", "pattern": "^#[0-9A-F]{6}$"}}
            ),
        },
    }
)
_MAPPING = _thing(
    {
        "type": _words("value"),
        "options": {
            "type": "object",
            "additionalProperties": _thing({"text": _TEXT, "color": _TEXT, "index": {"type": "integer"}}),
        },
    }
)
_LEGEND = _thing(
    {
        "displayMode": _words("list", "table"),
        "placement": _words("bottom", "right"),
        "showLegend": _FLAG,
        "calcs": _list(_TEXT),
    },
    {"values": _list(_words("value", "percent"))},
)
_TOOLTIP = _thing({"mode": _words("multi", "single"), "sort": _words("none", "desc")})
_REDUCED = _thing({"values": _FLAG, "calcs": _list(_words("lastNotNull")), "fields": _ANY_TEXT}, {"limit": _NUMBER})
_HIDING = _thing({"legend": _FLAG, "tooltip": _FLAG, "viz": _FLAG})
_AXIS: dict[str, Any] = {
    "axisPlacement": _words("auto", "right"),
    "axisLabel": _ANY_TEXT,
    "scaleDistribution": _thing({"type": _words("linear")}),
    "thresholdsStyle": _thing({"mode": _words("off", "dashed")}),
    "hideFrom": _HIDING,
    "lineWidth": _NUMBER,
    "fillOpacity": _NUMBER,
    "gradientMode": _words("none"),
}

OPTIONS: dict[str, Schema] = {
    "stat": _thing(
        {
            "reduceOptions": _REDUCED, "orientation": _words("auto"), "textMode": _words("value", "value_and_name", "name"),
            "wideLayout": _FLAG, "colorMode": _words("value"), "graphMode": _words("none", "area"),
            "justifyMode": _words("auto"), "showPercentChange": _FLAG,
        }
    ),
    "timeseries": _thing({"legend": _LEGEND, "tooltip": _TOOLTIP}),
    "table": _thing({"showHeader": _FLAG, "cellHeight": _words("sm", "md", "lg")}),
    "bargauge": _thing(
        {
            "reduceOptions": _REDUCED, "orientation": _words("horizontal"), "displayMode": _words("basic"),
            "valueMode": _words("color"), "namePlacement": _words("auto"), "showUnfilled": _FLAG, "sizing": _words("auto"),
            "minVizWidth": _NUMBER, "minVizHeight": _NUMBER, "maxVizHeight": _NUMBER, "legend": _LEGEND,
        }
    ),
    "barchart": _thing(
        {
            "xField": _TEXT, "orientation": _words("auto"), "xTickLabelRotation": _NUMBER, "xTickLabelSpacing": _NUMBER,
            "showValue": _words("auto"), "stacking": _words("none", "normal"), "groupWidth": _NUMBER, "barWidth": _NUMBER,
            "barRadius": _NUMBER, "fullHighlight": _FLAG, "legend": _LEGEND, "tooltip": _TOOLTIP,
        }
    ),
    "state-timeline": _thing(
        {
            "showValue": _words("never"), "rowHeight": _NUMBER, "mergeValues": _FLAG, "alignValue": _words("left"),
            "legend": _LEGEND, "tooltip": _TOOLTIP,
        }
    ),
    "piechart": _thing(
        {
            "reduceOptions": _REDUCED, "pieType": _words("donut", "pie"), "displayLabels": _list(_words("percent")),
            "legend": _LEGEND, "tooltip": _TOOLTIP,
        }
    ),
}  # fmt: skip

CUSTOM: dict[str, Schema] = {
    "stat": _thing({}),
    "bargauge": _thing({}),
    "piechart": _thing({"hideFrom": _HIDING}),
    "table": _thing(
        {"align": _words("auto"), "cellOptions": _thing({"type": _words("auto")}), "inspect": _FLAG, "filterable": _FLAG}
    ),
    "state-timeline": _thing({"lineWidth": _NUMBER, "fillOpacity": _NUMBER, "hideFrom": _HIDING}),
    "barchart": _thing(_AXIS),
    "timeseries": _thing(
        {
            **_AXIS, "drawStyle": _words("line", "bars", "points"), "showPoints": _words("auto", "always", "never"),
            "stacking": _thing({"mode": _words("none", "normal"), "group": _TEXT}),
        },
        {
            "lineInterpolation": _words("linear", "stepAfter"), "pointSize": _NUMBER, "spanNulls": _FLAG,
            "barAlignment": _words(-1, 0, 1), "barWidthFactor": _NUMBER,
        },
    ),
}  # fmt: skip

_CELL: Schema = {
    "oneOf": [
        _thing({"type": _words("gauge"), "mode": _words("basic"), "valueDisplayMode": _words("text")}),
        _thing({"type": _words("color-text")}),
        _thing({"type": _words("auto"), "wrapText": _FLAG}),
    ]
}
PROPERTIES: dict[str, Schema] = {
    "unit": _TEXT, "decimals": _NUMBER, "min": _NUMBER, "max": _NUMBER, "color": _COLOUR, "thresholds": _STEPS,
    "mappings": _list(_MAPPING), "links": _list(_LINK), "custom.cellOptions": _CELL, "custom.width": _NUMBER,
    "custom.lineStyle": _thing({"fill": _words("dash"), "dash": _list(_NUMBER)}), "custom.drawStyle": _words("line", "bars"),
    "custom.lineWidth": _NUMBER, "custom.fillOpacity": _NUMBER, "custom.axisPlacement": _words("right"),
}  # fmt: skip
_OVERRIDE = _thing(
    {
        "matcher": _thing({"id": _words("byName", "byRegexp"), "options": _TEXT}),
        "properties": {
            "type": "array",
            "minItems": 1,
            "items": {"oneOf": [_thing({"id": {"const": name}, "value": value}) for name, value in PROPERTIES.items()]},
        },
    }
)

TARGETS: dict[str, Schema] = {
    "grafana-postgresql-datasource": _thing(
        {
            "refId": _TEXT, "datasource": _DATASOURCE, "rawSql": _TEXT, "rawQuery": {"const": True},
            "editorMode": _words("code"), "format": _words("time_series", "table"),
        }
    ),
    "influxdb": _thing(
        {
            "refId": _TEXT, "datasource": _DATASOURCE, "query": _TEXT, "rawQuery": {"const": True},
            "resultFormat": _words("time_series"), "alias": _TEXT,
        }
    ),
    "prometheus": _thing(
        {
            "refId": _TEXT, "datasource": _DATASOURCE, "expr": _TEXT, "legendFormat": _TEXT, "instant": _FLAG,
            "range": _FLAG, "format": _words("time_series", "table"), "editorMode": _words("code"),
        }
    ),
}  # fmt: skip


def panel_schema(plugin: str, datasource: str) -> Schema:
    """What a panel of this plugin may hold that asks this kind of store."""
    defaults = _thing(
        {
            "unit": _TEXT, "noValue": _TEXT, "color": _COLOUR, "thresholds": _STEPS, "mappings": _list(_MAPPING),
            "custom": CUSTOM[plugin],
        },
        {"decimals": _NUMBER, "min": _NUMBER, "max": _NUMBER},
    )  # fmt: skip
    return _thing(
        {
            "id": {"type": "integer", "minimum": 1}, "type": {"const": plugin}, "title": _TEXT, "description": _TEXT,
            "gridPos": _GRID, "datasource": _DATASOURCE,
            "targets": {"type": "array", "minItems": 1, "items": TARGETS[datasource]},
            "fieldConfig": _thing({"defaults": defaults, "overrides": _list(_OVERRIDE)}),
            "options": OPTIONS[plugin], "transformations": {"type": "array", "maxItems": 0},
        },
        {"links": _list(_LINK)},
    )  # fmt: skip


ROW = _thing(
    {
        "id": {"type": "integer", "minimum": 1}, "type": {"const": "row"}, "title": _TEXT, "collapsed": {"const": False},
        "gridPos": _GRID, "panels": {"type": "array", "maxItems": 0},
    }
)  # fmt: skip

_VARIABLE = _thing(
    {
        "name": {"const": "person"}, "label": _TEXT, "description": _TEXT, "type": {"const": "query"},
        "datasource": _DATASOURCE, "query": _TEXT, "refresh": {"const": 1}, "sort": {"const": 0}, "regex": {"const": ""},
        "multi": {"const": False}, "includeAll": {"const": False}, "hide": {"const": 0}, "skipUrlSync": {"const": False},
        "current": {"type": "object"}, "options": {"type": "array", "maxItems": 0},
    }
)  # fmt: skip
_TOP_LINK = _thing(
    {
        "title": _TEXT, "type": _words("dashboards"), "tags": _list(_TEXT), "asDropdown": _FLAG, "includeVars": _FLAG,
        "keepTime": _FLAG, "targetBlank": _FLAG, "icon": _TEXT, "tooltip": _ANY_TEXT, "url": _ANY_TEXT,
    }
)  # fmt: skip

# Neither `id` nor `__inputs`: both belong to one Grafana, or to an export that somebody imports by hand.
DASHBOARD = _thing(
    {
        "uid": {"type": "string", "pattern": "^twinning-[a-z]+$", "maxLength": 40}, "title": _TEXT, "description": _TEXT,
        "tags": _list(_TEXT), "timezone": {"const": ""}, "weekStart": {"const": "monday"}, "editable": {"const": False},
        "graphTooltip": {"const": 1}, "schemaVersion": {"const": 41}, "version": {"const": 1},
        "refresh": {"type": "string", "pattern": "^[0-9]+m$"},
        "time": _thing({"from": {"type": "string", "pattern": "^now-[0-9]+[hdMy]$"}, "to": {"const": "now"}}),
        "timepicker": {"type": "object"}, "annotations": _thing({"list": _list(_TEXT)}),
        "templating": _thing({"list": _list(_VARIABLE)}), "links": _list(_TOP_LINK), "panels": _list({"type": "object"}),
    }
)  # fmt: skip
