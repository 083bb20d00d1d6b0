"""Broken exports, as they are known: one bad element costs itself, one bad file is refused with its line."""

import zipfile
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinning_pipelines.demo.apple_health import write_export
from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.sources.health.apple_health import SOURCE
from twinning_pipelines_tests.goldens import read, reasons, rows
from twinning_pipelines_tests.sources.health.apple_health.made import accounts, export_of, record

HERE = Path(__file__).parent
STEP = record("HKQuantityTypeIdentifierStepCount", "1", "count")
INVALID = "broken XML: not well-formed (invalid token)"


def test_attribute_names_with_blanks_cost_their_record_alone(tmp_path: Path) -> None:
    broken = '<Record type="x" Health Mate App Version="2.1"/>'
    path = export_of(tmp_path, STEP, broken, STEP)
    told = read(SOURCE, path)
    assert [(line["at"], line["reason"], line["raw"]) for line in told if "reason" in line] == [(3, INVALID, broken)]
    assert [row["at"] for row in rows(SOURCE, path) if "metric" in row] == [2, 4]
    assert (accounts(path)["Record"].stored, accounts(path)["Record"].rejected) == (2, 1)


def test_each_broken_element_of_the_sample_is_rejected_and_its_neighbours_are_read() -> None:
    path = HERE / "broken_elements.xml"
    assert [(row["at"], row["value"]) for row in rows(SOURCE, path)] == [(8, 1), (23, 5)]
    found = [(line["at"], line["record"], line["reason"]) for line in read(SOURCE, path) if "reason" in line]
    assert found == [
        (9, "sample", INVALID),
        (10, "sample", INVALID),
        (13, "sample", INVALID),
        (14, "sample", INVALID),
        (15, "sample", "broken XML: undefined entity"),
        (16, "correlation", INVALID),
        (20, "workout", "broken XML: mismatched tag"),
        (24, "sample", INVALID),
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    path = tmp_path_factory.mktemp("made") / "export.zip"
    zone = ZoneInfo("Europe/Zurich")
    write_export(path, seed=3, first=date(2024, 4, 1), last=date(2024, 4, 2), zone=zone,
                 exported_at=datetime(2024, 4, 3, 9, 0, tzinfo=zone))  # fmt: skip
    with zipfile.ZipFile(path) as archive:
        return archive.read("apple_health_export/export.xml").decode().split("\n")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1), bad=st.sampled_from([' a b="1"', " <", ' x="&y;"', ' z="\x05\uffff" z="2"']))
def test_a_bad_record_anywhere_is_the_only_thing_that_is_lost(
    share: float, bad: str, made: list[str], tmp_path: Path
) -> None:
    records = [number for number, line in enumerate(made) if line.startswith(" <Record ") and line.endswith("/>")]
    number = records[int(share * (len(records) - 1))]
    spoiled = [*made[:number], made[number].removesuffix("/>") + bad + "/>", *made[number + 1 :]]
    without = [*made[:number], "", *made[number + 1 :]]
    paths = tmp_path / "spoiled.xml", tmp_path / "without.xml"
    for path, lines in zip(paths, (spoiled, without), strict=True):
        path.write_text("\n".join(lines), encoding="utf-8")
    found, expected = ([line for line in read(SOURCE, path) if "record" in line] for path in paths)
    assert [line for line in found if "reason" not in line] == expected
    assert [(line["at"], line["record"]) for line in found if "reason" in line] == [(number + 1, "sample")]


def test_an_export_that_breaks_off_is_refused_with_the_line(tmp_path: Path) -> None:
    path = export_of(tmp_path, STEP, '<Record type="x" Health Mate App Version="2.1"/>', STEP)
    path.write_bytes(path.read_bytes().split(b"</HealthData>")[0][:-20])
    with pytest.raises(UnreadableFile, match="line 4: the file breaks off here"):
        rows(SOURCE, path)


def test_what_is_broken_beyond_an_element_is_refused_with_the_line(tmp_path: Path) -> None:
    path = export_of(tmp_path, STEP)
    path.write_bytes(path.read_bytes() + b"<HealthData/>")
    with pytest.raises(UnreadableFile, match="line 4: broken XML: junk after document element"):
        rows(SOURCE, path)


def test_a_record_without_an_end_takes_no_other_with_it(tmp_path: Path) -> None:
    path = export_of(tmp_path, STEP, STEP.removesuffix("</Record>"), STEP)
    assert [row["at"] for row in rows(SOURCE, path)] == [2, 4]
    assert reasons(SOURCE, path) == ["broken XML: mismatched tag"]


@pytest.mark.parametrize(
    "prolog",
    [
        "<!DOCTYPE HealthData [\n<!ATTLIST VisionPrescription\n  type CDATA #REQUIRED\n<!ELEMENT RightEye EMPTY>\n]>\n",
        "<!DOCTYPE HealthData [\n<!ELEMENT Record EMPTY>>\n]>\n",
        '<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n\n',
        "\ufeff",
    ],
    ids=["unterminated ATTLIST", "stray bracket", "declaration", "byte-order mark"],
)
def test_the_prolog_is_never_parsed(prolog: str, tmp_path: Path) -> None:
    assert len(rows(SOURCE, export_of(tmp_path, STEP, prolog=prolog))) == 1


def test_control_characters_are_no_letters(tmp_path: Path) -> None:
    path = export_of(tmp_path, STEP.replace("Watch", "Wa\x0bt\x00c\x1fh"), "\x01")
    assert [row["origin"] for row in rows(SOURCE, path)] == ["Watch"]


def test_entities_are_never_expanded(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE HealthData [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>\n'
    with pytest.raises(HostileFile):
        rows(SOURCE, export_of(tmp_path, STEP.replace("Watch", "&b;"), prolog=bomb))
    path = export_of(tmp_path, '<!DOCTYPE HealthData [<!ENTITY a "ha">]>', STEP.replace("Watch", "&a;"), STEP)
    assert [row["at"] for row in rows(SOURCE, path)] == [4]
    assert len(reasons(SOURCE, path)) == 2


def test_a_truncated_zip_is_refused(tmp_path: Path) -> None:
    whole = (HERE / "whole.zip").read_bytes()
    path = tmp_path / "export.zip"
    for share in (0.1, 0.5, 0.9, 0.99):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(UnreadableFile):
            SOURCE.recognises(Original.at(path))


@pytest.mark.parametrize(("offset", "hour", "minute"), [("+0530", 4, 30), ("-0330", 13, 30), ("+1245", 21, 15)])
def test_offsets_of_half_and_quarter_hours(offset: str, hour: int, minute: int, tmp_path: Path) -> None:
    (row,) = rows(SOURCE, export_of(tmp_path, STEP.replace("+0200", offset)))
    assert (row["started_at"].hour, row["started_at"].minute) == (hour, minute)
