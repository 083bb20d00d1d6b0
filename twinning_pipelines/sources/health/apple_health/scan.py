"""The fast engine: Records by the bytes of their lines, everything else through the plain engine's parser.

A block is cut at the lines on which elements below the root begin. Each chunk is either a Record in Apple's own layout,
compared byte by byte (`lines`), or it makes, with its neighbours, a piece that a parser must find whole in itself.
So what stands behind a chunk stands below the root again, and nothing inside a comment or another element passes for a
Record. Where a piece is not whole the plain engine goes on from there, until it meets an element that is; for good when
too many Records need it. Of any text both engines make the same rows, rejections, counts and errors.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from twinning_pipelines.formats.xml_element import told_by
from twinning_pipelines.formats.xml_mend import Mender
from twinning_pipelines.formats.xml_pieces import joined as joined_portions
from twinning_pipelines.formats.xml_pieces import piece
from twinning_pipelines.formats.xml_stream import CONTROLS, DEEPEST, Portion, Reader, document
from twinning_pipelines.sources.health.apple_health.columns import Head, Records, joined
from twinning_pipelines.sources.health.apple_health.inside import Inside, read_inside
from twinning_pipelines.sources.health.apple_health.lines import Chunks, Rows, chunks_of, rows_of
from twinning_pipelines.sources.health.apple_health.moments import Mask, Numbers
from twinning_pipelines.sources.health.apple_health.plain import BATCH_ROWS, RECORD, ROOT, records_of
from twinning_pipelines.sources.health.apple_health.words import TOP_LEVEL

BLOCK_BYTES = 4 * 1024**2
# So many Records may need the parser; then not more than this share of all, or the plain engine is as fast.
PATIENCE = 2_000
_PLAIN_SHARE = 0.2
_BLOCKS_WITHOUT_CUT = 2
_REMEMBERED, _REMEMBERED_BYTES = 8_192, 512
_POINTER = re.compile(rb"HKDevice: 0x[0-9a-f]+")
# The root stands around them, too.
_DEEPEST_INSIDE = DEEPEST - 1
_TAIL_NAMES = {"creationDate", "startDate", "endDate", "value"}

_Found = tuple[Iterator[Records], Portion]


class _Rest(NamedTuple):
    """Text from a place of the document on, with its line and what stands before it there: below the root, or not yet."""

    text: bytes
    line: int
    margin: bytes
    inside: bool


def read_with_scan(stream: BinaryIO, *, block_bytes: int = BLOCK_BYTES, patience: int = PATIENCE) -> Iterator[_Found]:
    """The fast engine: finds what `read_with_expat` finds, in the same order, and raises what it raises."""
    text, line = document(stream, ROOT, block_bytes)
    rest = _Rest(text, line, b"", inside=False)
    scan = _Scan(patience)
    while True:
        found, rest, stuck = scan.read(rest)
        if found is not None:
            yield found
        if stuck or len(rest.text) > _BLOCKS_WITHOUT_CUT * block_bytes:
            reader = _reader(rest)
            portion = reader.feed(rest.text.translate(None, CONTROLS))
            while portion is None or scan.is_vain:
                if portion is not None:
                    yield records_of(portion), portion
                block = stream.read(block_bytes)
                if not block:
                    yield _last(reader)
                    return
                portion = reader.feed(block.translate(None, CONTROLS))
            scan.count(plain=portion.counts[RECORD])
            yield records_of(portion), portion
            rest = _Rest(*reader.rest(), inside=True)
        block = stream.read(block_bytes)
        if not block:
            break
        rest = rest._replace(text=rest.text + block)
    reader = _reader(rest)
    portion = reader.feed(rest.text.translate(None, CONTROLS))
    if portion is not None:
        yield records_of(portion), portion
    yield _last(reader)


def _reader(rest: _Rest) -> Reader:
    return Reader(ROOT, rest.line, Mender(ROOT, TOP_LEVEL), inside=rest.inside, margin=rest.margin)


def _last(reader: Reader) -> _Found:
    portion = reader.finish()
    return records_of(portion), portion


class _Scan:
    """Reads one text after another and remembers what start tags and insides of Records say."""

    def __init__(self, patience: int) -> None:
        self._heads: dict[bytes, Head | None] = {}
        self._insides: dict[bytes, Inside | None] = {}
        self._patience = patience
        self._fast = self._plain = 0

    @property
    def is_vain(self) -> bool:
        """Do so many Records need the parser that it should read the rest by itself?"""
        return self._plain > self._patience and self._plain > _PLAIN_SHARE * (self._fast + self._plain)

    def count(self, *, fast: int = 0, plain: int = 0) -> None:
        """So many Records more were read by lines, or by the parser."""
        self._fast += fast
        self._plain += plain

    def read(self, rest: _Rest) -> tuple[_Found | None, _Rest, bool]:
        """What is whole in a text, the text behind it, and whether that begins with a piece that is not whole."""
        chunks = chunks_of(rest.text)
        if not len(chunks.begins) or self.is_vain:
            return None, rest._replace(text=chunks.text), self.is_vain
        rows = rows_of(chunks, self._head, self._inside)
        portions: list[Portion] = []
        if chunks.begins[0]:
            lead = piece(chunks.text[: chunks.begins[0]], ROOT, rest.line, inside=rest.inside)
            if lead is None:
                return None, rest._replace(text=chunks.text), True
            portions.append(lead)
        count = len(chunks.begins) - 1
        for first, end in _runs(rows, count):
            text = chunks.text[chunks.begins[first] : chunks.begins[end]]
            found = piece(text, ROOT, rest.line + int(chunks.lines[first]), inside=True)
            if found is None:
                count = first
                break
            portions.append(found)
        stuck = count < len(chunks.begins) - 1
        begin = int(chunks.begins[count])
        margin = b"" if begin else rest.margin
        behind = _Rest(chunks.text[begin:], rest.line + int(chunks.lines[count]), margin, inside=True)
        return self._found(_records(chunks, rows, count, rest.line), joined_portions(portions)), behind, stuck

    def _found(self, fast: Records, portion: Portion) -> _Found:
        plain = list(records_of(portion))
        self.count(fast=len(fast.at), plain=portion.counts[RECORD])
        portion.counts.update(_names_of(fast))
        whole = fast
        if plain:
            whole = joined([fast, *plain])
            whole = whole.taken(np.argsort(whole.at, kind="stable"))
        return _sliced(whole), portion

    def _head(self, text: bytes) -> Head | None:
        """What a start tag without its last four attributes says. The address in a device's name tells nothing."""
        key = _POINTER.sub(b"HKDevice: 0x", text)
        if key not in self._heads:
            if len(self._heads) >= _REMEMBERED:
                self._heads.clear()
            self._heads[key] = _head_of(key)
        return self._heads[key]

    def _inside(self, text: bytes) -> Inside | None:
        """What the text between a start tag and an end tag says."""
        if len(text) > _REMEMBERED_BYTES:
            return read_inside(text, _DEEPEST_INSIDE)
        if text not in self._insides:
            if len(self._insides) >= _REMEMBERED:
                self._insides.clear()
            self._insides[text] = read_inside(text, _DEEPEST_INSIDE)
        return self._insides[text]


