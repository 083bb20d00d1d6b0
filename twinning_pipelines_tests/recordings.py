"""Tiny recordings of our own, byte by byte: the containers as recorders write them, with sound that nobody would enjoy."""

import io
import math
import struct
import wave
from datetime import UTC, datetime

MADE = datetime(2026, 3, 31, 6, 15, tzinfo=UTC)
_MAC_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)


def wav(seconds: float = 1.0, *, bext: str = "", info: dict[str, str] | None = None, rate: int = 8_000) -> bytes:
    """A tone, 16 bits, one channel. bext: a day and a time, `2026-03-3108:15:00`; info: tags by their four letters."""
    made = io.BytesIO()
    with wave.open(made, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(rate)
        tone = (int(8_000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(int(seconds * rate)))
        recording.writeframes(b"".join(struct.pack("<h", each) for each in tone))
    chunks = b""
    if bext:
        chunks += _chunk(b"bext", bytes(320) + bext.encode().ljust(18, b"\0") + bytes(264))
    if info:
        listed = b"".join(_chunk(name.encode(), text.encode() + b"\0") for name, text in info.items())
        chunks += _chunk(b"LIST", b"INFO" + listed)
    body = made.getvalue()
    return b"RIFF" + struct.pack("<I", len(body) - 8 + len(chunks)) + body[8:36] + chunks + body[36:]


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def atom(name: bytes, *parts: bytes) -> bytes:
    """An ISO atom."""
    content = b"".join(parts)
    return struct.pack(">I", 8 + len(content)) + name + content


def m4a(
    seconds: float = 2.0,
    *,
    made: datetime | None = MADE,
    brand: bytes = b"M4A ",
    handlers: tuple[bytes, ...] = (b"soun",),
    title: str = "",
    day: str = "",
    apple: str = "",
    wide: bool = False,
    index_first: bool = False,
) -> bytes:
    """An MP4 with a track for each handler. day: `©day`; apple: QuickTime's creation date; wide: 64-bit times."""
    since = int((made - _MAC_EPOCH).total_seconds()) if made is not None else 0
    kind = ">BxxxQQIQ" if wide else ">BxxxIIII"
    header = struct.pack(kind, int(wide), since, since, 1000, int(seconds * 1000)) + bytes(80)
    tracks = [_track(handler) for handler in handlers]
    texts = {b"\xa9nam": title, b"\xa9day": day, b"\xa9too": "Recorder 2.1"}
    items = [atom(name, _data(text)) for name, text in texts.items() if text]
    tags = atom(b"udta", atom(b"meta", bytes(4), atom(b"hdlr", bytes(25)), atom(b"ilst", *items)))
    parts = [atom(b"mvhd", header), *tracks, tags]
    if apple:
        key = atom(b"mdta", b"com.apple.quicktime.creationdate")
        keys = atom(b"keys", bytes(4), struct.pack(">I", 1), key)
        parts.append(atom(b"meta", keys, atom(b"ilst", atom(struct.pack(">I", 1), _data(apple)))))
    index, sound = atom(b"moov", *parts), atom(b"mdat", bytes(range(200)))
    return atom(b"ftyp", brand, bytes(4), brand) + (index + sound if index_first else sound + index)


def _data(text: str) -> bytes:
    return atom(b"data", struct.pack(">II", 1, 0), text.encode())


def _track(handler: bytes) -> bytes:
    sample = bytes(8) + bytes(8) + struct.pack(">HHIHH", 1, 16, 0, 44_100, 0)
    described = atom(b"stsd", bytes(4), struct.pack(">I", 1), atom(b"mp4a", sample))
    media = atom(b"minf", atom(b"stbl", described))
    named = atom(b"hdlr", bytes(8), handler, bytes(13))
    return atom(b"trak", atom(b"mdia", named, media))


def mp3(frames: int = 40, *, tags: dict[str, str] | None = None, version: int = 4, xing: int | None = None) -> bytes:
    """Silent frames of 32 kbit/s and 24 ms, one channel, after an ID3 tag. xing: how many frames a header promises."""
    frame = bytes.fromhex("ff f3 44 c4") + bytes(92)
    first = b""
    if xing is not None:
        head = b"Info" + struct.pack(">III", 3, xing, xing * 96)
        first = frame[:13] + head + frame[13 + len(head) :]
    return _id3(tags or {}, version) + first + frame * frames


def _id3(tags: dict[str, str], version: int) -> bytes:
    if not tags:
        return b""
    body = b""
    for name, text in tags.items():
        content = b"\x01" + text.encode("utf-16") if version == 3 else b"\x03" + text.encode()
        size = struct.pack(">I", len(content)) if version == 3 else _syncsafe(len(content))
        body += name.encode() + size + bytes(2) + content
    body += bytes(16)
    return b"ID3" + bytes((version, 0, 0)) + _syncsafe(len(body)) + body


def _syncsafe(number: int) -> bytes:
    return bytes(number >> 7 * place & 0x7F for place in (3, 2, 1, 0))


def opus(seconds: float = 3.0, *, tags: dict[str, str] | None = None, ended: bool = True, codec: str = "opus") -> bytes:
    """An Ogg file of Opus (or the headers of Vorbis) with one page of sound."""
    if codec == "opus":
        opening = b"OpusHead" + struct.pack("<BBHIHB", 1, 1, 312, 16_000, 0, 0)
        counted, named = int(seconds * 48_000) + 312, b"OpusTags"
    else:
        opening = b"\x01vorbis" + struct.pack("<IBIIIIBB", 0, 1, 16_000, 0, 32_000, 0, 0xB8, 1)
        counted, named = int(seconds * 16_000), b"\x03vorbis"
    told = [f"{name}={text}".encode() for name, text in (tags or {}).items()]
    listed = b"".join(struct.pack("<I", len(each)) + each for each in told)
    comments = named + struct.pack("<I", 4) + b"ours" + struct.pack("<I", len(told)) + listed
    pages = ((2, 0, opening), (0, 0, comments), (4 if ended else 0, counted, bytes(range(120))))
    return b"".join(page(flags, count, number, content) for number, (flags, count, content) in enumerate(pages))


def page(flags: int, counted: int, number: int, content: bytes, *, stream: int = 77) -> bytes:
    """An Ogg page."""
    laces = bytes([255] * (len(content) // 255) + [len(content) % 255])
    head = b"OggS" + struct.pack("<BBqIIIB", 0, flags, counted, stream, number, 0, len(laces)) + laces
    crc = 0
    for byte in head + content:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return head[:22] + struct.pack("<I", crc) + head[26:] + content


def element(number: int, *parts: bytes, size: int | None = None) -> bytes:
    """An EBML element; size -1: unknown, as browsers write it."""
    content = b"".join(parts)
    width = (number.bit_length() + 7) // 8
    told = b"\x01" + (b"\xff" * 7 if size == -1 else (size or len(content)).to_bytes(7, "big"))
    return number.to_bytes(width, "big") + told + content


def webm(
    seconds: float = 4.0,
    *,
    live: bool = True,
    made: datetime | None = None,
    kinds: tuple[int, ...] = (2,),
    title: str = "",
) -> bytes:
    """What a browser records. live: segment and clusters have no size and no length is told. kinds: 1 picture, 2 sound."""
    info = [element(0x2AD7B1, (1_000_000).to_bytes(4, "big")), element(0x5741, b"Browser")]
    if not live:
        info.append(element(0x4489, struct.pack(">d", seconds * 1000)))
    if made is not None:
        since = int((made - datetime(2001, 1, 1, tzinfo=UTC)).total_seconds()) * 10**9
        info.append(element(0x4461, since.to_bytes(8, "big", signed=True)))
    if title:
        info.append(element(0x7BA9, title.encode()))
    sound = element(0xE1, element(0xB5, struct.pack(">f", 48_000)), element(0x9F, b"\x01"))
    tracks = [element(0xAE, element(0x83, bytes((kind,))), element(0x86, b"A_OPUS"), sound) for kind in kinds]
    clusters = [_cluster(begin, int(seconds * 1000), live) for begin in range(0, int(seconds * 1000) + 1, 1000)]
    size = -1 if live else None
    segment = element(0x18538067, element(0x1549A966, *info), element(0x1654AE6B, *tracks), *clusters, size=size)
    return element(0x1A45DFA3, element(0x4282, b"webm")) + segment


def _cluster(begin: int, last: int, live: bool) -> bytes:
    blocks = [
        element(0xA3, b"\x81" + struct.pack(">h", at - begin) + b"\x80" + bytes(8))
        for at in range(begin, min(begin + 1000, last + 1), 100)
    ]
    return element(0x1F43B675, element(0xE7, begin.to_bytes(4, "big")), *blocks, size=-1 if live else None)
