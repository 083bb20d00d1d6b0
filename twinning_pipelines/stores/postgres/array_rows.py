"""Rows with arrays in the binary format of COPY, made from columns without a Python object for each number.

The format: https://www.postgresql.org/docs/current/sql-copy.html ("Binary Format") and `array_send` in Postgres's
`arrayfuncs.c`. pgpq encodes Arrow lists too, but has no wheel for Linux on ARM and knows no timestamptz in arrays.
"""

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

TIMESTAMPTZ, FLOAT8, INT8, TEXT = 1184, 701, 20, 25

_ABSENT = -1
_TEXT_HEAD = struct.Struct(">iiiiii")
_LENGTH = struct.Struct(">i")
_NOTHING = _LENGTH.pack(_ABSENT)
_ELEMENT = np.dtype([("bytes", ">i4"), ("value", ">i8")])
_ARRAY_HEAD = np.dtype(
    [("bytes", ">i4"), ("dimensions", ">i4"), ("nulls", ">i4"), ("oid", ">i4"), ("n", ">i4"), ("first", ">i4")]
)
Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]


class NumberArrays(Struct, frozen=True):
    """A column of arrays of eight-byte numbers: the elements of all rows end to end, and the rows that have an array."""

    oid: int
    values: "npt.NDArray[np.int64] | npt.NDArray[np.float64]"
    present: npt.NDArray[np.bool_]

    def widths(self, sizes: Numbers) -> Numbers:
        """The bytes of each row's field."""
        widths: Numbers = np.where(self.present, _ARRAY_HEAD.itemsize + _ELEMENT.itemsize * sizes, 4)
        return widths

    def put(self, out: Bytes, places: Numbers, sizes: Numbers) -> None:
        """Writes each row's field where it belongs."""
        _scatter(out, places[~self.present], np.full(int((~self.present).sum()), _ABSENT, ">i4"))
        if not self.present.any():
            return
        heads = np.zeros(len(sizes), _ARRAY_HEAD)
        heads["bytes"] = self.widths(sizes) - 4
        heads["dimensions"] = heads["first"] = 1
        heads["oid"], heads["n"] = self.oid, sizes
        _scatter(out, places[self.present], heads[self.present])
        elements = np.empty(len(self.values), _ELEMENT)
        elements["bytes"] = 8
        elements["value"] = self.values.view(np.int64)
        first = places + _ARRAY_HEAD.itemsize - (np.cumsum(sizes) - sizes) * _ELEMENT.itemsize
        where = np.repeat(first, sizes) + np.arange(len(elements)) * _ELEMENT.itemsize
        if not self.present.all():
            mine = np.repeat(self.present, sizes)
            where, elements = where[mine], elements[mine]
        _scatter(out, where, elements)


def encoded(
    scalars: Sequence["npt.NDArray[np.generic]"],
    arrays: Sequence[NumberArrays],
    texts: Sequence[Sequence[Sequence[str | None] | None]],
    sizes: Numbers,
) -> memoryview:
    """Rows of scalar fields, then of arrays of numbers, then of arrays of texts; `sizes` are the lengths of their arrays.

    A scalar is an integer of the width of its column, never null; a row of `texts` is the list of its texts, or None.
    """
    layout = [("fields", ">i2")]
    for place, scalar in enumerate(scalars):
        layout += [(f"bytes {place}", ">i4"), (f"value {place}", f">i{scalar.dtype.itemsize}")]
    heads = np.zeros(len(sizes), np.dtype(layout))
    heads["fields"] = len(scalars) + len(arrays) + len(texts)
    for place, scalar in enumerate(scalars):
        heads[f"bytes {place}"], heads[f"value {place}"] = scalar.dtype.itemsize, scalar
    elements = _Elements()
    fields = [[_NOTHING if given is None else _text_array(given, elements) for given in column] for column in texts]
    widths = [np.full(len(sizes), heads.dtype.itemsize)]
    widths += [array.widths(sizes) for array in arrays]
    widths += [np.array([len(field) for field in column]) for column in fields]
    ends = np.cumsum(sum(widths))
    out: Bytes = np.empty(int(ends[-1]), np.uint8)
    places = ends - sum(widths)
    _scatter(out, places, heads)
    for width, array in zip(widths, arrays, strict=False):
        places = places + width
        array.put(out, places, sizes)
    for width, column in zip(widths[len(arrays) :], fields, strict=False):
        places = places + width
        _lay(out, places, column)
    return out.data


def _scatter(out: Bytes, places: Numbers, records: "npt.NDArray[np.generic]") -> None:
    """Writes records of one width to these bytes."""
    width = records.dtype.itemsize
    if len(places):
        every = np.ndarray((len(out) - width + 1,), f"V{width}", out.data, strides=(1,))
        every[places] = records.view(f"V{width}")


class _Elements(dict[str | None, bytes]):
    """The bytes of each text as an element of an array, made once: most texts stand in many rows."""

    def __missing__(self, text: str | None) -> bytes:
        spelled = b"" if text is None else text.encode()
        self[text] = element = _LENGTH.pack(_ABSENT if text is None else len(spelled)) + spelled
        return element


def _text_array(texts: Sequence[str | None], elements: _Elements) -> bytes:
    body = b"".join(map(elements.__getitem__, texts))
    return _TEXT_HEAD.pack(_TEXT_HEAD.size - 4 + len(body), 1, int(None in texts), TEXT, len(texts), 1) + body


def _lay(out: Bytes, places: Numbers, fields: list[bytes]) -> None:
    is_absent = np.array([field is _NOTHING for field in fields])
    _scatter(out, places[is_absent], np.full(int(is_absent.sum()), _ABSENT, ">i4"))
    view = out.data
    for row in np.flatnonzero(~is_absent).tolist():
        place, field = int(places[row]), fields[row]
        view[place : place + len(field)] = field
