"""Bookings in Postgres: they keep their names and what a person said of them, whatever arrives afterwards."""

import json
from decimal import Decimal

import pytest
import sqlalchemy as sa

from twinning_pipelines.marts.books.accounts import OwnAccount
from twinning_pipelines.marts.books.listing import BookingFilter, bookings_of, starting_rulebook
from twinning_pipelines.marts.books.rulebook import read_rulebook
from twinning_pipelines.marts.books.transfers import confirm_transfer, reject_transfer
from twinning_pipelines.marts.daily_facts import refresh_facts
from twinning_pipelines_tests.marts.books.conftest import Bank, line

OFX, CSV, QIF, CAMT = "finance.ofx", "finance.bank_csv", "finance.qif", "finance.camt"
KEYS = "select key from booking where gone_since is null order by booked_on, amount"


def test_a_second_format_adds_words_and_no_booking(bank: Bank) -> None:
    bank.tell(OFX, [line("2026-03-02", "-3.5", "CORNER CAFE", bank_id="N1")])
    (key,) = bank.rows(KEYS)
    bank.tell(QIF, [line("2026-03-02", "-3.50", "Corner Cafe", category="Restaurants")])
    assert bank.bookings() == [("2026-03-02", "-3.5", "CORNER CAFE", "finance.ofx finance.qif")]
    assert bank.rows(KEYS) == [key]
    assert bank.rows("select category, category_by from booking") == [("Restaurants", "file")]


def test_whatever_comes_first_the_same_bookings_result(bank: Bank) -> None:
    files = [
        (OFX, [line("2026-03-02", "-3.50", bank_id="N1")]),
        (CSV, [line("2026-03-02", "-3.5"), line("2026-03-03", "-9")]),
    ]
    for source, lines in reversed(files):
        bank.tell(source, lines)
    assert [row[:2] for row in bank.bookings()] == [("2026-03-02", "-3.5"), ("2026-03-03", "-9")]
    assert bank.rows("select source from booking order by booked_on") == [(OFX,), (CSV,)]


def test_settling_again_writes_nothing(bank: Bank) -> None:
    bank.tell(OFX, [line("2026-03-02", "-3.50", bank_id="N1"), line("2026-03-04", "-4")], balances={"2026-03-31": "5"})
    tables = ("booking", "booking_telling", "account", "account_balance")
    before = [bank.rows(f"select xmin::text, * from {table} order by 1, 2") for table in tables]
    stale = bank.rows("delete from stale_day returning day")
    assert stale
    bank.settle()
    after = [bank.rows(f"select xmin::text, * from {table} order by 1, 2") for table in tables]
    assert after[0] == before[0]
    assert after[1] == before[1]
    assert after[3] == before[3]
    assert bank.rows("select day from stale_day") == []


def test_two_accounts_that_turn_out_to_be_one(bank: Bank) -> None:
    """Their bookings join; what a person said of one holds for both; the key is that of the older."""
    bank.tell(OFX, [line("2026-03-02", "-3.50", bank_id="N1", account="0815/4711")])
    bank.tell(QIF, [line("2026-03-02", "-3.5"), line("2026-03-05", "-8")])
    assert len(bank.bookings()) == 3
    older, newer = (row[0] for row in bank.rows("select id from booking where booked_on = '2026-03-02' order by id"))
    bank.do("insert into booking_edit (booking_id, field, value) values (:id, 'category', 'Treats')", id=newer)
    bank.described = [OwnAccount("Household", "checking", ("0815/4711", "Giro"))]
    bank.settle()
    assert [row[:2] for row in bank.bookings()] == [("2026-03-02", "-3.5"), ("2026-03-05", "-8")]
    assert bank.rows("select id, joined_to from booking where gone_since is not null") == [(newer, older)]
    assert bank.rows("select booking_id, value from booking_edit where booking_id = :id", id=older) == [
        (older, "Treats")
    ]
    assert bank.rows("select name from account") == [("Household",)]
    bank.described = []
    bank.settle()
    assert len(bank.bookings()) == 3
    assert bank.rows("select count(*) from booking") == [(3,)]


