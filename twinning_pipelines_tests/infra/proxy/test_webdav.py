"""Nextcloud's way of files: a strict WebDAV server behind the gate and the door."""

import base64
import hashlib
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from xml.etree import ElementTree

import httpx
import pytest

from twinning_pipelines_tests.infra.programs import needs
from twinning_pipelines_tests.infra.proxy.shipped import DOMAIN, RunningNginx, Scratch
from twinning_pipelines_tests.infra.proxy.visitor import Visitor

APP_PASSWORD = f"Basic {base64.b64encode(b'owner:app-password').decode()}"
wsgidav = pytest.importorskip("wsgidav.wsgidav_app", reason="wsgidav is not installed")


class _Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory, files: Path) -> Iterator[RunningNginx]:
    """nginx with a WebDAV server where Nextcloud is."""
    needs("nginx")
    needs("openssl")
    app = wsgidav.WsgiDAVApp(
        {
            "provider_mapping": {"/remote.php/dav": str(files)},
            "simple_dc": {"user_mapping": {"*": {"owner": {"password": "app-password"}}}},
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
            "logging": {"enable": False},
            "verbose": 0,
        }
    )

    def bounded(environ: dict[str, Any], start_response: Any) -> Any:
        # The body ends where its length says; the bare connection would wait for more.
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        return app(environ, start_response)

    with make_server("127.0.0.1", 0, bounded, server_class=_Threaded, handler_class=_Silent) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        scratch = Scratch.at(tmp_path_factory.mktemp("dav") / "x", {"nextcloud": f"127.0.0.1:{server.server_port}"})
        assert scratch.keep("once").returncode == 0
        with RunningNginx(scratch) as nginx:
            yield nginx
        server.shutdown()
        thread.join()


class Device:
    """A sync client with an app password, at the gate or at the door."""

    def __init__(self, visitor: Visitor, place: str) -> None:
        self._visitor = visitor
        self._place = place
        port = visitor.nginx.port(8080)
        self.root = f"https://cloud.{DOMAIN}" if place == "gate" else f"http://127.0.0.1:{port}"

    def asks(
        self, method: str, path: str, headers: dict[str, str] | None = None, content: bytes = b""
    ) -> httpx.Response:
        """One WebDAV request."""
        asked = {"Authorization": APP_PASSWORD} | (headers or {})
        whole = f"/remote.php/dav/{path}"
        if self._place == "gate":
            return self._visitor.gate("cloud", whole, method, headers=asked, content=content)
        return self._visitor.door(8080, whole, method, headers=asked, content=content)


@pytest.fixture(params=["gate", "door"])
def device(visitor: Visitor, request: pytest.FixtureRequest) -> Device:
    return Device(visitor, request.param)


def test_put_move_copy_list_delete(device: Device, files: Path) -> None:
    assert device.asks("MKCOL", "Inbox").status_code == 201
    assert device.asks("PUT", "Inbox/a b.csv", content=b"rows").status_code == 201
    goal = {"Destination": f"{device.root}/remote.php/dav/Inbox/m%C3%A4rz%20%23.csv", "Overwrite": "F"}
    assert device.asks("MOVE", "Inbox/a b.csv", goal).status_code == 201
    assert (files / "Inbox" / "märz #.csv").read_bytes() == b"rows"
    copy = {"Destination": f"{device.root}/remote.php/dav/Inbox/copy.csv"}
    assert device.asks("COPY", "Inbox/märz %23.csv", copy).status_code == 201
    listed = device.asks("PROPFIND", "Inbox/", {"Depth": "1"})
    assert listed.status_code == 207
    names = {href.text for href in ElementTree.fromstring(listed.content).iter("{DAV:}href")}
    assert names == {f"/remote.php/dav/Inbox/{name}" for name in ("", "copy.csv", "m%C3%A4rz%20%23.csv")}
    assert device.asks("GET", "Inbox/copy.csv").content == b"rows"
    assert device.asks("DELETE", "Inbox/").status_code == 204
    assert not (files / "Inbox").exists()


def test_a_move_to_another_server_is_the_services_to_refuse(device: Device) -> None:
    assert device.asks("PUT", "kept.csv", content=b"rows").status_code in {201, 204}
    assert device.asks("MOVE", "kept.csv", {"Destination": "https://evil.example/x.csv"}).status_code == 502
    assert device.asks("GET", "kept.csv").content == b"rows"


def test_without_a_password_nothing_moves(visitor: Visitor) -> None:
    answer = visitor.gate("cloud", "/remote.php/dav/", "PROPFIND")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_large_file_goes_through_unbuffered(device: Device, files: Path, nginx: RunningNginx) -> None:
    """Larger than what other services may get, and nothing of it is left in nginx's folder."""
    content = bytes(range(256)) * (24 * 4096)
    assert device.asks("PUT", "large.bin", content=content).status_code in {201, 204}
    assert hashlib.sha256((files / "large.bin").read_bytes()).digest() == hashlib.sha256(content).digest()
    kept = nginx.scratch.run
    assert not [path for path in kept.rglob("*") if path.is_file() and path.suffix not in {".pid", ".conf"}]
    assert "buffered to a temporary file" not in nginx.errors()
    assert device.asks("GET", "large.bin").content == content
    assert "buffered to a temporary file" not in nginx.errors()
