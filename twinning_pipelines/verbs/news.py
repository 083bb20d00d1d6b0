"""The verbs of `twinning news`: what was told to whom, a word to try a target, dead letters once more, a file to begin with."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import click
from msgspec.structs import asdict
from rich.text import Text

from twinning_pipelines import shown
from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.home import home_of_environment
from twinning_pipelines.options import JSON
from twinning_pipelines.products.news.channels import Parcel
from twinning_pipelines.products.news.delivery import forget_dead, retry_dead
from twinning_pipelines.products.news.targets import FILE, Audience, Target, audience_of, read_file, write_beginning
from twinning_pipelines.products.news.told import Standing, ToldNews, standings, told_news
from twinning_pipelines.settings import Settings, settings_of_environment

_MARKS = {"delivered": ("✓ ", "green"), "pending": ("… ", "yellow"), "dead": ("✗ ", "red"), "": ("· ", "dim")}
_TARGET = click.argument("target", required=False)


@click.group(invoke_without_command=True)
@click.option("--person", help="Whose. Default: everybody's, and the house's.")
@click.option("--last", type=click.IntRange(1, 10_000), default=20, show_default=True, help="So many of the newest.")
@JSON
@click.pass_context
def news(context: click.Context, person: str | None, last: int, as_json: bool) -> None:
    """What was told to whom, what waits, what is dead.

    Who hears of what stands in news.yaml, below TWINNING_HOME; `twinning news init` writes one to begin with.
    """
    if context.invoked_subcommand is not None:
        return
    with home_of_environment().opened() as home, home.engine.connect() as connection:
        told, queues = told_news(connection, person, last), standings(connection)
    if as_json:
        for each in told:
            shown.as_json(_document(each))
        return
    _show(told, queues)
    problem = _audience(settings_of_environment()).problem
    if problem:
        shown.ERR.print(f"nobody of news.yaml hears anything: {problem}", style="red", markup=False)


@news.command("test")
@_TARGET
@JSON
def try_out(target: str | None, as_json: bool) -> None:
    """Send a word to TARGET, or to every target, now, whatever the hour. Exit code 1: one was not reached."""
    audience = _usable(settings_of_environment())
    chosen = _named(audience.targets, target)
    failed = False
    for each in chosen:
        title, body = "A word from Twinning", "If you can read this, news will reach you here."
        sent = body if each.details else None
        parcel = Parcel(uuid4(), 0, "test", each.person, title, sent, datetime.now(UTC), audience.link)
        outcome = each.channel.send(parcel)
        reached = outcome.state == "delivered"
        failed = failed or not reached
        if as_json:
            shown.as_json({"target": each.name, "delivered": reached, "problem": outcome.problem})
        else:
            mark = _MARKS["delivered" if reached else "dead"]
            shown.OUT.print(Text.assemble(mark, (each.name, "bold"), f": {outcome.problem or 'delivered'}"))
    if not chosen:
        shown.ERR.print("there is no target; `twinning news init` writes a file to begin with", markup=False)
    sys.exit(shown.EXIT_UNREADABLE if failed else shown.EXIT_OK)


@news.command()
@_TARGET
@click.option("--drop", is_flag=True, help="Forget them instead.")
@JSON
def retry(target: str | None, drop: bool, as_json: bool) -> None:
    """Put the dead letters of TARGET, or of all, back into the queue; the next round of news tries them."""
    with home_of_environment().opened() as home, home.engine.begin() as connection:
        n = forget_dead(connection, target) if drop else retry_dead(connection, target, datetime.now(UTC))
    if as_json:
        shown.as_json({"dropped" if drop else "queued": n})
    else:
        shown.OUT.print(f"{n:,} dead letters {'are forgotten' if drop else 'will be tried again'}")


@news.command()
def init() -> None:
    """Write a commented news.yaml that its owner alone can read, if there is none."""
    path = settings_of_environment().home / FILE
    write_beginning(path)
    shown.OUT.print(str(path), markup=False)


def _audience(settings: Settings) -> Audience:
    return audience_of(settings.home, settings.notify_urls.get_secret_value().split())


def _usable(settings: Settings) -> Audience:
    read_file(settings.home / FILE)
    return _audience(settings)


def _named(targets: Sequence[Target], name: str | None) -> list[Target]:
    chosen = [each for each in targets if name in (None, each.name)]
    if name is not None and not chosen:
        known = ", ".join(each.name for each in targets) or "none"
        raise WrongUsage(f"no target is called {name!r}; there are: {known}")
    return chosen


def _document(each: ToldNews) -> dict[str, object]:
    moments = {
        name: moment.isoformat() if moment else None
        for name, moment in (
            ("made_at", each.made_at),
            ("next_at", each.next_at),
            ("delivered_at", each.delivered_at),
        )
    }
    return asdict(each) | moments


def _show(told: Sequence[ToldNews], queues: Sequence[Standing]) -> None:
    before = 0
    for each in reversed(told):
        if each.news_id != before:
            who = each.person or "the house"
            head = f"{each.made_at.astimezone():%Y-%m-%d %H:%M}  "
            shown.OUT.print(Text.assemble(head, (who, "bold"), f": {each.title}"))
            for line in each.body.splitlines():
                shown.OUT.print(f"    {line}", markup=False)
        before = each.news_id
        said = {
            "delivered": "delivered",
            "pending": f"waits, {each.attempts} tries so far",
            "dead": f"dead after {each.attempts} tries",
            "": "nobody wanted it",
        }[each.state]
        problem = f" ({each.problem})" if each.problem else ""
        name = f"{each.target}: " if each.target else ""
        shown.OUT.print(Text.assemble("    ", _MARKS[each.state], f"{name}{said}{problem}"))
    for queue in queues:
        line = f"{queue.target}: {queue.delivered:,} delivered, {queue.pending:,} wait, {queue.dead:,} dead"
        shown.OUT.print(line, markup=False)
    if not told:
        shown.ERR.print("nothing has been told yet", markup=False)


COMMANDS: tuple[click.Command, ...] = (news,)
