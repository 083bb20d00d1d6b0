"""Whisper in this very process, by the optional package faster-whisper: for a house without a speech server.

The weights are a folder on this machine; nothing is ever downloaded. The model is loaded with the first recording.
"""

import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from twinning_pipelines.engines.speech import Heard, RecordingRefused, Segment
from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable

_NEEDS = "hearing in this process needs faster-whisper: pip install 'twinning[speech]'"


class FasterWhisper:
    """One folder of weights in the format of CTranslate2. `model` is the folder's name: it names what was heard with it."""

    name = "faster_whisper"

    def __init__(self, weights: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._weights, self._clock = weights, clock
        self.model = weights.name
        # A WhisperModel; the package is optional, and so are its types.
        self._loaded: Any = None

    def transcribe(self, audio: Path, *, container: str, language: str | None, deadline: float) -> Heard:  # noqa: ARG002
        """As SpeechEngine.transcribe. The deadline is looked at between segments: one of 30 s at most is finished."""
        began = self._clock()
        model = self._load()
        sound = _decoded(audio)
        try:
            told, about = model.transcribe(
                sound, language=language, vad_filter=True, condition_on_previous_text=False, beam_size=5
            )
        except ValueError as wrong:
            raise FarSideRefused(f"{self.model} can't hear {language!r}: {wrong}") from None
        segments = []
        for each in told:
            segments.append(Segment(each.start, each.end, each.text, each.no_speech_prob, each.avg_logprob))
            if self._clock() - began > deadline:
                raise FarSideUnavailable(f"{self.model} is not done hearing after {deadline:g} s")
        return Heard(tuple(segments), about.language, self.model, self._clock() - began)

    def _load(self) -> Any:
        if self._loaded is not None:
            return self._loaded
        # Without its tokenizer faster-whisper would fetch one from outside.
        missing = [name for name in ("model.bin", "tokenizer.json") if not (self._weights / name).is_file()]
        if missing:
            raise FarSideRefused(f"TWINNING_SPEECH_MODEL: {self._weights} holds no {' and no '.join(missing)}")
        try:
            self._loaded = _package().WhisperModel(
                str(self._weights), device="cpu", compute_type="int8", local_files_only=True
            )
        except (OSError, RuntimeError, ValueError) as wrong:
            raise FarSideRefused(f"the weights in {self._weights} can't be loaded: {wrong}") from None
        return self._loaded


def _package() -> Any:
    try:
        return import_module("faster_whisper")
    except ImportError:
        raise FarSideRefused(_NEEDS) from None


def _decoded(audio: Path) -> Any:
    """The sound as Whisper wants it. Raises RecordingRefused for whatever is none."""
    try:
        return _package().decode_audio(str(audio), sampling_rate=16_000)
    except (ValueError, OSError, RuntimeError, LookupError) as undecodable:
        # PyAV's errors are of these kinds; none of them tells more than that it is no sound.
        raise RecordingRefused(f"the recording can't be decoded: {type(undecodable).__name__}") from None
