"""The registry loads what a file needs, never less, and everything for whoever asks for all."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinning_pipelines.formats.columns import Table
from twinning_pipelines.formats.delimited import Recognition, normalised
from twinning_pipelines.formats.part import Part
from twinning_pipelines.ingest.route import route
from twinning_pipelines.original import Original, is_utf16
from twinning_pipelines.source import Listed, Registry, Source
from twinning_pipelines.sources import SOURCES, sources_of_home
from twinning_pipelines.sources.finance import qif_register
from twinning_pipelines_tests.sources.test_every_source import PAIRS

QIF = b"!Type:Bank\nD31/03/2026\nT-12.50\nPBakery\n^\n"


def asked(original: Original) -> list[Source]:
    return [*SOURCES.for_file(original), *(each for each in SOURCES if each.last_resort)]


@pytest.mark.parametrize("listed", SOURCES.listed, ids=lambda listed: listed.module)
def test_a_line_of_the_registry_says_what_its_source_is(listed: Listed) -> None:
    assert listed.source.parse.__module__ == listed.module
    assert listed.source.last_resort == listed.last_resort
    assert all(word == word.lower() != "" for word in listed.words)


def test_the_registry_is_a_sequence_of_all_sources() -> None:
    assert len({each.module for each in SOURCES.listed}) == len(SOURCES) == len(list(SOURCES))
    assert SOURCES[0] is next(iter(SOURCES))
    assert SOURCES[-2:] == tuple(SOURCES)[-2:]
    assert qif_register.SOURCE in SOURCES


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(share=st.floats(0, 1), codec=st.sampled_from(["", "utf-16", "utf-16-be"]), upper=st.booleans())
@pytest.mark.parametrize(("source", "sample"), PAIRS)
def test_a_source_is_asked_about_every_file_that_it_recognises(
    source: Source, sample: Path, share: float, codec: str, upper: bool
) -> None:
    original = Original.at(sample)
    assert source in asked(original)
    if original.is_zip:
        return
    text = sample.read_bytes().decode("utf-8", "replace")
    text = (text.upper() if upper else text)[: int(len(text) * share)]
    data = text.encode(codec) if codec else sample.read_bytes()[: int(original.size * share)]
    spoiled = Part(sample, sample.name, original.modified_at, data)
    there = asked(spoiled)
    assert [each.name for each in SOURCES if each not in there and each.recognises(spoiled)] == []


def _tables(module: ModuleType) -> Iterator[tuple[str, ...]]:
    """The headings by which a module's tables are known, those of its parts as well."""
    for name, part in list(sys.modules.items()):
        if name == module.__name__ or name.startswith(f"{module.__name__}."):
            for value in vars(part).values():
                for each in value if isinstance(value, tuple) else (value,):
                    # By a day alone no source knows its tables.
                    if isinstance(each, Table) and each.marks != ("Date",):
                        yield each.marks
                    elif isinstance(each, Recognition):
                        yield each.wanted


@pytest.mark.parametrize(
    "listed",
    [each for each in SOURCES.listed if each.words],
    ids=lambda listed: listed.module.rpartition(".")[2],
)
def test_every_table_of_a_source_has_a_heading_with_one_of_its_words(listed: Listed) -> None:
    for headings in _tables(import_module(listed.module)):
        words = list(chain.from_iterable(normalised(each).split() for each in headings))
        assert any(word in each for word in listed.words for each in words), headings


def test_what_is_a_zip_or_in_utf_16_may_be_anybodys(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for data in (b"PK\x03\x04", QIF.decode().encode("utf-16")):
        path.write_bytes(data)
        assert asked(Original.at(path)) == [*SOURCES]
    assert is_utf16(b"\xfe\xff\0a")
    assert not is_utf16(b"a\0")


def test_a_source_that_can_not_be_imported_stops_who_asks_for_all(tmp_path: Path) -> None:
    sources = Registry(
        Listed("twinning_pipelines.sources.finance.qif_register", ("^",)), Listed("twinning_pipelines.none", ("none",))
    )
    path = tmp_path / "a.qif"
    path.write_bytes(QIF)
    assert route(Original.at(path), sources) is qif_register.SOURCE
    with pytest.raises(ModuleNotFoundError, match="none"):
        list(sources)
    for data in (QIF + b"none", b"words of nobody"):
        path.write_bytes(data)
        with pytest.raises(ModuleNotFoundError, match="none"):
            route(Original.at(path), sources)


def test_words_only_say_who_is_asked_first(tmp_path: Path) -> None:
    sources = Registry(Listed("twinning_pipelines.sources.finance.qif_register", ("a word of another file",)))
    path = tmp_path / "a.qif"
    path.write_bytes(QIF)
    assert not list(sources.for_file(Original.at(path)))
    assert route(Original.at(path), sources) is qif_register.SOURCE


def test_two_sources_of_one_name_are_refused_in_a_registry() -> None:
    listed = SOURCES.listed[0]
    with pytest.raises(ValueError, match="two sources are called"):
        list(Registry(listed, listed))


def test_a_home_without_mappings_has_the_sources_as_they_are(tmp_path: Path) -> None:
    assert sources_of_home(tmp_path) is SOURCES
    (tmp_path / "mappings").mkdir()
    own = sources_of_home(tmp_path)
    assert [each.name for each in own] == [each.name for each in SOURCES]
    assert own[-1] is not SOURCES[-1]


def test_a_dry_run_loads_the_source_of_its_file_and_not_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.qif"
    path.write_bytes(QIF)
    code = (
        f"import sys; sys.argv = ['twinning', 'check', {str(path)!r}, '--json']; import twinning_pipelines.cli as cli\n"
        "try: cli.main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "loaded = {name for name in sys.modules if name.startswith('twinning_pipelines.sources.finance.')}\n"
        "ours = {f'twinning_pipelines.sources.finance.{name}' for name in ('qif_register', 'qif_prices', 'booking_columns')}\n"
        "assert loaded == ours, loaded\n"
        "assert not {'pydantic', 'fitdecode', 'lxml', 'yaml'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=120)
