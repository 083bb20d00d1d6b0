"""A speech server over a real connection: what is sent, what comes back, what each kind of trouble means."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinning_pipelines.engines.chosen_speech import speech_engine
from twinning_pipelines.engines.faster_whisper import FasterWhisper
from twinning_pipelines.engines.model_server import ModelServer
from twinning_pipelines.engines.openai_speech import OpenAiSpeech
from twinning_pipelines.engines.speech import RecordingRefused, Segment, SpokenLanguages, deadline_for
from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable
from twinning_pipelines_tests import recordings
from twinning_pipelines_tests.far_sides.scripted_server import HalfAnswer, HangUp, Instead, Reply
from twinning_pipelines_tests.far_sides.speech_server import FakeSpeech, TricklingSpeech

WAV = recordings.wav(0.2)
SAID = (Segment(0.0, 1.4, " I slept well,", 0.01, -0.21), Segment(1.4, 2.0, " I think.", 0.02, -0.4))


@pytest.fixture
def fake() -> Iterator[FakeSpeech]:
    """A server that knows one recording."""
    with FakeSpeech() as fake:
        fake.can(WAV, *SAID)
        yield fake


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """That recording."""
    path = tmp_path / "as kept.bin"
    path.write_bytes(WAV)
    return path


def engine(url: str, model: str = "small") -> OpenAiSpeech:
    """The client."""
    return OpenAiSpeech(ModelServer(url), model)


def hear(url: str, audio: Path, *, deadline: float = 20, model: str = "small", language: str | None = None) -> object:
    """Hears the recording."""
    return engine(url, model).transcribe(audio, container="wav", language=language, deadline=deadline)


def test_a_recording_is_sent_whole_under_a_neutral_name_and_its_segments_come_back(
    fake: FakeSpeech, audio: Path
) -> None:
    heard = engine(fake.url).transcribe(audio, container="wav", language="de", deadline=20)
    assert (heard.segments, heard.language, heard.model) == (SAID, "de", "small")
    (form,) = fake.forms
    assert hashlib.sha256(form["file"].content).digest() == hashlib.sha256(WAV).digest()
    assert (form["file"].filename, form["file"].kind) == ("recording.wav", "audio/wav")
    texts = {name: part.content.decode() for name, part in form.items() if name != "file"}
    assert texts == {
        "model": "small", "response_format": "verbose_json", "vad_filter": "true", "temperature": "0", "language": "de",
    }  # fmt: skip
    engine(fake.url).transcribe(audio, container="mp4", language=None, deadline=20)
    assert "language" not in fake.forms[1]
    assert fake.forms[1]["file"].filename == "recording.m4a"


def test_a_large_recording_is_sent_in_blocks(fake: FakeSpeech, tmp_path: Path) -> None:
    large = recordings.wav(0.1) + bytes(3_000_000)
    fake.can(large, *SAID)
    path = tmp_path / "large"
    path.write_bytes(large)
    assert engine(fake.url).transcribe(path, container="wav", language=None, deadline=20).segments == SAID


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (Reply.of(500, {"error": "failed to process audio"}), FarSideUnavailable, "failed to process audio"),
        (Reply.of(503, {"detail": "loading"}), FarSideUnavailable, "loading"),
        (Reply.of(429, {"error": {"message": "busy"}}), FarSideUnavailable, "busy"),
        (Reply.of(400, {"error": "failed to read audio data"}), RecordingRefused, "failed to read audio data"),
        (Reply.of(413, {}), RecordingRefused, "HTTP 413"),
        (Reply.of(403, {"detail": "API key required."}), FarSideRefused, "API key"),
        (Reply.of(302, {}, Location="http://elsewhere.example/"), FarSideRefused, "not followed"),
        (Reply.of(200, {"text": "no segments"}), FarSideRefused, "segments: Field required"),
        (Reply.of(200, {"segments": [{"start": 0, "end": "x", "text": ""}]}), FarSideRefused, "segments.0.end"),
        (Reply(200, b'{"segments": [{"start": NaN, "end": 1, "text": ""}]}'), FarSideRefused, "segments.0.start"),
        (Reply(200, b"<html>"), FarSideRefused, "verbose_json"),
        (Reply.of(200, {"segments": [{"start": 0, "end": 1, "text": "a" * 600_000}]}), RecordingRefused, "500,000"),
    ],
)
def test_trouble_is_passing_about_this_recording_or_about_all(
    fake: FakeSpeech, audio: Path, reply: Reply, kind: type[Exception], said: str
) -> None:
    fake.script.append(Instead(reply))
    with pytest.raises(kind, match=said) as raised:
        hear(fake.url, audio)
    assert type(raised.value) is kind


def test_what_is_wrong_with_the_request_concerns_every_recording(fake: FakeSpeech, audio: Path, tmp_path: Path) -> None:
    with pytest.raises(FarSideRefused, match=r"'large' is not installed.*TWINNING_SPEECH_MODEL") as unknown:
        hear(fake.url, audio, model="large")
    with pytest.raises(FarSideRefused, match="422") as wrong:
        hear(fake.url, audio, language="german!")
    with pytest.raises(FarSideRefused, match=r"Not Found.*TWINNING_SPEECH_URL"):
        hear(f"{fake.url}/api", audio)
    assert not isinstance(unknown.value, RecordingRefused)
    assert not isinstance(wrong.value, RecordingRefused)
    other = tmp_path / "other"
    other.write_bytes(b"nobody canned this")
    with pytest.raises(RecordingRefused, match="decode"):
        hear(fake.url, other)


@pytest.mark.parametrize("fault", [HangUp(stored=False), HangUp(stored=True), HalfAnswer()])
def test_a_connection_that_breaks_is_tried_later(fake: FakeSpeech, audio: Path, fault: HangUp | HalfAnswer) -> None:
    fake.script.append(fault)
    with pytest.raises(FarSideUnavailable):
        hear(fake.url, audio)
    assert hear(fake.url, audio)


@pytest.mark.parametrize("with_head", [True, False])
def test_the_deadline_holds_for_everything_together(audio: Path, with_head: bool) -> None:
    with TricklingSpeech(with_head=with_head) as slow:
        began = time.monotonic()
        with pytest.raises(FarSideUnavailable, match="not done"):
            hear(slow.url, audio, deadline=0.3)
        assert time.monotonic() - began < 3


def test_nobody_there_is_unavailable(audio: Path) -> None:
    with FakeSpeech() as gone:
        url = gone.url
    with pytest.raises(FarSideUnavailable):
        hear(url, audio)


def test_two_settings_choose_the_engine() -> None:
    assert speech_engine(None, "") is None
    server = speech_engine("http://127.0.0.1:8000/v1", "small")
    assert isinstance(server, OpenAiSpeech)
    assert (server.name, server.model, server.server.address) == ("openai", "small", "http://127.0.0.1:8000")
    local = speech_engine(None, "~/models/faster-whisper-small")
    assert isinstance(local, FasterWhisper)
    assert (local.name, local.model) == ("faster_whisper", "faster-whisper-small")
    with pytest.raises(ValueError, match="TWINNING_SPEECH_MODEL"):
        speech_engine("http://127.0.0.1:8000", " ")
    with pytest.raises(ValueError, match="TWINNING_SPEECH_URL") as wrong:
        speech_engine("http://user:secret@host", "small")
    assert "secret" not in str(wrong.value)


def test_a_deadline_is_three_times_the_talk_and_a_minute() -> None:
    assert deadline_for(100, 1) == 360
    assert deadline_for(0, 1) == 60
    assert deadline_for(None, 100_000) == 360


def test_each_person_has_a_language_or_everybody_has_one() -> None:
    assert SpokenLanguages.of("").spoken_by("ada") is None
    assert SpokenLanguages.of("de").spoken_by("ada") == "de"
    pairs = SpokenLanguages.of("ada=DE ben=en")
    assert [pairs.spoken_by(name) for name in ("ada", "ben", "cy")] == ["de", "en", None]
    assert SpokenLanguages.of("fr ada=de").spoken_by("cy") == "fr"
    for wrong in ("german please", "ada=", "de fr", "ada=de ada=en", "d1"):
        with pytest.raises(ValueError, match="person=language"):
            SpokenLanguages.of(wrong)


def test_weights_that_are_not_there_say_so(tmp_path: Path, audio: Path) -> None:
    with pytest.raises(FarSideRefused, match=r"model\.bin"):
        FasterWhisper(tmp_path / "none").transcribe(audio, container="wav", language=None, deadline=1)
