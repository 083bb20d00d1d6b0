"""A household of five people and five years, as dashboards look at it: every domain, through the stores that files go through."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from twinning_pipelines.clock import Clock
from twinning_pipelines.demo import finance, household, nutrition, work
from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.ingest.reading import read
from twinning_pipelines.marts.books.kept_rulebook import rulebook_path
from twinning_pipelines.original import Original
from twinning_pipelines.receipt import Arrival
from twinning_pipelines.records.health import ACTIVITY_RING, SAMPLE
from twinning_pipelines.records.sessions import SLEEP_STAGE, WORKOUT
from twinning_pipelines.settings import Secret, Settings
from twinning_pipelines.source import Batch, Item, Row, Source, gather
from twinning_pipelines_tests.products.dashboards import said
from twinning_pipelines_tests.sample_batches import sample_batch

PEOPLE = ("ada", "ben", "cleo", "dan", "eve")
FIRST, LAST = date(2021, 1, 1), date(2025, 12, 31)
ZONE = ZoneInfo("Europe/Zurich")
WATCH, PHONE, SCALE = "Apple Watch", "iPhone", "Scale"

_RULES = Path(finance.__file__).parent / "rules"
_DAY_SECONDS = 86_400
_BATCH_ROWS = 65_536
_EPOCH = date(1970, 1, 1)
_ACTIVITIES = ("running", "cycling", "swimming", "yoga")
_STAGES = ("core", "deep", "core", "rem", "awake", "core", "rem")


@dataclass(frozen=True, slots=True)
class Series:
    """One metric from one device: how many samples a day, a middle value, how far it strays, seconds that each lasts."""

    metric: str
    origin: str
    a_day: int
    middle: float
    stray: float
    lasts: int = 0


# A light day and what a watch tells of a real one.
LIGHT, DENSE = 1, 4

SERIES = (
    Series("heart_rate", WATCH, 36, 72, 18),
    Series("steps", WATCH, 16, 500, 250, 1_800),
    Series("steps", PHONE, 10, 600, 300, 2_400),
    Series("distance_walking_running", WATCH, 8, 750, 300, 3_600),
    Series("active_energy", WATCH, 8, 60, 20, 3_600),
    Series("exercise_time", WATCH, 6, 5, 1.5, 300),
    Series("stand_hour", WATCH, 12, 1, 0, 3_600),
    Series("respiratory_rate", WATCH, 2, 15, 1.5),
    Series("oxygen_saturation", WATCH, 2, 0.97, 0.01),
    Series("heart_rate_variability", WATCH, 2, 55, 12),
    Series("resting_heart_rate", WATCH, 1, 58, 3),
    Series("body_mass", SCALE, 1, 74, 0.6),
    Series("body_fat", SCALE, 1, 0.21, 0.005),
)


def series_of(density: int) -> tuple[Series, ...]:
    """What a watch, a phone and a scale measure; the heart so many times as often, the same movement in more samples."""
    return tuple(_denser(each, density) for each in SERIES)


def _denser(series: Series, density: int) -> Series:
    if series.a_day <= 2 or series.metric == "stand_hour":
        return series
    shared = 1 if series.metric == "heart_rate" else density
    return replace(
        series, a_day=series.a_day * density, middle=series.middle / shared, stray=series.stray / shared,
        lasts=series.lasts // density,
    )  # fmt: skip


def load(home: OpenHome, folder: Path, *, people: tuple[str, ...] = PEOPLE, density: int = LIGHT) -> None:
    """Everything of everybody, counted and settled; what is said about them as well."""
    nothing = folder / "nothing"
    nothing.touch()
    for number, person in enumerate(people):
        _write_rulebook(home, person)
        for year in range(FIRST.year, LAST.year + 1):
            _load_health(home, Original.at(nothing), person, year, series_of(density), seed=number * 100 + year)
        _load_files(home, folder / person, person, seed=number + 1)
    home.count_facts()
    with home.engine.begin() as connection:
        said.say(connection, people, LAST)
    with home.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("vacuum analyze"))


def _write_rulebook(home: OpenHome, person: str) -> None:
    path = rulebook_path(home.home.settings.home, person)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((_RULES / "ada.yaml").read_bytes())


def _load_health(
    home: OpenHome, original: Original, person: str, year: int, series: tuple[Series, ...], *, seed: int
) -> None:
    def parse(_original: Original, _clock: Clock) -> Iterator[Item]:
        rng = np.random.default_rng(seed)
        for each in series:
            yield from _batches(each, year, rng)
        yield from gather(_days(year, rng), (SLEEP_STAGE, WORKOUT, ACTIVITY_RING))

    source = Source(
        name="health.apple_health", title="Apple Health", recognition="none",
        records=(SAMPLE, SLEEP_STAGE, WORKOUT, ACTIVITY_RING), recognises=lambda _: False, parse=parse,
    )  # fmt: skip
    digest = sha256(f"{person} {year}".encode()).hexdigest()
    arrival = Arrival(person, digest, f"health-{year}.zip", 4_000_000, datetime(year, 12, 31, 22, tzinfo=UTC))
    entry = home.store.enter(arrival)
    home.store.assign(entry, source)
    with read(original, source, home.home.settings.clock) as reading:
        home.store.load(entry, reading)


def _batches(series: Series, year: int, rng: np.random.Generator) -> Iterator[Batch]:
    first, count = (date(year, 1, 1) - _EPOCH).days, (date(year + 1, 1, 1) - date(year, 1, 1)).days
    step = _DAY_SECONDS / series.a_day
    offsets = (np.arange(series.a_day) * step)[None, :] + rng.random((count, series.a_day)) * step * 0.3
    starts = ((((first + np.arange(count)) * _DAY_SECONDS)[:, None] + offsets).ravel()).astype(np.int64) * 1_000_000
    ends = starts + int(min(series.lasts, step * 0.6)) * 1_000_000
    # A course over the year, so that trends have something to show.
    course = 1 + (0.08 if series.stray else 0) * np.sin(np.arange(count) / 58)
    values = np.repeat(course, series.a_day) * series.middle + rng.normal(0, series.stray, len(starts))
    low, high = (0.0, 1.0) if series.middle <= 1 else (series.middle / 3, series.middle * 2.5)
    values = np.clip(np.round(values, 3), low, high)
    for begin in range(0, len(starts), _BATCH_ROWS):
        some = slice(begin, begin + _BATCH_ROWS)
        yield sample_batch(series.metric, series.origin, begin, starts[some], ends[some], values[some])


def _days(year: int, rng: np.random.Generator) -> Iterator[Row]:
    """Nights of 14 stretches, a nap now and then, a workout every other day, the rings of each day."""
    day, at = date(year, 1, 1), 0
    while day.year == year:
        for row in (*_night(day, rng), *_workout(day, rng), _rings(day, rng)):
            at += 1
            yield Row(row.record, at, "", row.values)
        day += timedelta(days=1)


def _night(day: date, rng: np.random.Generator) -> Iterator[Row]:
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=float(rng.normal(-75, 35)) // 1)
    moment = begin
    for place in range(14):
        end = moment + timedelta(minutes=int(rng.integers(20, 45)))
        yield _stretch(_STAGES[place % 7], moment, end)
        moment = end
    yield _stretch("in_bed", begin - timedelta(minutes=12), moment + timedelta(minutes=8))
    if day.weekday() == 6 and rng.random() < 0.5:
        nap = datetime(day.year, day.month, day.day, 13, tzinfo=UTC)
        yield _stretch("core", nap, nap + timedelta(minutes=35))


def _stretch(stage: str, begin: datetime, end: datetime) -> Row:
    return Row(SLEEP_STAGE, 0, "", {"stage": stage, "origin": WATCH, "started_at": begin, "ended_at": end})


def _workout(day: date, rng: np.random.Generator) -> Iterator[Row]:
    if day.toordinal() % 2:
        return
    begin = datetime(day.year, day.month, day.day, 17, tzinfo=UTC)
    minutes = float(rng.integers(20, 70))
    known = {"activity": _ACTIVITIES[day.toordinal() // 2 % 4], "origin": WATCH, "started_at": begin}
    told = {"ended_at": begin + timedelta(minutes=minutes), "duration_min": minutes, "energy_kcal": minutes * 8}
    yield Row(WORKOUT, 0, "", known | told | {"heart_rate_mean": 138.0, "distance_m": minutes * 150})


def _rings(day: date, rng: np.random.Generator) -> Row:
    told = {"move_kcal": float(rng.normal(480, 30)), "move_goal_kcal": 450.0, "exercise_min": 30.0}
    return Row(
        ACTIVITY_RING, 0, "", {"day": day, "exercise_goal_min": 30.0, "stand_hours": 12, "stand_goal_hours": 12} | told
    )


def _load_files(home: OpenHome, folder: Path, person: str, *, seed: int) -> None:
    folder.mkdir()
    for year in range(FIRST.year, LAST.year + 1):
        begin, end = date(year, 1, 1), date(year, 12, 31)
        name = f"statement-{year}.ofx"
        finance.write_statement(folder / name, seed=seed, first=begin, last=end, broken=2 if end == LAST else 0)
        _take(home, folder / name, person, end)
        household.write_shares(folder / f"shares-{year}.xml", first=min(FIRST, finance.EPOCH), last=end)
        _take(home, folder / f"shares-{year}.xml", person, end)
    household.write_savings(folder / "savings.xml", first=FIRST, last=LAST)
    household.write_euros(folder / "euros.csv", first=FIRST, last=LAST)
    household.write_rates(folder / "rates.csv", first=FIRST, last=LAST)
    nutrition.write_cronometer(folder / "servings.csv", seed=seed, first=FIRST, last=LAST, broken=2)
    work.write_toggl(folder / "toggl.csv", seed=seed, first=FIRST, last=LAST, broken=2)
    work.write_hubspot(folder / "deals.csv", seed=seed, first=FIRST, last=LAST, broken=1)
    work.write_invoices(folder / "invoices.csv", seed=seed, first=FIRST, last=LAST, broken=1)
    work.write_expenses(folder / "expenses.csv", seed=seed, first=FIRST, last=LAST, broken=1)
    (folder / "notes.bin").write_bytes(bytes(range(256)))
    for name in ("savings.xml", "euros.csv", "rates.csv", "servings.csv", "toggl.csv", "deals.csv", "invoices.csv",
                 "expenses.csv", "notes.bin"):  # fmt: skip
        _take(home, folder / name, person, LAST)
    shutil.rmtree(folder)


def _take(home: OpenHome, path: Path, person: str, last: date) -> None:
    moment = datetime(last.year, last.month, last.day, 21, 45, tzinfo=UTC).timestamp()
    os.utime(path, (moment, moment))
    receipt = home.ingest(path, person, called=f"{person}/{path.name}")
    if receipt.problem is not None and path.suffix != ".bin":
        raise RuntimeError(f"{path.name}: {receipt.problem}")


def home_of(folder: Path, database_url: str) -> Home:
    """A home of these people on a database."""
    return Home(Settings(home=folder / "home", database_url=Secret(database_url), zone=ZONE.key, currency="CHF"))
