"""What the attributes and the MetadataEntry children of Apple's elements say, as typed values.

Each function raises ValueError with the reason, `attribute: what is wrong with it`, which becomes the rejection's.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import NoReturn

from twinning_pipelines.formats.xml_tree import Node
from twinning_pipelines.records.metrics import Conversion, conversion
from twinning_pipelines.sources.health.apple_health.moments import moment_of
from twinning_pipelines.sources.health.apple_health.words import NUMBER, shown, unknown_unit

METADATA = "MetadataEntry"

_INFINITE = float("inf")
_QUANTITY = re.compile(r"\s*([+-]?[\d.]+(?:[eE][+-]?\d+)?)\s*(\S+)\s*", re.ASCII)

_compact = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode

Attributes = Mapping[str, str]

# The parts of a workout repeat the moments of the whole.
_moment_of = lru_cache(maxsize=1024)(moment_of)


def refuse(attribute: str, text: str | None, thing: str) -> NoReturn:
    """Raises the reason why an attribute can't be read."""
    raise ValueError(f"{attribute}: missing" if text is None else f"{attribute}: not {thing}: {shown(text)}")


def given_text(given: Attributes, attribute: str, thing: str) -> str:
    """A text that has to be there."""
    text = given.get(attribute)
    if text is None:
        refuse(attribute, None, thing)
    return text


def origin_of(given: Attributes) -> str:
    """The name of the source, in one Unicode form and without blanks around it."""
    return cleaned(given_text(given, "sourceName", "a name"))


def cleaned(name: str) -> str:
    """A name in one Unicode form and without blanks around it."""
    return unicodedata.normalize("NFC", name).strip()


def moment(given: Attributes, attribute: str) -> datetime:
    """A UTC instant that has to be there."""
    text = given.get(attribute)
    found = None if text is None else _moment_of(text)
    if found is None:
        refuse(attribute, text, "a moment")
    return found


def number(given: Attributes, attribute: str) -> float | None:
    """A finite number; None where it is not given."""
    text = given.get(attribute)
    if text is None:
        return None
    found = float(text) if NUMBER.fullmatch(text) else _INFINITE
    if abs(found) == _INFINITE:
        refuse(attribute, text, "a number")
    return found


def whole(given: Attributes, attribute: str) -> int | None:
    """A whole number; None where it is not given."""
    found = number(given, attribute)
    if found is None:
        return None
    if not found.is_integer():
        refuse(attribute, given[attribute], "a whole number")
    return int(found)


def measure(given: Attributes, attribute: str, unit_attribute: str, canonical: str) -> float | None:
    """A number in the canonical unit; None where it is not given."""
    found = number(given, attribute)
    return None if found is None else found_in(found, factors(given, unit_attribute, canonical))


def factors(given: Attributes, unit_attribute: str, canonical: str) -> Conversion:
    """How the unit that is given leads to the canonical one."""
    unit = given.get(unit_attribute)
    how = None if unit is None else conversion(unit, canonical)
    if how is None:
        raise ValueError(f"{unit_attribute}: {unknown_unit(unit, canonical)}")
    return how


def found_in(value: float, how: Conversion) -> float:
    """A value in the canonical unit."""
    return value * how.factor + how.offset


def quantity(text: str, canonical: str) -> float | None:
    """`6575 cm` in metres: a metadata value that has its unit in it; None when it is not written so."""
    match = _QUANTITY.fullmatch(text)
    how = None if match is None else conversion(match[2], canonical)
    if match is None or how is None or not NUMBER.fullmatch(match[1]):
        return None
    found = found_in(float(match[1]), how)
    return None if abs(found) == _INFINITE else found


def metadata_of(entries: Iterable[Node]) -> dict[str, object]:
    """The MetadataEntry elements among some, as printed; a key that is repeated has a list."""
    found: dict[str, list[str]] = {}
    for each in entries:
        if each.name == METADATA:
            found.setdefault(each.attributes.get("key", ""), []).append(each.attributes.get("value", ""))
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


def detail_of(details: Mapping[str, object]) -> str | None:
    """One JSON object with sorted keys; None when there is nothing in it."""
    if not details:
        return None
    return _compact(details)
