"""A real HTTP server on loopback that speaks Ollama's API in front of any voice: a real llama.cpp, or written replies.

It follows Ollama 0.33's `server/routes.go`: which status, which words, which content type, what is streamed. Every answer
is held against Ollama's own description where that file is at hand; `complaints` then lists what does not fit.
"""

import hashlib
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from time import perf_counter_ns
from typing import Any

from twinning_pipelines_tests.far_sides.answer_troubles import Trouble, json_line
from twinning_pipelines_tests.far_sides.model_voices import Question, Speechless, Spoken, Voice
from twinning_pipelines_tests.far_sides.ollama_spec import complaints
from twinning_pipelines_tests.far_sides.streaming_server import Outgoing, StreamingServer

_JSON = {"Content-Type": "application/json; charset=utf-8"}
_LINES = {"Content-Type": "application/x-ndjson"}
_BUSY = "server busy, please try again.  maximum pending requests exceeded"
_TOO_LONG = "the prompt is longer than the context: the input length exceeds the context length"


@dataclass(frozen=True, slots=True)
class Card:
    """A model that the server has; with a remote_host it is elsewhere, `shows_remote` says whether its list tells so."""

    name: str
    size: int = 519_808
    context: int = 8192
    capabilities: tuple[str, ...] = ("completion",)
    remote_host: str = ""
    listed_as_remote: bool = True

    @property
    def digest(self) -> str:
        """Of its manifest: 64 hexadecimal digits."""
        return hashlib.sha256(self.name.encode()).hexdigest()

    @property
    def remote(self) -> dict[str, str]:
        """What is told of a model that is elsewhere."""
        return {"remote_model": self.name, "remote_host": self.remote_host} if self.remote_host else {}

    @property
    def details(self) -> dict[str, Any]:
        """Format and family."""
        family = {"family": "llama", "families": ["llama"]}
        return {"parent_model": "", "format": "gguf", **family, "parameter_size": "128K", "quantization_level": "F32"}

    def document(self) -> dict[str, Any]:
        """An entry of /api/tags."""
        about = {"name": self.name, "model": self.name, "modified_at": _now(), "size": self.size, "digest": self.digest}
        return about | {"details": self.details} | (self.remote if self.listed_as_remote else {})


