"""Summaries as they are stored, with everything that led to them; the newest one of a day replaces an older one."""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.marts.telling.told import Kind, Told
from twinning_pipelines.products.summary.render import Sentence
from twinning_pipelines.products.summary.writing import Written

QUOTE = "journal"


class Kept(Struct, frozen=True):
    """One stored summary. day: the last day of its week or month. text: paragraphs, one line each."""

    person: str
    kind: Kind
    day: date
    path: str
    headline: str
    text: str
    sentences: tuple[Sentence, ...]
    facts: tuple[Told, ...]
    model: str | None
    model_digest: str | None
    faults: tuple[tuple[str, ...], ...]
    seconds: float
    made_at: datetime | None

    @property
    def told(self) -> tuple[Told, ...]:
        """The facts that its sentences tell, in the order in which they are read."""
        known = {each.id: each for each in self.facts}
        return tuple(known[name] for name in dict.fromkeys(self._slots()) if name in known)

    def _slots(self) -> list[str]:
        return [name for sentence in self.sentences for name in sentence.facts]


def paragraphs_of(sentences: Sequence[Sentence]) -> str:
    """The text: a paragraph, one line, for each stretch of sentences of one domain."""
    lines: list[list[str]] = []
    domain = None
    for each in sentences:
        if each.domain != domain:
            lines.append([])
            domain = each.domain
        lines[-1].append(each.rendered)
    return "\n".join(" ".join(line) for line in lines)


def fresh(person: str, kind: Kind, day: date, facts: Sequence[Told], written: Written) -> Kept:
    """A summary that has just been written, as it would be stored."""
    asked = written.asked
    return Kept(
        person, kind, day, written.path, written.headline, paragraphs_of(written.sentences), written.sentences, tuple(facts),
        asked.model if asked else None, asked.digest if asked else None, asked.faults if asked else (), written.seconds, None,
    )  # fmt: skip


def keep(connection: sa.Connection, kept: Kept, written: Written) -> None:
    """Stores a summary in place of an older one of the same day and kind. Runs in the caller's transaction."""
    asked = written.asked
    values = {
        "person": kept.person, "kind": kept.kind, "day": kept.day, "path": kept.path, "headline": kept.headline,
        "text": kept.text, "seconds": kept.seconds,
        "sentences": _json([_sentence(each) for each in kept.sentences]),
        "facts": _json([each.document() for each in kept.facts]),
        "engine": asked.engine if asked else None, "model": kept.model, "digest": kept.model_digest,
        "prompt": _stored(asked.prompt) if asked else None, "replies": _json(asked.replies if asked else ()),
        "faults": _json(kept.faults),
    }  # fmt: skip
    connection.execute(sa.text(_KEEP), values)


def kept_of(connection: sa.Connection, person: str, kind: Kind, day: date) -> Kept | None:
    """The stored summary of a day, None where there is none."""
    values = {"person": person, "kind": kind, "day": day}
    row = connection.execute(
        sa.text(f"{_KEPT} where p.name = :person and s.kind = :kind and s.day = :day"), values
    ).first()
    return None if row is None else _read(row)


def all_kept(connection: sa.Connection, kind: Kind) -> Iterator[Kept]:
    """Everybody's stored summaries of one kind, the newest first."""
    statement = f"{_KEPT} where s.kind = :kind order by s.day desc, p.name"
    for row in connection.execute(sa.text(statement), {"kind": kind}):
        yield _read(row)


def kept_days(connection: sa.Connection, person: str) -> set[date]:
    """The days of a person that are written."""
    statement = (
        "select s.day from summary s join person p on p.id = s.person_id where p.name = :person and s.kind = 'day'"
    )
    return set(connection.execute(sa.text(statement), {"person": person}).scalars())


def _read(row: "sa.Row[Any]") -> Kept:
    return Kept(
        row.person, row.kind, row.day, row.path, row.headline, row.text,
        tuple(Sentence(each["domain"], each["text"], tuple(each["facts"]), each["rendered"]) for each in row.sentences),
        tuple(Told.of_document(each) for each in row.facts), row.model, row.model_digest,
        tuple(tuple(each) for each in row.faults), row.seconds, row.made_at,
    )  # fmt: skip


def _sentence(sentence: Sentence) -> dict[str, object]:
    return {
        "domain": sentence.domain, "text": sentence.text, "facts": list(sentence.facts), "rendered": sentence.rendered,
    }  # fmt: skip


def _json(document: object) -> str:
    return _stored(json.dumps(document, ensure_ascii=False))


def _stored(text: str) -> str:
    """Postgres takes no NUL, and no half of a surrogate pair; what a model wrote may hold either."""
    told = text.replace("\\u0000", "\\ufffd").replace("\0", "\ufffd")
    return told.encode("utf-8", "replace").decode("utf-8")


_KEEP = """
    insert into summary (person_id, kind, day, path, headline, text, sentences, facts, engine, model, model_digest, prompt,
        replies, faults, seconds)
    select id, :kind, :day, :path, :headline, :text, cast(:sentences as jsonb), cast(:facts as jsonb), :engine, :model,
        :digest, :prompt, cast(:replies as jsonb), cast(:faults as jsonb), :seconds
    from person where name = :person
    on conflict (person_id, kind, day) do update set path = excluded.path, headline = excluded.headline,
        text = excluded.text, sentences = excluded.sentences, facts = excluded.facts, engine = excluded.engine,
        model = excluded.model, model_digest = excluded.model_digest, prompt = excluded.prompt,
        replies = excluded.replies, faults = excluded.faults, seconds = excluded.seconds, made_at = now()"""
_KEPT = """
    select p.name as person, s.kind, s.day, s.path, s.headline, s.text, s.sentences, s.facts, s.model, s.model_digest,
        s.faults, s.seconds, s.made_at
    from summary s join person p on p.id = s.person_id"""
