"""A body that is sent from a file, block by block, instead of being held in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Upload:
    """kind: its content type; size: bytes; `blocks` begins it anew at each call."""

    kind: str
    size: int
    blocks: Callable[[], Iterator[bytes]]
