"""The stack as Compose understands it: every overlay and profile resolves, and holds the policy."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines_tests.infra import policy
from twinning_pipelines_tests.infra.composed import INFRA, OVERLAYS, compose_command, composed
from twinning_pipelines_tests.infra.policy import CAPABILITIES, GOES_OUT, IS_ROOT, SWITCHES, WRITES_ITS_ROOT, findings


@pytest.fixture(scope="module")
def compose() -> list[str]:
    """Compose v2, or no test."""
    command = compose_command()
    if command is None:
        pytest.skip("Docker Compose v2 is not here: infra/programs unpacks it on Debian 12")
    return command


@pytest.fixture(scope="module")
def everything(compose: list[str]) -> dict[str, Any]:
    """The server's stack with every profile, its gates open."""
    return composed(compose, "open vps", variables={"TWINNING_PUBLIC": "0.0.0.0"})


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_overlay_holds_the_policy(compose: list[str], overlay: str) -> None:
    assert findings(composed(compose, overlay)) == []


@pytest.mark.parametrize("profile", ["core", "monitoring", "edge", "ai"])
def test_every_profile_stands_beside_core(compose: list[str], profile: str) -> None:
    config = composed(compose, "vps", ["core", profile])
    assert {"postgres", "code", "nginx"} <= set(config["services"])
    assert all(set(service["profiles"]) & {"core", profile} for service in config["services"].values())


def test_nothing_starts_unasked(compose: list[str]) -> None:
    assert not composed(compose, "vps", [])["services"]


def test_every_service_that_was_promised_is_there(everything: dict[str, Any]) -> None:
    promised = (
        "nextcloud firefly influxdb grafana prometheus postgres redis code webserver daemon metrics ollama whisper nginx "
        "authelia certbot alertmanager blackbox node-exporter postgres-exporter redis-exporter nginx-exporter"
    )
    assert set(promised.split()) <= set(everything["services"])


def test_the_doors_are_on_loopback_unless_a_private_address_is_named(compose: list[str]) -> None:
    for overlay in OVERLAYS:
        nginx = composed(compose, overlay, variables={"TWINNING_PUBLIC": "0.0.0.0"})["services"]["nginx"]
        doors = {
            port["published"]: port["host_ip"] for port in nginx["ports"] if port["published"] not in {"80", "443"}
        }
        assert set(doors) == {"3000", "3001", "8080", "8081", "8086", "9090", "9093"}
        assert set(doors.values()) == {"127.0.0.1"}
    at_wireguard = composed(compose, "mac", variables={"TWINNING_BIND": "10.13.0.1"})
    assert {port["host_ip"] for port in at_wireguard["services"]["nginx"]["ports"]} == {"10.13.0.1"}
    assert findings(at_wireguard) == []


def test_the_world_sees_the_gates_where_they_are_opened_and_nothing_else(compose: list[str]) -> None:
    for overlay in OVERLAYS:
        nginx = composed(compose, overlay, variables={"TWINNING_PUBLIC": "0.0.0.0"})["services"]["nginx"]
        seen = {port["published"] for port in nginx["ports"] if port["host_ip"] == "0.0.0.0"}
        assert seen == ({"80", "443"} if overlay.startswith("open") else set())


def test_a_public_address_for_the_doors_is_refused(compose: list[str]) -> None:
    opened = findings(composed(compose, "vps", variables={"TWINNING_BIND": "0.0.0.0"}))
    assert len([sentence for sentence in opened if "is open on 0.0.0.0" in sentence]) == 7


def test_every_exception_is_still_used(everything: dict[str, Any]) -> None:
    services = everything["services"]
    on_edge = {name for name, service in services.items() if "edge" in service["networks"]}
    assert on_edge == set(GOES_OUT)
    assert {name for name, service in services.items() if not service.get("read_only")} == set(WRITES_ITS_ROOT)
    assert {name: set(service["cap_add"]) for name, service in services.items() if "cap_add" in service} == CAPABILITIES
    as_root = {name for name, each in services.items() if str(each.get("user", "0")).split(":")[0] == "0"}
    assert as_root == set(IS_ROOT)
    assert set(SWITCHES) <= {service["image"].rsplit(":", 1)[0] for service in services.values()}


def test_every_secret_is_a_file_that_somebody_reads(everything: dict[str, Any]) -> None:
    read = {secret["source"] for service in everything["services"].values() for secret in service.get("secrets", [])}
    assert read == set(everything["secrets"])
    for secret in everything["secrets"].values():
        assert Path(secret["file"]).parent == INFRA / "secrets"


def test_every_volume_is_used(everything: dict[str, Any]) -> None:
    used = {
        mount["source"]
        for service in everything["services"].values()
        for mount in service.get("volumes", [])
        if mount["type"] == "volume"
    }
    assert used == set(everything["volumes"])


def test_what_is_mounted_from_the_checkout_is_there(everything: dict[str, Any]) -> None:
    missing = {
        mount["source"]
        for service in everything["services"].values()
        for mount in service.get("volumes", [])
        if mount["type"] == "bind" and not Path(mount["source"]).exists()
    }
    assert missing == set()


