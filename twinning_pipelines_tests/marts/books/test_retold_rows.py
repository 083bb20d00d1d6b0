"""What is told again in another place counts once: corrections in a finance program, a broker's second statement of a day."""

import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from twinning_pipelines.ingest.road import receive, take
from twinning_pipelines.marts.books.holdings import held_between
from twinning_pipelines.marts.books.kept_rulebook import keep_rulebook
from twinning_pipelines.marts.books.settling import refresh_books
from twinning_pipelines.sources.finance import ghostfolio, ibkr_flex, portfolio_performance
from twinning_pipelines.stores.postgres.store import PostgresStore

SAMPLES = Path(__file__).parents[2] / "sources" / "finance"
SOURCES = [portfolio_performance.SOURCE, ghostfolio.SOURCE, ibkr_flex.SOURCE]
LAST = date(2026, 3, 31)


class Program:
    """One person's file, saved again and again."""

    def __init__(self, store: PostgresStore, engine: sa.Engine, folder: Path) -> None:
        self.store, self.engine, self.folder = store, engine, folder

    def save(self, name: str, text: str, day: int) -> None:
        """Drops what was saved on a day of April."""
        path = self.folder / f"{day}-{name}"
        path.write_text(text)
        moment = datetime(2026, 4, day, 20, tzinfo=UTC).timestamp()
        os.utime(path, (moment, moment))
        archive = self.folder / "archive"
        receipt = take(receive(path, "ada", self.store, archive), self.store, archive, SOURCES)
        assert receipt.problem is None, receipt
        with self.engine.begin() as connection:
            refresh_books(connection, 1)

    def held(self) -> dict[tuple[str, str], Decimal]:
        """Units by account and security."""
        with self.engine.connect() as connection:
            return {(each.account, each.security): each.units for each in held_between(connection, 1, LAST, LAST)}

    def balances(self) -> dict[str, Decimal]:
        """The newest of each account."""
        statement = """
            select distinct on (a.id) a.name, b.balance from account_balance b join account a on a.id = b.account_id
            order by a.id, b.day desc"""
        with self.engine.connect() as connection:
            return dict(connection.execute(sa.text(statement)).tuples().all())


@pytest.fixture
def program(store: PostgresStore, engine: sa.Engine, tmp_path: Path) -> Program:
    return Program(store, engine, tmp_path)


HOUSEHOLD = (SAMPLES / "portfolio_performance" / "household.xml").read_text()
CORRECTIONS = {
    "a day": (HOUSEHOLD.replace("2026-01-12T09:31", "2026-01-11T09:31"), {}),
    "a type": (HOUSEHOLD.replace("<type>DELIVERY_INBOUND</type>", "<type>TRANSFER_IN</type>"), {}),
    "a name": (
        HOUSEHOLD.replace("<name>Depot</name>", "<name>Shares</name>").replace("Cash CHF", "Franken"),
        {"Depot": "Shares", "Cash CHF": "Franken"},
    ),
}


@pytest.mark.parametrize(("corrected", "names"), CORRECTIONS.values(), ids=CORRECTIONS)
@pytest.mark.parametrize("is_late", [False, True])
def test_a_correction_takes_the_place_of_what_it_corrects(
    corrected: str, names: dict[str, str], is_late: bool, program: Program, engine: sa.Engine
) -> None:
    program.save("household.xml", HOUSEHOLD, 1)
    held, balances = program.held(), program.balances()
    if is_late:
        # The older file is read again after the newer one.
        with engine.begin() as connection:
            tables = ("trade", "transaction_sighting", "transaction", "coverage")
            connection.execute(sa.text(f"truncate {', '.join(tables)} cascade"))
        program.save("corrected.xml", corrected, 3)
        program.save("again.xml", HOUSEHOLD + "\n", 2)
    else:
        program.save("corrected.xml", corrected, 3)
    assert program.held() == {(names.get(name, name), security): units for (name, security), units in held.items()}
    assert program.balances() == {names.get(name, name): worth for name, worth in balances.items()}


def test_two_files_that_tell_the_same_are_one(program: Program) -> None:
    program.save("household.xml", HOUSEHOLD, 1)
    held, balances = program.held(), program.balances()
    program.save("household.xml", HOUSEHOLD + "\n", 2)
    assert (program.held(), program.balances()) == (held, balances)


