"""WebM and Matroska with sound and no picture: what browsers record.

A browser writes as it goes: segment and clusters have no size, and no length is told. It is then the time of the last
block. Elements are walked by their sizes; blocks are never read.
"""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from msgspec import Struct, field

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats.audio.recording import (
    LONGEST_TAG,
    Reader,
    Recording,
    Written,
    plain,
    plausible,
    stamp,
)

_EBML, _SEGMENT, _INFO, _TRACKS, _CLUSTER, _TAGS = (
    0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x1254C367,
)  # fmt: skip
_SCALE, _LENGTH, _DATE, _TITLE, _APP = 0x2AD7B1, 0x4489, 0x4461, 0x7BA9, 0x5741
_TRACK, _KIND, _CODEC, _AUDIO, _RATE, _CHANNELS = 0xAE, 0x83, 0x86, 0xE1, 0xB5, 0x9F
_TIME, _BLOCK, _GROUP, _GROUP_BLOCK = 0xE7, 0xA3, 0xA0, 0xA1
_TAG, _SIMPLE, _NAME, _STRING = 0x7373, 0x67C8, 0x45A3, 0x4487
_PICTURE, _SOUND = 1, 2
_EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
# What is inside may be walked; everything else is stepped over.
_OPENED = frozenset({_SEGMENT, _INFO, _TRACKS, _TRACK, _AUDIO, _CLUSTER, _GROUP, _TAGS, _TAG, _SIMPLE})
# An element of this id can't be inside one without a size: there that one ends.
_OUTSIDE_CLUSTER = frozenset({_CLUSTER, _INFO, _TRACKS, _TAGS, 0x1C53BB6B, 0x114D9B74, 0x1941A469, 0x1043A770})
_MOST_ELEMENTS = 4_000_000


class _Element(NamedTuple):
    """id, where its content begins and ends."""

    id: int
    begin: int
    end: int


class _Told(Struct):
    """What was met on the walk. Times are in ticks of `scale` nanoseconds."""

    scale: int = 1_000_000
    length: float | None = None
    written: Written | None = None
    title: str | None = None
    software: str | None = None
    kinds: list[int] = field(default_factory=list)
    codec: str = ""
    rate: float = 0.0
    channels: int = 0
    cluster: int = 0
    last: int | None = None
    tag: str = ""
    tags: dict[str, str] = field(default_factory=dict)


def is_ebml(head: bytes) -> bool:
    """By the magic and a document type that is ours."""
    return head[:4] == b"\x1aE\xdf\xa3" and (b"webm" in head[:64] or b"matroska" in head[:64])


def has_sound_only(reader: Reader) -> bool:
    """Whether its tracks are sound and no picture; one that breaks off before its tracks is not known as sound."""
    told = _Told()
    try:
        for element in _elements(reader):
            _hear(reader, told, element)
            if element.id == _CLUSTER:
                break
    except UnreadableFile:
        pass
    return _SOUND in told.kinds and _PICTURE not in told.kinds


def read_webm(reader: Reader) -> Recording:
    """What it says. Raises UnreadableFile."""
    told = _Told()
    for element in _elements(reader):
        _hear(reader, told, element)
    if _SOUND not in told.kinds:
        raise UnreadableFile("no track with sound")
    if told.last is None:
        raise UnreadableFile("there is no sound in it: the recording breaks off")
    ticks = told.length if told.length is not None else float(told.last)
    detail: dict[str, str | int | float] = {"codec": told.codec.removeprefix("A_").casefold() or "unknown"}
    sound = {"sample_rate": int(told.rate), "channels": told.channels}
    detail |= {name: value for name, value in sound.items() if value}
    if software := plain(told.software):
        detail["software"] = software
    written = told.written or stamp(told.tags.get("DATE_RECORDED", "")) or stamp(told.tags.get("DATE", ""))
    title = told.title or plain(told.tags.get("TITLE"))
    return Recording("webm", ticks * told.scale / 1e9, written, title, detail)


def _elements(reader: Reader) -> Iterator[_Element]:
    """Every element, those inside others as well. Raises UnreadableFile where one reaches beyond its parent's end."""
    at, ends = 0, list[tuple[int, int, bool]]()
    for _ in range(_MOST_ELEMENTS):
        while ends and at >= ends[-1][1]:
            ends.pop()
        end = ends[-1][1] if ends else reader.size
        if at >= reader.size:
            return
        number, used = _vint(reader, at, keep_mark=True)
        size, width = _vint(reader, at + used, keep_mark=False)
        begin = at + used + width
        unknown = size == (1 << 7 * width) - 1
        # A cluster without a size ends where something begins that can't be in it.
        while ends and ends[-1][2] and ends[-1][0] == _CLUSTER and number in _OUTSIDE_CLUSTER:
            ends.pop()
            end = ends[-1][1] if ends else reader.size
        if unknown and number not in (_SEGMENT, _CLUSTER):
            raise UnreadableFile(f"an element without a size at byte {at:,}: the recording is damaged")
        until = end if unknown else begin + size
        if until > end:
            raise UnreadableFile(f"the recording breaks off: the element at byte {at:,} goes beyond its end")
        yield _Element(number, begin, until)
        if number in _OPENED:
            ends.append((number, until, unknown))
            at = begin
        else:
            at = until
    raise HostileFile(f"more than {_MOST_ELEMENTS:,} elements")


