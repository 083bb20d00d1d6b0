"""The reference rates of the European Central Bank, in each form in which it publishes them."""

import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.sources.finance.ecb_rates import SOURCE
from twinning_pipelines_tests.goldens import BERLIN, reasons, rows

HERE = Path(__file__).parent
HISTORY = HERE / "history.csv"


def test_the_zip_says_what_its_table_says(tmp_path: Path) -> None:
    path = tmp_path / "eurofxref-hist.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(HISTORY, "eurofxref-hist.csv")
    assert SOURCE.recognises(Original.at(path))
    assert rows(SOURCE, path) == rows(SOURCE, HISTORY)
    assert reasons(SOURCE, path) == reasons(SOURCE, HISTORY)


def test_another_zip_is_not_claimed(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(HISTORY, "a.csv")
        archive.write(HISTORY, "b.csv")
    assert not SOURCE.recognises(Original.at(path))


def test_a_table_that_a_spreadsheet_has_saved(tmp_path: Path) -> None:
    path = tmp_path / "rates.csv"
    path.write_text("Date;USD;JPY;CHF\n31.03.2026;1,0815;162,43;0,9382\n13.04.2026;1,09;163;\n", encoding="utf-8")
    assert SOURCE.recognises(Original.at(path))
    assert [(row["rated_on"], row["quote"], row["rate"]) for row in rows(SOURCE, path)] == [
        (date(2026, 3, 31), "USD", Decimal("1.0815")),
        (date(2026, 3, 31), "JPY", Decimal("162.43")),
        (date(2026, 3, 31), "CHF", Decimal("0.9382")),
        (date(2026, 4, 13), "USD", Decimal("1.09")),
        (date(2026, 4, 13), "JPY", Decimal(163)),
    ]


def test_a_broken_document_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "days.xml"
    path.write_bytes((HERE / "days.xml").read_bytes()[:-60])
    with pytest.raises(UnreadableFile, match=r"line \d+"):
        list(SOURCE.parse(Original.at(path), BERLIN))


def test_a_table_with_a_day_and_other_columns_is_not_claimed(tmp_path: Path) -> None:
    path = tmp_path / "balances.csv"
    path.write_text("Date,USD,Amount\n2026-03-31,1,2\n", encoding="utf-8")
    assert not SOURCE.recognises(Original.at(path))
