"""How a sample becomes a CSV file, with a few bad rows planted in it."""

import csv
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import TypeVar

Planted = TypeVar("Planted")

_FIRST_BAD = 3
_BETWEEN = 7


def with_bad(good: Sequence[Planted], bad: Sequence[Planted], broken: int) -> list[Planted]:
    """The good rows with `broken` bad ones among them, always at the same places counted from the top."""
    rows = list(good)
    for count, row in enumerate(islice(cycle(bad), broken)):
        rows.insert(_FIRST_BAD + count * _BETWEEN, row)
    return rows


def write_csv(path: Path, headings: Sequence[str], rows: Sequence[Mapping[str, object]], *, bom: bool = False) -> int:
    """Writes the rows and answers how many there are; a cell that is left out or None is empty."""
    with path.open("w", encoding="utf-8-sig" if bom else "utf-8", newline="") as stream:
        table = csv.DictWriter(stream, headings, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    return len(rows)
