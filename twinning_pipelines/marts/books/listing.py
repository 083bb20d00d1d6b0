"""Bookings as lists for people: which there are, which files tell one, and which still have no category."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.marts.books.phrases import bare
from twinning_pipelines.marts.books.rows import IS_OWN_TRANSFER
from twinning_pipelines.marts.books.rulebook import Rulebook


class ListedBooking(Struct, frozen=True):
    """One booking as it stands in a list. is_transfer: between own accounts, so neither spending nor income."""

    id: int
    booked_on: date
    account: str
    amount: Decimal
    currency: str
    payee: str
    memo: str
    category: str | None
    category_by: str | None
    tags: Sequence[str]
    note: str | None
    pending: bool
    is_transfer: bool


class BookingFilter(Struct, frozen=True):
    """Which bookings are meant; what is None does not matter. category: an empty one means bookings without any.

    doubted: only those that may be told twice, each with the other.
    """

    account: str | None = None
    category: str | None = None
    text: str | None = None
    since: date | None = None
    until: date | None = None
    doubted: bool = False


class ToldIn(Struct, frozen=True):
    """A row of a dropped file that tells a booking, in its own words."""

    file: str
    sha256: str
    source: str
    at: int
    account: str
    payee: str
    memo: str
    category: str | None


class Uncategorised(Struct, frozen=True):
    """A payee whose bookings have no category: how much money, whichever way it went."""

    payee: str
    currency: str
    amount: Decimal
    n: int


def bookings_of(connection: sa.Connection, person_id: int, wanted: BookingFilter, limit: int) -> list[ListedBooking]:
    """A person's bookings, the newest first."""
    values: dict[str, object] = {
        "person": person_id,
        "account": wanted.account,
        "category": wanted.category,
        "text": f"%{_escaped(wanted.text)}%" if wanted.text else None,
        "since": wanted.since,
        "until": wanted.until,
        "doubted": wanted.doubted,
        "limit": limit,
    }
    return [ListedBooking(*row) for row in connection.execute(sa.text(_LIST), values)]


def booking_of(connection: sa.Connection, person_id: int, booking_id: int) -> ListedBooking | None:
    """One booking of a person."""
    row = connection.execute(sa.text(_ONE), {"person": person_id, "id": booking_id}).first()
    return ListedBooking(*row) if row is not None else None


def tellings_of(connection: sa.Connection, booking_id: int) -> list[ToldIn]:
    """Every row of every file that tells a booking, the newest file first."""
    return [ToldIn(*row) for row in connection.execute(sa.text(_TELLINGS), {"id": booking_id})]


def uncategorised(connection: sa.Connection, person_id: int, limit: int) -> list[Uncategorised]:
    """The payees without a category that move the most money."""
    rows = connection.execute(sa.text(_UNCATEGORISED), {"person": person_id, "limit": limit})
    return [Uncategorised(*row) for row in rows]


def unknown_accounts(connection: sa.Connection, person_id: int, rulebook: Rulebook) -> list[str]:
    """Accounts that conditions of rules name and nobody has: they never fit."""
    statement = sa.text("select name from account where person_id = :person")
    known = [
        *connection.execute(statement, {"person": person_id}).scalars(),
        *(each.name for each in rulebook.accounts),
    ]
    spelled = set(map(bare, known))
    conditions = [each for rule in rulebook.rules for each in (rule.when, rule.unless) if each is not None]
    named = dict.fromkeys(name for each in conditions for name in each.account or ())
    return [name for name in named if bare(name) not in spelled]


