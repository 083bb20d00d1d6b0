"""Measuring a whole process: CPU seconds of it and of the Postgres that serves it, wall seconds, peak memory."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OURS = (sys.executable, "-m", "twinning_pipelines.cli")
Said = str
_LAUNCHER = Path(__file__).with_name("launch.py")

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
    return run_measured(command, environment, postmaster)[0]


def run_measured(
    command: Sequence[str], environment: Mapping[str, str], postmaster: int | None = None
) -> tuple[Cost, Said]:
    """Runs a command to its end: what it cost, and what it said. Raises RuntimeError with its last words when it fails."""
    # As installed: what pip brings is compiled, and so is ours, unless the machine forbids to keep it.
    environment = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = server_cpu(postmaster)
    with (
        tempfile.NamedTemporaryFile() as used,
        tempfile.TemporaryFile() as said,
        tempfile.TemporaryFile() as complaints,
    ):
        launched = [sys.executable, "-I", "-S", str(_LAUNCHER), used.name, *command]
        ended = subprocess.run(launched, env=environment, stdout=said, stderr=complaints, check=False)
        said.seek(0)
        complaints.seek(0)
        if ended.returncode:
            raise RuntimeError(f"{command[0]} failed: {complaints.read().decode()[-2000:]}")
        told = json.loads(Path(used.name).read_text())
        cpu = told["cpu"] + server_cpu(postmaster) - before
        return Cost(cpu, told["wall"], told["peak"] * _RSS_UNIT / 2**20), said.read().decode()


def memory_bytes() -> int:
    """How much memory this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


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
