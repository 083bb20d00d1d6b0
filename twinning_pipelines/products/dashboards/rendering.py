"""Dashboards as Grafana's JSON, of the classic schema that its file provider reads.

Plain dictionaries: the vendor's typed builders (grafana-foundation-sdk) say of themselves that they are alpha, their newest
release for a numbered Grafana is for 11.6, and pip picks that for 10.1, whose version number is the greatest.
"""

import zlib
from typing import Any

from msgspec.structs import asdict

from twinning_pipelines.products.dashboards import palette
from twinning_pipelines.products.dashboards.grid import Place, places
from twinning_pipelines.products.dashboards.units import grafana_unit
from twinning_pipelines.products.dashboards.visuals import Table
from twinning_pipelines.products.dashboards.vocabulary import (
    Column,
    Dashboard,
    InfluxQl,
    Link,
    Panel,
    PromQl,
    Query,
    Section,
    Sql,
)

Words = dict[str, Any]

SCHEMA_VERSION = 41
TAG = "twinning"
POSTGRES: Words = {"type": "grafana-postgresql-datasource", "uid": "twinning-postgres"}
INFLUXDB: Words = {"type": "influxdb", "uid": "twinning-influxdb"}
PROMETHEUS: Words = {"type": "prometheus", "uid": "twinning-prometheus"}

# Whoever is logged in under their own name sees themselves first.
PEOPLE = "select name from person order by name = ${__user.login:sqlstring} desc, name"


def rendered(dashboard: Dashboard) -> Words:
    """The document that Grafana reads."""
    panels: list[Words] = []
    for section, heading, placed in places(dashboard.sections):
        panels.append(_heading(dashboard, section, heading))
        panels += [_panel(dashboard, panel, place) for panel, place in placed]
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.says,
        "tags": [TAG],
        "timezone": "",
        "weekStart": "monday",
        "editable": False,
        "graphTooltip": 1,
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "refresh": dashboard.refresh,
        "time": {"from": dashboard.since, "to": "now"},
        "timepicker": {},
        "annotations": {"list": []},
        "templating": {"list": [_person()] if dashboard.of_a_person else []},
        "links": [_links()],
        "panels": panels,
    }


def panel_id(dashboard: Dashboard, question: str) -> int:
    """A panel's number: follows from its question, so that it stays when others come or move."""
    return zlib.crc32(f"{dashboard.name}: {question}".encode()) & 0x7FFFFFFF


def datasource_of(query: Query) -> Words:
    """The store that a query asks, as provisioning names it."""
    match query:
        case Sql():
            return POSTGRES
        case InfluxQl():
            return INFLUXDB
        case PromQl():
            return PROMETHEUS


def _person() -> Words:
    return {
        "name": "person",
        "label": "Person",
        "description": "Whose days are shown.",
        "type": "query",
        "datasource": POSTGRES,
        "query": PEOPLE,
        "refresh": 1,
        "sort": 0,
        "regex": "",
        "multi": False,
        "includeAll": False,
        "hide": 0,
        "skipUrlSync": False,
        "current": {},
        "options": [],
    }


def _links() -> Words:
    """The other dashboards, at the top of each; the person and the time go along."""
    return {
        "title": "Twinning",
        "type": "dashboards",
        "tags": [TAG],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": False,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "",
        "url": "",
    }


def _heading(dashboard: Dashboard, section: Section, place: Place) -> Words:
    return {
        "id": panel_id(dashboard, f"section {section.title}"),
        "type": "row",
        "title": section.title,
        "collapsed": False,
        "gridPos": asdict(place),
        "panels": [],
    }


