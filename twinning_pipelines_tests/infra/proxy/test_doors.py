"""The plain doors of the machine: the same stripping, and no way in for a page of somebody else's."""

import pytest

from twinning_pipelines_tests.infra.proxy.shipped import DOORS
from twinning_pipelines_tests.infra.proxy.test_gates import SPOOFED
from twinning_pipelines_tests.infra.proxy.visitor import OWNER, Visitor, told


@pytest.mark.parametrize("port", DOORS)
def test_each_door_leads_to_its_service_and_no_name_comes_through(visitor: Visitor, port: int) -> None:
    answer = visitor.door(port, "/deep/page?a=1", headers=SPOOFED | OWNER | {"Authorization": "Bearer t"})
    headers = told(answer)
    address = f"127.0.0.1:{visitor.nginx.port(port)}"
    assert answer.json()["service"] == DOORS[port]
    assert answer.json()["path"] == "/deep/page?a=1"
    assert not [name for name in headers if name.startswith("remote")]
    assert headers["x-forwarded-for"] == headers["x-real-ip"] == ["127.0.0.1"]
    assert headers["host"] == headers["x-forwarded-host"] == [address]
    assert headers["x-forwarded-proto"] == ["http"]
    assert headers["authorization"] == ["Bearer t"]
    assert not [text for values in headers.values() for text in values if "evil" in text.lower() or "203.0.113" in text]


@pytest.mark.parametrize(
    "host", ["localhost:3001", "10.66.0.1", "[::1]:3001", "tower", "tower.local", "tower.home.arpa"]
)
def test_names_of_home_are_answered(visitor: Visitor, host: str) -> None:
    assert told(visitor.door(3001, headers={"Host": host}))["host"] == [host]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:3001", "127.0.0.1.evil.example", "localhost.evil.example"]
)
@pytest.mark.parametrize("port", DOORS)
def test_a_rebound_name_is_not(visitor: Visitor, port: int, host: str) -> None:
    assert visitor.door(port, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:9999", "http://localhost:3001.evil.example"]
)
@pytest.mark.parametrize("port", DOORS)
def test_a_page_of_somebody_else_cannot_act(visitor: Visitor, port: int, origin: str) -> None:
    headers = {"Host": "localhost:3001", "Origin": origin}
    assert visitor.door(port, "/graphql", "POST", headers=headers).status_code == 403


def test_the_doors_own_page_can(visitor: Visitor) -> None:
    headers = {"Host": "localhost:3001", "Origin": "http://localhost:3001"}
    assert visitor.door(3001, "/graphql", "POST", headers=headers).json()["service"] == "dagster"


def test_the_machine_asks_how_nginx_is(visitor: Visitor) -> None:
    assert visitor.door(8999, "/healthz").text == "ok\n"
    assert "Active connections" in visitor.door(8999, "/stub_status").text
    assert visitor.door(8999, "/").status_code == 404
