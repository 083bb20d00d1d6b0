"""Transfers between own accounts: which two bookings are one movement, what is only proposed, and whose word stays."""

import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.formats.iban import is_iban
from twinning_pipelines.marts.books.categories import edit_booking
from twinning_pipelines.marts.books.dated_rates import DatedRates
from twinning_pipelines.marts.books.kept_rulebook import keep_rulebook
from twinning_pipelines.marts.books.pairing import Leg, Pair, pair
from twinning_pipelines.marts.books.transfers import confirm_transfer, pair_transfers, proposals, reject_transfer
from twinning_pipelines_tests.marts.books.ledger import Ledger

IBAN = "CH9300762011623852957"
STRANGER = "DE89370400440532013000"


@pytest.fixture
def ledger(engine: sa.Engine) -> Iterator[Ledger]:
    with engine.connect() as connection:
        made = Ledger.of(connection)
        made.account("Household", "37040044 4711000")
        made.account("Savings", iban=IBAN)
        made.account("Cash box")
        made.account("Euros", currency="EUR")
        yield made


def _pair(ledger: Ledger) -> int:
    return pair_transfers(ledger.connection, ledger.person_id)


def _why(ledger: Ledger) -> list[str]:
    return list(ledger.connection.execute(sa.text("select why from transfer order by out_id, in_id")).scalars())


def test_the_only_two_of_an_amount_within_four_days_are_one_transfer(ledger: Ledger) -> None:
    out = ledger.book("Household", "2026-01-30", "-500", "Ada")
    into = ledger.book("Savings", "2026-02-03", "500.00", "Ada")
    ledger.book("Savings", "2026-02-04", "77", "Interest")
    ledger.book("Household", "2026-02-08", "-77", "Shop")
    ledger.book("Savings", "2026-02-20", "500", "Gift")
    ledger.book("Household", "2026-02-25", "-500", "Shop")
    assert _pair(ledger) == 2
    assert ledger.transfers()[0] == (out, into, "confirmed", "rule")
    assert _why(ledger)[0] == "same amount, 4 days apart"
    assert _pair(ledger) == 0


def test_what_settles_marks_the_days_of_both_once(ledger: Ledger) -> None:
    ledger.book("Household", "2026-01-30", "-500")
    into = ledger.book("Savings", "2026-02-02", "500")
    _pair(ledger)
    assert ledger.stale_days() == ["2026-01-30", "2026-02-02"]
    _pair(ledger)
    assert ledger.stale_days() == []
    ledger.gone(into)
    assert _pair(ledger) == 1
    assert ledger.stale_days() == ["2026-01-30", "2026-02-02"]
    assert ledger.transfers() == []


def test_five_days_one_account_one_direction_or_another_currency_are_no_transfer(ledger: Ledger) -> None:
    ledger.book("Household", "2026-01-01", "-500")
    ledger.book("Savings", "2026-01-06", "500")
    ledger.book("Household", "2026-02-01", "-60")
    ledger.book("Household", "2026-02-01", "60")
    ledger.book("Household", "2026-03-01", "-70")
    ledger.book("Savings", "2026-03-01", "-70")
    ledger.book("Household", "2026-04-01", "-80")
    ledger.book("Euros", "2026-04-01", "80", currency="EUR")
    ledger.book("Household", "2026-05-01", "-90")
    ledger.book("Savings", "2026-05-01", "90", pending=True)
    assert _pair(ledger) == 0


