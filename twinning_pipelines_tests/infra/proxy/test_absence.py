"""nginx starts and goes on whatever else is not there."""

import subprocess
from pathlib import Path

import pytest

from twinning_pipelines_tests.infra.programs import needs
from twinning_pipelines_tests.infra.proxy.far_side import FarSide
from twinning_pipelines_tests.infra.proxy.shipped import (
    DOMAIN,
    DOORS,
    GATES,
    SERVICES,
    RunningNginx,
    Scratch,
    nobody,
)
from twinning_pipelines_tests.infra.proxy.visitor import OWNER, Visitor


@pytest.fixture(autouse=True)
def _programs() -> None:
    needs("nginx")
    needs("openssl")


def test_services_that_are_absent_cost_their_own_pages_only(tmp_path: Path) -> None:
    """One has no name in the network, one does not answer at its port, and one is there."""
    with FarSide("grafana") as grafana, FarSide("authelia") as authelia, nobody() as silent:
        services = {
            "grafana": grafana.address,
            "authelia": authelia.address,
            "dagster": silent,
        }
        scratch = Scratch.at(tmp_path / "x", services)
        assert scratch.keep("once").returncode == 0
        with RunningNginx(scratch) as nginx:
            visitor = Visitor(nginx)
            assert visitor.door(3001).status_code == 502
            assert visitor.gate("dagster", headers=OWNER).status_code == 502
            for unknown in (visitor.door(9090), visitor.gate("prometheus", headers=OWNER)):
                assert unknown.status_code in {502, 503}
                assert unknown.headers["X-Frame-Options"] == "SAMEORIGIN"
            assert visitor.door(3000).status_code == visitor.gate("grafana", headers=OWNER).status_code == 200
            assert visitor.door(8999, "/healthz").status_code == 200
            assert nginx.alive()
            visitor.close()


def test_without_authelia_the_gates_are_shut_and_the_doors_are_not(tmp_path: Path) -> None:
    with FarSide("service") as service, nobody() as shut:
        scratch = Scratch.at(tmp_path / "x", dict.fromkeys((*DOORS.values(),), service.address) | {"authelia": shut})
        assert scratch.keep("once").returncode == 0
        with RunningNginx(scratch) as nginx:
            visitor = Visitor(nginx)
            for host in GATES:
                assert visitor.gate(host, headers=OWNER).status_code == 503
            assert {visitor.door(port).status_code for port in DOORS} == {200}
            assert visitor.gate("cloud").status_code == 200
            visitor.close()


def test_a_service_that_comes_back_is_found_without_a_reload(tmp_path: Path) -> None:
    with FarSide("grafana") as gone:
        address = gone.address
    scratch = Scratch.at(tmp_path / "x", {"grafana": address})
    with RunningNginx(scratch) as nginx:
        visitor = _with_authority(nginx)
        assert visitor.door(3000).status_code == 502
        with FarSide("grafana", int(address.rpartition(":")[2])):
            assert visitor.door(3000).status_code == 200
        visitor.close()


def _with_authority(nginx: RunningNginx) -> Visitor:
    assert nginx.scratch.keep("once").returncode == 0
    return Visitor(nginx)


def test_the_first_start_has_no_certificate_and_the_gates_open_when_one_comes(tmp_path: Path) -> None:
    with FarSide("nextcloud") as nextcloud:
        scratch = Scratch.at(tmp_path / "x", {"nextcloud": nextcloud.address})
        with RunningNginx(scratch) as nginx:
            assert not nginx.answers(8443)
            assert nginx.answers(8000)
            assert scratch.keep("check").returncode == 1
            assert scratch.keep("once").returncode == 0
            assert scratch.keep("check").returncode == 0
            nginx.wait_until(lambda: nginx.answers(8443), "the gates did not open")
            visitor = Visitor(nginx)
            assert visitor.gate("cloud").json()["service"] == "nextcloud"
            visitor.close()


def test_a_pair_that_does_not_fit_changes_nothing(tmp_path: Path) -> None:
    """Neither in a running nginx nor at a start; and the next good pair is taken."""
    scratch = Scratch.at(tmp_path / "x")
    assert scratch.keep("once").returncode == 0
    current = scratch.store / "current"
    good = (current / "privkey.pem").read_text()
    with RunningNginx(scratch) as nginx:
        visitor = Visitor(nginx)
        (current / "privkey.pem").write_text(good.replace("MHcC", "AAAA"))
        nginx.wait_until(lambda: "emerg" in nginx.errors(), "the broken pair was not looked at")
        assert visitor.gate("cloud").status_code in {502, 503}
        visitor.close()
    with RunningNginx(scratch) as nginx:
        assert "the gates stay shut" in nginx.errors()
        assert not nginx.answers(8443)
        (current / "privkey.pem").write_text(good)
        nginx.wait_until(lambda: nginx.answers(8443), "the gates did not open")


def test_without_a_domain_there_are_doors_only(tmp_path: Path) -> None:
    with nobody() as silent:
        scratch = Scratch.at(tmp_path / "x", dict.fromkeys(SERVICES, silent))
        assert scratch.keep("once").returncode == 0
        with RunningNginx(scratch, TWINNING_DOMAIN="") as nginx:
            assert {port for port in scratch.ports if port != 53 and nginx.answers(port)} == {*DOORS, 8999}


@pytest.mark.parametrize("domain", ["Home.example", "a;b", "x y", "a..b", ".a", "-a", "a/b", "$(id)"])
def test_a_domain_that_is_none_is_said_so(tmp_path: Path, domain: str) -> None:
    scratch = Scratch.at(tmp_path / "x")
    started = subprocess.run(
        scratch.start(),
        env=scratch.environment(TWINNING_DOMAIN=domain),
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert started.returncode == 2
    assert "must be a plain lower-case name" in started.stderr
    assert scratch.keep("once", TWINNING_DOMAIN=domain).returncode == 2


def test_port_80_leads_to_tls_for_our_names_alone(tmp_path: Path) -> None:
    scratch = Scratch.at(tmp_path / "x")
    (scratch.webroot / ".well-known" / "acme-challenge").mkdir(parents=True)
    (scratch.webroot / ".well-known" / "acme-challenge" / "token").write_text("proof")
    (scratch.webroot / "other").write_text("not for the world")
    with RunningNginx(scratch) as nginx:
        visitor = _with_authority(nginx)
        name = {"Host": f"cloud.{DOMAIN}"}
        answer = visitor.door(8000, "/remote.php/dav/?a=1", "PROPFIND", headers=name)
        assert (answer.status_code, answer.headers["Location"]) == (308, f"https://cloud.{DOMAIN}/remote.php/dav/?a=1")
        assert visitor.door(8000, "/.well-known/acme-challenge/token", headers=name).text == "proof"
        assert visitor.door(8000, "/.well-known/acme-challenge/none", headers=name).status_code == 404
        assert visitor.door(8000, "/other", headers=name).status_code == 308
        assert visitor.door(8000, headers={"Host": "evil.example"}).status_code == 421
        visitor.close()
