"""A strict stand-in for InfluxDB 2.8.

Statuses, messages and their order are those of v2.8.0: `http/write_handler.go`, `http/delete_handler.go`,
`tsdb/field_validator.go`, `v1/coordinator/points_writer.go`, `tenant/`. Of InfluxQL it knows two queries.
"""

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from twinning_pipelines_tests.far_sides.line_protocol_parser import (
    UNIT_NANOSECONDS,
    Field,
    Kind,
    Point,
    Tags,
    parse,
)
from twinning_pipelines_tests.far_sides.scripted_server import Reply, Request, ScriptedServer

_LONGEST_STRING = 2**20
_STATUSES = {
    "invalid": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not found": 404,
    "request too large": 413,
    "unprocessable entity": 422,
    "conflict": 422,
    "internal error": 500,
    "not implemented": 501,
}


def refusal(code: str, message: str) -> Reply:
    """InfluxDB 2's way to say no."""
    body = {"code": code, "message": message}
    return Reply.of(_STATUSES[code], body, **{"X-Platform-Error-Code": code})


@dataclass(slots=True)
class Bucket:
    """A bucket and what it holds. `types` are fixed by the first point of each shard."""

    id: str
    name: str
    shard_seconds: int
    retention_seconds: int
    points: dict[tuple[str, Tags, int], dict[str, Field]] = field(default_factory=dict)
    types: dict[tuple[int, str, str], Kind] = field(default_factory=dict)

    def described(self, org_id: str) -> dict[str, object]:
        """As the API shows it."""
        rule = {
            "type": "expire",
            "everySeconds": self.retention_seconds,
            "shardGroupDurationSeconds": self.shard_seconds,
        }
        about = {"id": self.id, "orgID": org_id, "type": "user", "name": self.name, "retentionRules": [rule]}
        return about | {"links": {"self": f"/api/v2/buckets/{self.id}"}, "labels": []}

    def store(self, points: Sequence[Point]) -> str:
        """Stores what fits. The first failing shard is named as the server would, with its first reason."""
        oldest = time.time_ns() - self.retention_seconds * 10**9 if self.retention_seconds else -(2**63)
        reasons, outside = dict[int, list[str]](), 0
        for point in points:
            shard = point.nanoseconds // (self.shard_seconds * 10**9)
            if point.nanoseconds < oldest:
                outside += 1
            elif reason := self._misfit(point, shard):
                reasons.setdefault(shard, []).append(reason)
            else:
                fields = {name: value for name, value in point.fields.items() if name != "time"}
                self.points.setdefault((point.measurement, point.tags, point.nanoseconds), {}).update(fields)
        for found in reasons.values():
            return f"partial write: {found[0]} dropped={len(found)}"
        if outside:
            return (
                f"partial write: dropped {outside} points outside retention policy of duration "
                f"{self.retention_seconds // 3600}h0m0s - oldest point, newest point dropped={outside} "
                f"for database: {self.id} for retention policy: autogen"
            )
        return ""

    def _misfit(self, point: Point, shard: int) -> str:
        """Why the shard doesn't take the point. Fields before the clash have fixed their types even so."""
        if set(point.fields) == {"time"}:
            return f'invalid field name: input field "time" on measurement "{point.measurement}" is invalid'
        for name, (kind, value) in point.fields.items():
            where = f'input field "{name}" on measurement "{point.measurement}"'
            if isinstance(value, str) and len(value.encode(errors="surrogateescape")) > _LONGEST_STRING:
                size = len(value.encode(errors="surrogateescape"))
                return f"{where} is too long, {size} > {_LONGEST_STRING}"
            there = kind if name == "time" else self.types.setdefault((shard, point.measurement, name), kind)
            if there != kind:
                return f"field type conflict: {where} is type {kind}, already exists as type {there}"
        return ""


