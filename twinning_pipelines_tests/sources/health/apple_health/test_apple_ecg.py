"""Electrocardiograms: languages, decimal marks, clocks, units, and what is no electrocardiogram."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from twinning_pipelines.clock import Clock
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.apple_health.ecg import row_of

CLOCK = Clock.fixed(ZoneInfo("Europe/Zurich"), date_order="DMY")
HEAD = "Name,Ada Example\nDate of Birth,1990-01-01\nRecorded Date,{}\nSample Rate,512 hertz\nUnit,{}\n\n"


def row(text: str) -> Row:
    found = row_of(text.encode(), "ecg.csv", CLOCK)
    assert isinstance(found, Row), found
    return found


def refusal(text: str) -> str:
    found = row_of(text.encode(), "ecg.csv", CLOCK)
    assert isinstance(found, Rejection)
    return found.reason


VALUES = ("x", "y", "2025-01-05 09:54:54 +0800", "C", "S", "2", '"D"', "512 hertz", "L", "µV")
WORDS = {
    "en": "Name|Date of Birth|Recorded Date|Classification|Symptoms|Software Version|Device|Sample Rate|Lead|Unit",
    "de": "Name|Geburtsdatum|Aufzeichnungsdatum|Klassifizierung|Symptome|Softwareversion|Gerät|Messrate|Ableitung|Einheit",
    "fr": "Nom|Date de naissance|Date d’enregistrement|Classification|Symptômes|Version du logiciel|Appareil"
    "|Fréquence d’échantillonnage|Dérivation|Unité",
    "es": "Nombre|Fecha de nacimiento|Fecha de registro|Clasificación|Síntomas|Versión de software|Dispositivo"
    "|Frecuencia de muestreo|Derivación|Unidad",
    "it": "Nome|Data di nascita|Data di registrazione|Classificazione|Sintomi|Versione software|Dispositivo"
    "|Frequenza di campionamento|Derivazione|Unità",
    "zh": "姓名|出生日期|记录日期|分类|症状|软件版本|设备|采样率|导联|单位",
}


@pytest.mark.parametrize("language", WORDS)
def test_words_of_languages(language: str) -> None:
    lines = [f"{word},{value}" for word, value in zip(WORDS[language].split("|"), VALUES, strict=True)]
    text = "\n".join([*lines[:8], "", "", *lines[8:], "", "1,5", "-2", ""])
    assert row(text).values == {
        "origin": "D", "started_at": datetime(2025, 1, 5, 1, 54, 54, tzinfo=UTC), "classification": "C", "symptoms": "S",
        "lead": "L", "rate_hz": 512.0, "n": 2, "microvolts": "[1.5,-2]", "detail": '{"file":"ecg.csv","software":"2"}',
    }  # fmt: skip


def test_a_language_that_is_not_listed_is_read_by_looks_and_the_person_is_left_out() -> None:
    known = "Nimi,Ada|Syntymäaika,1990-01-01|Tallennettu,2025-01-05 09:54:54 +0200|Luokitus,Sinusrytmi"
    text = f"{known}|Taajuus,512 hertz|Yksikkö,µV||1,5|".replace("|", "\n")
    found = row(text).values
    assert (found["rate_hz"], found["microvolts"], found["origin"]) == (512.0, "[1.5]", "Apple Watch")
    assert found["detail"] == '{"Luokitus":"Sinusrytmi","file":"ecg.csv"}'


@pytest.mark.parametrize(
    ("printed", "hour"),
    [
        ("2025-06-05 21:54:54 +0200", 19),
        ("2025-06-05 9:54:54\N{NARROW NO-BREAK SPACE}PM +0200", 19),
        ("2025-06-05 9:54:54 pm +0200", 19),
        ("2025-06-05T21:54:54Z", 21),
        ("2025-06-05 21:54:54", 19),
        ("5.6.2025, 21:54:54", 19),
    ],
)
def test_moments_of_either_clock(printed: str, hour: int) -> None:
    assert row(HEAD.format(printed, "µV") + "1\n").values["started_at"] == datetime(
        2025, 6, 5, hour, 54, 54, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("unit", "printed", "microvolts"),
    [
        ("µV", "57.992", "57.992"),
        ("μV", "57,992", "57.992"),
        ("uV", "-0", "0"),
        ("mV", "0.057992", "57.992"),
        ("mV", "1e-3", "1"),
        ("V", "0.0001", "100"),
        ("µV", "\N{MINUS SIGN}12,5", "-12.5"),
    ],
)
def test_voltages_are_microvolts(unit: str, printed: str, microvolts: str) -> None:
    found = row(HEAD.format("2025-06-05 21:54:54 +0200", unit) + f"{printed}\r\n")
    assert found.values["microvolts"] == f"[{microvolts}]"


def test_what_cannot_be_read_says_why() -> None:
    head = HEAD.format("2025-06-05 21:54:54 +0200", "µV")
    assert refusal(head) == "ecg.csv: no voltages in it"
    assert refusal(head + "1\nabc\n") == "ecg.csv: line 8: not a voltage: 'abc'"
    assert refusal(head + "1.5\n1,5\n") == "ecg.csv: line 8: a decimal ',' after a decimal '.': '1,5'"
    assert refusal(head + "1e999\n") == "ecg.csv: line 7: not a voltage: '1e999'"
    assert refusal(head + "1.234,5\n") == "ecg.csv: no voltages in it"
    assert refusal(head.replace("µV", "bananas") + "1\n") == "ecg.csv: unit: don't know how to turn 'bananas' into µV"
    assert refusal(head.replace("Unit,µV", "") + "1\n") == "ecg.csv: unit: missing"
    assert refusal(HEAD.format("soon", "µV") + "1\n") == "ecg.csv: not a day and a time: 'soon'"
    assert refusal("Unit,µV\n1\n") == "ecg.csv: recorded date: missing"
    assert refusal(head.replace("512 hertz", "fast") + "1\n") == "ecg.csv: sample rate: not a number: 'fast'"


@pytest.mark.parametrize(
    "content", [b"a,b\n1,2\n", b"", b"\0" * 500, b"1\n2\n", "Datum,Wert\n2024,5\n".encode("utf-16")]
)
def test_other_files_are_no_electrocardiograms(content: bytes) -> None:
    assert row_of(content, "x.csv", CLOCK) is None
