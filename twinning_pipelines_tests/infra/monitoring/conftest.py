"""A Prometheus and an Alertmanager with the files that we ship, in a hurry, and what they watch."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from twinning_pipelines_tests.free_ports import free_port
from twinning_pipelines_tests.infra.monitoring.running import running
from twinning_pipelines_tests.infra.monitoring.shipped import ALERTMANAGER, PROMETHEUS
from twinning_pipelines_tests.infra.programs import UNPACKED, needs


@dataclass
class Listener:
    """A small server: tells `figures` at /metrics, and keeps what is sent to it, by its path."""

    figures: str = ""
    heard: list[tuple[str, Any]] = field(default_factory=list)
    url: str = ""


@dataclass(frozen=True, slots=True)
class Watchers:
    """Where Prometheus and Alertmanager answer, and the server that is watched and told."""

    prometheus: str
    alertmanager: str
    listener: Listener


def _handler(listener: Listener) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(listener.figures.encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.heard.append((self.path, json.loads(body)))
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *said: object) -> None:
            pass

    return Handler


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    """A listener on the loopback."""
    it = Listener()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(it)) as server:
        thread = Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        it.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield it
        server.shutdown()
        thread.join(5)


def _hurried(text: str) -> str:
    """Rules and routes that wait for seconds where they wait for minutes and hours."""
    text = re.sub(r"^( *)for: \w+$", r"\1for: 3s", text, flags=re.MULTILINE)
    text = re.sub(r"^( *)interval: \w+$", r"\1interval: 1s", text, flags=re.MULTILINE)
    return re.sub(r"group_(wait|interval): \w+", r"group_\1: 1s", text)


def _shipped_prometheus(folder: Path, targets: dict[str, str]) -> Path:
    """The shipped folder with all its targets, a second for each interval, and other addresses for some."""
    shutil.copytree(PROMETHEUS, folder, ignore=shutil.ignore_patterns("tests"))
    for rules in (folder / "rules").iterdir():
        rules.write_text(_hurried(rules.read_text(encoding="utf-8")), encoding="utf-8")
    template = folder / "optional" / "public.template.yml"
    public = template.read_text(encoding="utf-8").replace("${TWINNING_DOMAIN}", "example.org")
    template.unlink()
    (folder / "optional" / "public-hosts.yml").write_text(public, encoding="utf-8")
    path = folder / "prometheus.yml"
    text = re.sub(r"_(interval|timeout): \w+", r"_\1: 1s", path.read_text(encoding="utf-8"))
    text = text.replace("/etc/prometheus-optional/", f"{folder / 'optional'}/")
    for shipped, here in targets.items():
        assert f'"{shipped}"' in text, shipped
        text = text.replace(f'"{shipped}"', f'"{here}"')
    path.write_text(text, encoding="utf-8")
    return path


TEMPLATES = b"/usr/share/prometheus/alertmanager"


def _alertmanager(folder: Path) -> tuple[Path, Path]:
    """The program, and the folder to run it in.

    Debian's looks for its templates at one absolute path; unpacked elsewhere, a copy looks below where it runs.
    """
    found, unpacked = needs("prometheus-alertmanager"), UNPACKED.parent
    if Path(TEMPLATES.decode()).exists() or found.parent != UNPACKED:
        return found, folder
    copy = folder / "alertmanager"
    # A string of a Go program must keep its length.
    copy.write_bytes((unpacked / "usr" / "bin" / found.name).read_bytes().replace(TEMPLATES, TEMPLATES[1:] + b"/"))
    copy.chmod(0o755)
    return copy, unpacked


@pytest.fixture(scope="module")
def watchers(tmp_path_factory: pytest.TempPathFactory, listener: Listener) -> Iterator[Watchers]:
    """Prometheus and Alertmanager with the shipped files; the listener is `metrics` and hears every message."""
    prometheus, folder = needs("prometheus"), tmp_path_factory.mktemp("watchers")
    alertmanager, place = _alertmanager(folder)
    here, there = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    routes = folder / "alertmanager.yml"
    example = (ALERTMANAGER / "examples" / "webhook.yml").read_text(encoding="utf-8")
    routes.write_text(_hurried(re.sub(r"https://\w+\.example\.org", listener.url, example)), encoding="utf-8")
    config = _shipped_prometheus(
        folder / "prometheus",
        {"localhost:9090": here, "alertmanager:9093": there, "metrics:9464": listener.url.removeprefix("http://")},
    )
    log = folder / "log"
    with (
        running(
            [alertmanager, f"--config.file={routes}", f"--storage.path={folder / 'silences'}", f"--web.listen-address={there}",
             "--cluster.listen-address="],
            log,
            f"http://{there}/-/ready",
            place=place,
        ),
        running(
            [prometheus, f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address={here}",
             # What is sent before the first Alertmanager is known is lost until it is sent again.
             "--rules.alert.resend-delay=1s"],
            log,
            f"http://{here}/-/ready",
        ),
    ):  # fmt: skip
        yield Watchers(f"http://{here}", f"http://{there}", listener)
