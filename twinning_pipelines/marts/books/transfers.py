"""Transfers between a person's own accounts: pairs of bookings, found, confirmed and refused.

What no person has decided is settled anew each time, so the order in which files arrive changes nothing. A person's
word stays: what they refused is never proposed again, and what they confirmed waits while one of the two is gone.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.marts.books.accounts import OwnAccount, number_of
from twinning_pipelines.marts.books.dated_rates import dated_rates
from twinning_pipelines.marts.books.kept_rulebook import rulebook_of
from twinning_pipelines.marts.books.pairing import Leg, Pair, pair
from twinning_pipelines.marts.books.transfer_evidence import UNSEEN, Evidence, OwnName, Words


class Proposal(Struct, frozen=True):
    """A pair that waits for the person's word."""

    out_id: int
    in_id: int
    out_on: date
    in_on: date
    out_account: str
    in_account: str
    out_amount: Decimal
    out_currency: str
    in_amount: Decimal
    in_currency: str
    out_payee: str
    in_payee: str
    why: str


def pair_transfers(connection: sa.Connection, person_id: int) -> int:
    """Settles which bookings of a person are transfers; answers how many pairs changed, and marks their days.

    Runs in the caller's transaction.
    """
    person = {"person": person_id}
    legs, words = _legs(connection, person_id)
    decided = connection.execute(sa.text(_DECIDED), person).all()
    live = {leg.id for leg in legs}
    taken = {
        each for row in decided if row.is_yes for each in (row.out_id, row.in_id) if {row.out_id, row.in_id} <= live
    }
    free = [leg for leg in legs if leg.id not in taken]
    refused = [(row.out_id, row.in_id) for row in decided if not row.is_yes]
    rulebook = rulebook_of(connection, person_id)
    settings = rulebook.transfers
    evidence = Evidence(_own_names(connection, person_id, rulebook.accounts), words)
    rates = dated_rates(connection, person_id, _exchanges(free))
    tolerance = settings.fx_tolerance
    pairs = pair(free, refused, evidence.strength, rates, days=settings.days, tolerance=tolerance)
    woken = len(connection.execute(sa.text(_WAKE), person | {"live": list(live)}).all())
    return woken + _write(connection, person_id, pairs)


def _write(connection: sa.Connection, person_id: int, pairs: Sequence[Pair]) -> int:
    values: dict[str, object] = {
        "person": person_id,
        "outs": [each.out_id for each in pairs],
        "ins": [each.in_id for each in pairs],
        "states": [each.state for each in pairs],
        "whys": [each.why for each in pairs],
    }
    gone = len(connection.execute(sa.text(_DROP), values).all())
    return gone + connection.execute(sa.text(_KEEP), values).rowcount


def _legs(connection: sa.Connection, person_id: int) -> tuple[list[Leg], dict[int, Words]]:
    legs: list[Leg] = []
    words: dict[int, Words] = {}
    for row in connection.execute(sa.text(_LEGS), {"person": person_id}):
        legs.append(Leg(*row[:6]))
        words[row.id] = Words(row.account_id, row.text, row.transfer_to, row.spoken_for, row.by_hand)
    return legs, words


def _exchanges(legs: Sequence[Leg]) -> set[tuple[str, str, date]]:
    """What has to be known to compare money out with money in of another currency."""
    received = {leg.currency for leg in legs if leg.amount > 0}
    return {(leg.currency, currency, leg.day) for leg in legs if leg.amount < 0 for currency in received}


def _own_names(connection: sa.Connection, person_id: int, described: Sequence[OwnAccount]) -> list[OwnName]:
    rows = connection.execute(sa.text(_NAMES), {"person": person_id}).all()
    ids = {row.name: row.id for row in rows}
    told = [(ids.get(own.name, UNSEEN), said, None, None) for own in described for said in (own.name, *own.same_as)]
    found = []
    # Of a number that two names share the last one counts: what files tell.
    for account_id, name, iban, number in [*told, *rows]:
        read = number_of(name)
        found.append(OwnName(account_id, name, iban or read.iban, number or read.number))
    return found


def proposals(connection: sa.Connection, person_id: int) -> list[Proposal]:
    """The pairs that wait for the person's word, the nearest in time first."""
    return [Proposal(*row) for row in connection.execute(sa.text(_PROPOSALS), {"person": person_id})]


def confirm_transfer(connection: sa.Connection, person_id: int, out_id: int, in_id: int) -> None:
    """The person says: these two bookings are one transfer. Raises WrongUsage when they can't be."""
    _lock(connection, person_id)
    _two_legs(connection, person_id, out_id, in_id)
    values = {"person": person_id, "out": out_id, "in": in_id}
    # A leg moves money once: whatever else was confirmed for it is taken back.
    connection.execute(sa.text(_TAKE_BACK), values)
    connection.execute(sa.text(_DECIDE), values | {"state": "confirmed", "why": "said by the person"})
    connection.execute(sa.text(_TOUCH), values)
    pair_transfers(connection, person_id)


def reject_transfer(connection: sa.Connection, person_id: int, out_id: int, in_id: int) -> None:
    """The person says: these two bookings are no transfer. It is remembered. Raises WrongUsage when they can't be one."""
    _lock(connection, person_id)
    _two_legs(connection, person_id, out_id, in_id)
    values = {"person": person_id, "out": out_id, "in": in_id}
    connection.execute(sa.text(_DECIDE), values | {"state": "rejected", "why": "said by the person"})
    connection.execute(sa.text(_TOUCH), values)
    pair_transfers(connection, person_id)


def _lock(connection: sa.Connection, person_id: int) -> None:
    connection.execute(sa.text("select pg_advisory_xact_lock(3, :person)"), {"person": person_id})


