"""The verbs of `twinning model`: their words, JSON documents and exit codes."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result

from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable, WrongUsage
from twinning_pipelines.verbs.model import model
from twinning_pipelines_tests.far_sides import answer_troubles as trouble
from twinning_pipelines_tests.far_sides.model_voices import Canned
from twinning_pipelines_tests.far_sides.ollama_front import Card, OllamaFront
from twinning_pipelines_tests.far_sides.openai_front import OpenAiFront
from twinning_pipelines_tests.far_sides.real_llama import real_llama

YES = '{"answer": "yes"}'


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> Iterator[OllamaFront]:
    """A server, and the environment that names it."""
    with OllamaFront(Canned(YES)) as front:
        monkeypatch.setenv("TWINNING_MODEL_URL", front.url)
        monkeypatch.setenv("TWINNING_MODEL", "tiny")
        yield front


def run(*words: str) -> Result:
    """The command; its exceptions come out."""
    return CliRunner().invoke(model, words, catch_exceptions=False)


def document(*words: str) -> Any:
    """What it prints with --json: one line."""
    (line,) = run(*words, "--json").stdout.splitlines()
    return json.loads(line)


def test_none_is_no_trouble() -> None:
    assert document() == {"configured": False}
    said = run()
    assert said.exit_code == 0
    assert "TWINNING_MODEL_URL says where one answers" in said.stdout


def test_one_that_answers(front: OllamaFront) -> None:
    told = document()
    assert told["seconds"] > 0
    assert told | {"seconds": 0, "models": []} == {
        "configured": True,
        "url": front.url,
        "api": "ollama",
        "version": "0.33.0",
        "model": "tiny:latest",
        "digest": front.models["tiny:latest"].digest,
        "size": 519_808,
        "context": 8192,
        "answers": True,
        "keeps_to_schema": True,
        "seconds": 0,
        "tokens": 5,
        "problem": None,
        "models": [],
    }
    front.models["other:1b"] = Card("other:1b")
    said = run()
    assert said.exit_code == 0
    assert f"Ollama 0.33.0 at {front.url}" in said.stdout
    assert "context of up to 8,192 tokens" in said.stdout
    assert "in the form asked for" in said.stdout
    assert "also there: other:1b" in said.stdout


def test_a_real_one_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINNING_MODEL_URL", real_llama().url)
    told = document()
    assert (told["api"], told["model"], told["keeps_to_schema"], told["problem"]) == ("openai", "tiny", True, None)
    assert "an OpenAI-compatible server at http://127.0.0.1:" in run().stdout


def test_one_that_rambles(front: OllamaFront) -> None:
    front.voice = Canned("Well, that depends.")
    assert (document()["answers"], document()["keeps_to_schema"]) == (True, False)
    assert "not in the form asked for" in run().stdout


def test_one_that_is_missing_or_does_not_answer(front: OllamaFront, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWINNING_MODEL")
    said = run()
    assert said.exit_code == 1
    assert "`twinning model pull qwen3.5:4b` downloads it" in said.stdout
    assert "for 16 GB of memory qwen3.5:4b, for 8 GB llama3.2:3b" in said.stdout
    told = document()
    assert (told["answers"], told["model"], told["version"]) == (False, None, "0.33.0")
    assert "has no model" in told["problem"]
    monkeypatch.setenv("TWINNING_MODEL_URL", "http://127.0.0.1:9")
    assert run().exit_code == 1
    assert "no answer from 127.0.0.1:9" in document()["problem"]


def test_pull(front: OllamaFront, monkeypatch: pytest.MonkeyPatch) -> None:
    front.registry |= {"small:1b": 4000, "qwen3.5:4b": 8000}
    with pytest.raises(WrongUsage, match="--yes downloads 'small:1b' without asking"):
        run("pull", "small:1b")
    assert front.asked("/api/pull") == []
    said = run("pull", "small:1b", "--yes")
    assert "small:1b is there: digest" in said.stdout
    assert [line for line in said.stderr.splitlines() if "pulling" not in line] == [
        "verifying sha256 digest",
        "writing manifest",
        "success",
    ]
    monkeypatch.delenv("TWINNING_MODEL")
    told = document("pull", "--yes")
    assert (told["model"], told["size"]) == ("qwen3.5:4b", 8000)
    with pytest.raises(FarSideRefused, match="there is no model 'nonsense'"):
        run("pull", "nonsense", "--yes")
    with pytest.raises(FarSideRefused, match="runs in a cloud"):
        run("pull", "kimi-k2:cloud", "--yes")
    front.troubles.append(trouble.after(3))
    with pytest.raises(FarSideUnavailable, match="stopped downloading"):
        run("pull", "small:1b", "--yes")


def on_a_terminal(answer: bytes, *words: str) -> tuple[int, str, str]:
    """Exit code, standard output, and what stands on the terminal of a person who types an answer."""
    ours, theirs = pty.openpty()
    code = "import sys; sys.argv[0] = 'twinning'; from twinning_pipelines.cli import main; main()"
    known = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    seen = list[bytes]()

    def look() -> None:
        # Linux says an error where macOS says the end.
        with suppress(OSError):
            while piece := os.read(ours, 65_536):
                seen.append(piece)

    command = [sys.executable, "-c", code, *words]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=known) as process:
        os.close(theirs)
        eye = Thread(target=look, daemon=True)
        eye.start()
        os.write(ours, answer)
        out, _ = process.communicate(timeout=60)
    eye.join(10)
    os.close(ours)
    return process.returncode, out.decode(), b"".join(seen).decode(errors="replace")


def test_pull_on_a_terminal_asks_first_and_shows_a_bar(front: OllamaFront) -> None:
    front.registry["small:1b"] = 4_000_000_000
    code, out, seen = on_a_terminal(b"n\n", "model", "pull", "small:1b")
    assert (code, out, front.asked("/api/pull")) == (1, "", [])
    assert f"Have Ollama at {front.url.removeprefix('http://')} download small:1b, some gigabytes? [y/N]" in seen
    front.troubles.append(trouble.trickle(0.03))
    code, out, seen = on_a_terminal(b"y\n", "model", "pull", "small:1b")
    assert (code, len(front.asked("/api/pull"))) == (0, 1)
    assert "small:1b is there: digest" in out
    assert f"pulling {front.models['small:1b'].digest[:12]}" in seen
    assert "/4.0 GB" in seen


def test_only_ollama_pulls(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongUsage, match="no language model is configured"):
        run("pull", "--yes")
    with OpenAiFront(Canned(YES)) as front:
        monkeypatch.setenv("TWINNING_MODEL_URL", front.url)
        with pytest.raises(WrongUsage, match="is no Ollama"):
            run("pull", "tiny", "--yes")


def test_settings_that_make_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("http://me:secret@host", "127.0.0.1:11434"):
        monkeypatch.setenv("TWINNING_MODEL_URL", url)
        with pytest.raises(WrongUsage, match="TWINNING_MODEL_URL or TWINNING_MODEL_TOKEN: must read http") as raised:
            run()
        assert "secret" not in str(raised.value)
    monkeypatch.setenv("TWINNING_MODEL_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("TWINNING_MODEL_API", "claude")
    with pytest.raises(WrongUsage, match="TWINNING_MODEL_API"):
        run()


def test_a_token_goes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAiFront(Canned(YES), token="a-long-token") as front:
        monkeypatch.setenv("TWINNING_MODEL_URL", f"{front.url}/v1")
        monkeypatch.setenv("TWINNING_MODEL_API", "openai")
        assert "HTTP 401" in document()["problem"]
        monkeypatch.setenv("TWINNING_MODEL_TOKEN", "a-long-token")
        said = run()
        assert said.exit_code == 0
        assert "a-long-token" not in said.output
