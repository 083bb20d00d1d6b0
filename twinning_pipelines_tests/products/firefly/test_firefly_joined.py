"""Two bookings that turn out to be one: one group stays, whatever somebody did to either of them."""

from decimal import Decimal

import pytest

from twinning_pipelines_tests.household import Household
from twinning_pipelines_tests.products.firefly.pusher import Pusher
from twinning_pipelines_tests.products.firefly.test_firefly_push import external_ids


def two(home: Household) -> tuple[int, int]:
    """The same bread, as two files told it."""
    giro = home.account("Giro")
    return (
        home.book(giro, "2026-03-02", "-4.50", "Bakery", "bread"),
        home.book(giro, "2026-03-03", "-4.50", "Bakery", "bread"),
    )


def join(home: Household, old: int, kept: int) -> None:
    """They turn out to be one."""
    home.change(old, joined_to=kept)
    home.lose(old)


def test_the_surplus_group_goes_and_the_other_stays(pusher: Pusher) -> None:
    home = pusher.household
    kept, surplus = two(home)
    pusher.push()
    join(home, surplus, kept)
    assert pusher.push().acts == {"delete": 1}
    assert external_ids(pusher.fake) == {home.key(kept): 1}
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert pusher.writes() == before
    home.change(surplus, joined_to=None, gone_since=None)
    assert pusher.push().acts == {"create": 1}
    assert external_ids(pusher.fake) == {home.key(kept): 1, home.key(surplus): 1}


def test_a_surplus_group_that_somebody_changed_is_left_and_reported(pusher: Pusher) -> None:
    home = pusher.household
    kept, surplus = two(home)
    pusher.push()
    pusher.fake.user_edits(pusher.fake.group_of(home.key(surplus)), category_name="Mine")
    join(home, surplus, kept)
    done = pusher.push()
    assert (done.acts, done.waiting) == ({"park": 1}, 1)
    assert external_ids(pusher.fake) == {home.key(kept): 1, home.key(surplus): 1}
    (row,) = home.rows("select external_id, problem from firefly_outbox where state = 'refused'")
    assert (row.external_id, "it was changed in Firefly III and stays there" in row.problem) == (
        home.key(surplus),
        True,
    )
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert pusher.writes() == before


@pytest.mark.parametrize("seen", [True, False])
def test_where_somebody_deleted_the_double_there_already_the_last_one_stays(pusher: Pusher, seen: bool) -> None:
    home = pusher.household
    kept, surplus = two(home)
    pusher.push()
    pusher.fake.user_deletes(pusher.fake.group_of(home.key(kept)))
    if seen:
        home.change(kept, note="seen")
        assert pusher.push().acts == {"deleted_there": 1}
        home.change(kept, note=None)
    join(home, surplus, kept)
    for _ in range(3):
        assert pusher.push().acts["delete"] == 0
        assert external_ids(pusher.fake) == {home.key(surplus): 1}
    assert pusher.push().waiting == 0
    home.change(kept, category="Food")
    assert pusher.push().acts == {"update": 1}
    (drift,) = pusher.drift()
    assert (drift.agrees, drift.theirs_balance) == (True, Decimal("-4.50"))


def test_one_that_was_joined_before_it_was_ever_sent_is_not_sent(pusher: Pusher) -> None:
    home = pusher.household
    kept, surplus = two(home)
    pusher.push(seconds=-1)
    join(home, surplus, kept)
    assert pusher.push().acts == {"create": 1}
    assert external_ids(pusher.fake) == {home.key(kept): 1}


def test_a_double_of_a_lost_outbox_goes_and_one_that_was_changed_stays(pusher: Pusher) -> None:
    home = pusher.household
    kept, surplus = two(home)
    home.change(surplus, booked_on="2026-03-02")
    pusher.push()
    join(home, surplus, kept)
    home.do("delete from firefly_outbox")
    assert pusher.push().acts == {"adopt": 1, "delete": 1}
    assert external_ids(pusher.fake) == {home.key(kept): 1}
    home.change(surplus, joined_to=None, gone_since=None)
    pusher.push()
    pusher.fake.user_edits(pusher.fake.group_of(home.key(surplus)), notes="mine")
    join(home, surplus, kept)
    home.do("delete from firefly_outbox")
    assert pusher.push().acts == {"adopt": 1, "park": 1}
    assert len(external_ids(pusher.fake)) == 2
    assert pusher.push().acts == {}


def test_a_transfer_keeps_its_group_when_one_half_turns_out_to_be_another_booking(pusher: Pusher) -> None:
    home = pusher.household
    giro, savings = home.account("Giro"), home.account("Savings")
    old, new = home.book(giro, "2026-03-02", "-50"), home.book(giro, "2026-03-03", "-50")
    into = home.book(savings, "2026-03-03", "50")
    home.pair(old, into)
    pusher.push()
    (pair,) = [name for name in external_ids(pusher.fake) if name.count("-") == 2]
    home.do("delete from transfer")
    home.pair(new, into)
    join(home, old, new)
    done = pusher.push()
    assert (done.acts["create"], done.acts["delete"], done.acts["update"]) == (0, 1, 1)
    assert external_ids(pusher.fake) == {pair: 1}
    assert pusher.push().acts == {}
    assert all(each.agrees for each in pusher.drift())
