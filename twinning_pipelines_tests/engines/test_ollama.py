"""Ollama: what is asked, what is answered, and what goes wrong; against its protocol on a loopback port."""

import json
import os
import time
from collections.abc import Iterator
from threading import enumerate as threads
from typing import Any

import jsonschema
import pytest

from twinning_pipelines.engines.chat import ChatEngine, Message
from twinning_pipelines.engines.detected import Detected
from twinning_pipelines.engines.model_server import ModelServer
from twinning_pipelines.engines.ollama import Download, Ollama
from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable
from twinning_pipelines_tests.engines.questions import GOOD, SCHEMA, hasty_clock, question
from twinning_pipelines_tests.far_sides import answer_troubles as trouble
from twinning_pipelines_tests.far_sides.model_voices import Canned
from twinning_pipelines_tests.far_sides.ollama_front import Card, OllamaFront
from twinning_pipelines_tests.far_sides.real_llama import real_llama

REMOTE = Card("gpt-oss:120b", remote_host="https://ollama.com:443")


@pytest.fixture
def front() -> Iterator[OllamaFront]:
    """A server that says what is written down."""
    with OllamaFront(Canned(GOOD)) as front:
        yield front
        assert front.complaints == []


def ollama(front: OllamaFront, model: str = "tiny", **more: Any) -> Ollama:
    return Ollama(ModelServer(front.url), model, **more)


def test_a_real_engine_keeps_to_the_schema_whatever_its_weights() -> None:
    with OllamaFront(real_llama()) as front:
        engine: ChatEngine = ollama(front)
        for nth in range(10):
            reply = engine.ask(question(nth), SCHEMA, deadline=30)
            jsonschema.validate(json.loads(reply.text), SCHEMA)
            assert reply.complete
            assert (reply.model, reply.digest) == ("tiny", front.models["tiny:latest"].digest)
            assert reply.tokens is not None
            assert reply.prompt_tokens is not None
            assert min(reply.tokens, reply.prompt_tokens) > 10
            assert 0 < reply.seconds < 30
        assert front.complaints == []


def test_a_real_engine_is_cut_off_at_its_most_tokens() -> None:
    with OllamaFront(real_llama()) as front:
        reply = ollama(front, most_tokens=7).ask(question(), SCHEMA, deadline=30)
        assert (reply.complete, reply.tokens) == (False, 7)


def test_a_real_engine_says_the_same_to_the_same_question() -> None:
    with OllamaFront(real_llama()) as front:
        assert len({ollama(front).ask(question(), SCHEMA, deadline=30).text for _ in range(3)}) == 1


def test_what_is_asked(front: OllamaFront) -> None:
    reply = ollama(front, context=4096, most_tokens=300, seed=5).ask(question(), SCHEMA, deadline=10)
    assert (reply.text, reply.complete) == (GOOD, True)
    (asked,) = front.asked("/api/chat")
    assert asked == {
        "model": "tiny",
        "messages": [{"role": each.role, "content": each.content} for each in question()],
        "format": SCHEMA,
        "think": False,
        "truncate": False,
        "stream": True,
        "options": {"temperature": 0, "seed": 5, "num_ctx": 4096, "num_predict": 300},
        "keep_alive": "10m",
    }


def test_words_that_are_no_unicode_do_not_stop_a_question(front: OllamaFront) -> None:
    assert ollama(front).ask([Message("user", "half a pair: \ud83d")], SCHEMA, deadline=10).complete
    assert front.asked("/api/chat")[0]["messages"][0]["content"] == "half a pair: ?"


@pytest.mark.parametrize(
    "said",
    [f"```json\n{GOOD}\n```", f"```\n{GOOD}\n```\n", f"\n```JSON\n{GOOD}```"],
)
def test_a_fence_is_taken_off(front: OllamaFront, said: str) -> None:
    front.voice = Canned(said)
    assert ollama(front).ask(question(), SCHEMA, deadline=10).text == GOOD


def test_too_few_tokens_are_no_whole_answer(front: OllamaFront) -> None:
    reply = ollama(front, most_tokens=3).ask(question(), SCHEMA, deadline=10)
    assert (reply.text, reply.complete, reply.tokens) == (GOOD[:12], False, 3)


def test_too_long_a_question_is_refused_and_not_shortened(front: OllamaFront) -> None:
    with pytest.raises(FarSideRefused, match=r"HTTP 400.*exceeds the context length"):
        ollama(front, context=2048).ask([Message("user", "word " * 5000)], SCHEMA, deadline=10)


def test_a_missing_model_is_not_downloaded(front: OllamaFront) -> None:
    front.registry["qwen3.5:4b"] = 3_400_000_000
    with pytest.raises(
        FarSideRefused, match=r"has no model 'qwen3.5:4b': `twinning model pull qwen3.5:4b` downloads it"
    ):
        ollama(front, "").ask(question(), SCHEMA, deadline=10)
    assert front.asked("/api/pull") == front.asked("/api/chat") == []


