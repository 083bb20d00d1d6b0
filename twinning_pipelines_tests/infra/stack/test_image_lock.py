"""`python3 infra/stack images lock` and `check`, against registries on this machine that are strict about the protocol."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import yaml

from twinning_pipelines_tests.infra.stack.conftest import SERVICES, Home, interpreters
from twinning_pipelines_tests.infra.stack.stand_ins.registry import LIST, Registry, digest, index, serve, single

BOTH = index("linux/amd64", "linux/arm64")
HUB = {
    "library/postgres:17.11-bookworm": BOTH,
    "library/redis:8.2.9-alpine": index("linux/amd64", "linux/arm64", "linux/arm", kind=LIST),
    "authelia/authelia:4.39.20": index("linux/amd64", "linux/arm64", "linux/s390x"),
    "prom/prometheus:v3.14.0": index("linux/amd64", "linux/arm64", "linux/riscv64"),
    "prom/node-exporter:v1.12.1": index("linux/amd64", "linux/arm64", "linux/386"),
}
GITHUB = {"speaches-ai/speaches:0.8.3-cpu": single()}


@dataclass(frozen=True)
class World:
    """A home, and the two registries that it asks."""

    home: Home
    hub: Registry
    github: Registry

    def environment(self) -> dict[str, str]:
        pairs = f"registry-1.docker.io={self.hub.address} ghcr.io={self.github.address}"
        return {"TWINNING_STACK_TEST_REGISTRIES": pairs, "no_proxy": "127.0.0.1"}

    def lock(self) -> str:
        return self.home.ok("images", "lock", **self.environment())

    def fails(self) -> str:
        done = self.home.run("images", "lock", **self.environment())
        assert done.returncode == 1, done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr

    def locked(self, file: str = "images.lock.yaml") -> dict[str, str]:
        read = yaml.safe_load((self.home.infra / file).read_text())
        assert set(read) == {"services"}
        return {name: service["image"] for name, service in read["services"].items()}

    def differences(self) -> list[str]:
        done = self.home.run("images", "check")
        lines = done.stdout.splitlines()
        assert done.returncode == (0 if lines == ["every image is locked"] else 1)
        return lines


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    with serve(Registry(dict(HUB))) as hub, serve(Registry(dict(GITHUB))) as github:
        yield World(home, hub, github)


def test_every_image_of_others_is_locked_to_the_digest_of_its_bytes(world: World) -> None:
    told = world.lock()
    assert world.locked() == {
        "postgres": f"postgres:17.11-bookworm@{digest(BOTH)}",
        "roles": f"postgres:17.11-bookworm@{digest(BOTH)}",
        "redis": f"redis:8.2.9-alpine@{digest(HUB['library/redis:8.2.9-alpine'])}",
        "whisper": f"ghcr.io/speaches-ai/speaches:0.8.3-cpu@{digest(GITHUB['speaches-ai/speaches:0.8.3-cpu'])}",
        "authelia": f"authelia/authelia:4.39.20@{digest(HUB['authelia/authelia:4.39.20'])}",
        "prometheus": f"prom/prometheus:v3.14.0@{digest(HUB['prom/prometheus:v3.14.0'])}",
    }
    # What only a server has must not appear on a Mac.
    node_exporter = HUB["prom/node-exporter:v1.12.1"]
    assert world.locked("images.lock.vps.yaml") == {
        "node-exporter": f"prom/node-exporter:v1.12.1@{digest(node_exporter)}"
    }
    assert not (world.home.infra / "images.lock.mac.yaml").exists()
    assert "speaches:0.8.3-cpu" in told
    assert "(without linux/amd64, linux/arm64)" in told
    assert world.differences() == ["every image is locked"]


def test_each_repository_costs_one_token_and_each_tag_one_answer(world: World) -> None:
    world.lock()
    assert (world.hub.tokens, world.github.tokens) == (5, 1)
    assert len([path for path in world.hub.asked if "/manifests/" in path]) == 2 * 5
    world.hub.anonymous = True
    world.hub.asked.clear()
    world.lock()
    assert len(world.hub.asked) == 5


@pytest.mark.parametrize("python", interpreters())
def test_locking_twice_gives_the_same_bytes(world: World, python: str) -> None:
    world.lock()
    before = (world.home.infra / "images.lock.yaml").read_bytes()
    world.home.ok("images", "lock", python=python, **world.environment())
    assert (world.home.infra / "images.lock.yaml").read_bytes() == before
    assert not list(world.home.infra.glob(".*.new"))


def test_a_lock_of_old_does_not_hinder_the_next(world: World) -> None:
    world.lock()
    world.hub.images["library/postgres:17.11-bookworm"] = index("linux/amd64", "linux/arm64", "linux/ppc64le")
    world.lock()
    assert world.locked()["postgres"].endswith(digest(world.hub.images["library/postgres:17.11-bookworm"]))


def test_a_registry_that_is_busy_is_waited_for(world: World) -> None:
    world.hub.busy = [(429, "1"), (429, "0"), (503, "0"), (429, "date")]
    world.lock()
    assert len(world.locked()) == 6


def _unknown_tag(world: World) -> None:
    del world.hub.images["library/redis:8.2.9-alpine"]


def _wrong_digest(world: World) -> None:
    world.github.told_digest = "sha256:" + "0" * 64


def _no_digest(world: World) -> None:
    world.github.told_digest = "md5:1"


def _no_manifest(world: World) -> None:
    world.github.images["speaches-ai/speaches:0.8.3-cpu"] = b"<html>please log in</html>"


def _strange_kind(world: World) -> None:
    world.github.images["speaches-ai/speaches:0.8.3-cpu"] = b'{"mediaType": "text/plain", "manifests": []}'


def _no_token(world: World) -> None:
    world.github.token_problem = True


def _token_elsewhere(world: World) -> None:
    world.github.realm = "http://192.0.2.1/token"


def _waits_too_long(world: World) -> None:
    world.github.busy = [(429, "86400")]


def _refuses(world: World) -> None:
    world.github.busy = [(403, "")]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_unknown_tag, "redis:8.2.9-alpine: registry-1.docker.io knows no such tag (404)"),
        (_wrong_digest, "speaches:0.8.3-cpu: ghcr.io tells the digest sha256:000"),
        (_no_digest, "ghcr.io tells 'md5:1' for a digest"),
        (_no_manifest, "ghcr.io answers with no manifest"),
        (_strange_kind, "ghcr.io answers with text/plain, no manifest"),
        (_no_token, "ghcr.io gives no token"),
        (_token_elsewhere, "ghcr.io wants a log-in that is not known here"),
        (_waits_too_long, "ghcr.io answers 429"),
        (_refuses, "ghcr.io answers 403"),
    ],
)
def test_one_that_fails_is_named_and_the_old_lock_stays(world: World, spoil: "object", words: str) -> None:
    world.lock()
    files = [world.home.infra / name for name in ("images.lock.yaml", "images.lock.vps.yaml")]
    before = [file.read_bytes() for file in files]
    world.hub.images["library/postgres:17.11-bookworm"] = index("linux/amd64")
    assert callable(spoil)
    spoil(world)
    told = world.fails()
    assert words in told, told
    assert told.splitlines()[-1] == "the lock stays as it was"
    assert [file.read_bytes() for file in files] == before


def test_a_registry_that_cannot_be_reached_is_named(world: World) -> None:
    services = {"x": {"image": "quay.io/a/b:1", "profiles": ["core"]}}
    world.home.docker(services=services, services_vps={})
    pairs = "quay.io=http://127.0.0.1:9"
    done = world.home.run("images", "lock", TWINNING_STACK_TEST_REGISTRIES=pairs)
    assert done.returncode == 1
    assert "quay.io/a/b:1: quay.io cannot be reached" in done.stderr


def test_a_redirect_is_followed_but_gives_the_token_to_nobody_else(world: World) -> None:
    with serve(Registry(dict(GITHUB), anonymous=True)) as other:
        world.github.redirect = other.address
        world.lock()
        assert other.asked == ["/v2/speaches-ai/speaches/manifests/0.8.3-cpu"]
        assert other.heard == [""]
        assert world.github.heard[-1].startswith("Bearer ")


def test_the_override_is_for_this_machine_only(world: World) -> None:
    done = world.home.run("images", "lock", TWINNING_STACK_TEST_REGISTRIES="ghcr.io=http://192.0.2.1:80")
    assert done.returncode == 1
    assert "for tests on this machine only" in done.stderr


def test_an_image_without_a_tag_is_refused(world: World) -> None:
    for image in ("redis", "redis:8 2", "UPPER/x:1"):
        world.home.docker(services={**SERVICES, "redis": {"image": image, "profiles": ["core"]}})
        assert "is no image with a tag" in world.fails()


def test_check_tells_each_difference(world: World) -> None:
    assert len(world.differences()) == 7
    world.lock()
    changed = {**SERVICES, "postgres": {"image": "postgres:18.1", "profiles": ["core"]}, "new": {"image": "nginx:1.30"}}
    del changed["redis"]
    world.home.docker(services=changed)
    assert world.differences() == [
        "images.lock.yaml: new (nginx:1.30) is not locked",
        "images.lock.yaml: postgres is locked to postgres:17.11-bookworm; the Compose files say postgres:18.1",
        "images.lock.yaml: redis is locked, but no service has that name",
    ]
    lock = world.home.infra / "images.lock.yaml"
    world.home.docker(services=SERVICES)
    lock.write_text(
        lock.read_text().replace(f"8.2.9-alpine@{digest(HUB['library/redis:8.2.9-alpine'])}", "8.2.9-alpine")
    )
    assert world.differences() == ["images.lock.yaml: redis is locked to no digest"]
    lock.write_text("---\nservices:\n  redis: {image: x}\n")
    done = world.home.run("images", "check")
    assert (done.returncode, "holds a line that is none of a lock" in done.stderr) == (1, True)
