"""Requests to a model server that end in time, bring no more than is wanted, and leave the house only where that is allowed.

httpx bounds each read, not all of them, and neither a name's look-up nor a slow trickle: so a thread asks, and whoever
waits for it looks at the clock. At the deadline the connection is shut, which ends the thread as well.
"""

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import httpx
from msgspec import Struct, field

from twinning_pipelines.engines.home_address import is_at_home, is_home_name, server_address
from twinning_pipelines.engines.upload import Upload
from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable, TwinningError
from twinning_pipelines.formats.foreign_words import plain

MOST_BYTES = 16 * 1024**2
_CONNECT_SECONDS = 5.0
_LONGEST_LINE = 1024**2
_BROKEN = (httpx.HTTPError, OSError)
_BUSY = frozenset({408, 425, 429})


class Deadline:
    """A moment by which everything is done. `renew` begins its seconds again, for what may take long but must go on."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds, self._clock = seconds, clock
        self._began = self._at = clock()
        self.renew()

    def renew(self) -> None:
        """Gives it its seconds once more."""
        self._at = self._clock() + self.seconds

    @property
    def left(self) -> float:
        """Seconds until then; none left is 0 or less."""
        return self._at - self._clock()

    @property
    def passed(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._began


class _Head(Struct, frozen=True):
    status: int
    kind: str
    packed: bool
    location: str


class _Done:
    """The answer is over."""


_Piece = _Head | bytes | _Done | Exception


class ModelServer:
    """One server. token: a bearer token, shown nowhere. anywhere: it may be outside the home. settings: where both are set.

    FarSideUnavailable means that trying later is right, FarSideRefused that a person has to change something.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        anywhere: bool = False,
        settings: str = "TWINNING_MODEL",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Opens no connection. Raises ValueError for a URL or a token that no request could carry."""
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise ValueError("the token must be ASCII without blanks")
        self.address, self._token, self._anywhere, self._clock = server_address(url), token, anywhere, clock
        self.settings = settings

    def __repr__(self) -> str:
        return f"ModelServer({self.address!r})"

    @property
    def host(self) -> str:
        """Who is asked, as a person knows it."""
        return urlsplit(self.address).netloc

    def deadline(self, seconds: float) -> Deadline:
        """So many seconds from now, by this server's clock."""
        return Deadline(seconds, self._clock)

    def safe(self, words: object) -> str:
        """Words of the server: short, on one line, harmless, without the token."""
        return plain(str(words), (self._token,))

    @contextmanager
    def asked(
        self, method: str, path: str, body: object = None, *, deadline: Deadline, most_bytes: int = MOST_BYTES
    ) -> Iterator["Answer"]:
        """One request and its answer, whatever its status; a redirect is refused. Leaving shuts the connection.

        body: a JSON document, or an Upload. Raises FarSideUnavailable and FarSideRefused, as does reading the answer.
        """
        call = _Call(method, self.address + path, self._headers(body), body, deadline.left, most_bytes, self._anywhere)
        if deadline.left <= 0:
            raise self._too_late(deadline)
        try:
            Thread(target=call.run, name=f"asks {self.host}", daemon=True).start()
            head = self._received(call, deadline)
            if not isinstance(head, _Head):
                raise FarSideUnavailable(f"no answer from {self.host}")
            self._refuse_elsewhere(head)
            yield Answer(self, head.status, head.kind, lambda: self._received(call, deadline))
        finally:
            call.shut()

    def _headers(self, body: object) -> dict[str, str]:
        known = {"User-Agent": "Twinning/0.1", "Accept-Encoding": "identity", "Content-Type": "application/json"}
        if isinstance(body, Upload):
            known |= {"Content-Type": body.kind, "Content-Length": str(body.size)}
        return known | ({"Authorization": f"Bearer {self._token}"} if self._token else {})

    def _received(self, call: "_Call", deadline: Deadline) -> _Piece:
        left = deadline.left
        try:
            piece = call.pieces.get(timeout=left) if left > 0 else None
        except Empty:
            piece = None
        if piece is None:
            raise self._too_late(deadline)
        if isinstance(piece, Exception):
            raise self._trouble(piece) from None
        return piece

    def _too_late(self, deadline: Deadline) -> FarSideUnavailable:
        return FarSideUnavailable(f"{self.host} is not done answering after {deadline.seconds:g} s")

    def _trouble(self, fault: Exception) -> Exception:
        """What went wrong in the thread, as it concerns whoever asked; a fault of ours as it is."""
        said = self.safe(fault) or type(fault).__name__
        refusals = {
            _NotAtHome: f"is not at home: it leads to {said}; nothing was sent. {self.settings}_ANYWHERE=1 allows it",
            _Readable: "is not at home, and without https:// all would be readable on the way there",
            _TooMuch: f"answers with more than {said}",
            httpx.InvalidURL: f"is no address: {said}",
            UnicodeError: f"is no address: {said}",
        }
        for kind, sentence in refusals.items():
            if isinstance(fault, kind):
                return FarSideRefused(f"{self.host} {sentence}")
        if "CERTIFICATE_VERIFY_FAILED" in said:
            return FarSideRefused(f"the certificate of {self.host} is not trusted: {said}")
        if isinstance(fault, httpx.ConnectError | httpx.ConnectTimeout):
            return FarSideUnavailable(f"no answer from {self.host}: {said}; is it running?")
        return FarSideUnavailable(f"{self.host} broke off: {said}") if isinstance(fault, _BROKEN) else fault

    def _refuse_elsewhere(self, head: _Head) -> None:
        if 300 <= head.status < 400:
            there = self.safe(_host_of(head.location) or "another place")
            raise FarSideRefused(f"{self.host} sends us on to {there}, which is not followed; set its own address")
        if head.packed:
            raise FarSideRefused(f"{self.host} packs its answer, though it was asked not to")


