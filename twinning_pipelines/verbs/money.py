"""The verbs of the `twinning` command about money: the rulebook, transfers, budgets, recurring payments, bookings."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import click
import sqlalchemy as sa
from msgspec.structs import asdict

from twinning_pipelines import shown, shown_money
from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.home import OpenHome, home_of_environment
from twinning_pipelines.marts.books.budgets import budget_use
from twinning_pipelines.marts.books.categories import edit_booking, rule_uses, why
from twinning_pipelines.marts.books.kept_rulebook import (
    keep_rulebook_file,
    keep_rulebook_files,
    rulebook_of,
    rulebook_path,
)
from twinning_pipelines.marts.books.listing import (
    BookingFilter,
    booking_of,
    bookings_of,
    starting_rulebook,
    tellings_of,
    uncategorised,
    unknown_accounts,
)
from twinning_pipelines.marts.books.meaning import settle_meaning
from twinning_pipelines.marts.books.recurring import recurring_of
from twinning_pipelines.marts.books.settling import refresh_books
from twinning_pipelines.marts.books.transfers import confirm_transfer, proposals, reject_transfer
from twinning_pipelines.marts.daily_facts import refresh_facts
from twinning_pipelines.options import JSON, PERSON

_SINCE = click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on, YYYY-MM-DD.")
_UNTIL = click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Up to this day.")
_LEGS = (click.argument("out_id", metavar="OUT", type=int), click.argument("in_id", metavar="IN", type=int))
_SUGGESTED = 10


@click.command()
@click.option("--init", "begin", is_flag=True, help="Write a commented file to begin with, if there is none.")
@PERSON
@JSON
def rules(begin: bool, person: str | None, as_json: bool) -> None:
    """Read a person's rulebook (rules/PERSON.yaml in TWINNING_HOME) and settle their books by it.

    Tells how many bookings each rule decides, and which payees without a category move the most money.
    Exit code 1: the file can't be used; the last one that could still holds.
    """
    with _whose(person) as (home, connection, who, person_id):
        path = rulebook_path(home.home.settings.home, who)
        if begin:
            _write_new(path, starting_rulebook(connection, person_id))
        problem = keep_rulebook_file(connection, person_id, path)
        refresh_books(connection, person_id)
        rulebook = rulebook_of(connection, person_id)
        uses = rule_uses(connection, person_id, rulebook)
        unknown = unknown_accounts(connection, person_id, rulebook)
        open_ones = uncategorised(connection, person_id, _SUGGESTED)
    if as_json:
        told = zip(rulebook.rules, rulebook.lines, uses, strict=True)
        shown.as_json({
            "person": who, "path": str(path), "exists": path.exists(), "problem": problem,
            "rules": [
                {"number": number, "line": line, "sets": shown_money.sets_of(rule), "bookings": n}
                for number, (rule, line, n) in enumerate(told, 1)
            ],
            "unknown_accounts": unknown, "uncategorised": [asdict(each) for each in open_ones],
        })  # fmt: skip
    else:
        shown.OUT.print(str(path) + ("" if path.exists() else " is not there; --init writes one"), markup=False)
        if problem:
            shown.OUT.print(problem.replace("; line ", "\nline "), style="red", markup=False)
        shown_money.show_rules(rulebook, uses, unknown, open_ones)
    sys.exit(shown.EXIT_UNREADABLE if problem else shown.EXIT_OK)


@click.group(invoke_without_command=True)
@PERSON
@JSON
@click.pass_context
def transfers(context: click.Context, person: str | None, as_json: bool) -> None:
    """List the pairs of bookings that may be transfers between own accounts, and wait for your word."""
    if context.invoked_subcommand is not None:
        return
    with _whose(person) as (_, connection, who, person_id):
        refresh_books(connection, person_id)
        waiting = proposals(connection, person_id)
    if as_json:
        shown.as_json({"person": who, "proposed": [asdict(each) for each in waiting]})
    else:
        shown_money.show_proposals(waiting)


@transfers.command("confirm")
@_LEGS[0]
@_LEGS[1]
@PERSON
@JSON
def confirm(out_id: int, in_id: int, person: str | None, as_json: bool) -> None:
    """Say that booking OUT and booking IN are one transfer."""
    _decide(person, out_id, in_id, is_transfer=True, as_json=as_json)


@transfers.command("reject")
@_LEGS[0]
@_LEGS[1]
@PERSON
@JSON
def reject(out_id: int, in_id: int, person: str | None, as_json: bool) -> None:
    """Say that they are none; they are not proposed again."""
    _decide(person, out_id, in_id, is_transfer=False, as_json=as_json)


@click.command()
@click.option("--month", type=click.DateTime(["%Y-%m"]), help="YYYY-MM. Default: this one.")
@PERSON
@JSON
def budgets(month: datetime | None, person: str | None, as_json: bool) -> None:
    """How much of each budget of a month is spent, by category, beside how much of the month is over."""
    with _whose(person) as (_, connection, who, person_id):
        refresh_books(connection, person_id)
        asked = month.date() if month else _today(connection, person_id)
        used = budget_use(connection, person_id, asked)
    if as_json:
        told = [asdict(each) | {"left": each.left} for each in used]
        shown.as_json({"person": who, "month": f"{asked:%Y-%m}", "budgets": told})
    else:
        shown_money.show_budgets(asked, used)


@click.command()
@PERSON
@JSON
def recurring(person: str | None, as_json: bool) -> None:
    """Payments that come again: subscriptions, rent, salary; when the next is due, and which have ended."""
    with _whose(person) as (_, connection, who, person_id):
        refresh_books(connection, person_id)
        today = _today(connection, person_id)
        found = recurring_of(connection, person_id)
    if as_json:
        told = [
            {"account": each.account, "payee": each.payee, "currency": each.currency}
            | asdict(each.series)
            | {"ended": each.has_ended(today)}
            for each in found
        ]
        shown.as_json({"person": who, "recurring": told})
    else:
        shown_money.show_recurring(found, today)


@click.command()
@click.option("--account", help="Of this account, by its name.")
@click.option("--category", help='Of this category; "" for bookings without any.')
@click.option("--text", help="With this in payee, memo or note.")
@click.option("--doubts", is_flag=True, help="Those that may be told twice, beside the other that each may be.")
@_SINCE
@_UNTIL
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@PERSON
@JSON
def bookings(
    *,
    account: str | None,
    category: str | None,
    text: str | None,
    doubts: bool,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    person: str | None,
    as_json: bool,
) -> None:
    """List bookings with their ids, the newest first."""
    first, last = (each.date() if each else None for each in (since, until))
    wanted = BookingFilter(account, category, text, first, last, doubts)
    with _whose(person) as (_, connection, who, person_id):
        found = bookings_of(connection, person_id, wanted, limit)
    if as_json:
        shown.as_json({"person": who, "bookings": [asdict(each) for each in found]})
    else:
        shown_money.show_bookings(found)


@click.command()
@click.argument("booking_id", metavar="ID", type=int)
@click.option("--category", help='Set it; "[Savings]" makes it a transfer to that account; "" takes your word back.')
@click.option("--payee", help='Set it; "" takes your word back.')
@click.option("--note", help='Set it; "" takes it back.')
@click.option("--tag", "tags", multiple=True, help='Set the tags, as often as there are; "" takes your word back.')
@PERSON
@JSON
def booking(
    *,
    booking_id: int,
    category: str | None,
    payee: str | None,
    note: str | None,
    tags: tuple[str, ...],
    person: str | None,
    as_json: bool,
) -> None:
    """Show a booking: who says what about it, and where it stands in which files; or set what no file and no rule changes."""
    given = {"category": category, "payee": payee, "note": note, "tags": ", ".join(tags) if tags else None}
    edits = {field: value.strip() or None for field, value in given.items() if value is not None}
    with _whose(person) as (home, connection, who, person_id):
        if booking_of(connection, person_id, booking_id) is None:
            raise WrongUsage(f"{who} has no booking {booking_id}; `twinning bookings` lists them")
        for field, value in edits.items():
            edit_booking(connection, booking_id, field, value)
        if edits:
            settle_meaning(connection, person_id)
        found = booking_of(connection, person_id, booking_id)
        reasons = why(connection, booking_id, rulebook_of(connection, person_id))
        tellings = tellings_of(connection, booking_id)
    assert found is not None
    units = {source.name: source.unit for source in home.home.sources}
    if as_json:
        told = [asdict(each) | {"at": f"{units.get(each.source, 'line')} {each.at}"} for each in tellings]
        shown.as_json(asdict(found) | {"person": who, "why": [asdict(each) for each in reasons], "told_in": told})
    else:
        shown_money.show_booking(found, reasons, tellings, units)


def _decide(person: str | None, out_id: int, in_id: int, *, is_transfer: bool, as_json: bool) -> None:
    with _whose(person) as (_, connection, who, person_id):
        (confirm_transfer if is_transfer else reject_transfer)(connection, person_id, out_id, in_id)
        settle_meaning(connection, person_id)
    state = "confirmed" if is_transfer else "rejected"
    if as_json:
        shown.as_json({"person": who, "out": out_id, "in": in_id, "state": state})
    else:
        shown.OUT.print(f"{out_id} and {in_id}: {state}")


@contextmanager
def _whose(asked: str | None) -> Iterator[tuple[OpenHome, sa.Connection, str, int]]:
    """An open home and a transaction about one person, whose days are counted afresh at its end."""
    with home_of_environment().opened() as home, home.engine.begin() as connection:
        keep_rulebook_files(connection, home.home.settings.home)
        refresh_facts(connection)
        people = dict(connection.execute(sa.text("select name, id from person")).tuples().all())
        who = asked or (next(iter(people)) if len(people) == 1 else home.home.settings.person)
        if who not in people:
            raise WrongUsage(f"nobody is called {who!r}")
        yield home, connection, who, people[who]
        refresh_facts(connection)


def _today(connection: sa.Connection, person_id: int) -> date:
    statement = sa.text("select local_day(:person, now())")
    today: date = connection.execute(statement, {"person": person_id}).scalar_one()
    return today


def _write_new(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise WrongUsage(f"{path} is there already") from None


COMMANDS: tuple[click.Command, ...] = (rules, transfers, budgets, recurring, bookings, booking)
