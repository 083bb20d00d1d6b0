"""What InfluxDB refuses: the whole of it with what to check, or single lines, which are found and named."""

import re
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines.errors import FarSideRefused
from twinning_pipelines.stores import influx as influx_module
from twinning_pipelines.stores.influx import DeadLine, Influx, WriteResult
from twinning_pipelines_tests.far_sides.influx_v2 import FakeInflux, refusal
from twinning_pipelines_tests.far_sides.scripted_server import (
    Instead,
    Reply,
)
from twinning_pipelines_tests.far_sides.waiting import Waiting
from twinning_pipelines_tests.stores.influx_side import Side


def test_a_certificate_that_nobody_vouches_for(fake: FakeInflux, tmp_path: Path) -> None:
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("openssl is not here to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = [
        openssl,
        "req",
        "-x509",
        "-nodes",
        "-newkey",
        "rsa:2048",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    subprocess.run([*request, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    fake._server.socket = context.wrap_socket(fake._server.socket, server_side=True)
    waiting = Waiting()
    with Side(fake.url.replace("http://", "https://"), "token", "o", "b").client(waiting) as influx:
        with pytest.raises(FarSideRefused, match=r"certificate of https://.* is not trusted"):
            influx.write([b"m value=1 1"])
        with pytest.raises(FarSideRefused, match=r"certificate of https://.* is not trusted"):
            influx.query("SHOW DATABASES")
    assert waiting.waits == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"token": "wrong"}, "does not accept the token: check that it is whole, active and of this server"),
        (
            {"token": "reader"},
            "does not let this token write to bucket 'twinning': give it read and write access",
        ),
        ({"bucket": "x"}, "knows no organisation 'home' or no bucket 'x': check both names"),
        ({"org": "x"}, "knows no organisation 'x' or no bucket 'twinning': check both names"),
    ],
)
def test_a_refusal_says_what_to_check(fake: FakeInflux, changed: dict[str, str], sentence: str) -> None:
    place: dict[str, Any] = {"url": fake.url, "token": fake.token, "org": fake.org, "bucket": fake.bucket}
    with Influx(**(place | changed)) as influx, pytest.raises(FarSideRefused, match=re.escape(sentence)):
        influx.write([b"m value=1 1"] * 3)
    assert len(fake.exchanges) == 1


@pytest.mark.parametrize("status", [200, 201, 301, 308, 402, 405, 409, 415, 451])
def test_any_other_answer_stops_at_once(fake: FakeInflux, status: int) -> None:
    fake.script.append(Instead(Reply(status, b"<html>Sign in</html>", {"Location": "/login"})))
    with (
        Side.of(fake).client() as influx,
        pytest.raises(FarSideRefused, match=f"HTTP {status}.*check the URL"),
    ):
        influx.write([b"m value=1 1"] * 3)
    assert len(fake.exchanges) == 1


def test_lines_are_named_by_the_servers_own_reason(fake: FakeInflux) -> None:
    lines = [b"m value=1 1", b"m value=x 2", b"m value= 3", b"m value=x 2", b"m value=1 4"]
    with Side.of(fake).client() as influx:
        result = influx.write(lines)
    assert result == WriteResult(
        2,
        (
            DeadLine(lines[1], 400, "invalid boolean"),
            DeadLine(lines[2], 400, "missing field value"),
            DeadLine(lines[3], 400, "invalid boolean"),
        ),
    )
    assert len(fake.exchanges) == 2


def test_a_message_that_names_no_line_is_answered_by_halving(fake: FakeInflux) -> None:
    lines = [f"m value={n} {n}".encode() for n in range(8)]
    with Side.of(fake).client() as influx:
        fake.answer = _mute(fake, b"value=5 ")  # type: ignore[method-assign]
        result = influx.write(lines)
    assert result.dead == (DeadLine(lines[5], 400, "no reason given"),)
    assert (result.written, len(fake.points), len(fake.exchanges)) == (7, 7, 7)


def _mute(fake: FakeInflux, poison: bytes) -> Any:
    """The server's answers, but a batch with this in it is refused without a word about the line."""
    honest = fake.answer

    def answer(request: Any) -> Reply:
        return refusal("invalid", "no reason given") if poison in request.body else honest(request)

    return answer


def test_bytes_that_are_no_utf8_are_found_by_halving(fake: FakeInflux) -> None:
    lines = [b"m value=1 1", b"m,a=\xff\xfe value=x 2", b"m value=3 3"]
    with Side.of(fake).client() as influx:
        result = influx.write(lines)
    assert [dead.line for dead in result.dead] == [lines[1]]
    assert result.written == len(fake.points) == 2


def test_clashes_of_types_are_found_by_halving(fake: FakeInflux) -> None:
    lines = [f"m value={n} {n}".encode() for n in range(64)]
    lines[17] = b'm value="x" 17'
    lines[18] = b"m value=t 18"
    with Side.of(fake).client() as influx:
        result = influx.write(lines)
    assert [dead.line for dead in result.dead] == lines[17:19]
    assert all(dead.status == 422 for dead in result.dead)
    assert "is type boolean, already exists as type float" in result.dead[1].reason
    assert result.written == len(fake.points) == 62
    assert len(fake.exchanges) <= 2 * 2 * 6 + 1


def test_a_body_that_is_too_large_is_halved() -> None:
    lines = [f"m value={n} {n}".encode() for n in range(100)]
    lines[50] = b'm note="%b" 50' % (b"x" * 600)
    with FakeInflux(largest_body=500) as fake, Side.of(fake).client() as influx:
        result = influx.write(lines)
        message = "unable to read data: points batch is too large"
        assert result == WriteResult(99, (DeadLine(lines[50], 413, message),))
        assert len(fake.points) == 99


def test_a_bucket_that_refuses_everything_stops_the_run(fake: FakeInflux) -> None:
    fake.add_bucket("short", retention_seconds=3600)
    lines = [f"m value={n} {n}".encode() for n in range(500)]
    influx = Influx(fake.url, fake.token, fake.org, "short", most_dead=20)
    with (
        influx,
        pytest.raises(FarSideRefused, match=r"refused 21 lines, check retention .* outside retention"),
    ):
        influx.write(lines)
    assert len(fake.exchanges) < 60


def test_a_query_that_fails_or_is_cut_short_is_refused(fake: FakeInflux) -> None:
    cut = {"results": [{"series": [{"name": "m", "columns": ["time"], "values": [], "partial": True}]}]}
    fake.script.extend([None, Instead(Reply.of(200, cut)), Instead(Reply(200, b"<html>Sign in</html>"))])
    with Side.of(fake).client() as influx:
        with pytest.raises(FarSideRefused, match="failed to parse query"):
            influx.query("DROP DATABASE x")
        with pytest.raises(FarSideRefused, match="cut short"):
            influx.query("SELECT * FROM m")
        with pytest.raises(FarSideRefused, match="is not InfluxDB: it answers '<html>"):
            influx.query("SELECT * FROM m")
    with (
        Influx(fake.url, fake.token, fake.org, "x") as influx,
        pytest.raises(FarSideRefused, match="not found"),
    ):
        influx.query('SELECT COUNT("value") FROM "m"')


def test_a_server_that_is_not_ready_or_not_influxdb(fake: FakeInflux) -> None:
    fake.script.extend([Instead(Reply.of(503, {"status": "fail", "message": "starting"})), Instead(Reply(200, b"hi"))])
    with Side.of(fake).client() as influx:
        assert influx.health() == influx_module.Health(reachable=False, version="", reason="starting")
        assert influx.health() == influx_module.Health(reachable=False, version="", reason="hi")
