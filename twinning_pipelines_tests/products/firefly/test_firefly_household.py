"""The demo household's exports, through the whole road, in Firefly III: to the cent in every account and currency."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines.demo.household import purchases
from twinning_pipelines.home import Home
from twinning_pipelines_tests.far_sides.firefly import FakeFirefly
from twinning_pipelines_tests.products.firefly.household_files import Ada, rows

FIRST, MIDDLE, LAST = date(2026, 1, 1), date(2026, 3, 31), date(2026, 6, 30)
SHARES = ("Shares", "CHF")
ACCOUNTS = {("Household", "CHF"), ("Savings", "CHF"), ("Euros", "EUR"), SHARES}
# An exchange has two sums, so nobody is sure of it until the person says so.
_BALANCES = """
    select distinct on (a.name, b.currency) a.name, b.currency, b.balance
    from account_balance b join account a on a.id = b.account_id order by a.name, b.currency, b.day desc"""
_CLAIMS = """
    select distinct on (a.name, c.unit) a.name, c.unit as currency, c.value
    from claim c join intake_file f on f.id = c.file_id join account_name n on n.told = c.subject
    join account a on a.id = n.account_id where c.kind = 'closing_balance' order by a.name, c.unit, c.day desc"""
_TRANSFERS = """
    select t.state, o.currency = i.currency as one_currency, o.key as out_key, i.key as in_key from transfer t
    join booking o on o.id = t.out_id join booking i on i.id = t.in_id"""


@pytest.fixture
def ada(home: Home, fake: FakeFirefly, tmp_path: Path) -> Ada:
    """Ada, with nothing in her home yet."""
    fake.today = LAST
    return Ada(home, fake, tmp_path)


def test_every_account_agrees_to_the_cent_on_both_sides_and_with_the_statements(ada: Ada) -> None:
    with ada.opened() as opened:
        ada.drop(opened, FIRST, MIDDLE)
        first = ada.push(opened)
        ada.drop(opened, FIRST, LAST)
        second = ada.push(opened)
        assert (first.waiting, second.waiting, second.account_problems) == (0, 0, [])
        ours = {(row.name, row.currency): row.balance for row in rows(opened, _BALANCES)}
        stated = {(row.name, row.currency): row.value for row in rows(opened, _CLAIMS)}
        books = ada.fake.books
        theirs = {
            (each.name, each.currency): books.balances(each, LAST)[each.currency]
            for each in books.accounts.values()
            if each.type == "asset"
        }
        assert ours == stated
        assert theirs == ours
        assert set(theirs) == ACCOUNTS
        drifts = ada.drift(opened)
        assert set(drifts) == ACCOUNTS
        assert [name for name, each in drifts.items() if each.differences or each.unexplained] == []
        assert all(each.agrees for each in drifts.values())
        assert {name: each.theirs_balance for name, each in drifts.items()} == theirs
        assert {name: each.stated for name, each in drifts.items()} == theirs
        assert {name: each.ours_then for name, each in drifts.items()} == theirs
        _check_trades(ada)
        told = rows(opened, _TRANSFERS)
        _check_groups(ada, told)
        before = len(ada.fake.exchanges)
        assert ada.push(opened).acts == {}
        asked = Counter(request.method for request, _ in ada.fake.exchanges[before:])
        assert set(asked) == {"GET"}
        assert asked["GET"] <= 1 + len(ACCOUNTS)


def _check_trades(ada: Ada) -> None:
    """Every purchase is one withdrawal from the broker's account, for what it cost with its fee."""
    moved = [group.living()[0] for group in ada.fake.books.living()]
    paid = {each.day: each.amount for each in moved if each.source.name == "Shares"}
    bought = {each.day: each.cost for each in purchases(FIRST, LAST)}
    assert paid == bought
    assert len(bought) == 6
    assert sum(bought.values()) > 3000
    named = {str(each.texts["description"]) for each in moved if each.source.name == "Shares"}
    units = {
        f"BUY {each.units} HELVETIA SHARES ETF at {each.price.normalize():f} CHF" for each in purchases(FIRST, LAST)
    }
    assert named == units


def _check_groups(ada: Ada, told: Sequence[Any]) -> None:
    """Transfers are one group each, proposals two; every other booking is a group of its own."""
    groups = ada.fake.books.living()
    names = Counter(str(group.living()[0].texts["external_id"]) for group in groups)
    assert set(names.values()) == {1}
    moved = [each for group in groups for each in group.living() if each.type == "transfer"]
    sides = Counter((each.source.name, each.destination.name) for each in moved)
    assert sides == {("Household", "Savings"): 6, ("Household", "Shares"): 6}
    confirmed = [each for each in told if each.state == "confirmed"]
    proposed = [each for each in told if each.state == "proposed"]
    assert len(confirmed) == len(moved)
    assert all(each.one_currency for each in confirmed)
    assert proposed
    assert not any(each.one_currency for each in proposed)
    for each in proposed:
        assert (names[each.out_key], names[each.in_key]) == (1, 1)
