"""`twinning demo`: exports of two people, two years long, taken down the whole road, with a receipt for each file.

Ada runs a small studio; Ben is employed and counts his meals. Some rows are spoiled on purpose and end in quarantine.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from msgspec import Struct

from twinning_pipelines import shown, shown_days
from twinning_pipelines.demo import finance, household, nutrition, work
from twinning_pipelines.demo.apple_health import write_export
from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.marts.books.kept_rulebook import rulebook_path
from twinning_pipelines.marts.daily_facts import last_day
from twinning_pipelines.products.summary.summary import Maker
from twinning_pipelines.receipt import Receipt
from twinning_pipelines.settings import is_given

ADA, BEN = "ada", "ben"
ZONE, CURRENCY = "Europe/Zurich", "CHF"
DAYS = 730
_RULES = Path(__file__).parent / "rules"


class Writer(Protocol):
    """A sample maker: writes one export, answers how many rows it holds."""

    def __call__(self, path: Path, /, *, seed: int, first: date, last: date, broken: int) -> int:
        """`broken` rows are spoiled."""


class Sample(Struct, frozen=True):
    """One export to make: whose, under which name, how, over which days, with how many spoiled rows."""

    person: str
    name: str
    write: Writer
    first: date
    last: date
    broken: int

    @property
    def seed(self) -> int:
        """Each person has their own."""
        return 7 if self.person == ADA else 8


def samples(first: date, last: date) -> Iterator[Sample]:
    """The exports of both people from `first` to `last`, both included."""
    for person, name, write, broken in _WHOLE:
        yield Sample(person, name, write, first, last, broken)
    for begin, end in quarters(first, last):
        name = f"bank/statement-{begin:%Y-%m}.ofx"
        yield Sample(ADA, name, finance.write_statement, begin, end, 2 if end == last else 0)


def _apple_health(records: int) -> Writer:
    def write(path: Path, /, *, seed: int, first: date, last: date, broken: int) -> int:
        zone = ZoneInfo(ZONE)
        made = datetime(last.year, last.month, last.day, 23, 30, tzinfo=zone)
        return write_export(
            path, seed=seed, first=first, last=last, zone=zone, records=records, broken=broken, exported_at=made
        )

    return write


def _since_opening(path: Path, /, *, first: date, last: date) -> int:
    """A broker's statement of everything since the account was opened, else the first shares would come from nowhere."""
    return household.write_shares(path, first=min(first, finance.EPOCH), last=last)


def _household(write: Callable[..., int]) -> Writer:
    """These are all of one household, and nothing in them is spoiled."""
    return lambda path, *, first, last, **_: write(path, first=first, last=last)


_WHOLE: tuple[tuple[str, str, Writer, int], ...] = (
    (ADA, "health/export.zip", _apple_health(190_000), 4),
    (ADA, "food/servings.csv", nutrition.write_cronometer, 2),
    (ADA, "work/toggl.csv", work.write_toggl, 2),
    (ADA, "work/hubspot-deals.csv", work.write_hubspot, 1),
    (ADA, "work/invoices.csv", work.write_invoices, 1),
    (ADA, "work/expenses.csv", work.write_expenses, 2),
    (ADA, "bank/savings.xml", _household(household.write_savings), 0),
    (ADA, "bank/euros.csv", _household(household.write_euros), 0),
    (ADA, "bank/activity.xml", _household(_since_opening), 0),
    (ADA, "bank/rates.csv", _household(household.write_rates), 0),
    (BEN, "health/Export.zip", _apple_health(110_000), 4),
    (BEN, "bank/card.qif", finance.write_register, 2),
    (BEN, "food/meals.csv", nutrition.write_meals, 2),
    (BEN, "work/timew.json", work.write_timewarrior, 1),
    (BEN, "work/deals.csv", work.write_deals, 1),
)


