"""The plain, general engine: an export through expat, whatever the order of its attributes and its layout.

An engine turns the stream of an export into portions: its Records as columns, and the other elements below the root.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import BinaryIO, TypeVar

import numpy as np
import pyarrow as pa

from twinning_pipelines.formats.xml_element import Told
from twinning_pipelines.formats.xml_stream import Portion, portions
from twinning_pipelines.sources.health.apple_health.columns import Head, Records
from twinning_pipelines.sources.health.apple_health.inside import inside_of
from twinning_pipelines.sources.health.apple_health.moments import Numbers, moments_of
from twinning_pipelines.sources.health.apple_health.words import TOP_LEVEL

ROOT = "HealthData"
RECORD = "Record"
BATCH_ROWS = 16_384

Engine = Callable[[BinaryIO], Iterator[tuple[Iterator[Records], Portion]]]

_Value = TypeVar("_Value")
# An element inside of a Record: its depth, name and attributes, so that equal ones are found.
_Inner = tuple[int, str, tuple[tuple[str, str], ...]]


def records_of(portion: Portion) -> Iterator[Records]:
    """The Records of a portion as columns, at most 16,384 at a time."""
    mine = [index for index, name in enumerate(portion.names) if name == RECORD]
    stands = _stands(portion) if mine else {}
    for begin in range(0, len(mine), BATCH_ROWS):
        some = mine[begin : begin + BATCH_ROWS]
        given = [portion.attributes[index] for index in some]
        heads, which = _coded([Head.of(each) for each in given])
        filled, within = _coded([tuple(stands.get(index, ())) for index in some])
        yield Records(
            at=portion.lines[some],
            heads=heads,
            which=which,
            starts=moments_of(_column(given, "startDate")),
            ends=moments_of(_column(given, "endDate")),
            values=_column(given, "value"),
            insides=[inside_of(Told(depth, name, dict(values)) for depth, name, values in each) for each in filled],
            within=np.where(np.array([not each for each in filled], np.bool_)[within], -1, within),
            raw=partial(_raw_of, portion, some),
        )


def _stands(portion: Portion) -> dict[int, list[_Inner]]:
    """What stands inside the Records of a portion, by their index."""
    found: defaultdict[int, list[_Inner]] = defaultdict(list)
    for owner, depth, name, attributes in portion.inner:
        if portion.names[owner] == RECORD:
            found[owner].append((depth, name, tuple(attributes.items())))
    return found


def _coded(values: Sequence[_Value]) -> tuple[list[_Value], Numbers]:
    """The distinct values, and for each place its own among them."""
    places: dict[_Value, int] = {}
    codes = np.array([places.setdefault(value, len(places)) for value in values], np.int64)
    return list(places), codes


def _raw_of(portion: Portion, indexes: list[int], place: int) -> str:
    return portion.raw(indexes[place])


def _column(given: list[dict[str, str]], name: str) -> pa.StringArray:
    try:
        return pa.array([each[name] for each in given], pa.string())
    except KeyError:
        return pa.array([each.get(name) for each in given], pa.string())


def read_with_expat(stream: BinaryIO) -> Iterator[tuple[Iterator[Records], Portion]]:
    """The general engine: any order of attributes, any layout. A faster one must find the same and may fall back on it."""
    for portion in portions(stream, ROOT, resume=TOP_LEVEL):
        yield records_of(portion), portion
