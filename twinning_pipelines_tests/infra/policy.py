"""What every service of the stack must hold, judged on the resolved configuration (`docker compose config --format json`).

Each rule takes the name of a service and its mapping and yields sentences about what is wrong. What may differ is named here
with its reason, so that the list of exceptions is the list of what we trust somebody else to do.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

Service = Mapping[str, Any]
Rule = Callable[[str, Service], Iterator[str]]

PROFILES = {"core", "ai", "ai-pull", "monitoring", "edge", "backup", "scale"}

# Who may reach the outside, and what for.
GOES_OUT = {
    "nginx": "publishes the ports",
    "code": "collectors and webhooks that a person set up",
    "certbot": "asks an authority for certificates",
    "alertmanager": "sends word where a person says so",
    "ollama-pull": "fetches a model when asked",
    "whisper-pull": "fetches a model when asked",
}
# Ports that the whole world may see, on a server with a name.
WORLD = {("nginx", "80"), ("nginx", "443")}
WRITES_ITS_ROOT = {
    "nextcloud": "its start installs the application and writes Apache's configuration",
    "nextcloud-cron": "the same image",
    "firefly": "its start caches configuration beside the program",
    "firefly-init": "the same image",
}
CAPABILITIES = {
    "nextcloud": {"CHOWN", "SETUID", "SETGID", "DAC_OVERRIDE", "FOWNER", "NET_BIND_SERVICE"},
    "nextcloud-cron": {"CHOWN", "SETUID", "SETGID", "DAC_OVERRIDE", "FOWNER", "NET_BIND_SERVICE"},
    "folders": {"CHOWN", "FOWNER", "DAC_OVERRIDE", "FSETID"},
}
IS_ROOT = {
    "nextcloud": "its start drops root by itself",
    "nextcloud-cron": "the same",
    "folders": "gives volumes their owners, without a network",
    "certbot": "certificates belong to root; it has no capability at all",
    "ollama": "models are below /root in its image; it has no capability at all",
    "ollama-pull": "the same image",
}
CANNOT_ANSWER = {"nginx-exporter": "its image holds one program and no shell; Prometheus sees whether it answers"}
SEES_THE_HOST = {"node-exporter": "measures the machine, read-only"}

# Without these an image calls home. Facts: the sources and manuals of each, versions as pinned.
SWITCHES: Mapping[str, Mapping[str, str]] = {
    "influxdb": {"INFLUXD_REPORTING_DISABLED": "true"},
    "grafana/grafana": {
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_ANALYTICS_FEEDBACK_LINKS_ENABLED": "false",
        "GF_NEWS_NEWS_FEED_ENABLED": "false",
        "GF_SECURITY_DISABLE_GRAVATAR": "true",
        "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",
        "GF_PLUGINS_PREINSTALL_AUTO_UPDATE": "false",
        "GF_PLUGINS_PLUGIN_ADMIN_ENABLED": "false",
        "GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED": "true",
    },
    "fireflyiii/core": {"ENABLE_EXTERNAL_RATES": "false", "ENABLE_EXTERNAL_MAP": "false", "TRACKER_URL": ""},
    "ollama/ollama": {"OLLAMA_NO_CLOUD": "1"},
    "ghcr.io/speaches-ai/speaches": {
        "DO_NOT_TRACK": "1",
        "GRADIO_ANALYTICS_ENABLED": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    },
}

_PRIVATE = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7")
_TAG = re.compile(r"^(?P<name>[^@]+):(?P<tag>[^:/@]+)(?P<digest>@sha256:[0-9a-f]{64})?$")
_SECRET_NAME = re.compile(r"PASS|TOKEN|SECRET|_KEY$|CREDENTIAL", re.IGNORECASE)
_ALWAYS_WELL = re.compile(r"^(true|:|exit 0|/bin/true)$|--?version", re.IGNORECASE)


def lives_long(service: Service) -> bool:
    """Is it meant to stay up?"""
    return bool(service.get("restart", "no") != "no")


def pinned(_name: str, service: Service) -> Iterator[str]:
    """An image says which version it is; a word that moves is none."""
    image = service.get("image", "")
    match = _TAG.match(image)
    if match is None:
        yield f"image {image!r} names no tag"
    elif not re.search(r"\d+\.\d+", match["tag"]):
        yield f"image {image!r}: the tag {match['tag']!r} moves"


def published(name: str, service: Service) -> Iterator[str]:
    """Ports are for this machine or its private network; the world sees 80 and 443 of nginx alone."""
    for port in service.get("ports", []):
        number, host = str(port.get("published", "")), port.get("host_ip", "")
        if name != "nginx":
            yield f"publishes {number}: nginx alone publishes"
        if (name, number) not in WORLD and (not host or not _is_private(host)):
            yield f"port {number} is open on {host or 'all interfaces'}"


def _is_private(host: str) -> bool:
    return any(ip_address(host) in ip_network(each) for each in _PRIVATE)


def healthy(name: str, service: Service) -> Iterator[str]:
    """Who stays up can say whether it is well, and may say no."""
    if not lives_long(service) or name in CANNOT_ANSWER:
        return
    test = service.get("healthcheck", {}).get("test") or []
    if not test or test[0] == "NONE" or service["healthcheck"].get("disable"):
        yield "has no health check"
    elif _ALWAYS_WELL.search(" ".join(test[1:])):
        yield f"its health check can't fail: {test}"


def limited(_name: str, service: Service) -> Iterator[str]:
    """Memory, processor and processes have a limit, and so have logs."""
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    for what in ("memory", "cpus", "pids"):
        if not limits.get(what):
            yield f"no limit of {what}"
    options = service.get("logging", {}).get("options", {})
    if not {"max-size", "max-file"} <= set(options):
        yield "its log may grow for ever"


def hardened(name: str, service: Service) -> Iterator[str]:
    """No privilege that is not named above."""
    if service.get("cap_drop") != ["ALL"]:
        yield "keeps capabilities"
    if more := set(service.get("cap_add", [])) - CAPABILITIES.get(name, set()):
        yield f"adds the capabilities {', '.join(sorted(more))}"
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield "may gain privileges"
    if not service.get("read_only") and name not in WRITES_ITS_ROOT:
        yield "its root file system is writable"
    if str(service.get("user", "0")).split(":")[0] in {"0", "root", ""} and name not in IS_ROOT:
        yield "runs as root"
    for key in ("privileged", "pid", "ipc", "uts", "userns_mode", "devices", "network_mode"):
        if service.get(key):
            yield f"has {key}"


def restarts(_name: str, service: Service) -> Iterator[str]:
    """It comes back by itself, or is meant to end."""
    if service.get("restart") not in {"unless-stopped", "no"}:
        yield f"restart is {service.get('restart')!r}"


def stays_in(name: str, service: Service) -> Iterator[str]:
    """Only the named few may reach the outside."""
    networks = set(service.get("networks", {}))
    if unknown := networks - {"data", "edge"}:
        yield f"is on {', '.join(sorted(unknown))}"
    if "edge" in networks and name not in GOES_OUT:
        yield "has a way out that it does not need"


def keeps_secrets(_name: str, service: Service) -> Iterator[str]:
    """What is secret is a file; its name may stand in the environment, never the thing itself."""
    for variable, value in service.get("environment", {}).items():
        if not _SECRET_NAME.search(variable) or value in {None, "", "true", "false"}:
            continue
        if not variable.endswith("_FILE") or not str(value).startswith(("/run/secrets/", "/tokens/")):
            yield f"the environment holds {variable}"


def calls_nobody(_name: str, service: Service) -> Iterator[str]:
    """Every switch that keeps an image from calling home is set."""
    image = service.get("image", "").split("@")[0].rsplit(":", 1)[0]
    environment = service.get("environment", {})
    for variable, wanted in SWITCHES.get(image, {}).items():
        if str(environment.get(variable)) != wanted:
            yield f"{variable} is {environment.get(variable)!r}, not {wanted!r}"


def mounts(name: str, service: Service) -> Iterator[str]:
    """Data lives in named volumes; what is mounted from the checkout is read-only, and nothing holds Docker's socket."""
    for mount in service.get("volumes", []):
        source = str(mount.get("source", ""))
        if "docker.sock" in source:
            yield "holds Docker's socket"
        if mount["type"] == "bind" and not mount.get("read_only"):
            yield f"may write to {source}"
        if mount["type"] == "bind" and "/infra/" not in source and name not in SEES_THE_HOST:
            yield f"mounts {source}"
        if mount["type"] == "volume" and not source:
            yield f"an unnamed volume at {mount.get('target')}"


def waits(_name: str, service: Service) -> Iterator[str]:
    """What it needs is healthy, or done, before it starts."""
    for other, how in service.get("depends_on", {}).items():
        if how.get("condition") not in {"service_healthy", "service_completed_successfully"}:
            yield f"does not wait for {other} to be well"


def in_a_profile(_name: str, service: Service) -> Iterator[str]:
    """Nothing starts unasked."""
    profiles = set(service.get("profiles", []))
    if not profiles or profiles - PROFILES:
        yield f"profiles are {sorted(profiles)}"


RULES: tuple[Rule, ...] = (
    pinned,
    published,
    healthy,
    limited,
    hardened,
    restarts,
    stays_in,
    keeps_secrets,
    calls_nobody,
    mounts,
    waits,
    in_a_profile,
)


def findings(config: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with a resolved configuration, a sentence each."""
    wrong = [
        f"{name}: {sentence}"
        for name, service in sorted(config["services"].items())
        for rule in RULES
        for sentence in rule(name, service)
    ]
    if not config["networks"]["data"].get("internal"):
        wrong.append("the network `data` has a way out")
    return wrong
