"""Traits, correlations, hearing and eye tests, documents: what is told of a person beside days and workouts."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from twinning_pipelines.clock import Clock
from twinning_pipelines.sources.health.apple_health import SOURCE
from twinning_pipelines_tests.goldens import notices, reasons, rows
from twinning_pipelines_tests.sources.health.apple_health.made import SPAN, accounts, export_of

MEDICAL = Path(__file__).parent / "medical.xml"
NEW_YORK = Clock.fixed(ZoneInfo("America/New_York"))


def test_traits_are_told_in_words_and_what_is_not_set_is_told_as_that(tmp_path: Path) -> None:
    found = {row["trait"]: row["value"] for row in rows(SOURCE, MEDICAL) if "trait" in row}
    assert found == {"date_of_birth": "1988-04-12", "blood_type": "O+", "wheelchair_use": "No"}
    assert any("not set, left out: CardioFitnessMedicationsUse (1)" in each for each in notices(SOURCE, MEDICAL))
    nobody = export_of(tmp_path, '<Me HKCharacteristicTypeIdentifierBiologicalSex="HKBiologicalSexNotSet"/>')
    assert rows(SOURCE, nobody) == []
    assert accounts(nobody)["Me"].ignored == {"nothing in it is set": 1}


def test_members_of_a_correlation_are_the_samples_that_stand_beside_it() -> None:
    found = rows(SOURCE, MEDICAL)
    (food,) = [row for row in found if "members" in row]
    assert json.loads(food["members"]) == [
        ["dietary_protein", "2026-01-30T17:00:00+00:00", 30.5],
        ["apple:DietaryChromium", "2026-01-30T17:00:00+00:00", 4.0],
        ["dietary_energy", "noon", "4"],
        ["apple:AppetiteChanges", "2026-01-30T17:00:00+00:00", "Increased"],
    ]
    samples = [[row["metric"], row["started_at"].isoformat(), row["value"]] for row in found if "metric" in row]
    assert samples == json.loads(food["members"])[:2]
    assert (food["kind"], food["detail"]) == ("food", '{"HKFoodType":"Lentils & rice"}')


def test_a_hearing_test_is_told_by_frequency_and_a_bad_frequency_costs_itself(tmp_path: Path) -> None:
    found = [row for row in rows(SOURCE, MEDICAL) if "frequency_hz" in row]
    assert [(row["frequency_hz"], row.get("left_db"), row.get("right_db")) for row in found] == [
        (250, 7.5, -5),
        (1000, None, 10),
    ]
    assert json.loads(found[0]["detail"])["leftEarClampingRangeUpperBound"] == "85"
    told = reasons(SOURCE, MEDICAL)
    assert "SensitivityPoint: missing" in told
    assert "SensitivityPoint: leftEarUnit: not decibels of hearing level: 'bel'" in told
    assert "frequency_hz: not between 1 and 100000: '999999.0'" in told
    odd = '<SensitivityPoint frequencyUnit="Hz"/><SensitivityPoint frequencyValue="1" frequencyUnit="cpm"/>'
    path = export_of(tmp_path, f'<Audiogram sourceName="Phone" {SPAN}>{odd}</Audiogram>')
    assert reasons(SOURCE, path) == [
        "SensitivityPoint: frequencyValue: missing",
        "SensitivityPoint: frequencyUnit: not hertz: 'cpm'",
    ]


def test_a_prescription_is_of_the_persons_day_whatever_the_offset_of_the_export() -> None:
    (berlin,) = [row for row in rows(SOURCE, MEDICAL) if "issued_on" in row]
    (new_york,) = [row for row in rows(SOURCE, MEDICAL, NEW_YORK) if "issued_on" in row]
    assert (berlin["issued_on"], new_york["issued_on"]) == (date(2026, 1, 6), date(2026, 1, 5))
    assert (berlin["kind"], berlin["brand"], berlin["expires_on"]) == ("contacts", "Clear", date(2028, 1, 5))
    assert json.loads(berlin["right_eye"])["sphere"] == -1.25
    assert json.loads(berlin["left_eye"]) == {"sphere": -1.5, "sphereUnit": "D"}
    assert json.loads(berlin["detail"]) == {"HKExternalUUID": "p-1", "attachments": ["A-1"]}


def test_a_document_is_listed_though_its_file_is_not_there() -> None:
    (found,) = [row for row in rows(SOURCE, MEDICAL) if "identifier" in row]
    assert found == {
        "at": 19, "kind": "lab_result", "identifier": "lab-1", "origin": "Clinic", "fhir_version": "4.0.1",
        "received_at": datetime(2026, 1, 15, 15, 0, tzinfo=UTC), "path": "/clinical-records/Observation-1.json",
        "detail": '{"sourceURL":"https://fhir.example.org/lab-1"}',
    }  # fmt: skip


def test_elements_that_apple_may_add_are_told_by_name_and_number() -> None:
    (told,) = [each for each in notices(SOURCE, MEDICAL) if each.startswith("elements")]
    assert told == "elements that no table holds yet, left in the file: StateOfMind (2)"
    assert accounts(MEDICAL)["Label"].ignored == {"no table holds it": 1}
