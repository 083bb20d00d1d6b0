"""Somebody whose daily facts are put straight into the database, as many days as a test needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa


@dataclass
class PersonDays:
    """One person, in Zürich unless said otherwise."""

    engine: sa.Engine
    name: str = "ada"
    zone: str = "Europe/Zurich"

    def __post_init__(self) -> None:
        self.id: int = self.do("insert into person (name) values (:name) returning id", name=self.name)
        self.do(
            "insert into person_zone (person_id, since, zone) values (:id, '-infinity', :zone) returning person_id",
            id=self.id, zone=self.zone,
        )  # fmt: skip

    def do(self, statement: str, **values: Any) -> Any:
        with self.engine.begin() as connection:
            result = connection.execute(sa.text(statement), values)
            return result.scalar() if result.returns_rows else None

    def tell(self, fact: str, values: Mapping[date, object], unit: str, part: str = "", n: int = 2) -> None:
        rows = [
            {"id": self.id, "day": day, "fact": fact, "part": part, "unit": unit, "value": Decimal(str(value)), "n": n}
            for day, value in values.items()
        ]
        with self.engine.begin() as connection:
            connection.execute(
                sa.text("insert into daily_fact (person_id, day, fact, part, unit, value, n) "
                        "values (:id, :day, :fact, :part, :unit, :value, :n)"),
                rows,
            )  # fmt: skip

    def file(self, source: str, as_of: datetime, sha: str = "") -> int:
        file_id: int = self.do(
            "insert into intake_file (person_id, sha256, name, bytes, modified_at, as_of, source, status, loaded_at) "
            "values (:id, :sha, 'a.csv', 1, :at, :at, :source, 'loaded', :at) returning id",
            id=self.id, sha=sha or f"{source}{as_of}", at=as_of, source=source,
        )  # fmt: skip
        return file_id

    def say(self, day: date, text: str) -> None:
        at = datetime(day.year, day.month, day.day, 18, tzinfo=UTC)
        self.do(
            "insert into journal_entry (person_id, day, said_at, text, file_id) values (:id, :day, :at, :text, :file)",
            id=self.id, day=day, at=at, text=text, file=self.file("journal.voice_note", at, f"{day}{len(text)}"),
        )  # fmt: skip


def every_day(last: date, values: Sequence[object]) -> dict[date, object]:
    """Values of days in a row, the last one that of `last`."""
    return {last - timedelta(days=len(values) - 1 - n): value for n, value in enumerate(values)}
