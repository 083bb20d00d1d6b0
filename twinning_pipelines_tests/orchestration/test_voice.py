"""Under Dagster: a recording in the inbox becomes an entry of the journal, and nobody's words are in the event log."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from twinning_pipelines.definitions import build_defs
from twinning_pipelines.engines.speech import Segment
from twinning_pipelines.errors import FarSideUnavailable
from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.orchestration.voice import AGAIN, HEAR, JOURNAL, POOL, hear, verdict
from twinning_pipelines.products.voice_notes.transcripts import Standing
from twinning_pipelines.settings import Settings
from twinning_pipelines.sources.journal import voice_note
from twinning_pipelines.sources.time import toggl
from twinning_pipelines_tests import recordings
from twinning_pipelines_tests.far_sides.scripted_server import HangUp
from twinning_pipelines_tests.far_sides.speech_server import FakeSpeech
from twinning_pipelines_tests.orchestration.drops import MADE, figures, materialise, settle, verdicts

MEMO = recordings.m4a(12.5)
WORDS = "I walked by the river"


@pytest.fixture
def fake() -> Iterator[FakeSpeech]:
    """A speech server."""
    with FakeSpeech() as fake:
        fake.can(MEMO, Segment(0, 5, f" {WORDS}.", 0.01, -0.2))
        yield fake


def with_speech(home: Home, url: str | None, model: str = "small") -> Home:
    """The home with a speech server."""
    settings = Settings(
        home=home.settings.home,
        database_url=home.settings.database_url,
        zone=home.settings.zone,
        speech_url=url,
        speech_model=model,
    )
    return Home(settings, (voice_note.SOURCE, toggl.SOURCE))


def drop(home: Home, content: bytes, name: str) -> Path:
    """A recording in the inbox."""
    path = home.inbox / "ada" / "voice" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    settle(path)
    return path


def journal(opened: OpenHome) -> list[str]:
    """What it says."""
    with opened.engine.connect() as connection:
        return list(connection.execute(sa.text("select text from journal_entry order by said_at")).scalars())


def test_a_dropped_recording_ends_as_an_entry_and_broken_ones_are_put_aside_with_a_reason(
    home: Home, opened: OpenHome, fake: FakeSpeech, instance: dg.DagsterInstance
) -> None:
    heard = with_speech(home, fake.url)
    path = drop(heard, MEMO, "memo.m4a")
    drop(heard, MEMO[:-40], "cut.m4a")
    result = materialise(heard, instance)
    assert result.success
    assert journal(opened) == [f"{WORDS}."]
    assert not path.exists()
    (why,) = (heard.quarantine / "ada").glob("*cut.m4a.why.txt")
    assert "breaks off" in why.read_text()
    told = figures(result, JOURNAL)
    assert told == {"state": "up to date", "now: done": 1, "heard": 1, "silent": 0, "waiting": 0, "refused": 0}
    assert verdicts(result)["journal", "recordings_are_heard"].passed
    drop(heard, MEMO, "once more.m4a")
    again = materialise(heard, instance)
    assert "now: done" not in figures(again, JOURNAL)
    assert (fake.asked, journal(opened)) == (1, [f"{WORDS}."])
    logged = " ".join(str(entry) for entry in instance.all_logs(result.run_id))
    assert len(logged) > 1_000
    assert "river" not in logged


def test_what_is_refused_is_seen(home: Home, fake: FakeSpeech, instance: dg.DagsterInstance) -> None:
    heard = with_speech(home, fake.url)
    drop(heard, recordings.opus(3), "PTT-20260331-WA0001.opus")
    found = verdicts(materialise(heard, instance))["journal", "recordings_are_heard"]
    assert not found.passed
    assert found.metadata["refused"].value == 1
    assert "hear --again" in str(found.description)


def test_a_home_without_an_engine_says_so_and_how_many_wait(
    home: Home, fake: FakeSpeech, instance: dg.DagsterInstance
) -> None:
    silent = with_speech(home, None, "")
    drop(silent, MEMO, "memo.m4a")
    result = materialise(silent, instance)
    assert result.success
    told = figures(result, JOURNAL)
    assert str(told["state"]).startswith("not configured")
    assert told["waiting"] == 1
    assert verdicts(result)["journal", "recordings_are_heard"].passed
    assert materialise(with_speech(home, fake.url), instance, [JOURNAL]).success


def test_only_silence_is_tried_again(home: Home, opened: OpenHome, fake: FakeSpeech) -> None:
    assert AGAIN.max_retries == 2
    heard = OpenHome(with_speech(home, fake.url), opened.engine)
    for number in range(2):
        path = drop(heard.home, recordings.m4a(1 + number), f"{number}.m4a")
        os.utime(path, (MADE.timestamp(), MADE.timestamp()))
        assert heard.ingest(path, "ada", called=path.name).problem is None
    fake.script.extend([HangUp(stored=False)] * 2)
    with pytest.raises(FarSideUnavailable):
        hear(heard)
    with opened.engine.begin() as connection:
        connection.execute(sa.text("delete from transcript"))
    with pytest.raises(dg.Failure, match="not installed") as refused:
        hear(OpenHome(with_speech(home, fake.url, "large"), opened.engine))
    assert not refused.value.allow_retries
    with pytest.raises(dg.Failure, match="TWINNING_SPEECH_URL") as wrong:
        hear(OpenHome(with_speech(home, "http://user:secret@nowhere"), opened.engine))
    assert "secret" not in str(wrong.value.description)


def test_a_day_of_waiting_is_worth_a_word() -> None:
    now = datetime(2026, 4, 2, tzinfo=UTC)
    fresh = Standing(heard=3, silent=1, waiting=2, refused=0, since=now - timedelta(hours=3))
    assert verdict(fresh, now).passed
    late = verdict(Standing(heard=0, silent=0, waiting=2, refused=0, since=now - timedelta(days=3)), now)
    assert not late.passed
    assert late.severity is dg.AssetCheckSeverity.WARN
    assert "3 days" in str(late.description)


def test_hearing_has_a_job_of_its_own_and_no_ingest_waits_for_it(home: Home) -> None:
    defs = build_defs(home, partitioned=False)
    assert JOURNAL in defs.resolve_job_def(HEAR).asset_layer.executable_asset_keys
    assert JOURNAL not in defs.resolve_job_def("ingest").asset_layer.executable_asset_keys
    assert {each.pool for each in defs.resolve_job_def(HEAR).all_node_defs if isinstance(each, dg.OpDefinition)} == {
        POOL, None,
    }  # fmt: skip
