"""Every health file that others published: read to the last row, or refused with a reason."""

from pathlib import Path

import pytest

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.ingest.reading import read
from twinning_pipelines.original import Original
from twinning_pipelines.source import Source
from twinning_pipelines.sources import SOURCES
from twinning_pipelines_tests.goldens import BERLIN
from twinning_pipelines_tests.shared import SHARED, corpus

FOLDERS = SHARED / "corpus" / "health"
FILES = sorted(path for path in FOLDERS.glob("*/*") if path.is_file())
# Folders whose formats have a source: each of their files has to be recognised.
READ = ("apple-export-xml", "apple-export-zip", "gpx", "fit")
EACH = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def sources_of(path: Path) -> list[Source]:
    return [source for source in SOURCES if source.recognises(Original.at(path))]


def test_the_corpus_is_there() -> None:
    corpus("health")
    assert FILES


@EACH
def test_a_published_file_belongs_to_one_source(path: Path) -> None:
    names = [source.name for source in sources_of(path)]
    assert len(names) == 1 if path.parent.name in READ else len(names) <= 1, names


@EACH
def test_a_published_file_is_read_to_the_last_row_or_refused_with_a_reason(path: Path) -> None:
    for source in sources_of(path):
        try:
            reading = read(Original.at(path), source, BERLIN)
        except UnreadableFile as wrong:
            pytest.fail(f"{wrong}: say here that it is to be refused, and why")
        with reading:
            rejected = [each.record for each in reading.rejections()]
            for record in source.records:
                counts = reading.counts.get(record.name)
                found = sum(rows.num_rows for rows in reading.accepted(record)), rejected.count(record.name)
                assert found == ((counts.accepted, counts.rejected) if counts else (0, 0))
            assert sum(counts.read for counts in reading.counts.values()) or reading.notices


@EACH
def test_a_published_file_says_the_same_twice(path: Path) -> None:
    for source in sources_of(path):
        told = [[str(type(item)) for item in source.parse(Original.at(path), BERLIN)] for _ in range(2)]
        assert told[0] == told[1]
