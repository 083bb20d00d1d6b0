"""What holds for every source, run over the registry: a new source is tested here by having its samples beside the tests."""

import importlib
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.ingest.reading import read
from twinning_pipelines.ingest.route import route
from twinning_pipelines.original import Original
from twinning_pipelines.source import Source
from twinning_pipelines.sources import SOURCES, registered
from twinning_pipelines.sources.catalogue import sources_page
from twinning_pipelines_tests.goldens import BERLIN, assert_golden

TESTS = Path(__file__).parent
PAGE = TESTS.parents[1] / "docs" / "sources.md"
_NO_SAMPLES = {".py", ".jsonl"}


def _module_of(source: Source) -> str:
    return source.parse.__module__.removeprefix("twinning_pipelines.sources.")


def _samples_of(source: Source) -> list[Path]:
    folder = TESTS.joinpath(*_module_of(source).split("."))
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and path.suffix not in _NO_SAMPLES)


PAIRS = [
    pytest.param(source, path, id=f"{source.name}-{path.name}") for source in SOURCES for path in _samples_of(source)
]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_it_has_samples_with_goldens_and_one_of_them_has_rejected_rows(source: Source) -> None:
    goldens = [path.with_name(f"{path.name}.golden.jsonl") for path in _samples_of(source)]
    assert any(golden.exists() for golden in goldens)
    assert any('"reason"' in golden.read_text(encoding="utf-8") for golden in goldens if golden.exists())


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_its_module_says_what_it_is_and_where_it_comes_from(source: Source) -> None:
    said = importlib.import_module(source.parse.__module__).__doc__ or ""
    assert "From:" in said
    assert "To:" in said


@pytest.mark.parametrize(("source", "sample"), PAIRS)
def test_a_sample_is_recognised_by_its_source_and_by_no_other(source: Source, sample: Path) -> None:
    original = Original.at(sample)
    assert route(original, SOURCES) is source
    assert [each.name for each in SOURCES if each.recognises(original) and not each.last_resort] == (
        [] if source.last_resort else [source.name]
    )


@pytest.mark.parametrize(("source", "sample"), PAIRS)
def test_a_sample_says_what_its_golden_says(source: Source, sample: Path) -> None:
    if not sample.with_name(f"{sample.name}.golden.jsonl").exists() and os.environ.get("TWINNING_WRITE_GOLDENS") != "1":
        pytest.skip("a sample that another test reads")
    assert_golden(source, sample)


@pytest.mark.parametrize(("source", "sample"), PAIRS)
def test_what_is_read_is_accepted_or_rejected_and_declared(source: Source, sample: Path) -> None:
    try:
        with read(Original.at(sample), source, BERLIN) as reading:
            accepted = {
                record.name: sum(rows.num_rows for rows in reading.accepted(record)) for record in source.records
            }
            rejected = [each.record for each in reading.rejections()]
            assert set(reading.counts) <= set(accepted)
            for name, counts in reading.counts.items():
                assert (counts.accepted, counts.rejected) == (accepted[name], rejected.count(name))
    except UnreadableFile:
        pytest.skip("a sample of a file that can't be read")


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(share=st.floats(0, 1))
@pytest.mark.parametrize(("source", "sample"), PAIRS)
def test_cut_at_any_byte_it_is_an_error_or_rejections(
    source: Source, sample: Path, share: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = sample.read_bytes()
    cut = tmp_path_factory.mktemp("cut") / sample.name
    cut.write_bytes(whole[: int(len(whole) * share)])
    try:
        if source.recognises(Original.at(cut)):
            read(Original.at(cut), source, BERLIN).__exit__(None, None, None)
    except UnreadableFile:
        pass


def test_two_sources_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=SOURCES[0].name):
        registered(SOURCES[0], *SOURCES)


def test_the_page_of_sources_is_the_one_the_code_writes() -> None:
    if os.environ.get("TWINNING_WRITE_GOLDENS") == "1":
        PAGE.write_text(sources_page(SOURCES), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == sources_page(SOURCES)
