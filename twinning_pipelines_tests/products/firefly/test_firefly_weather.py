"""Whatever the network, the bank's files and people do in whatever order: the laws of the push hold when it calms down.

Each case has a household and a server of its own in one database, and a seed that says what happens.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from twinning_pipelines.errors import FarSideUnavailable
from twinning_pipelines_tests.far_sides.firefly import FakeFirefly
from twinning_pipelines_tests.far_sides.firefly_books import as_sent
from twinning_pipelines_tests.far_sides.firefly_front import Weather
from twinning_pipelines_tests.household import Household
from twinning_pipelines_tests.products.firefly.pusher import Pusher
from twinning_pipelines_tests.products.firefly.traded import OFX, QIF, Broker

SEEDS = range(14)


@dataclass
class Life:
    """What may happen to a household and its Firefly III, one deed at a time."""

    pusher: Pusher
    dice: random.Random
    bookings: list[int] = field(default_factory=list)
    trades: list[int] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    edited: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, int] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        home = self.pusher.household
        self.broker = Broker(home)
        self.accounts = [home.account("Giro"), home.account("Savings", kind="savings"), home.account("Dollars", "USD")]

    def live(self) -> None:
        """One deed."""
        deeds: list[Callable[[], None]] = [
            *([self.books] * 3),
            *([self.trades_shares] * 2),
            self.loses_or_finds_a_trade,
            self.changes_a_trade,
            *([self.pushes] * 4),
            self.books_a_transfer,
            *([self.pairs_or_parts] * 2),
            self.loses_or_finds,
            *([self.changes] * 3),
            self.somebody_edits,
            self.somebody_deletes,
            self.somebody_splits_or_joins,
            self.loses_its_parts,
        ]
        self.dice.choice(deeds)()

    def day(self) -> str:
        return (date(2025, 12, 20) + timedelta(days=self.dice.randrange(40))).isoformat()

    def books(self) -> None:
        account = self.dice.choice(self.accounts)
        amount = self.dice.choice(["-4.50", "-4.50", "20", "0", "-0.01"])
        currency = "USD" if account == self.accounts[2] else self.dice.choice(["EUR", "EUR", "EUR", "CHF"])
        pending = self.dice.random() < 0.1
        parts = (
            [{"category": "Food", "amount": "-2.25"}] * 2 if amount == "-4.50" and self.dice.random() < 0.5 else None
        )
        told = {"splits": parts} if parts else None
        home = self.pusher.household
        self.bookings.append(
            home.book(account, self.day(), amount, "Shop", "bread", currency=currency, pending=pending, told=told)
        )

    def books_a_transfer(self) -> None:
        home, (giro, savings, dollars) = self.pusher.household, self.accounts
        out = home.book(giro, self.day(), "-30", "Me")
        abroad = self.dice.random() < 0.5
        into = (
            home.book(dollars, self.day(), "33", "Me", currency="USD")
            if abroad
            else home.book(savings, self.day(), "30")
        )
        self.bookings += [out, into]
        self.pairs.append((out, into))

    def trades_shares(self) -> None:
        """Two formats may tell the same, and then one of them counts."""
        total, currency = self.dice.choice(["-250", "-250", "80.25"]), self.dice.choice(["EUR", "EUR", "USD"])
        source = self.dice.choice([QIF, QIF, OFX])
        self.trades.append(self.broker.trade(self.day(), total, source=source, currency=currency, units=3))

    def loses_or_finds_a_trade(self) -> None:
        if self.trades:
            self.broker.lose(self.dice.choice(self.trades), gone=self.dice.random() < 0.5)

    def changes_a_trade(self) -> None:
        if self.trades:
            said = {"memo": self.dice.choice(["x", "y"]), "total": self.dice.choice([-250, -251, 0])}
            self.broker.change(self.dice.choice(self.trades), **said)

    def pairs_or_parts(self) -> None:
        if self.pairs:
            self.pusher.household.pair(*self.dice.choice(self.pairs), self.dice.choice(["confirmed", "rejected"]))

    def loses_or_finds(self) -> None:
        if self.bookings:
            self.pusher.household.lose(self.dice.choice(self.bookings), gone=self.dice.random() < 0.5)

    def changes(self) -> None:
        if self.bookings:
            booking, home = self.dice.choice(self.bookings), self.pusher.household
            said = {
                "category": self.dice.choice(["Food", "Fun", None]),
                "memo": self.dice.choice(["bread", "rolls", "cake"]),
            }
            home.change(booking, booked_on=date.fromisoformat(self.day()), **said)

    def somebody_edits(self) -> None:
        if living := self.pusher.fake.books.living():
            group = self.dice.choice(living)
            said = f"mine {self.dice.randrange(1000)}"
            self.pusher.fake.user_edits(group, description=said)
            self.edited[str(group.living()[0].texts["external_id"])] = said
            self.touched.add(str(group.living()[0].texts["external_id"]))

    def loses_its_parts(self) -> None:
        if self.bookings:
            self.pusher.household.change(self.dice.choice(self.bookings), transaction_id=None)

    def somebody_splits_or_joins(self) -> None:
        """One part more or less there: for us that is a change of the whole group."""
        if living := self.pusher.fake.books.living():
            group, books = self.dice.choice(living), self.pusher.fake.books
            if str(group.living()[0].texts["external_id"]) in self.shapes:
                return
            journals = [{"transaction_journal_id": str(each.id)} for each in group.living()]
            more = {**as_sent(group.living()[0]), "amount": "1", "external_id": None}
            changed = [*journals, more] if len(journals) == 1 or self.dice.random() < 0.5 else journals[:1]
            books.change(group, {"group_title": "mine", "transactions": changed})
            self.shapes[str(group.living()[0].texts["external_id"])] = len(changed)
            self.touched.add(str(group.living()[0].texts["external_id"]))

    def somebody_deletes(self) -> None:
        if living := self.pusher.fake.books.living():
            group = self.dice.choice(living)
            self.pusher.fake.user_deletes(group)
            name = str(group.living()[0].texts["external_id"])
            self.deleted.add(name)
            self.touched.add(name)
            self.edited.pop(name, None)
            self.shapes.pop(name, None)

    def pushes(self) -> None:
        try:
            self.pusher.push(options={"budget_seconds": 3}, backfill=self.dice.random() < 0.2)
        except FarSideUnavailable:
            self.pusher.now += timedelta(seconds=1)

    def calms_down(self) -> None:
        """Fair weather, and as many pushes as it takes; then the laws."""
        self.pusher.fake.weather = lambda: None
        self.pusher.push()
        self.pusher.push()
        before = self.pusher.writes()
        self.pusher.push()
        assert self.pusher.writes() == before, "a push with nothing to do has written"
        living = Counter(str(group.living()[0].texts["external_id"]) for group in self.pusher.fake.books.living())
        assert not [name for name, n in living.items() if n > 1], "something is there twice"
        assert not self.deleted & living.keys(), "something came back that somebody had deleted"
        home = self.pusher.household
        # A trade's id below zero: a booking may have the same.
        outbox = """
            select external_id, state, booking_ids || array(select -each from unnest(trade_ids) as each) as moved
            from firefly_outbox where person_id = :person"""
        told = home.rows(outbox, person=home.person_id)
        moved = Counter(each for row in told if row.external_id in living for each in row.moved)
        assert not [each for each, n in moved.items() if n > 1], "a booking is there by itself and in a transfer"
        handled = {each for row in told if row.external_id in self.touched for each in row.moved}
        handled |= {each for row in told if handled & set(row.moved) for each in row.moved}
        parked = [row.external_id for row in told if row.state == "refused" and not handled & set(row.moved)]
        assert not parked, "something is kept back that nobody had touched"
        for name, said in self.edited.items():
            assert self.pusher.fake.group_of(name).living()[0].texts["description"] == said, "an edit was lost"
        for name, parts in self.shapes.items():
            assert len(self.pusher.fake.group_of(name).living()) == parts, "somebody's parts were changed"
        for each in self.pusher.drift():
            assert each.unexplained == 0, each
        assert "sending" not in self.pusher.states().values()


@pytest.mark.timeout(240)
def test_the_laws_hold_whatever_happens(engine: sa.Engine) -> None:
    for seed in SEEDS:
        with FakeFirefly() as fake:
            life = Life(Pusher(Household(engine, f"person {seed}"), fake), random.Random(seed))
            fake.weather = Weather(seed, rate=0.0 if seed % 4 == 0 else 0.15).faults()
            for _ in range(50):
                life.live()
            try:
                life.calms_down()
            except AssertionError as broken:
                raise AssertionError(f"seed {seed}: {broken}") from broken
            assert fake.complaints == []
            assert fake.books.groups


@pytest.mark.timeout(120)
def test_random_weather_alone_ends_with_each_booking_once_and_equal_balances(engine: sa.Engine) -> None:
    for seed in range(8):
        with FakeFirefly() as fake:
            home = Household(engine, f"person {seed}")
            giro, savings = home.account("Giro"), home.account("Savings")
            for n in range(7):
                home.book(giro, f"2026-03-{n + 1:02d}", "-4.50", "Bakery", "bread")
            home.pair(home.book(giro, "2026-03-02", "-30"), home.book(savings, "2026-03-02", "30"))
            home.state("Giro", "2026-03-31", "1000")
            broker = Broker(home)
            for _ in range(3):
                broker.trade("2026-03-02", "-250")
            home.state("Shares", "2026-03-31", "250")
            pusher = Pusher(home, fake)
            fake.weather = Weather(seed).faults()
            for _ in range(60):
                try:
                    if not pusher.push(options={"budget_seconds": 5}).waiting:
                        break
                except FarSideUnavailable:
                    continue
            fake.weather = lambda: None
            assert pusher.push().acts == {}
            assert len(fake.books.living()) == 8 + 3
            assert all(each.agrees and not each.differences for each in pusher.drift())
            assert fake.complaints == []
