"""A database URL without a password, on a server that asks for one: libpq takes it from PGPASSFILE."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from twinning_pipelines.errors import DatabaseUnavailable
from twinning_pipelines.home import Home
from twinning_pipelines.settings import settings_of_environment
from twinning_pipelines.stores.postgres.database import connect

PASSWORD = f"planted-{uuid4().hex}"
_TRIES = 500


@pytest.fixture
def asking(engine: sa.Engine, database_url: str) -> Iterator[sa.URL]:
    """The URL, without a password, of a role of whom the server wants one."""
    name = f"asked_{uuid4().hex[:12]}"
    with engine.begin() as connection:
        connection.execute(sa.text(f"create role {name} login password '{PASSWORD}' in role pg_read_all_data"))
        rules = Path(str(connection.execute(sa.text("show hba_file")).scalar()))
    before = rules.read_text()
    rules.write_text(f"local all {name} scram-sha-256\n{before}")
    _reload(engine)
    try:
        yield sa.make_url(database_url).set(username=name, password=None)
    finally:
        rules.write_text(before)
        _reload(engine)
        with engine.begin() as connection:
            connection.execute(sa.text(f"drop role {name}"))


def _reload(engine: sa.Engine) -> None:
    """Has the server read its rules again, and waits until a new session knows them."""
    with engine.connect() as connection:
        asked_at = connection.execute(sa.text("select now()")).scalar()
        connection.execute(sa.text("select pg_reload_conf()"))
    for _ in range(_TRIES):
        engine.dispose()
        with engine.connect() as connection:
            if connection.execute(sa.text("select pg_conf_load_time() > :at"), {"at": asked_at}).scalar():
                return
    raise AssertionError("the server does not read its rules again")


def test_the_password_comes_from_the_file(asking: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"*:*:*:{asking.username}:{PASSWORD}\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("TWINNING_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TWINNING_DATABASE_URL", asking.render_as_string(hide_password=False))
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "nothing"))
    settings = settings_of_environment()
    with pytest.raises(DatabaseUnavailable, match="no password supplied"), Home(settings).opened():
        pass
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    with Home(settings).opened() as home, home.engine.connect() as connection:
        assert connection.execute(sa.text("select current_user")).scalar() == asking.username
    passwords.write_text(f"*:*:*:{asking.username}:{PASSWORD}-not\n")
    with pytest.raises(DatabaseUnavailable, match="password authentication failed") as told, Home(settings).opened():
        pass
    assert PASSWORD not in str(told.value)


def test_a_password_in_the_url_goes_before_the_file(asking: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", "/nowhere/at/all")
    engine = connect(asking.set(password=PASSWORD).render_as_string(hide_password=False))
    with engine.connect() as connection:
        assert connection.execute(sa.text("select current_user")).scalar() == asking.username
    engine.dispose()
