"""The one-shot `roles` against a real server that is made and configured as in the stack."""

import os
import pwd
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from twinning_pipelines.stores.postgres_place import Owner
from twinning_pipelines.stores.postgres_programs import find_binaries, version_of, within_reach
from twinning_pipelines_tests.free_ports import free_port
from twinning_pipelines_tests.infra.programs import REPOSITORY

FOLDER = REPOSITORY / "infra" / "postgres"
DATABASES = ("twinning", "dagster", "firefly", "nextcloud", "authelia")
ROLES = {name: f"{name}_db_password" for name in (*DATABASES, "grafana", "exporter")} | {
    "postgres": "postgres_password"
}
# Everything that roles.sh may change, but for the passwords, whose salt is new each time.
STATE = """
    select 'role', rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolcanlogin,
        rolconnlimit, rolconfig::text, pg_has_role(oid, 'pg_monitor', 'member')
    from pg_roles where rolname !~ '^pg_' order by 2
"""
ACCESS = "select datname, pg_get_userbyid(datdba), datacl::text from pg_database order by 1"


@dataclass(frozen=True)
class Server:
    """A running server: where its socket and its log are, and which programs speak to it."""

    binaries: Path
    place: Path
    port: int
    log: Path

    def connect(self, role: str, password: str, database: str | None = None) -> psycopg.Connection:
        """Over TCP, where a password is wanted."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=role,
            password=password,
            dbname=database or role,
            autocommit=True,
            connect_timeout=10,
        )

    def owner(self, database: str = "postgres") -> psycopg.Connection:
        """The owner of the server, over its socket."""
        return psycopg.connect(host=str(self.place), port=self.port, user="postgres", dbname=database, autocommit=True)

    def roles(self, secrets: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Runs the one-shot."""
        variables = {
            "PATH": f"{self.binaries}:{os.defpath}",
            "PGHOST": str(self.place),
            "PGPORT": str(self.port),
            "SECRETS_DIRECTORY": str(secrets),
        }
        return subprocess.run(
            ["sh", str(FOLDER / "roles.sh")],
            env=variables | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def state(self) -> list[tuple[object, ...]]:
        """What roles.sh made: roles, owners, privileges."""
        with self.owner() as connection:
            found = [*connection.execute(STATE).fetchall(), *connection.execute(ACCESS).fetchall()]
        for name in DATABASES:
            with self.owner(name) as connection:
                found += connection.execute(
                    "select nspname, nspacl::text from pg_namespace where nspname = 'public'"
                ).fetchall()
                found += connection.execute(
                    "select defaclrole::regrole::text, defaclacl::text from pg_default_acl"
                ).fetchall()
        return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    wanted = os.environ.get("TWINNING_TEST_PG_BIN")
    found = find_binaries(Path(wanted) if wanted else None)
    place = Path(tempfile.mkdtemp(prefix="tw-roles-", dir="/tmp"))
    user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    binaries = within_reach(found, version_of(found), Owner() if user is None else Owner(user, user))
    shutil.copy(FOLDER / "postgresql.conf", place)
    if user is not None:
        os.chown(place, user, -1)
    place.chmod(0o755)
    log, port = place / "log", free_port()
    arguments = [
        "--data-checksums",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--auth-local=trust",
        "--auth-host=scram-sha-256",
    ]
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
    subprocess.run(
        [binaries / "initdb", "-D", place / "data", "-U", "postgres", "-N", *arguments],
        user=user,
        env=environment,
        cwd=place,
        check=True,
        capture_output=True,
        timeout=120,
    )
    # Stricter than the stack's own: every statement is written down, with its details.
    settings = {
        "config_file": place / "postgresql.conf",
        "unix_socket_directories": place,
        "listen_addresses": "127.0.0.1",
        "port": port,
        "log_statement": "all",
        "log_min_duration_statement": 0,
        "log_error_verbosity": "verbose",
        "fsync": "off",
    }
    command = [
        str(binaries / "postgres"),
        "-D",
        str(place / "data"),
        *(f"--{name}={value}" for name, value in settings.items()),
    ]
    with log.open("w") as stream:
        process = subprocess.Popen(command, user=user, env=environment, cwd=place, stderr=stream, stdout=stream)
    try:
        running = Server(binaries, place, port, log)
        _wait_until_ready(running, process)
        yield running
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(place, ignore_errors=True)


def _wait_until_ready(server: Server, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        try:
            server.owner().close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None, server.log.read_text()
            time.sleep(0.1)
    pytest.fail(server.log.read_text())


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    for role, name in ROLES.items():
        (tmp_path / name).write_text(f"First{role}Word{'x' * 20}1")
    return tmp_path


@pytest.fixture
def made(server: Server, secrets: Path) -> Path:
    done = server.roles(secrets)
    assert (done.returncode, done.stderr) == (0, "")
    return secrets


def password(secrets: Path, role: str) -> str:
    return (secrets / ROLES[role]).read_text()


def test_configuration_is_taken_by_a_real_server(server: Server) -> None:
    wanted = {
        "shared_buffers": "256MB",
        "jit": "off",
        "max_wal_size": "2GB",
        "data_checksums": "on",
        "password_encryption": "scram-sha-256",
        "max_connections": "120",
    }
    with server.owner() as connection:
        told = {name: connection.execute(f"show {name}").fetchone() for name in wanted}
        faulty = connection.execute("select name from pg_file_settings where error is not null").fetchall()
    assert told == {name: (value,) for name, value in wanted.items()}
    # These two are overridden here.
    assert {name for (name,) in faulty} <= {"listen_addresses", "unix_socket_directories"}


def test_every_role_enters_its_own_database_and_no_other(server: Server, made: Path) -> None:
    for role in DATABASES:
        with server.connect(role, password(made, role)) as connection:
            connection.execute("create table mine (id int)")
            connection.execute("drop table mine")
        for other in {*DATABASES, "postgres", "template1"} - {role}:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                server.connect(role, password(made, role), other)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            server.connect(role, "wrong")
    with server.owner() as connection:
        told = connection.execute("select left(rolpassword, 13) from pg_authid where rolcanlogin").fetchall()
    assert set(told) == {("SCRAM-SHA-256",)}


def test_twice_is_once(server: Server, made: Path) -> None:
    before = server.state()
    assert server.roles(made).returncode == 0
    assert server.state() == before
    assert {name for _, name, *_ in before} >= set(ROLES)


def test_two_at_a_time_do_not_hinder_each_other(server: Server, made: Path) -> None:
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(server.roles(made).returncode)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert codes == [0, 0, 0]


def test_a_rotated_password_takes_effect_even_that_of_the_owner(server: Server, made: Path) -> None:
    before = {role: password(made, role) for role in ("firefly", "postgres")}
    for role in before:
        (made / ROLES[role]).write_text(f"Second{role}Word{'y' * 20}2")
    assert server.roles(made).returncode == 0
    for role, old in before.items():
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            server.connect(role, old)
        server.connect(role, password(made, role)).close()
    server.connect("dagster", password(made, "dagster")).close()


def test_grafana_reads_present_and_future_tables_and_does_nothing_else(server: Server, made: Path) -> None:
    with server.connect("twinning", password(made, "twinning")) as connection:
        connection.execute("create table first (value int); insert into first values (1)")
    assert server.roles(made).returncode == 0
    with server.connect("twinning", password(made, "twinning")) as connection:
        connection.execute(
            "create table later (value int); insert into later values (2); create view seen as table later"
        )
    with server.connect("grafana", password(made, "grafana"), "twinning") as connection:
        assert [connection.execute(f"table {name}").fetchall() for name in ("first", "later", "seen")] == [
            [(1,)],
            [(2,)],
            [(2,)],
        ]
        # The role itself may lift the read-only default; what counts then are its privileges.
        connection.execute("set default_transaction_read_only = off")
        for statement in (
            "insert into first values (2)",
            "delete from later",
            "create table mine (id int)",
            "drop table first",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    for other in ("dagster", "firefly", "nextcloud", "authelia", "postgres"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            server.connect("grafana", password(made, "grafana"), other)
    with server.connect("twinning", password(made, "twinning")) as connection:
        connection.execute("drop view seen; drop table first, later")


def test_the_exporter_sees_the_statistics_of_all_and_the_rows_of_none(server: Server, made: Path) -> None:
    with server.connect("exporter", password(made, "exporter"), "postgres") as connection:
        sizes = connection.execute("select count(pg_database_size(datname)) from pg_database").fetchone()
        hidden = connection.execute(
            "select count(*) from pg_stat_activity where query like '<insufficient%'"
        ).fetchone()
    assert sizes is not None
    assert sizes[0] >= len(DATABASES)
    assert hidden == (0,)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        server.connect("exporter", password(made, "exporter"), "twinning")


def test_no_password_is_seen_in_the_log_in_the_activity_or_among_the_processes(server: Server, made: Path) -> None:
    for role, name in ROLES.items():
        (made / name).write_text(f"Unseen{role}Word{'z' * 20}3")
    words = [password(made, role) for role in ROLES]
    seen: list[str] = []
    done = threading.Event()

    def watch() -> None:
        with server.owner() as connection:
            while not done.is_set():
                seen.extend(str(row[0]) for row in connection.execute("select query from pg_stat_activity").fetchall())
                for folder in Path("/proc").glob("[0-9]*"):
                    for part in ("cmdline", "environ"):
                        try:
                            seen.append((folder / part).read_bytes().decode(errors="replace"))
                        except OSError:
                            continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        codes = [server.roles(made).returncode for _ in range(3)]
    finally:
        done.set()
        watcher.join(30)
    assert codes == [0, 0, 0]
    assert any("roles.sh" in text for text in seen), "the watcher saw the script itself"
    everything = server.log.read_text() + "\n".join(seen)
    assert "copy given (role, password) from stdin" not in server.log.read_text()
    assert not [word for word in words if word in everything]


def test_a_failing_statement_does_not_tell_the_password(server: Server, made: Path) -> None:
    parts = [(FOLDER / name).read_text() for name in ("roles.sql", "passwords.sql")]
    script = f"{parts[0]}copy given (role, password) from stdin;\nnobody\tUntoldWord4\n\\.\n{parts[1]}"
    psql = [str(server.binaries / "psql"), "-X", "-h", str(server.place), "-p", str(server.port), "-U", "postgres"]
    done = subprocess.run(
        [*psql, "-v", "ON_ERROR_STOP=1", "-v", "SHOW_CONTEXT=never"],
        input=script,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert 'role "nobody" does not exist' in done.stderr
    assert "UntoldWord4" not in done.stderr + done.stdout + server.log.read_text()


def test_over_the_network_it_needs_the_owners_password(server: Server, made: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    done = server.roles(made, PGHOST="127.0.0.1", TMPDIR=str(work))
    assert (done.returncode, done.stderr) == (0, "")
    (made / "postgres_password").write_text("SomethingElse" + "q" * 20)
    done = server.roles(made, PGHOST="127.0.0.1", TMPDIR=str(work))
    assert done.returncode != 0
    assert "password authentication failed" in done.stderr
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("value", ["", "with blank", "quote'd", "line\nbreak"])
def test_a_secret_that_cannot_be_one_changes_nothing(server: Server, made: Path, value: str) -> None:
    with server.owner() as connection:
        before = connection.execute("select rolname, rolpassword from pg_authid order by 1").fetchall()
    (made / "exporter_db_password").write_text(value)
    done = server.roles(made)
    assert done.returncode != 0
    assert "exporter_db_password" in done.stderr
    assert value not in done.stderr or not value
    (made / "exporter_db_password").unlink()
    assert server.roles(made).returncode != 0
    with server.owner() as connection:
        assert connection.execute("select rolname, rolpassword from pg_authid order by 1").fetchall() == before
