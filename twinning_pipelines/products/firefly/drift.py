"""Ours against theirs against the statements: counts, sums and balances of each account, and the name of every difference.

Looks only. `unexplained` is what is left of the difference of two balances when each named one is taken away: not zero means
that we do not understand something.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, field

from twinning_pipelines.marts.books.balances import MOVEMENTS, STATED
from twinning_pipelines.products.firefly.accounts import FIRST_DAY, LAST_DAY, OwnAccount, known_ids, own_accounts
from twinning_pipelines.products.firefly.held import held, is_remembered, name_there
from twinning_pipelines.products.firefly.outbox import Row, rows_of
from twinning_pipelines.products.firefly.push import people_of
from twinning_pipelines.stores.firefly.access import FireflyAccess
from twinning_pipelines.stores.firefly.client import Firefly
from twinning_pipelines.stores.firefly.groups import Group, RemoteGroup


class Difference(Struct):
    """One kind of difference: how many groups, and what they add to theirs that ours has not."""

    groups: int = 0
    sum: Decimal = Decimal(0)


class AccountDrift(Struct, frozen=True):
    """One account. Counts and sums are of the groups that touch it; balances are after the last of them.

    stated: the newest balance that a statement states, and `ours_then` is ours of that day.
    """

    person: str
    account_id: int
    account: str
    currency: str
    ours_groups: int
    theirs_groups: int
    ours_sum: Decimal
    theirs_sum: Decimal
    ours_balance: Decimal
    theirs_balance: Decimal
    stated: Decimal | None
    ours_then: Decimal | None
    differences: Mapping[str, Difference] = field(default_factory=dict)

    @property
    def unexplained(self) -> Decimal:
        """What no named difference explains of theirs minus ours."""
        named = sum((each.sum for each in self.differences.values()), Decimal(0))
        return self.theirs_balance - self.ours_balance - named

    @property
    def agrees(self) -> bool:
        """Whether nothing asks for a person: all is there once, each difference is somebody's doing there, and the
        statement's balance is ours."""
        is_stated = self.ours_then == self.stated
        return not self.unexplained and is_stated and not _ALARMING & self.differences.keys()

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "person": self.person,
            "account": self.account,
            "currency": self.currency,
            "agrees": self.agrees,
            "groups": {"ours": self.ours_groups, "theirs": self.theirs_groups},
            "sums": {"ours": self.ours_sum, "theirs": self.theirs_sum},
            "balances": {"ours": self.ours_balance, "theirs": self.theirs_balance},
            "statement": None if self.stated is None else {"stated": self.stated, "ours": self.ours_then},
            "differences": {name: {"groups": each.groups, "sum": each.sum} for name, each in self.differences.items()},
            "unexplained": self.unexplained,
        }


# All other differences are what a person or a rule did there, which we respect.
_ALARMING = frozenset({"missing there", "still to be pushed", "refused there", "there twice"})
_NOT_THERE = {
    "done": "missing there",
    "deleted_there": "deleted there",
    "rule_deleted": "deleted there by a rule",
    "refused": "refused there",
}
_MOST_ASKED = 100
_STATED = f"""
    with movement as materialized ({MOVEMENTS}),
    newest as (
        select distinct on (s.account_id, s.currency) s.account_id, s.currency, s.day, s.value
        from ({STATED}) as s join account a on a.id = s.account_id
        where a.person_id = :person order by s.account_id, s.currency, s.day desc
    )
    select n.account_id, n.currency, n.value, coalesce((
            select sum(m.amount) from movement m
            where m.account_id = n.account_id and m.currency = n.currency and m.day <= n.day
        ), 0) as moved
    from newest n"""  # noqa: S608
_MOVED = f"select account_id, currency, sum(amount) from ({MOVEMENTS}) as movement group by 1, 2"  # noqa: S608


def drift_of_everybody(engine: sa.Engine, access: FireflyAccess, only: str | None = None) -> Iterator[AccountDrift]:
    """Every account of everybody who has a token, or of one of them."""
    for person in people_of(engine, access, only):
        with access.client(person[1]) as firefly:
            yield from drift(engine, firefly, person)


def drift(engine: sa.Engine, firefly: Firefly, person: tuple[int, str]) -> list[AccountDrift]:
    """Every account of a person that is in Firefly III. Raises FarSideUnavailable and FarSideRefused."""
    person_id, name = person
    with engine.connect() as connection:
        accounts = own_accounts(connection, person_id)
        ids = known_ids(connection, firefly.url, accounts)
        rows = rows_of(connection, person_id, firefly.url)
        stated = {
            (row.account_id, row.currency): row for row in connection.execute(sa.text(_STATED), {"person": person_id})
        }
        moved = {tuple(row[:2]): row[2] for row in connection.execute(sa.text(_MOVED), {"person": person_id})}
    found = []
    for account in accounts:
        if account.place in ids:
            books = _Books(name, account, ids[account.place], rows, stated.get(account.place), moved[account.place])
            found.append(_account_drift(firefly, books))
    return found


class _Books(Struct, frozen=True):
    """What we know of one account. moved: the sum of all its bookings and trades."""

    person: str
    account: OwnAccount
    remote_id: str
    rows: Sequence[Row]
    stated: sa.Row[Any] | None
    moved: Decimal


