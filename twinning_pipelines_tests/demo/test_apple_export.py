"""The Apple Health export that never was: read whole, the same for the same seed, and at one with its own totals."""

import re
import zipfile
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from twinning_pipelines.demo.apple_dtd import DOCTYPE
from twinning_pipelines.demo.apple_health import write_export
from twinning_pipelines.original import Original
from twinning_pipelines.sources.health.apple_health import SOURCE
from twinning_pipelines_tests.goldens import reasons, rows

ZURICH = ZoneInfo("Europe/Zurich")
FIRST, LAST = date(2024, 3, 20), date(2024, 4, 14)
MADE = datetime(2024, 4, 15, 8, 30, tzinfo=ZURICH)


def export(path: Path, **changes: Any) -> int:
    given: dict[str, Any] = {"seed": 5, "first": FIRST, "last": LAST, "zone": ZURICH, "exported_at": MADE} | changes
    return write_export(path, **given)


def xml_of(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        assert [Path(name).name for name in archive.namelist()] == ["export.xml", "export_cda.xml"]
        return archive.read(archive.namelist()[0]).decode()


def facts(path: Path) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "at"} for row in rows(SOURCE, path)]


def test_it_is_an_export_as_apple_writes_it(tmp_path: Path) -> None:
    count = export(tmp_path / "export.zip")
    text = xml_of(tmp_path / "export.zip")
    assert SOURCE.recognises(Original.at(tmp_path / "export.zip"))
    assert text.count("\n <Record ") == count
    assert text.startswith(f'<?xml version="1.0" encoding="UTF-8"?>\n{DOCTYPE}<HealthData locale="')
    assert len(set(re.findall(r'\n <Record type="([^"]+)"', text))) >= 20
    assert len(set(re.findall(r"HKDevice: (0x[0-9a-f]+)", text))) > 20
    assert set(re.findall(r'(?:Date|date)="[^"]* ([+-]\d{4})"', text)) == {"+0200"}
    names = [element.tag for element in ET.fromstring(text)]
    assert sorted(set(names), key=names.index) == [
        "ExportDate", "Me", "Record", "Correlation", "Workout", "ActivitySummary",
    ]  # fmt: skip
    assert reasons(SOURCE, tmp_path / "export.zip") == []


def test_the_same_seed_makes_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("one", "same", "other"))
    export(one)
    export(same)
    export(other, seed=6)
    assert one.read_bytes() == same.read_bytes()
    assert facts(one) != facts(other)


def test_a_later_export_tells_the_same_of_what_was(tmp_path: Path) -> None:
    export(tmp_path / "one.zip")
    export(tmp_path / "later.zip", last=LAST + timedelta(days=9), exported_at=MADE + timedelta(days=10))
    export(tmp_path / "shorter.zip", first=FIRST + timedelta(days=3))
    one, later, shorter = (Counter(map(str, facts(tmp_path / f"{name}.zip"))) for name in ("one", "later", "shorter"))
    assert not one - later
    assert not shorter - one
    assert later - one
    addresses = [
        set(re.findall(r"HKDevice: (0x[0-9a-f]+)", xml_of(tmp_path / f"{name}.zip"))) for name in ("one", "later")
    ]
    assert len(addresses[0] & addresses[1]) < len(addresses[0]) / 2


def test_nothing_has_happened_yet_after_the_export(tmp_path: Path) -> None:
    noon = datetime(2024, 4, 14, 12, 0, tzinfo=ZURICH)
    export(tmp_path / "noon.zip", exported_at=noon)
    assert max(row["ended_at"] for row in facts(tmp_path / "noon.zip") if "ended_at" in row) <= noon