def test_a_transfer_that_the_person_refused_stays_refused_when_bookings_join(bank: Bank) -> None:
    bank.tell(OFX, [line("2026-03-02", "-50", bank_id="N1", account="0815/4711")])
    bank.tell(QIF, [line("2026-03-02", "-50")])
    bank.tell(CSV, [line("2026-03-03", "50", "Bob", account="Savings")])
    with bank.engine.begin() as connection:
        older, newer, into = connection.execute(sa.text("select id from booking order by id")).scalars().all()
        reject_transfer(connection, 1, newer, into)
    assert bank.rows("select out_id, state, by from transfer order by out_id") == [
        (older, "confirmed", "rule"), (newer, "rejected", "person"),
    ]  # fmt: skip
    bank.described = [OwnAccount("Household", "checking", ("0815/4711", "Giro"))]
    bank.settle()
    assert bank.rows("select state, by from transfer where out_id = :id", id=older) == [("rejected", "person")]
    with bank.engine.begin() as connection:
        refresh_facts(connection)
    assert bank.rows("select fact, value::text from daily_fact where fact in ('spend', 'income') order by 1") == [
        ("income", "50"), ("spend", "50"),
    ]  # fmt: skip


def test_a_booking_that_joins_another_is_no_second_transfer_of_it(bank: Bank) -> None:
    bank.tell(OFX, [line("2026-03-02", "-50", bank_id="N1", account="0815/4711")])
    bank.tell(QIF, [line("2026-03-02", "-50")])
    bank.tell(
        CSV, [line("2026-03-03", "50", "Ada", account="Savings"), line("2026-03-12", "50", "Bob", account="Savings")]
    )
    with bank.engine.begin() as connection:
        older, newer, near, far = connection.execute(sa.text("select id from booking order by id")).scalars().all()
        confirm_transfer(connection, 1, older, near)
        confirm_transfer(connection, 1, newer, far)
    bank.described = [OwnAccount("Household", "checking", ("0815/4711", "Giro"))]
    bank.settle()
    assert bank.rows("select out_id, in_id from transfer where state = 'confirmed'") == [(older, near)]


def test_a_row_that_a_mended_reader_no_longer_tells_is_gone(bank: Bank) -> None:
    bank.tell(OFX, [line("2026-03-02", "-3.50", bank_id="N1")])
    bank.do("delete from transaction_sighting")
    bank.settle()
    assert bank.bookings() == []
    assert bank.rows("select gone_since is not null from booking") == [(True,)]


def test_a_first_rulebook_can_be_read_though_an_account_is_told_no_more(bank: Bank) -> None:
    bank.tell(OFX, [line("2026-03-02", "-3.50", bank_id="N1")])
    bank.tell(OFX, [line("2026-03-02", "-3.50", bank_id="N2", account="Savings")])
    bank.do("update transaction set absent_since = now() where account = 'Giro'")
    bank.settle()
    assert len(bank.rows("select name from account")) == 2
    with bank.engine.begin() as connection:
        book = read_rulebook(starting_rulebook(connection, 1))
    assert [each.name for each in book.accounts] == ["Savings"]


def test_a_batch_is_told_once(bank: Bank) -> None:
    bank.tell(CAMT, [line("2026-03-02", "-30", "", bank_id="B1", memo="SEPA batch")])
    (whole,) = bank.rows(KEYS)
    parts = [
        line(
            "2026-03-02",
            amount,
            payee,
            bank_id="B1",
            key=f"id:B1|words:{payee}",
            extra=json.dumps({"AcctSvcrRef": "B1"}),
        )
        for amount, payee in (("-10", "Ada"), ("-20", "Ben"))
    ]
    bank.tell(CAMT, parts)
    assert [row[:3] for row in bank.bookings()] == [("2026-03-02", "-20", "Ben"), ("2026-03-02", "-10", "Ada")]
    assert whole in bank.rows("select key from booking")


