"""The samples that the demo drops: read by their sources, the same for the same seed, with as many bad rows as asked."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from twinning_pipelines.demo import nutrition, work
from twinning_pipelines.original import Original
from twinning_pipelines.source import Source
from twinning_pipelines.sources.business import deals, expenses, hubspot, invoices
from twinning_pipelines.sources.nutrition import cronometer
from twinning_pipelines.sources.nutrition import template as nutrition_template
from twinning_pipelines.sources.time import timewarrior, toggl
from twinning_pipelines_tests.goldens import reasons, rows

FIRST, LATER, LAST = date(2024, 11, 22), date(2025, 9, 30), date(2025, 11, 21)

MAKERS: list[tuple[Callable[..., int], Source]] = [
    (work.write_toggl, toggl.SOURCE),
    (work.write_timewarrior, timewarrior.SOURCE),
    (work.write_deals, deals.SOURCE),
    (work.write_hubspot, hubspot.SOURCE),
    (work.write_invoices, invoices.SOURCE),
    (work.write_expenses, expenses.SOURCE),
    (nutrition.write_meals, nutrition_template.SOURCE),
    (nutrition.write_cronometer, cronometer.SOURCE),
]
IDS = [maker.__name__ for maker, _ in MAKERS]


@pytest.mark.parametrize(("make", "source"), MAKERS, ids=IDS)
def test_as_many_rows_are_rejected_as_were_planted(make: Callable[..., int], source: Source, tmp_path: Path) -> None:
    path = tmp_path / "sample"
    for broken in (0, 7):
        written = make(path, seed=3, first=FIRST, last=LAST, broken=broken)
        assert source.recognises(Original.at(path))
        assert len(reasons(source, path)) == broken
        assert len(rows(source, path)) == written - broken


@pytest.mark.parametrize(("make", "source"), MAKERS, ids=IDS)
def test_a_seed_makes_a_file_and_a_later_one_keeps_what_was(
    make: Callable[..., int], source: Source, tmp_path: Path
) -> None:
    one, same, longer = (tmp_path / name for name in ("one", "same", "longer"))
    make(one, seed=3, first=FIRST, last=LATER)
    make(same, seed=3, first=FIRST, last=LATER)
    make(longer, seed=3, first=FIRST, last=LAST)
    assert one.read_bytes() == same.read_bytes()
    before, after = ([_lasting(row) for row in rows(source, path)] for path in (one, longer))
    assert len(after) > len(before)
    assert after[: len(before)] == before
    make(same, seed=4, first=FIRST, last=LATER)
    assert one.read_bytes() != same.read_bytes()


def _lasting(row: dict[str, object]) -> dict[str, object]:
    """What never changes: not where a deal or an invoice stood on the day of the export."""
    moving = {"status", "stage", "probability", "closed_on", "expected_on", "extra", "paid_on", "paid"}
    return {name: value for name, value in row.items() if name not in moving}


def test_seven_tenths_of_the_hours_are_billable(tmp_path: Path) -> None:
    path = tmp_path / "toggl.csv"
    work.write_toggl(path, seed=3, first=FIRST, last=LAST)
    found = rows(toggl.SOURCE, path)
    billable = sum(row["seconds"] for row in found if row["billable"])
    assert 0.65 < billable / sum(row["seconds"] for row in found) < 0.78
    assert len({row.get("client") for row in found}) >= 4
    assert any(row["ended_at"].astimezone(work.BERLIN).date() > row["day"] for row in found)


def test_invoices_are_the_billable_hours(tmp_path: Path) -> None:
    entries, bills = tmp_path / "toggl.csv", tmp_path / "invoices.csv"
    work.write_toggl(entries, seed=3, first=date(2025, 1, 1), last=date(2025, 6, 30))
    work.write_invoices(bills, seed=3, first=date(2025, 1, 1), last=date(2025, 6, 30))
    worked = sum((row.get("amount", Decimal(0)) for row in rows(toggl.SOURCE, entries)), Decimal(0))
    assert sum((row["net"] for row in rows(invoices.SOURCE, bills)), Decimal(0)) == worked


@pytest.mark.parametrize("kilojoules", [False, True])
def test_energy_follows_from_the_macronutrients(tmp_path: Path, kilojoules: bool) -> None:
    path = tmp_path / "servings.csv"
    nutrition.write_cronometer(path, seed=3, first=FIRST, last=LAST, kilojoules=kilojoules)
    days: defaultdict[date, float] = defaultdict(float)
    for row in rows(cronometer.SOURCE, path):
        fiber = row["fiber_g"]
        macros = 4 * row["protein_g"] + 4 * (row["carbs_g"] - fiber) + 2 * fiber + 9 * row["fat_g"]
        assert row["energy_kcal"] == pytest.approx(macros + 7 * row["alcohol_g"], abs=0.2)
        days[row["day"]] += row["energy_kcal"]
    assert 1_500 < sum(days.values()) / len(days) < 2_600
