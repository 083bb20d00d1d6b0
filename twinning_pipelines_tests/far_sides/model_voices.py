"""Who speaks behind a model server of these tests: a real llama.cpp with a tiny model, or replies written down before."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Spoken:
    """The end of an answer: why it ended, and what was counted."""

    reason: str
    prompt_tokens: int
    tokens: int


class Speechless(Exception):
    """No answer: the status and the words of whoever should have spoken."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


@dataclass(frozen=True, slots=True)
class Question:
    """What a voice is asked. shape: a JSON schema, "json", or nothing."""

    messages: Sequence[Mapping[str, Any]]
    shape: object = None
    most_tokens: int = -1
    temperature: float = 0.8
    seed: int = 0


class Voice(Protocol):
    """Something that speaks."""

    def count(self, messages: Sequence[Mapping[str, Any]]) -> int:
        """How many tokens the messages are."""

    def speak(self, question: Question) -> Iterator[str | Spoken]:
        """Pieces of text, then the end. Raises Speechless."""


class Canned:
    """Says what was written down, one reply a question; the last again and again. A token is four letters."""

    def __init__(self, *replies: str) -> None:
        self.replies = deque(replies or ("{}",))
        self.asked = list[Question]()

    def count(self, messages: Sequence[Mapping[str, Any]]) -> int:
        """A token is four letters."""
        return sum(len(str(each.get("content", ""))) for each in messages) // 4 + 1

    def speak(self, question: Question) -> Iterator[str | Spoken]:
        """The next reply."""
        self.asked.append(question)
        text = self.replies.popleft() if len(self.replies) > 1 else self.replies[0]
        pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
        most = question.most_tokens if question.most_tokens >= 0 else len(pieces)
        yield from pieces[:most]
        cut = len(pieces) > most
        yield Spoken("length" if cut else "stop", self.count(question.messages), min(len(pieces), most))


class LlamaCpp:
    """llama.cpp's own server with a model of random weights. `url`: where it speaks OpenAI's dialect by itself."""

    def __init__(self, model: Path, *, context: int = 8192, token: str = "") -> None:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path, params.model_alias = str(model), {"tiny"}
        params.n_ctx, params.n_parallel, params.n_gpu_layers = context, 1, 0
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
        params.verbosity, params.warmup = -1, False
        # With its template language it also parses what the model says, and stumbles over noise.
        params.use_jinja = False
        if token:
            params.api_keys = [token]
        self._server = xllamacpp.Server(params)
        self.url = str(self._server.listening_address)

    def count(self, messages: Sequence[Mapping[str, Any]]) -> int:
        """The tokens of the ChatML form of the messages."""
        import httpx

        text = "".join(f"<|im_start|>{each['role']}\n{each['content']}<|im_end|>\n" for each in messages)
        answer = httpx.post(f"{self.url}/tokenize", json={"content": text}, trust_env=False)
        return len(answer.json()["tokens"])

    def speak(self, question: Question) -> Iterator[str | Spoken]:
        """What the model says, while it says it."""
        body: dict[str, Any] = {
            "messages": [dict(each) for each in question.messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": question.most_tokens,
            "temperature": question.temperature,
            "seed": question.seed,
        }
        if question.shape == "json":
            body["response_format"] = {"type": "json_object"}
        elif question.shape:
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "x", "schema": question.shape}}
        chunks, unheard = SimpleQueue[Any](), Event()

        def hear(chunk: Any) -> bool:
            for each in chunk if isinstance(chunk, list) else [chunk]:
                chunks.put(each)
            return unheard.is_set()

        def ask() -> None:
            try:
                self._server.handle_chat_completions(body, hear)
            except RuntimeError as fault:
                chunks.put({"error": {"code": 500, "message": str(fault)}})
            chunks.put(None)

        Thread(target=ask, daemon=True).start()
        try:
            yield from _spoken(chunks)
        finally:
            unheard.set()


def _spoken(chunks: SimpleQueue[Any]) -> Iterator[str | Spoken]:
    reason, usage = "stop", dict[str, int]()
    while (chunk := chunks.get(timeout=60)) is not None:
        if error := chunk.get("error"):
            raise Speechless(int(error.get("code", 500)), str(error.get("message")))
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            reason = choice.get("finish_reason") or reason
            if content := choice["delta"].get("content"):
                yield content
    yield Spoken(reason, usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0))
