"""The migrations lead to the schema that the code describes, once, whoever comes first."""

from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from twinning_pipelines.stores.postgres import database
from twinning_pipelines.stores.postgres.database import connect, migrate
from twinning_pipelines.stores.postgres.schema import METADATA


def test_migrations_and_schema_are_equal(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        assert compare_metadata(context, METADATA) == []


def test_several_processes_may_migrate_at_once(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("drop schema public cascade"))
        connection.execute(sa.text("create schema public"))
    engines = [connect(engine.url.render_as_string(hide_password=False)) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(migrate, engines))
    with engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from alembic_version")).scalar_one() == 1
    for each in engines:
        each.dispose()


def test_samples_of_the_first_books_become_chunks_of_a_day(engine: sa.Engine) -> None:
    """Two files, two days, a label, an equal pair: every sample is shown again with its file and its place."""
    config = Config()
    config.set_main_option("script_location", str(database._MIGRATIONS))
    with engine.begin() as connection:
        connection.execute(sa.text("drop schema public cascade"))
        connection.execute(sa.text("create schema public"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in _FIRST_BOOKS:
            connection.execute(sa.text(statement))
        before = connection.execute(sa.text("select started_at, ended_at, value, label, file_id, at from sample")).all()
        nights = connection.execute(sa.text(f"{_STAGES} where absent_since is null")).all()
    migrate(engine)
    with engine.connect() as connection:
        assert sorted(map(tuple, connection.execute(sa.text(_STAGES)))) == sorted(map(tuple, nights))
        devices = dict(connection.execute(sa.text("select name, device from origin")).tuples().all())
        after = connection.execute(sa.text("select started_at, ended_at, value, label, file_id, at from sample")).all()
        chunks = connection.execute(
            sa.text("select day::text, n, file_ids from sample_chunk where label is null or value[3] = 7 order by day")
        ).all()
        steps = "where metric_id = (select id from metric where name = 'steps')"
        stale = connection.execute(sa.text(f"select first::text, last::text from stale_rollup {steps}")).all()
        covered = connection.execute(sa.text(f"select first::text, last::text from series_coverage {steps}")).all()
        days = connection.execute(sa.text("select day::text from stale_day order by day")).scalars().all()
    assert devices == {"Watch": "watch", "iPhone": "phone"}
    assert set(days) >= {"2026-03-03", "2026-03-04", "2026-03-05"}
    assert sorted(map(tuple, after)) == sorted(map(tuple, before))
    assert [tuple(chunk) for chunk in chunks] == [("2026-03-01", 3, [1, 1, 2]), ("2026-03-02", 1, None)]
    assert [tuple(stretch) for stretch in stale] == [("2026-02-28", "2026-03-03")]
    assert [tuple(span) for span in covered] == [("2026-03-01", "2026-03-02")]


_STAGES = "select person_id, source, stage, origin, started_at, ended_at, zone, file_id, at from sleep_stage"

_FIRST_BOOKS = (
    "insert into person (name) values ('ada')",
    """insert into intake_file (person_id, sha256, name, bytes, modified_at, as_of, source, status)
        select 1, md5(n::text), 'a.zip', 1, now(), now(), 'health.apple_health', 'loaded' from generate_series(1, 2) n""",
    "insert into metric (name, unit, total, registered) values ('steps', 'count', 'sum', true)",
    "insert into origin (source, name) values ('health.apple_health', 'Watch')",
    """insert into sample values
        (1, 1, '2026-03-01 10:00Z', 1, '2026-03-01 10:10Z', 0, 40, null, 1, 11),
        (1, 1, '2026-03-01 10:00Z', 1, '2026-03-01 10:10Z', 1, 40, null, 1, 12),
        (1, 1, '2026-03-01 23:50Z', 1, '2026-03-02 00:10Z', 0, 7, 'late', 2, 13),
        (1, 1, '2026-03-02 08:00Z', 1, '2026-03-02 08:10Z', 0, 5, null, 1, 14)""",
    """insert into sleep_stage (person_id, source, file_id, at, occurrence, absent_since, stage, origin, started_at,
            ended_at, zone) values
        (1, 'health.apple_health', 1, 21, 0, null, 'deep', 'iPhone', '2026-03-03 23:00Z', '2026-03-04 01:00Z', null),
        (1, 'health.apple_health', 2, 22, 0, null, 'rem', 'iPhone', '2026-03-03 22:00Z', '2026-03-03 23:00Z', 'Europe/Zurich'),
        (1, 'health.apple_health', 1, 23, 0, now(), 'rem', 'iPhone', '2026-03-03 21:00Z', '2026-03-03 22:00Z', null)""",
    """insert into coverage values (1, 'sample', 'steps' || chr(31) || 'Watch', '2026-03-01 00:00Z', '2026-03-02 00:00Z')""",
)


def test_a_day_has_its_hours(engine: sa.Engine) -> None:
    """Zürich's days of 23 and 25 hours, and a day on which a person moved west."""
    with engine.begin() as connection:
        person = connection.execute(sa.text("insert into person (name) values ('ada') returning id")).scalar_one()
        for since, zone in (("1900-01-01", "Europe/Zurich"), ("2026-06-10 08:00", "America/New_York")):
            connection.execute(
                sa.text("insert into person_zone values (:id, :since, :zone)"),
                {"id": person, "since": since, "zone": zone},
            )
        hours = "select sum(extract(epoch from ends - starts)) / 3600 from day_span(:id, :day)"
        for day, wanted in (("2026-03-29", 23), ("2026-10-25", 24), ("2025-10-26", 25), ("2026-06-10", 30)):
            assert connection.execute(sa.text(hours), {"id": person, "day": day}).scalar_one() == wanted, day
