"""Nothing is lost on the way to InfluxDB and nothing is stored twice, whatever the network and the server do.

The first part runs against three far sides: the strict stand-in, a real InfluxDB 1.6.7 behind a front that
speaks the 2.x write API, and the reader's own 2.x where TWINNING_TEST_INFLUX_URL, _TOKEN, _ORG and _BUCKET
name one (with endless retention; the tests use measurements of their own and delete them). Only the last is a
real 2.x server.
"""

import json
import logging
import os
import re
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable
from twinning_pipelines.formats.line_protocol import encode
from twinning_pipelines.stores.influx import Influx, WriteResult
from twinning_pipelines_tests.far_sides.influx_v1_front import Influxd, V1Front, executable
from twinning_pipelines_tests.far_sides.influx_v2 import FakeInflux, refusal
from twinning_pipelines_tests.far_sides.scripted_server import (
    Fault,
    HalfAnswer,
    HangUp,
    Instead,
    Reply,
)
from twinning_pipelines_tests.far_sides.waiting import Waiting
from twinning_pipelines_tests.stores.influx_side import Side, count

START = 1_700_000_000


@pytest.fixture(scope="module")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd | None]:
    if executable() is None:
        yield None
        return
    with Influxd(tmp_path_factory.mktemp("influxd")) as server:
        yield server


@pytest.fixture(params=["stand-in", "InfluxDB 1.6.7", "own InfluxDB 2.x"])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    with ExitStack() as stack:
        if request.param == "stand-in":
            yield Side.of(stack.enter_context(FakeInflux()))
        elif request.param == "InfluxDB 1.6.7":
            influxd = request.getfixturevalue("influxd")
            if influxd is None:
                pytest.skip("influxd is not here: infra/programs unpacks it on Debian 12")
            yield Side.of(stack.enter_context(V1Front(influxd, f"b{uuid4().hex[:12]}")))
        else:
            yield from _own()


