"""What else Apple's export knows of a person: traits, correlations, hearing and eye tests, documents of health records.

Facts: Apple's DTD, version 14. States of mind and doses of medications are in no element of it up to iOS 26; should a
later export bring them, they are told as elements that no table holds.
"""

import json
from datetime import date, datetime

from msgspec import Struct

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.xml_tree import Node
from twinning_pipelines.records.medical import CORRELATION, DOCUMENT, HEARING, PRESCRIPTION, TRAIT
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.apple_health import words
from twinning_pipelines.sources.health.apple_health.account import REPEATED_RULE, UNSET_RULE, Page
from twinning_pipelines.sources.health.apple_health.moments import day_of, moment_of
from twinning_pipelines.sources.health.apple_health.values import (
    METADATA,
    Attributes,
    detail_of,
    found_in,
    given_text,
    metadata_of,
    moment,
    number,
    origin_of,
    refuse,
)

POINT, RECORD, ATTACHMENT = "SensitivityPoint", "Record", "Attachment"
EYES = {"right_eye": "RightEye", "left_eye": "LeftEye"}

_NOT_SET = "NotSet"
_BLOOD_TYPES = {f"{group}{sign}": f"{group}{mark}" for group in ("A", "B", "AB", "O")
                for sign, mark in (("Positive", "+"), ("Negative", "-"))}  # fmt: skip
_HERTZ = {"Hz": 1.0, "kHz": 1000.0}
_EARS = {"left_db": "leftEar", "right_db": "rightEar"}
_DECIBELS = "dBHL"


def traits(node: Node, page: Page) -> list[Row]:
    """What is set of birth date, sex, blood and skin type; names of those that are not go to the oddities."""
    found: list[Row] = []
    for attribute, value in node.attributes.items():
        short = attribute.removeprefix(words.CHARACTERISTIC)
        said = value.strip().removeprefix(f"HK{short}")
        if said in ("", _NOT_SET):
            page.unset[short] += 1
            continue
        values = {
            "trait": words.TRAIT_OF.get(short) or words.words_of(short),
            "value": _BLOOD_TYPES.get(said, said) if short == "BloodType" else said,
        }
        found.append(Row(TRAIT, node.at, node.outline(), values))
    if found:
        page.hold(node)
    else:
        page.ignore(UNSET_RULE, node)
    return found


def correlation(node: Node, page: Page) -> list[Row]:
    """The samples that belong together. Each of them stands at the top level as well, as Apple's DTD says."""
    given = node.attributes
    metadata, records = list(node.named(METADATA)), list(node.named(RECORD))
    page.ignore(REPEATED_RULE, *records)
    values = {
        "kind": words.words_of(given_text(given, "type", "a kind").removeprefix(words.CORRELATION)),
        "origin": origin_of(given),
        "started_at": moment(given, "startDate"),
        "ended_at": moment(given, "endDate"),
        "members": _listed([_member(each.attributes) for each in records]),
        "detail": detail_of(metadata_of(metadata)),
    }
    page.hold(node, *metadata)
    return [Row(CORRELATION, node.at, node.outline(*metadata), values)]


def _member(given: Attributes) -> list[object]:
    """Metric, beginning and value of a Record inside a correlation, as its sample has them; as printed where it has none."""
    kind, printed = given.get("type"), given.get("value")
    reading = words.reading_of(kind, given.get("unit"))
    value: object = printed
    if reading.how == "number" and reading.refusal is None and printed is not None and words.NUMBER.fullmatch(printed):
        value = found_in(float(printed), reading.conversion)
    elif reading.how == "word":
        word = words.word_of(reading.name, printed)
        value = word.label or word.number
    started = moment_of(given.get("startDate", ""))
    return [reading.metric or kind or "", given.get("startDate") if started is None else started.isoformat(), value]


def audiogram(node: Node, page: Page) -> list[Row | Rejection]:
    """The thresholds of a hearing test, frequency by frequency. Raises ValueError when it has none or no beginning."""
    given, metadata = node.attributes, list(node.named(METADATA))
    points = list(node.named(POINT))
    if not points:
        raise ValueError(f"{POINT}: missing")
    common = {"origin": origin_of(given), "told_at": moment(given, "startDate")}
    about = metadata_of(metadata)
    page.hold(node, *metadata, *points)
    found: list[Row | Rejection] = []
    for point in points:
        try:
            found.append(Row(HEARING, point.at, point.outline(), common | _threshold(point.attributes, about)))
        except ValueError as wrong:
            found.append(Rejection(point.at, HEARING.name, f"{POINT}: {wrong}", point.outline()))
    return found


