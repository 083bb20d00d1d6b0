"""Our daily rollups against the rings that Apple itself closes: where the two differ, one of us counts wrongly.

Rings are told in Apple Health's export only (`ActivitySummary`), from the same samples that it holds, merged by Apple. What
Apple merges in the order of the person's own list of data sources, we merge in ours: a difference may also mean that
the two orders differ (`twinning prefer`).
"""

import math
from collections.abc import Sequence
from datetime import date
from typing import Literal

import sqlalchemy as sa
from msgspec import Struct

Note = Literal["", "no samples", "unfinished"]


class Ring(Struct, frozen=True):
    """A ring, the metric it totals, and how far the two may be apart: an amount, or a share of what the ring states."""

    name: str
    metric: str
    unit: str
    near: float
    share: float = 0.0


RINGS = (
    Ring("move", "active_energy", "kcal", 1.0, 0.01),
    Ring("exercise", "exercise_time", "min", 1.0),
    Ring("stand", "stand_hour", "h", 0.0),
)
RING_BY_NAME = {ring.name: ring for ring in RINGS}


class RingDay(Struct, frozen=True):
    """One ring of one day as stated and as counted.

    note: `no samples` where the export holds the ring alone, as of days before a restored backup; `unfinished` of the day
    of the export itself and what lies beyond, whose last samples may still be on their way from the watch.
    """

    person: str
    day: date
    ring: str
    stated: float
    counted: float
    note: Note

    @property
    def difference(self) -> float:
        """Counted less stated, in the ring's unit."""
        return self.counted - self.stated

    @property
    def relative(self) -> float | None:
        """The difference as a share of what is stated; None where that is nothing."""
        return self.difference / self.stated if self.stated else None

    @property
    def agrees(self) -> bool:
        """Are the two as near as rounding and merging can bring them?"""
        ring = RING_BY_NAME[self.ring]
        return abs(self.difference) <= max(ring.near, ring.share * self.stated)

    @property
    def is_gap(self) -> bool:
        """Do the two differ, on a day that is over and has samples?"""
        return not self.note and not self.agrees


_COLUMNS = {"move": "move_kcal", "exercise": "exercise_min", "stand": "stand_hours"}
_VALUES = ", ".join(f"('{ring.name}', '{ring.metric}', a.{_COLUMNS[ring.name]}::float8)" for ring in RINGS)

# A rollup that is missing counts nothing. The newest export tells, or confirms, every day before its own.
_DAYS = f"""
    with newest as (
        select person_id, source, local_day(person_id, max(as_of)) as day
        from intake_file where status = 'loaded' group by person_id, source
    )
    select p.name, a.day, r.ring, r.stated, coalesce(d.value, 0), case
        when a.day >= n.day then 'unfinished'
        when d.value is null and r.stated > 0 then 'no samples'
        else '' end
    from activity_ring a
    join newest n on n.person_id = a.person_id and n.source = a.source
    join person p on p.id = a.person_id
    cross join lateral (values {_VALUES}) as r (ring, metric, stated)
    left join metric m on m.name = r.metric
    left join daily_rollup d on d.person_id = a.person_id and d.metric_id = m.id and d.day = a.day
    where a.absent_since is null and r.stated is not null
    order by p.name, a.day, r.ring"""  # noqa: S608


def ring_days(connection: sa.Connection) -> list[RingDay]:
    """Every stated ring of everybody's days beside what we count, in order of person, day and ring."""
    return [RingDay(*row) for row in connection.execute(sa.text(_DAYS))]


def worst(days: Sequence[RingDay], n: int) -> list[RingDay]:
    """The gaps that are largest for the size of their ring, at most `n`."""
    gaps = [each for each in days if each.is_gap]
    return sorted(gaps, key=lambda each: (-abs(each.relative or math.inf), -abs(each.difference), each.day))[:n]