@pytest.mark.parametrize("name", ["gpt-oss:120b-cloud", "kimi-k2:cloud", "Kimi-K2:CLOUD "])
def test_a_cloud_name_is_refused_without_asking(front: OllamaFront, name: str) -> None:
    front.models[name.strip().lower()] = Card(name.strip().lower())
    with pytest.raises(FarSideRefused, match="runs in a cloud"):
        ollama(front, name).ask(question(), SCHEMA, deadline=10)
    with pytest.raises(FarSideRefused, match="runs in a cloud"):
        ollama(front).pull(name, print)
    assert front.requests == []


@pytest.mark.parametrize("listed", [True, False])
def test_a_model_that_runs_elsewhere_is_refused(front: OllamaFront, listed: bool) -> None:
    front.models["mine:latest"] = Card("mine:latest", remote_host="https://ollama.com:443", listed_as_remote=listed)
    with pytest.raises(FarSideRefused, match=r"'mine' runs on https://ollama.com:443, not here"):
        ollama(front, "mine").ask(question(), SCHEMA, deadline=10)
    assert front.asked("/api/chat") == []


def test_an_answer_from_elsewhere_is_not_taken(front: OllamaFront) -> None:
    line = {"model": "tiny", "remote_host": "https://ollama.com", "message": {"role": "assistant", "content": "x"}}
    front.troubles.append(trouble.after(0, trouble.json_line(line)))
    with pytest.raises(FarSideRefused, match=r"ran on https://ollama.com"):
        ollama(front).ask(question(), SCHEMA, deadline=10)


def test_where_a_model_runs_is_asked_once_for_the_same_weights(front: OllamaFront) -> None:
    engine = ollama(front)
    for _ in range(3):
        engine.ask(question(), SCHEMA, deadline=10)
    assert len(front.asked("/api/show")) == 1
    assert len(front.asked("/api/tags")) == 3


MANY = trouble.json_line({"message": {"role": "assistant", "content": "x" * 9000}, "done": False})
LATER = [
    (trouble.refuse(503, "server busy, please try again.  maximum pending requests exceeded"), "HTTP 503.*server busy"),
    (
        trouble.refuse(500, "model requires more system memory (5.0 GiB) than is available"),
        "HTTP 500.*more system memory",
    ),
    (trouble.refuse(429, "slow down"), "HTTP 429"),
    (
        trouble.after(2, trouble.json_line({"error": "an error was encountered while running the model"})),
        "while running",
    ),
    (trouble.after(2), "its answer has no end"),
    (trouble.break_off(2), "broke off"),
    (trouble.break_off(0), "broke off"),
    (trouble.send_on("http://[::1"), "broke off: Invalid URL in location header"),
]
CHANGE = [
    (trouble.refuse(400, '"tiny" does not support thinking'), "HTTP 400.*does not support thinking"),
    (trouble.refuse(404, "model 'tiny' not found"), "HTTP 404.*not found"),
    (trouble.refuse(401, "unauthorized"), "TWINNING_MODEL_TOKEN"),
    (trouble.send_on("https://ollama.com/api/chat"), "sends us on to ollama.com"),
    (trouble.page(), "answers with text/html"),
    (trouble.packed(), "packs its answer"),
    (trouble.after(1, b"garbage \x1b[31m\xff\n"), "in the middle of an answer it says 'garbage"),
    (trouble.after(1, b"[1, 2]\n"), "in the middle of an answer"),
    (trouble.after(1, b'{"message": {"content": 7}}\n'), "in the middle of an answer"),
    (trouble.after(1, b"{" * 70_000 + b"\n"), "in the middle of an answer"),
    (trouble.after(1, b"x" * 1_200_000), "a line of more than 1024 KiB"),
    (trouble.endless(MANY), "more than 16 MiB"),
]


@pytest.mark.parametrize(("wrong", "said"), LATER, ids=[said for _, said in LATER])
def test_what_passes(front: OllamaFront, wrong: trouble.Trouble, said: str) -> None:
    front.troubles.append(wrong)
    with pytest.raises(FarSideUnavailable, match=said):
        ollama(front).ask(question(), SCHEMA, deadline=20)
    assert ollama(front).ask(question(), SCHEMA, deadline=20).complete


@pytest.mark.parametrize(("wrong", "said"), CHANGE, ids=[said for _, said in CHANGE])
def test_what_a_person_has_to_change(front: OllamaFront, wrong: trouble.Trouble, said: str) -> None:
    front.troubles.append(wrong)
    with pytest.raises(FarSideRefused, match=said) as raised:
        ollama(front).ask(question(), SCHEMA, deadline=20)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 500


def test_a_full_queue_is_busy(front: OllamaFront) -> None:
    front.most_waiting = 0
    with pytest.raises(FarSideUnavailable, match="maximum pending requests exceeded"):
        ollama(front).ask(question(), SCHEMA, deadline=10)


