"""Own accounts in Firefly III: found by what was stored, by IBAN, number or exact name, else made.

What was stored is a number there, which another account has once Firefly III is a new one or was restored: an account
without any sign of ours is looked for anew. One whose IBAN is not ours is another, whatever its name.

An account there has one currency. Bookings and trades of one account in another currency go to an account of their own, named
`Wise (USD)`, which is kept in `firefly_account` under the server's address with `#USD`. What an account opened with follows
from the first balance that a statement states; if we made the account and nobody changed that sum, it is kept right.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.marts.books.balances import MOVEMENTS, STATED
from twinning_pipelines.products.firefly.words import valid_iban
from twinning_pipelines.records.money import NO_CURRENCY
from twinning_pipelines.stores.firefly.client import Firefly, RemoteAccount
from twinning_pipelines.stores.firefly.groups import Document, written

FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(2038, 1, 17)
_ROLES = {"savings": "savingAsset", "card": "ccAsset", "cash": "cashWalletAsset"}
# By the field alone: the words are of the server's own language.
_COMPLAINT = re.compile(r"(?:^HTTP 422: |; )(name|iban|account_number): ")
_MOST_TRIES = 6
_MOST_DECIMALS = 12
_OURS = re.compile(r"^twinning: opening balance (-?[\d.]+) follows from the statements$", re.MULTILINE)


class Place(NamedTuple):
    """Where a booking or trade stands: an own account, in one currency."""

    account_id: int
    currency: str


def hindrance(place: Place, day: date, amount: Decimal) -> str:
    """Why Firefly III can't hold what moved so much there on that day; empty where it can."""
    if amount == 0:
        return "of zero"
    if place.currency == NO_CURRENCY:
        return "without a currency"
    if not FIRST_DAY <= day <= LAST_DAY:
        return "before 1970 or after 2037"
    exponent = amount.normalize().as_tuple().exponent
    return "with more than 12 decimals" if isinstance(exponent, int) and -exponent > _MOST_DECIMALS else ""


def sendable_day(day: date | None) -> date | None:
    """A day that Firefly III can hold; else None."""
    return day if day is not None and FIRST_DAY <= day <= LAST_DAY else None


class OwnAccount(Struct, frozen=True):
    """An own account as Firefly III should have it. `opening` is its balance before the first booking or trade."""

    place: Place
    name: str
    kind: str
    iban: str | None
    number: str | None
    first_day: date
    opening: Decimal
    is_main: bool

    @property
    def opening_day(self) -> date:
        """The day before its first booking or trade."""
        return max(self.first_day - timedelta(days=1), FIRST_DAY)

    def document(self) -> Document:
        """What is sent to make it. Every kind is an asset there: a loan is one with a negative balance."""
        told: Document = {"name": self.name, "type": "asset", "account_role": _ROLES.get(self.kind, "defaultAsset")}
        told["currency_code"] = self.place.currency
        told |= {"iban": self.iban} if self.iban else {}
        told |= {"account_number": self.number} if self.number else {}
        if self.kind == "card":
            told |= {
                "credit_card_type": "monthlyFull",
                "monthly_payment_date": self.first_day.replace(day=1).isoformat(),
            }
        return told | self.opening_document("")

    def opening_document(self, notes: str) -> Document:
        """The opening balance, and the line of the notes that says it is ours."""
        line = f"twinning: opening balance {written(self.opening)} follows from the statements"
        told: Document = {"notes": _OURS.sub(line, notes) if _OURS.search(notes) else f"{notes}\n{line}".strip()}
        told |= {"opening_balance": written(self.opening), "opening_balance_date": self.opening_day.isoformat()}
        return told


class Resolved(Struct, frozen=True):
    """The ids of own accounts on the server, and why some have none."""

    ids: Mapping[Place, str]
    problems: Mapping[Place, str]


