"""An HTTP server on a loopback port whose network misbehaves as a test says."""

import gzip
import json
import socket
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent. `body` is unpacked."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server says."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, body: object, **headers: str) -> "Reply":
        """A JSON reply."""
        return cls(status, json.dumps(body).encode(), {"Content-Type": "application/json; charset=utf-8"} | headers)


@dataclass(frozen=True, slots=True)
class Instead:
    """A fault: this reply, and the request is not looked at."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class HangUp:
    """A fault: the connection is dropped without an answer, before or after the request was carried out."""

    stored: bool


@dataclass(frozen=True, slots=True)
class HalfAnswer:
    """A fault: the request is carried out, and the connection drops in the middle of the answer."""


Fault = Instead | HangUp | HalfAnswer


class ScriptedServer:
    """A server in a thread of its own. Each request takes the next entry of `script`; None is no fault."""

    def __init__(self) -> None:
        self.script = deque[Fault | None]()
        self.exchanges = list[tuple[Request, Reply]]()
        self._lock = Lock()
        self._server = _Server(self)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, request: Request) -> Reply:
        """Carries a request out."""
        raise NotImplementedError

    def meet(self, request: Request) -> tuple[Reply, Fault | None]:
        """The reply and what happens to it on the way. One request at a time."""
        with self._lock:
            fault = self.script.popleft() if self.script else None
            if isinstance(fault, Instead):
                reply = fault.reply
            elif fault == HangUp(stored=False):
                reply = Reply(0)
            else:
                reply = self.answer(request)
            self.exchanges.append((request, reply))
            return reply, fault


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, owner: ScriptedServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") in {"gzip", "x-gzip"}:
            try:
                body = gzip.decompress(body)
            except OSError:
                self.send(Reply.of(500, {"code": "internal error", "message": "An internal error has occurred"}))
                return
        parts = urlsplit(self.path)
        request = Request(self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers), body)
        reply, fault = self.server.owner.meet(request)
        if isinstance(fault, HangUp | HalfAnswer):
            self.break_off(reply if isinstance(fault, HalfAnswer) else None)
        else:
            self.send(reply)

    do_GET = do_POST = do_DELETE = do_PUT = serve  # noqa: N815 -- names of the standard library

    def send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        headers = dict(reply.headers) | ({} if reply.status == 204 else {"Content-Length": str(len(reply.body))})
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def break_off(self, reply: Reply | None) -> None:
        if reply is not None:
            start = f"HTTP/1.1 {reply.status} Cut\r\nContent-Length: {len(reply.body)}\r\n\r\n".encode()
            self.wfile.write(start + reply.body[: len(reply.body) // 2] if reply.body else b"HTT")
            self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Says nothing."""
