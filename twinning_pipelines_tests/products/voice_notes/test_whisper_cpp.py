"""The real whisper.cpp hears a dropped recording. Its weights are made here: they can't understand, only run."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from twinning_pipelines.engines.model_server import ModelServer
from twinning_pipelines.engines.openai_speech import OpenAiSpeech
from twinning_pipelines_tests import recordings
from twinning_pipelines_tests.far_sides.whisper_front import WhisperFront
from twinning_pipelines_tests.far_sides.whisper_weights import write_music_box, write_mute
from twinning_pipelines_tests.products.voice_notes.listener import Listener

pytest.importorskip("pywhispercpp", reason="pywhispercpp, the binding to whisper.cpp, is not installed")

DICTATED = recordings.wav(2.0, bext="2026-03-3108:15:00", rate=16_000)
WORDS = "I walked along the river before breakfast"


def test_it_hears_words_in_a_recording_and_they_are_in_the_journal(listener: Listener, tmp_path: Path) -> None:
    write_music_box(tmp_path / "box.bin", WORDS.split())
    listener.drop(DICTATED, "dictaphone.wav")
    with WhisperFront(tmp_path / "box.bin") as server:
        speech = OpenAiSpeech(ModelServer(server.url), "box")
        (outcome,) = listener.hear(speech)
        assert (outcome.state, outcome.problem) == ("done", None)
        assert listener.states(speech) == []
    assert listener.rows("select said_at, text from journal_entry") == [
        (datetime(2026, 3, 31, 6, 15, tzinfo=UTC), WORDS)
    ]
    ((segments, language),) = listener.rows("select segments, language from transcript")
    assert [(each["start"], each["end"], each["text"]) for each in segments] == [(0.0, 2.0, WORDS)]
    assert segments[0]["logprob"] > -0.1
    assert language == "english"


def test_it_hears_nothing_in_a_recording_and_there_is_no_entry(listener: Listener, tmp_path: Path) -> None:
    write_mute(tmp_path / "mute.bin")
    listener.drop(DICTATED, "dictaphone.wav")
    with WhisperFront(tmp_path / "mute.bin") as server:
        assert listener.states(OpenAiSpeech(ModelServer(server.url), "mute")) == ["silent"]
    assert listener.rows("select * from journal_entry") == []


def test_it_refuses_what_it_can_not_decode(listener: Listener, tmp_path: Path) -> None:
    write_mute(tmp_path / "mute.bin")
    listener.drop(recordings.opus(3), "note.ogg")
    with WhisperFront(tmp_path / "mute.bin") as server:
        (outcome,) = listener.hear(OpenAiSpeech(ModelServer(server.url), "mute"))
    assert outcome.state == "refused"
    assert "failed to read audio data" in str(outcome.problem)
