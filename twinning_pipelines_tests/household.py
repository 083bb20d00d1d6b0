"""Accounts, bookings, transfers and stated balances, put straight into the books: what a settled ledger looks like."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

import sqlalchemy as sa


@dataclass
class Household:
    """One person's books in a database."""

    engine: sa.Engine
    person: str = "ada"
    _numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.person_id = self._one("insert into person (name) values (:name) returning id", name=self.person)
        self.file_id = self._one(
            "insert into intake_file (person_id, sha256, name, bytes, modified_at, as_of, source, status, loaded_at) "
            "values (:person, :sha, 'march.ofx', 9, now(), now(), 'finance.ofx_statement', 'loaded', now()) returning id",
            person=self.person_id,
            sha=sha256(self.person.encode()).hexdigest(),
        )

    @property
    def who(self) -> tuple[int, str]:
        """Id and name."""
        return self.person_id, self.person

    def account(
        self,
        name: str,
        currency: str = "EUR",
        *,
        kind: str = "checking",
        iban: str | None = None,
        number: str | None = None,
    ) -> int:
        """A new account; files call it by its name."""
        account = self._one(
            "insert into account (person_id, name, kind, currency, iban, number) "
            "values (:person, :name, :kind, :currency, :iban, :number) returning id",
            person=self.person_id,
            name=name,
            kind=kind,
            currency=currency,
            iban=iban,
            number=number,
        )
        self.do(
            "insert into account_name (person_id, told, account_id, by) values (:person, :told, :account, 'name')",
            person=self.person_id,
            told=name,
            account=account,
        )
        return account

    def book(
        self,
        account: int,
        day: str,
        amount: str,
        payee: str = "Shop",
        memo: str = "",
        *,
        currency: str = "EUR",
        told: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> int:
        """A new booking. told: what its transaction says beside it; fields: further columns of the booking."""
        number = self._numbers["booking"] = self._numbers.get("booking", 0) + 1
        key = f"tw1-{sha256(f'{self.person} {number}'.encode()).hexdigest()[:32]}"
        values = {
            "person_id": self.person_id,
            "account_id": account,
            "key": key,
            "booked_on": date.fromisoformat(day),
            "amount": Decimal(amount),
            "currency": currency,
            "payee": payee,
            "told_payee": payee,
            "memo": memo,
            "pending": False,
            "source": "finance.ofx_statement",
            "file_id": self.file_id,
            "at": 80 + number,
            **({"transaction_id": self._transaction(number, day, amount, currency, told)} if told else {}),
            **fields,
        }
        names = ", ".join(values)
        return self._one(
            f"insert into booking ({names}) values ({', '.join(f':{each}' for each in values)}) returning id", **values
        )

    def _transaction(self, number: int, day: str, amount: str, currency: str, told: Mapping[str, Any]) -> int:
        values = {
            "person_id": self.person_id,
            "source": "finance.ofx_statement",
            "file_id": self.file_id,
            "at": 80 + number,
            "occurrence": number,
            "account": "any",
            "booked_on": date.fromisoformat(day),
            "amount": Decimal(amount),
            "currency": currency,
            "key": f"id:{number}",
            "bank_id": str(number),
            "payee": "",
            "memo": "",
            **told,
        }
        if "splits" in values:
            values["splits"] = json.dumps(values["splits"])
        columns = ", ".join(values)
        marks = ", ".join("cast(:splits as jsonb)" if each == "splits" else f":{each}" for each in values)
        return self._one(f"insert into transaction ({columns}) values ({marks}) returning id", **values)

    def pair(self, out: int, into: int, state: str = "confirmed") -> None:
        """Two bookings that are one movement of money."""
        self.do(
            "insert into transfer (person_id, out_id, in_id, state, by, why) "
            "values (:person, :out, :into, :state, 'rule', 'same sum') "
            "on conflict (out_id, in_id) do update set state = excluded.state",
            person=self.person_id,
            out=out,
            into=into,
            state=state,
        )

    def state(self, name: str, day: str, value: str, currency: str = "EUR") -> None:
        """A statement's closing balance."""
        self.do(
            "insert into claim (file_id, kind, subject, day, value, unit, at) "
            "values (:file, 'closing_balance', :name, :day, :value, :unit, 1)",
            file=self.file_id,
            name=name,
            day=date.fromisoformat(day),
            value=Decimal(value),
            unit=currency,
        )

    def change(self, booking: int, **fields: Any) -> None:
        """Changes columns of a booking."""
        sets = ", ".join(f"{name} = :{name}" for name in fields)
        self.do(f"update booking set {sets} where id = :booking", booking=booking, **fields)

    def lose(self, booking: int, *, gone: bool = True) -> None:
        """No file tells a booking any more, or one does again."""
        self.do(f"update booking set gone_since = {'now()' if gone else 'null'} where id = :booking", booking=booking)

    def key(self, booking: int) -> str:
        """Its external id."""
        with self.engine.connect() as connection:
            return str(
                connection.execute(sa.text("select key from booking where id = :b"), {"b": booking}).scalar_one()
            )

    def rows(self, statement: str, **values: Any) -> Sequence[sa.Row[Any]]:
        """What a query finds."""
        with self.engine.connect() as connection:
            return connection.execute(sa.text(statement), values).all()

    def do(self, statement: str, **values: Any) -> None:
        """Carries a statement out."""
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    def _one(self, statement: str, **values: Any) -> int:
        with self.engine.begin() as connection:
            return int(connection.execute(sa.text(statement), values).scalar_one())
