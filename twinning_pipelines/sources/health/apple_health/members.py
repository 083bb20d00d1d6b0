"""The files beside the XML in Apple's zip: routes, electrocardiograms, clinical documents; the others are announced.

Members are told apart by what is in them, because names of folders and files are localised.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import PurePosixPath
from typing import BinaryIO

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.xml_tree import elements_in
from twinning_pipelines.original import Member, Original
from twinning_pipelines.records.medical import ELECTROCARDIOGRAM
from twinning_pipelines.source import Notice, Rejection, Row
from twinning_pipelines.sources.health.apple_health import ecg, routes
from twinning_pipelines.sources.health.apple_health.account import ELSEWHERE_RULE
from twinning_pipelines.sources.health.apple_health.medical import Document
from twinning_pipelines.sources.health.apple_health.routes import Reference
from twinning_pipelines.sources.health.apple_health.sessions import Findings

_Items = Iterator[Row | Rejection | Notice]
_Opener = Callable[[str], AbstractContextManager[BinaryIO]]

_BLOCK_BYTES = 1024**2
_LISTED = 5
CDA_ENDING = "_cda.xml"


def without_zip(findings: Findings) -> _Items:
    """What remains to be told of the files that an XML dropped by itself refers to."""
    if findings.references:
        for each in findings.references:
            findings.ledger.ignore(ELSEWHERE_RULE, elements_in(each.raw))
        yield Notice(f"routes that stand in files beside the XML, left out: {len(findings.references)}; drop the zip")
    yield from (each.row(None, None, None) for each in findings.documents)
    yield from _missing(len(findings.documents))


def in_zip(original: Original, main: str, findings: Findings) -> _Items:
    """Every other member of the zip whose XML is `main`: rows, rejections, and what is left in the file."""
    with original.opener() as opened:
        folder = _Folder(original.members, main)
        yield from _routes(folder, opened, findings)
        yield from _electrocardiograms(folder, opened, findings)
        yield from _documents(folder, opened, findings.documents)
    yield from folder.rest()


class _Folder:
    """The members of a zip, and which of them nobody has asked for yet."""

    def __init__(self, members: tuple[Member, ...], main: str) -> None:
        self._sizes = {member.name: member.size for member in members}
        self._home = PurePosixPath(main).parent
        self._unread = dict.fromkeys(name for name in self._sizes if name != main)
        names = Counter(PurePosixPath(name).name for name in self._sizes)
        self._by_last = {PurePosixPath(name).name: name for name in self._sizes if names[PurePosixPath(name).name] == 1}

    def find(self, path: str) -> str | None:
        """The member that the XML means by a path: from its own folder on, or else the only one of that name."""
        relative = PurePosixPath(path.lstrip("/"))
        name = str(self._home / relative)
        found = name if name in self._sizes else self._by_last.get(relative.name)
        if found is not None:
            self.done(found)
        return found

    def done(self, name: str) -> None:
        """Somebody has read this member."""
        self._unread.pop(name, None)

    def unread(self, *endings: str) -> list[str]:
        """The members that nobody has read, with one of these endings, by name."""
        return sorted(name for name in self._unread if name.lower().endswith(endings))

    def size(self, name: str) -> int:
        """Bytes when inflated."""
        return self._sizes[name]

    def rest(self) -> Iterator[Notice]:
        """What is left in the file: the copy of some vitals that Apple always adds, and anything unheard of."""
        for name in self.unread(CDA_ENDING):
            self.done(name)
            yield Notice(f"{PurePosixPath(name).name}: repeats some of the records in another format, not read")
        others = self.unread("")
        if others:
            more = f", and {len(others) - _LISTED} more" if len(others) > _LISTED else ""
            yield Notice(f"files in the zip that nothing is known of, left in it: {', '.join(others[:_LISTED])}{more}")


def _routes(folder: _Folder, opened: _Opener, findings: Findings) -> _Items:
    """Routes of workouts in the order of the XML, then the GPX files that no workout refers to, one file at a time."""
    oddities = Counter[str]()
    for reference in findings.references:
        member = folder.find(reference.path)
        if member is None:
            yield routes.refused(reference, "missing from the zip")
        else:
            yield from _route(member, folder, opened, reference, oddities)
    for name in folder.unread(".gpx"):
        folder.done(name)
        yield from _route(name, folder, opened, Reference(1, name, name), oddities)
    for says, count in sorted(oddities.items()):
        if count:
            yield Notice(f"{says} in routes, left out: {count}")


def _route(
    member: str, folder: _Folder, opened: _Opener, reference: Reference, oddities: Counter[str]
) -> Iterator[Row | Rejection]:
    if not folder.size(member):
        yield routes.refused(reference, "empty")
        return
    try:
        with opened(member) as stream:
            found = routes.from_file(stream, reference, oddities)
    except UnreadableFile as wrong:
        found = [routes.refused(reference, str(wrong))]
    yield from found


def _electrocardiograms(folder: _Folder, opened: _Opener, findings: Findings) -> _Items:
    known = False
    for name in folder.unread(".csv"):
        found = _electrocardiogram(name, folder, opened, findings)
        if found is not None:
            folder.done(name)
            yield found
            known = True
    if known:
        yield Notice("electrocardiograms: the person's name and birth date, which stand in each, are not kept")


def _electrocardiogram(name: str, folder: _Folder, opened: _Opener, findings: Findings) -> Row | Rejection | None:
    short = PurePosixPath(name).name
    if not 0 < folder.size(name) <= ecg.LONGEST_BYTES:
        reason = "longer than 32 MiB" if folder.size(name) else "empty"
        return Rejection(1, ELECTROCARDIOGRAM.name, f"{short}: {reason}", short)
    try:
        with opened(name) as stream:
            content = stream.read()
    except UnreadableFile as wrong:
        return Rejection(1, ELECTROCARDIOGRAM.name, f"{short}: {wrong}", short)
    return ecg.row_of(content, short, findings.clock)


def _documents(folder: _Folder, opened: _Opener, documents: list[Document]) -> _Items:
    missing = 0
    for each in documents:
        member = folder.find(each.path) if each.path else None
        missing += member is None
        try:
            digest = None if member is None else _digest(opened, member)
        except UnreadableFile as wrong:
            yield Notice(f"{member}: {wrong}")
            digest = None
        yield each.row(member, None if member is None or digest is None else folder.size(member), digest)
    yield from _missing(missing)


def _missing(count: int) -> Iterator[Notice]:
    if count:
        yield Notice(f"clinical documents whose files are missing: {count}; they are listed without size and digest")


def _digest(opened: _Opener, member: str) -> str:
    digest = hashlib.sha256()
    with opened(member) as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
