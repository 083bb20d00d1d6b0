"""Every panel is a question with a description, a unit, a place and a store; what Grafana reads is what it knows."""

import os
import re
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from twinning_pipelines.products.dashboards import palette, rendering
from twinning_pipelines.products.dashboards.rendering import panel_id, rendered
from twinning_pipelines.products.dashboards.vocabulary import Dashboard, InfluxQl, Panel, PromQl, Sql
from twinning_pipelines.products.metrics.gauges import GAUGES
from twinning_pipelines.records.metrics import METRIC_BY_NAME
from twinning_pipelines.settings import Settings
from twinning_pipelines_tests.products.dashboards import grafana_schema
from twinning_pipelines_tests.products.dashboards.conftest import DASHBOARDS, INSTALLATION
from twinning_pipelines_tests.products.dashboards.exporters import EXPORTED, metrics_in
from twinning_pipelines_tests.products.dashboards.page import dashboards_page

ROOT = Path(__file__).parents[3]
PROVISIONING = ROOT / "infra/grafana/provisioning"
RULES = ROOT / "infra/prometheus/rules"
PAGE = ROOT / "docs/dashboards.md"
NAMES = ("today", "health", "sleep", "money", "portfolio", "time", "business", "quality", "operations")

_MACRO_WITH_BRACKETS = re.compile(r"\$__\w+\([^)]*\(")


def test_there_is_a_dashboard_for_each_part_of_life() -> None:
    assert tuple(each.name for each in DASHBOARDS) == NAMES
    assert len({each.uid for each in DASHBOARDS}) == len({each.title for each in DASHBOARDS}) == len(NAMES)


def _check(document: object, schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema).validate(document)


def test_grafana_knows_every_word_of_the_document(dashboard: Dashboard) -> None:
    document = rendered(dashboard)
    _check(document, grafana_schema.DASHBOARD)
    for panel in document["panels"]:
        if panel["type"] == "row":
            _check(panel, grafana_schema.ROW)
        else:
            _check(panel, grafana_schema.panel_schema(panel["type"], panel["datasource"]["type"]))


