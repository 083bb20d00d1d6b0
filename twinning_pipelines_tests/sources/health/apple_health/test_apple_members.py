"""The zip that a Spanish phone makes, and what stands beside its XML: routes, electrocardiograms, documents, the rest.

`in_zip/` holds the members as they are read by a person; the sample `whole.zip` is made of them.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.sources.health.apple_health import SOURCE
from twinning_pipelines_tests.goldens import BERLIN, notices, read, reasons, rows
from twinning_pipelines_tests.sources.health.apple_health.made import accounts

HERE = Path(__file__).parent
PARTS = HERE / "in_zip"
WHOLE = HERE / "whole.zip"


def members() -> dict[str, bytes]:
    found = {str(path.relative_to(PARTS)): path.read_bytes() for path in PARTS.rglob("*") if path.is_file()}
    return {name.replace("export", "exportación"): content for name, content in sorted(found.items())}


def zipped(path: Path, content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in content.items():
            archive.writestr(zipfile.ZipInfo(name), each)
    return path


def of(table: str, found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in found if line.get("record") == table]


def test_the_sample_holds_the_parts() -> None:
    if os.environ.get("TWINNING_WRITE_GOLDENS") == "1":
        zipped(WHOLE, members())
    with zipfile.ZipFile(WHOLE) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == members()


def test_a_workout_has_each_of_its_routes_with_what_their_files_say() -> None:
    found = [line for line in of("route", read(SOURCE, WHOLE)) if "points" in line]
    assert [(line["name"], line["points"], line.get("workout_at")) for line in found] == [
        ("route", 2, None),
        ("hiking", 2, "2025-05-31 08:00:00+00:00"),
        ("hiking", 1, "2025-05-31 08:00:00+00:00"),
    ]
    first = found[1]
    assert (first["started_at"], first["ended_at"]) == ("2025-05-31 08:00:10+00:00", "2025-05-31 08:01:10+00:00")
    assert (first["distance_m"], first["ascent_m"]) == (pytest.approx(111.2, abs=0.1), 5.5)
    assert json.loads(first["track"]) == [
        [0, 40.4, -3.7, 600, 1.2, None, 4.1, 3.2],
        [60, 40.401, -3.7, 605.5, 1.4, 0.5, 4.1, 3.2],
    ]
    assert "what routes say beside their points, left out: HKMetadataKeySyncVersion (1)" in notices(SOURCE, WHOLE)
    assert accounts(WHOLE)["MetadataEntry"].ignored == {"a route keeps its points alone": 1}


def test_a_route_that_cannot_be_read_costs_itself_alone() -> None:
    found = [line for line in of("route", read(SOURCE, WHOLE)) if "reason" in line]
    assert [(line["at"], line["reason"]) for line in found] == [
        (16, "/workout-routes/route_2025-05-31_10.30am.gpx: line 7: lat, lon: no place on Earth: 140.401, -3.7"),
        (23, "/workout-routes/lost.gpx: missing from the zip"),
        (26, "/workout-routes/empty.gpx: empty"),
        (29, "/workout-routes/broken.gpx: line 6: the file breaks off here"),
        (32, "WorkoutRoute: neither a file nor points"),
    ]


def test_a_curve_is_read_in_the_words_and_the_decimals_of_the_phone() -> None:
    english, german = [line for line in of("electrocardiogram", read(SOURCE, WHOLE)) if "n" in line]
    assert german == {
        "at": 14, "record": "electrocardiogram", "origin": "Watch6,7", "started_at": "2025-05-20 19:15:30+00:00",
        "classification": "Sinusrhythmus", "symptoms": "Ohne", "lead": "Ableitung I", "rate_hz": 511.422, "n": 4,
        "microvolts": "[57.992,-62.5,-66,0.001]", "detail": '{"file":"ecg_2025-05-20.csv","software":"2.0"}',
    }  # fmt: skip
    assert english == {
        "at": 12, "record": "electrocardiogram", "origin": "Watch7,4", "started_at": "2025-05-21 19:15:30+00:00",
        "classification": "Heart Rate Over 120", "symptoms": "Rapid, pounding, or fluttering heartbeat,Fatigue",
        "lead": "Lead I", "rate_hz": 512.0, "n": 2, "microvolts": "[125,-250]",
        "detail": '{"Average Heart Rate":"131 bpm","file":"ecg_2025-05-21.csv"}',
    }  # fmt: skip


def test_a_curve_that_cannot_be_read_says_its_file_and_line() -> None:
    assert [line["reason"] for line in of("electrocardiogram", read(SOURCE, WHOLE)) if "reason" in line] == [
        "ecg_2025-05-23.csv: empty",
        "ecg_2025-05-22.csv: line 7: not a voltage: 'noise'",
    ]


def test_the_name_and_the_birth_date_of_a_curve_are_kept_nowhere() -> None:
    text = json.dumps(read(SOURCE, WHOLE), ensure_ascii=False)
    assert "Robin Example" not in text
    assert "1988" not in text
    assert any("name and birth date" in each for each in notices(SOURCE, WHOLE))


def test_documents_are_listed_with_the_digest_of_their_file() -> None:
    content = (PARTS / "export/clinical-records/Immunization-1.json").read_bytes()
    found = [row for row in rows(SOURCE, WHOLE) if "identifier" in row]
    assert found[0] == {
        "at": 34, "kind": "immunization", "identifier": "imm-1", "origin": "Clínica",
        "received_at": datetime(2025, 4, 2, 8, 0, tzinfo=UTC), "fhir_version": "4.0.1",
        "path": "exportación/clinical-records/Immunization-1.json", "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(), "detail": '{"sourceURL":"https://fhir.example.org/imm-1"}',
    }  # fmt: skip
    assert [(row["kind"], row.get("bytes"), row["path"]) for row in found[1:]] == [
        ("allergy", None, "/clinical-records/Allergy-1.json")
    ]
    assert "identifier: missing" in reasons(SOURCE, WHOLE)


def test_every_other_member_is_announced() -> None:
    told = notices(SOURCE, WHOLE)
    assert "exportación_cda.xml: repeats some of the records in another format, not read" in told
    (rest,) = [each for each in told if each.startswith("files in the zip")]
    assert rest.endswith("exportación/clinical-records/stray.json, exportación/electrocardiogramas/notes.csv")
    assert any("whose files are missing: 1" in each for each in told)


def test_an_xml_dropped_by_itself_tells_what_its_zip_would_hold() -> None:
    alone = PARTS / "export" / "export.xml"
    assert [reason for reason in reasons(SOURCE, alone) if "gpx" in reason] == []
    told = notices(SOURCE, alone)
    assert "routes that stand in files beside the XML, left out: 5; drop the zip" in told
    assert any("whose files are missing: 2" in each for each in told)
    account = accounts(alone)
    assert account["FileReference"].ignored == {"its file is not in the XML: drop the zip": 5}
    assert (account["WorkoutRoute"].stored, account["WorkoutRoute"].rejected) == (0, 1)


@pytest.mark.parametrize(
    "main", ["export.xml", "apple_health_export/Export.xml", "apple_health_export/导出.xml", "vienti.xml"]
)
def test_paths_are_found_from_the_folder_of_the_xml_whatever_its_name(main: str, tmp_path: Path) -> None:
    folder = main.rpartition("/")[0]
    content = members()
    route = content["exportación/workout-routes/route_2025-05-31_11.05am.gpx"]
    name = f"{folder}/workout-routes/route_2025-05-31_11.05am.gpx".lstrip("/")
    path = zipped(tmp_path / "x.zip", {main: content["exportación/exportación.xml"], name: route})
    assert [row["points"] for row in rows(SOURCE, path) if "points" in row] == [1]


def test_a_route_is_found_by_its_name_where_the_folder_was_translated(tmp_path: Path) -> None:
    content = members()
    route = content["exportación/workout-routes/route_2025-05-31_11.05am.gpx"]
    main = {"a/b.xml": content["exportación/exportación.xml"]}
    found = zipped(tmp_path / "one.zip", main | {"a/rutas/route_2025-05-31_11.05am.gpx": route})
    assert [row["name"] for row in rows(SOURCE, found) if "points" in row] == ["hiking"]
    name = "route_2025-05-31_11.05am.gpx"
    twice = zipped(tmp_path / "two.zip", main | {f"a/x/{name}": route, f"a/y/{name}": route})
    assert [row["name"] for row in rows(SOURCE, twice) if "points" in row] == ["route", "route"]


def test_damage_in_one_member_costs_that_member(tmp_path: Path) -> None:
    path = zipped(tmp_path / "bent.zip", members())
    raw = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("exportación/workout-routes/route_2025-05-31_11.05am.gpx")
    raw[info.header_offset + 30 + len(info.filename.encode()) + 20] ^= 0xFF
    path.write_bytes(bytes(raw))
    (reason,) = [each for each in reasons(SOURCE, path) if "11.05am" in each]
    assert "damaged zip" in reason
    assert [row["name"] for row in rows(SOURCE, path) if "points" in row] == ["hiking", "route"]


def test_members_without_bytes_are_rejected_or_ignored_and_never_an_error(tmp_path: Path) -> None:
    main = "exportación/exportación.xml"
    path = zipped(
        tmp_path / "hollow.zip", {name: content if name == main else b"" for name, content in members().items()}
    )
    assert {each.rpartition(": ")[2] for each in reasons(SOURCE, path)} >= {"empty"}
    assert [row["bytes"] for row in rows(SOURCE, path) if row.get("bytes") is not None] == [0]


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + b"\0" * 18])
def test_nothing_and_an_empty_zip_are_no_export(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(content)
    assert not SOURCE.recognises(Original.at(path))
    with pytest.raises(UnreadableFile):
        list(SOURCE.parse(Original.at(path), BERLIN))
