"""Workbooks as delimited tables: dates, line numbers, damage and tricks."""

import zipfile
from contextlib import suppress
from datetime import date, datetime, time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats import workbook
from twinning_pipelines.formats.workbook import sheet_names, sheets
from twinning_pipelines.original import Original


def _saved(path: Path, *rows: list[object]) -> Original:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Calories & Macros"
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            sheet.cell(number, column).value = value  # type: ignore[assignment]
    book.save(path)
    return Original.at(path)


def test_cells_are_written_as_people_write_them_and_lines_are_rows(tmp_path: Path) -> None:
    original = _saved(
        tmp_path / "x.xlsx",
        ["Date", "Time", "What", "How much"],
        [datetime(2026, 3, 31), time(7, 30), "two\nlines, quoted", 0.25],
        [],
        [datetime(2026, 3, 31, 21, 5), date(2026, 4, 1), True, 1e-7],
        [1.0, 12, None, "=1+1"],
    )
    assert sheet_names(original) == ("Calories & Macros",)
    (sheet,) = sheets(original)
    assert sheet.name == "Calories & Macros"
    assert sheet.data.decode().split("\n") == [
        "Date,Time,What,How much",
        '2026-03-31,07:30:00,"two lines, quoted",0.25',
        "",
        "2026-03-31 21:05:00,2026-04-01,True,0.0000001",
        "1,12,,",
        "",
    ]


def test_other_files_have_no_sheets(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("no zip")
    assert sheet_names(Original.at(path)) == ()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.xml", "<a/>")
    assert sheet_names(Original.at(path)) == ()


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_a_document_type_is_refused(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", '<!DOCTYPE x [<!ENTITY a "b">]><workbook/>'.encode(codec))
    with pytest.raises(HostileFile, match="document type"):
        list(sheets(Original.at(path)))


def test_a_sheet_beyond_all_measure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = _saved(tmp_path / "wide.xlsx", ["x"] * 1_001)
    with pytest.raises(UnreadableFile, match="1000 cells"):
        list(sheets(wide))
    monkeypatch.setattr(workbook, "_MOST_ROWS", 2)
    long = _saved(tmp_path / "long.xlsx", ["x"], ["x"], ["x"])
    with pytest.raises(UnreadableFile, match="2 rows"):
        list(sheets(long))
    monkeypatch.setattr(workbook, "_MOST_BYTES", 10)
    with pytest.raises(HostileFile, match="inflates"):
        list(sheets(long))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_bytes_changed_in_any_part_give_tables_or_a_refusal(data: st.DataObject, tmp_path: Path) -> None:
    original = _saved(tmp_path / "whole.xlsx", ["Date", "Steps"], [datetime(2026, 3, 31), 12], ["x", "y"])
    changed = data.draw(st.sampled_from([member.name for member in original.members]))
    path = tmp_path / "changed.xlsx"
    with zipfile.ZipFile(path, "w") as archive, zipfile.ZipFile(original.path) as whole:
        for name in whole.namelist():
            content = bytearray(whole.read(name))
            if name == changed:
                for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=6)):
                    content[place] = data.draw(st.sampled_from(b'<>/"&=09AZ \x00\xff'))
            archive.writestr(name, bytes(content))
    with suppress(UnreadableFile):
        list(sheets(Original.at(path)))
