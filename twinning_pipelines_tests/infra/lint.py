"""`make lint` of the stack: each file of infra/ and docker/ before the program that will read it, or its checker.

    python -m twinning_pipelines_tests.infra.lint

What is not at hand is named at the end; a checker that finds something says what, and the exit code is 1.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twinning_pipelines_tests.infra.composed import INFRA, OVERLAYS, compose_command, files
from twinning_pipelines_tests.infra.programs import REPOSITORY, program

PROFILES = ("core", "monitoring", "edge", "ai", "ai-pull", "*")


@dataclass(frozen=True, slots=True)
class Look:
    """One checker at work. `command` is None where the checker is not at hand."""

    subject: str
    command: list[str] | None


def _with(name: str, *arguments: object) -> list[str] | None:
    found = _in_environment(name) or program(name)
    return [str(found), *map(str, arguments)] if found else None


def _in_environment(name: str) -> Path | None:
    beside = Path(sys.executable).parent / name
    return beside if beside.exists() else None


def _shell_scripts() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    paths = [REPOSITORY / line for line in listed.stdout.splitlines()]
    return [path for path in paths if path.is_file() and _is_shell(path)]


def _is_shell(path: Path) -> bool:
    with path.open("rb") as file:
        first = file.readline(80)
    return first.startswith(b"#!") and first.rstrip().endswith((b"sh", b"bash"))


def looks() -> Iterator[Look]:
    """Every look, in the order of a reader."""
    compose = compose_command()
    for overlay in OVERLAYS:
        chosen = [part for file in files(overlay) for part in ("-f", str(file))]
        for profile in PROFILES:
            arguments = ["--env-file", str(INFRA / ".env.example"), *chosen, "--profile", profile, "config", "-q"]
            yield Look(f"compose {overlay}, profile {profile}", [*compose, *arguments] if compose else None)
    yield Look(
        "schema of compose",
        _with("check-jsonschema", "--builtin-schema", "vendor.compose-spec", *INFRA.glob("compose*.yaml")),
    )
    workflows = (REPOSITORY / ".github" / "workflows").glob("*.y*ml")
    yield Look(
        "schema of workflows", _with("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    )
    yield Look("Dockerfile", _with("hadolint", REPOSITORY / "docker" / "Dockerfile"))
    yield Look("shell", _with("shellcheck", *_shell_scripts()))
    prometheus = INFRA / "prometheus"
    yield Look("prometheus.yml", _with("promtool", "check", "config", prometheus / "prometheus.yml"))
    yield Look("rules", _with("promtool", "check", "rules", *sorted((prometheus / "rules").glob("*.yml"))))
    yield Look("tests of rules", _with("promtool", "test", "rules", *sorted((prometheus / "tests").glob("*.yml"))))
    alertmanager = INFRA / "alertmanager"
    for file in (alertmanager / "alertmanager.yml", *sorted((alertmanager / "examples").glob("*.yml"))):
        yield Look(file.name, _with("amtool", "check-config", file))
    blackbox = INFRA / "blackbox" / "blackbox.yml"
    yield Look("nginx and gixy", [sys.executable, "-m", "twinning_pipelines_tests.infra.proxy.check"])
    yield Look("blackbox.yml", _with("prometheus-blackbox-exporter", f"--config.file={blackbox}", "--config.check"))


def main() -> int:
    """Looks at everything; answers the exit code."""
    absent, wrong = list[str](), 0
    for look in looks():
        if look.command is None:
            absent.append(look.subject)
            continue
        done = subprocess.run(look.command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        if done.returncode:
            wrong += 1
            sys.stderr.write(f"{look.subject}:\n{done.stdout}{done.stderr}\n")
    if absent:
        sys.stderr.write(f"not looked at, for want of the program: {'; '.join(absent)}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
