"""Electrocardiograms of Apple's export: a CSV each, with a few lines that say what it is and then a voltage a line.

The words and the decimal mark are those of the phone's language and region. What names no word does is read by its
looks: the moment, the rate (`511,422 hertz`), the unit. The person's name and birth date, which stand above the moment
in every file, are dropped on purpose. Facts: exports in English, German and Chinese, as public parsers and their tests
quote them; the words of the other languages are likely ones, not seen in a file.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from math import isfinite

from msgspec import Struct, field

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.dates import decide
from twinning_pipelines.formats.text import decode
from twinning_pipelines.formats.times import instant_of, stamp_of
from twinning_pipelines.records.medical import ELECTROCARDIOGRAM
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.apple_health.values import cleaned, detail_of
from twinning_pipelines.sources.health.apple_health.words import shown

LONGEST_BYTES = 32 * 1024**2
_HEADER_LINES = 100
# A CSV that says none of these is something else.
_MARKS = {"recorded", "rate", "unit"}
DEVICE = "Apple Watch"

# The words of Apple's lines, folded: en, de, fr, es, it, pt, nl, zh, ja.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "nom", "nombre", "nome", "naam", "姓名", "名前"),
    "birth": (
        "date of birth", "geburtsdatum", "geburtstag", "date de naissance", "fecha de nacimiento", "data di nascita",
        "data de nascimento", "geboortedatum", "出生日期", "生年月日",
    ),
    "recorded": (
        "recorded date", "recording date", "record date", "aufzeichnungsdatum", "aufnahmedatum",
        "date d'enregistrement", "date enregistrée", "fecha de registro", "fecha de grabación", "fecha registrada",
        "data di registrazione", "data registrazione", "data de registro", "data da gravação", "opnamedatum",
        "记录日期", "記錄日期", "記録日",
    ),
    "classification": (
        "classification", "klassifizierung", "klassifikation", "clasificación", "classificazione", "classificação",
        "classificatie", "分类", "分類",
    ),
    "symptoms": ("symptoms", "symptome", "symptômes", "síntomas", "sintomi", "sintomas", "symptomen", "症状", "症狀"),
    "software": (
        "software version", "softwareversion", "version du logiciel", "version logicielle", "versión de software",
        "versión del software", "versione software", "versione del software", "versão do software", "softwareversie",
        "软件版本", "軟體版本", "ソフトウェアバージョン",
    ),
    "device": ("device", "gerät", "appareil", "dispositivo", "apparaat", "设备", "裝置", "デバイス"),
    "rate": (
        "sample rate", "sampling rate", "messrate", "abtastrate", "fréquence d'échantillonnage",
        "taux d'échantillonnage", "frecuencia de muestreo", "frequenza di campionamento", "taxa de amostragem",
        "bemonsteringsfrequentie", "采样率", "采样速率", "取樣率", "サンプルレート",
    ),
    "lead": ("lead", "ableitung", "dérivation", "derivación", "derivazione", "derivação", "afleiding", "导联", "導程", "誘導"),
    "unit": ("unit", "einheit", "unité", "unidad", "unità", "unidade", "eenheid", "单位", "單位", "単位"),
}  # fmt: skip
_FIELD_OF = {word: name for name, words in _WORDS.items() for word in words}

_BLANKS = "\ufeff \t\r\N{NO-BREAK SPACE}"
# Apple's own lines have no exponent.
_POINT = re.compile(r"[+-]?\d++(?:[.,]\d++)?(?:\n++|\Z)", re.ASCII)
_VOLTAGE = re.compile(r"[+-]?\d+(?:([.,])\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_RATE = re.compile(r"([0-9]+(?:[.,][0-9]+)?)\s*(?:hz|hertz|hercios|赫兹|赫茲|ヘルツ)", re.IGNORECASE)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d\s+\d{1,2}:\d\d.*")
_MICRO_OF = {"µv": 1.0, "μv": 1.0, "uv": 1.0, "microvolt": 1.0, "microvolts": 1.0, "mv": 1000.0, "v": 1_000_000.0}
_WHOLE = re.compile(r"\.0(?=[,\]])")
# The minus sign of some languages, and the apostrophe of others.
_FOLD = str.maketrans({"\N{MINUS SIGN}": "-", "\N{RIGHT SINGLE QUOTATION MARK}": "'", "\N{NO-BREAK SPACE}": " "})


class _Sheet(Struct):
    """One file: what its lines above the voltages say, by our words; the lines that nobody knows; the voltages as printed."""

    known: dict[str, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    voltages: list[float] = field(default_factory=list)

    def say(self, key: str, value: str) -> None:
        name = _FIELD_OF.get(key.translate(_FOLD).casefold()) or self._by_looks(value)
        if name is not None:
            self.known.setdefault(name, value)
        elif "recorded" in self.known:
            self.others[key] = value

    def _by_looks(self, value: str) -> str | None:
        """What a line in a language that is not listed says. Above the moment stand but the name and the birth date."""
        if "recorded" not in self.known and _MOMENT.fullmatch(value):
            return "recorded"
        if _RATE.fullmatch(value):
            return "rate"
        return "unit" if value.casefold() in _MICRO_OF else None


def row_of(content: bytes, name: str, clock: Clock) -> Row | Rejection | None:
    """The electrocardiogram of one CSV, or why it can't be read; None when the CSV is none."""
    sheet, at, problem = _sheet(decode(content).text)
    if not _MARKS & sheet.known.keys():
        return None
    try:
        if problem is not None:
            raise ValueError(f"line {at}: {problem}")
        if not sheet.voltages:
            raise ValueError("no voltages in it")
        return Row(ELECTROCARDIOGRAM, at, name, _values(sheet, name, clock))
    except ValueError as wrong:
        return Rejection(at, ELECTROCARDIOGRAM.name, f"{name}: {wrong}", name)


