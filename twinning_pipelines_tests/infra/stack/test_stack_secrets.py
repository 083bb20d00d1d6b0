"""`python3 infra/stack init` and `rotate`: what they make, keep, replace and refuse."""

import base64
import hashlib
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from twinning_pipelines_tests.infra.programs import REPOSITORY
from twinning_pipelines_tests.infra.stack.conftest import Home, interpreters

CONTRACT = {
    "postgres_password",
    "twinning_db_password",
    "dagster_db_password",
    "firefly_db_password",
    "nextcloud_db_password",
    "authelia_db_password",
    "grafana_db_password",
    "exporter_db_password",
    "redis_password",
    "influxdb_admin_password",
    "influxdb_admin_token",
    "firefly_app_key",
    "firefly_cron_token",
    "nextcloud_admin_password",
    "grafana_admin_password",
    "grafana_secret_key",
    "authelia_session_secret",
    "authelia_storage_encryption_key",
    "authelia_jwt_secret",
    "authelia_users.yml",
}


def values(home: Home) -> dict[str, str]:
    return {file.name: file.read_text() for file in home.secrets.iterdir()}


def matches(digest: str, password: str) -> bool:
    """Whether a digest in Authelia's form is of the password; read here by its published description."""
    _, kind, rounds, salt, key = digest.split("$")
    plain = [base64.b64decode(part.replace(".", "+") + "=" * (-len(part) % 4)) for part in (salt, key)]
    made = hashlib.pbkdf2_hmac(kind.removeprefix("pbkdf2-"), password.encode(), plain[0], int(rounds))
    return made == plain[1] and len(plain[0]) >= 16 and int(rounds) >= 210_000


@pytest.mark.parametrize("python", interpreters())
def test_init_makes_everything_on_each_python(home: Home, python: str) -> None:
    told = home.ok("init", "--people", "ada ben", "--domain", "home.example.org", python=python)
    made = values(home)
    assert set(made) >= CONTRACT
    assert stat.S_IMODE(home.secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in home.secrets.iterdir()} == {0o444}
    single = {name: value for name, value in made.items() if name != "authelia_users.yml"}
    assert all(re.fullmatch(r"[A-Za-z0-9]{24,}", value) for value in single.values())
    assert (len(made["firefly_app_key"]), len(made["firefly_cron_token"])) == (32, 32)
    assert (
        min(len(made[f"authelia_{name}"]) for name in ("session_secret", "storage_encryption_key", "jwt_secret")) >= 64
    )
    assert len(set(single.values())) == len(single)
    assert not [value for value in single.values() if value in told]
    for file in (
        "authelia_owner_password",
        "nextcloud_admin_password",
        "grafana_admin_password",
        "firefly_owner_password",
    ):
        assert f"infra/secrets/{file}" in told
    settings = (home.infra / ".env").read_text()
    assert "TWINNING_PEOPLE=ada ben\n" in settings
    assert "TWINNING_DOMAIN=home.example.org\n" in settings
    assert stat.S_IMODE((home.infra / ".env").stat().st_mode) == 0o600


def test_authelia_can_read_the_user_and_the_digest(home: Home) -> None:
    home.ok("init", "--owner", "ada", "--email", "ada@example.org")
    users = yaml.safe_load(values(home)["authelia_users.yml"])["users"]
    assert users["ada"] == {
        "disabled": False,
        "displayname": "ada",
        "password": users["ada"]["password"],
        "email": "ada@example.org",
        "groups": ["admins"],
    }
    assert matches(users["ada"]["password"], values(home)["authelia_owner_password"])
    assert not matches(users["ada"]["password"], "another")


