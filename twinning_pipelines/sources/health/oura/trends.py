"""The trends CSV of Oura on the Web: one line a day, the columns that the person chose.

Durations are seconds, the active times minutes; `Bedtime Start` and `Bedtime End` carry their offset and bound the night.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.delimited import Recognition, Sheet, normalised, open_sheet
from twinning_pipelines.formats.json_values import detail_of, number_of
from twinning_pipelines.original import Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.sessions import SLEEP_SESSION
from twinning_pipelines.source import Notice, Rejection, Row
from twinning_pipelines.sources.health.oura.documents import DAILY, ORIGIN, PREFIX, Entry, Met, Span

_DATE = "date"
_OURS = (
    "Readiness Score", "Activity Score", "Restfulness Score", "Total Bedtime", "Lowest Resting Heart Rate",
    "Temperature Deviation (°C)", "Activity Burn", "Average MET", "Sleep Balance Score", "Previous Night Score",
    "Total Sleep Duration", "REM Sleep Duration",
)  # fmt: skip
# Ours -> Oura's, which changed its words over the years.
_MINUTES = {
    "in_bed_min": ("Total Bedtime",),
    "asleep_min": ("Total Sleep Time", "Total Sleep Duration"),
    "awake_min": ("Awake Time", "Awake Duration"),
    "core_min": ("Light Sleep Time", "Light Sleep Duration"),
    "deep_min": ("Deep Sleep Time", "Deep Sleep Duration"),
    "rem_min": ("REM Sleep Time", "REM Sleep Duration"),
}
_START, _END, _SCORE = "Bedtime Start", "Bedtime End", "Sleep Score"
_OF_NIGHT = {
    "Lowest Resting Heart Rate": "resting_heart_rate",
    "Average HRV": "heart_rate_variability_rmssd",
    "Respiratory Rate": "respiratory_rate",
}
_OF_DAY = {"Steps": "steps", "Activity Burn": "active_energy"}
_NIGHT_DETAIL = ("Sleep Efficiency", "Sleep Latency", "Restless Sleep")

RECOGNITION = Recognition((_DATE,), any_of=_OURS)


def recognises(original: Original) -> bool:
    """By the date and one of the columns that only Oura has."""
    return RECOGNITION(original)


def rows(text: str, clock: Clock, met: Met) -> Iterator[Row | Rejection | Notice]:
    """Every line, good or bad. Raises UnreadableFile."""
    sheet = open_sheet(text, (_DATE,))
    twice = sorted({each for each in sheet.headings if each and sheet.headings.count(each) > 1})
    if twice:
        yield Notice(f"columns that stand there twice, of which the first is read: {', '.join(twice)}")
    for line in sheet:
        try:
            if line.damage:
                raise ValueError(line.damage)
            cells = {heading: line.get(normalised(heading)) for heading in sheet.headings if heading}
            filled = {heading: cell for heading, cell in cells.items() if cell not in ("", "None", "null")}
            filled["day"] = line.get(_DATE)
            yield from list(_line(Entry(filled, line.at, line.raw, clock, met), sheet))
        except (ValueError, OverflowError) as fault:
            record = SLEEP_SESSION if str(fault).startswith("Bedtime") else SAMPLE
            yield Rejection(line.at, record.name, str(fault), line.raw)


def _line(entry: Entry, sheet: Sheet) -> Iterator[Row]:
    day = entry.day()
    # Without its times a night is no stretch, and its durations are measures of the day.
    timed = {_START, _END} <= set(sheet.headings)
    night = _night_span(entry) if timed else None
    used = {_DATE, "day", _START, _END}
    if night is not None:
        session = _session(entry, night)
        used |= {heading for headings in _MINUTES.values() for heading in headings} | {*_NIGHT_DETAIL}
        yield session
    for heading in entry.document:
        if heading in used:
            continue
        value = number_of(heading, entry.document[heading])
        if heading in _OF_NIGHT:
            yield entry.sample(_OF_NIGHT[heading], value, night or day, origin=ORIGIN if night else DAILY)
        elif heading in _OF_DAY:
            yield entry.sample(_OF_DAY[heading], value, day, origin=DAILY)
        else:
            yield entry.sample(_own_name(heading), value, day, origin=DAILY)


def _own_name(heading: str) -> str:
    """`Temperature Deviation (°C)` is `oura:temperature_deviation`, as the API calls it."""
    return f"{PREFIX}{normalised(heading.partition('(')[0]).replace(' ', '_')}"


def _night_span(entry: Entry) -> Span | None:
    given = [heading for heading in (_START, _END) if heading in entry.document]
    durations = [heading for headings in _MINUTES.values() for heading in headings if heading in entry.document]
    if not given and not durations:
        return None
    times: list[datetime] = [entry.moment(heading) for heading in (_START, _END)]
    return times[0], times[1]


def _session(entry: Entry, night: Span) -> Row:
    minutes: Mapping[str, float | None] = {
        name: next((entry.number(heading) for heading in headings if heading in entry.document), None)
        for name, headings in _MINUTES.items()
    }
    score = entry.number(_SCORE)
    values = {
        "started_at": night[0],
        "ended_at": night[1],
        "quality": None if score is None else score / 100,
        "detail": detail_of({heading: entry.number(heading) for heading in _NIGHT_DETAIL}),
        **{name: None if seconds is None else round(seconds / 60, 3) for name, seconds in minutes.items()},
    }
    return entry.row(SLEEP_SESSION, values)