def _two_legs(connection: sa.Connection, person_id: int, out_id: int, in_id: int) -> None:
    statement = """
        select id, amount, account_id from booking
        where person_id = :person and gone_since is null and id = any(:ids)"""
    rows = connection.execute(sa.text(statement), {"person": person_id, "ids": [out_id, in_id]})
    found = {row.id: row for row in rows}
    missing = [each for each in (out_id, in_id) if each not in found]
    if missing:
        raise WrongUsage(f"there is no booking {missing[0]}; `twinning bookings` lists them")
    out, into = found[out_id], found[in_id]
    if not (out.amount < 0 < into.amount):
        raise WrongUsage(f"money must leave with {out_id} and come in with {in_id}; their amounts say otherwise")
    if out.account_id == into.account_id:
        raise WrongUsage(f"{out_id} and {in_id} are on one account; a transfer is between two")


# The words beside payee and memo, such as the other side's account number, are in the row that tells the booking best.
_LEGS = """
    select b.id, b.key, b.booked_on, b.account_id, b.amount, b.currency, b.transfer_to,
        concat_ws(chr(10), b.told_payee, b.memo, t.reference, t.transfer_account, t.extra::text) as text,
        b.category_by in ('rule', 'person') and b.category is not null as spoken_for,
        b.category_by = 'person' and b.category is not null as by_hand
    from booking b left join transaction t on t.id = b.transaction_id
    where b.person_id = :person and b.gone_since is null and not b.pending and b.amount <> 0
    order by b.key"""
_NAMES = """
    select a.id, a.name, a.iban, a.number from account a where a.person_id = :person
    union select n.account_id, n.told, null, null from account_name n where n.person_id = :person
    order by 1, 2"""
# Confirmed by the person; it rests as a proposal of theirs while a leg is gone.
_DECIDED = """
    select out_id, in_id, state <> 'rejected' as is_yes from transfer
    where person_id = :person and by = 'person' order by out_id, in_id"""
_WAKE = """
    with waking as (
        update transfer x
        set state = case when x.out_id = any(:live) and x.in_id = any(:live) then 'confirmed' else 'proposed' end
        where x.person_id = :person and x.by = 'person' and x.state <> 'rejected'
            and (x.state = 'confirmed') <> (x.out_id = any(:live) and x.in_id = any(:live))
        returning x.out_id, x.in_id
    ),
    stale as (
        insert into stale_day (person_id, day)
        select distinct b.person_id, b.booked_on from waking w join booking b on b.id in (w.out_id, w.in_id)
        on conflict do nothing
    )
    select * from waking"""
_PAIRS = """
    pairs as (
        select * from unnest(cast(:outs as bigint[]), cast(:ins as bigint[]), cast(:states as text[]), cast(:whys as text[]))
            as p (out_id, in_id, state, why)
    )"""
# A pair that was only proposed changes no day.
_DROP = f"""
    with {_PAIRS},
    dropped as (
        delete from transfer x where x.person_id = :person and x.by = 'rule'
            and not exists (select 1 from pairs p where p.out_id = x.out_id and p.in_id = x.in_id)
        returning x.out_id, x.in_id, x.state
    ),
    stale as (
        insert into stale_day (person_id, day)
        select distinct b.person_id, b.booked_on from dropped d join booking b on b.id in (d.out_id, d.in_id)
        where d.state = 'confirmed'
        on conflict do nothing
    )
    select * from dropped"""
_KEEP = f"""
    with {_PAIRS},
    changed as (
        select p.*, x.state as before from pairs p
        left join transfer x on x.out_id = p.out_id and x.in_id = p.in_id
        where x.out_id is null or (x.by = 'rule' and (x.state, x.why) is distinct from (p.state, p.why))
    ),
    stale as (
        insert into stale_day (person_id, day)
        select distinct b.person_id, b.booked_on from changed c join booking b on b.id in (c.out_id, c.in_id)
        where (c.state = 'confirmed') <> (coalesce(c.before, '') = 'confirmed')
        on conflict do nothing
    )
    insert into transfer (person_id, out_id, in_id, state, by, why)
    select :person, out_id, in_id, state, 'rule', why from changed
    on conflict (out_id, in_id) do update set state = excluded.state, why = excluded.why where transfer.by = 'rule'"""
_DECIDE = """
    insert into transfer (person_id, out_id, in_id, state, by, why) values (:person, :out, :in, :state, 'person', :why)
    on conflict (out_id, in_id) do update set state = excluded.state, by = excluded.by, why = excluded.why"""
_TAKE_BACK = """
    with taken as (
        delete from transfer where person_id = :person and state <> 'rejected' and (out_id, in_id) <> (:out, :in)
            and (out_id = :out or in_id = :in)
        returning out_id, in_id
    )
    insert into stale_day (person_id, day)
    select distinct b.person_id, b.booked_on from taken t join booking b on b.id in (t.out_id, t.in_id)
    on conflict do nothing"""
_TOUCH = """
    insert into stale_day (person_id, day)
    select distinct b.person_id, b.booked_on from booking b where b.id in (:out, :in)
    on conflict do nothing"""
_PROPOSALS = """
    select x.out_id, x.in_id, o.booked_on, i.booked_on, oa.name, ia.name, o.amount, o.currency, i.amount, i.currency,
        o.payee, i.payee, x.why
    from transfer x
    join booking o on o.id = x.out_id and o.gone_since is null join account oa on oa.id = o.account_id
    join booking i on i.id = x.in_id and i.gone_since is null join account ia on ia.id = i.account_id
    where x.person_id = :person and x.state = 'proposed' and x.by = 'rule'
    order by abs(o.booked_on - i.booked_on), greatest(o.booked_on, i.booked_on) desc, o.key"""
