"""The InfluxDB bucket that the projection is written to: nothing is lost on the way, nothing is stored twice.

From: line protocol. To: one bucket of an InfluxDB 2.x server. The answers told apart here are those of 2.8.0
(`http/write_handler.go`). Writing a line again is harmless, because the same series and instant overwrite;
so whatever may have been lost is simply sent again.
"""

import json
import logging
import random
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import urllib3.exceptions
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from msgspec import Struct

from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable
from twinning_pipelines.formats.line_protocol import Precision, batches, unparsable
from twinning_pipelines.stores.http import certificates, retry_after

Row = dict[str, str | int | float | bool | None]

_LOG = logging.getLogger(__name__)
_CONNECT_SECONDS, _ANSWER_SECONDS = 5, 30
_MILLISECONDS = (_CONNECT_SECONDS * 1000, _ANSWER_SECONDS * 1000)
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 30.0
_REASON_CHARACTERS = 500
# Besides 5xx. InfluxDB says 408 and 499 of a request that was cut short; 0 is a failed TLS handshake.
_PASSING = frozenset({0, 408, 429, 499})
# influxdb-client raises UnicodeDecodeError for a proxy's page in Latin-1; InfluxDB itself speaks UTF-8.
_FAULTS = (urllib3.exceptions.HTTPError, httpx.RequestError, UnicodeDecodeError)


class DeadLine(Struct, frozen=True):
    """A line that the server will never take, with its status and its own words."""

    line: bytes
    status: int
    reason: str


class WriteResult(Struct, frozen=True):
    """How many lines the server acknowledged and which it refused. Blank lines and comments are neither."""

    written: int
    dead: tuple[DeadLine, ...]


class Health(Struct, frozen=True):
    """Whether the server is there and ready. `reason` says why not, or what it says of itself."""

    reachable: bool
    version: str
    reason: str


class _Answer(Struct, frozen=True):
    status: int
    text: str = ""
    wait_seconds: float | None = None

    @property
    def message(self) -> str:
        """`message` in 2.x, `error` in 1.x, or the page of whatever stands before the server."""
        body = _object(self.text)
        return str(body.get("message") or body.get("error") or self.text)


