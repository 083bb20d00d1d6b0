"""What can go wrong with one answer of a model server: each trouble turns a good answer into a bad one."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice

from twinning_pipelines_tests.far_sides.streaming_server import HangUp, Outgoing

Trouble = Callable[[Outgoing], Outgoing]


def json_line(document: object) -> bytes:
    """One line of NDJSON."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def refuse(status: int, words: str) -> Trouble:
    """Another status, with JSON as Ollama writes it."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return lambda out: replace(out, status=status, headers=headers, chunks=[json.dumps({"error": words}).encode()])


def send_on(location: str) -> Trouble:
    """A redirect."""
    return lambda out: replace(out, status=307, headers={"Location": location}, chunks=[b""])


def page(html: bytes = b"<html><body>Welcome to the Wi-Fi</body></html>") -> Trouble:
    """A page with status 200, of whatever stands before the server."""
    return lambda out: replace(out, headers={"Content-Type": "text/html"}, chunks=[html])


def packed() -> Trouble:
    """A packed answer that nobody asked for."""
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    return lambda out: replace(out, headers=headers, chunks=[gzip.compress(b" " * 1_000_000)])


def after(pieces: int, *instead: bytes) -> Trouble:
    """So many pieces, and then these instead of the rest; without any the answer ends there as if it were whole."""
    return lambda out: replace(out, chunks=_then(out.chunks, pieces, instead))


def break_off(pieces: int) -> Trouble:
    """So many pieces, and the connection drops."""
    return lambda out: replace(out, chunks=_hung_up(out.chunks, pieces))


def late(seconds: float) -> Trouble:
    """The first piece, with the head of the answer, comes late."""
    return lambda out: replace(out, chunks=_slow(out, first=seconds, later=0))


def trickle(seconds: float) -> Trouble:
    """So long a silence after each piece."""
    return lambda out: replace(out, chunks=_slow(out, first=0, later=seconds))


def endless(piece: bytes) -> Trouble:
    """One piece again and again, until nobody listens."""
    return lambda out: replace(out, chunks=iter(lambda: piece, None))


def _then(chunks: Iterable[bytes], pieces: int, instead: Iterable[bytes]) -> Iterator[bytes]:
    yield from islice(chunks, pieces)
    yield from instead


def _hung_up(chunks: Iterable[bytes], pieces: int) -> Iterator[bytes]:
    yield from islice(chunks, pieces)
    raise HangUp


def _slow(out: Outgoing, *, first: float, later: float) -> Iterator[bytes]:
    # Waits end when the server closes: no test hangs on them.
    out.closing.wait(first)
    for piece in out.chunks:
        yield piece
        if out.closing.wait(later):
            return
