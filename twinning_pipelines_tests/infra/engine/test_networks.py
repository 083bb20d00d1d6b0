"""Who can reach what: routes as the kernel has them, the way out as a connection finds it, ports as they are bound."""

import ipaddress
import json
import os
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from twinning_pipelines_tests.infra.engine import docker, images
from twinning_pipelines_tests.infra.engine.stack import PROJECT, Stack

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

# Collectors and webhooks, what is published, and the mail of alerts: these alone have business outside.
GO_OUT = {"code", "nginx", "alertmanager"}
# Engines before this one route internal networks all the same, and let the firewall drop what comes.
ROUTELESS_SINCE = 26
OUTSIDE = os.environ.get("TWINNING_TEST_OUTSIDE", "example.com")
_CONNECT = """
import socket
try:
    socket.create_connection(("{address}", 80), 4)
except OSError as refused:
    print(refused)
else:
    print("connected")
"""


def test_only_who_has_business_outside_has_a_default_route(stack: Stack) -> None:
    routed = {name for name in stack.running() if has_default_route(stack, name)}
    version = int(docker.run("version", "--format", "{{.Server.Version}}").partition(".")[0])
    if version < ROUTELESS_SINCE:
        assert routed >= GO_OUT
        pytest.skip(f"engine {version} gives internal networks a default route too; what counts is the next test")
    assert routed == GO_OUT


def test_only_who_has_business_outside_gets_there(stack: Stack) -> None:
    try:
        address = socket.getaddrinfo(OUTSIDE, 80, socket.AF_INET)[0][4][0]
        socket.create_connection((str(address), 80), 4).close()
    except OSError:
        pytest.skip(
            f"this machine itself does not get to {OUTSIDE}; TWINNING_TEST_OUTSIDE names a host with port 80 that it does"
        )
    running = stack.running()
    with ThreadPoolExecutor(4) as several:
        found = several.map(lambda each: connects(each["Id"], str(address)), running.values())
    assert {name for name, reached in zip(running, found, strict=True) if reached} == GO_OUT


def test_the_network_of_the_data_is_internal(stack: Stack) -> None:
    networks = {name: json.loads(docker.run("network", "inspect", f"{PROJECT}_{name}"))[0] for name in ("data", "edge")}
    assert networks["data"]["Internal"]
    assert not networks["edge"]["Internal"]
    for name, container in stack.running().items():
        joined = {each.removeprefix(f"{PROJECT}_") for each in container["NetworkSettings"]["Networks"]}
        assert joined == ({"data", "edge"} if name in GO_OUT else {"data"}), name


def test_ports_are_published_by_nginx_alone_and_bound_to_loopback_alone(stack: Stack) -> None:
    for name, container in stack.running().items():
        bound = [each for ports in container["NetworkSettings"]["Ports"].values() for each in ports or []]
        assert bool(bound) == (name == "nginx"), name
        assert all(ipaddress.ip_address(each["HostIp"]).is_loopback for each in bound), bound


def test_a_door_does_not_answer_on_another_address_of_this_machine(stack: Stack) -> None:
    address, _, port = stack.door(3001).rpartition(":")
    socket.create_connection((address, int(port)), 4).close()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))
            own = probe.getsockname()[0]
    except OSError:
        pytest.skip("this machine has no address but loopback")
    with pytest.raises(OSError, match=r"refused|timed out"):
        socket.create_connection((own, int(port)), 4)


def has_default_route(stack: Stack, service: str) -> bool:
    """Does the kernel send what it knows no other way for somewhere?"""
    lines = stack.execute(service, "cat", "/proc/net/route").splitlines()[1:]
    return any(line.split()[1] == line.split()[7] == "00000000" for line in lines)


def connects(container: str, address: str) -> bool:
    """Does a connection from the container's network to an address outside come about?"""
    told = docker.run(
        "run", "--rm", "--network", f"container:{container}", images.debian_with_python(),
        "python3", "-c", _CONNECT.format(address=address),
    )  # fmt: skip
    return told.strip() == "connected"
