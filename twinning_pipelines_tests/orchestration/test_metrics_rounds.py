"""Rounds of asking: once in a while, together, each part on its own; and what Prometheus gets over HTTP."""

import http.client
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from twinning_pipelines.errors import DatabaseUnavailable, WrongUsage
from twinning_pipelines.products.metrics.asking import Part, Rounds
from twinning_pipelines.products.metrics.exposition import answering, documents
from twinning_pipelines.products.metrics.gauges import BY_NAME, GAUGES, Measured
from twinning_pipelines.products.metrics.serving import MetricsServer, address_of


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Counted:
    """A part that says how often it was asked."""

    def __init__(self, name: str = "twinning_samples") -> None:
        self.name, self.asked = name, 0

    def __call__(self) -> list[Measured]:
        self.asked += 1
        return [Measured(self.name, self.asked)]


def value(measured: Iterable[Measured], name: str, *labels: str) -> float | None:
    return next((each.value for each in measured if (each.name, each.labels) == (name, labels)), None)


def test_an_answer_holds_for_a_while_and_a_slow_part_for_longer() -> None:
    clock, often, seldom = Clock(), Counted(), Counted("twinning_bookings")
    rounds = Rounds({"often": Part(often), "seldom": Part(seldom, 300)}, clock=clock)
    first = rounds.measured()
    clock.now += 9
    assert rounds.measured() is first
    assert (value(first, "twinning_samples"), value(first, "twinning_bookings")) == (1, 1)
    clock.now += 1
    second = rounds.measured()
    assert (value(second, "twinning_samples"), value(second, "twinning_bookings")) == (2, 1)
    clock.now += 290
    assert value(rounds.measured(), "twinning_bookings") == 2


@given(st.lists(st.booleans(), min_size=1, max_size=6))
def test_a_part_that_fails_costs_the_others_nothing(fails: list[bool]) -> None:
    names = [each.name for each in GAUGES if not each.labels][: len(fails)]

    def part(name: str, *, is_wrong: bool) -> Iterator[Measured]:
        yield Measured(name, 1)
        if is_wrong:
            raise KeyError(name)

    parts = {
        name: Part(lambda name=name, is_wrong=is_wrong: part(name, is_wrong=is_wrong))  # type: ignore[misc]
        for name, is_wrong in zip(names, fails, strict=False)
    }
    found = Rounds(parts).measured()
    for name, is_wrong in zip(names, fails, strict=False):
        assert value(found, "twinning_collect_failed", name) == is_wrong
        # Half an answer is none.
        assert (value(found, name) is None) == is_wrong
        assert (value(found, "twinning_collect_seconds", name) or 0) >= 0


def test_a_slow_part_that_failed_is_asked_again_in_the_next_round() -> None:
    clock, asked = Clock(), Counted()

    def wrong_at_first() -> list[Measured]:
        found = asked()
        if asked.asked == 1:
            raise DatabaseUnavailable("Postgres does not answer")
        return found

    rounds = Rounds({"slow": Part(wrong_at_first, 300)}, clock=clock)
    assert value(rounds.measured(), "twinning_collect_failed", "slow") == 1
    clock.now += 10
    assert value(rounds.measured(), "twinning_samples") == 2


def test_what_hangs_is_left_behind_and_asked_once(caplog: pytest.LogCaptureFixture) -> None:
    clock, asked, free = Clock(), Counted(), threading.Event()

    def hanging() -> list[Measured]:
        found = asked()
        assert free.wait(60)
        return found

    rounds = Rounds(
        {"stuck": Part(hanging), "fine": Part(Counted("twinning_bookings"))}, patience_seconds=0.2, clock=clock
    )
    for n in (1, 2, 3):
        found = rounds.measured()
        assert value(found, "twinning_collect_failed", "stuck") == 1
        assert value(found, "twinning_collect_seconds", "stuck") >= 0.2  # type: ignore[operator]
        assert value(found, "twinning_bookings") == n
        clock.now += 10
    assert asked.asked == 1
    assert [each.getMessage() for each in caplog.records] == ["metrics: the part stuck can't be had: no answer in time"]
    free.set()
    for thread in threading.enumerate():
        if thread.name == "metrics of stuck":
            thread.join(60)
    assert value(rounds.measured(), "twinning_samples") == 2
    assert caplog.records[-1].getMessage() == "metrics: the part stuck answers again"


def test_the_log_tells_our_own_words_and_of_others_only_the_kind(caplog: pytest.LogCaptureFixture) -> None:
    def ours() -> list[Measured]:
        raise DatabaseUnavailable("Postgres does not answer")

    def theirs() -> list[Measured]:
        raise ValueError("postgresql://twinning:secret@there")

    Rounds({"a": Part(ours), "b": Part(theirs)}).measured()
    assert [each.getMessage() for each in caplog.records] == [
        "metrics: the part a can't be had: Postgres does not answer",
        "metrics: the part b can't be had: ValueError",
    ]


