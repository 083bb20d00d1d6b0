"""Ogg files with Opus or Vorbis: the voice notes of WhatsApp, Telegram and Signal.

The length is what the last page counts; title and date stand in the comments of the second packet.
"""

from typing import NamedTuple

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.audio.recording import Reader, Recording, plain, stamp

_MAGIC = b"OggS"
_HEADER = 27
_LARGEST_PAGE = 27 + 255 + 255 * 255
_OPUS_RATE = 48_000
_END = 4
_MOST_COMMENTS = 1_000
_MOST_PAGES_OF_COMMENTS = 8
_NAMES = {"TITLE": "title", "DATE": "date", "CREATION_TIME": "made", "ENCODER": "software"}


class _Page(NamedTuple):
    """flags, samples counted so far, the stream's number, its parts' lengths, where its content begins and ends."""

    flags: int
    counted: int
    stream: int
    laces: bytes
    begin: int
    end: int


def is_ogg_audio(head: bytes) -> bool:
    """By the magic and what the first packet says."""
    return head[:4] == _MAGIC and _codec(head[28 : 28 + 8]) is not None


def read_ogg(reader: Reader) -> Recording:
    """What it says. Raises UnreadableFile."""
    first = _page(reader, 0)
    opening = reader.at(first.begin, first.end - first.begin)
    codec = _codec(opening[:8])
    if codec is None or len(opening) < 19:
        raise UnreadableFile("the first page says nothing of the sound")
    _prove(reader, first)
    if codec == "opus":
        channels, skip, rate = opening[9], int.from_bytes(opening[10:12], "little"), _OPUS_RATE
        told_rate = int.from_bytes(opening[12:16], "little")
    else:
        channels, skip, rate = opening[11], 0, int.from_bytes(opening[12:16], "little")
        told_rate = rate
    if not rate or not channels:
        raise UnreadableFile("the format of the sound makes no sense")
    last, notices = _last_page(reader, first)
    tags = _comments(_second_packet(reader, first), 8 if codec == "opus" else 7)
    detail: dict[str, str | int | float] = {"codec": codec, "channels": channels}
    if told_rate:
        detail["sample_rate"] = told_rate
    if software := plain(tags.get("software")):
        detail["software"] = software
    written = stamp(tags.get("made", "")) or stamp(tags.get("date", ""))
    seconds = max(last.counted - skip, 0) / rate
    return Recording("ogg", seconds, written, plain(tags.get("title")), detail, notices)


def _codec(packet: bytes) -> str | None:
    if packet.startswith(b"OpusHead"):
        return "opus"
    return "vorbis" if packet.startswith(b"\x01vorbis") else None


def _page(reader: Reader, at: int) -> _Page:
    """The page at an offset. Raises UnreadableFile, also where it does not end before the file does."""
    header = reader.at(at, _HEADER)
    if header[:4] != _MAGIC or header[4] != 0:
        raise UnreadableFile(f"no page at byte {at:,}: the recording is damaged")
    laces = reader.at(at + _HEADER, header[26])
    begin = at + _HEADER + len(laces)
    end = begin + sum(laces)
    if end > reader.size:
        raise UnreadableFile(f"the recording breaks off within the page at byte {at:,}")
    counted = int.from_bytes(header[6:14], "little", signed=True)
    return _Page(header[5], counted, int.from_bytes(header[14:18], "little"), laces, begin, end)


def _prove(reader: Reader, page: _Page) -> None:
    """Raises UnreadableFile where the checksum of a page is another."""
    whole = bytearray(
        reader.at(page.begin - _HEADER - len(page.laces), page.end - page.begin + _HEADER + len(page.laces))
    )
    told = int.from_bytes(whole[22:26], "little")
    whole[22:26] = bytes(4)
    if _checksum(whole) != told:
        raise UnreadableFile("the checksum of the first page is wrong: the recording is damaged")


def _checksum(content: bytes | bytearray) -> int:
    """Ogg's own CRC-32: not reflected, from zero."""
    crc = 0
    for byte in content:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


def _last_page(reader: Reader, first: _Page) -> tuple[_Page, tuple[str, ...]]:
    """The last page with a count. Pages are found from the file's end, so that a long recording costs no more."""
    tail_at = max(0, reader.size - _LARGEST_PAGE)
    tail = reader.some(tail_at, _LARGEST_PAGE)
    at = len(tail)
    last: _Page | None = None
    while last is None or last.counted < 0:
        at = tail.rfind(_MAGIC, 0, at)
        if at < 0:
            raise UnreadableFile("the recording breaks off: no page tells its length")
        try:
            page = _page(reader, tail_at + at)
        except UnreadableFile:
            # Either the end is cut, or four bytes of sound look like a page's: the page before tells which.
            continue
        if page.stream != first.stream:
            continue
        if last is None and page.end != reader.size:
            raise UnreadableFile(f"the recording breaks off within the page at byte {page.end:,}")
        last = page
    whole = reader.size == last.end and last.flags & _END
    return last, () if whole else ("its end is not marked: the recorder was stopped in the middle",)


def _second_packet(reader: Reader, first: _Page) -> bytes:
    """The packet of comments, over a few pages at most."""
    packet, at = b"", first.end
    for _ in range(_MOST_PAGES_OF_COMMENTS):
        page = _page(reader, at)
        packet += _content(reader, page)
        if any(lace < 255 for lace in page.laces):
            return packet
        at = page.end
    return packet


def _content(reader: Reader, page: _Page) -> bytes:
    """A page's content up to where its first packet ends."""
    count = 0
    for lace in page.laces:
        count += lace
        if lace < 255:
            break
    return reader.at(page.begin, count)


def _comments(packet: bytes, at: int) -> dict[str, str]:
    """Names and texts of Vorbis comments, as far as they go."""
    found: dict[str, str] = {}
    vendor = int.from_bytes(packet[at : at + 4], "little")
    at += 4 + vendor
    count = int.from_bytes(packet[at : at + 4], "little")
    at += 4
    for _ in range(min(count, _MOST_COMMENTS)):
        size = int.from_bytes(packet[at : at + 4], "little")
        if size == 0 or at + 4 + size > len(packet):
            break
        name, _, text = packet[at + 4 : at + 4 + size].decode("utf-8", "replace").partition("=")
        if (known := _NAMES.get(name.upper())) is not None:
            found.setdefault(known, text)
        at += 4 + size
    return found
