"""A dropped file, read in place: its head, its zip members, its bytes, guarded against what a hostile file would do.

Zip archives are never unpacked to disk. Refused: members that leave the archive, links, encrypted members, and
bombs (by count, by total size, by ratio, and by what really comes out, whatever the directory says).
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from twinning_pipelines.errors import HostileFile, UnreadableFile

HEAD_BYTES = 64 * 1024
MAX_MEMBERS = 200_000
MAX_INFLATED_BYTES = 64 * 1024**3
MAX_RATIO = 400
# A small member may compress very well; a ratio means harm only past this size.
RATIO_FREE_BYTES = 256 * 1024**2

_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside a zip: its path there and its size when inflated, in bytes."""

    name: str
    size: int


@dataclass(frozen=True)
class Original:
    """A file as it was dropped. `name` is what the person called it; `path` is where its bytes are now."""

    path: Path
    name: str
    modified_at: datetime

    @classmethod
    def at(cls, path: Path) -> "Original":
        """The file at a path, under its own name."""
        modified = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
        return cls(path, path.name, modified)

    @cached_property
    def size(self) -> int:
        """Bytes on disk."""
        return self.path.stat().st_size

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB: enough to recognise any format we read."""
        with self.path.open("rb") as stream:
            return stream.read(HEAD_BYTES)

    @cached_property
    def text_head(self) -> str:
        """The head as text, for recognition only: UTF-16 by its mark, else UTF-8."""
        return as_text(self.head)

    @property
    def is_zip(self) -> bool:
        """By content; the file's name says nothing."""
        return self.head.startswith(_ZIP_MAGIC)

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """The files inside a zip, without the litter of macOS; empty for any other file. Raises UnreadableFile."""
        if not self.is_zip:
            return ()
        with _zip_errors(), zipfile.ZipFile(self.path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
        _refuse_hostile(infos)
        return tuple(Member(info.filename, info.file_size) for info in infos if not _is_litter(info.filename))

    def head_of(self, member: str) -> bytes:
        """The first 64 KiB of a zip member."""
        with self.open(member) as stream:
            return stream.read(HEAD_BYTES)

    @contextmanager
    def open(self, member: str | None = None) -> Iterator[BinaryIO]:
        """The bytes of the file, or of one member of a zip. Damage met while reading raises UnreadableFile."""
        if member is None:
            with self.path.open("rb") as stream:
                yield stream
            return
        with _zip_errors(), zipfile.ZipFile(self.path) as archive:
            info = archive.getinfo(member)
            with archive.open(info) as inflated:
                yield io.BufferedReader(_Guarded(inflated, info.file_size), 1 << 20)


def as_text(head: bytes) -> str:
    """The head of a file as text, leniently: for recognition, never for values."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", errors="replace")
    return head.decode("utf-8-sig", errors="replace")


class _Guarded(io.RawIOBase):
    """A member's stream that stops once more comes out than the zip's directory promised."""

    def __init__(self, inflated: IO[bytes], promised: int) -> None:
        super().__init__()
        self._inflated = inflated
        self._left = promised

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        with _zip_errors():
            block = self._inflated.read(len(view))
        self._left -= len(block)
        if self._left < 0:
            raise HostileFile("a zip member holds more than its directory entry says")
        view[: len(block)] = block
        return len(block)


@contextmanager
def _zip_errors() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError) as damage:
        raise UnreadableFile(f"damaged zip: {damage}") from damage
    except (NotImplementedError, RuntimeError) as unsupported:
        raise UnreadableFile(f"zip member can't be read: {unsupported}") from unsupported
    except KeyError as missing:
        raise UnreadableFile(f"zip member is missing: {missing}") from missing


def _is_litter(name: str) -> bool:
    path = PurePosixPath(name)
    return "__MACOSX" in path.parts or path.name.startswith("._") or path.name == ".DS_Store"


def _refuse_hostile(infos: list[zipfile.ZipInfo]) -> None:
    if len(infos) > MAX_MEMBERS:
        raise HostileFile(f"a zip of {len(infos)} members; at most {MAX_MEMBERS} are read")
    if sum(info.file_size for info in infos) > MAX_INFLATED_BYTES:
        raise HostileFile(f"a zip that inflates to more than {MAX_INFLATED_BYTES // 1024**3} GiB")
    for info in infos:
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")):
            raise HostileFile(f"a zip member that leaves the archive: {info.filename!r}")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise HostileFile(f"a zip member that is a link: {info.filename!r}")
        if info.file_size > RATIO_FREE_BYTES and info.file_size > MAX_RATIO * max(info.compress_size, 1):
            raise HostileFile(
                f"a zip bomb: {info.filename!r} inflates {info.file_size // max(info.compress_size, 1)} times"
            )
