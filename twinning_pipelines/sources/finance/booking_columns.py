"""Many bookings at once, column by column: what the readers of single rows make of each, without the rows.

Either every value is what its row would have given, or ValueError is raised: then the bookings are to be read one by
one, which finds the row at fault and says what is wrong with it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from datetime import date
from decimal import Decimal
from typing import TypeAlias, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from twinning_pipelines.formats.arrays import FEWEST_FOR_COLUMNS
from twinning_pipelines.formats.numbers import Mark
from twinning_pipelines.records.money import TRANSACTION, key_of
from twinning_pipelines.records.record import DAY, MONEY
from twinning_pipelines.source import BATCH_TEXT, Batch, Rejection, Row

# A column of texts without nulls: '' stands for what a booking does not say.
Texts: TypeAlias = pa.StringArray
Part = TypeVar("Part", bound=Sized)

FEWEST = FEWEST_FOR_COLUMNS
# Figures that Arrow reads as Decimal does; others go through the reader of rows.
_PLAIN: Mapping[Mark, str] = {mark: rf"^[-+]?[0-9]{{1,20}}([{mark}][0-9]{{1,12}})?$" for mark in (".", ",")}
# Where words have to be set anew: blanks that are not single ones.
_UNEVEN = (b"  ", *(bytes((each,)) for each in b"\t\n\v\f\r\x1c\x1d\x1e\x1f"))


def batches_or_rows(
    parts: Iterable[Part], batch_of: Callable[[Part], Batch], rows_of: Callable[[Part], Iterable[Row | Rejection]]
) -> Iterator[Batch | Row | Rejection]:
    """The bookings of each part as a batch; one by one where they are few, or where `batch_of` raises ValueError."""
    for part in parts:
        try:
            batch = batch_of(part) if len(part) >= FEWEST else None
        except ValueError:
            batch = None
        if batch is None:
            yield from rows_of(part)
        else:
            yield batch


class Days(dict[str, date | None]):
    """The day of each text that was met; an empty one is none. Raises what its reader raises.

    read_column: many texts at once, None where it can't.
    """

    def __init__(
        self, read: Callable[[str], date], read_column: Callable[[Texts], pa.Date32Array | None] | None = None
    ) -> None:
        super().__init__({"": None})
        self._read = read
        self._read_column = read_column

    def __missing__(self, text: str) -> date | None:
        return self.setdefault(text, self._read(text))

    def column(self, texts: Texts) -> pa.Array:
        """The days of a column of texts. Raises ValueError."""
        if self._read_column and (days := self._read_column(texts)) is not None:
            return days
        encoded = texts.dictionary_encode()
        days = pa.array([self[text] for text in encoded.dictionary.to_pylist()], DAY.arrow)
        return days.take(encoded.indices)


def amounts(texts: Texts, mark: Mark, read: Callable[[str], Decimal]) -> pa.Array:
    """The figures of a column of texts in the file's decimal mark; an empty text is null.

    read: the reader of rows, for texts such as `1,234.50`. Raises ValueError.
    """
    plain = pc.match_substring_regex(texts, _PLAIN[mark])
    dotted = texts if mark == "." else pc.replace_substring(texts, mark, ".")
    if pc.all(plain).as_py():
        return pc.cast(dotted, MONEY.arrow)
    others = [read(text) if text else None for text in pc.filter(texts, pc.invert(plain)).to_pylist()]
    figures = pc.cast(pc.if_else(plain, dotted, None), MONEY.arrow)
    return pc.replace_with_mask(figures, pc.invert(plain), pa.array(others, MONEY.arrow))


def says_something(texts: Texts) -> bool:
    """Whether any of the texts is not empty."""
    return bool(pc.any(pc.not_equal(texts, "")).as_py())


def first_given(*columns: Texts) -> Texts:
    """The first text of each row that says something, '' where none does."""
    given, *others = columns
    for each in filter(says_something, others):
        given = pc.if_else(pc.equal(given, ""), each, given)
    return given


def if_given(texts: Texts) -> pa.StringArray:
    """Texts with null for the empty ones."""
    return pc.if_else(pc.equal(texts, ""), None, texts)


def keys(bank_ids: Texts, *words: Texts) -> pa.StringArray:
    """`key_of` of each row; the ids have no blanks around."""
    said = pc.binary_join_element_wise("words:", pc.binary_join_element_wise(*map(_normalised, words), "|"), "")
    if not says_something(bank_ids):
        return said
    return pc.if_else(pc.equal(bank_ids, ""), said, pc.binary_join_element_wise("id:", bank_ids, ""))


def _normalised(texts: Texts) -> pa.StringArray:
    if pc.all(pc.string_is_ascii(texts)).as_py() and pc.utf8_trim_whitespace(texts).equals(texts):
        # Behind one another: no text begins or ends with a blank.
        together = pc.binary_join(pa.ListArray.from_arrays([0, len(texts)], texts), "")[0].as_buffer().to_pybytes()
        if not any(each in together for each in _UNEVEN):
            return pc.ascii_lower(texts)
    return pa.array([key_of("", text).removeprefix("words:") for text in texts.to_pylist()], pa.string())


def as_json(columns: Mapping[str, Texts]) -> list[str | None] | None:
    """What each row says in these columns, as JSON; null for a row that says nothing."""
    if not columns:
        return None
    known: dict[tuple[str, ...], str | None] = {}
    rows = list(zip(*(texts.to_pylist() for texts in columns.values()), strict=True))
    for row in set(rows):
        said = {name: text for name, text in zip(columns, row, strict=True) if text}
        known[row] = json.dumps(said, ensure_ascii=False, sort_keys=True) if said else None
    return [known[row] for row in rows]


def booking_batch(
    lines: Sequence[int] | pa.Int64Array,
    raw: Callable[[int], str],
    columns: Mapping[str, pa.Array | Sequence[str | None] | None],
) -> Batch:
    """The batch of some bookings, whose lines are these: a text stands for all of them, and a field left out is null.

    Raises ValueError for what a column can't hold, and beyond 8 MiB.
    """
    count = len(lines)
    arrays = [lines if isinstance(lines, pa.Array) else pa.array(lines, pa.int64())]
    for each in TRANSACTION.fields:
        column = columns.get(each.name)
        if column is None:
            arrays.append(pa.nulls(count, each.kind.arrow))
        elif isinstance(column, str):
            arrays.append(pa.repeat(pa.scalar(column, each.kind.arrow), count))
        else:
            arrays.append(column if isinstance(column, pa.Array) else pa.array(column, each.kind.arrow))
    rows = pa.RecordBatch.from_arrays(arrays, schema=TRANSACTION.schema)
    if rows.nbytes > BATCH_TEXT:
        raise ValueError("too much text for one batch")
    return Batch(TRANSACTION, rows, raw)
