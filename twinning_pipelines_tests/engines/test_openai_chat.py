"""OpenAI's dialect: llama.cpp's own server, and one on a loopback port that differs as such servers do."""

import json
from collections.abc import Iterator

import jsonschema
import pytest

from twinning_pipelines.engines.chat import ChatEngine, Message
from twinning_pipelines.engines.detected import Detected
from twinning_pipelines.engines.model_server import ModelServer
from twinning_pipelines.engines.openai_chat import OpenAiChat
from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable
from twinning_pipelines_tests.engines.questions import GOOD, SCHEMA, hasty_clock, question
from twinning_pipelines_tests.far_sides import answer_troubles as trouble
from twinning_pipelines_tests.far_sides.model_voices import Canned
from twinning_pipelines_tests.far_sides.ollama_front import OllamaFront
from twinning_pipelines_tests.far_sides.openai_front import OpenAiFront
from twinning_pipelines_tests.far_sides.real_llama import real_llama

SECRET = "sk-a-token-that-must-never-be-shown"


@pytest.fixture
def front() -> Iterator[OpenAiFront]:
    """A server that says what is written down."""
    with OpenAiFront(Canned(GOOD)) as front:
        yield front


def chat(front: OpenAiFront, model: str = "tiny") -> OpenAiChat:
    return OpenAiChat(ModelServer(front.url), model)


def test_llama_cpps_own_server_keeps_to_the_schema() -> None:
    engine: ChatEngine = OpenAiChat(ModelServer(real_llama().url))
    for nth in range(10):
        reply = engine.ask(question(nth), SCHEMA, deadline=30)
        jsonschema.validate(json.loads(reply.text), SCHEMA)
        assert reply.complete
        assert (reply.model, reply.digest) == ("tiny", None)
        assert reply.tokens is not None
        assert reply.prompt_tokens is not None
        assert min(reply.tokens, reply.prompt_tokens) > 10


def test_llama_cpps_own_server_takes_the_older_field_as_well() -> None:
    engine = OpenAiChat(ModelServer(real_llama().url))
    engine._older_field = True
    for nth in range(3):
        jsonschema.validate(json.loads(engine.ask(question(nth), SCHEMA, deadline=30).text), SCHEMA)


def test_llama_cpps_own_server_cuts_off_and_refuses_too_long_a_question() -> None:
    server = ModelServer(real_llama().url)
    reply = OpenAiChat(server, most_tokens=7).ask(question(), SCHEMA, deadline=30)
    assert (reply.complete, reply.tokens) == (False, 7)
    with pytest.raises(FarSideRefused, match="exceeds the available context size"):
        OpenAiChat(server).ask([Message("user", "word " * 5000)], SCHEMA, deadline=30)


def test_llama_cpps_own_server_tells_its_model() -> None:
    engine = OpenAiChat(ModelServer(real_llama().url))
    (known,) = engine.standing(deadline=10).models
    assert (known.name, known.context) == ("tiny", 8192)
    assert known.size


def test_what_is_asked(front: OpenAiFront) -> None:
    reply = chat(front).ask(question(), SCHEMA, deadline=10)
    assert (reply.text, reply.complete, reply.model) == (GOOD, True, "tiny")
    (body,) = front.bodies
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
    }
    assert (body["temperature"], body["seed"], body["max_tokens"], body["stream"]) == (0, 0, 600, True)
    assert body["chat_template_kwargs"] == {"enable_thinking": False}


def test_a_server_that_does_not_know_response_format_is_asked_otherwise_once(front: OpenAiFront) -> None:
    front.knows_response_format = False
    engine = chat(front)
    for _ in range(2):
        assert engine.ask(question(), SCHEMA, deadline=10).text == GOOD
    assert ["response_format" in body for body in front.bodies] == [True, False, False]
    assert front.bodies[1]["json_schema"] == SCHEMA
    assert not front.bodies[1].keys() & {"response_format", "stream_options", "chat_template_kwargs"}


def test_a_server_that_refuses_either_says_why(front: OpenAiFront) -> None:
    front.troubles += [trouble.refuse(400, "no grammar here"), trouble.refuse(422, "nor here")]
    with pytest.raises(FarSideRefused, match="refuses the question: nor here"):
        chat(front).ask(question(), SCHEMA, deadline=10)


def test_a_server_that_does_not_stream(front: OpenAiFront) -> None:
    front.streams = False
    reply = chat(front).ask(question(), SCHEMA, deadline=10)
    assert (reply.text, reply.complete) == (GOOD, True)
    assert reply.tokens


def test_the_only_model_is_meant_where_none_is_named(front: OpenAiFront) -> None:
    front.models = [{"id": "qwen", "digest": "abc123", "max_model_len": 4096}]
    reply = chat(front, "").ask(question(), SCHEMA, deadline=10)
    assert (reply.model, reply.digest) == ("qwen", "abc123")
    front.models += [{"id": "other"}]
    with pytest.raises(FarSideRefused, match="lists these models: qwen, other; TWINNING_MODEL says which"):
        chat(front, "").ask(question(), SCHEMA, deadline=10)
    front.models = []
    with pytest.raises(FarSideRefused, match="lists these models: none"):
        chat(front, "").ask(question(), SCHEMA, deadline=10)


