"""ISO base media files with sound and no picture: m4a, 3gp, mp4 and QuickTime, whatever their name.

Atoms are walked by their sizes, never loaded whole. The time of making stands in the movie header (UTC) and, where the
recorder is Apple's, with its offset in a tag; the tag is preferred.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Struct

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

_SOUND_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P "})
_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
_MOST_ATOMS = 20_000
_HANDLER_AT, _HANDLER_END = 8, 12
_TAGS = {b"\xa9nam": "title", b"\xa9day": "date", b"\xa9too": "software"}
_KEYS = {"com.apple.quicktime.creationdate": "made", "com.apple.quicktime.software": "software"}
_UNKNOWN_LENGTH = (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)


class _Atom(Struct, frozen=True):
    """name, where its content begins, and where it ends."""

    name: bytes
    begin: int
    end: int


class _Walk:
    """Walks atoms of one file; all walks together meet no more than a bounded number."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._left = _MOST_ATOMS

    def atoms(self, begin: int, end: int) -> Iterator[_Atom]:
        """The atoms of a stretch. Raises UnreadableFile where one does not fit in it."""
        while begin + 8 <= end:
            self._left -= 1
            if self._left < 0:
                raise HostileFile(f"more than {_MOST_ATOMS:,} atoms")
            header = self.reader.at(begin, 8)
            size, name, used = int.from_bytes(header[:4], "big"), header[4:], 8
            if size == 1:
                size, used = int.from_bytes(self.reader.at(begin + 8, 8), "big"), 16
            elif size == 0:
                size = end - begin
            if size < used:
                raise UnreadableFile(f"an atom of {size} bytes at byte {begin:,}")
            if begin + size > end:
                raise UnreadableFile(f"the recording breaks off: {_shown(name)} at byte {begin:,} goes beyond its end")
            yield _Atom(name, begin + used, begin + size)
            begin += size

    def inside(self, atom: _Atom, *names: bytes, skip: int = 0) -> Iterator[_Atom]:
        """The atoms of those names in an atom whose first bytes are its own."""
        for each in self.atoms(atom.begin + skip, atom.end):
            if each.name in names:
                yield each

    def first(self, atom: _Atom, *path: bytes) -> _Atom | None:
        """The first atom at the end of a path of names."""
        for name in path:
            found = next(self.inside(atom, name), None)
            if found is None:
                return None
            atom = found
        return atom

    def content(self, atom: _Atom, most: int = LONGEST_TAG) -> bytes:
        """What an atom holds, up to so many bytes."""
        return self.reader.at(atom.begin, min(atom.end - atom.begin, most))


def is_iso_media(head: bytes) -> bool:
    """By the first atom."""
    return head[4:8] == b"ftyp"


def has_sound_only(reader: Reader, head: bytes, *, named_so: bool) -> bool:
    """Whether it holds sound and no picture; one that breaks off before it says so is judged by its brand and its name."""
    sounding = named_so or head[8:12] in _SOUND_BRANDS
    try:
        walk = _Walk(reader)
        movie = _movie(walk)
        kinds = [kind for track in walk.inside(movie, b"trak") if (kind := _handler(walk, track)) is not None]
    except UnreadableFile:
        return sounding
    return b"soun" in kinds and b"vide" not in kinds if kinds else sounding


def read_iso_media(reader: Reader) -> Recording:
    """What it says. Raises UnreadableFile."""
    walk = _Walk(reader)
    movie = _movie(walk)
    header = walk.first(movie, b"mvhd")
    if header is None:
        raise UnreadableFile("the recording has no movie header")
    made, seconds = _movie_header(walk.content(header, 32))
    tags = _tags(walk, movie) | _keyed(walk, movie)
    codec, rate, channels = _sound(walk, movie)
    if seconds is None:
        seconds = _fragments(walk, movie)
    day = stamp(tags.get("date", ""))
    written = stamp(tags.get("made", "")) or (day if day is not None and not day.day_only else None) or made or day
    detail: dict[str, str | int | float] = {"brand": _shown(reader.at(8, 4))}
    sound: dict[str, str | int] = {"codec": codec, "sample_rate": rate, "channels": channels}
    detail |= {name: value for name, value in sound.items() if value}
    if software := plain(tags.get("software")):
        detail["software"] = software
    return Recording("mp4", seconds, written, plain(tags.get("title")), detail)