def _account_drift(firefly: Firefly, books: _Books) -> AccountDrift:
    account, remote_id, stated, moved = books.account, books.remote_id, books.stated, books.moved
    ours = {row.external_id: row for row in books.rows if _effect(row.wanted, remote_id) is not None}
    days = [split.date for row in ours.values() if row.wanted is not None for split in row.wanted.splits]
    last = max([datetime.now(UTC).date(), *days])
    theirs = list(_groups(firefly, remote_id, min([account.first_day, *days]), last))
    last = max([last, *(split.date for each in theirs for split in each.group.splits)])
    remote = firefly.account(remote_id, min(last, LAST_DAY))
    sums = [_effect(row.wanted, remote_id) or Decimal(0) for row in ours.values()]
    differences = _differences(ours, theirs, remote_id, _Missing(firefly))
    balance = remote.balance if remote is not None else Decimal(0)
    opening = remote.opening if remote is not None else Decimal(0)
    if opening != account.opening:
        differences["another opening balance there"] = Difference(0, opening - account.opening)
    if moved != sum(sums, Decimal(0)):
        differences["not to be pushed"] = Difference(0, sum(sums, Decimal(0)) - moved)
    return AccountDrift(
        person=books.person,
        account_id=account.place.account_id,
        account=account.name,
        currency=account.place.currency,
        ours_groups=len(ours),
        theirs_groups=len(theirs),
        ours_sum=sum(sums, Decimal(0)),
        theirs_sum=sum((_effect(each.group, remote_id) or Decimal(0) for each in theirs), Decimal(0)),
        ours_balance=account.opening + moved,
        theirs_balance=balance,
        stated=stated.value if stated is not None else None,
        ours_then=account.opening + stated.moved if stated is not None else None,
        differences=dict(differences),
    )


def _groups(firefly: Firefly, remote_id: str, first: date, last: date) -> Iterator[RemoteGroup]:
    """Every group there that touches an account: by the year, for a list of all takes a server too long, and what lies
    before and after ours in one look each."""
    years = (
        (max(date(year, 1, 1), FIRST_DAY), min(date(year, 12, 31), LAST_DAY))
        for year in range(first.year, last.year + 1)
    )
    seen = set[str]()
    for begin, end in [(FIRST_DAY, date(first.year, 1, 1)), *years, (date(last.year, 12, 31), LAST_DAY)]:
        if begin > end:
            continue
        for group in firefly.groups_of(remote_id, begin, end):
            if group.id not in seen and group.group.splits[0].type in {"withdrawal", "deposit", "transfer"}:
                seen.add(group.id)
                yield group


def _effect(group: Group | None, remote_id: str) -> Decimal | None:
    """What a group adds to an account; None where it does not touch it."""
    if group is None:
        return None
    touched = [split for split in group.splits if remote_id in {split.source_id, split.destination_id}]
    if not touched:
        return None
    total = Decimal(0)
    for split in touched:
        arrived = (
            split.foreign_amount if split.type == "transfer" and split.foreign_amount is not None else split.amount
        )
        total += -split.amount if split.source_id == remote_id else arrived
    return total


class _Missing:
    """Why what was written is not at its account: somebody moved or deleted it, or else nobody knows."""

    def __init__(self, firefly: Firefly) -> None:
        self._firefly, self._asked = firefly, 0

    def why(self, row: Row) -> str:
        """The name of the difference. Of so many rows that a server would take long, nothing is asked any more."""
        if row.state != "done" or row.remote_id is None or self._asked >= _MOST_ASKED:
            return _NOT_THERE.get(row.state, "still to be pushed")
        self._asked += 1
        if held(self._firefly, row) is not None:
            return "moved to another account there"
        return _NOT_THERE["deleted_there" if is_remembered(self._firefly, row) else "done"]


def _differences(
    ours: Mapping[str, Row], theirs: Sequence[RemoteGroup], remote_id: str, missing: _Missing
) -> dict[str, Difference]:
    found = defaultdict[str, Difference](Difference)

    def name(kind: str, amount: Decimal) -> None:
        found[kind].groups += 1
        found[kind].sum += amount

    seen = set[str]()
    nameless = {row.remote_id: row for row in ours.values() if not name_there(row)}
    for each in theirs:
        there, external_id = _effect(each.group, remote_id) or Decimal(0), each.group.external_id
        row = ours.get(external_id) if external_id else nameless.get(each.id)
        if row is None and external_id.startswith("tw"):
            name("ours there, but no longer wanted", there)
        elif row is None:
            name("somebody else's there", there)
        elif row.external_id in seen or row.remote_id not in {None, each.id}:
            name("there twice", there)
        else:
            seen.add(row.external_id)
            wanted = _effect(row.wanted, remote_id) or Decimal(0)
            if there != wanted:
                name("another sum there", there - wanted)
            elif row.written.held is not None and _words(each.group) != _words(row.written.held):
                name("edited there, the sum is the same", Decimal(0))
    for external_id, row in ours.items():
        if external_id not in seen:
            name(missing.why(row), -(_effect(row.wanted, remote_id) or Decimal(0)))
    return dict(found)


def _words(group: Group) -> list[tuple[object, ...]]:
    """What a person may have changed without changing a sum."""
    return [(each.date, each.description, each.category_name, each.tags, each.notes) for each in group.splits]
