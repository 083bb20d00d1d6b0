"""An HTTP server on a loopback port whose answers come piece by piece, as a language model makes them."""

import socket
import ssl
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Self

_STREAMED = ("application/x-ndjson", "text/event-stream")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An answer on its way. chunks: what is sent, piece by piece; one piece alone is sent whole, with its length."""

    status: int
    headers: dict[str, str]
    chunks: Iterable[bytes]
    closing: Event = field(default_factory=Event)


class HangUp(Exception):
    """The connection drops here."""


class StreamingServer:
    """A server in a thread of its own. closing: set when it ends."""

    def __init__(self) -> None:
        self.closing = Event()
        self._server = _Server(self)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def speak_tls(self, context: ssl.SSLContext) -> None:
        """From now on https alone; each connection shakes hands in its own thread."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    def answer(self, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> Outgoing:
        """Carries a request out."""
        raise NotImplementedError


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, owner: StreamingServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing of those who hang up; of anything else as ever."""
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        out = self.server.owner.answer(self.command, self.path, dict(self.headers), raw)
        try:
            self.send(out)
        except HangUp:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        except OSError:
            # Whoever asked is gone; the voice stops when its answer is closed.
            self.close_connection = True
        finally:
            if hasattr(out.chunks, "close"):
                out.chunks.close()

    do_GET = do_POST = do_HEAD = serve  # noqa: N815 -- names of the standard library

    def send(self, out: Outgoing) -> None:
        chunks = iter(out.chunks)
        first = next(chunks, b"")
        self.send_response(out.status)
        for name, value in out.headers.items():
            self.send_header(name, value)
        streamed = out.headers.get("Content-Type", "").startswith(_STREAMED)
        self.send_header(*(("Transfer-Encoding", "chunked") if streamed else ("Content-Length", str(len(first)))))
        self.end_headers()
        if not streamed:
            self.wfile.write(first)
            return
        self.chunk(first)
        for piece in chunks:
            self.chunk(piece)
        self.wfile.write(b"0\r\n\r\n")

    def chunk(self, piece: bytes) -> None:
        if piece:
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Says nothing."""
