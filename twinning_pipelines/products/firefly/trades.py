"""What trades move of an account's cash, as Firefly III should have it.

A purchase is a withdrawal to an account there that is called as the security, a sale or a dividend a deposit from it; what
has no security (interest, a fee) goes by what the broker calls it. Which trades move cash, by which source of an account, and
how much with the fees inside it, is told by the same query that our balances are made of.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from twinning_pipelines.marts.books.balances import TRADED
from twinning_pipelines.products.firefly.accounts import Place, hindrance, sendable_day
from twinning_pipelines.products.firefly.words import (
    LONGEST_DESCRIPTION,
    NO_DESCRIPTION,
    NO_PAYEE,
    cut,
    name_of,
    notes_of,
    one_line,
    reference_of,
)
from twinning_pipelines.stores.firefly.groups import Group, Split

# No file gives a category of a trade. With one, reports there can tell what was invested from what was spent.
CATEGORY = "Investments"
_TAG = "trade"
_KEY_DIGITS = 32


class Trade(Struct, frozen=True):
    """What a trade adds to the cash of an account, with what the file says beside it.

    `total` is negative when money leaves; `at`: where it stands in its file, in words; `others`: the same as other sources
    tell it.
    """

    id: int
    key: str
    place: Place
    day: date
    total: Decimal
    action: str
    security: str
    security_name: str
    ticker: str
    units: Decimal | None
    unit_price: Decimal | None
    fees: Decimal | None
    settled_on: date | None
    memo: str
    bank_id: str
    file: str
    at: str
    others: tuple["Trade", ...] = ()

    @property
    def hindrance(self) -> str:
        """Why Firefly III can't hold it; empty where it can."""
        return hindrance(self.place, self.day, self.total)

    @property
    def provenance(self) -> str:
        """`activity.xml row 12 (tw1-…)`."""
        return f"{self.file} {self.at} ({self.key})"

    @property
    def title(self) -> str:
        """`BUY 3 HELVETIA SHARES ETF at 83.1 CHF`, as far as the file says it."""
        name = one_line(self.security_name) or one_line(self.security)
        if not name:
            return " ".join(filter(None, (one_line(self.action), one_line(self.memo)))) or NO_DESCRIPTION
        said = [one_line(self.action), f"{_plain(abs(self.units))} {name}" if self.units else name]
        said += [f"at {_plain(self.unit_price)} {self.place.currency}"] if self.units and self.unit_price else []
        return " ".join(filter(None, said))

    def group(self, remote_id: str) -> Group:
        """The one group of it. remote_id: its account there."""
        description, whole = cut(self.title, LONGEST_DESCRIPTION)
        other, long_other = name_of(self.security_name or self.security or self.action)
        cash = Split.of_cash(
            self.total,
            remote_id,
            other or NO_PAYEE,
            day=self.day,
            currency_code=self.place.currency,
            description=description,
        )
        split = replace(
            cash,
            category_name=CATEGORY,
            tags=tuple(sorted({_TAG, name_of(self.action)[0] or _TAG})),
            notes=notes_of([*self._remarks(), whole, long_other], (self.provenance,)),
            internal_reference=reference_of(self.bank_id),
            external_id=self.key,
            interest_date=sendable_day(self.settled_on),
        )
        return Group((split,))

    def _remarks(self) -> Iterator[str]:
        """What has no field of its own."""
        yield self.memo
        ids = dict.fromkeys(one_line(each) for each in (self.security, self.ticker))
        yield ", ".join(each for each in ids if each and each != one_line(self.security_name))
        if self.fees:
            yield f"with fees of {_plain(self.fees)} inside the amount"


_TRADES = f"""
    select m.trade_id, m.account_id, m.currency, m.day, m.total, m.is_told, m.moves_cash, t.source, t.account, t.traded_on,
        t.action, t.key, t.occurrence, t.security, t.security_name, t.ticker, t.units, t.unit_price, t.fees, t.settled_on,
        t.memo, t.bank_id, f.name as file, t.at, p.name as person
    from ({TRADED}) as m
    join trade t on t.id = m.trade_id
    join intake_file f on f.id = t.file_id
    join person p on p.id = t.person_id
    order by m.day, m.trade_id"""  # noqa: S608


def trades_of(connection: sa.Connection, person_id: int, units: Mapping[str, str]) -> list[Trade]:
    """Every trade of a person that moves cash, once, whoever else tells it too.

    units: what a source counts its rows in, such as `line`.
    """
    rows = connection.execute(sa.text(_TRADES), {"person": person_id}).all()
    others = _others(rows)
    return [
        replace(_trade(row, units), others=tuple(_trade(each, units) for each in others.get(row.trade_id, ())))
        for row in rows
        if row.moves_cash
    ]


def _others(rows: Sequence[sa.Row[Any]]) -> Mapping[int, Sequence[sa.Row[Any]]]:
    """By trade the same as other sources tell it: their n-th of the same account, day and sum is our n-th."""
    alike = defaultdict[tuple[object, ...], dict[str, list[sa.Row[Any]]]](lambda: defaultdict(list))
    for row in rows:
        alike[row.account_id, row.currency, row.day, row.total][row.source].append(row)
    found = defaultdict[int, list[sa.Row[Any]]](list)
    for sources in alike.values():
        ranked = [sorted(each, key=_place) for _, each in sorted(sources.items())]
        told = next((each for each in ranked if each[0].is_told), [])
        for others in ranked:
            for mine, other in zip(told, others, strict=False):
                if not other.is_told:
                    found[mine.trade_id].append(other)
    return found


def _place(row: sa.Row[Any]) -> tuple[Decimal, str, str, int]:
    """Of two equal sums of a day the smaller purchase comes first, whatever the formats call it."""
    return abs(row.units or Decimal(0)), row.action, row.key, row.occurrence


def _key_of(row: sa.Row[Any]) -> str:
    """What a trade is called outside, in every database that has read its file. Of letters, digits and a hyphen only."""
    identity = (row.person, "trade", row.source, row.account, row.traded_on.isoformat(), row.action, row.key)
    digest = sha256(chr(31).join((*identity, str(row.occurrence))).encode()).hexdigest()
    return f"tw1-{digest[:_KEY_DIGITS]}"


def _trade(row: sa.Row[Any], units: Mapping[str, str]) -> Trade:
    return Trade(
        id=row.trade_id,
        key=_key_of(row),
        place=Place(row.account_id, row.currency),
        day=row.day,
        total=row.total,
        action=row.action,
        security=row.security,
        security_name=row.security_name or "",
        ticker=row.ticker or "",
        units=row.units,
        unit_price=row.unit_price,
        fees=row.fees,
        settled_on=row.settled_on,
        memo=row.memo or "",
        bank_id=row.bank_id,
        file=row.file,
        at=f"{units.get(row.source, 'row')} {row.at}",
    )


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
