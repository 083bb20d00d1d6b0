"""`twinning collect`: connecting, asking, the status, its JSON and its exit codes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from twinning_pipelines.collectors import credentials
from twinning_pipelines.errors import FarSideRefused, WrongUsage
from twinning_pipelines.verbs.collect import collect
from twinning_pipelines_tests.far_sides.scripted_server import Instead, Reply
from twinning_pipelines_tests.far_sides.simplefin_bridge import FakeBridge


@pytest.fixture
def bridge() -> Iterator[FakeBridge]:
    with FakeBridge() as server:
        server.add_account("A")
        yield server


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TWINNING_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TWINNING_PERSON", "ada")
    return tmp_path / "home"


def run(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(collect, list(words), input=typed)


def documents(*words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*words, "--json").stdout.splitlines()]


def test_connect_claims_a_token_from_standard_input_and_keeps_what_it_is_worth(
    folder: Path, bridge: FakeBridge
) -> None:
    told = run("connect", "simplefin", "--person", "ada", typed=f"{bridge.setup_token}\n")
    assert told.exit_code == 0, told.output
    assert not [secret for secret in (*bridge.secrets, *bridge.setup_secrets) if secret in told.output]
    (entry,) = credentials.read(folder / "collectors.yaml")
    assert entry.simplefin is not None
    assert (entry.person, entry.simplefin.access_url.get_secret_value()) == ("ada", bridge.access_url)
    assert (folder / "collectors.yaml").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("words", [(), ("status",)])
def test_where_nobody_is_configured_the_way_in_is_told(words: tuple[str, ...]) -> None:
    told = run(*words)
    assert (told.exit_code, told.stdout) == (0, "")
    assert "twinning collect connect" in told.stderr


def test_a_token_is_not_spent_when_what_it_is_worth_could_not_be_kept(folder: Path, bridge: FakeBridge) -> None:
    run("connect", "simplefin", typed=bridge.setup_token)
    claims = len(bridge.exchanges)
    again = run("connect", "simplefin", typed=bridge.setup_token)
    assert isinstance(again.exception, WrongUsage)
    assert "--replace" in str(again.exception)
    (folder / "collectors.yaml").chmod(0o644)
    assert "chmod 600" in str(run("connect", "simplefin", "--replace", typed=bridge.setup_token).exception)
    assert isinstance(run("connect", "simplefin", "--person", "../x", typed="x").exception, WrongUsage)
    assert len(bridge.exchanges) == claims


def test_a_used_token_is_told_and_nothing_is_written(folder: Path, bridge: FakeBridge) -> None:
    bridge.claimed = dict.fromkeys(bridge.claimed, True)
    told = run("connect", "simplefin", typed=bridge.setup_token)
    assert isinstance(told.exception, FarSideRefused)
    assert "used before" in str(told.exception)
    assert not (folder / "collectors.yaml").exists()


def test_connect_takes_the_token_and_query_of_flex(folder: Path) -> None:
    assert run("connect", "ibkr_flex", "--query", "42", "--name", "trades", typed="7001002003004005").exit_code == 0
    (entry,) = credentials.read(folder / "collectors.yaml")
    assert entry.ibkr_flex is not None
    assert (entry.person, entry.name, entry.ibkr_flex.query) == ("ada", "trades", "42")
    assert isinstance(run("connect", "ibkr_flex", typed="7001002003004005").exception, WrongUsage)
    assert isinstance(run("connect", "simplefin", "--query", "1", typed="x").exception, WrongUsage)
    assert isinstance(run("connect", "simplefin", "--name", "b", typed="\n").exception, WrongUsage)
    assert run("connect", "plaid", typed="x").exit_code == 2


def test_collect_asks_who_is_due_and_tells_what_came(folder: Path, bridge: FakeBridge) -> None:
    run("connect", "simplefin", typed=bridge.setup_token)
    bridge.messages = [("con.auth", "Log in again", "CON-1")]
    (made,) = documents()
    assert made == {
        "person": "ada",
        "collector": "simplefin",
        "state": "collected",
        "files": 1,
        "unchanged": 2,
        "messages": ["con.auth: Log in again"],
        "problem": "",
        "due_at": None,
    }
    assert len(list((folder / "inbox" / "ada" / "simplefin").iterdir())) == 1
    (resting,) = documents()
    assert (resting["state"], resting["due_at"] is not None) == ("resting", True)
    assert documents("simplefin", "--now")[0]["state"] == "collected"
    assert "not due before" in run("simplefin").stdout
    assert "it says con.auth: Log in again" in run("--now").stdout


def test_a_failure_is_exit_code_1_and_stays_in_the_status(folder: Path, bridge: FakeBridge) -> None:
    run("connect", "simplefin", typed=bridge.setup_token)
    assert run("status").stdout.startswith("· simplefin of ada: never visited, due now")
    bridge.script.append(Instead(Reply(500)))
    told = run("--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["state"] == "failed"
    (standing,) = documents("status")
    assert standing["problem"].endswith("answers HTTP 500")
    assert standing["requests_in_24_hours"] == 1
    assert standing.keys() == {
        *("person", "collector", "last_try", "last_success", "covered_until", "problem", "messages"),
        *("due_at", "requests_in_24_hours"),
    }
    assert "problem 127.0.0.1" in run("status").stdout
    assert run().exit_code == 0


def test_a_home_without_collectors_says_how_to_begin(folder: Path) -> None:
    told = run()
    assert (told.exit_code, told.stdout) == (0, "")
    assert "collect connect simplefin" in told.stderr
    assert documents() == documents("status") == []
    unknown = run("simplefinn")
    assert isinstance(unknown.exception, WrongUsage)
    assert "no collector is called 'simplefinn'" in str(unknown.exception)
