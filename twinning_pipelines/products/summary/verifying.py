"""Proves a stored summary: each sentence is made again from the stored facts, and each fact is compared with what is known now."""

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.marts.daily_facts import facts_of
from twinning_pipelines.marts.facts import FACT_BY_NAME
from twinning_pipelines.marts.telling.histories import period_histories
from twinning_pipelines.products.summary.kept import QUOTE, Kept, paragraphs_of
from twinning_pipelines.products.summary.quotes import notes_of
from twinning_pipelines.products.summary.render import filled
from twinning_pipelines.products.summary.template import headline_of


class Verdict(Struct, frozen=True):
    """How the figures of a text stand, by the ids of their facts.

    broken: its words are not what code makes of the stored fact; that is an error of ours. restated: the fact has another
    value now than when it was told, since a newer file says otherwise.
    """

    figures: tuple[str, ...]
    broken: tuple[str, ...]
    restated: tuple[str, ...]
    quotes_hold: bool = True

    @property
    def verified(self) -> int:
        """How many figures are what they say, now as then."""
        return len(set(self.figures) - set(self.broken) - set(self.restated))

    @property
    def is_sound(self) -> bool:
        """Does the text say what its facts say?"""
        return not self.broken and self.quotes_hold

    def __str__(self) -> str:
        told = f"{self.verified} of {len(self.figures)} figures verified"
        return told + (f", {len(self.restated)} restated since" if self.restated else "")


def verify(connection: sa.Connection, kept: Kept) -> Verdict:
    """Looks at every figure of a summary again."""
    figures = tuple(each.id for each in kept.told)
    broken = _broken(kept)
    current = _current(connection, kept)
    restated = tuple(
        each.id
        for each in kept.told
        if each.fact in FACT_BY_NAME and current.get((each.fact, each.part, each.unit)) != each.value
    )
    return Verdict(figures, broken, restated, _quotes_hold(connection, kept))


def _broken(kept: Kept) -> tuple[str, ...]:
    known = {each.id: each for each in kept.facts}
    broken: list[str] = []
    for sentence in kept.sentences:
        if sentence.domain == QUOTE:
            continue
        try:
            is_same = filled(sentence.text, known) == sentence.rendered
        except KeyError:
            is_same = False
        if not is_same:
            broken += sentence.facts or ("text",)
    if paragraphs_of(kept.sentences) != kept.text:
        broken.append("text")
    if headline_of(kept.facts) != kept.headline:
        broken.append("headline")
    return tuple(dict.fromkeys(broken))


def _current(connection: sa.Connection, kept: Kept) -> dict[tuple[str, str, str], object]:
    if kept.kind == "day":
        return {(each.fact, each.part, each.unit): each.value for each in facts_of(connection, kept.person, kept.day)}
    statement = sa.text("select id from person where name = :name")
    person_id = connection.execute(statement, {"name": kept.person}).scalar_one()
    found = period_histories(connection, person_id, kept.kind, kept.day)
    return {(each.fact.name, each.part, each.unit): each.points[-1].value for each in found}


def _quotes_hold(connection: sa.Connection, kept: Kept) -> bool:
    quotes = [each.text for each in kept.sentences if each.domain == QUOTE]
    if not quotes:
        return True
    notes = notes_of(connection, kept.person, kept.day)
    return all(any(quote in note for note in notes) for quote in quotes)
