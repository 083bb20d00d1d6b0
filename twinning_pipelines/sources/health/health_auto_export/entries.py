"""Health Auto Export's other lists: moods, medications, symptoms, cycles, electrocardiograms, heart rate notifications.

Facts: the app's page "API Export, JSON Format". The fields of cycle tracking are not documented there: an entry is
read by what all lists share, a name, a time and a value, and everything else it says is its detail.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from twinning_pipelines.formats.json_values import (
    detail_of,
    json_of,
    list_of,
    number_of,
    object_of,
    optional_number,
    shown,
    text_of,
)
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.medical import DOSE, ELECTROCARDIOGRAM, MOOD
from twinning_pipelines.records.record import Record
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.health_auto_export.metrics import ORIGIN, PREFIX, Told
from twinning_pipelines.sources.health.health_auto_export.stamps import instant
from twinning_pipelines.sources.health.places import Place

_NO_WORD = re.compile(r"[^a-z0-9]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Microvolts in one of the unit.
_VOLTS = {"V": 1e6, "mV": 1e3, "µV": 1.0, "μV": 1.0, "uV": 1.0, "mcV": 1.0}

Entry = Mapping[str, object]


def entry_rows(section: str, value: object, place: Place, told: Told) -> Iterator[Row | Rejection]:
    """The row of one entry of a list."""
    record, values_of = SECTIONS[section]
    try:
        values = values_of(object_of(section, value), told)
    except (ValueError, OverflowError) as fault:
        yield place.rejection(record, fault)
    else:
        yield Row(record, place.at, place.raw, values)


def _mood(entry: Entry, told: Told) -> dict[str, object]:
    return {
        "origin": text_of(entry.get("source")) or ORIGIN,
        "told_at": instant("start", entry.get("start", entry.get("date")), told.clock),
        "kind": _word(text_of(entry.get("kind"))),
        "valence": optional_number("valence", entry.get("valence")),
        "labels": _joined(entry.get("labels")),
        "associations": _joined(entry.get("associations")),
        "detail": _rest(entry, "source", "start", "kind", "valence", "labels", "associations"),
    }


def _dose(entry: Entry, told: Told) -> dict[str, object]:
    # `start` is when the person began to take it at all; only doses without a plan have nothing else.
    key = "scheduledDate" if entry.get("scheduledDate") else "start"
    return {
        "origin": text_of(entry.get("source")) or ORIGIN,
        "told_at": instant(key, entry.get(key), told.clock),
        "medication": text_of(entry.get("displayText")) or text_of(entry.get("nickname")),
        "status": text_of(entry.get("status")).lower() or None,
        "amount": optional_number("dosage", entry.get("dosage")),
        "unit": text_of(entry.get("form")).lower() or None,
        "detail": _rest(entry, "source", key, "displayText", "status", "dosage", "form"),
    }


def _symptom(entry: Entry, told: Told) -> dict[str, object]:
    return _sample(entry, told, _word(text_of(entry.get("name"))), text_of(entry.get("severity")), ("name", "severity"))


def _cycle(entry: Entry, told: Told) -> dict[str, object]:
    name = next((text_of(entry[key]) for key in ("name", "type") if entry.get(key)), "")
    label = next((text_of(entry[key]) for key in ("value", "flow", "result", "quality") if entry.get(key)), "")
    return _sample(entry, told, f"cycle_{_word(name)}".rstrip("_"), label, ())


def _notification(entry: Entry, told: Told) -> dict[str, object]:
    values = _sample(entry, told, "heart_rate_notification", text_of(entry.get("name")), ("name", "threshold"))
    threshold = optional_number("threshold", entry.get("threshold"))
    return values if threshold is None else values | {"value": threshold}


def _sample(entry: Entry, told: Told, name: str, label: str, said: tuple[str, ...]) -> dict[str, object]:
    """A thing that was there: its value is 1, its label says how it was."""
    if not name:
        raise ValueError("name: missing")
    first = next((key for key in ("start", "startDate", "date") if entry.get(key)), "start")
    last = next((key for key in ("end", "endDate") if entry.get(key)), first)
    metric = PREFIX + name
    values = {
        "metric": metric,
        "origin": text_of(entry.get("source")) or ORIGIN,
        "started_at": instant(first, entry.get(first), told.clock),
        "ended_at": instant(last, entry.get(last), told.clock),
        "value": 1.0,
        "label": label or None,
        "detail": _rest(entry, first, last, "source", *said),
    }
    told.oddities.unregistered[metric] += 1
    return values


def _electrocardiogram(entry: Entry, told: Told) -> dict[str, object]:
    curve = [_microvolts(each) for each in list_of(entry.get("voltageMeasurements"))]
    if not curve:
        raise ValueError("voltageMeasurements: missing; the app can leave them out of an export")
    return {
        "origin": text_of(entry.get("source")) or ORIGIN,
        "started_at": instant("start", entry.get("start"), told.clock),
        "classification": text_of(entry.get("classification")) or None,
        "rate_hz": optional_number("samplingFrequency", entry.get("samplingFrequency")),
        "n": len(curve),
        "microvolts": json_of(curve),
        "detail": _rest(entry, "source", "start", "classification", "samplingFrequency", "voltageMeasurements"),
    }


def _microvolts(value: object) -> float:
    measured = object_of("voltageMeasurements", value)
    unit = text_of(measured.get("units")) or "V"
    if unit not in _VOLTS:
        raise ValueError(f"units: don't know how to turn {shown(unit)} into microvolts")
    return round(number_of("voltage", measured.get("voltage")) * _VOLTS[unit], 3)


def _word(text: str) -> str:
    """`Momentary Emotion` and `momentaryEmotion` are `momentary_emotion`."""
    return _NO_WORD.sub("_", _HUMP.sub("_", text).lower()).strip("_")


def _joined(value: object) -> str | None:
    return ", ".join(filter(None, map(text_of, list_of(value)))) or None


def _rest(entry: Entry, *said: str) -> str | None:
    return detail_of({key: value for key, value in entry.items() if key not in said})


SECTIONS: Mapping[str, tuple[Record, Callable[[Entry, Told], dict[str, object]]]] = {
    "stateOfMind": (MOOD, _mood),
    "medications": (DOSE, _dose),
    "symptoms": (SAMPLE, _symptom),
    "cycleTracking": (SAMPLE, _cycle),
    "ecg": (ELECTROCARDIOGRAM, _electrocardiogram),
    "heartRateNotifications": (SAMPLE, _notification),
}
