"""A strict stand-in for a speech server in OpenAI's transcription dialect, as speaches speaks it.

The form is parsed to the byte; a field that the real one does not know, lacks or can't read is a 422. What is heard in a
recording is canned by its sha256; a recording that nobody canned can't be decoded.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Event, Thread
from typing import Self

from twinning_pipelines.engines.speech import Segment
from twinning_pipelines_tests.far_sides.scripted_server import Reply, Request, ScriptedServer

PATH = "/v1/audio/transcriptions"
_FIELDS = frozenset(
    {"file", "model", "language", "prompt", "response_format", "temperature", "stream", "hotwords", "vad_filter"}
)
_FORMATS = frozenset({"text", "json", "verbose_json", "srt", "vtt"})
_DISPOSITION = re.compile(r'form-data; name="([^"]+)"(?:; filename="([^"]+)")?')


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form: its file name and content type, where it has them."""

    content: bytes
    filename: str | None
    kind: str | None


def parts_of(request: Request) -> dict[str, Part]:
    """The parts of a form by name. Raises ValueError for whatever is not to the letter."""
    found = re.fullmatch(
        r"multipart/form-data; boundary=([0-9A-Za-z'()+_,./:=?-]{1,70})", request.headers["Content-Type"]
    )
    if found is None:
        raise ValueError("no form")
    if int(request.headers["Content-Length"]) != len(request.body):
        raise ValueError("not of the length that was told")
    mark = b"--" + found[1].encode()
    before, *pieces, after = (b"\r\n" + request.body).split(b"\r\n" + mark)
    if before or after != b"--\r\n":
        raise ValueError("no beginning or no end")
    parts = dict[str, Part]()
    for piece in pieces:
        head, gap, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode("ascii").split("\r\n"))
        named = _DISPOSITION.fullmatch(headers.pop("Content-Disposition"))
        kind = headers.pop("Content-Type", None)
        if named is None or not gap or headers or named[1] in parts:
            raise ValueError("a part that is none")
        parts[named[1]] = Part(content, named[2], kind)
    return parts


class FakeSpeech(ScriptedServer):
    """The server. `heard`: segments by the sha256 of a recording; `models`: those that are installed."""

    def __init__(self, models: Sequence[str] = ("small",)) -> None:
        super().__init__()
        self.models = set(models)
        self.heard = dict[str, Sequence[Segment]]()
        self.language = "en"
        self.forms = list[dict[str, Part]]()

    def can(self, recording: bytes, *segments: Segment) -> None:
        """Says what is heard in a recording."""
        self.heard[hashlib.sha256(recording).hexdigest()] = segments

    @property
    def asked(self) -> int:
        """How many transcriptions were asked for."""
        return sum(request.path == PATH for request, _ in self.exchanges)

    def answer(self, request: Request) -> Reply:
        """Routes."""
        if request.path != PATH:
            return Reply.of(404, {"detail": "Not Found"})
        if request.method != "POST":
            return Reply.of(405, {"detail": "Method Not Allowed"})
        try:
            parts = parts_of(request)
        except (KeyError, ValueError) as wrong:
            return Reply.of(422, {"detail": [{"type": "form", "loc": ["body"], "msg": str(wrong)}]})
        self.forms.append(parts)
        return self._wrong(parts) or self._transcription(parts)

    def _wrong(self, parts: Mapping[str, Part]) -> Reply | None:
        missing = [_fault("missing", name, "Field required") for name in ("file", "model") if name not in parts]
        unknown = [_fault("extra_forbidden", name, "Not permitted") for name in parts if name not in _FIELDS]
        texts = {name: part.content.decode() for name, part in parts.items() if name != "file"}
        literal = [] if texts.get("response_format", "json") in _FORMATS else ["response_format"]
        literal += [] if texts.get("vad_filter", "true") in {"true", "false"} else ["vad_filter"]
        literal += [] if re.fullmatch("[a-z]{2,3}", texts.get("language", "en")) else ["language"]
        faults = [*missing, *unknown, *(_fault("literal_error", name, "Not one of them") for name in literal)]
        if faults:
            return Reply.of(422, {"detail": faults})
        if parts["file"].filename is None:
            return Reply.of(422, {"detail": [_fault("value_error", "file", "Expected UploadFile")]})
        if texts["model"] not in self.models:
            said = f"Model '{texts['model']}' is not installed locally. You can download it with `POST /v1/models`"
            return Reply.of(404, {"detail": said})
        return None

    def _transcription(self, parts: Mapping[str, Part]) -> Reply:
        segments = self.heard.get(hashlib.sha256(parts["file"].content).hexdigest())
        if segments is None:
            return Reply.of(415, {"detail": "Failed to decode audio. The provided file type is not supported."})
        text = "".join(each.text for each in segments).strip()
        if parts["response_format"].content != b"verbose_json":
            return Reply.of(200, {"text": text})
        told = [_segment(number, each) for number, each in enumerate(segments)]
        duration = max((each.end for each in segments), default=1.0)
        language = parts["language"].content.decode() if "language" in parts else self.language
        document = {"language": language, "duration": duration, "text": text, "segments": told, "words": None}
        return Reply.of(200, document)


def _fault(kind: str, name: str, message: str) -> dict[str, object]:
    return {"type": kind, "loc": ["body", name], "msg": message, "input": None}


def _segment(number: int, segment: Segment) -> dict[str, object]:
    return {
        "id": number + 1,
        "seek": int(segment.start * 100),
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "tokens": [50_364, 50_464],
        "temperature": 0.0,
        "avg_logprob": segment.logprob,
        "compression_ratio": 1.1,
        "no_speech_prob": segment.no_speech,
    }


class TricklingSpeech:
    """A server that never comes to an end: after the head, which it may send or not, a blank now and then."""

    def __init__(self, *, with_head: bool) -> None:
        head = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
            if with_head
            else b"HTTP/1.1 200 OK\r\nX-Slow: "
        )
        over = self._over = Event()

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                self.request.recv(1 << 16)
                with suppress(OSError):
                    self.request.sendall(head)
                    while not over.wait(0.02):
                        self.request.sendall(b" ")

        self._server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"