def starting_rulebook(connection: sa.Connection, person_id: int) -> str:
    """A commented rulebook to begin with: the accounts that files tell of, and the payees that move most money."""
    accounts = connection.execute(sa.text(_ACCOUNTS), {"person": person_id}).all()
    payees = uncategorised(connection, person_id, 15)
    currency = max((row.currency for row in accounts), key=[row.currency for row in accounts].count, default="CHF")
    lines = [
        "# What your money means to you. Save it, and your books follow. `twinning rules` says whether it can be read,",
        "# how many bookings each rule decides, and which payees have no category yet.",
        f"currency: {currency if currency != 'XXX' else 'CHF'}",
        "",
        "accounts:                 # kind: checking savings card cash loan brokerage other",
    ]
    for row in accounts:
        lines += [f"  - name: {_quoted(row.name)}", f"    kind: {row.kind}", f"    same_as: [{_listed(row.told)}]"]
    lines += [
        "",
        "# The first rule that fits says what a booking is; tags of all that fit add up.",
        "# if: text (payee or memo), payee, memo, category (of the file), amount (-20..-10, in, out), account, currency,",
        "# day (1..5), since, until. Words match whole, without case and accents; amzn* is how one begins;",
        "# /regular expression/ stands between slashes. unless: the same, for what is not meant.",
        "# Then what it is: category, or transfer_to with the name of an own account; beside it payee and tags.",
        "rules:",
    ]
    for each in payees:
        lines += [
            f"#  - if: {{payee: {_quoted(each.payee)}}}      # {each.n} bookings, {each.amount:,.2f} {each.currency}",
            "#    category: ",
        ]
    lines += [
        "",
        "budgets:",
        "#  - name: Food",
        "#    categories: [Groceries, Restaurants]",
        "#    monthly: 900",
        "#    since: 2026-01",
        "",
        "transfers: {days: 4, fx_tolerance: 3 %}",
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A text as YAML writes it in double quotes, whatever it holds, on one line."""
    plain = "".join(each if each.isprintable() else " " for each in text[:200]).strip()
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _listed(names: Sequence[str]) -> str:
    return ", ".join(_quoted(name) for name in names)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


_FIELDS = f"""
    select b.id, b.booked_on, a.name, b.amount, b.currency, b.payee, b.memo, b.category, b.category_by, b.tags, b.note,
        b.pending, {IS_OWN_TRANSFER}
    from booking b join account a on a.id = b.account_id
    where b.person_id = :person and b.gone_since is null"""
_LIST = f"""{_FIELDS}
        and (cast(:account as text) is null or lower(a.name) = lower(:account))
        and (cast(:category as text) is null or lower(coalesce(b.category, '')) = lower(:category))
        and (cast(:text as text) is null or b.payee ilike :text or b.memo ilike :text or b.told_payee ilike :text
            or b.note ilike :text)
        and (cast(:since as date) is null or b.booked_on >= :since)
        and (cast(:until as date) is null or b.booked_on <= :until)
        and (not :doubted or b.perhaps is not null or exists (
            select 1 from booking o where o.person_id = b.person_id and o.perhaps = b.key and o.gone_since is null))
    order by b.booked_on desc, b.id desc limit :limit"""
_ONE = f"{_FIELDS} and b.id = :id"
_TELLINGS = """
    select f.name, f.sha256, t.source, s.at, t.account, t.payee, t.memo, t.category
    from booking_telling l
    join transaction t on t.id = l.transaction_id
    join transaction_sighting s on s.transaction_id = t.id
    join intake_file f on f.id = s.file_id
    where l.booking_id = :id order by f.as_of desc, f.name, s.at"""
_UNCATEGORISED = f"""
    select coalesce(nullif(b.payee, ''), b.memo) as payee, b.currency, sum(abs(b.amount)), count(*)
    from booking b
    where b.person_id = :person and b.gone_since is null and b.category is null and not {IS_OWN_TRANSFER}
        and coalesce(nullif(b.payee, ''), b.memo) <> ''
    group by 1, 2 order by 3 desc, 1 limit :limit"""
# An account that no file tells of any more has no name left.
_ACCOUNTS = """
    select a.name, a.kind, a.currency, array_agg(n.told order by n.told) as told
    from account a join account_name n on n.account_id = a.id
    where a.person_id = :person group by a.id order by a.name"""