class Influx:
    """One bucket. `precision` is the unit of the lines' timestamps; a `with` block closes the connections.

    A request is repeated after a lost connection, 408, 429, 499 and 5xx, for `budget_seconds` in all; then
    comes FarSideUnavailable. FarSideRefused means that a person has to change something: after more than
    `most_dead` refused lines in one `write` that is the bucket (its retention, its types), not the lines.
    """

    def __init__(
        self,
        url: str,
        token: str,
        org: str,
        bucket: str,
        *,
        precision: Precision = "s",
        lines_per_call: int = 5_000,
        bytes_per_call: int = 4_000_000,
        budget_seconds: float = 120,
        most_dead: int = 1_000,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Opens no connection yet. Raises ValueError for a URL or a token that no request could carry."""
        self._url, self._token = _plain_url(url), _plain_token(token)
        self._org, self._bucket, self._precision = org, bucket, precision
        self._lines_per_call, self._bytes_per_call = lines_per_call, bytes_per_call
        self._budget_seconds, self._most_dead = budget_seconds, most_dead
        self._sleep, self._jitter, self._clock = sleep, jitter, clock
        self._client: Any = InfluxDBClient(self._url, self._token, timeout=_MILLISECONDS, enable_gzip=True)
        self._writer: Any = self._client.write_api(write_options=SYNCHRONOUS)
        # Like influxdb-client: the system's certificates, and no proxy from the environment.
        self._http = httpx.Client(
            base_url=self._url,
            headers={"Authorization": f"Token {self._token}", "Accept": "application/json"},
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            verify=certificates(),
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()
        self._client.close()

    def write(self, lines: Iterable[bytes]) -> WriteResult:
        """Writes lines in their order; each ends acknowledged or dead.

        Raises FarSideUnavailable and FarSideRefused with some lines written; the same call again is safe.
        """
        sent, dead = 0, list[DeadLine]()
        for batch in batches(lines, most_lines=self._lines_per_call, most_bytes=self._bytes_per_call):
            sent += len(batch)
            for refused in self._deliver(batch):
                dead.append(refused)
                if len(dead) > self._most_dead:
                    advice = f"check retention and field types of bucket {self._bucket!r}"
                    raise FarSideRefused(f"InfluxDB refused {len(dead)} lines, {advice}: {refused.reason}")
        return WriteResult(sent - len(dead), tuple(dead))

    def delete(self, measurement: str, tags: Mapping[str, str], first: datetime, last: datetime) -> None:
        """Deletes the points of a measurement that carry all `tags`, from `first` to `last`.

        Both are included, `last` to the end of its microsecond, for a point may lie a nanosecond later.
        Raises ValueError for an instant without a zone, FarSideUnavailable and FarSideRefused.
        """
        pairs = [("_measurement", measurement), *((_quoted(tag), text) for tag, text in sorted(tags.items()))]
        predicate = " AND ".join(f"{name}={_quoted(text)}" for name, text in pairs)
        body = {"start": f"{_rfc3339(first)}000Z", "stop": f"{_rfc3339(last)}999Z", "predicate": predicate}
        place = {"org": self._org, "bucket": self._bucket}
        delete = partial(self._ask, "POST", "/api/v2/delete", params=place, json=body)
        self._settled("delete from", delete, {204})

    def query(self, influxql: str, *, zone: ZoneInfo | None = None) -> list[Row]:
        """The rows of an InfluxQL query: `measurement`, the tags of GROUP BY, then the columns by name.

        `time` is RFC 3339 text in UTC, or in `zone`, which then also decides where `GROUP BY time(1d)` cuts.
        Raises FarSideUnavailable, and FarSideRefused for a query that fails or is answered only in part.
        """
        text = influxql if zone is None else f"{influxql} tz('{zone.key}')"
        question = {"db": self._bucket, "q": text}
        answer = self._settled("query", partial(self._ask, "GET", "/query", params=question), {200})
        rows = list[Row]()
        for result in self._read(answer).get("results", []):
            cut = any(part.get("partial") for part in (result, *result.get("series", [])))
            if "error" in result or cut:
                reason = self._safe(result.get("error", "the answer is cut short, by max-row-limit perhaps"))
                raise FarSideRefused(f"InfluxDB does not answer {text!r}: {reason}")
            for series in result.get("series", []):
                head = {"measurement": series.get("name")} | series.get("tags", {})
                values = series.get("values", [])
                rows += [head | dict(zip(series["columns"], row, strict=True)) for row in values]
        return rows

    def health(self) -> Health:
        """One look, without repeating. The token is not tried."""
        try:
            answer = self._ask("GET", "/health")
        except _FAULTS as fault:
            return Health(reachable=False, version="", reason=f"no answer from {self._url}: {fault}")
        about = _object(answer.text)
        reason = self._safe(answer.message) or f"HTTP {answer.status}"
        ready = answer.status == 200 and about.get("status") == "pass"
        return Health(reachable=ready, version=str(about.get("version", "")), reason=reason)

    def ensure_bucket(self, *, shard_group_days: int = 91) -> bool:
        """Creates the bucket where it is missing, with endless retention; true if it did.

        The server's own choice of 7-day shards would cut five back-dated years into 260. A bucket that is
        there stays as it is. Raises FarSideUnavailable and FarSideRefused.
        """
        name = {"org": self._org, "name": self._bucket}
        found = self._settled("find", partial(self._ask, "GET", "/api/v2/buckets", params=name), {200, 404})
        if found.status == 200 and self._read(found).get("buckets"):
            return False
        org = partial(self._ask, "GET", "/api/v2/orgs", params={"org": self._org})
        orgs = self._read(self._settled("create", org, {200})).get("orgs")
        if not orgs:
            raise self._refusal("create", _Answer(404))
        rule = {"type": "expire", "everySeconds": 0, "shardGroupDurationSeconds": shard_group_days * 86_400}
        body = {"orgID": orgs[0]["id"], "name": self._bucket, "retentionRules": [rule]}
        made = self._settled("create", partial(self._ask, "POST", "/api/v2/buckets", json=body), {201, 422})
        # Somebody may have been faster, or our own request was repeated after its answer got lost.
        if made.status == 422 and "already exists" not in made.message:
            raise self._refusal("create", made)
        return made.status == 201

    def _deliver(self, batch: Sequence[bytes]) -> Iterator[DeadLine]:
        """Sends until each line was in a call that ended with 204, or is dead.

        A 422 says that the rest is stored, but comes before every shard is done: only a 204 counts.
        """
        pending = [batch]
        while pending:
            lines = pending.pop()
            answer = self._settled("write to", partial(self._post, lines), {204, 400, 413, 422})
            if answer.status == 204:
                continue
            reasons = unparsable(answer.message, lines) if answer.status == 400 else {}
            if len(lines) == 1:
                reasons = reasons or {lines[0]: answer.message}
            for line in filter(reasons.__contains__, lines):
                yield DeadLine(line, answer.status, self._safe(reasons[line]))
            rest = [line for line in lines if line not in reasons]
            middle = 0 if reasons else len(rest) // 2
            pending += [part for part in (rest[middle:], rest[:middle]) if part]

    def _settled(self, doing: str, ask: Callable[[], _Answer], accepted: Collection[int]) -> _Answer:
        """The first answer that is no passing fault. Raises FarSideRefused unless its status is accepted."""
        deadline = self._clock() + self._budget_seconds
        backoff = _FIRST_WAIT_SECONDS
        while True:
            try:
                answer = ask()
            except _FAULTS as fault:
                answer = _Answer(0, f"{type(fault).__name__}: {fault}")
            if answer.status not in _PASSING and answer.status < 500:
                break
            trouble = self._safe(f"HTTP {answer.status}: {answer.message}" if answer.status else answer.text)
            if "CERTIFICATE_VERIFY_FAILED" in trouble:
                raise FarSideRefused(f"the certificate of {self._url} is not trusted: {trouble}")
            wait = answer.wait_seconds or backoff * (1 + self._jitter()) / 2
            if self._clock() + wait > deadline:
                budget = f"within {self._budget_seconds:g} s"
                task = f"{doing} bucket {self._bucket!r} at {self._url}"
                raise FarSideUnavailable(f"could not {task} {budget}: {trouble}")
            _LOG.warning("InfluxDB, trying again in %.1f s: %s", wait, trouble)
            self._sleep(wait)
            backoff = min(backoff * 2, _LONGEST_WAIT_SECONDS)
        if answer.status not in accepted:
            raise self._refusal(doing, answer)
        return answer

    def _post(self, lines: Sequence[bytes]) -> _Answer:
        try:
            self._writer.write(self._bucket, self._org, b"\n".join(lines), write_precision=self._precision)
        except ApiException as refusal:
            text = refusal.body or refusal.reason or ""
            return _Answer(refusal.status or 0, text, retry_after(refusal.headers or {}))
        # influxdb-client takes every 2xx for success, but a captive portal says 200 to anything.
        return _Answer(self._client.api_client.last_response.status)

    def _ask(self, method: str, path: str, **request: Any) -> _Answer:
        response = self._http.request(method, path, **request)
        return _Answer(response.status_code, response.text, retry_after(response.headers))

    def _refusal(self, doing: str, answer: _Answer) -> FarSideRefused:
        sentences = {
            401: "does not accept the token: check that it is whole, active and of this server",
            403: f"does not let this token {doing} bucket {self._bucket!r}: give it read and write access",
            404: f"knows no organisation {self._org!r} or no bucket {self._bucket!r}: check both names",
        }
        other = f"answers HTTP {answer.status} when asked to {doing} bucket {self._bucket!r}: check the URL"
        said = f" (it says: {self._safe(answer.message)})" if answer.message else ""
        return FarSideRefused(f"InfluxDB at {self._url} {sentences.get(answer.status, other)}{said}")

    def _read(self, answer: _Answer) -> dict[str, Any]:
        if not (body := _object(answer.text)):
            raise FarSideRefused(f"{self._url} is not InfluxDB: it answers {self._safe(answer.text)!r}")
        return body

    def _safe(self, text: str) -> str:
        """Foreign words that may be logged, raised and kept: short, on one line, without the token."""
        return " ".join(text.replace(self._token, "[token]").split())[:_REASON_CHARACTERS]


def _object(text: str) -> dict[str, Any]:
    """A JSON object; empty for anything else."""
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _quoted(text: str) -> str:
    """An identifier of InfluxQL, which is also how a delete predicate writes its values."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _rfc3339(instant: datetime) -> str:
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no zone")
    return instant.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")


def _plain_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or parts.query:
        raise ValueError("InfluxDB's URL must read http://host:port or https://host:port, without a password")
    return url.rstrip("/")


def _plain_token(token: str) -> str:
    """The token without the line break that files end with. The error hides it, as httpx's own would not."""
    if not re.fullmatch(r"[!-~]+", plain := token.strip()):
        raise ValueError("the InfluxDB token is empty or holds characters that no HTTP header can carry")
    return plain
