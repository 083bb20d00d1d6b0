"""Line protocol, read strictly and independently of our encoder.

From: a body of `/api/v2/write`. To: points, and the refused lines with InfluxDB's own words for why
(`models/points.go` of v2.8.0). Stricter than the original in one thing: what follows the closing quote of a
string is refused here and kept there.
"""

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

Kind = Literal["float", "integer", "unsigned", "string", "boolean"]
Tags = tuple[tuple[str, str], ...]

UNIT_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_LAST_NANOSECOND = 2**63 - 2
_LONGEST_KEY = 65_535
_RESERVED_TAGS = {b"time", b"_field", b"_measurement", b"\x00", b"\xff"}
_TRUE, _FALSE = {b"t", b"T", b"true", b"True", b"TRUE"}, {b"f", b"F", b"false", b"False", b"FALSE"}
_FLOAT = re.compile(rb"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
# Most lines of a test look like this; a test holds this quick way equal to the general one.
_PLAIN_SERIES = rb'[^\s,="\\#][^\s,="\\]*(?:,[^\s,="\\]+=[^\s,="\\]+)*'
_PLAIN = re.compile(rb"(%b) (value|n)=(-?\d{1,15}(?:\.\d{1,9})?) (-?\d{1,18})" % _PLAIN_SERIES)


class Field(NamedTuple):
    """A field's type, by InfluxDB's name for it, and its value."""

    kind: Kind
    value: float | int | bool | str


class Point(NamedTuple):
    """One parsed line. Bytes that are no UTF-8 come out as surrogates."""

    measurement: str
    tags: Tags
    fields: Mapping[str, Field]
    nanoseconds: int


class Unparsable(ValueError):
    """Why a line is refused, in InfluxDB's words."""


class _Cursor:
    """A place in a line."""

    def __init__(self, line: bytes) -> None:
        self.line = line
        self.at = 0

    @property
    def here(self) -> bytes:
        return self.line[self.at : self.at + 1]

    def takes(self, byte: bytes) -> bool:
        found = self.here == byte
        self.at += found
        return found

    def name(self, stops: bytes) -> bytes:
        """Up to a stop that has no backslash before it. No backslash escapes another one here."""
        begin = self.at
        while self.here and (self.here not in stops or (self.at > begin and self.line[self.at - 1] == 0x5C)):
            self.at += 1
        return self.line[begin : self.at]

    def pattern(self, pattern: bytes) -> bytes:
        found = re.compile(pattern, re.DOTALL).match(self.line, self.at)
        self.at = found.end() if found else self.at
        return found[0] if found else b""


def parse(body: bytes, precision: str) -> tuple[list[Point], list[tuple[bytes, str]]]:
    """The points of a body, and each line that is none with the reason. Skips blank lines and comments."""
    points, failures = list[Point](), list[tuple[bytes, str]]()
    series = dict[bytes, tuple[str, Tags]]()
    for block in blocks(body):
        line = block.lstrip(b" \t\0")
        if not line or line.startswith(b"#"):
            continue
        try:
            points.append(_plain_point(line, precision, series) or parse_line(line, precision))
        except Unparsable as reason:
            failures.append((line, str(reason)))
    return points, failures


def blocks(body: bytes) -> Iterator[bytes]:
    """Lines as the server cuts them: an open quote or a last backslash takes the line break along."""
    pieces = iter(body.split(b"\n"))
    for piece in pieces:
        block = piece
        while _is_open(block) and (following := next(pieces, None)) is not None:
            block += b"\n" + following
        yield block


def _is_open(block: bytes) -> bool:
    if b'"' not in block and not block.endswith(b"\\"):
        return False
    blanked = re.sub(rb"\\.", b"..", block, flags=re.DOTALL)
    quoted, surplus = False, 0
    for mark in re.findall(rb'["=,]', blanked.partition(b" ")[2]):
        if mark == b'"':
            quoted ^= surplus > 0
        elif not quoted:
            surplus += 1 if mark == b"=" else -1
    return quoted or blanked.endswith(b"\\")


def _plain_point(line: bytes, precision: str, series: dict[bytes, tuple[str, Tags]]) -> Point | None:
    found = _PLAIN.fullmatch(line)
    if found is None:
        return None
    key, name, number, instant = found.groups()
    if key not in series:
        point = parse_line(line, precision)
        series[key] = (point.measurement, point.tags)
    value = Field("float", float(number))
    return Point(*series[key], {_text(name): value}, _in_range(int(instant) * UNIT_NANOSECONDS[precision]))


def parse_line(line: bytes, precision: str) -> Point:
    """The general way. Raises Unparsable."""
    cursor = _Cursor(line)
    measurement = cursor.name(b", ")
    if not measurement:
        raise Unparsable("missing measurement")
    tags = _tags(cursor)
    if not cursor.here:
        raise Unparsable("missing fields")
    key = _no_longer_than_allowed(cursor.at)
    cursor.pattern(rb"[ \t\0]+")
    fields = _fields(cursor)
    _no_longer_than_allowed(key + 4 + max(map(len, fields)))
    cursor.pattern(rb"[ \t\0]+")
    instant = cursor.pattern(rb"[^ ]+")
    if instant and not re.fullmatch(rb"-?\d*", instant):
        raise Unparsable("bad timestamp")
    if cursor.line[cursor.at :].strip(b" "):
        raise Unparsable("point is invalid")
    nanoseconds = _nanoseconds(instant, precision) if instant else _now(precision)
    sorted_tags = tuple(sorted((_unescaped(rb"[,= ]", tag), _unescaped(rb"[,= ]", text)) for tag, text in tags))
    named = {_unescaped(rb'[,"= ]', name): value for name, value in fields.items()}
    return Point(_unescaped(rb"[, ]", measurement), sorted_tags, named, nanoseconds)


def _no_longer_than_allowed(size: int) -> int:
    if size > _LONGEST_KEY:
        raise Unparsable(f"max key length exceeded: {size} > {_LONGEST_KEY}")
    return size


def _tags(cursor: _Cursor) -> list[tuple[bytes, bytes]]:
    tags = list[tuple[bytes, bytes]]()
    while cursor.takes(b","):
        tag = cursor.name(b",= ")
        if not tag:
            raise Unparsable("missing tag key")
        text = cursor.name(b",= ") if cursor.takes(b"=") else b""
        if not text:
            raise Unparsable("missing tag value")
        if cursor.here == b"=":
            raise Unparsable("invalid tag format")
        tags.append((tag, text))
    for tag, times in Counter(tag for tag, _ in tags).items():
        if tag in _RESERVED_TAGS:
            raise Unparsable(f'cannot use reserved tag key "{_text(tag)}"')
        if times > 1:
            raise Unparsable("duplicate tags")
    return tags


def _fields(cursor: _Cursor) -> dict[bytes, Field]:
    fields = dict[bytes, Field]()
    while True:
        name = cursor.pattern(rb"(?:\\.|[^=, \\])*")
        if not cursor.takes(b"="):
            raise Unparsable("invalid field format")
        if not name:
            raise Unparsable("missing field key")
        fields[name] = _field(cursor)
        if cursor.takes(b","):
            continue
        if cursor.here not in {b"", b" "}:
            raise Unparsable("invalid field format")
        return fields


def _field(cursor: _Cursor) -> Field:
    if cursor.here == b'"':
        text = cursor.pattern(rb'"(?:\\.|[^"\\])*"')
        if not text:
            raise Unparsable("unbalanced quotes")
        return Field("string", _unescaped(rb'["\\]', text[1:-1]))
    word = cursor.pattern(rb"[^, ]*")
    if not word:
        raise Unparsable("missing field value")
    if word[:1] in b"0123456789.-Nn":
        return _number(word)
    if word not in _TRUE | _FALSE:
        raise Unparsable("invalid boolean")
    return Field("boolean", word in _TRUE)


def _number(word: bytes) -> Field:
    digits, suffix = (word[:-1], word[-1:]) if word[-1:] in b"iu" else (word, b"")
    if suffix:
        if not re.fullmatch(rb"\d+" if suffix == b"u" else rb"-?\d+", digits):
            raise Unparsable("invalid number")
        whole, low, high = int(digits), *((0, 2**64) if suffix == b"u" else (-(2**63), 2**63))
        kind: Kind = "unsigned" if suffix == b"u" else "integer"
        if not low <= whole < high:
            function = "ParseUint" if suffix == b"u" else "ParseInt"
            shown = _text(digits)
            raise Unparsable(
                f'unable to parse {kind} {shown}: strconv.{function}: parsing "{shown}": value out of range'
            )
        return Field(kind, whole)
    if not _FLOAT.fullmatch(word):
        raise Unparsable("invalid number")
    if abs(float(word)) == float("inf"):
        raise Unparsable("invalid float")
    return Field("float", float(word))


def _nanoseconds(instant: bytes, precision: str) -> int:
    if not re.fullmatch(rb"-?\d+", instant):
        raise Unparsable(f'strconv.ParseInt: parsing "{_text(instant)}": invalid syntax')
    if not -(2**63) <= int(instant) < 2**63:
        raise Unparsable(f'strconv.ParseInt: parsing "{_text(instant)}": value out of range')
    return _in_range(int(instant) * UNIT_NANOSECONDS[precision])


def _in_range(nanoseconds: int) -> int:
    if abs(nanoseconds) > _LAST_NANOSECOND:
        raise Unparsable(f"time outside range {-_LAST_NANOSECOND} - {_LAST_NANOSECOND}")
    return nanoseconds


def _now(precision: str) -> int:
    unit = UNIT_NANOSECONDS[precision]
    return time.time_ns() // unit * unit


def _unescaped(specials: bytes, name: bytes) -> str:
    return _text(re.sub(rb"\\(" + specials + rb")", rb"\1", name))


def _text(name: bytes) -> str:
    return name.decode(errors="surrogateescape")
