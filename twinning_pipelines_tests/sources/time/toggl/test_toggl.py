"""Toggl Track's detailed report: columns of two generations, clocks of two kinds, changes of the clocks."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from twinning_pipelines.clock import Clock
from twinning_pipelines.original import Original
from twinning_pipelines.sources.time.toggl import SOURCE
from twinning_pipelines_tests.goldens import assert_golden, notices, reasons, rows, samples
from twinning_pipelines_tests.shared import corpus

HERE = Path(__file__).parent


@pytest.mark.parametrize("sample", samples(HERE, ".csv"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def test_duration_decides_what_a_wall_time_means_when_the_clocks_change() -> None:
    found = {row["description"]: row for row in rows(SOURCE, HERE / "clock_changes.csv")}
    spans = {name: int((row["ended_at"] - row["started_at"]).total_seconds()) // 60 for name, row in found.items()}
    assert spans == {
        "spring: from 1:30 one hour on": 60,
        "spring: a time that was skipped": 30,
        "autumn: ends in the first 2:30": 60,
        "autumn: ends in the second 2:30": 120,
        "autumn: from the first into the second": 90,
        "autumn: begins in the second": 60,
        "autumn: goes backwards on the wall": 20,
    }
    assert found["autumn: begins in the second"]["started_at"] == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert notices(SOURCE, HERE / "clock_changes.csv") == []


def test_an_end_after_midnight_rolls_only_where_the_duration_says_so() -> None:
    found = {row.get("description"): row for row in rows(SOURCE, HERE / "detailed.csv")}
    for name in ("over midnight", "over midnight, on one day", "no end day"):
        assert found[name]["seconds"] == 2 * 3600 + 15 * 60
        assert (found[name]["ended_at"] - found[name]["started_at"]).total_seconds() == found[name]["seconds"]
    assert any("before the start" in reason for reason in reasons(SOURCE, HERE / "broken.csv"))


def test_an_order_of_dates_that_nothing_proves_is_never_guessed() -> None:
    sample = HERE / "no_order.csv"
    either = "03/04/2024 may be day-first or month-first; write 2024-04-03 or 2024-03-04"
    assert reasons(SOURCE, sample) == [f"Start date: {either}; End date: {either}"]
    assert [row["day"] for row in rows(SOURCE, sample)] == [date(2024, 4, 4)]


def test_the_persons_own_order_and_currency_fill_in() -> None:
    clock = Clock.fixed(ZoneInfo("Europe/Berlin"), currency="CHF", date_order="DMY")
    found = rows(SOURCE, HERE / "no_order.csv", clock)
    assert [row["day"] for row in found] == [date(2024, 4, 3), date(2024, 4, 4)]
    assert [row.get("currency") for row in found] == [None, "CHF"]


def test_a_duration_that_is_not_start_to_end_counts_and_is_told() -> None:
    sample = HERE / "picked_columns.csv"
    assert [row["seconds"] for row in rows(SOURCE, sample) if row.get("description") == "Break inside"] == [3600]
    assert notices(SOURCE, sample) == ["Duration was taken where it is not start to end: 1 of the entries"]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("toggl/toggl_time_entries_import_test_1.csv", 2),
        ("toggl/toggl_time_entries_import_test_2.csv", 1),
        ("invoices/tasks.csv", 47),
        ("invoices/tasks2.csv", 47),
    ],
)
def test_real_reports(name: str, read: int) -> None:
    path = corpus("work", *name.split("/"))
    assert SOURCE.recognises(Original.at(path))
    assert len(rows(SOURCE, path)) == read
    assert reasons(SOURCE, path) == []


def test_backslashes_before_quotes_are_letters() -> None:
    path = corpus("work", "toggl", "toggl_time_entries_import_test_2.csv")
    assert rows(SOURCE, path)[0]["description"].endswith("~ \\\\\\")


@pytest.mark.parametrize("folder", ["clockify", "harvest", "kimai", "solidtime", "generic-time", "calendar"])
def test_other_trackers_are_not_toggl(folder: str) -> None:
    for path in corpus("work", folder).iterdir():
        assert not SOURCE.recognises(Original.at(path)), path.name
