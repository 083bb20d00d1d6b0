"""Dates: one order for a file, with evidence."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.formats import dates
from twinning_pipelines.formats.dates import DateStyle, Order


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("12/31/98", date(1998, 12, 31)),
        ("31/12/98", date(1998, 12, 31)),
        ("31.12.1998", date(1998, 12, 31)),
        ("31. 12. 1998", date(1998, 12, 31)),
        ("99/12/31", date(1999, 12, 31)),
        ("6/14'18", date(2018, 6, 14)),
        ("12/21' 7", date(2007, 12, 21)),
        (" 3/29' 0", date(2000, 3, 29)),
        ("2/14'2020", date(2020, 2, 14)),
        ("26 Jan 2026", date(2026, 1, 26)),
        ("26-Jan-26", date(2026, 1, 26)),
        ("26Jan2026", date(2026, 1, 26)),
        ("Jan 26, 2026", date(2026, 1, 26)),
        ("January 1st, 2026", date(2026, 1, 1)),
        ("26. März 2026", date(2026, 3, 26)),
        ("26 févr. 2026", date(2026, 2, 26)),
        ("1 agosto 2026", date(2026, 8, 1)),
        ("2026-01-26", date(2026, 1, 26)),
        ("2026/1/6", date(2026, 1, 6)),
        ("2026-01-26T23:59:59Z", date(2026, 1, 26)),
        ("26/01/2026 14:33", date(2026, 1, 26)),
        ("20260126", date(2026, 1, 26)),
        ("26012026", date(2026, 1, 26)),
        ("29/02/2024", date(2024, 2, 29)),
    ],
)
def test_a_text_that_proves_its_order_is_read(written: str, day: date) -> None:
    style = dates.decide([written])
    assert not style.ambiguous
    assert style.read(written) == day


@pytest.mark.parametrize("written", ["6/ 4'18", "6/4/18", "06/04/2018", "06042018"])
def test_quicken_s_padded_form_follows_the_order_of_its_file(written: str) -> None:
    assert DateStyle("MDY").read(written) == date(2018, 6, 4)
    assert DateStyle("DMY").read(written) == date(2018, 4, 6)


@pytest.mark.parametrize(("short", "year"), [("00", 2000), ("07", 2007), ("68", 2068), ("69", 1969), ("99", 1999)])
def test_short_years_turn_at_69(short: str, year: int) -> None:
    assert DateStyle("MDY").read(f"01/02/{short}").year == year


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "not a date: ''"),
        ("tomorrow", "not a date: 'tomorrow'"),
        ("03/25/099Share Withdrawal", "not a date: '03/25/099Share Withdrawal'"),
        ("03/25/099", "not a date: '03/25/099'"),
        ("26 Foo 2026", "not a date: '26 Foo 2026'"),
        ("1.50", "not a date: '1.50'"),
        ("13/02/2026", "month 13: '13/02/2026'"),
        ("2026-13-01", "month 13: '2026-13-01'"),
        ("02/30/2026", "day 30: '02/30/2026'"),
        ("00/10/2026", "month 0: '00/10/2026'"),
        ("0000-01-01", "year 0: '0000-01-01'"),
    ],
)
def test_what_is_no_date_says_why(written: str, reason: str) -> None:
    with pytest.raises(ValueError) as told:  # noqa: PT011 - the reason is compared in full
        DateStyle("MDY").read(written)
    assert str(told.value) == reason


def test_the_order_is_decided_once_for_the_file() -> None:
    style = dates.decide(["01/02/2026", "13/02/2026", "03/02/2026"])
    assert style == DateStyle("DMY", evidence="13/02/2026")
    assert style.read("01/02/2026") == date(2026, 2, 1)


def test_a_text_counts_as_often_as_it_comes() -> None:
    texts = ["01/13/2026", "13/01/2026", "14/01/2026", "01/13/2026", "01/13/2026"]
    assert dates.decide(texts).order == "MDY"
    assert dates.decide(dict.fromkeys(texts, 0), default="YMD").order == "DMY"


def test_a_row_in_another_order_is_refused_not_swapped() -> None:
    style = dates.decide(["01/25/2026", "01/26/2026", "13/02/2026"])
    assert (style.order, style.contrary) == ("MDY", "13/02/2026")
    with pytest.raises(ValueError, match="month 13"):
        style.read("13/02/2026")


def test_iso_dates_need_no_order_and_prove_none() -> None:
    style = dates.decide(["2026-01-26", "01/02/2026"])
    assert style.ambiguous
    assert dates.decide(["2026-01-02", "2026-03-04"]) == DateStyle("YMD", evidence="2026-01-02")
    assert DateStyle("DMY").read("2026-01-02") == date(2026, 1, 2)


@pytest.mark.parametrize("default", ["MDY", "DMY"])
def test_a_file_that_proves_nothing_says_so_and_takes_the_default(default: Order) -> None:
    style = dates.decide(["01/02/2026", "03/04/2026"], default=default)
    assert (style.order, style.ambiguous, style.evidence) == (default, True, "")


def test_a_day_that_reads_alike_either_way_is_not_ambiguous() -> None:
    assert not dates.decide(["01/01/2026", "07/07/2026"]).ambiguous


def test_a_hint_settles_what_the_dates_leave_open() -> None:
    assert dates.decide(["01/02/2026"], hint="DMY") == DateStyle("DMY", evidence="DMY")
    assert dates.decide(["01/02/2026"], hint=" mdy ").order == "MDY"
    assert dates.decide(["01/02/2026"], hint="nonsense").ambiguous


def test_a_hint_that_every_proof_contradicts_gives_way() -> None:
    style = dates.decide(["25/12/2026", "01/02/2026"], hint="MDY")
    assert (style.order, style.evidence) == ("DMY", "25/12/2026")


def test_a_hint_with_a_proof_holds_against_the_majority() -> None:
    style = dates.decide(["12/25/2026", "25/12/2026", "26/12/2026"], hint="MDY")
    assert (style.order, style.contrary) == ("MDY", "25/12/2026")


days = st.dates(date(1969, 1, 1), date(2068, 12, 31))
SHAPES: dict[Order, list[str]] = {
    "MDY": ["%m/%d/%Y", "%m/%d'%y", "%m-%d-%y"],
    "DMY": ["%d/%m/%Y", "%d.%m.%Y", "%d.%m.%y"],
    "YMD": ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d"],
}


@given(st.sampled_from(["MDY", "DMY", "YMD"]), st.data(), st.lists(days, min_size=1))
def test_a_file_in_one_order_comes_back(order: Order, data: st.DataObject, written: list[date]) -> None:
    shape = data.draw(st.sampled_from(SHAPES[order]))
    texts = [day.strftime(shape) for day in written]
    style = dates.decide(texts)
    assert style.contrary == ""
    if style.ambiguous:
        style = DateStyle(order)
        assert all(day.day <= 12 for day in written)
    assert [style.read(text) for text in texts] == written


@given(st.text(alphabet="0123456789/-.' JanfebT:", max_size=16), st.sampled_from(["MDY", "DMY", "YMD"]))
def test_anything_else_is_a_day_or_a_value_error(written: str, order: Order) -> None:
    try:
        outcome: object = DateStyle(order).read(written)
    except ValueError as reason:
        outcome = str(reason)
    assert isinstance(outcome, date) or str(outcome).startswith(("not a date: ", "month ", "day ", "year "))
