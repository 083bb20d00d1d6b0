"""whisper.cpp itself, in this process, behind OpenAI's transcription path as its `whisper-server` shows it.

Like that server it reads WAVE, ignores fields that it does not know, and answers 400 to what it can't decode.
"""

import io
import math
import wave
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from twinning_pipelines_tests.far_sides.scripted_server import Reply, Request, ScriptedServer
from twinning_pipelines_tests.far_sides.speech_server import PATH, parts_of

_RATE = 16_000


class WhisperFront(ScriptedServer):
    """The server of one file of weights."""

    def __init__(self, weights: Path) -> None:
        super().__init__()
        # Optional in tests, and so are its types.
        self._model: Any = import_module("pywhispercpp.model").Model(
            str(weights), n_threads=2, print_progress=False, print_realtime=False, redirect_whispercpp_logs_to=None
        )

    def answer(self, request: Request) -> Reply:
        """Hears."""
        if (request.method, request.path) != ("POST", PATH):
            return Reply.of(HTTPStatus.NOT_FOUND, {"error": "File Not Found"})
        parts = parts_of(request)
        if "file" not in parts:
            return Reply.of(HTTPStatus.BAD_REQUEST, {"error": "no 'file' field in the request"})
        try:
            sound = samples_of(parts["file"].content)
        except (EOFError, wave.Error):
            return Reply.of(HTTPStatus.BAD_REQUEST, {"error": "failed to read audio data"})
        language = parts["language"].content.decode() if "language" in parts else "en"
        found = self._model.transcribe(sound, language=language, extract_probability=True)
        segments = [
            {
                "id": number,
                "text": each.text,
                "start": each.t0 / 100,
                "end": each.t1 / 100,
                "tokens": [],
                "words": [],
                "temperature": 0.0,
                "avg_logprob": math.log(max(float(each.probability), 1e-9)),
                "no_speech_prob": 0.0,
            }
            for number, each in enumerate(found)
        ]
        text = "".join(each.text for each in found)
        told = {"task": "transcribe", "language": "english", "duration": len(sound) / _RATE, "text": text}
        return Reply.of(HTTPStatus.OK, told | {"segments": segments, "detected_language": "english"})


def samples_of(content: bytes) -> npt.NDArray[np.float32]:
    """A WAVE of 16 bits as whisper.cpp wants it: one channel, 16 kHz. Raises wave.Error, EOFError."""
    with wave.open(io.BytesIO(content)) as recording:
        if recording.getsampwidth() != 2:
            raise wave.Error("not of 16 bits")
        raw = np.frombuffer(recording.readframes(recording.getnframes()), "<i2").astype(np.float32) / 32_768
        mono = raw.reshape(-1, recording.getnchannels()).mean(axis=1)
        at = np.arange(0, len(mono), recording.getframerate() / _RATE)
    heard: npt.NDArray[np.float32] = np.interp(at, np.arange(len(mono)), mono).astype(np.float32)
    return heard
