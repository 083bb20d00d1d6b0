"""What stands beside the export.xml in the zip: tracks as GPX, electrocardiograms as CSV, clinical documents as JSON.

From: Apple's exports, iOS 17 to 26; the layout of an electrocardiogram as the parsers of others expect it.
"""

import json
import math
from collections.abc import Iterator
from datetime import date
from random import Random

from twinning_pipelines.demo.apple_days import Day, Life, rng_of
from twinning_pipelines.demo.apple_kinds import HEALTH
from twinning_pipelines.demo.apple_pen import Pen, escaped
from twinning_pipelines.demo.apple_style import Style
from twinning_pipelines.demo.apple_workouts import Point, Track, tracks_of

_HERTZ, _SECONDS = 512, 30
# When in a beat (0 to 1), how high in microvolts, how wide: the waves P, Q, R, S and T.
_WAVES = ((0.18, 90, 0.025), (0.27, -110, 0.009), (0.29, 820, 0.010), (0.315, -190, 0.011), (0.55, 210, 0.045))
_QUARTERS = (1, 4, 7, 10)
# Hertz, and the thresholds of both ears in dB HL to which a day adds its own.
_HEARING = ((250, 8, 6), (500, 8, 7), (1000, 5, 4), (2000, 6, 8), (4000, 12, 16), (8000, 18, 24))
_CLINIC = "Praxis am Beispielplatz"
BORN = date(1988, 4, 12)


def members(life: Life, pen: Pen, style: Style) -> Iterator[tuple[str, str]]:
    """The name below the folder, and the text, of each member but the two XML."""
    kinds = [
        (style.names.routes, [(track.file, gpx(track, life, pen)) for track in tracks_of(life)]),
        (style.names.curves, [(f"ecg_{day.day}.csv", electrocardiogram(day, life, pen)) for day in _hearts(life)]),
        (style.names.documents, [(_file(day, life), document(day, life)) for day in _visits(life)]),
    ]
    for folder, found in [] if style.old or style.bare else kinds:
        if style.empty_members:
            yield f"{folder}/", ""
        for index, (name, text) in enumerate(found):
            yield f"{folder}/{name}", "" if style.empty_members and index == 0 else text


def gpx(track: Track, life: Life, pen: Pen) -> str:
    """A track as its own file: moments in UTC, and the moment of the export."""
    points = "".join(map(_trkpt, track.points(life)))
    schema = "http://www.topografix.com/GPX/1/1"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator="Apple Health Export" xmlns="{schema}" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="{schema} {schema}/gpx.xsd">\n'
        f"  <metadata>\n    <time>{pen.in_utc(life.until)}</time>\n  </metadata>\n"
        f"  <trk>\n    <name>{track.title}</name>\n    <trkseg>\n{points}    </trkseg>\n  </trk>\n</gpx>\n"
    )


def _trkpt(point: Point) -> str:
    return (
        f'      <trkpt lon="{point.longitude:.6f}" lat="{point.latitude:.6f}"><ele>{point.metres_up:.6f}</ele>'
        f"<time>{Pen.in_utc(point.at)}</time><extensions><speed>{point.speed:.6f}</speed><course>{point.course:.6f}</course>"
        f"<hAcc>4.100000</hAcc><vAcc>3.200000</vAcc></extensions></trkpt>\n"
    )


def electrocardiogram(day: Day, life: Life, pen: Pen) -> str:
    """Half a minute of lead I. A name and a birth date stand in it, as in real ones."""
    known = {
        "Name": pen.person, "Date of Birth": f'"{BORN:%b} {BORN.day}, {BORN.year}"', "Recorded Date": pen.moment(_taken(day)),
        "Classification": "Sinus Rhythm", "Symptoms": "", "Software Version": "2.11", "Device": '"Watch7,4"',
        "Sample Rate": f"{_HERTZ} hertz",
    }  # fmt: skip
    lines = [*(f"{key},{value}" for key, value in known.items()), "", "", "Lead,Lead I", "Unit,µV", "", ""]
    rng = rng_of(life.seed, "electrocardiogram", day.day)
    per_beat = round(_HERTZ * 60 / (day.resting_bpm + 6))
    beat = [_microvolts(index / per_beat) for index in range(per_beat)]
    lines += (f"{beat[index % per_beat] + rng.random() * 16 - 8:.3f}" for index in range(_HERTZ * _SECONDS))
    return "\n".join(lines) + "\n"


def _microvolts(phase: float) -> float:
    return sum(height * math.exp(-(((phase - at) / wide) ** 2) / 2) for at, height, wide in _WAVES)


def audiograms(life: Life, pen: Pen) -> Iterator[str]:
    """A hearing test on the second of April and of October."""
    for day in life.days:
        at = day.wake + 7200
        if (day.day.month, day.day.day) not in {(4, 2), (10, 2)} or at + 360 > life.until:
            continue
        points = "".join(_heard(rng_of(life.seed, "hearing", day.day), *each) for each in _HEARING)
        yield (
            f' <Audiogram type="HKDataTypeIdentifierAudiogram" {pen.origin(HEALTH)} creationDate="{pen.moment(at + 364)}" '
            f'startDate="{pen.moment(at)}" endDate="{pen.moment(at + 360)}">\n{points} </Audiogram>\n'
        )


def _heard(rng: Random, hertz: int, left: int, right: int) -> str:
    ears = (("left", left + rng.randrange(4)), ("right", right + rng.randrange(4)))
    values = " ".join(f'{ear}EarValue="{value}" {ear}EarUnit="dBHL" {ear}EarMasked="0"' for ear, value in ears)
    return f'  <SensitivityPoint frequencyValue="{hertz}" frequencyUnit="Hz" {values}/>\n'


def clinical_records(life: Life, pen: Pen, style: Style) -> Iterator[str]:
    """What the practice sent, each naming its document."""
    for day in _visits(life):
        named = _identifier(day, life)
        yield (
            f' <ClinicalRecord type="Immunization" identifier="{named}" sourceName="{escaped(_CLINIC)}" '
            f'sourceURL="https://fhir.example.org/r4/Immunization/{named}" fhirVersion="4.0.1" '
            f'receivedDate="{pen.moment(_arrives(day))}" resourceFilePath="/{style.names.documents}/{_file(day, life)}"/>\n'
        )


def document(day: Day, life: Life) -> str:
    """A vaccination, as FHIR R4 has it."""
    given = {
        "resourceType": "Immunization", "id": _identifier(day, life), "status": "completed",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "88", "display": "Influenza"}]},
        "patient": {"reference": "Patient/1"}, "occurrenceDateTime": day.day.isoformat(), "primarySource": True,
    }  # fmt: skip
    return json.dumps(given, indent=2) + "\n"


def _identifier(day: Day, life: Life) -> str:
    return f"imm-{life.seed}-{day.day:%Y%m%d}"


def _file(day: Day, life: Life) -> str:
    return f"Immunization-{Pen.identifier(rng_of(life.seed, 'document', day.day))}.json"


def _hearts(life: Life) -> Iterator[Day]:
    """On the first day of each quarter."""
    days = (day for day in life.days if day.day.day == 1 and day.day.month in _QUARTERS)
    return (day for day in days if _taken(day) + _SECONDS <= life.until)


def _taken(day: Day) -> int:
    return day.wake + 1500


def _visits(life: Life) -> Iterator[Day]:
    days = (day for day in life.days if (day.day.month, day.day.day) in {(4, 5), (11, 5)})
    return (day for day in days if _arrives(day) <= life.until)


def _arrives(day: Day) -> int:
    return day.wake + 8 * 3600
