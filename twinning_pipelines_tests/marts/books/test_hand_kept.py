"""A cash book dropped again: what was corrected or taken out in it no longer counts, and no other list is touched."""

from collections.abc import Sequence

import pytest

from twinning_pipelines_tests.marts.books.conftest import Bank, Line, line

CASH, QIF = "finance.cash_book", "finance.qif"
BREAD, CINEMA, GIFT = (
    line("2026-03-02", "-4", "Bakery"),
    line("2026-03-05", "-20", "Cinema"),
    line("2026-03-09", "50", "Gran"),
)
LIST = [BREAD, CINEMA, GIFT]


def _told(bank: Bank) -> list[tuple[object, ...]]:
    return [row[:3] for row in bank.bookings()]


@pytest.mark.parametrize(
    "lines",
    [
        [BREAD, line("2026-03-05", "-22", "Cinema"), GIFT],
        [BREAD, line("2026-03-06", "-20", "Cinema"), GIFT],
        [BREAD, line("2026-03-05", "-20", "Movies"), GIFT],
        [BREAD, CINEMA, line("2026-03-09", "60", "Gran"), line("2026-03-10", "-3", "Tram")],
    ],
)
@pytest.mark.parametrize("is_turned", [False, True])
def test_what_was_corrected_is_one_booking_and_keeps_what_the_person_said(
    bank: Bank, lines: Sequence[Line], is_turned: bool
) -> None:
    files = [(LIST, "2026-03-10"), (lines, "2026-03-11")]
    bank.tell(CASH, files[is_turned][0], on=files[is_turned][1])
    bank.do("insert into booking_edit (booking_id, field, value) select id, 'note', 'mine' from booking")
    bank.tell(CASH, files[not is_turned][0], on=files[not is_turned][1])
    assert _told(bank) == [(each["day"], each["amount"], each["payee"]) for each in lines]
    noted = bank.rows("select payee from booking where gone_since is null and note = 'mine'")
    assert len(noted) == (len(lines) if is_turned else len(LIST))
    bank.tell(CASH, LIST, on="2026-03-12")
    assert {each["payee"] for each in LIST} <= {row[2] for row in _told(bank)}


def test_what_was_taken_out_is_gone_and_comes_back_with_its_note(bank: Bank) -> None:
    bank.tell(CASH, LIST, on="2026-03-10")
    bank.do("insert into booking_edit (booking_id, field, value) select id, 'note', 'mine' from booking")
    bank.tell(CASH, [BREAD, GIFT], on="2026-03-11")
    assert [row[2] for row in _told(bank)] == ["Bakery", "Gran"]
    assert bank.rows("select balance::text from account_balance order by day desc limit 1") == [("46",)]
    bank.tell(CASH, LIST, on="2026-03-12")
    assert [row[2] for row in _told(bank)] == ["Bakery", "Cinema", "Gran"]
    assert bank.rows("select count(*) from booking where note = 'mine'") == [(3,)]


def test_lists_that_share_less_than_half_stand_beside_each_other(bank: Bank) -> None:
    bank.tell(CASH, LIST, on="2026-03-10")
    bank.tell(CASH, [line("2026-03-02", "-9", "Bakery"), line("2026-03-09", "-1", "Tram")], on="2026-03-11")
    bank.tell(CASH, [BREAD, line("2026-03-09", "-2", "Tram")], on="2026-03-12")
    assert len(_told(bank)) == 6


def test_a_bank_that_leaves_a_row_out_has_not_taken_it_back(bank: Bank) -> None:
    bank.tell("finance.bank_csv", LIST, on="2026-03-10")
    bank.tell("finance.bank_csv", [BREAD, GIFT], on="2026-03-11")
    assert len(_told(bank)) == 3


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_an_amount_that_was_corrected_in_a_finance_program_counts_once(bank: Bank, order: Sequence[int]) -> None:
    files = [
        ([BREAD, line("2026-03-05", amount, "Cinema"), line("2026-03-05", "-3", "Cinema"), GIFT], on)
        for amount, on in (("-20", "2026-03-10"), ("-22", "2026-03-11"), ("-23", "2026-03-12"))
    ]
    for place in order:
        bank.tell(QIF, files[place][0], on=files[place][1])
    assert _told(bank)[1:3] == [("2026-03-05", "-23", "Cinema"), ("2026-03-05", "-3", "Cinema")]
    assert len(_told(bank)) == 4


def test_a_register_that_is_cut_on_that_day_or_tells_two_more_proves_nothing(bank: Bank) -> None:
    bank.tell(QIF, [BREAD, CINEMA], on="2026-03-10")
    bank.tell(QIF, [line("2026-03-05", "-22", "Cinema"), GIFT], on="2026-03-11")
    assert len(_told(bank)) == 4
    bank.tell(
        QIF, [BREAD, line("2026-03-05", "-23", "Cinema"), line("2026-03-05", "-24", "Cinema"), GIFT], on="2026-03-12"
    )
    assert len(_told(bank)) == 6
