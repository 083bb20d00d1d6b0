"""Too much from one address is 429, and a log-in is too much sooner than a page."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from twinning_pipelines_tests.infra.programs import needs
from twinning_pipelines_tests.infra.proxy.far_side import FarSide
from twinning_pipelines_tests.infra.proxy.shipped import SERVICES, RunningNginx, Scratch, nobody
from twinning_pipelines_tests.infra.proxy.visitor import OWNER, Visitor


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """Every service is there but Prometheus: a refused connection is the quickest answer."""
    needs("nginx")
    needs("openssl")
    with FarSide("authelia") as authelia, FarSide("service") as service, nobody() as silent:
        services = dict.fromkeys(SERVICES, service.address) | {"authelia": authelia.address, "prometheus": silent}
        scratch = Scratch.at(tmp_path_factory.mktemp("limits") / "x", services)
        assert scratch.keep("once").returncode == 0
        yield scratch


@pytest.fixture
def visitor(prepared: Scratch) -> Iterator[Visitor]:
    """A fresh nginx for each test: it keeps the counts in memory."""
    with RunningNginx(prepared) as nginx:
        visitor = Visitor(nginx)
        yield visitor
        visitor.close()


def _until_refused(attempt: Callable[[], int]) -> None:
    """Five at once pass and the sixth does not; on a slow machine one more for every six seconds that went by."""
    began, passed = time.monotonic(), 0
    while (status := attempt()) == 200:
        passed += 1
        assert passed <= 5 + (time.monotonic() - began) / 6
    assert status == 429
    assert passed >= 5


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("auth", "/api/firstfactor"),
        ("auth", "/api/secondfactor/totp"),
        ("cloud", "/login"),
        ("cloud", "/index.php/login"),
        ("cloud", "/login/challenge/totp"),
        ("grafana", "/login"),
        ("firefly", "/login"),
        ("influx", "/api/v2/signin"),
    ],
)
def test_the_sixth_log_in_at_once_is_refused(visitor: Visitor, host: str, path: str) -> None:
    _until_refused(lambda: visitor.gate(host, path, "POST", headers=OWNER).status_code)
    assert visitor.gate(host, path, headers=OWNER).status_code == 200
    assert visitor.gate(host, "/elsewhere", "POST", headers=OWNER).status_code == 200


def test_log_ins_everywhere_count_together(visitor: Visitor) -> None:
    places = iter([("auth", "/api/firstfactor"), ("cloud", "/login")])

    def somewhere() -> int:
        gate = next(places, None)
        return (visitor.gate(*gate, "POST") if gate else visitor.door(8081, "/login", "POST")).status_code

    _until_refused(somewhere)


def _at_once(visitor: Visitor, port: int, count: int) -> tuple[Counter[int], bytes]:
    """Sends requests without waiting for answers; how many of each status came, and all that came."""
    one = b"GET /api/v1/query HTTP/1.1\r\nHost: localhost\r\n"
    with visitor.connect(port) as connection:
        connection.sendall((one + b"\r\n") * (count - 1) + one + b"Connection: close\r\n\r\n")
        parts = list[bytes]()
        while part := connection.recv(65536):
            parts.append(part)
    answers = b"".join(parts)
    return Counter(int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)), answers


def test_a_dashboard_is_no_flood(visitor: Visitor) -> None:
    assert _at_once(visitor, 9090, 250)[0] == {502: 250}


def test_a_flood_is_refused(visitor: Visitor) -> None:
    began = time.monotonic()
    statuses, answers = _at_once(visitor, 9090, 900)
    passed = 301 + 50 * (time.monotonic() - began)
    assert sum(statuses.values()) == 900
    assert statuses[429] >= 900 - passed > 0
    assert answers.count(b"X-Content-Type-Options: nosniff") == 900
    visitor.nginx.wait_until(
        lambda: any('"limited":"REJECTED"' in line for line in visitor.nginx.access_lines()), "no line came"
    )


def test_devices_that_wait_for_a_log_in_may_ask_often(visitor: Visitor) -> None:
    """Nextcloud's clients ask every second or two until somebody has logged in."""
    assert {visitor.gate("cloud", "/login/v2/poll", "POST").status_code for _ in range(20)} == {200}
