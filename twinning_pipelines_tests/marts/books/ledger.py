"""Accounts and bookings written straight into a database, as the books have them once files are settled."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

import sqlalchemy as sa

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Ledger:
    """The books of one person. Bookings are known by the order in which they were written."""

    connection: sa.Connection
    person_id: int
    file_id: int
    accounts: dict[str, int] = field(default_factory=dict)
    written: int = 0

    @classmethod
    def of(cls, connection: sa.Connection, name: str = "ada") -> "Ledger":
        """Empty books of a new person."""
        person = connection.execute(
            sa.text("insert into person (name) values (:n) returning id"), {"n": name}
        ).scalar_one()
        connection.execute(
            sa.text("insert into person_zone (person_id, since, zone) values (:p, '1900-01-01', 'Europe/Zurich')"),
            {"p": person},
        )
        file = connection.execute(
            sa.text(
                "insert into intake_file (person_id, sha256, name, bytes, modified_at, as_of, source, status) "
                "values (:p, :s, 'bank.csv', 1, :now, :now, 'finance.bank_csv', 'loaded') returning id"
            ),
            {"p": person, "s": f"{name:0<64}", "now": NOW},
        ).scalar_one()
        return cls(connection, person, file)

    def account(
        self, name: str, *told: str, iban: str | None = None, number: str | None = None, currency: str = "CHF"
    ) -> int:
        """An own account."""
        found = self.connection.execute(
            sa.text(
                "insert into account (person_id, name, kind, currency, iban, number) "
                "values (:p, :name, 'checking', :c, :iban, :number) returning id"
            ),
            {"p": self.person_id, "name": name, "c": currency, "iban": iban, "number": number},
        ).scalar_one()
        for each in told:
            self.connection.execute(
                sa.text("insert into account_name (person_id, told, account_id, by) values (:p, :told, :a, 'name')"),
                {"p": self.person_id, "told": each, "a": found},
            )
        self.accounts[name] = found
        return int(found)

    def book(
        self, account: str, day: str | date, amount: str | Decimal, payee: str = "", memo: str = "", *,
        currency: str = "CHF", category: str | None = None, transfer_to: str | None = None, source: str = "finance.bank_csv",
        extra: dict[str, str] | None = None, splits: Sequence[dict[str, str]] | None = None, key: str | None = None,
        pending: bool = False,
    ) -> int:  # fmt: skip
        """One booking with the row that tells it; answers its id."""
        self.written += 1
        values = {
            "p": self.person_id, "f": self.file_id, "at": self.written, "account": account, "account_id": self.accounts[account],
            "day": day if isinstance(day, date) else date.fromisoformat(day), "amount": Decimal(amount), "currency": currency,
            "payee": payee, "memo": memo, "category": category, "to": transfer_to, "source": source, "pending": pending,
            "extra": json.dumps(extra) if extra else None, "splits": json.dumps(splits) if splits else None,
            "key": key or f"key-{self.person_id}-{self.written}",
        }  # fmt: skip
        values["t"] = self.connection.execute(sa.text(_TRANSACTION), values).scalar_one()
        booking = int(self.connection.execute(sa.text(_BOOKING), values).scalar_one())
        self.connection.execute(
            sa.text("insert into booking_telling (transaction_id, booking_id, key) values (:t, :b, :key)"),
            values | {"b": booking},
        )
        return booking

    def rate(self, base: str, quote: str, day: str, rate: str) -> None:
        """What a currency cost on a day."""
        self.written += 1
        self.connection.execute(
            sa.text(
                "insert into exchange_rate (person_id, source, file_id, at, occurrence, base, quote, rated_on, rate) "
                "values (:p, 'finance.exchange_rates', :f, 1, :n, :base, :quote, :day, :rate)"
            ),
            {
                "p": self.person_id, "f": self.file_id, "n": self.written, "base": base, "quote": quote,
                "day": date.fromisoformat(day), "rate": Decimal(rate),
            },
        )  # fmt: skip

    def said(self, booking: int, *fields: str) -> tuple[object, ...]:
        """Fields of a booking as they are stored."""
        return tuple(
            self.connection.execute(sa.text(f"select {', '.join(fields)} from booking where id = {booking}")).one()
        )

    def transfers(self) -> list[tuple[int, int, str, str]]:
        """Every pair: out, in, state, by whom."""
        rows = self.connection.execute(sa.text("select out_id, in_id, state, by from transfer order by out_id, in_id"))
        return [tuple(row) for row in rows]

    def stale_days(self) -> list[str]:
        """The days to be counted afresh, which are forgotten by asking."""
        rows = self.connection.execute(sa.text("delete from stale_day returning day")).scalars()
        return sorted(day.isoformat() for day in rows)

    def gone(self, booking: int, *, back: bool = False) -> None:
        """No file tells a booking any more, or one does again."""
        since = "null" if back else "now()"
        self.connection.execute(sa.text(f"update booking set gone_since = {since} where id = {booking}"))


_TRANSACTION = """
    insert into transaction (person_id, source, file_id, at, occurrence, account, booked_on, amount, currency, key, bank_id,
        payee, memo, category, transfer_account, splits, extra)
    values (:p, :source, :f, :at, :at, :account, :day, :amount, :currency, :key, '', :payee, :memo, :category, :to,
        cast(:splits as jsonb), cast(:extra as jsonb)) returning id"""
_BOOKING = """
    insert into booking (person_id, account_id, key, booked_on, amount, currency, payee, memo, pending, told_payee,
        told_category, category, category_by, told_transfer_to, transfer_to, transaction_id, source, file_id, at)
    values (:p, :account_id, :key, :day, :amount, :currency, :payee, :memo, :pending, :payee, :category, :category,
        case when cast(:category as text) is not null then 'file' end, :to, :to, :t, :source, :f, :at) returning id"""
