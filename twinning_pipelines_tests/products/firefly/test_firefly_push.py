"""Each booking is in Firefly III exactly once, whatever breaks off, and what people do there stays."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable
from twinning_pipelines_tests.far_sides.firefly import ERROR_500, FakeFirefly, deleting_rule
from twinning_pipelines_tests.far_sides.scripted_server import HalfAnswer, HangUp, Instead, Reply
from twinning_pipelines_tests.household import Household
from twinning_pipelines_tests.products.firefly.pusher import Pusher


def external_ids(fake: FakeFirefly) -> Counter[str]:
    """How many living groups carry each of our ids."""
    return Counter(str(group.living()[0].texts["external_id"]) for group in fake.books.living())


def fill(home: Household, bookings: int = 6) -> list[int]:
    """An account with some bookings, among them twins."""
    giro = home.account("Giro")
    days = [f"2026-03-{2 + n // 2:02d}" for n in range(bookings)]
    return [home.book(giro, day, "-4.50" if n % 3 else "20", "Bakery", "bread") for n, day in enumerate(days)]


def test_the_books_agree_to_the_cent_in_two_currencies_and_a_second_push_sends_no_write(pusher: Pusher) -> None:
    home = pusher.household
    giro, dollars = (
        home.account("Giro", iban="DE89 3704 0044 0532 0130 00"),
        home.account("Dollars", "USD", kind="savings"),
    )
    home.book(giro, "2026-03-02", "-12.50", "Bakery", "bread")
    home.book(giro, "2026-03-02", "-12.50", "Bakery", "bread")
    home.book(giro, "2026-03-03", "2000.10", "Employer", "salary")
    out = home.book(giro, "2026-03-04", "-100", "Me", "to dollars")
    into = home.book(dollars, "2026-03-06", "108.30", "Me", "from giro", currency="USD")
    home.book(dollars, "2026-03-07", "-8.05", "Diner", currency="USD")
    home.pair(out, into)
    home.state("Giro", "2026-02-28", "500")
    home.state("Giro", "2026-03-31", "2375.10")
    home.state("Dollars", "2026-03-31", "150.25", "USD")
    done = pusher.push()
    assert (done.acts, done.left_out, done.waiting) == ({"create": 5}, {}, 0)
    sent = pusher.fake.writes()
    assert sent == {"POST": 5 + 2}
    assert pusher.push().acts == {}
    assert pusher.fake.writes() == sent
    drifts = pusher.drift()
    assert [(each.ours_balance, each.theirs_balance, each.stated, each.ours_then) for each in drifts] == [
        (Decimal(balance),) * 4 for balance in ("2375.10", "150.25")
    ]
    assert all(each.agrees and each.differences == {} for each in drifts)
    pair = pusher.fake.group_of(next(name for name in external_ids(pusher.fake) if name.count("-") == 2)).living()[0]
    assert (pair.type, pair.amount, pair.currency, pair.foreign_amount, pair.foreign_currency) == (
        *("transfer", Decimal(100), "EUR"),
        *(Decimal("108.30"), "USD"),
    )


@pytest.mark.parametrize("fault", [HangUp(stored=True), HalfAnswer(), HangUp(stored=False), Instead(ERROR_500)])
def test_an_answer_that_got_lost_makes_no_double(pusher: Pusher, fault: Any) -> None:
    bookings = fill(pusher.household)
    pusher.push(seconds=-1)
    fake = pusher.fake
    honest, lost = fake.meet, Counter[str]()

    def lossy(request: Any) -> Any:
        lost["posts"] += request.method == "POST"
        if request.method == "POST" and lost["posts"] % 2:
            fake.script.append(fault)
        return honest(request)

    fake.meet = lossy  # type: ignore[method-assign]
    assert pusher.push().acts == {"create": len(bookings)}
    assert external_ids(fake) == dict.fromkeys(map(pusher.household.key, bookings), 1)
    fake.meet = honest  # type: ignore[method-assign]
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert pusher.writes() == before


def test_a_client_that_gives_up_before_the_server_does(pusher: Pusher) -> None:
    bookings = fill(pusher.household, 2)
    pusher.push(seconds=-1)
    honest = pusher.fake.meet

    def slow(request: Any) -> Any:
        if request.method == "POST" and not pusher.fake.slow and len(pusher.fake.exchanges) % 2:
            pusher.fake.slow.append(0.3)
        return honest(request)

    pusher.fake.meet = slow  # type: ignore[method-assign]
    pusher.push(options={"timeout_seconds": 0.1})
    assert external_ids(pusher.fake) == dict.fromkeys(map(pusher.household.key, bookings), 1)


def test_a_token_that_is_refused_stops_the_run_and_says_what_to_do(pusher: Pusher) -> None:
    fill(pusher.household)
    books = pusher.fake.users.pop(pusher.fake.token)
    pusher.fake.users["another"] = books
    with pytest.raises(FarSideRefused, match="does not accept the token: make a new personal access token") as raised:
        pusher.push()
    assert pusher.fake.token not in str(raised.value)
    assert pusher.writes() == 0


def test_a_refused_one_is_parked_with_the_servers_words_and_the_others_go_on(pusher: Pusher) -> None:
    home = pusher.household
    bookings = fill(home, 3)
    home.change(bookings[1], currency="EUR", memo="x")
    odd = home.book(1, "2026-03-09", "-5", told={"original_amount": Decimal(7), "original_currency": "XTS"})
    done = pusher.push()
    assert done.acts == {"create": 3, "park": 1}
    assert done.waiting == 1
    (row,) = home.rows("select external_id, problem from firefly_outbox where state = 'refused'")
    assert row.external_id == home.key(odd)
    assert "foreign_currency_code" in row.problem
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert pusher.writes() == before
    assert pusher.push(again=True).acts == {"park": 1}
    home.change(odd, transaction_id=None)
    assert pusher.push().acts == {"create": 1}


def test_the_servers_own_trouble_dressed_as_422_is_tried_again_later(pusher: Pusher) -> None:
    bookings = fill(pusher.household, 1)
    pusher.push(seconds=-1)
    said = {"message": "x", "errors": {"transactions.0.description": ["Internal exception: deadlock"]}}
    honest = pusher.fake.answer

    def answer(request: Any) -> Reply:
        return Reply.of(422, said) if request.method == "POST" else honest(request)

    pusher.fake.answer = answer  # type: ignore[method-assign]
    assert pusher.push().acts == {"wait": 1}
    assert set(pusher.states().values()) == {"retry"}
    pusher.fake.answer = honest  # type: ignore[method-assign]
    assert pusher.push().acts == {"create": 1}
    assert external_ids(pusher.fake) == {pusher.household.key(bookings[0]): 1}


def test_rows_that_the_server_falls_over_do_not_keep_back_the_others(pusher: Pusher) -> None:
    home = pusher.household
    bookings = fill(home, 4)
    pusher.push()
    for each in bookings:
        home.change(each, category="Food")
    new = home.book(1, "2026-04-01", "-9", memo="new")
    honest = pusher.fake.answer
    pusher.fake.answer = lambda request: ERROR_500 if request.method == "PUT" else honest(request)  # type: ignore[method-assign]
    done = pusher.push(options={"budget_seconds": 2})
    assert (done.acts, done.waiting) == ({"create": 1}, 4)
    assert external_ids(pusher.fake)[home.key(new)] == 1
    pusher.now -= timedelta(days=2)
    before = pusher.writes()
    assert pusher.push(options={"budget_seconds": 2}).acts == {}
    assert pusher.writes() == before
    pusher.fake.answer = honest  # type: ignore[method-assign]
    assert pusher.push().acts == {"update": 4}
    assert pusher.push().waiting == 0


def test_what_a_rule_deletes_is_not_pushed_again(pusher: Pusher) -> None:
    home = pusher.household
    giro = home.account("Giro")
    home.book(giro, "2026-03-02", "-5", memo="secret")
    home.book(giro, "2026-03-02", "-5", memo="plain")
    pusher.fake.books.rules.append(deleting_rule("secret"))
    assert pusher.push().acts == {"create": 1, "rule_deleted": 1}
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert pusher.writes() == before
    assert len(pusher.fake.books.living()) == 1
    (drift,) = pusher.drift()
    assert drift.agrees
    assert {name: (each.groups, each.sum) for name, each in drift.differences.items()} == {
        "deleted there by a rule": (1, Decimal(5))
    }


def test_what_a_person_deletes_there_stays_deleted_even_if_our_outbox_is_lost(pusher: Pusher) -> None:
    home = pusher.household
    bookings = fill(home, 4)
    pusher.push()
    pusher.fake.user_deletes(pusher.fake.group_of(home.key(bookings[0])))
    home.change(bookings[0], category="Food")
    assert pusher.push().acts == {"deleted_there": 1}
    home.do("delete from firefly_outbox")
    assert pusher.push().acts == {"adopt": 3, "deleted_there": 1}
    home.do("delete from firefly_outbox")
    home.do("delete from firefly_account")
    before = pusher.writes()
    assert pusher.push().acts == {"adopt": 3, "deleted_there": 1}
    assert pusher.writes() == before
    assert len(pusher.fake.books.living()) == 3


def test_a_persons_edits_win_field_by_field_and_for_good(pusher: Pusher) -> None:
    home = pusher.household
    (booking,) = fill(home, 1)
    pusher.push()
    group = pusher.fake.group_of(home.key(booking))
    pusher.fake.user_edits(group, category_name="Treats", notes="mine")
    home.change(booking, category="Food", memo="bread and butter", note="ours", booked_on="2026-03-05")
    assert pusher.push().acts == {"update": 1}

    def there() -> tuple[object, ...]:
        (journal,) = pusher.fake.group_of(home.key(booking)).living()
        return journal.texts["category_name"], journal.texts["notes"], journal.texts["description"], str(journal.day)

    assert there() == ("Treats", "mine", "bread and butter", "2026-03-05")
    home.change(booking, category="Bakery", memo="bread", note="theirs")
    assert pusher.push().acts == {"update": 1}
    assert there() == ("Treats", "mine", "bread", "2026-03-05")
    home.change(booking, category="Sweets")
    assert pusher.push().acts == {"keep": 1}
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert (there(), pusher.writes()) == (("Treats", "mine", "bread", "2026-03-05"), before)


def test_another_file_that_tells_the_same_is_no_reason_to_write(pusher: Pusher) -> None:
    home = pusher.household
    (booking,) = fill(home, 1)
    pusher.push()
    home.change(booking, at=4711)
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert pusher.writes() == before
    home.change(booking, note="a note")
    pusher.push()
    (journal,) = pusher.fake.group_of(home.key(booking)).living()
    assert journal.texts["notes"] == f"a note\ntwinning: march.ofx line 4711 ({home.key(booking)})"


def test_a_booking_that_is_gone_is_deleted_unless_somebody_changed_it_and_may_come_again(pusher: Pusher) -> None:
    home = pusher.household
    plain, changed, *_ = fill(home, 4)
    pusher.push()
    pusher.fake.user_edits(pusher.fake.group_of(home.key(changed)), category_name="Mine")
    home.lose(plain)
    home.lose(changed)
    assert pusher.push().acts == {"delete": 1, "park": 1}
    assert set(external_ids(pusher.fake)) == {home.key(each) for each in (changed, *_)}
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert pusher.writes() == before
    home.lose(plain, gone=False)
    home.lose(changed, gone=False)
    assert pusher.push().acts == {"create": 1, "nothing": 1}
    assert set(external_ids(pusher.fake).values()) == {1}
    assert len(external_ids(pusher.fake)) == 4
    home.lose(plain)
    pusher.push()
    pusher.fake.user_deletes(pusher.fake.group_of(home.key(_[0])))
    home.lose(plain, gone=False)
    assert pusher.push().acts == {"create": 1}


def test_two_bookings_become_a_transfer_and_two_bookings_again(pusher: Pusher) -> None:
    home = pusher.household
    giro, savings = home.account("Giro"), home.account("Savings")
    out, into = home.book(giro, "2026-03-02", "-50", memo="save"), home.book(savings, "2026-03-03", "50", memo="saved")
    assert pusher.push().acts == {"create": 2}
    home.pair(out, into)
    assert pusher.push().acts == {"delete": 2, "create": 1}
    (group,) = pusher.fake.books.living()
    assert (group.journals[0].type, group.journals[0].source.name, group.journals[0].destination.name) == (
        *("transfer", "Giro"),
        "Savings",
    )
    assert all(each.agrees for each in pusher.drift())
    home.pair(out, into, "rejected")
    assert pusher.push().acts == {"delete": 1, "create": 2}
    home.pair(out, into)
    assert pusher.push().acts == {"delete": 2, "create": 1}
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert pusher.writes() == before
    assert all(each.agrees for each in pusher.drift())


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("deed", ["edits", "deletes"])
def test_a_transfer_does_not_replace_what_somebody_changed_or_deleted(pusher: Pusher, half: int, deed: str) -> None:
    home = pusher.household
    giro, savings = home.account("Giro"), home.account("Savings")
    legs = home.book(giro, "2026-03-02", "-50"), home.book(savings, "2026-03-03", "50")
    pusher.push()
    group = pusher.fake.group_of(home.key(legs[half]))
    if deed == "edits":
        pusher.fake.user_edits(group, category_name="Saving")
    else:
        pusher.fake.user_deletes(group)
    there = external_ids(pusher.fake)
    home.pair(*legs)
    done = pusher.push()
    assert (done.acts["create"], done.acts["delete"]) == (0, 0)
    assert external_ids(pusher.fake) == there
    before = pusher.writes()
    pusher.push()
    pusher.push(again=True)
    assert (external_ids(pusher.fake), pusher.writes()) == (there, before)


def test_a_pair_that_was_deleted_there_does_not_come_back_as_two_bookings(pusher: Pusher) -> None:
    home = pusher.household
    giro, savings = home.account("Giro"), home.account("Savings")
    legs = home.book(giro, "2026-03-02", "-50"), home.book(savings, "2026-03-03", "50")
    home.pair(*legs)
    pusher.push()
    pusher.fake.user_deletes(pusher.fake.books.living()[0])
    home.pair(*legs, "rejected")
    pusher.push()
    assert pusher.fake.books.living() == []
    assert set(pusher.states().values()) == {"deleted_there"}


def test_a_backfill_spares_the_server_and_ends_with_its_sums(pusher: Pusher) -> None:
    home = pusher.household
    fill(home)
    pusher.fake.books.rules.append(deleting_rule("bread"))
    honest = pusher.fake.answer

    def answer(request: Any) -> Reply:
        return Reply(503) if request.path.endswith("/batch/finish") else honest(request)

    pusher.fake.answer = answer  # type: ignore[method-assign]
    with pytest.raises(FarSideUnavailable):
        pusher.push(backfill=True, options={"budget_seconds": 2})
    pusher.fake.answer = honest  # type: ignore[method-assign]
    assert pusher.fake.books.unfinished_batch == 6
    assert pusher.push().acts == {}
    assert pusher.fake.books.unfinished_batch == 0
    before = pusher.writes()
    assert pusher.push(backfill=True).acts == {}
    assert pusher.writes() == before
    assert len(pusher.fake.books.living()) == 6


def test_a_push_ends_when_its_time_is_up_and_the_next_goes_on(pusher: Pusher) -> None:
    fill(pusher.household)
    seconds = iter(range(100))
    done = pusher.push(seconds=3, clock=lambda: float(next(seconds)))
    assert done.out_of_time
    assert 0 < done.acts["create"] < 6
    assert pusher.push().acts["create"] == 6 - done.acts["create"]
    assert set(external_ids(pusher.fake).values()) == {1}


def test_two_pushes_at_once_are_one_too_many(pusher: Pusher) -> None:
    fill(pusher.household)

    def second(_: float) -> None:
        with pytest.raises(FarSideUnavailable, match="another push"):
            pusher.push()

    pusher.push(pace=0.1, sleep=second)
    assert set(external_ids(pusher.fake).values()) == {1}


def test_an_account_that_can_not_be_made_takes_nothing_away(pusher: Pusher) -> None:
    home = pusher.household
    fill(home, 2)
    pusher.push()
    krona = home.account("Krona", "ISK")
    home.book(krona, "2026-03-02", "-5", currency="ISK")
    done = pusher.push()
    assert (done.acts, done.left_out) == ({}, {"on an account that is not there": 1})
    assert "currency_code" in done.account_problems[0]
    assert len(pusher.fake.books.living()) == 2