def _panel(dashboard: Dashboard, panel: Panel, place: Place) -> Words:
    document: Words = {
        "id": panel_id(dashboard, panel.question),
        "type": panel.visual.plugin,
        "title": panel.question,
        "description": panel.says,
        "gridPos": asdict(place),
        "datasource": datasource_of(panel.queries[0]),
        "targets": [_target(query, place) for place, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": _overrides(panel)},
        "options": panel.visual.options(),
        "transformations": [],
    }
    return document | ({"links": [_data_link(link) for link in panel.links]} if panel.links else {})


def _target(query: Query, place: int) -> Words:
    target: Words = {"refId": chr(ord("A") + place), "datasource": datasource_of(query)}
    match query:
        case Sql():
            shape = "time_series" if query.shape == "series" else "table"
            return target | {"rawSql": query.text, "rawQuery": True, "editorMode": "code", "format": shape}
        case InfluxQl():
            return target | {
                "query": query.text, "rawQuery": True, "resultFormat": "time_series", "alias": query.alias
            }  # fmt: skip
        case PromQl():
            return target | {
                "expr": query.text, "legendFormat": query.legend or "__auto", "instant": query.now, "range": not query.now,
                "format": "table" if query.now else "time_series", "editorMode": "code",
            }  # fmt: skip


def _defaults(panel: Panel) -> Words:
    steps = panel.steps or ((None, palette.BLUE),)
    color: Words = {"mode": "thresholds"} if panel.steps else {"mode": "palette-classic-by-name"}
    if panel.colour is not None:
        color = {"mode": "fixed", "fixedColor": panel.colour}
    return {
        "unit": grafana_unit(panel.unit),
        "noValue": panel.nothing,
        "color": color,
        "thresholds": _steps(steps),
        "mappings": [],
        "custom": panel.visual.custom(),
        **{
            name: value
            for name, value in (("decimals", panel.decimals), ("min", panel.least), ("max", panel.most))
            if value is not None
        },
    }


def _steps(steps: tuple[tuple[float | None, str], ...]) -> Words:
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in steps]}


def _overrides(panel: Panel) -> list[Words]:
    is_table = isinstance(panel.visual, Table)
    return [_override(column, _cell(column) if is_table else None) for column in panel.columns]


def _cell(column: Column) -> Words | None:
    """How a cell of a table is drawn, where it is not plain text."""
    if column.bar:
        return {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}
    if column.steps or column.words:
        return {"type": "color-text"}
    return {"type": "auto", "wrapText": True} if column.wraps else None


def _override(column: Column, cell: Words | None) -> Words:
    is_pattern = column.name.startswith("/") and column.name.endswith("/") and len(column.name) > 2
    matcher = {"id": "byRegexp" if is_pattern else "byName", "options": column.name}
    return {
        "matcher": matcher,
        "properties": [{"id": name, "value": value} for name, value in _properties(column, cell)],
    }


def _properties(column: Column, cell: Words | None) -> list[tuple[str, object]]:
    mapped = {
        value: {"text": shown[0] if shown else value, "color": colour, "index": place}
        for place, (value, colour, *shown) in enumerate(column.words)
    }
    given: list[tuple[str, object | None]] = [
        ("unit", None if column.unit is None else grafana_unit(column.unit)),
        ("decimals", column.decimals),
        ("min", column.low),
        ("max", column.high),
        ("color", None if column.colour is None else {"mode": "fixed", "fixedColor": column.colour}),
        ("thresholds", _steps(column.steps) if column.steps else None),
        ("color", {"mode": "thresholds"} if column.steps else None),
        ("mappings", [{"type": "value", "options": mapped}] if mapped else None),
        ("custom.cellOptions", cell),
        ("custom.width", column.width),
        ("custom.lineStyle", {"fill": "dash", "dash": [8, 6]} if column.dashed else None),
        ("custom.drawStyle", "bars" if column.bars else "line" if column.dashed else None),
        ("custom.lineWidth", 2 if column.dashed else None),
        ("custom.fillOpacity", 70 if column.bars else 0 if column.dashed else None),
        ("custom.axisPlacement", "right" if column.right else None),
        ("links", None if column.link is None else [_data_link(column.link)]),
    ]
    return [(name, value) for name, value in given if value is not None]


def _data_link(link: Link) -> Words:
    return {"title": link.title, "url": link.url, "targetBlank": not link.url.startswith("/")}
