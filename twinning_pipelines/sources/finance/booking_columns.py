"""Many bookings at once, column by column: what the readers of single rows make of each, without the rows.

Either every value is what its row would have given, or ValueError is raised: then the bookings are to be read one by
one, which finds the row at fault and says what is wrong with it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from datetime import date
from decimal import Decimal
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from twinning_pipelines.formats.numbers import Mark
from twinning_pipelines.records.money import TRANSACTION, key_of
from twinning_pipelines.records.record import DAY, MONEY
from twinning_pipelines.source import BATCH_TEXT, Batch, Rejection, Row

Texts = Sequence[str]
Part = TypeVar("Part", bound=Sized)

# Measured: fewer cost less one by one than a batch of their own does.
FEWEST = 160
# Figures that Arrow reads as Decimal does; others go through the reader of rows.
_PLAIN: Mapping[Mark, str] = {mark: rf"^[-+]?[0-9]{{1,20}}([{mark}][0-9]{{1,12}})?$" for mark in (".", ",")}
# Stands between texts that are looked at together: no text that we decoded holds it.
_BETWEEN = "\0"
# Where words may have to be set anew: blanks that are not single ones, or at either end.
_UNEVEN = ("  ", f" {_BETWEEN}", f"{_BETWEEN} ", *"\t\n\v\f\r\x1c\x1d\x1e\x1f")


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
    """The day of each text that was met; an empty one is none. Raises what its reader raises."""

    def __init__(self, read: Callable[[str], date]) -> None:
        super().__init__({"": None})
        self._read = read

    def __missing__(self, text: str) -> date | None:
        return self.setdefault(text, self._read(text))

    def column(self, texts: Texts) -> pa.Array:
        """The days of a column of texts. Raises ValueError."""
        return pa.array([self[text] for text in texts], DAY.arrow)


def amounts(texts: Texts, mark: Mark, read: Callable[[str], Decimal]) -> pa.Array:
    """The figures of a column of texts in the file's decimal mark; an empty text is null.

    read: the reader of rows, for texts such as `1,234.50`. Raises ValueError.
    """
    column = pa.array(texts, pa.string())
    plain = pc.match_substring_regex(column, _PLAIN[mark])
    dotted = column if mark == "." else pc.replace_substring(column, mark, ".")
    if pc.all(plain).as_py():
        return pc.cast(dotted, MONEY.arrow)
    others = [read(text) if text else None for text in pc.filter(column, pc.invert(plain)).to_pylist()]
    figures = pc.cast(pc.if_else(plain, dotted, None), MONEY.arrow)
    return pc.replace_with_mask(figures, pc.invert(plain), pa.array(others, MONEY.arrow))


def first_given(*columns: Texts) -> Texts:
    """The first text of each row that says something, '' where none does."""
    given = [column for column in columns if any(column)]
    if len(given) <= 1:
        return given[0] if given else columns[0]
    return [next(filter(None, row), "") for row in zip(*given, strict=True)]


def if_given(texts: Texts) -> list[str | None] | None:
    """Texts with null for the empty ones."""
    return [text or None for text in texts] if any(texts) else None


def keys(bank_ids: Texts, *words: Texts) -> list[str]:
    """`key_of` of each row; the ids have no blanks around."""
    if all(bank_ids):
        return [f"id:{bank_id}" for bank_id in bank_ids]
    said = map("|".join, zip(*map(_normalised, words), strict=True))
    return [f"id:{bank_id}" if bank_id else f"words:{each}" for bank_id, each in zip(bank_ids, said, strict=True)]


def _normalised(texts: Texts) -> Sequence[str]:
    joined = _BETWEEN.join(texts)
    if joined.isascii() and joined == joined.strip() and not any(each in joined for each in _UNEVEN):
        return joined.casefold().split(_BETWEEN)
    return [key_of("", text).removeprefix("words:") for text in texts]


def as_json(columns: Mapping[str, Texts]) -> list[str | None] | None:
    """What each row says in these columns, as JSON; null for a row that says nothing."""
    if not columns:
        return None
    known: dict[tuple[str, ...], str | None] = {}
    rows = list(zip(*columns.values(), strict=True))
    for row in set(rows):
        said = {name: text for name, text in zip(columns, row, strict=True) if text}
        known[row] = json.dumps(said, ensure_ascii=False, sort_keys=True) if said else None
    return [known[row] for row in rows]


def booking_batch(
    lines: Sequence[int], raw: Callable[[int], str], columns: Mapping[str, pa.Array | Sequence[str | None] | None]
) -> Batch:
    """The batch of some bookings, whose lines are these: a text stands for all of them, and a field left out is null.

    Raises ValueError for what a column can't hold, and beyond 8 MiB.
    """
    count = len(lines)
    arrays = [pa.array(lines, pa.int64())]
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
