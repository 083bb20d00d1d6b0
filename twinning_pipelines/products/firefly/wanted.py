"""What Firefly III should hold of a person: one group for each booking, each confirmed pair of bookings, and each trade.

What cannot be there (a booking of zero, one that the bank only announced, one before 1970) is counted by reason. What only
Ghostfolio tells moves no cash.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from msgspec import Struct, field
from msgspec.structs import replace

from twinning_pipelines.marts.books.balances import ONLY_NOTED
from twinning_pipelines.marts.books.budgets import holding
from twinning_pipelines.products.firefly.accounts import Place, hindrance, sendable_day
from twinning_pipelines.products.firefly.trades import trades_of
from twinning_pipelines.products.firefly.words import (
    NO_PAYEE,
    cut,
    description_of,
    name_of,
    notes_of,
    one_line,
    reference_of,
    without_provenance,
)
from twinning_pipelines.stores.firefly.groups import Group, Split

_NO_ACCOUNT = "on an account that is not there"


class Booking(Struct, frozen=True):
    """A booking with what the file says beside it. `at`: where it stands in its file, in words."""

    id: int
    key: str
    place: Place
    booked_on: date
    amount: Decimal
    payee: str
    memo: str
    pending: bool
    category: str | None
    tags: Sequence[str]
    note: str | None
    file: str
    at: str
    valued_on: date | None
    original_amount: Decimal | None
    original_currency: str | None
    check_number: str | None
    reference: str | None
    splits: Sequence[Mapping[str, Any]]

    @property
    def hindrance(self) -> str:
        """Why Firefly III can't hold it; empty where it can."""
        return "pending" if self.pending else hindrance(self.place, self.booked_on, self.amount)

    @property
    def provenance(self) -> str:
        """`march.ofx line 88 (tw1-…)`."""
        return f"{self.file} {self.at} ({self.key})"


class Movement(NamedTuple):
    """What moved money: the table that tells it, and its id there."""

    record: Literal["booking", "trade"]
    id: int


class Wanted(Struct, frozen=True):
    """A group that should be there. `aliases`: how it may be called there instead, had other files come first."""

    external_id: str
    movements: tuple[Movement, ...]
    group: Group
    aliases: tuple[str, ...] = ()

    def named(self, external_id: str) -> Group:
        """The group under the name that it has there."""
        if external_id == self.external_id:
            return self.group
        splits = tuple(replace(split, external_id=external_id) for split in self.group.splits)
        return replace(self.group, splits=splits)


class WantedBooks(Struct, frozen=True):
    """All of a person's, and how many bookings and trades are left out, by reason. `unsaid`: those of an account that could
    neither be found nor made, of which nothing can be said: what is there of them stays. `others`: what is not
    wanted in this form: bookings of pairs, each as it would be by itself, and trades as another source tells them.
    `names`: every key of a booking; `joined`: which booking another turned out to be."""

    groups: Mapping[str, Wanted]
    left_out: Counter[str] = field(default_factory=Counter)
    unsaid: frozenset[Movement] = frozenset()
    others: tuple[Wanted, ...] = ()
    names: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    joined: Mapping[int, int] = field(default_factory=dict)

    def became(self, movement: Movement) -> Movement:
        """What a booking turned out to be in the end; a trade stays what it is."""
        if movement.record == "trade":
            return movement
        return Movement("booking", self.joined.get(movement.id, movement.id))


_BOOKINGS = f"""
    select b.id, b.key, b.account_id, b.currency, b.booked_on, b.amount, b.payee, b.memo, b.pending, b.category, b.tags,
        b.note, f.name as file, b.source, b.at, t.valued_on, t.original_amount, t.original_currency, t.check_number, t.reference,
        t.splits
    from booking b join intake_file f on f.id = b.file_id left join transaction t on t.id = b.transaction_id
    where b.person_id = :person and b.gone_since is null and b.joined_to is null and b.id not in ({ONLY_NOTED})
    order by b.booked_on, b.id"""  # noqa: S608
_PAIRS = "select out_id, in_id from transfer where person_id = :person and state = 'confirmed' order by out_id, in_id"
# Each telling has a key of its own, and any of them names the booking where it came first.
_JOINED = "select id, joined_to, key from booking where person_id = :person and joined_to is not null"
_KEYS = """
    select t.booking_id, t.key from booking_telling t join booking b on b.id = t.booking_id
    where b.person_id = :person order by t.booking_id, t.key"""
# The budget of a category on a day: the newest that began by then.
_BUDGETS = "select name, since, categories from budget where person_id = :person order by since, name"