def test_two_candidates_are_proposed_the_nearest_first_each_leg_once(ledger: Ledger) -> None:
    out = ledger.book("Household", "2026-01-10", "-50")
    far = ledger.book("Savings", "2026-01-13", "50")
    near = ledger.book("Cash box", "2026-01-11", "50")
    _pair(ledger)
    assert ledger.transfers() == [(out, near, "proposed", "rule")]
    assert ledger.stale_days() == []
    reject_transfer(ledger.connection, ledger.person_id, out, near)
    assert sorted(ledger.transfers()) == [(out, far, "confirmed", "rule"), (out, near, "rejected", "person")]
    reject_transfer(ledger.connection, ledger.person_id, out, far)
    assert {row[2:] for row in ledger.transfers()} == {("rejected", "person")}
    assert _pair(ledger) == 0


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"extra": {"CdtrAcct.IBAN": IBAN}}, "one names the other's account number"),
        ({"memo": "an CH93 0076 2011 6238 5295 7 Sparkonto"}, "one names the other's account number"),
        ({"transfer_to": "savings"}, "one is said to go to or come from the other account"),
        ({"memo": "Monthly to my Savings account"}, "it is called a transfer, or names the other account"),
    ],
)
def test_what_a_booking_says_singles_out_one_of_two(ledger: Ledger, said: dict[str, str], why: str) -> None:
    out = ledger.book("Household", "2026-01-10", "-50", "Ada", **said)  # type: ignore[arg-type]
    far = ledger.book("Savings", "2026-01-13", "50")
    ledger.book("Cash box", "2026-01-10", "50")
    _pair(ledger)
    assert ledger.transfers() == [(out, far, "confirmed", "rule")]
    assert _why(ledger) == [f"same amount, 3 days apart, {why}"]


def test_the_other_side_may_tell_by_an_account_number(ledger: Ledger) -> None:
    out = ledger.book("Household", "2026-01-10", "-50")
    ledger.book("Cash box", "2026-01-10", "50")
    into = ledger.book("Savings", "2026-01-11", "50", memo="from 0004711000")
    _pair(ledger)
    assert ledger.transfers() == [(out, into, "confirmed", "rule")]


def test_a_booking_that_names_another_own_account_is_not_paired_with_this_one(ledger: Ledger) -> None:
    ledger.book("Household", "2026-01-10", "-50", transfer_to="Cash box")
    ledger.book("Savings", "2026-01-10", "50")
    assert _pair(ledger) == 0


def test_somebody_elses_account_or_a_category_by_rule_speaks_against(ledger: Ledger) -> None:
    out = ledger.book("Household", "2026-01-10", "-1500", "Landlord", extra={"CdtrAcct.IBAN": STRANGER})
    into = ledger.book("Savings", "2026-01-10", "1500", "Sale of a bike")
    groceries = ledger.book("Household", "2026-02-10", "-20", "Migros", category="Groceries")
    ledger.book("Savings", "2026-02-10", "20", "Bob")
    ledger.connection.execute(sa.text(f"update booking set category_by = 'rule' where id = {groceries}"))
    _pair(ledger)
    assert ledger.transfers() == [(out, into, "proposed", "rule")]


def test_a_bank_that_names_both_accounts_names_somebody_elses(ledger: Ledger) -> None:
    """CAMT tells the debtor's account, one's own, beside that of the creditor."""
    rent = {"DbtrAcct.Id.IBAN": IBAN, "CdtrAcct.Id.IBAN": STRANGER}
    out = ledger.book("Savings", "2026-01-10", "-1500", "Landlord", extra=rent)
    into = ledger.book("Household", "2026-01-10", "1500", "Sale of a bike")
    _pair(ledger)
    assert ledger.transfers() == [(out, into, "proposed", "rule")]


def test_words_and_figures_of_a_memo_are_no_account_number(ledger: Ledger) -> None:
    """Read without blanks, `KT 4105 KORNEUBURG` has an IBAN's check digits, but there is no country KT."""
    out = ledger.book("Household", "2026-01-10", "-50", memo="11:32 SPAR DANKT 4105 KORNEUBURG 2100")
    into = ledger.book("Savings", "2026-01-10", "50")
    longer = next(f"{IBAN}AB{n}" for n in range(10, 99) if is_iban(f"{IBAN}AB{n}"))
    number = ledger.book("Household", "2026-02-10", "-60", memo=longer)
    ledger.book("Cash box", "2026-02-10", "60")
    saved = ledger.book("Savings", "2026-02-11", "60")
    _pair(ledger)
    assert ledger.transfers() == [(out, into, "confirmed", "rule"), (number, saved, "confirmed", "rule")]


