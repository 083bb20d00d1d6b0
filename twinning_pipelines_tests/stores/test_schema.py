"""The migrations lead to the schema that the code describes, once, whoever comes first."""

from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

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
