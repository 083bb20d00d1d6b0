"""The mass of a portion, where the words for it say one: '150.00 g', '0.5 kg', '6 oz'."""

import re

from twinning_pipelines.formats.numbers import NumberStyle
from twinning_pipelines.records.metrics import conversion

_MASS = re.compile(r"(\S+)\s*(g|kg|oz)", re.IGNORECASE)


def grams_of(amount: str, numbers: NumberStyle) -> float | None:
    """Grams of an amount as written; None for cups, pieces and servings, whose mass nobody says."""
    match = _MASS.fullmatch(amount)
    found = conversion(match[2].lower(), "g") if match else None
    if match is None or found is None:
        return None
    try:
        return round(float(numbers.read(match[1])) * found.factor, 3)
    except ValueError:
        return None
