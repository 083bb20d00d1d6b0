"""How a command ends: at once, and with all that was to be done."""

import inspect
import subprocess
import sys
from pathlib import Path

import pyarrow.compute as pc
import pytest

ENDING = (
    "import atexit, sys, threading; from twinning_pipelines import lean\n"
    "atexit.register(lambda: print('done'))\n"
    "sys.stdout.write('said ')\n"
)


def _end(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("code", [0, 1, 2])
def test_what_was_said_and_what_was_to_be_done_is_done(code: int) -> None:
    told = _end(f"{ENDING}lean.leave({code})\nprint('never')")
    assert (told.returncode, told.stdout, told.stderr) == (code, "said done\n", "")


def test_a_thread_at_work_is_waited_for() -> None:
    code = (
        f"{ENDING}go = threading.Event()\n"
        "worker = threading.Thread(target=lambda: (go.wait(), print('worked')))\n"
        "worker.start(); lean.leave(0); go.set(); sys.exit(3)"
    )
    told = _end(code)
    assert (told.returncode, told.stdout) == (3, "said worked\ndone\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that takes nothing")
def test_output_that_nobody_takes_is_no_success() -> None:
    code = f"{ENDING}sys.stdout = open('/dev/full', 'w'); sys.stdout.write('x'); lean.leave(0); sys.exit(0)"
    assert _end(code).returncode != 0
    closed = _end(f"{ENDING}sys.stdout.flush(); sys.stdout = None; lean.leave(0)")
    assert closed.returncode == 0


def test_functions_of_pyarrow_are_what_they_are_without_us() -> None:
    shown = "import pyarrow.compute as pc, inspect; print(inspect.signature(pc.cast), inspect.signature(pc.utf8_trim))"
    assert _end(f"from twinning_pipelines import lean; {shown}").stdout == _end(shown).stdout
    told = _end(
        "import inspect; kept = inspect.signature; from twinning_pipelines import lean; print(inspect.signature is kept)"
    )
    assert told.stdout == "True\n"
    assert str(inspect.signature(pc.utf8_trim)).startswith("(strings, /, characters")
