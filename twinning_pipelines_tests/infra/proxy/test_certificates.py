"""Certificates: an authority of one's own, and ACME with renewal, as a browser sees them served."""

import contextlib
import os
import ssl
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from twinning_pipelines_tests.infra.programs import needs
from twinning_pipelines_tests.infra.proxy.acme import Pebble, certbot
from twinning_pipelines_tests.infra.proxy.shipped import DOMAIN, RunningNginx, Scratch
from twinning_pipelines_tests.infra.proxy.visitor import Visitor

HOSTS = ("auth", "dagster", "grafana", "prometheus", "alerts", "influx", "firefly", "cloud")


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    needs("openssl")
    return Scratch.at(tmp_path / "x")


def served(nginx: RunningNginx, host: str, authority: Path) -> dict[str, object]:
    """The certificate of a host after a handshake that trusts `authority` alone. Raises ssl.SSLError."""
    visitor = Visitor(nginx)
    visitor.tls = ssl.create_default_context(cafile=str(authority))
    with visitor.connect(host) as connection:
        assert isinstance(connection, ssl.SSLSocket)
        found = connection.getpeercert()
    visitor.close()
    assert found
    return dict(found)


def _openssl(*arguments: object) -> str:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_every_gate_is_trusted_by_who_trusts_our_authority(scratch: Scratch) -> None:
    needs("nginx")
    assert scratch.keep("once").returncode == 0
    with RunningNginx(scratch) as nginx:
        for host in HOSTS:
            certificate = served(nginx, host, scratch.store / "ca" / "ca.pem")
            names = {f"{each}.{DOMAIN}" for each in HOSTS}
            assert {name for kind, name in certificate["subjectAltName"]} == names  # type: ignore[attr-defined]
        with pytest.raises(ssl.SSLCertVerificationError):
            served(nginx, "cloud", Path(ssl.get_default_verify_paths().openssl_cafile))


def test_the_key_is_for_nginx_and_the_authoritys_for_nobody(scratch: Scratch) -> None:
    assert scratch.keep("once").returncode == 0
    modes = {
        name: stat.S_IMODE((scratch.store / name).stat().st_mode)
        for name in ("ca", "ca/ca.key", "kept", "current/privkey.pem", "current/fullchain.pem")
    }
    assert modes == {
        "ca": 0o700,
        "ca/ca.key": 0o600,
        "kept": 0o750,
        "current/privkey.pem": 0o640,
        "current/fullchain.pem": 0o640,
    }


def test_the_authority_can_vouch_for_the_domain_alone(scratch: Scratch) -> None:
    """Whoever gets its key cannot be a bank to the devices that trust it."""
    assert scratch.keep("once").returncode == 0
    ca, work = scratch.store / "ca", scratch.folder
    (work / "names").write_text("subjectAltName=DNS:bank.example\n")
    _openssl(
        "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", work / "k", "-out", work / "r", "-subj", "/CN=x"
    )
    _openssl(
        *("x509", "-req", "-in", work / "r", "-CA", ca / "ca.pem", "-CAkey", ca / "ca.key", "-set_serial", "7"),
        *("-extfile", work / "names", "-out", work / "forged.pem"),
    )
    assert "permitted subtree violation" in _openssl("verify", "-CAfile", ca / "ca.pem", work / "forged.pem")


def test_a_valid_certificate_is_left_alone_and_one_that_ends_soon_is_not(scratch: Scratch) -> None:
    assert scratch.keep("once").returncode == 0
    first = (scratch.store / "current" / "fullchain.pem").read_text()
    authority = (scratch.store / "ca" / "ca.pem").read_text()
    assert scratch.keep("once").returncode == 0
    assert (scratch.store / "current" / "fullchain.pem").read_text() == first
    keeper = scratch.folder / "certificates.d" / "keep"
    # As if it looked 89 days before the end of a certificate of 90.
    keeper.write_text(keeper.read_text().replace("before=$((30 * 24 * 3600))", "before=$((91 * 24 * 3600))"))
    assert scratch.keep("once").returncode == 0
    assert (scratch.store / "current" / "fullchain.pem").read_text() != first
    assert (scratch.store / "ca" / "ca.pem").read_text() == authority
    assert len(list((scratch.store / "kept").iterdir())) == 2


