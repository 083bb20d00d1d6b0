"""Port 443: who gets in, who is sent to the log-in, and what the services hear about a visitor."""

import socket
import ssl
from urllib.parse import parse_qs, urlsplit

import pytest

from twinning_pipelines_tests.infra.proxy.directives import shipped_directives
from twinning_pipelines_tests.infra.proxy.shipped import DOMAIN, GATES, NGINX, RunningNginx
from twinning_pipelines_tests.infra.proxy.visitor import OWNER, STRANGER, Visitor, told

SPOOFED = {
    "Remote-User": "evil",
    "Remote-Groups": "admins",
    "Remote-Email": "evil@example.org",
    "Remote-Name": "Evil",
    # PHP would read these two as the same names.
    "Remote_User": "evil",
    "REMOTE_GROUPS": "evil",
    "X-Remote-User": "evil",
    "X-WEBAUTH-USER": "evil",
    "X-Forwarded-User": "evil",
    "X-Forwarded-For": "203.0.113.66",
    "X-Real-IP": "203.0.113.66",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Port": "666",
    "Forwarded": "for=203.0.113.66",
    "X-Original-URL": "https://evil.example/",
    "X-Rewrite-Url": "/evil",
    "X-Request-Id": "evil",
    "X-Original-Method": "EVIL",
    "X-Client-IP": "203.0.113.66",
    "X-Forwarded-Email": "evil@example.org",
    "X-Forwarded-Groups": "evil",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Server": "evil.example",
    "X-Forwarded-Uri": "/evil",
    "Proxy": "http://evil.example",
    "Proxy-Authorization": "Basic evil",
}


