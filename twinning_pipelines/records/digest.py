"""One number for what a row says, so that equal rows are found without comparing them field by field.

64 bits for each row, from its values alone: neither its neighbours nor its place in a file matter. Digests of rows are
summed modulo 2^64, so the digest of a set of rows does not depend on their order.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Words = npt.NDArray[np.uint64]


def digests(rows: pa.RecordBatch, names: Sequence[str]) -> Words:
    """The digest of every row over the named columns, in that order; a null adds nothing."""
    mixed: Words = np.zeros(rows.num_rows, np.uint64)
    for place, name in enumerate(names, 1):
        column = rows.column(name)
        if column.null_count == len(column):
            continue
        salted = mix(mixed ^ (_words(column) + np.uint64(place)))
        if column.null_count:
            salted = np.where(pc.is_valid(column).to_numpy(zero_copy_only=False), salted, mixed)
        mixed = salted
    return mixed


def word(text: str) -> int:
    """The digest of a text: the first 8 bytes of its BLAKE2b."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def words_of(texts: Sequence[str]) -> Words:
    """The digests of some texts."""
    return np.array([word(text) for text in texts], np.uint64)


def mix(words: Words) -> Words:
    """splitmix64's finaliser: every input bit reaches every output bit."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _words(column: pa.Array) -> Words:
    """A word for each value of a column; nulls get any."""
    kind = column.type
    if pa.types.is_decimal(kind):
        return _words(pc.cast(column, pa.string()))
    if pa.types.is_string(kind) or pa.types.is_dictionary(kind):
        coded = pc.dictionary_encode(column) if pa.types.is_string(kind) else column
        distinct = np.append(words_of([text or "" for text in coded.dictionary.to_pylist()]), np.uint64(0))
        words: Words = distinct[pc.fill_null(coded.indices, len(distinct) - 1).to_numpy(zero_copy_only=False)]
        return words
    if pa.types.is_boolean(kind):
        column = pc.cast(column, pa.int64())
    if pa.types.is_floating(kind):
        # Adding zero makes -0.0 and 0.0 one value.
        floats: Words = (pc.fill_null(column, 0.0).to_numpy(zero_copy_only=False) + 0.0).view(np.uint64)
        return floats
    whole = column.cast(pa.int32()) if pa.types.is_date32(kind) else column
    numbers = pc.fill_null(whole.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    wholes: Words = numbers.astype(np.int64, copy=False).view(np.uint64)
    return wholes
