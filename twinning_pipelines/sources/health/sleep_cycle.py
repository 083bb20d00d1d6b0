"""Sleep Cycle's nights.

From: Sleep Cycle, Profile, More, Database (Android: Settings), Export: `sleepdata.csv`, cells separated by semicolons.
To: SleepSession, one for each line; Sample for the pulse measured on waking and for the time spent snoring.

Three generations of columns are read: `Start;End;Sleep quality;Time in bed;…` with hours and minutes (until 2018),
`Start;End;Sleep Quality;…;Time in bed (seconds);…` (iOS, later with the seconds awake, dreaming, in light and in deep
sleep; dreaming is REM) and `Went to bed;Woke up;…` (Android). Times are wall times without a zone, read by the person's
clock; where a change of the clocks gives them two readings, the time in bed decides. Which minutes belong to which stage
is not in the file, so there are no stages. Every other column is kept in `detail` as printed; that holds the steps, which
the app copies from the phone for a day that it does not name.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.cells import DURATION, NUMBER, SHARE, STAMP
from twinning_pipelines.formats.columns import Cells, Column, Rest, Table
from twinning_pipelines.formats.times import stretch
from twinning_pipelines.original import Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.sessions import SLEEP_SESSION
from twinning_pipelines.source import Item, Notice, Rejection, Row, Source, gather

_ORIGIN = "Sleep Cycle"

TABLE = Table(
    record=SLEEP_SESSION,
    columns=(
        Column("start", ("Start", "Went to bed"), STAMP, required=True),
        Column("end", ("End", "Woke up"), STAMP, required=True),
        Column("quality", ("Sleep Quality",), SHARE),
        Column("bed", ("Time in bed",), DURATION),
        Column("bed_s", ("Time in bed (seconds)", "Time in bed(seconds)"), NUMBER),
        Column("asleep_s", ("Time asleep (seconds)",), NUMBER),
        Column("awake_s", ("Awake (seconds)",), NUMBER),
        Column("rem_s", ("Dream (seconds)", "REM (seconds)"), NUMBER),
        Column("core_s", ("Light (seconds)",), NUMBER),
        Column("deep_s", ("Deep (seconds)",), NUMBER),
        Column("pulse", ("Heart rate (bpm)", "Heart rate"), NUMBER),
        Column("snore_s", ("Snore time (seconds)",), NUMBER),
    ),
    marks=("Sleep Quality",),
    any_of=("Start", "Went to bed"),
    nothing=frozenset({"—", "–", "-"}),
    rest=Rest("detail"),
)

_PARTS = ("asleep", "awake", "rem", "core", "deep")


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / 60, 3)


def _session(cells: Cells) -> Mapping[str, object]:
    """One night. Raises ValueError when it ends before it starts."""
    start, end = cells.get("start", datetime), cells.get("end", datetime)
    if start is None or end is None:
        raise ValueError("started_at: empty")
    in_bed = cells.get("bed_s", float)
    if in_bed is None:
        in_bed = cells.get("bed", int)
    started, ended = stretch(start, end, None if in_bed is None else round(in_bed), cells.styles.clock)
    return {
        "origin": _ORIGIN,
        "started_at": started,
        "ended_at": ended,
        "quality": cells.get("quality", float),
        "in_bed_min": _minutes(in_bed),
        **{f"{part}_min": _minutes(cells.get(f"{part}_s", float)) for part in _PARTS},
        "detail": cells.get("detail", str),
        "pulse": cells.get("pulse", float),
        "snoring": _minutes(cells.get("snore_s", float)),
    }


def _rows(original: Original, clock: Clock) -> Iterator[Row | Rejection | Notice]:
    for item in TABLE.rows(original, clock, _session):
        yield item
        if isinstance(item, Row):
            yield from _samples(item)


def _samples(night: Row) -> Iterator[Row]:
    """The pulse is taken on waking, a zero stands for none; the snoring has no hours of its own."""
    ended, snoring = night.values["ended_at"], night.values["snoring"]
    if night.values["pulse"]:
        yield _sample(night, "heart_rate", ended, night.values["pulse"])
    if snoring is not None:
        yield _sample(night, "snoring", night.values["started_at"], snoring)


def _sample(night: Row, metric: str, started: object, value: object) -> Row:
    values = {
        "metric": metric,
        "origin": _ORIGIN,
        "started_at": started,
        "ended_at": night.values["ended_at"],
        "value": value,
    }
    return Row(SAMPLE, night.at, night.raw, values)


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Nights, line by line. Raises UnreadableFile."""
    return gather(_rows(original, clock), (SLEEP_SESSION, SAMPLE))


SOURCE = Source(
    name="health.sleep_cycle",
    title="Sleep Cycle",
    recognition="a CSV with the column Sleep Quality, and Start or Went to bed",
    records=(SLEEP_SESSION, SAMPLE),
    recognises=TABLE.recognises,
    parse=parse,
    expect_every=timedelta(days=31),
)
