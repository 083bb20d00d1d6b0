"""Lose It!'s export: foods, exercise, weights and the other figures of a day.

From: loseit.com, Settings, Export all data: a zip of CSV files; one of them alone, or the report of a day or week.
To: Serving for food-logs.csv; Workout for exercise-logs.csv; Sample, each over its whole day, for weights.csv, steps.csv
and every other file with a `Date` and a `Value`.

What a value file measures is said by its name only. Dates are month first. Rows marked as deleted are left out, and so is
exercise that a tracker's adjustment repeats ("Garmin Adjustment"); the receipt counts both. A weight has no unit: where
`Plan` in profile.csv names kg or lbs, it is in that; without it the weight is kept as printed under `lose_it:weight`, like
every figure without a metric of ours. Exercise has no time of day: it begins at its day's midnight.
"""

from collections.abc import Iterator
from datetime import timedelta

from msgspec.structs import replace

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.part import base_name, head_part, part_of, told_in
from twinning_pipelines.original import Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.nutrition import SERVING
from twinning_pipelines.records.sessions import WORKOUT
from twinning_pipelines.source import Item, Notice, Source, gather
from twinning_pipelines.sources.nutrition.lose_it.tables import PROFILE, TABLES, Told, is_ours, rows_of, weight_unit

_LISTED = 20
# Names that only this export has, by which a zip is worth a look.
_OWN = frozenset({"food-logs.csv", "exercise-logs.csv", "daily-calorie-summary.csv", "weights.csv"})


def _recognises(original: Original) -> bool:
    if not original.is_zip:
        return is_ours(original)
    own = [member for member in original.members if base_name(member).lower() in _OWN]
    return any(is_ours(head_part(original, member)) for member in own[: len(_OWN)])


def _rows(original: Original, clock: Clock) -> Iterator[Told]:
    # The app writes 04/03/2024 for the third of April, wherever its user lives.
    clock = replace(clock, date_order="MDY")
    if not original.is_zip:
        yield from rows_of(original, clock, "")
        return
    profile = next((member for member in original.members if base_name(member).lower() == PROFILE), None)
    weighed_in = weight_unit(part_of(original, profile)) if profile else ""
    others: list[str] = []
    for member in original.members:
        part = part_of(original, member) if base_name(member).lower().endswith(".csv") else None
        if part and is_ours(part, in_zip=True):
            yield from told_in(part.name, rows_of(part, clock, weighed_in))
        else:
            others.append(base_name(member))
    if len(others) == len(original.members):
        raise UnreadableFile("no table of Lose It! in the zip")
    if others:
        yield Notice(f"left out, nothing of theirs is read: {', '.join(sorted(others)[:_LISTED])}")


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Foods, exercise and figures, file by file and line by line. Raises UnreadableFile."""
    return gather(_rows(original, clock), (SERVING, SAMPLE, WORKOUT))


SOURCE = Source(
    name="nutrition.lose_it",
    title="Lose It!",
    recognition=f"{TABLES}, each by its columns, alone or in the zip",
    records=(SERVING, SAMPLE, WORKOUT),
    recognises=_recognises,
    parse=parse,
    # An export holds all of its days, so what was changed or deleted in the app is gone here as well.
    whole=True,
    expect_every=timedelta(days=31),
)
