"""Prices of a QIF file: one for each line, in the styles of the file, and nothing of it lost."""

from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import dates, numbers, qif
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.finance.qif_prices import prices_of
from twinning_pipelines_tests.formats.corpus import corpus_files


def _amount(style: numbers.NumberStyle, field: str, text: str) -> Decimal | None:
    try:
        return style.read(text) if text else None
    except ValueError as wrong:
        raise ValueError(f"{field}: {wrong}") from None


def _day(style: dates.DateStyle, field: str, text: str) -> date | None:
    try:
        return style.read(text) if text else None
    except ValueError as wrong:
        raise ValueError(f"{field}: {wrong}") from None


def told(data: bytes) -> list[Row | Rejection]:
    document = qif.read(data)
    number = numbers.decide(document.amount_texts())
    day = dates.decide(document.date_texts(), document.date_hint)
    return [
        each
        for record in document.records
        for each in prices_of(record, "CHF", partial(_amount, number), partial(_day, day))
    ]


def test_each_line_is_a_price() -> None:
    found = told(b'!Type:Prices\n"APFL",201.50,"3/31\'26"\n^\n!Type:Prices\n"BROT",12 1/2,"12/ 2/98"\n^\n')
    assert [each.values for each in found if isinstance(each, Row)] == [
        {"security": "APFL", "priced_on": date(2026, 3, 31), "currency": "CHF", "unit_price": Decimal("201.50")},
        {"security": "BROT", "priced_on": date(1998, 12, 2), "currency": "CHF", "unit_price": Decimal("12.5")},
    ]
    assert [each.at for each in found] == [2, 5]


@pytest.mark.parametrize(
    ("line", "reason"),
    [('"A",dear,"3/31\'26"', "unit_price: not a number: 'dear'"), ('"A",1/0,"3/31\'26"', "unit_price: not a number: '1/0'"),
     ('"A",1.5,"soon"', "priced_on: not a date: 'soon'")],
)  # fmt: skip
def test_a_line_that_is_none_says_why(line: str, reason: str) -> None:
    (found,) = told(f"!Type:Prices\n{line}\n^\n".encode())
    assert isinstance(found, Rejection)
    assert found.reason == reason
    assert found.raw == line


@pytest.mark.parametrize("path", corpus_files("finance/qif"))
def test_every_price_that_others_published_is_a_row_or_a_rejection(path: Path) -> None:
    try:
        document = qif.read(path.read_bytes())
    except UnreadableFile:
        pytest.skip("no register")
    assert len(told(path.read_bytes())) == sum(len(record.prices) for record in document.records)
