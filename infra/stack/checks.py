"""What could be wrong on this machine, told in one line each before anything starts."""

from __future__ import annotations

import errno
import platform
import re
import socket
import stat
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import environment
import image_lock
from engine import LOCK, MOUNTED, EngineProblem, Stack, ask
from registry import RegistryProblem
from secret_files import FOLDER_MODE, MODE, SECRETS, USERS_FILE

DOCKER = (24, 0)
COMPOSE = (2, 24)
# The kinds that Authelia reads.
DIGEST = re.compile(r"[\"']?\$(argon2|pbkdf2|scrypt|bcrypt|2[aby]\$|[56]\$)")


def findings(stack: Stack) -> list[str]:
    """What has to be put right before the stack is started."""
    return [
        *_settings(stack),
        *_secrets(stack.folder / "secrets"),
        *_tracked(stack.folder),
        *_readable(stack.folder),
        *_engine(stack),
    ]


def hints(stack: Stack) -> list[str]:
    """What would be better otherwise, but does not stop anything."""
    found = []
    if not (stack.folder / LOCK).exists():
        found.append(f"images are not locked to their digests: python3 infra/stack images lock (no {LOCK})")
    if platform.system() == "Darwin" and not _file_vault():
        found.append("FileVault is off: whoever takes this Mac reads everything (System Settings, Privacy & Security)")
    return found


def _settings(stack: Stack) -> list[str]:
    if not stack.settings:
        return ["infra/.env is missing: python3 infra/stack init"]
    example = environment.read(stack.folder / ".env.example")
    lacking = [name for name in example if name not in stack.settings]
    found = [f"infra/.env lacks {name}: python3 infra/stack init adds it" for name in lacking]
    return found + [f"infra/.env: {fault}" for fault in environment.faults({**example, **stack.settings})]


def _secrets(folder: Path) -> Iterator[str]:
    if not folder.is_dir() or folder.is_symlink():
        yield "infra/secrets is missing: python3 infra/stack init"
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        yield f"infra/secrets may be entered by others (mode {mode:04o}): chmod {FOLDER_MODE:o} infra/secrets"
    for name in [secret.name for secret in SECRETS] + [USERS_FILE]:
        file = folder / name
        if file.is_symlink():
            yield f"infra/secrets/{name} is a link; Docker would mount what it points to"
        elif not file.is_file():
            yield f"infra/secrets/{name} is missing: python3 infra/stack init"
        else:
            yield from _secret(file)


def _secret(file: Path) -> Iterator[str]:
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & ~0o200 != MODE:
        yield (
            f"infra/secrets/{file.name} has mode {mode:04o}: chmod {MODE:o} infra/secrets/{file.name}"
            " (containers run as many users; the folder keeps others out)"
        )
    try:
        value = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        yield f"infra/secrets/{file.name} cannot be read: {type(problem).__name__}"
        return
    if file.name == USERS_FILE:
        digests = re.findall(r"^\s+password: *(.*)$", value, re.MULTILINE)
        if not digests or not all(DIGEST.match(digest) for digest in digests):
            yield f"infra/secrets/{file.name} has a user without a digest that Authelia reads"
        return
    fault = next(secret for secret in SECRETS if secret.name == file.name).fault(value)
    if fault:
        yield f"infra/secrets/{file.name} {fault}"


def _tracked(folder: Path) -> Iterator[str]:
    """Secrets and settings that git knows, or would take at the next `git add`."""
    git = ["git", "-C", str(folder)]
    try:
        inside = subprocess.run(
            [*git, "rev-parse", "--is-inside-work-tree"], capture_output=True, timeout=20, check=False
        )
        if inside.returncode:
            return
        known = ask([*git, "ls-files", "--", "secrets", ".env"], 20).split("\n")
        yield from (f"infra/{name} is tracked by git: git rm --cached, and make it anew" for name in known if name)
        for name in ("secrets/any", ".env"):
            ignored = subprocess.run([*git, "check-ignore", "-q", "--", name], timeout=20, check=False)
            if ignored.returncode == 1:
                yield f"infra/{name.partition('/')[0]} is not ignored by git: add it to .gitignore"
    except (FileNotFoundError, EngineProblem, subprocess.TimeoutExpired):
        return


def _readable(folder: Path) -> Iterator[str]:
    """What containers mount, they read as users of their own."""
    for name in MOUNTED:
        for path in (folder / name, *(folder / name).rglob("*")):
            wanted = 0o005 if path.is_dir() else 0o004
            if path.exists() and path.stat().st_mode & wanted != wanted:
                yield f"infra/{path.relative_to(folder)} can't be read by containers: chmod -R go+rX infra/{name}"
                break


def version_of(text: str) -> tuple[int, ...]:
    """The numbers that a version begins with, as in `29.1.3` or `v2.40.3-3`."""
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _engine(stack: Stack) -> Iterator[str]:
    wanted = (
        ("Docker", ["docker", "version", "--format", "{{.Server.Version}}"], DOCKER),
        ("Docker Compose", ["docker", "compose", "version", "--short"], COMPOSE),
    )
    compose = False
    for name, command, least in wanted:
        try:
            told = ask(command, 30).strip()
        except EngineProblem as problem:
            yield f"{name} does not answer: {problem}"
            continue
        if version_of(told) < least:
            yield f"{name} is {told}; at least {least[0]}.{least[1]} is wanted"
        else:
            compose = name == "Docker Compose"
    if compose:
        yield from _files(stack)


def _files(stack: Stack) -> Iterator[str]:
    absent = [file.name for file in stack.files() if not file.exists()]
    if absent:
        yield from (f"infra/{name} is missing" for name in absent)
        return
    try:
        described, enabled = stack.described(), stack.enabled()
    except EngineProblem as problem:
        yield f"Compose refuses the files: {problem}"
        return
    yield from _locks(stack)
    try:
        running = set(stack.there())
    except EngineProblem:
        running = set()
    services: dict[str, Any] = described.get("services", {})
    known = {profile for service in services.values() for profile in service.get("profiles", [])}
    yield from (
        f"TWINNING_PROFILES: no service has the profile {profile}; known are {', '.join(sorted(known))}"
        for profile in stack.profiles
        if profile not in known
    )
    for name, service in services.items():
        if name in enabled and name not in running:
            for port in service.get("ports", []):
                yield from _port(name, port)


def _locks(stack: Stack) -> Iterator[str]:
    """A lock that was forgotten would quietly start the images of old."""
    if not (stack.folder / LOCK).exists():
        return
    try:
        yield from (f"infra/{line}: python3 infra/stack images lock" for line in image_lock.differences(stack))
    except (EngineProblem, RegistryProblem) as problem:
        yield f"infra/{LOCK}: {problem}"


def _port(service: str, port: Mapping[str, Any]) -> Iterator[str]:
    host, number = str(port.get("host_ip") or ""), int(port.get("published") or 0)
    kind = socket.SOCK_DGRAM if port.get("protocol") == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                yield f"port {number} of {host or 'this machine'} is taken by another program; {service} wants it"
            elif problem.errno == errno.EADDRNOTAVAIL:
                yield f"this machine has no address {host}, which {service} wants for port {number}"


def _file_vault() -> bool:
    try:
        return "FileVault is On" in ask(["fdesetup", "status"], 20)
    except EngineProblem:
        return True