class Refused(Exception):
    """An error answer: status and words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


class OllamaFront(StreamingServer):
    """The server. troubles: what goes wrong with the next answers of /api/chat and /api/pull; None is nothing.

    registry: what can be pulled, with its bytes. most_waiting: how many chats may be under way. requests: what came.
    """

    def __init__(
        self, voice: Voice, models: Sequence[Card] = (Card("tiny:latest"),), *, version: str = "0.33.0"
    ) -> None:
        super().__init__()
        self.voice, self.version = voice, version
        self.models = {card.name: card for card in models}
        self.loaded = dict[str, datetime]()
        self.registry = dict[str, int]()
        self.troubles = deque[Trouble | None]()
        self.most_waiting = 512
        self.requests = list[tuple[str, str, dict[str, Any]]]()
        self.complaints = list[str]()
        self._under_way, self._lock = 0, Lock()

    def asked(self, path: str) -> list[dict[str, Any]]:
        """The bodies of the requests to a path."""
        return [body for _, known, body in self.requests if known == path]

    def answer(self, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> Outgoing:
        """The answer to a request, and its trouble if one waits."""
        serve = {
            ("GET", "/"): lambda _: _text(200, "Ollama is running"),
            ("HEAD", "/"): lambda _: _text(200, ""),
            ("GET", "/api/version"): lambda _: _json(200, {"version": self.version}),
            ("GET", "/api/tags"): lambda _: _json(200, {"models": [each.document() for each in self.models.values()]}),
            ("GET", "/api/ps"): lambda _: _json(200, {"models": list(self._running())}),
            ("POST", "/api/show"): self._show,
            ("POST", "/api/chat"): self._chat,
            ("POST", "/api/pull"): self._pull,
        }.get((method, path))
        if serve is None:
            return _text(404, "404 page not found")
        body = dict[str, Any]()
        try:
            body = _body(raw) if method == "POST" else {}
            with self._lock:
                self.requests.append((method, path, body))
            out = serve(body)
        except Refused as refused:
            out = _json(refused.status, {"error": refused.words})
        if path in {"/api/chat", "/api/pull"} and self.troubles and (trouble := self.troubles.popleft()) is not None:
            return trouble(Outgoing(out.status, out.headers, out.chunks, self.closing))
        return Outgoing(out.status, out.headers, self._checked(method, path, body, out), self.closing)

    def _checked(self, method: str, path: str, body: dict[str, Any], out: Outgoing) -> Iterator[bytes]:
        for piece in out.chunks:
            if out.status == 200 and out.headers != _TEXT:
                self.complaints += complaints(method, path, body, json.loads(piece), out.headers["Content-Type"])
            yield piece

    def _running(self) -> Iterator[dict[str, Any]]:
        for name, until in self.loaded.items():
            card = self.models[name]
            more = {"expires_at": _rfc3339(until), "size_vram": 0, "context_length": card.context}
            yield {key: value for key, value in card.document().items() if key != "modified_at"} | more

    def _card(self, name: object) -> Card:
        if not name:
            raise Refused(400, "model is required")
        full = str(name) if ":" in str(name).rsplit("/", 1)[-1] else f"{name}:latest"
        if full not in self.models:
            raise Refused(404, f"model '{name}' not found")
        return self.models[full]

    def _show(self, body: dict[str, Any]) -> Outgoing:
        card = self._card(body.get("model") or body.get("name"))
        info = {"general.architecture": "llama", "llama.context_length": card.context}
        about = {"license": "", "modelfile": "", "parameters": "", "template": "{{ .Prompt }}", "details": card.details}
        more = {"model_info": info, "capabilities": list(card.capabilities), "modified_at": _now()}
        return _json(200, about | more | card.remote)

    def _chat(self, body: dict[str, Any]) -> Outgoing:
        card = self._card(body.get("model"))
        for wish, capability in (("think", "thinking"), ("tools", "tools")):
            if body.get(wish) and capability not in card.capabilities:
                raise Refused(400, f'"{body["model"]}" does not support {capability}')
        if not body.get("messages"):
            return self._loaded(card, body)
        if self._under_way >= self.most_waiting:
            raise Refused(503, _BUSY)
        question = self._question(card, body)
        lines = self._lines(card, str(body["model"]), question, body.get("keep_alive", "5m"))
        # As there: an error before the first word still has a status of its own.
        try:
            first = next(lines)
        except Speechless as fault:
            raise Refused(fault.status, fault.words) from None
        if body.get("stream", True):
            return Outgoing(200, _LINES, _told([first], lines))
        return _json(200, _joined([first, *lines]))

    def _loaded(self, card: Card, body: dict[str, Any]) -> Outgoing:
        unload = body.get("keep_alive") == 0
        self._keep(card, body.get("keep_alive", "5m"))
        about = {"model": body["model"], "created_at": _now(), "message": {"role": "assistant", "content": ""}}
        return _json(200, about | {"done": True, "done_reason": "unload" if unload else "load"})

    def _question(self, card: Card, body: dict[str, Any]) -> Question:
        options, messages = body.get("options") or {}, list(body["messages"])
        context = int(options.get("num_ctx", min(4096, card.context)))
        while self.voice.count(messages) > context:
            if body.get("truncate", True) is False or len(messages) == 1:
                raise Refused(400, _TOO_LONG)
            # The oldest go first, without a word; system messages stay.
            oldest = next((at for at, each in enumerate(messages[:-1]) if each["role"] != "system"), 0)
            del messages[oldest]
        shape = body.get("format") or None
        if not (shape is None or shape == "json" or isinstance(shape, dict)):
            raise Refused(400, f'invalid format: {json.dumps(shape)}; expected "json" or a valid JSON Schema object')
        most, seed = int(options.get("num_predict", -1)), int(options.get("seed", 0))
        return Question(messages, shape, most, float(options.get("temperature", 0.8)), seed)

    def _lines(self, card: Card, name: str, question: Question, keep_alive: object) -> Iterator[dict[str, Any]]:
        began, first = perf_counter_ns(), 0
        with self._lock:
            self._under_way += 1
        try:
            for piece in self.voice.speak(question):
                first = first or perf_counter_ns()
                about = {"model": name, "created_at": _now()}
                if isinstance(piece, Spoken):
                    durations = {"total_duration": perf_counter_ns() - began, "load_duration": 1}
                    counts = {"prompt_eval_count": piece.prompt_tokens, "eval_count": piece.tokens}
                    times = {"prompt_eval_duration": first - began, "eval_duration": perf_counter_ns() - first}
                    end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": piece.reason}
                    yield about | end | durations | counts | times
                else:
                    yield about | {"message": {"role": "assistant", "content": piece}, "done": False}
        finally:
            with self._lock:
                self._under_way -= 1
            self._keep(card, keep_alive)

    def _keep(self, card: Card, keep_alive: object) -> None:
        if keep_alive in {0, "0"}:
            self.loaded.pop(card.name, None)
        else:
            self.loaded[card.name] = datetime.now(UTC) + timedelta(minutes=5)

    def _pull(self, body: dict[str, Any]) -> Outgoing:
        name = str(body.get("model") or body.get("name") or "")
        if not name or " " in name:
            raise Refused(400, "invalid model name")
        full = name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"
        events = self._pulled(full)
        if body.get("stream", True):
            return Outgoing(200, _LINES, map(json_line, events))
        last = list(events)[-1]
        return _json(500 if "error" in last else 200, last)

    def _pulled(self, name: str) -> Iterator[dict[str, Any]]:
        yield {"status": "pulling manifest"}
        if name not in self.registry and name not in self.models:
            yield {"error": "pull model manifest: file does not exist"}
            return
        card = Card(name, self.registry.get(name, 519_808))
        for part in range(5):
            done = {"total": card.size, "completed": card.size * part // 4}
            yield {"status": f"pulling {card.digest[:12]}", "digest": f"sha256:{card.digest}"} | done
        yield {"status": "verifying sha256 digest"}
        yield {"status": "writing manifest"}
        self.models[name] = card
        yield {"status": "success"}


_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


def _text(status: int, words: str) -> Outgoing:
    return Outgoing(status, _TEXT, [words.encode()])


def _json(status: int, document: object) -> Outgoing:
    return Outgoing(status, _JSON, [json.dumps(document).encode()])


def _told(first: Sequence[dict[str, Any]], lines: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Lines as they are made; an error among them is a line itself, and the last."""
    try:
        yield from map(json_line, first)
        yield from map(json_line, lines)
    except Speechless as fault:
        yield json_line({"error": fault.words})


def _joined(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    content = "".join(line["message"]["content"] for line in lines)
    return lines[-1] | {"message": {"role": "assistant", "content": content}}


def _body(raw: bytes) -> dict[str, Any]:
    if not raw:
        raise Refused(400, "missing request body")
    try:
        body = json.loads(raw)
    except ValueError as fault:
        raise Refused(400, str(fault)) from None
    if not isinstance(body, dict):
        raise Refused(400, "json: cannot unmarshal into Go value of type api.ChatRequest")
    return body


def _now() -> str:
    return _rfc3339(datetime.now(UTC))


def _rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
