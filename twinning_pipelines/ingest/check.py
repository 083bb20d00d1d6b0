"""What is plausible: every row of a batch against the rules of its record, whole columns at a time.

Each row is judged once: the first rule that it breaks, in the order of the fields, is its reason.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace

from twinning_pipelines.records.record import TEXT, WORD, Field, Record
from twinning_pipelines.source import Batch, Rejection

_SHOWN = 60


def check(batch: Batch) -> tuple[pa.RecordBatch, tuple[Rejection, ...]]:
    """Divides a batch into its good rows and its rejections, those of the parser included."""
    rows, record = batch.rows, batch.record
    reasons: dict[int, str] = {}
    for field in record.fields:
        _judge_field(field, rows.column(field.name), reasons)
    for rule in record.rules:
        columns = [rows.column(name) for name in rule.names]
        for index in _true_at(rule.broken(*columns)):
            shown = ", ".join(
                f"{name} {_shown(column[index])}" for name, column in zip(rule.names, columns, strict=True)
            )
            reasons.setdefault(index, f"{rule.says}: {shown}")
    if not reasons:
        return rows, batch.rejections
    good: npt.NDArray[np.bool_] = np.ones(rows.num_rows, dtype=bool)
    good[list(reasons)] = False
    return rows.filter(pa.array(good)), (*batch.rejections, *_rejections(batch, record, reasons))


def _judge_field(field: Field, column: pa.Array, reasons: dict[int, str]) -> None:
    if field.kind is WORD:
        _judge_words(field, column, reasons)
        return
    if field.required and column.null_count:
        for index in _true_at(pc.is_null(column)):
            reasons.setdefault(index, f"{field.name}: missing")
    if column.null_count == len(column):
        # Rules judge what is there.
        return
    if field.kind is TEXT:
        # Postgres can't hold a NUL character in a text.
        for index in _with_nul(column):
            reasons.setdefault(index, f"{field.name}: holds a NUL character")
    for rule in field.rules:
        for index in _true_at(rule.broken(column)):
            reasons.setdefault(index, f"{field.name}: {rule.says}: {_shown(column[index])}")


def _judge_words(field: Field, column: pa.DictionaryArray, reasons: dict[int, str]) -> None:
    """Every distinct word is judged once; the rows are looked at only when one of them is bad."""
    if field.required and column.null_count:
        for index in _true_at(pc.is_null(column)):
            reasons.setdefault(index, f"{field.name}: missing")
    bad: dict[int, str] = {}
    _judge_field(replace(field, kind=TEXT, required=False), column.dictionary, bad)
    for code, reason in bad.items():
        for index in _true_at(pc.fill_null(pc.equal(column.indices, code), False)):
            reasons.setdefault(index, reason)


def _with_nul(column: pa.StringArray) -> list[int]:
    # All bytes at once, those of a whole column that this one is a slice of too: hardly a file holds one.
    *_, data = column.buffers()
    if data is None or np.frombuffer(data, np.uint8).all():
        return []
    return _true_at(pc.fill_null(pc.match_substring(column, "\0"), False))


def _true_at(mask: pa.BooleanArray) -> list[int]:
    if not pc.any(mask).as_py():
        return []
    indices: list[int] = np.flatnonzero(mask.to_numpy(zero_copy_only=False)).tolist()
    return indices


def _shown(value: pa.Scalar) -> str:
    text = str(value.as_py())
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def _rejections(batch: Batch, record: Record, reasons: dict[int, str]) -> list[Rejection]:
    places = batch.rows.column("at")
    return [
        Rejection(places[index].as_py(), record.name, reasons[index], batch.raw(index)) for index in sorted(reasons)
    ]
