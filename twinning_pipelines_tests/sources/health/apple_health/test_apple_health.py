"""Apple's exports: what is recognised, how values and instants are read, and that no element is lost or counted twice."""

import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinning_pipelines.demo.apple_dtd import DOCTYPE
from twinning_pipelines.demo.apple_health import write_export
from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats.xml_stream import portions
from twinning_pipelines.original import Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.medical import ELECTROCARDIOGRAM
from twinning_pipelines.records.metrics import METRIC_BY_NAME
from twinning_pipelines.records.sessions import SLEEP_STAGE
from twinning_pipelines.source import Batch, ExportedAt
from twinning_pipelines.sources.health.apple_health import SOURCE, parse
from twinning_pipelines.sources.health.apple_health.plain import BATCH_ROWS, ROOT, Engine, records_of
from twinning_pipelines.sources.health.apple_health.words import (
    METRIC_OF,
    MINUTES_OF,
    NUMBER_OF,
    QUANTITY_BY_FULL_NAME,
    activity_of,
)
from twinning_pipelines_tests.goldens import BERLIN, notices, read, reasons, rows
from twinning_pipelines_tests.sources.health.apple_health.made import SPAN, export_of, record, zipped

HERE = Path(__file__).parent
EXPORT = HERE / "export.xml"


def batches(path: Path, engine: Engine | None = None) -> Iterator[Batch]:
    items = parse(Original.at(path), BERLIN) if engine is None else parse(Original.at(path), BERLIN, engine)
    return (item for item in items if isinstance(item, Batch))


# Recognition


@pytest.mark.parametrize(
    "name",
    [
        "apple_health_export/export.xml",
        "apple_health_export/导出.xml",
        "datos/exportación.XML",
        "vienti.xml",
        "a/b/c.xml",
    ],
)
def test_a_zip_is_recognised_by_what_is_in_it(name: str, tmp_path: Path) -> None:
    path = zipped(
        tmp_path,
        {
            "apple_health_export/export_cda.xml": b"<ClinicalDocument>" + b" " * 99_999,
            name: EXPORT.read_bytes(),
            "__MACOSX/apple_health_export/._export.xml": b"<HealthData>",
            "apple_health_export/electrocardiograms/ecg_2024-01-01.csv": b"Name,Robin",
        },
    )
    assert SOURCE.recognises(Original.at(path))
    found, alone = (
        [line for line in read(SOURCE, each) if line.get("record") in ("sample", "sleep_stage", "workout")]
        for each in (path, EXPORT)
    )
    assert found == alone


@pytest.mark.parametrize(
    "members",
    [
        {"apple_health_export/export_cda.xml": b"<HealthData/>"},
        {"a/b/c/export.xml": b"<HealthData/>"},
        {"export.txt": b"<HealthData/>"},
        {"export.xml": b"<HealthDatabase/>"},
        {"notes.xml": b"look for <HealthData> in the file"},
        {"export.xml": b"<?xml version='1.0'?><!--" + b" " * 4096 + b"--><HealthData/>"},
        {},
    ],
    ids=["cda", "deep", "txt", "other root", "text", "late", "empty"],
)
def test_other_zips_are_not(members: dict[str, bytes], tmp_path: Path) -> None:
    assert not SOURCE.recognises(Original.at(zipped(tmp_path, members)))


@pytest.mark.parametrize(
    "head", [b"\xef\xbb\xbf<?xml version='1.0'?>\r\n<!DOCTYPE HealthData [", b"<HealthData>", b"\n <HealthData\n"]
)
def test_bare_xml_is_recognised(head: bytes, tmp_path: Path) -> None:
    path = tmp_path / "anything.txt"
    path.write_bytes(head)
    assert SOURCE.recognises(Original.at(path))


def test_two_exports_in_one_zip_are_named(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"b.xml": EXPORT.read_bytes(), "a.xml": EXPORT.read_bytes()})
    with pytest.raises(UnreadableFile, match=r"2 exports in one zip, drop each by itself: a\.xml, b\.xml"):
        list(batches(path))