def predicate_pairs(predicate: str) -> list[tuple[str, str]]:
    """The `name="text"` pairs of a delete predicate. Raises ValueError for anything but equality and AND."""
    word = r'(?:"(?:[^"\\\n]|\\["\\n])*"|[A-Za-z_]\w*)'
    pair = rf"\s*({word})\s*=\s*({word})\s*"
    if not re.fullmatch(rf"{pair}(?:AND{pair})*", predicate, re.IGNORECASE):
        raise ValueError(predicate)
    return [(_identifier(name), _identifier(text)) for name, text in re.findall(pair, predicate)]


def _identifier(word: str) -> str:
    if not word.startswith('"'):
        return word
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], word[1:-1])


def rfc3339_nanoseconds(text: str) -> int:
    """An instant in nanoseconds since 1970. Raises ValueError."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[-+]\d\d:\d\d)", text)
    if found is None:
        raise ValueError(text)
    apart = datetime.fromisoformat(found[1] + found[3]) - datetime.fromisoformat("1970-01-01T00:00:00Z")
    return (apart.days * 86_400 + apart.seconds) * 10**9 + int((found[2] or "0").ljust(9, "0"))


class FakeInflux(ScriptedServer):
    """The server. `tokens` may write or only read; `largest_body` bytes, unpacked, are taken (None: all)."""

    def __init__(self, *, shard_seconds: int = 7 * 86_400, largest_body: int | None = None) -> None:
        super().__init__()
        self.org, self.org_id = "home", "0a00000000000001"
        self.token = "fake-token-that-must-never-be-shown"
        self.tokens = {self.token: True, "reader": False}
        self.largest_body = largest_body
        self.buckets = dict[str, Bucket]()
        self.bucket = self.add_bucket("twinning", shard_seconds=shard_seconds).name

    def add_bucket(self, name: str, *, shard_seconds: int = 7 * 86_400, retention_seconds: int = 0) -> Bucket:
        """A new and empty bucket."""
        bucket = Bucket(f"{len(self.buckets) + 1:016x}", name, shard_seconds, retention_seconds)
        self.buckets[name] = bucket
        return bucket

    @property
    def points(self) -> Mapping[tuple[str, Tags, int], Mapping[str, Field]]:
        """What the first bucket holds, by measurement, tags and nanoseconds."""
        return self.buckets["twinning"].points

    def answer(self, request: Request) -> Reply:
        """Routes as the server does: health for everybody, then the token, then the path."""
        if request.path == "/health":
            about = {"name": "influxdb", "message": "ready for queries and writes", "status": "pass"}
            return Reply.of(200, about | {"checks": [], "version": "v2.8.0", "commit": "fake"})
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme not in {"Token", "Bearer"} or token not in self.tokens:
            return refusal("unauthorized", "unauthorized access")
        match request.method, request.path:
            case "POST", "/api/v2/write":
                return self._write(request, may_write=self.tokens[token])
            case "POST", "/api/v2/delete":
                return self._delete(request, may_write=self.tokens[token])
            case "GET", "/query":
                return self._query(request)
            case "GET", "/api/v2/orgs":
                return self._orgs(request)
            case "GET", "/api/v2/buckets":
                found, missing = self._find(request.params.get("org", ""), request.params.get("name", ""))
                buckets = [found.described(self.org_id)] if found else []
                return missing or Reply.of(200, {"links": {"self": "/api/v2/buckets"}, "buckets": buckets})
            case "POST", "/api/v2/buckets":
                return self._create(json.loads(request.body))
        return refusal("not found", "path not found")

    def _find(self, org: str, bucket: str) -> tuple[Bucket | None, Reply | None]:
        if org not in {self.org, self.org_id}:
            return None, refusal("not found", f'organization name "{org}" not found')
        if bucket not in self.buckets:
            return None, refusal("not found", f'bucket "{bucket}" not found')
        return self.buckets[bucket], None

    def _write(self, request: Request, *, may_write: bool) -> Reply:
        precision = request.params.get("precision", "ns")
        if precision not in UNIT_NANOSECONDS:
            return refusal("invalid", "invalid precision; valid precision units are ns, us, ms, and s")
        bucket, missing = self._find(request.params.get("org", ""), request.params.get("bucket", ""))
        if bucket is None:
            return missing or refusal("not found", "bucket not found")
        if not may_write:
            return refusal("forbidden", "insufficient permissions for write")
        if self.largest_body is not None and len(request.body) > self.largest_body:
            return refusal("request too large", "unable to read data: points batch is too large")
        points, failures = parse(request.body, precision)
        if failures:
            told = [f"unable to parse '{line.decode(errors='replace')}': {reason}" for line, reason in failures]
            return refusal("invalid", "\n".join(told))
        if partial := bucket.store(points):
            return refusal("unprocessable entity", f"failure writing points to database: {partial}")
        return Reply(204)

    def _delete(self, request: Request, *, may_write: bool) -> Reply:
        try:
            body = json.loads(request.body)
            first, last = rfc3339_nanoseconds(body["start"]), rfc3339_nanoseconds(body["stop"])
        except (ValueError, KeyError, TypeError) as error:
            return refusal("invalid", f"error decoding json body: {error}")
        try:
            pairs = predicate_pairs(body["predicate"]) if body.get("predicate") else []
        except ValueError as error:
            return refusal("invalid", f"invalid request; error parsing predicate: {error}")
        if any(name == "_field" for name, _ in pairs):
            return refusal("not implemented", "delete by field is not supported")
        bucket, missing = self._find(request.params.get("org", ""), request.params.get("bucket", ""))
        if bucket is None:
            return missing or refusal("not found", "bucket not found")
        if not may_write:
            return refusal("forbidden", "insufficient permissions to delete")
        for key in list(bucket.points):
            measurement, tags, at = key
            held = {"_measurement": measurement} | dict(tags)
            if first <= at <= last and all(held.get(name) == text for name, text in pairs):
                del bucket.points[key]
        return Reply(204)

    def _query(self, request: Request) -> Reply:
        if (bucket := self.buckets.get(request.params.get("db", ""))) is None:
            return Reply.of(200, {"results": [{"statement_id": 0, "error": "database not found"}]})
        known = r'SELECT (COUNT\()?"(\w+)"\)? FROM "(\w+)"( tz\(\'[\w/]+\'\))?'
        if not (found := re.fullmatch(known, request.params.get("q", ""))):
            return refusal("invalid", "failed to parse query: this stand-in knows no such query")
        count, name, measurement, _ = found.groups()
        rows = [
            (at, fields[name].value)
            for (each, _, at), fields in sorted(bucket.points.items())
            if each == measurement and name in fields
        ]
        shown = [(0, len(rows))] if count and rows else rows
        columns = ["time", "count" if count else name]
        values = [(_rfc3339(at), value) for at, value in shown]
        series = [{"name": measurement, "columns": columns, "values": values}] if shown else []
        return Reply.of(200, {"results": [{"statement_id": 0} | ({"series": series} if series else {})]})

    def _orgs(self, request: Request) -> Reply:
        if request.params.get("org") != self.org:
            return refusal("not found", f'organization name "{request.params.get("org")}" not found')
        org = {"id": self.org_id, "name": self.org, "links": {"self": f"/api/v2/orgs/{self.org_id}"}}
        return Reply.of(200, {"links": {"self": "/api/v2/orgs"}, "orgs": [org]})

    def _create(self, body: Mapping[str, object]) -> Reply:
        name, rules = str(body.get("name", "")), body.get("retentionRules", [])
        if body.get("orgID") != self.org_id:
            return refusal("invalid", "organization id must be provided")
        if name in self.buckets:
            return refusal("conflict", f"bucket with name {name} already exists")
        rule = rules[0] if isinstance(rules, list) and rules else {}
        bucket = self.add_bucket(
            name,
            shard_seconds=rule.get("shardGroupDurationSeconds") or 7 * 86_400,
            retention_seconds=rule.get("everySeconds", 0),
        )
        return Reply.of(201, bucket.described(self.org_id))


def _rfc3339(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 10**9)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{stamp}.{rest:09d}".rstrip("0").rstrip(".") + "Z"
