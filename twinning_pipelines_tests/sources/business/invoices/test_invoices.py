"""Invoices kept by hand."""

from decimal import Decimal
from pathlib import Path

import pytest

from twinning_pipelines.original import Original
from twinning_pipelines.sources.business.invoices import SOURCE
from twinning_pipelines_tests.goldens import assert_golden, notices, rows, samples
from twinning_pipelines_tests.shared import corpus

HERE = Path(__file__).parent


@pytest.mark.parametrize("sample", samples(HERE, ".csv"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def test_what_is_left_out_follows_from_the_rest() -> None:
    found = {row["number"]: row for row in rows(SOURCE, HERE / "own.csv")}
    assert found["2026-002"]["gross"] == Decimal(5355)
    assert [found[f"2026-00{count}"]["status"] for count in range(1, 7)] == [
        "paid", "partial", "sent", "paid", "sent", "paid",
    ]  # fmt: skip


def test_a_total_that_is_not_net_and_tax_is_stored_and_told() -> None:
    assert notices(SOURCE, HERE / "own.csv") == ["net and tax do not add up to gross: invoice 2026-005"]


def test_invoices_of_programs_are_not_claimed() -> None:
    for path in corpus("work", "invoices").iterdir():
        assert not SOURCE.recognises(Original.at(path)), path.name
