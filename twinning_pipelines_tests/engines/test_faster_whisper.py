"""The real faster-whisper in this process: decoding, finding silence, deadline. Its weights are made here, and only run."""

import io
import wave
from pathlib import Path

import numpy as np
import pytest

from twinning_pipelines.engines.faster_whisper import FasterWhisper
from twinning_pipelines.engines.speech import RecordingRefused
from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable
from twinning_pipelines_tests import recordings
from twinning_pipelines_tests.far_sides.ctranslate2_weights import write_music_box

pytest.importorskip("faster_whisper", reason="faster-whisper, the extra `speech`, is not installed")

WORDS = "I slept well"
_RATE = 16_000
# Where the throat is loud for a, i, e and u, Hz.
_VOWELS = ((700, 1200, 2600), (300, 2300, 3000), (500, 900, 2400), (400, 2000, 2550))


def babble(seconds: float = 4.0) -> bytes:
    """Vowels of nobody, which any finder of speech takes for somebody talking."""
    at = np.arange(int(seconds * _RATE)) / _RATE
    pitch = 120 + 15 * np.sin(2 * np.pi * 2.3 * at)
    turned = 2 * np.pi * np.cumsum(pitch) / _RATE
    vowel = (at * 4).astype(int) % 4
    sound = np.zeros_like(at)
    for number in range(1, 30):
        tone = number * pitch
        loud = [
            sum(weight / (1 + ((tone - peak) / 80) ** 2) for peak, weight in zip(peaks, (1, 0.6, 0.3), strict=True))
            for peaks in _VOWELS
        ]
        sound += np.array(loud)[vowel, np.arange(len(at))] * np.sin(number * turned)
    sound *= (0.5 - 0.5 * np.cos(2 * np.pi * 4 * at)) ** 0.7
    made = io.BytesIO()
    with wave.open(made, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(_RATE)
        recording.writeframes((16_000 * sound / np.abs(sound).max()).astype("<i2").tobytes())
    return made.getvalue()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weights that say the same words to whatever is not silence."""
    folder = tmp_path_factory.mktemp("weights") / "music-box"
    write_music_box(folder, WORDS.split())
    return folder


def kept(folder: Path, content: bytes) -> Path:
    """A recording as the archive keeps it: without an ending."""
    path = folder / "0a1b2c"
    path.write_bytes(content)
    return path


def test_it_hears_who_talks_and_nothing_in_a_tone(weights: Path, tmp_path: Path) -> None:
    speech = FasterWhisper(weights)
    heard = speech.transcribe(kept(tmp_path, babble()), container="wav", language="en", deadline=60)
    assert heard.segments[0].text.strip() == WORDS
    assert heard.segments[0].logprob is not None
    assert heard.segments[0].logprob > -0.5
    assert (heard.language, heard.model) == ("en", "music-box")
    silent = speech.transcribe(
        kept(tmp_path, recordings.wav(2, rate=_RATE)), container="wav", language=None, deadline=60
    )
    assert silent.segments == ()


@pytest.mark.parametrize("content", [b"", b"no sound at all", recordings.wav(0.2)[:40]])
def test_what_is_no_sound_is_refused_alone(weights: Path, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(RecordingRefused, match="can't be decoded"):
        FasterWhisper(weights).transcribe(kept(tmp_path, content), container="wav", language="en", deadline=60)


def test_its_deadline_is_looked_at_between_segments(weights: Path, tmp_path: Path) -> None:
    moments = iter((0.0, 100.0, 200.0))
    speech = FasterWhisper(weights, clock=lambda: next(moments))
    with pytest.raises(FarSideUnavailable, match="not done"):
        speech.transcribe(kept(tmp_path, babble()), container="wav", language="en", deadline=60)


def test_weights_that_are_none_are_a_matter_for_a_person(tmp_path: Path) -> None:
    (tmp_path / "spoilt").mkdir()
    (tmp_path / "spoilt" / "model.bin").write_bytes(b"nothing")
    with pytest.raises(FarSideRefused, match=r"holds no tokenizer\.json"):
        FasterWhisper(tmp_path / "spoilt").transcribe(tmp_path, container="wav", language="en", deadline=60)
    (tmp_path / "spoilt" / "tokenizer.json").write_text("{}")
    with pytest.raises(FarSideRefused, match="can't be loaded") as raised:
        FasterWhisper(tmp_path / "spoilt").transcribe(
            kept(tmp_path, babble(0.5)), container="wav", language="en", deadline=60
        )
    assert not isinstance(raised.value, RecordingRefused)
