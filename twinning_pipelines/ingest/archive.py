"""The archive: every original is kept by the sha256 of its bytes, before anything is read from it.

`archive/ab/abcdef….xml`: the same bytes are kept once, however often they are dropped. A file appears there whole or not
at all: it is written under another name, flushed to the disk, and renamed.
"""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

_BLOCK = 1 << 20


def place_of(archive: Path, sha256: str) -> Path:
    """Where the original with this digest is kept."""
    return archive / sha256[:2] / sha256


def keep(path: Path, archive: Path) -> tuple[str, Path]:
    """Copies a file into the archive and answers (sha256, place). Keeping it again changes nothing.

    The digest is taken of the bytes that are written, so a file that changes meanwhile is kept as it was read.
    """
    archive.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, draft = tempfile.mkstemp(dir=archive, prefix=".incoming-")
    try:
        with os.fdopen(descriptor, "wb") as target, path.open("rb") as origin:
            sha256 = _copy(origin, target)
            target.flush()
            os.fsync(target.fileno())
        place = place_of(archive, sha256)
        if place.exists():
            return sha256, place
        place.parent.mkdir(exist_ok=True, mode=0o700)
        Path(draft).chmod(0o400)
        Path(draft).replace(place)
        return sha256, place
    finally:
        Path(draft).unlink(missing_ok=True)


def _copy(origin: BinaryIO, target: BinaryIO) -> str:
    sha256 = hashlib.sha256()
    while block := origin.read(_BLOCK):
        sha256.update(block)
        target.write(block)
    return sha256.hexdigest()
