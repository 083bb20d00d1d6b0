"""The verbs of `twinning news`: their words, JSON documents and exit codes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.home import Home
from twinning_pipelines.verbs.news import news
from twinning_pipelines_tests.far_sides.hook_receiver import SECRET, HookReceiver

STORED = """
    with n as (
        insert into news (kind, subject, title, body) values ('run_failed', 'run 1', 'ingest [b]failed', 'steps: a')
        returning id)
    insert into news_delivery (news_id, target, delivery, state, attempts, problem)
    select id, 'hub', gen_random_uuid(), 'dead', 5, 'answered 500' from n"""


@pytest.fixture
def hub(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[HookReceiver]:
    url = home.settings.database_url
    assert url is not None
    monkeypatch.setenv("TWINNING_HOME", str(home.settings.home))
    monkeypatch.setenv("TWINNING_DATABASE_URL", url.get_secret_value())
    with HookReceiver() as hub:
        yield hub


def run(*words: str) -> Result:
    """The command; its exceptions come out."""
    return CliRunner().invoke(news, words, catch_exceptions=False)


def documents(*words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*words, "--json").stdout.splitlines()]


def configure(home: Home, hub: HookReceiver, mode: int = 0o600) -> None:
    path = home.settings.home / "news.yaml"
    path.write_text(f"targets: [{{name: hub, person: ada, webhook: {{url: '{hub.address}', secret: {SECRET}}}}}]")
    path.chmod(mode)


def test_a_file_to_begin_with_then_a_word_to_try_it(home: Home, hub: HookReceiver) -> None:
    assert run("init").stdout.strip().endswith("news.yaml")
    with pytest.raises(WrongUsage, match="already"):
        run("init")
    assert "no target" in run("test").stderr
    configure(home, hub)
    assert run("test").stdout == "✓ hub: delivered\n"
    (told,) = hub.taken.values()
    assert (told["kind"], told["person"]) == ("test", "ada")
    hub.secret = "another-secret-altogether"
    assert documents("test", "hub") == [{"target": "hub", "delivered": False, "problem": "answered 401"}]
    assert run("test", "hub").exit_code == 1
    with pytest.raises(WrongUsage, match="there are: hub"):
        run("test", "phone")
    configure(home, hub, 0o640)
    with pytest.raises(WrongUsage, match="chmod 600"):
        run("test")


def test_what_was_told_and_dead_letters_once_more(home: Home, engine: sa.Engine, hub: HookReceiver) -> None:
    assert documents() == []
    assert "nothing has been told" in run().stderr
    with engine.begin() as connection:
        connection.execute(sa.text(STORED))
    (told,) = documents()
    assert (told["kind"], told["person"], told["target"], told["state"]) == ("run_failed", "", "hub", "dead")
    assert (told["attempts"], told["problem"], told["delivered_at"]) == (5, "answered 500", None)
    shown = run().stdout
    assert "the house: ingest [b]failed" in shown
    assert "✗ hub: dead after 5 tries (answered 500)" in shown
    assert "hub: 0 delivered, 0 wait, 1 dead" in shown
    assert documents("--person", "ada") == []
    assert documents("retry", "phone") == [{"queued": 0}]
    assert documents("retry") == [{"queued": 1}]
    assert documents()[0]["state"] == "pending"
    assert documents("retry", "--drop") == [{"dropped": 0}]


def test_a_file_that_can_not_be_used_is_told(home: Home, hub: HookReceiver) -> None:
    home.settings.home.mkdir(parents=True, exist_ok=True)
    configure(home, hub, 0o604)
    assert "chmod 600" in run().stderr