@pytest.mark.parametrize(
    ("records", "grainy"), [(26 * 160, True), (26 * 400, True), (26 * 900, False), (26 * 3000, False)]
)
def test_as_many_records_as_asked(records: int, grainy: bool, tmp_path: Path) -> None:
    assert export(tmp_path / "export.zip", records=records, broken=3) == records + 3
    assert xml_of(tmp_path / "export.zip").count("\n <Record ") == records + 3
    energies = [row for row in facts(tmp_path / "export.zip") if row.get("metric") == "active_energy"]
    assert (len(energies) < 26 * 100) == grainy


def test_spoiled_rows_are_rejected_each_for_its_reason(tmp_path: Path) -> None:
    export(tmp_path / "export.zip", broken=8)
    assert Counter(reason.split(":")[0] for reason in reasons(SOURCE, tmp_path / "export.zip")) == {
        "value is not plausible for its metric": 2, "value": 2, "ended_at is before started_at": 2, "startDate": 2,
    }  # fmt: skip


@pytest.mark.parametrize("records", [None, 26 * 160])
def test_the_rings_are_what_the_records_add_up_to(records: int | None, tmp_path: Path) -> None:
    export(tmp_path / "export.zip", records=records)
    told = facts(tmp_path / "export.zip")
    sums: defaultdict[tuple[str, date], float] = defaultdict(float)
    for row in told:
        if row.get("metric") in {"active_energy", "exercise_time", "stand_hour"}:
            sums[row["metric"], row["started_at"].astimezone(ZURICH).date()] += row["value"]
    rings = [row for row in told if "move_kcal" in row]
    assert [row["day"] for row in rings] == [FIRST + timedelta(days=each) for each in range(26)]
    for row in rings:
        assert row["move_kcal"] == pytest.approx(sums["active_energy", row["day"]])
        assert row["exercise_min"] == sums["exercise_time", row["day"]]
        assert row["stand_hours"] == sums["stand_hour", row["day"]]


def test_it_is_a_plausible_life(tmp_path: Path) -> None:
    export(tmp_path / "export.zip", first=date(2024, 1, 1))
    told = facts(tmp_path / "export.zip")
    days = (LAST - date(2024, 1, 1)).days + 1

    def values(metric: str, **having: str) -> list[float]:
        return [
            row["value"] for row in told
            if row.get("metric") == metric and all(text in row[name] for name, text in having.items())
        ]  # fmt: skip

    watch, phone = (sum(values("steps", origin=origin)) / days for origin in ("Watch", "iPhone"))
    assert 5_000 < watch < 16_000
    assert watch * 0.4 < phone < watch
    assert 250 < sum(values("active_energy")) / days < 1_000
    assert 1_200 < sum(values("basal_energy")) / days < 2_600
    at_night = [row["value"] for row in told if row.get("metric") == "heart_rate" and row["started_at"].hour in (2, 3)]
    assert sum(at_night) / len(at_night) + 10 < sum(values("heart_rate")) / len(values("heart_rate"))
    hours: defaultdict[str, float] = defaultdict(float)
    for row in told:
        if row.get("stage") in {"core", "deep", "rem"}:
            hours[row["stage"]] += (row["ended_at"] - row["started_at"]) / timedelta(hours=1)
    assert 5.5 < sum(hours.values()) / days < 9
    assert hours["core"] > hours["rem"] > 0 < hours["deep"]
    workouts = [row for row in told if "activity" in row]
    assert {"running", "cycling"} <= {row["activity"] for row in workouts}
    assert all(row["zone"] == "Europe/Zurich" and row["energy_kcal"] > 0 for row in workouts)


def test_days_of_23_and_25_hours(tmp_path: Path) -> None:
    for day, hours in ((date(2024, 3, 31), 23), (date(2024, 10, 27), 25)):
        export(tmp_path / "x.zip", first=day, last=day, exported_at=datetime(2024, 11, 1, tzinfo=UTC))
        starts = [row["started_at"] for row in facts(tmp_path / "x.zip") if row.get("metric") == "basal_energy"]
        assert len(starts) == hours
        assert max(starts) - min(starts) < timedelta(hours=hours)