def test_a_zip_without_an_export_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no export in the zip"):
        list(batches(zipped(tmp_path, {"export.txt": b"<HealthData/>"})))


def test_a_damaged_zip_is_unreadable(tmp_path: Path) -> None:
    whole = zipped(tmp_path, {"export.xml": EXPORT.read_bytes() * 20}).read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole[:-30])
    with pytest.raises(UnreadableFile, match="damaged zip"):
        SOURCE.recognises(Original.at(cut))
    bent = bytearray(whole)
    bent[len(whole) // 2] ^= 0xFF
    cut.write_bytes(bytes(bent))
    with pytest.raises(UnreadableFile):
        list(batches(cut))


# Instants


def test_the_fixed_offset_is_no_wall_clock(tmp_path: Path) -> None:
    zurich = ZoneInfo("Europe/Zurich")
    printed = {
        "2024-01-15 08:00:00 +0200": datetime(2024, 1, 15, 7, 0, tzinfo=zurich),
        "2024-03-31 02:59:59 +0200": datetime(2024, 3, 31, 1, 59, 59, tzinfo=zurich),
        "2024-03-31 03:00:00 +0200": datetime(2024, 3, 31, 3, 0, tzinfo=zurich),
        "2024-10-27 02:30:00 +0200": datetime(2024, 10, 27, 2, 30, tzinfo=zurich),
        "2024-10-27 03:30:00 +0200": datetime(2024, 10, 27, 2, 30, tzinfo=zurich, fold=1),
    }
    step = record("HKQuantityTypeIdentifierStepCount", "1", "count")
    elements = [step.replace(SPAN, f'startDate="{text}" endDate="{text}"') for text in printed]
    found = [row["started_at"] for row in rows(SOURCE, export_of(tmp_path, *elements))]
    assert found == [moment.astimezone(UTC) for moment in printed.values()]


def test_when_the_export_was_made() -> None:
    (told,) = [item for item in SOURCE.parse(Original.at(EXPORT), BERLIN) if isinstance(item, ExportedAt)]
    assert told.instant == datetime(2024, 7, 2, 19, 14, 9, tzinfo=UTC)


# Values


def test_every_metric_that_a_table_names_is_registered() -> None:
    named = {*METRIC_OF.values(), *QUANTITY_BY_FULL_NAME.values(), *MINUTES_OF.values()}
    assert named | {metric for metric, _ in NUMBER_OF.values()} <= METRIC_BY_NAME.keys()


@pytest.mark.parametrize("kind", METRIC_OF)
def test_a_quantity_in_the_canonical_unit_is_kept_as_it_is(kind: str, tmp_path: Path) -> None:
    metric = METRIC_BY_NAME[METRIC_OF[kind]]
    value = (metric.low + min(metric.high, metric.low + 2)) / 2
    path = export_of(tmp_path, record(f"HKQuantityTypeIdentifier{kind}", str(value), metric.unit))
    (row,) = rows(SOURCE, path)
    assert (row["metric"], row["value"]) == (metric.name, value)


@pytest.mark.parametrize(
    ("kind", "value", "unit", "canonical"),
    [
        ("ActiveEnergyBurned", "100", "kJ", 23.9005736),
        ("ActiveEnergyBurned", "100", "Cal", 100),
        ("ActiveEnergyBurned", "100", "kcal", 100),
        ("DistanceWalkingRunning", "2", "mi", 3218.688),
        ("DistanceWalkingRunning", "2", "km", 2000),
        ("DistanceSwimming", "25", "yd", 22.86),
        ("BodyMass", "11", "st", 69.85322498),
        ("BodyMass", "70000", "g", 70),
        ("Height", "70", "in", 177.8),
        ("BodyTemperature", "98.6", "degF", 37),
        ("OxygenSaturation", "0.97", "%", 0.97),
        ("WalkingSpeed", "5.4", "km/hr", 1.5),
        ("WalkingSpeed", "3", "mi/hr", 1.34112),
        ("HeartRate", "1.2", "count/s", 72),
        ("BloodGlucose", "5", "mmol&lt;180.1558800000541&gt;/L", 90.07794),
        ("VO2Max", "41.5", "mL/min·kg", 41.5),
        ("DietaryWater", "1.5", "L", 1500),
        ("DietarySodium", "2", "g", 2000),
        ("DietaryVitaminD", "0.02", "mg", 20),
        ("HeartRate", "+6.1e1", "count/min", 61),
    ],
)
def test_units(kind: str, value: str, unit: str, canonical: float, tmp_path: Path) -> None:
    path = export_of(tmp_path, record(f"HKQuantityTypeIdentifier{kind}", value, unit))
    assert [row["value"] for row in rows(SOURCE, path)] == [pytest.approx(canonical)]


def test_a_bad_neighbour_changes_no_value(tmp_path: Path) -> None:
    texts = ["1", "+2", "3.", ".5", "1e3", "-0", "00012.50"]
    steps = [record("HKQuantityTypeIdentifierStepCount", text, "count") for text in texts]
    alone = [row["value"] for row in rows(SOURCE, export_of(tmp_path, *steps))]
    bad = record("HKQuantityTypeIdentifierStepCount", "1,5", "count")
    path = export_of(tmp_path, *steps, bad)
    assert [row["value"] for row in rows(SOURCE, path)] == alone == [1, 2, 3, 0.5, 1000, 0, 12.5]
    assert reasons(SOURCE, path) == ["value: not a number: '1,5'"]


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "1e999", "0x10", "1_000", " 5", "", "٣", "--1", "1.2.3"])
def test_what_is_no_number(text: str, tmp_path: Path) -> None:
    path = export_of(tmp_path, record("HKQuantityTypeIdentifierFoo", text, "x"))
    assert reasons(SOURCE, path) == [f"value: not a number: {text!r}"]