def test_an_activity_that_is_moved_to_another_day_and_account_counts_once(program: Program) -> None:
    export = (SAMPLES / "ghostfolio" / "export.json").read_text()
    program.save("export.json", export, 1)
    held = program.held()
    assert held["Depot", "MSFT"] == 3
    moved = export.replace("2026-01-16", "2026-01-15").replace('"Depot"', '"Shares"')
    program.save("export.json", moved.replace("2026-04-01T08", "2026-04-02T08"), 2)
    assert program.held()["Shares", "MSFT"] == 3
    assert sum(program.held().values()) == sum(held.values())


_FLEX = """<FlexQueryResponse><FlexStatements><FlexStatement accountId="U1" whenGenerated="202604{day:02};090000">
{trades}</FlexStatement></FlexStatements></FlexQueryResponse>"""
_SHARED = 'currency="USD" assetCategory="STK" symbol="A" conid="1" tradeDate="20260210" quantity="5" netCash="-51" buySell="BUY"'
_CONFIRMATION = f'<TradeConfirm tradeID="900" execID="01.{{n}}" price="10" {_SHARED}/>'
_STATED = f'<Trade transactionID="7" tradeID="900" ibExecID="01.1" tradePrice="10" {_SHARED}/>'


@pytest.mark.parametrize("stated_first", [False, True])
def test_a_confirmation_of_a_trade_that_a_statement_tells_is_no_second_one(
    stated_first: bool, program: Program
) -> None:
    confirmation = _CONFIRMATION.format(n=1)
    files = [(_STATED, 1), (confirmation, 2)] if stated_first else [(confirmation, 1), (_STATED, 2)]
    for trades, on in files:
        program.save("flex.xml", _FLEX.format(day=on, trades=trades), on)
    assert program.held() == {("U1", "1"): 5}
    assert program.balances() == {"U1": -51}


def test_a_confirmation_is_known_by_its_execution_too(program: Program) -> None:
    program.save("flex.xml", _FLEX.format(day=1, trades=_CONFIRMATION.format(n=1).replace('tradeID="900"', "")), 1)
    program.save("flex.xml", _FLEX.format(day=2, trades=_STATED), 2)
    program.save("other.xml", _FLEX.format(day=3, trades=_CONFIRMATION.format(n=2).replace('"900"', '"901"')), 3)
    assert program.held() == {("U1", "1"): 10}


def _position(units: int, security: str, level: str = "SUMMARY") -> str:
    what = f'symbol="{security}" conid="{security}" position="{units}" levelOfDetail="{level}"'
    return f'<OpenPosition currency="USD" assetCategory="STK" reportDate="20260331" markPrice="10" {what}/>'


@pytest.mark.parametrize("newest_first", [False, True])
def test_the_newest_statement_of_a_day_counts_alone(newest_first: bool, program: Program) -> None:
    files = [(_position(5, "A") + _position(1, "B"), 1), (_position(1, "B"), 2)]
    for positions, on in reversed(files) if newest_first else files:
        program.save("flex.xml", _FLEX.format(day=on, trades=positions), on)
    assert program.held() == {("U1", "B"): 1}


def test_lots_of_a_position_are_its_one_line_in_the_next_statement(program: Program) -> None:
    program.save("flex.xml", _FLEX.format(day=1, trades=_position(2, "A", "LOT") + _position(3, "A", "LOT")), 1)
    assert program.held() == {("U1", "A"): 5}
    program.save("flex.xml", _FLEX.format(day=2, trades=_position(5, "A")), 2)
    assert program.held() == {("U1", "A"): 5}


def test_what_a_broker_tells_as_a_trade_and_a_program_as_a_booking_moves_its_cash_once(program: Program) -> None:
    bought = 'currency="CHF" symbol="APFL" isin="CH0009000014" tradeDate="20260112" quantity="6" netCash="-971.2"'
    trades = "".join(f'<Trade transactionID="{n}" buySell="BUY" {bought}/>' for n in (1, 2))
    one = "accounts: [{name: Broker, kind: brokerage, same_as: [U1, Cash CHF]}]"
    program.save("household.xml", HOUSEHOLD, 1)
    booked = program.balances()["Cash CHF"]
    with program.engine.begin() as connection:
        keep_rulebook(connection, 1, one)
    program.save("flex.xml", _FLEX.format(day=2, trades=trades), 2)
    # The program tells one of the two.
    assert program.balances()["Broker"] == booked - Decimal("971.2")
