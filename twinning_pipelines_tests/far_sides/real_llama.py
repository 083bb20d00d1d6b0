"""The one llama.cpp of a test process, with a model made for it; what needs it is skipped where its packages are missing."""

import tempfile
from functools import cache
from pathlib import Path

import pytest

from twinning_pipelines_tests.far_sides.model_voices import LlamaCpp


def real_llama() -> LlamaCpp:
    """The engine, started by whoever asks first; it ends with the process."""
    for package in ("xllamacpp", "gguf"):
        pytest.importorskip(package, reason=f"no real engine without the package {package}")
    return _started()


@cache
def _started() -> LlamaCpp:
    from twinning_pipelines_tests.far_sides.tiny_model import write_tiny_model

    with tempfile.TemporaryDirectory(prefix="tw-model-") as folder:
        # Once it is loaded its file is no longer needed.
        return LlamaCpp(write_tiny_model(Path(folder) / "tiny.gguf"))