# An account's first balance: of the earliest day that any statement closes.
_ACCOUNTS = f"""
    with movement as materialized ({MOVEMENTS}),
    place as (
        select account_id as id, currency, min(day) as first_day from movement group by 1, 2
    ),
    stated as (
        select distinct on (account_id, currency) account_id, currency, day, value
        from ({STATED}) as every order by account_id, currency, day
    )
    select p.id, p.currency, a.name, a.kind, a.iban, a.number, a.currency = p.currency as is_main,
        coalesce(s.value - coalesce((
            select sum(m.amount) from movement m
            where m.account_id = p.id and m.currency = p.currency and m.day <= s.day
        ), 0), 0) as opening,
        least(p.first_day, s.day) as first_day
    from place p join account a on a.id = p.id
    left join stated s on s.account_id = p.id and s.currency = p.currency
    order by p.id, p.currency"""  # noqa: S608


def own_accounts(connection: sa.Connection, person_id: int) -> list[OwnAccount]:
    """A person's accounts that have bookings or trades, once for each currency."""
    rows = connection.execute(sa.text(_ACCOUNTS), {"person": person_id})
    return [_account(row) for row in rows if row.currency != NO_CURRENCY]


def _account(row: sa.Row[Any]) -> OwnAccount:
    return OwnAccount(
        place=Place(row.id, row.currency),
        name=row.name if row.is_main else f"{row.name} ({row.currency})",
        kind=row.kind,
        iban=valid_iban(row.iban) if row.is_main else None,
        number=row.number if row.is_main else None,
        first_day=row.first_day,
        opening=row.opening,
        is_main=row.is_main,
    )


def known_ids(connection: sa.Connection, server: str, accounts: Sequence[OwnAccount]) -> dict[Place, str]:
    """The ids that were found or made before."""
    statement = "select account_id, server, remote_id from firefly_account where server = any(:servers)"
    named = {(each.place.account_id, _row_of(server, each)): each.place for each in accounts}
    rows = connection.execute(sa.text(statement), {"servers": sorted({name for _, name in named})})
    return {named[account, name]: remote_id for account, name, remote_id in rows if (account, name) in named}


def _row_of(server: str, account: OwnAccount) -> str:
    return server if account.is_main else f"{server}#{account.place.currency}"


def known_accounts(
    engine: sa.Engine, firefly: Firefly, person: str, accounts: Sequence[OwnAccount], stored: Mapping[Place, str]
) -> dict[Place, RemoteAccount]:
    """Those that were found or made before, as far as they are there and still the same. stored: the `known_ids`."""
    found = dict[Place, RemoteAccount]()
    for account in accounts:
        remote = firefly.account(stored[account.place]) if account.place in stored else None
        if remote is None or remote.currency != account.place.currency:
            continue
        if _has_a_sign(account, person, remote) or _holds_ours(engine, firefly, remote):
            found[account.place] = remote
    return found


def _has_a_sign(account: OwnAccount, person: str, remote: RemoteAccount) -> bool:
    """Whether anything that an account says of itself is what we would say of ours."""
    same_iban = account.iban is not None and account.iban == remote.iban
    same_number = account.number is not None and account.number == remote.number
    same_name = remote.name in _names(account, person) and not _is_anothers(account, remote)
    return same_iban or same_number or same_name


# Some of what we wrote there, the newest first.
_PUSHED = """
    select external_id, remote_id from firefly_outbox
    where server = :server and remote_id is not null and (
        written @> cast(:as_source as jsonb) or written @> cast(:as_destination as jsonb))
    order by id desc limit 20"""


def _holds_ours(engine: sa.Engine, firefly: Firefly, remote: RemoteAccount) -> bool:
    """Whether an account that was renamed holds something that we wrote."""
    sides = {side: {"held": {"transactions": [{f"{side}_id": remote.id}]}} for side in ("source", "destination")}
    values = {f"as_{side}": json.dumps(told) for side, told in sides.items()}
    with engine.connect() as connection:
        pushed = connection.execute(sa.text(_PUSHED), {"server": firefly.url, **values}).all()
    groups = ((row.external_id, firefly.group(row.remote_id)) for row in pushed)
    return any(group is not None and group.group.external_id == name for name, group in groups)


def _is_anothers(account: OwnAccount, remote: RemoteAccount) -> bool:
    """Whether an account says itself that it is another: names are given twice, IBANs are not."""
    return account.iban is not None and remote.iban is not None and account.iban != remote.iban


