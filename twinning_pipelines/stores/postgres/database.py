"""The connection to Postgres and the state of its schema."""

from pathlib import Path

import sqlalchemy as sa

from twinning_pipelines.errors import DatabaseUnavailable, WrongUsage

# Any fixed number serves, as long as it is ours alone in the database.
MIGRATION_LOCK = 0x7477_696E
_MIGRATIONS = Path(__file__).parent / "migrations"
# The revisions are numbered, so the last file is the newest.
NEWEST = max(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("*.py"))


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
    try:
        with engine.connect() as connection:
            if _version(connection) == NEWEST:
                return
            connection.rollback()
            _upgrade(connection)
    except sa.exc.OperationalError as down:
        raise DatabaseUnavailable(f"Postgres does not answer: {str(down.orig).strip()}") from down


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415  (a quarter of a second that only an upgrade needs)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with connection.begin():
        connection.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _version(connection: sa.Connection) -> str | None:
    """The revision that the database is at; None for an empty one."""
    if connection.execute(sa.text("select to_regclass('alembic_version')")).scalar() is None:
        return None
    version: str | None = connection.execute(sa.text("select version_num from alembic_version")).scalar()
    return version
