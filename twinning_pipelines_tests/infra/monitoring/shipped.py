"""What `infra/prometheus` and `infra/alertmanager` ship, as values to look at."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from twinning_pipelines_tests.infra.programs import REPOSITORY

PROMETHEUS = REPOSITORY / "infra" / "prometheus"
ALERTMANAGER = REPOSITORY / "infra" / "alertmanager"
BLACKBOX = REPOSITORY / "infra" / "blackbox" / "blackbox.yml"
RUNBOOKS = REPOSITORY / "docs" / "runbooks.md"
RULE_FILES = tuple(sorted((PROMETHEUS / "rules").glob("*.yml")))
TEST_FILES = tuple(sorted((PROMETHEUS / "tests").glob("*.yml")))

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_LABELS = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)|\{[^}]*\}|\[[^\]]*\]")
_NAME = re.compile(r"(?<![\w.])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])")
_WORDS = frozenset({"and", "or", "unless", "offset", "bool"})


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule as its file has it."""

    name: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass(frozen=True, slots=True)
class Expected:
    """What one unit test expects of an alert at one moment: the labels of each series that fires."""

    alert: str
    firing: tuple[dict[str, str], ...]


def read(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _rules() -> Iterator[dict[str, Any]]:
    # In the order in which the runbooks tell them.
    for name in ("twinning", "host", "stores", "reach", "backup", "watch"):
        for group in read(PROMETHEUS / "rules" / f"{name}.yml")["groups"]:
            yield from group["rules"]


@cache
def alerts() -> tuple[Alert, ...]:
    """Every alerting rule."""
    return tuple(
        Alert(rule["alert"], rule["expr"], rule["labels"], rule["annotations"]) for rule in _rules() if "alert" in rule
    )


@cache
def recorded() -> dict[str, str]:
    """Every recording rule: its expression by its name."""
    return {rule["record"]: rule["expr"] for rule in _rules() if "record" in rule}


def metrics_of(expression: str) -> set[str]:
    """The names of the metrics that an expression reads."""
    bare = _LABELS.sub(" ", _QUOTED.sub('""', expression))
    return {name for name in _NAME.findall(bare) if name not in _WORDS}


@cache
def expectations() -> tuple[Expected, ...]:
    """What the unit tests expect of alerts."""
    return tuple(
        Expected(
            found[1],
            tuple(dict(re.findall(r'(\w+)="([^"]*)"', sample["labels"])) for sample in each["exp_samples"]),
        )
        for path in TEST_FILES
        for test in read(path)["tests"]
        for each in test["promql_expr_test"]
        if (found := re.match(r'ALERTS\{alertname="(\w+)", alertstate="firing"\}$', each["expr"]))
    )
