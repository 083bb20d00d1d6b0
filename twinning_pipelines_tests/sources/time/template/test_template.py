"""Time entries kept by hand."""

from pathlib import Path

import pytest

from twinning_pipelines.original import Original
from twinning_pipelines.sources.time.template import SOURCE
from twinning_pipelines_tests.goldens import assert_golden, notices, rows, samples
from twinning_pipelines_tests.shared import corpus

HERE = Path(__file__).parent


@pytest.mark.parametrize("sample", samples(HERE, ".csv"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def test_a_column_without_a_field_is_named() -> None:
    assert notices(SOURCE, HERE / "own.csv") == ["columns that are not kept: invoice"]


def test_solidtimes_template_reads_as_well() -> None:
    path = corpus("work", "generic-time", "generic_time_entries_import_test_1.csv")
    assert SOURCE.recognises(Original.at(path))
    found = rows(SOURCE, path)
    assert [row["seconds"] for row in found] == [0, 3601]
    assert {row["worker"] for row in found} == {"peter.test@email.test"}
    # An instant in UTC does not say on which day of its person it was.
    assert all("day" not in row and "zone" not in row for row in found)


def test_solidtimes_own_export_is_another_file() -> None:
    assert not SOURCE.recognises(Original.at(corpus("work", "solidtime", "time_entries.csv")))
