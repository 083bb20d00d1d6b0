"""The connection to Postgres and the state of its schema."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from twinning_pipelines.errors import DatabaseUnavailable, WrongUsage

# Any fixed number serves, as long as it is ours alone in the database.
MIGRATION_LOCK = 0x7477_696E
_MIGRATIONS = Path(__file__).parent / "migrations"


def connect(url: str) -> sa.Engine:
    """An engine on a Postgres URL. The driver is always psycopg 3, whatever the URL leaves open."""
    try:
        parsed = sa.engine.make_url(url)
    except sa.exc.ArgumentError as wrong:
        raise WrongUsage("TWINNING_DATABASE_URL is not a database URL") from wrong
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise WrongUsage(f"Twinning keeps its facts in Postgres, not in {parsed.get_backend_name()}")
    return sa.create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        # Errors are logged and kept by Dagster: they must not carry the values of rows.
        hide_parameters=True,
        connect_args={"options": "-c timezone=UTC -c jit=off"},
    )


def migrate(engine: sa.Engine) -> None:
    """Brings the schema to the newest version. Processes that come at the same moment wait for the first one."""
    script = ScriptDirectory.from_config(_config())
    try:
        with engine.connect() as connection:
            if _version(connection) == script.get_current_head():
                return
            connection.rollback()
            _upgrade(connection)
    except sa.exc.OperationalError as down:
        raise DatabaseUnavailable(f"Postgres does not answer: {str(down.orig).strip()}") from down


def _upgrade(connection: sa.Connection) -> None:
    with connection.begin():
        connection.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _version(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