def test_the_digest_is_that_of_authelias_own_documentation() -> None:
    """The digest of `insecure_secret` that Authelia's manual shows."""
    salt, key = (
        "c8p78n7pUMln0jzvd4aK4Q",
        "JNRBzwAo0ek5qKn50cFzzvE9RXV88h1wJn5KGiHrD0YKtZaR/nCb2CJPOsKaPK0hjf.9yHxzQGZziziccp6Yng",
    )
    script = f"""
import sys, base64
sys.path.insert(0, {str(REPOSITORY / "infra" / "stack")!r})
from authelia_users import digest
print(digest("insecure_secret", base64.b64decode({salt + "=="!r}), 310000))
"""
    told = subprocess.run([sys.executable, "-B", "-c", script], capture_output=True, text=True, check=True).stdout
    assert told.strip() == f"$pbkdf2-sha512$310000${salt}${key}"


def test_init_never_overwrites_and_completes_what_is_missing(home: Home) -> None:
    home.ok("init", "--people", "ada")
    before, settings = values(home), (home.infra / ".env").read_text()
    assert home.ok("init") == "infra/secrets is complete\n"
    (home.secrets / "redis_password").unlink()
    (home.infra / ".env").write_text(settings.replace("TWINNING_TLS=local-ca\n", "") + "MINE=1\n")
    told = home.ok("init")
    after = values(home)
    assert "redis_password" in told
    assert "TWINNING_TLS" in told
    assert {name for name in after if after[name] != before[name]} == {"redis_password"}
    text = (home.infra / ".env").read_text()
    assert "MINE=1" in text
    assert text.count("TWINNING_TLS=local-ca") == 1
    assert text.count("TWINNING_PEOPLE=ada") == 1


def test_init_tells_the_first_log_in_once_and_later_what_is_new(home: Home) -> None:
    first = home.ok("init", "--owner", "ada")
    assert "The first log-in" in first
    assert "Next: python3 infra/stack up" in first
    (home.secrets / "redis_password").unlink()
    told = home.ok("init")
    assert told.startswith("made 1 files in infra/secrets: redis_password\n")
    assert "rotate NAME" in told
    assert not [word for word in ("log-in", "Authelia", "_admin_password", "Next:") if word in told]
    (home.secrets / "grafana_admin_password").unlink()
    told = home.ok("init")
    assert re.findall(r"^  (.+?)  +ada +(.+)$", told, re.MULTILINE) == [
        ("Grafana", "infra/secrets/grafana_admin_password")
    ]


def test_init_refuses_what_contradicts_the_settings_or_is_none(home: Home) -> None:
    for words, expected in (
        (("--people", "Ada/.."), "TWINNING_PEOPLE: 'Ada/..' is no name"),
        (("--people", " "), "names nobody"),
        (("--domain", "http://x"), "not a domain name"),
        (("--email", "nobody"), "not an e-mail address"),
        (("--currency", "chf"), "not a currency"),
        (("--owner", 'x"y'), "not a name"),
    ):
        done = home.run("init", *words)
        assert (done.returncode, expected in done.stderr) == (1, True), done
        assert not (home.infra / ".env").exists()
        assert not home.secrets.exists()
    home.ok("init", "--people", "ada")
    done = home.run("init", "--people", "ben")
    assert done.returncode == 1
    assert done.stderr == "infra/.env already says TWINNING_PEOPLE=ada; change it there\n"


def test_rotate_replaces_one_and_says_what_follows(home: Home) -> None:
    home.ok("init")
    before = values(home)
    told = home.ok("rotate", "firefly_db_password")
    after = values(home)
    assert {name for name in after if after[name] != before[name]} == {"firefly_db_password"}
    assert stat.S_IMODE((home.secrets / "firefly_db_password").stat().st_mode) == 0o444
    assert "--force-recreate --no-build roles" in told
    assert not [value for value in (*before.values(), *after.values()) if value in told]


def test_rotate_names_only_services_that_are_there_and_does_it_when_told(home: Home) -> None:
    home.ok("init")
    home.docker(there=["roles", "redis", "code", "postgres"])
    assert "authelia" not in home.ok("rotate", "redis_password")
    home.ok("rotate", "redis_password", "twinning_db_password", "--apply")
    words = ["up", "--detach", "--wait", "--force-recreate", "--no-build", "redis", "roles", "code"]
    assert [call["words"] for call in home.calls()] == [words]