def test_what_may_be_told_twice_is_listed_beside_the_other(bank: Bank) -> None:
    bank.tell(OFX, [line("2026-03-02", "-4.20", "Corner Cafe", bank_id="N1")])
    bank.tell(CSV, [line("2026-03-02", "-4.20", "Tram Ticket"), line("2026-03-02", "-9", "Elsewhere")])
    (person,) = bank.rows("select id from person")[0]
    with bank.engine.connect() as connection:
        listed = bookings_of(connection, int(str(person)), BookingFilter(doubted=True), 10)
        everything = bookings_of(connection, int(str(person)), BookingFilter(), 10)
    assert {each.payee for each in listed} == {"Corner Cafe", "Tram Ticket"}
    assert len(everything) == 3
    # Once both files tell the days around, nothing is left in doubt.
    bank.tell(
        OFX,
        [
            line("2026-03-01", "-1", "A"),
            line("2026-03-03", "-1", "B"),
            line("2026-03-02", "-4.20", "Corner Cafe", bank_id="N1"),
        ],
    )
    assert bank.rows("select count(*) from booking where perhaps is not null and gone_since is null") == [(0,)]


def test_a_booking_whose_name_giver_is_gone_falls_apart_into_two(bank: Bank) -> None:
    """An OFX and a CSV row are one booking, called by a third that is gone; then they are two."""
    bank.tell(QIF, [line("2026-03-02", "-4.20", "Corner Cafe")], on="2026-03-29")
    bank.tell(OFX, [line("2026-03-02", "-4.20", "Corner Cafe", bank_id="N1")], on="2026-03-30")
    bank.tell(CSV, [line("2026-03-02", "-4.20", "Cafe")])
    assert len(bank.bookings()) == 1
    bank.do(
        "delete from transaction_sighting s using transaction t where t.id = s.transaction_id and t.source = :q", q=QIF
    )
    bank.settle()
    bank.tell(CSV, [line("2026-03-02", "-4.20", "Cafe"), line("2026-03-02", "-4.20", "Corner Cafe North")])
    assert [row[:2] for row in bank.bookings()] == [("2026-03-02", "-4.2")] * 2
    assert bank.rows("select count(distinct key) from booking where gone_since is null") == [(2,)]


def test_a_statement_of_a_quiet_month_settles_its_balance(bank: Bank) -> None:
    bank.tell(OFX, [line("2026-03-02", "-3", "A")], balances={"2026-03-10": "100"})
    bank.do("delete from stale_books")
    bank.tell(OFX, [], on="2026-04-30", balances={"2026-04-30": "100"}, settled=False)
    assert bank.rows("select count(*) from stale_books") == [(1,)]


def test_days_on_which_nothing_is_dropped_have_balances_too(bank: Bank) -> None:
    bank.tell(OFX, [line("2026-03-02", "-3", "A")], balances={"2026-03-10": "100"})
    with bank.engine.begin() as connection:
        refresh_facts(connection)
    bank.do("delete from daily_fact where day > '2026-03-20'")
    bank.do("delete from stale_day")
    with bank.engine.begin() as connection:
        refresh_facts(connection)
    told = "select count(*) from daily_fact where fact = 'balance' and day between '2026-03-02' and local_day(person_id, now())"
    days = "select local_day(id, now()) - date '2026-03-02' + 1 from person"
    assert bank.rows(told) == bank.rows(days)


def test_parts_of_a_booking_without_a_category_of_its_own_count(bank: Bank) -> None:
    splits = json.dumps([{"category": "Groceries", "amount": "-30"}, {"category": "Household", "amount": "-20"}])
    bank.tell(QIF, [line("2026-03-02", "-50", "Market", splits=splits)])
    with bank.engine.begin() as connection:
        refresh_facts(connection)
    by_category = "select part, value::text from daily_fact where fact = 'spend_by_category' order by part"
    assert bank.rows(by_category) == [("Groceries", "30"), ("Household", "20")]


