"""Firefly's first user and token, by real PHP over a stand-in of Firefly and its server; and its daily work."""

import json
import os
import re
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines_tests.infra.programs import REPOSITORY, needs, program

FOLDER = REPOSITORY / "infra" / "firefly"
STAND_IN = Path(__file__).parent / "stand_ins" / "firefly"
SECRETS = {
    "firefly_app_key": "k" * 32,
    "firefly_db_password": "d" * 40,
    "firefly_cron_token": "c" * 32,
    "firefly_owner_password": "Owner" + "p" * 19,
}
YEAR = 365 * 86400


@dataclass
class Firefly:
    """A Firefly III: its state, its server and the folder of the tokens."""

    folder: Path
    port: int
    asked: list[str]
    status: int | None = None

    @property
    def token_file(self) -> Path:
        return self.folder / "tokens" / "firefly_twinning"

    def state(self, **changes: Any) -> dict[str, Any]:
        file = self.folder / "state"
        state: dict[str, Any] = json.loads(file.read_text()) | changes
        file.write_text(json.dumps(state))
        return state

    def valid(self) -> list[str]:
        return [token["text"] for token in self.state()["tokens"] if not token["revoked"]]

    def environment(self, php: Path) -> dict[str, str]:
        return {
            "PATH": f"{self.folder / 'bin'}:{php.parent}:{os.defpath}",
            "SECRETS_DIRECTORY": str(self.folder / "secrets"),
            "TOKENS_DIRECTORY": str(self.folder / "tokens"),
            "FIREFLY_III_PATH": str(self.folder / "html"),
            "FIREFLY_URL": f"http://127.0.0.1:{self.port}",
            "TWINNING_OWNER_EMAIL": "ada@example.org",
            "STAND_IN_STATE": str(self.folder / "state"),
        }

    def start(self, **environment: str) -> "subprocess.CompletedProcess[str]":
        php = program("php") or program("php8.2")
        if php is None:
            pytest.skip("php is not here")
        command = ["sh", str(FOLDER / "first-start.sh")]
        variables = self.environment(php) | environment
        return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)

    def ok(self) -> str:
        done = self.start()
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


@pytest.fixture
def firefly(tmp_path: Path) -> Iterator[Firefly]:
    for name in ("secrets", "tokens", "bin", "html/vendor", "html/bootstrap"):
        (tmp_path / name).mkdir(parents=True)
    for name, value in SECRETS.items():
        (tmp_path / "secrets" / name).write_text(value)
    shutil.copy(STAND_IN / "autoload.php", tmp_path / "html" / "vendor")
    shutil.copy(STAND_IN / "app.php", tmp_path / "html" / "bootstrap")
    found = program("php") or program("php8.2")
    if found is not None:
        (tmp_path / "bin" / "php").write_text(f'#!/bin/sh\nexec {found} -n "$@"\n')
        (tmp_path / "bin" / "php").chmod(0o755)
    state = {"users": {}, "tokens": [], "clients": 0, "keys": False, "lifetime": YEAR, "booted": False}
    (tmp_path / "state").write_text(json.dumps(state))

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            here.asked.append(self.path)
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status = here.status or (200 if token in here.valid() or self.path == f"/api/v1/cron/{'c' * 32}" else 401)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = Firefly(tmp_path, server.server_address[1], [])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def test_first_start_makes_the_owner_and_a_token(firefly: Firefly) -> None:
    told = firefly.ok()
    state = firefly.state()
    user = state["users"]["ada@example.org"]
    assert (user["role"], user["blocked"], user["group"]) == ("owner", False, True)
    assert re.match(r"\$2y\$", user["password"])
    assert firefly.valid() == [firefly.token_file.read_text()]
    assert stat.S_IMODE(firefly.token_file.stat().st_mode) == 0o444
    assert [file.name for file in (firefly.folder / "tokens").iterdir()] == ["firefly_twinning"]
    assert not [word for word in (*SECRETS.values(), *firefly.valid()) if word in told]
    assert (firefly.folder / "html" / "storage" / "framework" / "views" / "v2").is_dir()


def test_twice_is_once(firefly: Firefly) -> None:
    firefly.ok()
    before = firefly.state()
    assert firefly.ok() == "firefly: user and token are there\n"
    assert firefly.state() == before
    assert firefly.asked == ["/api/v1/about"]


def test_a_user_that_is_there_stays_as_it_is(firefly: Firefly) -> None:
    firefly.state(users={"somebody@example.org": {"role": "owner", "password": "theirs", "group": True}}, clients=1)
    firefly.ok()
    state = firefly.state()
    assert list(state["users"]) == ["somebody@example.org"]
    assert state["users"]["somebody@example.org"]["password"] == "theirs"
    assert state["clients"] == 1


def test_a_token_that_is_refused_or_ends_soon_is_made_anew_and_the_old_one_revoked(firefly: Firefly) -> None:
    firefly.ok()
    first = firefly.token_file.read_text()
    firefly.state(tokens=[])
    firefly.ok()
    second = firefly.token_file.read_text()
    assert second != first
    firefly.state(lifetime=30 * 86400)
    (firefly.folder / "tokens" / "firefly_twinning").unlink()
    firefly.ok()
    firefly.state(lifetime=YEAR)
    firefly.ok()
    assert firefly.valid() == [firefly.token_file.read_text()]
    assert len(firefly.state()["tokens"]) == 3


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_that_fails_costs_no_token(firefly: Firefly, status: int) -> None:
    firefly.ok()
    before = firefly.token_file.read_text()
    firefly.status = status
    done = firefly.start()
    assert (done.returncode, f"answers with {status}" in done.stderr) == (1, True)
    assert firefly.token_file.read_text() == before
    assert firefly.valid() == [before]


def test_what_is_missing_is_named(firefly: Firefly) -> None:
    (firefly.folder / "secrets" / "firefly_owner_password").write_text("")
    done = firefly.start()
    assert (done.returncode, "firefly_owner_password is missing or empty" in done.stderr) == (1, True)
    assert not firefly.token_file.exists()
    assert firefly.start(TWINNING_OWNER_EMAIL="").returncode == 1
    (firefly.folder / "secrets" / "firefly_app_key").unlink()
    assert "firefly_app_key" in firefly.start().stderr


def cron(firefly: Firefly, tmp_path: Path) -> "subprocess.CompletedProcess[str]":
    nc = needs("nc")
    environment = {
        "PATH": f"{nc.parent}:{os.environ['PATH']}",
        "SECRETS_DIRECTORY": str(firefly.folder / "secrets"),
        "FIREFLY_HOST": "127.0.0.1",
        "FIREFLY_PORT": str(firefly.port),
        "CRON_PAUSE_SECONDS": "once",
        "CRON_MARK": str(tmp_path / "mark"),
        "CRON_ANSWER": str(tmp_path / "answer"),
    }
    command = ["sh", str(FOLDER / "cron.sh")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_daily_work_is_asked_for_with_the_token(firefly: Firefly, tmp_path: Path) -> None:
    assert cron(firefly, tmp_path).returncode == 0
    assert firefly.asked == [f"/api/v1/cron/{SECRETS['firefly_cron_token']}"]
    assert (tmp_path / "mark").exists()


def test_daily_work_that_is_refused_leaves_no_mark(firefly: Firefly, tmp_path: Path) -> None:
    (firefly.folder / "secrets" / "firefly_cron_token").write_text("w" * 32)
    done = cron(firefly, tmp_path)
    assert "401" in done.stderr
    assert "w" * 32 not in done.stderr
    assert not (tmp_path / "mark").exists()