def test_nobody_there() -> None:
    with OllamaFront(Canned()) as front:
        gone = ollama(front)
    with pytest.raises(FarSideUnavailable, match=r"no answer from 127.0.0.1:.*is it running"):
        gone.ask(question(), SCHEMA, deadline=10)


@pytest.mark.parametrize("slow", [trouble.late(30), trouble.trickle(0.1)], ids=["late", "trickle"])
def test_the_deadline_is_for_everything(front: OllamaFront, slow: trouble.Trouble) -> None:
    front.troubles.append(slow)
    began = time.monotonic()
    with pytest.raises(FarSideUnavailable, match=r"is not done answering after 0.35 s"):
        ollama(front).ask(question(), SCHEMA, deadline=0.35)
    assert time.monotonic() - began < 1
    # Its thread ends with it, long before the server would have answered.
    for thread in [each for each in threads() if each.name.startswith("asks 127")]:
        thread.join(1)
        assert not thread.is_alive()


def test_each_piece_is_held_against_the_clock(front: OllamaFront) -> None:
    with pytest.raises(FarSideUnavailable, match="not done answering after 45 s"):
        Ollama(ModelServer(front.url, clock=hasty_clock(2)), "tiny").ask(question(), SCHEMA, deadline=45)
    assert len(front.asked("/api/chat")) == 1
    assert Ollama(ModelServer(front.url, clock=hasty_clock(0.1)), "tiny").ask(question(), SCHEMA, deadline=45).complete


def test_no_time_at_all_asks_nobody(front: OllamaFront) -> None:
    with pytest.raises(FarSideUnavailable, match="after 0 s"):
        ollama(front).ask(question(), SCHEMA, deadline=0)
    assert front.requests == []


def test_a_download_tells_how_far_it_is(front: OllamaFront) -> None:
    front.registry["qwen3.5:4b"] = 4000
    told = list[Download]()
    ollama(front).pull("qwen3.5:4b", told.append)
    assert [each.completed for each in told if each.total] == [0, 1000, 2000, 3000, 4000]
    assert (told[0].status, told[-1].status) == ("pulling manifest", "success")
    assert told[1].digest.startswith("sha256:")
    assert ollama(front, "qwen3.5:4b").ask(question(), SCHEMA, deadline=10).complete


def test_downloads_that_fail(front: OllamaFront) -> None:
    engine = ollama(front)
    with pytest.raises(FarSideRefused, match=r"there is no model 'nonsense' to download: .*file does not exist"):
        engine.pull("nonsense", print)
    front.registry["big:latest"] = 4000
    wrongs = [
        (trouble.after(3, trouble.json_line({"error": "max retries exceeded: EOF"})), "max retries exceeded"),
        (trouble.after(3), "stopped downloading 'big'; again, it goes on where it was"),
        (trouble.break_off(3), "broke off"),
        (trouble.trickle(30), "not done answering after 0.2 s"),
    ]
    for wrong, said in wrongs:
        front.troubles.append(wrong)
        with pytest.raises(FarSideUnavailable, match=said):
            engine.pull("big", lambda _: None, silent_seconds=0.2)
    assert "big:latest" not in front.models
    front.troubles.append(trouble.after(3, trouble.json_line({"error": "write: no space left on device"})))
    with pytest.raises(FarSideRefused, match="can't download 'big': write: no space left"):
        engine.pull("big", print)
    front.troubles.append(trouble.after(0, b"hello\n"))
    with pytest.raises(FarSideRefused, match="does not say how the download goes"):
        engine.pull("big", print)


def test_a_long_download_is_not_cut_off_while_it_goes_on(front: OllamaFront) -> None:
    front.registry["big:latest"] = 4000
    front.troubles.append(trouble.trickle(0.06))
    ollama(front).pull("big", lambda _: None, silent_seconds=0.3)


def test_what_it_tells_of_itself(front: OllamaFront) -> None:
    front.models["gpt-oss:120b"] = REMOTE
    standing = ollama(front).standing(deadline=10)
    assert (standing.kind, standing.version) == ("ollama", "0.33.0")
    assert [(each.name, each.elsewhere) for each in standing.models] == [
        ("tiny:latest", ""),
        ("gpt-oss:120b", "https://ollama.com:443"),
    ]
    engine = ollama(front)
    assert engine.described(engine.server.deadline(10)).context == 8192


def test_a_server_of_your_own() -> None:
    if not (url := os.environ.get("TWINNING_TEST_MODEL_URL")):
        pytest.skip("TWINNING_TEST_MODEL_URL names no server with a real model")
    engine = Detected(ModelServer(url), os.environ.get("TWINNING_TEST_MODEL", ""))
    reply = engine.ask(question(), SCHEMA, deadline=120)
    jsonschema.validate(json.loads(reply.text), SCHEMA)
    assert reply.complete
