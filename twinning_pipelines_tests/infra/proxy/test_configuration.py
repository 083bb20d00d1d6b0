"""What can be said of nginx's and Authelia's files without a visitor."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from twinning_pipelines_tests.infra.programs import REPOSITORY, needs
from twinning_pipelines_tests.infra.proxy.check import complaints, gixy
from twinning_pipelines_tests.infra.proxy.directives import shipped_directives
from twinning_pipelines_tests.infra.proxy.shipped import GATES, NGINX, PORTS, SERVICES

DOMAIN = '{{ mustEnv "TWINNING_DOMAIN" }}'
AUTHELIA = REPOSITORY / "infra" / "authelia" / "configuration.yml"


@pytest.fixture(scope="module")
def authelia() -> dict[str, Any]:
    found = yaml.safe_load(AUTHELIA.read_text())
    assert isinstance(found, dict)
    return found


def test_nginx_and_gixy_have_nothing_to_say(tmp_path: Path) -> None:
    needs("nginx")
    needs("openssl")
    assert list(complaints(tmp_path / "x")) == []
    if gixy() is None:
        pytest.skip("nginx is content; gixy is not installed")


def test_gixy_would_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that cannot fail proves nothing."""
    needs("nginx")
    if gixy() is None:
        pytest.skip("gixy is not installed")
    broken = tmp_path / "nginx"
    broken.mkdir()
    for path in NGINX.iterdir():
        (broken / path.name).write_text(path.read_text().replace("https://$host$request_uri", "https://$host$uri"))
    monkeypatch.setattr("twinning_pipelines_tests.infra.proxy.shipped.NGINX", broken)
    assert "http_splitting" in "".join(complaints(tmp_path / "x"))


def test_what_the_tests_replace_is_what_is_shipped() -> None:
    """Every port and address of the shipped files has its stand-in, so that no test speaks to anything else."""
    main = shipped_directives(NGINX)
    assert {int(each.words[1]) for each in main.all("listen")} == set(PORTS)
    shipped = (NGINX / "addresses.conf").read_text()
    assert dict(re.findall(r'map "" \$(\w+) \{ default "([^"]+)"; \}', shipped)) == SERVICES


def test_tls_is_1_3_alone_and_tells_nothing_of_itself() -> None:
    main = shipped_directives(NGINX)
    assert {each.words[1:] for each in main.all("ssl_protocols")} == {("TLSv1.3",)}
    assert {each.words[1] for each in main.all("ssl_session_tickets")} == {"off"}
    assert {each.words[1] for each in main.all("ssl_early_data")} == {"off"}
    assert {each.words[1] for each in main.all("server_tokens")} == {"off"}


def test_authelia_asks_for_two_factors_exactly_where_nginx_asks_authelia(authelia: dict[str, Any]) -> None:
    rules = authelia["access_control"]
    assert rules["default_policy"] == "deny"
    assert [(rule["policy"], rule["subject"]) for rule in rules["rules"]] == [("two_factor", "group:admins")]
    assert set(rules["rules"][0]["domain"]) == {f"{host}.{DOMAIN}" for host in GATES}


def test_authelia_has_its_sessions_where_nginx_sends_people(authelia: dict[str, Any]) -> None:
    (cookie,) = authelia["session"]["cookies"]
    assert cookie["domain"] == DOMAIN
    assert cookie["authelia_url"] == f"https://auth.{DOMAIN}"
    assert "auth-request" in authelia["server"]["endpoints"]["authz"]
    strategies = authelia["server"]["endpoints"]["authz"]["auth-request"]["authn_strategies"]
    assert strategies == [{"name": "CookieSession"}], "a password in a header would pass by the second factor"
    assert (authelia["totp"]["disable"], authelia["webauthn"]["disable"]) == (False, False)


def _keys(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield str(key)
            yield from _keys(value)
    elif isinstance(node, list):
        for each in node:
            yield from _keys(each)


def test_authelia_tells_nobody_and_holds_no_secret(authelia: dict[str, Any]) -> None:
    keys = set(_keys(authelia))
    assert not keys & {"secret", "encryption_key", "jwt_secret", "smtp", "key", "ldap"}
    assert "password" not in authelia["storage"]["postgres"] | authelia["session"]["redis"]
    assert authelia["ntp"] == {"disable_startup_check": True}
    assert authelia["webauthn"]["metadata"] == {"enabled": False}
    assert set(authelia["notifier"]) == {"disable_startup_check", "filesystem"}
