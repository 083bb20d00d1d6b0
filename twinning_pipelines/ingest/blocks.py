"""The days of a time series, each with a digest: so that a full re-export is compared by day, not by row.

A block is one UTC day of one metric from one origin. Its digest is the sum of its rows' hashes modulo 2^64: it does not
depend on the order of the rows, so a block may be scattered over the file. A row's place in the file is not part of it.
"""

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_DAY_US = 86_400_000_000
_DAY_BITS = 24
_ORIGIN_BITS = 20
_DAY_BIAS = 1 << (_DAY_BITS - 1)

Words = npt.NDArray[np.uint64]


class BlockBook:
    """Numbers the blocks of one reading in order of appearance and sums their digests."""

    def __init__(self) -> None:
        self._metrics: dict[str, int] = {}
        self._origins: dict[str, int] = {}
        self._numbers: dict[int, int] = {}
        self._rows: list[int] = []
        self._digests: list[int] = []

    def enter(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Counts the rows into their blocks and gives them a `block` column in place of metric and origin."""
        started = _microseconds(rows.column("started_at"))
        days = np.floor_divide(started, _DAY_US) + _DAY_BIAS
        metric = _codes(rows.column("metric"), self._metrics)
        origin = _codes(rows.column("origin"), self._origins)
        keys = (metric << (_DAY_BITS + _ORIGIN_BITS)) | (origin << _DAY_BITS) | days
        uniques, inverse = np.unique(keys, return_inverse=True)
        hashes = self._hashes(rows, started)
        order = np.argsort(inverse, kind="stable")
        starts = np.searchsorted(inverse[order], np.arange(len(uniques)))
        sums = np.add.reduceat(hashes[order], starts)
        sizes = np.bincount(inverse, minlength=len(uniques))
        numbers = np.empty(len(uniques), dtype=np.int32)
        for index, key in enumerate(uniques.tolist()):
            numbers[index] = self._add(key, int(sizes[index]), int(sums[index]))
        kept = [name for name in rows.schema.names if name not in ("metric", "origin")]
        columns = [pa.array(numbers[inverse]), *(rows.column(name) for name in kept)]
        return pa.RecordBatch.from_arrays(columns, names=["block", *kept])

    def table(self) -> pa.Table:
        """Every block in order of its number: metric, origin, day, n, digest (a signed 64-bit number)."""
        metrics, origins = list(self._metrics), list(self._origins)
        keys = np.fromiter(self._numbers, dtype=np.int64, count=len(self._numbers))
        days = (keys & ((1 << _DAY_BITS) - 1)) - _DAY_BIAS
        return pa.table(
            {
                "metric": pa.array(metrics, pa.string()).take(pa.array(keys >> (_DAY_BITS + _ORIGIN_BITS))),
                "origin": pa.array(origins, pa.string()).take(
                    pa.array((keys >> _DAY_BITS) & ((1 << _ORIGIN_BITS) - 1))
                ),
                "day": pa.array(days.astype(np.int32), pa.int32()).cast(pa.date32()),
                "n": pa.array(self._rows, pa.int64()),
                "digest": pa.array(np.array(self._digests, dtype=np.uint64).view(np.int64)),
            }
        )

    def _add(self, key: int, rows: int, digest: int) -> int:
        number = self._numbers.setdefault(key, len(self._numbers))
        if number == len(self._rows):
            self._rows.append(0)
            self._digests.append(0)
        self._rows[number] += rows
        self._digests[number] = (self._digests[number] + digest) % (1 << 64)
        return number

    def _hashes(self, rows: pa.RecordBatch, started: npt.NDArray[np.int64]) -> Words:
        mixed = _mix(started.view(np.uint64))
        mixed = _mix(mixed ^ _microseconds(rows.column("ended_at")).view(np.uint64))
        # Adding zero makes -0.0 and 0.0 one value.
        values = rows.column("value").to_numpy(zero_copy_only=False) + 0.0
        mixed = _mix(mixed ^ values.view(np.uint64))
        labels = rows.column("label")
        if labels.null_count == len(labels):
            return mixed
        encoded = pc.dictionary_encode(labels, null_encoding="encode")
        words = np.array([_word(text) for text in encoded.dictionary.to_pylist()], dtype=np.uint64)
        labelled = _mix(mixed ^ words[encoded.indices.to_numpy(zero_copy_only=False)])
        # A row without a label hashes the same whether or not others of its batch have one.
        unlabelled = pc.is_null(labels).to_numpy(zero_copy_only=False)
        hashes: Words = np.where(unlabelled, mixed, labelled)
        return hashes


def _microseconds(column: pa.Array) -> npt.NDArray[np.int64]:
    numbers: npt.NDArray[np.int64] = pc.cast(column, pa.int64()).to_numpy(zero_copy_only=False)
    return numbers


def _codes(column: pa.Array, known: dict[str, int]) -> npt.NDArray[np.int64]:
    """The code of each text; a text met for the first time gets the next one."""
    encoded = pc.dictionary_encode(column)
    codes = np.array([known.setdefault(text, len(known)) for text in encoded.dictionary.to_pylist()], dtype=np.int64)
    wide: npt.NDArray[np.int64] = codes[encoded.indices.to_numpy(zero_copy_only=False)]
    return wide


def _word(text: str | None) -> int:
    if text is None:
        return 0
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _mix(words: Words) -> Words:
    """splitmix64's finaliser: every input bit reaches every output bit."""
    words = (words + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