def _sheet(text: str) -> tuple[_Sheet, int, str | None]:
    """What a file says, with the line of its first voltage, or with the line that can't be read and why."""
    sheet = _Sheet()
    lines = [line.strip(_BLANKS) for line in text.split("\n")]
    for number, line in enumerate(lines[:_HEADER_LINES], 1):
        if _VOLTAGE.fullmatch(line.translate(_FOLD)):
            return _with_curve(sheet, lines, number)
        if line:
            sheet.say(*_pair(line))
    return sheet, 1, None


def _with_curve(sheet: _Sheet, lines: list[str], begin: int) -> tuple[_Sheet, int, str | None]:
    text = "\n".join(lines[begin - 1 :]).replace("\N{MINUS SIGN}", "-")
    rest = text.split("\n")
    # Fifteen thousand lines are looked at one by one only where one of them is wrong.
    if ("." in text and "," in text) or _POINT.sub("", text):
        wrong = _first_wrong(rest)
        if wrong is not None:
            return sheet, begin + wrong[0], wrong[1]
    sheet.voltages = list(map(float, text.replace(",", ".").split()))
    return sheet, begin, None


def _first_wrong(lines: list[str]) -> tuple[int, str] | None:
    """The index of the first line that is no voltage, or one in another decimal mark than those before it."""
    mark = None
    for index, line in enumerate(lines):
        match = _VOLTAGE.fullmatch(line)
        if line and (match is None or not isfinite(float(line.replace(",", ".")))):
            return index, f"not a voltage: {shown(line)}"
        if match is not None and match[1] is not None:
            if mark not in (None, match[1]):
                return index, f"a decimal {match[1]!r} after a decimal {mark!r}: {shown(line)}"
            mark = match[1]
    return None


def _pair(line: str) -> tuple[str, str]:
    """The word and the rest of `Device,"Watch6,2"`; a rest with bare commas in it is one text as well."""
    key, _, value = line.partition(",")
    return key.strip().strip('"'), value.strip().strip('"').replace('""', '"').strip()


def _values(sheet: _Sheet, name: str, clock: Clock) -> dict[str, object]:
    known = sheet.known
    unit = known.get("unit")
    if unit is None or unit.casefold() not in _MICRO_OF:
        raise ValueError("unit: missing" if unit is None else f"unit: don't know how to turn {shown(unit)} into µV")
    factor = _MICRO_OF[unit.casefold()]
    details = sheet.others | {"file": name}
    if "software" in known:
        details["software"] = known["software"]
    return {
        "origin": cleaned(known.get("device", "")) or DEVICE,
        "started_at": _recorded(known.get("recorded"), clock),
        "classification": known.get("classification") or None,
        "symptoms": known.get("symptoms") or None,
        "lead": known.get("lead") or None,
        "rate_hz": _rate(known.get("rate")),
        "n": len(sheet.voltages),
        "microvolts": _curve(sheet.voltages, factor),
        "detail": detail_of(details),
    }


def _recorded(text: str | None, clock: Clock) -> datetime:
    if text is None:
        raise ValueError("recorded date: missing")
    days = decide([text], clock.date_order)
    return instant_of(stamp_of(text, days.read), clock)


def _rate(text: str | None) -> float | None:
    if not text:
        return None
    match = re.match(r"\d+(?:[.,]\d+)?", text, re.ASCII)
    if match is None:
        raise ValueError(f"sample rate: not a number: {shown(text)}")
    return float(match[0].replace(",", "."))


def _curve(voltages: list[float], factor: float) -> str:
    """A JSON list of microvolts; whole ones without a point, nought without a sign."""
    # A factor of ten brings digits that nobody printed.
    found = voltages if factor == 1 else [round(each * factor, 6) for each in voltages]
    return _WHOLE.sub("", json.dumps([each + 0.0 for each in found], separators=(",", ":")))
