"""The shipped blackbox modules ask real servers, and tell the good from the bad."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

import pytest

from twinning_pipelines_tests.free_ports import free_port
from twinning_pipelines_tests.infra.monitoring.running import answer, running
from twinning_pipelines_tests.infra.monitoring.shipped import BLACKBOX
from twinning_pipelines_tests.infra.programs import needs

HEALTHY = '{"installed":true,"maintenance":false,"needsDbUpgrade":false,"version":"34.0.3.1"}'
HOST_MATTERS = "cloud.example.org"


@pytest.fixture(scope="module")
def blackbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A blackbox exporter with the shipped modules."""
    program, port = needs("prometheus-blackbox-exporter"), free_port()
    log = tmp_path_factory.mktemp("blackbox") / "log"
    url = f"http://127.0.0.1:{port}"
    with running([program, f"--config.file={BLACKBOX}", f"--web.listen-address=127.0.0.1:{port}"], log, url):
        yield url


@contextmanager
def serving(status: int, body: str, tls: ssl.SSLContext | None = None, host: str | None = None) -> Iterator[int]:
    """A server with one answer for everything; with `host` only for those who ask for that name. Its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            good = host is None or self.headers["Host"] == host
            self.send_response(status if good else 400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *said: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join(5)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate of ten days that its own key signed."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not here")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "10", "-subj",
         f"/CN={HOST_MATTERS}", "-keyout", path, "-out", path.with_suffix(".crt")],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return path


def _tls(certificate: Path, newest: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.with_suffix(".crt"), certificate)
    context.maximum_version = newest
    return context


def probed(blackbox: str, **words: str) -> dict[str, float]:
    """What a probe tells: its value by the name of each metric without labels."""
    told = answer(f"{blackbox}/probe?{urlencode(words)}") or ""
    lines = (line.split() for line in told.splitlines() if line and not line.startswith("#") and "{" not in line)
    return {name: float(value) for name, value in lines}


@pytest.mark.parametrize(
    ("module", "status", "body", "good"),
    [
        ("http_ok", 200, "", True),
        ("http_ok", 302, "", False),
        ("http_ok", 503, "", False),
        ("grafana", 200, '{\n  "database": "ok",\n  "version": "13.1.3"\n}', True),
        ("grafana", 200, '{\n  "database": "failing"\n}', False),
        ("nextcloud", 200, HEALTHY, True),
        ("nextcloud", 200, HEALTHY.replace('"maintenance":false', '"maintenance":true'), False),
        ("nextcloud", 200, '{"installed":false,"maintenance":false}', False),
        ("nextcloud", 400, '{"error": "Trusted domain error.", "code": 15}', False),
    ],
)
def test_an_answer_is_judged(blackbox: str, module: str, status: int, body: str, good: bool) -> None:
    with serving(status, body) as port:
        assert probed(blackbox, module=module, target=f"http://127.0.0.1:{port}/")["probe_success"] == good


def test_a_port_is_open_or_not(blackbox: str) -> None:
    with serving(200, "") as port:
        assert probed(blackbox, module="tcp", target=f"127.0.0.1:{port}")["probe_success"] == 1
    assert probed(blackbox, module="tcp", target=f"127.0.0.1:{free_port()}")["probe_success"] == 0


def test_nobody_listens(blackbox: str) -> None:
    assert probed(blackbox, module="http_ok", target=f"http://127.0.0.1:{free_port()}/")["probe_success"] == 0


@pytest.mark.parametrize(("status", "good"), [(200, 1), (302, 1), (401, 1), (403, 0), (502, 0)])
def test_a_public_name_answers_over_tls(blackbox: str, certificate: Path, status: int, good: int) -> None:
    with serving(status, "", _tls(certificate, ssl.TLSVersion.TLSv1_3), HOST_MATTERS) as port:
        asked = {"module": "https_public", "target": f"https://127.0.0.1:{port}/"}
        told = probed(blackbox, **asked, hostname=HOST_MATTERS)
        assert told["probe_success"] == good
        assert told["probe_ssl_earliest_cert_expiry"] > 0
        assert probed(blackbox, **asked, hostname="other.example.org")["probe_success"] == 0


def test_an_old_tls_is_no_answer(blackbox: str, certificate: Path) -> None:
    with serving(200, "", _tls(certificate, ssl.TLSVersion.TLSv1_2)) as port:
        assert probed(blackbox, module="https_public", target=f"https://127.0.0.1:{port}/")["probe_success"] == 0


def test_a_public_name_without_tls_is_no_answer(blackbox: str) -> None:
    with serving(200, "") as port:
        assert probed(blackbox, module="https_public", target=f"http://127.0.0.1:{port}/")["probe_success"] == 0
