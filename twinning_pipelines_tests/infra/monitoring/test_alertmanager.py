"""Who is told what: by default nobody outside, by severity, and one fault once."""

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines_tests.infra.monitoring.conftest import Watchers
from twinning_pipelines_tests.infra.monitoring.running import answer, until
from twinning_pipelines_tests.infra.monitoring.shipped import ALERTMANAGER, alerts, expectations, read
from twinning_pipelines_tests.infra.programs import needs

SHIPPED = ALERTMANAGER / "alertmanager.yml"
EXAMPLES = sorted((ALERTMANAGER / "examples").glob("*.yml"))
FILES = pytest.mark.parametrize("path", [SHIPPED, *EXAMPLES], ids=lambda path: path.stem)
RECEIVERS = {"critical": "urgent", "warning": "attention", "info": "aside", "none": "heartbeat"}


def amtool(*arguments: str | Path) -> str:
    """What amtool prints; it must be content."""
    said = subprocess.run([needs("amtool"), *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


@FILES
def test_amtool_is_content(path: Path) -> None:
    assert "SUCCESS" in amtool("check-config", path)


@FILES
@pytest.mark.parametrize("severity", RECEIVERS)
def test_each_severity_has_its_receiver(path: Path, severity: str) -> None:
    amtool(
        "config",
        "routes",
        "test",
        f"--config.file={path}",
        f"--verify.receivers={RECEIVERS[severity]}",
        f"severity={severity}",
    )


def test_a_severity_that_nobody_foresaw_is_told_all_the_same() -> None:
    amtool("config", "routes", "test", f"--config.file={SHIPPED}", "--verify.receivers=attention", "severity=odd")


def test_by_default_nothing_goes_out() -> None:
    shipped = read(SHIPPED)
    assert shipped["receivers"] == [{"name": name} for name in RECEIVERS.values()]
    assert "global" not in shipped


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_differs_in_its_receivers_alone(path: Path) -> None:
    shipped, example = read(SHIPPED), read(path)
    assert {key: shipped[key] for key in ("route", "inhibit_rules")} == {
        key: example[key] for key in ("route", "inhibit_rules")
    }
    told = {each["name"]: set(each) - {"name"} for each in example["receivers"]}
    assert list(told) == list(RECEIVERS.values())
    assert told["urgent"]
    assert told["attention"]


def test_the_readme_names_every_receiver_and_example() -> None:
    text = (ALERTMANAGER / "README.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in text for name in RECEIVERS.values())
    assert all(f"`{path.stem}`" in text for path in EXAMPLES)


def test_silenced_alerts_are_alerts_that_there_are() -> None:
    """A rule of inhibition that names an alert which is gone silences nothing, without a word."""
    names = {alert.name for alert in alerts()}
    for rule in read(SHIPPED)["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            label, _, values = matcher.partition("=")
            if label == "alertname":
                for name in values.lstrip("~").strip('"').split("|"):
                    assert any(each.startswith(name.removesuffix(".+")) for each in names), name


def _firing(alert: str, **labels: str) -> dict[str, str]:
    """The labels of an alert as its unit test saw it fire, with some of them changed."""
    seen = next(each.firing[0] for each in expectations() if each.alert == alert and each.firing)
    return {key: value for key, value in {**seen, **labels}.items() if key != "alertstate"}


@pytest.mark.parametrize(
    ("cause", "silenced", "told"),
    [
        (
            _firing("PostgresDown"),
            [_firing("ServiceDown", service="firefly", needs="postgres"), _firing("ServiceDown", service="postgres", needs="none"),
             _firing("ErrorBudgetBurnsFast", service="firefly"), _firing("MetricsIncomplete"), _firing("DaemonSilent")],
            [_firing("ServiceDown", service="grafana", needs="none"), _firing("DiskNearlyFull")],
        ),
        (
            _firing("ServiceDown", service="nginx", needs="none"),
            [_firing("DoorClosed", service="grafana", needs="nginx"), _firing("PublicNameFails", needs="nginx+authelia")],
            [_firing("ServiceDown", service="grafana", needs="none")],
        ),
        (
            _firing("ServiceDown", service="redis", needs="none"),
            [_firing("ServiceDown", service="nextcloud", needs="postgres+redis"), _firing("TargetDown", service="redis")],
            [_firing("TargetDown", service="postgres"), _firing("ServiceDown", service="dagster", needs="postgres")],
        ),
        (_firing("DiskNearlyFull"), [_firing("DiskFullInTwoWeeks")], [_firing("DiskFullInTwoWeeks", device="/dev/vdb")]),
        (
            _firing("CertificateExpires"),
            [_firing("CertificateExpiresSoon", instance=_firing("CertificateExpires")["instance"])],
            [_firing("CertificateExpiresSoon", instance="cloud.example.org")],
        ),
        (_firing("DaemonSilent"), [_firing("JobNotSuccessful"), _firing("SummaryMissing")], [_firing("SourceSilent")]),
    ],
    ids=["postgres", "nginx", "redis", "disk", "certificate", "daemon"],
)  # fmt: skip
def test_one_fault_is_told_once(
    watchers: Watchers,
    cause: dict[str, str],
    silenced: list[dict[str, str]],
    told: list[dict[str, str]],
    request: pytest.FixtureRequest,
) -> None:
    """Alertmanager itself says who is silenced. The label `trial` keeps the trials apart where rules compare nothing."""
    trial = {"trial": request.node.callspec.id}
    everything = [{**labels, **trial} for labels in (cause, *silenced, *told)]
    _send(watchers.alertmanager, everything, resolved=False)
    try:
        # Inhibition takes up an alert a moment after the list does, so what is silenced may be seen active at first.
        seen = until(
            lambda: _settled(watchers.alertmanager, trial, everything, silenced), 20, "all are as they should be"
        )
        assert [seen[_key({**labels, **trial})] for labels in (cause, *told)] == ["active"] * (1 + len(told))
    finally:
        _send(watchers.alertmanager, everything, resolved=True)


def _key(labels: dict[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def _send(url: str, several: list[dict[str, str]], *, resolved: bool) -> None:
    ends = {"endsAt": "2020-01-01T00:00:01Z", "startsAt": "2020-01-01T00:00:00Z"} if resolved else {}
    body = json.dumps([{"labels": labels, "annotations": {}, **ends} for labels in several]).encode()
    request = urllib.request.Request(f"{url}/api/v2/alerts", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as got:
        assert got.status == 200


def _settled(
    url: str, trial: dict[str, str], everything: list[dict[str, str]], silenced: list[dict[str, str]]
) -> dict[frozenset[tuple[str, str]], str] | None:
    """The state of each alert, once all are known and the silenced ones are suppressed."""
    answered = answer(f"{url}/api/v2/alerts?filter=trial%3D%22{trial['trial']}%22")
    found: list[dict[str, Any]] = json.loads(answered or "[]")
    states = {_key(each["labels"]): str(each["status"]["state"]) for each in found}
    known = set(states) == {_key(labels) for labels in everything} and "unprocessed" not in states.values()
    return states if known and all(states[_key({**each, **trial})] == "suppressed" for each in silenced) else None
