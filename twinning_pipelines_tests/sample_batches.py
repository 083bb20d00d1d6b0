"""Batches of samples made of arrays, for tests and benchmarks that need millions."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.source import Batch


def sample_batch(
    metric: str,
    origin: str,
    begin: int,
    starts: "npt.NDArray[np.int64]",
    ends: "npt.NDArray[np.int64]",
    values: "npt.NDArray[np.float64]",
) -> Batch:
    """Samples of one metric from one device, at lines from `begin` on; starts and ends are microseconds since 1970."""
    n = len(starts)
    given = {
        "at": pa.array(np.arange(begin + 1, begin + n + 1)),
        "metric": _word(metric, n),
        "origin": _word(origin, n),
        "started_at": pa.array(starts),
        "ended_at": pa.array(ends),
        "value": pa.array(values),
    }
    columns = [
        given[each.name].cast(each.type) if each.name in given else pa.nulls(n, each.type) for each in SAMPLE.schema
    ]
    return Batch(SAMPLE, pa.RecordBatch.from_arrays(columns, schema=SAMPLE.schema), str)


def _word(word: str, n: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array([word]))