def test_what_the_person_says_a_booking_is_counts_before_the_numbers_in_it(ledger: Ledger) -> None:
    out = ledger.book("Household", "2026-01-10", "-50", "Ada", extra={"CdtrAcct.IBAN": IBAN})
    into = ledger.book("Savings", "2026-01-10", "50")
    _pair(ledger)
    assert ledger.transfers() == [(out, into, "confirmed", "rule")]
    edit_booking(ledger.connection, out, "category", "Treats")
    _pair(ledger)
    assert ledger.transfers() == [(out, into, "proposed", "rule")]
    edit_booking(ledger.connection, out, "category", None)
    ledger.connection.execute(sa.text(f"update booking set category = 'A', category_by = 'rule' where id = {out}"))
    _pair(ledger)
    assert ledger.transfers() == [(out, into, "confirmed", "rule")]


def test_money_for_an_account_without_statements_is_not_found_on_another(ledger: Ledger) -> None:
    out = ledger.book("Household", "2026-01-10", "-500", "Ada", transfer_to="Piggy Bank")
    into = ledger.book("Savings", "2026-01-13", "500", "Bob")
    _pair(ledger)
    assert ledger.transfers() == [(out, into, "confirmed", "rule")]
    assert keep_rulebook(ledger.connection, ledger.person_id, "accounts:\n  - {name: Piggy bank, kind: cash}\n") is None
    _pair(ledger)
    assert ledger.transfers() == [(out, into, "proposed", "rule")]
    assert (
        keep_rulebook(ledger.connection, ledger.person_id, "accounts:\n  - {name: Savings, same_as: Piggy bank}\n")
        is None
    )
    _pair(ledger)
    assert ledger.transfers() == [(out, into, "confirmed", "rule")]


def test_twins_on_one_day_are_paired_whichever_is_whose(ledger: Ledger) -> None:
    outs = [ledger.book("Household", "2026-01-10", "-100") for _ in range(3)]
    ins = [ledger.book("Savings", "2026-01-11", "100") for _ in range(3)]
    _pair(ledger)
    assert ledger.transfers() == [(out, into, "confirmed", "rule") for out, into in zip(outs, ins, strict=True)]
    extra = ledger.book("Savings", "2026-01-11", "100")
    _pair(ledger)
    assert {row[2] for row in ledger.transfers()} == {"proposed"}
    ledger.gone(extra)
    _pair(ledger)
    assert {row[2] for row in ledger.transfers()} == {"confirmed"}


def test_another_currency_is_proposed_at_the_rate_of_the_day(ledger: Ledger) -> None:
    out = ledger.book("Household", "2026-01-10", "-950", "Ada")
    into = ledger.book("Euros", "2026-01-12", "1005", "Ada", currency="EUR")
    ledger.book("Euros", "2026-01-12", "900", "Bob", currency="EUR")
    assert _pair(ledger) == 0
    ledger.rate("EUR", "CHF", "2026-01-09", "0.94")
    ledger.rate("EUR", "CHF", "2026-01-11", "0.5")
    _pair(ledger)
    assert ledger.transfers() == [(out, into, "proposed", "rule")]
    assert _why(ledger) == ["CHF to EUR within 0.6 % of the day's rate, 2 days apart"]
    (waiting,) = proposals(ledger.connection, ledger.person_id)
    assert (waiting.out_account, waiting.in_account, waiting.in_amount) == ("Household", "Euros", Decimal(1005))
    assert keep_rulebook(ledger.connection, ledger.person_id, "transfers: {fx_tolerance: 0.1 %}") is None
    assert _pair(ledger) == 1
    assert ledger.transfers() == []


def test_a_persons_word_is_never_overwritten_and_waits_while_a_leg_is_gone(ledger: Ledger) -> None:
    out = ledger.book("Household", "2026-01-10", "-50")
    near = ledger.book("Savings", "2026-01-10", "50")
    far = ledger.book("Cash box", "2026-01-20", "49")
    confirm_transfer(ledger.connection, ledger.person_id, out, far)
    assert ledger.transfers() == [(out, far, "confirmed", "person")]
    assert _pair(ledger) == 0
    ledger.stale_days()
    ledger.gone(far)
    _pair(ledger)
    assert ledger.transfers() == [(out, near, "confirmed", "rule"), (out, far, "proposed", "person")]
    assert ledger.stale_days() == ["2026-01-10", "2026-01-20"]
    assert proposals(ledger.connection, ledger.person_id) == []
    ledger.gone(far, back=True)
    _pair(ledger)
    assert ledger.transfers() == [(out, far, "confirmed", "person")]
    confirm_transfer(ledger.connection, ledger.person_id, out, near)
    assert ledger.transfers() == [(out, near, "confirmed", "person")]


