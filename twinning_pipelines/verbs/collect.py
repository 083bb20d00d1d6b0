"""The verb `collect` of the `twinning` command: it needs no database, for all that it makes is files in the inbox."""

import sys
from collections.abc import Sequence
from datetime import datetime

import click
from rich.text import Text

from twinning_pipelines import shown
from twinning_pipelines.collectors import credentials, ibkr_flex, simplefin
from twinning_pipelines.collectors.collector import Collector
from twinning_pipelines.collectors.round import Places, Standing, Visit, configured, make_round, standings
from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.options import JSON
from twinning_pipelines.settings import settings_of_environment

_AT_ONCE = click.option("--now", "at_once", is_flag=True, help="Also those that are not due yet.")
_NOBODY = "nobody is configured: `twinning collect connect simplefin` asks for a setup token"
_MARKS = {"collected": ("✓ ", "green"), "resting": ("· ", "cyan"), "failed": ("✗ ", "red")}


class _Collect(click.Group):
    """Its verbs, and beside them the name of any collector: `twinning collect simplefin`."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One verb, or the visit of the collectors of that name."""
        return super().get_command(ctx, cmd_name) or _visit_to(cmd_name)


@click.group(cls=_Collect, invoke_without_command=True, subcommand_metavar="[NAME | COMMAND]")
@_AT_ONCE
@JSON
@click.pass_context
def collect(context: click.Context, at_once: bool, as_json: bool) -> None:
    """Ask banks and brokers for what is new, and put their answers into the inbox.

    Without NAME everybody who is due is asked. They are configured in collectors.yaml, by `connect`.
    Exit code 0: all answered; 1: one did not.
    """
    if context.invoked_subcommand is None:
        _round("", at_once=at_once, as_json=as_json)


@collect.command()
@click.argument("provider", type=click.Choice([simplefin.KIND, ibkr_flex.KIND]))
@click.option("--person", help="Whose accounts. Default: TWINNING_PERSON.")
@click.option("--name", default="", help="Tells two of one provider apart.")
@click.option("--query", help="ibkr_flex: the id of the Flex query.")
@click.option("--replace", is_flag=True, help="Put it in the place of the one that is there.")
def connect(provider: str, person: str | None, name: str, query: str | None, replace: bool) -> None:
    """Ask for a token (hidden, or on standard input), and keep what it gives in collectors.yaml.

    SimpleFIN: the setup token of the bridge; it works once. Flex: the token of the Flex Web Service.
    """
    settings = settings_of_environment()
    path, who = Places.in_home(settings.home).secrets, person or settings.person
    if (provider == ibkr_flex.KIND) != (query is not None):
        raise WrongUsage("--query is the id of a Flex query: ibkr_flex needs it, simplefin has none")
    credentials.rehearse(path, who, name, provider, replace=replace)
    token = _token(provider)
    values = {"access_url": simplefin.claim(token)} if query is None else {"token": token, "query": query}
    credentials.add(path, who, name, provider, values, replace=replace)
    shown.ERR.print(f"{provider} of {who} is connected; `twinning collect` asks it", markup=False)


@collect.command()
@JSON
def status(as_json: bool) -> None:
    """Every collector: when it was asked last, what it said, when it is due."""
    known = standings(Places.in_home(settings_of_environment().home))
    if not as_json:
        _show_standings(known)
        return
    for each in known:
        told = each.page.model_dump(
            mode="json", include={"last_try", "last_success", "covered_until", "problem", "messages"}
        )
        about = {"person": each.person, "collector": each.collector} | told
        shown.as_json(about | {"due_at": _moment(each.due_at), "requests_in_24_hours": each.requests})


def _visit_to(name: str) -> click.Command:
    @click.command(name, hidden=True)
    @_AT_ONCE
    @JSON
    def visit(at_once: bool, as_json: bool) -> None:
        """Ask the collectors of this name."""
        _round(name, at_once=at_once, as_json=as_json)

    return visit


def _round(name: str, *, at_once: bool, as_json: bool) -> None:
    places = Places.in_home(settings_of_environment().home)
    visits = []
    for visit in make_round(places, _named(configured(places), name, places), at_once=at_once):
        visits.append(visit)
        if as_json:
            shown.as_json(_document(visit))
        else:
            _show_visit(visit)
    if not visits and not as_json:
        shown.ERR.print(_NOBODY, markup=False)
    sys.exit(shown.EXIT_UNREADABLE if any(visit.problem for visit in visits) else shown.EXIT_OK)


def _named(collectors: Sequence[Collector], name: str, places: Places) -> list[Collector]:
    wanted = [each for each in collectors if name in ("", each.name)]
    if name and not wanted:
        known = ", ".join(sorted({each.name for each in collectors})) or "none"
        raise WrongUsage(f"no collector is called {name!r} in {places.secrets}; there are: {known}")
    return wanted


def _token(provider: str) -> str:
    what = "SimpleFIN setup token" if provider == simplefin.KIND else "Flex Web Service token"
    token = click.prompt(what, hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not token.strip():
        raise WrongUsage(f"no {what} on standard input")
    return str(token).strip()


def _document(visit: Visit) -> dict[str, object]:
    return {
        "person": visit.person,
        "collector": visit.collector,
        "state": visit.state,
        "files": visit.files,
        "unchanged": visit.unchanged,
        "messages": list(visit.messages),
        "problem": visit.problem,
        "due_at": _moment(visit.due_at),
    }


def _show_visit(visit: Visit) -> None:
    told = f"{visit.files} files in the inbox"
    if visit.unchanged:
        told += f", {visit.unchanged} unchanged"
    if visit.state == "resting":
        told = f"not due before {_local(visit.due_at)}"
    who = f"{visit.collector} of {visit.person}"
    shown.OUT.print(Text.assemble(_MARKS[visit.state], (who, "bold"), f": {visit.problem or told}"))
    for message in visit.messages:
        shown.OUT.print(Text.assemble(("    it says ", "cyan"), message))


def _show_standings(known: Sequence[Standing]) -> None:
    if not known:
        shown.ERR.print(_NOBODY, markup=False)
    for each in known:
        page = each.page
        good = f"last good visit {_local(page.last_success)}" if page.last_success else "never visited"
        head = f": {good}, due {_local(each.due_at) if each.due_at else 'now'}"
        mark = _MARKS["failed" if page.problem else "collected" if page.last_success else "resting"]
        shown.OUT.print(Text.assemble(mark, (f"{each.collector} of {each.person}", "bold"), head))
        if page.problem:
            shown.OUT.print(Text.assemble(("    problem ", "red"), page.problem))
        for message in page.messages:
            shown.OUT.print(Text.assemble(("    it says ", "cyan"), message))


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _local(moment: datetime | None) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}" if moment else "now"


COMMANDS: tuple[click.Command, ...] = (collect,)
