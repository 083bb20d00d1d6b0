"""Which rows of a batch are refused for what their texts hold."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.ingest.check import check
from twinning_pipelines.records.record import AT, TEXT, Field, Record
from twinning_pipelines.source import Batch

NOTE = Record("note", "journal", "a note", (Field("said", TEXT, "what it says"),), (), None)
TEXTS = st.none() | st.text(st.sampled_from("a\0ü "), max_size=4)


@given(texts=st.lists(TEXTS, max_size=12), cut=st.tuples(st.integers(0, 12), st.integers(0, 12)))
def test_a_text_that_postgres_cannot_hold_is_refused_in_whatever_piece(
    texts: list[str | None], cut: tuple[int, int]
) -> None:
    """A piece of a column shares its bytes with the whole: a NUL elsewhere is no fault of the piece."""
    begin, length = cut
    whole = pa.record_batch([pa.array(range(len(texts)), AT.type), pa.array(texts, pa.string())], schema=NOTE.schema)
    piece = whole.slice(begin, length)
    accepted, rejected = check(Batch(NOTE, piece, repr))
    mine = texts[begin : begin + length]
    assert accepted.column("said").to_pylist() == [each for each in mine if each is None or "\0" not in each]
    assert [each.reason for each in rejected] == ["said: holds a NUL character"] * (len(mine) - accepted.num_rows)