def run_demo(home: Home, *, as_json: bool, last: date | None = None) -> None:
    """Makes the samples, takes them down the road, and prints receipts, the facts of the last day and what to do next."""
    home = _settled(home)
    end = last or datetime.now(ZoneInfo(home.settings.zone)).date() - timedelta(days=1)
    started = time.monotonic()
    with home.opened() as opened, tempfile.TemporaryDirectory(prefix="twinning-demo-") as folder:
        _refuse_other_people(opened)
        _write_rulebooks(home)
        receipts = []
        for sample in samples(end - timedelta(days=DAYS - 1), end):
            receipt = _take(opened, sample, Path(folder))
            shown.print_receipt(receipt, in_json=as_json)
            receipts.append(receipt)
        shown.ERR.print("counting the facts of each day …")
        opened.count_facts()
        _show_days(opened, as_json)
    if not as_json:
        _show_end(home, receipts, time.monotonic() - started)


def quarters(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Stretches of three calendar months that together cover the days, the first and the last perhaps shorter."""
    begin = first
    while begin <= last:
        month = (begin.month - 1) // 3 * 3 + 3
        following = date(begin.year + month // 12, month % 12 + 1, 1)
        end = min(following - timedelta(days=1), last)
        yield begin, end
        begin = end + timedelta(days=1)


def _write_rulebooks(home: Home) -> None:
    """What the people of the demo say of their money, where they have not said anything yet."""
    for person in (ADA, BEN):
        path = rulebook_path(home.settings.home, person)
        if not path.exists():
            path.write_bytes((_RULES / path.name).read_bytes())


def _settled(home: Home) -> Home:
    """The demo's people live in Zürich unless the settings say where."""
    settings = home.settings
    zone = settings.zone if is_given("zone") else ZONE
    currency = settings.currency if is_given("currency") else CURRENCY
    return Home(replace(settings, zone=zone, currency=currency), home.sources)


def _refuse_other_people(home: OpenHome) -> None:
    others = [name for name in home.store.people() if name not in (ADA, BEN)]
    if others:
        raise WrongUsage(f"this home holds real people ({', '.join(others)}); set TWINNING_HOME to an empty folder")


def _take(home: OpenHome, sample: Sample, folder: Path) -> Receipt:
    path = folder / sample.person / sample.name
    shown.ERR.print(f"making {sample.person}/{sample.name} …", style="dim")
    path.parent.mkdir(parents=True, exist_ok=True)
    sample.write(path, seed=sample.seed, first=sample.first, last=sample.last, broken=sample.broken)
    _stamp(path, sample.last)
    with shown.progress_on(sample.name, path.stat().st_size) as progress:
        return home.ingest(path, sample.person, called=f"{sample.person}/{sample.name}", progress=progress)


def _stamp(path: Path, last: date) -> None:
    """A download has the time of its making: here the evening of its last day."""
    moment = datetime(last.year, last.month, last.day, 21, 45, tzinfo=UTC)
    os.utime(path, (moment.timestamp(), moment.timestamp()))


def _show_days(home: OpenHome, as_json: bool) -> None:
    maker = Maker(home.engine, home.home.sources, home.home.settings.home)
    for person in (ADA, BEN):
        with home.engine.connect() as connection:
            day = last_day(connection, person)
        if day is None:
            continue
        summary = maker.summary(person, "day", day, again=True)
        if as_json:
            shown.as_json(summary.document())
        else:
            shown.OUT.print()
            shown_days.show_facts(summary)
            shown.OUT.print()
            shown_days.show_summary(summary)


def _show_end(home: Home, receipts: list[Receipt], seconds: float) -> None:
    read, accepted, rejected = (
        sum(getattr(each, name) for each in receipts) for name in ("read", "accepted", "rejected")
    )
    same = sum(change.same for each in receipts for change in (each.changes or {}).values())
    shown.OUT.print(
        f"\n[bold]{len(receipts)} files: read {read:,} = accepted {accepted:,} + rejected {rejected:,}; "
        f"{same:,} were known already[/bold] ({seconds:.0f} s)"
    )
    shown.OUT.print(
        f"""
Where to look next
  the inbox        {home.inbox}/<person>/   drop a file there
  make dev         the Dagster UI on http://127.0.0.1:3000, sensor and schedules running
  twinning explain spend --person ada       from a number to the lines of the file
  twinning bookings, transfers, budgets, recurring --person ada
  twinning status  what is there, what is overdue, what waits
Every `twinning` command here needs  TWINNING_HOME={home.settings.home}""",
        markup=False,
    )
