"""Records found by the bytes of their lines, whole columns at a time, where an export is laid out as Apple lays it out:

     <Record type="…" … unit="…" creationDate="…" startDate="…" endDate="…" value="…"/>

indented by one blank; or with `>` at the end, and then up to the line ` </Record>`. A line is read from its end: the
last four attributes stand at fixed distances before the value. Nothing is taken on trust: every name, quote and date is
compared, what stands before the dates and what stands inside is given to a parser once for all that are alike, and a
Record that differs in a single byte is left to the caller.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from twinning_pipelines.formats.xml_stream import CONTROLS
from twinning_pipelines.sources.health.apple_health.columns import Head
from twinning_pipelines.sources.health.apple_health.inside import Inside
from twinning_pipelines.sources.health.apple_health.moments import Letters, Mask, Moments, Numbers, Words, moments_at

_BLANK, _SLASH, _QUOTE, _END, _FEED = map(ord, ' /">\n')


def _word(letters: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(letters, "little"))


_RECORD, _CLOSING, _CLOSED = map(_word, (b" <Record", b" </Recor", b"/Record>"))
_CLOSING_BYTES = len(b" </Record>\n")
_TWO_BYTES, _OPENS = np.uint64(0xFFFF), _word(b" <")
_THIRD_BYTE, _ENDS = np.uint64(0xFF0000), _word(b"\0\0/")

# The tail of a start tag; # stands for what differs. It is compared in words of eight bytes.
_TAIL = b"".join(b' %s="%s"' % (name, b"#" * 25) for name in (b"creationDate", b"startDate", b"endDate")) + b' value="'
_WINDOW = 128
_PADDED = _TAIL.rjust(_WINDOW, b"#")
_EXPECTED = np.frombuffer(_PADDED, "<u8")
_COMPARED = np.frombuffer(bytes(0 if letter == ord("#") else 255 for letter in _PADDED), "<u8")
_DATES = tuple(_PADDED.index(name) + len(name) for name in (b'creationDate="', b'startDate="', b'endDate="'))
_SHORTEST_LINE = len(b" <Record") + len(_TAIL) + len(b'">')
_LONGEST_VALUE = 64

_QUOTES, _SEVEN_BITS = np.uint64(0x2222222222222222), np.uint64(0x7F7F7F7F7F7F7F7F)
_PLAIN = np.zeros(256, np.bool_)
_PLAIN[32:127] = True
_PLAIN[list(b'"&<')] = False


class Chunks(Struct, frozen=True):
    """A text cut at each line that begins, behind one blank, with a tag that is no end tag.

    begins: where these lines begin; the last chunk may go on behind the text. lines: their numbers, from 0. first_ends:
    the line feed of the first line of each chunk but the last; last_lines: where the last line of each of them begins.
    closes: that line is ` </Record>`. likely: the chunk begins as a Record does and holds no carriage return or tab.
    """

    text: bytes
    begins: Numbers
    lines: Numbers
    first_ends: Numbers
    last_lines: Numbers
    closes: Mask
    likely: Mask


def chunks_of(text: bytes) -> Chunks:
    """The chunks of a text, from which the control characters are removed that XML forbids."""
    letters = np.frombuffer(text, np.uint8)
    feeds = np.flatnonzero(letters < _BLANK)
    others = feeds[letters[feeds] != _FEED]
    if len(others):
        if not np.isin(letters[others], (9, 10, 13)).all():
            return chunks_of(text.translate(None, CONTROLS))
        feeds = feeds[letters[feeds] == _FEED]
    starts = np.concatenate(([0], feeds + 1))
    # A line of fewer letters at the very end begins no chunk yet.
    starts = starts[: np.searchsorted(starts, len(text) - 8)]
    words = _words(text, starts)
    tops = np.flatnonzero(((words & _TWO_BYTES) == _OPENS) & ((words & _THIRD_BYTE) != _ENDS))
    begins = starts[tops]
    last_lines = starts[tops[1:] - 1]
    closes = (words[tops[1:] - 1] == _CLOSING) & (begins[1:] - last_lines == _CLOSING_BYTES)
    closes[closes] = _words(text, last_lines[closes] + 2) == _CLOSED
    likely = ((words[tops] == _RECORD) & (letters[begins + 8] == _BLANK))[:-1]
    if len(others):
        held = np.searchsorted(begins, others, side="right") - 1
        likely[held[(held >= 0) & (held < len(likely))]] = False
    return Chunks(text, begins, tops, feeds[tops[:-1]], last_lines, closes, likely)


class Rows(Struct, frozen=True):
    """The Records among some chunks. chunks: which of them. The other columns are those of `Records`."""

    chunks: Numbers
    heads: list[Head]
    which: Numbers
    starts: Moments
    ends: Moments
    values: pa.StringArray
    insides: list[Inside]
    within: Numbers


_Read = TypeVar("_Read")


def rows_of(
    chunks: Chunks, head_of: Callable[[bytes], Head | None], inside_of: Callable[[bytes], Inside | None]
) -> Rows:
    """The chunks that are one Record in Apple's own layout.

    head_of: what a start tag without its last four attributes says, inside_of: what the text between the lines of the
    start tag and the end tag says; each answers None where the text is not well-formed.
    """
    letters = np.frombuffer(chunks.text, np.uint8)
    found, shut, quotes = _framed(chunks, letters)
    opening = _opening_quotes(chunks.text, quotes)
    long = opening - len(_TAIL) >= chunks.begins[found] + len(b"<Record")
    found, shut, quotes, opening = found[long], shut[long], quotes[long], opening[long]
    windows = _windows(chunks.text, opening + 1 - _WINDOW, _WINDOW)
    ok = ~((windows.view("<u8") ^ _EXPECTED) & _COMPARED).any(axis=1)
    (_, created_ok), starts, ends = (moments_at(windows, place) for place in _DATES)
    ok &= created_ok & starts[1] & ends[1]
    heads, which = _read(chunks.text, chunks.begins[found] + 1, opening + 1 - len(_TAIL), head_of)
    inner = np.flatnonzero(~shut)
    insides, stands = _read(
        chunks.text, chunks.first_ends[found[inner]] + 1, chunks.last_lines[found[inner]], inside_of
    )
    values, values_ok = _values(chunks.text, opening + 1, quotes)
    ok &= values_ok & (which >= 0)
    ok[inner] &= stands >= 0
    within = np.full(len(found), -1, np.int64)
    filled = np.array([bool(each.names) for each in insides] + [False], np.bool_)
    within[inner] = np.where(filled[stands], stands, -1)
    kept = np.flatnonzero(ok)
    return Rows(
        chunks=found[kept],
        heads=heads,
        which=which[kept],
        starts=Moments(starts[0][kept], starts[1][kept], {}),
        ends=Moments(ends[0][kept], ends[1][kept], {}),
        values=values if len(kept) == len(values) else values.take(pa.array(kept)),
        insides=insides,
        within=within[kept],
    )


def _framed(chunks: Chunks, letters: Letters) -> tuple[Numbers, Mask, Numbers]:
    """Chunks with the lines of one Record: which, whether its start tag ends it, where the last quote of that tag is."""
    found = np.flatnonzero(chunks.likely)
    ends = chunks.first_ends[found]
    found = found[ends - chunks.begins[found] >= _SHORTEST_LINE]
    ends = chunks.first_ends[found]
    shut = letters[ends - 2] == _SLASH
    quotes = ends - 2 - shut
    one_line = chunks.lines[found + 1] - chunks.lines[found] == 1
    ok = (letters[ends - 1] == _END) & (letters[quotes] == _QUOTE) & np.where(shut, one_line, chunks.closes[found])
    return found[ok], shut[ok], quotes[ok]


def _opening_quotes(text: bytes, quotes: Numbers) -> Numbers:
    """The last quote before each of these; 0 where there is none within 64 bytes."""
    found = np.zeros(len(quotes), np.int64)
    left, ends = np.arange(len(quotes)), quotes
    for _ in range(_LONGEST_VALUE // 8):
        differs = _words(text, ends - 8) ^ _QUOTES
        # The high bit of each byte that is a quote; the exponent of the number tells the highest of them.
        hits = ~(((differs & _SEVEN_BITS) + _SEVEN_BITS) | differs | _SEVEN_BITS)
        places = ((hits.astype(np.float64).view(np.int64) >> 52) - 1023) >> 3
        hit = hits != 0
        found[left[hit]] = (ends - 8 + places)[hit]
        left, ends = left[~hit], ends[~hit] - 8
        if not len(left):
            break
    return found


def _values(text: bytes, begins: Numbers, ends: Numbers) -> tuple[pa.StringArray, Mask]:
    """The texts between these places, and which of them are plain letters that XML prints as they are."""
    values = _pieces(text, begins, ends).take(pa.array(np.arange(0, 2 * len(begins), 2)))
    ok = np.ones(len(begins), np.bool_)
    if len(begins):
        offsets = np.frombuffer(values.buffers()[1], np.int32)[: len(begins) + 1]
        strange = np.flatnonzero(~_PLAIN[np.frombuffer(values.buffers()[2] or b"", np.uint8)[: offsets[-1]]])
        if len(strange):
            ok[np.searchsorted(offsets, strange, side="right") - 1] = False
    return values.view(pa.string()) if ok.all() else pc.if_else(pa.array(ok), values, b"").view(pa.string()), ok


def _read(
    text: bytes, begins: Numbers, ends: Numbers, read: Callable[[bytes], _Read | None]
) -> tuple[list[_Read], Numbers]:
    """What `read` makes of the texts between these places, each distinct one, and for each place its own; -1 for None."""
    if not len(begins):
        return [], np.zeros(0, np.int64)
    pieces = _pieces(text, begins, ends)
    # Neighbours are often equal, and comparing is cheaper than a dictionary of long texts.
    new = np.ones(len(begins), np.bool_)
    new[1:] = ~pc.equal(pieces[:-2], pieces[2:]).to_numpy(zero_copy_only=False)[::2]
    coded = pieces.take(pa.array(2 * np.flatnonzero(new))).dictionary_encode()
    found: list[_Read] = []
    places: dict[int, int] = {}
    codes = np.full(len(coded.dictionary), -1, np.int64)
    for code, piece in enumerate(coded.dictionary.to_pylist()):
        value = read(piece)
        if value is not None:
            codes[code] = places.setdefault(id(value), len(places))
            if len(found) < len(places):
                found.append(value)
    return found, codes[coded.indices.to_numpy()][np.cumsum(new) - 1]


def _pieces(text: bytes, begins: Numbers, ends: Numbers) -> pa.BinaryArray:
    """The texts between these places, in turn with what stands between them; nothing is copied."""
    offsets = np.empty(2 * len(begins), np.int32)
    offsets[::2], offsets[1::2] = begins, ends
    if not len(begins):
        return pa.array([], pa.binary())
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, buffers)


def _windows(text: bytes, places: Numbers, width: int) -> Letters:
    """So many bytes from each of these places on, as rows of a matrix."""
    # As elements without a type, which numpy copies from any address: four times as fast as a sliding view.
    every = np.ndarray((max(len(text) - width + 1, 0),), f"V{width}", text, strides=(1,))
    return every[places].view(np.uint8).reshape(len(places), width)


def _words(text: bytes, places: Numbers) -> Words:
    """The eight bytes from each of these places on, as a number, the first byte the lowest."""
    words: Words = _windows(text, places, 8).view("<u8").ravel()
    return words