def _own() -> Iterator[Side]:
    names = [f"TWINNING_TEST_INFLUX_{part}" for part in ("URL", "TOKEN", "ORG", "BUCKET")]
    if missing := [name for name in names if not os.environ.get(name)]:
        pytest.skip(f"no InfluxDB 2.x to test with: {', '.join(missing)} not set")
    url, token, org, bucket = (os.environ[name] for name in names)
    side = Side(url, token, org, bucket)
    yield side
    with side.client() as influx:
        influx.delete(side.measurement, {}, datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


# ------------------------------------------------------------------------------ any InfluxDB


GOOD = 100_000
UNPARSABLE = (
    ",person=ada value=nope 1700000007",
    ",person= value=1 1700000008",
    ",person=ada value= 1700000009",
)
CLASHING = (',person=ada value="high" 1700000011', ",person=bob value=61i 1700000012")
FAULTS: tuple[Fault | None, ...] = (
    None,
    Instead(Reply(503, b"", {"Retry-After": "3"})),
    None,
    HangUp(stored=False),
    Instead(Reply(429, b"")),
    HangUp(stored=True),
    None,
    Instead(refusal("request too large", "unable to read data: points batch is too large")),
    HalfAnswer(),
    None,
    Instead(Reply(502, "<h1>Passerelle erronée</h1>".encode("latin-1"))),
)


@pytest.mark.timeout(60)
def test_a_hundred_thousand_lines_through_every_fault(side: Side) -> None:
    lines = _hundred_thousand(side)
    bad = side.lines(*UNPARSABLE, *CLASHING)
    for place, line in enumerate(bad):
        lines.insert(7_000 + 17_000 * place, line)
    waiting = Waiting()
    with side.client(waiting) as influx:
        if side.server:
            side.server.script.extend(FAULTS)
        first = influx.write(iter(lines))
        assert first.written == GOOD
        assert [(dead.line, dead.status) for dead in first.dead] == list(
            zip(bad, [400, 400, 400, 422, 422], strict=True)
        )
        told = [
            "invalid number",
            "missing tag value",
            "missing field value",
            "is type string",
            "is type integer",
        ]
        assert all(reason in dead.reason for reason, dead in zip(told, first.dead, strict=True))
        _assert_stored(side, influx)
        assert influx.write(lines) == first
        _assert_stored(side, influx)
    if side.server:
        # 503 asked for 3 s; the other waits begin at 0.5 s and double while the same call fails.
        assert waiting.waits == [3, 0.5, 1, 2, 0.5, 0.5]
        assert not side.server.script
        assert len(side.server.exchanges) < 170


def _hundred_thousand(side: Side) -> list[bytes]:
    table = pa.table(
        {
            "person": pa.array(["ada", "bob"] * (GOOD // 2)).dictionary_encode(),
            "value": pa.array(range(GOOD), pa.float64()),
            "at": pa.array(range(START, START + GOOD), pa.int64()),
        }
    )
    lines: list[bytes] = encode(
        table, measurement=side.measurement, tags=("person",), fields=("value",), at="at"
    ).to_pylist()
    return lines


def _assert_stored(side: Side, influx: Influx) -> None:
    assert count(influx, side.measurement) == GOOD
    if isinstance(side.server, FakeInflux):
        found = [fields["value"].value for fields in side.server.points.values()]
        assert sorted(found) == list(range(GOOD))
        return
    (row,) = influx.query(f'SELECT SUM("value"), MIN("value"), MAX("value") FROM "{side.measurement}"')
    assert (row["sum"], row["min"], row["max"]) == (GOOD * (GOOD - 1) // 2, 0, GOOD - 1)
    by_person = influx.query(f'SELECT COUNT("value") FROM "{side.measurement}" GROUP BY "person"')
    assert [(row["person"], row["count"]) for row in by_person] == [("ada", GOOD // 2), ("bob", GOOD // 2)]


def test_a_line_that_is_left_open_does_not_swallow_its_neighbours(side: Side) -> None:
    lines = side.lines(" value=1 1", ' note="open 2', " value=3 3", ' note="b" 4', " value=5 5\\", " value=6 6")
    with side.client() as influx:
        result = influx.write(lines)
        assert [dead.line for dead in result.dead] == [lines[1], lines[4]]
        assert [dead.reason for dead in result.dead] == ["unbalanced quotes", "bad timestamp"]
        assert (result.written, count(influx, side.measurement)) == (4, 3)


def test_bad_lines_that_quote_and_repeat_themselves(side: Side) -> None:
    bad = {
        f"{side.measurement},a=b' value= 1".encode(): "missing field value",
        f"  {side.measurement},a=b' value= 1".encode(): "missing field value",
        f'{side.measurement} note="\': missing fields" 3x'.encode(): "bad timestamp",
        f"{side.measurement} value=1 now': it's".encode(): "bad timestamp",
    }
    lines = [*bad, *side.lines(" value=1 2"), b"", b"# a comment", b" \t", next(iter(bad))]
    with side.client() as influx:
        result = influx.write(lines)
        assert [(dead.line, dead.reason) for dead in result.dead] == [*bad.items(), next(iter(bad.items()))]
        assert (result.written, count(influx, side.measurement)) == (1, 1)
    assert side.server is None or len([r for r, _ in side.server.exchanges if r.method == "POST"]) == 2


def test_two_samples_of_one_second_are_two(side: Side) -> None:
    with side.client(precision="ms") as influx:
        assert influx.write(side.lines(" value=1 1700000000000", " value=2 1700000000500")).written == 2
        assert count(influx, side.measurement) == 2


def test_delete_takes_only_what_it_names(side: Side) -> None:
    lines = side.lines(",person=ada value=1 10", ",person=ada value=1 11", ",person=ada value=1 12")
    lines += side.lines(",person=ada,source=w value=1 11", ",person=bob value=1 11")
    with side.client() as influx:
        influx.write(lines)
        at = datetime.fromtimestamp(11, UTC)
        influx.delete(side.measurement, {"person": "ada", "source": "w"}, at, at)
        assert count(influx, side.measurement) == 4
        influx.delete(side.measurement, {"person": "ada"}, at, at + timedelta(seconds=1))
        assert count(influx, side.measurement) == 2
        influx.delete(f"{side.measurement}x", {}, at, at)
        influx.delete(side.measurement, {}, datetime.fromtimestamp(0, UTC), at)
        assert count(influx, side.measurement) == 0


def test_delete_reaches_to_the_end_of_the_microsecond(side: Side) -> None:
    with side.client(precision="ns") as influx:
        influx.write(side.lines(" value=1 1999999999", " value=2 2000000000"))
        moment = datetime.fromtimestamp(1, UTC)
        influx.delete(side.measurement, {}, moment, moment + timedelta(microseconds=999_999))
        assert count(influx, side.measurement) == 1


AWKWARD = ("a b", "a,b", "a=b", 'say "hi"', "it's", "back\\slash", "emoji 😀", "tab\there", "#", "'); DROP")


def test_awkward_names_come_back_and_go_away(side: Side) -> None:
    names = AWKWARD
    table = pa.table({"person": names, "value": [1.5] * len(names), "at": range(len(names))})
    instants = [datetime.fromtimestamp(second, UTC) for second in (0, len(names))]
    with side.client() as influx:
        lines = encode(table, measurement=side.measurement, tags=("person",), fields=("value",), at="at")
        assert influx.write(lines.to_pylist()) == WriteResult(len(names), ())
        if isinstance(side.server, FakeInflux):
            assert [tags for _, tags, _ in side.server.points] == [(("person", name),) for name in names]
        else:
            rows = influx.query(f'SELECT "value" FROM "{side.measurement}" GROUP BY "person"')
            assert {(row["person"], row["value"]) for row in rows} == {(name, 1.5) for name in names}
        for left, name in enumerate(reversed(names)):
            assert count(influx, side.measurement) == len(names) - left
            influx.delete(side.measurement, {"person": name}, instants[0], instants[1])
        assert count(influx, side.measurement) == 0


def test_a_real_influxdb_reads_every_escape_as_it_was_meant(influxd: Influxd | None) -> None:
    if influxd is None:
        pytest.skip("influxd is not here: infra/programs unpacks it on Debian 12")
    names = [name for name in AWKWARD if name != "#"]
    with V1Front(influxd, f"b{uuid4().hex[:12]}") as server, Side.of(server).client() as influx:
        for at, name in enumerate(names):
            table = pa.table({f"tag {name}": [name], name: [f"{name}\n\\"], "at": [at]})
            lines = encode(table, measurement=name, tags=(f"tag {name}",), fields=(name,), at="at").to_pylist()
            assert influx.write(lines) == WriteResult(1, ())
        rows = influx.query("SELECT * FROM /.*/ GROUP BY *")
    expected = [{"measurement": name, f"tag {name}": name, name: f"{name}\n\\"} for name in names]
    found = [{column: value for column, value in row.items() if column != "time" and value} for row in rows]
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_a_local_day_may_have_23_hours(side: Side) -> None:
    if isinstance(side.server, FakeInflux):
        pytest.skip("the stand-in groups nothing")
    midnight = int(datetime(2026, 3, 28, 23, tzinfo=UTC).timestamp())
    where = f"WHERE time >= {midnight}s AND time < {midnight + 47 * 3600}s GROUP BY time(1d)"
    with side.client() as influx:
        influx.write(side.lines(*(f" value=1 {midnight + hour * 3600}" for hour in range(47))))
        rows = influx.query(f'SELECT COUNT("value") FROM "{side.measurement}" {where}', zone=ZoneInfo("Europe/Zurich"))
    assert [(row["time"], row["count"]) for row in rows] == [
        ("2026-03-29T00:00:00+01:00", 23),
        ("2026-03-30T00:00:00+02:00", 24),
    ]


def test_a_healthy_server_says_its_version(side: Side) -> None:
    with side.client() as influx:
        health = influx.health()
    assert health.reachable
    assert re.search(r"\d+\.\d+", health.version)


def test_a_bucket_is_made_once(side: Side) -> None:
    with side.client() as influx:
        assert influx.ensure_bucket() is False
    if side.server is None:
        pytest.skip("leaves no bucket behind on a server that is not ours")
    with Influx(side.url, side.token, side.org, f"new {side.measurement}") as influx:
        assert [influx.ensure_bucket(), influx.ensure_bucket()] == [True, False]
        assert influx.write([b"m value=1 1"]).written == 1
        assert count(influx, "m") == 1


def test_a_wrong_token_is_refused(side: Side) -> None:
    with Influx(side.url, "wrong", side.org, side.bucket) as influx:
        with pytest.raises(FarSideRefused, match="does not accept the token"):
            influx.write(side.lines(" value=1 1"))
        with pytest.raises(FarSideRefused, match="does not accept the token"):
            influx.query(f'SELECT COUNT("value") FROM "{side.measurement}"')


def test_both_kinds_of_bad_line_in_one_batch(side: Side) -> None:
    lines = side.lines(" value=1 1", " value=x 2", ' value="s" 3', " value=4 4", " value= 5", " value=6i 6")
    with side.client() as influx:
        result = influx.write(lines)
        assert sorted((dead.line, dead.status) for dead in result.dead) == sorted(
            zip([lines[1], lines[2], lines[4], lines[5]], [400, 422, 400, 422], strict=True)
        )
        assert (result.written, count(influx, side.measurement)) == (2, 2)


# ----------------------------------------------------------------------------- what goes out


def test_calls_keep_to_their_size(fake: FakeInflux) -> None:
    lines = [b"m,person=ada value=%d %d" % (n, n) for n in range(1000)]
    with Side.of(fake).client(lines_per_call=300, bytes_per_call=5_000) as influx:
        assert influx.write(lines).written == 1000
    bodies = [request.body for request, _ in fake.exchanges]
    assert b"\n".join(bodies) == b"\n".join(lines)
    assert all(len(body) <= 5_000 and body.count(b"\n") < 300 for body in bodies)
    assert all(request.headers["Content-Encoding"] == "gzip" for request, _ in fake.exchanges)


@pytest.mark.parametrize("lines", [[], [b"", b"# nothing", b"  "]])
def test_nothing_to_write_asks_nobody(fake: FakeInflux, lines: list[bytes]) -> None:
    with Side.of(fake).client() as influx:
        assert influx.write(lines) == WriteResult(0, ())
    assert not fake.exchanges


def test_a_delete_names_its_tags_and_both_ends(fake: FakeInflux) -> None:
    with Side.of(fake).client() as influx:
        instant = datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Zurich"))
        influx.delete('a "b"\\', {"person": "ada", "b c": "x\ny"}, instant, instant)
        with pytest.raises(ValueError, match="has no zone"):
            influx.delete("m", {}, datetime(2026, 1, 1), instant)
    ((request, _),) = fake.exchanges
    assert request.params == {"org": "home", "bucket": "twinning"}
    body = json.loads(request.body)
    assert body.pop("predicate") == r'_measurement="a \"b\"\\" AND "b c"="x\ny" AND "person"="ada"'
    assert body == {"start": "2025-12-31T23:00:00.000000000Z", "stop": "2025-12-31T23:00:00.000000999Z"}


def test_a_proxy_of_the_environment_is_left_alone(fake: FakeInflux, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Side.of(fake).client() as influx:
        assert influx.write([b"m value=1 1"]).written == count(influx, "m") == 1


def test_the_token_is_never_shown(fake: FakeInflux, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    side = Side.of(fake)
    # In JSON, as InfluxDB answers: of other pages influxdb-client logs the text by itself, at DEBUG.
    echo = json.dumps({"message": f"you sent {side.token}"}).encode()
    shown = list[str]()
    with side.client() as influx:
        for reply in [Reply(503, echo), Reply(401, echo), Reply(418, echo), Reply(400, echo)]:
            fake.script.append(Instead(reply))
            try:
                shown += [dead.reason for dead in influx.write([b"m value=1 1"]).dead]
            except (FarSideRefused, FarSideUnavailable) as error:
                shown += traceback.format_exception(error)
        fake.script.append(HangUp(stored=False))
        influx.write([b"m value=1 1"])
        fake.script.extend([Instead(Reply(401, echo)), Instead(Reply(500, echo))])
        for _ in range(2):
            with pytest.raises(FarSideRefused) as raised:
                influx.query("SELECT 1")
            shown += traceback.format_exception(raised.value)
        fake.script.append(Instead(Reply(404, echo)))
        shown += [repr(influx), influx.health().reason]
    assert "[token]" in "".join(shown)
    assert side.token not in "".join(shown) + caplog.text
    assert len(caplog.records) > 10


@pytest.mark.parametrize("token", ["", " ", "two words", "sneaky\nHeader: x", "sm\u00f6rg\u00e5s", "a\x00b"])
def test_a_token_that_no_header_can_carry_is_refused_unseen(token: str) -> None:
    with pytest.raises(ValueError, match="token is empty or holds characters") as raised:
        Influx("http://localhost", token, "o", "b")
    assert not token.strip() or token not in str(raised.value)


def test_a_token_from_a_file_may_end_with_its_line_break(fake: FakeInflux) -> None:
    with Influx(f"{fake.url}/", f"{fake.token}\n", fake.org, fake.bucket) as influx:
        assert influx.write([b"m value=1 1"]).written == 1
        assert count(influx, "m") == 1


@pytest.mark.parametrize(
    "url", ["localhost:8086", "ftp://host", "http://", "http://user:secret@host", "http://host?x=1", ""]
)
def test_a_url_is_plain(url: str) -> None:
    with pytest.raises(ValueError, match="must read http") as raised:
        Influx(url, "t", "o", "b")
    assert "secret" not in str(raised.value)