def _hear(reader: Reader, told: _Told, element: _Element) -> None:
    """Notes what an element says, if it is one that we know."""
    number = element.id
    if number in (_BLOCK, _GROUP_BLOCK):
        head = reader.at(element.begin, min(element.end - element.begin, 12))
        track = _width(head[0]) if head else 0
        if len(head) < track + 2 or not track:
            raise UnreadableFile("a block without a time: the recording is damaged")
        told.last = max(told.last or 0, told.cluster + int.from_bytes(head[track : track + 2], "big", signed=True))
    elif number == _TIME:
        told.cluster = _unsigned(reader, element)
    elif number in _NOTED:
        _NOTED[number](reader, told, element)


def _hear_date(reader: Reader, told: _Told, element: _Element) -> None:
    nanoseconds = int.from_bytes(_content(reader, element, 8), "big", signed=True)
    told.written = plausible(Written(_EPOCH + timedelta(microseconds=nanoseconds // 1000)))


def _hear_scale(reader: Reader, told: _Told, element: _Element) -> None:
    told.scale = min(_unsigned(reader, element), 10**12) or told.scale


def _hear_length(reader: Reader, told: _Told, element: _Element) -> None:
    length = _float(reader, element)
    told.length = length if 0 < length < 1e15 else None


def _hear_title(reader: Reader, told: _Told, element: _Element) -> None:
    told.title = plain(_text(reader, element))


def _hear_software(reader: Reader, told: _Told, element: _Element) -> None:
    told.software = _text(reader, element)


def _hear_kind(reader: Reader, told: _Told, element: _Element) -> None:
    told.kinds.append(_unsigned(reader, element))


def _hear_codec(reader: Reader, told: _Told, element: _Element) -> None:
    told.codec = plain(_text(reader, element)) or ""


def _hear_rate(reader: Reader, told: _Told, element: _Element) -> None:
    rate = _float(reader, element)
    told.rate = rate if 0 < rate < 1e7 else 0


def _hear_channels(reader: Reader, told: _Told, element: _Element) -> None:
    told.channels = min(_unsigned(reader, element), 255)


def _hear_name(reader: Reader, told: _Told, element: _Element) -> None:
    told.tag = _text(reader, element)


def _hear_string(reader: Reader, told: _Told, element: _Element) -> None:
    if len(told.tags) < 100:
        told.tags.setdefault(told.tag.upper(), _text(reader, element))


_NOTED = {
    _DATE: _hear_date,
    _SCALE: _hear_scale,
    _LENGTH: _hear_length,
    _TITLE: _hear_title,
    _APP: _hear_software,
    _KIND: _hear_kind,
    _CODEC: _hear_codec,
    _RATE: _hear_rate,
    _CHANNELS: _hear_channels,
    _NAME: _hear_name,
    _STRING: _hear_string,
}


def _vint(reader: Reader, at: int, *, keep_mark: bool) -> tuple[int, int]:
    """A number of EBML and how many bytes it takes. Raises UnreadableFile."""
    head = reader.some(at, 8)
    width = _width(head[0]) if head else 0
    if not width:
        raise UnreadableFile(f"no element at byte {at:,}: the recording is damaged")
    if len(head) < width:
        raise UnreadableFile(f"the recording breaks off at byte {reader.size:,}")
    number = int.from_bytes(head[:width], "big")
    return (number if keep_mark else number & (1 << 7 * width) - 1), width


def _width(first: int) -> int:
    return 9 - first.bit_length() if first else 0


def _content(reader: Reader, element: _Element, most: int) -> bytes:
    if element.end - element.begin > most:
        raise UnreadableFile("a number of too many bytes: the recording is damaged")
    return reader.at(element.begin, element.end - element.begin)


def _unsigned(reader: Reader, element: _Element) -> int:
    return int.from_bytes(_content(reader, element, 8), "big")


def _float(reader: Reader, element: _Element) -> float:
    content = _content(reader, element, 8)
    kinds = {4: ">f", 8: ">d"}
    return float(struct.unpack(kinds[len(content)], content)[0]) if len(content) in kinds else 0.0


def _text(reader: Reader, element: _Element) -> str:
    count = min(element.end - element.begin, LONGEST_TAG)
    return reader.at(element.begin, count).split(b"\0", 1)[0].decode("utf-8", "replace")
