"""One person's day, week or month in words: read from where it is stored, or made and stored."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from twinning_pipelines.engines.chat import ChatEngine
from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.marts.daily_facts import ToldFact
from twinning_pipelines.marts.telling.choosing import Whose, worth_telling
from twinning_pipelines.marts.telling.goals import goals_of
from twinning_pipelines.marts.telling.told import Kind, Told
from twinning_pipelines.products.summary.figures import date_words, figure, month_name
from twinning_pipelines.products.summary.kept import QUOTE, Kept, fresh, keep, kept_of
from twinning_pipelines.products.summary.quotes import notes_of, quote_of
from twinning_pipelines.products.summary.render import Sentence, change, forms
from twinning_pipelines.products.summary.verifying import Verdict, verify
from twinning_pipelines.products.summary.writing import DEADLINE_SECONDS, Written, write
from twinning_pipelines.source import Source


class Summary(Struct, frozen=True):
    """A summary and how its figures stand. kept: as it is stored, or would be where there is nothing to store."""

    kept: Kept
    verdict: Verdict

    @property
    def title(self) -> str:
        """`Thursday 26 November 2026`, `Week of Monday 16 November 2026`, `October 2026`."""
        kept = self.kept
        if kept.kind == "month":
            return month_name(kept.day)
        if kept.kind == "week":
            first = date.fromordinal(kept.day.toordinal() - 6)
            return f"Week of {date_words(first)} {first.year}"
        return f"{date_words(kept.day)} {kept.day.year}"

    @property
    def text(self) -> str:
        """The sentences, a paragraph a line."""
        return self.kept.text

    def document(self) -> dict[str, object]:
        """The JSON document of the command-line contract."""
        told = {each.id for each in self.kept.told}
        return {
            "person": self.kept.person,
            "kind": self.kept.kind,
            "day": self.kept.day.isoformat(),
            "path": self.kept.path,
            "headline": self.kept.headline,
            "text": self.kept.text,
            "verified": str(self.verdict),
            "figures": len(self.verdict.figures),
            "figures_verified": self.verdict.verified,
            "restated": list(self.verdict.restated),
            "model": self.kept.model,
            "seconds": round(self.kept.seconds, 3),
            "facts": [fact_document(each) | {"told": each.id in told} for each in self.kept.facts],
        }


def fact_document(told: Told) -> dict[str, object]:
    """One fact of a summary as JSON. `id` is what `twinning explain` takes; `slot` its name in sentences."""
    stick = told.yardstick
    return {
        "id": spelled(told),
        "slot": told.id,
        "label": forms(told)["title"],
        "domain": told.domain,
        "value": float(told.value),
        "unit": told.unit,
        "rendered": rendered(told),
        "phrase": forms(told)["phrase"],
        "why": told.why,
        "rows": told.rows,
        "baseline": None if stick is None else {
            "against": stick.against, "value": float(stick.middle), "days": stick.n, "of": stick.of,
            "since": stick.since.isoformat(),
        },
        "delta": None if told.delta is None else float(told.delta),
        "comparison": "" if told.why in ("due", "silent") else change(told),
        "explain": told.handle,
    }  # fmt: skip


def spelled(told: Told | ToldFact) -> str:
    """A fact as `twinning explain` takes it: `name` or `name:part`."""
    return f"{told.fact}:{told.part}" if told.part else told.fact


def rendered(told: Told | ToldFact) -> str:
    """A fact's value for people."""
    return figure(told.value, told.unit)


class Maker(Struct, frozen=True):
    """What summaries are made with. home: where goals are written; without it nobody has any."""

    database: sa.Engine
    sources: Sequence[Source] = ()
    home: Path | None = None
    model: ChatEngine | None = None
    deadline: float = DEADLINE_SECONDS

    def summary(self, person: str, kind: Kind, day: date, *, again: bool = False) -> Summary:
        """The stored summary; made and stored where there is none, or where it shall be made `again`.

        A day that is not over, or of which nothing is known, is told but not stored. Raises WrongUsage for somebody unknown
        and for goals that can't be read.
        """
        with self.database.connect() as connection:
            stored = None if again else kept_of(connection, person, kind, day)
            if stored is not None:
                return Summary(stored, verify(connection, stored))
            whose = self._whose(connection, person, kind, day)
            facts = worth_telling(connection, whose)
            notes = notes_of(connection, person, day) if kind == "day" else []
        # The database waits for no model.
        written = _with_quote(write(facts, notes, self.model, deadline=self.deadline), notes)
        kept = fresh(person, kind, day, facts, written)
        with self.database.begin() as connection:
            if facts and whose.is_over:
                keep(connection, kept, written)
            return Summary(kept, verify(connection, kept))

    def _whose(self, connection: sa.Connection, person: str, kind: Kind, day: date) -> Whose:
        statement = sa.text("select id, local_day(id, now()) from person where name = :name")
        found = connection.execute(statement, {"name": person}).first()
        if found is None:
            raise WrongUsage(f"nobody is called {person!r}")
        person_id, today = found
        goals = goals_of(self.home, person) if self.home is not None else []
        return Whose(person_id, kind, day, day < today, goals, self.sources)


def _with_quote(written: Written, notes: Sequence[str]) -> Written:
    """The summary with one sentence of the day's journal behind it, which code has chosen."""
    quote = quote_of(notes)
    if quote is None:
        return written
    said = Sentence(QUOTE, quote, (), f"You said: “{quote}”")
    return replace(written, sentences=(*written.sentences, said))
