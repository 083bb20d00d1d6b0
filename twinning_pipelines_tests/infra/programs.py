"""The servers and checkers of the stack as this machine has them: on PATH, or unpacked by `infra/programs`."""

import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
UNPACKED = REPOSITORY / ".venv" / "programs" / "bin"


def program(name: str) -> Path | None:
    """Where the program is; None where it is not."""
    found = shutil.which(name) or shutil.which(name, path=str(UNPACKED))
    return Path(found) if found else None


def needs(name: str) -> Path:
    """Where the program is; skips the test where it is not."""
    found = program(name)
    if found is None:
        pytest.skip(f"{name} is not here: what Debian 12 has of it infra/programs unpacks")
    return found
