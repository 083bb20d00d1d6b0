"""What a proxy before Firefly III does not let through: one row is parked, and a server that lets nothing in stops the run."""

import pytest

from twinning_pipelines.errors import FarSideRefused
from twinning_pipelines_tests.far_sides.firefly_front import Front, firewall, narrow, read_only, shut
from twinning_pipelines_tests.far_sides.scripted_server import Reply, Request
from twinning_pipelines_tests.products.firefly.pusher import Pusher
from twinning_pipelines_tests.products.firefly.traded import external_ids

ODD = "../../etc/passwd"


def fill(pusher: Pusher, *memos: str) -> list[int]:
    giro = pusher.household.account("Giro")
    return [pusher.household.book(giro, f"2026-03-{n:02d}", "-5", memo=memo) for n, memo in enumerate(memos, 1)]


def problems(pusher: Pusher) -> dict[str, str]:
    found = pusher.household.rows("select external_id, problem from firefly_outbox where state = 'refused'")
    return {row.external_id: row.problem for row in found}


@pytest.mark.parametrize(
    ("front", "odd", "said"),
    [
        (firewall(ODD), ODD, "not let in, although others may be: HTTP 403: <html>"),
        (narrow(1_500), "x" * 1_500, "too large for the server: HTTP 413: <html>"),
    ],
)
def test_one_that_is_not_let_in_is_parked_with_the_reason_and_the_others_go_on(
    pusher: Pusher, front: Front, odd: str, said: str
) -> None:
    bookings = fill(pusher, odd, "bread", "rolls")
    pusher.fake.front = front
    assert pusher.push().acts == {"park": 1, "create": 2}
    assert set(external_ids(pusher.fake)) == {pusher.household.key(each) for each in bookings[1:]}
    (problem,) = problems(pusher).values()
    assert problem.startswith(said)
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert pusher.writes() == before
    pusher.fake.front = lambda request: None
    assert pusher.push(again=True).acts == {"create": 1}
    assert all(each.agrees for each in pusher.drift())


def test_a_change_that_is_not_let_in_is_parked_too(pusher: Pusher) -> None:
    first, second = fill(pusher, "bread", "rolls")
    pusher.push()
    pusher.fake.front = firewall("passwd")
    pusher.household.change(first, memo=ODD)
    pusher.household.change(second, memo="cake")
    assert pusher.push().acts == {"park": 1, "update": 1}
    assert "HTTP 403" in problems(pusher)[pusher.household.key(first)]


def test_any_number_is_parked_once_another_was_let_in(pusher: Pusher) -> None:
    fill(pusher, "bread", *[ODD] * 5)
    pusher.fake.front = firewall(ODD)
    assert pusher.push().acts == {"create": 1, "park": 5}


def test_who_may_only_read_stops_the_run_and_nothing_is_parked(pusher: Pusher) -> None:
    fill(pusher, "bread")
    pusher.push()
    for day in range(10, 15):
        pusher.household.book(1, f"2026-03-{day}", "-5")
    pusher.fake.front = read_only
    before = pusher.writes()
    with pytest.raises(FarSideRefused, match=r"lets nothing in: use the token of a user who may .*it says: .*HTTP 403"):
        pusher.push()
    assert pusher.writes() == before + 3
    assert problems(pusher) == {}
    pusher.fake.front = lambda request: None
    assert pusher.push().acts == {"create": 5}
    assert max(external_ids(pusher.fake).values()) == 1


def test_a_server_that_lets_nobody_in_stops_the_run(pusher: Pusher) -> None:
    fill(pusher, "bread")
    pusher.fake.front = shut
    with pytest.raises(FarSideRefused, match="does not let this token's owner do GET /about: use the token of a user"):
        pusher.push()


def test_a_server_that_is_shut_in_the_middle_stops_the_run_with_nothing_parked(pusher: Pusher) -> None:
    fill(pusher, "bread", "rolls", "cake")

    def front(request: Request) -> Reply | None:
        return shut(request) if pusher.fake.books.groups else None

    pusher.fake.front = front
    with pytest.raises(FarSideRefused, match="does not let this token's owner do GET"):
        pusher.push()
    assert problems(pusher) == {}