def test_unregistered_types_are_kept_and_told(tmp_path: Path) -> None:
    path = export_of(
        tmp_path,
        record("HKQuantityTypeIdentifierFoo", "3", "x"),
        record("HKQuantityTypeIdentifierFoo", "4", "y"),
        record("HKCategoryTypeIdentifierBar", "HKCategoryValueBarLoud"),
        record("HKDataTypeBaz", "soft"),
        record("HKDataTypeBaz", "2"),
        record("HKQuantityTypeIdentifierFoo", "many", "x"),
    )
    assert [(row["metric"], row["value"], row.get("label")) for row in rows(SOURCE, path)] == [
        ("apple:Foo", 3, None), ("apple:Foo", 4, None), ("apple:Bar", 1, "Loud"), ("apple:HKDataTypeBaz", 1, "soft"),
        ("apple:HKDataTypeBaz", 2, None),
    ]  # fmt: skip
    (notice,) = notices(SOURCE, path)
    assert notice.endswith("own names and units: apple:Bar (1), apple:Foo (2), apple:HKDataTypeBaz (2)")


def test_a_notice_stays_short(tmp_path: Path) -> None:
    path = export_of(tmp_path, *(record(f"HKQuantityTypeIdentifierFoo{number:03}", "3", "x") for number in range(150)))
    assert len(rows(SOURCE, path)) == 150
    (notice,) = notices(SOURCE, path)
    assert notice.endswith("apple:Foo099 (1), and 50 more")


def test_a_session_is_as_long_as_it_took_and_stood_is_a_raw_zero(tmp_path: Path) -> None:
    path = export_of(
        tmp_path,
        record("HKCategoryTypeIdentifierMindfulSession", None),
        record("HKCategoryTypeIdentifierAppleStandHour", "0"),
        record("HKCategoryTypeIdentifierAppleStandHour", "1"),
    )
    assert [(row["metric"], row["value"]) for row in rows(SOURCE, path)] == [
        ("mindful_minutes", 5), ("stand_hour", 1), ("stand_hour", 0),
    ]  # fmt: skip


