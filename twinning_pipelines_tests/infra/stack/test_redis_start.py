"""Redis as the stack starts it, with the real server."""

import os
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from twinning_pipelines_tests.free_ports import free_port
from twinning_pipelines_tests.infra.programs import REPOSITORY, needs

FOLDER = REPOSITORY / "infra" / "redis"
PASSWORD = "Word" + "r" * 36


@dataclass(frozen=True)
class Redis:
    """A running Redis."""

    port: int
    environment: dict[str, str]
    process: "subprocess.Popen[bytes]"
    folder: Path

    def healthy(self) -> bool:
        done = subprocess.run(
            ["sh", str(FOLDER / "healthy.sh")], env=self.environment, capture_output=True, timeout=20, check=False
        )
        return done.returncode == 0

    def ask(self, *words: str) -> str:
        command = [str(needs("redis-cli")), "-p", str(self.port), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout.strip()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server, client = needs("redis-server"), needs("redis-cli")
    port = free_port()
    (tmp_path / "redis_password").write_text(PASSWORD)
    (tmp_path / "run").mkdir()
    environment = {
        "PATH": f"{server.parent}:{client.parent}:{os.defpath}",
        "SECRETS_DIRECTORY": str(tmp_path),
        "REDIS_RUN_DIRECTORY": str(tmp_path / "run"),
        "REDIS_DATA_DIRECTORY": str(tmp_path),
        "REDIS_PORT": str(port),
    }
    command = ["sh", str(FOLDER / "start.sh"), "--port", str(port), "--bind", "127.0.0.1"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    running = Redis(port, environment, process, tmp_path)
    try:
        for _ in range(200):
            if running.healthy():
                break
            assert process.poll() is None
            time.sleep(0.05)
        yield running
    finally:
        process.terminate()
        process.wait(20)


def test_it_wants_the_password_and_the_health_check_has_it(redis: Redis) -> None:
    assert redis.healthy()
    assert "NOAUTH" in redis.ask("get", "x")
    (redis.folder / "redis_password").write_text("another")
    assert not redis.healthy()


def test_the_password_is_in_a_file_of_the_owner_alone(redis: Redis) -> None:
    file = redis.folder / "run" / "redis.conf"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().endswith(f"\nrequirepass {PASSWORD}\n")
    for part in ("cmdline", "environ"):
        told = Path(f"/proc/{redis.process.pid}/{part}")
        if told.exists():
            assert PASSWORD.encode() not in told.read_bytes()


def test_what_is_kept_and_how_much_is_said(redis: Redis) -> None:
    settings = {
        "maxmemory-policy": "volatile-lru",
        "appendonly": "no",
        "save": "300 1",
        "maxmemory": str(192 * 1024**2),
    }
    told = {
        name: redis.ask("--no-auth-warning", "-a", PASSWORD, "config", "get", name).splitlines()[-1]
        for name in settings
    }
    assert told == settings


def test_the_exporter_enters_with_the_password_from_the_file(redis: Redis, tmp_path: Path) -> None:
    exporter = needs("prometheus-redis-exporter")
    address, port = f"redis://127.0.0.1:{redis.port}", free_port()
    environment = {
        "PATH": f"{exporter.parent}:{os.defpath}",
        "SECRETS_DIRECTORY": str(tmp_path),
        "EXPORTER_RUN_DIRECTORY": str(tmp_path / "run"),
        "REDIS_EXPORTER": str(exporter),
        "REDIS_ADDR": address,
    }
    command = ["sh", str(FOLDER / "exporter.sh"), f"--web.listen-address=127.0.0.1:{port}"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        told = ""
        for _ in range(200):
            try:
                told = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5, trust_env=False).text
                break
            except httpx.TransportError:
                assert process.poll() is None
                time.sleep(0.05)
        assert "\nredis_up 1\n" in told
        assert PASSWORD.encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("value", ["", "two words", 'x" "y'])
def test_a_password_that_cannot_be_one_starts_nothing(tmp_path: Path, value: str) -> None:
    (tmp_path / "redis_password").write_text(value)
    environment = {"PATH": os.defpath, "SECRETS_DIRECTORY": str(tmp_path), "REDIS_RUN_DIRECTORY": str(tmp_path)}
    done = subprocess.run(
        ["sh", str(FOLDER / "start.sh")], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "redis_password" in done.stderr) == (1, True)
    assert not (tmp_path / "redis.conf").exists()
