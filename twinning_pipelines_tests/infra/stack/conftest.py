"""A copy of `infra` for one test, with the stack's tool and a strict stand-in of Docker's client."""

import compileall
import json
import os
import py_compile
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines_tests.infra.programs import REPOSITORY
from twinning_pipelines_tests.infra.stack.stand_ins import docker

SERVICES: dict[str, Any] = {
    "postgres": {"image": "postgres:17.11-bookworm", "profiles": ["core"]},
    "roles": {"image": "postgres:17.11-bookworm", "profiles": ["core"]},
    "code": {"image": "twinning:0.1.0", "profiles": ["core"]},
    "redis": {"image": "redis:8.2.9-alpine", "profiles": ["core"]},
    "whisper": {"image": "ghcr.io/speaches-ai/speaches:0.8.3-cpu", "profiles": ["ai"]},
    "authelia": {"image": "authelia/authelia:4.39.20", "profiles": ["edge"]},
    "prometheus": {"image": "prom/prometheus:v3.14.0", "profiles": ["monitoring"]},
}
OVERLAY = {"node-exporter": {"image": "prom/node-exporter:v1.12.1", "profiles": ["monitoring"]}}


def interpreters() -> list[str]:
    """This Python, and the oldest one here that the tool promises to run on."""
    found = [sys.executable]
    for name in ("python3.9", "python3.10"):
        path = shutil.which(name)
        if path and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
            return [*found, path]
    return found


@dataclass(frozen=True)
class Home:
    """A folder `infra` on a machine with Docker."""

    root: Path

    @property
    def infra(self) -> Path:
        return self.root / "infra"

    @property
    def secrets(self) -> Path:
        return self.infra / "secrets"

    def run(
        self, *words: str, python: str = sys.executable, path: str | None = None, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        variables = {
            "PATH": path or f"{self.root / 'bin'}:{os.defpath}",
            "STAND_IN_STATE": str(self.root / "state"),
            "HOME": str(self.root),
            "LC_ALL": "C.UTF-8",
        }
        return subprocess.run(
            # -S: nothing of what pip installed is there, as on a server.
            [python, "-B", "-S", str(self.infra / "stack"), *words],
            env=variables | environment,
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def ok(self, *words: str, python: str = sys.executable, **environment: str) -> str:
        done = self.run(*words, python=python, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def docker(self, **changes: Any) -> dict[str, Any]:
        """What the stand-in of Docker answers and was told, after these changes."""
        file = self.root / "state"
        state: dict[str, Any] = json.loads(file.read_text()) | changes
        file.write_text(json.dumps(state))
        return state

    def calls(self) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = self.docker()["calls"]
        return calls


@pytest.fixture(scope="session")
def compiled_tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stack's tool, compiled for this Python wherever it is copied to: each test calls it several times."""
    folder = tmp_path_factory.mktemp("tool") / "stack"
    shutil.copytree(REPOSITORY / "infra" / "stack", folder, ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(folder, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    return folder


@pytest.fixture
def home(tmp_path: Path, compiled_tool: Path) -> Home:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "docker"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {docker.__file__} "$@"\n')
    program.chmod(0o755)
    infra = tmp_path / "infra"
    shutil.copytree(compiled_tool, infra / "stack")
    shutil.copy(REPOSITORY / "infra" / ".env.example", infra)
    shutil.copytree(REPOSITORY / "infra" / "prometheus" / "optional", infra / "prometheus" / "optional")
    for name in ("compose.yaml", "compose.mac.yaml", "compose.vps.yaml", "compose.edge.yaml"):
        (infra / name).write_text("# the stand-in of Docker tells what is in here\n")
    state = {
        "engine": "29.1.3",
        "compose": "2.40.3",
        "services": SERVICES,
        "services_vps": OVERLAY,
        "there": [],
        "calls": [],
    }
    (tmp_path / "state").write_text(json.dumps(state))
    return Home(tmp_path)
