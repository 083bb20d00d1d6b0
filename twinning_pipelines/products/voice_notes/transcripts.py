"""What was heard in which recording, with which engine and model: one row for each.

(none) ─▶ done      there are words, and an entry in the journal shows those of the newest transcript
       ├▶ silent    nothing was said, or nothing that is kept
       ├▶ retry     the engine did not answer; tried again at `next_at`
       └▶ refused   the engine can't take this recording; a person may ask for it again
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.engines.speech import Heard, SpeechEngine
from twinning_pipelines.products.voice_notes.sifting import Sifted, text_of

_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=6)


class Waiting(Struct, frozen=True):
    """A recording that this engine and model have not heard yet. seconds: how long it is, where known."""

    person_id: int
    person: str
    sha256: str
    file_id: int
    recorded_at: datetime
    seconds: float | None
    container: str
    attempts: int


# The newest first: a page about yesterday waits for yesterday's words, not for those of an archive dropped today.
_WAITING = """
    select v.person_id, p.name as person, v.sha256, v.file_id, v.recorded_at, v.seconds, v.container,
        coalesce(t.attempts, 0) as attempts
    from voice_note v
        join person p on p.id = v.person_id
        left join transcript t on t.person_id = v.person_id and t.sha256 = v.sha256
            and t.engine = :engine and t.model = :model
    where v.absent_since is null and (t.id is null or (t.state = 'retry' and t.next_at <= :now))
    order by v.recorded_at desc, v.id"""


def waiting(connection: sa.Connection, speech: SpeechEngine, now: datetime) -> list[Waiting]:
    """The recordings of everybody that are due."""
    found = connection.execute(sa.text(_WAITING), {"engine": speech.name, "model": speech.model, "now": now})
    return [Waiting(**row._mapping) for row in found]  # noqa: SLF001 -- SQLAlchemy's public name for it


_KEEP = """
    insert into transcript (person_id, sha256, engine, model, state, language, segments, text, seconds, attempts, made_at)
    values (:person, :sha256, :engine, :model, :state, :language, cast(:segments as jsonb), :text, :seconds, :attempts, :now)
    on conflict (person_id, sha256, engine, model) do update set state = excluded.state, language = excluded.language,
        segments = excluded.segments, text = excluded.text, seconds = excluded.seconds, attempts = excluded.attempts,
        made_at = excluded.made_at, next_at = null, problem = null"""


def keep_heard(
    connection: sa.Connection,
    note: Waiting,
    speech: SpeechEngine,
    heard: Heard,
    sifted: Sequence[Sifted],
    *,
    now: datetime,
) -> str:
    """Writes down what was heard; answers the state, `done` or `silent`."""
    text = text_of(sifted)
    state = "done" if text else "silent"
    values = {
        **_key(note, speech),
        "state": state,
        "language": heard.language,
        "segments": json.dumps([each.document() for each in sifted], ensure_ascii=False, allow_nan=False),
        "text": text,
        "seconds": heard.seconds,
        "attempts": note.attempts + 1,
        "now": now,
    }
    connection.execute(sa.text(_KEEP), values)
    return state


_FAIL = """
    insert into transcript (person_id, sha256, engine, model, state, attempts, next_at, problem, made_at)
    values (:person, :sha256, :engine, :model, :state, :attempts, :next_at, :problem, :now)
    on conflict (person_id, sha256, engine, model) do update set state = excluded.state, attempts = excluded.attempts,
        next_at = excluded.next_at, problem = excluded.problem"""


def keep_trouble(
    connection: sa.Connection, note: Waiting, speech: SpeechEngine, problem: str, *, now: datetime, passing: bool
) -> None:
    """Writes down that it was not heard. passing: it is tried again, after a while that grows."""
    wait = min(_FIRST_WAIT * 2 ** min(note.attempts, 20), _LONGEST_WAIT)
    values = {
        **_key(note, speech),
        "state": "retry" if passing else "refused",
        "attempts": note.attempts + 1,
        "next_at": now + wait if passing else None,
        "problem": problem[:500],
        "now": now,
    }
    connection.execute(sa.text(_FAIL), values)


def try_again(connection: sa.Connection, engine: str, model: str) -> int:
    """Lets what was refused, and what waits for its next try, be heard at once; answers how many."""
    statement = """
        delete from transcript where engine = :engine and model = :model and state in ('retry', 'refused')"""
    return connection.execute(sa.text(statement), {"engine": engine, "model": model}).rowcount


class Standing(Struct, frozen=True):
    """How recordings stand with an engine and its model, over everybody. waiting: not heard yet, those to be tried again
    included; since: when the longest waiting one was received."""

    heard: int
    silent: int
    waiting: int
    refused: int
    since: datetime | None


_STANDING = """
    select count(*) filter (where t.state = 'done') as heard, count(*) filter (where t.state = 'silent') as silent,
        count(*) filter (where t.state is null or t.state = 'retry') as waiting,
        count(*) filter (where t.state = 'refused') as refused,
        min(f.received_at) filter (where t.state is null or t.state = 'retry') as since
    from voice_note v
        join intake_file f on f.id = v.file_id
        left join transcript t on t.person_id = v.person_id and t.sha256 = v.sha256
            and t.engine = :engine and t.model = :model
    where v.absent_since is null"""


def standing(connection: sa.Connection, engine: str, model: str) -> Standing:
    """How recordings stand. An engine that nobody configured has heard none."""
    row = connection.execute(sa.text(_STANDING), {"engine": engine, "model": model}).one()
    return Standing(**row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for it


def _key(note: Waiting, speech: SpeechEngine) -> dict[str, object]:
    return {"person": note.person_id, "sha256": note.sha256, "engine": speech.name, "model": speech.model}
