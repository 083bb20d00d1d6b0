"""From a bridge to the books: fetched, landed in the inbox, taken down the road like any dropped file."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from twinning_pipelines.collectors.collector import Collector
from twinning_pipelines.collectors.round import Places
from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.ingest.sweep import drain, sweep
from twinning_pipelines.receipt import Receipt
from twinning_pipelines.sources.finance import ibkr_flex, simplefin
from twinning_pipelines_tests.collectors.visits import NOON, Watch, flex_of, landed, seconds, simplefin_of, visit
from twinning_pipelines_tests.far_sides.flex_service import FakeFlex
from twinning_pipelines_tests.far_sides.simplefin_bridge import FakeBridge, booking


def collect(home: OpenHome, collector: Collector, watch: Watch) -> list[Receipt]:
    """One visit, and the road for what it brought."""
    places = Places.in_home(home.home.settings.home)
    assert visit(places, collector, watch).state == "collected"
    later = int((watch() + timedelta(minutes=1)).timestamp() * 1e9)
    sources = home.home.sources
    swept = sweep(home.home.folders, home.store, sources, now_ns=later, still_seconds=5.0)
    assert not swept.put_aside
    assert not landed(places)
    pending = [entry for source in sources for entry in home.store.pending(source.name)]
    return drain(pending, home.home.folders, home.store, sources)


def rows(home: OpenHome, query: str) -> list[tuple[object, ...]]:
    with home.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


BOOKINGS = "select account, bank_id, booked_on::text, amount::text, currency, pending from transaction order by id"


@pytest.fixture
def small(home: Home) -> Home:
    """The home of all tests, with the two sources that read what collectors bring."""
    return Home(home.settings, (simplefin.SOURCE, ibkr_flex.SOURCE))


def test_what_a_bridge_tells_ends_in_the_books_and_twice_is_once(small: Home, bridge: FakeBridge, watch: Watch) -> None:
    account = bridge.add_account("ACT-1", at=seconds(NOON - timedelta(days=1)), balance="50.00")
    account["transactions"] = [
        booking("T1", seconds(NOON - timedelta(days=70)), "-1.50", "old"),
        booking("T2", seconds(NOON - timedelta(days=2)), "-2.50", "new"),
    ]
    with small.opened() as home:
        first = collect(home, simplefin_of(bridge), watch)
        assert (
            sum(each.changes["transaction"].new for each in first if each.changes and "transaction" in each.changes)
            == 2
        )
        before = rows(home, BOOKINGS)
        assert before == [
            ("larchbank.example/ACT-1", "T1", "2026-09-18", "-1.5", "EUR", None),
            ("larchbank.example/ACT-1", "T2", "2026-11-25", "-2.5", "EUR", None),
        ]
        watch.wait(hours=7)
        account["balance-date"] += 60
        (again,) = collect(home, simplefin_of(bridge), watch)
        assert again.changes is not None
        assert (again.changes["transaction"].new, again.changes["transaction"].same) == (0, 1)
        assert rows(home, BOOKINGS) == before
        watch.wait(hours=7)
        assert collect(home, simplefin_of(bridge), watch) == []
        assert rows(home, "select kind, day::text, value::text, unit from claim where kind <> 'available_balance'") == [
            ("closing_balance", "2026-11-26", "50.00", "EUR")
        ] * len(rows(home, "select 1 from intake_file"))
        kept = rows(home, "select name, status from intake_file order by id")
        assert all(str(name).startswith("simplefin-2026") and status == "loaded" for name, status in kept)


def test_a_booking_that_is_announced_and_then_booked_is_two_raw_rows(
    small: Home, bridge: FakeBridge, watch: Watch
) -> None:
    account = bridge.add_account("ACT-1", at=seconds(NOON))
    account["transactions"] = [booking("P1", seconds(NOON), "-9.90", "Cafe", pending=True)]
    with small.opened() as home:
        collect(home, simplefin_of(bridge), watch)
        assert [row[1:] for row in rows(home, BOOKINGS)] == [("P1", "2026-11-27", "-9.9", "EUR", True)]
        watch.wait(days=2)
        account["transactions"] = [booking("T1", seconds(watch()), "-9.90", "Cafe")]
        collect(home, simplefin_of(bridge), watch)
        assert [row[1:] for row in rows(home, BOOKINGS)] == [
            ("P1", "2026-11-27", "-9.9", "EUR", True),
            ("T1", "2026-11-29", "-9.9", "EUR", None),
        ]


def test_a_booking_that_keeps_its_id_and_its_day_is_one_row_that_is_pending_no_more(
    small: Home, bridge: FakeBridge, watch: Watch
) -> None:
    account = bridge.add_account("ACT-1", at=seconds(NOON))
    account["transactions"] = [booking("P1", seconds(NOON), "-9.90", "Cafe", pending=True)]
    with small.opened() as home:
        collect(home, simplefin_of(bridge), watch)
        watch.wait(hours=8)
        account["transactions"] = [booking("P1", seconds(NOON), "-9.90", "Cafe")]
        collect(home, simplefin_of(bridge), watch)
        assert [row[1:] for row in rows(home, BOOKINGS)] == [("P1", "2026-11-27", "-9.9", "EUR", None)]


def test_a_statement_of_a_broker_ends_in_the_books(small: Home, flex: FakeFlex, watch: Watch, tmp_path: Path) -> None:
    flex.making = 1
    with small.opened() as home:
        (receipt,) = collect(home, flex_of(flex), watch)
        assert (receipt.source, receipt.problem, receipt.rejected) == ("finance.ibkr_flex", None, 0)
        assert rows(home, "select name from person") == [("ben",)]
        watch.wait(days=1)
        flex.seconds += 60
        assert collect(home, flex_of(flex), watch) == []
