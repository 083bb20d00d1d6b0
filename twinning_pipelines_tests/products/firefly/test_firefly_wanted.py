"""What Firefly III should hold of a booking: nothing of it is lost, and what can't be there is counted."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.products.firefly.accounts import Place
from twinning_pipelines.products.firefly.wanted import Movement, WantedBooks, pair_id, wanted_books
from twinning_pipelines.products.firefly.words import (
    ABOUT,
    LONGEST_NOTES,
    description_of,
    name_of,
    notes_of,
    valid_iban,
    without_provenance,
)
from twinning_pipelines.stores.firefly.groups import Group, Split
from twinning_pipelines_tests.household import Household

UNITS = {"finance.ofx_statement": "line"}


def wanted(home: Household, ids: Mapping[Place, str]) -> WantedBooks:
    with home.engine.connect() as connection:
        return wanted_books(connection, home.person_id, ids, UNITS)


def only(home: Household, account: int, currency: str = "EUR") -> Group:
    (group,) = wanted(home, {Place(account, currency): "7"}).groups.values()
    return group.group


def test_money_that_leaves_is_a_withdrawal_and_money_that_comes_a_deposit(household: Household) -> None:
    giro = household.account("Giro")
    told = {"valued_on": date(2026, 3, 4), "reference": "REF 1", "check_number": "0042"}
    spent = household.book(
        giro, "2026-03-02", "-12.50", "Bakery", "two  loaves\n", told=told, category="Food", tags=["b", "a"]
    )
    earned = household.book(giro, "2026-03-03", "2000", "", "", note="at last")
    groups = wanted(household, {Place(giro, "EUR"): "7"}).groups
    assert groups[household.key(spent)].group.splits == (
        Split(
            type="withdrawal",
            date=date(2026, 3, 2),
            amount=Decimal("12.50"),
            currency_code="EUR",
            description="two loaves",
            source_id="7",
            destination_name="Bakery",
            category_name="Food",
            tags=("a", "b"),
            notes=f"cheque 0042\ntwinning: march.ofx line 81 ({household.key(spent)})",
            internal_reference="REF 1",
            external_id=household.key(spent),
            interest_date=date(2026, 3, 4),
        ),
    )
    assert groups[household.key(earned)].group.splits == (
        Split(
            type="deposit",
            date=date(2026, 3, 3),
            amount=Decimal(2000),
            currency_code="EUR",
            description="(no description)",
            source_name="(no payee)",
            destination_id="7",
            notes=f"at last\ntwinning: march.ofx line 82 ({household.key(earned)})",
            external_id=household.key(earned),
        ),
    )


def test_what_can_not_be_there_is_counted_by_reason(household: Household) -> None:
    giro, other = household.account("Giro"), household.account("Other")
    household.book(giro, "2026-03-02", "0")
    household.book(giro, "2026-03-02", "-1", pending=True)
    household.book(giro, "1969-12-31", "-1")
    household.book(giro, "2038-01-18", "-1")
    household.book(giro, "2026-03-02", "-0.0000000000001")
    household.book(giro, "2026-03-02", "-1", currency="XXX")
    held = household.book(other, "2026-03-02", "-1")
    household.lose(household.book(giro, "2026-03-02", "-1"))
    edges = [household.book(giro, day, "-1") for day in ("1970-01-02", "2038-01-17")]
    books = wanted(household, {Place(giro, "EUR"): "7", Place(giro, "XXX"): "8"})
    assert set(books.groups) == set(map(household.key, edges))
    assert books.left_out == {
        "of zero": 1,
        "pending": 1,
        "before 1970 or after 2037": 2,
        "with more than 12 decimals": 1,
        "without a currency": 1,
        "on an account that is not there": 1,
    }
    assert books.unsaid == {Movement("booking", held)}


def test_another_currency_is_a_foreign_amount(household: Household) -> None:
    giro = household.account("Giro")
    household.book(giro, "2026-03-02", "-12.50", told={"original_amount": Decimal(-11), "original_currency": "CHF"})
    (split,) = only(household, giro).splits
    assert (split.amount, split.foreign_amount, split.foreign_currency_code) == (Decimal("12.50"), Decimal(11), "CHF")
    household.do("update transaction set original_currency = 'EUR'")
    (split,) = only(household, giro).splits
    assert (split.foreign_amount, split.foreign_currency_code) == (None, None)


PARTS: list[dict[str, Any]] = [
    {"category": "Food", "memo": "bread", "amount": "-7.50"},
    {"category": "Home", "memo": "", "amount": "-5"},
]


def test_parts_are_splits_if_they_make_up_the_booking(household: Household) -> None:
    giro = household.account("Giro")
    booking = household.book(giro, "2026-03-02", "-12.50", "Store", "weekly", told={"splits": PARTS}, note="n")
    group = only(household, giro)
    assert group.title == "weekly"
    assert [(each.amount, each.category_name, each.description) for each in group.splits] == [
        (Decimal("7.50"), "Food", "bread"),
        (Decimal(5), "Home", "weekly"),
    ]
    assert {each.external_id for each in group.splits} == {household.key(booking)}
    assert [without_provenance(each.notes) for each in group.splits] == ["part 1 of 2\nn", "part 2 of 2"]


@pytest.mark.parametrize(
    "parts",
    [
        [*PARTS, {"category": "x", "amount": "-1"}],
        [*PARTS[:1], {"category": "Home", "amount": "-10"}, {"category": "Back", "amount": "5"}],
        [*PARTS, {"category": "x", "amount": "0"}],
        [*PARTS, {"category": "x", "amount": "odd"}],
        [{"category": "All", "memo": "m", "amount": "-12.50"}],
    ],
)
def test_other_parts_stay_in_the_notes(household: Household, parts: list[dict[str, str]]) -> None:
    giro = household.account("Giro")
    household.book(giro, "2026-03-02", "-12.50", "Store", "weekly", told={"splits": parts})
    (split,) = only(household, giro).splits
    assert split.amount == Decimal("12.50")
    for part in parts:
        assert f"part: {part['amount']}, {part['category']}" in (split.notes or "")


def test_a_confirmed_pair_is_one_transfer_and_others_are_not(household: Household) -> None:
    giro, savings = household.account("Giro"), household.account("Savings")
    ids = {Place(giro, "EUR"): "7", Place(savings, "EUR"): "8"}
    out = household.book(giro, "2026-03-02", "-50", "Me", "to savings", category="Saving", tags=["a"])
    into = household.book(savings, "2026-03-04", "50", "Me", "from giro", tags=["b"])
    household.pair(out, into, "proposed")
    assert len(wanted(household, ids).groups) == 2
    household.pair(out, into)
    ((name, found),) = wanted(household, ids).groups.items()
    (split,) = found.group.splits
    assert found.movements == (Movement("booking", out), Movement("booking", into))
    assert name == split.external_id == pair_id(household.key(into), household.key(out))
    assert name.startswith(min(household.key(out), household.key(into)))
    assert (split.type, split.source_id, split.destination_id, split.amount) == ("transfer", "7", "8", Decimal(50))
    assert (split.date, split.process_date, split.tags) == (date(2026, 3, 2), date(2026, 3, 4), ("a", "b"))
    assert split.notes == (
        "there: from giro\nthere: Me\n"
        f"twinning: march.ofx line 81 ({household.key(out)})\ntwinning: march.ofx line 82 ({household.key(into)})"
    )
    household.change(into, amount=Decimal("49.50"))
    assert {each.group.splits[0].type for each in wanted(household, ids).groups.values()} == {"withdrawal", "deposit"}
    assert len(wanted(household, {Place(giro, "EUR"): "7"}).groups) == 1


def test_a_booking_is_in_one_transfer_only(household: Household) -> None:
    giro, savings = household.account("Giro"), household.account("Savings")
    ids = {Place(giro, "EUR"): "7", Place(savings, "EUR"): "8"}
    out = household.book(giro, "2026-03-02", "-50")
    first, second = (household.book(savings, "2026-03-02", "50") for _ in range(2))
    household.pair(out, first)
    household.pair(out, second)
    groups = wanted(household, ids).groups.values()
    told = sorted(tuple(each.id for each in group.movements) for group in groups)
    assert told == [(out, first), (second,)]


def test_a_budget_is_the_newest_that_has_the_category(household: Household) -> None:
    giro = household.account("Giro")
    household.book(giro, "2026-03-02", "-5", category="Food")
    for name, since, categories in (
        ("Old", "2025-01-01", ["Food"]),
        ("New", "2026-02-01", ["Food"]),
        ("No", "2026-04-01", ["Food"]),
    ):
        household.do(
            "insert into budget (person_id, name, currency, since, categories, amount) values (:p, :n, 'EUR', :s, :c, 100)",
            p=household.person_id,
            n=name,
            s=date.fromisoformat(since),
            c=categories,
        )
    assert only(household, giro).splits[0].budget_name == "New"
    household.do("update booking set amount = 5")
    assert only(household, giro).splits[0].budget_name is None


@pytest.mark.parametrize(
    ("category", "budget"), [("Groceries", "Food"), ("groceries:Snacks", "Food"), ("Restaurants", None), ("Groc", None)]
)
def test_a_budget_holds_what_it_holds_for_us(household: Household, category: str, budget: str | None) -> None:
    """Whatever is below a category, in any case; and of a budget that has changed the version that holds by then."""
    giro = household.account("Giro")
    household.book(giro, "2026-03-02", "-5", category=category)
    for since, categories in (("2025-01-01", ["Groceries", "Restaurants"]), ("2026-02-01", ["Groceries"])):
        household.do(
            "insert into budget (person_id, name, currency, since, categories, amount) values (:p, 'Food', 'EUR', :s, :c, 9)",
            p=household.person_id,
            s=date.fromisoformat(since),
            c=categories,
        )
    assert only(household, giro).splits[0].budget_name == budget


def test_nothing_is_lost_where_a_field_is_too_short(household: Household) -> None:
    giro = household.account("Giro")
    long = {name: (letter * 1200) for name, letter in (("payee", "p"), ("memo", "m"), ("category", "c"), ("note", "n"))}
    told = {"reference": "r" * 300}
    household.book(giro, "2026-03-02", "-5", **long, told=told, tags=["t" * 300, ""])
    (split,) = only(household, giro).splits
    assert len(split.description) == 1000
    assert (
        len(split.destination_name or "")
        == len(split.category_name or "")
        == len(split.internal_reference or "")
        == 255
    )
    assert [len(tag) for tag in split.tags] == [255]
    for whole in (*long.values(), "t" * 300, "r" * 300):
        assert whole in (split.notes or "")


# ------------------------------------------------------------------------------------------------ words


@given(st.text(), st.text())
def test_a_description_always_fits_and_is_one_line(payee: str, memo: str) -> None:
    shown, whole = description_of(payee, memo)
    assert 1 <= len(shown) <= 1000
    assert "\n" not in shown
    assert "\r" not in shown
    assert not whole or len(whole) > 1000


@given(st.text())
def test_a_name_always_fits(text: str) -> None:
    name, whole = name_of(text)
    assert name is None or 1 <= len(name) <= 255
    assert not whole or whole.startswith(str(name)[:-1])


@given(st.lists(st.text(max_size=30), max_size=4), st.lists(st.text(max_size=30), min_size=1, max_size=2))
def test_notes_end_with_their_provenance_and_can_do_without(remarks: list[str], provenance: list[str]) -> None:
    notes = notes_of([each for each in remarks if ABOUT not in each], provenance)
    assert notes.splitlines()[-1].startswith(ABOUT.strip())
    assert ABOUT not in without_provenance(notes)


def test_long_notes_keep_their_provenance() -> None:
    notes = notes_of(["x" * 40_000], ["march.ofx line 1 (tw1-a)"])
    assert len(notes) == LONGEST_NOTES
    assert notes.endswith("…\ntwinning: march.ofx line 1 (tw1-a)")


@pytest.mark.parametrize(
    ("text", "iban"),
    [
        ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("gb29nwbk60161331926819", "GB29NWBK60161331926819"),
        ("DE88 3704 0044 0532 0130 00", None),
        ("DE** **** **** **** 0130 00", None),
        ("", None),
        (None, None),
    ],
)
def test_only_an_iban_whose_check_digits_are_right_is_one(text: str | None, iban: str | None) -> None:
    assert valid_iban(text) == iban
