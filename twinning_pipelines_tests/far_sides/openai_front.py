"""A server of OpenAI's chat dialect on loopback, in front of any voice: for what a real llama.cpp does not do on demand.

It imitates the ways in which the servers of this dialect differ: which field carries a schema, whether a token is wanted,
whether the answer is streamed, what the list of models tells.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from twinning_pipelines_tests.far_sides.answer_troubles import Trouble
from twinning_pipelines_tests.far_sides.model_voices import Question, Spoken, Voice
from twinning_pipelines_tests.far_sides.streaming_server import Outgoing, StreamingServer


class OpenAiFront(StreamingServer):
    """The server. knows_response_format: whether it takes a schema there, or in llama.cpp's own `json_schema` alone."""

    def __init__(
        self, voice: Voice, *, token: str = "", knows_response_format: bool = True, streams: bool = True
    ) -> None:
        super().__init__()
        self.voice, self.token = voice, token
        self.knows_response_format, self.streams = knows_response_format, streams
        self.models: list[dict[str, Any]] = [{"id": "tiny", "object": "model", "owned_by": "home"}]
        self.troubles = deque[Trouble | None]()
        self.bodies = list[dict[str, Any]]()

    def answer(self, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> Outgoing:
        """The answer to a request, and its trouble if one waits."""
        if self.token and headers.get("Authorization") != f"Bearer {self.token}":
            told = headers.get("Authorization", "nothing")
            return _error(401, f"Invalid API Key: you sent {told}")
        if (method, path) == ("GET", "/v1/models"):
            return _json(200, {"object": "list", "data": self.models})
        if (method, path) != ("POST", "/v1/chat/completions"):
            return _error(404, "File Not Found")
        body = json.loads(raw)
        self.bodies.append(body)
        out = self._chat(body)
        trouble = self.troubles.popleft() if self.troubles else None
        whole = Outgoing(out.status, out.headers, out.chunks, self.closing)
        return trouble(whole) if trouble else whole

    def _chat(self, body: dict[str, Any]) -> Outgoing:
        shape = body.get("json_schema")
        if "response_format" in body:
            if not self.knows_response_format:
                return _error(400, 'response_format type must be one of "text" or "json_object", but got: json_schema')
            shape = body["response_format"]["json_schema"]["schema"]
        question = Question(body["messages"], shape, body.get("max_tokens", -1), body["temperature"], body["seed"])
        chunks = self._chunks(str(body["model"]), question, counts=bool(body.get("stream_options")))
        if body.get("stream") and self.streams:
            return Outgoing(200, {"Content-Type": "text/event-stream"}, _events(chunks))
        return _json(200, _whole(list(chunks)))

    def _chunks(self, model: str, question: Question, *, counts: bool) -> Iterator[dict[str, Any]]:
        about = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}
        yield about | {
            "choices": [{"index": 0, "delta": {"role": "assistant", "content": None}, "finish_reason": None}]
        }
        for piece in self.voice.speak(question):
            if not isinstance(piece, Spoken):
                yield about | {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
                continue
            yield about | {"choices": [{"index": 0, "delta": {}, "finish_reason": piece.reason}]}
            if counts:
                yield about | {"choices": [], "usage": _usage(piece)}


def _usage(end: Spoken) -> dict[str, int]:
    return {"prompt_tokens": end.prompt_tokens, "completion_tokens": end.tokens, "total_tokens": end.tokens}


def _events(chunks: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for chunk in chunks:
        yield b"data: " + json.dumps(chunk).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


def _whole(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    content = "".join(choice["delta"].get("content") or "" for choice in choices)
    message = {"role": "assistant", "content": content}
    usage = next((chunk["usage"] for chunk in chunks if "usage" in chunk), None)
    choice = {"index": 0, "message": message, "finish_reason": choices[-1]["finish_reason"]}
    return {"object": "chat.completion", "model": chunks[0]["model"], "choices": [choice], "usage": usage}


def _json(status: int, document: object) -> Outgoing:
    return Outgoing(status, {"Content-Type": "application/json; charset=utf-8"}, [json.dumps(document).encode()])


def _error(status: int, words: str) -> Outgoing:
    return _json(status, {"error": {"code": status, "message": words, "type": "invalid_request_error"}})
