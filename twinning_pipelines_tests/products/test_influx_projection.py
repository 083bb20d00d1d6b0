"""What InfluxDB holds is what Postgres holds, point for point, whatever happens between the two."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from twinning_pipelines.demo.apple_health import write_export
from twinning_pipelines.errors import FarSideUnavailable
from twinning_pipelines.ingest.road import receive, take
from twinning_pipelines.products import influx_projection
from twinning_pipelines.products.influx_projection import Projected, project, queue_everything
from twinning_pipelines.sources import SOURCES
from twinning_pipelines.stores.influx import Influx
from twinning_pipelines.stores.postgres.store import PostgresStore
from twinning_pipelines_tests.far_sides.influx_v1_front import Influxd, V1Front, executable
from twinning_pipelines_tests.far_sides.influx_v2 import FakeInflux
from twinning_pipelines_tests.far_sides.scripted_server import HangUp

ZURICH = ZoneInfo("Europe/Zurich")
FIRST = date(2026, 3, 1)
Points = dict[tuple[str, str, str, int], float]


@pytest.fixture
def fake() -> Iterator[FakeInflux]:
    with FakeInflux() as server:
        yield server


def _client(server: "FakeInflux | V1Front") -> Influx:
    """A client that never waits."""
    return Influx(server.url, server.token, server.org, server.bucket, precision="ns", sleep=lambda _: None)


def _project(engine: sa.Engine, server: "FakeInflux | V1Front") -> Projected:
    with _client(server) as influx:
        return project(engine, influx)


def _drop(store: PostgresStore, folder: Path, *, days: int, records: int = 6_000) -> None:
    last = FIRST + timedelta(days=days - 1)
    made = datetime(last.year, last.month, last.day, 23, tzinfo=ZURICH)
    path = folder / f"export-{days}.zip"
    write_export(path, seed=5, first=FIRST, last=last, zone=ZURICH, records=records, exported_at=made)
    receipt = take(receive(path, "ada", store, folder / "archive"), store, folder / "archive", SOURCES)
    assert receipt.problem is None


def _in_postgres(engine: sa.Engine) -> Points:
    statement = """
        select m.name, p.name, o.name, (extract(epoch from s.started_at) * 1000000)::bigint * 1000
            + row_number() over (partition by s.metric_id, s.origin_id, s.started_at order by s.place) - 1,
            s.value
        from sample s join metric m on m.id = s.metric_id join person p on p.id = s.person_id join origin o on o.id = s.origin_id"""
    with engine.connect() as connection:
        return {
            (metric, person, " ".join(origin.split()), at): value
            for metric, person, origin, at, value in connection.execute(sa.text(statement))
        }


def _in_fake(server: FakeInflux) -> Points:
    found: Points = {}
    for (measurement, tags, at), fields in server.points.items():
        named = dict(tags)
        found[measurement, named["person"], named["origin"], at] = float(fields["value"].value)
    return found


def _queued(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(sa.text("select count(*) from influx_outbox")).scalar_one())


def test_every_sample_arrives_once_and_a_rebuild_equals(
    store: PostgresStore, engine: sa.Engine, fake: FakeInflux, tmp_path: Path
) -> None:
    _drop(store, tmp_path, days=10)
    done = _project(engine, fake)
    wanted = _in_postgres(engine)
    assert done.points == len(wanted) > 5_000
    assert (done.dead, _queued(engine)) == (0, 0)
    assert _in_fake(fake) == wanted
    assert _project(engine, fake).points == 0
    assert queue_everything(engine) == done.days
    assert _project(engine, fake).points == len(wanted)
    assert _in_fake(fake) == wanted


def test_a_later_export_sends_only_what_changed_and_removes_what_is_gone(
    store: PostgresStore, engine: sa.Engine, fake: FakeInflux, tmp_path: Path
) -> None:
    _drop(store, tmp_path, days=10)
    everything = _project(engine, fake).points
    _drop(store, tmp_path, days=11, records=6_600)
    assert 0 < _project(engine, fake).points < everything
    assert _in_fake(fake) == _in_postgres(engine)


def test_a_crash_between_write_and_acknowledge_loses_and_doubles_nothing(
    store: PostgresStore, engine: sa.Engine, fake: FakeInflux, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _drop(store, tmp_path, days=4)
    queued = _queued(engine)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(influx_projection, "_acknowledge", crash)
        with pytest.raises(KeyboardInterrupt):
            _project(engine, fake)
    assert _queued(engine) == queued
    assert fake.points
    _project(engine, fake)
    assert _in_fake(fake) == _in_postgres(engine)
    assert _queued(engine) == 0


def test_a_server_that_goes_away_keeps_the_queue(
    store: PostgresStore, engine: sa.Engine, fake: FakeInflux, tmp_path: Path
) -> None:
    _drop(store, tmp_path, days=3)
    queued = _queued(engine)
    for _ in range(200):
        fake.script.append(HangUp(stored=False))
    with (
        Influx(
            fake.url, fake.token, fake.org, fake.bucket, precision="ns", sleep=lambda _: None, budget_seconds=0.5
        ) as short,
        pytest.raises(FarSideUnavailable),
    ):
        project(engine, short)
    assert _queued(engine) == queued
    fake.script.clear()
    _project(engine, fake)
    assert _in_fake(fake) == _in_postgres(engine)


def test_a_refused_point_is_kept_with_its_reason_and_the_others_arrive(
    store: PostgresStore, engine: sa.Engine, fake: FakeInflux, tmp_path: Path
) -> None:
    _drop(store, tmp_path, days=3)
    moment = int(datetime(2026, 3, 1, tzinfo=ZURICH).timestamp()) * 10**9
    with _client(fake) as influx:
        influx.write([f"vo2_max,person=x value=1i {moment}".encode(), f"body_mass,person=x value=1i {moment}".encode()])
    done = _project(engine, fake)
    assert done.dead > 0
    assert _queued(engine) == 0
    with engine.connect() as connection:
        letters = connection.execute(sa.text("select line, status, reason from influx_dead_letter")).all()
    assert len(letters) == done.dead
    assert all(status == 422 and "field type conflict" in reason for _, status, reason in letters)
    assert done.points + done.dead == len(_in_postgres(engine))


@pytest.mark.skipif(executable() is None, reason="influxd is not here: infra/programs unpacks it on Debian 12")
def test_a_real_influxdb_answers_the_same_daily_counts_as_postgres(
    store: PostgresStore, engine: sa.Engine, tmp_path: Path
) -> None:
    _drop(store, tmp_path, days=30, records=20_000)
    with Influxd(tmp_path) as influxd, V1Front(influxd, f"b{uuid4().hex[:12]}") as front, _client(front) as influx:
        project(engine, influx)
        query = (
            "SELECT COUNT(value), MEAN(value) FROM heart_rate WHERE time >= '2026-02-28T23:00:00Z' AND "
            "time < '2026-03-30T22:00:00Z' GROUP BY time(1d) fill(none)"
        )
        told = {str(row["time"])[:10]: row for row in influx.query(query, zone=ZURICH)}
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "select day::text, n, r.value from daily_rollup r join metric m on m.id = r.metric_id "
                "where m.name = 'heart_rate' order by day"
            )
        ).all()
    assert len(rows) == len(told) == 30
    for day, n, mean in rows:
        assert told[day]["count"] == n
        assert told[day]["mean"] == pytest.approx(mean)
