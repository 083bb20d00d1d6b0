"""The queue: told once, tried with the same id, patient, and one dead target costs the others nothing."""

from datetime import timedelta
from threading import Thread

import pytest
import sqlalchemy as sa

from twinning_pipelines.products.news.channels import Outcome, Parcel
from twinning_pipelines.products.news.delivery import TRIES, Delivered, bury_the_nameless, deliver, retry_dead
from twinning_pipelines.products.news.telling import MOST_AT_ONCE, gone_targets
from twinning_pipelines_tests.far_sides.hook_receiver import HookReceiver, Pager
from twinning_pipelines_tests.far_sides.scripted_server import Instead, Reply
from twinning_pipelines_tests.products.news.desk import Desk, happening, hook, page, target

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def test_each_happening_is_told_once_to_each_who_wants_it(desk: Desk, receiver: HookReceiver, pager: Pager) -> None:
    targets = [
        hook(receiver),
        page(pager.at("json"), details=False),
        page(pager.at("json"), "other", person="ben"),
        page(pager.at("json"), "picky", kinds=frozenset({"unusual"})),
    ]
    assert desk.tell(targets, happening(), happening()) == [happening()]
    assert desk.tell(targets, happening()) == []
    assert desk.deliver(targets) == Delivered(delivered=2)
    assert desk.deliver(targets) == Delivered()
    (told,) = receiver.taken.values()
    assert (told["kind"], told["body"]) == ("summary", "Body of day 2026-11-26")
    (heard,) = pager.heard
    assert "Title of" in heard
    assert "Body of" not in heard
    assert desk.tell(targets, happening(person="ben")) == [happening(person="ben")]


def test_news_of_the_house_are_told_once_as_well(desk: Desk, receiver: HookReceiver) -> None:
    hub = hook(receiver, person=None, kinds=frozenset({"run_failed"}))
    failed = happening("run 1", "run_failed", None)
    assert desk.tell([hub], failed) == [failed]
    assert desk.tell([hub], failed, happening()) == [happening()]
    assert desk.deliver([hub]) == Delivered(delivered=1)


def test_a_receiver_that_fails_twice_gets_it_the_third_time_with_the_same_id(
    desk: Desk, receiver: HookReceiver
) -> None:
    hub = hook(receiver)
    desk.tell([hub], happening())
    receiver.answers.extend([Reply(500), Reply(500)])
    assert desk.deliver([hub]) == Delivered(failed=1)
    assert desk.deliver([hub]) == Delivered()
    desk.later(minutes=5)
    assert desk.deliver([hub]) == Delivered(failed=1)
    desk.later(minutes=29)
    assert desk.deliver([hub]) == Delivered()
    desk.later(minutes=1)
    assert desk.deliver([hub]) == Delivered(delivered=1)
    assert len(receiver.tried) == 3
    assert len(set(receiver.tried)) == 1
    assert desk.states() == [("hub", "delivered", 3, None)]


def test_after_five_tries_it_is_a_dead_letter_until_somebody_has_it_tried_again(
    desk: Desk, receiver: HookReceiver
) -> None:
    hub = hook(receiver)
    desk.tell([hub], happening())
    receiver.answers.extend([Reply(503)] * TRIES)
    begun = desk.moment
    spans = []
    for _ in range(200):
        if desk.deliver([hub]) != Delivered():
            spans.append(desk.moment - begun)
        desk.later(minutes=30)
    assert len(spans) == TRIES
    assert timedelta(hours=20) < spans[-1] < timedelta(hours=26)
    assert desk.states() == [("hub", "dead", TRIES, "answered 503")]
    with desk.engine.begin() as connection:
        assert retry_dead(connection, "other", desk.moment) == 0
        assert retry_dead(connection, "hub", desk.moment) == 1
    assert desk.deliver([hub]) == Delivered(delivered=1)
    assert len(set(receiver.tried)) == 1


def test_retry_after_is_obeyed(desk: Desk, receiver: HookReceiver) -> None:
    hub = hook(receiver)
    desk.tell([hub], happening())
    receiver.answers.append(Reply(429, headers={"Retry-After": "7200"}))
    assert desk.deliver([hub]) == Delivered(failed=1)
    desk.later(minutes=119)
    assert desk.deliver([hub]) == Delivered()
    desk.later(minutes=1)
    assert desk.deliver([hub]) == Delivered(delivered=1)


def test_a_target_that_is_gone_hears_nothing_more(desk: Desk, receiver: HookReceiver) -> None:
    hub = hook(receiver)
    desk.tell([hub], happening("a"), happening("b"))
    receiver.answers.append(Reply(410))
    assert desk.deliver([hub]) == Delivered(dead=1)
    assert [(state, problem) for _, state, _, problem in desk.states()] == [("dead", "answered 410: gone for good")] * 2
    desk.tell([hub], happening("c"))
    desk.later(days=9)
    assert desk.deliver([hub]) == Delivered()
    assert len(receiver.exchanges) == 1
    with desk.engine.begin() as connection:
        assert gone_targets(connection) == {"hub"}
        assert retry_dead(connection, None, desk.moment) == 2
        assert gone_targets(connection) == set()
    assert desk.deliver([hub]) == Delivered(delivered=2)


