"""Everything the Health app of an iPhone holds: samples, sleep, workouts, and the rings that Apple closed.

From: the Health app, your picture, "Export All Health Data": a zip with one large XML, localised in all its names.
To: sample, workout, sleep_stage, activity_ring.

Records inside a Correlation are left out, because Apple repeats each of them at the top level. Clinical documents,
audiograms and prescriptions have no table yet and are announced, not dropped in silence. `export_cda.xml` beside the
export is a copy of some vitals in another format and is never read.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import PurePosixPath

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.xml_stream import Portion
from twinning_pipelines.original import Member, Original
from twinning_pipelines.records.health import ACTIVITY_RING, SAMPLE
from twinning_pipelines.records.sessions import SLEEP_STAGE, WORKOUT
from twinning_pipelines.source import ExportedAt, Item, Notice, Source, gather
from twinning_pipelines.sources.health import apple_sessions
from twinning_pipelines.sources.health.apple_moments import moment_of
from twinning_pipelines.sources.health.apple_plain import RECORD, Engine, read_with_expat
from twinning_pipelines.sources.health.apple_records import Oddities, batches
from twinning_pipelines.sources.health.apple_types import IGNORED, shown

_SNIFFED_BYTES = 4_096
_SNIFFED_MEMBERS = 20
_DEEPEST_FOLDER = 3
_LISTED = 100
_MARK = re.compile(rb"<(?:!DOCTYPE\s+)?HealthData[\s>\[/]")


def _is_export(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n\0").startswith(b"<") and _MARK.search(head[:_SNIFFED_BYTES]) is not None


def _may_be_export(member: Member) -> bool:
    path = PurePosixPath(member.name)
    name = path.name.lower()
    return name.endswith(".xml") and not name.endswith("_cda.xml") and len(path.parts) <= _DEEPEST_FOLDER


def _exports_in(original: Original) -> list[str]:
    """The members of a zip that hold an export, by content: their names are localised."""
    candidates = sorted(filter(_may_be_export, original.members), key=lambda member: -member.size)
    return [member.name for member in candidates[:_SNIFFED_MEMBERS] if _is_export(original.head_of(member.name))]


def _recognises(original: Original) -> bool:
    return bool(_exports_in(original)) if original.is_zip else _is_export(original.head)


def parse(original: Original, _clock: Clock, engine: Engine = read_with_expat) -> Iterator[Item]:
    """What an export says. Raises UnreadableFile, with the line, where the XML is broken or breaks off."""
    member = None
    if original.is_zip:
        found = _exports_in(original)
        if not found:
            raise UnreadableFile("no export in the zip")
        if len(found) > 1:
            raise UnreadableFile(f"{len(found)} exports in one zip, drop each by itself: {', '.join(sorted(found))}")
        member = found[0]
    oddities = Oddities()
    with original.open(member) as stream:
        for columns, portion in engine(stream):
            yield from _exported_at(portion)
            for records in columns:
                yield from batches(records, oddities)
            sessions = portion.elements(*apple_sessions.NAMES)
            yield from gather(apple_sessions.rows(sessions, oddities.zones), (WORKOUT, ACTIVITY_RING))
            counts = Counter(portion.names)
            oddities.unread.update({name: counts[name] for name in counts.keys() - _READ})
    yield from _notices(oddities)


_READ = {RECORD, *apple_sessions.NAMES, *(name for name, reason in IGNORED.items() if reason)}


def _exported_at(portion: Portion) -> Iterator[Item]:
    for element in portion.elements("ExportDate"):
        printed = element.attributes.get("value", "")
        instant = moment_of(printed)
        yield (
            Notice(f"the export's own date is not a moment: {shown(printed)}")
            if instant is None
            else ExportedAt(instant)
        )


def _notices(oddities: Oddities) -> Iterator[Notice]:
    told = (
        (oddities.unregistered, "types that Twinning has no metric for, kept under their own names and units"),
        (oddities.zones, "time zones that nobody knows, left out"),
        (oddities.unread, "elements that no table holds yet, left in the file"),
    )
    for counts, says in told:
        if counts:
            yield Notice(f"{says}: {_listed(counts)}")


def _listed(counts: Counter[str]) -> str:
    told = [f"{name} ({count})" for name, count in sorted(counts.items())]
    return ", ".join(told if len(told) <= _LISTED else [*told[:_LISTED], f"and {len(told) - _LISTED} more"])


SOURCE = Source(
    name="health.apple_health",
    title="Apple Health export",
    recognition="a zip that holds, or an XML that is, a document beginning as Apple's HealthData does, under any name",
    records=(SAMPLE, WORKOUT, SLEEP_STAGE, ACTIVITY_RING),
    recognises=_recognises,
    parse=parse,
    unit="line",
    whole=True,
    expect_every=timedelta(days=14),
)
