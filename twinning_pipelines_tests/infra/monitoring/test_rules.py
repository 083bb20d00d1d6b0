"""Each alert says what to do, has a runbook, and is proved to fire and to be silent."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from dagster import ScheduleDefinition

from twinning_pipelines.definitions import defs
from twinning_pipelines_tests.infra.monitoring.shipped import (
    PROMETHEUS,
    RULE_FILES,
    RUNBOOKS,
    TEST_FILES,
    Alert,
    alerts,
    expectations,
    metrics_of,
    read,
    recorded,
)
from twinning_pipelines_tests.infra.programs import needs

ALERTS = pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
SEVERITIES = {"critical", "warning", "info", "none"}
ALWAYS_ON = {"Watchdog"}


def promtool(*arguments: str | Path, good: bool = True) -> str:
    """What promtool prints. good: it must be content."""
    said = subprocess.run(
        [needs("promtool"), *arguments], capture_output=True, text=True, timeout=240, check=False, cwd=PROMETHEUS
    )
    assert (said.returncode == 0) is good, said.stdout + said.stderr
    return said.stdout + said.stderr


def test_every_rule_file_is_looked_at() -> None:
    found = [
        rule["alert"]
        for path in RULE_FILES
        for group in read(path)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    assert sorted(found) == sorted(alert.name for alert in alerts())
    assert len(found) == len(set(found)) >= 50


@ALERTS
def test_an_alert_says_what_happened_what_it_means_and_what_to_do(alert: Alert) -> None:
    assert set(alert.annotations) == {"summary", "description", "runbook_url"}
    assert alert.labels["severity"] in SEVERITIES
    assert alert.annotations["runbook_url"] == f"docs/runbooks.md#{alert.name.lower()}"
    assert 15 < len(alert.annotations["summary"]) <= 130
    assert not alert.annotations["summary"].endswith(".")
    # What happened, what it means, what to do: no fewer than two sentences, and whole ones.
    assert alert.annotations["description"].endswith(".")
    assert len(re.findall(r"[.;:?](?: |$)", alert.annotations["description"])) >= 2


def test_the_runbooks_hold_one_section_for_each_alert_and_no_other() -> None:
    text = RUNBOOKS.read_text(encoding="utf-8")
    sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert sections == [alert.name for alert in alerts()]
    bodies = re.split(r"^##? .+$", text, flags=re.MULTILINE)
    assert all(len(body.strip()) > 80 for body in bodies if body.strip())
    links = set(re.findall(r"\(#(\w+)\)", text))
    assert links <= {name.lower() for name in sections}


@ALERTS
def test_an_alert_is_proved_to_fire_and_to_be_silent(alert: Alert) -> None:
    mine = [each for each in expectations() if each.alert == alert.name]
    assert any(each.firing for each in mine)
    assert any(not each.firing for each in mine) or alert.name in ALWAYS_ON


@ALERTS
def test_the_words_use_labels_that_the_alert_has(alert: Alert) -> None:
    used = set(re.findall(r"\$labels\.(\w+)", " ".join(alert.annotations.values())))
    for each in expectations():
        for firing in each.firing if each.alert == alert.name else ():
            assert used <= set(firing), firing


def test_no_unit_test_is_about_an_alert_that_is_gone() -> None:
    assert {each.alert for each in expectations()} <= {alert.name for alert in alerts()}


def test_what_rules_record_is_read_or_offered() -> None:
    read_by_rules = set[str]().union(
        *(metrics_of(expr) for expr in [*recorded().values(), *(a.expr for a in alerts())])
    )
    assert {name for name in read_by_rules if ":" in name} <= set(recorded())
    # For dashboards alone.
    assert set(recorded()) - read_by_rules == {"service:available:ratio30d"}


def test_promtool_is_content_with_the_rules() -> None:
    promtool("check", "rules", *RULE_FILES)


def test_promtool_is_content_with_the_configuration() -> None:
    promtool("check", "config", PROMETHEUS / "prometheus.yml")


@pytest.mark.parametrize("tests", TEST_FILES, ids=lambda path: path.stem)
def test_the_unit_tests_pass(tests: Path) -> None:
    promtool("test", "rules", tests)


def test_a_wrong_expectation_is_found(tmp_path: Path) -> None:
    wrong = read(PROMETHEUS / "tests" / "watch.yml")
    wrong["rule_files"] = [str(PROMETHEUS / "rules" / "watch.yml")]
    wrong["tests"] = wrong["tests"][:1]
    wrong["tests"][0]["promql_expr_test"][0]["exp_samples"] = []
    path = tmp_path / "wrong.yml"
    path.write_text(yaml.safe_dump(wrong), encoding="utf-8")
    assert "Watchdog" in promtool("test", "rules", path, good=False)


@pytest.mark.parametrize("tests", [path for path in TEST_FILES if path.stem != "long"], ids=lambda path: path.stem)
def test_the_words_of_every_firing_alert_can_be_put_together(tests: Path, tmp_path: Path) -> None:
    """promtool prints the words of an alert that it was not told to expect."""
    document = read(tests)
    document["rule_files"] = [str((tests.parent / each).resolve()) for each in document["rule_files"]]
    fires = set[str]()
    for test in document["tests"]:
        moments = [each for each in test.pop("promql_expr_test") if each["exp_samples"]]
        test["alert_rule_test"] = [
            {"eval_time": each["eval_time"], "alertname": each["expr"].split('"')[1], "exp_alerts": []}
            for each in moments
        ]
        fires |= {each["alertname"] for each in test["alert_rule_test"]}
    path = tmp_path / "words.yml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    said = promtool("test", "rules", path, good=False)
    assert fires <= set(re.findall(r'alertname[=:]"?(\w+)', said))
    assert 'summary="' in said
    for trouble in ("error expanding", "<no value>", "%!", "NaN"):
        assert trouble not in said


def test_a_success_is_expected_of_jobs_that_have_a_clock() -> None:
    text = (PROMETHEUS / "rules" / "twinning.yml").read_text()
    expected = set(re.findall(r'label_replace\(vector\([^)]*\), "job", "(\w+)"', text))
    assert expected == {
        schedule.job_name for schedule in defs.schedules or () if isinstance(schedule, ScheduleDefinition)
    }