def test_the_schema_refuses_what_is_spelled_otherwise(dashboard: Dashboard) -> None:
    document = rendered(dashboard)
    panel = next(each for each in document["panels"] if each["type"] != "row")
    schema = grafana_schema.panel_schema(panel["type"], panel["datasource"]["type"])
    for name in ("options", "fieldConfig"):
        with pytest.raises(jsonschema.ValidationError):
            _check(panel | {name: panel[name] | {"shiny": True}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        _check(document | {"__inputs": []}, grafana_schema.DASHBOARD)


def test_panels_are_questions_that_say_where_the_answer_comes_from(dashboard: Dashboard) -> None:
    assert dashboard.says.endswith(".")
    for panel in dashboard.panels:
        assert panel.question[0].isupper()
        assert panel.question.endswith("?")
        assert panel.says.endswith("."), panel.question
        assert len(panel.says) > 20, panel.question
        assert panel.unit, panel.question
        assert panel.nothing.endswith("."), panel.question
    asked = Counter(panel.question for panel in dashboard.panels)
    assert asked.most_common(1)[0][1] == 1


def test_numbers_of_panels_are_unique_and_stay(dashboard: Dashboard) -> None:
    ids = [panel["id"] for panel in rendered(dashboard)["panels"]]
    assert len(set(ids)) == len(ids)
    assert all(0 < each < 2**31 for each in ids)


def test_a_number_follows_from_the_question() -> None:
    today = DASHBOARDS[0]
    assert panel_id(today, "How long did I sleep?") == 1971667839


def test_panels_fill_the_grid_and_none_covers_another(dashboard: Dashboard) -> None:
    places = [panel["gridPos"] for panel in rendered(dashboard)["panels"]]
    for place in places:
        assert place["x"] + place["w"] <= 24
        assert place["w"] >= 3
        assert place["h"] >= 1
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below


def _provisioned(kind: str) -> list[dict[str, Any]]:
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (PROVISIONING / kind).glob("*.yml")]
    assert documents
    return [
        each for document in documents for each in document["datasources" if kind == "datasources" else "providers"]
    ]


def test_every_store_is_provisioned(dashboard: Dashboard) -> None:
    known = {(each["type"], each["uid"]) for each in _provisioned("datasources")}
    for panel in rendered(dashboard)["panels"]:
        if panel["type"] == "row":
            continue
        stores = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert {(each["type"], each["uid"]) for each in stores} <= known
        assert len({each["uid"] for each in stores}) == 1, panel["title"]


def test_secrets_of_the_stores_are_files_and_nothing_is_editable() -> None:
    sources = _provisioned("datasources")
    assert {each["uid"] for each in sources} == {"twinning-postgres", "twinning-influxdb", "twinning-prometheus"}
    for source in sources:
        assert source["editable"] is False
        for secret in source.get("secureJsonData", {}).values():
            assert re.search(r"\$__file\{/(run/secrets|tokens-grafana)/\w+\}$", secret), source["name"]
    assert [each["uid"] for each in sources if each.get("isDefault")] == ["twinning-postgres"]


def test_influxdb_is_asked_in_the_bucket_that_the_projection_fills() -> None:
    (influx,) = [each for each in _provisioned("datasources") if each["type"] == "influxdb"]
    assert influx["jsonData"]["dbName"] == Settings().influx_bucket
    assert influx["jsonData"]["version"] == "InfluxQL"


def test_the_folder_is_read_by_the_file_provider() -> None:
    (provider,) = _provisioned("dashboards")
    assert (provider["type"], provider["options"]["path"]) == ("file", "/dashboards")
    assert (provider["folder"], provider["allowUiUpdates"]) == ("Twinning", False)


def _sql() -> list[tuple[Dashboard, Panel, Sql]]:
    return [(d, p, q) for d in DASHBOARDS for p in d.panels for q in p.queries if isinstance(q, Sql)]


def test_the_person_is_put_into_sql_as_a_quoted_text_and_nowhere_else() -> None:
    for _, panel, query in _sql():
        assert query.text.count("${person:sqlstring}") == 1, panel.question
        rest = query.text.replace("${person:sqlstring}", "")
        assert "$person" not in rest, panel.question
        assert "${" not in rest, panel.question
        assert "[[" not in rest, panel.question


def test_the_person_is_put_into_influxql_with_every_sign_escaped() -> None:
    queries = [q for d in DASHBOARDS for p in d.panels for q in p.queries if isinstance(q, InfluxQl)]
    assert queries
    for query in queries:
        assert '"person" =~ /^${person:regex}$/ AND $timeFilter' in query.text
        assert query.text.count("${person") == 1


def test_no_bracket_stands_in_a_macro() -> None:
    for _, panel, query in _sql():
        assert not _MACRO_WITH_BRACKETS.search(query.text), panel.question


def test_influxql_asks_for_metrics_that_there_are() -> None:
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels:
            for query in panel.queries:
                if isinstance(query, InfluxQl):
                    named = re.search(r'FROM "(\w+)"', query.text)
                    assert named is not None
                    assert METRIC_BY_NAME[named[1]].unit == panel.unit


def _recorded() -> set[str]:
    return {
        rule["record"]
        for path in RULES.glob("*.yml")
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if "record" in rule
    }


def test_prometheus_is_asked_for_metrics_that_somebody_offers() -> None:
    if not RULES.is_dir():
        pytest.skip("the rules of Prometheus are not here")
    known = {gauge.name for gauge in GAUGES} | EXPORTED | _recorded()
    asked = {
        q.text: metrics_in(q.text) for d in DASHBOARDS for p in d.panels for q in p.queries if isinstance(q, PromQl)
    }
    assert len(asked) > 30
    assert {text: names - known for text, names in asked.items() if names - known} == {}


def test_metrics_are_found_in_an_expression() -> None:
    expression = 'sum by (job, path) (rate(one_total{job="x"}[5m])) / scalar(max(two:three)) or vector(0)'
    assert metrics_in(expression) == {"one_total", "two:three"}


def test_labels_of_our_own_metrics_are_those_of_the_exporter() -> None:
    labels = {gauge.name: set(gauge.labels) for gauge in GAUGES}
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels:
            for query in panel.queries:
                ours = metrics_in(query.text) & labels.keys() if isinstance(query, PromQl) else set()
                if not ours or not isinstance(query, PromQl):
                    continue
                grouped = re.findall(r"by \(([^)]*)\)", query.text) + re.findall(r"\{\{(\w+)\}\}", query.legend)
                named = {name.strip() for each in grouped for name in each.split(",")}
                assert named <= set().union(*(labels[name] for name in ours)), panel.question


def test_links_lead_to_dashboards_that_there_are_and_to_dagster(dashboard: Dashboard) -> None:
    uids = {each.uid for each in DASHBOARDS}
    links = [link for panel in dashboard.panels for link in panel.links]
    links += [column.link for panel in dashboard.panels for column in panel.columns if column.link is not None]
    for link in links:
        page = re.match(r"/d/([\w-]+)\?", link.url)
        assert page[1] in uids if page else link.url.startswith(INSTALLATION.dagster), link.url


def test_links_to_dagster_lead_to_assets_that_there_are() -> None:
    from twinning_pipelines.definitions import build_defs

    known = {"/".join(key.path) for key in build_defs().resolve_all_asset_keys()}
    urls = {link.url for d in DASHBOARDS for p in d.panels for link in p.links}
    assets = {url.partition("/assets/")[2] for url in urls if "/assets/" in url}
    assert len(assets) >= 8
    assert assets <= known


def test_colours_are_those_that_everybody_tells_apart(dashboard: Dashboard) -> None:
    found = set(re.findall(r"#[0-9A-Fa-f]{6}", repr(rendered(dashboard))))
    assert found <= {value for value in vars(palette).values() if isinstance(value, str) and value.startswith("#")}
    for red, green in ((palette.VERMILION, palette.GREEN),):
        for panel in dashboard.panels:
            judged = {colour for steps in (panel.steps, *(c.steps for c in panel.columns)) for _, colour in steps}
            assert not {red, green} <= judged, panel.question


def test_thresholds_rise(dashboard: Dashboard) -> None:
    for panel in dashboard.panels:
        for steps in (panel.steps, *(column.steps for column in panel.columns)):
            if steps:
                assert steps[0][0] is None
                values = [value for value, _ in steps[1:]]
                assert values == sorted(values, key=lambda value: value or 0.0)


def test_every_dashboard_of_a_person_lets_choose_one(dashboard: Dashboard) -> None:
    (variable,) = rendered(dashboard)["templating"]["list"] or [None]
    assert (variable is not None) == dashboard.of_a_person
    asks = any(isinstance(query, Sql | InfluxQl) for panel in dashboard.panels for query in panel.queries)
    assert asks == dashboard.of_a_person
    assert rendering.PEOPLE.count("${") == 1


def test_the_page_lists_every_question() -> None:
    wanted = dashboards_page(DASHBOARDS)
    if os.environ.get("TWINNING_WRITE_GOLDENS") == "1":
        PAGE.write_text(wanted, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == wanted
