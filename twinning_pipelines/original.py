"""A dropped file, read in place: its head, its zip members, its bytes, guarded against what a hostile file would do.

Zip archives are never unpacked to disk. Refused: members that leave the archive, links, encrypted members, and
bombs (by count, by total size, by ratio, and by what really comes out, whatever the directory says).
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from isal import isal_zlib
from msgspec import Struct

from twinning_pipelines.errors import HostileFile, UnreadableFile

HEAD_BYTES = 64 * 1024
MAX_MEMBERS = 200_000
MAX_INFLATED_BYTES = 64 * 1024**3
MAX_RATIO = 400
# A small member may compress very well; a ratio means harm only past this size.
RATIO_FREE_BYTES = 256 * 1024**2

_HEADER_BYTES = 30
_PACKED_BYTES = 64 * 1024
# The stubs of isal take its error for an instance.
_DAMAGE: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    zlib.error,
    cast("type[Exception]", isal_zlib.error),
    EOFError,
)
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")


class Member(Struct, frozen=True):
    """One file inside a zip: its path there and its size when inflated, in bytes."""

    name: str
    size: int


class Original(Struct, frozen=True, dict=True):
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
        with self.opener() as opened, opened(member) as inflated:
            yield inflated

    @contextmanager
    def opener(self) -> Iterator[Callable[[str], AbstractContextManager[BinaryIO]]]:
        """Opens members of a zip one after another, as `open` does; the zip's directory is read once for all of them."""
        with _zip_errors():
            archive = zipfile.ZipFile(self.path)
        with archive:
            yield partial(_inflating, self.path, archive)


@contextmanager
def _inflating(path: Path, archive: zipfile.ZipFile, member: str) -> Iterator[BinaryIO]:
    with _zip_errors():
        info = archive.getinfo(member)
        # It judges what stands before the member's bytes, too: encryption, a method that nobody knows.
        inflated = archive.open(info)
    with inflated, path.open("rb") as packed:
        deflated = info.compress_type == zipfile.ZIP_DEFLATED
        raw = _Inflated(packed, info) if deflated else _Guarded(inflated, info.file_size)
        yield io.BufferedReader(raw, 1 << 20)


def as_text(head: bytes) -> str:
    """The head of a file as text, leniently: for recognition, never for values."""
    if is_utf16(head):
        return head.decode("utf-16", errors="replace")
    return head.decode("utf-8-sig", errors="replace")


def is_utf16(head: bytes) -> bool:
    """By its mark."""
    return head.startswith((b"\xff\xfe", b"\xfe\xff"))


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


class _Inflated(io.RawIOBase):
    """A deflated member's stream, guarded alike; ISA-L inflates at three times the speed of zlib."""

    def __init__(self, packed: BinaryIO, info: zipfile.ZipInfo) -> None:
        super().__init__()
        self._packed = packed
        self._info = info
        self._packed_left = info.compress_size
        self._count = self._crc = 0
        self._inflater = isal_zlib.decompressobj(-zlib.MAX_WBITS)
        packed.seek(info.header_offset)
        header = packed.read(_HEADER_BYTES)
        # The header ends with the lengths of a name and of a field that stand before the bytes.
        packed.seek(int.from_bytes(header[-4:-2], "little") + int.from_bytes(header[-2:], "little"), io.SEEK_CUR)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        with _zip_errors():
            block = self._block(len(view))
            self._count += len(block)
            if self._count > self._info.file_size:
                raise HostileFile("a zip member holds more than its directory entry says")
            if self._inflater.eof:
                self._judge()
        view[: len(block)] = block
        return len(block)

    def _block(self, size: int) -> bytes:
        """Up to so many bytes; none at the end."""
        while not self._inflater.eof:
            packed = self._inflater.unconsumed_tail
            if not packed:
                packed = self._packed.read(min(_PACKED_BYTES, self._packed_left))
                self._packed_left -= len(packed)
            block: bytes = self._inflater.decompress(packed, size)
            if block:
                self._crc = isal_zlib.crc32(block, self._crc)
                return block
            if not packed:
                raise EOFError("it breaks off")
        return b""

    def _judge(self) -> None:
        """At the end: is it the one that the directory promised? Raises BadZipFile."""
        if (self._count, self._crc) != (self._info.file_size, self._info.CRC):
            raise zipfile.BadZipFile(f"Bad CRC-32 for file {self._info.filename!r}")


@contextmanager
def _zip_errors() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as damage:
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
