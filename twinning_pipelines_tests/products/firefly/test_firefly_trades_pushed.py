"""What trades cost and bring is in Firefly III once, as bookings are: to the cent, and what people do there stays."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from twinning_pipelines_tests.far_sides.firefly import ERROR_500, deleting_rule
from twinning_pipelines_tests.far_sides.scripted_server import HalfAnswer, HangUp, Instead
from twinning_pipelines_tests.products.firefly.pusher import Pusher
from twinning_pipelines_tests.products.firefly.traded import FLEX, OFX, QIF, Broker, external_ids


def fill(broker: Broker, trades: int = 6) -> list[int]:
    """Deposits and purchases, among them twins, and statements that both sides have to agree with."""
    home = broker.household
    home.book(broker.account, "2026-03-01", "5000", "Me", "deposit")
    home.state(broker.name, "2026-02-28", "100")
    home.state(broker.name, "2026-03-31", str(5100 - 250 * trades))
    return [broker.trade(f"2026-03-{2 + n // 2:02d}", "-250", units=3, unit_price="82.5") for n in range(trades)]


def balances(pusher: Pusher) -> list[tuple[Decimal | None, ...]]:
    """Of each account: ours, theirs, the statement's, ours on its day."""
    return [(each.ours_balance, each.theirs_balance, each.stated, each.ours_then) for each in pusher.drift()]


def opening(pusher: Pusher) -> Decimal:
    """Of the only account there."""
    (account,) = (each for each in pusher.fake.books.accounts.values() if each.type == "asset")
    return account.opening


# ------------------------------------------------------------------------------------- to the cent


def test_a_traded_account_agrees_to_the_cent_and_a_second_push_only_looks(pusher: Pusher, broker: Broker) -> None:
    fill(broker)
    done = pusher.push()
    assert (done.acts, done.waiting, done.left_out) == ({"create": 7}, 0, {})
    assert balances(pusher) == [(Decimal(3600),) * 4]
    (drift,) = pusher.drift()
    assert (drift.agrees, len(drift.differences), drift.unexplained) == (True, 0, Decimal(0))
    assert (drift.ours_groups, drift.theirs_groups) == (7, 7)
    before = len(pusher.fake.exchanges)
    assert pusher.push().acts == {}
    assert {request.method for request, _ in pusher.fake.exchanges[before:]} == {"GET"}


def test_trades_in_another_currency_go_to_an_account_of_their_own(pusher: Pusher, broker: Broker) -> None:
    home = broker.household
    broker.trade("2026-03-02", "-100")
    broker.trade("2026-03-03", "-70.10", currency="USD")
    broker.trade("2026-03-04", "12.35", currency="USD", action="DIV")
    home.state("Shares", "2026-03-31", "900")
    home.state("Shares", "2026-03-31", "42.25", "USD")
    assert pusher.push().acts == {"create": 3}
    assets = {each.name: each for each in pusher.fake.books.accounts.values() if each.type == "asset"}
    assert {(name, each.currency, each.opening) for name, each in assets.items()} == {
        ("Shares", "EUR", Decimal(1000)),
        ("Shares (USD)", "USD", Decimal(100)),
    }
    assert balances(pusher) == [(Decimal(900),) * 4, (Decimal("42.25"),) * 4]
    assert all(each.agrees and not each.differences for each in pusher.drift())


def test_trades_that_are_told_after_a_first_push_keep_the_opening_right(pusher: Pusher, broker: Broker) -> None:
    trades = fill(broker)
    broker.household.do("delete from claim where day = '2026-02-28'")
    for each in trades:
        broker.lose(each)
    assert pusher.push().acts == {"create": 1}
    assert opening(pusher) == Decimal(-1400)
    for each in trades:
        broker.lose(each, gone=False)
    assert pusher.push().acts == {"create": 6}
    assert opening(pusher) == Decimal(100)
    assert balances(pusher) == [(Decimal(3600),) * 4]


def test_a_trade_that_no_file_tells_is_seen(pusher: Pusher, broker: Broker) -> None:
    trades = fill(broker)
    broker.lose(trades[2])
    pusher.push()
    (drift,) = pusher.drift()
    assert (drift.agrees, drift.stated, drift.ours_then) == (False, Decimal(3600), Decimal(3850))
    assert (len(drift.differences), drift.unexplained) == (0, Decimal(0))
    broker.lose(trades[2], gone=False)
    pusher.push()
    assert all(each.agrees for each in pusher.drift())


# ------------------------------------------------------------------------- whatever breaks off


