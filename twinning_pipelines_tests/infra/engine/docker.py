"""The engine's own command line: bounded in time, and loud when it fails."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class EngineFailed(Exception):
    """A command of the engine failed, or took too long."""


def run(
    *arguments: str | Path,
    input_text: str | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float = 120,
) -> str:
    """What a docker command prints. Raises EngineFailed with what it complained about."""
    command = ["docker", *map(str, arguments)]
    try:
        told = subprocess.run(
            command, input=input_text, capture_output=True, text=True, check=False, timeout=seconds, env=environment
        )
    except subprocess.TimeoutExpired as late:
        raise EngineFailed(f"{' '.join(command)}: not done after {seconds} s: {late.stderr!r}") from None
    if told.returncode != 0:
        raise EngineFailed(f"{' '.join(command)}: {told.returncode}\n{told.stdout[-2000:]}\n{told.stderr[-6000:]}")
    return told.stdout


def is_here() -> bool:
    """Is there an engine that answers, with Compose?"""
    if shutil.which("docker") is None:
        return False
    try:
        run("info", seconds=20)
        run("compose", "version", seconds=20)
    except EngineFailed:
        return False
    return True


def has_image(name: str) -> bool:
    """Does the engine have the image?"""
    return bool(run("image", "ls", "--quiet", name).strip())


def inspect(names: Sequence[str]) -> list[dict[str, Any]]:
    """What the engine knows about containers."""
    told: list[dict[str, Any]] = json.loads(run("inspect", *names)) if names else []
    return told
