"""The verb `twinning insights`: what goes together, and how much was tested to find it."""

import click
import sqlalchemy as sa
from msgspec.structs import asdict

from twinning_pipelines import shown
from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.home import OpenHome, home_of_environment
from twinning_pipelines.marts.insights import Findings
from twinning_pipelines.marts.kept_insights import counted, refresh_insights, worded
from twinning_pipelines.options import JSON

_NEAREST = 5


@click.command()
@click.option("--person", help="Whose. Default: everybody's.")
@click.option("--all", "show_all", is_flag=True, help="Also what did not hold.")
@JSON
def insights(person: str | None, show_all: bool, as_json: bool) -> None:
    """What goes together with what in a person's days of the last year, the same day and up to three days later.

    Only what would be hard to have by chance is said to hold, with all that was tested counted. That two things go
    together does not say why.
    """
    with home_of_environment().opened() as home:
        for name, person_id in _people(home, person):
            with home.engine.begin() as connection:
                findings = refresh_insights(connection, person_id)
            if as_json:
                shown.as_json(_document(name, findings, show_all=show_all))
            else:
                _show(name, findings, show_all=show_all)


def _people(home: OpenHome, asked: str | None) -> list[tuple[str, int]]:
    with home.engine.connect() as connection:
        found = connection.execute(sa.text("select name, id from person order by id")).all()
    chosen = [(str(name), int(person_id)) for name, person_id in found if asked in (None, name)]
    if asked is not None and not chosen:
        raise WrongUsage(f"nobody is called {asked!r}")
    return chosen


def _document(name: str, findings: Findings, *, show_all: bool) -> dict[str, object]:
    told = findings.tested if show_all else findings.holding
    return {
        "person": name,
        "tested": len(findings.tested),
        "hold": len(findings.holding),
        "too_few_days": findings.too_short,
        "insights": [asdict(each) | {"holds": each.holds, "text": worded(each)} for each in told],
    }


def _show(name: str, findings: Findings, *, show_all: bool) -> None:
    shown.OUT.print(name, style="bold", markup=False)
    for each in findings.holding:
        shown.OUT.print(f"  ✓ {worded(each)}; q = {each.q:.3f}", markup=False)
    rejected = [each for each in findings.tested if not each.holds]
    for each in rejected if show_all else rejected[:_NEAREST]:
        shown.OUT.print(f"  · does not hold: {worded(each)}; q = {each.q:.2f}", style="dim", markup=False)
    shown.OUT.print(f"  {counted(findings)}.", markup=False)


COMMANDS: tuple[click.Command, ...] = (insights,)
