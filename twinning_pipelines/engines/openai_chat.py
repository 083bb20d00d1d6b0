"""Servers that speak OpenAI's chat dialect at home: llama.cpp's own, LM Studio, vLLM and others, streamed.

A schema is sent as `response_format`; a server that refuses that is asked with llama.cpp's older field `json_schema`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from twinning_pipelines.engines.chat import Message, Reply
from twinning_pipelines.engines.known_model import KnownModel, Standing, refuse_cloud
from twinning_pipelines.engines.model_server import Answer, Deadline, ModelServer, error_of, json_object, unfenced
from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable

_NOT_TAKEN = frozenset({400, 422})
# Words by which servers say that the question is too long: asking otherwise would not help.
_TOO_LONG = ("context size", "context length", "exceed_context_size_error", "maximum context")


class _Heard(Struct):
    """What has come in of one answer."""

    pieces: list[str] = field(default_factory=list)
    model: str = ""
    finish: str | None = None
    prompt_tokens: int | None = None
    tokens: int | None = None


class OpenAiChat:
    """A model of one server. model: empty means the only one that the server lists.

    context is the server's own affair in this dialect; most_tokens: how long the answer may be.
    """

    name = "openai"

    def __init__(self, server: ModelServer, model: str = "", *, most_tokens: int = 600, seed: int = 0) -> None:
        self.server, self.model = server, model.strip()
        self._most_tokens, self._seed = most_tokens, seed
        self._older_field = False

    def ask(self, messages: Sequence[Message], schema: Mapping[str, Any], *, deadline: float) -> Reply:
        """As ChatEngine.ask."""
        until = self.server.deadline(deadline)
        known = self.chosen(until)
        body = {
            "model": known.name,
            "messages": [{"role": each.role, "content": each.content} for each in messages],
            "temperature": 0,
            "seed": self._seed,
            "max_tokens": self._most_tokens,
            "stream": True,
        }
        if not self._older_field:
            named = {"name": "answer", "schema": dict(schema), "strict": True}
            # The template of a model that thinks aloud is told not to; other templates do not ask.
            newer = {
                "response_format": {"type": "json_schema", "json_schema": named},
                "stream_options": {"include_usage": True},
                "chat_template_kwargs": {"enable_thinking": False},
            }
            if (reply := self._asked(body | newer, known, until, may_fail=True)) is not None:
                return reply
        reply = self._asked(body | {"json_schema": dict(schema)}, known, until, may_fail=False)
        assert reply is not None
        self._older_field = True
        return reply

    def standing(self, *, deadline: float) -> Standing:
        """The models that it lists. Raises FarSideUnavailable, FarSideRefused."""
        return Standing(self.name, "", self.models(self.server.deadline(deadline)))

    def models(self, until: Deadline) -> tuple[KnownModel, ...]:
        """The models that it lists. Raises FarSideUnavailable, FarSideRefused."""
        with self.server.asked("GET", "/v1/models", deadline=until) as answer:
            if answer.status != 200:
                raise answer.refusal("for its models")
            listed = json_object(answer.text()).get("data")
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            raise self._strange("it lists no models")
        return tuple(self._known(each) for each in listed)

    def chosen(self, until: Deadline) -> KnownModel:
        """The model that is asked, as the server lists it. Raises FarSideUnavailable, FarSideRefused."""
        refuse_cloud(self.model)
        listed = self.models(until)
        if self.model:
            named = next((each for each in listed if each.name == self.model), None)
            return named or KnownModel(self.model)
        if len(listed) != 1:
            names = ", ".join(each.name for each in listed) or "none"
            raise FarSideRefused(f"{self.server.host} lists these models: {names}; TWINNING_MODEL says which is meant")
        refuse_cloud(listed[0].name)
        return listed[0]

    def described(self, until: Deadline) -> KnownModel:
        """The same: the list says all there is to know. Raises FarSideUnavailable, FarSideRefused."""
        return self.chosen(until)

    def _asked(self, body: object, known: KnownModel, until: Deadline, *, may_fail: bool) -> Reply | None:
        """The reply; None where the server does not take the request as it is, and that `may_fail`."""
        with self.server.asked("POST", "/v1/chat/completions", body, deadline=until) as answer:
            if answer.status in _NOT_TAKEN:
                words = answer.text()
                if may_fail and not any(each in words for each in _TOO_LONG):
                    return None
                raise FarSideRefused(f"{self.server.host} refuses the question: {self.server.safe(error_of(words))}")
            if answer.status != 200:
                raise answer.refusal(f"for words of {known.name!r}")
            heard = self._heard(answer)
        return Reply(
            text=unfenced("".join(heard.pieces)),
            model=heard.model or known.name,
            digest=known.digest,
            complete=heard.finish == "stop",
            seconds=until.passed,
            prompt_tokens=heard.prompt_tokens,
            tokens=heard.tokens,
        )

    def _heard(self, answer: Answer) -> _Heard:
        heard = _Heard()
        if answer.kind == "application/json":
            self._take(json_object(answer.text()), heard, "message")
        elif answer.kind == "text/event-stream":
            for line in answer.lines():
                name, _, value = line.partition(":")
                if name == "data" and value.strip() == "[DONE]":
                    break
                if name in {"data", "error"}:
                    event = json_object(value)
                    self._take({"error": event} if name == "error" else event, heard, "delta")
        else:
            raise self._strange(f"it answers with {self.server.safe(answer.kind) or 'no content type'}")
        if heard.finish is None:
            raise FarSideUnavailable(f"{self.server.host} broke off: its answer has no end")
        return heard

    def _take(self, event: Mapping[str, Any], heard: _Heard, part: str) -> None:
        if "error" in event:
            words = self.server.safe(error_of(json.dumps(event)))
            raise FarSideUnavailable(f"{self.server.host} broke off in the middle of an answer: {words}")
        usage, choices = event.get("usage"), event.get("choices")
        if not isinstance(choices, list):
            raise self._strange("a part of its answer is none")
        if isinstance(usage, dict):
            heard.prompt_tokens, heard.tokens = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
        heard.model = self.server.safe(event.get("model") or heard.model)
        for choice in choices[:1]:
            said = choice.get(part) if isinstance(choice, dict) else None
            content = said.get("content") if isinstance(said, dict) else None
            if content is not None and not isinstance(content, str):
                raise self._strange("a part of its answer is no text")
            heard.pieces.append(content or "")
            finish = choice.get("finish_reason") if isinstance(choice, dict) else None
            heard.finish = str(finish) if finish else heard.finish

    def _known(self, listed: Mapping[str, Any]) -> KnownModel:
        meta, digest = listed.get("meta"), listed.get("digest")
        told = meta if isinstance(meta, dict) else {}
        return KnownModel(
            name=self.server.safe(listed.get("id", "")),
            digest=self.server.safe(digest) if isinstance(digest, str) and digest else None,
            size=_count(told, "size"),
            context=_count(told, "n_ctx") or _count(listed, "max_model_len"),
        )

    def _strange(self, what: str) -> FarSideRefused:
        return FarSideRefused(f"{self.server.host} does not answer as OpenAI's chat servers do: {what}")


def _count(told: Mapping[str, Any], name: str) -> int | None:
    number = told.get(name)
    return number if isinstance(number, int) and not isinstance(number, bool) and number >= 0 else None
