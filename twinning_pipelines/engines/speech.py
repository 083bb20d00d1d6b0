"""What a speech engine is to the rest: a recording in, the words that it heard out, within a deadline."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, Self

from msgspec import Struct, field

from twinning_pipelines.errors import FarSideRefused

# A Whisper on a small CPU may take as long as the talk itself; a busy machine longer. The rest is for loading it.
_TIMES_ITS_LENGTH, _LOADING_SECONDS = 3.0, 60.0


class RecordingRefused(FarSideRefused):
    """The engine works and says no to this one recording: it can't be decoded, or is too large."""


class Segment(Struct, frozen=True):
    """A stretch of talk, from and to in seconds. no_speech: how likely nobody speaks in it, 0 to 1; logprob: the mean of
    its tokens. Both are None where the engine does not tell."""

    start: float
    end: float
    text: str
    no_speech: float | None = None
    logprob: float | None = None


class Heard(Struct, frozen=True):
    """What an engine heard. language: as it calls it, where it tells; seconds: how long it took."""

    segments: tuple[Segment, ...]
    language: str | None
    model: str
    seconds: float


class SpeechEngine(Protocol):
    """Something that writes down what is said. `name` is its kind, `model` the weights that it is asked for."""

    @property
    def name(self) -> str:
        """What kind of engine it is."""

    @property
    def model(self) -> str:
        """Which weights it is asked for."""

    def transcribe(self, audio: Path, *, container: str, language: str | None, deadline: float) -> Heard:
        """Hears a recording. container: mp4, mp3, wav, ogg or webm; language: two letters, None to let it find out;
        deadline: seconds for everything, loading the model included.

        Raises FarSideUnavailable (no answer in time, busy, connection lost), RecordingRefused, and FarSideRefused for what
        concerns every recording (no such model, not at home).
        """


def deadline_for(seconds: float | None, size: int) -> float:
    """How long hearing may take, seconds. Where the length is not known it is guessed, high, from the size in bytes."""
    # 8 kbit/s is the least that voice messages are packed into.
    length = seconds if seconds is not None else size / 1_000
    return _TIMES_ITS_LENGTH * length + _LOADING_SECONDS


class SpokenLanguages(Struct, frozen=True):
    """Which language each person speaks, where they say so. The person "" is everybody."""

    _of: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Self:
        """`de`, or `person=language` pairs separated by blanks: `ada=de ben=en`. Raises ValueError."""
        found: dict[str, str] = {}
        for word in text.split():
            person, _, language = word.rpartition("=")
            if not (language.isascii() and language.isalpha() and 2 <= len(language) <= 3) or person in found:
                raise ValueError("must be a language such as de, or person=language pairs separated by blanks")
            found[person] = language.lower()
        return cls(found)

    def spoken_by(self, person: str) -> str | None:
        """The language of a person; None where nobody says."""
        return self._of.get(person) or self._of.get("")
