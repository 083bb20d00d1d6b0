"""MPEG layer III, with or without an ID3v2 tag before it.

The length is what a Xing or Info header says, else the sum of all frames.
"""

from msgspec import Struct

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats.audio.recording import LONGEST_TAG, Reader, Recording, Written, plain, stamp

_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_KBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
# A day of the shortest frames.
_MOST_FRAMES = 4_000_000
_SEARCHED = 4_096
_BLOCK = 64 * 1024
_TEXTS = {
    "TIT2": "title",
    "TDRC": "date",
    "TYER": "year",
    "TDAT": "day",
    "TIME": "time",
    "TENC": "software",
    "TSSE": "software",
}
_CODECS = ("latin-1", "utf-16", "utf-16-be", "utf-8")


class _Frame(Struct, frozen=True):
    """One frame's header: bytes, samples, samples a second, channels; `side`: where a Xing header would stand in it."""

    size: int
    samples: int
    rate: int
    channels: int
    side: int


def is_mpeg_audio(reader: Reader) -> bool:
    """Two frames in a row, or an ID3 tag that reaches to a frame or beyond the end of the file."""
    tag = _tag_size(reader.some(0, 10))
    if tag and tag >= reader.size:
        return True
    return _first_frame(reader, tag) is not None


def read_mpeg_audio(reader: Reader) -> Recording:
    """What it says. Raises UnreadableFile."""
    tag = _tag_size(reader.some(0, 10))
    if tag and tag >= reader.size:
        raise UnreadableFile("the recording breaks off within its tag")
    begin = _first_frame(reader, tag)
    frame = _frame(reader.some(begin, 4)) if begin is not None else None
    if begin is None or frame is None:
        raise UnreadableFile("no MPEG sound where it should begin")
    texts = _id3(reader, tag)
    seconds, notices = _length(reader, begin, frame)
    detail: dict[str, str | int | float] = {"codec": "mp3", "sample_rate": frame.rate, "channels": frame.channels}
    if software := plain(texts.get("software")):
        detail["software"] = software
    return Recording("mp3", seconds, _written(texts), plain(texts.get("title")), detail, notices)


def _tag_size(head: bytes) -> int:
    """Bytes of an ID3v2 tag; 0 without one."""
    if head[:3] != b"ID3" or len(head) < 10 or any(byte > 0x7F for byte in head[6:10]):
        return 0
    footer = 10 if head[5] & 0x10 else 0
    return 10 + _syncsafe(head[6:10]) + footer


def _first_frame(reader: Reader, begin: int) -> int | None:
    """Where a frame begins that another follows, or that ends the file. Only padding may stand before it."""
    head = reader.some(begin, _SEARCHED)
    skipped = len(head) - len(head.lstrip(b"\0"))
    frame = _frame(head[skipped : skipped + 4])
    if frame is None:
        return None
    begin += skipped
    after = reader.some(begin + frame.size, 4)
    following = _frame(after)
    ends = begin + frame.size >= reader.size and begin > 0
    same = following is not None and (following.rate, following.channels) == (frame.rate, frame.channels)
    return begin if same or ends else None


def _frame(header: bytes) -> _Frame | None:
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, bits, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or bits in (0, 15) or rate == 3:
        return None
    first = version == 3
    samples = 1152 if first else 576
    hertz = _RATES[version][rate]
    kbits = (_KBITS_1 if first else _KBITS_2)[bits]
    size = samples // 8 * kbits * 1000 // hertz + (header[2] >> 1 & 1)
    channels = 1 if header[3] >> 6 == 3 else 2
    side = (17 if channels == 1 else 32) if first else (9 if channels == 1 else 17)
    return _Frame(size, samples, hertz, channels, 4 + side)


def _length(reader: Reader, begin: int, frame: _Frame) -> tuple[float, tuple[str, ...]]:
    told = reader.some(begin + frame.side, 16)
    if told[:4] in (b"Xing", b"Info") and len(told) == 16 and told[7] & 1:
        flags, frames = told[7], int.from_bytes(told[8:12], "big")
        promised = int.from_bytes(told[12:16], "big") if flags & 2 else 0
        rest = reader.size - begin
        if promised > rest + frame.size:
            raise UnreadableFile(f"the recording breaks off: {promised:,} bytes are promised, {rest:,} are there")
        return frames * frame.samples / frame.rate, ()
    return _summed(reader, begin)


def _summed(reader: Reader, at: int) -> tuple[float, tuple[str, ...]]:
    """The length of all frames in a row; whatever follows them (an ID3v1 tag) is not looked at."""
    seconds, block, origin = 0.0, b"", at
    for _ in range(_MOST_FRAMES):
        if at + 4 > origin + len(block):
            block, origin = reader.some(at, _BLOCK), at
        frame = _frame(block[at - origin : at - origin + 4])
        if frame is None:
            return seconds, ()
        if at + frame.size > reader.size:
            return seconds, ("the last frame of the recording is cut off: the rest of it was taken",)
        seconds += frame.samples / frame.rate
        at += frame.size
    raise HostileFile(f"more than {_MOST_FRAMES:,} frames")


def _id3(reader: Reader, size: int) -> dict[str, str]:
    """The texts that we know of an ID3v2.3 or v2.4 tag, as far as its first 64 KiB go: pictures come last."""
    if not size:
        return {}
    tag = reader.some(0, min(size, LONGEST_TAG))
    version, at, found = tag[3], 10, dict[str, str]()
    if version not in (3, 4):
        return {}
    if tag[5] & 0x40 and len(tag) >= 14:
        at += _syncsafe(tag[10:14]) if version == 4 else 4 + int.from_bytes(tag[10:14], "big")
    while at + 10 <= len(tag):
        name, length = tag[at : at + 4], tag[at + 4 : at + 8]
        count = _syncsafe(length) if version == 4 else int.from_bytes(length, "big")
        if not name.strip(b"\0") or count == 0:
            break
        known = _TEXTS.get(name.decode("latin-1"))
        if known:
            found.setdefault(known, _text(tag[at + 10 : at + 10 + count]))
        at += 10 + count
    return found


def _written(texts: dict[str, str]) -> Written | None:
    year, day, time = (texts.get(name, "").strip() for name in ("year", "day", "time"))
    if len(year) == 4 and len(day) == 4:
        when = f"{year}-{day[2:]}-{day[:2]}"
        return stamp(f"{when}T{time[:2]}:{time[2:]}" if len(time) == 4 else when)
    return stamp(texts.get("date", ""))


def _text(content: bytes) -> str:
    codec = _CODECS[content[0]] if content[:1] and content[0] < len(_CODECS) else "latin-1"
    return content[1:].decode(codec, "replace").split("\0", 1)[0].lstrip("\ufeff")


def _syncsafe(four: bytes) -> int:
    return sum((byte & 0x7F) << 7 * place for place, byte in enumerate(reversed(four)))
