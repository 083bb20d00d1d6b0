"""Rows with arrays, made by hand for COPY, arrive in Postgres as they were meant."""

import math

import numpy as np
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinning_pipelines.stores.postgres.array_rows import FLOAT8, INT8, NumberArrays, encoded
from twinning_pipelines.stores.postgres.copying import copy_binary, fetch_arrays, fetch_numbers

_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
_ROWS = st.lists(
    st.tuples(
        st.integers(-(2**31), 2**31 - 1),
        st.lists(
            st.tuples(st.floats(allow_nan=False), st.integers(-(2**63), 2**63 - 1), st.none() | _TEXTS),
            min_size=1,
            max_size=4,
        ),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


def test_any_rows_arrive_as_they_were_meant(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text("create table kept (id integer, value float8[], at bigint[], files bigint[], label text[])")
        )

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_ROWS)
    def law(rows: list[tuple[int, list[tuple[float, int, str | None]], bool, bool]]) -> None:
        sizes = np.array([len(elements) for _, elements, _, _ in rows])
        flat = [element for _, elements, _, _ in rows for element in elements]
        every = np.ones(len(rows), bool)
        body = encoded(
            (np.array([number for number, *_ in rows], np.int32),),
            (
                NumberArrays(FLOAT8, np.array([value for value, _, _ in flat]), every),
                NumberArrays(INT8, np.array([at for _, at, _ in flat]), every),
                NumberArrays(INT8, np.array([at for _, at, _ in flat]), np.array([has for *_, has, _ in rows])),
            ),
            ([[text for *_, text in elements] if has else None for _, elements, _, has in rows],),
            sizes,
        )
        with engine.begin() as connection:
            connection.execute(sa.text("truncate kept"))
            copy_binary(connection, "kept", ("id", "value", "at", "files", "label"), body)
            found = connection.execute(sa.text("select id, value, at, files, label from kept order by ctid")).all()
            flats = fetch_arrays(
                connection, "select id, value, at from kept", {}, {"id": ">i4", "value": ">f8", "at": ">i8"}
            )
            ids = fetch_numbers(connection, "select id from kept", {}, {"id": ">i4"})
        assert [tuple(row) for row in found] == [
            (
                number,
                [value for value, _, _ in elements],
                [at for _, at, _ in elements],
                [at for _, at, _ in elements] if has_files else None,
                [text for *_, text in elements] if has_texts else None,
            )
            for number, elements, has_files, has_texts in rows
        ]
        assert ids["id"].tolist() == [number for number, *_ in rows]
        assert flats["id"].tolist() == [number for number, elements, *_ in rows for _ in elements]
        assert flats["at"].tolist() == [at for _, at, _ in flat]
        assert all(
            math.copysign(1, got) == math.copysign(1, value) and got == value
            for got, (value, _, _) in zip(flats["value"].tolist(), flat, strict=True)
        )

    law()
