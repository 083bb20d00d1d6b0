"""What every answer carries, wherever it comes from; and the access log."""

import json
import re
import socket
from collections.abc import Iterator

import pytest

from twinning_pipelines_tests.infra.proxy.directives import Directive, shipped_directives
from twinning_pipelines_tests.infra.proxy.shipped import DOMAIN, NGINX, RunningNginx
from twinning_pipelines_tests.infra.proxy.visitor import OWNER, STRANGER, Visitor

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "cross-origin-opener-policy": "same-origin",
    "x-permitted-cross-domain-policies": "none",
    "x-robots-tag": "noindex, nofollow",
}
HSTS = "max-age=63072000; includeSubDomains"
# One path for each location that is a pattern; a pattern that is not here fails the walk.
EXAMPLES = {
    "^/(login|two-factor/submit|oauth/token)$": "/login",
    "^/(login|index\\.php/login|login/confirm|index\\.php/login/confirm)$": "/index.php/login",
    "^/(login|index\\.php/login)/challenge/": "/login/challenge/totp",
    "^/(metrics|index\\.php/metrics)$": "/metrics",
    "^/api/(firstfactor|secondfactor|reset-password|user/session/elevation)": "/api/firstfactor",
}


def _path(location: Directive) -> str | None:
    *kind, pattern = location.words[1:]
    if pattern.startswith("@"):
        return None
    return EXAMPLES[pattern] if kind == ["~"] else pattern


def routes() -> Iterator[tuple[int, str, str]]:
    """Port, name and a path of every location that is shipped."""
    for server in shipped_directives(NGINX).all("server"):
        port = int(next(server.all("listen")).words[1])
        names = next(server.all("server_name"), Directive(("server_name", "localhost"))).words[1:]
        for location in server.all("location"):
            path = _path(location)
            for name in names if path else ():
                yield port, name.replace("${TWINNING_DOMAIN}", DOMAIN), path or ""


ROUTES = sorted(set(routes()))


def _bare(headers: bytes) -> dict[str, list[str]]:
    found = dict[str, list[str]]()
    for line in headers.decode().split("\r\n")[1:]:
        name, _, value = line.partition(": ")
        found.setdefault(name.lower(), []).append(value)
    return found


def _hardened(headers: dict[str, list[str]], *, tls: bool) -> None:
    for name, value in EVERYWHERE.items():
        assert headers.get(name) == [value], name
    assert headers.get("strict-transport-security") == ([HSTS] if tls else None)
    assert headers["server"] == ["nginx"]
    assert "x-powered-by" not in headers


def _seen(visitor: Visitor, port: int, name: str, path: str, headers: dict[str, str]) -> dict[str, list[str]]:
    if port == 8443:
        # Nobody gets in by the name "_": the handshake is another host's, the request comes to the default.
        host, asked = ("cloud", {"Host": "evil.example"}) if name == "_" else (name.removesuffix(f".{DOMAIN}"), {})
        answer = visitor.gate(host, path, headers=headers | asked)
    else:
        answer = visitor.door(port, path, headers=headers | {"Host": "evil.example" if name == "_" else name})
    return {key.lower(): answer.headers.get_list(key) for key in answer.headers}


def test_the_walk_sees_every_port() -> None:
    assert {port for port, _, _ in ROUTES} == {3000, 3001, 8000, 8080, 8081, 8086, 8443, 8999, 9090, 9093}
    assert len(ROUTES) > 60


@pytest.mark.parametrize(("port", "name", "path"), ROUTES)
def test_every_route_carries_every_header_once(visitor: Visitor, port: int, name: str, path: str) -> None:
    for headers in ({}, OWNER, STRANGER):
        _hardened(_seen(visitor, port, name, path, headers), tls=port == 8443)


RAW = {
    "no request at all": b"nonsense\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a line that never ends": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a header that never ends": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    "too large a body": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999\r\n\r\n",
    "a foreign page": b"POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nConnection: close\r\n\r\n",
}


@pytest.mark.parametrize("request_", RAW.values(), ids=RAW)
@pytest.mark.parametrize("port", [3000, 8000, 8443])
def test_errors_of_nginx_itself_carry_them_too(nginx: RunningNginx, port: int, request_: bytes) -> None:
    """On 8443 this is plain HTTP where TLS is expected."""
    with socket.create_connection(("127.0.0.1", nginx.port(port)), timeout=10) as connection:
        connection.sendall(request_)
        answer = b""
        while b"\r\n\r\n" not in answer and (more := connection.recv(65536)):
            answer += more
    assert re.match(rb"HTTP/1.1 4\d\d ", answer), answer
    headers = _bare(answer.partition(b"\r\n\r\n")[0])
    headers.pop("strict-transport-security", None) if port == 8443 else None
    _hardened(headers, tls=False)


def test_there_is_one_list_for_answers_and_one_for_requests() -> None:
    """A block with a list of its own loses the others', silently; so where they may stand is a rule."""
    main = shipped_directives(NGINX)
    assert {each.file for each in main.all("add_header")} == {"answers.conf"}
    assert {each.file for each in main.all("proxy_hide_header")} == {"answers.conf"}
    assert {each.file for each in main.all("proxy_set_header")} == {"requests.conf", "gate.conf"}
    assert {each.file for each in main.all("auth_request_set")} == {"requests.conf"}
    http = next(main.all("http"))
    for name in ("add_header", "proxy_hide_header", "auth_request_set"):
        assert sum(each.name == name for each in http.inside) == sum(1 for _ in main.all(name))
    with_own_list = [each for each in main.all("location") if any(x.name == "proxy_set_header" for x in each.inside)]
    assert {each.words for each in with_own_list} == {("location", "=", "/authelia")}
    limited = [each for each in main.all("location") if any(x.name == "limit_req" for x in each.inside)]
    assert all(sum(x.name == "limit_req" for x in each.inside) == 2 for each in limited)


def test_every_address_is_a_variable_so_that_nginx_starts_without_it() -> None:
    for each in shipped_directives(NGINX).all("proxy_pass"):
        assert re.fullmatch(r"http://\$\w+(/api/authz/auth-request)?", each.words[1]), each


def test_the_access_log_is_json_and_says_who_and_how(visitor: Visitor) -> None:
    visitor.gate("grafana", "/told?token=secret", headers=OWNER | {"User-Agent": 'q"\\\t\x7f'})
    visitor.door(3001, "/told-door?token=secret", headers={"Authorization": "Basic b3duZXI6eA=="})
    visitor.nginx.wait_until(lambda: "/told-door" in "".join(visitor.nginx.access_lines()), "no line came")
    lines = [json.loads(line) for line in visitor.nginx.access_lines()]
    gate = next(line for line in lines if line["path"] == "/told")
    assert (gate["tls"], gate["user"], gate["status"], gate["method"]) == ("TLSv1.3", "owner", 200, "GET")
    assert gate["host"] == f"grafana.{DOMAIN}"
    assert gate["address"] == "127.0.0.1"
    door = next(line for line in lines if line["path"] == "/told-door")
    assert (door["tls"], door["user"], door["claimed_user"]) == ("", "", "owner")
    assert "secret" not in "".join(visitor.nginx.access_lines())
    assert "/healthz" not in {line["path"] for line in lines}
