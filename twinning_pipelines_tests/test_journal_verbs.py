"""The verbs `twinning journal` and `twinning hear`, and the whole way from a dropped file to an entry."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from twinning_pipelines.cli import cli
from twinning_pipelines.engines.speech import Segment
from twinning_pipelines.errors import FarSideUnavailable, WrongUsage
from twinning_pipelines.home import Home
from twinning_pipelines_tests import recordings
from twinning_pipelines_tests.far_sides.scripted_server import HangUp
from twinning_pipelines_tests.far_sides.speech_server import FakeSpeech

MEMO = recordings.m4a(12.5, title="Morning walk")


@pytest.fixture
def fake(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSpeech]:
    """A speech server, and the environment that names it."""
    url = home.settings.database_url
    assert url is not None
    with FakeSpeech() as fake:
        monkeypatch.setenv("TWINNING_HOME", str(home.settings.home))
        monkeypatch.setenv("TWINNING_DATABASE_URL", url.get_secret_value())
        monkeypatch.setenv("TWINNING_ZONE", home.settings.zone)
        monkeypatch.setenv("TWINNING_SPEECH_URL", fake.url)
        monkeypatch.setenv("TWINNING_SPEECH_MODEL", "small")
        yield fake


def run(*words: str) -> Result:
    """The command; its exceptions come out."""
    return CliRunner().invoke(cli, words, catch_exceptions=False)


def test_a_recording_is_ingested_heard_and_found(fake: FakeSpeech, tmp_path: Path) -> None:
    fake.can(MEMO, Segment(0, 5, " I walked by the river.", 0.01, -0.2))
    path = tmp_path / "memo.m4a"
    path.write_bytes(MEMO)
    assert run("ingest", str(path), "--person", "ada").exit_code == 0
    assert run("journal").stdout == ""
    (heard,) = [json.loads(line) for line in run("hear", "--json").stdout.splitlines()]
    assert (heard["person"], heard["state"]) == ("ada", "done")
    (entry,) = [json.loads(line) for line in run("journal", "river", "walked", "--json").stdout.splitlines()]
    assert (entry["day"], entry["text"], entry["file"]) == ("2026-03-31", "I walked by the river.", "memo.m4a")
    shown = run("journal", "--day", "2026-03-31").stdout
    assert "2026-03-31 08:15 · Morning walk, 12 s" in shown
    assert "    I walked by the river." in shown
    assert run("journal", "rain", "--json").stdout == ""
    assert run("journal", "--since", "2026-04-01", "--json").stdout == ""
    assert run("journal", "--person", "ben", "--json").stdout == ""
    assert "nothing was due; 0 wait, 0 are refused" in run("hear").stdout
    run("ingest", str(path), "--person", "ada")
    assert "nothing was due" in run("hear").stdout
    assert fake.asked == 1


def test_what_was_not_heard_is_said_and_again_asks_again(fake: FakeSpeech, tmp_path: Path) -> None:
    path = tmp_path / "memo.m4a"
    path.write_bytes(MEMO)
    run("ingest", str(path), "--person", "ada")
    fake.script.append(HangUp(stored=False))
    with pytest.raises(FarSideUnavailable, match="tried again"):
        run("hear")
    assert "nothing was due; 1 wait" in run("hear").stdout
    refused = run("hear", "--again").stdout
    assert "refused: " in refused
    assert "1 refused; 0 wait, 1 are refused" in refused
    fake.can(MEMO, Segment(0, 5, " Hello", 0.01, -0.2))
    assert "1 done; 0 wait, 0 are refused" in run("hear", "--again").stdout


def test_without_an_engine_or_with_half_of_one_it_says_what_to_set(
    fake: FakeSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINNING_SPEECH_LANGUAGE", "deutsch bitte")
    with pytest.raises(WrongUsage, match="TWINNING_SPEECH_LANGUAGE"):
        run("hear")
    monkeypatch.setenv("TWINNING_SPEECH_MODEL", "")
    with pytest.raises(WrongUsage, match="TWINNING_SPEECH_MODEL"):
        run("hear")
    monkeypatch.delenv("TWINNING_SPEECH_URL")
    with pytest.raises(WrongUsage, match="no speech engine is configured"):
        run("hear")
