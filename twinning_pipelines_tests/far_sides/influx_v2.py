"""A strict stand-in for InfluxDB 2.8 on a loopback port, and the faults that a network adds.

Statuses, messages and their order are those of InfluxDB v2.8.0 (`http/write_handler.go`, `models/points.go`,
`tsdb/field_validator.go`, `http/delete_handler.go`, `tenant/`). It is stricter than the original in one thing:
what follows a closing quote in a field is refused here and kept there. Of InfluxQL it knows two queries.
"""

import gzip
import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Literal, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

Value = float | int | bool | str
Kind = Literal["float", "integer", "unsigned", "string", "boolean"]
Tags = tuple[tuple[str, str], ...]

UNIT_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_LAST_NANOSECOND = 2**63 - 2
_LONGEST_KEY, _LONGEST_STRING = 65_535, 2**20
_RESERVED_TAGS = {b"time", b"_field", b"_measurement", b"\x00", b"\xff"}
_BOOLEANS = {b"t": True, b"T": True, b"true": True, b"True": True, b"TRUE": True} | {
    b"f": False, b"F": False, b"false": False, b"False": False, b"FALSE": False
}  # fmt: skip
_FLOAT = re.compile(rb"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
# Most lines of a test are of this form; `test_influx_fake` holds the quick way equal to the general one.
_PLAIN = re.compile(rb'([^\s,="\\#][^\s,="\\]*(?:,[^\s,="\\]+=[^\s,="\\]+)*) ([^\s,="\\]+)=(-?\d{1,15}(?:\.\d{1,15})?) (-?\d{1,18})')


# ---------------------------------------------------------------------------------------------- line protocol


class Field(NamedTuple):
    """A field's type, by the name that InfluxDB gives it, and its value."""

    kind: Kind
    value: Value


class Point(NamedTuple):
    """One parsed line. Bytes that are no UTF-8 come back as surrogates."""

    measurement: str
    tags: Tags
    fields: Mapping[str, Field]
    nanoseconds: int


class Unparsable(ValueError):
    """The reason why a line is refused, in InfluxDB's words."""


class _Cursor:
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
        """Up to a stop that has no backslash before it. A backslash is not escaped by another one."""
        begin = self.at
        while self.here and not (self.here in stops and (self.at == begin or self.line[self.at - 1] != 0x5C)):
            self.at += 1
        return self.line[begin : self.at]

    def pattern(self, pattern: bytes) -> bytes:
        found = re.compile(pattern, re.DOTALL).match(self.line, self.at)
        if found is None:
            return b""
        self.at = found.end()
        return found[0]


def parse(body: bytes, precision: str) -> tuple[list[Point], list[tuple[bytes, str]]]:
    """The points of a body, and the lines that are none with the reason. Blank lines and comments are skipped."""
    points, failures = list[Point](), list[tuple[bytes, str]]()
    seen = dict[bytes, tuple[str, Tags]]()
    for block in blocks(body):
        line = block.lstrip(b" \t\0")
        if not line or line.startswith(b"#"):
            continue
        try:
            points.append(_plain_point(line, precision, seen) or parse_line(line, precision))
        except Unparsable as reason:
            failures.append((line, str(reason)))
    return points, failures


def blocks(body: bytes) -> Iterator[bytes]:
    """Lines as the server cuts them: an open quote or a last backslash takes the line break along."""
    pieces = body.split(b"\n")
    while pieces:
        block = pieces.pop(0) if len(pieces) < 64 else None
        if block is None:
            # pop(0) is slow on a long list, so long bodies go through an iterator.
            yield from _blocks(iter(pieces))
            return
        while pieces and _is_open(block):
            block += b"\n" + pieces.pop(0)
        yield block


def _blocks(pieces: Iterator[bytes]) -> Iterator[bytes]:
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
