"""The verbs of the `twinning` command that open the home: its database, its folders, its far sides."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import click
from msgspec.structs import asdict

from twinning_pipelines import shown, shown_days
from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.home import OpenHome, home_of_environment
from twinning_pipelines.ingest.inbox import walk_files
from twinning_pipelines.ingest.road import why_closed
from twinning_pipelines.ingest.sweep import drain
from twinning_pipelines.marts.daily_facts import evidence_of, facts_of, find_fact, last_day
from twinning_pipelines.marts.freshness import status_of
from twinning_pipelines.marts.preference import set_order
from twinning_pipelines.options import DAY, JSON, PATHS, PERSON, a_name
from twinning_pipelines.products.influx_projection import project, queue_everything
from twinning_pipelines.receipt import Receipt
from twinning_pipelines.sources import wrong_mappings_of_home


@click.command()
@JSON
def demo(as_json: bool) -> None:
    """Make sample exports for two people in a fresh home, run the whole job, and show what came of it."""
    from twinning_pipelines.demo.show import run_demo  # noqa: PLC0415  (makers are loaded only when asked for)

    run_demo(home_of_environment(), as_json=as_json)


@click.command()
@PATHS
@click.option("--person", callback=a_name, help="Whose files these are. Default: TWINNING_PERSON.")
@JSON
def ingest(paths: tuple[Path, ...], person: str | None, as_json: bool) -> None:
    """Take files (folders are walked) down the same road as the inbox, now, and print their receipts.

    Exit code 0: all read (rejected rows included); 1: a file is unreadable or nobody recognises it.
    """
    with _opened() as home:
        receipts = list(_ingest(home, list(paths), person or home.home.settings.person, as_json))
        home.count_facts()
    sys.exit(shown.told_of_paths(receipts, paths))


@click.command()
@JSON
def status(as_json: bool) -> None:
    """Files, freshness per source, what waits to be counted or sent."""
    with _opened() as home, home.engine.connect() as connection:
        found = status_of(connection, home.home.sources)
        wrong = wrong_mappings_of_home(home.home.settings.home)
    if not as_json:
        shown_days.show_status(found, wrong)
        return
    shown.as_json(
        {
            "files": found.files,
            "rejected_rows": found.rejected_rows,
            "freshness": [
                {
                    "person": each.person,
                    "source": each.source,
                    "files": each.files,
                    "as_of": each.as_of.isoformat(),
                    "silent_days": each.silent_days,
                    "stale": each.is_stale,
                }
                for each in found.freshness
            ],
            "stale_days": found.stale_days,
            "outboxes": {"influx": found.influx_outbox},
            "dead_letters": {"influx": found.influx_dead_letters},
            "newest_fact_day": found.newest_fact_day,
            "balance_gaps": [asdict(gap) for gap in found.balance_gaps],
            "ring_gaps": found.ring_gaps,
            "wrong_mappings": wrong,
        }
    )


@click.command()
@click.argument("fact")
@DAY
@PERSON
@click.option("--all", "show_all", is_flag=True, help="Show every row, not only the weightiest twenty.")
@JSON
def explain(fact: str, day: datetime | None, person: str | None, show_all: bool, as_json: bool) -> None:
    """From a number to the rows and file lines behind it. FACT is a name, or name:part as in spend_by_category:Rent."""
    wanted, part = find_fact(fact)
    with _opened() as home, home.engine.connect() as connection:
        who = _person(home, person)
        when = day.date() if day else _newest_day(home, who)
        rows = evidence_of(connection, wanted, part, who, when)
        told = [
            each for each in facts_of(connection, who, when) if each.fact == wanted.name and part in ("", each.part)
        ]
    units = {source.name: source.unit for source in home.home.sources}
    if not as_json:
        shown_days.show_evidence(wanted, told, rows, units, len(rows) if show_all else 20)
        return
    shown.as_json(
        {
            "fact": fact,
            "person": who,
            "day": when.isoformat(),
            "definition": wanted.definition,
            "values": [
                {"part": each.part, "unit": each.unit, "value": float(each.value), "n": each.n} for each in told
            ],
            "rows": [
                {
                    "amount": float(row.amount),
                    "label": row.label,
                    "table": row.record,
                    "file": row.file,
                    "sha256": row.sha256,
                    "source": row.source,
                    "at": f"{units.get(row.source, 'line')} {row.at}",
                }
                for row in rows
            ],
        }
    )


@click.command()
@JSON
def redrive(as_json: bool) -> None:
    """Read again, from the archive, the files with rejected rows, those refused, and those an older version read."""
    with _opened() as home:
        store, every = home.store, home.home.sources
        entries = [*store.refused(), *(entry for source in every for entry in store.outdated(source))]
        receipts = drain(entries, home.home.folders, store, every)
        home.count_facts()
    for receipt in receipts:
        shown.print_receipt(receipt, in_json=as_json)
    if not receipts:
        shown.ERR.print("nothing waits to be read again")
    sys.exit(shown.exit_code(receipts))


@click.command()
@click.argument("name", callback=a_name)
@click.option("--zone", required=True, help="IANA zone, for example Europe/Zurich.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on. Default: ever.")
def person(name: str, zone: str, since: datetime | None) -> None:
    """Say in which zone a person lives, or lived from a day on; their days are counted afresh."""
    if zone not in available_timezones():
        raise WrongUsage(f"{zone!r} is not an IANA time zone such as Europe/Zurich")
    moment = since.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) if since else None
    with _opened() as home:
        home.store.settle_in(name, zone, moment)
        home.count_facts()
    shown.ERR.print(f"{name} lives in {zone}{f' since {since:%Y-%m-%d}' if since else ''}", markup=False)


@click.command()
@click.argument("origins", nargs=-1, metavar="[ORIGIN]...")
@PERSON
@JSON
def prefer(origins: tuple[str, ...], person: str | None, as_json: bool) -> None:
    """Say which devices to ask first when several saw the same; without any, watch, phone, others again.

    Devices that are not named come after those that are. The person's days are counted afresh at once.
    """
    with _opened() as home:
        who = _person(home, person)
        with home.engine.begin() as connection:
            order = set_order(connection, who, origins)
        home.count_facts()
    if as_json:
        shown.as_json({"person": who, "order": [asdict(each) for each in order]})
    else:
        shown_days.show_order(who, order)


@click.group()
def influx() -> None:
    """The projection of the series in InfluxDB."""


@influx.command("push")
@JSON
def influx_push(as_json: bool) -> None:
    """Write the days that are queued."""
    _project(rebuild=False, as_json=as_json)


@influx.command("rebuild")
@JSON
def influx_rebuild(as_json: bool) -> None:
    """Delete and write again every day of every series, from Postgres."""
    _project(rebuild=True, as_json=as_json)


@click.group()
def db() -> None:
    """The embedded Postgres of this home."""


@db.command("start")
def db_start() -> None:
    """Start it, and keep it until it is stopped."""
    shown.OUT.print(home_of_environment().cluster.start(keep=True))


@db.command("stop")
def db_stop() -> None:
    """Stop it."""
    shown.ERR.print("stopped" if home_of_environment().cluster.stop() else "it was not running")


@db.command("url")
def db_url() -> None:
    """Print its URL."""
    shown.OUT.print(home_of_environment().cluster.url())


def _opened() -> AbstractContextManager[OpenHome]:
    return home_of_environment().opened()


def _ingest(home: OpenHome, paths: list[Path], person: str, as_json: bool) -> Iterator[Receipt]:
    for path in walk_files(paths):
        with shown.progress_on(path.name, path.stat().st_size) as progress:
            closed = why_closed(path)
            receipt = closed or home.ingest(path, person, called=str(path), progress=progress)
        shown.print_receipt(receipt, in_json=as_json)
        yield receipt


def _person(home: OpenHome, asked: str | None) -> str:
    if asked:
        return asked
    people = home.store.people()
    return people[0] if len(people) == 1 else home.home.settings.person


def _newest_day(home: OpenHome, person: str) -> date:
    with home.engine.connect() as connection:
        return last_day(connection, person) or home.home.settings.clock.day(datetime.now(UTC))


def _project(*, rebuild: bool, as_json: bool) -> None:
    with _opened() as home:
        far_side = home.home.influx()
        if far_side is None:
            raise WrongUsage("no InfluxDB is configured; set TWINNING_INFLUX_URL and TWINNING_INFLUX_TOKEN")
        if rebuild:
            queue_everything(home.engine)
        with far_side:
            far_side.ensure_bucket()
            done = project(home.engine, far_side)
    if as_json:
        shown.as_json({"days": done.days, "points": done.points, "dead": done.dead})
    else:
        shown.OUT.print(f"{done.points:,} points of {done.days:,} days written, {done.dead:,} refused")


COMMANDS: tuple[click.Command, ...] = (demo, ingest, status, explain, redrive, person, prefer, influx, db)
