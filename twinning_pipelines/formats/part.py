"""A file inside another, a member of a zip or a sheet of a workbook, read as if it had been dropped by itself."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import PurePosixPath
from typing import BinaryIO, TypeVar

from msgspec.structs import replace

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import HEAD_BYTES, Member, Original
from twinning_pipelines.source import Notice, Rejection

PART_BYTES = 256 * 1024**2

Item = TypeVar("Item")


class Part(Original, frozen=True, dict=True):
    """Bytes of a larger file under a name of their own; `path` is the larger file's. A part is never opened as a zip."""

    data: bytes = b""

    @cached_property
    def size(self) -> int:
        """Bytes of the part."""
        return len(self.data)

    @cached_property
    def head(self) -> bytes:
        """Its first 64 KiB."""
        return self.data[:HEAD_BYTES]

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """None: what a zip inside a zip holds is not looked at."""
        return ()

    @contextmanager
    def open(self, member: str | None = None) -> Iterator[BinaryIO]:
        """The bytes of the part."""
        if member is not None:
            raise UnreadableFile(f"a part has no members: {member}")
        yield io.BytesIO(self.data)


def part_of(original: Original, member: Member) -> Part:
    """A member of a zip with all its bytes. Raises UnreadableFile for damage and beyond 256 MiB."""
    if member.size > PART_BYTES:
        raise UnreadableFile(f"{member.name}: more than {PART_BYTES // 1024**2} MiB")
    with original.open(member.name) as stream:
        return Part(original.path, base_name(member), original.modified_at, stream.read())


def head_part(original: Original, member: Member) -> Part:
    """A member of a zip as far as its head, to recognise it by; empty where it is damaged."""
    try:
        data = original.head_of(member.name)
    except UnreadableFile:
        data = b""
    return Part(original.path, base_name(member), original.modified_at, data)


def base_name(member: Member) -> str:
    """The name of a member without its folders."""
    return PurePosixPath(member.name.replace("\\", "/")).name


def told_in(name: str, items: Iterable[Item]) -> Iterator[Item | Rejection | Notice]:
    """The items of one part; what a person reads of them says which part it is about."""
    for item in items:
        if isinstance(item, Rejection):
            yield replace(item, reason=f"{name}: {item.reason}")
        elif isinstance(item, Notice):
            yield Notice(f"{name}: {item.text}")
        else:
            yield item
