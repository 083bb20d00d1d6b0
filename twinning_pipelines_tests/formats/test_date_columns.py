"""Many dates at once: what is made of each is what is made of it one by one."""

from datetime import date
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.formats import dates
from twinning_pipelines.formats.date_columns import numbers_of
from twinning_pipelines.formats.dates import DateStyle, Order

ORDERS: tuple[Order, ...] = ("MDY", "DMY", "YMD")
two_digits = st.integers(0, 99).map(lambda number: f"{number:02}")
marks = st.sampled_from("-./'")
alike = st.tuples(two_digits, marks, two_digits, marks, two_digits).map("".join)
four_digits = st.integers(0, 9_999).map(lambda year: f"{year:04}")
full = st.tuples(two_digits, marks, two_digits, marks, four_digits).map("".join)


def one_by_one(style: DateStyle, texts: list[str]) -> list[date] | None:
    try:
        return [style.read(text) for text in texts]
    except ValueError:
        return None


@given(st.sampled_from(ORDERS), st.one_of(st.lists(alike, min_size=1), st.lists(full, min_size=1)))
def test_a_column_is_what_its_texts_are_one_by_one(order: Order, texts: list[str]) -> None:
    style = DateStyle(order)
    found = style.column(pa.array(texts))
    assert (None if found is None else found.to_pylist()) == one_by_one(style, texts)


@given(st.sampled_from(ORDERS), st.lists(st.dates(date(1969, 1, 1), date(2068, 12, 31)), min_size=1), marks)
def test_every_day_comes_back(order: Order, days: list[date], mark: str) -> None:
    shape = mark.join({"MDY": ("%m", "%d", "%y"), "DMY": ("%d", "%m", "%y"), "YMD": ("%y", "%m", "%d")}[order])
    found = DateStyle(order).column(pa.array(["", *(day.strftime(shape) for day in days)]).slice(1))
    assert found is not None
    assert found.to_pylist() == days


@given(
    st.sampled_from((12, 31, 40)),
    st.sampled_from((12, 31, 40)),
    st.booleans(),
    st.sampled_from(("", *ORDERS)),
    st.randoms(),
)
def test_many_alike_prove_what_they_prove_one_by_one(
    first: int, second: int, short: bool, hint: str, chance: Random
) -> None:
    years = range(100) if short else range(1_990, 2_060)
    texts = [
        f"{chance.randint(0, first):02}/{chance.randint(0, second):02}/{chance.choice(years):02}" for _ in range(400)
    ]
    together = dates.decide(texts, hint)
    # A time of day is let go, and no column is made of such texts.
    apart = dates.decide([f"{text} 12:00" for text in texts], hint)
    assert (together.order, together.ambiguous) == (apart.order, apart.ambiguous)
    assert together.evidence == apart.evidence.removesuffix(" 12:00")
    assert together.contrary == apart.contrary.removesuffix(" 12:00")


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        ["26/01/2026", ""],
        ["26/01/2026", "26/01/26"],
        ["26/01/2026", "26 01 2026"],
        ["26/01/2026", "6/01/2026 "],
        ["26/01/2026", "2026-01-26"],
        ["2६/01/20", "26/01/26"],
        ["26/01/26", "26/01/\ud8002"],
    ],
)
def test_texts_that_are_not_alike_are_left_to_be_read_one_by_one(texts: list[str]) -> None:
    assert numbers_of(texts) is None
