"""The traps of WHOOP's export."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.sources.health.whoop import SOURCE
from twinning_pipelines_tests.goldens import notices, reasons, rows

HERE = Path(__file__).parent
HEADER = "Cycle start time,Cycle end time,Cycle timezone,Question text,Answered yes,Notes\n"


def journal(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "journal_entries.csv"
    path.write_text(HEADER + "\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("zone", "hour"), [("UTC-04:00", 16), ("UTC+05:30", 6), ("UTCZ", 12), ("UTC", 12), ("-0400", 16), ("", 11)]
)
def test_times_are_local_by_the_zone_of_their_cycle_or_by_the_person_s_clock(
    zone: str, hour: int, tmp_path: Path
) -> None:
    [row] = rows(SOURCE, journal(tmp_path, f"2026-01-10 12:00:00,,{zone},Slept well?,true,"))
    assert row["started_at"].hour == hour


def test_a_sleep_knows_whether_it_was_a_nap() -> None:
    kinds = [row["nap"] for row in rows(SOURCE, HERE / "sleeps.csv") if "nap" in row]
    assert kinds == ["night", "nap", "night"]


def test_calories_are_kilocalories() -> None:
    assert [row["energy_kcal"] for row in rows(SOURCE, HERE / "workouts.csv")] == [298, 210]


def test_a_cycle_that_still_lasts_has_its_night_and_no_strain() -> None:
    found = [row for row in rows(SOURCE, HERE / "physiological_cycles.csv") if row["at"] == 4]
    assert {row["metric"] for row in found} == {
        "whoop:recovery_score", "resting_heart_rate", "heart_rate_variability_rmssd", "sleeping_wrist_temperature",
    }  # fmt: skip
    assert {row["ended_at"] for row in found} == {datetime(2026, 3, 13, 10, 30, tzinfo=UTC)}


def test_cycles_alone_make_no_nights_and_say_so() -> None:
    found = rows(SOURCE, HERE / "physiological_cycles.csv")
    assert all("metric" in row for row in found)
    assert "nights are read from sleeps.csv" in notices(SOURCE, HERE / "physiological_cycles.csv")[0]


def test_the_answer_no_is_an_answer(tmp_path: Path) -> None:
    [row] = rows(SOURCE, journal(tmp_path, "2026-01-10 12:00:00,,UTC,Consumed caffeine?,FALSE,"))
    assert (row["metric"], row["value"], row["label"]) == ("whoop:Consumed caffeine?", 0, "no")


def test_a_new_column_is_announced(tmp_path: Path) -> None:
    path = journal(tmp_path, "2026-01-10 12:00:00,,UTC,Consumed caffeine?,true,,x")
    path.write_text(path.read_text(encoding="utf-8").replace("Notes", "Notes,Mood"), encoding="utf-8")
    assert "columns that are not kept: Mood" in notices(SOURCE, path)


def test_a_zone_that_nobody_knows_costs_its_row(tmp_path: Path) -> None:
    path = journal(tmp_path, "2026-01-10 12:00:00,,UTC+99:00,A?,true,", "2026-01-10 12:00:00,,UTC,B?,true,")
    assert len(rows(SOURCE, path)) == 1
    assert reasons(SOURCE, path) == ["Cycle start time: not a time by 'UTC+99:00': '2026-01-10 12:00:00'"]


def test_a_zip_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes((HERE / "my_whoop_data.zip").read_bytes()[:-40])
    with pytest.raises(UnreadableFile):
        SOURCE.recognises(Original.at(path))