def wanted_books(
    connection: sa.Connection, person_id: int, ids: Mapping[Place, str], units: Mapping[str, str]
) -> WantedBooks:
    """What should be there. ids: own accounts on the server; units: what a source counts its rows in, such as `line`."""
    person = {"person": person_id}
    bookings = {row.id: _booking(row, units) for row in connection.execute(sa.text(_BOOKINGS), person)}
    pairs = connection.execute(sa.text(_PAIRS), person).all()
    budgets = [tuple(row) for row in connection.execute(sa.text(_BUDGETS), person)]
    joined = _joined(connection, person_id)
    names = _names(connection, person_id, bookings, joined)
    left_out = Counter[str]()
    pushable = dict[int, Booking]()
    for booking in bookings.values():
        reason = booking.hindrance or ("" if booking.place in ids else _NO_ACCOUNT)
        if reason:
            left_out[reason] += 1
        else:
            pushable[booking.id] = booking
    groups, halves = dict[str, Wanted](), list[Wanted]()

    def alone(booking: Booking) -> Wanted:
        splits = tuple(_with_budget(each, booking.booked_on, budgets) for each in _splits(booking, ids[booking.place]))
        title = description_of(booking.payee, booking.memo)[0] if len(splits) > 1 else None
        return Wanted(booking.key, (Movement("booking", booking.id),), Group(splits, title), names[booking.id][1:])

    for out_id, in_id in pairs:
        out, into = pushable.get(out_id), pushable.get(in_id)
        if out is not None and into is not None and _is_one_movement(out, into):
            called = tuple(pair_id(one, other) for one in names[out_id] for other in names[in_id])
            both = Movement("booking", out_id), Movement("booking", in_id)
            groups[called[0]] = Wanted(called[0], both, _transfer(out, into, ids), called[1:])
            halves += [alone(out), alone(into)]
            del pushable[out_id], pushable[in_id]
    groups |= {each.key: alone(each) for each in pushable.values()}
    unsaid = {
        Movement("booking", each.id) for each in bookings.values() if not each.hindrance and each.place not in ids
    }
    traded = _traded(connection, person_id, ids, units)
    groups |= traded.groups
    left_out += traded.left_out
    return WantedBooks(groups, left_out, traded.unsaid | unsaid, (*halves, *traded.others), names, joined)


def _traded(
    connection: sa.Connection, person_id: int, ids: Mapping[Place, str], units: Mapping[str, str]
) -> WantedBooks:
    """The same of trades alone."""
    groups, others, left_out, unsaid = dict[str, Wanted](), list[Wanted](), Counter[str](), set[Movement]()
    for trade in trades_of(connection, person_id, units):
        movement, remote_id = Movement("trade", trade.id), ids.get(trade.place)
        if reason := trade.hindrance:
            left_out[reason] += 1
        elif remote_id is None:
            left_out[_NO_ACCOUNT] += 1
            unsaid.update((movement, *(Movement("trade", each.id) for each in trade.others)))
        else:
            aliases = tuple(each.key for each in trade.others)
            groups[trade.key] = Wanted(trade.key, (movement,), trade.group(remote_id), aliases)
            others += [Wanted(each.key, (movement,), each.group(remote_id)) for each in trade.others]
    return WantedBooks(groups, left_out, frozenset(unsaid), tuple(others))


def _joined(connection: sa.Connection, person_id: int) -> dict[int, int]:
    """Which booking each joined one turned out to be in the end."""
    rows = connection.execute(sa.text(_JOINED), {"person": person_id})
    nearest = {row.id: row.joined_to for row in rows}
    found = dict[int, int]()
    for first in nearest:
        last, seen = first, set[int]()
        while last in nearest and last not in seen:
            seen.add(last)
            last = nearest[last]
        found[first] = last
    return found


def _names(
    connection: sa.Connection, person_id: int, bookings: Mapping[int, Booking], joined: Mapping[int, int]
) -> dict[int, tuple[str, ...]]:
    """Every key of each booking, that by which it is called now first."""
    told = [(row.booking_id, row.key) for row in connection.execute(sa.text(_KEYS), {"person": person_id})]
    told += [(row.id, row.key) for row in connection.execute(sa.text(_JOINED), {"person": person_id})]
    found = {each.id: [each.key] for each in bookings.values()}
    for booking_id, key in told:
        if (names := found.get(joined.get(booking_id, booking_id))) is not None:
            names.append(key)
    return {booking_id: tuple(dict.fromkeys(names)) for booking_id, names in found.items()}


def _booking(row: sa.Row[Any], units: Mapping[str, str]) -> Booking:
    return Booking(
        id=row.id,
        key=row.key,
        place=Place(row.account_id, row.currency),
        booked_on=row.booked_on,
        amount=row.amount,
        payee=row.payee,
        memo=row.memo,
        pending=row.pending,
        category=row.category,
        tags=row.tags or (),
        note=row.note,
        file=row.file,
        at=f"{units.get(row.source, 'row')} {row.at}",
        valued_on=row.valued_on,
        original_amount=row.original_amount,
        original_currency=row.original_currency,
        check_number=row.check_number,
        reference=row.reference,
        splits=row.splits or (),
    )


def pair_id(out: str, into: str) -> str:
    """The external id of a pair: the smaller key, and a mark of the other, for a booking may be paired anew later."""
    first, second = sorted((out, into))
    return f"{first}-{sha256(second.encode()).hexdigest()[:8]}"


def _is_one_movement(out: Booking, into: Booking) -> bool:
    """Whether one transfer there can say both: the same sum, or two currencies. Else each goes by itself, to the cent."""
    if not out.amount < 0 < into.amount or out.place == into.place:
        return False
    return out.place.currency != into.place.currency or -out.amount == into.amount


