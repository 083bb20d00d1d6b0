"""A real InfluxDB 1.6.7, as Debian has it, behind a thin front that speaks the 2.x write API.

The storage engine, the line-protocol parser, the clashes of types and InfluxQL are the real ones. Only these
differ from a real 2.x: a batch with unparsable lines is answered 400 with its good lines stored, as 1.x does,
and where one batch has a clash of types as well, 1.x names only the clash.
"""

import gzip
import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import httpx

from twinning_pipelines_tests.far_sides.influx_v2 import predicate_pairs, refusal
from twinning_pipelines_tests.far_sides.scripted_server import Reply, Request, ScriptedServer
from twinning_pipelines_tests.free_ports import free_ports
from twinning_pipelines_tests.infra.programs import program

# 1.x names its units otherwise and takes an unknown one for nanoseconds.
_UNITS = {"s": "s", "ms": "ms", "us": "u", "ns": "n"}
_CONFIGURATION = """
reporting-enabled = false
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{http}"
  log-enabled = false
"""


def executable() -> str | None:
    """Where influxd is, if it is here."""
    found = program("influxd")
    return str(found) if found else None


class Influxd:
    """The process, in a folder of its own and on free loopback ports. `url` is its own 1.x API."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = ""

    def __enter__(self) -> Self:
        http, rpc = free_ports(2)
        self.url = f"http://127.0.0.1:{http}"
        settings = self._folder / "influxdb.conf"
        settings.write_text(_CONFIGURATION.format(http=http, rpc=rpc, folder=self._folder))
        command = [executable() or "influxd", "-config", str(settings)]
        with (self._folder / "influxd.log").open("wb") as log:
            # An empty environment: INFLUXDB_* variables would override the file.
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env={}, start_new_session=True)
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait(self, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/ping", trust_env=False, verify=False).status_code == 204:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise RuntimeError((self._folder / "influxd.log").read_text()[-2000:])


class V1Front(ScriptedServer):
    """The front. A bucket is a database of the same name; there is one organisation and one token."""

    def __init__(self, influxd: Influxd, bucket: str) -> None:
        super().__init__()
        self.org, self.org_id, self.token = "home", "0a00000000000001", "front-token-that-must-never-be-shown"
        self.bucket = bucket
        self._http = httpx.Client(base_url=influxd.url, trust_env=False, verify=False, timeout=30)
        self._run(f"CREATE DATABASE {_identifier(bucket)}")

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._run(f"DROP DATABASE {_identifier(self.bucket)}")
        self._http.close()

    def answer(self, request: Request) -> Reply:
        """Translates what 2.x and 1.x say differently and passes the rest through."""
        if request.path == "/health":
            version = self._http.get("/ping").headers["X-Influxdb-Version"]
            about = {"name": "influxdb", "message": "ready for queries and writes", "status": "pass"}
            return Reply.of(200, about | {"version": version})
        if request.headers.get("Authorization") != f"Token {self.token}":
            return refusal("unauthorized", "unauthorized access")
        match request.method, request.path:
            case "POST", "/api/v2/write":
                return self._write(request)
            case "POST", "/api/v2/delete":
                return self._delete(request)
            case "GET", "/query":
                return _passed_on(self._http.get("/query", params=dict(request.params)))
            case "GET", "/api/v2/orgs":
                return Reply.of(200, {"orgs": [{"id": self.org_id, "name": self.org}]})
            case "GET", "/api/v2/buckets":
                name = request.params["name"]
                there = name in self._names("SHOW DATABASES")
                return Reply.of(200, {"buckets": [{"name": name}] if there else []})
            case "POST", "/api/v2/buckets":
                return self._create(json.loads(request.body))
        return refusal("not found", "path not found")

    def _write(self, request: Request) -> Reply:
        if (unit := _UNITS.get(request.params.get("precision", "ns"))) is None:
            return refusal("invalid", "invalid precision; valid precision units are ns, us, ms, and s")
        if request.params.get("org") != self.org:
            return refusal("not found", f'organization name "{request.params.get("org")}" not found')
        place = {"db": request.params.get("bucket", ""), "precision": unit}
        packed = gzip.compress(request.body, 1)
        reply = self._http.post("/write", params=place, content=packed, headers={"Content-Encoding": "gzip"})
        if reply.status_code == 400:
            error = str(reply.json()["error"])
            if "field type conflict" in error or "outside retention policy" in error:
                return refusal("unprocessable entity", f"failure writing points to database: {error}")
        return _passed_on(reply)

    def _delete(self, request: Request) -> Reply:
        body = json.loads(request.body)
        pairs = dict(predicate_pairs(body["predicate"]))
        measurement = _identifier(pairs.pop("_measurement"))
        conditions = [f"{_identifier(name)} = {_literal(text)}" for name, text in pairs.items()]
        conditions += [f"time >= {_literal(body['start'])}", f"time <= {_literal(body['stop'])}"]
        self._run(f"DELETE FROM {measurement} WHERE {' AND '.join(conditions)}", request.params["bucket"])
        return Reply(204)

    def _create(self, body: Mapping[str, object]) -> Reply:
        name, rules = str(body["name"]), body["retentionRules"]
        assert isinstance(rules, list)
        days = rules[0]["shardGroupDurationSeconds"] // 86_400
        self._run(f"CREATE DATABASE {_identifier(name)} WITH DURATION INF SHARD DURATION {days}d")
        return Reply.of(201, {"name": name})

    def _names(self, statement: str) -> list[str]:
        series = self._run(statement)["results"][0]["series"][0]
        return [row[0] for row in series.get("values", [])]

    def _run(self, statement: str, database: str = "") -> dict[str, list[dict[str, list[dict[str, list[str]]]]]]:
        reply = self._http.post("/query", params={"q": statement, "db": database})
        if reply.status_code != 200 or b'"error"' in reply.content:
            raise RuntimeError(f"{statement}: {reply.text}")
        return dict(reply.json())


def _passed_on(reply: httpx.Response) -> Reply:
    return Reply(reply.status_code, reply.content, {"Content-Type": reply.headers.get("Content-Type", "")})


def _identifier(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"
