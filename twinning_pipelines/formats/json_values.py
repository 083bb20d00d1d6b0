"""Decoded JSON to values: numbers, texts and lists out of what a file may hold in their place, and the JSON we store."""

import json
import math
from collections.abc import Mapping

_SHOWN = 60


def number_of(name: str, value: object) -> float:
    """A number, also one in quotes. Raises ValueError: "qty: missing", "qty: not a number: 'x'"."""
    if value is None or value == "":
        raise ValueError(f"{name}: missing")
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
    raise ValueError(f"{name}: not a number: {shown(value)}")


def optional_number(name: str, value: object) -> float | None:
    """A number; None for null, nothing and an empty text. Raises ValueError for anything else."""
    return None if value is None or value == "" else number_of(name, value)


def text_of(value: object) -> str:
    """A text without blanks around it; numbers as written, empty for anything else."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def object_of(name: str, value: object) -> dict[str, object]:
    """A JSON object. Raises ValueError: "value: not an object: 12"."""
    if isinstance(value, dict):
        return value
    raise ValueError(f"{name}: {'missing' if value is None else f'not an object: {shown(value)}'}")


def list_of(value: object) -> list[object]:
    """A JSON list; empty for anything else."""
    return value if isinstance(value, list) else []


def shown(value: object) -> str:
    """A value of the file inside a reason: quoted, and cut when it is long."""
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def detail_of(values: Mapping[str, object]) -> str | None:
    """One JSON object with sorted keys, without those that say nothing; None where none is left."""
    told = {key: value for key, value in values.items() if value is not None and value not in ("", [], {})}
    return json_of(told) if told else None


def json_of(value: object) -> str:
    """The text of a JSON field, the same for the same value; figures that JSON can't hold become texts."""
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _plain(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value
