"""Where rows stand in exports of many documents: their numbers, and what becomes of a document that breaks off."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO

from msgspec import Struct, field

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats.part import PART_BYTES, Part, base_name, told_in
from twinning_pipelines.original import HEAD_BYTES, Member, Original
from twinning_pipelines.records.record import Record
from twinning_pipelines.source import Notice, Rejection, Row
from twinning_pipelines.sources.health.exercise import Oddities

# How a document is opened, the file itself or one member of a zip; may be done more than once.
Opening = Callable[[], AbstractContextManager[BinaryIO]]


def head_of(opening: Opening) -> bytes:
    """The first 64 KiB of a document. Raises UnreadableFile."""
    with opening() as stream:
        return stream.read(HEAD_BYTES)


def part_of(opening: Opening, original: Original, member: Member) -> Part:
    """A member of a zip with all its bytes, for what reads no streams. Raises UnreadableFile beyond 256 MiB."""
    if member.size > PART_BYTES:
        raise UnreadableFile(f"more than {PART_BYTES // 1024**2} MiB")
    with opening() as stream:
        return Part(original.path, base_name(member), original.modified_at, stream.read())


class Place(Struct, frozen=True):
    """Where a value stands in the file: the number of its record, and its text."""

    at: int
    raw: str

    def rejection(self, record: Record, reason: object) -> Rejection:
        """The rejection of what stands there."""
        return Rejection(self.at, record.name, str(reason), self.raw)


class Places(Struct):
    """Numbers records from 1, through all the documents of a zip. `at` is the last number given."""

    at: int = 0

    def next(self, raw: str) -> Place:
        """The place of the next record."""
        self.at += 1
        return Place(self.at, raw)

    def part(
        self, name: str, rows: Iterator[Row | Rejection | Notice], record: Record
    ) -> Iterator[Row | Rejection | Notice]:
        """The rows of one document of a zip, told under its name; one that breaks off costs its own rest and no other.

        Raises HostileFile.
        """
        try:
            yield from told_in(name, rows)
        except HostileFile:
            raise
        except UnreadableFile as fault:
            yield self.next("").rejection(record, f"{name}: its rest can't be read: {fault}")


class Desk(Struct, frozen=True):
    """What the reading of one file shares: the person's clock, where its rows stand, what a person should know of it."""

    clock: Clock
    places: Places = field(default_factory=Places)
    oddities: Oddities = field(default_factory=Oddities)