def test_who_asks_at_the_same_moment_gets_the_same() -> None:
    asked, all_here, found = Counted(), threading.Barrier(8), list[tuple[Measured, ...]]()
    rounds = Rounds({"part": Part(asked)})

    def ask() -> None:
        all_here.wait(60)
        found.append(rounds.measured())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert asked.asked == 1
    assert len(found) == 8
    assert all(each is found[0] for each in found)


@given(st.text(max_size=30), st.floats(allow_nan=False, allow_infinity=False))
def test_any_name_and_any_number_comes_through(person: str, number: float) -> None:
    measured = [Measured("twinning_stale_days", number, (person,))]
    content_type, text = answering(lambda: measured)("")
    assert content_type.startswith("text/plain; version=")
    (family,) = [each for each in text_string_to_metric_families(text.decode()) if each.samples]
    assert (family.samples[0].labels, family.samples[0].value) == ({"person": person}, number)
    assert documents(measured) == [{"name": "twinning_stale_days", "labels": {"person": person}, "value": number}]


def test_no_label_names_a_file_a_run_or_an_account() -> None:
    assert {label for each in GAUGES for label in each.labels} == {
        "version", "person", "source", "state", "table", "outcome", "product", "path", "job", "status", "severity",
        "check", "asset", "daemon", "part",
    }  # fmt: skip
    assert len(BY_NAME) == len(GAUGES)


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:9464", ("127.0.0.1", 9464)), ("[::1]:0", ("::1", 0)), ("metrics.lan:80", ("metrics.lan", 80))],
)
def test_an_address(text: str, address: tuple[str, int]) -> None:
    assert address_of(text) == address


@pytest.mark.parametrize(
    "text", ["", "9464", ":9464", "::1:9464", "[]:1", "host:", "host:x", "host:65536", "host:-1", "a:١"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(WrongUsage, match="HOST:PORT"):
        address_of(text)


@contextmanager
def serving(part: Counted, host: str = "127.0.0.1") -> Iterator[MetricsServer]:
    with MetricsServer((host, 0), answering(Rounds({"part": Part(part)}).measured)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join(60)


def ask(server: MetricsServer, method: str, path: str, **headers: str) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection(server.server_name, server.server_port, timeout=60)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    found = response.status, response.getheader("Content-Type", ""), response.read()
    length = response.getheader("Content-Length")
    assert length is not None or response.status >= 500
    if method == "HEAD":
        assert int(length or 0) > 0
    connection.close()
    return found


def test_over_http() -> None:
    part = Counted()
    with serving(part) as server:
        status, content_type, body = ask(server, "GET", "/metrics?x=1")
        assert status == 200
        assert content_type.startswith("text/plain; version=")
        assert b"\ntwinning_samples 1.0\n" in body
        assert ask(server, "HEAD", "/metrics") == (200, content_type, b"")
        status, content_type, body = ask(
            server, "GET", "/metrics", Accept="application/openmetrics-text; version=1.0.0"
        )
        assert content_type.startswith("application/openmetrics-text")
        families = openmetrics(body.decode())  # type: ignore[no-untyped-call]
        assert {each.name for each in families} == set(BY_NAME)
        assert ask(server, "GET", "/-/healthy")[::2] == (200, b"healthy\n")
        assert part.asked == 1
        for path in ("/", "/metrics/", "/metrics/../etc/passwd"):
            assert ask(server, "GET", path)[0] == 404
        assert ask(server, "POST", "/metrics")[0] == 501


def test_a_client_of_strange_words_or_one_that_goes_away_is_no_news(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with serving(Counted()) as server:
        assert ask(server, "GET", "/metrics", Accept="application/openmetrics-text; version=abc")[0] in {200, 500}
        for _ in range(3):
            with socket.create_connection((server.server_name, server.server_port), timeout=60) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        assert ask(server, "GET", "/metrics")[0] == 200
    assert "Traceback" not in capsys.readouterr().err + caplog.text


def test_many_scrapes_at_once_compute_one() -> None:
    part, found = Counted(), list[bytes]()
    with serving(part) as server:
        threads = [threading.Thread(target=lambda: found.append(ask(server, "GET", "/metrics")[2])) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert part.asked == 1
    assert len(found) == 12
    assert len(set(found)) == 1


def test_a_taken_address_is_told() -> None:
    with serving(Counted()) as server, pytest.raises(WrongUsage, match="can't listen on"):
        MetricsServer(("127.0.0.1", server.server_port), answering(list))


def test_our_address_is_told_as_it_is_typed() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serving(Counted(), "::1") as server:
        assert server.url == f"http://[::1]:{server.server_port}/metrics"
        assert ask(server, "GET", "/-/healthy")[0] == 200
