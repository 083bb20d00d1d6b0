"""How a trade reads in Firefly III, and what it is called there."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from twinning_pipelines.products.firefly.accounts import Place
from twinning_pipelines.products.firefly.trades import trades_of
from twinning_pipelines.products.firefly.wanted import Movement, WantedBooks, wanted_books
from twinning_pipelines.products.firefly.words import LONGEST_NAME, NO_PAYEE
from twinning_pipelines.stores.firefly.groups import Group, Split
from twinning_pipelines_tests.household import Household
from twinning_pipelines_tests.products.firefly.traded import FLEX, OFX, Broker

UNITS = {FLEX: "element", OFX: "line"}


def wanted(broker: Broker, currency: str = "EUR") -> WantedBooks:
    with broker.household.engine.connect() as connection:
        ids = {Place(broker.account, currency): "7"}
        return wanted_books(connection, broker.household.person_id, ids, UNITS)


def only(broker: Broker) -> Split:
    (group,) = wanted(broker).groups.values()
    (split,) = group.group.splits
    return split


def test_a_purchase_is_a_withdrawal_to_its_security(broker: Broker) -> None:
    figures: dict[str, Any] = {"units": Decimal("3.000"), "unit_price": Decimal("83.10"), "fees": Decimal("1.20")}
    words: dict[str, Any] = {"bank_id": "T1", "ticker": "HSHR", "memo": "at the open"}
    broker.trade("2026-03-02", "-250.50", **figures, **words, settled_on=date(2026, 3, 4))
    (group,) = wanted(broker).groups.values()
    assert group.group == Group(
        (
            Split(
                type="withdrawal",
                date=date(2026, 3, 2),
                amount=Decimal("250.50"),
                currency_code="EUR",
                description="BUY 3 HELVETIA SHARES ETF at 83.1 EUR",
                source_id="7",
                destination_name="HELVETIA SHARES ETF",
                category_name="Investments",
                tags=("BUY", "trade"),
                notes=(
                    "at the open\nCH0237935652, HSHR\nwith fees of 1.2 inside the amount\n"
                    f"twinning: march.ofx element 11 ({group.external_id})"
                ),
                internal_reference="T1",
                external_id=group.external_id,
                interest_date=date(2026, 3, 4),
            ),
        )
    )
    assert len(group.external_id) == len("tw1-") + 32


def test_what_comes_in_is_a_deposit_from_its_security(broker: Broker) -> None:
    broker.trade("2026-03-02", "80.25", action="SELL", units=-1, unit_price=81)
    split = only(broker)
    assert (split.type, split.amount, split.destination_id) == ("deposit", Decimal("80.25"), "7")
    assert (split.source_name, split.source_id, split.destination_name) == ("HELVETIA SHARES ETF", None, None)
    assert split.description == "SELL 1 HELVETIA SHARES ETF at 81 EUR"


@pytest.mark.parametrize(
    ("told", "description", "other"),
    [
        ({"units": 2}, "BUY 2 HELVETIA SHARES ETF", "HELVETIA SHARES ETF"),
        ({"unit_price": 2}, "BUY HELVETIA SHARES ETF", "HELVETIA SHARES ETF"),
        ({"security_name": None}, "BUY CH0237935652", "CH0237935652"),
        (
            {"action": "Broker Interest", "security": "", "security_name": "", "memo": "for\nMay"},
            *("Broker Interest for May", "Broker Interest"),
        ),
        ({"action": "\x01", "security": "", "security_name": ""}, "(no description)", NO_PAYEE),
    ],
)
def test_a_file_may_say_less(broker: Broker, told: dict[str, Any], description: str, other: str) -> None:
    broker.trade("2026-03-02", "-5", **told)
    split = only(broker)
    assert (split.description, split.destination_name) == (description, other)


def test_what_is_too_long_for_a_field_is_whole_in_the_notes(broker: Broker) -> None:
    name = "Fund " * 300
    broker.trade("2026-03-02", "-5", security_name=name, bank_id="9" * 300)
    split = only(broker)
    assert len(split.destination_name or "") == LONGEST_NAME
    assert name.strip() in (split.notes or "")
    assert len(split.internal_reference or "") == LONGEST_NAME


def test_what_moves_no_cash_or_can_not_be_there_is_not_sent_and_told(broker: Broker) -> None:
    broker.trade("2026-03-02", "0", action="SPLIT")
    broker.trade("2026-03-02", None, action="TRANSFER")
    broker.lose(broker.trade("2026-03-02", "-7"))
    broker.trade("1969-03-02", "-1")
    broker.trade("2026-03-02", "-0.0000000000001")
    dollars = broker.trade("2026-03-02", "-1", currency="USD")
    plain = broker.trade("2026-03-02", "-2", currency="XXX")
    books = wanted(broker)
    assert [each.movements for each in books.groups.values()] == [(Movement("trade", plain),)]
    assert books.left_out == {
        "before 1970 or after 2037": 1,
        "with more than 12 decimals": 1,
        "on an account that is not there": 1,
    }
    assert books.unsaid == {Movement("trade", dollars)}


def test_the_name_of_a_trade_is_of_its_file_and_not_of_our_numbers(broker: Broker) -> None:
    other = Broker(Household(broker.household.engine, "bob"))

    def keys(of: Broker) -> list[str]:
        with of.household.engine.connect() as connection:
            return [each.key for each in trades_of(connection, of.household.person_id, UNITS)]

    for each in (broker, other):
        each.trade("2026-03-02", "-1", key="id:1")
        each.trade("2026-03-02", "-1", key="id:1", occurrence=2)
    before = keys(broker)
    assert len({*before, *keys(other)}) == 4
    broker.household.do("delete from trade where person_id = :person", person=broker.household.person_id)
    broker.trade("2026-03-02", "-3", key="id:1", at=99, units=4)
    broker.trade("2026-03-02", "-1", key="id:1", occurrence=2)
    assert keys(broker) == before
