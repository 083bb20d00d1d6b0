"""Rows of delimited text: their places, quoted line breaks, damage that stays in its line."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.delimited import Line, has_columns, header_of, normalised, open_sheet
from twinning_pipelines.original import Original


def _lines(text: str, *wanted: str) -> list[Line]:
    return list(open_sheet(text, wanted))


def test_rows_know_the_line_they_start_on() -> None:
    text = 'a preamble\nA,B\n1,"two\nlines"\n\n3,4\r\n,\n5,6'
    found = _lines(text, "a", "b")
    assert [(line.at, dict(line.cells)) for line in found] == [
        (3, {"a": "1", "b": "two\nlines"}),
        (6, {"a": "3", "b": "4"}),
        (8, {"a": "5", "b": "6"}),
    ]
    assert [line.raw for line in found] == ['1,"two\nlines"', "3,4", "5,6"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter: str) -> None:
    assert header_of(f"x\nDay{delimiter}Food Name\n", ("food_name", "day")) == (1, delimiter)


def test_the_first_of_two_equal_headings_counts() -> None:
    assert _lines("a,A,b\n1,2,3\n", "a", "b")[0].cells == {"a": "1", "b": "3"}


def test_separators_that_only_unicode_knows_break_no_lines() -> None:
    found = _lines("x\x0by\nA,B\n1\u2028one,2\n3,4\n", "a", "b")
    assert [(line.at, line.get("a")) for line in found] == [(3, "1\u2028one"), (4, "3")]


def test_a_quote_in_the_preamble_swallows_nothing() -> None:
    assert [line.at for line in _lines('5" screens\nA,B\n1,2\n', "a", "b")] == [3]


def test_a_quote_that_never_ends_costs_its_line() -> None:
    found = _lines('A,B\n1,"open\n2,two\n3,"three"\n4,four\n', "a", "b")
    assert [(line.at, line.get("b"), line.damage) for line in found] == [
        (2, "", "a quoted cell does not end"),
        (3, "two", ""),
        (4, "three", ""),
        (5, "four", ""),
    ]


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_file_cut_within_a_quoted_cell(end: str) -> None:
    found = _lines(f'A,B\n1,2\n3,"cut{end}', "a", "b")
    assert [bool(line.damage) for line in found] == [False, bool(found[1].damage)]
    assert found[1].damage == "a quoted cell does not end"


def test_a_quote_within_a_cell_is_a_letter() -> None:
    found = _lines('A,B\n5" nail,"6"" nail"\n"C:\\",2', "a", "b")
    assert [dict(line.cells) for line in found] == [{"a": '5" nail', "b": '6" nail'}, {"a": "C:\\", "b": "2"}]


def test_more_cells_than_headings_are_damage_unless_empty() -> None:
    found = _lines("A,B\n1,2,,\n1,2,3\n", "a", "b")
    assert [line.damage for line in found] == ["", "3 cells under 2 headings; is a comma not quoted?"]
    assert found[1].raw == "1,2,3"


def test_an_endless_cell_is_damage() -> None:
    found = _lines(f"A,B\n{'x' * 1_100_000},2\n3,4\n", "a", "b")
    assert [bool(line.damage) for line in found] == [True, False]


def test_no_header_is_unreadable() -> None:
    with pytest.raises(UnreadableFile, match="no header line with the columns a, b"):
        open_sheet("x,y\n1,2\n", ("a", "b"))


def test_recognition_by_headings(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("\ufeffStart date;Group\n")
    original = Original.at(path)
    assert has_columns("start date")(original)
    assert not has_columns("start date", without=["group"])(original)
    assert has_columns("start date", any_of=["group", "tags"])(original)
    assert not has_columns("start date", any_of=["tags"])(original)


def test_normalised() -> None:
    assert normalised('\ufeff"Food__Name" ') == "food name"


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8), min_size=3, max_size=3)
    )
)
def test_what_a_writer_writes_is_read(table: list[list[str]]) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *table])
    found = _lines(stream.getvalue(), "a", "b", "c")
    wanted = [[cell.strip() for cell in row] for row in table]
    assert [list(line.cells.values()) for line in found] == [row for row in wanted if any(row)]
    assert not any(line.damage for line in found)


@given(st.text(st.characters(codec="utf-8", include_characters=',"\n\r'), max_size=200))
def test_every_line_is_in_exactly_one_row_or_blank(body: str) -> None:
    text = "a,b\n" + body
    found = _lines(text, "a", "b")
    assert [line.at for line in found] == sorted({line.at for line in found})
    seen = "".join(line.raw for line in found)
    for letter in set(body) - set(', \t\n\r"') - {each for each in body if each.isspace()}:
        assert seen.count(letter) == body.count(letter)