def test_names_are_cleaned_and_the_device_is_no_part_of_them(tmp_path: Path) -> None:
    names = ["Zoe\N{COMBINING DIAERESIS}’s Apple\N{NO-BREAK SPACE}Watch ", "Zoë’s Apple\N{NO-BREAK SPACE}Watch"]
    device = 'device="&lt;&lt;HKDevice: 0x{}&gt;, name:Apple Watch&gt;"'
    step = record("HKQuantityTypeIdentifierStepCount", "1", "count")
    elements = [
        step.replace('sourceName="Watch"', f'sourceName="{name}" {device.format(index)}')
        for index, name in enumerate(names)
    ]
    found = {row["origin"] for row in rows(SOURCE, export_of(tmp_path, *elements))}
    assert found == {names[1]}


@pytest.mark.parametrize(
    ("kind", "activity"),
    [
        ("HKWorkoutActivityTypeRunning", "running"),
        ("HKWorkoutActivityTypeHighIntensityIntervalTraining", "high_intensity_interval_training"),
        ("HKWorkoutActivityTypeTaiChi", "tai_chi"),
        ("HKWorkoutActivityType(3001)", "(3001)"),
    ],
)
def test_activities(kind: str, activity: str) -> None:
    assert activity_of(kind) == activity


# Long exports


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "export.zip"
    write_export(
        path, seed=11, first=date(2024, 3, 1), last=date(2024, 4, 20), zone=ZoneInfo("Europe/Zurich"),
        exported_at=datetime(2024, 4, 21, 9, 0, tzinfo=ZoneInfo("Europe/Zurich")), broken=8,
    )  # fmt: skip
    return path


def test_a_long_export_comes_in_bounded_batches_with_true_lines(made: Path) -> None:
    with zipfile.ZipFile(made) as archive:
        lines = archive.read("apple_health_export/export.xml").decode().split("\n")
    seen: set[int] = set()
    for batch in batches(made):
        assert batch.rows.num_rows <= BATCH_ROWS
        if batch.record is ELECTROCARDIOGRAM:
            continue
        places = batch.rows.column("at").to_pylist()
        if batch.record in (SAMPLE, SLEEP_STAGE):
            assert all(lines[at - 1].startswith(" <Record ") for at in places)
            assert not seen.intersection(places)
            seen.update(places)
        for index in range(0, len(places), 1 if len(places) < 997 else 997):
            assert batch.raw(index).split("\n")[0] == lines[places[index] - 1].strip()
        assert all(each.raw.split("\n")[0] == lines[each.at - 1].strip() for each in batch.rejections)
    assert max(seen) > 65_535


def test_small_portions_say_the_same(made: Path) -> None:
    def in_small_portions(stream: io.BufferedIOBase) -> Iterator[object]:
        for portion in portions(stream, ROOT, portion_bytes=50_000):  # type: ignore[arg-type]
            yield records_of(portion), portion

    def told(engine: Engine | None) -> Counter[str]:
        return Counter(str(row) for batch in batches(made, engine) for row in batch.rows.to_pylist())

    assert told(in_small_portions) == told(None)  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1), flip=st.integers(0, 255))
def test_a_bent_byte_anywhere_raises_nothing_but_unreadable(share: float, flip: int, tmp_path: Path) -> None:
    raw = bytearray((HERE / "export.xml").read_bytes())
    raw[int(share * (len(raw) - 1))] ^= flip
    path = tmp_path / "bent.xml"
    path.write_bytes(bytes(raw))
    try:
        if SOURCE.recognises(Original.at(path)):
            read(SOURCE, path)
    except UnreadableFile:
        pass


def test_apples_own_doctype_is_cut_and_entities_are_refused(tmp_path: Path) -> None:
    step = record("HKQuantityTypeIdentifierStepCount", "1", "count")
    path = export_of(tmp_path, step, prolog=DOCTYPE)
    assert [row["at"] for row in rows(SOURCE, path)] == [DOCTYPE.count("\n") + 2]
    bomb = DOCTYPE.replace("]>", '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">\n]>')
    with pytest.raises(HostileFile):
        list(batches(export_of(tmp_path, step, prolog=bomb)))
