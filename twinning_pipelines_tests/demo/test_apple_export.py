"""The Apple Health export that never was: read whole, the same for the same seed, and at one with its own totals."""

import json
import math
import re
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import sqlalchemy as sa

from twinning_pipelines.demo.apple_dtd import DOCTYPE
from twinning_pipelines.ingest.road import receive, take
from twinning_pipelines.original import Original
from twinning_pipelines.sources.health.apple_health import SOURCE
from twinning_pipelines.stores.postgres.store import PostgresStore
from twinning_pipelines_tests.demo.exports import FIRST, LAST, MADE, ZURICH, export, facts, members, xml_of
from twinning_pipelines_tests.goldens import reasons


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
        "ExportDate", "Me", "Record", "Correlation", "Workout", "ActivitySummary", "ClinicalRecord", "Audiogram",
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
def test_the_rings_are_what_the_records_add_up_to_when_each_moment_counts_once(
    records: int | None, tmp_path: Path
) -> None:
    export(tmp_path / "export.zip", records=records)
    told = facts(tmp_path / "export.zip")
    moved, trained, stood = (
        sorted(
            (row for row in told if row.get("metric") == metric), key=lambda row: "Watch" not in row["origin"]
        )
        for metric in ("active_energy", "exercise_time", "stand_hour")
    )  # fmt: skip
    sums: defaultdict[tuple[str, date], float] = defaultdict(float)
    covered: set[int] = set()
    for row in moved:
        seconds = range(int(row["started_at"].timestamp()), int(row["ended_at"].timestamp()))
        uncovered = len(seconds) - len(covered.intersection(seconds))
        sums["move", row["started_at"].astimezone(ZURICH).date()] += row["value"] * uncovered / len(seconds)
        covered.update(seconds if "Watch" in row["origin"] else ())
    for name, counted in (("exercise", trained), ("stand", stood)):
        for row in counted:
            sums[name, row["started_at"].astimezone(ZURICH).date()] += row["value"]
    rings = [row for row in told if "move_kcal" in row]
    assert [row["day"] for row in rings] == [FIRST + timedelta(days=each) for each in range(26)]
    for row in rings:
        assert row["move_kcal"] == pytest.approx(sums["move", row["day"]], abs=0.05)
        assert row["exercise_min"] == sums["exercise", row["day"]]
        assert row["stand_hours"] == sums["stand", row["day"]]
    alone = sum(row["value"] for row in moved if "Watch" in row["origin"])
    assert alone * 1.005 < sum(row["move_kcal"] for row in rings) < sum(row["value"] for row in moved) * 0.9


def test_the_platform_counts_the_rings_as_apple_does(store: PostgresStore, engine: sa.Engine, tmp_path: Path) -> None:
    export(tmp_path / "export.zip")
    archive = tmp_path / "archive"
    assert take(receive(tmp_path / "export.zip", "ada", store, archive), store, archive, (SOURCE,)).problem is None
    with engine.connect() as connection:
        days = connection.execute(
            sa.text("""
            select a.move_kcal, r.value from activity_ring a
            join daily_rollup r on (r.person_id, r.day) = (a.person_id, a.day)
            join metric m on m.id = r.metric_id and m.name = 'active_energy'""")
        ).all()
    assert len(days) == 26
    assert [counted for _, counted in days] == pytest.approx([told for told, _ in days], abs=0.05)


