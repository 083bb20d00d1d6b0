"""WAVE files: RIFF, and RF64 for those beyond 4 GiB. When it was made stands in `bext` (wall time) or `ICRD`."""

from collections.abc import Iterator

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats.audio.recording import LONGEST_TAG, Reader, Recording, Written, plain, stamp

_MOST_CHUNKS = 2_000
# What recorders write that can't go back to the header once they know.
_UNKNOWN = (0, 0x7FFFFFFF, 0xFFFFFFFF)
_FORMATS = {1: "pcm", 2: "adpcm", 3: "float", 6: "a-law", 7: "mu-law", 17: "ima-adpcm", 85: "mp3", 0xFFFE: "pcm"}
_INFO = {b"ICRD": "date", b"INAM": "title", b"ISFT": "software"}


def is_wave(head: bytes) -> bool:
    """By the two magics."""
    return head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE"


def read_wave(reader: Reader) -> Recording:
    """What it says. Raises UnreadableFile."""
    form: bytes | None = None
    sound: int | None = None
    tags: dict[str, str] = {}
    notices: list[str] = []
    for name, begin, size, told in _chunks(reader):
        if name == b"fmt ":
            form = reader.at(begin, min(size, 40))
        elif name == b"data" and sound is None:
            sound = size
            if not told:
                notices.append("the header does not tell how long the sound is: it was taken to the file's end")
        elif name == b"bext":
            tags |= _broadcast(reader.at(begin, min(size, 348)))
        elif name == b"LIST" and reader.at(begin, min(size, 4)) == b"INFO":
            tags |= _info(reader.at(begin + 4, min(size - 4, LONGEST_TAG)))
    if form is None or len(form) < 16 or sound is None:
        raise UnreadableFile("the recording has no format or no sound in it")
    code, channels = (int.from_bytes(form[at : at + 2], "little") for at in (0, 2))
    rate, per_second = (int.from_bytes(form[at : at + 4], "little") for at in (4, 8))
    if not per_second or not channels or not rate:
        raise UnreadableFile("the format of the sound makes no sense")
    detail: dict[str, str | int | float] = {
        "codec": _FORMATS.get(code, f"format {code}"),
        "sample_rate": rate,
        "channels": channels,
    }
    if software := plain(tags.get("software")):
        detail["software"] = software
    return Recording("wav", sound / per_second, _written(tags), plain(tags.get("title")), detail, tuple(notices))


def _chunks(reader: Reader) -> Iterator[tuple[bytes, int, int, bool]]:
    """Name, beginning and size of each chunk, and whether the file told that size. Raises UnreadableFile."""
    wide: int | None = None
    at = 12
    for _ in range(_MOST_CHUNKS):
        if at + 8 > reader.size:
            return
        header = reader.at(at, 8)
        name, size, at = header[:4], int.from_bytes(header[4:], "little"), at + 8
        if name == b"ds64":
            wide = int.from_bytes(reader.at(at, 16)[8:], "little")
        rest = reader.size - at
        told = not (name == b"data" and size in _UNKNOWN)
        if name == b"data" and not told:
            size = wide if wide is not None else rest
            told = wide is not None or rest == 0
        if size > rest:
            raise UnreadableFile(f"the recording breaks off: {size:,} bytes are promised, {rest:,} are there")
        yield name, at, size, told
        at += size + size % 2
    raise HostileFile(f"more than {_MOST_CHUNKS:,} chunks")


def _broadcast(content: bytes) -> dict[str, str]:
    """Day and time of the broadcast extension; some write `2026:03:31`, some `2026-03-31`."""
    day, time = (_text(content[at:end]) for at, end in ((320, 330), (330, 338)))
    day, time = (text.replace(":", "-").replace("_", "-").replace(".", "-") for text in (day, time))
    return {"broadcast": f"{day}T{time}"} if stamp(f"{day}T{time}") else {}


def _info(content: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name in _INFO:
            found.setdefault(_INFO[name], _text(content[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return found


def _written(tags: dict[str, str]) -> Written | None:
    return stamp(tags.get("broadcast", "")) or stamp(tags.get("date", ""))


def _text(content: bytes) -> str:
    bare = content.split(b"\0", 1)[0]
    try:
        return bare.decode("utf-8")
    except UnicodeDecodeError:
        return bare.decode("latin-1")
