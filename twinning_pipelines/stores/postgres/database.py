"""The connection to Postgres and the state of its schema."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import sqlalchemy as sa

from twinning_pipelines.errors import DatabaseUnavailable, WrongUsage

# Any fixed number serves, as long as it is ours alone in the database.
MIGRATION_LOCK = 0x7477_696E
_MIGRATIONS = Path(__file__).parent / "migrations"
_REVISIONS = {path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("*.py")}
# They are numbered, so the last is the newest.
NEWEST = max(_REVISIONS)


def connect(url: str) -> sa.Engine:
    """An engine on a Postgres URL. The driver is always psycopg 3, whatever the URL leaves open."""
    parsed = _parsed(url)
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise WrongUsage(f"Twinning keeps its facts in Postgres, not in {parsed.get_backend_name()}")
    return sa.create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        # Errors are logged and kept by Dagster: they must not carry the values of rows.
        hide_parameters=True,
        connect_args={"options": "-c timezone=UTC -c jit=off"},
    )


def _parsed(url: str) -> sa.URL:
    # Without the originals, which may tell a part of the password: what they took for the host or the port.
    with suppress(sa.exc.ArgumentError, ValueError):
        parsed = sa.engine.make_url(url)
        if "@" not in (parsed.host or ""):
            return parsed
    raise WrongUsage(
        "TWINNING_DATABASE_URL is not a database URL such as postgresql://name:password@host:5432/twinning"
        " (in the password, %40 stands for @ and %25 for %)"
    )


def migrate(engine: sa.Engine) -> None:
    """Brings the schema to the newest version. Processes that come at the same moment wait for the first one."""
    try:
        with engine.connect() as connection:
            version = _version(connection)
            if version == NEWEST:
                return
            if version is not None and version not in _REVISIONS:
                raise DatabaseUnavailable(
                    f"the database is at revision {version}, which this Twinning does not know: its newest is {NEWEST};"
                    " install the newer Twinning again, or restore the database of before"
                )
            connection.rollback()
            _upgrade(connection)
    except sa.exc.OperationalError as down:
        raise DatabaseUnavailable(f"Postgres does not answer: {_in_a_line(down.orig)}") from down
    except sa.exc.ProgrammingError as refusal:
        if not isinstance(refusal.orig, psycopg.errors.InsufficientPrivilege):
            raise
        raise DatabaseUnavailable(
            f"Postgres refuses: {refusal.orig.diag.message_primary}; the database has to belong to the role that"
            f" Twinning uses: alter database {engine.url.database} owner to {engine.url.username}"
        ) from refusal


@contextmanager
def in_plain_words() -> Iterator[None]:
    """A server that stops or whose disk is full in the middle of the work: a person mends these and wants no traceback."""
    try:
        yield
    except (sa.exc.OperationalError, psycopg.OperationalError) as lost:
        said = lost.orig if isinstance(lost, sa.exc.OperationalError) else lost
        raise DatabaseUnavailable(f"Postgres can't go on: {_in_a_line(said)}") from lost


def _in_a_line(said: BaseException | None) -> str:
    """The words of an error in one line, without the place in what was being written."""
    return " ".join(str(said).partition("\nCONTEXT:")[0].split())


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