class Answer(Struct, frozen=True):
    """An answer while it comes in. kind: its content type, in small letters, without parameters."""

    server: ModelServer
    status: int
    kind: str
    _next: Callable[[], _Piece]

    def lines(self) -> Iterator[str]:
        """Its lines, as they come. Raises FarSideUnavailable, FarSideRefused."""
        rest = bytearray()
        for block in self._blocks():
            rest += block
            *whole, tail = rest.split(b"\n")
            for line in whole:
                yield line.decode("utf-8", "replace").rstrip("\r")
            rest = bytearray(tail)
            if len(rest) > _LONGEST_LINE:
                raise FarSideRefused(f"{self.server.host} answers with a line of more than {_LONGEST_LINE // 1024} KiB")
        if rest:
            yield rest.decode("utf-8", "replace")

    def text(self) -> str:
        """All of it."""
        return b"".join(self._blocks()).decode("utf-8", "replace")

    def refusal(self, asked_for: str) -> TwinningError:
        """What an answer that is not 200 means: to try later, or to change something."""
        words = error_of(self.text())
        said = f"{self.server.host} answers HTTP {self.status} when asked {asked_for}"
        told = f"{said}: {self.server.safe(words)}" if words else said
        if self.status >= 500 or self.status in _BUSY:
            return FarSideUnavailable(told)
        if self.status in {401, 403}:
            return FarSideRefused(f"{told}; check {self.server.settings}_TOKEN")
        return FarSideRefused(told)

    def _blocks(self) -> Iterator[bytes]:
        while not isinstance(piece := self._next(), _Done):
            assert isinstance(piece, bytes)
            yield piece


class _NotAtHome(Exception):
    """A connection led out of the house."""


class _Readable(Exception):
    """A connection that may lead out of the house, but not in the clear."""


class _TooMuch(Exception):
    """The answer is longer than wanted."""


class _Call(Struct):
    """One request, carried out in a thread; `pieces` is how it tells what it gets."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: object
    seconds: float
    most_bytes: int
    anywhere: bool
    pieces: SimpleQueue[_Piece] = field(default_factory=SimpleQueue)
    _socket: socket.socket | None = None
    _over: Event = field(default_factory=Event)

    def run(self) -> None:
        """Asks, and hands on the head, the blocks and the end of the answer, or what went wrong."""
        try:
            self._ask()
        except Exception as fault:  # noqa: BLE001 -- whoever waits gets it, of whatever kind
            self.pieces.put(fault)

    def shut(self) -> None:
        """Ends it: the connection is shut under the thread's hands."""
        self._over.set()
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def _ask(self) -> None:
        # A little more than the deadline: whoever waits is to say that it is over.
        wait = self.seconds + 1
        timeout = httpx.Timeout(wait, connect=min(_CONNECT_SECONDS, wait))
        verify = _certificates() if self.url.startswith("https:") else False
        with (
            httpx.Client(timeout=timeout, verify=verify, trust_env=False, follow_redirects=False) as http,
            http.stream(
                self.method,
                self.url,
                content=_content(self.body),
                headers=self.headers,
                extensions={"trace": self._trace},
            ) as response,
        ):
            known = response.headers
            kind = known.get("Content-Type", "").partition(";")[0].strip().lower()
            packed = known.get("Content-Encoding", "identity").lower() != "identity"
            self.pieces.put(_Head(response.status_code, kind, packed, known.get("Location", "")))
            room = self.most_bytes
            for block in response.iter_raw():
                room -= len(block)
                if room < 0:
                    raise _TooMuch(f"{self.most_bytes / 1024**2:g} MiB")
                self.pieces.put(block)
        self.pieces.put(_Done())

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Looks at each new connection before anything is sent over it. TLS puts another socket in its place."""
        if event not in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            return
        stream = info["return_value"]
        self._socket = stream.get_extra_info("socket")
        peer, own = (str(stream.get_extra_info(end)[0]) for end in ("server_addr", "client_addr"))
        parts = urlsplit(self.url)
        at_home = is_at_home(peer) or peer == own or is_home_name(parts.hostname or "")
        if at_home and not self._over.is_set():
            return
        if self.anywhere and parts.scheme == "https" and not self._over.is_set():
            return
        stream.close()
        raise _Readable(peer) if self.anywhere else _NotAtHome(peer)


def _host_of(location: str) -> str | None:
    try:
        return urlsplit(location).hostname
    except ValueError:
        return None


def _content(body: object) -> bytes | Iterator[bytes] | None:
    if isinstance(body, Upload):
        return body.blocks()
    return None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


def json_object(text: str) -> dict[str, Any]:
    """A JSON object; an empty one for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def error_of(text: str) -> str:
    """The words of an error answer: `{"error": "…"}`, `{"error": {"message": "…"}}`, or whatever stands before the server."""
    found = json_object(text)
    error = found.get("error", found.get("message", ""))
    if isinstance(error, dict):
        error = error.get("message", "")
    return str(error) if found else text


def unfenced(text: str) -> str:
    """A reply without the ```json fence that some models put around it."""
    stripped = text.strip()
    first, line_end, rest = stripped.partition("\n")
    fenced = first.startswith("```") and first.strip("`").strip().lower() in {"", "json"} and rest.endswith("```")
    return rest[:-3].strip() if line_end and fenced else text
