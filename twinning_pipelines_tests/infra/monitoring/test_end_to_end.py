"""The shipped files in a real Prometheus and a real Alertmanager: from a figure to a message, and who is asked what."""

import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from twinning_pipelines_tests.infra.monitoring.conftest import Watchers
from twinning_pipelines_tests.infra.monitoring.running import answer, until
from twinning_pipelines_tests.infra.monitoring.shipped import BLACKBOX, PROMETHEUS, read


def _asked(url: str) -> Any:
    return json.loads(answer(url) or '{"data": {}}')["data"]


def test_an_alert_is_pending_then_fires_then_reaches_who_is_told(watchers: Watchers) -> None:
    watchers.listener.figures = (
        'twinning_build_info{version="0.1.0"} 1\n'
        'twinning_collect_failed{part="runs"} 1\ntwinning_collect_failed{part="ledger"} 0\n'
        f'twinning_daemon_heartbeat_timestamp_seconds{{daemon="SCHEDULER"}} {time.time() - 3600}\n'
        'twinning_runs{job="ingest",status="success"} 7\n'
    )

    def state(wanted: str) -> dict[str, Any] | None:
        found = _asked(f"{watchers.prometheus}/api/v1/alerts").get("alerts", [])
        return next(
            (each for each in found if each["labels"]["alertname"] == "MetricsIncomplete" and each["state"] == wanted),
            None,
        )

    pending = until(lambda: state("pending"), 15, "the alert is pending")
    assert pending["labels"] == {"alertname": "MetricsIncomplete", "part": "runs", "severity": "warning", "service": "twinning",
                                 "needs": "postgres"}  # fmt: skip
    until(lambda: state("firing"), 15, "the alert fires")

    def message(path: str, name: str) -> dict[str, Any] | None:
        return next(
            (alert for where, body in list(watchers.listener.heard) if where == path for alert in body["alerts"]
             if alert["labels"]["alertname"] == name), None
        )  # fmt: skip

    told = until(lambda: message("/twinning", "MetricsIncomplete"), 20, "the message comes")
    assert told["status"] == "firing"
    assert told["labels"]["installation"] == "twinning"
    assert told["annotations"]["summary"] == "Twinning cannot tell its figures about runs"
    assert told["annotations"]["runbook_url"] == "docs/runbooks.md#metricsincomplete"
    urgent = until(lambda: message("/twinning/urgent", "DaemonSilent"), 20, "what is urgent goes elsewhere")
    assert "has been silent for 1h" in urgent["annotations"]["summary"]
    until(lambda: message("/ping/the-id", "Watchdog"), 20, "the dead man's switch hears the Watchdog")


def test_our_label_job_is_kept(watchers: Watchers) -> None:
    """As a job of Dagster; Prometheus's own word for whom it asks stays `twinning` where we say none."""
    watchers.listener.figures = 'twinning_runs{job="ingest",status="success"} 7\ntwinning_samples 5\n'

    def found(query: str) -> list[str] | None:
        return [
            each["metric"]["job"]
            for each in _asked(f"{watchers.prometheus}/api/v1/query?query={query}").get("result", [])
        ] or None

    assert until(lambda: found("twinning_runs"), 15, "runs are there") == ["ingest"]
    assert until(lambda: found("twinning_samples"), 15, "samples are there") == ["twinning"]


def test_every_target_is_asked_as_its_file_says(watchers: Watchers) -> None:
    # Files are read five seconds after the start.
    def everybody() -> list[dict[str, Any]] | None:
        found = _asked(f"{watchers.prometheus}/api/v1/targets?state=active").get("activeTargets", [])
        return found if {each["scrapePool"] for each in found} >= {"probe", "probe_public", "more"} else None

    targets = until(everybody, 20, "the targets of files are there")
    modules = set(read(BLACKBOX)["modules"])
    inside = {
        (
            target,
            group["labels"]["module"],
            group["labels"].get("host"),
            group["labels"]["path"],
            group["labels"]["service"],
        )
        for path in PROMETHEUS.glob("*/probe-*.yml")
        for group in read(path)
        for target in group["targets"]
    }
    seen = set()
    public = set()
    for each in targets:
        asked = urlsplit(each["scrapeUrl"])
        if asked.path != "/probe":
            continue
        words = {key: values[0] for key, values in parse_qs(asked.query).items()}
        assert asked.netloc == "blackbox:9115"
        assert words["module"] in modules
        labels = each["labels"]
        assert {"module", "host"}.isdisjoint(labels)
        assert labels["needs"]
        if each["scrapePool"] == "probe":
            assert words["target"] == labels["instance"]
            seen.add((words["target"], words["module"], words.get("hostname"), labels["path"], labels["service"]))
        else:
            assert (words["target"], labels["path"]) == ("https://nginx:8443/", "public")
            public.add((words["hostname"], labels["instance"]))
    assert seen == inside
    assert public == {(f"{name}.example.org",) * 2 for name in
                      ("auth", "cloud", "dagster", "grafana", "firefly", "influx", "prometheus", "alerts")}  # fmt: skip
    jobs = {each["labels"]["job"] for each in targets}
    assert jobs >= {
        "prometheus",
        "alertmanager",
        "blackbox",
        "twinning",
        "node",
        "postgres",
        "redis",
        "nginx",
        "influxdb",
    }
    assert jobs >= {"grafana", "nextcloud", "authelia", "probe", "probe_public"}
    assert "more" not in jobs


def test_the_rules_are_loaded_and_none_fails(watchers: Watchers) -> None:
    def evaluated() -> list[dict[str, Any]] | None:
        groups = _asked(f"{watchers.prometheus}/api/v1/rules").get("groups", [])
        rules = [rule for group in groups for rule in group["rules"]]
        return rules if rules and all(rule["health"] != "unknown" for rule in rules) else None

    rules = until(evaluated, 20, "every rule was worked out once")
    assert [rule["name"] for rule in rules if rule["health"] != "ok"] == []
