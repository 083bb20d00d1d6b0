"""What is repeated on the way to InfluxDB, how long, and what is stored once even so."""

import socket
from collections import deque
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from twinning_pipelines.errors import FarSideUnavailable
from twinning_pipelines.stores import influx as influx_module
from twinning_pipelines.stores.influx import Influx, WriteResult
from twinning_pipelines_tests.far_sides.influx_v2 import FakeInflux
from twinning_pipelines_tests.far_sides.scripted_server import (
    Fault,
    HalfAnswer,
    HangUp,
    Instead,
    Reply,
)
from twinning_pipelines_tests.far_sides.waiting import Waiting
from twinning_pipelines_tests.stores.influx_side import Side, count

PASSING = [408, 429, 499, 500, 502, 503, 504]


@pytest.mark.parametrize("status", PASSING)
def test_passing_faults_are_waited_out(fake: FakeInflux, status: int) -> None:
    side, waiting = Side.of(fake), Waiting()
    fake.script.extend([Instead(Reply(status))] * 3)
    with side.client(waiting) as influx:
        assert influx.write([b"m value=1 1"]) == WriteResult(1, ())
    assert waiting.waits == [0.5, 1, 2]
    assert len(fake.points) == 1


def test_waits_double_up_to_thirty_seconds_and_end_with_the_budget(fake: FakeInflux) -> None:
    waiting = Waiting()
    fake.script.extend([Instead(Reply(503, b'{"code": "unavailable", "message": "too busy"}'))] * 99)
    with Side.of(fake).client(waiting) as influx, pytest.raises(FarSideUnavailable) as raised:
        influx.write([b"m value=1 1"])
    assert waiting.waits == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert str(raised.value) == (f"could not write to bucket 'twinning' at {fake.url} within 120 s: HTTP 503: too busy")


def test_jitter_takes_up_to_half_of_a_wait(fake: FakeInflux) -> None:
    waiting, draws = Waiting(), deque([0.0, 0.5, 1.0])
    fake.script.extend([Instead(Reply(503))] * 3)
    with Side.of(fake).client(waiting, jitter=draws.popleft) as influx:
        influx.write([b"m value=1 1"])
    assert waiting.waits == [0.25, 0.75, 2]


def test_retry_after_in_seconds_is_kept(fake: FakeInflux) -> None:
    waiting = Waiting()
    fake.script.extend([Instead(Reply(code, b"", {"Retry-After": "7"})) for code in (429, 503)])
    with Side.of(fake).client(waiting) as influx:
        influx.write([b"m value=1 1"])
    assert waiting.waits == [7, 7]


def test_retry_after_as_a_date_is_kept(fake: FakeInflux) -> None:
    waiting = Waiting()
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    fake.script.append(Instead(Reply(503, b"", {"Retry-After": date})))
    with Side.of(fake).client(waiting) as influx:
        influx.write([b"m value=1 1"])
    (wait,) = waiting.waits
    assert 50 <= wait <= 61


@pytest.mark.parametrize("asked", ["0", "-3", "soon", "Fri, 01 Jan 2021 00:00:00 GMT", "", "١"])
def test_no_sensible_retry_after_means_our_own_wait(fake: FakeInflux, asked: str) -> None:
    waiting = Waiting()
    fake.script.append(Instead(Reply(503, b"", {"Retry-After": asked.encode().decode("latin-1")})))
    with Side.of(fake).client(waiting) as influx:
        influx.write([b"m value=1 1"])
    assert waiting.waits == [0.5]


def test_a_retry_after_beyond_the_budget_is_not_waited_for(fake: FakeInflux) -> None:
    waiting = Waiting()
    fake.script.append(Instead(Reply(429, b"", {"Retry-After": "3600"})))
    with Side.of(fake).client(waiting) as influx, pytest.raises(FarSideUnavailable, match="HTTP 429"):
        influx.write([b"m value=1 1"])
    assert waiting.waits == []


def test_each_call_has_a_budget_of_its_own(fake: FakeInflux) -> None:
    waiting = Waiting()
    fake.script.extend([Instead(Reply(503)), Instead(Reply(503)), None] * 3)
    with Side.of(fake).client(waiting, lines_per_call=1, budget_seconds=2) as influx:
        assert influx.write([b"m value=1 1", b"m value=1 2", b"m value=1 3"]).written == 3
    assert waiting.waits == [0.5, 1] * 3


@pytest.mark.parametrize("fault", [HangUp(stored=False), HangUp(stored=True), HalfAnswer()])
def test_a_dropped_connection_stores_once(fake: FakeInflux, fault: Fault) -> None:
    fake.script.extend([fault, fault])
    with Side.of(fake).client() as influx:
        assert influx.write([b"m value=1 1", b"m value=2 2"]) == WriteResult(2, ())
    assert len(fake.points) == 2


@pytest.mark.parametrize("fault", [HangUp(stored=True), HalfAnswer(), Instead(Reply(503))])
def test_reads_and_deletes_are_repeated_as_well(fake: FakeInflux, fault: Fault) -> None:
    side = Side.of(fake)
    at = datetime.fromtimestamp(1, UTC)
    with side.client() as influx:
        influx.write([b"m value=1 1"])
        fake.script.append(fault)
        assert count(influx, "m") == 1
        fake.script.append(fault)
        influx.delete("m", {}, at, at)
        fake.script.append(fault)
        assert influx.ensure_bucket() is False
    assert not fake.points


def test_a_bucket_whose_making_was_repeated_counts_as_there(fake: FakeInflux) -> None:
    fake.script.extend([None, None, HangUp(stored=True)])
    waiting = Waiting()
    with Influx(fake.url, fake.token, fake.org, "new", sleep=waiting.sleep) as influx:
        assert influx.ensure_bucket(shard_group_days=30) is False
    bucket = fake.buckets["new"]
    assert (bucket.shard_seconds, bucket.retention_seconds) == (30 * 86_400, 0)


def test_nobody_listens() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        waiting = Waiting()
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with Side(url, "t", "o", "b").client(waiting) as influx:
            with pytest.raises(FarSideUnavailable, match="could not write to bucket 'b'"):
                influx.write([b"m value=1 1"])
            with pytest.raises(FarSideUnavailable, match="could not query bucket 'b'"):
                influx.query("SHOW DATABASES")
            assert len(waiting.waits) == 16
            health = influx.health()
    assert (health.reachable, health.version) == (False, "")
    assert health.reason.startswith(f"no answer from {url}: ")


def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(influx_module, "_MILLISECONDS", (50, 50))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        side = Side(f"http://127.0.0.1:{silent.getsockname()[1]}", "some-token", "o", "b")
        with (
            side.client(budget_seconds=0) as influx,
            pytest.raises(FarSideUnavailable, match="ReadTimeoutError"),
        ):
            influx.write([b"m value=1 1"])
