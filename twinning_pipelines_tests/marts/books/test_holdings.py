"""What is held on each day and what it is worth: statements, trades after them, splits, names, prices and their age."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinning_pipelines.marts.books.holdings import PORTFOLIO_TOTALS, PORTFOLIO_VALUE, Held, held_between
from twinning_pipelines_tests.marts.books.worth import Told

FIRST = date(2026, 1, 1)
ISIN, OTHER_ISIN = "CH0009000014", "CH0009000022"


def day(place: int) -> date:
    return FIRST + timedelta(place)


@pytest.fixture
def told(engine: sa.Engine) -> Iterator[Told]:
    with engine.begin() as connection:
        yield Told(connection)


def held(told: Told, place: int) -> list[Held]:
    return held_between(told.connection, told.person_id, day(place), day(place))


def units(told: Told, place: int) -> dict[tuple[str, str], Decimal]:
    return {(each.account, each.security): each.units for each in held(told, place)}


def values(told: Told, place: int) -> dict[str, tuple[Any, Any]]:
    return {each.security: (each.value, each.currency) for each in held(told, place)}


def test_a_statement_and_the_trades_after_it(told: Told) -> None:
    told.buy(day(0), 100)
    told.hold(day(10), 7)
    told.buy(day(10), 50)
    told.buy(day(12), 3)
    told.buy(day(15), -10)
    assert [units(told, place).get(("Depot", "A")) for place in (0, 9, 10, 11, 12, 14, 15)] == [
        100, 100, 7, 7, 10, 10, None,
    ]  # fmt: skip


def test_what_a_statement_leaves_out_was_not_held(told: Told) -> None:
    told.hold(day(0), 5)
    told.hold(day(0), 2, "B")
    told.hold(day(10), 2, "B")
    assert set(units(told, 9)) == {("Depot", "A"), ("Depot", "B")}
    assert set(units(told, 10)) == {("Depot", "B")}


def test_lines_of_one_security_add_up_and_a_second_source_does_not(told: Told) -> None:
    for source in ("finance.one", "finance.two"):
        told.rows(
            "holding",
            {"held_on": day(0), "security": "A", "units": Decimal(3)},
            {"held_on": day(0), "security": "A", "units": Decimal(4)},
            source=source,
        )
    assert units(told, 0) == {("Depot", "A"): 7}


def test_two_sources_of_the_same_trades_count_once_and_twins_stay_two(told: Told) -> None:
    twice = {"traded_on": day(0), "security": "A", "units": Decimal(5)}
    told.rows("trade", twice, twice, source="finance.one")
    told.rows("trade", twice, twice, {**twice, "units": Decimal(1)}, source="finance.two")
    assert units(told, 0) == {("Depot", "A"): 11}


def test_accounts_are_one_where_the_person_has_one(told: Told) -> None:
    told.buy(day(0), 5, account="77-1")
    told.buy(day(1), 6, account="broker/77-1")
    assert len(units(told, 1)) == 2
    told.connection.execute(
        sa.text("insert into account (person_id, name, kind, currency) values (:p, 'Shares', 'brokerage', 'CHF')"),
        {"p": told.person_id},
    )
    for name in ("77-1", "broker/77-1"):
        told.connection.execute(
            sa.text("insert into account_name select :p, :name, id, 'name' from account"),
            {"p": told.person_id, "name": name},
        )
    assert units(told, 1) == {("Shares", "A"): 11}


def test_ofx_says_by_its_action_what_happens_to_units(told: Told) -> None:
    rows = [("BUYSTOCK", 10), ("SELLSTOCK", 4), ("SELLSTOCK", -1), ("REINVEST", 2), ("INCOME", 9), ("JRNLSEC", 9)]
    told.rows(
        "trade",
        *({"traded_on": day(n), "action": action, "units": Decimal(n_units), "security": "A"}
          for n, (action, n_units) in enumerate(rows)),
        {"traded_on": day(9), "action": "TRANSFER", "units": Decimal(3), "security": "A", "extra": {"TFERACTION": "OUT"}},
        source="finance.ofx",
    )  # fmt: skip
    assert units(told, 9) == {("Depot", "A"): 10 - 4 - 1 + 2 - 3}


@pytest.mark.parametrize(
    ("source", "split"),
    [
        ("finance.ofx", {"action": "SPLIT", "units": None, "extra": {"NUMERATOR": "3", "DENOMINATOR": "2"}}),
        ("finance.ofx", {"action": "SPLIT", "units": None, "extra": {"NEWUNITS": "15", "OLDUNITS": "10"}}),
        ("finance.qif", {"action": "StkSplit", "units": Decimal(15)}),
        ("finance.ibkr_flex", {"action": "FS", "units": Decimal(5), "memo": "A(X) SPLIT 3 FOR 2 (A, A AG, X)"}),
        ("finance.ibkr_flex", {"action": "FS", "units": Decimal(5), "extra": {"actionDescription": "A SPLIT 3 FOR 2"}}),
    ],
)
def test_a_split_multiplies_units_and_divides_older_prices(told: Told, source: str, split: dict[str, object]) -> None:
    bought = {"traded_on": day(0), "action": "BUY", "units": Decimal(10), "unit_price": Decimal(30), "security": "A"}
    told.rows("trade", bought, {"traded_on": day(5), "security": "A"} | split, source=source)
    assert [values(told, place)["A"][0] for place in (0, 4, 5, 6)] == [300, 300, 300, 300]
    assert [held(told, place)[0].units for place in (4, 5)] == [10, 15]
    told.price(day(6), 21)
    assert values(told, 6) == {"A": (315, "CHF")}


@pytest.mark.parametrize("ratio", ["1.2.3", "0", "", "two", "-2"])
def test_a_split_that_says_nothing_changes_nothing(told: Told, ratio: str) -> None:
    extra = {"NUMERATOR": ratio, "DENOMINATOR": "1", "NEWUNITS": ratio}
    split = {"traded_on": day(1), "action": "SPLIT", "security": "A", "extra": extra}
    told.rows(
        "trade",
        {"traded_on": day(0), "action": "BUYSTOCK", "units": Decimal(3), "security": "A"},
        split,
        source="finance.ofx",
    )
    assert units(told, 1) == {("Depot", "A"): 3}


def test_a_security_is_one_under_every_name_that_a_file_lists_together(told: Told) -> None:
    told.buy(day(0), 1, ISIN, ticker="APFL", security_name="Apfel AG", extra={"conid": "900001"})
    told.rows("trade", {"traded_on": day(1), "security": "900001", "units": Decimal(2)}, source="finance.b")
    told.rows("trade", {"traded_on": day(1), "security": "Apfel AG", "units": Decimal(4)}, source="finance.qif")
    told.price(day(2), 5, "APFL")
    (found,) = held(told, 2)
    assert (found.security, found.name) == (ISIN, "Apfel AG")
    assert (found.units, found.value) == (Decimal(7), Decimal(35))


def test_a_word_beside_two_isins_joins_nobody(told: Told) -> None:
    told.buy(day(0), 1, ISIN, security_name="Common stock")
    told.buy(day(0), 2, OTHER_ISIN, security_name="Common stock")
    told.price(day(0), 5, "Common stock")
    assert values(told, 0) == {ISIN: (None, "CHF"), OTHER_ISIN: (None, "CHF")}


def test_a_number_inside_an_american_isin_is_the_same_security(told: Told) -> None:
    told.buy(day(0), 1, "US0378331005")
    told.rows("trade", {"traded_on": day(1), "security": "037833100", "units": Decimal(2)}, source="finance.b")
    assert units(told, 1) == {("Depot", "US0378331005"): 3}


def test_names_of_a_quicken_list_lead_from_a_name_to_its_symbol(told: Told) -> None:
    told.rows(
        "register_entry", {"entry": "Apfel AG", "fields": {"raw": "NApfel AG\nSAPFL\nTStock"}}, source="finance.qif"
    )
    told.rows("trade", {"traded_on": day(0), "security": "Apfel AG", "units": Decimal(2)}, source="finance.qif")
    told.price(day(0), 5, "APFL")
    (found,) = held(told, 0)
    assert found.value == 10


def test_prices_of_lists_go_before_those_of_trades_while_they_are_fresh(told: Told) -> None:
    told.buy(day(0), 1, unit_price=Decimal(10))
    assert values(told, 0) == {"A": (10, "CHF")}
    told.price(day(0), 11)
    told.buy(day(9), 1, unit_price=Decimal(12))
    told.buy(day(20), 1, unit_price=Decimal(13))
    assert [values(told, place)["A"][0] for place in (0, 9, 19, 20)] == [11, 22, 22, 39]


def test_the_currency_of_the_holding_goes_first_while_it_is_fresh(told: Told) -> None:
    told.hold(day(0), 2, unit_price=Decimal(8))
    told.price(day(3), 10, currency="USD")
    assert values(told, 3) == {"A": (16, "CHF")}
    assert values(told, 10) == {"A": (16, "CHF")}
    told.price(day(11), 11, currency="USD")
    assert values(told, 11) == {"A": (22, "USD")}


def test_a_price_without_a_currency_is_in_that_of_the_holding(told: Told) -> None:
    told.buy(day(0), 2, currency="EUR")
    told.price(day(0), 5, currency="XXX")
    assert values(told, 0) == {"A": (10, "EUR")}


@pytest.mark.parametrize(("worth", "price", "expected"), [("9929.2", "99.292", "9929.2"), ("10003", "1", "10000")])
def test_a_price_in_percent_is_known_by_what_a_statement_says_it_is_worth(
    told: Told, worth: str, price: str, expected: str
) -> None:
    told.hold(day(0), 10_000, unit_price=Decimal(price), market_value=Decimal(worth))
    assert values(told, 0) == {"A": (Decimal(expected), "CHF")}


def test_a_bond_is_priced_in_percent_though_its_broker_lists_a_multiplier_of_one(told: Told) -> None:
    bond = {"extra": {"assetCategory": "BOND", "multiplier": "1"}, "unit_price": Decimal("97.75")}
    told.buy(day(0), 2_000, "B", total=Decimal("-1964.7"), fees=Decimal(2), **bond)
    assert values(told, 0) == {"B": (1_955, "CHF")}
    told.hold(day(5), 2_000, "B", market_value=Decimal("1971.24"), **bond | {"unit_price": Decimal("98.562")})
    assert values(told, 5) == {"B": (Decimal("1971.24"), "CHF")}


def test_a_contract_without_a_statement_is_worth_what_its_trade_came_to(told: Told) -> None:
    option = {"action": "BUYOPT", "security": "O", "unit_price": Decimal("1.5")}
    told.rows(
        "trade",
        option | {"traded_on": day(0), "units": Decimal(2), "total": Decimal(-301), "fees": Decimal(1)},
        {
            "action": "TRANSFER",
            "security": "P",
            "units": Decimal(1),
            "traded_on": day(0),
            "extra": {"SHPERCTRCT": "100"},
        },
        source="finance.ofx",
    )
    told.price(day(0), 3, "P")
    assert values(told, 0) == {"O": (300, "CHF"), "P": (300, "CHF")}


def test_a_trade_of_odd_fees_does_not_scale_its_security(told: Told) -> None:
    told.buy(day(0), 1, "A", unit_price=Decimal(1), total=Decimal(-10), fees=Decimal(9))
    told.buy(day(1), 1, "A", unit_price=Decimal(1), total=Decimal(-10))
    told.buy(day(2), 1, "A", unit_price=Decimal(1), total=Decimal(-1))
    assert values(told, 2) == {"A": (3, "CHF")}


def test_what_another_account_did_not_pay_of_a_trade_says_nothing_of_its_price(told: Told) -> None:
    bought = {"action": "BuyX", "units": Decimal(100), "unit_price": Decimal(10), "total": Decimal(-10)}
    told.rows("trade", bought | {"traded_on": day(0), "security": "A"}, source="finance.qif")
    assert values(told, 0) == {"A": (1_000, "CHF")}


def test_a_position_that_states_its_worth_alone_is_worth_that(told: Told) -> None:
    told.hold(day(0), -1, "O", market_value=Decimal(-125), extra={"assetCategory": "OPT", "multiplier": "100"})
    assert values(told, 0) == {"O": (-125, "CHF")}


def test_options_are_for_a_hundred_shares_and_margin_has_no_worth(told: Told) -> None:
    told.hold(day(0), -2, "O", unit_price=Decimal("1.5"), extra={"assetCategory": "OPT", "multiplier": "100"})
    told.hold(day(0), 1, "F", unit_price=Decimal(5_000), extra={"assetCategory": "FUT"})
    told.buy(day(1), 5, "EUR.USD", extra={"assetCategory": "CASH"}, unit_price=Decimal(1))
    assert values(told, 1) == {"O": (-300, "CHF")}


def test_every_figure_is_explained_by_its_rows(told: Told) -> None:
    told.buy(day(0), 3, security_name="Apfel AG")
    told.price(day(0), 5)
    rows = told.connection.execute(
        sa.text(f"select * from ({PORTFOLIO_VALUE}) r order by amount desc"),
        {"person": told.person_id, "first": day(0), "last": day(0)},
    ).all()
    assert [(row.part, row.unit, row.amount, row.record, row.at, row.label) for row in rows] == [
        ("A", "CHF", 15, "trade", 1, f"Apfel AG: 3 at 5 of {day(0)}, Depot"),
        ("A", "CHF", 0, "price", 2, f"Apfel AG: price of {day(0)}"),
    ]
    assert {row.file_id for row in rows} == {told.file_id}


def test_totals_are_those_of_the_rows(told: Told) -> None:
    for place in range(0, 30, 7):
        told.buy(day(place), place + 1, "AB"[place % 2], unit_price=Decimal(place + 1))
        told.price(day(place + 2), place + 3, "B", currency="USD")
    told.hold(day(15), 4, "A", account="Old", unit_price=Decimal(2))
    statement = f"""
        select day, part, unit, sum(amount), count(*) from ({PORTFOLIO_VALUE}) r group by 1, 2, 3 order by 1, 2, 3"""
    totals = f"select day, part, unit, value, n from ({PORTFOLIO_TOTALS}) r order by 1, 2, 3"
    values = {"person": told.person_id, "first": day(0), "last": day(40)}
    rows = told.connection.execute(sa.text(statement), values).all()
    assert len(rows) > 60
    assert told.connection.execute(sa.text(totals), values).all() == rows


_PLACES = st.integers(0, 40)
_UNITS = st.decimals("-50", "50", places=3).filter(bool)
_TRADES = st.lists(st.tuples(_PLACES, st.sampled_from("AB"), st.sampled_from(("Depot", "Old")), _UNITS), max_size=14)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    trades=_TRADES,
    statements=st.sets(_PLACES, max_size=4),
    splits=st.lists(st.tuples(_PLACES, st.sampled_from((2, 4, 5))), max_size=2),
    prices=st.lists(st.tuples(_PLACES, st.sampled_from("AB"), st.integers(1, 9), st.sampled_from(("CHF", "USD"))), max_size=8),
    forgets=st.booleans(),
)  # fmt: skip
def test_a_statement_and_the_trades_after_it_make_the_next_statement(
    engine: sa.Engine,
    trades: list[tuple[int, str, str, Decimal]],
    statements: set[int],
    splits: list[tuple[int, int]],
    prices: list[tuple[int, str, int, str]],
    forgets: bool,
) -> None:
    """Whatever statements are known, units are those of all trades; forgetting what was before the first changes nothing."""
    split_days = {place for place, _ in splits}
    trades = [each for each in trades if each[0] not in split_days]
    truth = {place: _truth(trades, splits, place) for place in range(41)}
    since = min(statements, default=-1) if forgets else -1
    with engine.connect() as connection:
        told = Told(connection)
        for place, security, account, change in trades:
            if place > since:
                told.buy(day(place), change, security, account=account, unit_price=Decimal(3))
        for place, ratio in splits:
            for account in ("Depot", "Old"):
                if place > since:
                    split = {
                        "traded_on": day(place),
                        "account": account,
                        "action": "StkSplit",
                        "units": Decimal(10 * ratio),
                    }
                    told.rows("trade", split | {"security": "A"}, source="finance.qif")
        for place in statements:
            for account in ("Depot", "Old"):
                lines = [each for each in truth[place] if each[0] == account]
                for _, security in lines:
                    told.hold(day(place), truth[place][account, security], security, account=account)
        for place, security, price, currency in prices:
            told.price(day(place), price, security, currency=currency)
        # A statement without a line leaves no trace in the table, so that what was before it stays.
        empty = {account for account in ("Depot", "Old") for place in statements if not _of(truth[place], account)}
        together = held_between(connection, told.person_id, day(max(since, 0)), day(40))
        for place in range(max(since, 0), 41, 4):
            alone = held(told, place)
            assert alone == [each for each in together if each.day == day(place)]
            found = {(each.account, each.security): each.units for each in alone if each.account not in empty}
            assert found == {key: each for key, each in truth[place].items() if key[0] not in empty}
        connection.rollback()


def _truth(
    trades: list[tuple[int, str, str, Decimal]], splits: list[tuple[int, int]], until: int
) -> dict[tuple[str, str], Decimal]:
    """Units by account and security at the end of a day, by walking through the days."""
    found: dict[tuple[str, str], Decimal] = {}
    for place in range(until + 1):
        for at, ratio in splits:
            if at == place:
                found = {key: each * ratio if key[1] == "A" else each for key, each in found.items()}
        for at, security, account, change in trades:
            if at == place:
                found[account, security] = found.get((account, security), Decimal(0)) + change
    return {key: each for key, each in found.items() if each}


def _of(state: dict[tuple[str, str], Decimal], account: str) -> list[Decimal]:
    return [each for key, each in state.items() if key[0] == account]