def test_a_cloud_name_is_refused(front: OpenAiFront) -> None:
    with pytest.raises(FarSideRefused, match="runs in a cloud"):
        chat(front, "gpt-oss:120b-cloud").ask(question(), SCHEMA, deadline=10)
    front.models = [{"id": "kimi:cloud"}]
    with pytest.raises(FarSideRefused, match="runs in a cloud"):
        chat(front, "").ask(question(), SCHEMA, deadline=10)
    assert front.bodies == []


def test_the_token_is_sent_and_never_shown(front: OpenAiFront) -> None:
    front.token = SECRET
    known = OpenAiChat(ModelServer(front.url, token=SECRET), "tiny")
    assert known.ask(question(), SCHEMA, deadline=10).text == GOOD
    assert SECRET not in repr(known.server)
    front.token = "another"
    with pytest.raises(FarSideRefused, match=r"HTTP 401.*\(secret\).*TWINNING_MODEL_TOKEN") as raised:
        known.ask(question(), SCHEMA, deadline=10)
    assert SECRET not in str(raised.value)
    assert raised.value.__context__ is None


@pytest.mark.parametrize("wrong", ["two words", "Bär", "line\nbreak"])
def test_a_token_that_no_request_could_carry(wrong: str) -> None:
    with pytest.raises(ValueError, match="ASCII without blanks") as raised:
        ModelServer("http://127.0.0.1:1", token=wrong)
    assert wrong not in str(raised.value)


LATER = [
    (trouble.refuse(503, "Loading model"), "HTTP 503.*Loading model"),
    (trouble.after(2, b'data: {"error": {"code": 500, "message": "the slot is gone"}}\n\n'), "the slot is gone"),
    (trouble.after(2, b'error: {"code": 500, "message": "the slot is gone"}\n\n'), "the slot is gone"),
    (trouble.after(3), "its answer has no end"),
    (trouble.after(3, b"data: [DONE]\n\n"), "its answer has no end"),
    (trouble.break_off(2), "broke off"),
]
CHANGE = [
    (trouble.refuse(404, "model not found"), "HTTP 404.*model not found"),
    (trouble.send_on("https://api.openai.com/v1/chat/completions"), "sends us on to api.openai.com"),
    (trouble.page(), "answers with text/html"),
    (trouble.after(1, b"data: garbage\n\n"), "a part of its answer is none"),
    (trouble.after(1, b'data: {"choices": [{"delta": {"content": 7}}]}\n\n'), "is no text"),
    (trouble.after(1, b'data: {"choices": [[]]}\n\n', b"data: {}\n\n"), "a part of its answer is none"),
    (trouble.endless(b": ping\n" * 10_000), "more than 16 MiB"),
]


@pytest.mark.parametrize(("wrong", "said"), LATER, ids=range(len(LATER)))
def test_what_passes(front: OpenAiFront, wrong: trouble.Trouble, said: str) -> None:
    front.troubles.append(wrong)
    with pytest.raises(FarSideUnavailable, match=said):
        chat(front).ask(question(), SCHEMA, deadline=20)


@pytest.mark.parametrize(("wrong", "said"), CHANGE, ids=range(len(CHANGE)))
def test_what_a_person_has_to_change(front: OpenAiFront, wrong: trouble.Trouble, said: str) -> None:
    front.troubles.append(wrong)
    with pytest.raises(FarSideRefused, match=said):
        chat(front).ask(question(), SCHEMA, deadline=20)


def test_the_deadline_is_for_everything(front: OpenAiFront) -> None:
    front.troubles.append(trouble.late(30))
    with pytest.raises(FarSideUnavailable, match=r"not done answering after 0.3 s"):
        chat(front).ask(question(), SCHEMA, deadline=0.3)
    with pytest.raises(FarSideUnavailable, match="not done answering after 45 s"):
        OpenAiChat(ModelServer(front.url, clock=hasty_clock(3)), "tiny").ask(question(), SCHEMA, deadline=45)


def test_the_dialect_is_found_out() -> None:
    with OllamaFront(Canned(GOOD)) as ollama, OpenAiFront(Canned(GOOD)) as openai:
        for url, name in ((ollama.url, "ollama"), (openai.url, "openai"), (f"{openai.url}/v1/", "openai")):
            engine: ChatEngine = Detected(ModelServer(url), "tiny")
            assert (engine.name, engine.model) == ("auto", "tiny")
            assert engine.ask(question(), SCHEMA, deadline=10).text == GOOD
            assert engine.name == name
        assert len(ollama.asked("/api/chat")) == 1
        assert Detected(ModelServer(f"{ollama.url}/v1")).standing(deadline=10).kind == "ollama"


def test_a_dialect_is_not_guessed_of_a_server_in_trouble(front: OpenAiFront) -> None:
    engine = Detected(ModelServer("http://127.0.0.1:9"))
    with pytest.raises(FarSideUnavailable):
        engine.ask(question(), SCHEMA, deadline=5)
    assert engine.name == "auto"
