"""The stack as the suite runs it: the shipped compose file under a name of its own, with bounded waits."""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinning_pipelines_tests.infra.engine import docker, images
from twinning_pipelines_tests.infra.engine.override import dump, override, write_secrets
from twinning_pipelines_tests.infra.programs import REPOSITORY

PROJECT = "twinning-test"
PROFILES = ("core", "monitoring")
PERSON = "ada"
COMPOSE = REPOSITORY / "infra" / "compose.yaml"


@dataclass(frozen=True, slots=True)
class Stack:
    """A project of the engine: its files, its environment, and the secrets that it was given."""

    files: tuple[Path, ...]
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    shipped: Mapping[str, Any]

    @classmethod
    def prepare(cls, folder: Path) -> "Stack":
        """Builds the images and writes what the stack needs; starts nothing."""
        environment = {**os.environ, "TWINNING_VERSION": images.VERSION, "TWINNING_PEOPLE": PERSON}
        environment |= {"TWINNING_ZONE": "Europe/Zurich", "TWINNING_CURRENCY": "CHF", "COMPOSE_PROFILES": ""}
        base = images.debian_with_python()
        images.product(base)
        settings = folder / "settings"
        settings.touch()
        asked = [part for profile in PROFILES for part in ("--profile", profile)]
        told = docker.run(
            "compose", "--project-name", PROJECT, "--env-file", settings, "--file", COMPOSE, *asked,
            "config", "--format", "json", environment=environment,
        )  # fmt: skip
        shipped = json.loads(told)

        def image_of(published: str) -> str | None:
            return published if published == images.PRODUCT else images.standin(published, base)

        values = write_secrets(shipped["secrets"], folder / "secrets")
        changed = override(shipped, image_of, base)
        changed["secrets"] = {name: {"file": str(folder / "secrets" / name)} for name in values}
        written = folder / "override.yaml"
        written.write_text(dump(changed), encoding="utf-8")
        return cls((COMPOSE, written), {**environment, "SETTINGS": str(settings)}, values, shipped)

    def compose(self, *arguments: str | Path, seconds: float = 120) -> str:
        """What a compose command about this project prints. Raises EngineFailed."""
        files = [part for file in self.files for part in ("--file", str(file))]
        profiles = [part for profile in PROFILES for part in ("--profile", profile)]
        return docker.run(
            "compose", "--progress", "quiet", "--project-name", PROJECT, "--env-file", self.environment["SETTINGS"],
            *files, *profiles, *arguments, environment=self.environment, seconds=seconds,
        )  # fmt: skip

    def up(self) -> float:
        """Starts everything by one command and waits until it is healthy; answers the seconds that it took."""
        began = time.monotonic()
        try:
            self.compose("up", "--detach", "--wait", "--wait-timeout", "240", seconds=300)
        except docker.EngineFailed as failed:
            unwell = [name for name, state in self.states().items() if state not in ("healthy", "running", "exited 0")]
            logs = self.compose("logs", "--no-color", "--tail", "25", *unwell) if unwell else ""
            raise docker.EngineFailed(f"{logs[-20000:]}\n{self.states()}\n{failed}") from None
        return time.monotonic() - began

    def down(self, *arguments: str) -> None:
        """Removes containers and networks; with `--volumes` the data as well."""
        self.compose("down", "--remove-orphans", "--timeout", "15", *arguments, seconds=180)

    def containers(self) -> dict[str, dict[str, Any]]:
        """What the engine knows about each container, by service."""
        label = f"label=com.docker.compose.project={PROJECT}"
        ids = docker.run("ps", "--all", "--quiet", "--filter", label).split()
        return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in docker.inspect(ids)}

    def running(self) -> dict[str, dict[str, Any]]:
        """The same of those that run."""
        return {name: each for name, each in self.containers().items() if each["State"]["Running"]}

    def states(self) -> dict[str, str]:
        """The state of each service: its health, or else its status and exit code."""
        return {name: _state(each) for name, each in self.containers().items()}

    def execute(self, service: str, *command: str, user: str | None = None, input_text: str | None = None) -> str:
        """What a command prints inside a running container."""
        options = [*(["--user", user] if user else []), *(["--interactive"] if input_text is not None else [])]
        return docker.run("exec", *options, f"{PROJECT}-{service}-1", *command, input_text=input_text)

    def query(self, statement: str, database: str = "twinning") -> list[str]:
        """The lines that Postgres answers; values are separated by bars."""
        told = self.execute("postgres", "psql", "--no-psqlrc", "-U", "postgres", "-d", database, "-At", "-c", statement)
        return told.splitlines()

    def door(self, inside: int) -> str:
        """The address on this machine at which nginx publishes a port of its own."""
        bound = self.running()["nginx"]["NetworkSettings"]["Ports"][f"{inside}/tcp"][0]
        return f"{bound['HostIp']}:{bound['HostPort']}"


def wait_until(what: str, is_so: Callable[[], bool], seconds: float, every: float = 0.5) -> float:
    """Asks until it is so; answers after how many seconds. Fails when it takes longer than `seconds`."""
    began = time.monotonic()
    while not is_so():
        waited = time.monotonic() - began
        assert waited < seconds, f"not {what} after {waited:.0f} s"
        time.sleep(every)
    return time.monotonic() - began


def long_runners(containers: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
    """The services that are meant to stay."""
    return sorted(name for name, each in containers.items() if each["HostConfig"]["RestartPolicy"]["Name"] != "no")


def _state(container: Mapping[str, Any]) -> str:
    state = container["State"]
    if state["Running"]:
        return str(state.get("Health", {}).get("Status", "running"))
    return f"{state['Status']} {state['ExitCode']}"
