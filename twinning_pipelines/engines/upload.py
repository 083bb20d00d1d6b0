"""A body that is sent from a file, block by block, instead of being held in memory."""

from collections.abc import Callable, Iterator

from msgspec import Struct


class Upload(Struct, frozen=True):
    """kind: its content type; size: bytes; `blocks` begins it anew at each call."""

    kind: str
    size: int
    blocks: Callable[[], Iterator[bytes]]
