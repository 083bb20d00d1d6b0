"""Speech servers at home that speak OpenAI's transcription dialect: speaches, and whisper.cpp's own with
`--inference-path /v1/audio/transcriptions`.

The recording is sent under a neutral name. Silence is left out by the server where it knows `vad_filter`; others ignore
the field.
"""

import json
import secrets
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from twinning_pipelines.engines.model_server import Answer, ModelServer, error_of, json_object
from twinning_pipelines.engines.speech import Heard, RecordingRefused, Segment
from twinning_pipelines.engines.upload import Upload
from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable

_PATH = "/v1/audio/transcriptions"
_BLOCK = 1 << 18
_LONGEST_TEXT = 500_000
_KINDS = {
    "mp4": ("m4a", "audio/mp4"),
    "mp3": ("mp3", "audio/mpeg"),
    "wav": ("wav", "audio/wav"),
    "ogg": ("ogg", "audio/ogg"),
    "webm": ("webm", "audio/webm"),
}
_THIS_RECORDING = frozenset({400, 413, 415})
_LATER = frozenset({408, 425, 429})
_Seconds = Annotated[FiniteFloat, Field(ge=0)]


class _Said(BaseModel):
    """One segment of `verbose_json`."""

    start: _Seconds
    end: _Seconds
    text: str
    avg_logprob: FiniteFloat | None = None
    no_speech_prob: FiniteFloat | None = None


class _Transcription(BaseModel):
    """What `verbose_json` must hold; anything else in it is left aside."""

    segments: list[_Said]
    language: str | None = None


class OpenAiSpeech:
    """A model of one speech server."""

    name = "openai"

    def __init__(self, server: ModelServer, model: str) -> None:
        self.server, self.model = server, model.strip()

    def transcribe(self, audio: Path, *, container: str, language: str | None, deadline: float) -> Heard:
        """As SpeechEngine.transcribe."""
        until = self.server.deadline(deadline)
        fields = {"model": self.model, "response_format": "verbose_json", "vad_filter": "true", "temperature": "0"}
        if language is not None:
            fields["language"] = language
        with self.server.asked("POST", _PATH, upload_of(audio, container, fields), deadline=until) as answer:
            if answer.status != HTTPStatus.OK:
                raise self._refusal(answer)
            segments, told = self._heard(answer.text())
        return Heard(segments, told, self.model, until.passed)

    def _heard(self, text: str) -> tuple[tuple[Segment, ...], str | None]:
        try:
            # By way of Python's reader: the other takes half of a surrogate pair for broken JSON.
            whole = json.dumps(json_object(text), ensure_ascii=False).encode("utf-8", "replace")
            found = _Transcription.model_validate_json(whole)
        except ValidationError as wrong:
            first = wrong.errors()[0]
            where = ".".join(map(str, first["loc"])) or "its answer"
            raise FarSideRefused(
                f"{self.server.host} does not answer as OpenAI's verbose_json: {where}: {first['msg']}"
            ) from None
        if sum(len(each.text.encode()) for each in found.segments) > _LONGEST_TEXT:
            raise RecordingRefused(f"{self.server.host} heard more than {_LONGEST_TEXT:,} bytes of words")
        segments = (
            Segment(
                each.start,
                max(each.start, each.end),
                each.text.replace("\0", ""),
                each.no_speech_prob,
                each.avg_logprob,
            )
            for each in found.segments
        )
        return tuple(segments), self.server.safe(found.language)[:40].lower() if found.language else None

    def _refusal(self, answer: Answer) -> Exception:
        text = answer.text()
        words = self.server.safe(json_object(text).get("detail") or error_of(text))
        told = f"{self.server.host} answers HTTP {answer.status} to a recording" + (f": {words}" if words else "")
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in _LATER:
            return FarSideUnavailable(told)
        if answer.status in _THIS_RECORDING:
            return RecordingRefused(told)
        if answer.status == HTTPStatus.NOT_FOUND:
            return FarSideRefused(f"{told}; TWINNING_SPEECH_URL or TWINNING_SPEECH_MODEL ({self.model!r}) is wrong")
        return FarSideRefused(told)


def upload_of(audio: Path, container: str, fields: dict[str, str]) -> Upload:
    """A form with fields and a recording, read from its file while it is sent."""
    ending, kind = _KINDS.get(container, ("bin", "application/octet-stream"))
    mark = secrets.token_hex(16)
    opening = "".join(
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields.items()
    )
    opening += f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="recording.{ending}"\r\n'
    before, after = f"{opening}Content-Type: {kind}\r\n\r\n".encode(), f"\r\n--{mark}--\r\n".encode()

    def blocks() -> Iterator[bytes]:
        yield before
        with audio.open("rb") as stream:
            while block := stream.read(_BLOCK):
                yield block
        yield after

    size = len(before) + audio.stat().st_size + len(after)
    return Upload(f"multipart/form-data; boundary={mark}", size, blocks)
