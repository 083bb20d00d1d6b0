"""What the suite changes in the real compose file: images, where secrets lie, and which ports of this machine are used.

Everything else (networks, volumes, users, capabilities, limits, health checks, order) stays as it is shipped.
"""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from twinning_pipelines_tests.free_ports import free_port

# What Debian has no package of is stood in for by a server that answers 200 to everything, on the port of the original.
ANSWERING = {"grafana": 3000, "firefly": 8080, "nextcloud": 80, "authelia": 9091, "ollama": 11434, "whisper": 8000}
# One-shots and helpers of those servers do nothing here: they exit, or they wait.
IDLE = {
    # Version 1.6 knows no tokens: nobody accepts what these files hold.
    "influxdb-init": "echo nothing >/tokens/influxdb_twinning; echo nothing >/tokens-grafana/influxdb_grafana",
    "firefly-init": "echo nothing >/tokens/firefly_twinning",
    "nextcloud-cron": "exec sleep infinity",
    "certbot": "exec sleep infinity",
}
_ANSWER = """
import http.server
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"stand-in\\n")
    do_HEAD = do_POST = do_PROPFIND = do_GET
    def log_message(self, *told):
        pass
http.server.ThreadingHTTPServer(("", {port}), Answer).serve_forever()
"""
# Commands of the published images that the packaged version lacks.
_HEALTH = {"influxdb": ["CMD", "influx", "-execute", "show databases"]}
_LENGTHS = {"firefly_app_key": 32, "firefly_cron_token": 32}


def override(config: Mapping[str, Any], image_of: Callable[[str], str | None], base: str) -> dict[str, Any]:
    """The override of a resolved compose file. `image_of` says what stands in for a published image."""
    services = {name: _service(name, service, image_of, base) for name, service in config["services"].items()}
    return {"services": services}


def write_secrets(names: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Writes a random file for each secret; answers the values by name."""
    folder.mkdir(mode=0o700)
    values = {name: secrets.token_hex(_LENGTHS.get(name, 64) // 2) for name in names}
    for name, value in values.items():
        (folder / name).write_text(value, encoding="ascii")
        (folder / name).chmod(0o444)
    return values


class _Dumper(yaml.SafeDumper):
    """Writes compose's own tag for a list that replaces the one below it."""


class Replaced(list[Any]):
    """A list that replaces that of the file below instead of being appended to it."""


_Dumper.add_representer(Replaced, lambda dumper, data: dumper.represent_sequence("!override", data))


def dump(document: Mapping[str, Any]) -> str:
    """An override as YAML."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False)


def _service(name: str, service: Mapping[str, Any], image_of: Callable[[str], str | None], base: str) -> dict[str, Any]:
    changed: dict[str, Any] = {"image": image_of(service["image"]), "pull_policy": "never"}
    if name in ANSWERING:
        port = ANSWERING[name]
        probe = f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{port}/', timeout=3)"
        changed |= {
            "image": base,
            "entrypoint": Replaced(["python3", "-c", _ANSWER.format(port=port)]),
            "command": Replaced(),
            "healthcheck": {"test": Replaced(["CMD", "python3", "-c", probe])},
        }
    elif name in IDLE:
        changed |= {"image": base, "entrypoint": Replaced(["sh", "-c", IDLE[name]]), "command": Replaced()}
        if "healthcheck" in service and not service["healthcheck"].get("disable"):
            changed["healthcheck"] = {"test": Replaced(["CMD", "true"])}
    elif name in _HEALTH:
        changed["healthcheck"] = {"test": Replaced(_HEALTH[name])}
    if service.get("ports"):
        changed["ports"] = Replaced(
            f"{port.get('host_ip', '0.0.0.0')}:{free_port()}:{port['target']}" for port in service["ports"]
        )
    assert changed["image"], f"nothing stands in for {service['image']} of {name}"
    return changed
