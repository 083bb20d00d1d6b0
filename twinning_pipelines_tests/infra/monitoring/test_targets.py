"""Who is asked is who runs: each target is a service of the Compose files, and watched with the profile that starts it."""

from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest

from twinning_pipelines_tests.infra.monitoring.shipped import PROMETHEUS, metrics_of, read
from twinning_pipelines_tests.infra.programs import REPOSITORY

INFRA = REPOSITORY / "infra"
OPTIONAL = PROMETHEUS / "optional"


@cache
def services(file: str) -> dict[str, dict[str, Any]]:
    """The services of one Compose file."""
    found: dict[str, dict[str, Any]] = read(INFRA / file)["services"]
    return found


def profiles_of(service: str) -> set[str]:
    """The profiles that start a service of the main file."""
    return set(services("compose.yaml")[service]["profiles"])


def _host(target: str) -> str:
    return str(urlsplit(target if "//" in target else f"//{target}").hostname)


def _entries(path: Any) -> Iterator[tuple[str, dict[str, str]]]:
    for group in read(path):
        for target in group["targets"]:
            yield _host(target), group["labels"]


def test_what_is_always_watched_always_runs() -> None:
    for host, labels in _entries(PROMETHEUS / "targets" / "probe-core.yml"):
        assert profiles_of(host) <= {"core", "monitoring"}, host
        for needed in labels["needs"].split("+"):
            assert needed == "none" or profiles_of(needed) == {"core"}, needed
    for job in read(PROMETHEUS / "prometheus.yml")["scrape_configs"]:
        for group in job.get("static_configs", []):
            hosts = {_host(target) for target in group["targets"]} - {"localhost"}
            assert all(profiles_of(host) <= {"core", "monitoring"} for host in hosts), hosts


@pytest.mark.parametrize(("file", "profile"), [("probe-ai", "ai"), ("probe-edge", "edge"), ("scrape-edge", "edge")])
def test_what_a_profile_starts_is_watched_with_it(file: str, profile: str) -> None:
    hosts = {host for host, _ in _entries(OPTIONAL / f"{file}.yml")}
    assert hosts
    assert all(profiles_of(host) == {profile} for host in hosts)


def test_the_machine_is_watched_where_its_exporter_runs() -> None:
    assert [host for host, _ in _entries(OPTIONAL / "scrape-node.yml")] == ["node-exporter"]
    assert "node-exporter" in services("compose.vps.yaml")
    assert "node-exporter" not in services("compose.yaml")


def test_targets_that_are_always_mounted_are_the_core() -> None:
    assert [path.name for path in (PROMETHEUS / "targets").iterdir()] == ["probe-core.yml"]


def test_every_service_that_answers_is_watched() -> None:
    """A service of the core with a health check of its own is probed, tells figures, or is named here with its reason."""
    watched = {host for path in PROMETHEUS.glob("*/*.yml") if path.parent.name in ("targets", "optional")
               for host, _ in _entries(path)}  # fmt: skip
    watched |= {_host(target) for job in read(PROMETHEUS / "prometheus.yml")["scrape_configs"]
                for group in job.get("static_configs", []) for target in group["targets"]}  # fmt: skip
    elsewhere = {
        "daemon": "DaemonSilent, by its heartbeat",
        "firefly-cron": "has no port",
        "nextcloud-cron": "has no port",
        "certbot": "CertificateExpiresSoon, by what it makes",
    }
    answering = {name for name, service in services("compose.yaml").items()
                 if "test" in service.get("healthcheck", {}) and service.get("restart") != "no"}  # fmt: skip
    assert answering - watched == set(elsewhere)


def test_the_way_in_is_that_of_every_door() -> None:
    """What people open is asked the way they come, so that 99.5 % mean what they meet."""
    doors = {
        labels["service"]
        for _, labels in _entries(PROMETHEUS / "targets" / "probe-core.yml")
        if labels["path"] == "door"
    }
    assert doors == {"dagster", "grafana", "influxdb", "firefly", "nextcloud", "prometheus", "alertmanager"}
    public = {labels["service"] for _, labels in _entries(OPTIONAL / "public.template.yml")}
    assert public == doors | {"authelia"}
    assert metrics_of('avg_over_time(probe_success{path=~"door|public"}[5m])') == {"probe_success"}
