"""The stand-in for Ollama speaks as Ollama does: to the official client, and by Ollama's own description."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest

from twinning_pipelines_tests.far_sides import ollama_spec
from twinning_pipelines_tests.far_sides.answer_troubles import after, json_line
from twinning_pipelines_tests.far_sides.model_voices import Canned
from twinning_pipelines_tests.far_sides.ollama_front import Card, OllamaFront
from twinning_pipelines_tests.far_sides.real_llama import real_llama

ollama = pytest.importorskip("ollama", reason="no official client without the package ollama")
HELLO = [{"role": "user", "content": "Hello"}]
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer", "minimum": 1, "maximum": 9}},
    "required": ["n"],
    "additionalProperties": False,
}


@pytest.fixture
def front() -> Iterator[OllamaFront]:
    """A server that says what is written down."""
    with OllamaFront(Canned("a written reply")) as front:
        yield front
        assert front.complaints == []


@pytest.fixture
def client(front: OllamaFront, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The official client of it."""
    monkeypatch.delenv("OLLAMA_API_KEY", raising=False)
    with ollama.Client(front.url, trust_env=False) as client:
        yield client


def post(front: OllamaFront, path: str, body: object) -> httpx.Response:
    raw = b"" if body is None else json.dumps(body).encode()
    return httpx.post(front.url + path, content=raw, trust_env=False)


def test_list_show_and_ps(front: OllamaFront, client: Any) -> None:
    front.models["gpt-oss:cloud"] = Card("gpt-oss:cloud", remote_host="https://ollama.com:443")
    assert [each.model for each in client.list().models] == ["tiny:latest", "gpt-oss:cloud"]
    shown = client.show("tiny")
    assert (shown.capabilities, shown.modelinfo["llama.context_length"]) == (["completion"], 8192)
    assert client.ps().models == []
    client.chat("tiny", HELLO)
    (running,) = client.ps().models
    assert (running.model, running.context_length) == ("tiny:latest", 8192)
    assert running.expires_at is not None


def test_chat_whole_and_streamed(front: OllamaFront, client: Any) -> None:
    whole = client.chat("tiny", HELLO)
    assert (whole.message.content, whole.done, whole.done_reason) == ("a written reply", True, "stop")
    parts = list(client.chat("tiny", HELLO, stream=True))
    assert "".join(part.message.content for part in parts) == "a written reply"
    assert [part.done for part in parts] == [False] * 4 + [True]
    assert (parts[-1].eval_count, parts[-1].total_duration > 0) == (4, True)


def test_load_and_unload(front: OllamaFront, client: Any) -> None:
    assert client.chat("tiny", []).done_reason == "load"
    assert len(client.ps().models) == 1
    assert client.chat("tiny", [], keep_alive=0).done_reason == "unload"
    assert client.ps().models == []


def test_what_it_refuses(front: OllamaFront, client: Any) -> None:
    with pytest.raises(ollama.ResponseError, match="model 'huge' not found") as raised:
        client.chat("huge", HELLO)
    assert raised.value.status_code == 404
    with pytest.raises(ollama.ResponseError, match="does not support thinking"):
        client.chat("tiny", HELLO, think=True)
    with pytest.raises(ollama.ResponseError, match="not found"):
        client.show("huge")
    front.most_waiting = 0
    with pytest.raises(ollama.ResponseError, match="maximum pending requests exceeded") as raised:
        list(client.chat("tiny", HELLO, stream=True))
    assert raised.value.status_code == 503
    said = [post(front, "/api/chat", body) for body in (None, {"messages": HELLO})]
    assert [(each.status_code, each.json()["error"]) for each in said] == [
        (400, "missing request body"),
        (400, "model is required"),
    ]
    assert httpx.get(front.url + "/api/nothing", trust_env=False).status_code == 404
    with pytest.raises(ollama.ResponseError, match="does not support tools"):
        client.chat("tiny", HELLO, tools=[{"type": "function", "function": {"name": "f"}}])


