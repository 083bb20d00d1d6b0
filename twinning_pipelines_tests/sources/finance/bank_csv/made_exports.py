"""Exports of a few lines, and what is read of them."""

from pathlib import Path

from twinning_pipelines.original import Original
from twinning_pipelines.source import Batch
from twinning_pipelines.sources.finance.bank_csv import SOURCE
from twinning_pipelines_tests.goldens import BERLIN


def file_of(folder: Path, *lines: str) -> Original:
    path = folder / "export.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Original.at(path)


def rows(original: Original) -> list[dict[str, object]]:
    return [row for item in SOURCE.parse(original, BERLIN) if isinstance(item, Batch) for row in item.rows.to_pylist()]


def amounts(original: Original) -> list[object]:
    return [row["amount"] for row in rows(original)]
