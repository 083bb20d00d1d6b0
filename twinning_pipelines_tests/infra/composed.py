"""The stack's configuration as Compose resolves it, with the overlays and variables that a test asks for."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twinning_pipelines_tests.infra.programs import REPOSITORY, program

INFRA = REPOSITORY / "infra"
OVERLAYS = {
    "plain": (),
    "vps": ("compose.vps.yaml",),
    "mac": ("compose.mac.yaml",),
    "open vps": ("compose.vps.yaml", "compose.edge.yaml"),
    "open mac": ("compose.mac.yaml", "compose.edge.yaml"),
}


def compose_command() -> list[str] | None:
    """How to call Compose v2 here; None where it is not. It needs no engine to resolve a configuration."""
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0:
        return [docker, "compose"]
    alone = program("docker-compose")
    return [str(alone)] if alone else None


def files(overlay: str) -> list[Path]:
    """The files of an overlay, the base first."""
    return [INFRA / "compose.yaml", *(INFRA / name for name in OVERLAYS[overlay])]


def composed(
    command: Sequence[str], overlay: str, profiles: Sequence[str] = ("*",), variables: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The resolved configuration; by default of every profile, and without the variables of this machine.

    Raises AssertionError with Compose's own words where it refuses.
    """
    arguments = [*command, "--env-file", os.devnull]
    for file in files(overlay):
        arguments += ["-f", str(file)]
    for profile in profiles:
        arguments += ["--profile", profile]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TWINNING_")}
    done = subprocess.run(
        [*arguments, "config", "--format", "json"],
        env=environment | dict(variables or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    config: dict[str, Any] = json.loads(done.stdout)
    return config
