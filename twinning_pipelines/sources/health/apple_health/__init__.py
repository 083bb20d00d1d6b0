"""Everything the Health app of an iPhone holds, of all versions of the export since 2015.

From: the Health app, your picture, "Export All Health Data": a zip with one large XML, localised in all its names.
To: sample, sleep_stage, workout, workout_part, route, activity_ring, correlation, electrocardiogram, hearing_threshold,
vision_prescription, personal_trait, clinical_document.

The parts of the zip: the XML; GPX files of routes, electrocardiograms as CSV, and documents of health records beside it;
`export_cda.xml`, a copy of some vitals in another format, which is announced and not read. At the end stands an account:
what became of the elements of each name, stored, rejected, or left out by a rule. A broken element is rejected with its
text and costs no other; an XML that breaks off is refused whole.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import PurePosixPath

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.xml_stream import Portion
from twinning_pipelines.formats.xml_tree import elements_in
from twinning_pipelines.original import Member, Original
from twinning_pipelines.records.health import ACTIVITY_RING, SAMPLE
from twinning_pipelines.records.medical import CORRELATION, DOCUMENT, ELECTROCARDIOGRAM, HEARING, PRESCRIPTION, TRAIT
from twinning_pipelines.records.sessions import ROUTE, SLEEP_STAGE, WORKOUT, WORKOUT_PART
from twinning_pipelines.source import Batch, ExportedAt, Item, Notice, Rejection, Row, Source, gather
from twinning_pipelines.sources.health.apple_health import members, sessions
from twinning_pipelines.sources.health.apple_health.account import (
    DATE_RULE,
    NO_DATE_RULE,
    ROOT_RULE,
    SLEEP_RULE,
    Ledger,
)
from twinning_pipelines.sources.health.apple_health.moments import moment_of
from twinning_pipelines.sources.health.apple_health.plain import RECORD, ROOT, Engine
from twinning_pipelines.sources.health.apple_health.records import Oddities, batches, devices_of
from twinning_pipelines.sources.health.apple_health.scan import read_with_scan
from twinning_pipelines.sources.health.apple_health.sessions import Findings
from twinning_pipelines.sources.health.apple_health.words import shown

_SNIFFED_BYTES = 4_096
_SNIFFED_MEMBERS = 20
_DEEPEST_FOLDER = 3
_LISTED = 100
_MARK = re.compile(rb"<(?:!DOCTYPE\s+)?HealthData[\s>\[/]")
_DATE = "ExportDate"

RECORDS = (
    SAMPLE, WORKOUT, WORKOUT_PART, ROUTE, SLEEP_STAGE, ACTIVITY_RING, CORRELATION, ELECTROCARDIOGRAM, HEARING,
    PRESCRIPTION, TRAIT, DOCUMENT,
)  # fmt: skip


def _is_export(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n\0").startswith(b"<") and _MARK.search(head[:_SNIFFED_BYTES]) is not None


def _may_be_export(member: Member) -> bool:
    path = PurePosixPath(member.name)
    name = path.name.lower()
    return name.endswith(".xml") and not name.endswith(members.CDA_ENDING) and len(path.parts) <= _DEEPEST_FOLDER


def _exports_in(original: Original) -> list[str]:
    """The members of a zip that hold an export, by content: their names are localised."""
    candidates = sorted(filter(_may_be_export, original.members), key=lambda member: -member.size)
    return [member.name for member in candidates[:_SNIFFED_MEMBERS] if _is_export(original.head_of(member.name))]


def _recognises(original: Original) -> bool:
    return bool(_exports_in(original)) if original.is_zip else _is_export(original.head)


def parse(original: Original, clock: Clock, engine: Engine = read_with_scan) -> Iterator[Item]:
    """What an export says. Raises UnreadableFile, with the line, where the XML breaks off or is broken beyond an element."""
    main = _main_of(original)
    ledger, oddities = Ledger(), Oddities()
    findings = Findings(ledger, clock)
    for item in _items(original, main, engine, findings, oddities):
        if isinstance(item, Batch):
            ledger.reject(item.rejections)
        yield item
    yield from _notices(oddities, findings)
    yield from ledger.accounts()
    yield devices_of(oddities)


def _main_of(original: Original) -> str | None:
    """The member with the export; None for an XML by itself."""
    if not original.is_zip:
        return None
    found = _exports_in(original)
    if not found:
        raise UnreadableFile("no export in the zip")
    if len(found) > 1:
        raise UnreadableFile(f"{len(found)} exports in one zip, drop each by itself: {', '.join(sorted(found))}")
    return found[0]


def _items(
    original: Original, main: str | None, engine: Engine, findings: Findings, oddities: Oddities
) -> Iterator[Item]:
    with original.open(main) as stream:
        for columns, portion in engine(stream):
            findings.ledger.met.update(portion.counts)
            yield from _exported_at(portion, findings.ledger)
            for records in columns:
                yield from batches(records, oddities)
            yield from gather(_few(portion, findings), RECORDS)
    findings.ledger.ignore(ROOT_RULE, {ROOT: findings.ledger.met[ROOT]})
    findings.ledger.ignore(SLEEP_RULE, oddities.left_asleep_names)
    others = members.without_zip(findings) if main is None else members.in_zip(original, main, findings)
    yield from gather(others, RECORDS)


def _few(portion: Portion, findings: Findings) -> Iterator[Row | Rejection]:
    """All of a portion but its Records: rows, and rejections of what is broken."""
    yield from sessions.rows(portion.elements(*sessions.NAMES), findings)
    strange = sorted(set(portion.names) - {RECORD, _DATE, *sessions.NAMES})
    sessions.leave(portion.elements(*strange), findings)
    for broken in portion.broken:
        findings.ledger.met.update(elements_in(broken.raw))
        record = sessions.TABLES.get(broken.name, SAMPLE)
        yield Rejection(broken.at, record.name, broken.reason, broken.raw)


def _exported_at(portion: Portion, ledger: Ledger) -> Iterator[Item]:
    for element in portion.elements(_DATE):
        printed = element.attributes.get("value", "")
        instant = moment_of(printed)
        ledger.ignore(NO_DATE_RULE if instant is None else DATE_RULE, elements_in(element.raw))
        yield (
            Notice(f"the export's own date is not a moment: {shown(printed)}")
            if instant is None
            else ExportedAt(instant)
        )


def _notices(oddities: Oddities, findings: Findings) -> Iterator[Notice]:
    told = (
        (
            oddities.unregistered + findings.unregistered,
            "types that Twinning has no metric for, kept under their own names and units",
        ),
        (oddities.zones, "time zones that nobody knows, left out"),
        (oddities.left_asleep, "what sleep stages say beside their zone, left out"),
        (findings.left_on_routes, "what routes say beside their points, left out"),
        (findings.unset, "traits that the person has not set, left out"),
        (findings.unknown, "elements that no table holds yet, left in the file"),
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
    records=RECORDS,
    recognises=_recognises,
    parse=parse,
    unit="line",
    version=2,
    whole=True,
    expect_every=timedelta(days=14),
)
