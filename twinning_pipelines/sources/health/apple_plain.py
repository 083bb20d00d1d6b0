"""The plain, general engine: an export through expat, whatever the order of its attributes and its layout.

An engine turns the stream of an export into portions: its Records as columns, and the other elements below the root.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO

import pyarrow as pa

from twinning_pipelines.formats.xml_stream import Portion, portions
from twinning_pipelines.sources.health import apple_sessions
from twinning_pipelines.sources.health.apple_records import Records

ROOT = "HealthData"
RECORD = "Record"
BATCH_ROWS = 16_384

Engine = Callable[[BinaryIO], Iterator[tuple[Iterator[Records], Portion]]]


def records_of(portion: Portion) -> Iterator[Records]:
    """The Records of a portion as columns, at most 16,384 at a time."""
    mine = [index for index, name in enumerate(portion.names) if name == RECORD]
    zones = {
        owner: attributes.get("value", "")
        for owner, depth, name, attributes in portion.inner
        if depth == 1 and apple_sessions.is_zone(name, attributes)
    }
    for begin in range(0, len(mine), BATCH_ROWS):
        some = mine[begin : begin + BATCH_ROWS]
        given = [portion.attributes[index] for index in some]
        yield Records(
            at=portion.lines[some],
            kinds=_column(given, "type"),
            origins=_column(given, "sourceName"),
            units=_column(given, "unit"),
            starts=_column(given, "startDate"),
            ends=_column(given, "endDate"),
            values=_column(given, "value"),
            zones={place: zones[index] for place, index in enumerate(some) if index in zones},
            raw=partial(_raw_of, portion, some),
        )


def _raw_of(portion: Portion, indexes: list[int], place: int) -> str:
    return portion.raw(indexes[place])


def _column(given: list[dict[str, str]], name: str) -> pa.StringArray:
    try:
        return pa.array([each[name] for each in given], pa.string())
    except KeyError:
        return pa.array([each.get(name) for each in given], pa.string())


def read_with_expat(stream: BinaryIO) -> Iterator[tuple[Iterator[Records], Portion]]:
    """The general engine: any order of attributes, any layout. A faster one must find the same and may fall back on it."""
    for portion in portions(stream, ROOT):
        yield records_of(portion), portion
