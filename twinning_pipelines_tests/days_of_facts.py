"""A person with daily facts and rollups, put straight into the tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import sqlalchemy as sa


@dataclass
class PersonWithDays:
    """One person in a database; days are told up to the one before `today`."""

    engine: sa.Engine
    name: str
    today: date
    id: int = field(init=False)

    def __post_init__(self) -> None:
        with self.engine.begin() as connection:
            made = connection.execute(
                sa.text("insert into person (name) values (:name) returning id"), {"name": self.name}
            )
            self.id = made.scalar_one()
            connection.execute(
                sa.text("insert into person_zone values (:id, '2000-01-01Z', 'Europe/Zurich')"), {"id": self.id}
            )

    def tell(self, fact: str, unit: str, values: Sequence[float], *, part: str = "") -> None:
        """Values of a fact, one a day, the last of yesterday."""
        rows = [
            {
                "p": self.id,
                "day": self._day(values, place),
                "fact": fact,
                "part": part,
                "unit": unit,
                "value": Decimal(repr(float(value))),
            }
            for place, value in enumerate(values)
        ]
        with self.engine.begin() as connection:
            connection.execute(
                sa.text("insert into daily_fact values (:p, :day, :fact, :part, :unit, :value, 1)"), rows
            )

    def roll_up(self, metric: str, values: Sequence[float], *, registered: bool = True) -> None:
        """Values of a metric, one a day, the last of yesterday."""
        with self.engine.begin() as connection:
            found = connection.execute(sa.text("select id from metric where name = :name"), {"name": metric}).scalar()
            if found is None:
                found = connection.execute(
                    sa.text(
                        "insert into metric (name, unit, total, registered) values (:name, 'count', 'sum', :registered) "
                        "returning id"
                    ),
                    {"name": metric, "registered": registered},
                ).scalar_one()
            rows = [
                {"p": self.id, "m": found, "day": self._day(values, place), "value": float(value)}
                for place, value in enumerate(values)
            ]
            connection.execute(
                sa.text("insert into daily_rollup values (:p, :m, :day, :value, 1, :value, :value, null)"), rows
            )

    def _day(self, values: Sequence[float], place: int) -> date:
        return self.today - timedelta(days=len(values) - place)
