"""What bookings are: the person's own word, else the first rule that fits, else what a file says.

What files say stands beside (`told_payee`, `told_category`, `told_transfer_to`), so a rule that no longer fits gives it back.
A transfer to an own account has no category; `[Savings]` as a category, as QIF writes it, is such a transfer.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.marts.books.kept_rulebook import LEFT_ASIDE, rulebook_of
from twinning_pipelines.marts.books.rule_matching import Decided, Told, decide
from twinning_pipelines.marts.books.rulebook import Rulebook

FIELDS = ("category", "payee", "note", "tags")
_BETWEEN_TAGS = "\x1f"
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_ACCOUNT_IN_BRACKETS = re.compile(r"\[(.+)\].*")
# A finance program names own accounts alone; a bank's file may name anybody's.
_OWN_BY_FORMAT = ("finance.qif", "finance.portfolio_performance", "finance.cash_book")

# By booking and field what a person has set.
Edits = Mapping[int, Mapping[str, str]]


class _Said(NamedTuple):
    """What is stored about a booking beside its figures."""

    payee: str
    category: str | None
    category_by: str | None
    transfer_to: str | None
    tags: tuple[str, ...]
    note: str | None


class _Row(NamedTuple):
    """A booking: what files tell, and what is stored."""

    id: int
    told: Told
    told_transfer_to: str | None
    is_own: bool
    said: _Said


class Reason(Struct, frozen=True):
    """Why a field of a booking says what it says. by: person, rule or file; of a rule its number and its line."""

    field: str
    value: str
    by: str
    rule: int | None = None
    line: int | None = None

    def __str__(self) -> str:
        """As a person reads it."""
        if self.rule is None:
            return f"{self.field}: {self.value}, by the {self.by}"
        return f"{self.field}: {self.value}, by rule {self.rule} on line {self.line}"


def categorise(
    connection: sa.Connection, person_id: int, rulebook: Rulebook, booking_ids: Sequence[int] | None = None
) -> int:
    """Settles category, payee, tags, note and transfer_to of a person's bookings, or of these; answers how many changed.

    Marks the days of those whose spending this changes. Runs in the caller's transaction.
    """
    rows, edits = _rows(connection, person_id, booking_ids), _edits(connection, person_id)
    decided = decide(rulebook.rules, [row.told for row in rows])
    if booking_ids is None:
        _tell_slow(connection, person_id, rulebook, decided)
    wanted = _wanted(rows, edits, rulebook, decided, _own_names(connection, person_id, rulebook))
    changed = [(row.id, said) for row, said in zip(rows, wanted, strict=True) if row.said != said]
    if changed:
        _write(connection, changed)
    return len(changed)


def edit_booking(connection: sa.Connection, booking_id: int, field: str, value: str | None) -> None:
    """Sets a field of a booking by hand; None takes that back, and rules and files speak again.

    Of `tags` the value is a list with commas. Raises WrongUsage.
    """
    if field not in FIELDS:
        raise WrongUsage(f"{field!r} can't be set by hand; there are {', '.join(FIELDS)}")
    statement = "select person_id from booking where id = :id and gone_since is null"
    person_id = connection.execute(sa.text(statement), {"id": booking_id}).scalar_one_or_none()
    if person_id is None:
        raise WrongUsage(f"there is no booking {booking_id}; `twinning bookings` lists them")
    cleaned = value.strip() if value is not None else None
    if cleaned is not None and (not cleaned or len(cleaned) > 1_000 or "\0" in cleaned):
        raise WrongUsage(f"{field} has between 1 and 1,000 characters")
    connection.execute(sa.text("select pg_advisory_xact_lock(3, :person)"), {"person": person_id})
    statement = _SET if cleaned is not None else "delete from booking_edit where booking_id = :id and field = :field"
    connection.execute(sa.text(statement), {"id": booking_id, "field": field, "value": cleaned})
    categorise(connection, person_id, rulebook_of(connection, person_id), [booking_id])
    # What is now a transfer, or is none any more, changes the pairs as well.
    stale = "insert into stale_books (person_id) values (:person) on conflict do nothing"
    connection.execute(sa.text(stale), {"person": person_id})


def why(connection: sa.Connection, booking_id: int, rulebook: Rulebook) -> list[Reason]:
    """Who decided each field of a booking that says anything. Raises WrongUsage when there is no such booking."""
    statement = sa.text("select person_id from booking where id = :id and gone_since is null")
    person_id = connection.execute(statement, {"id": booking_id}).scalar_one_or_none()
    if person_id is None:
        raise WrongUsage(f"there is no booking {booking_id}; `twinning bookings` lists them")
    rows = _rows(connection, person_id, [booking_id])
    edits = _edits(connection, person_id).get(booking_id, {})
    decided = decide(rulebook.rules, [row.told for row in rows])
    (said,) = _wanted(rows, {booking_id: edits}, rulebook, decided, _own_names(connection, person_id, rulebook))
    what, payee = int(decided.what[0]), int(decided.payee[0])
    tags = [place for place, fits in decided.tags if fits[0]]
    found = []
    for field, value, places in (
        ("payee", said.payee, [payee]),
        ("category", said.category, [what]),
        ("transfer_to", said.transfer_to, [what]),
        ("tags", ", ".join(said.tags), tags),
        ("note", said.note, []),
    ):
        edited = ("category" if field == "transfer_to" else field) in edits
        deciding = [] if edited else [place for place in places if place >= 0]
        if value:
            found += [Reason(field, value, "rule", place + 1, rulebook.lines[place]) for place in deciding]
            if not deciding:
                found.append(Reason(field, value, "person" if edited else "file"))
    return found


def rule_uses(connection: sa.Connection, person_id: int, rulebook: Rulebook) -> list[int]:
    """How many bookings each rule decides something of, in the order of the rules."""
    rows, edits = _rows(connection, person_id, None), _edits(connection, person_id)
    decided = decide(rulebook.rules, [row.told for row in rows])
    uses: list[set[int]] = [set() for _ in rulebook.rules]
    for place, row in enumerate(rows):
        edited = edits.get(row.id, {})
        for field, rule in (("category", decided.what[place]), ("payee", decided.payee[place])):
            if rule >= 0 and field not in edited:
                uses[rule].add(row.id)
    for rule, fits in decided.tags:
        uses[rule] |= {
            row.id for row, is_fit in zip(rows, fits, strict=True) if is_fit and "tags" not in edits.get(row.id, {})
        }
    return [len(each) for each in uses]


def _rows(connection: sa.Connection, person_id: int, booking_ids: Sequence[int] | None) -> list[_Row]:
    values: dict[str, object] = {"person": person_id, "own": list(_OWN_BY_FORMAT)}
    values["ids"] = list(booking_ids) if booking_ids is not None else None
    return [
        _Row(
            row[0], Told(*row[1:8]), row[8], row[9], _Said(row[10], row[11], row[12], row[13], tuple(row[14]), row[15])
        )
        for row in connection.execute(sa.text(_ROWS), values)
    ]


def _edits(connection: sa.Connection, person_id: int) -> Edits:
    edits: dict[int, dict[str, str]] = defaultdict(dict)
    for booking_id, field, value in connection.execute(sa.text(_EDITS), {"person": person_id}):
        edits[booking_id][field] = value
    return edits


def _own_names(connection: sa.Connection, person_id: int, rulebook: Rulebook) -> set[str]:
    """Everything that an account of the person is called by, letters and digits only."""
    names = list(connection.execute(sa.text(_NAMES), {"person": person_id}).scalars())
    names += [name for account in rulebook.accounts for name in (account.name, *account.same_as)]
    return {bare_name(name) for name in names} - {""}


def bare_name(name: str) -> str:
    """Letters and digits of a name or number, as files differ in everything else."""
    return _NOT_ALPHANUMERIC.sub("", name).casefold()


def _wanted(
    rows: Sequence[_Row], edits: Edits, rulebook: Rulebook, decided: Decided, own_names: set[str]
) -> list[_Said]:
    tags: list[dict[str, None]] = [{} for _ in rows]
    for rule, fits in decided.tags:
        for place in fits.nonzero()[0].tolist():
            tags[place].update(dict.fromkeys(rulebook.rules[rule].tags))
    nothing: Mapping[str, str] = {}
    wanted = []
    for place, (row, what, payee) in enumerate(zip(rows, decided.what.tolist(), decided.payee.tolist(), strict=True)):
        edited = edits.get(row.id, nothing)
        category, by, transfer_to = _what(row, edited.get("category"), rulebook, what, own_names)
        named = edited.get("payee") or (rulebook.rules[payee].payee if payee >= 0 else None) or row.told.payee
        labels = tags_of(edited["tags"]) if "tags" in edited else tuple(tags[place])
        wanted.append(_Said(named, category, by, transfer_to, labels, edited.get("note")))
    return wanted


def _what(
    row: _Row, edited: str | None, rulebook: Rulebook, rule: int, own_names: set[str]
) -> tuple[str | None, str | None, str | None]:
    """Category, who says so, and the own account on the other side."""
    if edited is not None:
        match = _ACCOUNT_IN_BRACKETS.fullmatch(edited)
        return (None, "person", match[1]) if match else (edited, "person", None)
    if rule >= 0:
        decides = rulebook.rules[rule]
        return decides.category, "rule", decides.transfer_to
    told, account = row.told.category, row.told_transfer_to
    if account is not None and not row.is_own and bare_name(account) not in own_names:
        account = None
    return told or None, "file" if told else None, account


def tags_of(text: str) -> tuple[str, ...]:
    """`a, b` as tags, each once."""
    return tuple(dict.fromkeys(tag for each in text.split(",") if (tag := each.strip())))


def _write(connection: sa.Connection, changed: Iterable[tuple[int, _Said]]) -> None:
    columns = list(zip(*((booking_id, *said) for booking_id, said in changed), strict=True))
    ids, payees, categories, by, accounts, tags, notes = columns
    joined = [_BETWEEN_TAGS.join(each) for each in tags]
    names = ("ids", "payees", "categories", "by", "accounts", "tags", "notes")
    values = dict(zip(names, map(list, (ids, payees, categories, by, accounts, joined, notes)), strict=True))
    connection.execute(sa.text(_WRITE), values | {"between": _BETWEEN_TAGS})


def _tell_slow(connection: sa.Connection, person_id: int, rulebook: Rulebook, decided: Decided) -> None:
    if decided.slow:
        lines = ", ".join(f"rule {place + 1} on line {rulebook.lines[place]}" for place in decided.slow)
        problem = f"{LEFT_ASIDE}: {lines}"
        statement = "update rulebook set problem = :problem where person_id = :person"
        connection.execute(sa.text(statement), {"person": person_id, "problem": problem})


_ROWS = """
    select b.id, b.booked_on, a.name, b.amount, b.currency, b.told_payee, b.memo, coalesce(b.told_category, ''),
        b.told_transfer_to, b.told_transfer_to is not null and exists (
            select 1 from booking_telling l join transaction t on t.id = l.transaction_id
            where l.booking_id = b.id and t.source = any(:own) and t.transfer_account = b.told_transfer_to),
        b.payee, b.category, b.category_by, b.transfer_to, b.tags, b.note
    from booking b join account a on a.id = b.account_id
    where b.person_id = :person and b.gone_since is null
        and (cast(:ids as bigint[]) is null or b.id = any(cast(:ids as bigint[])))
    order by b.id"""
_EDITS = """
    select e.booking_id, e.field, e.value from booking_edit e join booking b on b.id = e.booking_id
    where b.person_id = :person"""
_NAMES = """
    select name from account where person_id = :person
    union select iban from account where person_id = :person and iban is not null
    union select number from account where person_id = :person and number is not null
    union select told from account_name where person_id = :person"""
_SET = """
    insert into booking_edit (booking_id, field, value) values (:id, :field, :value)
    on conflict (booking_id, field) do update set value = excluded.value, set_at = now()
    where booking_edit.value <> excluded.value"""
# Facts know categories, payees and transfers; tags and notes change none.
_WRITE = """
    with said as (
        select * from unnest(cast(:ids as bigint[]), cast(:payees as text[]), cast(:categories as text[]),
            cast(:by as text[]), cast(:accounts as text[]), cast(:tags as text[]), cast(:notes as text[]))
            as s (id, payee, category, category_by, transfer_to, tags, note)
    ),
    stale as (
        insert into stale_day (person_id, day)
        select distinct b.person_id, b.booked_on from said s join booking b on b.id = s.id
        where (b.payee, b.category, b.category_by, b.transfer_to)
            is distinct from (s.payee, s.category, s.category_by, s.transfer_to)
        on conflict do nothing
    )
    update booking b set payee = s.payee, category = s.category, category_by = s.category_by,
        transfer_to = s.transfer_to, note = s.note, tags = coalesce(string_to_array(nullif(s.tags, ''), :between), '{}')
    from said s where b.id = s.id"""
