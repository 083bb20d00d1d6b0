"""The fast engine against the plain one: equal rows, rejections, counts and errors, whatever the text and the blocks."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinning_pipelines.demo.apple_health import write_export
from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats.xml_element import told_by
from twinning_pipelines.formats.xml_stream import Element
from twinning_pipelines.source import Rejection
from twinning_pipelines.sources.health.apple_health.inside import Inside, inside_of, read_inside
from twinning_pipelines.sources.health.apple_health.plain import BATCH_ROWS, Engine, read_with_expat
from twinning_pipelines.sources.health.apple_health.records import Oddities, batches, devices_of
from twinning_pipelines.sources.health.apple_health.scan import read_with_scan
from twinning_pipelines_tests.shared import corpus
from twinning_pipelines_tests.sources.health.apple_health.odd_exports import export

HERE = Path(__file__).parent
BLOCKS = (64, 256, 1024, 4096, 1 << 20)
SPAN = (
    'creationDate="2024-06-30 10:06:00 +0200" startDate="2024-06-30 10:00:00 +0200" endDate="2024-06-30 10:05:00 +0200"'
)
STEPS = f' <Record type="HKQuantityTypeIdentifierStepCount" sourceName="Watch" unit="count" {SPAN} value="7"/>\n'
WALL = datetime(2024, 4, 21, 9, 0, tzinfo=ZoneInfo("Europe/Zurich"))


@dataclass
class Told:
    """All that an engine tells of an export; rows and their raw texts by table."""

    rows: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    raws: dict[str, list[str]] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    elements: list[Element] = field(default_factory=list)
    broken: list[object] = field(default_factory=list)
    oddities: Oddities = field(default_factory=Oddities)
    error: str | None = None


def told(raw: bytes, engine: Engine) -> Told:
    found = Told()
    try:
        for columns, portion in engine(io.BytesIO(raw)):
            for records in columns:
                assert 0 < len(records.at) <= BATCH_ROWS
                for batch in batches(records, found.oddities):
                    name = batch.record.name
                    found.rows.setdefault(name, []).extend(batch.rows.to_pylist())
                    found.raws.setdefault(name, []).extend(map(batch.raw, range(batch.rows.num_rows)))
                    found.rejections.extend(batch.rejections)
            found.counts.update(portion.counts)
            found.elements.extend(portion.elements(*(set(portion.names) - {"Record"})))
            found.broken.extend(portion.broken)
    except UnreadableFile as refusal:
        return Told(error=f"{type(refusal).__name__}: {refusal}")
    found.rejections.sort(key=lambda each: each.at)
    return found


def scanned(raw: bytes, block_bytes: int = 1 << 20, patience: int = 1_000_000) -> Told:
    return told(raw, partial(read_with_scan, block_bytes=block_bytes, patience=patience))


def assert_alike(raw: bytes, block_bytes: int, patience: int = 1_000_000) -> Told:
    plain = told(raw, read_with_expat)
    assert scanned(raw, block_bytes, patience) == plain
    return plain


def document(*elements: str) -> bytes:
    return f'<HealthData locale="en">\n{"".join(elements)}</HealthData>\n'.encode()


def sample(inside: str, kind: str = "HKQuantityTypeIdentifierHeartRate", value: str = "61", **more: str) -> str:
    given = "".join(f' {name}="{text}"' for name, text in more.items())
    unit = ' unit="count/min"' if kind.endswith("HeartRate") else ""
    return f' <Record type="{kind}" sourceName="Watch"{given}{unit} {SPAN} value="{value}">\n{inside} </Record>\n'


def detail(inside: str, **more: str) -> object:
    """The detail of one heart rate, which both engines read alike."""
    raw = document(sample(inside, **more))
    (row,) = assert_alike(raw, 1 << 20).rows["sample"]
    text = row["detail"]
    assert text is None or isinstance(text, str)
    return None if text is None else json.loads(text)


def in_lanes(raw: bytes) -> tuple[int, int]:
    """How many Records are read by their lines, and how many by the parser."""
    counts, parsed = Counter[str](), 0
    for _, portion in read_with_scan(io.BytesIO(raw)):
        counts.update(portion.counts)
        parsed += portion.names.count("Record")
    return counts["Record"] - parsed, parsed


# Both engines alike


@pytest.mark.parametrize("block_bytes", BLOCKS)
def test_both_engines_tell_the_same_of_every_sample(block_bytes: int) -> None:
    samples = sorted(HERE.glob("*.xml"))
    assert samples
    for path in samples:
        assert_alike(path.read_bytes(), block_bytes)


@pytest.mark.parametrize("folder", ["apple-export-xml", "apple-export-zip"])
def test_both_engines_tell_the_same_of_real_exports(folder: str) -> None:
    for path in corpus("health", folder).iterdir():
        raw = main_of(path) if path.suffix == ".zip" else path.read_bytes()
        for block_bytes in BLOCKS:
            assert_alike(raw, block_bytes)


def main_of(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        main = max(
            (each for each in archive.infolist() if each.filename.endswith(".xml")), key=lambda each: each.file_size
        )
        return archive.read(main)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("made") / "export.zip"
    zone = ZoneInfo("Europe/Zurich")
    write_export(path, seed=11, first=date(2024, 4, 10), last=date(2024, 4, 20), zone=zone, exported_at=WALL, broken=8)
    return main_of(path)


@pytest.mark.parametrize("block_bytes", [10_000, 100_000, 1 << 20])
def test_both_engines_tell_the_same_of_a_made_export(made: bytes, block_bytes: int) -> None:
    assert len(assert_alike(made, block_bytes).rows["sample"]) > 5_000


@pytest.mark.parametrize("share", range(10))
def test_both_engines_tell_the_same_of_a_thousand_odd_exports(share: int) -> None:
    seen = Counter[str]()
    for seed in range(share * 100, share * 100 + 100):
        rng = Random(seed)
        raw, block_bytes, patience = export(rng), rng.choice(BLOCKS), rng.choice((3, 1_000_000))
        plain, fast = told(raw, read_with_expat), scanned(raw, block_bytes, patience)
        assert fast == plain, f"seed {seed}, blocks of {block_bytes}, patience {patience}"
        seen["refused" if plain.error else "read"] += 1
        seen["rows"] += sum(map(len, plain.rows.values()))
        seen["rejections"] += len(plain.rejections)
        seen["broken"] += len(plain.broken)
    # The dice are good for something only while all of these occur.
    assert min(seen[name] for name in ("refused", "read", "rejections", "broken")) > 0
    assert seen["rows"] > 500


@settings(deadline=None, max_examples=60)
@given(share=st.floats(0, 1), block_bytes=st.sampled_from(BLOCKS))
def test_cut_anywhere_both_engines_refuse_with_the_same_line(share: float, block_bytes: int) -> None:
    whole = (HERE / "export.xml").read_bytes()
    assert_alike(whole[: int(len(whole) * share)], block_bytes)


@settings(deadline=None, max_examples=60)
@given(share=st.floats(0, 1, exclude_max=True), letter=st.integers(0, 255), block_bytes=st.sampled_from(BLOCKS))
def test_with_any_letter_bent_both_engines_tell_the_same(share: float, letter: int, block_bytes: int) -> None:
    raw = bytearray((HERE / "export.xml").read_bytes())
    raw[int(share * len(raw))] = letter
    assert_alike(bytes(raw), block_bytes)


def test_too_deep_is_too_deep_in_both_engines() -> None:
    def deep(levels: int) -> bytes:
        return document(STEPS, sample("".join(f"<x{each}>" for each in range(levels)) + "".join(
            f"</x{each}>" for each in reversed(range(levels)))), STEPS)  # fmt: skip

    assert assert_alike(deep(63), 1 << 20).error is None
    assert str(assert_alike(deep(64), 1 << 20).error).startswith(HostileFile.__name__)


# Nothing lost, nothing invented


@pytest.mark.parametrize("name", ["export.xml", "rejected.xml", "reserialised.xml"])
def test_every_element_is_counted_at_every_depth(name: str) -> None:
    raw = (HERE / name).read_bytes()
    counted = Counter(each.tag for each in ET.fromstring(raw[raw.index(b"<HealthData") :]).iter())
    for block_bytes in BLOCKS:
        assert scanned(raw, block_bytes).counts == counted


def test_the_layout_of_apple_needs_no_parser_for_its_records(made: bytes) -> None:
    by_lines, parsed = in_lanes(made)
    assert by_lines > 5_000
    # Two of the spoiled ones lack their start.
    assert parsed <= 3


def test_an_odd_record_costs_itself_alone() -> None:
    odd = STEPS.replace('value="7"', 'value="&#55;"')
    assert in_lanes(document(*[STEPS] * 500, odd, *[STEPS] * 500)) == (999, 2)
    assert [row["value"] for row in scanned(document(STEPS, odd)).rows["sample"]] == [7, 7]


def test_rows_stay_in_the_order_of_the_file() -> None:
    odd = STEPS.replace(' unit="count"', "").replace("value=", 'unit="count" value=')
    rows = scanned(document(STEPS, odd, odd.rstrip("\n"), STEPS, STEPS)).rows["sample"]
    assert [row["at"] for row in rows] == [2, 3, 4, 4, 5]


def test_what_only_looks_like_a_record_is_none() -> None:
    for before, behind in (
        (" <!--\n", " -->\n"),
        (" <![CDATA[\n", " ]]>\n"),
        (" <Box>\n", " </Box>\n"),
        ("<?x\n", "?>\n"),
    ):
        for block_bytes in BLOCKS:
            found = assert_alike(document(STEPS, before, STEPS, STEPS, behind, STEPS), block_bytes)
            assert [row["at"] for row in found.rows["sample"]] == [2, 7]


def test_a_hidden_record_names_no_device() -> None:
    hidden = STEPS.replace(' unit="count"', ' device="&lt;model:Watch&gt;" unit="count"').replace("Watch", "Nobody", 1)
    found = assert_alike(document(STEPS, " <!--\n", hidden, " -->\n"), 1 << 20)
    assert found.oddities.origins == {"Watch"}


def test_a_broken_record_among_good_ones_is_set_aside_alike() -> None:
    broken = ' <Record type="x" Health Mate App Version="2.1"/>\n'
    for block_bytes in BLOCKS:
        found = assert_alike(document(*[STEPS] * 9, broken, *[STEPS] * 9), block_bytes)
        assert len(found.rows["sample"]) == 18
        assert len(found.broken) == 1


def test_most_records_odd_leaves_the_rest_to_the_parser() -> None:
    odd = STEPS.replace('"', "'")
    raw = document(*[odd] * 100, *[STEPS] * 100)
    engine = partial(read_with_scan, block_bytes=4096, patience=20)
    parsed = sum(portion.names.count("Record") for _, portion in engine(io.BytesIO(raw)))
    assert parsed == 200
    assert told(raw, engine) == told(raw, read_with_expat)


# What stands inside


def test_metadata_is_kept_as_printed() -> None:
    inside = '  <MetadataEntry key="b" value="&lt;1 &amp; 2&gt;"/>\n  <MetadataEntry key="A B" value="96.4 kPa"/>\n'
    assert detail(inside) == {"A B": "96.4 kPa", "b": "<1 & 2>"}
    assert detail("") is None
    assert detail("  <!-- nothing -->\n") is None


def test_a_repeated_key_has_a_list_and_unknown_elements_keep_their_attributes() -> None:
    entries = "".join(f'  <MetadataEntry key="a" value="{each}"/>\n' for each in (1, 2, 3))
    assert detail(entries) == {"a": ["1", "2", "3"]}
    inside = (
        '  <MetadataEntry key="a" value="1"/>\n  <Foo x="1"><Bar/></Foo>\n  <Foo/>\n  <MetadataEntry key="alone"/>\n'
    )
    assert detail(inside) == {"a": "1", "Foo": [{"x": "1"}, {}], "Bar": [{}], "MetadataEntry": [{"key": "alone"}]}


def beats(*printed: tuple[str, str], more: str = "") -> str:
    lines = "".join(f'   <InstantaneousBeatsPerMinute bpm="{bpm}" time="{time}"/>\n' for bpm, time in printed)
    return f"{more}  <HeartRateVariabilityMetadataList>\n{lines}  </HeartRateVariabilityMetadataList>\n"


@pytest.mark.parametrize(
    ("clock", "seconds"),
    [
        ("10:00:03.86 AM", 3.86), ("8:00:03.86\u202fPM", 3.86), ("20:04:59,5", 299.5), ("22.05.00,99", 300.99),
        ("13:30:01.00 PM", 1.0), ("5:45:02", 2.0), ("٨:٠٠:٠٣٫٥", 3.5), ("1:00:00.00 AM", 0.0),
        ("10:05:01.00 AM", "10:05:01.00 AM"), ("9:59:59.99 AM", "9:59:59.99 AM"), ("10:61:00", "10:61:00"), ("soon", "soon"),
    ],
)  # fmt: skip
def test_the_clock_of_a_beat_is_seconds_after_the_start(clock: str, seconds: object) -> None:
    assert detail(beats(("57", clock))) == {"beats": [[57, seconds]]}


def test_beats_stand_beside_metadata_and_their_rates_are_numbers() -> None:
    entry = '  <MetadataEntry key="HKAlgorithmVersion" value="2"/>\n'
    found = detail(beats(("57", "1:00:00.5"), ("58,5", "1:00:01.5"), ("?", "1:00:02"), more=entry))
    assert found == {"HKAlgorithmVersion": "2", "beats": [[57, 0.5], [58.5, 1.5], ["?", 2.0]]}
    assert detail(beats()) == {"beats": []}


def test_a_record_of_a_quarter_of_an_hour_keeps_the_clocks() -> None:
    raw = document(sample(beats(("57", "10:00:03")))).replace(b"10:05:00", b"10:15:00")
    (row,) = assert_alike(raw, 1 << 20).rows["sample"]
    assert row["detail"] == '{"beats":[[57,"10:00:03"]]}'


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=6) | st.sampled_from(
    ["&amp;", "7:00:01.5", "57", "a'b", ">", "\u202f"]
)


@given(
    st.lists(
        st.tuples(st.sampled_from([
            '  <MetadataEntry key="{}" value="{}"/>\n', '   <InstantaneousBeatsPerMinute bpm="{}" time="{}"/>\n',
            "  <HeartRateVariabilityMetadataList>\n", "  </HeartRateVariabilityMetadataList>\n", '  <Foo a="{}"/>\n',
        ]), TEXTS, TEXTS), max_size=5,
    )
)  # fmt: skip
def test_plain_insides_are_read_as_a_parser_reads_them(lines: list[tuple[str, str, str]]) -> None:
    text = "".join(line.format(first, second) for line, first, second in lines).encode()
    parsed = told_by(b"<Record>" + text + b"</Record>", deepest=63)
    found = read_inside(text, deepest=63)
    assert (found, parsed) == (None, None) or found == inside_of((parsed or [])[1:])
    if found is not None:
        assert isinstance(found, Inside)
        assert json.loads(found.detail_between(0, 60_000_000) or "{}").keys() >= found.kept.keys()


def test_a_sleep_stage_keeps_its_zone_and_tells_what_else_there_was() -> None:
    entries = "".join(
        f'  <MetadataEntry key="{key}" value="{value}"/>\n'
        for key, value in (("HKTimeZone", "Europe/Zurich"), ("HKWasUserEntered", "1"))
    )
    night = sample(entries, "HKCategoryTypeIdentifierSleepAnalysis", "HKCategoryValueSleepAnalysisAsleepREM")
    found = assert_alike(document(night, night, sample(entries)), 1 << 20)
    assert [(row["stage"], row["zone"]) for row in found.rows["sleep_stage"]] == [("rem", "Europe/Zurich")] * 2
    assert found.oddities.left_asleep == {"HKWasUserEntered": 2}
    assert found.oddities.left_asleep_names == {"MetadataEntry": 2}


# Devices


def devices(*origins: tuple[str, str | None]) -> dict[str, str]:
    def origin(name: str, device: str | None) -> str:
        said = "" if device is None else f' device="&lt;&lt;HKDevice: 0x3{len(name):08x}&gt;, {device}&gt;"'
        return STEPS.replace('sourceName="Watch"', f'sourceName="{name}"{said}')

    return dict(devices_of(assert_alike(document(*(origin(*each) for each in origins)), 1 << 20).oddities).kinds)


def test_the_device_and_not_the_name_says_what_recorded() -> None:
    assert devices(
        ("Robin", "name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch7,4, software:10.5"),
        ("Pocket", "name:x, model:iPhone, hardware:iPhone15,2"), ("Old", "name:Apple Watch, hardware:Watch1,1"),
        ("iPhone case", "name:Watch, manufacturer:Apple Inc., model:iPad, hardware:iPad8,9"),
    ) == {"Robin": "watch", "Pocket": "phone", "Old": "watch", "iPhone case": "other"}  # fmt: skip


def test_a_watch_goes_before_a_phone_and_both_before_others() -> None:
    both = (
        ("a", "model:iPhone"),
        ("a", "model:Watch"),
        ("a", "model:Scale"),
        ("b", "model:Scale"),
        ("b", "model:iPhone"),
    )
    assert devices(*both) == devices(*reversed(both)) == {"a": "watch", "b": "phone"}


def test_without_a_device_the_words_of_the_name_tell() -> None:
    names = {
        "Robin’s Apple\xa0Watch": "watch",
        "Robin’s iPhone": "phone",
        "Swatch": "other",
        "Robin的iPhone": "phone",
        "Health": "other",
    }
    assert devices(*((name, None) for name in names)) == names
    assert devices(("iPhone", None), ("iPhone", "model:Scale")) == {"iPhone": "other"}


def test_the_address_of_a_device_is_no_part_of_anything() -> None:
    records = [STEPS.replace(' unit="count"', f' device="&lt;&lt;HKDevice: 0x{each:x}&gt;, model:Watch&gt;" unit="count"')
               for each in range(300)]  # fmt: skip
    for columns, _ in read_with_scan(io.BytesIO(document(*records, STEPS))):
        assert all(len(found.heads) == 1 for found in columns)


def portions_of(raw: bytes) -> Iterator[int]:
    return (portion.counts["Record"] for _, portion in read_with_scan(io.BytesIO(raw), block_bytes=64 * 1024))


def test_blocks_are_handed_on_as_they_come(made: bytes) -> None:
    assert max(portions_of(made)) < 1_000
