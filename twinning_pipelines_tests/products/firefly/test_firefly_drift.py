"""Every difference between ours and theirs has a name, and together they explain the difference of the balances."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from twinning_pipelines.products.firefly.drift import AccountDrift
from twinning_pipelines_tests.far_sides.firefly import deleting_rule
from twinning_pipelines_tests.far_sides.firefly_books import Group, as_sent
from twinning_pipelines_tests.household import Household
from twinning_pipelines_tests.products.firefly.pusher import Pusher


def named(drift: AccountDrift) -> dict[str, tuple[int, Decimal]]:
    return {name: (each.groups, each.sum) for name, each in drift.differences.items()}


@pytest.fixture
def pushed(pusher: Pusher) -> Pusher:
    """An account with four bookings that are there, and a statement that they agree with."""
    home = pusher.household
    giro = home.account("Giro")
    for n, amount in enumerate(["-4.50", "-4.50", "20", "-7.25"]):
        home.book(giro, f"2026-03-0{n + 1}", amount, "Shop", f"number {n}")
    home.state("Giro", "2026-03-31", "1000")
    pusher.push()
    return pusher


def stranger(pusher: Pusher, external_id: str | None) -> None:
    like = as_sent(pusher.fake.group_of(pusher.household.key(1)).living()[0])
    pusher.fake.books.store({"transactions": [{**like, "amount": "3", "external_id": external_id}]})


def kept(pusher: Pusher) -> None:
    pusher.fake.user_edits(pusher.fake.group_of(pusher.household.key(1)), notes="mine")
    pusher.household.lose(1)
    pusher.household.do("update claim set value = value + 4.50")
    pusher.push()


def moved(pusher: Pusher, group: Group) -> None:
    other = pusher.fake.books.add_account({"name": "Other", "type": "asset", "account_role": "defaultAsset"})
    (journal,) = group.living()
    journal.source = other


Deed = Callable[[Pusher], object]
DEEDS: list[tuple[str, Deed, bool, int, str]] = [
    ("missing there", lambda p: p.fake.books.groups.pop(p.fake.group_of(p.household.key(1)).id), False, 1, "4.50"),
    ("deleted there", lambda p: p.fake.user_deletes(p.fake.group_of(p.household.key(1))), True, 1, "4.50"),
    ("moved to another account there", lambda p: moved(p, p.fake.group_of(p.household.key(1))), True, 1, "4.50"),
    (
        "another sum there",
        lambda p: p.fake.user_edits(p.fake.group_of(p.household.key(1)), amount=Decimal(5)),
        True,
        1,
        "-0.5",
    ),
    (
        "edited there, the sum is the same",
        lambda p: p.fake.user_edits(p.fake.group_of(p.household.key(1)), notes="x"),
        True,
        1,
        "0",
    ),
    ("somebody else's there", lambda p: stranger(p, None), True, 1, "-3"),
    ("ours there, but no longer wanted", kept, True, 1, "-4.50"),
    ("there twice", lambda p: stranger(p, p.household.key(1)), False, 1, "-3"),
]


@pytest.mark.parametrize(("name", "deed", "agrees", "groups", "amount"), DEEDS, ids=[each[0] for each in DEEDS])
def test_each_difference_has_its_name(
    pushed: Pusher, name: str, deed: Deed, agrees: bool, groups: int, amount: str
) -> None:
    deed(pushed)
    (drift,) = pushed.drift()
    assert named(drift)[name] == (groups, Decimal(amount))
    assert drift.unexplained == 0
    assert drift.agrees is agrees
    assert drift.document()["agrees"] is agrees


@pytest.mark.parametrize(
    ("found", "deed"),
    [
        ({}, lambda pusher, group: None),
        ({"another sum there": (1, Decimal("-0.5"))}, lambda p, group: p.fake.user_edits(group, amount=Decimal(5))),
        ({"edited there, the sum is the same": (1, Decimal(0))}, lambda p, group: p.fake.user_edits(group, notes="x")),
        ({"deleted there": (1, Decimal("4.50"))}, lambda p, group: p.fake.user_deletes(group)),
        ({"moved to another account there": (1, Decimal("4.50"))}, moved),
    ],
    ids=["untouched", "sum", "words", "deleted", "moved"],
)
def test_what_was_adopted_without_our_id_is_ours(
    pushed: Pusher, found: dict[str, tuple[int, Decimal]], deed: Callable[[Pusher, Group], object]
) -> None:
    deed(pushed, pushed.nameless())
    (drift,) = pushed.drift()
    assert named(drift) == found
    assert (drift.unexplained, drift.agrees) == (Decimal(0), True)


def test_what_is_refused_or_waits_or_was_deleted_by_a_rule_is_told_apart(pushed: Pusher) -> None:
    home = pushed.household
    home.book(1, "2026-04-01", "-1", told={"original_amount": Decimal(7), "original_currency": "XTS"})
    home.book(1, "2026-04-02", "-2", memo="secret")
    pushed.fake.books.rules.append(deleting_rule("secret"))
    pushed.push()
    home.book(1, "2026-04-03", "-3")
    pushed.push(seconds=-1)
    (drift,) = pushed.drift()
    assert named(drift) == {
        "refused there": (1, Decimal(1)),
        "deleted there by a rule": (1, Decimal(2)),
        "still to be pushed": (1, Decimal(3)),
    }
    assert (drift.unexplained, drift.agrees) == (Decimal(0), False)
    assert drift.ours_groups == drift.theirs_groups + 3


def test_a_statement_that_says_otherwise_than_the_bookings_is_seen(pushed: Pusher) -> None:
    pushed.household.state("Giro", "2026-04-30", "999")
    (drift,) = pushed.drift()
    assert (drift.stated, drift.ours_then, drift.agrees, drift.unexplained) == (
        Decimal(999),
        Decimal(1000),
        False,
        Decimal(0),
    )


def test_an_account_with_a_life_of_its_own_there_is_explained(pusher: Pusher) -> None:
    books, home = pusher.fake.books, pusher.household
    there = {"name": "Giro", "type": "asset", "account_role": "defaultAsset"}
    account = books.add_account(there | {"opening_balance": "50", "opening_balance_date": "2020-01-01"})
    old = {
        "type": "withdrawal",
        "amount": "9",
        "description": "x",
        "source_id": str(account.id),
        "destination_name": "S",
    }
    for day in ("1999-01-01", "2026-03-01", "2030-01-01"):
        books.store({"transactions": [old | {"date": day}]})
    home.book(home.account("Giro"), "2026-03-02", "-5")
    pusher.push()
    (drift,) = pusher.drift()
    assert named(drift) == {
        "somebody else's there": (3, Decimal(-27)),
        "another opening balance there": (0, Decimal(50)),
    }
    assert (drift.theirs_balance, drift.ours_balance, drift.unexplained) == (Decimal(18), Decimal(-5), Decimal(0))


def test_bookings_that_can_not_be_there_are_named(household: Household, pusher: Pusher) -> None:
    giro = household.account("Giro")
    household.book(giro, "1969-03-02", "-5")
    household.book(giro, "2026-03-02", "-6")
    pusher.push()
    (drift,) = pusher.drift()
    assert named(drift) == {"not to be pushed": (0, Decimal(5))}
    assert drift.unexplained == 0
