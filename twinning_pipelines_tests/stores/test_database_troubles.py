"""What a person mends at the database is told in one line: a wrong URL, missing rights, a newer schema, a server that goes."""

from uuid import uuid4

import pytest
import sqlalchemy as sa

from twinning_pipelines.errors import DatabaseUnavailable, WrongUsage
from twinning_pipelines.home import migrated
from twinning_pipelines.stores.postgres.database import NEWEST, connect, migrate


@pytest.mark.parametrize(
    "url", ["nonsense", "postgresql://ada:pass@secret@127.0.0.1/books", "postgresql://h:port/books"]
)
def test_a_url_that_is_none_is_told_without_its_password(url: str) -> None:
    with pytest.raises(WrongUsage, match=r"not a database URL such as postgresql://.*%40 stands for @") as told:
        connect(url)
    assert told.value.__context__ is None
    assert "secret" not in str(told.value)


def test_who_may_not_make_tables_is_told_whose_the_database_has_to_be(engine: sa.Engine) -> None:
    name = f"weak_{uuid4().hex[:12]}"
    with engine.begin() as connection:
        connection.execute(sa.text(f"create role {name} login in role pg_read_all_data"))
        connection.execute(sa.text("drop table alembic_version"))
    weak = connect(engine.url.set(username=name).render_as_string(hide_password=False))
    try:
        with pytest.raises(DatabaseUnavailable, match=f"^Postgres refuses: permission denied .* owner to {name}$"):
            migrate(weak)
    finally:
        weak.dispose()
        with engine.begin() as connection:
            connection.execute(sa.text(f"drop role {name}"))


def test_a_database_of_a_newer_twinning_is_left_alone(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(DatabaseUnavailable, match=f"revision 9999, .* its newest is {NEWEST}; install the newer"):
        migrate(engine)


def test_a_server_that_goes_in_the_middle_of_the_work_is_told_in_one_line(database_url: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"^Postgres can't go on: .*terminating connection[^\n]*$"):
        _end_our_own_session(database_url)


def _end_our_own_session(url: str) -> None:
    with migrated(url) as engine, engine.connect() as connection:
        connection.execute(sa.text("select pg_terminate_backend(pg_backend_pid())"))
