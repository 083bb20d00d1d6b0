"""pebble, the ACME server of Let's Encrypt's own tests, on loopback: it really visits the names it vouches for."""

import json
import os
import shutil
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx

from twinning_pipelines_tests.free_ports import free_ports
from twinning_pipelines_tests.infra.programs import program
from twinning_pipelines_tests.infra.proxy.shipped import Scratch


def certbot() -> Path | None:
    """certbot of this environment, or on PATH."""
    beside = Path(sys.executable).parent / "certbot"
    found = str(beside) if beside.exists() else shutil.which("certbot")
    return Path(found) if found else None


class Pebble:
    """pebble and the name server it asks, until the block ends. Every name is 127.0.0.1, port 80 is the scratch's."""

    def __init__(self, scratch: Scratch) -> None:
        self._folder = scratch.folder / "pebble"
        self._port80 = scratch.ports[8000]
        self._acme, self._management, self._dns, self._dns_management, self._port443 = free_ports(5)
        self._processes = list[subprocess.Popen[bytes]]()

    @property
    def environment(self) -> dict[str, str]:
        """What the keeper of certificates needs to come here."""
        return {
            "TWINNING_ACME_SERVER": f"https://localhost:{self._acme}/dir",
            "TWINNING_OWNER_EMAIL": "owner@example.org",
            "REQUESTS_CA_BUNDLE": str(self._folder / "own.pem"),
            "PATH": f"{certbot().parent}{os.pathsep}{os.environ['PATH']}",  # type: ignore[union-attr]
        }

    def authority(self, target: Path) -> Path:
        """Writes the root that pebble's certificates come from; another at each start of it."""
        with httpx.Client(verify=False, trust_env=False) as client:
            target.write_text(client.get(f"https://localhost:{self._management}/roots/0").text)
        return target

    def __enter__(self) -> Self:
        self._folder.mkdir()
        key, own = self._folder / "own.key", self._folder / "own.pem"
        made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        made += ["-keyout", str(key), "-out", str(own), "-days", "2", "-subj", "/CN=localhost"]
        made += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        subprocess.run(made, check=True, capture_output=True)
        settings = {
            "listenAddress": f"127.0.0.1:{self._acme}",
            "managementListenAddress": f"127.0.0.1:{self._management}",
            "certificate": str(own),
            "privateKey": str(key),
            "httpPort": self._port80,
            "tlsPort": self._port443,
        }
        (self._folder / "settings.json").write_text(json.dumps({"pebble": settings}))
        names = ["-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", f"127.0.0.1:{self._dns}"]
        silent = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-management", f"127.0.0.1:{self._dns_management}"]
        self._start("pebble-challtestsrv", *names, *silent)
        self._start("pebble", "-config", str(self._folder / "settings.json"), "-dnsserver", f"127.0.0.1:{self._dns}")
        try:
            self._wait(own)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
            process.wait(timeout=10)

    def _start(self, name: str, *arguments: str) -> None:
        environment = {"PATH": os.environ["PATH"], "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
        with (self._folder / f"{name}.log").open("wb") as log:
            self._processes.append(
                subprocess.Popen([str(program(name)), *arguments], env=environment, stdout=log, stderr=log)
            )

    def _wait(self, own: Path) -> None:
        trusted = ssl.create_default_context(cafile=str(own))
        until = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"https://localhost:{self._acme}/dir", verify=trusted, trust_env=False).raise_for_status()
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
            else:
                return
