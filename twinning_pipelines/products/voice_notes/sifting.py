"""What of an engine's words is kept: every segment stays in the transcript, and some are left out of its text, with why."""

from collections.abc import Iterable

from msgspec import Struct

from twinning_pipelines.engines.speech import Segment
from twinning_pipelines.products.voice_notes.phrases import bare, is_made_up

_SHORT_SECONDS = 3.0
_LIKELY_SILENT = 0.5
# Whisper's own marks for silence: both together, as its authors use them.
_SILENT, _UNSURE = 0.6, -1.0
# Below this not even the author of the words would bet on one of them.
_GUESSED = -1.6

NO_WORDS, MADE_UP, SILENT, GUESSED = "no words", "said by engines into silence", "likely silence", "too unsure"


class Sifted(Struct, frozen=True):
    """A segment and why it is left out; None where it is kept."""

    segment: Segment
    left_out: str | None

    def document(self) -> dict[str, object]:
        """As JSON."""
        told = {
            "start": round(self.segment.start, 2),
            "end": round(self.segment.end, 2),
            "text": self.segment.text.strip(),
            "no_speech": self.segment.no_speech,
            "logprob": self.segment.logprob,
        }
        return told | ({"left_out": self.left_out} if self.left_out else {})


def sift(segments: Iterable[Segment]) -> list[Sifted]:
    """Judges each segment."""
    return [Sifted(each, _left_out(each)) for each in segments]


def text_of(sifted: Iterable[Sifted]) -> str:
    """What is kept, as one text; empty where nothing is."""
    return " ".join(" ".join(each.segment.text.split()) for each in sifted if each.left_out is None)


def _left_out(segment: Segment) -> str | None:
    no_speech = segment.no_speech if segment.no_speech is not None else 0.0
    if not bare(segment.text):
        return NO_WORDS
    doubtful = segment.end - segment.start < _SHORT_SECONDS or no_speech > _LIKELY_SILENT
    if doubtful and is_made_up(segment.text):
        return MADE_UP
    if segment.logprob is None:
        return None
    if no_speech > _SILENT and segment.logprob < _UNSURE:
        return SILENT
    return GUESSED if segment.logprob < _GUESSED else None
