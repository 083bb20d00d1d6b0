"""The images of the suite: the product's own, and stand-ins for those that the compose file names.

The engine's cache makes all but the first time quick and possible without a network.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from twinning_pipelines_tests.infra.engine import docker
from twinning_pipelines_tests.infra.programs import REPOSITORY

VERSION = "engine-test"
PRODUCT = f"twinning:{VERSION}"
_STANDINS = Path(__file__).parent / "standins"
_DEBIAN = "twinning-test/debian:trixie"
# Published images, by a part of their name, and the target that stands in for them.
_TARGETS = {
    "postgres-exporter": "postgres-exporter",
    "redis_exporter": "redis-exporter",
    "nginx-prometheus-exporter": "nginx-exporter",
    "blackbox-exporter": "blackbox-exporter",
    "node-exporter": "node-exporter",
    "prom/prometheus": "prometheus",
    "prom/alertmanager": "alertmanager",
    "postgres": "postgres",
    "redis": "redis",
    "nginx": "nginx",
    "influxdb": "influxdb",
}


def debian_with_python() -> str:
    """A Debian image with python3, venv and pip: the base of everything here. Skips where there is none."""
    given = os.environ.get("TWINNING_TEST_PYTHON_IMAGE")
    if given:
        return given
    if not docker.has_image(_DEBIAN):
        _bootstrap(_DEBIAN)
    return _DEBIAN


def product(base: str) -> str:
    """Builds the image of docker/Dockerfile; the host's settings of pip go along as secrets."""
    secrets = {
        "pip.conf": os.environ.get("PIP_CONFIG_FILE", "/etc/pip.conf"),
        "certificates": os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE", ""),
    }
    given = [f"--secret=id={name},src={path}" for name, path in secrets.items() if path and Path(path).is_file()]
    docker.run(
        "build", "--quiet", "--file", REPOSITORY / "docker" / "Dockerfile", "--tag", PRODUCT,
        "--build-arg", f"PYTHON_IMAGE={base}", "--build-arg", f"VERSION={VERSION}", *given, REPOSITORY, seconds=900,
    )  # fmt: skip
    return PRODUCT


def standin(published: str, base: str) -> str | None:
    """Builds what stands in for a published image; None for those that Debian has no package of."""
    target = next((target for part, target in _TARGETS.items() if part in published), None)
    if target is None:
        return None
    name = f"twinning-test/{target}"
    docker.run(
        "build", "--quiet", "--tag", name, "--build-arg", f"DEBIAN={base}", "--target", target, _STANDINS, seconds=900
    )
    return name


def _bootstrap(name: str) -> None:
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        pytest.skip("no base image: install debootstrap and be root, or name one in TWINNING_TEST_PYTHON_IMAGE")
    packages = "ca-certificates,python3,python3-pip,python3-venv"
    with tempfile.TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={packages}", "trixie", root],
            check=True, capture_output=True, timeout=900,
        )  # fmt: skip
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as packed:
            subprocess.run(["docker", "import", "-", name], stdin=packed.stdout, check=True, capture_output=True)
