"""Hearing whatever waits: one recording after the other, within a budget of time.

Each is written down when it is heard, so that a run may be broken off at any moment. Two runs at once do not hear the
same: the second one stops.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from msgspec import Struct, field

from twinning_pipelines.engines.speech import RecordingRefused, SpeechEngine, SpokenLanguages, deadline_for
from twinning_pipelines.errors import FarSideUnavailable
from twinning_pipelines.products.voice_notes.journal import redate_entries, write_entry
from twinning_pipelines.products.voice_notes.sifting import sift
from twinning_pipelines.products.voice_notes.transcripts import (
    Waiting,
    keep_heard,
    keep_trouble,
    waiting,
)

# After so many in a row that the engine did not answer for, it is the engine and not the recording.
_MOST_UNANSWERED = 2
_LOCK = "select pg_try_advisory_lock(hashtext('twinning hears voice notes'))"
_UNLOCK = "select pg_advisory_unlock(hashtext('twinning hears voice notes'))"


def _utc() -> datetime:
    return datetime.now(UTC)


class Manner(Struct, frozen=True):
    """How to hear. languages: what each person speaks; `seconds`: after which no other recording is begun."""

    languages: SpokenLanguages = field(default_factory=SpokenLanguages)
    seconds: float = 1800
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = _utc


class Outcome(Struct, frozen=True):
    """What became of one recording. state: as in a transcript; seconds: how long the engine took."""

    person: str
    sha256: str
    recorded_at: datetime
    state: str
    seconds: float | None = None
    problem: str | None = None

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "person": self.person,
            "sha256": self.sha256,
            "recorded_at": self.recorded_at.isoformat(),
            "state": self.state,
            "seconds": self.seconds,
            "problem": self.problem,
        }


def hear_what_waits(
    database: sa.Engine, speech: SpeechEngine, place_of: Callable[[str], Path], manner: Manner
) -> Iterator[Outcome]:
    """Hears the recordings that are due. place_of: where the original with a sha256 is kept.

    Raises FarSideUnavailable when the engine answers for none in a row, and while another run is at it; FarSideRefused for
    what concerns every recording: those keep waiting. What was heard until then is kept.
    """
    stop = manner.clock() + manner.seconds
    with _alone(database):
        with database.begin() as connection:
            redate_entries(connection)
            notes = waiting(connection, speech, manner.now())
        unanswered = 0
        for note in notes:
            if manner.clock() >= stop:
                return
            try:
                yield _hear(database, speech, place_of(note.sha256), note, manner)
                unanswered = 0
            except FarSideUnavailable as silence:
                _note_trouble(database, speech, note, silence, manner, passing=True)
                yield Outcome(note.person, note.sha256, note.recorded_at, "retry", problem=str(silence))
                unanswered += 1
                if unanswered >= _MOST_UNANSWERED:
                    raise


def _hear(database: sa.Engine, speech: SpeechEngine, audio: Path, note: Waiting, manner: Manner) -> Outcome:
    """Hears one. What is wrong with this very recording is written down, and keeps no other from being heard."""
    try:
        heard = speech.transcribe(
            audio,
            container=note.container,
            language=manner.languages.spoken_by(note.person),
            deadline=deadline_for(note.seconds, audio.stat().st_size),
        )
        with database.begin() as connection:
            state = keep_heard(connection, note, speech, heard, sift(heard.segments), now=manner.now())
            write_entry(connection, note)
    except OSError as gone:
        problem = f"the original can't be opened: {gone.strerror or type(gone).__name__}"
    except sa.exc.DataError as misfit:
        problem = f"what was heard can't be kept: {type(misfit.orig).__name__}"
    except RecordingRefused as refusal:
        problem = str(refusal)
    else:
        return Outcome(note.person, note.sha256, note.recorded_at, state, round(heard.seconds, 3))
    _note_trouble(database, speech, note, problem, manner, passing=False)
    return Outcome(note.person, note.sha256, note.recorded_at, "refused", problem=problem)


def _note_trouble(
    database: sa.Engine, speech: SpeechEngine, note: Waiting, problem: object, manner: Manner, *, passing: bool
) -> None:
    with database.begin() as connection:
        keep_trouble(connection, note, speech, str(problem), now=manner.now(), passing=passing)


@contextmanager
def _alone(database: sa.Engine) -> Iterator[None]:
    with database.connect() as connection:
        if not connection.execute(sa.text(_LOCK)).scalar_one():
            raise FarSideUnavailable("voice notes are being heard at this moment by another run")
        # An advisory lock belongs to the session: no transaction stays open beside it for hours.
        connection.commit()
        try:
            yield
        finally:
            connection.execute(sa.text(_UNLOCK))
            connection.commit()
