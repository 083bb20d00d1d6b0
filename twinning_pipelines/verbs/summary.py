"""The verb `twinning summary`: a person's day, week or month in words, and the proof of each figure in it."""

from datetime import date, datetime, timedelta
from pathlib import Path

import click

from twinning_pipelines import shown, shown_days
from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.home import OpenHome, home_of_environment
from twinning_pipelines.marts.books.months import in_month
from twinning_pipelines.marts.daily_facts import last_day
from twinning_pipelines.marts.telling.told import Kind
from twinning_pipelines.options import DAY, JSON, PERSON
from twinning_pipelines.products.summary.page import write_page
from twinning_pipelines.products.summary.summary import Maker


@click.command()
@DAY
@PERSON
@click.option("--week", "kind", flag_value="week", help="The week of the day; default: the last whole one.")
@click.option("--month", "kind", flag_value="month", help="The month of the day; default: the last whole one.")
@click.option("--write", is_flag=True, help="Write it again, in place of the stored one.")
@click.option("--facts", is_flag=True, help="Show the facts as a table.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write it as a page to this file.")
@JSON
def summary(
    *,
    day: datetime | None,
    person: str | None,
    kind: str | None,
    write: bool,
    facts: bool,
    html: Path | None,
    as_json: bool,
) -> None:
    """A person's day in words: the stored summary, which is written first where there is none."""
    period: Kind = "week" if kind == "week" else "month" if kind == "month" else "day"
    with home_of_environment().opened() as home:
        who = _person(home, person)
        asked = _asked(home, who, period, day.date() if day else None)
        told = maker_of(home).summary(who, period, asked, again=write)
    if html is not None:
        write_page(html, told)
        shown.ERR.print(str(html), markup=False)
    if as_json:
        shown.as_json(told.document())
    elif facts:
        shown_days.show_facts(told)
    else:
        shown_days.show_summary(told)


def maker_of(home: OpenHome) -> Maker:
    """What summaries of a home are made with."""
    settings = home.home.settings
    return Maker(home.engine, home.home.sources, settings.home, home.home.chat_engine())


def _person(home: OpenHome, asked: str | None) -> str:
    people = home.store.people()
    who = asked or (people[0] if len(people) == 1 else home.home.settings.person)
    if who not in people:
        raise WrongUsage(f"nobody is called {who!r}")
    return who


def _asked(home: OpenHome, person: str, kind: Kind, day: date | None) -> date:
    """The last day of what is asked for."""
    with home.engine.connect() as connection:
        newest = last_day(connection, person)
    if newest is None and day is None:
        raise WrongUsage(f"nothing is known of {person} yet; drop a file into the inbox")
    if day is not None:
        return end_of(kind, day)
    assert newest is not None
    end = end_of(kind, newest)
    # The period of the newest day is mostly not over.
    return end if end == newest else end_before(kind, newest)


def end_of(kind: Kind, day: date) -> date:
    """The last day of the week (its Sunday) or month of a day."""
    if kind == "week":
        return day + timedelta(days=6 - day.weekday())
    return in_month(day, 1, 1) - timedelta(days=1) if kind == "month" else day


def end_before(kind: Kind, day: date) -> date:
    """The last day of the week or month before that of a day."""
    if kind == "week":
        return day - timedelta(days=day.weekday() + 1)
    return day.replace(day=1) - timedelta(days=1)


COMMANDS: tuple[click.Command, ...] = (summary,)