def _transfer(out: Booking, into: Booking, ids: Mapping[Place, str]) -> Group:
    description, whole = description_of(out.payee or into.payee, out.memo or into.memo)
    category, long_category = name_of(out.category or into.category)
    exchanged = out.place.currency != into.place.currency
    other = [f"there: {text}" for text in dict.fromkeys([one_line(into.memo), one_line(into.payee)]) if text]
    remarks = [*_remarks(out, whole, long_category), into.note or "", *(other if into.memo != out.memo else [])]
    split = Split(
        type="transfer",
        date=out.booked_on,
        amount=-out.amount,
        currency_code=out.place.currency,
        description=description,
        source_id=ids[out.place],
        destination_id=ids[into.place],
        foreign_amount=into.amount if exchanged else None,
        foreign_currency_code=into.place.currency if exchanged else None,
        category_name=category,
        tags=_tags([*out.tags, *into.tags]),
        notes=notes_of(remarks, (out.provenance, into.provenance)),
        internal_reference=reference_of(out.reference) or reference_of(into.reference),
        external_id=pair_id(out.key, into.key),
        interest_date=sendable_day(out.valued_on),
        process_date=into.booked_on if into.booked_on != out.booked_on else None,
    )
    return Group((split,))


def _splits(booking: Booking, remote_id: str) -> tuple[Split, ...]:
    """One split, or one for each part that the file gives, if they are all of one sign and make up the amount."""
    parts = [(_decimal(part.get("amount")), part) for part in booking.splits]
    fits = len(parts) > 1 and all(amount is not None and amount * booking.amount > 0 for amount, _ in parts)
    if not fits or sum((amount or Decimal(0)) for amount, _ in parts) != booking.amount:
        return (_split(booking, remote_id),)
    whole = _split(replace(booking, splits=()), remote_id)
    made = []
    for place, (amount, part) in enumerate(parts, start=1):
        # Two equal parts would be doubles for the server if their number did not tell them apart.
        remarks = [f"part {place} of {len(parts)}", without_provenance(whole.notes) if place == 1 else ""]
        made.append(_part(replace(whole, amount=abs(amount or Decimal(0))), booking, part, remarks))
    return tuple(made)


def _part(whole: Split, booking: Booking, part: Mapping[str, Any], remarks: Sequence[str]) -> Split:
    category, long_category = name_of(part.get("category") or booking.category)
    memo = one_line(part.get("memo"))
    description, long_memo = description_of("", memo) if memo else (whole.description, "")
    return replace(
        whole,
        category_name=category,
        description=description,
        foreign_amount=None,
        foreign_currency_code=None,
        notes=notes_of([*remarks, long_category, long_memo], (booking.provenance,)),
    )


def _split(booking: Booking, remote_id: str) -> Split:
    description, whole = description_of(booking.payee, booking.memo)
    payee, long_payee = name_of(booking.payee)
    category, long_category = name_of(booking.category)
    foreign = booking.original_amount if booking.original_currency != booking.place.currency else None
    foreign = foreign if foreign and booking.original_currency else None
    cash = Split.of_cash(
        booking.amount,
        remote_id,
        payee or NO_PAYEE,
        day=booking.booked_on,
        currency_code=booking.place.currency,
        description=description,
    )
    return replace(
        cash,
        foreign_amount=abs(foreign) if foreign is not None else None,
        foreign_currency_code=booking.original_currency if foreign is not None else None,
        category_name=category,
        tags=_tags(booking.tags),
        notes=notes_of(_remarks(booking, whole, long_payee, long_category), (booking.provenance,)),
        internal_reference=reference_of(booking.reference),
        external_id=booking.key,
        interest_date=sendable_day(booking.valued_on),
    )


def _remarks(booking: Booking, *whole: str) -> Iterator[str]:
    """What has no field of its own, or did not fit into it."""
    yield booking.note or ""
    yield from whole
    yield from (cut(one_line(tag), 255)[1] for tag in booking.tags)
    if booking.check_number:
        yield f"cheque {booking.check_number}"
    if booking.reference and reference_of(booking.reference) != one_line(booking.reference):
        yield f"reference {booking.reference}"
    for part in booking.splits:
        yield "part: " + ", ".join(str(part[name]) for name in ("amount", "category", "memo") if part.get(name))


def _with_budget(split: Split, day: date, budgets: Sequence[tuple[Any, ...]]) -> Split:
    if split.type != "withdrawal" or split.category_name is None:
        return split
    newest = dict[str, Sequence[str]]()
    for name, since, categories in budgets:
        if since <= day:
            # The version that began last takes the place of the one before, at the end.
            newest.pop(name, None)
            newest[name] = categories
    fitting = [name for name, categories in newest.items() if holding(categories, split.category_name) is not None]
    return replace(split, budget_name=fitting[-1]) if fitting else split


def _tags(tags: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({name for tag in tags if (name := name_of(tag)[0])}))


def _decimal(value: object) -> Decimal | None:
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return None
