"""Apple Health exports as they really come: broken heads, other languages, old phones. The facts stay the same."""

import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from twinning_pipelines.demo.apple_dtd import STRAY_DOCTYPE, UNTERMINATED_DOCTYPE
from twinning_pipelines.demo.apple_style import CHINESE, SPANISH, Style
from twinning_pipelines.original import Original
from twinning_pipelines.sources.health.apple_health import SOURCE
from twinning_pipelines_tests.demo.exports import FIRST, LAST, export, facts, members, xml_of
from twinning_pipelines_tests.goldens import reasons


@pytest.mark.parametrize(
    "style",
    [
        Style(doctype=UNTERMINATED_DOCTYPE),
        Style(doctype=STRAY_DOCTYPE),
        Style(control_characters=True),
        Style(names=CHINESE),
        Style(names=SPANISH),
        Style(reordered=True),
        Style(names=CHINESE, doctype=STRAY_DOCTYPE, control_characters=True, reordered=True),
    ],
    ids=["unterminated", "stray", "control", "chinese", "spanish", "reordered", "all at once"],
)
def test_however_it_is_told_the_facts_are_the_same(style: Style, tmp_path: Path) -> None:
    plain, odd = tmp_path / "plain.zip", tmp_path / "odd.zip"
    assert export(plain, records=26 * 160) == export(odd, records=26 * 160, style=style)
    assert plain.read_bytes() != odd.read_bytes()
    assert SOURCE.recognises(Original.at(odd))
    assert reasons(SOURCE, odd) == []
    assert Counter(map(_free_of_names, facts(plain))) == Counter(map(_free_of_names, facts(odd)))


def _free_of_names(fact: dict[str, Any]) -> str:
    """A fact without the names of members, which differ from language to language."""
    return re.sub(r"(apple_health_export|exportación_salud|rutas-de-entrenamiento|workout-routes)/", "", str(fact))


@pytest.mark.parametrize("doctype", [UNTERMINATED_DOCTYPE, STRAY_DOCTYPE])
def test_a_broken_head_stops_other_parsers(doctype: str, tmp_path: Path) -> None:
    export(tmp_path / "export.zip", records=26 * 160, style=Style(doctype=doctype))
    with pytest.raises(ET.ParseError):
        ET.fromstring(xml_of(tmp_path / "export.zip"))


@pytest.mark.parametrize(("zone", "printed"), [("Asia/Kolkata", "+0530"), ("America/St_Johns", "-0230")])
def test_offsets_of_half_an_hour(zone: str, printed: str, tmp_path: Path) -> None:
    there = ZoneInfo(zone)
    made = datetime(2024, 4, 15, 8, tzinfo=there)
    export(tmp_path / "export.zip", zone=there, exported_at=made, records=26 * 160)
    assert set(re.findall(r'(?:Date|date)="[^"]* ([+-]\d{4})"', xml_of(tmp_path / "export.zip"))) == {printed}
    rings = [row["day"] for row in facts(tmp_path / "export.zip") if "move_kcal" in row]
    assert (rings[0], rings[-1]) == (FIRST, LAST)
    starts = [
        row["started_at"].astimezone(there) for row in facts(tmp_path / "export.zip") if row.get("metric") == "steps"
    ]
    assert {moment.date() for moment in starts} == set(rings)


def test_members_without_a_byte(tmp_path: Path) -> None:
    export(tmp_path / "export.zip", records=26 * 160, style=Style(empty_members=True))
    beside = members(tmp_path / "export.zip")
    assert {name.split("/")[0] for name, text in beside.items() if not text} == {
        "workout-routes", "electrocardiograms", "clinical-records",
    }  # fmt: skip
    assert SOURCE.recognises(Original.at(tmp_path / "export.zip"))
    assert len([row for row in facts(tmp_path / "export.zip") if "move_kcal" in row]) == 26


def test_an_old_export_has_tracks_inside_and_totals_instead_of_statistics(tmp_path: Path) -> None:
    export(tmp_path / "new.zip", records=26 * 160)
    export(tmp_path / "old.zip", records=26 * 160, style=Style(old=True))
    text = xml_of(tmp_path / "old.zip")
    assert members(tmp_path / "old.zip") == {}
    declared = set(re.findall(r"<!ELEMENT (\w+)", text))
    root = ET.fromstring(text)
    assert {element.tag for element in root.iter()} == declared
    assert root.find("Workout/WorkoutRoute/Location") is not None
    stages = re.findall(r'"HKCategoryValueSleepAnalysis(\w+)"', text)
    assert set(stages) == {"InBed", "Asleep", "Awake"}
    assert reasons(SOURCE, tmp_path / "old.zip") == []
    new, old = (
        [
            (row["started_at"], row["activity"], row["energy_kcal"])
            for row in facts(tmp_path / f"{name}.zip")
            if "activity" in row
        ]
        for name in ("new", "old")
    )
    assert old == new


def test_every_attribute_and_element_is_one_that_the_head_declares(tmp_path: Path) -> None:
    export(tmp_path / "new.zip", records=26 * 160)
    export(tmp_path / "old.zip", records=26 * 160, style=Style(old=True))
    for name in ("new", "old"):
        text = xml_of(tmp_path / f"{name}.zip")
        lists = dict(re.findall(r"<!ATTLIST (\w+)\n(.*?)\n>", text, re.DOTALL))
        for element in ET.fromstring(text).iter():
            declared = (
                dict(line.split(maxsplit=1) for line in lists[element.tag].split("\n")) if element.tag in lists else {}
            )
            assert element.attrib.keys() <= declared.keys()
            assert {each for each, rest in declared.items() if "REQUIRED" in rest} <= element.attrib.keys()
