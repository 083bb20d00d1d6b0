"""Voice notes: recordings of a person talking. What is said in them is heard later, by a speech engine at home.

From: any recorder: Apple's Voice Memos, Android's recorders, voice messages of WhatsApp, Telegram and Signal, browsers,
dictaphones; m4a, mp3, wav, ogg, opus, webm.
To: Voice note.

When it was recorded is told by a tag of the recording, else by its name, else by the time of the file. A tag or a name
that tells only the day gives noon of that day.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, time

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.audio.probe import is_recording, read_recording
from twinning_pipelines.formats.audio.recording import Reader, Written
from twinning_pipelines.original import Original
from twinning_pipelines.records.journal import VOICE_NOTE
from twinning_pipelines.source import Item, Notice, Row, Source, gather

_YEAR = r"(?P<year>(?:19|20)\d{2}|(?<!\d)\d{2}(?=\d{4}_\d{4}(?:\d\d)?(?!\d)))"
_DAY = rf"(?<!\d){_YEAR}[-._]?(?P<month>\d{{2}})[-._]?(?P<day>\d{{2}})(?=\D|$|\d{{4}}(?:\d\d)?(?!\d))"
_APART = r"(?:\s+at\s+|\s*um\s+|[ _T,-]+)?"
_CLOCK = r"(?P<hour>[01]?\d|2[0-3])[-._:h ]?(?P<minute>[0-5]\d)(?:[-._:m ]?(?P<second>[0-5]\d))?(?!\d)"
_HALF = r"(?:\s*(?P<half>[AaPp])\.?[Mm]\b)?"
_DATED = re.compile(rf"{_DAY}(?:{_APART}{_CLOCK}{_HALF})?")
_NOON = time(12)


def recognises(original: Original) -> bool:
    """By the container's own marks: sound, and no picture."""
    if original.is_zip:
        return False
    with original.open() as stream:
        return is_recording(Reader(stream), original.head, original.name)


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """One voice note. Raises UnreadableFile where the recording is damaged or breaks off."""
    return gather(_rows(original, clock), (VOICE_NOTE,))


def _rows(original: Original, clock: Clock) -> Iterator[Row | Notice]:
    with original.open() as stream:
        found = read_recording(Reader(stream), original.head)
        stream.seek(0)
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    recorded_at, dated_by = _recorded(found.written, original, clock)
    values = {
        "sha256": sha256,
        "recorded_at": recorded_at,
        "dated_by": dated_by,
        "seconds": round(found.seconds, 3) if found.seconds is not None else None,
        "container": found.container,
        "title": found.title,
        "detail": json.dumps(dict(found.detail), ensure_ascii=False),
    }
    yield Row(VOICE_NOTE, 1, json.dumps(values, ensure_ascii=False, default=str), values)
    for notice in found.notices:
        yield Notice(notice)


def _recorded(written: Written | None, original: Original, clock: Clock) -> tuple[datetime, str]:
    """When it was recorded, UTC, and what says so. A time of day in the name is better than a tag without one."""
    named = named_time(original.name)
    if written is not None and (not written.day_only or named is None):
        return _instant(written, clock), "tag"
    if named is not None:
        return _instant(named, clock), "name"
    return original.modified_at, "file"


def named_time(name: str) -> Written | None:
    """The wall time in a file's name: `Recording 2026-03-31 08.15.m4a`, `PTT-20260331-WA0001.opus`, `260331_0815.mp3`."""
    for found in _DATED.finditer(name):
        year, month, day = (int(found[part]) for part in ("year", "month", "day"))
        hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
        if found["half"] and 1 <= hour <= 12:
            hour = hour % 12 + (12 if found["half"] in "Pp" else 0)
        try:
            wall = datetime(year + (2000 if year < 100 else 0), month, day, hour, minute, second)  # noqa: DTZ001
        except ValueError:
            continue
        return Written(wall, day_only=found["hour"] is None)
    return None


def _instant(written: Written, clock: Clock) -> datetime:
    at = datetime.combine(written.at, _NOON) if written.day_only else written.at
    return at.astimezone(UTC) if at.tzinfo is not None else clock.instant(at)


SOURCE = Source(
    name="journal.voice_note",
    title="Voice notes",
    recognition="an audio container (MP4, MPEG, WAVE, Ogg, WebM) with sound and no picture",
    records=(VOICE_NOTE,),
    recognises=recognises,
    parse=parse,
    unit="recording",
)