def test_a_refused_word_is_dead_at_once_and_the_next_is_tried(desk: Desk, receiver: HookReceiver) -> None:
    hub = hook(receiver)
    desk.tell([hub], happening("a"), happening("b"))
    receiver.answers.append(Reply(302, headers={"Location": "http://127.0.0.1:9/"}))
    assert desk.deliver([hub]) == Delivered(delivered=1, dead=1)


def test_a_dead_target_comes_last_and_costs_one_try_a_round(desk: Desk, receiver: HookReceiver, pager: Pager) -> None:
    receiver.holding = True
    slow, phone = hook(receiver, seconds=0.1), page(pager.at("json"))
    desk.tell([slow, phone], *(happening(str(n)) for n in range(4)))
    assert desk.deliver([slow, phone]) == Delivered(delivered=4, failed=1)
    desk.later(hours=1)
    desk.tell([slow, phone], happening("next"))
    # No time is left after the first parcel of the target that never failed.
    ticks = iter([0.0, 0.0, 61.0])
    done = deliver(desk.engine, [slow, phone], desk.now, seconds=60, clock=lambda: next(ticks))
    assert (done.delivered, done.failed, done.out_of_time) == (1, 0, True)
    assert len(pager.heard) == 5


def test_a_burst_is_summed_up(desk: Desk, receiver: HookReceiver) -> None:
    hub = hook(receiver)
    many = [happening(f"gap {n:02}", "balance_gap") for n in range(30)] + [happening("s", "source_silent"), happening()]
    assert len(desk.tell([hub], *many)) == 32
    desk.deliver([hub])
    told = list(receiver.taken.values())
    assert len(told) == MOST_AT_ONCE + 1
    assert told[0]["kind"] == "summary"
    assert (told[-1]["kind"], told[-1]["title"]) == ("more", "And 27 more")
    assert str(told[-1]["body"]).startswith("balance_gap 26, source_silent 1.")
    assert desk.tell([hub], *many) == []
    (row,) = desk.rows("select count(*) from news")
    assert row[0] == 33


def test_a_try_that_broke_off_is_made_again_and_never_by_two_at_once(desk: Desk) -> None:
    class Dies:
        def send(self, parcel: Parcel) -> Outcome:
            raise KeyboardInterrupt

    class Counts:
        def __init__(self) -> None:
            self.sent: list[str] = []

        def send(self, parcel: Parcel) -> Outcome:
            self.sent.append(str(parcel.delivery))
            return Outcome("delivered")

    dying, counting = target("hub", Dies()), Counts()
    desk.tell([dying], *(happening(str(n)) for n in range(5)))
    with pytest.raises(KeyboardInterrupt):
        desk.deliver([dying])
    desk.later(minutes=5)
    threads = [Thread(target=lambda: desk.deliver([target("hub", counting)])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counting.sent) == sorted(set(counting.sent))
    assert len(counting.sent) == 5
    desk.tell([dying], happening("last"))
    for _ in range(TRIES):
        with pytest.raises(KeyboardInterrupt):
            desk.deliver([dying])
        desk.later(days=40)
    desk.deliver([dying])
    assert desk.states()[-1] == ("hub", "dead", TRIES, "the last try broke off")


def test_what_waits_for_nobody_is_a_dead_letter(desk: Desk, receiver: HookReceiver) -> None:
    desk.tell([hook(receiver), hook(receiver, "kept")], happening())
    with desk.engine.begin() as connection:
        assert bury_the_nameless(connection, [hook(receiver, "kept")]) == 1
    assert [state[:2] for state in desk.states()] == [("hub", "dead"), ("kept", "pending")]


def test_no_table_holds_an_address_or_a_secret(desk: Desk, receiver: HookReceiver, pager: Pager) -> None:
    targets = [
        hook(receiver),
        page(pager.at("gotify", "/planted-token")),
        page("json://a:planted-token@127.0.0.1:9", "dead"),
    ]
    desk.tell(targets, happening())
    receiver.script.append(Instead(Reply(500, receiver.secret.encode())))
    pager.script.append(Instead(Reply(500, b"planted-token")))
    assert desk.deliver(targets).failed == 3
    with desk.engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        stored = "\n".join(str(connection.execute(sa.text(f"select * from {name}")).all()) for name in tables)
    assert "answered 500" in stored
    assert [
        word for word in ("planted-token", receiver.secret, "quite-secret-path", "127.0.0.1") if word in stored
    ] == []
