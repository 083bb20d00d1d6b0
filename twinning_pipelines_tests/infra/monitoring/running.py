"""Programs that run for the length of a test, on the loopback, and what they tell there."""

import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
START_SECONDS = 20.0


def until(find: Callable[[], T | None], seconds: float, what: str) -> T:
    """What `find` finds, asked again until it does. AssertionError after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (found := find()) is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds:.0f} seconds")


def answer(url: str) -> str | None:
    """The body of an answer with a good status; None where there is none."""
    try:
        with urllib.request.urlopen(url, timeout=10) as got:
            return str(got.read().decode())
    except (urllib.error.URLError, OSError):
        return None


@contextmanager
def running(
    command: Sequence[str | Path],
    log: Path,
    ready: str | None = None,
    environment: Mapping[str, str] | None = None,
    place: Path | None = None,
) -> Iterator[None]:
    """The program from when `ready`, a URL, answers until the end of the block. Its words go to `log`; it runs in `place`."""
    with log.open("ab") as words:
        process = subprocess.Popen(
            [str(each) for each in command],
            stdout=words,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            cwd=place,
        )
    try:
        if ready is not None:
            until(lambda: _alive(process, log) and answer(ready), START_SECONDS, f"{command[0]} answers at {ready}")
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _alive(process: "subprocess.Popen[bytes]", log: Path) -> bool:
    if process.poll() is not None:
        raise AssertionError(f"it ended with {process.returncode}: {log.read_text(errors='replace')[-2000:]}")
    return True


def names_told(exposition: str) -> set[str]:
    """The names of the metrics in an answer to GET /metrics."""
    return set(re.findall(r"^([a-zA-Z_:][\w:]*)(?:\{| )", exposition, re.MULTILINE))
