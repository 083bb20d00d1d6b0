"""A person's local days as numbers: which day an instant lies on, and where the day ends, for whole columns at once."""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.clock import Clock, Stay

Numbers = npt.NDArray[np.int64]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)


def clock_of(connection: sa.Connection, person_id: int) -> Clock:
    """The clock of a person, who has at least one zone since they were first seen."""
    found = connection.execute(sa.text("select since, zone from person_zone where person_id = :id"), {"id": person_id})
    return Clock.of([Stay(since, ZoneInfo(zone)) for since, zone in found])


# Some days of a person, with the values of `within`. The bounds are for the index, the spans for what lies between them.
WITHIN = "person_id = :person and day between :first and :last and day <@ cast(:spans as datemultirange)"


def within(person_id: int, days: Collection[date]) -> dict[str, object]:
    """Some days of a person as parameters of a statement."""
    first, last = min(days, default=None), max(days, default=None)
    return {"person": person_id, "spans": spans_of(days), "first": first, "last": last}


def spans_of(days: Iterable[date]) -> str:
    """Days as Postgres's `datemultirange`: years of them are one parameter of a few letters."""
    spans: list[tuple[date, date]] = []
    for day in sorted(days):
        if spans and day - spans[-1][1] <= _DAY:
            spans[-1] = spans[-1][0], day
        else:
            spans.append((day, day))
    return "{" + ",".join(f"[{first},{last}]" for first, last in spans) + "}"


class Calendar(Struct, frozen=True):
    """Stretches of local days between two UTC days: where each begins (microseconds since 1970) and which day it is.

    A day of moving has several stretches; a day has 23 or 25 hours where the clocks change.
    """

    begins: Numbers
    days: Numbers

    @classmethod
    def of(cls, clock: Clock, first: date, last: date) -> "Calendar":
        """The calendar of a person, good for every instant from two days before `first` to two days after `last`."""
        low, high = (datetime.combine(day, time(), UTC) for day in (first - 3 * _DAY, last + 3 * _DAY))
        begins: list[int] = []
        days: list[int] = []
        for place, stay in enumerate(clock.stays):
            since = low if place == 0 else max(stay.since, low)
            until = high if place + 1 == len(clock.stays) else min(clock.stays[place + 1].since, high)
            if since >= until:
                continue
            day = since.astimezone(stay.zone).date()
            begin = since
            while begin < until:
                begins.append((begin - _EPOCH) // _MICROSECOND)
                days.append(day.toordinal() - date(1970, 1, 1).toordinal())
                day += _DAY
                begin = datetime.combine(day, time(), stay.zone).astimezone(UTC)
        return cls(np.array(begins, np.int64), np.array(days, np.int64))

    def stretch_of(self, instants: Numbers) -> Numbers:
        """The number of the stretch in which each instant lies."""
        places: Numbers = np.maximum(np.searchsorted(self.begins, instants, side="right") - 1, 0)
        return places

    def day_of(self, instants: Numbers) -> Numbers:
        """The local day of each instant, in days since 1970."""
        found: Numbers = self.days[self.stretch_of(instants)]
        return found
