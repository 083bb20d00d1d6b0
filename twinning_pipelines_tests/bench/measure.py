"""Measuring a whole process: CPU seconds of it and of the Postgres that serves it, wall seconds, peak memory."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run cost: CPU seconds (user and system, Postgres included), wall seconds, peak MiB of our own process."""

    cpu: float
    wall: float
    peak_mib: float


def cost_of(command: Sequence[str], environment: Mapping[str, str], postmaster: int | None = None) -> Cost:
    """Runs a command to its end. Raises RuntimeError with its last words when it fails."""
    before = server_cpu(postmaster)
    started = time.monotonic()
    with Path(os.devnull).open("w") as nowhere:
        process = subprocess.Popen(command, env=dict(environment), stdout=nowhere, stderr=subprocess.PIPE)
    complaint = process.stderr.read().decode() if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} failed: {complaint[-2000:]}")
    wall = time.monotonic() - started
    cpu = usage.ru_utime + usage.ru_stime + server_cpu(postmaster) - before
    return Cost(cpu, wall, usage.ru_maxrss * _RSS_UNIT / 2**20)


def server_cpu(postmaster: int | None) -> float:
    """CPU seconds that a Postgres server has used so far, its ended and living children included; 0 without /proc."""
    if postmaster is None or not Path("/proc").is_dir():
        return 0.0
    return sum(_ticks(pid, ended=pid == postmaster) for pid in [postmaster, *_children(postmaster)]) / _TICKS


def _children(parent: int) -> list[int]:
    found = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(pid) for pid in found.read_text().split()] if found.exists() else []


def _ticks(pid: int, *, ended: bool) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    own = int(fields[11]) + int(fields[12])
    return own + int(fields[13]) + int(fields[14]) if ended else own
