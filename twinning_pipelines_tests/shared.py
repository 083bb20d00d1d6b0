"""Where the collected real files are, for tests that learn from them; they are never copied into the project."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("TWINNING_SHARED", Path(__file__).parents[2] / "shared"))


def corpus(*parts: str) -> Path:
    """A file or folder of the corpus; skips the test where it is not there."""
    path = SHARED.joinpath("corpus", *parts)
    if not path.exists():
        pytest.skip(f"no corpus at {path}; TWINNING_SHARED names its place")
    return path
