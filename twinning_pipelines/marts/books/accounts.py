"""Which accounts a person has, and under which names files tell of each.

A German bank's OFX says `37040044 532013000`, its CAMT says `DE89370400440532013000`, its CSV perhaps nothing: what two
names say of bank and number makes them one account, or the person's own word does.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.formats.iban import is_iban
from twinning_pipelines.records.money import NO_CURRENCY

_PARTS = re.compile(r"[\s/]+")
_CURRENCY_BEHIND = re.compile(r"(?<=\d)[A-Z]{3}$")
# A number alone, without its bank, tells accounts apart only if it is long.
_LONG_NUMBER = 7
_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("card", ("card", "karte", "carte", "tarjeta", "visa", "mastercard", "amex", "american express", "ccard")),
    ("savings", ("saving", "spar", "epargne", "épargne", "ahorro", "tagesgeld")),
    ("cash", ("cash", "wallet", "bargeld", "kasse", "especes", "portemonnaie")),
    ("loan", ("loan", "mortgage", "darlehen", "kredit", "hypothek", "credit line")),
    ("brokerage", ("broker", "depot", "invst", "portfolio")),
)


class OwnAccount(NamedTuple):
    """An account as its owner describes it. same_as: names under which files tell of it."""

    name: str
    kind: str
    same_as: tuple[str, ...] = ()


class _Told(Struct, frozen=True):
    """A name that files use. traded: trades or holdings stand under it."""

    name: str
    currency: str
    traded: bool


class _Number(NamedTuple):
    """What a name says of bank and number; an empty `number` says nothing."""

    iban: str
    bank: str
    number: str


def number_of(name: str) -> _Number:
    """Reads a name as files write it: an IBAN, `bank number`, `bank/numberEUR`, or a number."""
    whole = _capitals(name)
    if is_iban(whole):
        return _Number(whole, "", whole[4:].lstrip("0"))
    parts = [bare for part in _PARTS.split(name) if (bare := _capitals(part))]
    if not parts or not any(each.isdigit() for each in parts[-1]):
        return _Number("", "", "")
    if is_iban(_CURRENCY_BEHIND.sub("", parts[-1])):
        iban = _CURRENCY_BEHIND.sub("", parts[-1])
        return _Number(iban, "", iban[4:].lstrip("0"))
    number = _CURRENCY_BEHIND.sub("", parts[-1]).lstrip("0")
    return _Number("", "".join(parts[:-1]).lstrip("0"), number)


def settle_accounts(connection: sa.Connection, person_id: int, described: Sequence[OwnAccount] = ()) -> None:
    """Finds each name's account, makes those that are missing, and gives them the names and kinds their owner says.

    An account keeps its id as long as one of its names stays with it.
    """
    told = _told(connection, person_id)
    before = _names(connection, person_id)
    groups = group_names([each.name for each in told], described)
    stored = "select told, account_id from account_name where person_id = :person"
    known = dict(connection.execute(sa.text(stored), {"person": person_id}).tuples().all())
    taken: set[int] = set()
    by_name = {each.name: each for each in told}
    for group in groups:
        free = sorted({known[name] for name in group.names if name in known} - taken)
        account_id = free[0] if free else None
        members = [by_name[name] for name in group.names]
        taken.add(_keep(connection, person_id, account_id, group, members))
    connection.execute(sa.text(_FORGET_NAMES), {"person": person_id, "used": list(taken)})
    _mark_renamed(connection, person_id, before)


class Group(Struct, frozen=True):
    """Names of one account. by: how each was found to be of it. own: as its owner describes it."""

    names: tuple[str, ...]
    by: tuple[str, ...]
    own: OwnAccount | None


def group_names(names: Sequence[str], described: Sequence[OwnAccount] = ()) -> list[Group]:
    """Which names are of one account; in order of the first name of each."""
    owner = {_bare(said): own for own in described for said in (own.name, *own.same_as)}
    own_names: dict[str, list[str]] = defaultdict(list)
    rest: list[str] = []
    for name in sorted(names):
        own = owner.get(_bare(name))
        if own is None:
            rest.append(name)
        else:
            own_names[own.name].append(name)
    bundles: list[tuple[list[str], OwnAccount | None]] = [
        (own_names[own.name], own) for own in described if own_names[own.name]
    ]
    seeds = [[*some, *(own.same_as if own else ())] for some, own in bundles]
    for name in rest:
        found = [place for place, some in enumerate(seeds) if any(_are_one(name, other) for other in some)]
        # A name that fits two accounts fits none: the person has to say.
        if len(found) == 1:
            bundles[found[0]][0].append(name)
            seeds[found[0]].append(name)
        else:
            bundles.append(([name], None))
            seeds.append([name])
    return [_group(some, own) for some, own in bundles]


def _group(names: list[str], own: OwnAccount | None) -> Group:
    said = {_bare(each) for each in (own.name, *own.same_as)} if own else set()
    by = tuple("person" if _bare(name) in said else "number" if len(names) > 1 else "name" for name in names)
    return Group(tuple(names), by, own)


def _bare(name: str) -> str:
    return _capitals(name) or name


def _capitals(name: str) -> str:
    """Letters and digits of any script in capitals, letters with their marks: `Jörg` is not `Jürg`."""
    plain = unicodedata.normalize("NFKC", name).upper()
    return "".join(each for each in plain if unicodedata.category(each)[0] in "LMN")


def _are_one(some: str, other: str) -> bool:
    """Do two names tell of one account? Where one names its bank and the other does not, long numbers must be equal."""
    if _bare(some) == _bare(other):
        return True
    one, two = number_of(some), number_of(other)
    if not (one.number and two.number):
        return False
    if one.iban and two.iban:
        return one.iban == two.iban
    if one.iban or two.iban:
        iban, plain = (one, two) if one.iban else (two, one)
        is_end = iban.number.endswith(plain.number) and len(plain.number) >= _LONG_NUMBER - 1
        return is_end and (plain.bank in iban.iban[4:] if plain.bank else len(plain.number) > _LONG_NUMBER)
    if one.number != two.number:
        return False
    return one.bank == two.bank or (not (one.bank and two.bank) and len(one.number) >= _LONG_NUMBER)


def kind_of(names: Iterable[str], *, traded: bool) -> str:
    """What kind of account it looks like: by its names, else brokerage where something is traded, else checking."""
    words = " ".join(names).casefold()
    if traded:
        return "brokerage"
    return next((kind for kind, marks in _KINDS if any(mark in words for mark in marks)), "checking")


_TOLD = """
    with told as (
        select account as name, currency, false as traded, count(*) as n from transaction
            where person_id = :person and absent_since is null group by 1, 2
        union all
        select account, currency, true, count(*) from trade
            where person_id = :person and absent_since is null group by 1, 2
        union all
        select account, currency, true, count(*) from holding
            where person_id = :person and absent_since is null group by 1, 2
        union all
        select c.subject, c.unit, false, 1 from claim c join intake_file f on f.id = c.file_id
            where f.person_id = :person and f.status = 'loaded' and c.kind = 'closing_balance'
    )
    select name, (array_agg(currency order by currency = :none, n desc, currency))[1], bool_or(traded)
    from told group by name order by name"""


def _told(connection: sa.Connection, person_id: int) -> list[_Told]:
    rows = connection.execute(sa.text(_TOLD), {"person": person_id, "none": NO_CURRENCY})
    return [_Told(*row) for row in rows]


def _keep(connection: sa.Connection, person_id: int, account_id: int | None, group: Group, members: list[_Told]) -> int:
    numbers = [number_of(each) for each in (*group.names, *(group.own.same_as if group.own else ()))]
    values = {
        "id": account_id,
        "person": person_id,
        "name": group.own.name if group.own else _best_name(group.names),
        "kind": group.own.kind if group.own else kind_of(group.names, traded=any(each.traded for each in members)),
        "currency": next((each.currency for each in members if each.currency != NO_CURRENCY), NO_CURRENCY),
        "iban": next((each.iban for each in numbers if each.iban), None),
        "number": next((each.number for each in numbers if each.number and not each.iban), None),
    }
    # Whoever has the name by chance gives it up: names are settled one by one.
    give_up = "update account set name = name || ' (' || id || ')' where person_id = :person and name = :name"
    connection.execute(sa.text(f"{give_up} and id is distinct from cast(:id as integer)"), values)
    statement = _MAKE if account_id is None else _RENAME
    kept = int(connection.execute(sa.text(statement), values).scalar_one())
    rows = [
        {"person": person_id, "told": name, "account": kept, "by": by}
        for name, by in zip(group.names, group.by, strict=True)
    ]
    connection.execute(sa.text(_NAME), rows)
    return kept


_MAKE = """
    insert into account (person_id, name, kind, currency, iban, number)
    values (:person, :name, :kind, :currency, :iban, :number) returning id"""
_RENAME = """
    update account set name = :name, kind = :kind, currency = :currency, iban = :iban, number = :number
    where id = :id returning id"""
_NAME = """
    insert into account_name (person_id, told, account_id, by) values (:person, :told, :account, :by)
    on conflict (person_id, told) do update set account_id = excluded.account_id, by = excluded.by"""


def _best_name(names: Sequence[str]) -> str:
    """An IBAN before other numbers, a longer name before a shorter one."""
    return max(names, key=lambda name: (bool(number_of(name).iban), len(name), name))


# Accounts that turned out to be others: their bookings go to where their tellings are, see `bookings`.
_FORGET_NAMES = "delete from account_name where person_id = :person and not account_id = any(:used)"
# Balances are told by the account's name.
_STALE = """
    insert into stale_day (person_id, day)
    select cast(:person as smallint), day::date
    from (select min(day) as first from account_balance where account_id = any(:renamed)) as told,
        generate_series(first, current_date + 1, interval '1 day') as day
    on conflict do nothing"""


def _names(connection: sa.Connection, person_id: int) -> dict[int, str]:
    statement = sa.text("select id, name from account where person_id = :person")
    return dict(connection.execute(statement, {"person": person_id}).tuples().all())


def _mark_renamed(connection: sa.Connection, person_id: int, before: Mapping[int, str]) -> None:
    renamed = [each for each, name in _names(connection, person_id).items() if before.get(each, name) != name]
    if renamed:
        connection.execute(sa.text(_STALE), {"person": person_id, "renamed": renamed})


def drop_empty_accounts(connection: sa.Connection, person_id: int) -> None:
    """Removes accounts that neither a name nor a booking leads to any more."""
    statement = """
        delete from account a where a.person_id = :person
            and not exists (select 1 from account_name n where n.account_id = a.id)
            and not exists (select 1 from booking b where b.account_id = a.id)"""
    connection.execute(sa.text(statement), {"person": person_id})
