"""The days of a time series, each with a digest: so that a full re-export is compared by day, not by row.

A block is one UTC day of one metric from one origin. Its digest is the sum of its rows' digests: it does not depend on
the order of the rows, so a block may be scattered over the file. A row's place in the file is not part of it.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from twinning_pipelines.records.digest import Words, digests, mix, words_of
from twinning_pipelines.records.health import SAMPLE_VALUES

_DAY_US = 86_400_000_000
_DAY_BITS = 24
_ORIGIN_BITS = 20
_DAY_BIAS = 1 << (_DAY_BITS - 1)

Numbers = npt.NDArray[np.int64]


class BlockBook:
    """The blocks of one reading: how many rows each has, and their digest.

    A block's key is a number made of metric, day and origin, in this order: neighbours in a file have neighbouring keys.
    """

    def __init__(self) -> None:
        self._metrics: dict[str, int] = {}
        self._origins: dict[str, int] = {}
        self._seen: list[tuple[Numbers, Numbers, Words]] = []

    def enter(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Counts the rows into their blocks and gives them a `block` column, its key, in place of metric and origin."""
        started = rows.column("started_at").cast(pa.int64()).to_numpy()
        days = np.floor_divide(started, _DAY_US) + _DAY_BIAS
        metric = _codes(rows.column("metric"), self._metrics)
        origin = _codes(rows.column("origin"), self._origins)
        keys: Numbers = (metric << (_DAY_BITS + _ORIGIN_BITS)) | (days << _ORIGIN_BITS) | origin
        self._seen.append(_summed(keys, np.ones(len(keys), np.int64), digests(rows, SAMPLE_VALUES)))
        columns = [
            pa.array(keys),
            *(rows.column(name) for name in ("started_at", "ended_at", "value")),
            *(rows.column(name).cast(pa.string()) for name in ("label", "detail")),
            rows.column("at"),
        ]
        return pa.RecordBatch.from_arrays(columns, names=["block", *SAMPLE_VALUES, "at"])

    def table(self) -> pa.Table:
        """Every block in order of its key: block, metric, origin, day, n, digest (a signed 64-bit number)."""
        keys, sizes, sums = self._all()
        metrics = pa.array(list(self._metrics), pa.string())
        origins = pa.array(list(self._origins), pa.string())
        days = ((keys >> _ORIGIN_BITS) & ((1 << _DAY_BITS) - 1)) - _DAY_BIAS
        return pa.table(
            {
                "block": pa.array(keys),
                "metric": pa.DictionaryArray.from_arrays(keys >> (_DAY_BITS + _ORIGIN_BITS), metrics),
                "origin": pa.DictionaryArray.from_arrays(keys & ((1 << _ORIGIN_BITS) - 1), origins),
                "day": pa.array(days.astype(np.int32)).cast(pa.date32()),
                "n": pa.array(sizes),
                "digest": pa.array(sums.view(np.int64)),
            }
        )

    def digest(self) -> int:
        """The digest of all that the series says."""
        keys, sizes, sums = self._all()
        if not len(keys):
            return 0
        days = (keys >> _ORIGIN_BITS) & ((1 << _DAY_BITS) - 1)
        said = mix(sums ^ words_of(list(self._metrics))[keys >> (_DAY_BITS + _ORIGIN_BITS)])
        said = mix(said ^ words_of(list(self._origins))[keys & ((1 << _ORIGIN_BITS) - 1)])
        said = mix(mix(said ^ days.view(np.uint64)) ^ sizes.view(np.uint64))
        return int(np.add.reduce(said))

    def _all(self) -> tuple[Numbers, Numbers, Words]:
        if len(self._seen) != 1:
            columns = [np.concatenate(column) for column in zip(*self._seen, strict=True)]
            nothing = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint64))
            self._seen = [_summed(*columns) if columns else nothing]
        return self._seen[0]


def _summed(keys: Numbers, sizes: Numbers, sums: Words) -> tuple[Numbers, Numbers, Words]:
    """Each key once, in order, with the sum of its sizes and of its digests."""
    if not len(keys):
        return keys, sizes, sums
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    firsts = np.flatnonzero(np.concatenate(([True], sorted_keys[1:] != sorted_keys[:-1])))
    return sorted_keys[firsts], np.add.reduceat(sizes[order], firsts), np.add.reduceat(sums[order], firsts)


def _codes(column: pa.DictionaryArray, known: dict[str, int]) -> Numbers:
    """The code of each word; a word met for the first time gets the next one."""
    words = column.dictionary.to_pylist()
    codes = np.array([known.setdefault(text, len(known)) for text in words], dtype=np.int64)
    wide: Numbers = codes[column.indices.to_numpy(zero_copy_only=False)]
    return wide