@pytest.mark.parametrize("fault", [HangUp(stored=True), HalfAnswer(), HangUp(stored=False), Instead(ERROR_500)])
def test_an_answer_that_got_lost_makes_no_double(pusher: Pusher, broker: Broker, fault: Any) -> None:
    trades = fill(broker)
    pusher.push(seconds=-1)
    fake = pusher.fake
    honest, lost = fake.meet, Counter[str]()

    def lossy(request: Any) -> Any:
        lost["posts"] += request.method == "POST"
        if request.method == "POST" and lost["posts"] % 2:
            fake.script.append(fault)
        return honest(request)

    fake.meet = lossy  # type: ignore[method-assign]
    assert pusher.push().acts == {"create": 7}
    assert lost["posts"] >= 7
    names = external_ids(fake)
    assert (len(names), set(names.values())) == (7, {1})
    assert {broker.key(each) for each in trades} < set(names)
    fake.meet = honest  # type: ignore[method-assign]
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert pusher.writes() == before
    assert balances(pusher) == [(Decimal(3600),) * 4]


def test_an_update_that_got_lost_is_taken_up(pusher: Pusher, broker: Broker) -> None:
    trade, *_ = fill(broker, 2)
    pusher.push()
    broker.change(trade, total=Decimal(-251))
    honest = pusher.fake.meet

    def lossy(request: Any) -> Any:
        if request.method == "PUT":
            pusher.fake.script.append(HangUp(stored=True))
        return honest(request)

    pusher.fake.meet = lossy  # type: ignore[method-assign]
    pusher.push(options={"budget_seconds": 2})
    pusher.fake.meet = honest  # type: ignore[method-assign]
    pusher.push()
    (journal,) = pusher.fake.group_of(broker.key(trade)).living()
    assert (journal.amount, set(pusher.states().values())) == (Decimal(251), {"done"})
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert pusher.writes() == before


# ----------------------------------------------------------------------- what people do there stays


def test_a_trade_that_is_told_otherwise_is_changed_where_nobody_changed_it(pusher: Pusher, broker: Broker) -> None:
    plain, edited, *_ = fill(broker, 3)
    pusher.push()
    pusher.fake.user_edits(pusher.fake.group_of(broker.key(edited)), category_name="Pension", amount=Decimal(240))
    for trade in (plain, edited):
        broker.change(trade, total=Decimal(-251), memo="corrected")
    assert pusher.push().acts == {"update": 2}

    def there(trade: int) -> tuple[object, ...]:
        (journal,) = pusher.fake.group_of(broker.key(trade)).living()
        return journal.amount, journal.texts["category_name"], str(journal.texts["notes"]).splitlines()[0]

    assert there(plain) == (Decimal(251), "Investments", "corrected")
    assert there(edited) == (Decimal(240), "Pension", "corrected")
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert pusher.writes() == before
    (drift,) = pusher.drift()
    assert {name: (each.groups, each.sum) for name, each in drift.differences.items()} == {
        "another sum there": (1, Decimal(11))
    }


def test_another_file_that_tells_the_same_is_no_reason_to_write(pusher: Pusher, broker: Broker) -> None:
    trade, *_ = fill(broker, 2)
    pusher.push()
    broker.change(trade, at=4711)
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert pusher.writes() == before


def test_a_trade_that_is_gone_is_deleted_unless_somebody_changed_it_and_may_come_again(
    pusher: Pusher, broker: Broker
) -> None:
    plain, changed, *others = fill(broker, 4)
    pusher.push()
    pusher.fake.user_edits(pusher.fake.group_of(broker.key(changed)), category_name="Mine")
    broker.lose(plain)
    broker.lose(changed)
    assert pusher.push().acts == {"delete": 1, "park": 1}
    assert set(map(broker.key, (changed, *others))) <= set(external_ids(pusher.fake))
    assert broker.key(plain) not in external_ids(pusher.fake)
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert pusher.writes() == before
    broker.lose(plain, gone=False)
    broker.lose(changed, gone=False)
    assert pusher.push().acts == {"create": 1, "nothing": 1}
    assert set(external_ids(pusher.fake).values()) == {1}
    assert len(external_ids(pusher.fake)) == 5


def test_what_a_person_or_a_rule_deletes_there_stays_deleted_even_if_our_outbox_is_lost(
    pusher: Pusher, broker: Broker
) -> None:
    pusher.fake.books.rules.append(deleting_rule("HIDDEN"))
    deleted, *_ = fill(broker, 4)
    broker.trade("2026-03-20", "-1", security_name="HIDDEN FUND")
    assert pusher.push().acts == {"create": 5, "rule_deleted": 1}
    pusher.fake.user_deletes(pusher.fake.group_of(broker.key(deleted)))
    broker.change(deleted, memo="corrected")
    assert pusher.push().acts == {"deleted_there": 1}
    broker.household.do("delete from firefly_outbox")
    broker.household.do("delete from firefly_account")
    before = pusher.writes()
    assert pusher.push().acts == {"adopt": 4, "deleted_there": 2}
    assert pusher.writes() == before
    assert len(pusher.fake.books.living()) == 4
    assert pusher.push().acts == {}


