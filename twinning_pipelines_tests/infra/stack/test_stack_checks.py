"""`python3 infra/stack check`, `up` and the verbs that hand on to Compose."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from twinning_pipelines_tests.infra.programs import REPOSITORY, needs
from twinning_pipelines_tests.infra.stack.conftest import OVERLAY, SERVICES, Home, interpreters


def findings(home: Home) -> list[str]:
    done = home.run("check")
    lines = [line for line in done.stdout.splitlines() if not line.startswith("hint: ") and line != "all is well"]
    assert done.returncode == (1 if lines else 0), done
    assert done.stderr == ""
    return lines


def change_env(home: Home, old: str, new: str) -> None:
    file = home.infra / ".env"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize("python", interpreters())
def test_a_fresh_home_is_well(home: Home, python: str) -> None:
    home.ok("init")
    told = home.ok("check", python=python)
    assert "all is well" in told
    assert "hint: images are not locked" in told


def test_before_init_there_is_one_line_for_each_thing(home: Home) -> None:
    assert findings(home) == [
        "infra/.env is missing: python3 infra/stack init",
        "infra/secrets is missing: python3 infra/stack init",
    ]


def _open_folder(home: Home) -> None:
    home.secrets.chmod(0o755)


def _empty(home: Home) -> None:
    (home.secrets / "redis_password").chmod(0o644)
    (home.secrets / "redis_password").write_text("")


def _with_a_break(home: Home) -> None:
    (home.secrets / "redis_password").chmod(0o644)
    (home.secrets / "redis_password").write_text("A" * 40 + "\n")


def _short(home: Home) -> None:
    (home.secrets / "firefly_app_key").chmod(0o644)
    (home.secrets / "firefly_app_key").write_text("A" * 31)


def _missing(home: Home) -> None:
    (home.secrets / "dagster_db_password").unlink()


def _unreadable_for_containers(home: Home) -> None:
    (home.secrets / "grafana_db_password").chmod(0o400)


def _linked(home: Home) -> None:
    (home.secrets / "redis_password").rename(home.root / "elsewhere")
    (home.secrets / "redis_password").symlink_to(home.root / "elsewhere")


def _password_in_the_clear(home: Home) -> None:
    users = home.secrets / "authelia_users.yml"
    users.chmod(0o644)
    users.write_text('---\nusers:\n  owner:\n    password: "secret"\n')


def _old_engine(home: Home) -> None:
    home.docker(engine="23.0.6")


def _no_engine(home: Home) -> None:
    home.docker(engine=None)


def _old_compose(home: Home) -> None:
    home.docker(compose="v2.17.2")


def _refused_files(home: Home) -> None:
    home.docker(refuses="services.x additional properties 'imagee' not allowed")


def _unknown_profile(home: Home) -> None:
    change_env(home, "TWINNING_PROFILES=core monitoring", "TWINNING_PROFILES=core monitorng")


def _open_doors(home: Home) -> None:
    change_env(home, "TWINNING_BIND=127.0.0.1", "TWINNING_BIND=0.0.0.0")


def _doors_to_the_internet(home: Home) -> None:
    change_env(home, "TWINNING_BIND=127.0.0.1", "TWINNING_BIND=8.8.8.8")


def _no_overlay(home: Home) -> None:
    change_env(home, "TWINNING_PLACE=vps", "TWINNING_PLACE=windows")


def _acme_at_home(home: Home) -> None:
    change_env(home, "TWINNING_TLS=local-ca", "TWINNING_TLS=acme-http")


def _zone_of_nobody(home: Home) -> None:
    change_env(home, "TWINNING_ZONE=", "TWINNING_ZONE=Mars/Olympus # ")


def _order_of_nobody(home: Home) -> None:
    change_env(home, "TWINNING_DATE_ORDER=", "TWINNING_DATE_ORDER=dmy")


def _nginx_elsewhere(home: Home) -> None:
    change_env(home, "TWINNING_SUBNET=172.31.235.0/24", "TWINNING_SUBNET=172.30.0.0/24")


def _forgotten_lock(home: Home) -> None:
    lock = '  postgres:\n    image: "postgres:16.1@sha256:' + "0" * 64 + '"\n'
    (home.infra / "images.lock.yaml").write_text(f"---\nservices:\n{lock}")


def _spoiled_lock(home: Home) -> None:
    (home.infra / "images.lock.yaml").write_text("---\nservices:\n  postgres: {image: x}\n")


def _old_settings(home: Home) -> None:
    change_env(home, "TWINNING_OWNER=owner\n", "")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_open_folder, "infra/secrets may be entered by others (mode 0755)"),
        (_empty, "infra/secrets/redis_password is empty"),
        (_with_a_break, "infra/secrets/redis_password begins or ends with a blank or a line break"),
        (_short, "infra/secrets/firefly_app_key has 31 characters instead of exactly 32"),
        (_missing, "infra/secrets/dagster_db_password is missing"),
        (_unreadable_for_containers, "infra/secrets/grafana_db_password has mode 0400"),
        (_linked, "infra/secrets/redis_password is a link"),
        (_password_in_the_clear, "infra/secrets/authelia_users.yml has a user without a digest"),
        (_old_engine, "Docker is 23.0.6; at least 24.0 is wanted"),
        (_no_engine, "Docker does not answer: Cannot connect"),
        (_old_compose, "Docker Compose is v2.17.2; at least 2.24 is wanted"),
        (_refused_files, "Compose refuses the files: validating"),
        (_unknown_profile, "TWINNING_PROFILES: 'monitorng' is none of"),
        (_open_doors, "TWINNING_BIND=0.0.0.0 opens doors without a log-in to everybody"),
        (_doors_to_the_internet, "TWINNING_BIND=8.8.8.8 is an address of the internet"),
        (_no_overlay, "TWINNING_PLACE is 'windows'; it is one of mac, vps"),
        (_acme_at_home, "TWINNING_TLS=acme-http wants a domain of the internet"),
        (_zone_of_nobody, "TWINNING_ZONE is 'Mars/Olympus', not a time zone such as Europe/Zurich"),
        (_order_of_nobody, "TWINNING_DATE_ORDER is 'dmy'; it is one of DMY, MDY, YMD"),
        (_nginx_elsewhere, "TWINNING_NGINX_ADDRESS=172.31.235.2 is no address of TWINNING_SUBNET=172.30.0.0/24"),
        (
            _forgotten_lock,
            "infra/images.lock.yaml: postgres is locked to postgres:16.1; the Compose files say postgres:17.11-bookworm",
        ),
        (_spoiled_lock, "infra/images.lock.yaml: images.lock.yaml holds a line that is none of a lock"),
        (_old_settings, "infra/.env lacks TWINNING_OWNER: python3 infra/stack init adds it"),
    ],
)
def test_each_fault_has_its_line(home: Home, spoil: Callable[[Home], None], words: str) -> None:
    home.ok("init", "--place", "vps")
    spoil(home)
    found = findings(home)
    assert [line for line in found if words in line], found
    done = home.run("up")
    assert (done.returncode, "nothing was started" in done.stderr) == (1, True)
    assert home.calls() == []


def test_without_docker_it_says_so(home: Home) -> None:
    home.ok("init")
    done = home.run("check", path=str(home.root))
    assert "Docker does not answer: docker is not installed, or not on the PATH" in done.stdout
    assert home.run("ps", path=str(home.root)).stderr == "docker is not installed, or not on the PATH\n"


def test_settings_that_an_editor_wrote_otherwise_are_read_or_told(home: Home) -> None:
    home.ok("init", "--place", "vps")
    file = home.infra / ".env"
    text = file.read_text()
    file.write_bytes(b"\xef\xbb\xbf" + text[text.index("TWINNING_PLACE") :].replace("\n", "\r\n").encode())
    assert findings(home) == []
    file.write_bytes(text.encode("utf-16"))
    for verb in ("check", "init", "up"):
        done = home.run(verb)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{file}: is not written in UTF-8\n")


def test_a_port_that_is_taken_is_found_before_the_start_but_not_our_own(home: Home) -> None:
    home.ok("init")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ports = [{"host_ip": "127.0.0.1", "published": str(port), "target": 3000, "protocol": "tcp"}]
        home.docker(services={**SERVICES, "nginx": {"image": "nginx:1", "profiles": ["core"], "ports": ports}})
        assert findings(home) == [f"port {port} of 127.0.0.1 is taken by another program; nginx wants it"]
        home.docker(there=["nginx"])
        assert findings(home) == []


def test_an_address_that_this_machine_does_not_have_is_found(home: Home) -> None:
    home.ok("init")
    ports = [{"host_ip": "10.255.255.254", "published": "39999", "target": 3000, "protocol": "tcp"}]
    home.docker(services={**SERVICES, "nginx": {"image": "nginx:1", "profiles": ["core"], "ports": ports}})
    assert findings(home) == ["this machine has no address 10.255.255.254, which nginx wants for port 39999"]


def test_secrets_that_git_knows_or_would_take_are_found(home: Home) -> None:
    home.ok("init")

    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(home.root), *words], check=True, capture_output=True)

    git("init", "-q")
    assert findings(home) == [
        "infra/secrets is not ignored by git: add it to .gitignore",
        "infra/.env is not ignored by git: add it to .gitignore",
    ]
    (home.root / ".gitignore").write_text("/infra/secrets/\n.env\n")
    assert findings(home) == []
    git("add", "--force", "infra/secrets/redis_password")
    assert findings(home) == ["infra/secrets/redis_password is tracked by git: git rm --cached, and make it anew"]


def test_up_starts_the_profiles_of_the_settings_or_of_the_command_line(home: Home) -> None:
    home.ok("init", "--place", "vps")
    home.ok("up")
    home.ok("up", "--profile", "core", "--profile", "edge")
    home.docker(code=3)
    assert home.run("up").returncode == 3
    first, second, _ = home.calls()
    assert first.pop("digest")
    assert first == {
        "files": ["compose.yaml", "compose.vps.yaml"],
        "profiles": ["core", "monitoring"],
        "words": ["up", "--detach", "--wait", "--build"],
    }
    assert second["profiles"] == ["core", "edge"]
    assert second["files"] == ["compose.yaml", "compose.vps.yaml", "compose.edge.yaml"]


def test_prometheus_is_told_of_what_is_started_and_of_nothing_else(home: Home) -> None:
    chosen = home.infra / "prometheus" / "chosen"
    home.ok("init", "--place", "vps", "--domain", "home.example.org")
    home.ok("up", "--profile", "core", "--profile", "monitoring", "--profile", "edge")
    node, edge = ["scrape-node.yml"], ["probe-edge.yml", "public-hosts.yml"]
    assert sorted(file.name for file in chosen.iterdir()) == [*edge, "scrape-edge.yml", *node]
    assert '"cloud.home.example.org"' in (chosen / "public-hosts.yml").read_text()
    (chosen / ".gitignore").write_text("*")
    home.ok("up", "--profile", "core", "--profile", "ai")
    assert sorted(file.name for file in chosen.iterdir()) == [".gitignore", "probe-ai.yml", *node]


def test_containers_are_made_anew_when_what_they_read_changed(home: Home) -> None:
    home.ok("init", "--place", "vps")
    (home.infra / "nginx").mkdir()
    said = []
    for text in ("one", "one", "two"):
        (home.infra / "nginx" / "doors.conf").write_text(text)
        home.ok("up")
        said.append(home.calls()[-1]["digest"])
    assert said[0] == said[1] != said[2]


def test_a_checkout_that_containers_can_not_read_is_found(home: Home) -> None:
    home.ok("init", "--place", "vps")
    (home.infra / "redis").mkdir()
    (home.infra / "redis" / "start.sh").write_text("")
    (home.infra / "redis" / "start.sh").chmod(0o640)
    assert findings(home) == ["infra/redis/start.sh can't be read by containers: chmod -R go+rX infra/redis"]


def test_what_was_found_can_be_overruled_but_not_overlooked(home: Home) -> None:
    home.ok("init")
    home.docker(engine="20.10.24")
    assert home.run("up").returncode == 1
    done = home.run("up", "--anyway")
    assert (done.returncode, "Docker is 20.10.24" in done.stderr) == (0, True)
    assert len(home.calls()) == 1


def test_on_a_mac_the_other_overlay_is_laid_over(home: Home) -> None:
    home.ok("init", "--place", "mac")
    digest = "@sha256:" + "0" * 64
    for file, services in (("images.lock.yaml", SERVICES), ("images.lock.vps.yaml", OVERLAY)):
        lines = [
            f'  {name}:\n    image: "{one["image"]}{digest}"\n' for name, one in services.items() if name != "code"
        ]
        (home.infra / file).write_text("---\nservices:\n" + "".join(lines))
    home.ok("up")
    assert home.calls()[0]["files"] == ["compose.yaml", "compose.mac.yaml", "images.lock.yaml"]


def test_other_verbs_hand_on_what_follows_them(home: Home) -> None:
    home.ok("init")
    home.ok("logs", "--follow", "code")
    home.ok("ps", "--format", "json")
    home.ok("down", "--volumes")
    home.ok("compose", "exec", "-T", "postgres", "psql", "-c", "select 1")
    home.ok("compose", "--", "restart", "code")
    assert [call["words"] for call in home.calls()] == [
        ["logs", "--follow", "code"],
        ["ps", "--format", "json"],
        ["down", "--volumes"],
        ["exec", "-T", "postgres", "psql", "-c", "select 1"],
        ["restart", "code"],
    ]
    # What starts containers must not start those of a profile that nobody asked for.
    assert [call["profiles"] for call in home.calls()] == [["*"], ["*"], ["*"], ["*"], ["core", "monitoring"]]


def test_config_prints_a_command_that_a_shell_takes(home: Home) -> None:
    home.ok("init", "--place", "vps")
    command = home.ok("config", "--profile", "core")
    subprocess.run(
        ["sh", "-c", command],
        env={"PATH": f"{home.root / 'bin'}:/usr/bin:/bin", "STAND_IN_STATE": str(home.root / "state")},
        check=True,
    )
    assert home.calls()[0]["profiles"] == ["core"]


def test_a_wrong_command_line_is_refused(home: Home) -> None:
    for words in ((), ("start",), ("check", "--hard"), ("images", "pull"), ("init", "--place", "windows")):
        done = home.run(*words)
        assert (done.returncode, "usage:" in done.stderr) == (2, True)


def test_the_real_files_are_taken_by_the_real_compose(home: Home, tmp_path: Path) -> None:
    compose = needs("docker-compose")
    for file in (REPOSITORY / "infra").glob("compose*.yaml"):
        shutil.copy(file, home.infra)
    client = tmp_path / "bin" / "docker"
    client.write_text(f'#!/bin/sh\nshift\nexec {compose} "$@"\n')
    home.ok("init", "--place", "vps")
    script = (
        f"import sys; sys.path.insert(0, {str(home.infra / 'stack')!r})\n"
        "import environment, engine, pathlib\n"
        f"folder = pathlib.Path({str(home.infra)!r})\n"
        "stack = engine.Stack(folder, environment.read(folder / '.env'))\n"
        "print(*sorted(stack.enabled()))"
    )
    told = subprocess.run(
        [sys.executable, "-B", "-c", script],
        env={"PATH": f"{client.parent}:/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout.split()
    assert {"postgres", "roles", "code", "nginx"} <= set(told)
