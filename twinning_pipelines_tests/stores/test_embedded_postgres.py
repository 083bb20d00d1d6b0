"""The launcher against real PostgreSQL programs, the wheel's and the distribution's, as root or any user."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from twinning_pipelines.errors import DatabaseUnavailable, IncompatibleCluster
from twinning_pipelines.stores.embedded_postgres import Cluster
from twinning_pipelines_tests.stores.clusters import (
    DEBIAN,
    HOLD,
    IS_ROOT,
    NewCluster,
    ask,
    child,
    finish,
    on_both,
    pid_of,
    plain_only,
    proc_only,
    root_only,
    said,
    throw_away,
    wait_until,
    wheel,
)


@pytest.fixture
def binaries(request: pytest.FixtureRequest) -> Path:
    """The wheel's; `on_both` adds the oldest supported major."""
    if getattr(request, "param", "wheel") == "wheel":
        return wheel()
    if not (DEBIAN / "initdb").exists():
        pytest.skip(f"no PostgreSQL in {DEBIAN}")
    return DEBIAN


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
