"""The one-shots that fetch models, with stand-ins of the programs in their images."""

import os
import subprocess
from pathlib import Path

import pytest

from twinning_pipelines_tests.infra.programs import REPOSITORY

INFRA = REPOSITORY / "infra"
# A server that lives until it is told to end, and a client that finds it by the file that it makes.
OLLAMA = """#!/bin/sh
cd "$(dirname "$0")"
echo "$OLLAMA_HOST $*" >>told
case $1 in
    serve)
        [ -e no-server ] && exit 1
        touch serving
        trap 'rm serving; exit 0' TERM
        while :; do sleep 0.05; done
        ;;
    list) [ -e serving ] ;;
    pull)
        [ -e serving ] || exit 1
        if [ -e "fails-$2" ]; then rm "fails-$2"; exit 1; fi
        [ ! -e "never-$2" ]
        ;;
    *) exit 64 ;;
esac
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    for name, text in (
        ("ollama", OLLAMA),
        ("python", '#!/bin/sh\n[ "$1" = -c ] || exit 64\nshift 2\necho "$*" >>"$(dirname "$0")/told"\n'),
    ):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "told").write_text("")
    return tmp_path


def run(script: str, programs: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    variables = {"PATH": f"{programs}:{os.defpath}", "PULL_PAUSE_SECONDS": "0"} | environment
    return subprocess.run(
        ["sh", str(INFRA / script)], env=variables, capture_output=True, text=True, timeout=60, check=False
    )


def test_models_are_pulled_by_a_server_of_its_own_that_ends(programs: Path) -> None:
    (programs / "fails-b").touch()
    done = run("ollama/pull.sh", programs, TWINNING_MODEL="a b", OLLAMA_HOST="http://elsewhere:11434")
    assert done.returncode == 0, done.stderr
    told = (programs / "told").read_text().splitlines()
    assert [line for line in told if "pull" in line] == [f"127.0.0.1:11434 pull {name}" for name in ("a", "b", "b")]
    assert not (programs / "serving").exists()


def test_a_model_that_cannot_be_fetched_is_named(programs: Path) -> None:
    (programs / "never-a").touch()
    done = run("ollama/pull.sh", programs, TWINNING_MODEL="a")
    assert (done.returncode, "a could not be fetched" in done.stderr) == (1, True)
    assert not (programs / "serving").exists()


def test_a_server_that_does_not_start_is_said(programs: Path) -> None:
    (programs / "no-server").touch()
    done = run("ollama/pull.sh", programs, TWINNING_MODEL="a")
    assert (done.returncode, "the server did not start" in done.stderr) == (1, True)


@pytest.mark.parametrize("script", ["ollama/pull.sh", "whisper/pull.sh"])
def test_nothing_is_fetched_that_nobody_asked_for(programs: Path, script: str) -> None:
    assert run(script, programs).returncode == 0
    assert (programs / "told").read_text() == ""


def test_speech_models_are_fetched_by_name(programs: Path) -> None:
    assert run("whisper/pull.sh", programs, TWINNING_SPEECH_MODEL="a/b c/d").returncode == 0
    assert (programs / "told").read_text() == "a/b\nc/d\n"
