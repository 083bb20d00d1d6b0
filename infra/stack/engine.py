"""Docker Compose as the stack is started with it: which files, which profiles, what it answers."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent
LOCK = "images.lock.yaml"
EVERYTHING = "*"
# What containers mount of this folder.
MOUNTED = (
    *("alertmanager", "authelia", "blackbox", "certificates", "firefly", "folders", "grafana", "influxdb", "nextcloud"),
    *("nginx", "ollama", "postgres", "prometheus", "redis", "whisper"),
)


@dataclass(frozen=True)
class Stack:
    """The folder `infra` and what its .env says."""

    folder: Path
    settings: Mapping[str, str]

    @property
    def place(self) -> str:
        """`mac` or `vps`."""
        return self.settings.get("TWINNING_PLACE", "vps")

    @property
    def profiles(self) -> list[str]:
        """What is started unless the command line says otherwise."""
        return self.settings.get("TWINNING_PROFILES", "core").replace(",", " ").split() or ["core"]

    def files(self, *, locked: bool = True, place: str | None = None) -> list[Path]:
        """The Compose files, each laid over those before it."""
        place = place or self.place
        files = [self.folder / "compose.yaml", self.folder / f"compose.{place}.yaml"]
        if "edge" in self.profiles:
            files.append(self.folder / "compose.edge.yaml")
        locks = [self.folder / LOCK, self.folder / lock_of(place)]
        return files + [lock for lock in locks if locked and lock.exists()]

    def command(
        self, *arguments: str, profiles: Sequence[str] = (), locked: bool = True, place: str | None = None
    ) -> list[str]:
        """The whole command line of one Compose command."""
        env = self.folder / ".env"
        command = ["docker", "compose"]
        for file in self.files(locked=locked, place=place):
            command += ["-f", str(file)]
        command += ["--env-file", str(env if env.exists() else self.folder / ".env.example")]
        for profile in profiles:
            command += ["--profile", profile]
        return [*command, *arguments]

    def described(self, *, locked: bool = True, place: str | None = None) -> dict[str, Any]:
        """Everything that the files declare, merged. Raises EngineProblem."""
        command = self.command("config", "--format", "json", profiles=[EVERYTHING], locked=locked, place=place)
        described: dict[str, Any] = json.loads(ask(command))
        return described

    def enabled(self) -> list[str]:
        """The services that the profiles start. Raises EngineProblem."""
        services: dict[str, Any] = self.described()["services"]
        return [
            name
            for name, one in services.items()
            if not one.get("profiles") or set(one["profiles"]) & set(self.profiles)
        ]

    def there(self) -> list[str]:
        """The services that have containers, running or not. Raises EngineProblem."""
        return ask(self.command("ps", "--all", "--services", profiles=[EVERYTHING])).split()


def digest_of(folder: Path) -> str:
    """One of all files that containers read of this folder, so that a change of any makes them anew."""
    digest = hashlib.sha256()
    for name in MOUNTED:
        for file in sorted(
            path for path in (folder / name).rglob("*") if path.is_file() and "chosen" not in path.parts
        ):
            digest.update(f"{file.relative_to(folder)}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


class EngineProblem(Exception):
    """Docker or Compose is missing, too old, or refuses."""


def lock_of(place: str) -> str:
    """Where the images are locked that only one place's overlay brings."""
    return f"images.lock.{place}.yaml"


def ask(command: Sequence[str], seconds: float = 60) -> str:
    """What a command prints. Raises EngineProblem with its last words."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except FileNotFoundError:
        raise EngineProblem(f"{command[0]} is not installed, or not on the PATH") from None
    except subprocess.TimeoutExpired:
        raise EngineProblem(f"{shlex.join(command[:2])} does not answer within {seconds:.0f} s") from None
    if done.returncode:
        words = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise EngineProblem(words[-1].strip() if words else f"{command[0]} ended with {done.returncode}")
    return done.stdout


def carry_out(command: Sequence[str]) -> int:
    """Runs a command with this terminal as its own; its exit code. Raises EngineProblem if it isn't there."""
    environment = {**os.environ, "TWINNING_FILES_DIGEST": digest_of(FOLDER)}
    try:
        return subprocess.run(command, check=False, env=environment).returncode
    except FileNotFoundError:
        raise EngineProblem(f"{command[0]} is not installed, or not on the PATH") from None
    except KeyboardInterrupt:
        return 130