def test_rotating_the_owners_password_changes_the_digest_and_leaves_other_users(home: Home) -> None:
    home.ok("init")
    users = home.secrets / "authelia_users.yml"
    more = (
        '  ben:\n    displayname: "Ben"\n    password: "$argon2id$v=19$m=1,t=1,p=1$x$y"\n    email: "b@example.org"\n'
    )
    users.chmod(0o644)
    users.write_text(users.read_text() + more)
    home.ok("rotate", "authelia_owner_password")
    read = yaml.safe_load(users.read_text())["users"]
    assert matches(read["owner"]["password"], (home.secrets / "authelia_owner_password").read_text())
    assert read["ben"]["password"] == "$argon2id$v=19$m=1,t=1,p=1$x$y"
    assert users.read_text().endswith(more)


@pytest.mark.parametrize(
    "name", ["authelia_storage_encryption_key", "firefly_app_key", "grafana_secret_key", "influxdb_admin_token"]
)
def test_what_would_lose_data_is_refused_unless_that_is_meant(home: Home, name: str) -> None:
    home.ok("init")
    before = values(home)
    done = home.run("rotate", "redis_password", name)
    assert done.returncode == 1
    assert "--lose-data-ok" in done.stderr
    assert values(home) == before
    home.ok("rotate", name, "--lose-data-ok")
    assert values(home)[name] != before[name]
    assert len(values(home)[name]) == len(before[name])


@pytest.mark.parametrize("name", ["nothing", "authelia_users.yml", "firefly_owner_password", "../.env"])
def test_what_is_no_secret_or_is_changed_elsewhere_is_refused(home: Home, name: str) -> None:
    home.ok("init")
    before = values(home)
    done = home.run("rotate", name, "--lose-data-ok")
    assert done.returncode == 1
    assert done.stderr
    assert values(home) == before


def test_nothing_is_left_behind_where_a_secret_cannot_be_written(home: Home) -> None:
    home.ok("init")
    before = values(home)
    # A user without the owner's line: the digest cannot be put in, so the password stays too.
    users = home.secrets / "authelia_users.yml"
    users.chmod(0o644)
    users.write_text("---\nusers: {}\n")
    assert home.run("rotate", "authelia_owner_password").returncode == 1
    assert values(home) == {**before, "authelia_users.yml": "---\nusers: {}\n"}
    assert not [file for file in Path(home.secrets).iterdir() if file.name.startswith(".")]


def test_the_compose_files_and_the_tool_know_the_same_secrets_and_services(home: Home) -> None:
    files = [REPOSITORY / "infra" / name for name in ("compose.yaml", "compose.vps.yaml", "compose.mac.yaml")]
    files = [file for file in files if file.exists()]
    if not files:
        pytest.skip("there are no Compose files yet")
    secrets: set[str] = set()
    services: set[str] = set()
    for file in files:
        # Tags such as `!reset` are Compose's own.
        read = yaml.load(file.read_text(), Loader=_Loader)
        secrets |= set(read.get("secrets", {}))
        services |= set(read["services"])
    home.ok("init")
    # The owner reads this one; Authelia has its digest.
    assert {file.name for file in home.secrets.iterdir()} - {"authelia_owner_password"} == secrets
    script = f"import sys; sys.path.insert(0, {str(REPOSITORY / 'infra' / 'stack')!r})\n"
    script += "from secret_files import SECRETS\nprint(*{service for secret in SECRETS for service in secret.restart})"
    told = subprocess.run(
        [sys.executable, "-B", "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(told) <= services


class _Loader(yaml.SafeLoader):
    """YAML with tags that it does not know."""


_Loader.add_multi_constructor("!", lambda *_: None)
