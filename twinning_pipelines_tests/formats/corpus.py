"""Real files that others published, kept beside the repository and never in it."""

from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from twinning_pipelines_tests.shared import SHARED


def corpus_files(folder: str) -> list[ParameterSet]:
    """One parameter for each file of a corpus folder; a skipped one that says why where the corpus is absent."""
    files = sorted(path for path in (SHARED / "corpus" / folder).glob("*") if path.is_file())
    if files:
        return [pytest.param(path, id=path.name) for path in files]
    reason = f"no files in {SHARED}/corpus/{folder}: set TWINNING_SHARED to the folder that holds the corpus"
    return [pytest.param(Path(), id="absent", marks=pytest.mark.skip(reason=reason))]