def test_what_can_be_no_transfer_is_refused(ledger: Ledger) -> None:
    out = ledger.book("Household", "2026-01-10", "-50")
    into = ledger.book("Savings", "2026-01-10", "50")
    beside = ledger.book("Household", "2026-01-10", "50")
    for wrong in ((into, out), (out, out), (out, beside), (out, beside + 1)):
        for decide in (confirm_transfer, reject_transfer):
            with pytest.raises(WrongUsage):
                decide(ledger.connection, ledger.person_id, *wrong)
    assert ledger.transfers() == []


def test_nobody_elses_bookings_are_touched(ledger: Ledger) -> None:
    ledger.book("Household", "2026-01-10", "-50")
    other = Ledger.of(ledger.connection, "bob")
    other.account("Bob's")
    hers = other.book("Bob's", "2026-01-10", "50")
    _pair(ledger)
    assert pair_transfers(ledger.connection, other.person_id) == 0
    assert ledger.transfers() == []
    with pytest.raises(WrongUsage):
        confirm_transfer(ledger.connection, ledger.person_id, 1, hers)


LEGS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 3), st.sampled_from((-20, -10, 10, 20))), min_size=2, max_size=14
)


def _legs(rows: list[tuple[int, int, int]]) -> list[Leg]:
    first = date(2026, 1, 1)
    return [
        Leg(place, f"k{place:02}", first + timedelta(days=day), account, Decimal(amount), "CHF")
        for place, (day, account, amount) in enumerate(rows)
    ]


def _strength(out: Leg, into: Leg) -> int:
    """Any judgement that depends on the two alone."""
    return (out.account_id * 7 + into.account_id * 3 + out.day.day) % 5 - 1


@settings(max_examples=200, deadline=None)
@given(LEGS, st.randoms(), st.sets(st.tuples(st.integers(0, 13), st.integers(0, 13)), max_size=4))
def test_laws_of_pairing(rows: list[tuple[int, int, int]], chance: Random, refused: set[tuple[int, int]]) -> None:
    legs = _legs(rows)
    none = DatedRates({})
    pairs = pair(legs, refused, _strength, none)
    shuffled = list(legs)
    chance.shuffle(shuffled)
    assert sorted(pair(shuffled, refused, _strength, none), key=_order) == sorted(pairs, key=_order)
    used = [each for one in pairs for each in (one.out_id, one.in_id)]
    assert len(used) == len(set(used))
    for each in pairs:
        out, into = legs[each.out_id], legs[each.in_id]
        assert out.amount == -into.amount < 0
        assert out.account_id != into.account_id
        assert abs((out.day - into.day).days) <= 4
        assert (each.out_id, each.in_id) not in refused
    # Nothing that could be proposed is left over.
    free = [leg for leg in legs if leg.id not in used]
    assert pair(free, refused, _strength, none) == []


def _order(each: Pair) -> tuple[int, int]:
    return each.out_id, each.in_id


def test_twenty_thousand_bookings_and_a_crowd_of_one_amount_are_paired_in_a_moment() -> None:
    chance = Random(3)
    first = date(2020, 1, 1)
    legs = [
        Leg(
            n, f"k{n:05}", first + timedelta(days=chance.randrange(2_000)), n % 4,
            Decimal(chance.choice((-1, -1, -1, 1)) * chance.randrange(100, 9_000)) / 100, "CHF" if n % 4 else "EUR",
        )
        for n in range(20_000)
    ]  # fmt: skip
    crowd = [Leg(30_000 + n, f"c{n:05}", first, n % 2, Decimal(-50 if n % 2 else 50), "CHF") for n in range(4_000)]
    days = {leg.day for leg in legs}
    rates = DatedRates(
        {("EUR", "CHF", day): Decimal("0.95") for day in days} | {("CHF", "EUR", day): Decimal(1) for day in days}
    )
    began = time.process_time()
    pairs = pair([*legs, *crowd], [], lambda out, into: 0, rates)
    assert time.process_time() - began < 5
    assert pairs