def handshake(nginx: RunningNginx, name: str | None, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLSocket:
    """A connection to the gates that would take any certificate, but no newer TLS than `newest`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = newest
    context.set_alpn_protocols(["h2", "http/1.1"])
    plain = socket.create_connection(("127.0.0.1", nginx.port(8443)), timeout=10)
    try:
        return context.wrap_socket(plain, server_hostname=name)
    except BaseException:
        plain.close()
        raise


def test_tls_1_3_and_nothing_older(nginx: RunningNginx) -> None:
    with handshake(nginx, f"grafana.{DOMAIN}") as connection:
        assert connection.version() == "TLSv1.3"
        assert connection.selected_alpn_protocol() == "h2"
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        handshake(nginx, f"grafana.{DOMAIN}", ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize("name", [f"unknown.{DOMAIN}", "grafana.evil.example", DOMAIN, None])
def test_a_name_that_is_not_ours_gets_no_certificate(nginx: RunningNginx, name: str | None) -> None:
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        handshake(nginx, name)


def test_a_request_for_another_host_than_the_handshake_named(visitor: Visitor) -> None:
    """The gate of the host that is asked for decides; a host that is none of ours gets nothing."""
    answer = visitor.gate("cloud", headers={"Host": f"prometheus.{DOMAIN}"})
    assert answer.status_code == 302
    assert visitor.gate("cloud", headers={"Host": "evil.example"}).status_code == 421


def test_the_list_of_gates_here_is_the_shipped_one() -> None:
    """Every server of port 443 is behind Authelia but the three that say why not."""
    gated, open_ = set[str](), set[str]()
    for server in shipped_directives(NGINX).all("server"):
        if any(listen.words[1] == "8443" for listen in server.all("listen")):
            name = next(server.all("server_name")).words[1].removesuffix(".${TWINNING_DOMAIN}")
            at_server = {each.name for each in server.inside}
            (gated if "auth_request" in at_server else open_).add(name)
    assert gated == set(GATES)
    assert open_ == {"auth", "cloud", "_"}


@pytest.mark.parametrize("host", GATES)
@pytest.mark.parametrize("method", ["GET", "POST", "PROPFIND"])
def test_without_a_session_the_way_is_to_the_log_in(visitor: Visitor, host: str, method: str) -> None:
    answer = visitor.gate(host, "/deep/page?a=1&b=%20x", method, headers={"Authorization": "Basic b3duZXI6eA=="})
    assert answer.status_code == 302
    portal = urlsplit(answer.headers["Location"])
    assert (portal.scheme, portal.netloc) == ("https", f"auth.{DOMAIN}")
    assert parse_qs(portal.query) == {"rd": [f"https://{host}.{DOMAIN}/deep/page?a=1&b=%20x"], "rm": [method]}


@pytest.mark.parametrize("host", GATES)
def test_with_a_session_the_service_hears_who_it_is(visitor: Visitor, host: str) -> None:
    answer = visitor.gate(host, "/deep/page?a=1", headers=SPOOFED | OWNER | {"Authorization": "Token t"})
    headers = told(answer)
    assert answer.json()["service"] == GATES[host]
    assert answer.json()["path"] == "/deep/page?a=1"
    assert headers["remote-user"] == ["owner"]
    assert headers["remote-groups"] == ["admins"]
    assert headers["remote-email"] == ["owner@example.org"]
    assert headers["remote-name"] == ["The Owner"]
    assert headers["x-forwarded-for"] == headers["x-real-ip"] == ["127.0.0.1"]
    assert headers["host"] == headers["x-forwarded-host"] == [f"{host}.{DOMAIN}"]
    assert headers["x-forwarded-proto"] == ["https"]
    assert headers["x-forwarded-port"] == ["443"]
    assert headers["authorization"] == ["Token t"]
    assert "cookie" not in headers
    assert not [text for values in headers.values() for text in values if "evil" in text.lower() or "203.0.113" in text]


@pytest.mark.parametrize("host", GATES)
def test_who_has_no_right_is_refused(visitor: Visitor, host: str) -> None:
    assert visitor.gate(host, headers=STRANGER).status_code == 403


@pytest.mark.parametrize("host", GATES)
def test_spoofed_names_alone_open_nothing(visitor: Visitor, host: str) -> None:
    assert visitor.gate(host, headers=SPOOFED).status_code == 302


@pytest.mark.parametrize("path", ["/authelia", "/authelia?x=1"])
def test_the_question_itself_cannot_be_asked_from_outside(visitor: Visitor, path: str) -> None:
    """With a session, because without one even this leads to the log-in."""
    assert visitor.gate("grafana", path, headers=OWNER).status_code == 404


@pytest.mark.parametrize("path", ["/api/authz/auth-request", "/api/authz/forward-auth", "/api/verify"])
def test_nor_at_authelia(visitor: Visitor, path: str) -> None:
    assert (
        visitor.gate("auth", path, headers={"X-Original-URL": "https://x/", "X-Original-Method": "GET"}).status_code
        == 404
    )


def test_the_log_in_itself_is_open(visitor: Visitor) -> None:
    answer = visitor.gate("auth", "/?rd=x", headers=SPOOFED)
    headers = told(answer)
    assert answer.json()["service"] == "authelia"
    assert not [name for name in headers if name.startswith("remote")]
    assert headers["x-forwarded-for"] == ["127.0.0.1"]


def test_a_refusal_of_the_service_itself_is_not_a_way_to_the_log_in(visitor: Visitor) -> None:
    assert visitor.gate("grafana", "/api/status/401", headers=OWNER).status_code == 401
    assert visitor.gate("grafana", "/api/status/500", headers=OWNER).status_code == 500


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        ("twinning_session=owner", None),
        ("twinning_session=owner; a=1; b=2", "a=1; b=2"),
        ("a=1; twinning_session=owner", "a=1"),
        ("a=1; twinning_session=owner; b=2", "a=1; b=2"),
        ("a=x|twinning_session=owner; b=2", "a=x|twinning_session=owner; b=2"),
        ("my_twinning_session=1", "my_twinning_session=1"),
        ("a=1; b=2", "a=1; b=2"),
    ],
)
def test_no_service_sees_the_session_that_opens_the_gates(visitor: Visitor, sent: str, left: str | None) -> None:
    assert told(visitor.gate("cloud", headers={"Cookie": sent})).get("cookie") == ([left] if left else None)
    assert told(visitor.door(3000, headers={"Cookie": sent})).get("cookie") == ([left] if left else None)
    assert told(visitor.gate("auth", headers={"Cookie": sent}))["cookie"] == [sent]


@pytest.mark.parametrize(
    ("asked", "heard"),
    [
        (f"https://cloud.{DOMAIN}/remote.php/dav/m%C3%A4rz", f"http://cloud.{DOMAIN}/remote.php/dav/m%C3%A4rz"),
        (f"HTTPS://cloud.{DOMAIN}/a", f"http://cloud.{DOMAIN}/a"),
        ("http://tower:8080/a", "http://tower:8080/a"),
        ("/remote.php/dav/a", "/remote.php/dav/a"),
    ],
)
def test_the_goal_of_a_move_is_in_the_services_words(visitor: Visitor, asked: str, heard: str) -> None:
    answer = visitor.gate("cloud", "/remote.php/dav/b", "MOVE", headers={"Destination": asked})
    assert told(answer)["destination"] == [heard]


def test_fireflys_api_is_for_its_own_tokens(visitor: Visitor) -> None:
    answer = visitor.gate("firefly", "/api/v1/about", headers=SPOOFED | {"Authorization": "Bearer t"})
    headers = told(answer)
    assert headers["authorization"] == ["Bearer t"]
    assert not [name for name in headers if name.startswith("remote")]
    assert visitor.gate("firefly", "/api/v1/cron/token").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/apis/", "/x/api/", "/api/../profile", "//api/..//profile", "/api/%2e%2e/profile", "/api/..%2fprofile", "/API/"],
)
def test_what_only_looks_like_the_api_is_behind_the_gate(visitor: Visitor, path: str) -> None:
    assert visitor.speak("firefly", f"GET {path} HTTP/1.1").startswith("HTTP/1.1 302 ")


@pytest.mark.parametrize(
    "path", ["/", "/login", "/remote.php/dav/files/owner/", "/ocs/v2.php", "/status.php", "/s/shared"]
)
def test_nextcloud_is_not_behind_authelia_but_hears_no_names(visitor: Visitor, path: str) -> None:
    answer = visitor.gate("cloud", path, headers=SPOOFED | OWNER)
    headers = told(answer)
    assert answer.json()["service"] == "nextcloud"
    assert not [name for name in headers if name.startswith("remote")]


@pytest.mark.parametrize("path", ["/metrics", "/index.php/metrics"])
def test_nextclouds_numbers_are_not_for_the_world(visitor: Visitor, path: str) -> None:
    assert visitor.gate("cloud", path).status_code == 404


@pytest.mark.parametrize("kind", ["carddav", "caldav"])
def test_devices_find_their_calendars(visitor: Visitor, kind: str) -> None:
    answer = visitor.gate("cloud", f"/.well-known/{kind}", "PROPFIND")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/remote.php/dav/")
