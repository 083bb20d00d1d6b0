"""The shipped configuration, moved to loopback ports and a scratch folder. The mapping below is all that differs."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from twinning_pipelines_tests.free_ports import free_ports
from twinning_pipelines_tests.infra.programs import REPOSITORY, program

NGINX = REPOSITORY / "infra" / "nginx"
CERTIFICATES = REPOSITORY / "infra" / "certificates"
DOMAIN = "home.twinning.test"

PORTS = (3000, 3001, 8000, 8080, 8081, 8086, 8443, 8999, 9090, 9093)
SERVICES = {
    "authelia": "authelia:9091",
    "dagster": "webserver:3000",
    "grafana": "grafana:3000",
    "prometheus": "prometheus:9090",
    "alertmanager": "alertmanager:9093",
    "influxdb": "influxdb:8086",
    "firefly": "firefly:8080",
    "nextcloud": "nextcloud:80",
}
DOORS = {
    3000: "grafana",
    3001: "dagster",
    8080: "nextcloud",
    8081: "firefly",
    8086: "influxdb",
    9090: "prometheus",
    9093: "alertmanager",
}
GATES = {
    "dagster": "dagster",
    "grafana": "grafana",
    "prometheus": "prometheus",
    "alerts": "alertmanager",
    "influx": "influxdb",
    "firefly": "firefly",
}


@contextlib.contextmanager
def nobody() -> Iterator[str]:
    """Host and port of a place that stays taken, and where nobody answers."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


@dataclass(frozen=True, slots=True)
class Scratch:
    """Folders and ports that stand for the container's."""

    folder: Path
    ports: Mapping[int, int]
    services: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, folder: Path, services: Mapping[str, str] | None = None) -> Self:
        """New folders below `folder`. `services` maps a name of SERVICES to host:port; the others are not there."""
        *ports, silent = free_ports(len(PORTS) + 1)
        scratch = cls(folder, dict(zip(PORTS, ports, strict=True)) | {53: silent}, services or {})
        for each in (scratch.run, scratch.store, scratch.webroot):
            each.mkdir(parents=True)
        _copy(NGINX, folder / "nginx", scratch.mapping())
        _copy(CERTIFICATES, folder / "certificates.d", scratch.mapping())
        return scratch

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def store(self) -> Path:
        return self.folder / "certificates"

    @property
    def webroot(self) -> Path:
        return self.folder / "acme"

    def mapping(self) -> list[tuple[str, str]]:
        """Patterns in the shipped files, and what stands there in a test."""
        return [
            (r"/tmp/nginx\b", str(self.run)),
            (r"(?<=[ =])/certificates\b", str(self.store)),
            (r"(?<=[ =])/acme\b", str(self.webroot)),
            (r"resolver 127\.0\.0\.11 ", f"resolver 127.0.0.1:{self.ports[53]} "),
            (r"resolver_timeout 3s", "resolver_timeout 1s"),
            *((rf"\blisten {port}\b", f"listen 127.0.0.1:{here}") for port, here in self.ports.items()),
            *((rf'"{re.escape(SERVICES[name])}"', f'"{address}"') for name, address in self.services.items()),
        ]

    def environment(self, **more: str) -> dict[str, str]:
        """What a container of ours gets, and a PATH that has the programs."""
        nginx = program("nginx")
        path = os.pathsep.join([*([str(nginx.parent)] if nginx else []), os.environ["PATH"]])
        return {"PATH": path, "TWINNING_DOMAIN": DOMAIN, "TWINNING_CERTIFICATE_SECONDS": "0.2"} | more

    def start(self, *arguments: str) -> list[str]:
        """The command that starts nginx."""
        # Only root may name a user; its workers would not be let into a folder of pytest's.
        as_root = ["-g", "user root;"] if os.geteuid() == 0 else []
        return ["/bin/sh", str(self.folder / "nginx" / "start"), *arguments, *as_root]

    def keep(self, *verb: str, tls: str = "local-ca", **more: str) -> "subprocess.CompletedProcess[str]":
        """One call of the keeper of certificates."""
        return subprocess.run(
            ["/bin/sh", str(self.folder / "certificates.d" / "keep"), *verb],
            env=self.environment(TWINNING_TLS=tls, **more),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def _copy(source: Path, target: Path, mapping: list[tuple[str, str]]) -> None:
    target.mkdir()
    for path in source.iterdir():
        text = path.read_text()
        for pattern, instead in mapping:
            text = re.sub(pattern, instead, text)
        (target / path.name).write_text(text)
        shutil.copymode(path, target / path.name)


class RunningNginx:
    """nginx as `start` runs it, until the block ends."""

    def __init__(self, scratch: Scratch, **environment: str) -> None:
        self.scratch = scratch
        self._environment = scratch.environment(**environment)
        self._log = scratch.folder / "access.log"
        self._errors = scratch.folder / "errors.log"

    def __enter__(self) -> Self:
        with self._log.open("ab") as log, self._errors.open("ab") as errors:
            self._process = subprocess.Popen(
                self.scratch.start(), env=self._environment, stdout=log, stderr=errors, start_new_session=True
            )
        self.wait_until(lambda: self.answers(8999), "nginx did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=60)
        # As the end of a container does: nothing that `start` left behind sees the next one.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def port(self, shipped: int) -> int:
        """Where a port of the container is."""
        return self.scratch.ports[shipped]

    def answers(self, shipped: int) -> bool:
        """Whether a port of the container speaks HTTP or TLS; `nginx -t` listens for a moment too, but says nothing."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port(shipped)), 5) as client:
            # TLS or not, this gets a reply: an answer, or the complaint that TLS is spoken here.
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return bool(client.recv(1))
        return False

    def alive(self) -> bool:
        """Whether the process that was started still runs."""
        return self._process.poll() is None

    def access_lines(self) -> list[str]:
        """The access log so far."""
        return self._log.read_text().splitlines()

    def errors(self) -> str:
        """The error log so far."""
        return self._errors.read_text()

    def wait_until(self, true: Callable[[], bool], otherwise: str, seconds: float = 60) -> None:
        """Looks again and again until `true()` holds. Raises AssertionError after `seconds`."""
        until = time.monotonic() + seconds
        while not true():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"{otherwise}:\n{self.errors()}")
            time.sleep(0.02)