def _movie(walk: _Walk) -> _Atom:
    movie = None
    for atom in walk.atoms(0, walk.reader.size):
        if atom.name == b"moov" and movie is None:
            movie = atom
    if movie is None:
        raise UnreadableFile("the recording has no index (moov): it was not finished, or it breaks off")
    return movie


def _handler(walk: _Walk, track: _Atom) -> bytes | None:
    atom = walk.first(track, b"mdia", b"hdlr")
    return walk.content(atom, _HANDLER_END)[_HANDLER_AT:] if atom is not None else None


def _movie_header(content: bytes) -> tuple[Written | None, float | None]:
    """When it was made and how long it is, of the 32 bytes in which every version says so."""
    if len(content) < 20 or (content[0] == 1 and len(content) < 32):
        raise UnreadableFile("the movie header breaks off")
    if content[0] == 1:
        created, scale, length = content[4:12], content[20:24], content[24:32]
    else:
        created, scale, length = content[4:8], content[12:16], content[16:20]
    second, units, per_second = (int.from_bytes(each, "big") for each in (created, length, scale))
    made = None
    if 0 < second < 2**33:
        made = plausible(Written(_EPOCH + timedelta(seconds=second)))
    if units in _UNKNOWN_LENGTH or not per_second:
        return made, None
    return made, units / per_second


def _fragments(walk: _Walk, movie: _Atom) -> float | None:
    """The length that the header of a fragmented file tells, if it does."""
    atom = walk.first(movie, b"mvex", b"mehd")
    header = walk.first(movie, b"mvhd")
    if atom is None or header is None:
        return None
    wide = walk.content(atom, 12)
    basis = walk.content(header, 32)
    scale = int.from_bytes(basis[20:24] if basis[0] == 1 else basis[12:16], "big")
    units = int.from_bytes(wide[4:12] if wide[0] == 1 else wide[4:8], "big")
    return units / scale if units and scale else None


def _sound(walk: _Walk, movie: _Atom) -> tuple[str, int, int]:
    """Codec, samples a second and channels of the first track with sound."""
    for track in walk.inside(movie, b"trak"):
        if _handler(walk, track) != b"soun":
            continue
        atom = walk.first(track, b"mdia", b"minf", b"stbl", b"stsd")
        if atom is None:
            raise UnreadableFile("the sound track does not say what is in it")
        entry = walk.content(atom, 44)
        if len(entry) < 44:
            raise UnreadableFile("the description of the sound breaks off")
        channels, rate = int.from_bytes(entry[32:34], "big"), int.from_bytes(entry[40:42], "big")
        return _shown(entry[12:16]), rate, channels
    raise UnreadableFile("no track with sound")


def _tags(walk: _Walk, movie: _Atom) -> dict[str, str]:
    """Title, date and software of iTunes' tags (`udta/meta/ilst`)."""
    meta = walk.first(movie, b"udta", b"meta")
    if meta is None:
        return {}
    items = next(walk.inside(meta, b"ilst", skip=4), None)
    found: dict[str, str] = {}
    for item in walk.inside(items, *_TAGS) if items is not None else ():
        if (data := next(walk.inside(item, b"data"), None)) is not None:
            found.setdefault(_TAGS[item.name], _text(walk.content(data)[8:]))
    return found


def _keyed(walk: _Walk, movie: _Atom) -> dict[str, str]:
    """The same of QuickTime's (`meta` with its own list of keys), in which Apple writes times with their offset."""
    meta = walk.first(movie, b"meta")
    if meta is None or (keys := walk.first(meta, b"keys")) is None or (items := walk.first(meta, b"ilst")) is None:
        return {}
    names = [_text(walk.content(key)) for key in walk.atoms(keys.begin + 8, keys.end)]
    found: dict[str, str] = {}
    for item in walk.atoms(items.begin, items.end):
        number = int.from_bytes(item.name, "big")
        name = _KEYS.get(names[number - 1]) if 0 < number <= len(names) else None
        if name and (data := next(walk.inside(item, b"data"), None)) is not None:
            found.setdefault(name, _text(walk.content(data)[8:]))
    return found


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _shown(name: bytes) -> str:
    return name.decode("latin-1").strip() if name.isascii() and name.decode().isprintable() else repr(name)
