"""The verbs of the `twinning` command about what people say: their journal, and hearing what waits."""

from collections import Counter
from datetime import datetime

import click

from twinning_pipelines import shown
from twinning_pipelines.errors import FarSideUnavailable, WrongUsage
from twinning_pipelines.home import OpenHome, home_of_environment
from twinning_pipelines.ingest.archive import place_of
from twinning_pipelines.options import JSON, PERSON
from twinning_pipelines.products.voice_notes.hearing import Manner, Outcome, hear_what_waits
from twinning_pipelines.products.voice_notes.journal import Entry, entries
from twinning_pipelines.products.voice_notes.transcripts import standing, try_again

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("words", nargs=-1)
@click.option("--day", type=_DAY, help="Of this day, YYYY-MM-DD.")
@click.option("--since", type=_DAY, help="From this day on.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most so many.")
@PERSON
@JSON
def journal(
    words: tuple[str, ...],
    *,
    day: datetime | None,
    since: datetime | None,
    limit: int,
    person: str | None,
    as_json: bool,
) -> None:
    """What a person said, the newest first. WORDS search it: `walk "good idea"`, `rain or snow`, `walk -- -rain`."""
    with home_of_environment().opened() as home, home.engine.connect() as connection:
        who = _person(home, person)
        found = list(
            entries(
                connection,
                who,
                words=" ".join(words),
                day=day.date() if day else None,
                since=since.date() if since else None,
                limit=limit,
            )
        )
    for entry in found:
        if as_json:
            shown.as_json(entry.document())
        else:
            _show(entry)
    if not found and not as_json:
        shown.ERR.print(f"nothing in the journal of {who}" + (" with these words" if words else ""), markup=False)


@click.command()
@click.option("--again", is_flag=True, help="Also what was refused, and what waits for its next try.")
@click.option(
    "--limit-seconds",
    type=click.FloatRange(min=1),
    default=3600,
    show_default=True,
    help="Begin no other after so long.",
)
@JSON
def hear(again: bool, limit_seconds: float, as_json: bool) -> None:
    """Hear the voice notes that wait, now, with the speech engine that TWINNING_SPEECH_URL or TWINNING_SPEECH_MODEL names."""
    with home_of_environment().opened() as home:
        speech = home.home.speech()
        if speech is None:
            raise WrongUsage("no speech engine is configured; set TWINNING_SPEECH_URL and TWINNING_SPEECH_MODEL")
        if again:
            with home.engine.begin() as connection:
                try_again(connection, speech.name, speech.model)
        manner = Manner(home.home.spoken_languages(), limit_seconds)
        done = Counter[str]()
        archive = home.home.archive
        try:
            for each in hear_what_waits(home.engine, speech, lambda sha256: place_of(archive, sha256), manner):
                done[each.state] += 1
                _tell(each, as_json=as_json)
        finally:
            with home.engine.connect() as connection:
                left = standing(connection, speech.name, speech.model)
            if not as_json:
                said = ", ".join(f"{n:,} {state}" for state, n in sorted(done.items())) or "nothing was due"
                shown.OUT.print(f"{said}; {left.waiting:,} wait, {left.refused:,} are refused", markup=False)
    if done["retry"]:
        raise FarSideUnavailable("the speech engine did not answer for some; they are tried again")


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        shown.as_json(outcome.document())
        return
    took = f" in {outcome.seconds:.1f} s" if outcome.seconds is not None else ""
    why = f": {outcome.problem}" if outcome.problem else ""
    when = outcome.recorded_at.isoformat(" ", "minutes")
    shown.OUT.print(f"{outcome.person}, {when}: {outcome.state}{took}{why}", markup=False)


def _show(entry: Entry) -> None:
    about = [entry.title, f"{entry.seconds:.0f} s" if entry.seconds is not None else None]
    told = ", ".join(each for each in about if each)
    unsure = "" if entry.dated_by != "file" else " (by the time of the file)"
    head = f"{entry.said_at.isoformat(' ', 'minutes')[:16]}{unsure}" + (f" · {told}" if told else "")
    shown.OUT.print(head, style="bold", markup=False)
    shown.OUT.print(f"    {entry.text}", markup=False)


def _person(home: OpenHome, asked: str | None) -> str:
    if asked:
        return asked
    people = home.store.people()
    return people[0] if len(people) == 1 else home.home.settings.person


COMMANDS: tuple[click.Command, ...] = (journal, hear)
