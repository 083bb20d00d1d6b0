"""One row for each real booking, settled from everything that files tell of a person's accounts.

Settling looks at all tellings anew, so files may come in any order, and writes only what differs. A booking keeps its id
and its key as long as one of its tellings stays with it; what turns out to be told by another booking is joined to it.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa
import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.formats.text import without_accents
from twinning_pipelines.marts.books.matching import Booking, match
from twinning_pipelines.marts.books.tellings import Span, Telling
from twinning_pipelines.records.money import NO_CURRENCY
from twinning_pipelines.stores.postgres.copying import copy

_WORD = re.compile(r"\w{3,}")
_KEY_DIGITS = 32


class Settled(Struct, frozen=True):
    """What settling changed."""

    new: int
    changed: int
    gone: int


class _Words(Struct, frozen=True):
    """What a telling says beside its figures. key: what a booking known by it alone is called outside."""

    key: str
    payee: str
    memo: str
    category: str
    transfer_to: str


def settle_bookings(connection: sa.Connection, person_id: int) -> Settled:
    """Makes the bookings of a person what their files tell today, and marks the days that this changes."""
    accounts, words = _tellings(connection, person_id)
    bookings: list[tuple[int, str, Booking]] = []
    doubts: list[tuple[Telling, Telling]] = []
    for (account_id, currency), (tellings, spans) in accounts.items():
        matched = match(tellings, spans)
        doubts += matched.doubts
        bookings += [(account_id, currency, each) for each in matched.bookings]
    keys = _keys(connection, person_id, [each for _, _, each in bookings], words)
    _stage(connection, bookings, keys.of, words, doubts)
    return _write(connection, person_id, keys.joined)


# A format that names no currency means the account's. Only a CAMT tells batches in parts; the id of the whole stands in
# the entry around them.
_TELLINGS = """
    with ranked as (
        select id, row_number() over (order by as_of, sha256) as rank from intake_file where person_id = :person
    )
    select t.id, t.source, n.account_id, case t.currency when :none then a.currency else t.currency end, t.booked_on,
        t.amount, t.account, t.key, t.occurrence, t.payee, t.memo, coalesce(t.category, ''),
        coalesce(t.transfer_account, ''), t.bank_id, coalesce(t.reference, ''), coalesce(t.pending, false),
        case when t.source = 'finance.camt' and t.key like '%|%' then
            coalesce(t.extra ->> 'AcctSvcrRef', nullif(t.bank_id, ''), t.extra ->> 'NtryDtls.Btch.PmtInfId',
                t.extra ->> 'NtryDtls.Btch.MsgId', t.reference, '')
        else '' end,
        coalesce(t.extra ->> 'CORRECTFITID', ''), coalesce(t.extra ->> 'CORRECTACTION', ''),
        array_agg(r.rank order by r.rank)
    from transaction t
    join account_name n on n.person_id = t.person_id and n.told = t.account
    join account a on a.id = n.account_id
    join transaction_sighting s on s.transaction_id = t.id
    join ranked r on r.id = s.file_id
    where t.person_id = :person and t.absent_since is null
    group by t.id, n.account_id, a.currency"""

Account = tuple[int, str]


def _tellings(
    connection: sa.Connection, person_id: int
) -> tuple[dict[Account, tuple[list[Telling], dict[int, Span]]], dict[int, _Words]]:
    """By account and currency what is told of it, and the days that each file tells of the account; by row its words."""
    name = connection.execute(sa.text("select name from person where id = :id"), {"id": person_id}).scalar_one()
    tellings: dict[Account, list[Telling]] = defaultdict(list)
    spans: dict[int, dict[int, Span]] = defaultdict(dict)
    words: dict[int, _Words] = {}
    for row in connection.execute(sa.text(_TELLINGS), {"person": person_id, "none": NO_CURRENCY}):
        (
            row_id,
            source,
            account_id,
            currency,
            day,
            amount,
            account,
            key,
            occurrence,
            payee,
            memo,
            category,
            transfer_to,
        ) = row[:13]
        bank_id, reference, pending, batch, corrects, action, files = row[13:]
        identity = (name, source, account, day.isoformat(), f"{amount.normalize():f}", key, str(occurrence))
        words[row_id] = _Words(_key_of(identity), payee, memo, category, transfer_to)
        tellings[account_id, currency].append(
            Telling(
                id=row_id, source=source, day=day, amount=amount, words=words_of(payee, memo), files=tuple(files),
                bank_id=bank_id, reference=reference, batch=batch, corrects=corrects,
                revokes=bool(corrects) and action.upper() == "DELETE", pending=pending,
            )
        )  # fmt: skip
        known = spans[account_id]
        for rank in files:
            first, last = known.get(rank, (day, day))
            known[rank] = (min(first, day), max(last, day))
    return {account: (some, spans[account[0]]) for account, some in tellings.items()}, words


def _key_of(identity: Sequence[str]) -> str:
    """Of letters, digits and a hyphen only: far sides search for it."""
    return f"tw1-{hashlib.sha256(chr(31).join(identity).encode()).hexdigest()[:_KEY_DIGITS]}"


def words_of(*texts: str) -> frozenset[str]:
    """The words of three letters or more, without case and accents."""
    return frozenset(_WORD.findall(without_accents(" ".join(texts)).casefold()))


class _Keys(Struct, frozen=True):
    """The key of each booking, by the id of its shown telling; and known bookings that were joined to another, by key."""

    of: Mapping[int, str]
    joined: list[tuple[str, str]]


def _keys(connection: sa.Connection, person_id: int, bookings: Sequence[Booking], words: Mapping[int, _Words]) -> _Keys:
    """A booking is called as before, if one of its tellings was in one; else by the oldest of its tellings."""
    statement = """
        select t.transaction_id, b.key from booking_telling t join booking b on b.id = t.booking_id
        where b.person_id = :person order by b.id"""
    before = dict(connection.execute(sa.text(statement), {"person": person_id}).tuples().all())
    own: dict[str, int] = {}
    for place, booking in enumerate(bookings):
        for telling in booking.tellings:
            own[words[telling.id].key] = place
    of: dict[int, str] = {}
    joined: list[tuple[str, str]] = []
    given: set[str] = set()
    for place, booking in enumerate(bookings):
        # Of a booking that fell apart the part goes on which holds the telling that it is called by, else the first.
        names = dict.fromkeys(before[each.id] for each in booking.tellings if each.id in before)
        mine = [name for name in names if own.get(name, place) == place and name not in given]
        oldest = min(booking.tellings, key=lambda each: (each.pending, each.files, words[each.id].key))
        key = mine[0] if mine else words[oldest.id].key
        of[booking.shown.id] = key
        given.update(mine)
        joined += [(name, key) for name in mine[1:]]
    return _Keys(of, joined)


_STAGED = {
    "key": pa.string(), "account_id": pa.int64(), "transaction_id": pa.int64(), "booked_on": pa.date32(),
    "amount": pa.decimal128(38, 18), "currency": pa.string(), "payee": pa.string(), "memo": pa.string(),
    "category": pa.string(), "transfer_to": pa.string(), "pending": pa.bool_(), "source": pa.string(),
    "perhaps": pa.string(),
}  # fmt: skip


def _stage(
    connection: sa.Connection,
    bookings: Iterable[tuple[int, str, Booking]],
    keys: Mapping[int, str],
    words: Mapping[int, _Words],
    doubts: Sequence[tuple[Telling, Telling]],
) -> None:
    """Puts what is settled into two tables that live as long as the transaction."""
    settled: list[tuple[object, ...]] = []
    told: list[tuple[int, str, str]] = []
    called = {each.id: keys[booking.shown.id] for _, _, booking in bookings for each in booking.tellings}
    perhaps = {called[fresh.id]: called[old.id] for old, fresh in doubts if called[fresh.id] != called[old.id]}
    for account_id, currency, booking in bookings:
        key = keys[booking.shown.id]
        told += [(each.id, key, words[each.id].key) for each in booking.tellings]
        if not booking.expired:
            told_words = [words[each.id] for each in booking.tellings]
            settled.append((*_settled(account_id, currency, key, booking, told_words), perhaps.get(key)))
    connection.execute(
        sa.text("""
        create temp table settled (key text primary key, account_id integer, transaction_id bigint, booked_on date,
            amount numeric, currency text, payee text, memo text, category text, transfer_to text, pending boolean, source text,
            perhaps text)
            on commit drop""")
    )
    connection.execute(
        sa.text("create temp table settled_telling (transaction_id bigint, key text, own_key text) on commit drop")
    )
    copy(connection, "settled", list(_STAGED), _batch(settled, _STAGED))
    columns = {"transaction_id": pa.int64(), "key": pa.string(), "own_key": pa.string()}
    copy(connection, "settled_telling", list(columns), _batch(told, columns))
    connection.execute(sa.text("analyze settled, settled_telling"))


def _settled(account_id: int, currency: str, key: str, booking: Booking, words: Sequence[_Words]) -> tuple[object, ...]:
    """The first telling that has words says them; where a format leaves them out, another may tell."""
    shown = booking.shown
    names = ("payee", "memo", "category", "transfer_to")
    payee, memo, category, transfer_to = (
        next((text for each in words if (text := getattr(each, name))), "") for name in names
    )
    return (key, account_id, shown.id, shown.day, shown.amount, currency, payee, memo, category or None,
            transfer_to or None, booking.pending, shown.source)  # fmt: skip


def _batch(rows: Sequence[tuple[object, ...]], columns: Mapping[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
    if rows:
        arrays = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(columns.values())]
        yield pa.RecordBatch.from_arrays(arrays, names=list(columns))


def _write(connection: sa.Connection, person_id: int, joined: Sequence[tuple[str, str]]) -> Settled:
    values = {"person": person_id}

    def run(statement: str) -> int:
        return connection.execute(sa.text(statement), values).rowcount

    run(_MARK_DAYS)
    gone = run(_GONE)
    changed = run(_CHANGED)
    run(_ELSEWHERE)
    new = run(_NEW)
    run(_UNTELL)
    run(_TELL)
    for statement in _JOIN if joined else ():
        connection.execute(sa.text(statement), [values | {"old": old, "kept": kept} for old, kept in joined])
    run("drop table settled, settled_telling")
    return Settled(new, changed, gone)


# Words are compared as well: a fact of a category or a payee changes with them.
_DIFFERS = """
    (b.account_id, b.booked_on, b.amount, b.currency, b.told_payee, b.memo, b.told_category, b.told_transfer_to, b.pending,
        b.transaction_id, b.perhaps)
        is distinct from
    (s.account_id, s.booked_on, s.amount, s.currency, s.payee, s.memo, s.category, s.transfer_to, s.pending,
        s.transaction_id, s.perhaps)"""
_MARK_DAYS = f"""
    insert into stale_day (person_id, day)
    select cast(:person as smallint), day from (
        select s.booked_on from settled s left join booking b on b.key = s.key
            where b.id is null or b.gone_since is not null or {_DIFFERS}
        union
        select b.booked_on from booking b left join settled s on s.key = b.key
            where b.person_id = :person and b.gone_since is null and (s.key is null or {_DIFFERS})
    ) as changed (day)
    on conflict do nothing"""
_GONE = """
    update booking b set gone_since = now() where b.person_id = :person and b.gone_since is null
        and not exists (select 1 from settled s where s.key = b.key)"""
_CHANGED = f"""
    update booking b set account_id = s.account_id, booked_on = s.booked_on, amount = s.amount, currency = s.currency,
        told_payee = s.payee, memo = s.memo, told_category = s.category, pending = s.pending,
        transaction_id = s.transaction_id, source = s.source, gone_since = null, joined_to = null, perhaps = s.perhaps,
        told_transfer_to = s.transfer_to,
        transfer_to = case when b.transfer_to is not distinct from b.told_transfer_to then s.transfer_to else b.transfer_to end,
        payee = case when b.payee = b.told_payee then s.payee else b.payee end,
        category = case when b.category_by in ('rule', 'person') then b.category else s.category end,
        category_by = case when b.category_by in ('rule', 'person') then b.category_by
            when s.category is not null then 'file' end,
        file_id = t.file_id, at = t.at
    from settled s join transaction t on t.id = s.transaction_id
    where b.key = s.key and b.person_id = :person and (b.gone_since is not null or {_DIFFERS})"""
# The newest file that tells the same is named as its origin.
_ELSEWHERE = """
    update booking b set file_id = t.file_id, at = t.at from transaction t
    where b.person_id = :person and t.id = b.transaction_id and (b.file_id, b.at) is distinct from (t.file_id, t.at)"""
_NEW = """
    insert into booking (person_id, account_id, key, booked_on, amount, currency, payee, memo, pending, told_payee,
        told_category, category, category_by, told_transfer_to, transfer_to, transaction_id, source, file_id, at,
        perhaps)
    select :person, s.account_id, s.key, s.booked_on, s.amount, s.currency, s.payee, s.memo, s.pending, s.payee,
        s.category, s.category, case when s.category is not null then 'file' end, s.transfer_to, s.transfer_to,
        s.transaction_id, s.source, t.file_id, t.at, s.perhaps
    from settled s join transaction t on t.id = s.transaction_id
    where not exists (select 1 from booking b where b.key = s.key) order by s.booked_on, s.transaction_id"""
_UNTELL = """
    delete from booking_telling t using booking b where b.id = t.booking_id and b.person_id = :person
        and not exists (
            select 1 from settled_telling s where s.transaction_id = t.transaction_id and s.key = b.key
                and s.own_key = t.key)"""
_TELL = """
    insert into booking_telling (transaction_id, booking_id, key)
    select s.transaction_id, b.id, s.own_key from settled_telling s join booking b on b.key = s.key
    on conflict do nothing"""
# What a person said of a booking holds for the one that it turned out to be, unless they said of that one already with
# which other it is a transfer: a leg moves money once.
_JOIN = (
    """update booking old set joined_to = kept.id, account_id = kept.account_id from booking kept
        where old.key = :old and kept.key = :kept""",
    """insert into stale_day (person_id, day) select person_id, booked_on from booking where key = :kept
        on conflict do nothing""",
    """insert into booking_edit (booking_id, field, value, set_at)
        select kept.id, e.field, e.value, e.set_at from booking_edit e join booking old on old.id = e.booking_id
        join booking kept on kept.key = :kept where old.key = :old on conflict do nothing""",
    *(
        f"""insert into transfer (person_id, out_id, in_id, state, by, why)
        select t.person_id, {out}, {into}, t.state, t.by, t.why from transfer t
        join booking old on old.id = t.{side}_id join booking kept on kept.key = :kept
        where old.key = :old and t.by = 'person' and (t.state = 'rejected' or not exists (
            select 1 from transfer x where x.by = 'person' and x.state <> 'rejected'
                and (x.out_id = {out} or x.in_id = {into}) and (x.out_id, x.in_id) <> (t.out_id, t.in_id)))
        on conflict (out_id, in_id) do update set state = excluded.state, by = excluded.by, why = excluded.why
            where transfer.by = 'rule'"""
        for side, out, into in (("out", "kept.id", "t.in_id"), ("in", "t.out_id", "kept.id"))
    ),
    """insert into stale_day (person_id, day)
        select distinct leg.person_id, leg.booked_on from booking kept
        join transfer t on kept.id in (t.out_id, t.in_id) and t.by = 'person'
        join booking leg on leg.id in (t.out_id, t.in_id) where kept.key = :kept on conflict do nothing""",
)
