"""Bookings read column by column are what they are row by row, good or bad."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats import qif
from twinning_pipelines.formats.numbers import Mark, NumberStyle
from twinning_pipelines.formats.part import Part
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import TRANSACTION, key_of
from twinning_pipelines.source import BATCH_ROWS, Batch, Notice, Source
from twinning_pipelines.sources.finance import booking_columns, ofx_statement, qif_register

DAYS = st.sampled_from(["01/02/2026", "13/02/2026", "31.12.98", "2026-01-26", "1 Jan 2026", "1/ 2'26"])
OFX_DAYS = st.sampled_from(["20260131", "20260131120000[+1:CET]", "2026-01-31", "20260201 "])
FIGURES = st.sampled_from(["-3.00", "1", "+0.125", "-0.00", "007.10", "12345678901234567890.123456789012"])
ODD_FIGURES = st.sampled_from(
    ["", "1,234.50", "(12.00)", "-3,5", "1.5E3", "x", f"{'9' * 21}.00", "0.1234567890123456789", ".5", "٣"]
)
ODD_DAYS = st.sampled_from(["", "30/02/2026", "20260230", "soon", "13/13/2026"])
WORDS = st.sampled_from(["", "Bakery", "Bäckerei  Süß", " A\tB ", "ﬁn", "a|b", "İstanbul", "x\x1fy", "\x85z"])


@st.composite
def written(draw: st.DrawFn, line: str, days: st.SearchStrategy[str]) -> str:
    """Bookings in one layout, few of them odd."""

    def some(usual: st.SearchStrategy[str], odd: st.SearchStrategy[str]) -> str:
        return draw(odd if draw(st.integers(0, 15)) == 15 else usual)

    rows = (
        line.format(
            day=some(days, ODD_DAYS),
            figure=some(FIGURES, ODD_FIGURES),
            id=draw(WORDS),
            payee=draw(WORDS),
            memo=draw(WORDS),
        )
        for _ in range(draw(st.integers(1, 8)))
    )
    return "".join(rows)


def told(source: Source, text: str, fewest: int, order: str = "") -> tuple[list[object], ...]:
    """Rows, the raw text of each, rejections and all else of a file, whose runs of so many bookings are read as columns."""
    original = Part(Path("a"), "a", datetime(2026, 1, 1, tzinfo=UTC), text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(booking_columns, "FEWEST", fewest)
        patch.setattr(qif, "FEWEST_IN_RUN", 1)
        items = list(source.parse(original, Clock.fixed(ZoneInfo("UTC"), "CHF", order)))
    batches = [item for item in items if isinstance(item, Batch)]
    return (
        [row for batch in batches for row in batch.rows.to_pylist()],
        [batch.raw(at) for batch in batches for at in range(batch.rows.num_rows)],
        [each for batch in batches for each in batch.rejections],
        [item for item in items if not isinstance(item, Batch)],
    )


def as_ofx(body: str) -> str:
    return f"<OFX><STMTRS><CURDEF>eur<BANKACCTFROM><ACCTID>1</BANKACCTFROM><BANKTRANLIST>{body}</BANKTRANLIST></STMTRS></OFX>"


OFX_BOOKING = (
    "<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>{day}<TRNAMT>{figure}<FITID>{id}<NAME>{payee}<MEMO>{memo}"
    "<SIC>{id}<DTAVAIL>{day}</STMTTRN>\n"
)
QIF_BOOKING = "D{day}\nT{figure}\nP{payee}\nM{memo}\nL[{payee}]{memo}\nC{id}\nN{id}\n^\n"


@settings(deadline=None)
@given(written(OFX_BOOKING, OFX_DAYS))
def test_ofx_columns_are_the_rows(body: str) -> None:
    assert told(ofx_statement.SOURCE, as_ofx(body), 1) == told(ofx_statement.SOURCE, as_ofx(body), 10**6)


@settings(deadline=None)
@given(
    written(QIF_BOOKING, DAYS),
    st.sampled_from(["", "DMY"]),
)
def test_qif_columns_are_the_rows(body: str, order: str) -> None:
    text = f"!Type:Bank\n{body}"
    assert told(qif_register.SOURCE, text, 1, order) == told(qif_register.SOURCE, text, 10**6, order)


@pytest.mark.parametrize("odd", ["SFood\n$1\n", "Tx\n", ""])
def test_rows_between_columns_keep_their_place(odd: str) -> None:
    plain = "D13/02/2026\nT1.00\nPBakery\n^\n" * (BATCH_ROWS + 10)
    text = f"!Type:Bank\n{plain}D13/02/2026\nPBakery\n{odd}^\n{plain}"
    rows, _, rejections, _ = told(qif_register.SOURCE, text, booking_columns.FEWEST)
    places = [row["at"] for row in rows if isinstance(row, dict)]
    assert places == sorted(places)
    assert len(rows) + len(rejections) == 2 * (BATCH_ROWS + 10) + 1


@given(st.lists(st.one_of(FIGURES, ODD_FIGURES), min_size=1, max_size=6), st.sampled_from([".", ","]))
def test_figures_are_what_their_reader_says(texts: list[str], mark: Mark) -> None:
    read = NumberStyle(mark).read
    try:
        column = booking_columns.amounts(pa.array(texts, pa.string()), mark, read)
    except ValueError:
        return
    assert column.to_pylist() == [read(text) if text else None for text in texts]


def test_plain_figures_are_read_as_columns() -> None:
    def refuse(text: str) -> Decimal:
        raise AssertionError(text)

    assert booking_columns.amounts(pa.array(["1,50", "-2"]), ",", refuse).to_pylist() == [Decimal("1.5"), Decimal(-2)]


def test_a_day_is_read_once() -> None:
    asked: list[str] = []

    def read(text: str) -> date:
        asked.append(text)
        return date(2026, 1, 31)

    days = booking_columns.Days(read)
    assert days.column(pa.array(["a", "", "a"])).to_pylist() == [date(2026, 1, 31), None, date(2026, 1, 31)]
    assert asked == ["a"]


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=4))
def test_keys_are_those_of_single_bookings(rows: list[tuple[str, str, str]]) -> None:
    ids, payees, memos = (list(map(str.strip, column)) for column in zip(*rows, strict=True))
    expected = [key_of(*row) for row in zip(ids, payees, memos, strict=True)]
    assert booking_columns.keys(*map(pa.array, (ids, payees, memos))).to_pylist() == expected


def test_too_much_text_is_left_to_the_rows() -> None:
    with pytest.raises(ValueError, match="too much"):
        booking_columns.booking_batch([1], str, {"memo": ["x" * 9_000_000]})
    body = OFX_BOOKING.format(day="20260131", figure="1.00", id="{}", payee="P", memo="x" * 200_000)
    rows, *_ = told(ofx_statement.SOURCE, as_ofx("".join(body.replace("{}", str(at)) for at in range(70))), 1)
    assert len(rows) == 70


def test_fields_that_the_file_does_not_tell_are_null() -> None:
    batch = booking_columns.booking_batch([3, 4], str, {"account": "A", "memo": ["m", ""]})
    assert batch.rows.schema == TRANSACTION.schema
    assert batch.rows.column("memo").to_pylist() == ["m", ""]
    assert batch.rows.column("extra").null_count == 2


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (qif_register.SOURCE, "!Type:Bank\nD13/02/2026\nT{figure}\nPShop\n^\n"),
        (
            ofx_statement.SOURCE,
            "<OFX><STMTRS><STMTTRN><DTPOSTED>20260213<TRNAMT>{figure}<FITID>1</STMTTRN></STMTRS></OFX>",
        ),
    ],
)
@pytest.mark.parametrize(("figure", "is_told"), [("-1,234", True), ("-1,234.00", False), ("-1234", False)])
def test_a_mark_that_no_figure_proves_is_told(
    tmp_path: Path, source: Source, text: str, figure: str, is_told: bool
) -> None:
    path = tmp_path / "export"
    path.write_text(text.format(figure=figure), encoding="utf-8")
    told = [
        item.text for item in source.parse(Original.at(path), Clock.fixed(ZoneInfo("UTC"))) if isinstance(item, Notice)
    ]
    assert any("1,234 means a thousand or a little more than one" in each for each in told) == is_told
