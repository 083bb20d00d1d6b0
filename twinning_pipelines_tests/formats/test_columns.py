"""Tables of columns: binding by heading, styles of a file, faults of a cell, what becomes of other columns."""

import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.cells import CURRENCY, DAY, FLAG, MONEY, NUMBER, SHARE, TAGS, TEXT, ZONE, Reading, words
from twinning_pipelines.formats.columns import Cells, Column, Rest, Table, bracketed
from twinning_pipelines.original import Original
from twinning_pipelines.records.business import EXPENSE
from twinning_pipelines.records.nutrition import SERVING
from twinning_pipelines.source import Notice, Rejection, Row

BERLIN = Clock.fixed(ZoneInfo("Europe/Berlin"))

TABLE = Table(
    record=EXPENSE,
    columns=(
        Column("spent_on", ("day", "when"), DAY, required=True),
        Column("vendor", ("shop",), required=True),
        Column("reference", ("receipt",), default=""),
        Column("amount", ("amount", "amount ()"), MONEY),
        Column("extra", ("flag",), FLAG),
    ),
    marks=("shop", "amount"),
    ignored=("row",),
    nothing=frozenset({"-"}),
)


def _file(folder: Path, text: str) -> Original:
    path = folder / "file.csv"
    path.write_bytes(text.encode())
    return Original.at(path)


def _told(folder: Path, text: str, table: Table = TABLE, clock: Clock = BERLIN) -> list[Row | Rejection | Notice]:
    return list(table.rows(_file(folder, text), clock))


def _values(folder: Path, text: str, table: Table = TABLE, clock: Clock = BERLIN) -> list[Mapping[str, object]]:
    return [item.values for item in _told(folder, text, table, clock) if isinstance(item, Row)]


def _reasons(folder: Path, text: str, table: Table = TABLE) -> list[str]:
    return [item.reason for item in _told(folder, text, table) if isinstance(item, Rejection)]


def test_headings_and_their_synonyms_in_any_case_and_order(tmp_path: Path) -> None:
    assert _values(tmp_path, "SHOP,Amount,When\nBahn,3.50,2026-03-04\n") == [
        {
            "spent_on": date(2026, 3, 4),
            "vendor": "Bahn",
            "amount": Decimal("3.50"),
            "reference": "",
            "extra": None,
        }
    ]


def test_empty_cells_and_cells_that_stand_for_nothing(tmp_path: Path) -> None:
    found = _values(tmp_path, "shop,amount,day,receipt,flag\nBahn,,2026-03-04,-,-\n")
    assert (found[0]["amount"], found[0]["reference"], found[0]["extra"]) == (None, "", None)
    assert _reasons(tmp_path, "shop,amount,day\n-,1,\n") == ["spent_on: empty; vendor: empty"]


def test_numbers_and_dates_are_decided_by_the_whole_file(tmp_path: Path) -> None:
    text = "shop;amount;day\nBahn;1.234;03/04/2024\nBahn;12,5;13/04/2024\n"
    assert [(row["amount"], row["spent_on"]) for row in _values(tmp_path, text)] == [
        (Decimal(1234), date(2024, 4, 3)),
        (Decimal("12.5"), date(2024, 4, 13)),
    ]


def test_an_amount_that_proves_nothing_is_told(tmp_path: Path) -> None:
    for delimiter, amount in ((",", 1234), (";", Decimal("1.234"))):
        text = f'shop{delimiter}amount{delimiter}day\nBahn{delimiter}"1,234"{delimiter}2024-04-03\n'
        row, notice = sorted(_told(tmp_path, text), key=lambda item: isinstance(item, Notice))
        assert isinstance(row, Row)
        assert row.values["amount"] == amount
        assert isinstance(notice, Notice)
        assert "no number shows whether 1,234" in notice.text


def test_a_date_that_may_be_either_is_rejected_and_others_are_taken(tmp_path: Path) -> None:
    text = "shop,amount,day\nBahn,1,03/04/2024\nBahn,1,04/04/2024\nBahn,1,2024-04-03\nBahn,1,4 Apr 2024\n"
    assert [row["spent_on"] for row in _values(tmp_path, text)] == [
        date(2024, 4, 4), date(2024, 4, 3), date(2024, 4, 4),
    ]  # fmt: skip
    assert _reasons(tmp_path, text) == [
        "spent_on: 03/04/2024 may be day-first or month-first; write 2024-04-03 or 2024-03-04"
    ]


@pytest.mark.parametrize(("order", "day"), [("DMY", date(2024, 4, 3)), ("MDY", date(2024, 3, 4))])
def test_the_persons_order_holds_where_the_file_proves_none(tmp_path: Path, order: str, day: date) -> None:
    clock = Clock.fixed(ZoneInfo("Europe/Berlin"), date_order=order)
    assert _values(tmp_path, "shop,amount,day\nBahn,1,03/04/2024\n", clock=clock)[0]["spent_on"] == day
    proven = _values(tmp_path, "shop,amount,day\nBahn,1,03/04/2024\nBahn,1,13/04/2024\n", clock=clock)
    assert proven[0]["spent_on"] == date(2024, 4, 3)


