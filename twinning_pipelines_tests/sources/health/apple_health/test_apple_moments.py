"""Printed moments: one by one and a column at a time they mean the same."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from twinning_pipelines.sources.health.apple_health.moments import Moments, day_of, moment_of, moments_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def column(texts: list[str | None]) -> list[datetime | None]:
    microseconds, ok, misprints = moments_of(pa.array(texts, pa.string()))
    assert misprints == {index: texts[index] for index, good in enumerate(ok.tolist()) if not good}
    return [
        EPOCH + timedelta(microseconds=int(each)) if good else None
        for each, good in zip(microseconds, ok.tolist(), strict=True)
    ]


KNOWN = {
    "2024-03-31 02:59:59 +0200": datetime(2024, 3, 31, 0, 59, 59, tzinfo=UTC),
    "2024-03-31 03:00:00 +0200": datetime(2024, 3, 31, 1, 0, 0, tzinfo=UTC),
    "2024-10-27 02:30:00 +0200": datetime(2024, 10, 27, 0, 30, tzinfo=UTC),
    "2024-10-27 02:30:00 +0100": datetime(2024, 10, 27, 1, 30, tzinfo=UTC),
    "2024-02-29 23:59:59 -0930": datetime(2024, 3, 1, 9, 29, 59, tzinfo=UTC),
    "1969-12-31 19:00:00 -0500": EPOCH,
    "2000-01-01 00:00:00 +1245": datetime(1999, 12, 31, 11, 15, tzinfo=UTC),
    "1888-01-01 00:00:00 +0034": datetime(1887, 12, 31, 23, 26, tzinfo=UTC),
    "0001-01-01 00:00:00 +0000": datetime(1, 1, 1, tzinfo=UTC),
    "9999-12-31 23:59:59 +0000": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    "4001-01-01 00:00:00 +0000": datetime(4001, 1, 1, tzinfo=UTC),
    "0001-01-01 00:00:00 +0100": None,
    "9999-12-31 23:59:59 -0100": None,
    "0000-01-01 00:00:00 +0000": None,
    "2023-02-29 10:00:00 +0000": None,
    "1900-02-29 10:00:00 +0000": None,
    "2024-13-01 10:00:00 +0000": None,
    "2024-00-01 10:00:00 +0000": None,
    "2024-01-00 10:00:00 +0000": None,
    "2024-01-32 10:00:00 +0000": None,
    "2024-01-01 24:00:00 +0000": None,
    "2024-01-01 10:60:00 +0000": None,
    "2024-01-01 10:00:60 +0000": None,
    "2024-01-01 10:00:00 +2400": None,
    "2024-01-01 10:00:00 +0060": None,
    "2024-01-01T10:00:00 +0000": None,
    "2024-01-01 10:00:00 00000": None,
    "2024-01-01 10:00:00": None,
    "2024-01-01 10:00:00 +00000": None,
    "٢٠٢٤-01-01 10:00:00 +0000": None,
    "": None,
}


@pytest.mark.parametrize("text", KNOWN)
def test_known_moments(text: str) -> None:
    assert moment_of(text) == KNOWN[text]


def test_a_column_is_read_as_its_cells() -> None:
    texts = [*KNOWN, None]
    assert column(texts) == [*KNOWN.values(), None]
    whole = pa.array(["x", *texts, "y"], pa.string()).slice(1, len(texts))
    ok = moments_of(whole).ok
    assert ok.tolist() == [each is not None for each in [*KNOWN.values(), None]]
    assert column([]) == []


DIGITS = st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}", fullmatch=True)
TRUE = st.builds(
    lambda at, minutes: (
        at.strftime("%Y-%m-%d %H:%M:%S ").rjust(20, "0")
        + f"{'+-'[minutes < 0]}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    ),
    st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)),
    st.integers(-14 * 60, 14 * 60),
)


@settings(deadline=None)
@given(st.lists(DIGITS | TRUE | st.text(max_size=30) | st.none(), max_size=20))
@example(["2024-01-01 10:00:00 +0000"])
def test_a_column_always_agrees_with_its_cells(texts: list[str | None]) -> None:
    assert column(texts) == [None if text is None else moment_of(text) for text in texts]


@pytest.mark.parametrize("text", ["2024-02-29 23:59:59 -0930", "1999-12-31 00:00:00 +1245"])
def test_every_letter_at_every_place_means_the_same_in_a_column(text: str) -> None:
    texts: list[str | None] = [
        text[:place] + chr(letter) + text[place + 1 :] for place in range(len(text)) for letter in range(1, 128)
    ]
    assert column(texts) == [moment_of(each) for each in texts if each is not None]


def test_every_day_of_the_calendar_is_there_and_no_other() -> None:
    texts: list[str | None] = [
        f"{year:04}-{month:02}-{day:02} 12:00:00 +0000"
        for year in (0, 1, 4, 1582, 1900, 1999, 2000, 2023, 2024, 2100, 9999)
        for month in range(14)
        for day in range(33)
    ]
    assert column(texts) == [moment_of(each) for each in texts if each is not None]


def test_moments_in_another_order_keep_their_misprints() -> None:
    texts: list[str | None] = ["2024-01-01 10:00:00 +0000", "soon", None, "2024-01-02 10:00:00 +0000"]
    moments = moments_of(pa.array(texts, pa.string()))
    twice = Moments.joined([moments, moments]).taken(np.array([5, 0, 2, 7]))
    assert twice.ok.tolist() == [False, True, False, True]
    assert twice.misprints == {0: "soon", 2: None}
    assert twice.instants.tolist()[3] - twice.instants.tolist()[1] == 86_400_000_000


@given(TRUE)
def test_python_reads_the_same_moment(text: str) -> None:
    found = moment_of(text)
    if found is not None:
        assert found == datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z")


@pytest.mark.parametrize(
    ("text", "day"),
    [("2024-02-29", date(2024, 2, 29)), ("1969-12-30", date(1969, 12, 30)), ("2023-02-29", None), ("20240229", None)],
)
def test_days(text: str, day: date | None) -> None:
    assert day_of(text) == day
