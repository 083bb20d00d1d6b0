"""A database that is lost and read anew: every group in Firefly III is found again, under whichever name it has there."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines_tests.far_sides.firefly import FakeFirefly
from twinning_pipelines_tests.products.firefly.household_files import Ada, rows, write_old

FIRST, WEEK, LAST = date(2026, 1, 25), date(2026, 1, 31), date(2026, 3, 31)
NAMES = ("giro.ofx", "savings.xml")


@pytest.fixture
def ada(home: Home, fake: FakeFirefly, tmp_path: Path) -> Ada:
    """Ada, with nothing in her home yet."""
    return Ada(home, fake, tmp_path)


def names_there(fake: FakeFirefly) -> Counter[str]:
    """How many living groups carry each of our ids."""
    return Counter(str(group.living()[0].texts["external_id"]) for group in fake.books.living())


def drop_old(ada: Ada, opened: OpenHome) -> None:
    """An older export of the first week, by another program."""
    write_old(ada.folder / "old.csv", first=FIRST, last=WEEK)
    ada.take(opened, ada.folder / "old.csv", WEEK)


def test_an_older_export_that_comes_first_this_time_changes_names_but_no_group(ada: Ada) -> None:
    with ada.opened() as opened:
        ada.drop(opened, FIRST, LAST, NAMES)
        made = ada.push(opened).acts["create"]
        keys = {row.key for row in rows(opened, "select key from booking where gone_since is null")}
        ada.lose_the_database(opened)
    before, written = names_there(ada.fake), ada.fake.writes()
    assert (len(before), set(before.values())) == (made, {1})
    with ada.opened() as opened:
        drop_old(ada, opened)
        ada.drop(opened, FIRST, LAST, NAMES)
        done = ada.push(opened)
        now = rows(opened, "select key from booking where gone_since is null")
        pairs = rows(opened, "select 1 from transfer where state = 'confirmed'")
        renamed = {row.key for row in now} - keys
        assert len(renamed) > 8
        assert len(now) - len(pairs) == made
        assert done.acts == {"adopt": made}
        assert names_there(ada.fake) == before
        assert (ada.fake.writes() - written)["DELETE"] == 0
        assert [each for each in ada.drift(opened).values() if not each.agrees] == []
        settled = ada.fake.writes()
        assert ada.push(opened).acts == {}
        # What is said of a booking by its new name reaches the group under the old one.
        (row,) = rows(opened, "select id, key from booking where key = :key", key=min(renamed))
        with opened.engine.begin() as connection:
            connection.exec_driver_sql(f"update booking set note = 'mine' where id = {row.id}")
        assert ada.push(opened).acts == {"update": 1}
        assert names_there(ada.fake) == before
        assert (ada.fake.writes() - settled) == {"PUT": 1}


def test_an_older_export_that_comes_late_changes_nothing(ada: Ada) -> None:
    with ada.opened() as opened:
        ada.drop(opened, FIRST, LAST, NAMES)
        ada.push(opened)
        before, written = names_there(ada.fake), ada.fake.writes()
        drop_old(ada, opened)
        assert ada.push(opened).acts == {}
        assert names_there(ada.fake) == before
        assert (ada.fake.writes() - written)["POST"] == 0


def test_what_was_deleted_there_under_another_name_stays_deleted(ada: Ada) -> None:
    with ada.opened() as opened:
        ada.drop(opened, FIRST, WEEK, NAMES)
        made = ada.push(opened).acts["create"]
        ada.lose_the_database(opened)
    victims = [ada.fake.books.living()[place] for place in (0, -1)]
    victims += [group for group in ada.fake.books.living() if group.living()[0].type == "transfer"][:1]
    for group in victims:
        ada.fake.user_deletes(group)
    deleted = {group.id for group in victims}
    there = names_there(ada.fake)
    with ada.opened() as opened:
        drop_old(ada, opened)
        ada.drop(opened, FIRST, WEEK, NAMES)
        done = ada.push(opened)
        assert done.acts == {"adopt": made - len(deleted), "deleted_there": len(deleted)}
        assert names_there(ada.fake) == there
        assert ada.push(opened).acts == {}


def test_halves_that_were_there_before_their_pair_was_known_become_one_transfer(ada: Ada) -> None:
    with ada.opened() as opened:
        ada.drop(opened, FIRST, LAST, ["giro.ofx"])
        ada.push(opened)
        ada.lose_the_database(opened)
    with ada.opened() as opened:
        drop_old(ada, opened)
        ada.drop(opened, FIRST, LAST, NAMES)
        ada.push(opened)
        moved = [group for group in ada.fake.books.living() if group.living()[0].type == "transfer"]
        assert len(moved) == 3
        assert set(names_there(ada.fake).values()) == {1}
        assert [each for each in ada.drift(opened).values() if not each.agrees] == []
        assert ada.push(opened).acts == {}


def test_a_transfer_is_not_doubled_while_only_one_half_of_it_is_known_again(ada: Ada) -> None:
    with ada.opened() as opened:
        ada.drop(opened, FIRST, LAST, NAMES)
        ada.push(opened)
        ada.lose_the_database(opened)
    before = names_there(ada.fake)
    with ada.opened() as opened:
        ada.drop(opened, FIRST, LAST, ["giro.ofx"])
        done = ada.push(opened)
        assert (done.acts["create"], done.acts["delete"]) == (0, 0)
        assert names_there(ada.fake) == before
        assert ada.push(opened).acts == {}
        ada.drop(opened, FIRST, LAST, ["savings.xml"])
        again = ada.push(opened)
        assert (again.acts["create"], again.acts["delete"], again.waiting) == (0, 0, 0)
        assert names_there(ada.fake) == before
        assert [each for each in ada.drift(opened).values() if not each.agrees] == []


def test_trades_are_found_again_and_one_that_was_deleted_there_stays_deleted(ada: Ada) -> None:
    names = (*NAMES, "shares.xml")
    with ada.opened() as opened:
        ada.drop(opened, FIRST, LAST, names)
        made = ada.push(opened).acts["create"]
        keys = {
            row.external_id for row in rows(opened, "select external_id from firefly_outbox where trade_ids <> '{}'")
        }
        ada.lose_the_database(opened)
    assert len(keys) == 2
    deleted, edited = map(ada.fake.group_of, sorted(keys))
    ada.fake.user_deletes(deleted)
    ada.fake.user_edits(edited, category_name="Pension")
    before, written = names_there(ada.fake), ada.fake.writes()
    assert len(before) == made - 1
    with ada.opened() as opened:
        # In the other order our numbers differ, and the names do not.
        ada.drop(opened, FIRST, LAST, names[::-1])
        assert ada.push(opened).acts == {"adopt": made - 1, "deleted_there": 1}
        assert (names_there(ada.fake), ada.fake.writes()) == (before, written)
        assert [each for each in ada.drift(opened).values() if not each.agrees] == []
        assert ada.push(opened).acts == {}
    assert edited.living()[0].texts["category_name"] == "Pension"
