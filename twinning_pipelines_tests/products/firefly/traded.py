"""Trades of a household's broker, put straight into the books: what a file of a broker tells."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from twinning_pipelines_tests.far_sides.firefly import FakeFirefly
from twinning_pipelines_tests.household import Household

FLEX, OFX, QIF = "finance.ibkr_flex", "finance.ofx", "finance.qif"


def external_ids(fake: FakeFirefly) -> Counter[str]:
    """How many living groups carry each of our ids."""
    return Counter(str(group.living()[0].texts["external_id"]) for group in fake.books.living())


@dataclass
class Broker:
    """An account of a household where shares are bought and sold."""

    household: Household
    name: str = "Shares"
    currency: str = "EUR"
    account: int = field(init=False)
    _told: int = 0

    def __post_init__(self) -> None:
        self.account = self.household.account(self.name, self.currency, kind="brokerage")

    def trade(self, day: str, total: str | None, *, source: str = FLEX, **fields: Any) -> int:
        """A new trade; without `key` its file gives it one of its own. Answers its id."""
        self._told += 1
        values = {
            "person_id": self.household.person_id,
            "source": source,
            "file_id": self.household.file_id,
            "at": 10 + self._told,
            "occurrence": 1,
            "account": self.name,
            "traded_on": date.fromisoformat(day),
            "action": "BUY",
            "key": f"id:{source} {self._told}",
            "bank_id": f"{self._told}",
            "security": "CH0237935652",
            "security_name": "HELVETIA SHARES ETF",
            "total": Decimal(total) if total is not None else None,
            "currency": self.currency,
            **fields,
        }
        statement = f"insert into trade ({', '.join(values)}) values ({', '.join(f':{each}' for each in values)})"
        self.household.do(statement, **values)
        (row,) = self.household.rows("select max(id) as id from trade where person_id = :p", p=self.household.person_id)
        return int(row.id)

    def change(self, trade: int, **fields: Any) -> None:
        """Another file tells a trade otherwise."""
        sets = ", ".join(f"{name} = :{name}" for name in fields)
        self.household.do(f"update trade set {sets} where id = :trade", trade=trade, **fields)

    def lose(self, trade: int, *, gone: bool = True) -> None:
        """No file tells a trade any more, or one does again."""
        self.household.do(
            f"update trade set absent_since = {'now()' if gone else 'null'} where id = :trade", trade=trade
        )

    def key(self, trade: int) -> str:
        """The external id of its row in the outbox."""
        statement = "select external_id from firefly_outbox where trade_ids = array[cast(:id as bigint)]"
        (row,) = self.household.rows(statement, id=trade)
        return str(row.external_id)