def _threshold(given: Attributes, about: dict[str, object]) -> dict[str, object]:
    unit = given_text(given, "frequencyUnit", "a unit")
    frequency = number(given, "frequencyValue")
    if frequency is None or unit not in _HERTZ:
        refuse("frequencyValue" if frequency is None else "frequencyUnit", None if frequency is None else unit, "hertz")
    told = {"frequencyValue", "frequencyUnit"}
    values: dict[str, object] = {"frequency_hz": frequency * _HERTZ[unit]}
    for name, ear in _EARS.items():
        values[name] = number(given, f"{ear}Value")
        if values[name] is not None and given.get(f"{ear}Unit", _DECIBELS) != _DECIBELS:
            refuse(f"{ear}Unit", given[f"{ear}Unit"], "decibels of hearing level")
        told |= {f"{ear}Value", f"{ear}Unit"}
    rest = {name: value for name, value in given.items() if name not in told}
    values["detail"] = detail_of(rest | about)
    return values


def prescription(node: Node, page: Page, clock: Clock) -> list[Row]:
    """One prescription of glasses or lenses, its values as printed, numbers as numbers."""
    given, told = node.attributes, list(node.named(METADATA, ATTACHMENT, *EYES.values()))
    attachments = [each.attributes.get("identifier", "") for each in node.named(ATTACHMENT)]
    kind = given_text(given, "type", "a kind").rpartition("Type")[2]
    values: dict[str, object] = {
        "kind": words.words_of(kind),
        "issued_on": _day(given, "dateIssued", clock),
        "expires_on": _day(given, "expirationDate", clock) if given.get("expirationDate") else None,
        "brand": given.get("brand"),
        "detail": detail_of(metadata_of(node.children) | ({"attachments": attachments} if attachments else {})),
    }
    if values["issued_on"] is None:
        refuse("dateIssued", None, "a day")
    for name, element in EYES.items():
        eye = next(node.named(element), None)
        values[name] = None if eye is None else detail_of({key: _plain(value) for key, value in eye.attributes.items()})
    page.hold(node, *told)
    return [Row(PRESCRIPTION, node.at, node.outline(*told), values)]


def _day(given: Attributes, attribute: str, clock: Clock) -> date | None:
    """A day, also where it is printed as a moment: then by the person's clock."""
    text = given.get(attribute)
    if text is None:
        return None
    instant = moment_of(text)
    day = day_of(text) if instant is None else clock.day(instant)
    if day is None:
        refuse(attribute, text, "a day")
    return day


def _plain(text: str) -> object:
    if not words.NUMBER.fullmatch(text):
        return text
    found = float(text)
    return found if abs(found) < float("inf") else text


class Document(Struct, frozen=True):
    """A ClinicalRecord: what the XML says of it. The document itself is a file of the zip."""

    at: int
    raw: str
    values: dict[str, object]

    @property
    def path(self) -> str:
        """Where it stands, as printed; empty when it is not said."""
        return str(self.values["path"] or "")

    def row(self, path: str | None, size: int | None, sha256: str | None) -> Row:
        """Its row, once the file was looked for."""
        found = {"path": path or self.values["path"], "bytes": size, "sha256": sha256}
        return Row(DOCUMENT, self.at, self.raw, self.values | found)


_DOCUMENT_ATTRIBUTES = {"type", "identifier", "sourceName", "fhirVersion", "receivedDate", "resourceFilePath"}


def document(node: Node, page: Page) -> Document:
    """What a ClinicalRecord says. Raises ValueError."""
    given, metadata = node.attributes, list(node.named(METADATA))
    kind = given_text(given, "type", "a kind").removeprefix(words.CLINICAL).removesuffix(RECORD)
    received: datetime | None = moment(given, "receivedDate") if given.get("receivedDate") else None
    rest = {name: value for name, value in given.items() if name not in _DOCUMENT_ATTRIBUTES}
    page.hold(node, *metadata)
    values: dict[str, object] = {
        "kind": words.words_of(kind),
        "identifier": given_text(given, "identifier", "a name"),
        "origin": origin_of(given),
        "received_at": received,
        "fhir_version": given.get("fhirVersion"),
        "path": given.get("resourceFilePath") or None,
        "detail": detail_of(rest | metadata_of(metadata)),
    }
    return Document(node.at, node.outline(*metadata), values)


def _listed(members: list[list[object]]) -> str:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))
