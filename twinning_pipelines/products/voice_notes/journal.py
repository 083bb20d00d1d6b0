"""A person's journal: what they said on a day, searched by words.

An entry belongs to a recording. It shows its newest transcript; where that one hears nothing there is no entry.
"""

from collections.abc import Iterator
from datetime import date, datetime

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.marts.calendar import clock_of
from twinning_pipelines.products.voice_notes.transcripts import Waiting

_NEWEST = """
    select id, state, text from transcript
    where person_id = :person and sha256 = :sha256 and state in ('done', 'silent') order by made_at desc, id desc limit 1"""
_ENTRY = """
    select j.id from journal_entry j join transcript t on t.id = j.transcript_id
    where j.person_id = :person and t.sha256 = :sha256"""


def write_entry(connection: sa.Connection, note: Waiting) -> None:
    """Makes, changes or removes the entry of a recording, so that it shows the newest transcript."""
    which = {"person": note.person_id, "sha256": note.sha256}
    newest = connection.execute(sa.text(_NEWEST), which).one_or_none()
    entry = connection.execute(sa.text(_ENTRY), which).scalar_one_or_none()
    if newest is None or newest.state == "silent":
        connection.execute(sa.text("delete from journal_entry where id = :id"), {"id": entry})
        return
    values = {
        "id": entry,
        "person": note.person_id,
        "day": clock_of(connection, note.person_id).day(note.recorded_at),
        "said_at": note.recorded_at,
        "text": newest.text,
        "transcript": newest.id,
        "file": note.file_id,
    }
    made = """
        insert into journal_entry (person_id, day, said_at, text, transcript_id, file_id)
        values (:person, :day, :said_at, :text, :transcript, :file)"""
    changed = """
        update journal_entry set day = :day, said_at = :said_at, text = :text, transcript_id = :transcript, file_id = :file
        where id = :id"""
    connection.execute(sa.text(changed if entry is not None else made), values)


_DATED = """
    select j.id, j.person_id, j.day, j.said_at, v.recorded_at from journal_entry j
        join transcript t on t.id = j.transcript_id
        join voice_note v on v.person_id = j.person_id and v.sha256 = t.sha256
    where v.absent_since is null"""


def redate_entries(connection: sa.Connection) -> int:
    """Puts entries on the day of their recording where it was dated anew, or a person's zone changed; answers how many."""
    found = connection.execute(sa.text(_DATED)).all()
    clocks = {each: clock_of(connection, each) for each in {row.person_id for row in found}}
    moved = [
        {"id": row.id, "at": row.recorded_at, "day": day}
        for row in found
        if ((day := clocks[row.person_id].day(row.recorded_at)), row.recorded_at) != (row.day, row.said_at)
    ]
    if moved:
        connection.execute(sa.text("update journal_entry set said_at = :at, day = :day where id = :id"), moved)
    return len(moved)


class Entry(Struct, frozen=True):
    """One entry as it is shown. said_at: with the offset of the person's zone; file: as it was dropped."""

    person: str
    day: date
    said_at: datetime
    text: str
    title: str | None
    seconds: float | None
    language: str | None
    model: str | None
    dated_by: str | None
    file: str

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "person": self.person,
            "day": self.day.isoformat(),
            "said_at": self.said_at.isoformat(),
            "text": self.text,
            "title": self.title,
            "seconds": self.seconds,
            "language": self.language,
            "model": self.model,
            "dated_by": self.dated_by,
            "file": self.file,
        }


_FOUND = """
    select j.day, j.said_at, j.text, v.title, v.seconds, t.language, t.model, v.dated_by, f.name as file
    from journal_entry j
        join intake_file f on f.id = j.file_id
        left join transcript t on t.id = j.transcript_id
        left join voice_note v on v.person_id = j.person_id and v.sha256 = t.sha256 and v.absent_since is null
    where j.person_id = :person
        and (cast(:day as date) is null or j.day = :day)
        and (cast(:since as date) is null or j.day >= :since)"""
# As the index has it, to the letter.
_WORDS = "and to_tsvector('simple', j.text) @@ websearch_to_tsquery('simple', :words)"


def entries(
    connection: sa.Connection,
    person: str,
    *,
    words: str = "",
    day: date | None = None,
    since: date | None = None,
    limit: int = 100,
) -> Iterator[Entry]:
    """Entries of a person, the newest first. words: as on a search page, `walk -rain "good idea" or plan`."""
    person_id = connection.execute(
        sa.text("select id from person where name = :name"), {"name": person}
    ).scalar_one_or_none()
    if person_id is None:
        return
    clock = clock_of(connection, person_id)
    statement = f"{_FOUND} {_WORDS if words.strip() else ''} order by j.said_at desc, j.id desc limit :limit"
    values = {"person": person_id, "day": day, "since": since, "words": words, "limit": limit}
    for row in connection.execute(sa.text(statement), values):
        told = dict(row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for it
        told["said_at"] = row.said_at.astimezone(clock.zone_at(row.said_at))
        yield Entry(person, **told)
