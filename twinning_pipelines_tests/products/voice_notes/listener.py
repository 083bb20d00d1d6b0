"""Somebody who hears what waits in a home."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from twinning_pipelines.engines.speech import SpeechEngine, SpokenLanguages
from twinning_pipelines.home import OpenHome
from twinning_pipelines.ingest.archive import place_of
from twinning_pipelines.products.voice_notes.hearing import Manner, Outcome, hear_what_waits

NOW = datetime(2026, 4, 2, 6, tzinfo=UTC)


class Listener:
    """Hears what waits in a home, at a time that tests move on."""

    def __init__(self, home: OpenHome, languages: str = "") -> None:
        self.home = home
        self.now = NOW
        self.languages = SpokenLanguages.of(languages)
        self.seconds = 1800.0
        self.ticks: Callable[[], float] = lambda: 0.0

    def drop(self, content: bytes, name: str, person: str = "ada", at: datetime = NOW) -> str:
        """Takes a recording down the road; answers its sha256."""
        path = self.home.home.settings.home / "dropped" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (at.timestamp(), at.timestamp()))
        receipt = self.home.ingest(path, person, called=name)
        assert receipt.problem is None, receipt.problem
        with self.home.engine.connect() as connection:
            return str(
                connection.execute(sa.text("select sha256 from voice_note order by id desc limit 1")).scalar_one()
            )

    def hear(self, speech: SpeechEngine) -> Iterator[Outcome]:
        """Hears, recording by recording."""
        manner = Manner(self.languages, self.seconds, self.ticks, lambda: self.now)
        return hear_what_waits(self.home.engine, speech, self.place, manner)

    def states(self, speech: SpeechEngine) -> list[str]:
        """Hears all; answers what became of each."""
        return [each.state for each in self.hear(speech)]

    def place(self, sha256: str) -> Path:
        """Where an original is."""
        return place_of(self.home.home.archive, sha256)

    def later(self, **spans: float) -> None:
        """Lets time pass."""
        self.now += timedelta(**spans)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database says."""
        with self.home.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]