def test_parts_count_though_another_format_is_shown(bank: Bank) -> None:
    splits = json.dumps([{"category": "Groceries", "amount": "-30"}, {"category": "Household", "amount": "-20"}])
    bank.tell(OFX, [line("2026-03-02", "-50", "MARKET 12", bank_id="N1")])
    bank.tell(QIF, [line("2026-03-02", "-50", "Market", category="Groceries", splits=splits)])
    assert [row[3] for row in bank.bookings()] == ["finance.ofx finance.qif"]
    with bank.engine.begin() as connection:
        refresh_facts(connection)
    by_category = "select part, value::text from daily_fact where fact = 'spend_by_category' order by part"
    assert bank.rows(by_category) == [("Groceries", "30"), ("Household", "20")]
    assert bank.rows("select value::text from daily_fact where fact = 'spend'") == [("50",)]


def test_edges_of_balances(bank: Bank) -> None:
    """Before the first stated balance we reckon back, after the last one on; a statement's word counts on its day."""
    lines = [line("2026-03-02", "-3", "A"), line("2026-03-10", "-4", "B"), line("2026-03-20", "10", "C")]
    bank.tell(OFX, lines, balances={"2026-03-10": "100"})
    balances = "select day::text, balance::text, stated, n from account_balance order by day"
    assert bank.rows(balances) == [
        ("2026-03-02", "104", False, 2), ("2026-03-10", "100", True, 1), ("2026-03-20", "110", False, 2),
    ]  # fmt: skip


@pytest.mark.parametrize("begins", ["2026-02-28", "2026-03-02"])
def test_the_first_statement_of_an_account_is_proved_by_itself(bank: Bank, begins: str) -> None:
    from twinning_pipelines.marts.books.balances import balance_gaps

    lines = [line("2026-03-02", "-3", "A"), line("2026-03-10", "-4", "B")]
    bank.tell(CAMT, lines, opening=(begins, "100"), balances={"2026-03-31": "93"})
    with bank.engine.connect() as connection:
        assert balance_gaps(connection) == []
    bank.tell(
        CAMT,
        [dict(each) | {"account": "Savings"} for each in lines[:1]],
        opening=(begins, "100"),
        balances={"2026-03-31": "93"},
    )
    with bank.engine.connect() as connection:
        (gap,) = balance_gaps(connection)
    assert (gap.account, str(gap.since), str(gap.until), gap.missing) == ("Savings", begins, "2026-03-31", Decimal(-4))


def test_the_last_of_several_statements_of_a_day_tells_its_end(bank: Bank) -> None:
    from twinning_pipelines.marts.books.balances import balance_gaps

    lines = [line("2026-03-02", "-5", "A"), line("2026-03-03", "-7", "B"), line("2026-03-03", "-8", "C")]
    bank.tell("finance.mt940", lines, balances=[("2026-03-02", "100"), ("2026-03-03", "93"), ("2026-03-03", "85")])
    assert bank.rows("select day::text, balance::text from account_balance where stated order by day") == [
        ("2026-03-02", "100"), ("2026-03-03", "85"),
    ]  # fmt: skip
    with bank.engine.connect() as connection:
        assert balance_gaps(connection) == []


def test_a_balance_of_the_moment_is_no_gap_when_more_is_booked_that_day(bank: Bank) -> None:
    from twinning_pipelines.marts.books.balances import balance_gaps

    morning = [line("2026-03-02", "-3", "A", bank_id="1"), line("2026-03-10", "-4", "B", bank_id="2")]
    bank.tell(OFX, morning, on="2026-03-10", balances={"2026-03-10": "100"})
    evening = [*morning, line("2026-03-10", "-6", "C", bank_id="3"), line("2026-03-20", "10", "D", bank_id="4")]
    bank.tell(OFX, evening, on="2026-03-21", balances={"2026-03-20": "104"})
    with bank.engine.connect() as connection:
        assert balance_gaps(connection) == []
    bank.tell(OFX, [], on="2026-03-30", balances={"2026-03-29": "90"})
    with bank.engine.connect() as connection:
        (gap,) = balance_gaps(connection)
    assert (str(gap.since), str(gap.until), str(gap.missing)) == ("2026-03-20", "2026-03-29", "-14")
