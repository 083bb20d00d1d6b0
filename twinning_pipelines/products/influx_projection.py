"""The series in InfluxDB: a projection of Postgres that is always rebuildable.

Loads queue the days they touched in `influx_outbox`. A day is written whole and leaves the outbox only after InfluxDB has
acknowledged it, so a crash in between writes it again, which changes nothing: a point is known by series and time. Two
samples of one device that begin at the same moment are told apart by a nanosecond each.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Protocol

import pyarrow as pa
import sqlalchemy as sa

from twinning_pipelines.formats.line_protocol import encode

_DAYS_PER_CALL = 400
_MEASUREMENT_TAGS = ("person", "origin")


class _Dead(Protocol):
    @property
    def line(self) -> bytes: ...
    @property
    def status(self) -> int: ...
    @property
    def reason(self) -> str: ...


class _Result(Protocol):
    @property
    def written(self) -> int: ...
    @property
    def dead(self) -> Sequence[_Dead]: ...


class SeriesFarSide(Protocol):
    """What the projection needs of an InfluxDB."""

    def write(self, lines: Iterable[bytes]) -> _Result:
        """Writes lines; answers how many are stored and which never will be, and why."""

    def delete(self, measurement: str, tags: Mapping[str, str], first: datetime, last: datetime) -> None:
        """Deletes a measurement's points with these tags from `first` to `last`, both included."""


@dataclass(frozen=True, slots=True)
class Projected:
    """What one run of the projection did."""

    days: int
    points: int
    dead: int


@dataclass(frozen=True, slots=True)
class _Day:
    """One queued day: whose, of which metric. `purge`: something was removed from it since it was last written."""

    person_id: int
    person: str
    metric_id: int
    metric: str
    day: date
    purge: bool
    queued_at: datetime


def project(engine: sa.Engine, influx: SeriesFarSide) -> Projected:
    """Writes every queued day. Raises FarSideUnavailable or FarSideRefused; what was acknowledged stays so."""
    days = points = dead = 0
    while queued := _queued(engine):
        for (_, _), group in groupby(queued, key=lambda each: (each.person_id, each.metric_id)):
            batch = list(group)
            written, died = _write(engine, influx, batch)
            days, points, dead = days + len(batch), points + written, dead + died
    return Projected(days, points, dead)


def queue_everything(engine: sa.Engine) -> int:
    """Queues every day of every series to be purged and written again: the rebuild. Answers how many days."""
    statement = """
        insert into influx_outbox (person_id, metric_id, day, purge)
        select distinct person_id, metric_id, day, true from sample_block
        on conflict (person_id, metric_id, day) do update set purge = true, queued_at = clock_timestamp()"""
    with engine.begin() as connection:
        return connection.execute(sa.text(statement)).rowcount


def _queued(engine: sa.Engine) -> list[_Day]:
    statement = """
        select q.person_id, p.name, q.metric_id, m.name, q.day, q.purge, q.queued_at
        from influx_outbox q join person p on p.id = q.person_id join metric m on m.id = q.metric_id
        order by q.person_id, q.metric_id, q.day limit :limit"""
    with engine.connect() as connection:
        return [_Day(*row) for row in connection.execute(sa.text(statement), {"limit": _DAYS_PER_CALL})]


def _write(engine: sa.Engine, influx: SeriesFarSide, days: list[_Day]) -> tuple[int, int]:
    head = days[0]
    table = _samples(engine, days)
    lines = _lines(table, head.metric, head.person)
    for day in days:
        if day.purge:
            first = datetime.fromisoformat(f"{day.day}T00:00:00+00:00")
            last = first + timedelta(days=1) - timedelta(microseconds=1)
            influx.delete(_name(head.metric), {"person": _name(head.person)}, first, last)
    result = influx.write(lines)
    with engine.begin() as connection:
        _bury(connection, days, lines, table, result.dead)
        _acknowledge(connection, days)
    return result.written, len(result.dead)


def _samples(engine: sa.Engine, days: list[_Day]) -> pa.Table:
    """day, origin, at (nanoseconds since 1970), value, seconds: every sample of these days."""
    statement = """
        select (s.started_at at time zone 'UTC')::date, o.name, s.value,
            (extract(epoch from s.started_at) * 1000000)::bigint * 1000 + row_number() over (
                partition by s.origin_id, s.started_at order by s.ended_at, s.occurrence) - 1,
            extract(epoch from s.ended_at - s.started_at)::double precision
        from unnest(cast(:days as date[])) as d (day)
        join sample s on s.person_id = :person and s.metric_id = :metric
            and s.started_at >= d.day::timestamptz and s.started_at < (d.day + 1)::timestamptz
        join origin o on o.id = s.origin_id
        order by o.name, s.started_at"""
    values = {"days": [day.day for day in days], "person": days[0].person_id, "metric": days[0].metric_id}
    with engine.connect() as connection:
        rows = connection.execute(sa.text(statement), values).all()
    return pa.table(
        {
            "day": pa.array([row[0] for row in rows], pa.date32()),
            "origin": pa.array([_name(row[1]) for row in rows], pa.string()),
            "value": pa.array([row[2] for row in rows], pa.float64()),
            "at": pa.array([row[3] for row in rows], pa.int64()),
            "seconds": pa.array([row[4] for row in rows], pa.float64()),
        }
    )


def _lines(table: pa.Table, metric: str, person: str) -> list[bytes]:
    if not table.num_rows:
        return []
    named = table.append_column("person", pa.array([_name(person)] * table.num_rows, pa.string()))
    encoded = encode(
        named.select(["person", "origin", "value", "seconds", "at"]),
        measurement=_name(metric),
        tags=_MEASUREMENT_TAGS,
        fields=("value", "seconds"),
        at="at",
        precision="ns",
    )
    lines: list[bytes] = encoded.cast(pa.binary()).to_pylist()
    return lines


def _name(text: str) -> str:
    """A name as line protocol can carry it: no line break, no backslash, not empty."""
    cleaned = text.replace("\\", "/")
    return " ".join("".join(each if each.isprintable() else " " for each in cleaned).split()) or "-"


def _bury(
    connection: sa.Connection, days: list[_Day], lines: list[bytes], table: pa.Table, dead: Sequence[_Dead]
) -> None:
    """Keeps what InfluxDB refuses, with its reason; a day that is written anew forgets its old dead letters."""
    head = days[0]
    key = {"person": head.person_id, "metric": head.metric_id}
    connection.execute(
        sa.text(
            "delete from influx_dead_letter where person_id = :person and metric_id = :metric and day = any(:days)"
        ),
        key | {"days": [day.day for day in days]},
    )
    if not dead:
        return
    places = {line: place for place, line in enumerate(lines)}
    rows = [
        key
        | {
            "day": table.column("day")[places[each.line]].as_py(),
            "line": each.line.decode("utf-8", "replace"),
            "status": each.status,
            "reason": each.reason,
        }
        for each in dead
    ]
    connection.execute(
        sa.text(
            "insert into influx_dead_letter (person_id, metric_id, day, line, status, reason) "
            "values (:person, :metric, :day, :line, :status, :reason) on conflict do nothing"
        ),
        rows,
    )


def _acknowledge(connection: sa.Connection, days: list[_Day]) -> None:
    """A day that was queued again meanwhile stays queued."""
    connection.execute(
        sa.text(
            "delete from influx_outbox where person_id = :person_id and metric_id = :metric_id and day = :day "
            "and queued_at = :queued_at"
        ),
        [
            {"person_id": day.person_id, "metric_id": day.metric_id, "day": day.day, "queued_at": day.queued_at}
            for day in days
        ],
    )
