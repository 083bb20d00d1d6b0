"""Five people and ten years of samples, taken in by the real store in portions of one person and year."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from twinning_pipelines.clock import Clock
from twinning_pipelines.demo import finance, nutrition, work
from twinning_pipelines.home import OpenHome
from twinning_pipelines.ingest.reading import read
from twinning_pipelines.marts.daily_facts import refresh_facts
from twinning_pipelines.original import Original
from twinning_pipelines.receipt import Arrival
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.sessions import SLEEP_STAGE, WORKOUT
from twinning_pipelines.source import Batch, Item, Row, Source, gather
from twinning_pipelines_tests.sample_batches import sample_batch

PEOPLE = ("ada", "ben", "cleo", "dan", "eve")
FIRST_YEAR, YEARS = 2016, 10
LAST = date(FIRST_YEAR + YEARS - 1, 12, 31)

_BATCH_ROWS = 65_536
_DAY_SECONDS = 86_400
_EPOCH = date(1970, 1, 1)
_STAGES = ("core", "deep", "core", "rem", "awake")
WATCH, PHONE = "Apple Watch", "iPhone"


@dataclass(frozen=True, slots=True)
class Series:
    """One metric from one device: its share of all samples, a middle value and how far it strays; 0 shares: one a day."""

    metric: str
    origin: str
    share: float
    middle: float
    stray: float
    is_moment: bool = False


SERIES = (
    Series("heart_rate", WATCH, 0.56, 72, 18, is_moment=True),
    Series("active_energy", WATCH, 0.11, 3, 2),
    Series("steps", WATCH, 0.09, 60, 50),
    Series("steps", PHONE, 0.06, 60, 50),
    Series("distance_walking_running", WATCH, 0.08, 45, 40),
    Series("distance_walking_running", PHONE, 0.05, 45, 40),
    Series("basal_energy", WATCH, 0.03, 70, 4),
    Series("respiratory_rate", WATCH, 0.01, 15, 2, is_moment=True),
    Series("exercise_time", WATCH, 0.01, 3, 2),
    Series("resting_heart_rate", WATCH, 0, 58, 3),
    Series("heart_rate_variability", WATCH, 0, 55, 12, is_moment=True),
    Series("body_mass", "Scale", 0, 74, 1, is_moment=True),
)


def load(home: OpenHome, folder: Path, samples: int) -> int:
    """Loads so many samples, about, with nights and workouts beside them, and the other domains of the first person.

    Answers how many samples there are.
    """
    per_day = samples / (len(PEOPLE) * YEARS * 365.25)
    nothing = folder / "nothing"
    nothing.touch()
    for number, person in enumerate(PEOPLE):
        for year in range(FIRST_YEAR, FIRST_YEAR + YEARS):
            _load_year(home, Original.at(nothing), person, year, per_day, seed=number * 100 + year)
    _load_other_domains(home, folder)
    with home.engine.begin() as connection:
        refresh_facts(connection)
    with home.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("vacuum analyze"))
        return int(connection.execute(sa.text("select sum(n) from sample_chunk")).scalar_one())


def _load_year(home: OpenHome, original: Original, person: str, year: int, per_day: float, *, seed: int) -> None:
    def parse(_original: Original, _clock: Clock) -> Iterator[Item]:
        rng = np.random.default_rng(seed)
        for series in SERIES:
            yield from _batches(series, year, per_day, rng)
        yield from gather(_nights_and_workouts(year), (SLEEP_STAGE, WORKOUT))

    source = Source(
        name="health.many_samples", title="Many samples", recognition="none", records=(SAMPLE, SLEEP_STAGE, WORKOUT),
        recognises=lambda _: False, parse=parse,
    )  # fmt: skip
    arrival = Arrival(person, f"{person}-{year}", f"{year}", 0, datetime(year + 1, 1, 1, tzinfo=UTC))
    entry = home.store.enter(arrival)
    home.store.assign(entry, source)
    with read(original, source, home.home.settings.clock) as reading:
        home.store.load(entry, reading)


def _batches(series: Series, year: int, per_day: float, rng: np.random.Generator) -> Iterator[Batch]:
    first, count = (date(year, 1, 1) - _EPOCH).days, (date(year + 1, 1, 1) - date(year, 1, 1)).days
    n = max(round(series.share * per_day), 1)
    step = _DAY_SECONDS / n
    offsets = (np.arange(n) * step)[None, :] + rng.random((count, n)) * step * 0.4
    started = ((first + np.arange(count)) * _DAY_SECONDS)[:, None] + offsets
    starts = (started.ravel() * 1_000_000).astype(np.int64) // 1_000_000 * 1_000_000
    ends = starts if series.is_moment else starts + int(min(step * 0.5, 3_600)) * 1_000_000
    values = np.clip(np.round(rng.normal(series.middle, series.stray, len(starts)), 2), series.middle / 3, None)
    for begin in range(0, len(starts), _BATCH_ROWS):
        some = slice(begin, begin + _BATCH_ROWS)
        yield sample_batch(series.metric, series.origin, begin, starts[some], ends[some], values[some])


def _nights_and_workouts(year: int) -> Iterator[Row]:
    """Twenty stretches of sleep each night, and a run every third day."""
    day, at = datetime(year, 1, 1, tzinfo=UTC), 0
    while day.year == year:
        for stretch in range(20):
            at += 1
            start = day - timedelta(hours=2) + stretch * timedelta(minutes=24)
            known = {"stage": _STAGES[stretch % 5], "origin": WATCH, "started_at": start}
            yield Row(SLEEP_STAGE, at, "", known | {"ended_at": start + timedelta(minutes=24)})
        if day.toordinal() % 3 == 0:
            at += 1
            start = day + timedelta(hours=17)
            known = {"activity": "running", "origin": WATCH, "started_at": start, "duration_min": 40.0}
            yield Row(WORKOUT, at, "", known | {"ended_at": start + timedelta(minutes=40)})
        day += timedelta(days=1)


def _load_other_domains(home: OpenHome, folder: Path) -> None:
    first = date(FIRST_YEAR, 1, 1)
    finance.write_statement(folder / "bank.ofx", seed=1, first=first, last=LAST)
    nutrition.write_cronometer(folder / "servings.csv", seed=1, first=first, last=LAST)
    work.write_toggl(folder / "toggl.csv", seed=1, first=first, last=LAST)
    work.write_deals(folder / "deals.csv", seed=1, first=first, last=LAST)
    work.write_invoices(folder / "invoices.csv", seed=1, first=first, last=LAST)
    work.write_expenses(folder / "expenses.csv", seed=1, first=first, last=LAST)
    for name in ("bank.ofx", "servings.csv", "toggl.csv", "deals.csv", "invoices.csv", "expenses.csv"):
        receipt = home.ingest(folder / name, PEOPLE[0], called=name)
        if receipt.problem is not None:
            raise RuntimeError(f"{name}: {receipt.problem}")