def test_it_says_that_it_runs_and_which_version(front: OllamaFront) -> None:
    assert httpx.get(front.url, trust_env=False).text == "Ollama is running"
    assert httpx.head(front.url, trust_env=False).status_code == 200
    assert httpx.get(front.url + "/api/version", trust_env=False).json() == {"version": "0.33.0"}


def test_whole_and_streamed_differ_in_form_alone(front: OllamaFront) -> None:
    streamed = post(front, "/api/chat", {"model": "tiny", "messages": HELLO})
    assert streamed.headers["Content-Type"] == "application/x-ndjson"
    whole = post(front, "/api/chat", {"model": "tiny", "messages": HELLO, "stream": False})
    assert whole.headers["Content-Type"] == "application/json; charset=utf-8"
    assert whole.json().keys() - {"message"} == json.loads(streamed.text.splitlines()[-1]).keys() - {"message"}
    assert post(front, "/api/pull", {"model": "nonsense", "stream": False}).status_code == 500


def test_an_error_in_the_middle_of_a_stream(front: OllamaFront, client: Any) -> None:
    front.troubles.append(after(2, json_line({"error": "the runner is gone"})))
    with pytest.raises(ollama.ResponseError, match="the runner is gone") as raised:
        list(client.chat("tiny", HELLO, stream=True))
    assert raised.value.status_code == -1


def test_pull(front: OllamaFront, client: Any) -> None:
    front.registry["small:1b"] = 4000
    told = list(client.pull("small:1b", stream=True))
    assert [each.status for each in told if not each.total] == [
        "pulling manifest",
        "verifying sha256 digest",
        "writing manifest",
        "success",
    ]
    assert [each.completed for each in told if each.total] == [0, 1000, 2000, 3000, 4000]
    assert client.pull("small:1b").status == "success"
    with pytest.raises(ollama.ResponseError, match="pull model manifest: file does not exist") as raised:
        list(client.pull("nonsense", stream=True))
    assert raised.value.status_code == -1


def test_too_long_a_prompt_loses_its_oldest_messages_unless_told_otherwise(front: OllamaFront) -> None:
    long = [{"role": "system", "content": "s"}, {"role": "user", "content": "x" * 9000}, *HELLO]
    body = {"model": "tiny", "messages": long, "stream": False, "options": {"num_ctx": 100}}
    assert post(front, "/api/chat", body).status_code == 200
    assert isinstance(front.voice, Canned)
    assert [each["content"] for each in front.voice.asked[-1].messages] == ["s", "Hello"]
    refused = post(front, "/api/chat", body | {"truncate": False})
    assert (refused.status_code, "context length" in refused.json()["error"]) == (400, True)


def test_a_real_engine_behind_it() -> None:
    with OllamaFront(real_llama()) as front, ollama.Client(front.url, trust_env=False) as client:
        parts = list(client.chat("tiny", HELLO, stream=True, options={"num_predict": 16, "seed": 3}))
        assert (parts[-1].eval_count, parts[-1].done_reason) == (16, "length")
        assert len(parts) > 4
        for seed in range(5):
            said = client.chat("tiny", HELLO, format=SCHEMA, options={"num_predict": 300, "seed": seed})
            jsonschema.validate(json.loads(said.message.content), SCHEMA)
        assert isinstance(json.loads(client.chat("tiny", HELLO, format="json").message.content), dict)
        assert front.complaints == []


def test_the_description_notices_what_does_not_fit() -> None:
    if not ollama_spec.at_hand():
        pytest.skip(f"no description at {ollama_spec.FILE}")
    line = {"model": "tiny", "message": {"role": "assistant", "content": 7}, "finished": True}
    said = ollama_spec.complaints(
        "POST", "/api/chat", {"model": "tiny", "messages": HELLO}, line, "application/x-ndjson"
    )
    assert len(said) == 2
    assert ollama_spec.complaints("POST", "/api/chat", {"messages": HELLO, "maker": 1}, {}, "application/json") != []
    assert ollama_spec.complaints("GET", "/api/nothing", {}, {}, "application/json") == ["GET /api/nothing: unknown"]