def resolve(engine: sa.Engine, firefly: Firefly, person: str, accounts: Sequence[OwnAccount]) -> Resolved:
    """Finds every account on the server, or makes it. One that the server does not let us make is told as a problem."""
    ids, problems = dict[Place, str](), dict[Place, str]()
    with engine.connect() as connection:
        stored = known_ids(connection, firefly.url, accounts)
        others = _taken(connection, firefly.url) - set(stored.values())
    known = known_accounts(engine, firefly, person, accounts, stored)
    taken = others | {each.id for each in known.values()}
    for account in accounts:
        found: Found | str
        if (kept := known.get(account.place)) is not None:
            found = kept, "id"
        else:
            found = _find(firefly, account, person, taken) or _make(firefly, account, person, taken)
        if isinstance(found, str):
            problems[account.place] = found
            continue
        remote, by = found
        if kept is None:
            _remember(engine, firefly.url, account, remote.id, by)
            taken.add(remote.id)
        _keep_opening(firefly, account, remote)
        ids[account.place] = remote.id
    return Resolved(ids, problems)


def _taken(connection: sa.Connection, server: str) -> set[str]:
    """Accounts there that are somebody's already: two people may both call theirs Checking."""
    statement = "select remote_id from firefly_account where split_part(server, '#', 1) = :server"
    return set(connection.execute(sa.text(statement), {"server": server}).scalars())


Found = tuple[RemoteAccount, str]


def _find(firefly: Firefly, account: OwnAccount, person: str, others: set[str]) -> Found | None:
    for by, look in _looks(firefly, account, person):
        for remote in look():
            if remote.id in others or remote.currency != account.place.currency or _is_anothers(account, remote):
                continue
            return remote, by
    return None


def _looks(
    firefly: Firefly, account: OwnAccount, person: str
) -> Iterator[tuple[str, Callable[[], Sequence[RemoteAccount]]]]:
    """The ways to find an account, the surest first."""
    if (iban := account.iban) is not None:
        yield "iban", lambda: firefly.search_accounts("iban", iban)
    if (number := account.number) is not None:
        yield "number", lambda: firefly.search_accounts("number", number)
    for name in _names(account, person):
        yield "name", lambda name=name: firefly.search_accounts("name", name)  # type: ignore[misc]


def _names(account: OwnAccount, person: str) -> tuple[str, str]:
    """Its name, and what it is called where somebody else's has that name already."""
    return account.name, f"{account.name} ({person})"


def _make(firefly: Firefly, account: OwnAccount, person: str, others: set[str]) -> Found | str:
    """Makes it, or says why not.

    An answer that got lost, and a refusal, mean to look again. Where somebody else's has the name, the longer name is taken; an
    IBAN or a number that is refused, as what another account has, is left out.
    """
    document, names, said = account.document(), list(_names(account, person)), ""
    for attempt in range(_MOST_TRIES):
        made = firefly.create_account(document | {"name": names[0]})
        if isinstance(made, RemoteAccount):
            return made, "made"
        said = made
        firefly.pause(attempt)
        if (found := _find(firefly, account, person, others)) is not None:
            return found
        refused = set(_COMPLAINT.findall(said))
        if "name" in refused and len(names) > 1:
            names.pop(0)
        elif numbers := refused & {"iban", "account_number"} & document.keys():
            document = {name: value for name, value in document.items() if name not in numbers}
        elif said.startswith("HTTP 422"):
            break
    return said


def _remember(engine: sa.Engine, server: str, account: OwnAccount, remote_id: str, by: str) -> None:
    statement = """
        insert into firefly_account (account_id, server, remote_id, found_by) values (:account, :server, :remote, :by)
        on conflict (account_id, server) do update set remote_id = excluded.remote_id, found_by = excluded.found_by"""
    values = {"account": account.place.account_id, "server": _row_of(server, account), "remote": remote_id, "by": by}
    with engine.begin() as connection:
        connection.execute(sa.text(statement), values)


def _keep_opening(firefly: Firefly, account: OwnAccount, remote: RemoteAccount) -> None:
    """An older statement moves the beginning: our own opening balance follows, one that a person set stays."""
    ours = _OURS.search(remote.notes)
    if ours is None or Decimal(ours[1]) != remote.opening or remote.opening == account.opening:
        return
    said = {"name": remote.name, "type": "asset"} | account.opening_document(remote.notes)
    firefly.update_account(remote.id, said)
