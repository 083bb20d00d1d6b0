"""The account: no element of an export is lost, and none is told twice; told against counts by other means."""

import json
import re
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinning_pipelines.demo.apple_health import write_export
from twinning_pipelines.ingest.reading import SpooledReading
from twinning_pipelines.ingest.reading import read as read_file
from twinning_pipelines.ingest.road import look
from twinning_pipelines.original import Original
from twinning_pipelines.receipt import Receipt
from twinning_pipelines.shown import show_receipt
from twinning_pipelines.source import Account
from twinning_pipelines.sources import SOURCES
from twinning_pipelines.sources.health.apple_health import SOURCE
from twinning_pipelines.sources.health.apple_health.account import REPEATED_RULE, SLEEP_RULE
from twinning_pipelines_tests.goldens import BERLIN, notices
from twinning_pipelines_tests.shared import corpus
from twinning_pipelines_tests.sources.health.apple_health.made import (
    SPAN,
    accounts,
    export_of,
    record,
    statistic,
    workout,
)

HERE = Path(__file__).parent
SAMPLES = sorted(path for path in HERE.iterdir() if path.suffix in (".xml", ".zip"))


def counted(path: Path) -> Counter[str]:
    """Start tags behind the prolog, as grep would count `<Name[ />]`, comments left out."""
    original = Original.at(path)
    mains = [each.name for each in original.members if each.name.lower().endswith(".xml") and "_cda" not in each.name]
    with original.open(mains[0] if mains else None) as stream:
        text = re.sub(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", b"", stream.read())
    body = re.sub(rb"<!--.*?-->", b"", text[re.search(rb"<HealthData[ >]", text).start() :], flags=re.DOTALL)  # type: ignore[union-attr]
    return Counter(name.decode() for name in re.findall(rb"<([A-Za-z]+)[ />\n]", body))


def read(path: Path) -> SpooledReading:
    return read_file(Original.at(path), SOURCE, BERLIN)


def assert_accounted(path: Path) -> None:
    with read(path) as reading:
        accounts = {each.element: each for each in reading.accounts}
        rows = dict(reading.counts)
        rejected = Counter(each.raw.lstrip("<").split()[0] for each in reading.rejections() if each.raw.startswith("<"))
    assert {name: each.count for name, each in accounts.items()} == counted(path)
    for each in accounts.values():
        assert min(each.stored, each.rejected, *each.ignored.values(), 0) == 0
        assert all(each.ignored.values())
    accepted = Counter({name: counts.accepted for name, counts in rows.items()})
    stored = Counter({name: each.stored for name, each in accounts.items()})
    assert stored["Record"] == accepted["sample"] + accepted["sleep_stage"]
    assert stored["Workout"] == accepted["workout"]
    assert stored["Correlation"] == accepted["correlation"]
    assert stored["ActivitySummary"] == accepted["activity_ring"]
    assert stored["SensitivityPoint"] == accepted["hearing_threshold"]
    assert stored["VisionPrescription"] == accepted["vision_prescription"]
    assert stored["ClinicalRecord"] == accepted["clinical_document"]
    parts = ("WorkoutActivity", "WorkoutEvent", "WorkoutStatistics")
    assert sum(stored[name] for name in parts) == accepted["workout_part"]
    for name in ("Record", "Workout", "ActivitySummary", "VisionPrescription"):
        assert name not in accounts or accounts[name].rejected >= rejected[name]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_element_of_a_sample_is_accounted_for(path: Path) -> None:
    assert_accounted(path)


@pytest.mark.parametrize("folder", ["apple-export-xml", "apple-export-zip"])
def test_every_element_of_the_published_exports_is_accounted_for(folder: str) -> None:
    for path in corpus("health", folder).iterdir():
        assert_accounted(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "export.zip"
    write_export(
        path, seed=7, first=date(2024, 3, 25), last=date(2024, 4, 10), zone=ZoneInfo("Europe/Zurich"),
        exported_at=datetime(2024, 4, 11, 9, 0, tzinfo=ZoneInfo("Europe/Zurich")), broken=9,
    )  # fmt: skip
    return path


def test_every_element_of_a_made_export_is_accounted_for(made: Path) -> None:
    assert_accounted(made)
    with read(made) as reading:
        record = next(each for each in reading.accounts if each.element == "Record")
    assert record.rejected == 9
    assert list(record.ignored) == [REPEATED_RULE]


PULSE = statistic("HeartRate", 'average="100"', "count/min")
CHILDREN = st.lists(
    st.sampled_from(
        [
            '<MetadataEntry key="a" value="1"/>',
            '<WorkoutEvent type="HKWorkoutEventTypePause" date="2024-06-30 10:01:00 +0200"/>',
            '<WorkoutEvent type="HKWorkoutEventTypePause" date="never"><MetadataEntry key="a" value="1"/></WorkoutEvent>',
            PULSE,
            "<WorkoutActivity/>",
            f'<WorkoutActivity {SPAN}><MetadataEntry key="a" value="1"/></WorkoutActivity>',
            f"<WorkoutActivity {SPAN}>{PULSE}</WorkoutActivity>",
            '<WorkoutRoute><MetadataEntry key="a" value="1"/><FileReference path="/x.gpx"/><FileReference/></WorkoutRoute>',
            '<WorkoutRoute><FileReference path="/x.gpx"/><FileReference path="/y.gpx"/></WorkoutRoute>',
            '<WorkoutRoute><Location latitude="1" longitude="1"/><FileReference path="/x.gpx"/></WorkoutRoute>',
            '<WorkoutRoute><Location date="2024-06-30 10:01:00 +0200" latitude="1" longitude="1"/><Location/></WorkoutRoute>',
            "<WorkoutRoute/>",
            "<Odd><Odd/></Odd>",
        ]
    ),
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(children=CHILDREN, more=st.sampled_from(["", 'duration="long" ', 'duration="-5" durationUnit="min" ']))
def test_every_element_of_any_workout_is_accounted_for(
    children: list[str], more: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert_accounted(export_of(tmp_path_factory.mktemp("any"), workout(*children, more=more)))


# What a person sees of it


def test_what_the_checks_reject_is_rejected_in_the_account_with_all_that_stands_in_it(tmp_path: Path) -> None:
    entry = '<MetadataEntry key="HKMetadataKeyHeartRateMotionContext" value="0"/>'
    path = export_of(
        tmp_path,
        record("HKQuantityTypeIdentifierHeartRate", "60", "count/min", entry),
        record("HKQuantityTypeIdentifierHeartRate", "-60", "count/min", entry * 2),
        workout('<MetadataEntry key="a" value="1"/>', more='duration="-5" durationUnit="min" '),
    )
    assert_accounted(path)
    with read(path) as reading:
        told = {each.element: (each.stored, each.rejected) for each in reading.accounts}
    assert (told["Record"], told["Workout"], told["MetadataEntry"]) == ((1, 1), (0, 1), (1, 3))


def test_what_a_sleep_stage_says_beside_its_zone_is_left_out_and_told(tmp_path: Path) -> None:
    zone = '<MetadataEntry key="HKTimeZone" value="Europe/Zurich"/>'
    more = '<MetadataEntry key="HKMetadataKeySyncVersion" value="1"/>'
    stage = record("HKCategoryTypeIdentifierSleepAnalysis", "HKCategoryValueSleepAnalysisInBed", None, zone + more)
    bad = record("HKCategoryTypeIdentifierSleepAnalysis", "HKCategoryValueSleepAnalysisFlying", None, zone + more)
    path = export_of(tmp_path, stage, bad)
    assert_accounted(path)
    assert accounts(path)["MetadataEntry"] == Account("MetadataEntry", 1, 2, {SLEEP_RULE: 1})
    assert "what sleep stages say beside their zone, left out: HKMetadataKeySyncVersion (1)" in notices(SOURCE, path)


def test_the_receipt_has_the_account_in_its_document() -> None:
    document: dict[str, Any] = look(HERE / "rejected.xml", BERLIN, SOURCES).document()
    assert document["elements"]["ActivitySummary"] == {"count": 6, "stored": 0, "rejected": 6, "ignored": {}}
    assert document["elements"]["Gadget"] == {
        "count": 1,
        "stored": 0,
        "rejected": 0,
        "ignored": {"no table holds it": 1},
    }
    json.dumps(document)
    assert "elements" not in Receipt("a file").document()


def test_the_receipt_for_people_has_it_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_receipt(
        Receipt("a file", "a source", elements=(Account("A", 1234, 3, {"r": 50}), Account("B", 0, 0, {"s": 6})))
    )
    assert "elements: 1,234 stored, 3 rejected, 56 set aside by rule" in capsys.readouterr().out
    show_receipt(Receipt("a file", "a source"))
    assert "elements" not in capsys.readouterr().out
