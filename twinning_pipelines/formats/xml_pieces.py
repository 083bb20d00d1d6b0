"""Pieces of a long XML document, each read by itself: for readers that find most elements without a parser."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

import numpy as np

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.xml_stream import Inner, Portion, Reader


def piece(text: bytes, root: str, line: int, *, inside: bool) -> Portion | None:
    """The elements of a piece of a document; None when it is not whole in itself.

    `inside` it stands directly below the root; otherwise it begins with the root's start tag.
    """
    reader = Reader(root, line, None, inside=inside)
    try:
        reader.feed(text + f"</{root}>".encode())
        portion = reader.finish()
    except UnreadableFile:
        return None
    # This end of the root is ours, and no part of the piece.
    del portion.counts[root]
    return portion


def joined(portions: Sequence[Portion]) -> Portion:
    """Portions that follow each other, as one."""
    if len(portions) == 1:
        return portions[0]
    inner, shift = Inner(), 0
    for portion in portions:
        inner.owners.extend(owner + shift for owner in portion.inner.owners)
        inner.depths.extend(portion.inner.depths)
        inner.names.extend(portion.inner.names)
        inner.attributes.extend(portion.inner.attributes)
        shift += len(portion.names)
    lengths = np.cumsum([0, *(len(portion.text) for portion in portions)])
    starts = [portion.starts + length for portion, length in zip(portions, lengths[:-1].tolist(), strict=True)]
    counts = Counter[str]()
    for portion in portions:
        counts.update(portion.counts)
    return Portion(
        list(chain.from_iterable(portion.names for portion in portions)),
        list(chain.from_iterable(portion.attributes for portion in portions)),
        np.concatenate([np.zeros(0, np.int64), *(portion.lines for portion in portions)]),
        np.concatenate([np.zeros(0, np.int64), *starts]),
        b"".join(portion.text for portion in portions),
        inner,
        counts,
        tuple(chain.from_iterable(portion.broken for portion in portions)),
    )