def test_every_fault_of_a_row_is_named(tmp_path: Path) -> None:
    text = 'shop,amount,day,flag\nBahn,"12,3,4",2024-02-30,perhaps\nBahn,1,2024-02-28,yes\n'
    assert _reasons(tmp_path, text) == [
        "spent_on: day 30: '2024-02-30'; amount: not a number: '12,3,4'; flag: neither yes nor no: 'perhaps'"
    ]
    assert len(_values(tmp_path, text)) == 1


def test_columns_that_nobody_knows_are_listed_once(tmp_path: Path) -> None:
    told = _told(
        tmp_path, "shop,amount,day,Row,Mood,,Weather\nBahn,1,2024-02-28,7,good,,rain\nBahn,1,2024-02-28,8,,,\n"
    )
    assert [item.text for item in told if isinstance(item, Notice)] == ["columns that are not kept: Mood, Weather"]


def test_a_required_column_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no column 'day'; add it to the export and drop it again"):
        _told(tmp_path, "shop,amount\nBahn,1\n")


def test_what_is_no_text_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="not a text file"):
        _told(tmp_path, "shop,amount,day\n" + "\x01\x02\x03" * 50)


FOODS = Table(
    record=SERVING,
    columns=(
        Column("day", ("Day",), DAY, required=True),
        Column("food", ("Food",), required=True),
        Column("energy_kcal", ("Energy ()",), NUMBER, unit="kcal"),
        Column("protein_g", ("Protein ()",), NUMBER, unit="g"),
    ),
    marks=("Day", "Food"),
    rest=Rest("nutrients", NUMBER, re.compile(r".+ \(.+\)")),
)


def test_units_in_headings_are_converted_and_other_nutrients_kept(tmp_path: Path) -> None:
    text = "Day,Food,Energy (kJ),Protein (mg),Zinc (mg),B1 (Thiamine) (mg),Mood\n2026-03-04,Oats,418.4,1500,1.2,,good\n"
    found = _values(tmp_path, text, FOODS)[0]
    assert (found["energy_kcal"], found["protein_g"]) == (100.0, 1.5)
    assert json.loads(str(found["nutrients"])) == {"Zinc (mg)": 1.2}


def test_a_unit_that_nobody_can_convert_is_kept_under_its_heading(tmp_path: Path) -> None:
    found = _values(tmp_path, "Day,Food,Energy (furlongs)\n2026-03-04,Oats,3\n", FOODS)[0]
    assert found["energy_kcal"] is None
    assert json.loads(str(found["nutrients"])) == {"Energy (furlongs)": 3.0}


def test_a_shape_that_refuses_a_row_rejects_it(tmp_path: Path) -> None:
    def refuse(cells: Cells) -> Mapping[str, object]:
        raise ValueError(f"amount: {cells.get('amount', Decimal)} is too much")

    told = list(TABLE.rows(_file(tmp_path, "shop,amount,day\nBahn,1,2024-02-28\n"), BERLIN, refuse))
    assert told == [Rejection(2, "expense", "amount: 1 is too much", "Bahn,1,2024-02-28")]


@pytest.mark.parametrize(
    ("heading", "inside"),
    [("Amount (EUR)", "EUR"), ("Amount ()", ""), ("Amount", ""), ("B1 (Thiamine) (mg)", "mg")],
)
def test_brackets(heading: str, inside: str) -> None:
    assert bracketed(heading) == inside


@pytest.mark.parametrize(
    ("reading", "cell", "value"),
    [
        (TEXT, "=1+2", "=1+2"),
        (SHARE, "60 %", 0.6),
        (SHARE, "0.6", 0.6),
        (FLAG, "JA", True),
        (FLAG, "No", False),
        (CURRENCY, "eur", "EUR"),
        (CURRENCY, "€", "EUR"),
        (TAGS, "a, b,,c d", '["a", "b", "c d"]'),
        (ZONE, "Europe/Berlin", ZoneInfo("Europe/Berlin")),
        (words({"won": ("closed won",)}), "Closed Won", "won"),
        (words({"won": ("closed won",)}), "Maybe", "maybe"),
    ],
)
def test_readings(tmp_path: Path, reading: Reading, cell: str, value: object) -> None:
    filled = TABLE.open(_file(tmp_path, "shop,amount,day\n"), BERLIN)
    assert reading.read(cell, filled.styles) == value


@pytest.mark.parametrize(
    ("reading", "cell", "reason"),
    [
        (SHARE, "60", "60 is more than 1; write 0.6 or 60%"),
        (ZONE, "../etc/passwd", "not an IANA time zone"),
        (ZONE, "Europe", "not an IANA time zone"),
        (NUMBER, "NaN", "not a number"),
    ],
)
def test_readings_that_refuse(tmp_path: Path, reading: Reading, cell: str, reason: str) -> None:
    filled = TABLE.open(_file(tmp_path, "shop,amount,day\n"), BERLIN)
    with pytest.raises(ValueError, match=re.escape(reason)):
        reading.read(cell, filled.styles)
