"""A small web server for Prometheus: `/metrics`, and `/-/healthy` for whoever watches the process itself."""

import logging
import socket
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from urllib.parse import urlsplit

from twinning_pipelines.errors import WrongUsage

log = logging.getLogger(__name__)

Answer = Callable[[str], tuple[str, bytes]]
_PLAIN = "text/plain; charset=utf-8"
_SECONDS_PER_REQUEST = 30


def address_of(text: str) -> tuple[str, int]:
    """HOST:PORT; an IPv6 host stands in brackets. Raises WrongUsage."""
    host, _, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not bare or (":" in bare and bare == host) or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise WrongUsage(f"{text!r} is not HOST:PORT such as 127.0.0.1:9464 or [::1]:9464")
    return bare, int(port)


class MetricsServer(ThreadingHTTPServer):
    """Answers on one address until `shutdown`. Raises WrongUsage where the address can't be had."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], answer: Answer) -> None:
        self.answer = answer
        host, port = address
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Handler)
        except OSError as trouble:
            raise WrongUsage(f"can't listen on {host}:{port}: {trouble.strerror or trouble}") from trouble

    @property
    def url(self) -> str:
        """Where the metrics are."""
        host = f"[{self.server_name}]" if ":" in self.server_name else self.server_name
        return f"http://{host}:{self.server_port}/metrics"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def server_bind(self) -> None:
        """Binds without asking a name server what our own host is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    server: MetricsServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "twinning", ""
    timeout = _SECONDS_PER_REQUEST

    def do_GET(self) -> None:
        """Answers a request."""
        status, content_type, body = self._found()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815

    def _found(self) -> tuple[HTTPStatus, str, bytes]:
        path = urlsplit(self.path).path
        if path == "/-/healthy":
            return HTTPStatus.OK, _PLAIN, b"healthy\n"
        if path != "/metrics":
            return HTTPStatus.NOT_FOUND, _PLAIN, b"there is /metrics\n"
        try:
            return HTTPStatus.OK, *self.server.answer(self.headers.get("Accept", ""))
        except Exception as trouble:  # noqa: BLE001  (whoever asks is told that something is wrong; its words may hold anything)
            log.warning("metrics: no answer: %s", type(trouble).__name__)
            return HTTPStatus.INTERNAL_SERVER_ERROR, _PLAIN, b"no answer\n"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (as http.server names it)
        """Requests are no news."""
        log.debug(format, *args)
