"""The series in InfluxDB: a projection of Postgres that is always rebuildable.

Loads queue the days they touched in `influx_outbox`. Days are written whole and leave the outbox only after InfluxDB has
acknowledged it, so a crash in between writes it again, which changes nothing: a point is known by series and time. Two
samples of one device that begin at the same moment are told apart by a nanosecond each.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

import pyarrow as pa
import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.formats.line_protocol import encode

_DAYS_PER_CALL = 400
_STRETCHES_PER_LOOK = 100
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


class Projected(Struct, frozen=True):
    """What one run of the projection did."""

    days: int
    points: int
    dead: int


class _Queued(Struct, frozen=True):
    """A stretch of days of a metric that waits. `purge`: something was removed from it since it was last written."""

    id: int
    person_id: int
    person: str
    metric_id: int
    metric: str
    first: date
    last: date
    purge: bool

    def slices(self) -> Iterator[tuple[date, date]]:
        """The stretch in parts of some days, first and last."""
        begin = self.first
        while begin <= self.last:
            end = min(begin + timedelta(days=_DAYS_PER_CALL - 1), self.last)
            yield begin, end
            begin = end + timedelta(days=1)


def project(engine: sa.Engine, influx: SeriesFarSide) -> Projected:
    """Writes every queued day. Raises FarSideUnavailable or FarSideRefused; what was acknowledged stays so."""
    days = points = dead = 0
    while queued := _queued(engine):
        for stretch in queued:
            for first, last in stretch.slices():
                found, written, died = _write(engine, influx, stretch, first, last)
                days, points, dead = days + found, points + written, dead + died
            _acknowledge(engine, stretch)
    return Projected(days, points, dead)


def _acknowledge(engine: sa.Engine, stretch: _Queued) -> None:
    """Takes a stretch out of the queue; queued again meanwhile, it stands there a second time, under another id."""
    with engine.begin() as connection:
        connection.execute(sa.text("delete from influx_outbox where id = :id"), {"id": stretch.id})


def queue_everything(engine: sa.Engine) -> int:
    """Queues every series to be purged and written again: the rebuild. Answers how many days."""
    statement = """
        insert into influx_outbox (person_id, metric_id, first, last, purge)
        select c.person_id, c.metric_id, min(c.day), max(c.day), true
        from sample_chunk c join metric m on m.id = c.metric_id and m.total <> 'none' group by 1, 2"""
    with engine.begin() as connection:
        connection.execute(sa.text(statement))
        days = """
            select count(*) from (
                select distinct c.person_id, c.metric_id, c.day
                from sample_chunk c join metric m on m.id = c.metric_id and m.total <> 'none') as days"""
        return int(connection.execute(sa.text(days)).scalar_one())


def _queued(engine: sa.Engine) -> list[_Queued]:
    statement = """
        select q.id, q.person_id, p.name, q.metric_id, m.name, q.first, q.last, q.purge
        from influx_outbox q join person p on p.id = q.person_id join metric m on m.id = q.metric_id
        order by q.id limit :limit"""
    with engine.connect() as connection:
        return [_Queued(*row) for row in connection.execute(sa.text(statement), {"limit": _STRETCHES_PER_LOOK})]


def _write(engine: sa.Engine, influx: SeriesFarSide, stretch: _Queued, first: date, last: date) -> tuple[int, int, int]:
    """Writes some days of a stretch; answers the days that have samples, the points stored and those refused."""
    table = _samples(engine, stretch, first, last)
    lines = _lines(table, stretch.metric, stretch.person)
    if stretch.purge:
        begin, end = (datetime.combine(day, time(), UTC) for day in (first, last + timedelta(days=1)))
        tags = {"person": _name(stretch.person)}
        influx.delete(_name(stretch.metric), tags, begin, end - timedelta(microseconds=1))
    result = influx.write(lines)
    with engine.begin() as connection:
        _bury(connection, stretch, (first, last), dict(zip(lines, table.column("day"), strict=True)), result.dead)
    return len(table.column("day").unique()), result.written, len(result.dead)


def _samples(engine: sa.Engine, stretch: _Queued, first: date, last: date) -> pa.Table:
    """day, origin, at (nanoseconds since 1970), value, seconds: every sample of these days."""
    statement = """
        select c.day, o.name, r.value,
            (extract(epoch from r.started_at) * 1000000)::bigint * 1000 + row_number() over (
                partition by c.origin_id, r.started_at order by r.place) - 1,
            extract(epoch from r.ended_at - r.started_at)::double precision
        from sample_chunk c
        cross join lateral unnest(c.started_at, c.ended_at, c.value) with ordinality as r (started_at, ended_at, value, place)
        join origin o on o.id = c.origin_id
        where c.person_id = :person and c.metric_id = :metric and c.day between :first and :last
        order by o.name, r.started_at"""
    values = {"person": stretch.person_id, "metric": stretch.metric_id, "first": first, "last": last}
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
    connection: sa.Connection,
    stretch: _Queued,
    days: tuple[date, date],
    day_of: Mapping[bytes, pa.Scalar],
    dead: Sequence[_Dead],
) -> None:
    """Keeps what InfluxDB refuses, with its reason; days that are written anew forget their old dead letters."""
    key = {"person": stretch.person_id, "metric": stretch.metric_id}
    forget = """
        delete from influx_dead_letter
        where person_id = :person and metric_id = :metric and day between :first and :last"""
    connection.execute(sa.text(forget), key | {"first": days[0], "last": days[1]})
    rows = [
        key
        | {
            "day": day_of[each.line].as_py(),
            "line": each.line.decode("utf-8", "replace"),
            "status": each.status,
            "reason": each.reason,
        }
        for each in dead
    ]
    if rows:
        bury = """
            insert into influx_dead_letter (person_id, metric_id, day, line, status, reason)
            values (:person, :metric, :day, :line, :status, :reason) on conflict do nothing"""
        connection.execute(sa.text(bury), rows)
