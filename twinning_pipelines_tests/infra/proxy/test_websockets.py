"""Dagster's subscriptions and Grafana Live pass; no other upgrade does."""

import base64

import pytest

from twinning_pipelines_tests.infra.proxy.shipped import DOMAIN
from twinning_pipelines_tests.infra.proxy.visitor import OWNER, Visitor, told


def _upgrade(path: str, host: str, *more: str) -> bytes:
    key = base64.b64encode(b"0123456789abcdef").decode()
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade", *more]
    return "\r\n".join([*lines, f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]).encode()


def _talk(visitor: Visitor, host: str | int, request: bytes) -> bytes:
    """Sends the request, and one frame when the other side agreed; all that came back."""
    with visitor.connect(host) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer and (more := connection.recv(4096)):
            answer += more
        if answer.startswith(b"HTTP/1.1 101"):
            connection.sendall(b"\x81\x85" + bytes(4) + b"hello")
            while more := connection.recv(4096):
                answer += more
    return answer


@pytest.mark.parametrize(("host", "path"), [("dagster", "/graphql"), ("grafana", "/api/live/ws")])
def test_through_a_gate_with_a_session(visitor: Visitor, host: str, path: str) -> None:
    request = _upgrade(path, f"{host}.{DOMAIN}", f"Cookie: {OWNER['Cookie']}", f"Origin: https://{host}.{DOMAIN}")
    answer = _talk(visitor, host, request)
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Accept: BACScCJPNqyz+UBoqMH89VmURoA=" in answer
    assert answer.endswith(b"hello")


@pytest.mark.parametrize(("host", "path"), [("dagster", "/graphql"), ("grafana", "/api/live/ws")])
def test_without_one_there_is_no_upgrade(visitor: Visitor, host: str, path: str) -> None:
    assert _talk(visitor, host, _upgrade(path, f"{host}.{DOMAIN}")).startswith(b"HTTP/1.1 302 ")


@pytest.mark.parametrize(("port", "path"), [(3001, "/graphql"), (3000, "/api/live/ws")])
def test_through_a_door_for_its_own_page_alone(visitor: Visitor, port: int, path: str) -> None:
    host = f"localhost:{visitor.nginx.port(port)}"
    assert _talk(visitor, port, _upgrade(path, host, f"Origin: http://{host}")).endswith(b"hello")
    foreign = _upgrade(path, host, "Origin: https://evil.example")
    assert _talk(visitor, port, foreign).startswith(b"HTTP/1.1 403 ")


def test_an_upgrade_to_http_2_goes_no_further(visitor: Visitor) -> None:
    """A service that took it would speak past every rule here."""
    asked = {"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAMAAABkAAQAAP__"}
    headers = told(visitor.door(3000, headers=asked))
    assert "upgrade" not in headers
    assert "upgrade" not in str(headers.get("connection", "")).lower()
