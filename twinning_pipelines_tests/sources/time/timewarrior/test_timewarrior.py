"""Timewarrior's export and its own files."""

from datetime import timedelta
from pathlib import Path

import pytest

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.sources.time.timewarrior import SOURCE
from twinning_pipelines_tests.goldens import assert_golden, reasons, rows, samples
from twinning_pipelines_tests.shared import corpus

HERE = Path(__file__).parent


@pytest.mark.parametrize("sample", samples(HERE, ".json", ".data"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def test_an_export_and_its_months_say_the_same() -> None:
    export = rows(SOURCE, corpus("work", "timewarrior", "timew_export.json"))
    months = [
        row for name in ("2026-03", "2026-10") for row in rows(SOURCE, corpus("work", "timewarrior", f"{name}.data"))
    ]
    places = [{**row, "at": 0} for row in months]
    assert places == [{**row, "at": 0} for row in export[:3]]


def test_changes_of_the_clocks_do_not_touch_it() -> None:
    found = rows(SOURCE, corpus("work", "timewarrior", "timew_export.json"))
    assert [row["seconds"] for row in found if row.get("tags") == '["dst"]'] == [3600, 3 * 3600]
    assert "ended_at" not in found[-1]


def test_what_is_before_a_cut_is_kept() -> None:
    assert len(rows(SOURCE, HERE / "cut_off.json")) == 2
    assert reasons(SOURCE, HERE / "cut_off.json") == ["not an interval"]


@pytest.mark.parametrize("name", ["undo.data", "tags.data"])
def test_its_other_files_are_not_claimed(name: str) -> None:
    assert not SOURCE.recognises(Original.at(corpus("work", "timewarrior", name)))


def test_other_json_is_not_claimed() -> None:
    for path in (*corpus("work", "taskwarrior").iterdir(), *corpus("work", "toggl").glob("*.json")):
        assert not SOURCE.recognises(Original.at(path)), path.name


@pytest.mark.parametrize("text", ["", "{}", "[" * 100_000, '[{"start":"20260301T080000Z"', "null"])
def test_what_is_no_export_is_unreadable(tmp_path: Path, text: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(text)
    with pytest.raises(UnreadableFile):
        list(SOURCE.parse(Original.at(path), None))  # type: ignore[arg-type]


def test_an_export_of_nothing_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text("[\n]\n")
    assert rows(SOURCE, path) == []


def test_a_newer_export_is_the_whole_truth() -> None:
    assert SOURCE.whole
    assert SOURCE.unit == "record"
    assert SOURCE.expect_every == timedelta(days=14)
