"""What a person said on a day, and the one sentence of it that may stand in their summary, word for word."""

import re
from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

_SHORTEST, _LONGEST, _FEWEST_WORDS = 20, 160, 5
_END = re.compile(r"(?<=[.!?…])\s+")
_NOTES = """
    select j.text from journal_entry j join person p on p.id = j.person_id
    where p.name = :person and j.day = :day order by j.said_at, j.id"""
# Nothing that could be taken for a figure, a slot, a link or markup.
_BARE = re.compile(r"[^\W\d_]|[ ,;:'’.!?…–—-]")


def notes_of(connection: sa.Connection, person: str, day: date) -> list[str]:
    """The journal of a day, in the order in which it was said."""
    return list(connection.execute(sa.text(_NOTES), {"person": person, "day": day}).scalars())


def quote_of(notes: Sequence[str]) -> str | None:
    """The longest plain sentence, unchanged; the first of several. None where no sentence is plain and of good length."""
    found = [each.strip() for note in notes for line in note.splitlines() for each in _END.split(line)]
    fit = [each for each in found if _is_fit(each)]
    return max(fit, key=len) if fit else None


def _is_fit(words: str) -> bool:
    has_room = _SHORTEST <= len(words) <= _LONGEST and len(words.split()) >= _FEWEST_WORDS
    return has_room and all(_BARE.fullmatch(each) for each in words)