def _head_of(text: bytes) -> Head | None:
    told = told_by(text + b"/>", deepest=0)
    if told is None or told[0].name != RECORD or not _TAIL_NAMES.isdisjoint(told[0].attributes):
        return None
    return Head.of(told[0].attributes)


def _runs(rows: Rows, count: int) -> Iterator[tuple[int, int]]:
    """The chunks that are no Record of ours, neighbours together: the first, and the one behind the last."""
    others: Mask = np.ones(count + 2, np.bool_)
    others[rows.chunks + 1] = others[0] = others[-1] = False
    edges = np.flatnonzero(others[1:] != others[:-1]).tolist()
    return zip(edges[::2], edges[1::2], strict=True)


def _records(chunks: Chunks, rows: Rows, count: int, line: int) -> Records:
    """The Records among the first so many chunks."""
    text, begins, mine = chunks.text, chunks.begins, rows.chunks

    def raw(index: int) -> str:
        chunk = mine[index]
        return text[begins[chunk] + 1 : begins[chunk + 1] - 1].decode("utf-8", errors="replace")

    records = Records(
        line + chunks.lines[mine], rows.heads, rows.which, rows.starts, rows.ends, rows.values, rows.insides,
        rows.within, raw,
    )  # fmt: skip
    whole = int(np.searchsorted(mine, count))
    return records if whole == len(mine) else records.taken(np.arange(whole))


def _names_of(records: Records) -> Counter[str]:
    """How often each element occurs: the Records, and what stands inside them."""
    names = Counter({RECORD: len(records.at)})
    times = np.bincount(records.within + 1, minlength=len(records.insides) + 1)[1:].tolist()
    for inside, count in zip(records.insides, times, strict=True):
        for name, each in inside.names.items():
            names[name] += each * count
    return +names


def _sliced(records: Records) -> Iterator[Records]:
    """At most 16,384 at a time."""
    rows = len(records.at)
    if rows <= BATCH_ROWS:
        if rows:
            yield records
        return
    for begin in range(0, rows, BATCH_ROWS):
        order: Numbers = np.arange(begin, min(begin + BATCH_ROWS, rows))
        yield records.taken(order)
