"""FIT files: activities, days and nights of watches, weighings of scales.

From: Garmin, Wahoo, Suunto, Coros, Strava and other makers: a .fit file of a device, or a zip that holds many (Garmin's
"Export Original", and the parts of its account export).
To: Workout, WorkoutPart (laps, lengths, sets, events), Route, Sample, SleepStage, SleepSession.

Sums within an activity (distance, calories, steps so far) stay with the workout and its laps: the day's counters of the
watch hold them as well. Courses and workouts that are plans are announced and left out, as are fields that only the
maker knows. A file that breaks off or is damaged half-way gives what stands before that, and says so.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from msgspec import Struct, field

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.fit import MAX_BYTES, FitFile, files, is_fit
from twinning_pipelines.original import Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.sessions import ROUTE, SLEEP_SESSION, SLEEP_STAGE, WORKOUT, WORKOUT_PART
from twinning_pipelines.source import Item, Notice, Rejection, Row, Source, gather
from twinning_pipelines.sources.health.exercise import Oddities
from twinning_pipelines.sources.health.fit_file import activity, monitoring, vitals
from twinning_pipelines.sources.health.fit_file.messages import told

_RECORDS = (WORKOUT, WORKOUT_PART, ROUTE, SAMPLE, SLEEP_STAGE, SLEEP_SESSION)
_READ = activity.NAMES | monitoring.NAMES | vitals.NAMES
# What a file says of itself and of its device, and the person's settings.
_BOOKKEEPING = frozenset(
    {
        "file_id", "file_creator", "device_info", "device_settings", "developer_data_id", "field_description", "software",
        "user_profile", "zones_target", "training_settings", "sport", "capabilities", "hrm_profile", "bike_profile",
        "sdm_profile", "hr_zone", "power_zone", "file_capabilities", "mesg_capabilities", "field_capabilities",
        "timestamp_correlation",
    }
)  # fmt: skip
_PLANS = frozenset({"course", "workout", "segment", "segment_list", "schedules", "goals"})
_UNNAMED = "unknown_"
_SNIFFED_MEMBERS = 20
_SHOWN = 5


def recognises(original: Original) -> bool:
    """By the mark in the header, of the file or of a member of the zip that is called .fit."""
    if not original.is_zip:
        return is_fit(original.head)
    return any(is_fit(original.head_of(name)) for name in _members(original)[:_SNIFFED_MEMBERS])


def _members(original: Original) -> list[str]:
    return [member.name for member in original.members if member.name.lower().endswith(".fit")]


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Rows of every kind, file by file. Raises UnreadableFile when nothing at all can be read."""
    return gather(_rows(original, clock), _RECORDS)


class _Account(Struct):
    """What happened to the files of a drop. offset: how many messages were read so far."""

    oddities: Oddities = field(default_factory=Oddities)
    offset: int = 0
    read: int = 0
    twice: int = 0
    damaged: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    unnamed: Counter[str] = field(default_factory=Counter)


def _rows(original: Original, clock: Clock) -> Iterator[Row | Rejection | Notice]:
    account = _Account()
    if not original.is_zip:
        yield from _file(original, None, original.size, clock, account)
    else:
        yield from _zip(original, clock, account)
    yield from account.oddities.notices()
    yield from _notices(account)


def _zip(original: Original, clock: Clock, account: _Account) -> Iterator[Row | Rejection | Notice]:
    seen: set[bytes] = set()
    failed: list[str] = []
    fit = set(_members(original))
    for member in original.members:
        if member.name not in fit:
            account.oddities.left_out["members of the zip that are no .fit"] += 1
            continue
        try:
            digest = _digest(original, member.name) if member.size <= MAX_BYTES else member.name.encode()
            if digest in seen:
                account.twice += 1
                continue
            seen.add(digest)
            yield from _file(original, member.name, member.size, clock, account)
        except UnreadableFile as fault:
            failed.append(f"{member.name}: {fault}")
            account.offset += 1
            yield Rejection(account.offset, WORKOUT.name, f"a file of the zip that can't be read: {fault}", member.name)
    if not account.read:
        raise UnreadableFile(f"no file of the zip can be read; {'; '.join(failed[:_SHOWN])}")


def _digest(original: Original, member: str) -> bytes:
    with original.open(member) as stream:
        return hashlib.sha256(stream.read()).digest()


def _file(
    original: Original, member: str | None, size: int, clock: Clock, account: _Account
) -> Iterator[Row | Rejection]:
    name = member or original.name
    with original.open(member) as stream:
        for file in files(stream, size):
            account.read += 1
            if file.damage:
                account.damaged.append(f"{name}: {file.damage}, after {len(file.messages)} messages")
            if file.wrong_checksum:
                account.unchecked.append(name)
            yield from _told(file, clock, account)
            account.offset += len(file.messages)


def _told(file: FitFile, clock: Clock, account: _Account) -> Iterator[Row | Rejection]:
    oddities = account.oddities
    if file.kind in _PLANS:
        oddities.left_out[f"plans ({file.kind})"] += 1
        return
    for message in file.messages:
        account.unnamed["fields"] += message.unnamed
        if message.name.startswith(_UNNAMED):
            account.unnamed["messages"] += 1
        elif message.name not in _READ and message.name not in _BOOKKEEPING:
            oddities.left_out[f"messages without a table: {message.name}"] += 1
    placed = told(file, account.offset, clock, oddities)
    yield from activity.rows(placed)
    yield from monitoring.rows(placed)
    yield from vitals.rows(placed)


def _notices(account: _Account) -> Iterator[Notice]:
    for names, says in (
        (account.damaged, "damaged, what stands before that was read"),
        (account.unchecked, "the checksum does not match, so something in it was changed on the way"),
    ):
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            yield Notice(f"{says}: {'; '.join(names[:_SHOWN])}{more}")
    if account.twice:
        yield Notice(f"files that stand in the zip more than once, read once: {account.twice}")
    unnamed = ", ".join(f"{name} ({count})" for name, count in sorted(account.unnamed.items()) if count)
    if unnamed:
        yield Notice(f"what only the maker of the device can read, left out: {unnamed}")


SOURCE = Source(
    name="health.fit",
    title="FIT files",
    recognition="a file with the mark .FIT in its header, or a zip with such files",
    records=_RECORDS,
    recognises=recognises,
    parse=parse,
    unit="message",
    expect_every=timedelta(days=30),
)
