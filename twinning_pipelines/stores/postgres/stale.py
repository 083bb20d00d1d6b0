"""Which days have to be counted afresh, and sent again, after a series has changed."""

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from msgspec import Struct, field

Numbers = npt.NDArray[np.int64]

# A sample's local days lie between the day before its UTC beginning and the day after its UTC end; a sample longer than
# this is no measurement of days.
_LONGEST_DAYS = 400
# Days that were not touched are counted again for nothing, which costs less than a stretch of its own.
_BRIDGED_DAYS = 45


class Touched(Struct):
    """UTC days, since 1970, of metrics whose samples changed; `purge` where some of them are gone."""

    changes: list[tuple[Numbers, Numbers, Numbers, bool]] = field(default_factory=list)

    def add(self, metric_ids: Numbers, first: Numbers, last: Numbers, *, purge: bool) -> None:
        """Days `first` to `last` of each metric."""
        if len(metric_ids):
            self.changes.append((metric_ids, first, np.minimum(last, first + _LONGEST_DAYS), purge))

    def stretches(self) -> list[dict[str, int | bool]]:
        """Each metric's days as few stretches as possible: metric, first, last, purge."""
        if not self.changes:
            return []
        metrics, firsts, lasts = (np.concatenate([each[place] for each in self.changes]) for place in range(3))
        purges = np.concatenate([np.full(len(each[0]), each[3]) for each in self.changes])
        order = np.lexsort((firsts, purges, metrics))
        metrics, firsts, lasts, purges = metrics[order], firsts[order], lasts[order], purges[order]
        # The end of a stretch is the latest end so far within its metric.
        series = metrics * 2 + purges
        reached = np.maximum.accumulate(lasts + series * (1 << 32)) - series * (1 << 32)
        breaks = (np.diff(series) != 0) | (firsts[1:] > reached[:-1] + _BRIDGED_DAYS)
        starts = np.concatenate(([0], np.flatnonzero(breaks) + 1))
        ends = np.concatenate((np.flatnonzero(breaks), [len(series) - 1]))
        return [
            {
                "metric": int(metrics[begin]),
                "first": int(firsts[begin]),
                "last": int(reached[end]),
                "purge": bool(purges[begin]),
            }
            for begin, end in zip(starts, ends, strict=True)
        ]


def mark(connection: sa.Connection, person_id: int, touched: Touched) -> None:
    """Notes what has to be counted again in `stale_rollup` and `stale_day`, and sent again in `influx_outbox`."""
    stretches = [stretch | {"person": person_id} for stretch in touched.stretches()]
    if stretches:
        for statement in (_ROLLUPS, _OUTBOX):
            connection.execute(sa.text(statement), stretches)
        connection.execute(sa.text(_DAYS), {"person": person_id})


_ROLLUPS = """
    insert into stale_rollup (person_id, metric_id, first, last)
    values (:person, :metric, date '1970-01-01' + (:first - 1), date '1970-01-01' + (:last + 1))"""

_OUTBOX = """
    insert into influx_outbox (person_id, metric_id, first, last, purge)
    select :person, id, date '1970-01-01' + :first, date '1970-01-01' + :last, :purge
    from metric where id = :metric and total <> 'none'"""

_DAYS = """
    insert into stale_day (person_id, day)
    select distinct person_id, generate_series(first, last, interval '1 day')::date
    from stale_rollup where person_id = :person
    on conflict do nothing"""
