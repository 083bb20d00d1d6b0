"""What stands behind nginx in a test: services that tell what reached them, and Authelia's answers."""

import base64
import hashlib
import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar, Self
from urllib.parse import quote

from twinning_pipelines_tests.infra.proxy.shipped import DOMAIN

SESSIONS = {"twinning_session=owner": 200, "twinning_session=stranger": 403}
OWNER = {
    "Remote-User": "owner",
    "Remote-Groups": "admins",
    "Remote-Email": "owner@example.org",
    "Remote-Name": "The Owner",
}


class _Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name: ClassVar[str]

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Upgrade") == "websocket":
            self._speak_websocket()
            return
        said = {
            "service": self.name,
            "method": self.command,
            "path": self.path,
            "headers": [[key.lower(), value] for key, value in self.headers.items()],
            "bytes": len(body),
        }
        status = int(self.path.rpartition("/status/")[2]) if "/status/" in self.path else 200
        # What a service may say on its own, and nginx must not let through.
        self.reply(
            status,
            {"X-Frame-Options": "ALLOWALL", "X-Powered-By": "PHP/5", "Strict-Transport-Security": "max-age=0"},
            json.dumps(said).encode(),
        )

    def reply(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _speak_websocket(self) -> None:
        key = (self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key).digest()).decode())
        self.end_headers()
        self.wfile.write(self.connection.recv(64))
        self.close_connection = True

    def __getattr__(self, name: str) -> object:
        # Every method, WebDAV's too: the server looks for do_<METHOD>.
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Says nothing: pytest shows what failed."""


class _Authelia(_Service):
    """The AuthRequest endpoint of Authelia, as its documentation has it; the rest of it answers like any service."""

    def answer(self) -> None:
        if self.path != "/api/authz/auth-request":
            super().answer()
            return
        address, method = self.headers.get("X-Original-URL"), self.headers.get("X-Original-Method")
        # Like the real one, it takes no answer from what a client could have said.
        if not address or not method or any(self.headers.get(name) for name in ("Authorization", "X-Forwarded-Uri")):
            self.reply(400, {})
            return
        cookies = self.headers.get("Cookie", "").split("; ")
        status = next((SESSIONS[cookie] for cookie in cookies if cookie in SESSIONS), 401)
        if status == 401:
            portal = f"https://auth.{DOMAIN}/?rd={quote(address, safe='')}&rm={method}"
            self.reply(401, {"Location": portal})
        else:
            self.reply(status, OWNER if status == 200 else {})


class FarSide:
    """One service on a loopback port, in a thread of its own."""

    def __init__(self, name: str, port: int = 0) -> None:
        handler = type(name, (_Authelia if name == "authelia" else _Service,), {"name": name})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