def test_trades_of_an_account_that_can_not_be_made_stay_as_they_are_there(pusher: Pusher, broker: Broker) -> None:
    trade = broker.trade("2026-03-02", "-5", currency="ISK")
    done = pusher.push()
    assert (done.acts, done.left_out) == ({}, {"on an account that is not there": 1})
    broker.change(trade, currency="EUR")
    assert pusher.push().acts == {"create": 1}
    broker.change(trade, currency="ISK")
    assert pusher.push().acts == {}
    assert len(pusher.fake.books.living()) == 1


def test_trades_stay_there_too_when_another_source_begins_to_tell_them(pusher: Pusher, broker: Broker) -> None:
    trade = broker.trade("2026-03-02", "-5", source=QIF)
    assert pusher.push().acts == {"create": 1}
    broker.change(trade, currency="ISK")
    broker.trade("2026-03-02", "-5", source=FLEX, currency="ISK")
    assert pusher.push().acts == {}
    assert len(pusher.fake.books.living()) == 1


# ------------------------------------------------------------------------------- two sources tell the same


def test_what_two_sources_tell_is_there_once_and_keeps_its_group(pusher: Pusher, broker: Broker) -> None:
    told = [broker.trade("2026-03-02", "-250", source=QIF, action="Buy", units=n) for n in (3, 2)]
    told.append(broker.trade("2026-03-05", "-99", source=QIF, action="Buy"))
    broker.household.state(broker.name, "2026-03-31", "401")
    assert pusher.push().acts == {"create": 3}
    before = external_ids(pusher.fake)
    edited, deleted = (pusher.fake.group_of(broker.key(each)) for each in (told[0], told[2]))
    pusher.fake.user_edits(edited, category_name="Pension")
    pusher.fake.user_deletes(deleted)
    # Another format tells the same, and is the one that counts from now on.
    anew = [broker.trade("2026-03-02", "-250", source=OFX, action="BUYSTOCK", units=n) for n in (2, 3)]
    anew.append(broker.trade("2026-03-05", "-99", source=OFX, action="BUYSTOCK"))
    written = pusher.fake.writes()
    done = pusher.push()
    assert done.acts == {"update": 2, "deleted_there": 1}
    assert (pusher.fake.writes() - written) == {"PUT": 2}
    assert set(external_ids(pusher.fake)) < set(before)
    names = [str(pusher.fake.group_of(broker.key(each)).living()[0].texts["description"]) for each in anew[:2]]
    assert names == ["BUYSTOCK 2 HELVETIA SHARES ETF", "BUYSTOCK 3 HELVETIA SHARES ETF"]
    assert broker.key(anew[1]) == edited.living()[0].texts["external_id"]
    assert edited.living()[0].texts["category_name"] == "Pension"
    assert pusher.push().acts == {}
    (drift,) = pusher.drift()
    assert (drift.agrees, drift.unexplained) == (True, Decimal(0))
    assert set(drift.differences) == {"deleted there", "edited there, the sum is the same"}


@pytest.mark.parametrize("first", [QIF, OFX])
def test_a_lost_database_finds_trades_under_the_name_of_either_source(
    pusher: Pusher, broker: Broker, first: str
) -> None:
    keys = [f"id:{n}" for n in range(3)]
    for each in keys:
        broker.trade("2026-03-02", "-250", source=first, key=each)
    pusher.push()
    before = external_ids(pusher.fake)
    broker.household.do("delete from firefly_outbox")
    broker.household.do("delete from trade")
    for source in (QIF, OFX):
        for each in keys:
            broker.trade("2026-03-02", "-250", source=source, key=each)
    written = pusher.writes()
    assert pusher.push().acts == {"adopt": 3}
    assert (external_ids(pusher.fake), pusher.writes()) == (before, written)


def test_both_tellings_that_are_there_become_one(pusher: Pusher, broker: Broker) -> None:
    broker.trade("2026-03-02", "-250", source=QIF, key="id:1", bank_id="1")
    pusher.push()
    broker.household.do("delete from firefly_outbox")
    broker.household.do("delete from trade")
    broker.trade("2026-03-02", "-250", source=OFX, key="id:1", bank_id="1")
    pusher.push()
    assert len(pusher.fake.books.living()) == 2
    broker.household.do("delete from firefly_outbox")
    broker.trade("2026-03-02", "-250", source=QIF, key="id:1", bank_id="1")
    assert pusher.push().acts == {"adopt": 1, "delete": 1}
    assert len(pusher.fake.books.living()) == 1
    assert pusher.push().acts == {}
