"""Samples and what has to come out of them: beside each sample its golden, one JSON line for each row and rejection.

With TWINNING_WRITE_GOLDENS=1 the goldens are written instead of compared; a person reads them before they are kept.
"""

import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from twinning_pipelines.clock import Clock
from twinning_pipelines.ingest.check import check
from twinning_pipelines.original import Original
from twinning_pipelines.source import Batch, Notice, Source

BERLIN = Clock.fixed(ZoneInfo("Europe/Berlin"))
_SUFFIX = ".golden.jsonl"


def samples(folder: Path, *endings: str) -> list[Path]:
    """The samples of a folder by their endings, `.csv`; goldens are none."""
    return sorted(path for path in folder.iterdir() if path.suffix in endings and not path.name.endswith(_SUFFIX))


def read(source: Source, path: Path, clock: Clock = BERLIN) -> list[dict[str, Any]]:
    """What a source makes of a file, checked: accepted rows, rejections, notices and whatever else, as plain JSON.

    Rows come first in the order of the file, without their nulls; the rest follows in the order of its telling.
    """
    told = [line for item in source.parse(Original.at(path), clock) for line in _lines(item)]
    # The detour makes dates and decimals what they are in the golden.
    plain: list[dict[str, Any]] = json.loads(json.dumps(told, default=_plain))
    return sorted(plain, key=lambda line: line.get("at", float("inf")))


def rows(source: Source, path: Path, clock: Clock = BERLIN) -> list[dict[str, Any]]:
    """The accepted rows of a file, with Python's own values and without their nulls."""
    return [
        {name: value for name, value in row.items() if value is not None}
        for item in source.parse(Original.at(path), clock)
        if isinstance(item, Batch)
        for row in check(item)[0].to_pylist()
    ]


def reasons(source: Source, path: Path, clock: Clock = BERLIN) -> list[str]:
    """Why rows of a file were rejected, in the order of the file."""
    return [line["reason"] for line in read(source, path, clock) if "reason" in line]


def notices(source: Source, path: Path, clock: Clock = BERLIN) -> list[str]:
    """What a person is told about a file."""
    return [item.text for item in source.parse(Original.at(path), clock) if isinstance(item, Notice)]


def assert_golden(source: Source, sample: Path, clock: Clock = BERLIN) -> None:
    """The sample is recognised and says what its golden says."""
    assert source.recognises(Original.at(sample)), f"{source.name} does not recognise {sample.name}"
    golden = sample.with_name(sample.name + _SUFFIX)
    found = read(source, sample, clock)
    if os.environ.get("TWINNING_WRITE_GOLDENS") == "1":
        golden.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in found), encoding="utf-8")
    assert golden.exists(), f"no golden beside {sample.name}: run with TWINNING_WRITE_GOLDENS=1, then read it"
    assert found == [json.loads(line) for line in golden.read_text(encoding="utf-8").splitlines()]


def _plain(value: object) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _lines(item: object) -> Iterator[dict[str, Any]]:
    if isinstance(item, Notice):
        yield {"notice": item.text}
        return
    if not isinstance(item, Batch):
        yield {"told": type(item).__name__, "says": str(item)}
        return
    accepted, rejected = check(item)
    assert item.read == accepted.num_rows + len(rejected)
    for row in accepted.to_pylist():
        filled = {name: value for name, value in row.items() if value is not None}
        yield {"at": filled.pop("at"), "record": item.record.name} | filled
    for each in rejected:
        yield {"at": each.at, "record": each.record, "reason": each.reason, "raw": each.raw}