def test_phone_and_watch_count_the_same_and_the_phone_goes_on_while_the_watch_is_charged(tmp_path: Path) -> None:
    export(tmp_path / "export.zip")
    told = facts(tmp_path / "export.zip")
    for metric in ("steps", "distance_walking_running", "active_energy"):
        spans: dict[str, set[int]] = {"Watch": set(), "iPhone": set()}
        for row in told:
            if row.get("metric") == metric:
                minutes = range(int(row["started_at"].timestamp()) // 60 + 1, int(row["ended_at"].timestamp()) // 60)
                spans["Watch" if "Watch" in row["origin"] else "iPhone"].update(minutes)
        both, phone_alone = spans["Watch"] & spans["iPhone"], spans["iPhone"] - spans["Watch"]
        assert len(both) > 26 * 120
        assert len(phone_alone) > 26 * 10


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
    assert 250 < sum(row["move_kcal"] for row in told if "move_kcal" in row) / days < 1_000
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
        spans = [
            (row["started_at"], row["ended_at"])
            for row in facts(tmp_path / "x.zip")
            if row.get("metric") == "basal_energy"
        ]
        # All of the day but the watch's charging, an hour and a half at most.
        worn = sum((end - start for start, end in spans), timedelta())
        assert timedelta(hours=hours - 2) < worn < timedelta(hours=hours)
        assert timedelta(hours=hours - 0.1) < spans[-1][1] - spans[0][0] <= timedelta(hours=hours)


def test_the_same_export_with_one_new_day_differs_in_that_day_and_the_addresses_alone(tmp_path: Path) -> None:
    one, more = tmp_path / "one.zip", tmp_path / "more.zip"
    wanted = {"records": 26 * 400, "spread_over": 26}
    export(one, exported_at=datetime(2024, 4, 15, 8, tzinfo=ZURICH), **wanted)
    grown = export(more, exported_at=datetime(2024, 4, 16, 8, tzinfo=ZURICH), last=LAST + timedelta(days=1), **wanted)
    assert 26 * 400 + 390 < grown < 26 * 400 + 410
    before, after = (Counter(re.sub("0x[0-9a-f]+", "0x", xml_of(path)).split("\n")) for path in (one, more))
    assert list(before - after) == [' <ExportDate value="2024-04-15 08:00:00 +0200"/>']
    assert all("2024-04-15" in line or " date" not in line.lower() for line in after - before)
    assert members(one).keys() <= members(more).keys()


# What stands beside the records


def test_some_workouts_have_a_track_in_a_file_of_its_own(tmp_path: Path) -> None:
    export(tmp_path / "export.zip", first=date(2024, 1, 1), records=105 * 200)
    root, beside = ET.fromstring(xml_of(tmp_path / "export.zip")), members(tmp_path / "export.zip")
    workouts = root.findall("Workout")
    tracked = [each for each in workouts if each.find("WorkoutRoute") is not None]
    assert 0.02 < len(tracked) / len(workouts) < 0.3
    for each in tracked:
        path = each.findall("WorkoutRoute/FileReference")[0].attrib["path"]
        track = ET.fromstring(beside.pop(path.removeprefix("/")))
        points = track.findall(".//{*}trkpt")
        begin, end = (datetime.strptime(each.attrib[name], "%Y-%m-%d %H:%M:%S %z") for name in ("startDate", "endDate"))
        moments = [datetime.fromisoformat(point.findtext("{*}time", "")) for point in points]
        assert moments == sorted(set(moments))
        assert begin <= moments[0] < moments[-1] <= end
        local = f"{end.astimezone(ZURICH):%Y-%m-%d %-I:%M%p}".replace("AM", "am").replace("PM", "pm")
        assert track.findtext(".//{*}name") == f"Route {local}"
        assert path.endswith(f"/route_{local.replace(' ', '_').replace(':', '.')}.gpx")
        told = each.findall("WorkoutStatistics")
        kilometres = next(float(one.attrib["sum"]) for one in told if "Distance" in one.attrib["type"])
        assert _length([(float(p.attrib["lat"]), float(p.attrib["lon"])) for p in points]) == pytest.approx(
            kilometres * 1000, rel=0.05
        )
    assert not [name for name in beside if name.endswith(".gpx")]


def _length(points: list[tuple[float, float]]) -> float:
    """Metres along points that lie close together."""
    return (
        sum(
            math.hypot(later[0] - before[0], (later[1] - before[1]) * math.cos(math.radians(before[0])))
            for before, later in pairwise(points)
        )
        * 111_195
    )


def test_a_pause_is_told_and_left_out_of_the_duration(tmp_path: Path) -> None:
    export(tmp_path / "export.zip", records=26 * 200)
    workouts = ET.fromstring(xml_of(tmp_path / "export.zip")).findall("Workout")
    paused = 0
    for each in workouts:
        events = {
            one.attrib["type"].removeprefix("HKWorkoutEventType").removeprefix("Motion"): one
            for one in each.findall("WorkoutEvent")
        }
        begin, end, *pause = (
            datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z")
            for text in (
                each.attrib["startDate"], each.attrib["endDate"],
                *(one.attrib["date"] for kind, one in events.items() if kind.startswith(("Pause", "Resume"))),
            )
        )  # fmt: skip
        rested = pause[1] - pause[0] if pause else timedelta()
        assert float(each.attrib["duration"]) * 60 == pytest.approx((end - begin - rested).total_seconds())
        again = each.findall("WorkoutActivity/WorkoutEvent")
        assert [one.attrib for one in again] == [one.attrib for one in each.findall("WorkoutEvent")]
        paused += bool(pause)
    assert 0 < paused < len(workouts)


def test_curves_hearing_tests_and_documents_stand_where_the_export_says(tmp_path: Path) -> None:
    export(tmp_path / "export.zip", records=26 * 200)
    beside, root = members(tmp_path / "export.zip"), ET.fromstring(xml_of(tmp_path / "export.zip"))
    curve = beside["electrocardiograms/ecg_2024-04-01.csv"].splitlines()
    assert [line.split(",")[0] for line in curve[:8]] == [
        "Name", "Date of Birth", "Recorded Date", "Classification", "Symptoms", "Software Version", "Device", "Sample Rate",
    ]  # fmt: skip
    assert curve[2].endswith(" +0200")
    voltages = [float(line) for line in curve[curve.index("Unit,µV") + 3 :]]
    assert len(voltages) == 30 * 512
    assert -300 < min(voltages) < 0 < 700 < max(voltages) < 1_000
    (record,) = root.findall("ClinicalRecord")
    document = json.loads(beside[record.attrib["resourceFilePath"].removeprefix("/")])
    assert (document["resourceType"], document["id"]) == (record.attrib["type"], record.attrib["identifier"])
    (hearing,) = root.findall("Audiogram")
    assert [point.attrib["frequencyValue"] for point in hearing] == ["250", "500", "1000", "2000", "4000", "8000"]