def test_renewing_again_and_again_keeps_two(scratch: Scratch) -> None:
    for _ in range(4):
        assert scratch.keep("renew").returncode == 0
    assert len(list((scratch.store / "kept").iterdir())) == 2
    assert sorted(path.name for path in scratch.store.iterdir()) == ["ca", "current", "kept"]


def test_the_authority_is_not_overwritten(scratch: Scratch) -> None:
    assert scratch.keep("once").returncode == 0
    before = {path.name: path.read_bytes() for path in (scratch.store / "ca").iterdir()}
    other = scratch.keep("renew", TWINNING_DOMAIN="other.example.org")
    assert other.returncode != 0
    assert f'is for "{DOMAIN}", not for "other.example.org"' in other.stderr
    assert {path.name: path.read_bytes() for path in (scratch.store / "ca").iterdir()} == before
    (scratch.store / "ca" / "domain").unlink()
    assert scratch.keep("renew").returncode != 0
    assert (scratch.store / "ca" / "ca.key").read_bytes() == before["ca.key"]


def test_the_keeper_itself_makes_one_at_once_and_ends_when_told(scratch: Scratch) -> None:
    command = ["/bin/sh", str(scratch.folder / "certificates.d" / "keep")]
    with subprocess.Popen(command, env=scratch.environment(TWINNING_TLS="local-ca"), stderr=subprocess.PIPE) as keeper:
        assert keeper.stderr
        while b"installed" not in keeper.stderr.readline():
            assert keeper.poll() is None
        assert scratch.keep("check").returncode == 0
        keeper.terminate()
        assert keeper.wait(timeout=60) == 0


def test_what_it_does_not_know_is_said(scratch: Scratch) -> None:
    assert "must be acme-http or local-ca" in scratch.keep("once", tls="acme-dns").stderr
    assert 'unknown verb "twice"' in scratch.keep("twice").stderr
    assert scratch.keep("check").returncode == 1


def test_acme_issues_through_nginx_and_a_renewal_is_served(scratch: Scratch) -> None:
    """From a first start without any certificate; pebble visits all names at port 80."""
    for name in ("nginx", "pebble", "pebble-challtestsrv"):
        needs(name)
    if certbot() is None:
        pytest.skip("certbot is not installed")
    with RunningNginx(scratch) as nginx, Pebble(scratch) as pebble:
        made = scratch.keep("once", tls="acme-http", **pebble.environment)
        assert made.returncode == 0, made.stderr
        # Before the world answered, the authority of our own had put its certificate there.
        own, theirs = made.stderr.index("authority of"), made.stderr.index("Pebble")
        assert own < theirs
        authority = pebble.authority(scratch.folder / "pebble.pem")
        first = _eventually(nginx, authority, None)
        assert "Pebble" in str(first["issuer"])
        again = scratch.keep("once", tls="acme-http", **pebble.environment)
        assert again.returncode == 0, again.stderr
        assert served(nginx, "cloud", authority)["serialNumber"] == first["serialNumber"]
        renewed = scratch.keep("renew", tls="acme-http", **pebble.environment)
        assert renewed.returncode == 0, renewed.stderr
        second = _eventually(nginx, authority, first["serialNumber"])
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(second["notAfter"])), UTC)
        assert ends > datetime.now(UTC) + timedelta(days=30)
        assert nginx.alive()
        key = scratch.store / "current" / "privkey.pem"
        assert stat.S_IMODE(key.stat().st_mode) == 0o640


def _eventually(nginx: RunningNginx, authority: Path, not_this: object) -> dict[str, object]:
    seen = dict[str, object]()

    def changed() -> bool:
        with contextlib.suppress(OSError):
            seen.update(served(nginx, "grafana", authority))
        return bool(seen) and seen["serialNumber"] != not_this

    nginx.wait_until(changed, "the certificate that is served did not change")
    return seen


def test_when_acme_fails_what_is_there_stays(scratch: Scratch) -> None:
    if certbot() is None:
        pytest.skip("certbot is not installed")
    path = f"{certbot().parent}:{os.environ['PATH']}"  # type: ignore[union-attr]
    nobody = {"TWINNING_ACME_SERVER": "https://127.0.0.1:9/dir", "PATH": path}
    failed = scratch.keep("once", tls="acme-http", **nobody)
    assert failed.returncode != 0
    assert scratch.keep("check").returncode == 0
    assert "authority of" in failed.stderr