Spoil = Callable[[dict[str, Any]], None]


def _put(*path: str) -> Callable[[Any], Spoil]:
    def value(given: Any) -> Spoil:
        def spoil(service: dict[str, Any]) -> None:
            inner = service
            for step in path[:-1]:
                inner = inner.setdefault(step, {})
            inner[path[-1]] = given

        return spoil

    return value


FAULTS: dict[str, tuple[str, Spoil, str]] = {
    "no tag": ("redis", _put("image")("redis"), "names no tag"),
    "latest": ("redis", _put("image")("redis:latest"), "moves"),
    "a major alone": ("redis", _put("image")("redis:8"), "moves"),
    "a port of another service": (
        "redis",
        _put("ports")([{"published": "6379", "host_ip": "127.0.0.1"}]),
        "nginx alone",
    ),
    "a door on all interfaces": ("nginx", _put("ports")([{"published": "3000"}]), "is open on all interfaces"),
    "a door on a public address": (
        "nginx",
        _put("ports")([{"published": "3000", "host_ip": "198.51.100.7"}]),
        "is open",
    ),
    "no health check": ("grafana", _put("healthcheck")({}), "has no health check"),
    "a health check switched off": ("grafana", _put("healthcheck")({"test": ["NONE"]}), "has no health check"),
    "a health check that can't fail": ("grafana", _put("healthcheck", "test")(["CMD-SHELL", "exit 0"]), "can't fail"),
    "no memory limit": ("code", _put("deploy", "resources", "limits", "memory")(None), "no limit of memory"),
    "no limit of processes": ("code", _put("deploy", "resources", "limits", "pids")(None), "no limit of pids"),
    "an endless log": ("code", _put("logging")({}), "may grow for ever"),
    "a capability": ("code", _put("cap_add")(["NET_ADMIN"]), "adds the capabilities NET_ADMIN"),
    "all capabilities": ("code", _put("cap_drop")([]), "keeps capabilities"),
    "privileges to gain": ("code", _put("security_opt")([]), "may gain privileges"),
    "a writable root": ("code", _put("read_only")(False), "is writable"),
    "root": ("code", _put("user")("0:0"), "runs as root"),
    "privileged": ("code", _put("privileged")(True), "has privileged"),
    "the host's network": ("code", _put("network_mode")("host"), "has network_mode"),
    "no restart": ("code", _put("restart")("on-failure"), "restart is"),
    "a way out": ("postgres", _put("networks")({"data": None, "edge": None}), "has a way out"),
    "a network of its own": ("postgres", _put("networks")({"default": None}), "is on default"),
    "a password in the environment": ("code", _put("environment", "PGPASSWORD")("secret"), "holds PGPASSWORD"),
    "a token that is no file": (
        "code",
        _put("environment", "TWINNING_INFLUX_TOKEN_FILE")("abc"),
        "the environment holds",
    ),
    "telemetry of Grafana": ("grafana", _put("environment", "GF_ANALYTICS_REPORTING_ENABLED")("true"), "not 'false'"),
    "telemetry of InfluxDB": ("influxdb", _put("environment", "INFLUXD_REPORTING_DISABLED")(None), "not 'true'"),
    "the cloud of Ollama": ("ollama", _put("environment", "OLLAMA_NO_CLOUD")("0"), "not '1'"),
    "Docker's socket": (
        "code",
        _put("volumes")([{"type": "bind", "source": "/var/run/docker.sock", "read_only": True}]),
        "holds Docker's socket",
    ),
    "a writable folder of the host": (
        "code",
        _put("volumes")([{"type": "bind", "source": "/x/infra/y"}]),
        "may write to",
    ),
    "a foreign folder of the host": (
        "code",
        _put("volumes")([{"type": "bind", "source": "/etc", "read_only": True}]),
        "mounts /etc",
    ),
    "an unnamed volume": ("code", _put("volumes")([{"type": "volume", "target": "/data"}]), "an unnamed volume"),
    "a start that does not wait": (
        "code",
        _put("depends_on")({"postgres": {"condition": "service_started"}}),
        "not wait",
    ),
    "no profile": ("code", _put("profiles")([]), "profiles are"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_policy_finds(everything: dict[str, Any], fault: str) -> None:
    name, spoil, sentence = FAULTS[fault]
    spoiled = deepcopy(everything)
    spoil(spoiled["services"][name])
    found = findings(spoiled)
    assert any(each.startswith(f"{name}: ") and sentence in each for each in found), found


def test_a_network_with_a_way_out_is_found(everything: dict[str, Any]) -> None:
    spoiled = deepcopy(everything)
    spoiled["networks"]["data"]["internal"] = False
    assert findings(spoiled) == ["the network `data` has a way out"]


def test_every_rule_has_found_something(everything: dict[str, Any]) -> None:
    """A rule that no planted fault wakes is a rule that can't fail."""
    woken = set()
    for name, spoil, _sentence in FAULTS.values():
        spoiled = deepcopy(everything["services"][name])
        spoil(spoiled)
        woken |= {rule.__name__ for rule in policy.RULES if list(rule(name, spoiled))}
    assert woken == {rule.__name__ for rule in policy.RULES}
